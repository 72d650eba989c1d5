"""Races: against the definition, tried on every state with everything that can follow, and by hand."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from functools import cache

import pytest
from strategies import random_system
from systems import at, digraph, never, nodes
from test_compare_classes import random
from test_compare_runs import at_rest
from traces import random_threads

from cprcheck import catalog, replay
from cprcheck.compare import independence
from cprcheck.compare.ending import Race
from cprcheck.compare.races import named, races
from cprcheck.compare.runs import Options, interleavings
from cprcheck.compare.telling import aspects, told_by
from cprcheck.domains import Bool, Range
from cprcheck.engines.explicit import search
from cprcheck.engines.graph import build
from cprcheck.errors import UsageError
from cprcheck.expr import TRUE, Expr, Read, number, plus
from cprcheck.passes.safety import goal
from cprcheck.semantics import evaluate, initial_states, successors
from cprcheck.system import (
    Collected,
    Event,
    Fairness,
    Kind,
    Outcome,
    Process,
    Property,
    Slot,
    State,
    System,
    Transition,
)  # fmt: skip
from cprcheck.trace import Trace

Memory = Callable[[Hashable, State, int, State], Hashable]
Said = Callable[[State, Hashable], object]


class Naive:
    """The definition: places are states with a memory, and all that can follow is looked at for each of them."""

    def __init__(self, system: System, first: Callable[[State], Hashable], memory: Memory, said: Said) -> None:
        self.system, self.memory, self.said = system, memory, said
        self.steps, self.possible = cache(self.steps_from), cache(self.possible_from)
        self.depth = {(state, first(state)): 0 for state in initial_states(system)}
        queue = list(self.depth)
        for place in queue:
            for _, to in self.steps(place):
                if to not in self.depth:
                    self.depth[to] = self.depth[place] + 1
                    queue.append(to)

    def steps_from(self, place: tuple[State, Hashable]) -> list[tuple[int, tuple[State, Hashable]]]:
        state, known = place
        return [
            (step, (after, self.memory(known, state, step, after)))
            for step, after in successors(self.system, state)
            if after != state
        ]

    def possible_from(self, place: tuple[State, Hashable]) -> frozenset[object]:
        """What can come of `place`."""
        seen, queue = {place}, [place]
        for at_ in queue:
            fresh = [to for _, to in self.steps(at_) if to not in seen]
            seen.update(fresh)
            queue += fresh
        return frozenset(self.said(*at_) for at_ in seen) - {None}

    def races(self) -> dict[frozenset[tuple[int, str]], tuple[int, int]]:
        """Pairs of labels, with the number of states in which they race, and the least depth of one."""
        met: dict[frozenset[tuple[int, str]], dict[State, int]] = {}
        for place, depth in self.depth.items():
            out = dict(self.steps(place))
            for one in out:
                for two in out:
                    a, b = self.system.transitions[one], self.system.transitions[two]
                    if a.process < b.process:
                        ends = [dict(self.steps(out[x])).get(y, out[x]) for x, y in ((one, two), (two, one))]
                        if self.possible(ends[0]) != self.possible(ends[1]):
                            pair = met.setdefault(frozenset(((a.process, a.label), (b.process, b.label))), {})
                            pair[place[0]] = min(depth, pair.get(place[0], depth))
        return {pair: (len(states), min(states.values())) for pair, states in met.items()}


def by_outcome(system: System) -> Naive:
    def said(state: State, told: Hashable) -> object:
        return aspects(system, state, told) if at_rest(system, state) else None

    return Naive(system, lambda _: frozenset(), lambda told, _, step, __: told | told_by(system, step), said)


def by_property(system: System, prop: Property) -> Naive:
    question = goal(system, prop)

    def bad(state: State) -> bool:
        return not question.steps and bool(evaluate(question.bad, state))

    def memory(known: Hashable, state: State, step: int, after: State) -> bool:
        taken = dict(question.steps).get(step)
        return bool(known) or bad(after) or (taken is not None and bool(evaluate(taken, state)))

    return Naive(system, bad, memory, lambda state, known: known or (False if at_rest(system, state) else None))


def pairs(system: System, found: tuple[Race, ...]) -> dict[frozenset[tuple[int, str]], tuple[int, int]]:
    met = {}
    for race in found:
        steps = [system.transitions[step] for step in race.steps]
        depth = {len(order.way) - order.taken for order in (race.one, race.other)}
        met[frozenset((t.process, t.label) for t in steps)] = (race.states, *depth)
    return met


@pytest.mark.parametrize("seeds", [range(10), pytest.param(range(10, 150), marks=pytest.mark.slow)])
@pytest.mark.parametrize("make", [random_system, random_threads])
def test_the_races_are_those_of_the_definition(make: Callable[[int], System], seeds: range) -> None:
    many = 0
    for seed in seeds:
        system = random(make, seed)
        independent = independence.of(system)
        found = races(build(search(system)))
        naive = by_outcome(system)
        assert pairs(system, found) == naive.races()
        many += len(found)
        for race in found:
            assert not independent(*race.steps)
            assert race.one.way.states[: -race.one.taken] == race.other.way.states[: -race.other.taken]
            assert race.one.outcomes != race.other.outcomes
            for order in (race.one, race.other):
                replay.walk(system, order.way)
                told = frozenset().union(*(told_by(system, step) for step in order.way.steps))
                assert set(order.outcomes) == naive.possible((order.way.states[-1], told))
    assert many >= len(seeds) / 6


@pytest.mark.parametrize("name", ["claim", "seen", "quiet", "moves", "steps"])
def test_the_races_about_a_property_are_those_of_the_definition(name: str) -> None:
    many = 0
    for seed in range(15):
        system = random_system(seed)
        (prop,) = named(system, name)
        found = races(build(search(system)), name)
        assert pairs(system, found) == by_property(system, prop).races()
        many += len(found)
        yes = goal(system, prop).found.value.lower()
        told = {outcome for race in found for order in (race.one, race.other) for outcome in order.outcomes}
        assert told <= {((name, yes),), ((name, f"not {yes}"),)}
    assert many >= 2


# ---- by hand --------------------------------------------------------------------------------------------------------


def two(one: Expr, other: Expr, guard: Expr = TRUE, **more: object) -> System:
    """Two processes that each once put a value into n; the second only where `guard` holds."""
    slots = (Slot("n", Range(0, 3)), Slot("a", Bool), Slot("b", Bool))
    steps = (
        Transition(0, "one", at(1, 0, Bool), ((0, one), (1, number(1)))),
        Transition(1, "two", at(2, 0, Bool) if guard == TRUE else guard, ((0, other), (2, number(1)))),
    )
    processes = (Process("p", Fairness.WEAK), Process("q", Fairness.WEAK))
    ends = tuple(Outcome("n", str(value), at(0, value, slots[0].domain)) for value in range(4))
    return replace(System("two", slots, ((0,), (0,), (0,)), processes, steps, outcomes=ends), **more)


def found(system: System, judged: str = "") -> list[tuple[object, ...]]:
    """Each race: how many steps are taken in either order, and what can come of it."""
    met = interleavings(system, Options(races=True, judged=judged)).races
    assert met is not None
    return [
        (order.taken, [said for outcome in order.outcomes for _, said in outcome])
        for race in met
        for order in (race.one, race.other)
    ]


def test_the_last_of_two_assignments_counts() -> None:
    assert found(two(number(1), number(2))) == [(2, ["2"]), (2, ["1"])]


def test_dependent_steps_do_not_race_when_the_outcome_is_the_same() -> None:
    assert found(two(number(1), number(1))) == []
    blind = two(number(1), number(2), outcomes=(Outcome("end", "here", TRUE),))
    assert not independence.of(blind)(0, 1)
    assert found(blind) == []
    assert found(two(plus(Read(0), number(1)), plus(Read(0), number(1)))) == []


ZERO = at(0, 0, Range(0, 3))


def exclusive() -> System:
    """Two processes of which only the first can put its value into n."""
    system = two(number(1), number(2), ZERO)
    return replace(system, transitions=(replace(system.transitions[0], guard=ZERO), system.transitions[1]))


def test_a_step_that_the_other_disables_races_with_it_where_that_decides() -> None:
    assert found(exclusive()) == [(1, ["1"]), (1, ["2"])]
    assert found(two(number(1), number(2), ZERO)) == []  # the first puts 1 there in the end, whatever was there


def test_what_events_tell_decides_too() -> None:
    system = two(number(1), number(1), ZERO)
    told = replace(system.transitions[1], events=(Event("seen", (("by", "q"),)),))
    system = replace(
        system, transitions=(system.transitions[0], told), outcomes=(), collected=(Collected("by", "seen", "by"),)
    )
    assert found(system) == [(1, ["nobody"]), (2, ["q"])]


def test_choices_of_one_process_are_no_race() -> None:
    system = replace(digraph([0, 1], [0, 2]), outcomes=(Outcome("end", "1", at(0, 1, Range(0, 2))),))
    assert found(system) == []


def test_an_order_after_which_nobody_comes_to_rest_is_a_race() -> None:
    system = digraph([0, 1], [0, 2, 3, 2])
    steps = tuple(replace(t, process=int(t.label == "0->2")) for t in system.transitions)
    processes = (*system.processes, Process("other", Fairness.WEAK))
    system = replace(system, transitions=steps, processes=processes, outcomes=(Outcome("end", "here", TRUE),))
    assert found(system) == [(1, ["here"]), (1, [])]


def test_a_property_is_decided_on_the_way_not_at_the_end() -> None:
    either = two(number(1), number(2))
    assert found(either.with_properties((never(either, 1),)), "never") == []  # 1 comes first or last, but it comes
    system = exclusive()
    assert found(system.with_properties((never(system, 1),)), "never") == [(1, ["violated"]), (1, ["not violated"])]


def family(system: System, *values: int) -> System:
    """With a property `never(n=…)` for each of the values of n."""
    props = (replace(never(system, n), name=f"never(n={n})", family="never") for n in values)
    return system.with_properties(tuple(props))


def test_of_a_family_any_property_decides() -> None:
    system = exclusive()
    assert found(family(system, 1, 3), "never") == [(1, ["violated"]), (1, ["not violated"])]
    assert found(family(system, 1, 2), "never") == []  # either order violates one of the two
    assert found(family(system, 1, 2), "never(n=2)") == [(1, ["not violated"]), (1, ["violated"])]


REFUSED = {
    "sometimes": "no property 'sometimes'; there is never",
    "later": "later (leads-to) is about all that can follow, also for ever, and no state or step of a run decides it; "
    "name a property of states or steps",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_property_that_no_run_decides_is_refused(name: str) -> None:
    system = two(number(1), number(2))
    later = Property("later", Kind.LEADS_TO, (nodes(system, 0), nodes(system, 1)))
    system = system.with_properties((never(system, 1), later))
    with pytest.raises(UsageError) as caught:
        interleavings(system, Options(races=True, judged=name))
    assert str(caught.value) == REFUSED[name]


def test_a_cont_that_is_typed_in_time_races_with_the_exec() -> None:
    model = catalog.bind(catalog.find("v7"), {"topology": "p", "env": "cont"})
    seen: list[Trace] = []
    result = interleavings(model, Options(races=True, judged="runs_only_with_valid_vaddrs", native=False))
    for race in result.races or ():
        seen += race.ways
    labels = [{result.system.transitions[step].label for step in race.steps} for race in result.races or ()]
    assert {"cpr-exec, attempt 1", "execute a command"} in labels
    assert all(trace.states[0] == seen[0].states[0] for trace in seen)


def test_races_are_not_looked_for_unless_asked() -> None:
    assert interleavings(two(number(1), number(2))).races is None
