"""`cprcheck replay`: traces from files, and `--trace`, which says how traces are printed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from lamp import LAMP, Ran, Run, listing

from cprcheck.cli import run as run_cli
from cprcheck.errors import DisagreementError
from cprcheck.language import oracle

FILE = "t.itf.json"
DONE = "replayed: 2 steps, by the reference interpreter and by the model's own code\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in a folder that holds `lamp.py`."""
    (tmp_path / "lamp.py").write_text(LAMP)
    monkeypatch.chdir(tmp_path)

    def command(line: str) -> Ran:
        code = run_cli(line.split())
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return command


@pytest.fixture
def checked(run: Run) -> Ran:
    """A check of `not_both`, whose trace is in FILE."""
    return run(f"check lamp.py --property not_both --itf {FILE}")


def change(**meta: Any) -> None:
    """Change the `#meta` of FILE; None removes a key."""
    data = json.loads(Path(FILE).read_text())
    data["#meta"] = {key: value for key, value in (data["#meta"] | meta).items() if value is not None}
    Path(FILE).write_text(json.dumps(data))


def test_a_trace_is_run_again_and_printed_as_it_was(run: Run, checked: Ran) -> None:
    again = run(f"replay {FILE}")
    assert (again.code, again.err) == (0, "")
    evidence = checked.out.partition("--- ")[2].partition("  again:")[0]
    assert again.out == f"--- {evidence}\n{DONE}"


def test_or_as_a_ladder(run: Run, checked: Ran) -> None:
    again = run(f"replay {FILE} --trace ladder")
    assert again.code == 0
    assert "  2  X    turn (how far: 1)\n     |      FAULT: the fuse blows\n" in again.out
    assert "again:    cprcheck check lamp.py::lamp --property not_both --trace ladder\n" in again.out


def test_the_file_says_how_to_get_the_model_again(run: Run) -> None:
    assert run(f"check lamp.py -p top=1 --kernel green --faults 2 --injected --property below --itf {FILE}").code == 1
    meta = json.loads(Path(FILE).read_text())["#meta"]
    wanted = {"model": "lamp.py::lamp", "faults": "2", "injected": True, "source": "cprcheck lamp"}
    assert {key: meta[key] for key in wanted} == wanted
    assert meta["params"] == {"top": "1", "kernel": "GREEN", "env": ""}
    again = run(f"replay {FILE}")
    assert (again.code, again.err) == (0, "")
    assert "faults_taken=0" in again.out


def test_another_model_or_parameter_is_told_by_its_digest(run: Run, checked: Ran) -> None:
    again = run(f"replay {FILE} -p top=1")
    assert again.code == 0
    first, empty, *_ = again.out.splitlines()
    assert first.startswith(f"{FILE} was written about digest ")
    assert (empty, again.out.endswith(DONE)) == ("", True)
    assert run(f"replay {FILE} --model lamp.py").out == run(f"replay {FILE}").out


NONE = "t.itf.json: lamp has no such run: step 2 of the trace (turn (how far: 1))"
CHANGED = {
    's.require(not s.cut["wire"])\n        s.n = s.choose': f"{NONE} cannot be taken there: not cut[wire] is false",
    's.cut["wire"] = False\n        s.n = s.choose': (
        f"{NONE} leads to another state: cut[wire] = False, where the trace has cut[wire] = True"
    ),
    'yield "on"\n        s.n = s.choose': (
        "t.itf.json, state 2: lamp has no step switch: turn (how far: 1, the fuse blows)"
    ),
}


@pytest.mark.parametrize("lines", CHANGED)
def test_a_changed_design_no_longer_has_a_trace(run: Run, checked: Ran, lines: str) -> None:
    Path("changed.py").write_text(LAMP.replace("s.n = s.choose", lines))
    again = run(f"replay {FILE} --model changed.py::lamp")
    first, empty, said = again.out.splitlines()
    assert (again.code, again.err, empty, said) == (1, "", "", CHANGED[lines])
    assert first.startswith(f"{FILE} was written about digest ")


@pytest.mark.parametrize(
    ("slot", "value", "said"),
    [
        ("n", {"#bigint": "2"}, f"{NONE} leads to another state: n = 1, where the trace has n = 2"),
        ("@switch", "shine", 't.itf.json, state 2: @switch is "shine", and no step of lamp begins there'),
    ],
)
def test_a_trace_that_was_edited_is_no_run(run: Run, checked: Ran, slot: str, value: object, said: str) -> None:
    data = json.loads(Path(FILE).read_text())
    data["states"][2][slot] = value
    Path(FILE).write_text(json.dumps(data))
    assert run(f"replay {FILE}") == (1, f"{said}\n", "")


def test_a_trace_that_shows_nothing_any_more(run: Run, checked: Ran) -> None:
    change(description="whole", status="VIOLATED")
    data = json.loads(Path(FILE).read_text())
    data["states"] = data["states"][:1]
    Path(FILE).write_text(json.dumps(data))
    said = "t.itf.json: lamp has this run, but the trace does not decide whole\n"
    assert run(f"replay {FILE}") == (1, said, "")


def test_that_the_models_own_code_differs_is_a_disagreement(
    run: Run, checked: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(*_: object) -> None:
        raise DisagreementError("step 2 of the trace (turn) is not what the model's own code does")

    monkeypatch.setattr(oracle, "replay", other)
    said = "t.itf.json: step 2 of the trace (turn) is not what the model's own code does"
    assert run(f"replay {FILE}") == (4, "", f"cprcheck: DISAGREEMENT {said}\n")


def test_a_trace_about_nothing_is_only_a_run(run: Run, checked: Ran) -> None:
    change(description=None, status=None)
    again = run(f"replay {FILE}")
    assert again.code == 0
    assert again.out.startswith("--- t.itf.json\n\n  0  n=0")
    assert "violated" not in again.out


def test_what_one_run_cannot_show_is_not_claimed(run: Run) -> None:
    file = f"--itf {FILE}"
    assert run(f"check v7 --property no_stuck_waiter {file}").code == 1
    again = run(f"replay {FILE}")
    assert again.code == 0
    assert again.out.endswith(
        "replayed: 10 steps, by the reference interpreter and by the model's own code\n"
        "whether no_stuck_waiter(container=c0) is violated, one run does not show; `cprcheck check` does\n"
    )
    assert "violated:" not in again.out


def test_a_lasso_is_run_again(run: Run) -> None:
    assert run(f"check v7 --property restored_after_failure --itf {FILE}").code == 1
    again = run(f"replay {FILE} --trace mermaid")
    assert again.code == 0
    assert "  Note over L0,L3: nobody has to move from here on\n" in again.out


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"model": None}, "t.itf.json does not name its model; write --model MODEL"),
        ({"model": 3}, "t.itf.json does not name its model; write --model MODEL"),
        ({"model": "lmp.py"}, "no file {}/lmp.py"),
        ({"params": {"top": 1}}, "t.itf.json: params in #meta is not a table of texts"),
        ({"params": {"top": "x"}}, "top=x: write a whole number"),
        ({"params": {"size": "1"}}, "lamp has no parameter 'size'; there is top, kernel, env"),
        ({"faults": "many"}, "--faults many: write none, finite or a number"),
    ],
)
def test_a_damaged_head(run: Run, checked: Ran, meta: dict[str, Any], said: str) -> None:
    change(**meta)
    again = run(f"replay {FILE}")
    assert (again.code, again.out, again.err) == (2, "", f"cprcheck: {said.format(Path().resolve())}\n")


def test_a_file_that_cannot_be_read(run: Run) -> None:
    assert run("replay none.json")[::2] == (2, "cprcheck: cannot read none.json: No such file or directory\n")
    Path("latin.json").write_bytes(b"\xe9")
    assert run("replay latin.json")[::2] == (2, "cprcheck: latin.json is not text in UTF-8\n")
    Path("empty.json").touch()
    assert run("replay empty.json")[::2] == (2, "cprcheck: empty.json is not JSON: line 1: Expecting value\n")


# ---- how traces are printed and written -----------------------------------------------------------------------------


def test_check_prints_ladders(run: Run) -> None:
    ran = run("check lamp.py --property not_both --trace ladder --engine explicit")
    assert ran.code == 1
    assert (
        "\n     switch\n  0  |    start\n  1  X    open  [hw/lamp.c:switch]\n     |      FAULT: the wire breaks\n"
        in ran.out
    )
    assert "again:    cprcheck check lamp.py --engine explicit --property not_both \\\n" in ran.out
    assert "--- not_both" not in ran.out


def test_check_prints_diagrams(run: Run) -> None:
    ran = run("check lamp.py --property not_both --trace mermaid")
    assert "\nsequenceDiagram\n  title not_both VIOLATED#58; lamp(top=2, kernel=RED, env=none)\n" in ran.out


def test_there_is_no_other_way(run: Run) -> None:
    ran = run("check lamp.py --trace picture")
    assert ran.code == 2
    assert "Invalid value for '--trace': 'picture' is not one of 'text', 'ladder', 'mermaid'." in ran.err


def test_each_format_is_a_file(run: Run) -> None:
    ran = run("check lamp.py --property not_both --ladder a.txt --svg a.svg --mermaid a.mmd")
    assert ran.err == "wrote a.txt\nwrote a.svg\nwrote a.mmd\n"
    assert Path("a.txt").read_text().startswith("not_both VIOLATED: 2 steps\n")
    assert Path("a.svg").read_text().startswith("<svg ")
    assert Path("a.mmd").read_text().startswith("sequenceDiagram\n")


def test_a_ladder_in_a_file_knows_the_command_line(run: Run) -> None:
    run("check lamp.py -p top=1 --faults 2 --property not_both --ladder a.txt")
    again = "cprcheck check lamp.py::lamp -p top=1 --faults 2 --property \\\n            not_both --trace ladder\n"
    assert f"again:    {again}" in Path("a.txt").read_text()


def test_the_run_to_what_is_reachable_is_shown_when_it_was_asked_for_by_name(run: Run) -> None:
    assert "--- bright" not in run("check lamp.py").out
    ran = run("check lamp.py --property bright --property dark --explain --itf t.json --svg a.svg")
    wrote = ["bright-t.json", "dark-t.json", "bright-a.svg", "dark-a.svg"]
    assert (ran.code, ran.err) == (1, "".join(f"wrote {name}\n" for name in wrote))
    shown = ran.out.partition("--- bright\n")[2]
    assert "\n  2  switch: turn (how far: 2)  [hw/lamp.c:switch]\n       n: 0 -> 2\n" in shown
    assert "  again:    cprcheck check lamp.py --property bright\n" in shown
    again = run("replay bright-t.json --trace ladder")
    assert (again.code, again.out.partition("\n")[0]) == (0, "bright REACHABLE: 2 steps")


def test_without_its_name_nothing_is_written_for_it(run: Run) -> None:
    ran = run("check peterson --itf t.json --explain")
    assert (ran.code, ran.out.count("---"), listing()) == (0, 0, [])
    assert ran.err == ("nothing to explain: nothing was violated\nt.json not written: nothing was violated\n")
