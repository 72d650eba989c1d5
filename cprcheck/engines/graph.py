# SPDX-License-Identifier: Apache-2.0
"""The reachable states as a networkx graph, built once a search is over."""

from __future__ import annotations

from dataclasses import dataclass

import networkx as nx

from cprcheck.engines.explicit import Search
from cprcheck.system import State, System
from cprcheck.trace import Trace


@dataclass(frozen=True)
class StateGraph:
    """The graph of a complete search.

    Node i is the i-th state found (the initial ones first); the edges are keyed by the index of their
    transition, so two transitions between the same states are two edges.  `initial` counts the initial states.
    """

    system: System
    graph: nx.MultiDiGraph[int]
    states: tuple[State, ...]
    initial: int

    def unreached(self) -> tuple[int, ...]:
        """The transitions that no reachable state enables."""
        taken = {step for _, _, step in self.graph.edges(keys=True)}
        return tuple(step for step in range(len(self.system.transitions)) if step not in taken)

    def trace(self, nodes: list[int], steps: list[int], loop: int | None = None) -> Trace:
        """The run along `nodes` by the transitions `steps`."""
        return Trace(tuple(self.states[node] for node in nodes), tuple(steps), loop)


def build(result: Search) -> StateGraph:
    """The graph of `result`.  Raises ValueError when the search did not see every reachable state."""
    if result.stopped:
        raise ValueError(f"the search is not complete: {result.stopped}")
    number = {packed: i for i, packed in enumerate(result.parents)}
    graph: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    graph.add_nodes_from(range(len(number)))
    for packed, node in number.items():
        graph.add_edges_from((node, number[to], step) for step, to in result.compiled.successors(packed))
    states = tuple(map(result.compiled.layout.unpack, number))
    initial = sum(1 for parent in result.parents.values() if parent is None)
    return StateGraph(result.system, graph, states, initial)
