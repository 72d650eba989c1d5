"""Ctrl-C in the middle of a matrix: what is finished is kept, and the same command goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """\
import signal
import sys
from pathlib import Path
from cprcheck.jobs.job import Job
from cprcheck.jobs.run import Settings, run

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whatever nohup has made of it
log, cache, seconds = sys.argv[1:]
jobs = [Job("chores:wait", {"file": log, "word": str(number), "seconds": float(seconds)}) for number in range(6)]
jobs = jobs if float(seconds) else [Job("chores:hang", {"file": log})]
try:
    results = run(jobs, Settings(2, cache=Path(cache) if cache else None))
except KeyboardInterrupt as stopped:
    print(stopped)
    sys.exit(130)
print(*(f"{result.value}{'+' if result.reused else ''}" for result in results))
"""


def start(log: Path, cache: str, seconds: str = "0.3") -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-c", PROGRAM, str(log), cache, seconds]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def started(log: Path) -> list[str]:
    """Who has begun a job."""
    return log.read_text().split() if log.exists() else []


def until(log: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(started(log)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def gone(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
def test_what_is_finished_is_kept_and_the_next_run_goes_on(tmp_path: Path) -> None:
    log, cache = tmp_path / "log", tmp_path / "cache"
    first = start(log, str(cache))
    until(log, 4)
    first.send_signal(signal.SIGINT)
    out, _ = first.communicate(timeout=60)
    kept = len(list(cache.rglob("*.json")))
    assert (first.returncode, out) == (
        130,
        f"{kept} of 6 finished are kept in {cache}; run the same command to go on\n",
    )
    assert 2 <= kept < 6
    assert all(gone(pid) for pid in started(log))
    assert [path for path in cache.rglob("*") if path.suffix == ".tmp"] == []
    before = len(started(log))
    second = start(log, str(cache))
    out, _ = second.communicate(timeout=60)
    assert [word.rstrip("+") for word in out.split()] == list("012345")
    assert out.count("+") == kept
    assert len(started(log)) - before == 6 - kept, "only what was not finished is done"


@pytest.mark.slow
def test_without_a_folder_nothing_is_kept_and_that_is_said(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = start(log, "", "30")
    until(log, 2)
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=20)
    assert (run.returncode, out) == (130, "0 of 6 were finished, and nothing is kept without a cache\n")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_when_we_are_killed_the_workers_end_and_the_next_run_goes_on(how: signal.Signals, tmp_path: Path) -> None:
    log, cache = tmp_path / "log", tmp_path / "cache"
    first = start(log, str(cache), "1")
    until(log, 3)
    first.send_signal(how)
    assert first.wait(20) == -how
    deadline = time.monotonic() + 20
    while not all(gone(pid) for pid in started(log)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    kept = len(list(cache.rglob("*.json")))
    assert kept >= 1
    out, _ = start(log, str(cache), "1").communicate(timeout=60)
    assert ([word.rstrip("+") for word in out.split()], out.count("+")) == (list("012345"), kept)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_that_is_deaf_does_not_outlive_us(how: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "log"
    run = start(log, "", "0")
    until(log, 1)
    run.send_signal(how)
    assert run.wait(20) == -how
    deadline = time.monotonic() + 20
    while not gone(*started(log)):
        assert time.monotonic() < deadline
        time.sleep(0.01)
