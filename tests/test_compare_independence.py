"""Independence: what z3 decides is what trying all states says, and the shortcut never says more."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import z3
from strategies import random_system, reachable
from systems import at, counter
from test_abstract import random_located
from test_compare_runs import telling
from traces import independent_in, valuations

from cprcheck import catalog
from cprcheck.compare import independence
from cprcheck.compare.independence import Independence
from cprcheck.domains import Bool, Range
from cprcheck.expr import TRUE, Expr, Read, conj, less, member, neg, number, plus
from cprcheck.passes.faults import with_faults
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.semantics import evaluate
from cprcheck.system import Event, Fault, Process, Slot, System, Transition

X, Y = member(0, [1], 0, 2), member(1, [1], 0, 2)


def two(guard: Expr, update: object, other: Expr, also: object, **more: object) -> System:
    """Two transitions of two processes over x, y (Bool) and n (0 to 3)."""
    steps = (Transition(0, "one", guard, update, **more), Transition(1, "two", other, also, **more))
    slots = (Slot("x", Bool), Slot("y", Bool), Slot("n", Range(0, 3)))
    return System("two", slots, ((0,), (0,), (0,)), (Process("p"), Process("q")), steps)


def pairs(system: System) -> list[tuple[int, int]]:
    steps = range(len(system.transitions))
    return [(i, j) for i in steps for j in steps if system.transitions[i].process < system.transitions[j].process]


SET_X, SET_Y = ((0, number(1)),), ((1, number(1)),)
MORE = ((2, plus(Read(2), number(1))),)
ROOM = less(Read(2), number(3))
CASES = {
    "they touch different variables": (two(TRUE, SET_X, TRUE, SET_Y), True),
    "both write the same value, so that the later one changes nothing": (two(TRUE, SET_X, TRUE, SET_X), False),
    "both flip the same value": (two(TRUE, ((0, neg(X)),), TRUE, ((0, neg(X)),)), True),
    "both write, the last one counts": (two(TRUE, SET_X, TRUE, ((0, number(0)),)), False),
    "one enables the other": (two(TRUE, SET_X, X, SET_Y), False),
    "one disables the other": (two(TRUE, SET_X, at(0, 0, Bool), SET_Y), False),
    "one reads what the other writes": (two(TRUE, SET_X, TRUE, ((1, X),)), False),
    "the order of two additions makes no difference, but for the last place": (two(ROOM, MORE, ROOM, MORE), False),
    "they are never possible together, and neither leads to the other": (two(X, MORE, at(0, 0, Bool), MORE), True),
    "a write that the other's guard excludes": (two(X, ((0, number(1)), *SET_Y), X, MORE), True),
}


@pytest.mark.parametrize("case", CASES)
def test_what_independent_means(case: str) -> None:
    system, expected = CASES[case]
    assert Independence(system)(0, 1) is Independence(system)(1, 0) is expected
    assert independent_in(system, valuations(system))(0, 1) is expected


def test_an_invariant_leaves_fewer_states_to_look_at() -> None:
    system = two(ROOM, MORE, ROOM, MORE)
    assert Independence(system, less(Read(2), number(2)))(0, 1)
    assert not Independence(system, less(Read(2), number(3)))(0, 1)


def test_steps_of_one_process_are_ordered_by_the_program() -> None:
    system = two(TRUE, SET_X, TRUE, SET_Y)
    steps = tuple(replace(t, process=0) for t in system.transitions)
    independent = Independence(replace(system, transitions=steps))
    assert (independent(0, 1), independent.asked) == (False, 0)


def test_events_make_no_step_depend_on_another_but_counted_faults_do() -> None:
    assert Independence(two(TRUE, SET_X, TRUE, SET_Y, events=(Event("e"),)))(0, 1)
    failing = two(TRUE, SET_X, TRUE, SET_Y, faults=(Fault("f"),))
    answers = [Independence(with_faults(failing, budget, injected=False))(0, 1) for budget in (None, 1, 2)]
    assert answers == [True, False, False]


def test_a_value_that_leaves_its_domain_is_no_step() -> None:
    system = counter(3, guarded=False)
    both = replace(system, processes=system.processes * 2, transitions=(*system.transitions, *system.transitions))
    both = replace(both, transitions=tuple(replace(t, process=i) for i, t in enumerate(both.transitions)))
    guarded = with_domain_obligations(both)
    assert Independence(both)(0, 1) is Independence(guarded)(0, 1) is False
    assert independent_in(guarded, valuations(guarded))(0, 1) is False


SEEDS = [range(8), pytest.param(range(8, 60), marks=pytest.mark.slow)]


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("make", [random_system, random_located])
def test_z3_agrees_with_trying_every_state(make: object, seeds: range) -> None:
    answers: Counter[tuple[bool, bool]] = Counter()
    for seed in seeds:
        system = with_domain_obligations(telling(make(seed), seed))
        independent, tried = Independence(system), independent_in(system, valuations(system))
        for pair in pairs(system):
            said = independent(*pair)
            assert said is tried(*pair), (seed, pair)
            short = independent.apart(*pair)
            assert independent.proved(*pair) or not short
            answers[said, short] += 1
    assert min(answers[True, True], answers[True, False], answers[False, False]) >= len(seeds)


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("make", [random_system, random_located])
def test_with_an_invariant_it_is_independence_in_the_states_that_satisfy_it(make: object, seeds: range) -> None:
    more = 0
    for seed in seeds:
        system = with_domain_obligations(telling(make(seed), seed))
        independent = independence.of(system)
        allowed = [state for state in valuations(system) if evaluate(independent.invariant, state)]
        seen = reachable(system)
        assert seen.keys() <= set(allowed)
        tried, in_reachable, anywhere = (
            independent_in(system, states) for states in (allowed, seen, valuations(system))
        )
        for pair in pairs(system):
            assert independent(*pair) is tried(*pair)
            assert in_reachable(*pair) or not independent(*pair)
            more += independent(*pair) and not anywhere(*pair)
    assert more >= len(seeds) / 4


def test_a_shipped_design_has_both_and_z3_is_asked_about_few() -> None:
    model = catalog.bind(catalog.find("v7"), {"env": "cont"})
    system = with_faults(model.system, None, injected=False)
    independent = independence.of(system)
    tried = independent_in(system, reachable(system))
    assert all(tried(*pair) for pair in pairs(system)[::20] if independent(*pair))
    assert independent.asked < len(independent.decided) / 2
    assert independent.undecided == 0


def test_what_z3_does_not_decide_is_dependent_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    system = two(TRUE, ((0, neg(X)),), TRUE, ((0, neg(X)),))
    independent = Independence(system)
    monkeypatch.setattr(type(independent.solver), "check", lambda *_: z3.unknown)
    assert (independent(0, 1), independent(1, 0), independent.undecided) == (False, False, 1)


def test_the_certified_invariant_is_conjoined() -> None:
    system = two(conj(X, ROOM), MORE, ROOM, MORE)
    assert not Independence(system)(0, 1)
    assert independence.of(system)(0, 1)
