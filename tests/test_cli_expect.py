"""The command line for a CI: `cprcheck expect`, and the formats that `cprcheck check` writes for one."""

from __future__ import annotations

import json
import os
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lamp import TRACE, Run, listing, started

from cprcheck.jobs import checks
from cprcheck.verdict import Report

AS_IT_IS = """\
[[run]]
model = "lamp.py"
properties = ["not_both", "below"]
[run.verdicts]
not_both = "VIOLATED"
below = "HOLDS"
[run.steps]
not_both = 2

[[run]]
model = "lamp.py"
faults = "none"
slow = true
[run.verdicts]
dark = "VIOLATED"
bright = "REACHABLE"
[run.steps]
dark = 2
bright = 2
"""
FIRST, SECOND = "lamp.py() faults finite", "lamp.py() faults none"


@pytest.fixture
def declare(ran: Run):
    """Write a file of expectations, and run `cprcheck expect` on it."""

    def run(options: str = "", old: str = "", new: str = ""):
        assert old in AS_IT_IS
        Path("e.toml").write_text(AS_IT_IS.replace(old, new), encoding="utf-8")
        return ran(f"expect e.toml {options}")

    return run


def test_a_line_for_each_run_that_is_as_declared(declare) -> None:
    out = f"as declared      {FIRST}\nas declared      {SECOND}\n2 of 2 runs are as declared\n"
    assert declare() == (0, out, "")


def test_a_difference_is_told_with_its_place_and_its_trace(declare) -> None:
    found = declare(old="not_both = 2", new="not_both = 3")
    trace = TRACE.replace("check lamp.py", "check lamp.py --faults finite").replace(" --faults finite", "")
    assert found.out == (
        f"NOT AS DECLARED  {FIRST}\n"
        "  declared: e.toml:1\n"
        "  not_both is VIOLATED in 2 steps; declared VIOLATED in 3 steps\n"
        f"\n{trace}\n"
        f"as declared      {SECOND}\n1 of 2 runs are as declared\n"
    )
    assert (found.code, found.err) == (1, "")


def test_a_length_that_is_to_be_written_down_needs_no_trace(declare) -> None:
    found = declare("--junit j.xml --summary s.md", old="not_both = 2", new="")
    assert found.out == (
        f"NOT AS DECLARED  {FIRST}\n"
        "  declared: e.toml:1\n"
        "  not_both is VIOLATED in 2 steps; declared VIOLATED without a length; write not_both = 2 in [run.steps]\n"
        "\n"
        f"as declared      {SECOND}\n1 of 2 runs are as declared\n"
    )
    for name in ("j.xml", "s.md"):
        text = Path(name).read_text(encoding="utf-8")
        assert "declared VIOLATED without a length; write " in text
        assert "the fuse blows" not in text


CODES = {
    ("", ""): 0,
    ('not_both = "VIOLATED"', 'not_both = "HOLDS"'): 1,
    ("not_both = 2", "not_both = 1"): 1,
    ("not_both = 2", ""): 1,
    ('dark = "VIOLATED"\n', ""): 2,
    ('below = "HOLDS"\n', ""): 0,
    ('bright = "REACHABLE"\n', ""): 2,
    ('properties = ["not_both", "below"]\n', 'properties = ["not_both", "below", "whole"]\n'): 1,
    ('properties = ["not_both", "below"]\n', ""): 1,
    ('properties = ["not_both", "below"]\n', "partial = true\n"): 0,
    (
        'properties = ["not_both", "below"]\n',
        'properties = ["not_both", "below"]\nmax_states = 1\nengines = ["explicit"]\n',
    ): 3,
}


@pytest.mark.parametrize(("old", "new"), CODES)
def test_the_exit_code_is_the_worst(old: str, new: str, declare) -> None:
    assert declare("--no-traces", old, new).code == CODES[old, new]


def test_a_disagreement_is_worse_than_a_difference(declare, monkeypatch: pytest.MonkeyPatch) -> None:
    reports = checks.reports

    def at_odds(*given: Any) -> list[Report]:
        return [replace(found, disagreements=("not_both: they differ",)) for found in reports(*given)]

    monkeypatch.setattr(checks, "reports", at_odds)
    found = declare("--no-traces --github", "not_both = 2", "not_both = 3")
    assert found.code == 4
    assert f"DISAGREEMENT     {FIRST}\n  declared: e.toml:1\n  DISAGREEMENT not_both: they differ\n" in found.out
    assert f"::error file=e.toml,line=1,title={FIRST}::DISAGREEMENT not_both: they differ\n" in found.out


def test_runs_can_be_chosen_but_not_none(declare) -> None:
    assert declare("--quick").out == f"as declared      {FIRST}\n1 of 1 runs are as declared\n"
    assert declare("--model lamp.py --quick").code == 0
    assert declare("--model peterson")[::2] == (2, "cprcheck: no run of 'peterson'; there is lamp.py\n")
    only_slow = 'properties = ["not_both", "below"]\n'
    assert declare("--quick", only_slow, f"{only_slow}slow = true\n")[::2] == (
        2,
        "cprcheck: all runs are declared slow; leave out --quick\n",
    )


def test_a_model_that_is_not_there_is_told_before_anything_is_checked(declare) -> None:
    found = declare("", 'model = "lamp.py"\nfaults', 'model = "lamp.py"\nparams = { topp = "1" }\nfaults')
    assert found == (2, "", "cprcheck: e.toml:10: lamp has no parameter 'topp'; did you mean 'top'?\n")


def test_a_file_that_is_not_there_is_told(ran: Run) -> None:
    assert ran("expect none.toml") == (2, "", "cprcheck: cannot read none.toml: No such file or directory\n")
    assert ran("expect").code == 2


# ---- writing ------------------------------------------------------------------------------------------------------


def test_lengths_are_written_and_verdicts_are_not(declare) -> None:
    found = declare("--write", "not_both = 2", "not_both = 7")
    assert (found.code, found.err) == (0, "wrote e.toml\n")
    assert Path("e.toml").read_text() == AS_IT_IS
    wrong = AS_IT_IS.replace('below = "HOLDS"', 'below = "VIOLATED"').replace("not_both = 2", "not_both = 7")
    Path("e.toml").write_text(wrong)
    found = declare("--write --no-traces", 'below = "HOLDS"', 'below = "VIOLATED"')
    assert (found.code, found.err, Path("e.toml").read_text()) == (1, "", wrong.replace("= 7", "= 2"))


def test_nothing_is_half_written(declare, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *given: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    Path("e.toml").write_text("")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        found = declare("--write", "not_both = 2", "not_both = 7")
    assert (found.code, found.err) == (2, "cprcheck: cannot write e.toml: No space left on device\n")
    assert Path("e.toml").read_text() == AS_IT_IS.replace("not_both = 2", "not_both = 7")
    assert listing() == ["e.toml"]


def test_a_file_that_was_edited_meanwhile_is_not_written(declare, monkeypatch: pytest.MonkeyPatch) -> None:
    reports, edited = checks.reports, AS_IT_IS.partition("\n\n")[2]

    def slowly(*given: Any) -> list[Report]:
        Path("e.toml").write_text(edited)
        return reports(*given)

    monkeypatch.setattr(checks, "reports", slowly)
    found = declare("--write --no-traces", "not_both = 2", "not_both = 7")
    assert (found.code, found.err, Path("e.toml").read_text()) == (
        2,
        "cprcheck: e.toml was changed while its runs were checked: nothing is written; run it again\n",
        edited,
    )


def test_line_ends_and_links_stay_what_they_are(ran: Run) -> None:
    windows = AS_IT_IS.replace("\n", "\r\n").encode()
    Path("real.toml").write_bytes(windows.replace(b"not_both = 2", b"not_both = 7"))
    Path("e.toml").symlink_to("real.toml")
    found = ran("expect e.toml --write")
    assert (found.code, found.err, Path("real.toml").read_bytes()) == (0, "wrote e.toml\n", windows)
    assert Path("e.toml").is_symlink()


def test_a_lost_job_is_never_as_declared(declare) -> None:
    found = declare("--no-cache --job-timeout 0 --junit j.xml", 'below = "HOLDS"', 'below = "UNKNOWN"')
    assert found.code == 3
    assert found.out == (
        f"unknown          {FIRST}\n  declared: e.toml:1\n"
        "  not_both was not checked (no answer within 0 s, twice); declared VIOLATED in 2 steps\n"
        "  below was not checked (no answer within 0 s, twice); declared UNKNOWN\n\n"
        f"unknown          {SECOND}\n  declared: e.toml:10\n"
        "  dark was not checked (no answer within 0 s, twice); declared VIOLATED in 2 steps\n"
        "  bright was not checked (no answer within 0 s, twice); declared REACHABLE in 2 steps\n\n"
        "0 of 2 runs are as declared\n"
    )
    cases = ET.parse("j.xml").getroot().iter("testcase")
    assert [[child.tag for child in case] for case in cases] == [["error"]] * 4


def test_a_property_that_is_not_there_is_told_with_its_place(declare) -> None:
    found = declare("--no-cache", "faults =", 'properties = ["darkk"]\nfaults =')
    said = "no property 'darkk'; there is whole, not_both, below, bright, dark, deadlock_free, nobody_stuck"
    assert found == (2, "", f"cprcheck: e.toml:10: {said}\n")


LIMITS = {
    "--job-memory nan": "write a number of GiB, 0.25 to 100000",
    "--job-memory inf": "write a number of GiB, 0.25 to 100000",
    "--job-memory 0.1": "write a number of GiB, 0.25 to 100000",
    "--job-timeout nan": "write a number of seconds, 0 or more",
}


@pytest.mark.parametrize("option", LIMITS)
def test_a_limit_that_is_none_is_told(option: str, declare) -> None:
    found = declare(option)
    name = option.partition(" ")[0]
    assert (found.code, found.err.splitlines()[-1]) == (2, f"Error: Invalid value for '{name}': {LIMITS[option]}")


def test_without_a_home_that_is_told_once(declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cprcheck.commands.jobs.usual_folder", lambda: None)
    note = "cprcheck: there is no home directory, so no answer is kept; write --cache DIR, or --no-cache\n"
    assert declare("--quick").err == note
    assert declare("--quick --no-cache").err == ""


def test_junit_has_a_test_for_each_declared_verdict(declare) -> None:
    declare("--junit j.xml", "not_both = 2", "not_both = 3")
    cases = ET.parse("j.xml").getroot().iter("testcase")
    assert [(case.get("classname"), case.get("name"), [child.tag for child in case]) for case in cases] == [
        (FIRST, "not_both", ["failure"]),
        (FIRST, "below", ["system-out"]),
        (SECOND, "dark", ["system-out"]),
        (SECOND, "bright", ["system-out"]),
    ]
    (failure,) = ET.parse("j.xml").getroot().iter("failure")
    assert failure.get("message") == "not_both is VIOLATED in 2 steps; declared VIOLATED in 3 steps"
    assert TRACE.strip() in failure.text
    passed = [case.findtext("system-out") for case in ET.parse("j.xml").getroot().iter("testcase")][2]
    assert passed == "as declared, VIOLATED in 2 steps: n = 0"


def test_unknown_is_an_error_in_junit(declare) -> None:
    old = 'properties = ["not_both", "below"]\n'
    declare("--junit j.xml", old, f'{old}max_states = 1\nengines = ["explicit"]\n')
    tags = [[child.tag for child in case] for case in ET.parse("j.xml").getroot().iter("testcase")]
    assert tags[:2] == [["error"], ["error"]]


# ---- GitHub -------------------------------------------------------------------------------------------------------


def test_annotations_are_at_the_declaration_and_the_summary_is_added(declare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    Path("step.md").write_text("# What was there\n")
    found = declare("--github --no-traces --summary s.md", "not_both = 2", "not_both = 3")
    said = "not_both is VIOLATED in 2 steps; declared VIOLATED in 3 steps"
    assert found.out.endswith(f"\n::error file=e.toml,line=1,title={FIRST}::{said}\n")
    assert Path("step.md").read_text() == "# What was there\n" + Path("s.md").read_text()
    assert Path("s.md").read_text().splitlines()[:6] == [
        "### 1 of 2 runs are as declared",
        "",
        "| | run | declared at | found |",
        "|---|---|---|---|",
        f"| ❌ | {FIRST} | e.toml:1 | {said.replace('_', chr(92) + '_')} |",
        f"| ✅ | {SECOND} | e.toml:10 | as declared |",
    ]


def test_check_annotates_and_adds_a_summary_too(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "check lamp.py --property whole --no-traces"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "step.md")
    found = ran(f"{line} --github --summary s.md")
    title = "lamp(top=2%2C kernel=RED%2C env=none)%3A whole"
    told = f"::error file=lamp.py,line=24,title={title}::VIOLATED in 1 steps: not cut[wire]"
    assert found.out == ran(line).out + f"{told}%0Aclaimed: The wire is whole.\n"
    assert Path("step.md").read_text() == Path("s.md").read_text()
    assert ran(f"{line} --github").code == 1
    assert Path("step.md").read_text() == 2 * Path("s.md").read_text()


def test_elsewhere_the_summary_goes_nowhere(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    found = ran("check lamp.py --property below --github --no-traces")
    assert (found.code, found.err, "::" in found.out, listing()) == (0, "", False, [])


def test_a_summary_that_cannot_be_added_is_told(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "no/step.md")
    found = ran("check lamp.py --property below --github")
    assert (found.code, found.err) == (2, "cprcheck: cannot write no/step.md: No such file or directory\n")


# ---- check --------------------------------------------------------------------------------------------------------


def test_check_writes_junit_sarif_and_a_summary(ran: Run) -> None:
    assert ran("check lamp.py --junit j.xml --sarif s.json --summary s.md --no-traces").code == 1
    assert {case.get("name") for case in ET.parse("j.xml").getroot().iter("testcase")} >= {"whole", "not_both", "dark"}
    (run,) = json.loads(Path("s.json").read_text())["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["whole", "not_both", "dark"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "lamp.py"
    assert Path("s.md").read_text().startswith("### lamp(top=2, kernel=RED, env=none)\n")


@pytest.mark.slow
def test_every_byte_is_the_same_whatever_the_hash_seed(ran: Run) -> None:
    Path("e.toml").write_text(AS_IT_IS.replace("dark = 2", "dark = 3"), encoding="utf-8")
    runs = []
    for seed in ("1", "2"):
        options = {"stdout": subprocess.PIPE, "env": os.environ | {"PYTHONHASHSEED": seed, "GITHUB_STEP_SUMMARY": ""}}
        run = started("expect e.toml --junit j.xml --summary s.md --github", **options)
        runs.append((run.returncode, run.stdout, run.stderr, {name: Path(name).read_bytes() for name in listing()}))
    assert runs[0] == runs[1]
    assert runs[0][0] == 1
