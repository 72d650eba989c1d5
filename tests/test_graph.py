"""The graph of a finished search: all reachable states, and an edge for each step between them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from strategies import random_system, reachable
from systems import digraph, never, nodes
from test_abstract import random_located

from cprcheck.engines.explicit import Limits, search
from cprcheck.engines.graph import StateGraph, build
from cprcheck.expr import FALSE
from cprcheck.passes.safety import goal
from cprcheck.semantics import initial_states, successors
from cprcheck.system import System
from cprcheck.trace import Trace


def graph_of(system: System) -> StateGraph:
    return build(search(system))


@pytest.mark.parametrize("make", [random_system, random_located])
def test_nodes_and_edges_are_the_reachable_states_and_the_steps_of_the_interpreter(make: object) -> None:
    for seed in range(40):
        system = make(seed)
        made = graph_of(system)
        assert len(made.states) == len(set(made.states)) == made.graph.number_of_nodes()
        assert set(made.states) == set(reachable(system)), seed
        edges = [(made.states[a], step, made.states[b]) for a, b, step in made.graph.edges(keys=True)]
        expected = [(state, step, after) for state in made.states for step, after in successors(system, state)]
        assert sorted(edges) == sorted(expected), seed


def test_the_initial_states_come_first_and_are_counted() -> None:
    for seed in range(40):
        system = random_system(seed)
        made = graph_of(system)
        assert set(made.states[: made.initial]) == set(initial_states(system)), seed
        assert made.initial == len(set(initial_states(system)))


def test_an_initial_state_that_others_lead_to_is_initial_all_the_same() -> None:
    made = graph_of(digraph([0, 2, 1], [1, 3, 0]))
    assert made.states == ((0,), (1,), (2,), (3,))
    assert made.initial == 2


def test_nodes_are_numbered_in_the_order_of_discovery() -> None:
    made = graph_of(digraph([0, 3, 1], [0, 2, 4]))
    assert made.states == ((0,), (3,), (2,), (1,), (4,))
    assert sorted(made.graph.edges(keys=True)) == [(0, 1, 0), (0, 2, 2), (1, 3, 1), (2, 4, 3)]


def test_two_transitions_between_the_same_states_are_two_edges() -> None:
    system = digraph([0, 1, 1])
    made = graph_of(replace(system, transitions=system.transitions * 2))
    assert sorted(made.graph.edges(keys=True)) == [(0, 1, 0), (0, 1, 2), (1, 1, 1), (1, 1, 3)]


def test_states_without_any_edge_are_nodes() -> None:
    made = graph_of(replace(digraph([0, 1], [2, 3]), transitions=()))
    assert list(made.graph.nodes) == [0, 1]
    assert made.states == ((0,), (2,))


def test_without_an_initial_state_the_graph_is_empty() -> None:
    system = replace(digraph([0, 1]), assume=FALSE)
    made = graph_of(system)
    assert (made.states, made.initial, len(made.graph), made.unreached()) == ((), 0, 0, (0,))


def test_transitions_that_no_reachable_state_enables_are_told() -> None:
    apart = replace(digraph([0, 1, 2], [3, 4, 3], [1, 0]), init=((0,),))
    assert graph_of(apart).unreached() == (2, 3)
    assert graph_of(digraph([0, 1, 2])).unreached() == ()


def test_the_unreached_transitions_are_those_of_the_interpreter() -> None:
    for seed in range(40):
        system = random_system(seed)
        taken = {step for state in reachable(system) for step, _ in successors(system, state)}
        assert graph_of(system).unreached() == tuple(sorted(set(range(len(system.transitions))) - taken)), seed


def test_a_step_of_a_parallel_pair_that_is_taken_is_not_unreached_for_the_other() -> None:
    system = digraph([0, 1])
    twice = (*system.transitions, replace(system.transitions[0], guard=nodes(system, 1)))
    assert graph_of(replace(system, transitions=twice)).unreached() == ()
    never_taken = (*system.transitions, replace(system.transitions[0], guard=FALSE))
    assert graph_of(replace(system, transitions=never_taken)).unreached() == (1,)


def test_a_run_along_nodes_is_a_trace_of_their_states() -> None:
    made = graph_of(digraph([0, 3, 1, 3]))
    assert made.trace([0, 1, 2, 1], [0, 1, 2], 1) == Trace(((0,), (3,), (1,), (3,)), (0, 1, 2), 1)
    assert made.trace([2], []) == Trace(((1,),))


INCOMPLETE = {
    "every question was answered": {"goals": [goal(digraph([0, 1, 2]), never(digraph([0, 1, 2]), 1))]},
    "truncated at 2 states": {"limits": Limits(states=2)},
    "timed out after 0 s": {"limits": Limits(seconds=0)},
}


@pytest.mark.parametrize("why", INCOMPLETE)
def test_no_graph_is_made_of_a_search_that_left_something_out(why: str) -> None:
    with pytest.raises(ValueError, match=rf"^the search is not complete: {why}$"):
        build(search(digraph([0, 1, 2]), **INCOMPLETE[why]))


def test_a_whole_search_with_answers_makes_the_same_graph_as_one_without_questions() -> None:
    system = digraph([0, 1, 2])
    asked = build(search(system, [goal(system, never(system, 1))], whole=True))
    assert asked.states == graph_of(system).states
    assert list(asked.graph.edges(keys=True)) == list(graph_of(system).graph.edges(keys=True))
