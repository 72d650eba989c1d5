# SPDX-License-Identifier: Apache-2.0
"""The questions that the figures of designs answer, one section each."""

from __future__ import annotations

from collections.abc import Sequence

from cprcheck.compare.measuring import Figures
from cprcheck.compare.pareto import standings
from cprcheck.compare.parts import Versus
from cprcheck.report.compare_pair import pair_section
from cprcheck.report.compare_tables import (
    DETAILED,
    Section,
    Table,
    again,
    by_scope,
    leftovers,
    operations,
    restores,
    standing,
    tests,
    verdicts,
)


def sections(found: Sequence[Figures], pairs: Sequence[Versus] = ()) -> list[Section]:
    """The figures of all designs, question by question, and in the end what tells two of them apart.

    A single design is on no front: there is nobody who could be better.
    """
    front = [_standing(found)] if len(found) > 1 else []
    return [_verdicts(found), *_costs(found), *_failures(found), *front, *pair_section(pairs)]


def _costs(found: Sequence[Figures]) -> list[Section]:
    containers = max((run.containers for each in found for series in each.clean for run in series.runs), default=0)
    numbers = f"the numbers for C = 1 to {containers}"
    made = (
        "A formula was made from C = 1 to 3 and, where N is varied, N = 0 to 2, and holds at other sizes, "
        f"C = {containers} among them; where there is none there are {numbers}; ? is unknown."
    )
    cells = (
        "C containers have a physical group each; N devices are saved beside the two or three of every VM.  "
        + (made if containers > 3 else f"Each cell: {numbers}, too few for a formula; ? is unknown.")
    )  # fmt: skip
    return [
        Section(
            "Lines of code",
            "Of the design's own file, without blank lines, comments and docstrings.",
            (Table("", "", ("design", "file", "lines"), tuple((f.design, f.file, str(f.lines)) for f in found)),),
        ),
        Section(
            "Operations on a run without failure",
            "On a shortest run to a successful update, of several on one with the fewest operations, by who performs "
            "them; never: there is no such run.  What devices do when they are realized, before the update, is not "
            "counted: a counter or blocker tests each device's container then (2 ioctls at most).  " + cells,
            by_scope(found, lambda figures: figures.clean, operations),
        ),
        Section(
            "Operations of a stop and a cont outside an update",
            "On a shortest way from a running guest to a running guest, of several on one with the fewest operations; "
            f"never: there is no such way.  {cells}",
            by_scope(found, lambda figures: figures.starts, tests),
        ),
    ]


def _failures(found: Sequence[Figures]) -> list[Section]:
    folded = (
        f"  Of more than {DETAILED} designs all failures of a design are in one row: compare fewer, or see --json."
        if len(found) > DETAILED
        else ""
    )
    return [
        Section(
            "From a failure to the restore",
            "A failure is a fault or a refusal that leaves a vaddr invalid in a living old QEMU.  Counted are the "
            "steps that may fail between it and the first MAP(V) of whoever restores, and all steps to that MAP(V), at "
            "least and at most; never: no restore can be reached; no bound: they lie in a loop on the way.  All steps "
            "are those of whichever processes and of the user, whose command may have been typed before the failure "
            "and is no step then; the failure does not count, nor what changes nothing; the MAP(V) does.  Certain: on "
            "every weakly fair run all vaddrs become valid again, not only the first, unless the old QEMU ends.  Guest "
            f"runs: it may, with an invalid vaddr, before all are valid again.{folded}",
            by_scope(found, lambda figures: figures.restores, restores),
        ),
        Section(
            "What nobody recovers",
            "Faults and refusals after which, without another fault, a vaddr may stay invalid for good in a living old "
            "QEMU: what has to happen leads nowhere else.  And those after which the VM may be lost: it is in no QEMU, "
            "or for good in a new one where the update has failed.  Failures: how many of all that can happen leave "
            "one or the other behind.  What every design leaves behind is said once.",
            by_scope(found, lambda figures: figures.left, leftovers),
        ),
        Section(
            "Two failures, and another attempt",
            "Where the management tries up to three times, and at most two faults happen.  Pairs left: how many of "
            "those that can be the first two failures of a run may leave a vaddr invalid for good, or the VM lost; "
            "after a failure that ends everything there is no second.  Neither does it alone: those in which it takes "
            "both.  Can succeed: after how many of the failures that can be the first of a run the update can still "
            "succeed when nothing else fails, wherever they strike; and after which it cannot, or not everywhere.",
            by_scope(found, lambda figures: figures.again, again),
        ),
    ]


def _verdicts(found: Sequence[Figures]) -> Section:
    return Section(
        "Verdicts",
        "With any finite number of real faults.  V 8: VIOLATED, the shortest trace has 8 steps; V 8+2: a stem and a "
        "loop, not said to be shortest; R 20: REACHABLE; never: UNREACHABLE; ?: UNKNOWN; -: the design has no such "
        "property.  Of several instances the worst counts.  The second row of a property is that of the environment it "
        "names, where it changes something.",
        verdicts(found),
    )


def _standing(found: Sequence[Figures]) -> Section:
    return Section(
        "The Pareto front",
        "A design is dominated when another is at least as good in every column and better in one; less is better.  "
        "Operations: with the largest C.  The rest counts over all topologies and environments above, and only what "
        "can be counted of every design: properties that all have, faults that can strike all, and each design's own "
        "refusals.  Bad verdicts: VIOLATED or UNREACHABLE.  Failures left: those that nobody recovers; pairs of "
        "failures do not count, since a design that ends at the first has fewer.  No way on: first failures after "
        "which the update cannot succeed any more, or not wherever they strike.  Nothing is weighed.  That a design is "
        "on the front says that nothing here is better in all; where two do different jobs, neither is the better one.",
        standing(standings(found)),
    )
