# SPDX-License-Identifier: Apache-2.0
"""A run of a System, as data."""

from __future__ import annotations

from dataclasses import dataclass

from cprcheck.system import State


@dataclass(frozen=True)
class Trace:
    """k steps and the k + 1 states around them.

    `steps` are indices into `System.transitions`.  `loop`, when given, is the index of a state: after the
    last state the run goes on from there, for ever; the last state then equals that one.  `loop` equal to
    the index of the last state means that the run stays there, and nobody moves any more.
    """

    states: tuple[State, ...]
    steps: tuple[int, ...] = ()
    loop: int | None = None

    def __post_init__(self) -> None:
        if len(self.states) != len(self.steps) + 1:
            raise ValueError(f"{len(self.steps)} steps need {len(self.steps) + 1} states")
        if self.loop is not None and not 0 <= self.loop < len(self.states):
            raise ValueError(f"the loop cannot start at state {self.loop} of {len(self.states)}")

    def __len__(self) -> int:
        return len(self.steps)
