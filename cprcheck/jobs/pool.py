# SPDX-License-Identifier: Apache-2.0
"""Worker processes on this machine.  Each has a pipe of its own, so nothing that happens to one can harm another."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic

from cprcheck.errors import UsageError
from cprcheck.jobs import worker
from cprcheck.jobs.job import Message, canonical

TRIES = 2
"""A job that is lost is tried once more, after all others."""
START = 60
"""So many seconds may pass until a worker says that it is ready."""
LONGEST = 3600.0
"""So many seconds are waited at a time: the system takes no more than a few weeks."""
GIB = 1 << 30


@dataclass(frozen=True)
class Limits:
    """What a job may use: `seconds`, and `memory` in GiB; None is no limit."""

    seconds: float | None = None
    memory: float | None = None


def perform(
    requests: Sequence[Message], workers: int, limits: Limits, folder: str = "."
) -> Generator[tuple[int, Message]]:
    """(number, answer) for each request, as they are finished, from at most so many `workers` at a time.

    Paths in the requests are relative to `folder`.

    A worker that is killed, gives no answer in time or runs out of memory costs its job at most: that is tried once
    more, and then its answer is {"lost": why}.  Close the iterator, and the workers are gone.  Raises UsageError when
    the system lets us start no more of them.
    """
    waiting = deque(range(len(requests)))
    lost: dict[int, list[str]] = {}
    crew: list[_Worker] = []
    try:
        with selectors.DefaultSelector() as selector:
            while waiting or any(each.job is not None for each in crew):
                while waiting and (free := _free(crew, workers, limits, folder, selector)):
                    number = waiting.popleft()
                    free.start(number, requests[number])
                for each in _events(crew, selector):
                    number, answer, why = each.finish()
                    if why:
                        _dismiss(each, crew, selector)
                        reasons = lost.setdefault(number, [])
                        reasons.append(why)
                        if len(reasons) < TRIES:
                            waiting.append(number)
                            continue
                        answer = {"lost": f"{reasons[0]}, twice" if len({*reasons}) == 1 else ", then ".join(reasons)}
                    yield number, answer
    finally:
        for each in crew:
            each.stop()


def _free(
    crew: list[_Worker], workers: int, limits: Limits, folder: str, selector: selectors.BaseSelector
) -> _Worker | None:
    """A worker with nothing to do; a new one while there are fewer than `workers`."""
    for each in [each for each in crew if each.job is None]:
        if each.process.poll() is None:
            return each
        _dismiss(each, crew, selector)
    if len(crew) >= workers:
        return None
    try:
        made = _Worker(limits, folder)
    except OSError as error:
        raise UsageError(
            f"cannot start worker {len(crew) + 1} of {workers}: {error.strerror}; write fewer --jobs"
        ) from None
    crew.append(made)
    selector.register(made.answers, selectors.EVENT_READ, made)
    return made


def _dismiss(each: _Worker, crew: list[_Worker], selector: selectors.BaseSelector) -> None:
    selector.unregister(each.answers)
    crew.remove(each)
    each.stop()


def _events(crew: list[_Worker], selector: selectors.BaseSelector) -> Iterator[_Worker]:
    """Wait; then the workers that have answered, have ended, or are out of time."""
    deadlines = [each.deadline for each in crew if each.deadline is not None]
    ready = selector.select(max(0.0, min(min(deadlines) - monotonic(), LONGEST)) if deadlines else None)
    for selected, _ in ready:
        selected.data.read()
    for each in [each for each in crew if each.job is None and each.ended]:
        _dismiss(each, crew, selector)
    yield from [each for each in crew if each.job is not None and (each.complete or each.overdue)]


class _Worker:
    """A process that performs one job at a time."""

    def __init__(self, limits: Limits, folder: str) -> None:
        self.limits = limits
        here, there = os.pipe()  # not its standard output: what Python prints when it starts is no answer
        self.answers = os.fdopen(here, "rb", buffering=0)
        try:
            self.process = subprocess.Popen(  # noqa: S603  (this Python, and a constant)
                [sys.executable, "-P", "-c", worker.COMMAND],
                stdin=subprocess.PIPE,
                stdout=sys.__stderr__ or subprocess.DEVNULL,
                pass_fds=(there,),
                process_group=0,  # Ctrl-C is for us: we end the workers ourselves
            )
        except OSError:
            self.answers.close()
            raise
        finally:
            os.close(there)
        assert self.process.stdin is not None
        self.requests = self.process.stdin
        self.received = bytearray()
        self.ready = self.ended = False
        self.job: int | None = None
        self.deadline: float | None = None
        memory = None if limits.memory is None else int(limits.memory * GIB)
        self.send(sys.path)
        self.send({"memory": memory, "folder": folder, "answers": there, "parent": os.getpid()})

    def send(self, data: object) -> None:
        """Give the worker a line to read.  One that has ended does not read it, which `finish` tells."""
        with suppress(BrokenPipeError):
            self.requests.write(canonical(data) + b"\n")
            self.requests.flush()

    def start(self, number: int, request: Message) -> None:
        """Let it perform request `number`, as soon as it is ready."""
        self.job = number
        self.send(request)
        self.wind_up()

    def wind_up(self) -> None:
        """Let the time of its job run, or that of its start."""
        seconds = self.limits.seconds if self.ready else START
        self.deadline = None if seconds is None else monotonic() + seconds

    def read(self) -> None:
        """Take what it has written; the first line says that it is ready."""
        data = os.read(self.answers.fileno(), 1 << 20)
        self.received += data
        self.ended = not data
        if not self.ready and b"\n" in self.received:
            del self.received[: self.received.index(b"\n") + 1]
            self.ready = True
            self.wind_up()

    @property
    def complete(self) -> bool:
        """Whether it has answered, or never will."""
        return self.ended or self.received.endswith(b"\n")

    @property
    def overdue(self) -> bool:
        """Whether it has taken too long."""
        return self.deadline is not None and monotonic() >= self.deadline

    def finish(self) -> tuple[int, Message, str]:
        """(the number of its job, the answer, why there is none): one of the last two is empty."""
        number, self.job, self.deadline = self.job, None, None
        assert number is not None
        if self.received.endswith(b"\n"):
            answer = json.loads(self.received)
            self.received.clear()
            return number, answer, self._out_of_memory() if "memory" in answer else ""
        if self.ended:
            self.kill()
            return number, {}, _ending(self.process.returncode)
        if not self.ready:
            return number, {}, f"the worker did not start within {START:g} s"
        return number, {}, f"no answer within {self.limits.seconds:g} s"

    def _out_of_memory(self) -> str:
        return "out of memory" if self.limits.memory is None else f"out of memory at {self.limits.memory:g} GiB"

    def kill(self) -> None:
        """End it, and whatever it has started, at once."""
        if self.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it, and forget its pipes."""
        self.kill()
        with suppress(BrokenPipeError):
            self.requests.close()
        self.answers.close()


def _ending(code: int) -> str:
    """How a process ended, in words."""
    names = {each.value: each.name for each in signal.Signals}
    if code < 0:
        return f"the worker was killed by {names.get(-code, f'signal {-code}')}"
    return f"the worker ended with code {code}"
