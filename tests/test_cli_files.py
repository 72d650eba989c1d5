"""The command line: the files that it writes, and walking a model by hand."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import itf_py
import pytest
from lamp import GOOD, LAMP, Run, listing, started

# ---- check: files -------------------------------------------------------------------------------------------------


def test_files_are_written_and_read_back(ran: Run) -> None:
    found = ran("check lamp.py --property not_both --property below --json r.json --itf t.json --certificates new/smt")
    assert (found.code, found.err) == (1, "wrote t.json\n")
    assert found.out == ran("check lamp.py --property not_both --property below").out
    report = json.loads(Path("r.json").read_text())
    assert [p["status"] for p in report["properties"]] == ["VIOLATED", "HOLDS", "HOLDS"]
    assert (report["model"], report["properties"][0]["steps"]) == ("lamp", 2)
    states = itf_py.trace_from_json(json.loads(Path("t.json").read_text())).states
    assert [state.values["n"] for state in states] == [0, 0, 1]
    queries = {path.name for path in Path("new/smt").iterdir()}
    assert queries == {f"below(i={i})-{part}.smt2" for i in (8, 9) for part in ("init", "step", "property")}
    assert all("(check-sat)" in Path("new/smt", name).read_text() for name in queries)
    assert listing() == ["new", "r.json", "t.json"]


def test_several_traces_go_to_a_file_each(ran: Run) -> None:
    Path("out").mkdir()
    said = ran("check lamp.py --itf out/t.json").err
    assert said.splitlines() == [f"wrote out/{name}-t.json" for name in ("whole", "not_both", "dark")]
    for path in Path("out").iterdir():
        meta = itf_py.trace_from_json(json.loads(path.read_text())).meta
        assert path.name == f"{meta['description']}-t.json"
    assert len(list(Path("out").iterdir())) == 3
    assert ran(f"check lamp.py {GOOD} --itf out/good")[::2] == (0, "out/good not written: nothing was violated\n")
    assert not Path("out/good").exists()


def test_a_file_is_replaced_as_a_whole_and_only_by_a_report(ran: Run) -> None:
    Path("r.json").write_text("x" * 100_000)
    assert ran("check lamp.py --property x --json r.json").code == 2
    assert Path("r.json").read_text() == "x" * 100_000
    assert ran(f"check lamp.py {GOOD} --json r.json").code == 0
    assert json.loads(Path("r.json").read_text())["schema"] == "cprcheck-report-1"
    assert listing() == ["r.json"]


def test_a_file_can_be_read_by_those_who_can_read_other_new_files(ran: Run) -> None:
    Path("other").write_text("")
    ran(f"check lamp.py {GOOD} --json r.json")
    assert oct(Path("r.json").stat().st_mode) == oct(Path("other").stat().st_mode)


REFUSED = {
    "check lamp.py --json no/r.json": "cannot write no/r.json: No such file or directory",
    "check lamp.py --itf lamp.py/t.json": "cannot write lamp.py/t.json: Not a directory",
    "check lamp.py --json .": "cannot write .: Is a directory",
    "check lamp.py --svg ..": "cannot write ..: Is a directory",
    "check lamp.py --certificates lamp.py": "cannot write lamp.py: Not a directory",
    "check lamp.py --certificates ''": "--certificates is empty; write a path",
    "check lamp.py --json ''": "--json is empty; write a path",
    "check lamp.py --json x --junit ./x": "--json and --junit both name x; give each a file of its own",
    "expect e.toml --junit x --summary x": "--junit and --summary both name x; give each a file of its own",
    "interleavings v7 --dot x --json x": "--dot and --json both name x; give each a file of its own",
    "outcomes v7 --json .": "cannot write .: Is a directory",
    "compare v7 --json .": "cannot write .: Is a directory",
    "compare v7 --cache ''": "--cache is empty; write a path",
    "report lamp.py --out ''": "--out is empty; write a path",
    "report lamp.py --out lamp.py/r": "cannot write lamp.py/r: Not a directory",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_cannot_be_written_is_told_before_anything_is_checked(line: str, ran: Run) -> None:
    assert ran(line) == (2, "", f"cprcheck: {REFUSED[line]}\n")
    assert listing() == []


def test_what_cannot_be_written_after_all_is_told_and_nothing_is_half_written(ran: Run) -> None:
    Path("dark-t.json").mkdir()
    code, out, err = ran("check lamp.py --property whole --property dark --itf t.json")
    assert (code, out.startswith("lamp(top=2"), listing()) == (2, True, ["dark-t.json", "whole-t.json"])
    assert err == "wrote whole-t.json\ncprcheck: cannot write dark-t.json: Is a directory\n"


def test_several_outputs_may_go_where_nothing_is_kept(ran: Run) -> None:
    assert ran(f"check lamp.py {GOOD} --json /dev/null --junit /dev/null").code == 0


# ---- standard output ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["list", "--help", "check --help", "--version"])
def test_a_standard_output_that_takes_nothing_is_told(line: str) -> None:
    with open("/dev/full", "wb") as full:
        run = started(line, stdout=full)
    assert (run.returncode, run.stderr) == (2, b"cprcheck: cannot write to standard output: No space left on device\n")
    shell = f"{sys.executable} -m cprcheck {line} >&-"
    closed = subprocess.run(shell, shell=True, stderr=subprocess.PIPE, check=False)
    said = b"cprcheck: standard output is closed; to throw it away, write >/dev/null\n"
    assert (closed.returncode, closed.stderr) == (2, said)


@pytest.mark.parametrize("line", ["list", "--help", "check --help"])
def test_a_reader_that_goes_away_is_no_failure(line: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    run = started(line, stdout=writing)
    os.close(writing)
    assert (run.returncode, run.stderr) == (0, b"")


def test_a_closed_standard_error_changes_no_verdict(ran: Run) -> None:
    line = f"check lamp.py {GOOD}"
    shell = subprocess.run(
        f"{sys.executable} -m cprcheck {line} 2>&-", shell=True, stdout=subprocess.PIPE, text=True, check=False
    )
    assert (shell.returncode, shell.stdout) == ran(line)[:2]


@pytest.mark.parametrize("line", ["nothing", "list", "check nothing"])
def test_where_nothing_can_be_said_there_is_no_verdict(line: str) -> None:
    with open("/dev/full", "wb") as full:
        assert started(line, stdout=full, stderr=full).returncode == 5


def test_what_standard_output_cannot_encode_is_a_question_mark() -> None:
    env = os.environ | {"PYTHONIOENCODING": "latin-1"}
    run = started("report --help", stdout=subprocess.PIPE, env=env)
    assert (run.returncode, run.stderr) == (0, b"")
    assert b"--env A,B?" in run.stdout


def test_a_working_directory_that_was_removed_is_told() -> None:
    Path("gone").mkdir()
    run = subprocess.run(
        f"cd gone && rmdir ../gone && {sys.executable} -m cprcheck list", shell=True, capture_output=True, check=False
    )
    said = b"cannot use the working directory: No such file or directory; change into another one"
    assert (run.returncode, run.stdout, run.stderr) == (2, b"", b"cprcheck: " + said + b"\n")


@pytest.mark.parametrize("option", ["--injected --itf out/t.json", "--certificates out"])
def test_an_index_with_a_slash_is_no_folder(option: str, ran: Run) -> None:
    Path("lamp.py").write_text(LAMP.replace("i=(8, 9)", 'i=("8/9",)').replace("s.n < i", "s.n < len(i) * 3"))
    Path("out").mkdir()
    run = ran(f"check lamp.py --property below --property dark {option}")
    assert (run.code, listing()) == (1, ["out"]), run.err
    assert [path.name for path in Path("out").iterdir() if "below" in path.name]


EVERY = "--json r.json --itf t.json --junit j.xml --sarif s.json --summary s.md"


def test_every_byte_is_the_same_whatever_the_hash_seed(ran: Run) -> None:
    runs = []
    for seed in ("1", "2"):
        options = {"stdout": subprocess.PIPE, "env": os.environ | {"PYTHONHASHSEED": seed}}
        run = started(f"check lamp.py {EVERY} --certificates . --github", **options)
        runs.append((run.stdout, run.stderr, {name: Path(name).read_bytes() for name in listing()}))
    assert runs[0] == runs[1]
    assert len(runs[0][2]) >= 10


# ---- step ---------------------------------------------------------------------------------------------------------

FIRST = "  0  n=0  cut[wire]=False  cut[fuse]=False  @switch=open\n"
BREAK = "  1  FAULT switch: open  [hw/lamp.c:switch]\n       fault: the wire breaks\n       cut[wire]: False -> True\n"
TURN = "  2  switch: turn (how far: 1)  [hw/lamp.c:switch]\n       n: 0 -> 1\n     nothing can happen any more\n"
ASK = "step, b(ack), ?ACTION or q(uit) [q]: "


def offers(out: str) -> list[tuple[str, str]]:
    """(number, what can be done) of every step that is offered."""
    return re.findall(r"^  > +(\d+)  (.*)", out, re.MULTILINE)


def walked(out: str) -> str:
    """What was done, without what is offered."""
    return re.sub(r"^  > .*\n", "", out, flags=re.MULTILINE)


def test_steps_are_taken_from_the_command_line(ran: Run) -> None:
    assert [number for number, _ in offers(ran("step lamp.py --take q").out)] == ["1", "2"]
    code, out, err = ran("step lamp.py --take 2,b,2,1,q,9")
    assert (code, walked(out), err) == (0, FIRST + BREAK + FIRST + BREAK + TURN, "")


def test_the_steps_that_are_offered_can_be_told_apart(ran: Run) -> None:
    found = [step for _, step in offers(ran("step lamp.py --take 1").out)[2:]]
    assert sorted(found) == sorted(set(found))


@pytest.mark.parametrize("wrong", ["3", "0", "-1", "x", "", "²"])
def test_a_step_that_is_not_offered_is_refused(wrong: str, ran: Run) -> None:
    code, out, err = ran(f"step lamp.py '--take={wrong}'")
    assert (code, walked(out), err) == (2, FIRST, f"cprcheck: no step {wrong!r}; there are 2\n")


def test_without_take_a_person_is_asked(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("2\nb\n\n"))
    code, out, err = ran("step lamp.py")
    assert (code, walked(out.replace(ASK, f"{ASK}\n")), err) == (0, f"{FIRST}{ASK}\n{BREAK}{ASK}\n{FIRST}{ASK}\n", "")


def test_a_slip_of_the_finger_does_not_end_the_walk_but_the_end_of_the_input_does(
    ran: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("7\n2\n"))
    code, out, err = ran("step lamp.py")
    assert (code, BREAK in out, err) == (0, True, "no step '7'; there are 2\n")


def test_injected_faults_are_offered_only_when_asked_for(ran: Run) -> None:
    offered = [ran(f"step lamp.py --take 1 {options}").out.count("lightning") for options in ("", "--injected")]
    assert (offered[0], offered[1] > 0) == (0, True)
    assert "FAULT" not in ran("step lamp.py --faults none --take 1").out
