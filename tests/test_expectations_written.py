"""What is filled into a file of expectations, and what stays as a person wrote it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lamp import LAMP

from cprcheck.expectations.runs import read, rewritten

HAND = """\
# Ours.
[[run]]   # first
model = "lamp.py"  # a lamp

# what we know
[run.verdicts]
whole = "VIOLATED" # known since May

# The second.
[[run]]
model = "peterson"
states = 1
[run.verdicts]
mutual_exclusion = "HOLDS"
[run.steps]
mutual_exclusion = 4 # nonsense
"""
WRITTEN = """\
# Ours.
[[run]]   # first
model = "lamp.py"  # a lamp

# what we know
[run.verdicts]
whole = "VIOLATED" # known since May

[run.steps]
whole = 1

# The second.
[[run]]
model = "peterson"
states = 42
[run.verdicts]
mutual_exclusion = "HOLDS"
[run.steps]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lamp.py").write_text(LAMP, encoding="utf-8")


def test_what_a_person_wrote_stays_as_it_is() -> None:
    Path("expected.toml").write_text(HAND, encoding="utf-8")
    first, second = read(Path("expected.toml"))
    filled = [replace(first, steps={"whole": 1}), replace(second, steps={}, size={"states": 42})]
    assert rewritten(HAND, filled) == WRITTEN
    assert rewritten(WRITTEN, filled) == WRITTEN
    windows = HAND.replace("\n", "\r\n")
    assert rewritten(windows, filled) == WRITTEN.replace("\n", "\r\n")


def test_a_file_written_in_another_way_is_filled_in_too() -> None:
    text = 'run = [{ model = "lamp.py", verdicts = { whole = "VIOLATED" } }]\n'
    Path("expected.toml").write_text(text, encoding="utf-8")
    (one,) = read(Path("expected.toml"))
    Path("expected.toml").write_text(rewritten(text, [replace(one, steps={"whole": 1})]), encoding="utf-8")
    assert read(Path("expected.toml"))[0] == replace(one, steps={"whole": 1})
