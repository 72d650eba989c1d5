"""`cprcheck compare`: exit codes, what is refused, and what each option does."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path

import pytest
from lamp import Run
from toys import DESIGN

from cprcheck.compare import measuring
from cprcheck.errors import DisagreementError
from cprcheck.jobs import pool

SMALL = "compare toy.py --kernel E1 --topology 2p --containers 1"


@pytest.fixture(autouse=True)
def design(ran: Run) -> None:
    """`toy.py` and `other.py`, beside `lamp.py`."""
    Path("toy.py").write_text(DESIGN, encoding="utf-8")
    Path("other.py").write_text(DESIGN.replace("def toy(", "def other("), encoding="utf-8")


CODES = {
    SMALL: 0,
    f"{SMALL} -p careful=yes": 0,
    f"{SMALL} --max-states 5": 3,
    f"{SMALL} --timeout 0": 3,
    "compare toy.py::toy --kernel 6.3 --containers 1": 0,
}


@pytest.mark.parametrize("line", CODES)
def test_the_exit_code_says_whether_all_is_known(line: str, ran: Run) -> None:
    code, out, err = ran(line)
    assert (code, err, "unknown of toy" in out) == (CODES[line], "", CODES[line] == 3)


REFUSED = {
    "compare peterson": "peterson cannot be compared: it has no parameter 'kernel'",
    "compare toy.py none.py": "no file FOLDER/none.py",
    "compare toi": "no model 'toi'; there is ",
    "compare toy.py --kernel E9": "kernel=E9: the eras are E1 ",
    "compare toy.py --topology y": "topology=y: write ",
    "compare toy.py -p careful": "-p careful: write -p NAME=VALUE",
    "compare toy.py -p carefull=yes": "toy has no parameter 'carefull'; did you mean 'careful'?",
    "compare toy.py -p careful=x": "careful=x: write yes or no",
    "compare toy.py -p kernel=E1": "-p kernel=E1: write --kernel VALUE",
    "compare toy.py -p topology=p": "-p topology=p: write --topology VALUE",
    "compare toy.py -p env=cont": "-p env=cont: the environment is part of what is measured",
    "compare toy.py:topology=p": "toy.py:topology=p: write --topology VALUE",
    "compare toy.py other.py toy.py": "toy.py and toy.py are one design: name it once, or set a parameter of one: "
    "toy.py:NAME=VALUE",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_measured_is_refused_in_a_sentence(line: str, ran: Run) -> None:
    code, out, err = ran(line)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"cprcheck: {REFUSED[line].replace('FOLDER', str(Path.cwd()))}")


@pytest.mark.parametrize(
    "option", ["--containers 0", "--containers 17", "--max-states 0", "--timeout -1", "--faults 1"]
)
def test_a_wrong_option_is_usage(option: str, ran: Run) -> None:
    code, out, err = ran(f"{SMALL} {option}")
    assert (code, out, err.startswith("Usage: cprcheck compare ")) == (2, "", True)


@pytest.mark.slow
def test_the_options_pick_what_is_measured(ran: Run) -> None:
    def places(line: str) -> list[str]:
        return re.findall(r"^--- (.*)$", ran(line).out, re.MULTILINE)

    assert places(SMALL) == [
        "kernel E1, topology 2p, env quiet and cont",
        "kernel E1, topology Cp, env quiet",
        "kernel E1, topology Cp, env cont,stop",
        "kernel E1, topology 2p, env quiet",
        "kernel E1, topology 2p, env cont",
        "kernel E1, topology 2p, env quiet",
        "kernel E1, topology 2p, env again",
    ]
    assert places(f"{SMALL} --kernel 6.3")[0] == (
        "kernel E1, topology 2p, env quiet and cont; kernel E4, topology 2p, env quiet and cont"
    )
    everywhere = " ".join(ran("compare toy.py --containers 1").out.split())
    for kernel, topology in product(("E1", "E4"), ("2p", "p/e", "e/p")):
        assert f"kernel {kernel}, topology {topology}, env cont" in everywhere
    assert re.search(r"^toy +1 2 3 +1 2 3 +1 2 3$", ran(SMALL.replace("s 1", "s 3")).out, re.MULTILINE)
    assert re.search(r"^toy +C +C +C$", ran(SMALL.replace("s 1", "s 4")).out, re.MULTILINE)


@pytest.mark.slow
def test_several_designs_share_the_tables_and_none_wins(ran: Run) -> None:
    out = ran(SMALL.replace("toy.py", "other.py toy.py --no-pair")).out
    rows = re.findall(r"^(\w+)  +disk full", out, re.MULTILINE)
    assert rows == ["other", "toy"] * 2
    assert not re.search(r"\b(best|winner)\b", out)
    assert re.search(r"^other +yes .*\ntoy +yes ", out, re.MULTILINE)


@pytest.mark.slow
def test_designs_of_one_name_and_variants_of_one_design_have_their_own_figures(ran: Run) -> None:
    Path("mine").mkdir()
    Path("mine/toy.py").write_text(DESIGN.replace("careful: bool = False", "careful: bool = True"))
    same = ran(SMALL.replace("toy.py", "toy.py mine/toy.py")).out
    assert re.findall(r"^toy \((.)\)  +disk full +(\w+) ", same, re.MULTILINE) == [("1", "never"), ("2", "0")] * 2
    assert re.search(r"^toy \(1\) +toy\.py .*\ntoy \(2\) +mine/toy\.py ", same, re.MULTILINE)
    assert re.search(r"^toy \(2\) +yes .*\ntoy \(1\) +no .* toy \(2\)$", same, re.MULTILINE)
    assert "What tells toy (1) and toy (2) apart" in same
    assert "toy (2) allows it, toy (1) does not: E1, p, env cont" in same
    ways = ran(SMALL.replace("toy.py", "toy.py toy.py:careful=yes")).out
    assert (
        re.findall(r"^(toy\S*)  +disk full +(\w+) ", ways, re.MULTILINE)
        == [("toy", "never"), ("toy(careful=yes)", "0")] * 2
    )
    assert "What tells toy and toy(careful=yes) apart" in ways


TOLD = {
    "--pair": "--pair tells two designs apart, not 1: name two",
    "other.py third.py --pair": "--pair tells two designs apart, not 3: name two",
    "--hide CHECK_EXTENSION": "--hide CHECK_EXTENSION: only two designs are told apart by their events; name two",
    "other.py --no-pair --hide x": "--hide x: only two designs are told apart by their events; name two",
    "other.py --hide x": "--hide x: no design here has such an event; there is CHECK_EXTENSION, MAP(V), UNMAP(ALL|V), "
    "test",
}


@pytest.mark.parametrize("line", TOLD)
def test_only_two_designs_are_told_apart(line: str, ran: Run) -> None:
    Path("third.py").write_text(DESIGN.replace("def toy(", "def third("))
    assert ran(f"{SMALL} {line}") == (2, "", f"cprcheck: {TOLD[line]}\n")


@pytest.mark.slow
def test_two_designs_are_told_apart_unless_nobody_wants_to_know(ran: Run) -> None:
    other = DESIGN.replace("def toy(", "def other(").replace(
        's.emit("UNMAP', 's.emit("CHECK_EXTENSION")\n            s.emit("UNMAP'
    )
    Path("other.py").write_text(other)
    line = SMALL.replace("toy.py", "other.py toy.py")
    out = ran(line).out
    assert "What tells other and toy apart" in out
    assert "other allows it, toy does not: E1, p, env cont" in out
    assert "instead, toy can only show" in out
    blind = ran(f"{line} --hide CHECK_EXTENSION --json figures.json")
    assert blind.code == 0
    assert re.search(r"^E1, p, env cont +nothing +nothing +yes +yes$", blind.out, re.MULTILINE)
    assert "apart" not in ran(f"{line} --no-pair").out
    (versus, _) = json.loads(Path("figures.json").read_text())["pairs"]
    assert [way["followed"] for way in versus["directions"]] == [True, True]


def test_what_is_kept_is_not_measured_again(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ran(f"{SMALL} --jobs 1 --cache kept")
    monkeypatch.setattr(pool, "perform", lambda again, *_: (pytest.fail(f"done again: {each}") for each in again))
    assert ran(f"{SMALL} --jobs 1 --cache kept") == first


@pytest.mark.slow
def test_a_part_that_nobody_finishes_is_unknown(ran: Run) -> None:
    code, out, err = ran(f"{SMALL} --no-cache --job-timeout 0")
    assert (code, err) == (3, "")
    assert "unknown of toy: " in out
    assert re.search(r"^toy +\? +\? +\?", out, re.MULTILINE)


def test_markdown_and_json(ran: Run) -> None:
    code, out, err = ran(f"{SMALL} --markdown --json figures.json")
    assert (code, err) == (0, "")
    assert out.startswith("## Verdicts\n")
    assert "| toy | disk full | never | never | no | no | nobody |\n" in out
    read = json.loads(Path("figures.json").read_text(encoding="utf-8"))
    assert read["designs"][0]["restores"][0]["failures"][0]["name"] == "disk full"
    assert ran(f"{SMALL} --json nowhere/figures.json").code == 2


def test_a_parameter_without_a_default_can_be_given(ran: Run) -> None:
    Path("toy.py").write_text(
        DESIGN.replace("careful: bool = False", "careful: bool").replace(
            "kernel: Era = Era.E1", "*, kernel: Era = Era.E1"
        )
    )
    assert ran(f"{SMALL} -p careful=yes").code == 0
    said = "cprcheck: toy needs a value for 'careful': write -p careful=...\n"
    assert ran(SMALL) == (2, "", said)


def test_a_design_that_python_runs_otherwise_is_not_measured(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def differs(*_: object) -> None:
        raise DisagreementError("toy: two say three")

    monkeypatch.setattr(measuring, "run_jobs", differs)
    assert ran(SMALL) == (4, "", "cprcheck: DISAGREEMENT toy: two say three\n")


def test_a_design_without_an_initial_state_has_no_figures(ran: Run) -> None:
    nowhere = "    @m.assume_init\n    def nowhere(s):\n        return s.done\n\n    return m\n"
    Path("toy.py").write_text(DESIGN.replace("    return m\n", nowhere))
    said = "cprcheck: toy has no initial state: no initial values satisfy assume_init\n"
    assert ran(SMALL) == (2, "", said)


def test_a_design_that_breaks_a_rule_is_named_with_its_line(ran: Run) -> None:
    Path("toy.py").write_text(DESIGN.replace("s.runs = s.valid = False", "s.rums = False"))
    code, out, err = ran(SMALL)
    assert (code, out) == (2, "")
    assert re.match(r"cprcheck: toy\.py:\d+: no state variable 'rums'; did you mean 'runs'\?\n", err)


@pytest.mark.slow
def test_of_all_shipped_designs_everything_is_known(ran: Run) -> None:
    code, out, err = ran("compare --kernel E4 --topology p/e")
    assert (code, err, "unknown of" in out) == (0, "", False)
    assert max(map(len, out.splitlines())) <= 110
