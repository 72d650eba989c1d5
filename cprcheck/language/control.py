# SPDX-License-Identifier: Apache-2.0
"""The control state of a process as plain data: frames, runs, locations, steps."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from cprcheck.errors import ModelError, Source
from cprcheck.language.dataflow import Instruction, Leaf
from cprcheck.language.flow import Flow
from cprcheck.language.path import Path
from cprcheck.language.place import breach, reported

Positions = tuple[tuple[int, int], ...]
"""For each frame of a control point, its function and the position in it."""


@dataclass(frozen=True)
class idle:  # noqa: N801 - reads as a word in models
    """`yield idle("execute a command")`: a place at which a process may wait for ever without being stuck."""

    label: str


@dataclass
class Frame:
    """A function in progress: the next instruction, and its locals (hidden ones begin with a dot)."""

    function: FunctionType
    flow: Flow
    leaves: tuple[Callable[..., Any], ...]
    at: int
    locals: dict[str, Any]

    @property
    def instruction(self) -> Instruction:
        """The instruction to be run next."""
        return self.flow.instructions[self.at]

    def call(self, leaf: Leaf) -> tuple[Any, dict[str, Any]]:
        """Run a leaf on the locals: (its value, the locals that it sets)."""
        arguments = []
        for name in leaf.parameters:
            if name not in self.locals and name not in leaf.keeps:
                raise ModelError(f"local {name!r} is read before it is set", self.flow.source(self.at))
            arguments.append(self.locals.get(name, _UNSET))
        with reported():
            value, after = self.leaves[leaf.index](*arguments)
        return value, {name: after[name] for name in leaf.sets if after.get(name, _UNSET) is not _UNSET}


_UNSET = object()


@dataclass
class Run:
    """A path in progress: the stack of frames, innermost last."""

    frames: list[Frame]
    path: Path
    mutable: bool = False
    """Whether some local may be changed in place: then each path needs a copy of its own."""

    def copy(self, path: Path) -> Run:
        """The same control state on another path."""
        locals_ = [frame.locals for frame in self.frames]
        if self.mutable:
            try:
                locals_ = copy.deepcopy(locals_)
            except MemoryError:
                raise
            except Exception as error:
                raise breach(f"a local cannot be copied for each path of this step: {error}; use a tuple") from None
        frames = zip(self.frames, locals_, strict=True)
        return Run([Frame(f.function, f.flow, f.leaves, f.at, dict(own)) for f, own in frames], path, self.mutable)


@dataclass(frozen=True)
class Location:
    """A control point at which a step begins."""

    label: str
    idle: bool
    source: Source
    function: str
    frames: tuple[Frame, ...] = field(compare=False)


@dataclass(frozen=True)
class RawStep:
    """A step: from location `origin` by `path` to location `target`; None when the process is over.

    `over` says how: "end" for a return, "gone" when the path has itself written where the process is.
    """

    origin: int
    path: Path
    target: int | None
    over: str = ""


@dataclass
class Extraction:
    """What came out of a process."""

    locations: list[Location] = field(default_factory=list)
    steps: list[RawStep] = field(default_factory=list)
