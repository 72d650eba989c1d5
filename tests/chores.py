"""Tasks for tests of jobs: what a worker can do, well and badly."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path

from cprcheck.errors import UsageError
from cprcheck.jobs.job import JSON, Passing


def add(a: int, b: int) -> int:
    return a + b


def note(file: str, word: str) -> str:
    """Write down that it ran, so that a test can count."""
    with Path(file).open("a") as log:
        log.write(f"{word}\n")
    return word


def wait(file: str, word: str, seconds: float) -> str:
    """Write down who runs, and take time."""
    note(file, f"{os.getpid()}")
    time.sleep(seconds)
    return word


def once(file: str, seconds: float = 0.0) -> str:
    """Die at the first try; an answer at the second."""
    first = not Path(file).exists()
    note(file, "tried")
    time.sleep(seconds)
    if first:
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def die(how: int) -> None:
    os.kill(os.getpid(), how)


def leave(code: int) -> None:
    os._exit(code)


def hang(file: str = os.devnull) -> None:
    """Deaf to everything: native code that keeps the interpreter's lock, with signals blocked."""
    note(file, f"{os.getpid()}")
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    ctypes.PyDLL(None).sleep(1000)


def hog(gib: float) -> int:
    return len(bytearray(int(gib * (1 << 30))))


def bug() -> None:
    raise ZeroDivisionError("a bug in a task")


def refuse() -> None:
    raise UsageError("this cannot be asked")


def quit_python() -> None:
    raise SystemExit(0)


def print_something() -> str:
    print("not an answer")  # noqa: T201
    os.write(1, b"nor this\n")
    return "answer"


def unspeakable() -> JSON:
    return {1, 2}


def hurried(file: str) -> Passing:
    note(file, "ran")
    return Passing("perhaps")


def touch(file: str) -> str:
    """Change a file, as somebody in an editor would while the job runs."""
    with Path(file).open("a") as changed:
        changed.write("# more\n")
    return "done"
