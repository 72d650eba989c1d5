"""Really different runs: against all runs, listed one by one and grouped by exchanging neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from math import factorial

import networkx as nx
import pytest
from strategies import random_system, reachable
from systems import at, digraph
from test_compare_runs import LARGE, ended, listed, telling
from traces import independent_in, random_threads, rearranged, valuations, walked

from cprcheck import catalog
from cprcheck.compare import classes, independence, runs
from cprcheck.compare.classes import different, happens_before, normal_form
from cprcheck.compare.runs import Options, interleavings
from cprcheck.domains import Bool, Range
from cprcheck.engines.explicit import search
from cprcheck.engines.graph import build
from cprcheck.errors import DisagreementError
from cprcheck.expr import TRUE, Read, conj, ite, less, number, plus
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.semantics import evaluate
from cprcheck.system import Fairness, Outcome, Process, Slot, System, Transition
from cprcheck.trace import Trace

MAKERS = [random_system, random_threads]
RUNS, ORDERS = 600, 3_000
"""So many runs, and so many orders of one, are not grouped one by one."""


def random(make: Callable[[int], System], seed: int) -> System:
    """A random system with outcomes; each transition of threads, of which there are many runs, once."""
    system = telling(make(seed), seed)
    kept = len(system.transitions) // (2 if make is random_threads else 1)
    return with_domain_obligations(replace(system, transitions=system.transitions[:kept]))


def grouped(every: list[Trace], independent: classes.Independent) -> list[list[Trace]] | None:
    """The runs, those together of which one becomes the other by exchanging neighbours; None when that is too much."""
    groups: dict[object, list[Trace]] = {}
    known: dict[tuple[object, tuple[int, ...]], object] = {}
    for run in every:
        key = run.states[0], run.steps
        if key not in known:
            orders = rearranged(run.steps, independent, ORDERS)
            if orders is None:
                return None
            for order in orders:
                known[key[0], tuple(run.steps[place] for place in order)] = key
        groups.setdefault(known[key], []).append(run)
    return list(groups.values())


def agrees(system: System) -> tuple[int, int] | None:
    """How many runs there are and how many are really different, the same counted and listed; None: too many."""
    states = build(search(system))
    if max(map(len, nx.strongly_connected_components(states.graph)), default=0) > LARGE:
        return None
    every = list(islice(listed(system), RUNS))
    independent = independence.of(system)
    allowed = (state for state in valuations(system) if evaluate(independent.invariant, state))
    groups = None if len(every) == RUNS else grouped(every, independent_in(system, allowed))
    if groups is None:
        return None
    found = different(states, independent, show=RUNS)
    assert found.many == Counter(ended(system, group[0]) for group in groups)
    assert found.stopped == ""
    for group in groups:
        assert len({ended(system, run) for run in group}) == 1
        assert len({run.states[-1] for run in group}) == 1
        (shown,) = [run for _, run in found.first[ended(system, group[0])] if run in group]
        assert normal_form(shown.steps, independent) == normal_form(group[-1].steps, independent)
    for first in found.first.values():
        lengths = [(len(run), sum(len(system.transitions[step].faults) for step in run.steps)) for _, run in first]
        assert lengths == sorted(lengths)
    assert sum(different(states, independent_in(system, reachable(system))).many.values()) <= len(groups)
    return len(every), len(groups)


@pytest.mark.parametrize("seeds", [range(16), pytest.param(range(16, 150), marks=pytest.mark.slow)])
@pytest.mark.parametrize("make", MAKERS)
def test_as_many_are_really_different_as_exchanging_neighbours_leaves_apart(
    make: Callable[[int], System], seeds: range
) -> None:
    looked = [agrees(random(make, seed)) for seed in seeds]
    counts = [counts for counts in looked if counts is not None]
    assert len(counts) >= len(seeds) / 2
    least = len(seeds) / (2 if make is random_threads else 20)
    assert sum(many > few for many, few in counts) >= least
    assert sum(many > few > 1 for many, few in counts) >= least / 2


@pytest.mark.parametrize("make", MAKERS)
def test_another_order_of_a_run_ends_in_the_same_state(make: Callable[[int], System]) -> None:
    swapped = 0
    for seed in range(12):
        system = random(make, seed)
        independent = independence.of(system)
        for run in islice(listed(system), 20):
            for order in rearranged(run.steps, independent, 300) or ():
                steps = [run.steps[place] for place in order]
                assert walked(system, run.states[0], steps) == run.states[-1]
                assert normal_form(steps, independent) == normal_form(run.steps, independent)
                swapped += steps != list(run.steps)
    assert swapped >= 50


@pytest.mark.parametrize("make", MAKERS)
def test_what_happens_before_what_is_what_every_order_has_in_common(make: Callable[[int], System]) -> None:
    looked = 0
    for seed in range(12):
        system = random(make, seed)
        independent = independence.of(system)
        for run in islice(listed(system), 10):
            orders = rearranged(run.steps, independent, 300)
            if orders is not None:
                before = happens_before(run.steps, independent)
                arrows = nx.DiGraph((one - 1, at) for at, steps in enumerate(before) for one in steps)
                arrows.add_nodes_from(range(len(run)))
                always = {
                    (one, two)
                    for one in range(len(run))
                    for two in range(len(run))
                    if one != two and all(order.index(one) < order.index(two) for order in orders)
                }
                assert set(nx.transitive_closure(arrows).edges) == always
                assert set(nx.transitive_reduction(arrows).edges) == set(arrows.edges)
                looked += len(orders) > 1
    assert looked >= 10


# ---- known numbers --------------------------------------------------------------------------------------------------

ENDED = Outcome("end", "here", TRUE)


def workers(count: int, length: int, *, shared: bool = False) -> System:
    """So many processes that each count to `length`; with `shared` they add to a sum as well."""
    top = count * length
    slots = (*(Slot(f"n{i}", Range(0, length)) for i in range(count)), Slot("sum", Range(0, top)))
    more = ((count, plus(Read(count), number(1))),) if shared else ()
    steps = tuple(
        Transition(i, f"to {n + 1}", at(i, n, slots[i].domain), ((i, number(n + 1)), *more))
        for i in range(count)
        for n in range(length)
    )
    processes = tuple(Process(f"p{i}", Fairness.WEAK) for i in range(count))
    return System("workers", slots, ((0,),) * (count + 1), processes, steps, outcomes=(ENDED,))


def told(system: System, **options: object) -> tuple[int, int | None]:
    found = interleavings(system, Options(**options))
    assert found.different == sum(ending.different or 0 for ending in found.endings)
    return found.runs, found.different


def test_independent_workers_have_one_run_and_its_orders() -> None:
    assert told(workers(2, 3)) == (20, 1)
    assert told(workers(4, 2)) == (factorial(8) // 2**4, 1)
    runs_ = factorial(30) // factorial(10) ** 3
    assert told(workers(3, 10)) == (runs_, 1)


def test_additions_commute_and_of_assignments_the_last_one_counts() -> None:
    more = ite(less(Read(2), number(2)), plus(Read(2), number(1)), number(2))
    for values, expected in (((more, more), 1), ((number(0), number(1)), 2), ((more, number(1)), 2)):
        free = workers(2, 1)
        steps = [replace(t, update=(*t.update, (2, v))) for t, v in zip(free.transitions, values, strict=True)]
        assert told(replace(free, transitions=tuple(steps))) == (2, expected)


def test_only_what_the_invariant_excludes_is_left_out() -> None:
    # There is always room for both additions, but that takes to know how the sum goes with the counters.
    assert told(with_domain_obligations(workers(2, 1, shared=True))) == (2, 2)


def test_runs_are_the_same_but_for_the_order_though_a_sequence_in_between_comes_back() -> None:
    # x goes up and down when it likes to; y goes up, and then nobody has to move.  Of x y x', which is a run, the
    # orders y x x' and x x' y come back to a state; x y and y x are one.
    up = [Transition(0, "x", at(0, 0, Bool), ((0, number(1)),)), Transition(0, "x'", at(0, 1, Bool), ((0, number(0)),))]
    steps = (*up, Transition(1, "y", at(1, 0, Bool), ((1, number(1)),)))
    processes = Process("p", Fairness.NONE), Process("q", Fairness.WEAK)
    slots = Slot("x", Bool), Slot("y", Bool)
    system = System("toggle", slots, ((0,), (0,)), processes, steps, outcomes=(ENDED,))
    assert sorted(run.steps for run in listed(system)) == [(0, 2), (0, 2, 1), (2,), (2, 0)]
    assert told(system, show=9) == (4, 3)
    (ending,) = interleavings(system, Options(show=9)).endings
    assert [run.steps for run in ending.shown] == [(2,), (0, 2), (0, 2, 1)]


def test_each_initial_state_and_each_way_through_a_loop_is_a_run_of_its_own() -> None:
    assert told(replace(digraph([0, 1], [2, 1]), outcomes=(ENDED,))) == (2, 2)
    clique = digraph(*([a, b] for a in range(5) for b in range(5) if a != b), *([node, 5] for node in range(5)))
    clique = replace(clique, init=((0,),), outcomes=(ENDED,))
    assert told(clique) == (65, 65)


# ---- what is kept, and limits ---------------------------------------------------------------------------------------


def test_the_shown_runs_are_really_different_and_the_first_is_the_shortest() -> None:
    model = catalog.bind(catalog.find("v7"), {"topology": "p", "env": "cont"})
    found = interleavings(model, Options(show=1_000, happens_before=True, native=False))
    independent = independence.of(found.system)
    for ending in found.endings:
        forms = {normal_form(run.steps, independent) for run in ending.shown}
        assert len(forms) == len(ending.shown) == ending.different <= ending.runs
        lengths = [len(run) for run in ending.shown]
        assert lengths == sorted(lengths)
        assert [len(before) for before in ending.before] == lengths
    few = interleavings(model, Options(show=2, native=False))
    assert [ending.shown for ending in few.endings] == [ending.shown[:2] for ending in found.endings]
    assert few.endings[0].before == ()


def test_without_the_question_nothing_is_counted() -> None:
    found = interleavings(workers(2, 2), Options(different=0))
    assert (found.runs, found.different, found.merged, found.endings[0].different) == (6, None, "", None)


def test_at_a_limit_the_number_is_a_lower_bound() -> None:
    clique = digraph(*([a, b] for a in range(5) for b in range(5) if a != b), *([node, 5] for node in range(5)))
    clique = replace(clique, init=((0,),), outcomes=(ENDED,))
    states, independent = build(search(clique)), independence.of(clique)
    exact = different(states, independent)
    needed = next(n for n in range(1, 500) if not different(states, independent, n).stopped)
    assert different(states, independent, needed) == exact
    for limit in (1, 20, needed - 1):
        found = interleavings(clique, Options(different=limit))
        assert (found.runs, found.stopped) == (65, "")
        assert found.merged == f"it takes more than {limit} steps to tell them apart"
        assert 0 < (found.different or 0) < 65


def test_when_runs_are_missing_the_really_different_ones_still_count() -> None:
    clique = digraph(*([a, b] for a in range(5) for b in range(5) if a != b), *([node, 5 + node] for node in range(5)))
    ends = tuple(Outcome("at", str(node), at(0, 5 + node, clique.slots[0].domain)) for node in range(5))
    clique = replace(clique, init=((0,),), outcomes=ends)
    found = interleavings(clique, Options(limit=2))
    assert found.stopped == "it takes more than 2 steps to walk the loops"
    assert (found.runs, found.different, found.merged) == (65, 65, "")
    assert {dict(ending.aspects)["at"] for ending in found.endings} == set("01234")


# ---- disagreement ---------------------------------------------------------------------------------------------------


def test_z3_calling_too_much_independent_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    system = workers(2, 1)
    late = tuple(replace(t, update=((2, number(i)), *t.update)[::-1]) for i, t in enumerate(system.transitions))
    system = replace(system, transitions=late)
    assert told(system) == (2, 2)
    monkeypatch.setattr(independence.Independence, "decide", lambda *_: True)
    with pytest.raises(DisagreementError, match=r"^steps that z3 calls independent lead to different states$"):
        interleavings(system)


@pytest.mark.parametrize(
    ("many", "message"),
    [
        ({(("end", "there"),): 1}, "the runs and the really different ones have different outcomes"),
        ({}, "the runs and the really different ones have different outcomes"),
        ({(("end", "here"),): 3}, "more runs are really different than there are runs"),
    ],
)
def test_counts_that_contradict_each_other_are_noticed(
    many: dict[object, int], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs.classes, "different", lambda *_: classes.Different(many))
    with pytest.raises(DisagreementError) as caught:
        interleavings(workers(2, 1))
    assert str(caught.value) == message


def test_undecided_pairs_leave_the_number_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(self: independence.Independence, *_: int) -> bool:
        self.undecided += 1
        return False

    monkeypatch.setattr(independence.Independence, "decide", gives_up)
    found = interleavings(workers(2, 1), Options(show=2, happens_before=True))
    assert (found.runs, found.different) == (2, None)
    assert found.merged == "z3 did not decide about 1 pair of steps whether they are independent"
    assert (found.endings[0].others, found.endings[0].before) == ((), ())


def test_a_conjunction_of_guards_is_not_needed_to_be_ordered() -> None:
    system = workers(2, 2)
    waits = replace(system.transitions[3], guard=conj(system.transitions[3].guard, at(0, 2, Range(0, 2))))
    system = replace(system, transitions=(*system.transitions[:3], waits))
    assert told(system) == (3, 1)
    (ending,) = interleavings(system, Options(happens_before=True)).endings
    by_label = [f"p{system.transitions[s].process} {system.transitions[s].label}" for s in ending.trace.steps]
    last = by_label.index("p1 to 2")
    wanted = {"p0 to 2", "p1 to 1"}
    assert {by_label[step - 1] for step in ending.before[0][last]} == wanted
