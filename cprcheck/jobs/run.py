# SPDX-License-Identifier: Apache-2.0
"""Have jobs done: by the answers that are kept, by processes on this machine, or by a cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cprcheck.jobs import cluster, pool
from cprcheck.jobs.job import Job, Message, Result, error_of, key
from cprcheck.jobs.pool import Limits
from cprcheck.jobs.sources import Sources
from cprcheck.jobs.store import Store

OnResult = Callable[[Result], None]
Warn = Callable[[str], None]


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True)
class Settings:
    """How jobs are done.

    `workers` processes at a time, or the workers of the Dask `scheduler` at this address.  Answers are kept in the
    folder `cache` and, with `reuse`, taken from there; None keeps nothing.  `limits` are those of each job.
    """

    workers: int = field(default_factory=cores)
    scheduler: str | None = None
    cache: Path | None = None
    reuse: bool = True
    limits: Limits = field(default_factory=Limits)


def run(
    jobs: Sequence[Job], settings: Settings | None = None, on_result: OnResult | None = None, warn: Warn | None = None
) -> list[Result]:
    """What became of each job, in the order of `jobs`.

    Every answer is on disk before `on_result` is told of it, in the order in which they are finished.  `warn` is
    told, in a sentence, what could not be kept or reused.  When a task raises an error, the others go on, and
    the first error by the order of `jobs` is raised at the end.

    Raises KeyboardInterrupt, with how much is kept, when interrupted; UsageError when there is no such cluster.
    """
    return _Run(jobs, settings or Settings(), on_result or (lambda _: None), warn or (lambda _: None)).run()


class _Run:
    """One call of `run`."""

    def __init__(self, jobs: Sequence[Job], settings: Settings, on_result: OnResult, warn: Warn) -> None:
        self.jobs, self.settings, self.on_result, self.warn = jobs, settings, on_result, warn
        now = Sources()
        self.keys = [key(job, now) for job in jobs]
        self.store = None if settings.cache is None else Store(settings.cache)
        self.results: dict[str, Result] = {}
        self.kept: set[str] = set()

    def run(self) -> list[Result]:
        """Reuse what there is, and have the rest done."""
        try:
            self.reuse()
            with _orderly():
                self.perform()
        except KeyboardInterrupt:
            raise KeyboardInterrupt(self.interrupted()) from None
        finally:
            self.complain()
        found = [self.results[key] for key in self.keys]
        error = next((result.error for result in found if result.error is not None), None)
        if error is not None:
            raise error
        return found

    def reuse(self) -> None:
        """Take the answers that are kept."""
        for job, name in zip(self.jobs, self.keys, strict=True):
            if self.store is not None and self.settings.reuse and name not in self.results:
                there, value = self.store.get(name)
                if there:
                    self.kept.add(name)
                    self.take(name, Result(job, value, reused=True))

    def perform(self) -> None:
        """Have the others done."""
        todo = {name: job for job, name in zip(self.jobs, self.keys, strict=True) if name not in self.results}
        names = list(todo)
        requests = [_request(job, name) for name, job in todo.items()]
        with closing(self.answers(requests)) as answers:
            for number, message in answers:
                self.finished(names[number], todo[names[number]], message)

    def answers(self, requests: Sequence[Message]) -> Generator[tuple[int, Message]]:
        """(number, answer) for each request, as they are finished."""
        if self.settings.scheduler is not None:
            return cluster.perform(requests, self.settings.scheduler, self.settings.limits)
        return pool.perform(requests, self.settings.workers, self.settings.limits)

    def finished(self, name: str, job: Job, message: Message) -> None:
        """Keep an answer, if it is one to keep, and pass it on."""
        if "error" in message:
            self.take(name, Result(job, error=error_of(message["error"])))
        elif "lost" in message:
            self.take(name, Result(job, lost=message["lost"]))
        else:
            if self.store is not None and message["keep"] and self.store.put(name, job, message["value"]):
                self.kept.add(name)
            self.take(name, Result(job, message["value"]))

    def take(self, name: str, result: Result) -> None:
        """Note what became of a job, and tell."""
        self.results[name] = result
        self.on_result(result)

    def complain(self) -> None:
        """Say what went wrong with the folder of answers."""
        if self.store is not None and self.store.damaged:
            many, are = ("answer", "is") if self.store.damaged == 1 else ("answers", "are")
            self.warn(f"{self.store.damaged} kept {many} in {self.store.folder} {are} damaged: computed again")
        if self.store is not None and self.store.failed:
            self.warn(f"not every answer is kept for the next time: {self.store.failed}")

    def interrupted(self) -> str:
        """How much is done, and what to do."""
        done = len({*self.keys} & self.results.keys())
        if self.store is None:
            return f"{done} of {len({*self.keys})} were finished, and nothing is kept without a cache"
        return (
            f"{len(self.kept)} of {len({*self.keys})} finished are kept in {self.store.folder}; "
            "run the same command to go on"
        )


class _Ended(BaseException):
    """Somebody has asked us, by the signal `number`, to end."""

    def __init__(self, number: int) -> None:
        self.number = number


def _end(number: int, _frame: object) -> None:
    raise _Ended(number)


@contextmanager
def _orderly() -> Iterator[None]:
    """When we are to end by SIGTERM or SIGHUP, what we have started ends first, as it does with Ctrl-C."""
    numbers = (signal.SIGTERM, signal.SIGHUP) if threading.current_thread() is threading.main_thread() else ()
    ours = [number for number in numbers if signal.getsignal(number) is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    except _Ended as ended:
        signal.signal(ended.number, signal.SIG_DFL)
        signal.raise_signal(ended.number)
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _request(job: Job, name: str) -> Message:
    return {"task": job.task, "arguments": job.arguments, "models": list(job.models), "key": name}
