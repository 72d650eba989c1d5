# SPDX-License-Identifier: Apache-2.0
"""Writing files so that nothing is ever half-written."""

from __future__ import annotations

import errno
import os
import re
import signal
import stat
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from cprcheck.errors import UsageError


def write(path: Path, text: str, *, sync: bool = False) -> None:
    """Put `text` into `path`: all of it, or nothing.  Raises UsageError when that cannot be done.

    What is no ordinary file, such as /dev/stdout or a pipe, is written to and stays what it is.  With `sync` the
    file is whole even after the power fails.
    """
    with _told(path):
        if path.is_dir():
            raise _error(errno.EISDIR)
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(text, encoding="utf-8")
            if sync:
                with temporary.open("rb") as file:
                    os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def require_file(path: Path) -> None:
    """Raise UsageError when `write` could not put anything into `path`, as things are; writes nothing."""
    with _told(path):
        if path.is_dir():
            raise _error(errno.EISDIR)
        special = path.exists() and not path.is_file()
        _require(path if special else path.parent, folder=not special)


def require_folder(path: Path) -> None:
    """Raise UsageError when no folder `path` can be made and written into, as things are; makes nothing."""
    with _told(path):
        _require(next(each for each in (path, *path.absolute().parents) if each.exists()), folder=True)


def _require(path: Path, *, folder: bool) -> None:
    if folder and not stat.S_ISDIR(path.stat().st_mode):
        raise _error(errno.ENOTDIR)
    if not os.access(path, os.W_OK | (os.X_OK if folder else 0)):
        raise _error(errno.EACCES)


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def write_all(folder: Path, texts: Mapping[str, str], outdated: Iterable[str] = ()) -> None:
    """Put each of `texts` into its file below `folder`, and remove those that are `outdated`.

    All are written beside first and then moved, which Ctrl-C waits for.  So when something goes wrong, what was there
    is still there.  Raises UsageError when it cannot be done.
    """
    with _told(folder):
        for name in texts:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            if (folder / name).is_dir():
                raise UsageError(f"cannot write {folder / name}: Is a directory")
        with tempfile.TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder) as temporary:
            for name, text in texts.items():
                path = Path(temporary, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            with _undisturbed():
                for name in texts:
                    Path(temporary, name).replace(folder / name)
                for name in outdated:
                    (folder / name).unlink(missing_ok=True)
                    with suppress(OSError):  # others may have files there
                        (folder / name).parent.rmdir()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """What is short and must not be left half done: Ctrl-C comes after it."""
    if threading.current_thread() is not threading.main_thread():  # only that one is interrupted
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


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
