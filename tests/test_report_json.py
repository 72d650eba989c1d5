"""A report as JSON: every field, for all five statuses; nothing of this machine or this minute in it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from authors import written

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.report import document

SOURCE = '''\
from cprcheck import Bool, Model, Range, every, model

@model
def five(top: int = 3, names: frozenset[int] = frozenset()) -> Model:
    """One property of each status."""
    m = Model()
    m.var("n", Range(0, top), init=0)
    m.array("cut", (1, 2), Bool, init=False)

    @m.process(c="net/send.c", i=(1, 2))
    def send(s, i):
        yield "wait"
        s.require(s.n == 0)
        s.n = s.choose("how many", (1, 2))
        if s.fault("the cable is cut"):
            s.cut[i] = True
        s.emit("sent", to=i)

    @m.invariant(i=(1, 2))
    def whole(s, i):
        """No cable
        is cut."""
        return not s.cut[i]

    @m.invariant
    def few(s):
        return s.n < 3

    @m.reachable
    def both(s):
        return s.n == 2

    @m.reachable
    def all_cut(s):
        return every(s.cut)

    @m.leads_to
    def falls(s):
        return s.n == 2, s.n == 0

    @m.severity("no cable")
    def no_cable(s):
        return s.cut[1]

    return m
'''
PROVE = Options(engines=("prove",), properties=("whole", "few", "both", "all_cut", "falls"))


@pytest.fixture
def written_by_an_author(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "five.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def loaded(path: Path, options: Options) -> dict[str, Any]:
    """The document on the model in `path`, after a trip through its text."""
    read: dict[str, Any] = json.loads(document.dumps(check(catalog.bind(catalog.find(str(path)), {}), options)))
    return read


def strings(value: object) -> Iterator[str]:
    """Every text in a document, keys too."""
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield key
                yield from strings(inner)
        case list():
            for inner in value:
                yield from strings(inner)


def test_the_model_and_the_scope_are_told(written_by_an_author: Path) -> None:
    found = loaded(written_by_an_author, PROVE)
    assert {key: value for key, value in found.items() if key not in ("digest", "merging", "properties")} == {
        "schema": "cprcheck-report-1",
        "cprcheck": version("cprcheck"),
        "z3": version("z3-solver"),
        "model": "five",
        "title": "five(top=3, names=none)",
        "params": {"top": "3", "names": ""},
        "scope": ["any finite number of faults, injected ones excluded"],
        "size": None,
        "unreached": None,
        "disagreements": [],
    }
    assert re.fullmatch("[0-9a-f]{16}", found["digest"])
    assert found["merging"] == "equal locations merged by bisimulation: 2 of 2 left"


def test_all_five_statuses_are_told(written_by_an_author: Path) -> None:
    properties = loaded(written_by_an_author, PROVE)["properties"]
    assert {prop["name"]: prop["status"] for prop in properties} == {
        "whole(i=1)": "VIOLATED",
        "whole(i=2)": "VIOLATED",
        "few": "HOLDS",
        "both": "REACHABLE",
        "all_cut": "UNREACHABLE",
        "falls": "UNKNOWN",
    }


def test_a_violation_has_its_trace_and_what_it_shows(written_by_an_author: Path) -> None:
    options = Options(engines=("explicit", "bmc"), properties=("whole",))
    (violated, _) = loaded(written_by_an_author, options)["properties"]
    (step,) = violated.pop("trace")
    assert violated == {
        "name": "whole(i=1)",
        "family": "whole",
        "kind": "invariant",
        "claim": "No cable\nis cut.",
        "status": "VIOLATED",
        "reason": "",
        "severity": "no cable",
        "violated": "not cut[1]",
        "where": {"cut[1]": "True"},
        "answers": [
            {"engine": "explicit", "status": "VIOLATED", "basis": "1 steps", "reason": ""},
            {"engine": "bmc", "status": "VIOLATED", "basis": "1 steps", "reason": ""},
        ],
        "steps": 1,
        "loop": None,
    }
    choices = step.pop("choices")
    assert choices in ([["how many", "1"]], [["how many", "2"]])
    assert step == {
        "process": "send(i=1)",
        "label": "wait",
        "faults": ["the cable is cut"],
        "events": ["sent(to=1)"],
        "functions": ["net/send.c:send"],
    }


def test_what_is_unknown_has_its_reason_and_no_trace(written_by_an_author: Path) -> None:
    unknown = loaded(written_by_an_author, PROVE)["properties"][-1]
    assert unknown == {
        "name": "falls",
        "family": "falls",
        "kind": "leads-to",
        "claim": "",
        "status": "UNKNOWN",
        "reason": "only an explicit search can answer this",
        "severity": "",
        "violated": "",
        "where": {},
        "answers": [],
        "steps": None,
        "loop": None,
        "trace": None,
    }


def test_a_lasso_has_its_loop(written_by_an_author: Path) -> None:
    (lasso,) = loaded(written_by_an_author, Options(engines=("explicit",), properties=("falls",)))["properties"]
    assert (lasso["steps"], lasso["loop"], len(lasso["trace"])) == (1, 1, 1)
    assert lasso["answers"][0] == {
        "engine": "liveness",
        "status": "VIOLATED",
        "basis": "lasso of 1 + 0 steps",
        "reason": "",
    }


def test_the_size_and_what_is_never_taken_are_told_after_an_explicit_search() -> None:
    body = "@m.action\ndef a(s):\n    s.b = True\n@m.leads_to\ndef l(s):\n    return s.b, s.b\n"
    body += "@m.action\ndef b(s):\n    s.require(s.n == 1)\n    s.n = 2\n"
    found = document.document(check(written(body)))
    assert found["size"] == {"states": 2, "generated": 3, "depth": 1, "complete": True}
    assert found["unreached"] == [
        {"process": "b", "label": "b", "choices": [], "faults": [], "events": [], "functions": []}
    ]


def test_a_search_that_was_cut_off_says_so(written_by_an_author: Path) -> None:
    found = loaded(written_by_an_author, Options(engines=("explicit",), states=1))
    assert found["size"] == {"states": 1, "generated": 1, "depth": 0, "complete": False}
    assert found["unreached"] is None


def test_nothing_of_this_machine_or_this_minute_is_in_it(written_by_an_author: Path) -> None:
    for found in (loaded(written_by_an_author, Options()), document.document(check(catalog.find("v7")()))):
        texts = list(strings(found))
        assert len(texts) > 100
        assert not [text for text in texts if text.startswith(("/", "~")) or ".py" in text or str(Path.home()) in text]
        assert not {"time", "seconds", "date", "host", "user"} & set(texts)


def test_the_text_is_the_same_each_time(written_by_an_author: Path) -> None:
    model = catalog.find(str(written_by_an_author))
    first, second = (document.dumps(check(model())) for _ in range(2))
    assert first == second
    assert first.endswith("}\n")
