# SPDX-License-Identifier: Apache-2.0
"""Walking a System by hand, with the reference interpreter."""

from __future__ import annotations

from cprcheck.semantics import initial_states, successors
from cprcheck.system import State, System
from cprcheck.trace import Trace


class Walk:
    """A run in progress: what has been done, and what could be done next."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.starts = list(initial_states(system))
        self.states: list[State] = [self.starts[0]] if len(self.starts) == 1 else []
        self.steps: list[int] = []

    @property
    def started(self) -> bool:
        """Whether an initial state has been chosen."""
        return bool(self.states)

    def options(self) -> list[tuple[int, State]]:
        """(transition, state after it) for each step that can be taken now; before the start, the initial states."""
        if not self.started:
            return [(-1, state) for state in self.starts]
        return successors(self.system, self.states[-1])

    def take(self, option: int) -> None:
        """Take option number `option`, counted from 0.  Raises IndexError when there is none."""
        options = self.options()
        if not 0 <= option < len(options):
            raise IndexError(option)
        step, state = options[option]
        if self.started:
            self.steps.append(step)
        self.states.append(state)

    def back(self) -> None:
        """Undo the last step; at the start there is nothing to undo."""
        if self.steps:
            self.steps.pop()
            self.states.pop()
        elif len(self.starts) > 1:
            self.states.clear()

    def trace(self) -> Trace:
        """The run so far."""
        return Trace(tuple(self.states), tuple(self.steps))
