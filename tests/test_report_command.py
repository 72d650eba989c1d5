"""`cprcheck report`: a folder with everything, whole or not at all, and a stale one is noticed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from lamp import LAMP, Run, started
from reported import COMMAND, DAMAGED, KERNELS, TOP, WHAT_TO_DO, contents, digests, spoil

from cprcheck import catalog
from cprcheck.checking import check
from cprcheck.commands.outputs import OUTPUTS
from cprcheck.report import document, itf, manifest, together
from cprcheck.report.text import shown

FAILED = ("dark", "not_both", "whole")


# ---- what is in it ------------------------------------------------------------------------------------------------


def test_every_format_has_its_file_and_each_property_that_is_bad_its_traces(there: Path) -> None:
    whole = {together.FILES[output.name][0] for output in OUTPUTS if not output.each}
    suffixes = [together.SUFFIXES.get(output.name, output.name) for output in OUTPUTS if output.each]
    traces = {f"traces/lamp/{name}.{suffix}" for name in FAILED for suffix in suffixes}
    assert contents(there).keys() == {"digest.json"} | whole | traces
    assert "matrix.json" in whole
    assert "itf.json" in suffixes


def test_the_matrix_has_what_a_check_of_each_has(there: Path) -> None:
    reports = [check(catalog.bind(catalog.find("lamp.py"), {"kernel": kernel})) for kernel in KERNELS]
    matrix = json.loads((there / "matrix.json").read_text())
    assert matrix == {
        "schema": "cprcheck-matrix-1",
        "reports": json.loads(json.dumps(list(map(document.document, reports)))),
    }
    for verdict in shown(reports[0].verdicts):
        assert (there / f"traces/lamp/{verdict.prop.name}.itf.json").read_text() == itf.dumps(
            reports[0].system, verdict
        )


def test_of_all_configurations_the_shortest_trace_is_shown(ran: Run) -> None:
    late = LAMP.replace("    def switch(s):\n", '    def switch(s):\n        if top == 2:\n            yield "wait"\n')
    Path("lamp.py").write_text(late)
    Path("both.toml").write_text(
        "".join(
            f'[[run]]\nmodel = "lamp.py"\nparams = {{ top = {top} }}\nproperties = ["whole"]\n'
            '[run.verdicts]\nwhole = "VIOLATED"\n'
            for top in (2, 1)
        )
    )
    assert ran("report both.toml --jobs 1").code == 1
    shortest = json.loads(Path("reports/traces/lamp/whole.itf.json").read_text())
    assert len(shortest["states"]) == 2, "one step with top=1, two with top=2"


def test_a_file_elsewhere_is_named_from_here_and_no_path_of_the_machine_is_told(ran: Run, tmp_path: Path) -> None:
    Path("here").mkdir()
    os.chdir("here")
    for file in ("../lamp.py", str(tmp_path / "lamp.py")):
        assert ran(f"report {file} --property whole --jobs 1").code == 1
        assert str(tmp_path).encode() not in b"".join(contents(Path("reports")).values())
        ladder = Path("reports/traces/lamp/whole.txt").read_text()
        assert "again:    cprcheck check ../lamp.py::lamp --property whole --trace ladder\n" in ladder
        assert "claimed:  ../lamp.py:24\n" in ladder
        assert ran("report --check").code == 0
        assert ran("replay reports/traces/lamp/whole.itf.json").code == 0


def test_the_manifest_names_models_versions_and_every_file(there: Path) -> None:
    data = json.loads((there / "digest.json").read_text())
    assert [entry["digest"] for entry in data["configurations"]] == digests()
    assert [entry["model"] for entry in data["configurations"]] == ["lamp.py", "lamp.py"]
    assert [entry["params"] for entry in data["configurations"]] == [{"kernel": kernel} for kernel in KERNELS]
    assert data["versions"].keys() == {"cprcheck", "z3-solver", "networkx", "python"}
    others = {name: hashlib.sha256(text).hexdigest() for name, text in contents(there).items() if name != "digest.json"}
    assert data["files"] == others


@pytest.mark.slow
def test_no_byte_depends_on_the_hash_seed_the_folder_or_the_number_of_workers(there: Path, tmp_path: Path) -> None:
    expected, folder = contents(there), tmp_path / "somewhere"
    folder.mkdir()
    (folder / "lamp.py").write_text(LAMP)
    environment = os.environ | {"PYTHONHASHSEED": "2"}
    line = f"{COMMAND.replace('--jobs 1', '--jobs 2')} --no-cache"
    started(line, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    assert contents(folder / "reports") == expected
    assert str(tmp_path).encode() not in b"".join(expected.values())


def test_what_is_declared_in_a_file_is_reported(ran: Run) -> None:
    declared = '[[run]]\nmodel = "peterson"\nparams = { }\nfaults = "none"\nproperties = ["mutual_exclusion"]\n'
    Path("mine.toml").write_text(declared + '[run.verdicts]\nmutual_exclusion = "HOLDS"\n')
    Path("wrong.toml").write_text(Path("mine.toml").read_text().replace("peterson", "petersen"))
    assert ran("report wrong.toml").err == "cprcheck: wrong.toml:1: no model 'petersen'; did you mean 'peterson'?\n"
    found = ran("report mine.toml --jobs 1 --out out")
    assert (found.code, found.err) == (0, "")
    (entry,) = json.loads(Path("out/digest.json").read_text())["configurations"]
    assert (entry["model"], entry["options"]["faults"], entry["options"]["properties"]) == (
        "peterson",
        0,
        ["mutual_exclusion"],
    )
    assert ran("report --check --out out").code == 0
    assert ran("report mine.toml --check --out out").code == 0


# ---- whole or not at all --------------------------------------------------------------------------------------------


def test_files_of_others_stay_and_old_ones_of_ours_go(there: Path, ran: Run) -> None:
    (there / "grid.md").write_text("somebody else's")
    Path("lamp.py").write_text(LAMP)
    assert ran("report lamp.py --property not_both --jobs 1").code == 1
    left = contents(there).keys() - {"digest.json", "matrix.json"}
    assert left >= {"grid.md", "traces/lamp/not_both.itf.json"}
    assert not any("whole" in name or "dark" in name for name in left)
    assert ran("report lamp.py --property bright --jobs 1").code == 0
    assert not (there / "traces").exists(), "an empty folder goes too"


def test_a_file_that_no_report_wrote_is_not_replaced(ran: Run) -> None:
    Path("reports").mkdir()
    Path("reports/matrix.json").write_text("somebody else's")
    found = ran("report lamp.py --property bright --jobs 1")
    said = "cprcheck: reports/matrix.json is not from an earlier report; move it away, or write --out DIR\n"
    assert (found.code, found.out, found.err) == (2, "", said)
    assert contents(Path("reports")) == {"matrix.json": b"somebody else's"}


def test_a_manifest_that_nobody_can_read_is_not_replaced(there: Path, ran: Run) -> None:
    (there / "digest.json").write_text("{")
    Path("lamp.py").write_text(LAMP)
    found = ran("report lamp.py --jobs 1")
    assert (found.code, found.err) == (2, f"cprcheck: {DAMAGED}; {WHAT_TO_DO}\n")


@pytest.mark.slow
def test_ctrl_c_leaves_the_old_report_whole_and_the_same_command_goes_on(there: Path) -> None:
    """In the middle of the matrix; the parameters make other jobs than those of the old report."""
    old, log, cache = contents(there), Path("log"), Path("fresh").resolve()
    slow = LAMP.replace(
        "    m = Model()\n", "    import time; open('log', 'a').write('x'); time.sleep(0.4)\n    m = Model()\n"
    )
    Path("lamp.py").write_text(slow)
    words = [sys.executable, "-m", "cprcheck", *COMMAND.split(), "-p", "top=1", "--cache", str(cache)]
    run = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not log.exists() or len(log.read_text()) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert (run.returncode, out) == (130, "")
    assert err == f"interrupted: 1 of 2 finished are kept in {cache}; run the same command to go on\n"
    assert contents(there) == old
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    assert len(list(cache.rglob("*.json"))) == 2
    assert len(log.read_text()) == 2 + 1 + 2, "one is done again; and each model is built here, for its traces"
    assert contents(there) != old


# ---- is it still so? ------------------------------------------------------------------------------------------------


def test_what_was_just_written_is_up_to_date(there: Path, ran: Run) -> None:
    Path("lamp.py").write_text(LAMP)
    count = len(contents(there)) - 1
    for line in ("report --check", f"{COMMAND} --check"):
        found = ran(line)
        assert (found.code, found.out) == (0, f"reports is up to date: 2 configurations, {count} files\n")


CHANGED = "lamp.py(kernel={}) has changed: its digest was {} and is {}"
WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda folder: (folder / "matrix.json").unlink(), "reports/matrix.json is missing"),
    "damaged": (
        spoil("traces/lamp/dark.itf.json", lambda text: text[:-9]),
        "reports/traces/lamp/dark.itf.json is damaged, or somebody has changed it",
    ),
    "superfluous": (
        lambda folder: (folder / "traces" / "old.svg").write_text(""),
        "reports/traces/old.svg is not of this report",
    ),
    "no manifest": (
        lambda folder: (folder / "digest.json").unlink(),
        "reports has no report: reports/digest.json: No such file or directory",
    ),
    "half a manifest": (spoil("digest.json", lambda text: text[: len(text) // 2]), DAMAGED),
    "a manifest without configurations": (
        spoil(
            "digest.json", lambda text: re.sub(r'"configurations": .*?\n ]', '"configurations": []', text, flags=re.S)
        ),
        DAMAGED,
    ),
    "a manifest without a page": (spoil("digest.json", lambda text: re.sub(r'.*"index.html.*\n', "", text)), DAMAGED),
    "a manifest with other options": (spoil("digest.json", lambda text: text.replace("20", "10")), DAMAGED),
    "another manifest": (
        spoil("digest.json", lambda text: text.replace(manifest.SCHEMA, "other")),
        DAMAGED,
    ),
    "an older manifest": (
        spoil("digest.json", lambda text: text.replace(manifest.SCHEMA, "cprcheck-manifest-1")),
        "reports/digest.json is from another version of cprcheck; run `cprcheck report` again",
    ),
    "a manifest without sources": (
        spoil("digest.json", lambda text: text.replace('"sources"', '"source"')),
        DAMAGED,
    ),
    "broken model": (
        lambda folder: (folder.parent / "lamp.py").write_text("1 +"),
        "lamp.py(kernel=RED) can no longer be built: lamp.py:1: SyntaxError: invalid syntax (lamp.py, line 1)\n"
        "lamp.py(kernel=GREEN) can no longer be built: lamp.py:1: SyntaxError: invalid syntax (lamp.py, line 1)",
    ),
    "no model": (lambda folder: (folder.parent / "lamp.py").unlink(), "can no longer be built: no file "),
}


@pytest.mark.parametrize("how", WRONG)
def test_what_is_wrong_is_told_exactly(how: str, there: Path, ran: Run) -> None:
    Path("lamp.py").write_text(LAMP)
    change, said = WRONG[how]
    change(there)
    found = ran("report --check")
    lines = found.out.splitlines()
    assert found.code == 1
    if "manifest" in how:
        assert lines == [said]
    elif how == "no model":
        assert all(said in line for line in lines[:2])
    else:
        assert lines == [*said.splitlines(), "reports is not up to date"]


def test_a_model_that_has_changed_is_named_with_both_digests(there: Path, ran: Run) -> None:
    before = digests()
    shutil.copytree(there, "other/reports")
    os.chdir("other")
    Path("lamp.py").write_text(LAMP.replace("s.n == 0", "s.n == 1"))
    found, after = ran("report --check"), digests()
    assert found.out.splitlines()[:2] == [CHANGED.format(*each) for each in zip(KERNELS, before, after, strict=True)]
    assert found.code == 1
    assert before != after


STALE = (
    "lamp.py(kernel={}): the verdicts stand, but its sources have changed, so texts and lines may be stale: "
    "run `cprcheck report` again"
)
TEXTS: dict[str, Callable[[str], str]] = {
    "a C file": lambda text: text.replace("hw/lamp.c", "hw/bulb.c"),
    "a docstring": lambda text: text.replace('"""The wire is whole."""', '"""It is whole."""'),
    "other lines": lambda text: f"# a word\n{text}",
}


@pytest.mark.parametrize("what", TEXTS)
def test_texts_that_have_changed_are_told_though_the_verdicts_stand(what: str, there: Path, ran: Run) -> None:
    Path("lamp.py").write_text(TEXTS[what](LAMP))
    found = ran("report --check")
    assert (found.code, found.out.splitlines()) == (1, [*map(STALE.format, KERNELS), "reports is not up to date"])


def test_so_is_a_part_that_has_changed(ran: Run) -> None:
    Path("parts.py").write_text("SIZE = 1\n")
    Path("mine.py").write_text(f"from .parts import SIZE\n{LAMP}")
    assert ran("report mine.py --property bright --jobs 1").code == 0
    assert ran("report --check").code == 0
    Path("parts.py").write_text("SIZE = 2\n")
    found = ran("report --check")
    assert found.out.splitlines()[0].startswith("mine.py(): the verdicts stand, but its sources have changed, so ")
    assert found.code == 1
    assert ran("report mine.py --property bright --jobs 1").code == 0
    assert ran("report --check").code == 0


def test_a_report_of_an_older_version_is_written_anew(there: Path, ran: Run) -> None:
    Path("lamp.py").write_text(LAMP)
    new = contents(there)
    spoil("digest.json", lambda text: text.replace(manifest.SCHEMA, "cprcheck-manifest-1"))(there)
    assert ran(COMMAND).code == 1
    assert contents(there) == new


def test_what_is_asked_for_is_compared_with_what_was(there: Path, ran: Run) -> None:
    Path("lamp.py").write_text(LAMP)
    found = ran("report lamp.py --kernel RED --kernel GREEN -p top=3 --check")
    assert (found.code, found.out.splitlines()) == (
        1,
        [
            "lamp.py(top=3, kernel=RED) is not in the report",
            "lamp.py(top=3, kernel=GREEN) is not in the report",
            "lamp.py(kernel=RED) is in the report, but was not asked for",
            "lamp.py(kernel=GREEN) is in the report, but was not asked for",
            "reports is not up to date",
        ],
    )
    found = ran(f"{COMMAND} --faults 1 --injected --check")
    assert found.out.splitlines()[0] == "lamp.py(kernel=RED) faults 1, injected is not in the report"
    assert ran("report lamp.py --kernel RED --check").code == 1


def test_another_solver_is_a_note(there: Path, ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("lamp.py").write_text(LAMP)
    now = manifest.versions()
    older = {"versions": now["versions"] | {"z3-solver": "9.9"}, "sources": "0123"}
    monkeypatch.setattr(manifest, "versions", lambda: older)
    found = ran("report --check")
    assert (found.code, found.out.splitlines()[:2]) == (
        0,
        [
            f"note: made with z3-solver {now['versions']['z3-solver']}; this is 9.9",
            f"note: made with sources of cprcheck {now['sources']}; these are 0123",
        ],
    )


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("report", "nothing to report: name a model (cprcheck list has them), or FILE.toml with expectations"),
        ("report v77", "no model 'v77'; did you mean 'v7'?"),
        ("report lamp.py --cache a --no-cache", "--cache and --no-cache: write one of them"),
        (
            "report lamp.py --jobs 2 --scheduler tcp://x:1",
            "--jobs and --scheduler: the cluster knows how many workers it has; write one of them",
        ),
        ("report lamp.py -p top", "-p top: write -p NAME=VALUE"),
        ("report none.toml", "cannot read none.toml: No such file or directory"),
        ("report lamp.py -p top=x", "top=x: write a whole number"),
    ],
)
def test_what_cannot_be_done_is_told_and_nothing_is_written(line: str, said: str, ran: Run) -> None:
    found = ran(line)
    assert (found.code, found.out, found.err) == (2, "", f"cprcheck: {said}\n")
    assert not Path("reports").exists()


def test_a_job_without_an_answer_is_unknown_in_every_file(ran: Run) -> None:
    found = ran("report lamp.py --property not_both --job-timeout 0 --jobs 1")
    assert (found.code, found.out.splitlines()[0]) == (3, f"{TOP.format('RED')}: 1 UNKNOWN")
    (report,) = json.loads(Path("reports/matrix.json").read_text())["reports"]
    (verdict,) = report["properties"]
    assert (verdict["status"], verdict["reason"]) == ("UNKNOWN", "no answer within 0 s, twice")
    assert not Path("reports/traces").exists()
    said = "lamp.py() had no answer: run `cprcheck report` again\nreports is not up to date\n"
    assert ran("report --check") == (1, said, "")


def test_what_is_kept_is_used_again(there: Path, ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("lamp.py").write_text(LAMP)
    before = contents(there)
    monkeypatch.setattr("cprcheck.jobs.pool._Worker", None)
    assert ran(COMMAND).code == 1
    assert contents(there) == before
    assert ran(f"{COMMAND} --no-cache").code == 5, "without it, a worker would be needed"
