# SPDX-License-Identifier: Apache-2.0
"""How the runs of a model end, as data."""

from __future__ import annotations

from dataclasses import dataclass

from cprcheck.system import Fault, System
from cprcheck.trace import Trace
from cprcheck.verdict import Size


@dataclass(frozen=True)
class Ending:
    """All runs with one outcome.

    `aspects` are (aspect, what is told of it), as the model declares them.  `trace` is a shortest of the `runs`, of
    these one with the fewest faults; it has been replayed.
    """

    aspects: tuple[tuple[str, str], ...]
    runs: int
    trace: Trace

    def faults(self, system: System) -> tuple[Fault, ...]:
        """The faults that `trace` takes, in its order."""
        return tuple(fault for step in self.trace.steps for fault in system.transitions[step].faults)


@dataclass(frozen=True)
class Interleavings:
    """All runs of a System, by outcome, the outcome with most runs first.

    `endless` counts the reachable states from which no run comes to rest.  `stopped` says why something is missing,
    and is empty when the counts are exact: else each is a lower bound, a trace need not be a shortest one, and there
    may be more outcomes.
    """

    system: System
    size: Size
    endings: tuple[Ending, ...] = ()
    endless: int = 0
    stopped: str = ""

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return sum(ending.runs for ending in self.endings)
