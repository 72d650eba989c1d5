# SPDX-License-Identifier: Apache-2.0
"""Where in the author's file are we?  Every message of the language answers that."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

from cprcheck.errors import ModelError, Source, UsageError
from cprcheck.names import odd

_HERE = str(Path(__file__).resolve().parents[1]) + os.sep
_SHIPPED = _HERE + "_models" + os.sep
_STDLIB = sysconfig.get_paths()["stdlib"] + os.sep


ASSERT = "this can fail; claim it with @m.invariant, or wait for it with s.require"


def is_authors(filename: str) -> bool:
    """Whether code from `filename` was written by a model's author: it is neither ours nor Python's."""
    if filename.startswith(_HERE):
        return filename.startswith(_SHIPPED)
    in_stdlib = filename.startswith(_STDLIB) and "site-packages" not in filename
    return not in_stdlib and not filename.startswith("<")


def author_source() -> Source | None:
    """The innermost line of the author's that is being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if is_authors(frame.f_code.co_filename):
            return Source(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def source_of(code: CodeType) -> Source:
    """The line at which a function begins."""
    return Source(code.co_filename, code.co_firstlineno)


def breach(sentence: str) -> ModelError:
    """The error for a broken rule, at the author's present line."""
    return ModelError(sentence, author_source())


def check_names(*names: object) -> None:
    """Refuse names, of whatever is shown to people or written into files, that no terminal and no file has as they are.

    Raises ModelError at the author's present line.
    """
    for name in map(str, names):
        if found := odd(name):
            raise breach(f"{name!r} has the character {found!r}, which no name may have; leave it out")


@contextmanager
def located(source: Source) -> Iterator[None]:
    """Let errors about what the machine itself does with the author's values name the line `source`."""
    try:
        yield
    except ModelError as error:
        raise ModelError(error.sentence, source) from None


@contextmanager
def reported(source: Source | None = None) -> Iterator[None]:
    """Turn an exception that escapes from the author's code into a ModelError at the author's line.

    `source` is the line to name when no line of the author's was being run.  That memory ran out says nothing about
    the model, and stays what it is.
    """
    try:
        yield
    except (ModelError, UsageError, MemoryError):
        raise
    except (Exception, SystemExit) as error:
        said = str(error) or (ASSERT if isinstance(error, AssertionError) else "no reason given")
        raise ModelError(f"{type(error).__name__}: {said}", source or _last_author_line(error)) from error


def _last_author_line(error: BaseException) -> Source | None:
    found = None
    traceback = error.__traceback__
    while traceback is not None:
        if is_authors(traceback.tb_frame.f_code.co_filename):
            found = Source(traceback.tb_frame.f_code.co_filename, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
