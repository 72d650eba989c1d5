"""Counting runs: against networkx, which lists them, on random systems, on loops and on a shipped design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from random import Random

import networkx as nx
import pytest
from authors import process, written
from strategies import random_system, reachable
from systems import at, digraph, nodes
from test_abstract import random_located

from cprcheck import Model, catalog, checking
from cprcheck.compare import runs
from cprcheck.compare.ending import Ending, Interleavings
from cprcheck.compare.runs import Options, confirm, count, interleavings
from cprcheck.engines.explicit import search
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.expr import FALSE, TRUE
from cprcheck.semantics import initial_states, outcome, successors
from cprcheck.system import Collected, Event, Fairness, Kind, Outcome, Property, State, System
from cprcheck.trace import Trace

TOO_MANY, LARGE = 3_000, 7
"""So many runs, and loops of so many states, are not listed one by one."""


# ---- networkx lists the runs --------------------------------------------------------------------------------------


def at_rest(system: System, state: State) -> bool:
    """The definition, word by word."""
    for step, after in successors(system, state):
        transition = system.transitions[step]
        mover = system.processes[transition.process]
        if after != state and mover.fairness is not Fairness.NONE and not transition.faults:
            return False
    return True


def changes(system: System) -> nx.MultiDiGraph[State]:
    """The reachable states, and the steps that change something."""
    graph: nx.MultiDiGraph[State] = nx.MultiDiGraph()
    for state in reachable(system):
        graph.add_node(state)
        graph.add_edges_from((state, after, step) for step, after in successors(system, state) if after != state)
    return graph


def listed(system: System) -> Iterator[Trace]:
    """Every run, one by one."""
    graph = changes(system)
    resting = {state for state in graph if at_rest(system, state)}
    for first in set(initial_states(system)):
        if first in resting:
            yield Trace((first,))
        for path in nx.all_simple_edge_paths(graph, first, resting - {first}):
            yield Trace((first, *(after for _, after, _ in path)), tuple(step for _, _, step in path))


def endless(system: System) -> int:
    """How many states have no way to rest."""
    graph = changes(system)
    return sum(not any(at_rest(system, end) for end in {state, *nx.descendants(graph, state)}) for state in graph)


def ended(system: System, run: Trace) -> tuple[tuple[str, str], ...]:
    told = []
    for collected in system.collected:
        events = [event for step in run.steps for event in system.transitions[step].events]
        values = {dict(event.args)[collected.argument] for event in events if event.name == collected.event}
        told.append((collected.aspect, ", ".join(sorted(values)) or "nobody"))
    return (*outcome(system, run.states[-1]).items(), *told)


def length(system: System, run: Trace) -> tuple[int, int]:
    """What a representative has least of: steps, then faults."""
    return len(run), sum(len(system.transitions[step].faults) for step in run.steps)


def agrees(system: System, limit: int = TOO_MANY) -> Interleavings | None:
    """The count, equal to what is listed; None when that is too much."""
    every = list(islice(listed(system), limit))
    if len(every) == limit:
        return None
    found = count(search(system))
    assert (found.runs, found.endless, found.stopped) == (len(every), endless(system), "")
    exact = {ending.aspects: ending.runs for ending in found.endings}
    assert exact == Counter(ended(system, run) for run in every)
    for limit in (1, 4, 20):
        for ending in count(search(system), limit).endings:
            confirm(system, ending)
            assert 0 < ending.runs <= exact[ending.aspects]
    for ending in found.endings:
        confirm(system, ending)
        shortest = min(length(system, run) for run in every if ended(system, run) == ending.aspects)
        assert length(system, ending.trace) == shortest
    return found


def telling(system: System, seed: int) -> System:
    """`system` with two outcomes about its first slots, some events with an argument, and twice as many steps."""
    r = Random(seed)
    domains = [slot.domain for slot in system.slots]
    outcomes = tuple(
        Outcome(f"slot {slot}", "low", at(slot, domains[slot].low, domains[slot])) for slot in (0, len(domains) - 1)
    )
    steps = [
        replace(t, events=(Event("seen", (("by", r.choice("ab")), ("at", "1"))),) if r.random() < 0.4 else ())
        for t in (*system.transitions, *system.transitions)
    ]
    told = (Collected("seen by", "seen", "by"), Collected("seen at", "seen", "at"))
    return replace(system, transitions=tuple(steps), outcomes=outcomes, collected=told, properties=())


@pytest.mark.slow
@pytest.mark.parametrize("make", [random_system, random_located])
def test_as_many_runs_are_counted_as_networkx_lists(make: object) -> None:
    looked = []
    for seed in range(90):
        system = telling(make(seed), seed)
        graph = runs.graph.build(search(system)).graph
        loop = max(map(len, nx.strongly_connected_components(graph)), default=0)
        if loop <= LARGE and agrees(system) is not None:
            looked.append(loop)
    assert len(looked) >= 60
    assert sum(loop > 1 for loop in looked) >= 15


def v7(**options: str) -> Model:
    """A shipped design with outcomes on top."""
    model = catalog.bind(catalog.find("v7"), {"kernel": "E1", "env": "cont", **options})
    vcpus = model.declarations.names["vcpus"].domain

    @model.outcome("guest", "runs")
    def runs_(s):
        return s.vcpus == vcpus.values[0]

    model.outcome_of_events("restored", event="MAP(V)", argument="container")
    return model


# Without a fault, 47 more paths end where nobody but an idle process can move.  They are no runs: in 35 of them an exec
# was requested and has not been performed, in 12 a command was typed and has not been executed.
@pytest.mark.parametrize("faults", [0, 1, None])
def test_the_runs_of_a_shipped_design_are_those_that_networkx_lists(faults: int | None) -> None:
    model = v7()
    found = interleavings(model, Options(faults=faults, different=0))
    expected = agrees(found.system, 10_000)
    assert expected is not None
    assert found == expected
    assert found.runs == {0: 383, 1: 701, None: 701}[faults]


# ---- what a run is --------------------------------------------------------------------------------------------------

ENDED = Outcome("end", "here", TRUE)


def told(system: System) -> list[int]:
    """How many runs there are, and the lengths of the shortest of each outcome."""
    made = count(search(replace(system, outcomes=system.outcomes or (ENDED,))))
    return [made.runs, *(len(ending.trace) for ending in made.endings)]


def test_runs_that_meet_are_told_apart_by_their_steps() -> None:
    assert told(digraph([0, 1, 3], [0, 2, 3])) == [2, 2]
    diamonds = digraph([0, 1, 3, 4, 6], [0, 2, 3, 5, 6])
    assert told(diamonds) == [4, 4]
    assert told(replace(diamonds, transitions=diamonds.transitions * 3)) == [3**4 * 4, 4]


def test_a_run_comes_to_no_state_twice_and_steps_that_change_nothing_are_left_out() -> None:
    assert told(digraph([0, 1, 0, 2])) == [1, 1]
    assert told(digraph([0, 1, 2, 0, 3], [0, 2, 1, 3])) == [3, 1]
    assert told(digraph([0, 1, 1, 2, 2])) == [1, 2]


def test_a_run_ends_where_nobody_has_to_move_and_may_go_on() -> None:
    assert told(digraph([0, 1, 2])) == [1, 2]
    assert told(digraph([0, 1, 2], fair=False)) == [3, 0]
    assert told(digraph([0, 1, 2], faults=[(1, 2)])) == [2, 1]


def test_a_process_that_idles_moves_when_it_can() -> None:
    body = (
        process('yield "go"\ns.n = 1\nyield idle("wait")\ns.n = 2\n')
        + '@m.outcome("all", "x")\ndef o(s): return True\n'
    )
    assert told(written(body).system) == [1, 2]
    assert told(written(body.replace("s.n = 2", "s.require(s.n == 0)")).system) == [1, 1]


def test_each_initial_state_begins_a_run_also_when_others_lead_to_it() -> None:
    assert told(digraph([0, 1], [1])) == [2, 0]
    assert told(digraph([2], [3])) == [2, 0]


def test_of_the_shortest_runs_the_one_with_fewest_faults_is_shown() -> None:
    both = digraph([0, 1, 3], [0, 2, 3], faults=[(0, 1)])
    (ending,) = count(search(replace(both, outcomes=(ENDED,)))).endings
    assert (ending.runs, ending.trace.states, ending.faults(both)) == (2, ((0,), (2,), (3,)), ())
    alone = replace(both, outcomes=(Outcome("end", "there", nodes(both, 3)),), transitions=both.transitions[:2])
    there, otherwise = sorted(count(search(alone)).endings, key=lambda ending: -len(ending.trace))
    assert ([fault.label for fault in there.faults(alone)], otherwise.faults(alone)) == (["0->1"], ())


def test_most_runs_come_first_and_what_events_tell_is_sorted() -> None:
    system = digraph([0, 1, 2], [0, 3, 2], [0, 4])
    steps = list(system.transitions)
    steps[0] = replace(steps[0], events=(Event("MAP", (("by", "us"),)), Event("MAP", (("by", "them"),))))
    ends = Outcome("where", "at two", nodes(system, 2))
    system = replace(system, transitions=tuple(steps), outcomes=(ends,), collected=(Collected("by", "MAP", "by"),))
    found = count(search(system))
    assert [(dict(ending.aspects), ending.runs) for ending in found.endings] == [
        ({"where": "otherwise", "by": "nobody"}, 1),
        ({"where": "at two", "by": "them, us"}, 1),
        ({"where": "at two", "by": "nobody"}, 1),
    ]
    more = count(search(replace(system, transitions=(*steps, steps[2], steps[2]))))
    assert [ending.runs for ending in more.endings] == [3, 1, 1]


def test_states_from_which_no_run_comes_to_rest_are_counted() -> None:
    assert count(search(digraph([0, 1, 2], [0, 3, 4, 3], [4, 5, 3]))).endless == 3
    assert count(search(digraph([0, 1, 2, 0]))) == Interleavings(
        digraph([0, 1, 2, 0]), search(digraph([0, 1, 2, 0])).size, endless=3
    )


# ---- limits ---------------------------------------------------------------------------------------------------------


def clique(size: int) -> System:
    """All nodes lead to each other, and each to a rest of its own."""
    pairs = [[a, b] for a in range(size) for b in range(size) if a != b]
    system = digraph(*pairs, *([node, size] for node in range(size)))
    return replace(system, init=((0,),), outcomes=(ENDED,))


def test_what_is_walked_is_bounded_and_the_count_is_then_a_lower_bound() -> None:
    found = search(clique(6))
    exact = count(found)
    walked = exact.runs - 1
    assert exact.runs == sum(5 * 4 * 3 * 2 // rest for rest in (120, 24, 6, 2, 1, 1))
    assert count(found, walked) == exact
    for limit in (1, 5, 50, walked - 1):
        less = count(found, limit)
        assert less.stopped == f"it takes more than {limit} steps to walk the loops"
        assert 0 < less.runs < exact.runs
        assert less.runs <= limit + 1
    assert count(search(clique(9)), 1_000).stopped == "it takes more than 1 000 steps to walk the loops"


def test_without_loops_nothing_is_walked() -> None:
    found = count(search(digraph(range(60), *([i, i + 2] for i in range(58)))), 1)
    assert (found.stopped, found.runs > 10**11) == ("", True)


@pytest.mark.parametrize(
    ("options", "stopped"),
    [
        (Options(states=5), "truncated at 9 states"),
        (Options(limit=1), "it takes more than 1 steps to walk the loops"),
    ],
)
def test_a_search_or_a_walk_that_is_cut_short_says_so(options: Options, stopped: str) -> None:
    found = interleavings(clique(8), options)
    assert (found.stopped, found.size.complete) == (stopped, options.limit == 1)
    assert (found.endings == ()) == (options.limit != 1)


def test_a_graph_that_is_too_large_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "EDGE_LIMIT", 10)
    found = interleavings(clique(5))
    assert (found.endings, found.stopped) == ((), "the graph has 26 edges, more than the 10 that are counted")


# ---- what is refused ------------------------------------------------------------------------------------------------

LINE = replace(digraph([0, 1, 2]), outcomes=(ENDED,))
BEYOND = Property("values_in_domain", Kind.IN_DOMAIN, (nodes(LINE, 0, 2),), parts=("node",), steps=())
REFUSED = {
    "digraph declares no outcome; write @m.outcome(...) (docs/language.md)": digraph([0, 1]),
    "digraph has no initial state: no initial values satisfy assume_init": replace(LINE, assume=FALSE),
    "in digraph a value can leave its domain; check values_in_domain first": LINE.with_properties((BEYOND,)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_counted_is_refused(message: str) -> None:
    with pytest.raises(UsageError) as caught:
        interleavings(REFUSED[message])
    assert str(caught.value) == message


def test_what_events_tell_is_an_outcome_too() -> None:
    system = replace(digraph([0, 1]), collected=(Collected("by", "MAP", "by"),))
    assert [ending.aspects for ending in interleavings(system).endings] == [(("by", "nobody"),)]


WRONG = {
    "the trace does not start in an initial state: node = 1": Trace(((1,), (2,)), (1,)),
    "a path was counted that is no run": Trace(((0,), (1,)), (0,)),
    "a run was counted under an outcome that it does not have": Trace(((0,), (1,), (2,)), (0, 1)),
}


@pytest.mark.parametrize("message", WRONG)
def test_a_representative_is_confirmed(message: str) -> None:
    with pytest.raises(DisagreementError) as caught:
        confirm(LINE, Ending((("end", "there"),), 1, WRONG[message]))
    assert str(caught.value) == message


def test_the_authors_own_code_runs_each_representative(monkeypatch: pytest.MonkeyPatch) -> None:
    model = v7()
    seen = []
    monkeypatch.setattr(runs.oracle, "replay", lambda own, system, trace: seen.append((own, trace)))
    found = interleavings(model, Options(faults=0))
    assert seen == [(model, ending.trace) for ending in found.endings]
    monkeypatch.setattr(runs.oracle, "compare", lambda *_, **__: "two say three")
    with pytest.raises(DisagreementError, match=r"^two say three$"):
        interleavings(model, Options(faults=0))
    assert interleavings(model, Options(faults=0, native=False)) == found
