# SPDX-License-Identifier: Apache-2.0
"""Breadth-first search over all reachable states, with a generated successor function.

The first violation found is a shortest one.  The search ends when there are no more states, when every
question has been answered, or at a limit; what was left out is said, and never taken for a proof.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from time import monotonic

from cprcheck.lower.python import Compiled, Packed, compile_predicate, compile_system
from cprcheck.passes.safety import Goal, with_last_step
from cprcheck.semantics import initial_states
from cprcheck.system import System
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Size, Status

NAME = "explicit"
Progress = Callable[[int, int], None]
"""Called now and then with the number of states and the depth so far."""


@dataclass(frozen=True)
class Limits:
    """Where to give up: `states` found, or `seconds` spent.  None is no limit."""

    states: int | None = None
    seconds: float | None = None


@dataclass
class Search:
    """A finished search.

    `parents` maps each packed state found to the state it was first reached from (None for an initial one),
    in the order of discovery.  `found` gives, for a decided property, the packed state that decides it.
    `stopped` says why the search ended early, and is empty when every reachable state was seen.
    """

    system: System
    compiled: Compiled
    parents: dict[Packed, Packed | None] = field(default_factory=dict)
    found: dict[str, Packed] = field(default_factory=dict)
    generated: int = 0
    depth: int = 0
    stopped: str = ""

    @property
    def size(self) -> Size:
        """The size of what was seen."""
        return Size(len(self.parents), self.generated, self.depth, not self.stopped)

    def trace_to(self, packed: Packed) -> Trace:
        """A shortest run to a state of this search."""
        path = [packed]
        while (parent := self.parents[path[-1]]) is not None:
            path.append(parent)
        path.reverse()
        steps = tuple(next(step for step, to in self.compiled.successors(a) if to == b) for a, b in pairwise(path))
        return Trace(tuple(map(self.compiled.layout.unpack, path)), steps)


def search(
    system: System,
    goals: Sequence[Goal] = (),
    limits: Limits | None = None,
    progress: Progress | None = None,
    *,
    whole: bool = False,
) -> Search:
    """Search `system` for the states that decide `goals`.

    With no goals, or with `whole`, every reachable state is visited; otherwise the search ends when all goals
    are decided.  Either way it ends at a limit.
    """
    return _Run(system, goals, limits or Limits(), progress, whole or not goals).run()


class _Run:
    """The state of one search."""

    def __init__(
        self, system: System, goals: Sequence[Goal], limits: Limits, progress: Progress | None, whole: bool
    ) -> None:
        self.result = Search(system, compile_system(system))
        self.limits, self.progress, self.whole = limits, progress, whole
        layout = self.result.compiled.layout
        self.open = {goal.prop.name: compile_predicate(goal.bad, layout) for goal in goals}
        self.deadline = None if limits.seconds is None else monotonic() + limits.seconds

    def run(self) -> Search:
        """Level by level, until there is nothing more to see or to ask."""
        result, parents = self.result, self.result.parents
        targets = result.compiled.targets
        frontier = [result.compiled.layout.pack(state) for state in initial_states(result.system)]
        frontier = list(dict.fromkeys(frontier))
        result.generated = len(frontier)
        parents.update(dict.fromkeys(frontier))
        while frontier:
            if self.answered(frontier) or self.spent():
                break
            fresh: list[Packed] = []
            for number, state in enumerate(frontier):
                out = targets(state)
                result.generated += len(out)
                for to in out:
                    if to not in parents:
                        parents[to] = state
                        fresh.append(to)
                if number & 0x3FFF == 0x3FFF and self.spent():
                    break
            if not fresh:
                break
            result.depth += 1
            if self.spent():
                self.answered(fresh)
                break
            frontier = fresh
        return result

    def answered(self, states: list[Packed]) -> bool:
        """Try the open questions on `states`, a whole level or the part of one that was reached."""
        for name, holds in list(self.open.items()):
            hit = next(filter(holds, states), None)
            if hit is not None:
                self.result.found[name] = hit
                del self.open[name]
        if self.open or self.whole:
            return False
        self.result.stopped = "every question was answered"
        return True

    def spent(self) -> bool:
        """Whether a limit has been reached; says so in the result."""
        states = len(self.result.parents)
        if self.progress:
            self.progress(states, self.result.depth)
        if self.limits.states is not None and states >= self.limits.states:
            self.result.stopped = f"truncated at {states:,} states".replace(",", " ")
        elif self.deadline is not None and monotonic() > self.deadline:
            self.result.stopped = f"timed out after {self.limits.seconds:g} s"
        return self.result.stopped != ""


def answers(result: Search, goals: Sequence[Goal]) -> dict[str, Answer]:
    """What the search says about each goal, by property name."""
    return {goal.prop.name: _answer(result, goal) for goal in goals}


def _answer(result: Search, goal: Goal) -> Answer:
    if goal.prop.name in result.found:
        trace = with_last_step(result.system, goal, result.trace_to(result.found[goal.prop.name]))
        return Answer(goal.found, NAME, f"{len(trace)} steps", trace)
    if result.stopped:
        return Answer(Status.UNKNOWN, NAME, reason=result.stopped)
    return Answer(goal.excluded, NAME, "all reachable states")
