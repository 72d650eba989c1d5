# SPDX-License-Identifier: Apache-2.0
"""Who is worse than another in something and better in nothing; nobody is declared the winner among the others.

What is counted is listed in `OBJECTIVES`; less is better in all of it.  Only what can be counted of every design is:
properties that all have, and faults that can strike all of them.  (Where containers have no vmstate, no device is saved
between two of them, and that is no merit.)  A refusal counts where it happens: it is the design's own.

Pairs of failures that are left are no objective.  After a first failure that ends all there is no second: a design that
dies at once has fewer pairs than one that goes on, and that is no merit either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from cprcheck.compare.formula import Size
from cprcheck.compare.measuring import Figures
from cprcheck.compare.parts import Run
from cprcheck.compare.view import is_refusal
from cprcheck.verdict import Status

BAD = frozenset(status.value for status in Status if status.bad)
OBJECTIVES = (
    "operations of an update",
    "operations of a stop and a cont",
    "bad verdicts",
    "failures left",
    "no way on",
)
"""Operations with the most containers that were counted.  The others over all topologies and environments: verdicts
VIOLATED or UNREACHABLE; failures that may leave a vaddr invalid for good or the VM lost; first failures after which the
update cannot succeed any more, or not wherever they strike."""
WHAT = ("single", "attempt")
"""The last two of them, in short."""


@dataclass(frozen=True)
class Standing:
    """The objectives of one design on one kernel, and which designs dominate it; with nobody it is on the front.

    `values` is None where something is not known, there is no successful update, or the design's management never
    tries again; then nothing is said.
    """

    design: str
    kernel: str
    values: tuple[int, ...] | None
    dominated_by: tuple[str, ...]


def standings(found: Sequence[Figures]) -> tuple[Standing, ...]:
    """How the designs stand to each other, kernel by kernel."""
    made = []
    for kernel in dict.fromkeys(series.scope.kernel for figures in found for series in figures.clean):
        values = _objectives(found, kernel)
        by = dominated({name: each for name, each in values.items() if each is not None})
        made += [Standing(name, kernel, each, by.get(name, ())) for name, each in values.items()]
    return tuple(made)


def dominated(measured: Mapping[str, Sequence[int]]) -> dict[str, tuple[str, ...]]:
    """For each name, who is at least as good in everything and better in something; less is better.

    Those with nobody are the *Pareto front*.
    """
    return {
        name: tuple(
            other
            for other, theirs in measured.items()
            if all(a <= b for a, b in zip(theirs, mine, strict=True)) and tuple(theirs) != tuple(mine)
        )
        for name, mine in measured.items()
    }


def _objectives(found: Sequence[Figures], kernel: str) -> dict[str, tuple[int, ...] | None]:
    """The objectives of each design on one kernel, in the order of `OBJECTIVES`."""
    verdicts = _common(found, lambda figures: {name for name, _ in _verdicts(figures, kernel)})
    failures = _common(found, lambda figures: {at for at, _ in _failures(figures, kernel) if at[0] == "single"})
    values: dict[str, tuple[int, ...] | None] = {}
    for figures in found:
        counted = [
            _operations(series.runs) for series in (*figures.clean, *figures.starts) if series.scope.kernel == kernel
        ]
        if figures.reasons or len(counted) != 2 or None in counted or not figures.again:
            values[figures.design] = None
            continue
        bad = sum(status in BAD for name, status in _verdicts(figures, kernel) if name in verdicts)
        lefts: dict[str, int] = {}
        for (what, topology, name), left in _failures(figures, kernel):
            counts = is_refusal(name) or ("single", topology, name) in failures
            lefts[what] = lefts.get(what, 0) + (left and counts)
        values[figures.design] = (*(n for n in counted if n is not None), bad, *(lefts.get(w, 0) for w in WHAT))
    return values


def _common(found: Sequence[Figures], of: Callable[[Figures], set[tuple[str, ...]]]) -> set[tuple[str, ...]]:
    """What can be counted of every design."""
    return set.intersection(*map(of, found)) if found else set()


def _operations(runs: Iterable[Run]) -> int | None:
    """All operations at the largest size without other objects; None when there is no such run."""
    sized: dict[Size, Run] = {(run.containers, run.others): run for run in runs if not run.others}
    counts = sized[max(sized)].counts
    return None if counts is None else sum(count.times for count in counts)


def _verdicts(figures: Figures, kernel: str) -> list[tuple[tuple[str, ...], str]]:
    """(where and which property, verdict) of all verdicts on a kernel."""
    return [
        ((each.scope.topology, each.scope.env, finding.name), finding.status)
        for each in figures.verdicts
        if each.scope.kernel == kernel
        for finding in each.findings
    ]


def _failures(figures: Figures, kernel: str) -> list[tuple[tuple[str, str, str], bool]]:
    """((what, topology, name), whether it is bad) for failures that may leave something behind, and next attempts."""
    made: list[tuple[tuple[str, str, str], bool]] = []
    for left in figures.left:
        if left.scope.kernel == kernel:
            made += [(("single", left.scope.topology, name), name in left.left.names) for name in left.left.of]
    for again in figures.again:
        if again.scope.kernel == kernel:
            made += [(("attempt", again.scope.topology, each.name), not each.always) for each in again.attempts]
    return made
