"""The manifest of a report: a damaged or forged one is told, and never makes a report touch what is not its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lamp import LAMP, Run
from reported import COMMAND, DAMAGED, WHAT_TO_DO, contents, forged, spoil

from cprcheck.checking import Options
from cprcheck.report import manifest


@pytest.mark.parametrize("known", [True, False], ids=["of this version", "of an older one"])
@pytest.mark.parametrize(
    "name", ["../victim", "traces/../../victim", "/victim", "mine", "traces", "traces//x", "traces/a\0"]
)
def test_a_manifest_never_makes_a_report_remove_a_file_of_others(name: str, known: bool, there: Path, ran: Run) -> None:
    name = name.replace("/victim", f"{there.parent}/victim") if name.startswith("/") else name
    for victim in (there.parent / "victim", there / "mine"):
        victim.write_text("precious")
    forged(there, lambda data: data["files"].update({name: "x"}))
    if not known:
        spoil("digest.json", lambda text: text.replace(manifest.SCHEMA, "cprcheck-manifest-2"))(there)
    before = contents(there.parent)
    for line in (COMMAND, "report --check"):
        found = ran(line)
        said = f"reports/digest.json is damaged: it names {name!r}, which no report would write there"
        assert f"{found.out}{found.err}" == (f"cprcheck: {said}; {WHAT_TO_DO}\n" if line == COMMAND else f"{said}\n")
        assert found.code == (2 if line == COMMAND else 1)
    assert contents(there.parent) == before


def test_nor_one_that_a_link_leads_to(there: Path, ran: Run) -> None:
    (there / "traces").rename(there.parent / "other")
    (there / "traces").symlink_to("../other")
    before = contents(there.parent)
    found = ran(COMMAND)
    said = "reports/digest.json is damaged: it names 'traces/lamp/dark.dot', which no report would write there"
    assert (found.code, found.err) == (2, f"cprcheck: {said}; {WHAT_TO_DO}\n")
    assert contents(there.parent) == before


def first(data: dict[str, Any]) -> dict[str, Any]:
    """The first configuration of a manifest."""
    found: dict[str, Any] = data["configurations"][0]
    return found


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no configurations": lambda data: data.pop("configurations"),
    "no list": lambda data: data.update(configurations={}),
    "a name": lambda data: data.update(configurations=["v7"]),
    "no files": lambda data: data.pop("files"),
    "files in a list": lambda data: data.update(files=["index.html"]),
    "versions in a list": lambda data: data.update(versions=["1"]),
    "no sources": lambda data: data.update(sources=None),
    "twice the same": lambda data: data["configurations"].append(data["configurations"][0]),
    **{f"no {key}": lambda data, key=key: first(data).pop(key) for key in manifest.CONFIGURATION},
    **{f"{key} = 3": lambda data, key=key: first(data).update({key: 3}) for key in manifest.CONFIGURATION},
    **{f"no {key}": lambda data, key=key: first(data)["options"].pop(key) for key in manifest.OPTIONS},
    **{f"{key} = -3": lambda data, key=key: first(data)["options"].update({key: -3}) for key in manifest.OPTIONS},
    "faults = x": lambda data: first(data)["options"].update(faults="x"),
    "states = yes": lambda data: first(data)["options"].update(states=True),
    "another option": lambda data: first(data)["options"].update(zz=3),
    "a number for a parameter": lambda data: first(data).update(params={"top": 3}),
    "a name with a NUL": lambda data: first(data).update(model="a\0/b.py"),
    "another schema": lambda data: data.update(schema=["cprcheck-manifest-3"]),
}


@pytest.mark.parametrize("how", FORGED)
def test_a_manifest_of_another_shape_is_damaged(how: str, there: Path, ran: Run) -> None:
    forged(there, FORGED[how])
    before = contents(there)
    found = ran("report --check")
    assert (found.code, found.out, found.err) == (1, f"{DAMAGED}\n", "")
    found = ran(COMMAND)
    assert (found.code, found.out, found.err) == (2, "", f"cprcheck: {DAMAGED}; {WHAT_TO_DO}\n")
    assert contents(there) == before


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"[" * 200_000, b"9" * 20_000, b"\xff\xfe", b'{"files": {"\\ud800": ""}}']
)
def test_so_is_one_that_is_no_manifest_at_all(text: bytes, there: Path, ran: Run) -> None:
    (there / "digest.json").write_bytes(text)
    found = ran("report --check")
    assert (found.code, found.out, found.err) == (1, f"{DAMAGED}\n", "")


def test_the_options_of_a_manifest_are_those_of_a_check() -> None:
    assert [*manifest.OPTIONS] == [each.name for each in dataclasses.fields(Options)]


def test_a_folder_of_traces_that_no_report_wrote_is_not_taken_over(ran: Run) -> None:
    Path("reports/traces").mkdir(parents=True)
    Path("reports/traces/mine.txt").write_text("precious")
    found = ran("report lamp.py --property bright --jobs 1")
    said = "cprcheck: reports/traces/mine.txt is not from an earlier report; move it away, or write --out DIR\n"
    assert (found.code, found.out, found.err) == (2, "", said)
    assert contents(Path("reports")) == {"traces/mine.txt": b"precious"}


def test_what_does_not_belong_among_traces_is_told_and_goes_with_the_next_report(there: Path, ran: Run) -> None:
    Path("lamp.py").write_text(LAMP)
    before = contents(there)
    (there / "traces" / "empty").mkdir()
    (there / "traces" / "evil.html").symlink_to("nowhere")
    (there / ".report-1234.tmp").mkdir()
    found = ran("report --check")
    assert (found.code, found.out.splitlines()) == (
        1,
        [
            "reports/traces/empty is not of this report",
            "reports/traces/evil.html is not of this report",
            "note: reports/.report-1234.tmp was left behind by a report that somebody killed; the next one removes it",
            "reports is not up to date",
        ],
    )
    assert ran(COMMAND).code == 1
    assert contents(there) == before
    assert sorted(path.name for path in (*there.glob(".*"), *(there / "traces").iterdir())) == ["lamp"]


def test_a_forged_manifest_is_held_against_what_is_there(there: Path, ran: Run) -> None:
    Path("lamp.py").write_text(LAMP)
    forged(there, lambda data: (data["configurations"].pop(), data["files"].pop("index.html")))
    found = ran("report --check")
    assert (found.code, found.out.splitlines()) == (
        1,
        [
            "reports/matrix.json is about other configurations than reports/digest.json",
            "reports/index.html is not of this report",
            "reports is not up to date",
        ],
    )
