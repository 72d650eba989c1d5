"""`cprcheck outcomes`: exit codes, what is refused, and what each option does."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from lamp import Run
from toys import DESIGN

from cprcheck import checking

SMALL = "outcomes toy.py -p topology=2p"


@pytest.fixture(autouse=True)
def design(ran: Run) -> None:
    """`toy.py`, beside `lamp.py`."""
    Path("toy.py").write_text(DESIGN, encoding="utf-8")


def rows(out: str) -> list[list[str]]:
    """The first cells of each row of the table in Markdown, but for its number."""
    found = [line for line in out.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)][2:-1] for line in found]


CODES = {
    SMALL: 0,
    f"{SMALL} --against toy.py --changed": 0,
    f"{SMALL} --max-states 5": 3,
    f"{SMALL} --timeout 0": 3,
    f"{SMALL} --against v7 --max-states 30": 3,
    "outcomes toy.py::toy --kernel 6.3 --env cont": 0,
}


@pytest.mark.parametrize("line", CODES)
def test_the_exit_code_says_whether_all_is_known(line: str, ran: Run) -> None:
    code, out, err = ran(line)
    assert (code, err, "unknown: not all states were seen" in out) == (CODES[line], "", CODES[line] == 3)


LACKS = 'has no failure matrix: write @m.outcome("guest", ...) to say what has become of it (docs/language.md)'
REFUSED = {
    "outcomes lamp.py": f"lamp {LACKS}",
    "outcomes toy.py --against lamp.py": f"lamp {LACKS}",
    "outcomes toi": "no model 'toi'; there is ",
    "outcomes toy.py -p carefull=yes": "toy has no parameter 'carefull'; did you mean 'careful'?",
    "outcomes toy.py -p careful": "-p careful: write -p NAME=VALUE",
    "outcomes toy.py --changed": "--changed: write --against DESIGN, too",
    "outcomes toy.py --against-param careful=yes": "--against-param: write --against DESIGN, too",
    "outcomes toy.py --against toy.py --against-param careful": (
        "--against-param careful: write --against-param NAME=VALUE"
    ),
    "outcomes toy.py --against toy.py --against-param carefull=yes": "toy has no parameter 'carefull'; did you mean ",
    "outcomes toy.py --kernel E9": "kernel=E9: the eras are E1 ",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_told_is_refused_in_a_sentence(line: str, ran: Run) -> None:
    code, out, err = ran(line)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"cprcheck: {REFUSED[line]}")


@pytest.mark.parametrize("option", ["--faults 1", "--max-states 0", "--timeout -1"])
def test_a_wrong_option_is_usage(option: str, ran: Run) -> None:
    code, out, err = ran(f"{SMALL} {option}")
    assert (code, out, err.startswith("Usage: cprcheck outcomes ")) == (2, "", True)


def test_parameters_are_for_both_and_some_for_the_other_only(ran: Run) -> None:
    def titles(line: str) -> list[str]:
        return re.findall(r"^(?:toy|v7)\(.*\)$", ran(line).out, re.MULTILINE)

    assert titles(f"{SMALL} -p careful=yes --against v7") == [
        "toy(kernel=E1, topology=p/p, env=AGAIN, careful=True)",
        "v7(kernel=E1, topology=p/p, mappings=1, guest=RUNNING, env=AGAIN)",
    ]
    assert titles(f"{SMALL} --against toy.py --against-param careful=yes --against-param topology=p") == [
        "toy(kernel=E1, topology=p/p, env=AGAIN, careful=False)",
        "toy(kernel=E1, topology=p, env=AGAIN, careful=True)",
    ]


def test_what_a_patch_changes(ran: Run) -> None:
    code, out, err = ran(f"{SMALL} --against toy.py --against-param careful=yes --changed --markdown")
    assert (code, err) == (0, "")
    assert [cells[:6] for cells in rows(out)] == [
        ["disk full", "toy (1)", "stopped, old; under way", "none valid", "nobody", "never"],
        ["disk full", "toy (2)", "stopped, old; under way", "all valid", "the caller", "before"],
    ]


@pytest.mark.slow
def test_more_rows_on_request(ran: Run) -> None:
    line = "outcomes v7 -p topology=e --markdown"
    one = {cells[0] for cells in rows(ran(line).out)}
    assert "cpr_state_save fails" in one
    assert not any(", then " in name for name in one)
    tried = {cells[0] for cells in rows(ran(f"{line} --again").out)} - one
    assert "cpr_state_save fails, then another attempt" in tried
    twice = {cells[0] for cells in rows(ran(f"{line} --pairs").out)} - one
    assert "disk full, then another attempt, then cpr_state_save fails" in twice
    assert not twice & tried
    strange = {cells[0] for cells in rows(ran(f"{line} --injected").out)} - one
    assert strange == {r"c0: UNMAP(ALL\|V) fails for no reason (injected)"}


def test_the_last_line_leads_here_again(ran: Run) -> None:
    line = "outcomes toy.py -p topology=2p --kernel E4 --injected --pairs --again --against toy.py"
    line += " --against-param careful=yes --changed"
    assert ran(line).out.splitlines()[-1] == f"  again: cprcheck {line}"


def test_traces_and_json(ran: Run) -> None:
    code, out, err = ran(f"{SMALL} --traces --json found.json")
    assert (code, err) == (0, "")
    assert "\n--- 2: disk full\n" in out
    read = json.loads(Path("found.json").read_text(encoding="utf-8"))
    assert [row["guest"] for row in read["designs"][0]["rows"]][:2] == [
        "runs in the new QEMU",
        "stopped in the old QEMU",
    ]
    assert ran(f"{SMALL} --json nowhere/found.json").code == 2


def test_a_design_that_python_runs_otherwise_is_not_told(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "listen", lambda *_: "toy: two say three")
    assert ran(SMALL) == (4, "", "cprcheck: DISAGREEMENT toy: two say three\n")
