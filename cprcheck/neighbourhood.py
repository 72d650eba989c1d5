# SPDX-License-Identifier: Apache-2.0
"""The neighbourhood of a trace as a graph: its states, and what lies a few steps beside it.

It is folded, so that it can be read.  Steps of one process with one label, from one node, are one edge, faults apart
from the rest, and those that come back to the trace apart from those that leave it.  What can happen in the same way
in states of the trace that follow each other is drawn once, from the first of them, and says where else.  All states
outside the trace that one such edge leads to are one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cprcheck.explain import outcome, step_name
from cprcheck.semantics import successors
from cprcheck.system import State, System
from cprcheck.trace import Trace

DEPTH, LIMIT = 1, 40
"""How many other steps are followed, and how many nodes beside the trace are drawn."""


@dataclass(frozen=True)
class Node:
    """A state of the trace, or all states outside it that a folded step leads to.

    `id` is unique, and the same each time: `s3` for state 3 of the trace, `o1`, `o2`, … for the others.  `rank` is the
    number of the state on the trace; for the others, one more than that of the node from where they were found first.
    `changes` are (slot, value before, value after) of the step that leads to it, locations included; where several
    do, only what they have in common.  The trace's first state has none.
    """

    id: str
    rank: int
    states: tuple[State, ...]
    on_trace: bool
    changes: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True)
class Edge:
    """Steps of one process with one label from `source` to `target`, ids of nodes.

    `on_trace` marks a step that the run takes; all others could have been taken as well.  `steps` are the
    transitions, ascending, and `outcomes` their choices and faults in words, each once.  `fault` tells whether they
    take faults.  `at` lists the states of the trace in which they are possible, and `source` is the first of these;
    it is empty when `source` is not on the trace.  Where `source` is `target`, the steps change nothing.
    """

    source: str
    target: str
    name: str
    steps: tuple[int, ...]
    on_trace: bool = False
    fault: bool = False
    outcomes: tuple[str, ...] = ()
    at: tuple[int, ...] = ()


@dataclass(frozen=True)
class Neighbourhood:
    """The graph: the nodes of the trace first, in order, then the others as they were found.

    `start` and `end` are the ids of the trace's first and last state.  A run that goes on for ever returns to `end`,
    where its loop starts, or `stays` there; a finite one does neither.  `depth` says how many steps beside the trace
    were followed, `left_out` how many folded steps were not drawn, because there were nodes enough.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    start: str
    end: str
    loops: bool
    stays: bool
    depth: int
    left_out: int

    def node(self, name: str) -> Node:
        """The node whose id is `name`.  Raises KeyError when there is none."""
        return {node.id: node for node in self.nodes}[name]


Way = tuple[State, int, State]
"""A state, a transition that can be taken there, and the state after it."""
Key = tuple[int, str, bool, str]
"""What is folded: steps of a process with a label, with faults or without, to OUTSIDE, to NOWHERE or to a node."""
OUTSIDE, NOWHERE = "outside", "nowhere"


def neighbourhood(system: System, trace: Trace, depth: int = DEPTH, limit: int = LIMIT) -> Neighbourhood:
    """What lies at most `depth` steps beside `trace`, with at most `limit` nodes that are not on it.

    `depth` 0 is the trace alone.  A state outside the trace may be in several nodes.
    """
    return _Drawing(system, trace, limit).draw(depth)


class _Drawing:
    """One neighbourhood in the making."""

    def __init__(self, system: System, trace: Trace, limit: int) -> None:
        self.system, self.trace, self.room, self.left_out = system, trace, limit, 0
        self.nodes: dict[str, Node] = {}
        self.edges: list[Edge] = []
        self.spine: dict[State, str] = {}
        """The node of each state of the trace."""
        self.went: dict[State, dict[int, State]] = {}
        """For each state of the trace the steps taken there; more than one where a loop comes by twice."""
        for at, state in enumerate(trace.states):
            self.spine.setdefault(state, f"s{at}")
            self.went.setdefault(state, {})
        for before, step, after in zip(trace.states, trace.steps, trace.states[1:], strict=False):
            self.went[before][step] = after

    def draw(self, depth: int) -> Neighbourhood:
        """The trace, then what lies one step beside it, then two."""
        states, loop = self.trace.states, self.trace.loop
        for before, state in zip((None, *states), states, strict=False):
            name = self.spine[state]
            changes = () if before is None else _common([(before, state)])
            self.nodes.setdefault(name, Node(name, int(name[1:]), (state,), True, changes))
        for state, went in self.went.items():
            for step, after in went.items():
                name = self.spine[state]
                self.edge(name, self.spine[after], [(state, step, after)], (int(name[1:]),), on_trace=True)
        found = self.beside_trace() if depth else []
        for _ in range(1, depth):
            found = [new for node in found for new in self.beside(node)]
        return Neighbourhood(
            tuple(self.nodes.values()),
            tuple(self.edges),
            start="s0",
            end=self.spine[states[-1]],
            loops=loop is not None and loop < len(self.trace),
            stays=loop == len(self.trace),
            depth=depth,
            left_out=self.left_out,
        )

    def beside_trace(self) -> list[Node]:
        """Draw what else could have happened in the states of the trace; the new nodes."""
        runs: list[tuple[Key, list[int], list[Way]]] = []
        possible: dict[tuple[Key, tuple[str, ...]], int] = {}
        """Of what can happen in the state that was looked at last, where it is in `runs`."""
        for state, name in self.spine.items():
            others = [way for way in self.ways(state) if way[1] not in self.went[state]]
            before, possible = possible, {}
            for key, ways in self.fold(others).items():
                same = (key, self.outcomes(ways))
                if same not in before:
                    runs.append((key, [], []))
                run = possible[same] = before.get(same, len(runs) - 1)
                runs[run][1].append(int(name[1:]))
                runs[run][2].extend(ways)
        return self.connect((f"s{ats[0]}", key, ways, tuple(ats)) for key, ats, ways in runs)

    def beside(self, node: Node) -> list[Node]:
        """Draw what can happen in the states of `node`, which is not on the trace, and leaves it; the new nodes."""
        ways = [way for state in node.states for way in self.ways(state) if way[2] not in node.states]
        return self.connect((node.id, key, ways, ()) for key, ways in self.fold(ways).items())

    def ways(self, state: State) -> list[Way]:
        """All that can happen in `state`."""
        return [(state, step, after) for step, after in successors(self.system, state)]

    def fold(self, ways: Iterable[Way]) -> dict[Key, list[Way]]:
        """`ways` by what they have in common."""
        folded: dict[Key, list[Way]] = {}
        for before, step, after in ways:
            transition = self.system.transitions[step]
            target = NOWHERE if after == before else self.spine.get(after, OUTSIDE)
            key = (transition.process, transition.label, bool(transition.faults), target)
            folded.setdefault(key, []).append((before, step, after))
        return folded

    def outcomes(self, ways: Iterable[Way]) -> tuple[str, ...]:
        """The choices and faults of `ways` in words, each combination once."""
        return tuple(dict.fromkeys(outcome(self.system.transitions[step]) for _, step, _ in ways))

    def connect(self, runs: Iterable[tuple[str, Key, list[Way], tuple[int, ...]]]) -> list[Node]:
        """An edge for each of `runs`, to a node of the trace or to one that has its states; the new nodes."""
        fresh = []
        for source, key, ways, at in runs:
            target = source if key[-1] == NOWHERE else key[-1]
            if target == OUTSIDE:
                states = tuple(dict.fromkeys(after for _, _, after in ways))
                known = (n.id for n in self.nodes.values() if not n.on_trace and set(n.states) == set(states))
                target = next(known, "") or f"o{len(self.nodes) - len(self.spine) + 1}"
                if target not in self.nodes:
                    if not self.room:
                        self.left_out += 1
                        continue
                    self.room -= 1
                    changes = _common([(before, after) for before, _, after in ways])
                    self.nodes[target] = Node(target, self.nodes[source].rank + 1, states, False, changes)
                    fresh.append(self.nodes[target])
            self.edge(source, target, ways, at)
        return fresh

    def edge(
        self, source: str, target: str, ways: Sequence[Way], at: tuple[int, ...], *, on_trace: bool = False
    ) -> None:
        """One edge for `ways`."""
        first = self.system.transitions[ways[0][1]]
        steps = tuple(sorted({step for _, step, _ in ways}))
        name, fault = step_name(self.system, first), bool(first.faults)
        said = tuple(filter(None, self.outcomes(ways)))
        self.edges.append(Edge(source, target, name, steps, on_trace, fault, said, at))


def _common(moves: Sequence[tuple[State, State]]) -> tuple[tuple[int, int, int], ...]:
    """(slot, before, after) of what all `moves` change in the same way."""
    changes = [
        dict.fromkeys((slot, a, b) for slot, (a, b) in enumerate(zip(*move, strict=True)) if a != b) for move in moves
    ]
    return tuple(change for change in changes[0] if all(change in others for others in changes))
