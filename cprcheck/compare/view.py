# SPDX-License-Identifier: Apache-2.0
"""A state graph with what the model says about each state: figures and matrices are read off it.

A model takes part by its outcomes, which tell in each state what has become of the *guest*, the *vaddrs* and the
*update*, and by its events, which tell that a step gives an address or refuses something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from functools import cached_property

import networkx as nx

from cprcheck.engines.graph import StateGraph
from cprcheck.semantics import outcome
from cprcheck.system import Fairness, System, Transition

MAP, TEST, REFUSED = "MAP(V)", "test", "refused"
OPERATIONS = ("CHECK_EXTENSION", "UNMAP(ALL|V)", MAP, TEST)
"""What is counted: ioctls, and tests of a predicate."""
REFUSES = " refuses: "
RUNS, STOPPED, LOST = "runs in the old QEMU", "stopped in the old QEMU", "lost"
RUNS_IN_NEW, STOPPED_IN_NEW = "runs in the new QEMU", "stopped in the new QEMU"
IN_NEW = frozenset({RUNS_IN_NEW, STOPPED_IN_NEW})
INVALID = frozenset({"some invalid", "none valid"})
DONE, FAILED = "done", "failed"
LABELS = {
    "guest": (LOST, RUNS_IN_NEW, STOPPED_IN_NEW, RUNS, STOPPED),
    "vaddrs": ("gone", "all valid", "some invalid", "none valid"),
    "update": (DONE, FAILED, "under way", "not begun"),
}
"""The aspects that a model has to declare outcomes of, and the words by which these are understood."""
ASPECTS = tuple(LABELS)
NEW = "the new QEMU"
"""Who gives the addresses when the update succeeds; whoever else emits MAP(V) restores after a failure."""

Edge = tuple[int, int, int]
"""(node, node, transition)"""


class View:
    """A graph with the outcomes of its states."""

    def __init__(self, graph: StateGraph) -> None:
        self.graph, self.system = graph, graph.system
        self.outcomes = [outcome(graph.system, state) for state in graph.states]
        self.edges: list[Edge] = sorted(graph.graph.edges(keys=True), key=lambda edge: (edge[2], edge[:2]))

    def where(self, aspect: str, labels: Set[str]) -> set[int]:
        """The nodes in which `aspect` is one of `labels`."""
        return {node for node, found in enumerate(self.outcomes) if found.get(aspect) in labels}

    @cached_property
    def faulty(self) -> set[int]:
        """The transitions that take a fault."""
        return {i for i, transition in enumerate(self.system.transitions) if transition.faults}

    @cached_property
    def exposed(self) -> set[int]:
        """The nodes in which the old QEMU lives and some vaddr is invalid."""
        return self.where("vaddrs", INVALID) & self.where("guest", {RUNS, STOPPED})

    def steps_of(self, processes: Set[int]) -> list[Edge]:
        """The edges that one of `processes` takes."""
        return [edge for edge in self.edges if self.system.transitions[edge[2]].process in processes]

    @cached_property
    def calm(self) -> list[Edge]:
        """The edges that take no fault."""
        return [edge for edge in self.edges if edge[2] not in self.faulty]

    @cached_property
    def obliged(self) -> list[Edge]:
        """The edges that have to be taken sooner or later: of fair processes, idle ones too, without a fault."""
        fair = {i for i, process in enumerate(self.system.processes) if process.fairness is not Fairness.NONE}
        return [edge for edge in self.calm if self.system.transitions[edge[2]].process in fair]

    def plain(self, edges: Iterable[Edge]) -> nx.DiGraph[int]:
        """All nodes, and of the edges only `edges`."""
        graph: nx.DiGraph[int] = nx.DiGraph()
        graph.add_nodes_from(range(len(self.graph.states)))
        graph.add_edges_from((a, b) for a, b, _ in edges)
        return graph


def unsaid(system: System) -> str:
    """What a model has yet to say, or says in words that are not understood; empty when nothing is lacking."""
    declared = {each.aspect for each in system.outcomes}
    for aspect, labels in LABELS.items():
        if aspect not in declared:
            return f'write @m.outcome("{aspect}", ...) to say what has become of it'
        strange = next((o.label for o in system.outcomes if o.aspect == aspect and o.label not in labels), "")
        if strange:
            return f'@m.outcome("{aspect}", "{strange}") is not understood, write one of: {", ".join(labels)}'
    return ""


def bottoms(graph: nx.DiGraph[int]) -> Iterator[set[int]]:
    """The sets of nodes that go round among themselves, or are one node, and that no edge leaves."""
    dag = nx.condensation(graph)
    return (dag.nodes[component]["members"] for component in dag if not dag.out_degree(component))


def for_good(view: View, nodes: Set[int]) -> set[int]:
    """Those of `nodes` at which a run is at rest: what fair processes do without a fault stays among `nodes`."""
    return {node for members in bottoms(view.plain(view.obliged)) if members <= nodes for node in members}


def leading_to(graph: nx.DiGraph[int], goals: Set[int], weight: str | None = None) -> dict[int, int]:
    """The nodes from which one of `goals` can be reached, with the length of a shortest way by `weight`."""
    if not goals:
        return {}
    count: str | Callable[..., int] = weight or (lambda *_: 1)
    found: dict[int, int] = nx.multi_source_dijkstra_path_length(graph.reverse(copy=False), goals, weight=count)
    return found


def left_loops(graph: nx.DiGraph[int]) -> int:
    """How many nodes lie in loops that some edge leaves."""
    loops = sum(len(members) for members in nx.strongly_connected_components(graph) if len(members) > 1)
    return loops - sum(len(members) for members in bottoms(graph) if len(members) > 1)


def givers(system: System, transition: Transition) -> frozenset[str]:
    """Who gives an address in this step; the process where the event does not say."""
    process = system.processes[transition.process].name
    return frozenset(dict(event.args).get("by", process) for event in transition.events if event.name == MAP)


def failure_name(system: System, transition: Transition) -> str:
    """The faults that `transition` takes, or else who refuses and at which step; empty when nothing fails."""
    if transition.faults:
        return " and ".join(fault.label for fault in transition.faults)
    process = system.processes[transition.process].name
    refused = [dict(event.args).get("by", process) for event in transition.events if event.name == REFUSED]
    return f"{' and '.join(dict.fromkeys(refused))}{REFUSES}{transition.label}" if refused else ""


def is_refusal(name: str) -> bool:
    """Whether a failure of this name takes no fault."""
    return REFUSES in name
