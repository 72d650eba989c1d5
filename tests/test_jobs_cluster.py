"""Jobs on a Dask cluster: scheduler and workers as processes on this machine, some of them killed."""

from __future__ import annotations

import functools
import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cprcheck.errors import UsageError
from cprcheck.jobs import cluster
from cprcheck.jobs.job import Job, Result
from cprcheck.jobs.pool import Limits
from cprcheck.jobs.run import Settings, run

SUM = Job("chores:add", {"a": 1, "b": 2})


def test_without_dask_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError) as caught:
        run([SUM], Settings(scheduler="tcp://127.0.0.1:1"))
    assert str(caught.value) == "--scheduler needs Dask: install cprcheck[distributed]"


needs_dask = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="Dask is not installed")


@needs_dask
@pytest.mark.slow
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "no such thing", "", "http://x:1"])
def test_a_scheduler_that_does_not_answer_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "CONNECT", 1)
    with pytest.raises(UsageError) as caught:
        run([SUM], Settings(scheduler=address))
    assert str(caught.value) == f"no Dask scheduler answers at {address!r}; write the address that it printed"


class Cluster:
    """A scheduler, and workers that can be killed."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        self.start("scheduler", "--host", "127.0.0.1", "--port", self.address.rpartition(":")[2])

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        with (self.folder / "dask.log").open("ab") as log:
            words = [sys.executable, "-m", "dask", *command, "--no-dashboard"]
            process = subprocess.Popen(words, env=environment, stdout=log, stderr=log, cwd=self.folder)
        self.processes.append(process)
        return process

    def worker(self) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until the scheduler knows it."""
        from distributed import Client

        process = self.start("worker", self.address, "--nthreads", "1", "--no-nanny")
        with Client(self.address, set_as_default=False, timeout=60) as client:
            deadline = time.monotonic() + 60
            while len(client.nthreads()) < sum(p.poll() is None for p in self.processes) - 1:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        return process

    def settings(self, **options: object) -> Settings:
        return Settings(scheduler=self.address, **options)  # type: ignore[arg-type]


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path)
    try:
        yield made
    finally:
        for process in reversed(made.processes):
            process.kill()
            process.wait()


@needs_dask
@pytest.mark.slow
def test_jobs_fare_as_they_do_here(dask: Cluster, tmp_path: Path) -> None:
    dask.worker()
    jobs = [SUM, Job("chores:hang", {}), Job("chores:die", {"how": 9}), Job("chores:hog", {"gib": 8}), SUM]
    found = run(jobs, dask.settings(limits=Limits(2, 1), cache=tmp_path / "cache"))
    assert [(result.value, result.lost) for result in found] == [
        (3, ""),
        (None, "no answer within 2 s, twice"),
        (None, "the worker was killed by SIGKILL, twice"),
        (None, "out of memory at 1 GiB, twice"),
        (3, ""),
    ]
    assert len(list((tmp_path / "cache").rglob("*.json"))) == 1
    (again,) = run([SUM], Settings(1, cache=tmp_path / "cache"))
    assert again.reused, "an answer is an answer, wherever it came from"
    with pytest.raises(UsageError, match="this cannot be asked"):
        run([Job("chores:refuse", {})], dask.settings())


@needs_dask
@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_costs_nothing_while_another_lives(dask: Cluster, tmp_path: Path) -> None:
    first, _ = dask.worker(), dask.worker()
    logs = [tmp_path / f"log{number}" for number in range(4)]

    def kill() -> None:
        while sum(log.exists() for log in logs) < 2:
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    jobs = [Job("chores:wait", {"file": str(log), "word": log.name, "seconds": 1.5}) for log in logs]
    found = run(jobs, dask.settings())
    killer.join()
    assert [(result.value, result.lost) for result in found] == [(log.name, "") for log in logs]
    assert sorted(len(log.read_text().split()) for log in logs) == [1, 1, 1, 2], "one of them was tried again"


@needs_dask
@pytest.mark.parametrize("address", ["foo", "", "http://x:1"])
def test_what_is_no_address_is_told_at_once(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    monkeypatch.setattr(distributed, "Client", None)
    with pytest.raises(UsageError) as caught:
        run([SUM], Settings(scheduler=address))
    assert str(caught.value) == f"no Dask scheduler answers at {address!r}; write the address that it printed"


@needs_dask
@pytest.mark.slow
def test_two_of_us_who_ask_the_same_do_not_share_a_job(dask: Cluster, tmp_path: Path) -> None:
    dask.worker(), dask.worker()
    job = Job("chores:wait", {"file": str(tmp_path / "log"), "word": "x", "seconds": 4})
    found: dict[float | None, Result] = {}

    def ask(seconds: float | None) -> None:
        (found[seconds],) = run([job], dask.settings(limits=Limits(seconds)))

    both = [threading.Thread(target=ask, args=(seconds,)) for seconds in (0.5, None)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert found[0.5].lost == "no answer within 0.5 s, twice"
    assert (found[None].value, found[None].lost) == ("x", "")


@needs_dask
@pytest.mark.slow
def test_when_the_last_worker_is_lost_the_rest_is_unknown(
    dask: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError) as caught:
        run([SUM], dask.settings())
    said = f"the Dask scheduler at {dask.address} has no workers: start some with dask worker {dask.address}"
    assert str(caught.value) == said
    monkeypatch.setattr(cluster, "perform", functools.partial(cluster.perform, patience=2))
    worker = dask.worker()
    threading.Timer(1.5, lambda: worker.send_signal(signal.SIGKILL)).start()
    jobs = [SUM, Job("chores:wait", {"file": str(tmp_path / "log"), "word": "x", "seconds": 60})]
    done, lost = run(jobs, dask.settings())
    assert (done.value, lost.value, lost.lost) == (3, None, "the cluster had no workers for 2 s")
