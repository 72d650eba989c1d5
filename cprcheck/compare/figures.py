# SPDX-License-Identifier: Apache-2.0
"""What a design costs, and what follows a failure: figures measured on the graph of all states.

An *operation* is an event of one of the kinds `OPERATIONS`: an ioctl, or a test of a predicate by the design.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Iterable, Set
from dataclasses import dataclass
from itertools import pairwise

import networkx as nx

from cprcheck.compare.view import (
    DONE,
    NEW,
    OPERATIONS,
    RUNS,
    STOPPED,
    View,
    failure_name,
    for_good,
    givers,
    leading_to,
)
from cprcheck.passes.faults import with_faults
from cprcheck.system import System, Transition

Step = tuple[Hashable, Hashable, int]
"""(node, node, transition); a node may be anything."""
Capable = Set[tuple[int, str]]
"""(process, label) of the steps that may fail."""


@dataclass(frozen=True)
class Count:
    """How often the processes of `group` perform the operation `kind`; `group` is empty for those of no group."""

    group: str
    kind: str
    times: int


@dataclass(frozen=True)
class Failure:
    """What follows a failure that leaves a vaddr invalid in a living old QEMU.

    `name` is the fault's label, or who refused, and at which step.  Between it and the first MAP(V) of whoever
    restores, at `least` and at `most` so many steps are taken at which something may fail; the failure and the
    restore itself do not count.  `least` is None when no restore can be reached; `most` is None then, and when
    there is no bound.  `steps` is the least number of all steps, of whichever process and of the user, that lead
    from the state after the failure through that MAP(V): the failure does not count, the MAP(V) does.  `never` says
    that after some failures of this name no restore can be reached; `certain`, that after each one can, and that no
    vaddr stays invalid for good before it.  `runs` says that the guest may run with an invalid vaddr before anybody
    restores.  `by` names who may restore first.
    """

    name: str
    least: int | None
    most: int | None
    steps: int | None
    certain: bool
    never: bool
    runs: bool
    by: tuple[str, ...]


def clean_run(view: View) -> tuple[Count, ...] | None:
    """The operations on a shortest run to a successful update by steps of processes; None when there is none.

    The graph is that of a system without faults.  Actions, which are not obliged to happen, take no part.
    """
    located = {i for i, process in enumerate(view.system.processes) if process.location is not None}
    goals = view.where("update", {DONE})
    return _operations(view.system, _path(view.steps_of(located), range(view.graph.initial), goals))


def start_and_stop(view: View) -> tuple[Count, ...] | None:
    """The operations of a `stop` and a `cont` outside an update, from an initial state where the guest runs.

    On a shortest way back to that state by steps of the user and the old QEMU's monitor; where no way leads back to
    it, to any state in which the guest runs and the monitor is idle.  None when there is none either.
    """
    processes = view.system.processes
    users = {i for i, p in enumerate(processes) if p.name == "monitor" or p.name.split("(")[0] == "user"}
    stopped, running = view.where("guest", {STOPPED}), view.where("guest", {RUNS})
    resting = {n for n in running if all(_is_done(view, n, process) for process in users)}
    edges: list[Step] = []
    for a, b, step in view.steps_of(users):
        edges += [((a, False), (b, b in stopped), step), ((a, True), (b, True), step)]
    for start in (node for node in range(view.graph.initial) if node in running):
        for goals in ({start}, resting):
            found = _path(edges, [(start, False)], {(node, True) for node in goals})
            if found is not None:
                return _operations(view.system, found)
    return None


def failure_capable(system: System) -> Capable:
    """The steps of `system` at which a real fault may happen, however often one happened before."""
    possible = with_faults(system, None, injected=False).transitions
    return {(t.process, t.label) for t in possible if t.faults}


def failures(view: View, capable: Capable) -> tuple[Failure, ...]:
    """Every failure that leaves a vaddr invalid in a living old QEMU, and what follows, in the order of the steps.

    A failure is a step that takes a fault or refuses something.  `capable` are the steps that may fail.
    """
    restores = _Restores(view, capable)
    after: dict[str, dict[int, None]] = {}
    for _, to, step in view.edges:
        name = failure_name(view.system, view.system.transitions[step])
        if name and to in view.exposed:
            after.setdefault(name, {})[to] = None
    return tuple(restores.failure(name, tuple(nodes)) for name, nodes in after.items())


# ---- runs without a failure ----------------------------------------------------------------------------------------


def _is_done(view: View, node: int, process: int) -> bool:
    """Whether a process is idle or at rest at `node`; an action always is."""
    slot = view.system.processes[process].location
    return slot is None or view.graph.states[node][slot] in view.system.processes[process].done


def _path(edges: Iterable[Step], starts: Iterable[Hashable], goals: Iterable[Hashable]) -> list[int] | None:
    """The transitions on a shortest path from one of `starts` to one of `goals`; None when there is none."""
    graph: nx.DiGraph[Hashable] = nx.DiGraph()
    graph.add_nodes_from(("start", "goal"))
    for a, b, step in edges:
        if not graph.has_edge(a, b):
            graph.add_edge(a, b, step=step)
    graph.add_edges_from(("start", node) for node in starts)
    graph.add_edges_from((node, "goal") for node in goals)
    try:
        nodes = nx.shortest_path(graph, "start", "goal")
    except nx.NetworkXNoPath:
        return None
    return [graph.edges[a, b]["step"] for a, b in pairwise(nodes[1:-1])]


def _operations(system: System, steps: list[int] | None) -> tuple[Count, ...] | None:
    """The operations of `steps`, by group and in the order of OPERATIONS."""
    if steps is None:
        return None
    times: Counter[tuple[str, str]] = Counter()
    for transition in (system.transitions[step] for step in steps):
        group = system.processes[transition.process].group or ""
        times.update((group, event.name) for event in transition.events if event.name in OPERATIONS)
    groups = dict.fromkeys(process.group or "" for process in system.processes)
    return tuple(Count(g, kind, times[g, kind]) for g in groups for kind in OPERATIONS if times[g, kind])


# ---- restoring --------------------------------------------------------------------------------------------------


class _Restores:
    """The ways from each state to the first MAP(V) of somebody who restores.

    `between` has the steps that do not restore; `least` and `most` of an edge say whether one of the transitions
    between its ends may fail, and whether all may.
    """

    def __init__(self, view: View, capable: Capable) -> None:
        self.sources: dict[str, set[int]] = {}
        self.between = view.plain(())
        for a, b, step in view.edges:
            transition = view.system.transitions[step]
            by = restorers(view.system, transition)
            for name in by:
                self.sources.setdefault(name, set()).add(a)
            if not by:
                weight = int((transition.process, transition.label) in capable)
                edge = self.between.get_edge_data(a, b, {"least": weight, "most": weight})
                least, most = min(edge["least"], weight), max(edge["most"], weight)
                self.between.add_edge(a, b, least=least, most=most)
        everybody = set().union(*self.sources.values())
        self.least = leading_to(self.between, everybody, "least")
        self.most = self._longest(everybody)
        self.before = leading_to(self.between, everybody)
        self.by = {name: leading_to(self.between, nodes) for name, nodes in self.sources.items()}
        quiet = view.plain(view.calm)
        quiet.remove_edges_from([edge for edge in quiet.edges if not self.between.has_edge(*edge)])
        self.stays = leading_to(quiet, for_good(view, view.exposed))
        self.runs = leading_to(self.between, view.exposed & view.where("guest", {RUNS}))

    def _longest(self, sources: set[int]) -> dict[int, float]:
        """For each node the most steps that may fail on a way to one of `sources`; infinite round a loop with one."""
        dag = nx.condensation(self.between.subgraph(self.least))
        most: dict[int, float] = {}
        for component in reversed(list(nx.topological_sort(dag))):
            members = dag.nodes[component]["members"]
            longest = 0.0
            for _, b, weight in self.between.out_edges(members, data="most"):
                if b in members and weight:
                    longest = math.inf
                elif b in most:
                    longest = max(longest, weight + most[b])
            most |= dict.fromkeys(members, longest)
        return most

    def failure(self, name: str, nodes: tuple[int, ...]) -> Failure:
        """What follows a failure called `name` that leads to one of `nodes`."""
        restored = [node for node in nodes if node in self.least]
        most = max((self.most[node] for node in restored), default=math.inf)
        return Failure(
            name,
            min((self.least[node] for node in restored), default=None),
            None if most == math.inf else int(most),
            min((self.before[node] + 1 for node in restored), default=None),
            len(restored) == len(nodes) and not any(node in self.stays for node in nodes),
            len(restored) < len(nodes),
            any(node in self.runs for node in nodes),
            tuple(by for by, leading in self.by.items() if any(node in leading for node in nodes)),
        )


def restorers(system: System, transition: Transition) -> tuple[str, ...]:
    """Who restores an address in this step, other than the new QEMU; the process where the event does not say."""
    return tuple(sorted(givers(system, transition) - {NEW}))
