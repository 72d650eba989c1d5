# SPDX-License-Identifier: Apache-2.0
"""Everything that can go wrong, as exceptions: one sentence each, with the place in the author's file."""

from __future__ import annotations

import linecache
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, order=True)
class Source:
    """A place in a model author's file.

    `file` is a path as Python reported it, `line` counts from 1.
    """

    file: str
    line: int

    def text(self) -> str:
        """The author's line itself, stripped; empty when the file cannot be read."""
        return linecache.getline(self.file, self.line).strip()

    def __str__(self) -> str:
        return f"{shorten(self.file)}:{self.line}"


_PACKAGE = Path(__file__).resolve().parent
_SHIPPED = (_PACKAGE / "_models", _PACKAGE.parent / "models")


def shorten(file: str) -> str:
    """`file` as a person would name it: a shipped model as `models/…`, others relative to the working directory."""
    path = Path(file)
    for folder in _SHIPPED:
        if path.is_relative_to(folder):
            return str(Path("models", path.relative_to(folder)))
    return os.path.relpath(file) if path.is_absolute() else file


def shipped(file: str) -> bool:
    """Whether `file` is one of the models that come with cprcheck."""
    return any(Path(file).is_relative_to(folder) for folder in _SHIPPED)


def installed(file: str) -> bool:
    """Whether `file` is one of the models of an installed cprcheck, rather than of a checkout."""
    return Path(file).is_relative_to(_SHIPPED[0])


class CprcheckError(Exception):
    """The root of all exceptions that cprcheck raises on purpose."""


class ModelError(CprcheckError):
    """A model breaks a rule of the language.  Carries the author's own place and line."""

    def __init__(self, sentence: str, source: Source | None = None) -> None:
        self.sentence = sentence
        self.source = source
        super().__init__(sentence)

    def __str__(self) -> str:
        if self.source is None:
            return self.sentence
        line = self.source.text()
        shown = f"\n    {line}" if line else ""
        return f"{self.source}: {self.sentence}{shown}"


class UsageError(CprcheckError):
    """The command line, or a call of the Python interface, asks for something that does not exist."""


class NoSuchRunError(UsageError):
    """A trace from a file is none of the System's, or shows something else there than the file says."""


class DisagreementError(CprcheckError):
    """Two engines contradict each other, a trace does not replay, or a certificate is rejected."""
