"""Answers on disk: used again when nothing changed, and never when they are not whole."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from cprcheck import files
from cprcheck.jobs.job import Job, Result
from cprcheck.jobs.pool import Limits
from cprcheck.jobs.run import Settings, run
from cprcheck.jobs.store import Store, usual_folder

KEY = "ab" * 32
JOB = Job("chores:add", {"a": 1, "b": 2})
VALUE = {"verdict": "HOLDS", "states": [1, 2, None], "text": "ä"}


def listing(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_is_put_in_is_found_by_its_key_and_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path / "not" / "yet")
    assert store.get(KEY) == (False, None)
    assert store.put(KEY, JOB, VALUE)
    assert store.get(KEY) == (True, VALUE)
    assert store.get("cd" * 32) == (False, None)
    assert listing(store.folder) == [f"ab/{KEY}.json"]
    assert store.put(KEY, JOB, None)
    assert store.get(KEY) == (True, None), "None is an answer too"
    assert (store.damaged, store.failed) == (0, "")


def other_value(text: str) -> str:
    return text.replace("HOLDS", "VIOLATED")


DAMAGE: dict[str, Callable[[str], str]] = {
    "empty": lambda text: "",
    "half": lambda text: text[: len(text) // 2],
    "another verdict": other_value,
    "of another key": lambda text: text.replace(KEY, "cd" * 32),
    "of another version": lambda text: text.replace("cprcheck-job-1", "cprcheck-job-0"),
    "something else": lambda text: "[1, 2]",
    "deep": lambda text: "[" * 200_000,
    "no JSON": lambda text: "\x00\x01",
    "without a digest": lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "sha256"}),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_what_is_damaged_is_not_there(how: str, tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put(KEY, JOB, VALUE)
    path = tmp_path / "ab" / f"{KEY}.json"
    path.write_text(DAMAGE[how](path.read_text()))
    assert store.get(KEY) == (False, None)
    assert store.damaged == 1


def test_a_folder_in_the_place_of_a_file_harms_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (tmp_path / "ab" / f"{KEY}.json").mkdir(parents=True)
    assert store.get(KEY) == (False, None)
    assert not store.put(KEY, JOB, VALUE)
    assert store.failed == f"cannot write {tmp_path}/ab/{KEY}.json: Is a directory"
    assert listing(tmp_path) == []


def test_a_pipe_in_the_place_of_a_file_is_replaced(tmp_path: Path) -> None:
    store, path = Store(tmp_path), tmp_path / "ab" / f"{KEY}.json"
    path.parent.mkdir()
    os.mkfifo(path)
    assert (store.get(KEY), store.damaged) == ((False, None), 1)
    assert store.put(KEY, JOB, VALUE)
    assert store.get(KEY) == (True, VALUE)


def test_the_usual_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CPRCHECK_CACHE", "/somewhere")
    assert usual_folder() == Path("/somewhere")
    monkeypatch.delenv("CPRCHECK_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/desk")
    assert usual_folder() == Path("/desk/cprcheck")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert usual_folder() == tmp_path / ".cache" / "cprcheck"


def test_without_a_home_there_is_a_folder_only_when_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user whom nobody knows
    for name in ("CPRCHECK_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert usual_folder() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "/desk")
    assert usual_folder() == Path("/desk/cprcheck")
    monkeypatch.setenv("CPRCHECK_CACHE", "/somewhere")
    assert usual_folder() == Path("/somewhere")


# ---- together with jobs -------------------------------------------------------------------------------------------


def notes(log: Path, words: str) -> list[Job]:
    return [Job("chores:note", {"file": str(log), "word": word}) for word in words.split()]


def test_what_is_finished_is_used_again_and_only_the_rest_is_done(tmp_path: Path) -> None:
    log, settings = tmp_path / "log", Settings(1, cache=tmp_path / "cache")
    run(notes(log, "a b"), settings)
    again = run(notes(log, "a b c"), settings)
    assert [(result.value, result.reused) for result in again] == [("a", True), ("b", True), ("c", False)]
    assert log.read_text().split() == ["a", "b", "c"]
    assert len(listing(tmp_path / "cache")) == 3


def test_without_a_folder_or_without_reuse_everything_is_done_again(tmp_path: Path) -> None:
    log, cache = tmp_path / "log", tmp_path / "cache"
    run(notes(log, "a"), Settings(1))
    for _ in range(2):
        (result,) = run(notes(log, "a"), Settings(1, cache=cache, reuse=False))
    assert (log.read_text().split(), result.reused) == (["a", "a", "a"], False)
    assert len(listing(cache)) == 1


def test_what_is_damaged_is_computed_again_and_that_is_said(tmp_path: Path) -> None:
    log, settings, said = tmp_path / "log", Settings(1, cache=tmp_path / "cache"), list[str]()
    run(notes(log, "a b"), settings)
    for name in listing(tmp_path / "cache"):
        path = tmp_path / "cache" / name
        path.write_text(path.read_text()[:-20])
    results = run(notes(log, "a b"), settings, warn=said.append)
    assert [result.value for result in results] == ["a", "b"]
    assert said == [f"2 kept answers in {tmp_path / 'cache'} are damaged: computed again"]
    assert all(result.reused for result in run(notes(log, "a b"), settings))


def test_what_was_lost_failed_or_hurried_is_not_kept(tmp_path: Path) -> None:
    log, settings = tmp_path / "log", Settings(1, cache=tmp_path / "cache", limits=Limits(5))
    jobs = [Job("chores:die", {"how": 9}), Job("chores:hurried", {"file": str(log)})]
    for _ in range(2):
        lost, hurried = run(jobs, settings)
        assert (lost.lost[:10], hurried.value, hurried.reused) == ("the worker", "perhaps", False)
    assert listing(tmp_path) == ["log"]
    assert log.read_text().split() == ["ran", "ran"]


@pytest.mark.slow
def test_two_runs_may_use_one_folder_at_once(tmp_path: Path) -> None:
    log, settings = tmp_path / "log", Settings(1, cache=tmp_path / "cache")
    found: list[list[Result]] = []
    threads = [threading.Thread(target=lambda: found.append(run(notes(log, "a b c d"), settings))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[result.value for result in results] for results in found] == [list("abcd")] * 2
    assert all(result.reused for result in run(notes(log, "a b c d"), settings))


def test_a_full_disk_costs_nothing_but_the_reuse(tiny_disk: Path, tmp_path: Path) -> None:
    log, said = tmp_path / "log", list[str]()
    with suppress(OSError):
        (tiny_disk / "ballast").write_bytes(b"x" * 100_000)
    settings = Settings(1, cache=tiny_disk)
    results = run(notes(log, "a b"), settings, warn=said.append)
    assert [result.value for result in results] == ["a", "b"]
    assert len(said) == 1
    assert said[0].startswith(f"not every answer is kept for the next time: cannot write {tiny_disk}/")
    assert said[0].endswith(": No space left on device")
    assert listing(tiny_disk) == ["ballast"], "nothing is half-written"
    (tiny_disk / "ballast").unlink()
    assert not any(result.reused for result in run(notes(log, "a b"), settings))
    assert all(result.reused for result in run(notes(log, "a b"), settings))


def test_a_folder_that_cannot_be_made_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said: list[str] = []
    results = run(notes(tmp_path / "log", "a b"), Settings(1, cache=tmp_path / "file" / "in"), warn=said.append)
    assert [result.value for result in results] == ["a", "b"]
    assert [line.partition(": cannot write")[0] for line in said] == ["not every answer is kept for the next time"]
    assert said[0].endswith(": Not a directory")


def test_files_that_must_last_are_flushed_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        files.os, "fsync", lambda number: synced.append(Path(f"/proc/self/fd/{number}").readlink().name)
    )
    files.write(tmp_path / "a", "text", sync=True)
    files.write(tmp_path / "b", "text")
    assert [name.partition(".a.")[0] for name in synced] == [""]
    assert (tmp_path / "a").read_text() == "text"
