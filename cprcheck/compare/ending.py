# SPDX-License-Identifier: Apache-2.0
"""How the runs of a model end, as data."""

from __future__ import annotations

from dataclasses import dataclass

from cprcheck.system import Fault, System
from cprcheck.trace import Trace
from cprcheck.verdict import Size

Aspects = tuple[tuple[str, str], ...]
"""(aspect, what is told of it), as the model declares them."""
Before = tuple[tuple[int, ...], ...]
"""For each step of a run, counted from 1, the steps that it directly comes after in whatever order."""


@dataclass(frozen=True)
class Ending:
    """All runs with one outcome.

    `trace` is a shortest of the `runs`, of these one with the fewest faults.  `different` of them differ by more than
    the order of independent steps; None when these were not counted.  `others` are some of these that differ so from
    `trace` and from each other, the shortest first.  `before` has, where it was asked for, what happens before what
    in `trace` and in each of `others`.  All have been replayed.
    """

    aspects: Aspects
    runs: int
    trace: Trace
    different: int | None = None
    others: tuple[Trace, ...] = ()
    before: tuple[Before, ...] = ()

    @property
    def shown(self) -> tuple[Trace, ...]:
        """`trace` and `others`."""
        return (self.trace, *self.others)

    def faults(self, system: System) -> tuple[Fault, ...]:
        """The faults that `trace` takes, in its order."""
        return faults_of(system, self.trace)


def faults_of(system: System, trace: Trace) -> tuple[Fault, ...]:
    """The faults that a run takes, in its order."""
    return tuple(fault for step in trace.steps for fault in system.transitions[step].faults)


@dataclass(frozen=True)
class Order:
    """One of the two orders of a race: a way to it and through it, and the `outcomes` that are then possible.

    The last `taken` steps of `way` are those that race: 2, or 1 where the other cannot be taken any more, or would not
    change anything.  Without outcomes nobody comes to rest from there.
    """

    way: Trace
    taken: int
    outcomes: tuple[Aspects, ...]


@dataclass(frozen=True)
class Race:
    """Two steps whose order decides how a run can end.

    `one` and `other` are the two orders in the first of so many `states`, reached by as few steps as can be.
    """

    one: Order
    other: Order
    states: int = 1

    @property
    def ways(self) -> tuple[Trace, Trace]:
        """The ways through both orders."""
        return self.one.way, self.other.way

    @property
    def steps(self) -> tuple[int, int]:
        """The two transitions that race."""
        return self.one.way.steps[-self.one.taken], self.other.way.steps[-self.other.taken]


@dataclass(frozen=True)
class Interleavings:
    """All runs of a System, by outcome, the outcome with most runs first.

    `endless` counts the reachable states from which no run comes to rest.  `stopped` says why something is missing,
    and is empty when the counts are exact: else each is a lower bound, a trace need not be a shortest one, and there
    may be more outcomes.  `merged` says why the numbers of really different runs are lower bounds too, or are missing.
    `races` are the pairs of steps that race, None when they were not asked for; `judged` is the property that was
    asked about, or empty where the outcomes decide.
    """

    system: System
    size: Size
    endings: tuple[Ending, ...] = ()
    endless: int = 0
    stopped: str = ""
    merged: str = ""
    races: tuple[Race, ...] | None = None
    judged: str = ""

    @property
    def runs(self) -> int:
        """How many runs there are."""
        return sum(ending.runs for ending in self.endings)

    @property
    def different(self) -> int | None:
        """How many runs are really different; None when these were not counted."""
        counts = [ending.different for ending in self.endings]
        return None if None in counts else sum(count for count in counts if count is not None)
