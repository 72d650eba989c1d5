# SPDX-License-Identifier: Apache-2.0
"""Writing files so that nothing is ever half-written."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
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

    What is no ordinary file, such as /dev/stdout or a pipe, is written to and stays what it is.  With `sync` it is
    replaced, and the file is whole even after the power fails.
    """
    with _told(path):
        if path.is_dir():
            raise _error(errno.EISDIR)
        if not sync and path.exists() and not path.is_file():
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


def write_all(folder: Path, texts: Mapping[str, str], own: str) -> None:
    """Put each of `texts` into its file below `folder`; whatever else is in its folder `own` is removed.

    All are written beside first and then moved, which Ctrl-C waits for.  So when something goes wrong, what was there
    is still there; what is half done because somebody killed us, the next call does whole.  Raises UsageError when it
    cannot be done.
    """
    with _told(folder):
        _require_way(folder, texts, own)
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder) as alone:
            for old in leftovers(folder) if alone else ():
                shutil.rmtree(old)
            with tempfile.TemporaryDirectory(prefix=_PREFIX, suffix=_SUFFIX, dir=folder) as temporary:
                for name, text in texts.items():
                    path = Path(temporary, name)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_text(text, encoding="utf-8")
                try:
                    for name in texts:
                        (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    with _undisturbed():
                        for name in texts:
                            Path(temporary, name).replace(folder / name)
                        for path in below(folder / own):
                            if path.relative_to(folder).as_posix() not in texts:
                                path.unlink()
                finally:
                    _remove_empty(folder / own)


_PREFIX, _SUFFIX = ".report-", ".tmp"


def leftovers(folder: Path) -> list[Path]:
    """What `write_all` leaves behind when it is killed: folders with files that were not yet moved."""
    found = folder.glob(f"{_PREFIX}*{_SUFFIX}")
    return sorted(path for path in found if path.is_dir() and not path.is_symlink())


def below(folder: Path) -> list[Path]:
    """Everything below `folder` that is no folder itself; links are not followed."""
    return sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())


def _require_way(folder: Path, names: Iterable[str], own: str) -> None:
    """Raise UsageError when a folder stands where a file has to be, or a link where a folder has to be."""
    inner = {Path(own)}
    for name in names:
        inner |= {*Path(name).parents}
        if (folder / name).is_dir():
            raise UsageError(f"cannot write {folder / name}: Is a directory")
    for path in sorted(inner - {Path()}):
        if (folder / path).is_symlink():
            raise UsageError(f"cannot write below {folder / path}: it is a link to somewhere else")


def _remove_empty(folder: Path) -> None:
    """Remove `folder` and those below it that have no files."""
    for path in sorted([folder, *folder.rglob("*")], reverse=True):
        if path.is_dir() and not path.is_symlink():
            with suppress(OSError):  # not empty
                path.rmdir()


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Others wait with `write_all` to the same folder; False where the file system knows no locks."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(opened)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """What is short and must not be left half done: Ctrl-C, or a terminal that is closed, comes after it."""
    if threading.current_thread() is not threading.main_thread():  # only that one is interrupted
        yield
        return
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
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
