"""The key of a job: the same for the same question, another as soon as the answer could be another."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from lamp import LAMP

from cprcheck import catalog
from cprcheck.checking import Options
from cprcheck.jobs import checks, sources
from cprcheck.jobs.job import Job, key
from cprcheck.jobs.sources import Sources
from cprcheck.models import SHIPPED


def key_of(job: Job) -> str:
    return key(job, Sources())


@pytest.fixture
def lamp(tmp_path: Path) -> Path:
    path = tmp_path / "lamp.py"
    path.write_text("from .parts import socket\nimport bulbs.led\n" + LAMP)
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "__init__.py").write_text("from .deep import wire as socket\n")
    (tmp_path / "parts" / "deep.py").write_text("wire = 1\n")
    (tmp_path / "other.py").write_text("nothing = 0\n")
    return path


def test_what_a_file_imports_is_followed_into_its_own_folder(lamp: Path) -> None:
    assert [name for name, _ in Sources().of_file(lamp)] == ["lamp.py", "parts/__init__.py", "parts/deep.py"]


def test_what_python_finds_elsewhere_is_followed_too(
    lamp: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lib" / "bulbs").mkdir(parents=True)
    (tmp_path / "lib" / "bulbs" / "led.py").write_text("import json, networkx, click\n")
    monkeypatch.syspath_prepend(tmp_path / "lib")
    assert "lib/bulbs/led.py" in [name for name, _ in Sources().of_file(lamp)]


ELSEWHERE: dict[str, tuple[str, list[str], list[str]]] = {
    "the name of a module of Python's": ("import profile", ["a/profile.py"], ["…/profile.py"]),
    "a folder that only looks like the package": (
        "from shared import care",
        ["a/shared/data.txt", "b/shared/__init__.py", "b/shared/care.py"],
        ["…/__init__.py", "…/care.py"],
    ),
    "a package in two folders": (
        "import shared.one, shared.two",
        ["a/shared/one.py", "b/shared/two.py"],
        ["…/one.py", "…/two.py"],
    ),
    "a package, not the module beside it": (
        "import shared",
        ["a/shared.py", "a/shared/__init__.py"],
        ["…/__init__.py"],
    ),
    "bytecode alone": ("import shared", ["a/shared.pyc"], ["…/shared.pyc"]),
    "the first of two": ("import shared", ["a/shared.py", "b/shared.py"], ["…/shared.py"]),
}


@pytest.mark.parametrize("how", ELSEWHERE)
def test_the_files_are_those_that_python_takes(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line, files, expected = ELSEWHERE[how]
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "lamp.py").write_text(f"{line}\n{LAMP}")
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("wire = 1\n")
    for folder in ("b", "a"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    job = Job("chores:add", {}, (str(tmp_path / "m" / "lamp.py"),))
    before, found = key_of(job), Sources().of_file(tmp_path / "m" / "lamp.py")
    assert [name for name, _ in found if name != "lamp.py"] == expected
    taken = next(name for name in files if name.endswith(expected[-1].removeprefix("…")))
    (tmp_path / taken).write_text("wire = 2\n")
    assert key_of(job) != before


def test_two_files_of_one_name_are_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "lamp.py").write_text("import one, two\n")
    seen = set()
    for texts in (("wire = 1\n", "wire = 2\n"), ("wire = 2\n", "wire = 1\n")):
        for name, text in zip(("one", "two"), texts, strict=True):
            (tmp_path / "lib" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "lib" / name / "__init__.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path / "lib")
        seen.add(key_of(Job("chores:add", {}, (str(tmp_path / "m" / "lamp.py"),))))
    assert len(seen) == 2


def test_a_shipped_design_rests_on_its_parts_and_on_no_other_design() -> None:
    names = [name for name, _ in Sources().of_file(Path(catalog.find("v7").source.file))]
    assert names[-1] == "v7.py"
    assert "models/vfio/kernel.py" in names
    assert not any("save_unwind" in name for name in names)
    imported = subprocess.run(
        [sys.executable, "-c", "import sys; from cprcheck import catalog; catalog.find('v7'); print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    loaded = {name.removeprefix("cprcheck.models.") for name in imported if name.startswith("cprcheck.models.vfio.")}
    assert loaded == {name[len("models/") : -len(".py")].replace("/", ".") for name in names[1:-1]}, "what Python loads"


@pytest.mark.parametrize("changed", ["lamp.py", "parts/__init__.py", "parts/deep.py"])
def test_a_change_in_any_file_that_matters_changes_the_key(changed: str, lamp: Path) -> None:
    job = checks.job(str(SHIPPED / "designs" / "v7.py"), {})
    job = replace(job, models=(str(lamp),))
    before = key_of(job)
    assert key_of(job) == before
    path = lamp.parent / changed
    path.write_text(path.read_text() + "# a word\n")
    assert key_of(job) != before


def test_a_change_in_any_other_file_does_not(lamp: Path) -> None:
    job = Job("chores:add", {}, (str(lamp),))
    before = key_of(job)
    (lamp.parent / "other.py").write_text("everything = 1\n")
    assert key_of(job) == before


def test_the_file_of_the_task_and_cprcheck_itself_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mytasks.py").write_text("def f(): return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    job = Job("mytasks:f", {})
    before = key_of(job)
    (tmp_path / "mytasks.py").write_text("def f(): return 2\n")
    after = key_of(job)
    assert after != before
    now = Sources()
    now.package = "another"
    assert key(job, now) != after
    for name in ("cprcheck", "z3-solver", "networkx", "python"):
        now = Sources()
        now.versions[name] += ".1"
        assert key(job, now) != after, name


def test_every_file_of_cprcheck_is_in_its_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "engines").mkdir()
    (tmp_path / "engines" / "bmc.py").write_text("x = 1\n")
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(sources, "PACKAGE", tmp_path)
    seen = {Sources().package}
    (tmp_path / "engines" / "bmc.py").write_text("x = 2\n")
    seen.add(Sources().package)
    (tmp_path / "engines" / "bmc.py").rename(tmp_path / "engines" / "new.py")
    seen.add(Sources().package)
    assert len(seen) == 3


def test_the_arguments_matter_and_their_order_does_not() -> None:
    keys = {
        key_of(Job(task, arguments))
        for task in ("chores:add", "chores:note")
        for arguments in ({"a": 1, "b": 2}, {"a": 2, "b": 1}, {"a": "1", "b": 2}, {"a": True, "b": 2})
    }
    assert len(keys) == 8
    assert key_of(Job("chores:add", {"b": 2, "a": 1})) == key_of(Job("chores:add", {"a": 1, "b": 2}))
    assert key_of(Job("chores:add", {}, title="told to people")) == key_of(Job("chores:add", {}))


def test_what_is_no_python_has_a_digest_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def (:\n")
    (tmp_path / "null.py").write_bytes(b"\x00")
    assert len({str(Sources().of_file(tmp_path / name)) for name in ("bad.py", "null.py", "none.py")}) == 3


def test_the_keys_of_a_large_matrix_take_no_time() -> None:
    jobs = [checks.job("v7", {"topology": "e"}, Options(depth=depth)) for depth in range(500)]
    start = time.process_time()
    now = Sources()
    assert len({key(job, now) for job in jobs}) == 500
    assert time.process_time() - start < 1.0
