# SPDX-License-Identifier: Apache-2.0
"""What a design costs, and what follows a failure: figures measured on the graph of all states.

An *operation* is an event of one of the kinds `OPERATIONS`: an ioctl, or a test of a predicate by the design.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Set
from dataclasses import dataclass
from functools import reduce
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
    givers,
    leading_to,
)
from cprcheck.engines.liveness import staying
from cprcheck.passes.faults import with_faults
from cprcheck.system import System, Transition

Step = tuple[Hashable, Hashable, int]
"""(node, node, transition); a node may be anything."""
Performed = tuple[str, str]
"""(group, kind) of an operation."""
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
    there is no bound.  `steps` and `longest` are the least and the greatest number of all steps, of whichever process
    and of the user, that lead from the state after the failure through that MAP(V): the failure does not count, nor do
    steps that change nothing; the MAP(V) does.  `longest` is None when there is no bound, too.  `never` says that
    after some failures of this name no restore can be reached.  `by` names who may restore first.

    That a MAP(V) gives one address is not the end of it: `certain` says that after each failure of this name a restore
    can be reached, and that no run which is weakly fair keeps a vaddr invalid for ever.  `runs` says that the guest
    may run before all vaddrs are valid again.
    """

    name: str
    least: int | None
    most: int | None
    steps: int | None
    longest: int | None
    certain: bool
    never: bool
    runs: bool
    by: tuple[str, ...]


Counts = tuple[Count, ...]


def clean_run(view: View) -> Counts | None:
    """The operations on a shortest run to a successful update by steps of processes; None when there is none.

    The graph is that of a system without faults.  Actions, which are not obliged to happen, take no part.
    """
    located = {i for i, process in enumerate(view.system.processes) if process.location is not None}
    goals = view.where("update", {DONE})
    return _path(view, view.steps_of(located), range(view.graph.initial), goals)


def start_and_stop(view: View) -> Counts | None:
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
            found = _path(view, edges, [(start, False)], {(node, True) for node in goals})
            if found is not None:
                return found
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


def _path(view: View, edges: Iterable[Step], starts: Iterable[Hashable], goals: Iterable[Hashable]) -> Counts | None:
    """The operations on a shortest path from one of `starts` to one of `goals`; None when there is none.

    Of several shortest ones it is one with the fewest operations, and of these one with the fewest of each kind, in
    the order of the groups and of OPERATIONS: the order in which a model offers its choices decides nothing.
    """
    edges = list(edges)
    kinds = _kinds(view.system)
    graph: nx.DiGraph[Hashable] = nx.DiGraph()
    graph.add_nodes_from(("start", "goal"))
    costs = {step: _performed(view.system, step) for _, _, step in edges}
    unit = 1 + len(edges) * max((cost.total() for cost in costs.values()), default=0)
    weights = {
        step: reduce(lambda sum_, times: sum_ * unit + times, (cost.total(), *(cost[kind] for kind in kinds)), 1)
        for step, cost in costs.items()
    }
    for a, b, step in edges:
        if not graph.has_edge(a, b) or weights[step] < graph.edges[a, b]["weight"]:
            graph.add_edge(a, b, step=step, weight=weights[step])
    graph.add_edges_from(("start", node) for node in starts)
    graph.add_edges_from((node, "goal") for node in goals)
    try:
        nodes = nx.dijkstra_path(graph, "start", "goal")
    except nx.NetworkXNoPath:
        return None
    times = sum((costs[graph.edges[a, b]["step"]] for a, b in pairwise(nodes[1:-1])), Counter[Performed]())
    return tuple(Count(*kind, times[kind]) for kind in kinds if times[kind])


def _kinds(system: System) -> list[Performed]:
    """All operations that may be counted, in their order."""
    groups = dict.fromkeys(process.group or "" for process in system.processes)
    return [(group, kind) for group in groups for kind in OPERATIONS]


def _performed(system: System, step: int) -> Counter[Performed]:
    """The operations of one transition."""
    transition = system.transitions[step]
    group = system.processes[transition.process].group or ""
    return Counter((group, event.name) for event in transition.events if event.name in OPERATIONS)


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
        self.most = self._longest(lambda a, b: self.between.edges[a, b]["most"])
        self.longest = self._longest(lambda a, b: int(a != b))
        self.before = leading_to(self.between, everybody)
        self.by = {name: leading_to(self.between, nodes) for name, nodes in self.sources.items()}
        self.stays = leading_to(view.plain(view.calm).subgraph(view.exposed), staying(view.graph, view.exposed))
        self.runs = leading_to(
            view.plain(view.edges).subgraph(view.exposed), view.exposed & view.where("guest", {RUNS})
        )

    def _longest(self, weight: Callable[[int, int], int]) -> dict[int, float]:
        """For each node from which a restore can be reached, the most that a way to one weighs before it.

        Infinite round a loop that weighs something.
        """
        dag = nx.condensation(self.between.subgraph(self.least))
        most: dict[int, float] = {}
        for component in reversed(list(nx.topological_sort(dag))):
            members = dag.nodes[component]["members"]
            longest = 0.0
            for a, b in self.between.out_edges(members):
                if b in members and weight(a, b):
                    longest = math.inf
                elif b in most:
                    longest = max(longest, weight(a, b) + most[b])
            most |= dict.fromkeys(members, longest)
        return most

    def failure(self, name: str, nodes: tuple[int, ...]) -> Failure:
        """What follows a failure called `name` that leads to one of `nodes`."""
        restored = [node for node in nodes if node in self.least]
        return Failure(
            name,
            min((self.least[node] for node in restored), default=None),
            _bound(self.most[node] for node in restored),
            min((self.before[node] + 1 for node in restored), default=None),
            _bound(self.longest[node] + 1 for node in restored),
            len(restored) == len(nodes) and not any(node in self.stays for node in nodes),
            len(restored) < len(nodes),
            any(node in self.runs for node in nodes),
            tuple(by for by, leading in self.by.items() if any(node in leading for node in nodes)),
        )


def _bound(numbers: Iterable[float]) -> int | None:
    """The greatest of `numbers`, unless there is none or it is infinite."""
    most = max(numbers, default=math.inf)
    return None if most == math.inf else int(most)


def restorers(system: System, transition: Transition) -> tuple[str, ...]:
    """Who restores an address in this step, other than the new QEMU; the process where the event does not say."""
    return tuple(sorted(givers(system, transition) - {NEW}))
