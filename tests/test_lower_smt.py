"""The z3 encoding: its formulas have exactly the models that the interpreter says, found one after the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import pytest
import z3
from strategies import random_system
from systems import at, counter, digraph, same, with_invariant
from test_expr import SLOTS, STATES, raw_number, raw_truth
from test_lower_python import numbers, system_of

from cprcheck.checking import Options, check
from cprcheck.domains import Bool, Domain, OneOf, Range
from cprcheck.expr import (
    FALSE,
    TRUE,
    Apply,
    Const,
    Expr,
    In,
    Op,
    Read,
    conj,
    disj,
    equal,
    ite,
    less,
    member,
    minus,
    neg,
    number,
    plus,
    rebuild,
)
from cprcheck.lower.smt import Encoding, Frame, Term
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.semantics import evaluate, initial_states, successors
from cprcheck.system import Process, Slot, State, System, Transition


def normal(node: Expr) -> Expr:
    """`node` as the makers of expressions write it: no set in it is empty or full."""
    return rebuild(node, lambda leaf: leaf if isinstance(leaf, Read) else neg(neg(leaf)))


def differs(frame: Frame, model: z3.ModelRef) -> Term:
    return z3.Or(*(v != model.eval(v, model_completion=True) for v in frame.slots))


def models(encoding: Encoding, formula: Term, frame: Frame) -> list[State]:
    """Every state that satisfies `formula`, ascending; each model is excluded until there is none."""
    solver = z3.Solver()
    solver.add(formula)
    found = []
    while solver.check() == z3.sat:
        found.append(encoding.state(solver.model(), frame))
        solver.add(differs(frame, solver.model()))
    return sorted(found)


def steps(system: System) -> list[tuple[State, int, State]]:
    """Every (state, transition, state after) of the step formula, over all states of the domains."""
    encoding = Encoding(system)
    now, after = encoding.frame("0"), encoding.frame("1")
    formula, selector = encoding.step(now, after)
    solver = z3.Solver()
    solver.add(encoding.domain(now), formula)
    found = []
    while solver.check() == z3.sat:
        model = solver.model()
        step = model.eval(selector, model_completion=True).as_long()
        found.append((encoding.state(model, now), step, encoding.state(model, after)))
        solver.add(z3.Or(selector != step, differs(now, model), differs(after, model)))
    return sorted(found)


def steps_by_interpreter(system: System) -> list[tuple[State, int, State]]:
    everything = product(*(slot.domain.codes for slot in system.slots))
    return sorted((state, step, after) for state in everything for step, after in successors(system, state))


def where(system: System, node: Expr) -> list[State]:
    """The states in which z3 says that `node` holds."""
    encoding = Encoding(system)
    frame = encoding.frame("0")
    return models(encoding, z3.And(encoding.domain(frame), encoding.formula(node, frame)), frame)


def first(system: System) -> list[State]:
    encoding = Encoding(system)
    frame = encoding.frame("0")
    return models(encoding, encoding.init(frame), frame)


# ---- domains and initial states -------------------------------------------------------------------------------------

DOMAINS = [
    Bool,
    Range(0, 0),
    Range(-1, -1),
    Range(0, 2),
    Range(0, 3),
    Range(-4, 0),
    Range(-3, 4),
    OneOf("a", "b", "c", "d", "e"),
    OneOf("only"),
]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_a_frame_holds_the_codes_of_its_domain_and_no_others(domain: Domain) -> None:
    encoding = Encoding(system_of((Slot("x", domain),)))
    frame = encoding.frame("0")
    assert models(encoding, encoding.domain(frame), frame) == [(code,) for code in domain.codes]


@pytest.mark.parametrize("domain", DOMAINS, ids=lambda domain: domain.name)
def test_every_set_of_codes_is_told_from_every_other(domain: Domain) -> None:
    system = system_of((Slot("x", domain),))
    for mask in range(0, 1 << domain.size, 1 if domain.size < 5 else 7):
        codes = [code for code in domain.codes if mask >> code - domain.low & 1]
        assert where(system, member(0, codes, domain.low, domain.size)) == [(code,) for code in codes]


def test_the_initial_states_are_those_of_the_interpreter() -> None:
    for seed in range(20):
        system = replace(random_system(seed), transitions=())
        assert first(system) == sorted(initial_states(system))
        most = replace(system, init=tuple(tuple(slot.domain.codes)[-2:] for slot in system.slots))
        assert first(most) == sorted(initial_states(most))


def test_the_assumption_narrows_the_initial_states_down_to_none() -> None:
    system = system_of(numbers((-2, 1), (-1, 3)))
    below = replace(system, assume=less(Read(1), plus(Read(0), Read(0))))
    assert first(below) == sorted(initial_states(below)) == [(0, -1), (1, -1), (1, 0), (1, 1)]
    assert first(replace(system, assume=FALSE)) == []


@pytest.mark.parametrize("domain", [Bool, Range(0, 2)], ids=lambda domain: domain.name)
def test_a_slot_without_an_initial_value_leaves_no_initial_state(domain: Domain) -> None:
    assert first(replace(system_of((Slot("x", domain),)), init=((),))) == []


# ---- formulas -------------------------------------------------------------------------------------------------------


def test_a_formula_holds_where_the_interpreter_says_so() -> None:
    system = system_of(SLOTS)
    encoding = Encoding(system)
    frame = encoding.frame("0")
    for seed in range(120):
        node = normal(raw_truth(Random(seed), 3))
        term = encoding.formula(node, frame)
        for state in STATES[seed % 7 :: 11]:
            assert holds(encoding, term, {frame.name: state}) == bool(evaluate(node, state)), (seed, node, state)


def test_primed_slots_are_read_after_the_step() -> None:
    system = system_of(SLOTS)
    encoding = Encoding(system)
    now, after = encoding.frame("0"), encoding.frame("1")
    r = Random(5)
    for seed in range(80):
        node = normal(raw_truth(Random(seed), 3, primed=True))
        term = encoding.formula(node, now, after)
        for _ in range(8):
            a, b = r.choice(STATES), r.choice(STATES)
            assert holds(encoding, term, {"0": a, "1": b}) == bool(evaluate(node, a, b)), (seed, node, a, b)
    later = less(Read(2), Read(2, primed=True))
    assert holds(encoding, encoding.formula(later, now, after), {"0": STATES[0], "1": STATES[-1]})
    assert not holds(encoding, encoding.formula(later, now), {"0": STATES[0]})


def holds(encoding: Encoding, term: Term, states: dict[str, State]) -> bool:
    """`term` with the slots of each named frame replaced by their codes, and worked out by z3."""
    pairs = []
    for name, state in states.items():
        for variable, slot, code in zip(encoding.frame(name).slots, encoding.system.slots, state, strict=True):
            of_bool = slot.domain.kind == "bool"
            value = z3.BoolVal(bool(code)) if of_bool else z3.BitVecVal(code - slot.domain.low, variable.size())
            pairs.append((variable, value))
    value = z3.simplify(z3.substitute(term, *pairs))
    assert z3.is_true(value) or z3.is_false(value)
    return z3.is_true(value)


X, Y, Z = Read(0), Read(1), Read(2)


@pytest.mark.parametrize(
    "node",
    [
        less(plus(X, X), number(3)),
        less(number(3), plus(X, Y, Z)),
        less(plus(X, X, X, X), Y),
        equal(plus(X, number(8)), Y),
        equal(plus(X, number(-4)), Y),
        equal(minus(X, Y), Z),
        less(minus(minus(X, Y), Z), number(-5)),
        less(minus(X, plus(Y, Y)), minus(Z, number(100))),
        equal(ite(less(plus(X, Z), Y), plus(X, X), minus(Y, Z)), number(-6)),
        less(ite(less(X, number(100)), X, number(-200)), Y),
        less(number(-3), Z),
        equal(plus(Y, Y), plus(Z, number(-2))),
    ],
)
def test_sums_and_differences_never_wrap_around(node: Expr) -> None:
    system = system_of(numbers((0, 3), (-2, 1), (-4, -3)))
    everything = product(*(slot.domain.codes for slot in system.slots))
    assert where(system, node) == [state for state in everything if evaluate(node, state)]


def test_truth_values_are_compared_chosen_and_counted() -> None:
    system = system_of((Slot("b", Bool), Slot("c", Bool), Slot("n", Range(-1, 1))))
    is_b = member(0, [1], 0, 2)
    for node in (
        same(0, 1),
        neg(same(0, 1)),
        equal(is_b, less(Z, number(0))),
        Apply(Op.ITE, (X, Y, neg(Y))),
        Apply(Op.EQ, (X, is_b)),
        Apply(Op.EQ, (TRUE, less(Z, X))),
        less(X, Y),
        equal(plus(X, Y), plus(Z, number(1))),
        less(minus(X, Y), Z),
    ):
        everything = product((0, 1), (0, 1), (-1, 0, 1))
        assert where(system, node) == [state for state in everything if evaluate(node, state)], node


def test_names_are_told_apart_by_their_codes() -> None:
    colours = OneOf("red", "green", "blue")
    system = system_of((Slot("x", colours), Slot("y", colours)))
    assert where(system, same(0, 1)) == [(0, 0), (1, 1), (2, 2)]
    assert where(system, conj(at(0, 2, colours), neg(at(1, 0, colours)))) == [(2, 1), (2, 2)]


@pytest.mark.parametrize("odd", ["\0", "\ud800", "\x1b", "\n", "|", "\\"])
def test_two_slots_are_never_one_constant_to_z3(odd: str) -> None:
    """z3 ends a name at NUL, takes no lone surrogates, and SMT-LIB cannot write | and \\ in a name."""
    names = (f"v[a{odd}b]", f"v[a{odd}c]", f"v[a{odd}b]", "v[a?b]", "v[a", f"{odd}", f"{odd}2")
    system = system_of(tuple(Slot(name, Range(0, 1)) for name in names))
    slots = Encoding(system).frame("0").slots
    assert len({slot.get_id() for slot in slots}) == len(names)
    assert [str(slot) for slot in slots][:2] == ["v[a?b]@0", "v[a?c]@0"]


def test_no_verdict_rests_on_slots_with_names_that_z3_cuts_off() -> None:
    domain = Range(0, 3)
    up = Transition(0, "up", less(Read(0), number(3)), ((0, plus(Read(0), number(1))),))
    slots = (Slot("v[a\0b]", domain), Slot("v[a\0c]", domain))
    system = with_invariant(System("nul", slots, ((0,), (0,)), (Process("up"),), (up,)), same(0, 1))
    found = check(system, Options(states=1, properties=("claim",)))
    assert [(verdict.status.value, len(verdict.trace or ())) for verdict in found.verdicts] == [("VIOLATED", 1)]


def test_ordinary_names_stay_as_they_are() -> None:
    names = ("n", "v[a, b]", "@p(i=0)", "é 日本 😀", "lock l")
    frame = Encoding(system_of(tuple(Slot(name, Bool) for name in names))).frame("0")
    assert [str(slot) for slot in frame.slots] == [f"{name}@0" for name in names]


def test_a_set_that_is_written_down_empty_or_full_says_nothing_else() -> None:
    for domain in (Bool, Range(0, 2), Range(-2, 1)):
        system = system_of((Slot("x", domain),))
        assert where(system, In(0, 0, domain.low, domain.size)) == [], domain
        assert len(where(system, In(0, domain.full, domain.low, domain.size))) == domain.size, domain


# ---- steps ----------------------------------------------------------------------------------------------------------


def test_the_step_formula_has_exactly_the_steps_of_random_systems() -> None:
    for seed in range(8):
        r = Random(seed)
        some, sums = (normal(raw_truth(r, 2)) for _ in range(3)), (normal(raw_number(r, 2)) for _ in range(2))
        moves = [
            (conj(next(some), same(0, 1)), {0: next(some), 2: next(sums)}),
            (conj(less(Read(2), Read(3)), Read(0)), {3: next(sums), 4: ite(next(some), Read(4), number(2))}),
        ]
        system = with_domain_obligations(system_of(SLOTS, *moves))
        assert steps(system) == steps_by_interpreter(system), seed


WIDE = numbers((-3, 4), (0, 20), (-2, 1))


@pytest.mark.parametrize(
    "update",
    [
        {0: Read(2), 2: Read(0)},
        {0: plus(X, Y), 1: number(7)},
        {1: plus(Y, number(-3)), 0: ite(less(X, Y), Z, number(-3))},
        {2: minus(X, Y)},
        {2: minus(plus(X, Z), number(3)), 1: plus(Z, Z, number(4))},
        {0: ite(less(number(30), plus(Y, Y)), number(4), plus(Z, number(2)))},
        {2: less(X, Y)},
    ],
)
def test_a_step_sets_what_the_interpreter_sets_and_never_wraps_around(update: dict[int, Expr]) -> None:
    system = with_domain_obligations(system_of(WIDE, (member(1, [0, 3, 19, 20], 0, 21), update)))
    assert steps(system) == steps_by_interpreter(system) != []


def test_slots_become_booleans_by_constants_copies_and_formulas() -> None:
    slots = (Slot("b", Bool), Slot("c", Bool), Slot("n", Range(-1, 1)))
    swap = (TRUE, {0: Read(1), 1: Read(0)})
    system = system_of(slots, swap, (Read(0), {0: Const(0, boolean=True), 1: number(1)}), (TRUE, {1: less(Z, X)}))
    assert steps(system) == steps_by_interpreter(system)


def test_slots_with_one_value_are_set_to_it() -> None:
    system = system_of(numbers((7, 7), (-1, 0)), (TRUE, {0: number(7), 1: minus(Read(0), number(8))}), (TRUE, {}))
    assert steps(system) == steps_by_interpreter(system)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_each_transition_is_one_choice_of_the_selector_and_there_are_no_others(count: int) -> None:
    system = digraph([0, 1])
    system = replace(system, transitions=system.transitions * count)
    assert steps(system) == [((0,), step, (1,)) for step in range(count)]


def test_a_state_without_a_transition_has_no_successor() -> None:
    assert steps(replace(counter(3, guarded=True), transitions=())) == []
    assert [now for now, _, _ in steps(counter(3, guarded=True))] == [(0,), (1,), (2,)]


@pytest.mark.parametrize("name", ["step", "s", "node"])
def test_a_slot_may_have_any_name(name: str) -> None:
    system = digraph([0, 1, 2, 3, 0])
    system = replace(system, slots=(Slot(name, Range(0, 3)),), transitions=system.transitions[::-1])
    assert steps(system) == steps_by_interpreter(system)


def test_steps_that_set_the_same_value_are_not_confused() -> None:
    one, two = Transition(0, "a", at(0, 0, Range(0, 2)), ((0, number(2)),)), Transition(0, "b", TRUE, ((1, number(2)),))
    three = Transition(1, "c", at(1, 0, Range(0, 2)), ((0, number(2)), (1, X)))
    slots = numbers((0, 2), (0, 2))
    system = System("s", slots, ((0,), (0,)), (Process("p"), Process("q")), (one, two, three))
    assert steps(system) == steps_by_interpreter(system)


# ---- models ---------------------------------------------------------------------------------------------------------


def test_a_state_that_the_solver_left_open_is_one_of_the_domain() -> None:
    system = system_of((*SLOTS, Slot("minus", Range(-9, -5))))
    encoding = Encoding(system)
    frame = encoding.frame("0")
    solver = z3.Solver()
    solver.add(encoding.formula(disj(member(2, [2], -1, 4), FALSE), frame))
    assert solver.check() == z3.sat
    assert encoding.state(solver.model(), frame) == (0, 0, 2, 0, 0, -9)


def test_a_context_of_its_own_holds_all_formulas() -> None:
    system, context = (
        system_of(SLOTS, (less(Z, number(1)), {0: less(Z, number(0)), 2: plus(Z, number(1))})),
        z3.Context(),
    )
    encoding = Encoding(system, context)
    now, after = encoding.frame("0"), encoding.frame("1")
    formula, selector = encoding.step(now, after)
    parts = [encoding.domain(now), encoding.init(now), formula, encoding.formula(at(2, 2, Range(-1, 2)), after)]
    solver = z3.Solver(ctx=context)
    solver.add(*parts)
    assert solver.check() == z3.unsat
    assert {term.ctx for term in (*parts, selector, *now.slots)} == {context}


def test_two_steps_as_terms_over_one_state_are_two_steps_of_the_interpreter() -> None:
    compared = 0
    for seed in range(12):
        system = random_system(seed)
        encoding = Encoding(system)
        before = encoding.frame("0")
        after = [encoding.after(t, before) for t in system.transitions]
        twice = {
            (i, j): encoding.after(t, after[i]) for j, t in enumerate(system.transitions) for i in range(len(after))
        }
        for state in list(product(*(slot.domain.codes for slot in system.slots)))[::7]:
            here = zip(before.slots, state, system.slots, strict=True)
            put = [
                (v, z3.BoolVal(bool(c)) if z3.is_bool(v) else z3.BitVecVal(c - s.domain.low, v.size()))
                for v, c, s in here
            ]
            for first, middle in successors(system, state):
                for second, last in successors(system, middle):
                    terms = [z3.simplify(z3.substitute(term, *put)) for term in twice[first, second].slots]
                    codes = [int(z3.is_true(t)) if z3.is_bool(t) else t.as_long() for t in terms]
                    assert tuple(c + s.domain.low for c, s in zip(codes, system.slots, strict=True)) == last
                    compared += 1
    assert compared >= 50
