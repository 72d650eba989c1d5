"""From a system to a system: domains, fault budgets, merged locations, projections; and what properties ask."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from strategies import random_system, reachable
from systems import counter, digraph, emits, nodes
from test_abstract import located, random_located
from test_expr import SLOTS, STATES, raw_number, raw_truth
from test_semantics import same_traces

from cprcheck.engines import explicit, graph, liveness
from cprcheck.errors import Source
from cprcheck.expr import FALSE, TRUE, Const, Expr, Read, equal, less, member, minus, neg, number, plus
from cprcheck.passes.faults import with_faults
from cprcheck.passes.merge import merge_locations
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.passes.project import project
from cprcheck.passes.safety import goal, with_last_step
from cprcheck.semantics import apply, enabled, evaluate, initial_states, successors
from cprcheck.system import SAFETY, Fault, Kind, Outcome, Process, Property, Slot, State, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Status


def action(guard: Expr, *update: tuple[int, Expr], slots: tuple[Slot, ...] = SLOTS) -> System:
    """One action that starts anywhere."""
    init = tuple(tuple(slot.domain.codes) for slot in slots)
    return System("s", slots, init, (Process("act"),), (Transition(0, "set", guard, update),))


def inside(system: System, state: State) -> bool:
    return all(code in slot.domain.codes for code, slot in zip(state, system.slots, strict=True))


# ---- obligations --------------------------------------------------------------------------------------------------


def test_a_guard_keeps_out_what_would_leave_a_domain_and_a_property_claims_there_is_nothing() -> None:
    system = with_domain_obligations(counter(9, guarded=False, top=3))
    (prop,) = system.properties
    assert system.transitions[0].guard == prop.formulas[0] == member(0, [0, 1, 2], 0, 4)
    assert (prop.name, prop.kind, prop.family) == ("values_in_domain", Kind.IN_DOMAIN, "values_in_domain")


def test_each_assignment_that_could_leave_its_domain_is_named_with_its_choices() -> None:
    system = action(TRUE, (2, minus(Read(3), number(2))), (3, plus(Read(2), number(1))), (4, Read(4)))
    asked = replace(system, transitions=(replace(system.transitions[0], choices=(("how", "fast"),)),))
    assert with_domain_obligations(asked).properties[0].parts == (
        "act: set (how: fast) would set n outside -1..2",
        "act: set (how: fast) would set k outside 0..2",
    )


def test_a_system_whose_values_cannot_leave_is_left_alone() -> None:
    for limited in (action(member(3, [0, 1], 0, 3), (3, plus(Read(3), number(1)))), action(TRUE, (2, Read(3)))):
        assert with_domain_obligations(limited) is limited


def test_exactly_the_steps_that_leave_their_domain_are_kept_out_and_claimed_impossible() -> None:
    for seed in range(100):
        r = Random(seed)
        before = action(raw_truth(r, 2), (2, raw_number(r, 3)), (3, raw_number(r, 2)))
        after = with_domain_obligations(before)
        formulas = after.properties[0].formulas if after.properties else ()
        for state in STATES[::3]:
            can = enabled(before.transitions[0], state)
            stays = inside(before, apply(before.transitions[0], state))
            assert enabled(after.transitions[0], state) == (can and stays), (seed, state)
            assert all(evaluate(formula, state) for formula in formulas) == (stays or not can), (seed, state)


LEAVING = {
    "above": counter(9, guarded=False, top=3),
    "below": action(TRUE, (3, minus(Read(3), number(1)))),
    "to another domain": action(TRUE, (3, Read(2))),
    "by a sum of two slots": action(TRUE, (2, plus(Read(2), Read(3)))),
}


@pytest.mark.parametrize("how", LEAVING)
def test_obligations_added_twice_are_obligations_added_once(how: str) -> None:
    once = with_domain_obligations(LEAVING[how])
    assert with_domain_obligations(once) == once != LEAVING[how]


# ---- faults ---------------------------------------------------------------------------------------------------------

BREAK, BEND, INJECT = Fault("breaks"), Fault("bends"), Fault("bombs", injected=True)
PLAIN = digraph([0, 1, 2, 3, 0], [3, 4])
TAKEN = [(), (BREAK,), (BREAK, BEND), (), (INJECT,)]
FAULTY = replace(
    PLAIN,
    scope=("two devices",),
    transitions=tuple(replace(t, faults=taken) for t, taken in zip(PLAIN.transitions, TAKEN, strict=True)),
)


@pytest.mark.parametrize(
    ("budget", "injected", "steps", "said"),
    [
        (0, False, "0->1 3->0", "no faults, injected ones excluded"),
        (1, False, "0->1 1->2 3->0", "at most 1 fault, injected ones excluded"),
        (2, False, "0->1 1->2 2->3 3->0", "at most 2 faults, injected ones excluded"),
        (None, False, "0->1 1->2 2->3 3->0", "any finite number of faults, injected ones excluded"),
        (0, True, "0->1 3->0", "no faults, injected ones included"),
        (None, True, "0->1 1->2 2->3 3->0 3->4", "any finite number of faults, injected ones included"),
    ],
)
def test_a_budget_leaves_the_steps_that_it_can_pay(budget: int | None, injected: bool, steps: str, said: str) -> None:
    system = with_faults(FAULTY, budget, injected=injected)
    assert [t.label for t in system.transitions] == steps.split()
    assert system.scope == ("two devices", said)
    assert [slot.name for slot in system.slots] == ["node", *["faults_taken"] * bool(budget)]


@pytest.mark.parametrize("budget", [1, 2, 3, 4])
def test_exactly_the_runs_within_the_budget_are_left_and_a_step_with_two_faults_counts_two(budget: int) -> None:
    system = with_faults(FAULTY, budget, injected=True)
    assert (system.slots[1].role, system.init[1]) == ("budget", (0,))
    for state in reachable(system):
        steps = {system.transitions[i].label: (i, after) for i, after in successors(system, state)}
        paid = {t.label for t in FAULTY.transitions if enabled(t, state) and state[1] + len(t.faults) <= budget}
        assert steps.keys() == paid
        assert all(after[1] == state[1] + len(system.transitions[i].faults) for i, after in steps.values())


def test_without_a_step_that_can_break_nothing_is_counted() -> None:
    said = ("at most 3 faults, injected ones included",)
    assert with_faults(PLAIN, 3, injected=True) == replace(PLAIN, scope=said)


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a fault budget cannot be negative: -1$"):
        with_faults(PLAIN, -1, injected=False)


# ---- merge ----------------------------------------------------------------------------------------------------------


DIAMOND = located("a b B_<2> c", "a:l:b a:r:B b:go:c B:go:c c:stop:0")


def places(system: System) -> list[object]:
    return list(merge_locations(system).slots[0].domain.values)[4:]


def test_locations_with_the_same_future_become_one_and_their_steps_too() -> None:
    merged = merge_locations(DIAMOND)
    assert merged.merging == "equal locations merged by bisimulation: 3 of 4 left"
    assert [(t.label, t.guard, *t.update) for t in merged.transitions] == [
        ("l", member(0, [4], 0, 7), (0, Const(5))),
        ("r", member(0, [4], 0, 7), (0, Const(5))),
        ("go", member(0, [5], 0, 7), (0, Const(6))),
        ("stop", member(0, [6], 0, 7), (0, Const(0))),
    ]
    assert merged.transitions[2].sources == (Source("m", 2), Source("m", 3))


def test_a_merged_step_keeps_its_first_line_first() -> None:
    steps = DIAMOND.transitions
    lines = [(9, 1), (8,)]  # those of the step from b, and those of the step from B
    new = [tuple(Source("m", line) for line in numbers) for numbers in lines]
    changed = (*steps[:2], replace(steps[2], sources=new[0]), replace(steps[3], sources=new[1]), *steps[4:])
    merged = merge_locations(replace(DIAMOND, transitions=changed))
    assert [source.line for source in merged.transitions[2].sources] == [9, 1, 8]


def test_a_merged_location_has_the_labels_of_all() -> None:
    assert places(DIAMOND) == ["a", "b | B", "c"]
    assert places(located("a b c_<2>_|_d b_<3>", "a:l:b a:r:c")) == ["a", "b | c | d"]


B_ONLY = member(0, [5], 0, 8)
B_NEXT = member(0, [5], 0, 8, primed=True)
NUMBER = equal(Read(0), Read(1))
APART = {
    "a property": {"properties": (Property("at", Kind.INVARIANT, (neg(B_ONLY),)),)},
    "a property of steps": {"properties": (Property("to", Kind.STEP_INVARIANT, (neg(B_NEXT),)),)},
    "a property that takes it as a number": {"properties": (Property("n", Kind.INVARIANT, (NUMBER,)),)},
    "a severity": {"severities": (("bad", B_ONLY),)},
    "an outcome": {"outcomes": (Outcome("way", "by B", B_ONLY),)},
    "the assumption": {"assume": neg(B_ONLY)},
    "another guard": {"transitions": (*DIAMOND.transitions, Transition(1, "look", B_ONLY, ((1, Const(1)),)))},
    "its own update": {"transitions": (*DIAMOND.transitions, Transition(0, "see", TRUE, ((1, B_ONLY),)))},
    "being idle": {"processes": (replace(DIAMOND.processes[0], idle=frozenset({5})), Process("q"))},
}


@pytest.mark.parametrize("what", APART)
def test_locations_are_told_apart_by(what: str) -> None:
    system = replace(DIAMOND, processes=(*DIAMOND.processes, Process("q")))
    assert places(replace(system, **APART[what])) == ["a", "b", "B <2>", "c"]


def verdicts(system: System) -> dict[str, object]:
    goals = [goal(system, prop) for prop in system.properties if prop.kind in SAFETY]
    endless = [prop for prop in system.properties if prop.kind not in SAFETY]
    result = explicit.search(system, goals, whole=True)
    decided = {name: (a.status, len(a.trace or "")) for name, a in explicit.answers(result, goals).items()}
    return decided | {name: a.status for name, a in liveness.check(graph.build(result), endless).items()}


def test_merging_changes_no_verdict_and_nothing_that_can_be_seen() -> None:
    fewer = 0
    for seed in range(60):
        system = random_located(seed)
        merged = merge_locations(system)
        assert verdicts(merged) == verdicts(system), seed
        assert same_traces(merged, system), seed
        fewer += merged.slots[0].domain.size < system.slots[0].domain.size
    assert fewer >= 20


# ---- safety ---------------------------------------------------------------------------------------------------------

LOUD = emits(digraph([0, 1, 2, 3]), {1: "bang"})
BROKEN = digraph([0, 1], faults=[(0, 1)])
IDLE = located("a b", "a:go:b b:stop:0", processes=(Process("p", location=0, idle=frozenset({5})),))
TWO = nodes(LOUD, 2)


@pytest.mark.parametrize(
    ("kind", "system", "formulas", "bad"),
    [
        (Kind.INVARIANT, LOUD, (neg(TWO),), [2]),
        (Kind.LEMMA, LOUD, (neg(TWO),), [2]),
        (Kind.IN_DOMAIN, LOUD, (neg(TWO), nodes(LOUD, 0, 2, 3)), [1, 2]),
        (Kind.REACHABLE, LOUD, (TWO,), [2]),
        (Kind.EVENT_NEVER, LOUD, (TRUE,), [1]),
        (Kind.EVENT_NEVER, LOUD, (TWO,), []),
        (Kind.STEP_INVARIANT, LOUD, (less(Read(0, primed=True), number(2)),), [1, 2]),
        (Kind.DEADLOCK_FREE, LOUD, (FALSE,), [3]),
        (Kind.DEADLOCK_FREE, LOUD, (nodes(LOUD, 3),), []),
        (Kind.DEADLOCK_FREE, BROKEN, (FALSE,), [0, 1]),
        (Kind.DEADLOCK_FREE, IDLE, (FALSE,), []),
        (Kind.NO_ABORT, LOUD, (TRUE,), [1]),
    ],
)
def test_a_property_is_decided_by(kind: Kind, system: System, formulas: tuple[Expr, ...], bad: list[int]) -> None:
    question = goal(system, Property("claim", kind, formulas, ("bang",)))
    assert [code for code in system.slots[0].domain.codes if evaluate(question.bad, (code, 0))] == bad
    answers = (Status.REACHABLE, Status.UNREACHABLE) if kind is Kind.REACHABLE else (Status.VIOLATED, Status.HOLDS)
    assert (question.found, question.excluded) == answers


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in SAFETY])
def test_a_question_about_infinite_runs_is_none_about_a_state(kind: Kind) -> None:
    with pytest.raises(ValueError, match=r"^claim is not a safety property$"):
        goal(LOUD, Property("claim", kind, (TRUE, TRUE)))


def test_a_step_property_is_broken_where_a_step_breaks_it_whatever_the_step_assigns() -> None:
    for seed in range(150):
        r = Random(seed)
        system = with_domain_obligations(action(raw_truth(r, 2), (2, Read(3)), (3, r.choice([Read(2), number(1)]))))
        claim = raw_truth(r, 3, primed=True)
        question = goal(system, Property("claim", Kind.STEP_INVARIANT, (claim,)))
        for state in STATES[::3]:
            broken = any(not evaluate(claim, state, after) for _, after in successors(system, state))
            assert evaluate(question.bad, state) == broken, (seed, claim, state)


def test_the_step_that_decides_is_added_to_a_trace() -> None:
    question = goal(LOUD, Property("claim", Kind.EVENT_NEVER, (TRUE,), ("bang",)))
    assert with_last_step(LOUD, question, Trace(((0,), (1,)), (0,))) == Trace(((0,), (1,), (2,)), (0, 1))
    state = goal(LOUD, Property("claim", Kind.REACHABLE, (TWO,)))
    assert with_last_step(LOUD, state, Trace(((0,), (1,)), (0,))) == Trace(((0,), (1,)), (0,))


# ---- project --------------------------------------------------------------------------------------------------------


def test_each_run_of_the_whole_is_a_run_of_the_projection() -> None:
    for seed in range(120):
        system = random_system(seed)
        keep = frozenset(Random(seed).sample(range(len(system.slots)), 2))
        made = project(system, keep)
        assert made.kept == tuple(sorted(keep))

        def seen(state: State, kept: tuple[int, ...] = made.kept) -> State:
            return tuple(state[slot] for slot in kept)

        assert set(map(seen, initial_states(system))) <= set(initial_states(made.system))
        for state in reachable(system):
            steps = {(made.origin[i], after) for i, after in successors(made.system, seen(state))}
            whole = {(i, seen(after)) for i, after in successors(system, state)}
            assert all(step in steps or step[1] == seen(state) for step in whole), (seed, state)


def test_a_projection_stays_inside_its_domains() -> None:
    for seed in range(120):
        system = random_system(seed)
        made = project(system, frozenset({0, 1})).system
        for state in {state[:2] for state in reachable(system)}:
            assert all(inside(made, after) for _, after in successors(made, state)), (seed, state)


def test_a_projection_to_all_slots_is_the_whole() -> None:
    system = random_system(7)
    made = project(system, frozenset(range(len(system.slots))))
    assert made.system.transitions == system.transitions
    assert made.origin == tuple(range(len(system.transitions)))
