# SPDX-License-Identifier: Apache-2.0
"""What a finite run cannot decide: leads-to, always possible, nobody stuck.  On the graph of all states.

A *lasso* is a stem and a loop.  A loop is fair to a weakly fair process when the process moves in it, or cannot
move in some state of it; the loops within one strongly connected component are fair to it together exactly when
one walk through all of the component is.  Faults may lie on the stem, never in the loop: they are finite in
number.  A run may also stay in a state for ever when no fair process can move there.

A strongly fair process that could move again and again, and never does, excuses a loop.  Where only that is in
question the answer is UNKNOWN.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace

import networkx as nx

from cprcheck.engines.graph import StateGraph
from cprcheck.expr import Expr
from cprcheck.semantics import evaluate
from cprcheck.system import Fairness, Kind, Property
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Status

NAME = "liveness"
LIVENESS = frozenset({Kind.LEADS_TO, Kind.ALWAYS_POSSIBLE, Kind.NO_STUCK})
"""The kinds that this engine answers."""
BASIS = "all reachable states"

Edge = tuple[int, int, int]
"""(node, node, transition)"""
Path = tuple[list[int], list[int]]
"""(nodes, transitions between them)"""


def check(graph: StateGraph, properties: Sequence[Property]) -> dict[str, Answer]:
    """Answer those of `properties` that are about infinite runs, or about what stays possible."""
    engine = _Engine(graph)
    answer: dict[Kind, Callable[[Property], Answer]] = {
        Kind.LEADS_TO: engine.leads_to,
        Kind.ALWAYS_POSSIBLE: engine.always_possible,
        Kind.NO_STUCK: engine.nobody_stuck,
    }
    return {prop.name: answer[prop.kind](prop) for prop in properties}


def staying(graph: StateGraph, nodes: Set[int]) -> set[int]:
    """Those of `nodes` in loops among them in which a run can stay for ever, weakly fair to all, without a fault."""
    return {node for loop in _Engine(graph).loops(nodes) for node in loop}


class _Engine:
    """One graph, and the questions about it."""

    def __init__(self, graph: StateGraph) -> None:
        self.graph, self.system = graph, graph.system
        self.edges = graph.graph
        self.everything = set(range(len(graph.states)))
        self.faulty = {i for i, t in enumerate(self.system.transitions) if t.faults}
        self.fair = [i for i, p in enumerate(self.system.processes) if p.fairness is not Fairness.NONE]
        self.strong = [i for i, p in enumerate(self.system.processes) if p.fairness is Fairness.STRONG]

    # ---- helpers --------------------------------------------------------------------------------------------

    def where(self, formula: Expr) -> set[int]:
        """The nodes in which `formula` holds."""
        return {node for node, state in enumerate(self.graph.states) if evaluate(formula, state)}

    def mover(self, step: int) -> int:
        """The process that takes transition `step`."""
        return self.system.transitions[step].process

    def can_move(self, node: int) -> set[int]:
        """The processes that can move at `node` without a fault."""
        return {self.mover(step) for _, _, step in self.edges.out_edges(node, keys=True) if step not in self.faulty}

    def is_quiet(self, step: int) -> bool:
        """A step of a fair process, without a fault."""
        return step not in self.faulty and self.mover(step) in self.fair

    def path(
        self, sources: Iterable[int], goal: Set[int], inside: Set[int] | None = None, *, calm: bool = False
    ) -> Path:
        """(nodes, steps) of a shortest path from one of `sources` to one of `goal`.

        All of it lies in `inside`; `calm` leaves out the steps with faults.
        """
        came: dict[int, tuple[int, int] | None] = dict.fromkeys(sources)
        queue = deque(came)
        while queue:
            node = queue.popleft()
            if node in goal:
                return self._back(came, node)
            for _, to, step in self.edges.out_edges(node, keys=True):
                if to not in came and (inside is None or to in inside) and not (calm and step in self.faulty):
                    came[to] = (node, step)
                    queue.append(to)
        raise ValueError("there is no such path")

    def _back(self, came: dict[int, tuple[int, int] | None], node: int) -> Path:
        nodes, steps = [node], []
        while (origin := came[nodes[-1]]) is not None:
            nodes.append(origin[0])
            steps.append(origin[1])
        return nodes[::-1], steps[::-1]

    def stem(self, goal: Set[int]) -> Path:
        """A shortest run from an initial state to one of `goal`."""
        return self.path(range(self.graph.initial), goal)

    def reach(
        self, sources: Iterable[int], allowed: Callable[[int, int], bool], *, backwards: bool = False
    ) -> set[int]:
        """The nodes on paths from `sources` (or to them) along edges with `allowed(node arrived at, step)`."""
        seen = set(sources)
        stack = list(seen)
        while stack:
            node = stack.pop()
            edges = self.edges.in_edges(node, keys=True) if backwards else self.edges.out_edges(node, keys=True)
            for origin, to, step in edges:
                other = origin if backwards else to
                if other not in seen and allowed(other, step):
                    seen.add(other)
                    stack.append(other)
        return seen

    def violated(self, lost: Set[int]) -> Answer:
        """HOLDS when no node is lost, else a shortest run to one that is."""
        if not lost:
            return Answer(Status.HOLDS, NAME, BASIS)
        nodes, steps = self.stem(lost)
        return Answer(Status.VIOLATED, NAME, f"{len(steps)} steps", self.graph.trace(nodes, steps))

    # ---- always possible, nobody stuck ------------------------------------------------------------------------

    def always_possible(self, prop: Property) -> Answer:
        """From every reachable state (that satisfies the premise) the goal can be reached.

        A `quiet` property counts only steps of fair processes without a fault on the way.
        """
        premise, goal = prop.formulas
        saved = self.reach(self.where(goal), lambda _, step: not prop.quiet or self.is_quiet(step), backwards=True)
        return self.violated(self.where(premise) - saved)

    def nobody_stuck(self, prop: Property) -> Answer:
        """A process that is neither done nor idle can still move, or be moved, in some possible future.

        Futures that need another fault do not count.
        """
        lost: dict[int, str] = {}
        for index, process in enumerate(self.system.processes):
            if process.location is not None:
                lost |= dict.fromkeys(self._stuck(index, process.location) - lost.keys(), process.name)
        answer = self.violated(lost.keys())
        if answer.trace is None:
            return answer
        name = lost[self.graph.states.index(answer.trace.states[-1])]
        return replace(answer, detail=f"{name} waits, and nothing that can still happen without a fault frees it")

    def _stuck(self, index: int, slot: int) -> set[int]:
        """The nodes in which the process waits, and will for ever."""
        done = self.system.processes[index].done
        waiting = {n for n, state in enumerate(self.graph.states) if state[slot] not in done}
        waiting -= {n for n in waiting if index in self.can_move(n)}
        if not waiting:
            return waiting
        movers = {
            i
            for i, t in enumerate(self.system.transitions)
            if i not in self.faulty and (t.process == index or any(target == slot for target, _ in t.update))
        }
        moved = {node for node, _, step in self.edges.edges(keys=True) if step in movers}
        return waiting - self.reach(moved, lambda _, step: step not in self.faulty, backwards=True)

    # ---- leads-to ---------------------------------------------------------------------------------------------

    def leads_to(self, prop: Property) -> Answer:
        """Whenever the trigger holds, the response holds then or later, on every fair run."""
        trigger, response = (self.where(formula) for formula in prop.formulas)
        waiting = self.everything - response
        sources = trigger & waiting
        pending = self.reach(sources, lambda node, _: node in waiting)
        lassos, excused = [], False
        for component in self.loops(pending):
            if not self._fair_to(component, self.strong, repeated=True):
                excused = True
            else:
                lassos.append(self._lasso(component, sources, waiting))
        if lassos:
            best = min(lassos, key=lambda trace: (len(trace), trace.states))
            return Answer(Status.VIOLATED, NAME, _say(best), best)
        if excused:
            reason = "only strong fairness rules the loops out, which is not decided yet"
            return Answer(Status.UNKNOWN, NAME, reason=reason)
        return Answer(Status.HOLDS, NAME, BASIS)

    def loops(self, pending: Set[int]) -> Iterator[set[int]]:
        """The sets of nodes in `pending` in which a run can stay for ever, weakly fair to all."""
        calm = nx.subgraph_view(self.edges.subgraph(pending), filter_edge=lambda a, b, step: step not in self.faulty)
        for component in nx.strongly_connected_components(calm):
            if self._fair_to(component, self.fair, repeated=False):
                yield component
                if len(component) > 1 and self.strong:
                    yield from ({node} for node in sorted(component) if not self.can_move(node) & set(self.fair))

    def _fair_to(self, component: set[int], processes: list[int], *, repeated: bool) -> bool:
        """Whether staying in `component` for ever is fair to `processes`.

        `repeated` asks for strong fairness: a process that can move anywhere in the component has to.
        """
        moving = {self.mover(step) for _, _, step in self._inside(component)}
        for process in processes:
            if process in moving:
                continue
            able = sum(process in self.can_move(node) for node in component)
            if able == len(component) or (repeated and able):
                return False
        return True

    def _inside(self, component: set[int]) -> list[Edge]:
        """The edges without a fault between nodes of `component`."""
        edges = self.edges.out_edges(sorted(component), keys=True)
        return [(a, b, step) for a, b, step in edges if b in component and step not in self.faulty]

    def _lasso(self, component: set[int], sources: set[int], waiting: set[int]) -> Trace:
        """A run that raises the trigger, goes on waiting into `component`, and walks in it fairly for ever."""
        before = self.reach(component, lambda node, _: node in waiting, backwards=True)
        nodes, steps = self.stem(before & sources)
        nodes, steps = _append((nodes, steps), self.path(nodes[-1:], component, waiting))
        loop = len(steps)
        for node, edge in self._duties(component):
            nodes, steps = _append((nodes, steps), self.path(nodes[-1:], {node}, component, calm=True))
            if edge is not None:
                nodes, steps = _append((nodes, steps), ([edge[0], edge[1]], [edge[2]]))
        nodes, steps = _append((nodes, steps), self.path(nodes[-1:], {nodes[loop]}, component, calm=True))
        return self.graph.trace(nodes, steps, loop)

    def _duties(self, component: set[int]) -> Iterator[tuple[int, Edge | None]]:
        """For each fair process a node of `component` to visit: one where it cannot move, or with an edge to take."""
        inside = self._inside(component)
        for process in self.fair:
            unable = next((n for n in sorted(component) if process not in self.can_move(n)), None)
            edge = next((edge for edge in inside if self.mover(edge[2]) == process), None)
            if edge is not None and (unable is None or process in self.strong):
                yield edge[0], edge
            elif unable is not None:
                yield unable, None


def _append(path: Path, more: Path) -> Path:
    """`path` and then `more`, which starts where `path` ends."""
    return path[0] + more[0][1:], path[1] + more[1]


def _say(trace: Trace) -> str:
    stem = trace.loop if trace.loop is not None else len(trace)
    return f"lasso of {stem} + {len(trace) - stem} steps"
