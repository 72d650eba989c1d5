# SPDX-License-Identifier: Apache-2.0
"""What an engine answers, as data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from cprcheck.errors import Source
from cprcheck.system import Property, System
from cprcheck.trace import Trace


class Status(Enum):
    """The five answers."""

    HOLDS = "HOLDS"
    VIOLATED = "VIOLATED"
    REACHABLE = "REACHABLE"
    UNREACHABLE = "UNREACHABLE"
    UNKNOWN = "UNKNOWN"

    @property
    def good(self) -> bool:
        """Whether it is what the author of the property hopes for."""
        return self in (Status.HOLDS, Status.REACHABLE)

    @property
    def bad(self) -> bool:
        """Whether it is a definite disappointment."""
        return self in (Status.VIOLATED, Status.UNREACHABLE)


@dataclass(frozen=True)
class Answer:
    """What one engine says about one property.

    `basis` tells what the answer rests on ("all reachable states", "17 steps").  `reason` tells why it is
    UNKNOWN.  `detail` says what the last state of the trace shows, where the formula does not.
    `certificate` holds SMT-LIB files by name, each unsatisfiable.
    """

    status: Status
    engine: str
    basis: str = ""
    trace: Trace | None = None
    reason: str = ""
    detail: str = ""
    certificate: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Size:
    """How large the explored part of a System is.

    `generated` is the initial states plus one for each state and each transition enabled in it; `depth` is the
    largest number of steps of a shortest run to a state.  `complete` says that nothing was left out.
    """

    states: int
    generated: int
    depth: int
    complete: bool


@dataclass(frozen=True)
class Verdict:
    """The answer to one property, after all engines have spoken and been compared.

    `answers` are those of the engines that ran; `trace` has been replayed.  `violated` is the part of the
    claim that fails at the end of the trace, in words; `where` has the values there of the slots that it reads, and
    `claimed` the author's lines that claim it; `severity` grades that state, as the model says.
    """

    prop: Property
    status: Status
    answers: tuple[Answer, ...]
    trace: Trace | None = None
    violated: str = ""
    severity: str = ""
    where: tuple[tuple[str, str], ...] = ()
    reason: str = ""
    claimed: tuple[Source, ...] = field(default=(), compare=False)

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that gave this answer."""
        return tuple(answer.engine for answer in self.answers if answer.status is self.status)

    @property
    def basis(self) -> str:
        """What the first engine that gave this answer rests on."""
        return next((answer.basis for answer in self.answers if answer.status is self.status), "")


@dataclass(frozen=True)
class Report:
    """All verdicts about one System, with what they have in common.

    `size` is that of the explicit search, None when there was none.  `scope` says what the verdicts are about,
    one clause each.  `unreached` lists the transitions that no reachable state enables; None when nobody looked.
    `disagreements` is empty unless something is wrong with cprcheck itself.  `lost` says why there is no answer at all:
    then the System is only a name with parameters, every verdict is UNKNOWN, and nothing is as anybody declared it.
    """

    system: System
    verdicts: tuple[Verdict, ...]
    size: Size | None
    scope: tuple[str, ...] = ()
    unreached: tuple[int, ...] | None = None
    disagreements: tuple[str, ...] = ()
    lost: str = ""

    @property
    def ok(self) -> bool:
        """Whether every property is as its author hopes, and nothing is unknown."""
        return not self.disagreements and all(verdict.status.good for verdict in self.verdicts)

    def __getitem__(self, name: str) -> Verdict:
        """The verdict about the property called `name`.  Raises KeyError when there is none."""
        for verdict in self.verdicts:
            if verdict.prop.name == name:
                return verdict
        raise KeyError(name)
