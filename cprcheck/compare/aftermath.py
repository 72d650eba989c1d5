# SPDX-License-Identifier: Apache-2.0
"""A failure matrix as data: where something fails, and how a run ends after that."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import Enum

from cprcheck.system import System
from cprcheck.trace import Trace
from cprcheck.verdict import Size


@dataclass(frozen=True)
class Place:
    """Where something fails: the fault's label, or who refuses what, in `process` at the step `step`.

    `injected` says that the real kernel cannot fail like that.
    """

    name: str
    process: str
    step: str
    injected: bool = False

    @property
    def role(self) -> tuple[str, str]:
        """What two designs may have in common, though their steps have other names."""
        return self.name, self.process


NEXT = "another attempt"
"""The name of the place at which another attempt begins; nothing fails there."""


class When(Enum):
    """When the last address was given after a failure, by whomever.

    BEFORE or AFTER the guest ran without it; PARTLY: some were given, and some are invalid in the end; NEVER: some are
    invalid, and none was given; NOTHING: none was given, and none is invalid in the end.
    """

    NOTHING = "-"
    NEVER = "never"
    PARTLY = "not all"
    BEFORE = "before"
    AFTER = "after"


class Again(Enum):
    """Whether another attempt can succeed, when nothing fails any more and nobody interferes; it need not.

    LATER: the next attempt cannot, one after it can.  UNKNOWN: the model has no other attempt.
    """

    NEEDLESS = "-"
    YES = "yes"
    LATER = "not the next"
    NO = "no"
    UNKNOWN = "?"


@dataclass(frozen=True)
class End:
    """How a run ends: where nobody has to move any more, or goes round for ever (`endless`).

    `guest` and `update` are what the model's outcomes say; `vaddrs` has what each container's addresses are, or
    without a name what the model says of all together.  `by` names who has given addresses since the failure.
    `severity` is the worst that is hurt at the end, as the model says.  Round a loop, what differs is joined by "or".
    """

    guest: str
    vaddrs: tuple[tuple[str, str], ...]
    update: str
    by: tuple[str, ...]
    when: When
    again: Again
    severity: str
    endless: bool = False


@dataclass(frozen=True)
class Row:
    """One way in which runs end after failures at `places`, in this order; none when nothing fails.

    `trace` is a shortest such run, up to where nobody has to move, or to a state of the loop; it has been replayed.
    """

    places: tuple[Place, ...]
    end: End
    trace: Trace = field(compare=False)


@dataclass(frozen=True)
class Matrix:
    """All rows of a System: those without a failure first, then by place.

    `silent` names what could fail and never does within the rows.  `leaving` counts states in loops that a run may
    leave and need not: the rows suppose that it does.  `stopped` says why there are no rows.
    """

    system: System
    size: Size
    rows: tuple[Row, ...] = ()
    silent: tuple[str, ...] = ()
    leaving: int = 0
    stopped: str = ""

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """Only this one."""
        return (self,)


@dataclass(frozen=True)
class Match:
    """The rows of two matrices about the same failures; on one side there may be none."""

    left: tuple[Row, ...]
    right: tuple[Row, ...]

    @property
    def differs(self) -> bool:
        """Whether something can end in only one of the two as it does."""
        return {row.end for row in self.left} != {row.end for row in self.right}


@dataclass(frozen=True)
class Beside:
    """Two matrices, and their rows matched; with `changed` only those that differ are to be shown.

    What has a role in `apart` is matched step by step.
    """

    left: Matrix
    right: Matrix
    matches: tuple[Match, ...]
    changed: bool = False
    apart: frozenset[tuple[str, str]] = frozenset()

    @property
    def matrices(self) -> tuple[Matrix, ...]:
        """Both."""
        return self.left, self.right

    @property
    def names(self) -> tuple[str, str]:
        """What the two designs are called: by name, and by number where the names are the same."""
        one, two = self.left.system.name, self.right.system.name
        return (one, two) if one != two else (f"{one} (1)", f"{two} (2)")

    @property
    def shown(self) -> tuple[Match, ...]:
        """The matches to be shown."""
        return tuple(match for match in self.matches if match.differs or not self.changed)


def beside(left: Matrix, right: Matrix, *, changed: bool = False) -> Beside:
    """The rows of two designs, matched by what fails in which process.

    What fails alike at several steps is told apart by the step where both designs call these steps the same; otherwise
    it is taken together.  What fails only on the right comes last.
    """
    steps = [_steps(matrix) for matrix in (left, right)]
    apart = frozenset(role for role in steps[0].keys() & steps[1].keys() if steps[0][role] == steps[1][role])

    def key(row: Row) -> tuple[tuple[str, ...], ...]:
        return tuple((*place.role, place.step) if place.role in apart else place.role for place in row.places)

    about = [_by_end(matrix, key) for matrix in (left, right)]
    matches = (Match(*(tuple(rows.get(wanted, {}).values()) for rows in about)) for wanted in about[0] | about[1])
    return Beside(left, right, tuple(matches), changed, apart)


def _steps(matrix: Matrix) -> dict[tuple[str, str], set[str]]:
    """The steps at which each thing fails."""
    found: dict[tuple[str, str], set[str]] = {}
    for row in matrix.rows:
        for place in row.places:
            found.setdefault(place.role, set()).add(place.step)
    return found


def _by_end(matrix: Matrix, key: Callable[[Row], Hashable]) -> dict[Hashable, dict[End, Row]]:
    """The first row for each end, of those with one key."""
    found: dict[Hashable, dict[End, Row]] = {}
    for row in matrix.rows:
        found.setdefault(key(row), {}).setdefault(row.end, row)
    return found
