"""Localisation: an invariant from a few slots that is one of the whole, or a run that the whole really has."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, product, repeat
from random import Random
from time import monotonic

import pytest
from strategies import random_system, reachable
from systems import at, counter, digraph, never, same, token_ring, with_invariant
from test_abstract import random_located

from cprcheck.domains import Bool, Range
from cprcheck.engines import localise as engine
from cprcheck.engines.localise import Found, localise, reachable_set
from cprcheck.expr import FALSE, TRUE, Expr, Read, conj, disj, less, member, neg, number, plus, reads
from cprcheck.passes.project import project
from cprcheck.passes.safety import Goal, goal, with_last_step
from cprcheck.replay import replay, walk
from cprcheck.semantics import evaluate, initial_states, successors
from cprcheck.system import SAFETY, Fairness, Kind, Process, Property, Slot, State, System, Transition
from cprcheck.trace import Trace


def everything(system: System) -> list[State]:
    return list(product(*(slot.domain.codes for slot in system.slots)))


def proves(system: System, question: Goal, invariant: Expr) -> None:
    """`invariant` holds initially, every step from any state of the domains keeps it, and it excludes the question."""
    assert all(evaluate(invariant, state) for state in initial_states(system))
    for state in everything(system):
        if evaluate(invariant, state):
            assert not evaluate(question.bad, state), state
            assert all(evaluate(invariant, after) for _, after in successors(system, state)), state


def answered(system: System, question: Goal) -> Found:
    """What localisation finds without haste, after the interpreter has confirmed it."""
    found = localise(system, question, monotonic() + 20)
    assert found.reason == ""
    bad = any(evaluate(question.bad, state) for state in reachable(system))
    assert (found.trace is not None, found.invariant is not None) == (bad, not bad)
    if found.trace is None:
        proves(system, question, found.invariant)
        assert len(reads(found.invariant)) <= found.kept <= len(system.slots)
    else:
        walk(system, found.trace)
        assert evaluate(question.bad, found.trace.states[-1])
        replay(system, question.prop, with_last_step(system, question, found.trace))
    return found


def bits(count: int, *steps: tuple[Expr, dict[int, int]], init: tuple[int, ...] = ()) -> System:
    """`count` Booleans, all false at first but those in `init`, with steps of (guard, codes to set)."""
    moves = tuple(
        Transition(0, f"t{i}", guard, tuple((slot, number(code)) for slot, code in sorted(to.items())))
        for i, (guard, to) in enumerate(steps)
    )
    slots = tuple(Slot(f"b{i}", Bool) for i in range(count))
    first = tuple((int(i in init),) for i in range(count))
    return System("bits", slots, first, (Process("p", Fairness.WEAK),), moves)


def true(*slots: int) -> Expr:
    return conj(*(member(slot, [1], 0, 2) for slot in slots))


def excluding(system: System, bad: Expr) -> Goal:
    return goal(system, Property("claim", Kind.INVARIANT, (neg(bad),)))


# ---- what is found is so --------------------------------------------------------------------------------------------


def test_every_question_about_random_systems_is_answered_and_the_answer_is_right() -> None:
    smaller = 0
    for seed in range(50):
        system = random_system(seed)
        for prop in system.properties:
            found = answered(system, goal(system, prop))
            smaller += found.invariant is not None and found.kept < len(system.slots)
    assert smaller >= 60


def test_every_question_about_processes_with_locations_is_answered_and_the_answer_is_right() -> None:
    for seed in range(25):
        system = random_located(seed)
        for prop in system.properties:
            if prop.kind in SAFETY:
                answered(system, goal(system, prop))


def test_what_depends_on_all_slots_keeps_all_of_them() -> None:
    ring = token_ring(4)
    assert answered(ring, goal(ring, ring.property("one token"))).kept == 4


def test_the_first_state_may_decide() -> None:
    system = bits(3, (TRUE, {2: 1}), init=(1,))
    assert answered(system, excluding(system, true(1))).trace == Trace(((0, 1, 0),))


def test_the_run_may_need_slots_that_the_question_does_not_name() -> None:
    system = bits(3, (true(1), {0: 1}), (true(2), {1: 1}), (TRUE, {2: 1}))
    found = answered(system, excluding(system, true(0)))
    assert found.trace == Trace(((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1)), (2, 1, 0))


def test_a_value_that_is_copied_from_a_slot_brings_this_slot_in() -> None:
    slots = tuple(Slot(name, Range(-1, 3)) for name in "xyz")
    copy, grow = Transition(0, "copy", TRUE, ((0, Read(1)),)), Transition(0, "grow", TRUE, ((2, number(3)),))
    system = System("s", slots, ((0,), (2,), (0,)), (Process("p"),), (copy, grow))
    assert answered(system, excluding(system, at(0, 3, Range(-1, 3)))).kept == 2
    assert answered(system, excluding(system, at(0, 2, Range(-1, 3)))).trace == Trace(((0, 2, 0), (2, 2, 0)), (0,))


def test_initial_states_are_those_that_the_assumption_leaves() -> None:
    slots = tuple(Slot(name, Range(0, 2)) for name in "xyz")
    system = System("s", slots, ((0, 1, 2), (0, 1), (0, 2)), (), (), assume=same(0, 1))
    assert answered(system, excluding(system, at(0, 2, Range(0, 2)))).kept == 2
    assert answered(system, excluding(system, at(0, 1, Range(0, 2)))).trace == Trace(((1, 1, 0),))
    assert answered(system, excluding(system, at(2, 1, Range(0, 2)))).kept == 1


def test_without_an_initial_state_nothing_is_possible() -> None:
    system = replace(digraph([0, 1]), assume=FALSE)
    assert answered(system, goal(system, never(system, 0))).invariant == FALSE


def test_a_question_that_no_state_satisfies_needs_no_slot() -> None:
    system = counter(3, guarded=True)
    nothing = goal(with_invariant(system, TRUE), Property("claim", Kind.INVARIANT, (TRUE,)))
    assert localise(system, nothing, monotonic() + 20) == Found(TRUE, 0)


# ---- few slots ------------------------------------------------------------------------------------------------------


def test_slots_that_have_nothing_to_do_with_the_question_are_dropped() -> None:
    noise = tuple((neg(true(slot)), {slot: 1}) for slot in range(2, 8))
    system = bits(8, (true(1), {0: 1}), *noise)
    found = answered(system, excluding(system, true(0)))
    assert (found.kept, reads(found.invariant)) == (2, {0, 1})


def test_a_slot_that_was_blamed_on_the_way_is_dropped_when_the_others_suffice() -> None:
    system = bits(4, (true(1, 2, 3), {0: 1}), (TRUE, {1: 1}), (true(1), {2: 1}))
    found = answered(system, excluding(system, true(0)))
    assert (found.kept, reads(found.invariant)) == (2, {0, 3})


def test_slots_are_left_out_one_by_one_in_the_end() -> None:
    noise = tuple((true(slot - 1) if slot > 1 else TRUE, {slot: 1}) for slot in range(1, 6))
    system = bits(8, (true(1, 2, 3, 4, 5, 6, 7), {0: 1}), (true(7), {6: 1}), (true(6), {7: 1}), *noise)
    found = answered(system, excluding(system, true(0)))
    assert (found.kept, reads(found.invariant)) == (3, {0, 6, 7})


def test_each_case_of_an_or_is_excluded_by_slots_of_its_own() -> None:
    system = bits(6, (true(1), {0: 1}), (true(3), {2: 1}), (TRUE, {4: 1}))
    found = answered(system, excluding(system, disj(conj(true(0), true(4)), conj(true(2), true(4)))))
    assert (found.kept, reads(found.invariant)) == (5, {0, 1, 2, 3})


def test_a_case_that_an_earlier_one_excludes_too_is_not_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(engine, "project", lambda system, keep: made.append(keep) or project(system, keep))
    system = bits(3, (true(1), {0: 1}), (TRUE, {2: 1}))
    both = answered(system, excluding(system, disj(conj(true(0), neg(true(1))), conj(true(0), true(1)))))
    assert (both.kept, made) == (2, [frozenset({0, 1})] * 2)


def test_a_run_is_found_in_whichever_case_there_is_one() -> None:
    system = bits(4, (true(1), {0: 1}), (TRUE, {3: 1}))
    found = answered(system, excluding(system, disj(conj(true(0), neg(true(1))), conj(true(3), neg(true(0))))))
    assert found.trace == Trace(((0, 0, 0, 0), (0, 0, 0, 1)), (1,))


# ---- giving up ------------------------------------------------------------------------------------------------------


def test_a_projection_with_too_many_states_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    system = counter(9, guarded=True, top=12)
    question = excluding(system, less(number(10), Read(0)))
    monkeypatch.setattr(engine, "STATES", 4)
    assert localise(system, question, monotonic() + 20) == Found(reason="localisation to 1 slots truncated at 4 states")
    monkeypatch.setattr(engine, "STATES", 11)
    assert answered(system, question).kept == 1


def test_without_time_nothing_is_tried() -> None:
    system = counter(3, guarded=True)
    assert localise(system, excluding(system, FALSE), 0.0).reason == "localisation timed out"


def test_a_projection_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    system = counter(3, guarded=True)
    clock = chain([0.0], repeat(7.0))
    monkeypatch.setattr(engine, "monotonic", lambda: next(clock))
    reason = localise(system, excluding(system, less(number(3), plus(Read(0), number(0)))), 5.0).reason
    assert reason == "localisation to 1 slots timed out after 0 s"


def test_when_time_runs_out_between_two_projections_neither_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    system = bits(3, (true(1), {0: 1}), (true(2), {1: 1}))
    clock = chain([0.0] * 2, repeat(7.0))
    monkeypatch.setattr(engine, "monotonic", lambda: next(clock))
    assert localise(system, excluding(system, true(0)), 5.0) == Found(reason="localisation timed out")


# ---- the set of reachable states as a formula -----------------------------------------------------------------------


def test_the_formula_of_a_set_of_states_holds_in_exactly_these() -> None:
    for seed in range(60):
        r = Random(seed)
        system = random_system(seed)
        made = project(system, frozenset(r.sample(range(len(system.slots)), r.randint(1, len(system.slots)))))
        small = everything(made.system)
        states = r.sample(small, r.choice([0, 1, len(small) // 2, len(small)]))
        formula = reachable_set(made, states)
        assert reads(formula) <= set(made.kept)
        for state in everything(system):
            assert evaluate(formula, state) == (tuple(state[slot] for slot in made.kept) in states), seed


def test_the_formula_of_all_states_is_true_and_that_of_none_is_false() -> None:
    made = project(token_ring(3), frozenset({0, 2}))
    assert reachable_set(made, list(product((0, 1), (0, 1)))) == TRUE
    assert reachable_set(made, []) == FALSE
