"""A verdict in a sentence, in characters that can be printed."""

from __future__ import annotations

from pathlib import Path

import pytest
import samples

import cprcheck
from cprcheck.errors import Source
from cprcheck.models import SHIPPED
from cprcheck.report import words
from cprcheck.report.text import evidence

PRINTED = {
    "plain": "plain",
    "häß ✅ \U0001f600\n\ttab": "häß ✅ \U0001f600\n\ttab",
    "\x00\x1b[31m\x7f\r": "\\x00\\x1b[31m\\x7f\\r",
    "\x85\x9b": "\\x85\\x9b",
    "\ud800\uffff": "\\ud800\\uffff",
}


@pytest.mark.parametrize("said", PRINTED)
def test_what_is_not_for_printing_is_written_as_an_escape(said: str) -> None:
    assert words.printable(said) == PRINTED[said]


def test_a_sentence_says_the_verdict_and_what_it_rests_on() -> None:
    assert {verdict.prop.name: words.sentence(verdict) for verdict in samples.full().verdicts} == {
        "quiet": "VIOLATED in 2 steps: n != 3",
        "whole(i=0)": "VIOLATED in 4 steps: v[0] = GOOD",
        "whole(i=1)": "HOLDS: all reachable states, by explicit and prove",
        "settles": f"VIOLATED in {len(samples.full()['settles'].trace)} steps: never again: n = 3",
        "new": "REACHABLE: 3 steps, by explicit and bmc",
        "both": "UNREACHABLE: all reachable states, by explicit and prove",
        "bounded": "HOLDS: all reachable states, by explicit and prove",
    }
    unknown = samples.unknown()["bounded"]
    assert words.sentence(unknown) == f"UNKNOWN: {unknown.reason}"


def test_the_details_are_the_trace_of_what_is_bad_and_a_sentence_for_the_rest() -> None:
    found = samples.full()
    again = ["cprcheck", "check", "mine.py"]
    assert list(words.details(found.system, found["quiet"], again)) == list(
        evidence(found.system, found["quiet"], again)
    )
    assert list(words.details(found.system, found["new"], again)) == [
        "--- new",
        "The new one gets there.",
        "  REACHABLE: 3 steps, by explicit and bmc",
    ]


def test_a_place_is_told_relative_to_what_others_have_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert words.place(Source("a.py", 1)) == (words.HERE, "a.py")
    assert words.place(Source(str(tmp_path / "x" / "a.py"), 1)) == (words.HERE, "x/a.py")
    assert words.place(Source(str(SHIPPED / "designs" / "v7.py"), 1)) == (words.OURS, "models/designs/v7.py")
    assert words.place(Source(str(tmp_path.parent / "a.py"), 1)) is None
    root = Path(cprcheck.__file__).parents[1]
    monkeypatch.chdir(root)
    checkout, wheel = (Source(str(root / folder / "designs" / "v7.py"), 1) for folder in ("models", "cprcheck/_models"))
    assert words.place(checkout) == (words.HERE, "models/designs/v7.py")
    assert words.place(wheel) == (words.OURS, "models/designs/v7.py")  # as in a venv below the working directory
