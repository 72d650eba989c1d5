# SPDX-License-Identifier: Apache-2.0
"""Writing files so that nothing is ever half-written."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cprcheck.errors import UsageError


def write(path: Path, text: str) -> None:
    """Put `text` into `path`: all of it, or nothing.  Raises UsageError when that cannot be done.

    What is no ordinary file, such as /dev/stdout or a pipe, is written to and stays what it is.
    """
    with _told(path):
        if path.exists() and not path.is_file() and not path.is_dir():
            path.write_text(text, encoding="utf-8")
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(text, encoding="utf-8")
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def append(path: Path, text: str) -> None:
    """Put `text` at the end of `path`, which may be new: all of it, or nothing; what was there stays.

    Raises UsageError when that cannot be done.
    """
    left = text.encode()
    with _told(path), path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            while left:
                left = left[file.write(left) :]
        except BaseException:
            if path.is_file():
                file.truncate(size)
            raise


def make_folder(path: Path) -> None:
    """Make the folder `path`, and those above it.  Raises UsageError when that cannot be done."""
    with _told(path):
        path.mkdir(parents=True, exist_ok=True)


def safe(name: str) -> str:
    """`name` as a part of a file name: a slash would lead into a folder."""
    return re.sub(r"[/\\\0]", "_", name)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
