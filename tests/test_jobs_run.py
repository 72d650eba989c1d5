"""Jobs in worker processes: every way in which a worker can fail, and what is told of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cprcheck.errors import ModelError, UsageError
from cprcheck.jobs import pool, worker
from cprcheck.jobs.job import OURS, Job, Result, TaskError, error_of
from cprcheck.jobs.pool import Limits
from cprcheck.jobs.run import Settings, cores, run

SECONDS, GIB = 2.0, 1.0
FATES = {
    "add": ({"a": 1, "b": 2}, 3, ""),
    "print_something": ({}, "answer", ""),
    "hang": ({}, None, "no answer within 2 s, twice"),
    "hog": ({"gib": 8}, None, "out of memory at 1 GiB, twice"),
    "die": ({"how": signal.SIGKILL}, None, "the worker was killed by SIGKILL, twice"),
    "leave": ({"code": 3}, None, "the worker ended with code 3, twice"),
}
"""What each task of `chores` comes to: arguments, answer, why it was lost."""


def job(task: str, **arguments: object) -> Job:
    return Job(f"chores:{task}", arguments)


@pytest.fixture(scope="module")
def fates() -> dict[str, Result]:
    """All of them at once, by two workers; what one does to its worker must not matter to the others."""
    jobs = [job(task, **arguments) for task, (arguments, _, _) in FATES.items()]
    results = run(jobs, Settings(2, limits=Limits(SECONDS, GIB)))
    assert [result.job for result in results] == jobs
    return dict(zip(FATES, results, strict=True))


@pytest.mark.parametrize("task", FATES)
def test_a_job_that_is_lost_costs_itself_alone_and_says_why(task: str, fates: dict[str, Result]) -> None:
    _, value, lost = FATES[task]
    assert fates[task] == Result(fates[task].job, value, lost)


def test_a_lost_job_is_tried_once_more_after_the_others(tmp_path: Path) -> None:
    log = tmp_path / "log"
    order: list[str] = []
    jobs = [job("once", file=str(log)), job("add", a=1, b=1), job("die", how=signal.SIGABRT)]
    results = run(jobs, Settings(1), lambda result: order.append(result.job.task))
    assert [(result.value, result.lost) for result in results] == [
        ("done", ""),
        (2, ""),
        (None, "the worker was killed by SIGABRT, twice"),
    ]
    assert log.read_text().split() == ["tried", "tried"]
    assert order == ["chores:add", "chores:once", "chores:die"]


def test_a_worker_that_somebody_kills_is_replaced(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def kill() -> None:
        while not log.exists() or not log.read_text():
            time.sleep(0.01)
        os.kill(int(log.read_text().split()[0]), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    (result,) = run([job("wait", file=str(log), word="slept", seconds=0.3)], Settings(1))
    killer.join()
    assert (result.value, result.lost, len(log.read_text().split())) == ("slept", "", 2)


def test_results_come_in_the_order_of_the_jobs_whoever_is_first(tmp_path: Path) -> None:
    times = {"slow": 0.6, "quick": 0.0}
    told: list[str] = []
    jobs = [job("wait", file=str(tmp_path / word), word=word, seconds=seconds) for word, seconds in times.items()]
    results = run([*jobs, jobs[0]], Settings(2), lambda result: told.append(result.value))
    assert [result.value for result in results] == ["slow", "quick", "slow"]
    assert sorted(told) == ["quick", "slow"], "two jobs with one key are one"
    assert len((tmp_path / "slow").read_text().split()) == 1


def test_a_bug_is_reported_and_the_others_go_on(tmp_path: Path) -> None:
    log = tmp_path / "log"
    jobs = [job("note", file=str(log), word="before"), job("bug"), job("refuse"), job("note", file=str(log), word="on")]
    told: list[Result] = []
    with pytest.raises(TaskError) as caught:
        run(jobs, Settings(1), told.append)
    assert str(caught.value).splitlines()[-1] == "ZeroDivisionError: a bug in a task"
    assert 'chores.py", line' in str(caught.value)
    assert sorted(log.read_text().split()) == ["before", "on"]
    assert [type(result.error).__name__ for result in told] == ["NoneType", "TaskError", "UsageError", "NoneType"]


@pytest.mark.parametrize(
    ("task", "kind", "end"),
    [
        ("refuse", UsageError, "this cannot be asked"),
        ("quit_python", TaskError, "SystemExit: 0\n"),
        ("unspeakable", TaskError, "TypeError: Object of type set is not JSON serializable\n"),
        ("nothing", TaskError, "AttributeError: module 'chores' has no attribute 'nothing'\n"),
    ],
)
def test_an_error_in_a_worker_is_raised_here(task: str, kind: type[Exception], end: str) -> None:
    with pytest.raises(kind) as caught:
        run([job(task)], Settings(1))
    assert type(caught.value) is kind
    assert str(caught.value).endswith(end)


def test_errors_of_ours_keep_their_kind_and_their_text() -> None:
    said = "lamp.py:3: no such thing\n    line"
    found = error_of({"kind": "ModelError", "text": said})
    assert (type(found), str(found)) == (ModelError, said)
    assert set(OURS) == {"UsageError", "ModelError", "DisagreementError", "CprcheckError"}


def test_nobody_is_left_behind(tmp_path: Path) -> None:
    log = tmp_path / "log"
    jobs = [job("wait", file=str(log), word="x", seconds=60), job("bug")]

    class StopError(Exception):
        pass

    def stop(_: Result) -> None:
        raise StopError

    with pytest.raises(StopError):
        run(jobs, Settings(2), stop)
    for pid in log.read_text().split() if log.exists() else []:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_a_worker_ends_when_nobody_waits_for_it_any_more(tmp_path: Path) -> None:
    """Even when its parent was killed and could say nothing: its input ends."""
    log = tmp_path / "log"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", worker.COMMAND], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    request = {
        "task": "chores:wait",
        "arguments": {"file": str(log), "word": "x", "seconds": 60},
        "models": [],
        "key": "",
    }
    assert process.stdin is not None
    for line in (sys.path, {"memory": None, "folder": ".", "answers": 1, "parent": os.getpid()}, request):
        process.stdin.write(json.dumps(line).encode() + b"\n")
        process.stdin.flush()
    while not log.exists():
        time.sleep(0.01)
    process.stdin.close()
    assert process.wait(10) == 0


def test_a_worker_that_never_starts_costs_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "COMMAND", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)")
    monkeypatch.setattr(pool, "START", 0.3)
    (result,) = run([job("add", a=1, b=2)], Settings(1))
    assert (result.value, result.lost) == (None, "the worker did not start within 0.3 s, twice")


def test_what_python_prints_when_it_starts_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(worker, "COMMAND", f"print('{{}}', flush=True); {worker.COMMAND}")
    (result,) = run([job("print_something")], Settings(1))
    assert result.value == "answer"
    out, err = capfd.readouterr()
    assert (out, sorted(err.splitlines())) == ("", ["nor this", "not an answer", "{}"])


def test_a_limit_may_be_longer_than_the_system_can_wait() -> None:
    (result,) = run([job("add", a=1, b=2)], Settings(1, limits=Limits(1e300)))
    assert result.value == 3


def test_a_worker_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def start(*given: object, **more: object) -> subprocess.Popen[bytes]:
        if started:
            raise OSError(24, "Too many open files")
        started.append(popen(*given, **more))  # type: ignore[call-overload]
        return started[0]

    popen, before = subprocess.Popen, os.listdir("/proc/self/fd")
    monkeypatch.setattr(subprocess, "Popen", start)
    with pytest.raises(UsageError) as caught:
        run([job("add", a=number, b=2) for number in range(3)], Settings(3))
    assert str(caught.value) == "cannot start worker 2 of 3: Too many open files; write fewer --jobs"
    assert started[0].poll() is not None
    assert os.listdir("/proc/self/fd") == before


def test_there_are_as_many_workers_as_there_are_processors_for_us() -> None:
    assert Settings().workers == cores() == len(os.sched_getaffinity(0))
    assert (Settings().cache, Settings().scheduler, Settings().limits) == (None, None, Limits(None, None))


def test_no_jobs_are_no_work() -> None:
    assert run([]) == []
