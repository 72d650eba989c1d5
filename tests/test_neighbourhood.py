"""The neighbourhood of a trace: what is drawn, and how it is folded."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from authors import written
from systems import digraph

from cprcheck.checking import check
from cprcheck.neighbourhood import Edge, Neighbourhood, neighbourhood
from cprcheck.semantics import initial_states, successors
from cprcheck.system import Process, System
from cprcheck.trace import Trace

LINE = Trace(((0,), (1,), (2,), (3,)), (0, 1, 2))


def line(*more: list[int], faults: tuple[tuple[int, int], ...] = ()) -> System:
    """0 -> 1 -> 2 -> 3, and more; only 0 is initial.  Every edge is a step of its own name."""
    return replace(digraph([0, 1, 2, 3], *more, faults=faults), init=((0,),))


def alike(system: System, label: str = "jump") -> System:
    """`system` whose steps beside the line have one label."""
    steps = system.transitions
    return replace(system, transitions=(*steps[:3], *(replace(step, label=label) for step in steps[3:])))


def beside(found: Neighbourhood) -> list[tuple[str, str, str, tuple[int, ...]]]:
    """(source, target, label, where) of every edge that is not on the trace."""
    return [(e.source, e.target, e.name.removeprefix("walker: "), e.at) for e in found.edges if not e.on_trace]


def outside(found: Neighbourhood) -> dict[str, list[int]]:
    """The numbers that the nodes beside the trace stand for."""
    return {node.id: [state[0] for state in node.states] for node in found.nodes if not node.on_trace}


# ---- the trace ----------------------------------------------------------------------------------------------------


def test_the_states_of_the_trace_come_first_in_order_with_their_changes() -> None:
    found = neighbourhood(line(), LINE)
    assert [(node.id, node.rank, node.states, node.changes) for node in found.nodes] == [
        ("s0", 0, ((0,),), ()),
        ("s1", 1, ((1,),), ((0, 0, 1),)),
        ("s2", 2, ((2,),), ((0, 1, 2),)),
        ("s3", 3, ((3,),), ((0, 2, 3),)),
    ]
    assert (found.start, found.end, found.loops, found.stays) == ("s0", "s3", False, False)
    assert (found.depth, found.left_out) == (1, 0)
    assert found.edges[0] == Edge("s0", "s1", "walker: 0->1", (0,), on_trace=True, at=(0,))
    assert found.node("s2").states == ((2,),)
    with pytest.raises(KeyError):
        found.node("s4")


def test_a_loop_closes() -> None:
    system = replace(digraph([0, 1, 2, 1]), init=((0,),))
    found = neighbourhood(system, Trace(((0,), (1,), (2,), (1,)), (0, 1, 2), loop=1))
    assert [(edge.source, edge.target, edge.on_trace) for edge in found.edges] == [
        ("s0", "s1", True),
        ("s1", "s2", True),
        ("s2", "s1", True),
    ]
    assert (found.end, found.loops, found.stays) == ("s1", True, False)


def test_a_run_that_stays_has_a_loop_without_an_edge() -> None:
    found = neighbourhood(line(), replace(LINE, loop=3))
    assert (found.end, found.loops, found.stays, len(found.edges)) == ("s3", False, True, 3)


def test_a_loop_that_comes_by_twice_is_drawn_once() -> None:
    system = replace(digraph([0, 1, 0, 2, 0]), init=((0,),))
    steps = {t.label: i for i, t in enumerate(system.transitions)}
    round_ = tuple(steps[label] for label in ("0->1", "1->0", "0->2", "2->0"))
    found = neighbourhood(system, Trace(((0,), (1,), (0,), (2,), (0,)), round_, loop=0))
    assert [node.id for node in found.nodes] == ["s0", "s1", "s3"]
    assert [(e.source, e.target) for e in found.edges if e.on_trace] == [
        ("s0", "s1"), ("s0", "s3"), ("s1", "s0"), ("s3", "s0"),
    ]  # fmt: skip
    assert beside(found) == []


# ---- what lies beside it --------------------------------------------------------------------------------------------


def test_depth_0_is_the_trace_alone() -> None:
    found = neighbourhood(line([1, 4]), LINE, depth=0)
    assert (beside(found), outside(found)) == ([], {})


def test_a_step_off_the_trace_leads_to_a_node_beside_it() -> None:
    found = neighbourhood(line([1, 4, 5]), LINE)
    assert beside(found) == [("s1", "o1", "1->4", (1,))]
    assert outside(found) == {"o1": [4]}
    assert (found.node("o1").rank, found.node("o1").changes) == (2, ((0, 1, 4),))


def test_a_step_back_to_the_trace_or_forward_on_it_is_an_edge() -> None:
    found = neighbourhood(line([2, 0], [0, 3]), LINE)
    assert beside(found) == [("s0", "s3", "0->3", (0,)), ("s2", "s0", "2->0", (2,))]


def test_what_changes_nothing_is_an_edge_to_itself() -> None:
    assert beside(neighbourhood(line([1, 1]), LINE)) == [("s1", "s1", "1->1", (1,))]


def test_what_can_happen_at_the_end_is_drawn() -> None:
    assert beside(neighbourhood(line([3, 4]), LINE)) == [("s3", "o1", "3->4", (3,))]


def test_two_steps_beside_the_trace_are_drawn_when_asked_for() -> None:
    found = neighbourhood(line([1, 4, 5, 6]), LINE, depth=2)
    assert beside(found) == [("s1", "o1", "1->4", (1,)), ("o1", "o2", "4->5", ())]
    assert found.node("o2").rank == 3
    again = neighbourhood(line([1, 4, 3]), LINE, depth=2)
    assert beside(again)[1] == ("o1", "s3", "4->3", ())


# ---- folding --------------------------------------------------------------------------------------------------------


def test_outcomes_of_one_step_are_one_node() -> None:
    found = neighbourhood(alike(line([1, 4], [1, 5], [1, 6])), LINE)
    assert beside(found) == [("s1", "o1", "jump", (1,))]
    assert outside(found) == {"o1": [4, 5, 6]}
    assert found.node("o1").changes == ()
    assert found.edges[-1].steps == (3, 4, 5)


def test_faults_are_folded_apart_with_their_names() -> None:
    found = neighbourhood(alike(line([1, 4], [1, 5], [1, 6], faults=((1, 5), (1, 6)))), LINE)
    assert outside(found) == {"o1": [4], "o2": [5, 6]}
    assert [(e.fault, e.outcomes) for e in found.edges if not e.on_trace] == [(False, ()), (True, ("1->5", "1->6"))]


def test_what_comes_back_is_apart_from_what_leaves() -> None:
    found = neighbourhood(alike(line([1, 4], [1, 0], [1, 1])), LINE)
    assert beside(found) == [
        ("s1", "o1", "jump", (1,)),
        ("s1", "s0", "jump", (1,)),
        ("s1", "s1", "jump", (1,)),
    ]


def test_what_is_possible_in_states_that_follow_each_other_is_drawn_once() -> None:
    found = neighbourhood(alike(line([0, 4], [1, 5], [3, 6])), LINE)
    assert beside(found) == [("s0", "o1", "jump", (0, 1)), ("s3", "o2", "jump", (3,))]
    assert outside(found) == {"o1": [4, 5], "o2": [6]}
    still = neighbourhood(alike(line([0, 0], [1, 1], [2, 2])), LINE)
    assert beside(still) == [("s0", "s0", "jump", (0, 1, 2))]


def test_another_outcome_begins_another_edge() -> None:
    system = alike(line([0, 4], [1, 5]))
    odd = replace(system.transitions[4], choices=(("how", "fast"),))
    found = neighbourhood(replace(system, transitions=(*system.transitions[:4], odd)), LINE)
    assert [(e.at, e.outcomes) for e in found.edges if not e.on_trace] == [((0,), ()), ((1,), ("how: fast",))]


def test_other_processes_are_apart() -> None:
    system = alike(line([1, 4], [1, 5]))
    other = replace(system.transitions[4], process=1)
    both = replace(
        system, processes=(*system.processes, Process("other")), transitions=(*system.transitions[:4], other)
    )
    assert beside(neighbourhood(both, LINE)) == [("s1", "o1", "jump", (1,)), ("s1", "o2", "other: jump", (1,))]


def test_what_leads_to_the_same_states_leads_to_one_node() -> None:
    found = neighbourhood(line([0, 4], [2, 4]), LINE)
    assert beside(found) == [("s0", "o1", "0->4", (0,)), ("s2", "o1", "2->4", (2,))]


def test_changes_of_several_states_are_what_they_have_in_common() -> None:
    body = "@m.process\ndef p(s):\n    yield 'one'\n    s.n = 1\n    yield 'two'\n    s.n = 2\n"
    body += "@m.action\ndef a(s):\n    s.require(s.b == False)\n    s.b = True\n"
    body += "@m.invariant\ndef q(s):\n    return s.n < 2\n"
    report = check(written(body))
    found = neighbourhood(report.system, report["q"].trace)
    (node,) = (node for node in found.nodes if not node.on_trace)
    assert (len(node.states), node.changes) == (3, ((report.system.slot("b"), 0, 1),))


def test_when_there_are_nodes_enough_it_says_how_many_steps_are_left_out() -> None:
    system = line([0, 4], [1, 5], [2, 6], [3, 7], [3, 0])
    found = neighbourhood(system, LINE, limit=2)
    assert outside(found) == {"o1": [4], "o2": [5]}
    assert (found.left_out, beside(found)[-1]) == (2, ("s3", "s0", "3->0", (3,)))
    assert neighbourhood(system, LINE, limit=4).left_out == 0


# ---- it is the truth ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_every_step_near_a_random_run_is_in_exactly_one_edge(seed: int) -> None:
    draw = random.Random(seed)
    pairs = [[draw.randrange(7), draw.randrange(7)] for _ in range(14)]
    system = digraph(*pairs, faults=[(a, b) for a, b in pairs if draw.random() < 0.3])
    steps = tuple(replace(step, label=draw.choice("ab")) for step in system.transitions)
    system = replace(system, transitions=steps)
    states, taken = [draw.choice(list(initial_states(system)))], []
    for _ in range(4):
        if ways := successors(system, states[-1]):
            step, after = draw.choice(ways)
            taken.append(step)
            states.append(after)
    found = neighbourhood(system, Trace(tuple(states), tuple(taken)), limit=99)
    node = {node.id: node for node in found.nodes}
    drawn = [
        (at, step)
        for edge in found.edges
        for step in edge.steps
        for at in edge.at
        if any(way[0] == step and way[1] in node[edge.target].states for way in successors(system, states[at]))
        or edge.source == edge.target
    ]
    first = {state: at for at, state in reversed(list(enumerate(states)))}
    possible = [(at, step) for state, at in first.items() for step, _ in successors(system, state)]
    assert sorted(set(drawn) & set(possible)) == sorted(possible)
    assert len([pair for pair in drawn if pair in possible]) == len(possible)
