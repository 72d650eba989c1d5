"""The command line, as a person or a script in CI meets it: what is printed, where, and with which exit code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from lamp import GOOD, HEAD, NAMES, TRACE, VERDICTS, Run, started

from cprcheck import __version__, checking
from cprcheck.engines import explicit
from cprcheck.errors import DisagreementError
from cprcheck.verdict import Status

# ---- exit codes ---------------------------------------------------------------------------------------------------

CODES = {
    "check lamp.py --faults none --property whole --property bright": 0,
    "check lamp.py": 1,
    "check lamp.py --property bright -p top=1": 1,
    "check lamp.py --max-states 1 --engine explicit --property whole": 3,
    "check lamp.py --timeout 0 --property whole": 3,
    "check lamp.py --engine bmc --property below": 3,
    "check lamp.py --engine bmc --property below --property whole": 1,
    "check lamp.py --engine bmc --property below --property bright": 3,
    "check lamp.py --engine bmc --depth 0 --property whole": 3,
    "check peterson": 0,
}


@pytest.mark.parametrize("line", CODES)
def test_the_exit_code_is_the_worst_verdict(line: str, ran: Run) -> None:
    assert ran(line)[::2] == (CODES[line], "")


def test_memory_that_runs_out_here_is_told(ran: Run) -> None:
    Path("mem.py").write_text(Path("lamp.py").read_text().replace("    m = Model()", "    raise MemoryError"))
    assert ran("check mem.py") == (3, "", "cprcheck: out of memory\n")


USAGE = {
    "check petersen": "no model 'petersen'; did you mean 'peterson'?",
    "step none.py": "no file FOLDER/none.py",
    "check lamp.py::lump": "no model 'lump' in lamp.py; did you mean 'lamp'?",
    "check lamp.py --property dork": f"no property 'dork'; there is {', '.join(NAMES)}",
    "check lamp.py --engine spin": "no engine 'spin'; there is explicit, bmc, prove",
    "check lamp.py -p top": "-p top: write -p NAME=VALUE",
    "check lamp.py -p topp=1": "lamp has no parameter 'topp'; did you mean 'top'?",
    "check lamp.py -p top=high": "top=high: write a whole number",
    "show lamp.py --kernel blue": "kernel=blue: there is red, green",
    "step lamp.py --env red,gren": "env=gren: did you mean 'green'?",
    "check peterson --kernel 6.3": "peterson has no parameter 'kernel'; there is polite",
    "check lamp.py --faults x": "--faults x: write none, finite or a number",
    "check lamp.py --faults -1": "--faults -1: write none, finite or a number",
    "check lamp.py --faults ²": "--faults ²: write none, finite or a number",
}


@pytest.mark.parametrize("line", USAGE)
def test_what_does_not_exist_is_refused_with_what_there_is(line: str, ran: Run) -> None:
    assert ran(line) == (2, "", f"cprcheck: {USAGE[line].replace('FOLDER', str(Path.cwd()))}\n")


OPTIONS = {
    "check lamp.py --colour": "No such option '--colour'",
    "check": "Missing argument 'MODEL'.",
    "frob": "No such command 'frob'.",
    "check lamp.py --max-states 0": "Invalid value for '--max-states': 0 is not in the range x>=1.",
    "check lamp.py --depth -1": "Invalid value for '--depth': -1 is not in the range x>=0.",
    "check lamp.py --timeout soon": "Invalid value for '--timeout': 'soon' is not a valid float.",
    "check lamp.py --timeout -1": "'--timeout'",
    "check lamp.py --timeout nan": "'--timeout'",
    "check lamp.py --timeout inf": "'--timeout'",
}


@pytest.mark.parametrize("line", OPTIONS)
def test_a_wrong_option_is_usage(line: str, ran: Run) -> None:
    code, out, err = ran(line)
    assert (code, out, err.startswith("Usage: cprcheck "), OPTIONS[line] in err) == (2, "", True, True), err


ONE = "from cprcheck import Model, model\n@model\ndef one() -> Model:\n    m = Model()\n    return m\n"
BROKEN = {
    "mine.py:2: SyntaxError: invalid syntax (mine.py, line 2)\n    x = = 1": "a = 1\nx = = 1\n",
    "mine.py:7: no state variable 'm'; there is none\n    s.m = 1": ONE.replace(
        "    return", "    @m.action\n    def a(s):\n        s.m = 1\n    return"
    ),
    "mine.py does not have one model: decorate one with @model": "X = 1\n",
    "mine.py does not have one model: it has one, two; write mine.py::one": ONE + ONE[34:].replace("one", "two"),
}


@pytest.mark.parametrize("message", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_model_file_is_named_with_the_authors_line(message: str, ran: Run) -> None:
    Path("mine.py").write_text(BROKEN[message])
    assert ran("check mine.py") == ran("step mine.py") == (2, "", f"cprcheck: {message}\n")


@pytest.mark.parametrize("status", [0, 1])
def test_a_model_file_that_exits_decides_nothing(status: int, ran: Run) -> None:
    Path("mine.py").write_text(f"import sys\nsys.exit({status})\n{ONE}")
    try:
        code, _, err = ran("check mine.py")
    except SystemExit as escaped:
        pytest.fail(f"the model file ended cprcheck with exit code {escaped.code}")
    assert (code, "mine.py:2" in err) == (2, True)


def lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the explicit engine say that everything holds."""
    honest = explicit.answers
    change = lambda answer: replace(answer, status=Status.HOLDS, trace=None)
    monkeypatch.setattr(explicit, "answers", lambda *a: {name: change(said) for name, said in honest(*a).items()})


def test_engines_that_disagree_outrank_all_verdicts(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lies(monkeypatch)
    code, out, _ = ran("check lamp.py --timeout 9")
    assert (code, "\nDISAGREEMENT whole: explicit HOLDS, prove VIOLATED\n" in out) == (4, True)
    assert re.search(r"^  VIOLATED  ", out, re.MULTILINE)


ENDS = [
    (DisagreementError("two say three"), 4, r"cprcheck: DISAGREEMENT two say three\n"),
    (RuntimeError("boom"), 5, r"cprcheck: internal error, please report it\nTraceback(.|\n)*\nRuntimeError: boom\n\n"),
    (KeyboardInterrupt(), 130, r"\n?interrupted\n"),
]


@pytest.mark.parametrize(("error", "code", "said"), ENDS, ids=["disagreement", "internal", "interrupt"])
def test_no_exception_looks_like_a_verdict(
    error: BaseException, code: int, said: str, ran: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(checking, "check", fail)
    found = ran("check lamp.py")
    assert (found.code, found.out) == (code, "")
    assert re.fullmatch(said, found.err)


@pytest.mark.parametrize(("line", "code"), [("show v7", 0), (f"check lamp.py {GOOD}", 0), ("check lamp.py", 1)])
def test_a_reader_that_goes_away_changes_nothing(line: str, code: int, ran: Run) -> None:
    gone, pipe = os.pipe()
    os.close(gone)
    run = started(line, stdout=pipe)
    os.close(pipe)
    assert (run.returncode, run.stderr) == (code, b"")


# ---- list, show, version, help ------------------------------------------------------------------------------------

LIST = """\
dining_philosophers   Dining philosophers after Chandy and Misra.
peterson              Peterson's algorithm: two processes, one critical section.
transaction_commit    Transaction commit, by participants that see each other's state.
two_phase_commit      Two-phase commit: participants agree on commit or abort.
blocker_counter       A counter goes up when a device's container cannot take part, and down when the
                      container goes.
combination           A prevention and a recovery, with the invalidation in cpr-exec or in pre_save.
device_blocker        Each device that cannot take part registers a blocker; cpr-save refuses while there is
                      one.
failure_notifier      Each container's pre_save invalidates; its notifier restores when saving has failed.
presave_recover_all   Each container's pre_save invalidates; when it fails, it restores all containers.
presave_validate_all  Each container's pre_save tests all containers and invalidates its own; nobody restores.
save_unwind           Each container's pre_save invalidates; qmp_cpr_save restores when saving fails.
type_inference        A container outlives its QEMU; the next one has to know the container's IOMMU type.
v7                    V7: cpr-exec tests and invalidates one container after the other, and nobody restores.
validate_first        All containers are tested, then all are invalidated, in cpr-exec; recover=yes restores
                      them when that fails.
vm_change_handler     Each container's pre_save invalidates and sets a flag; its vm-change handler restores
                      when the VM starts.
"""


def test_list_has_every_shipped_model_and_imports_no_engine() -> None:
    look = "import sys; from cprcheck.cli import run; run(['list'])\n"
    look += "print(*{'z3', 'networkx', 'cprcheck.engines', 'cprcheck.checking'} & set(sys.modules), file=sys.stderr)"
    run = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == (LIST, "\n")


def test_show_prints_all_that_an_engine_knows(ran: Run) -> None:
    code, out, err = ran("show lamp.py -p top=1")
    first, *meaning = out.splitlines()
    assert (code, err) == (0, "")
    assert re.fullmatch(r"# digest [0-9a-f]{16}; equal locations merged by bisimulation: 2 of 2 left", first)
    assert meaning[:3] == ["system lamp", "slot n: 0..9 init 0", "slot cut[wire]: Bool init False"]
    assert "transition switch: turn (how far: 1)\n  when @switch = turn\n  n := 1\n  @switch := end\n" in out
    assert "\nreachable bright: n = 2\ninvariant dark: n = 0\n" in out
    other = ran("show lamp.py").out
    assert ("(how far: 2)" in out, "(how far: 2)" in other, first in other) == (False, True, False)


def test_help_names_every_command_and_every_option(ran: Run) -> None:
    assert re.findall(r"^  ([a-z]+) ", ran("--help").out, re.MULTILINE) == [
        "check",
        "compare",
        "expect",
        "interleavings",
        "list",
        "outcomes",
        "replay",
        "report",
        "show",
        "step",
    ]
    said = ran("check --help")
    words = "-p --kernel --env --faults --injected --property --engine --max-states --depth --timeout --json --itf"
    words += " --html --ladder --svg --mermaid --trace --junit --sarif --summary --github"
    words += " --dot --graphml --explain --why-not --certificates --no-traces --help"
    assert set(re.findall(r"^  (?:-h, )?(--?[a-z-]+) ", said.out, re.MULTILINE)) == set(words.split())
    assert (said.code, said.err, ran("check -h")) == (0, "", said)
    assert ran("--version") == (0, f"cprcheck, version {__version__}\n", "")


def test_without_arguments_there_is_help_and_no_success(ran: Run) -> None:
    code, out, err = ran("")
    assert (code, out, err.rstrip()) == (2, "", ran("--help").out.rstrip())


# ---- check: what is asked -----------------------------------------------------------------------------------------

ASKED = {
    "": VERDICTS,
    "--property dark --property whole": "whole:VIOLATED dark:VIOLATED",
    "--property below": "below (2 of 2):HOLDS",
    "--property 'below(i=9)'": "below(i=9):HOLDS",
    "--property whole --property not_both --faults 1": "whole:VIOLATED not_both:HOLDS",
    "--property whole --property not_both --faults 2": "whole:VIOLATED not_both:VIOLATED",
    "--property whole --property not_both --faults none": "whole:HOLDS not_both:HOLDS",
    "--property not_both --faults finite": "not_both:VIOLATED",
    "--property below --injected": "below (2 of 2):VIOLATED",
    "--property below --injected --faults 0": "below (2 of 2):HOLDS",
    "--property bright -p top=1": "bright:UNREACHABLE",
    "--property bright -p top=1 -p top=2": "bright:REACHABLE",
    "--property below --engine bmc --engine prove": "below (2 of 2):HOLDS",
    "--property not_both --engine bmc --depth 1": "not_both:UNKNOWN",
    "--property not_both --engine bmc --depth 2": "not_both:VIOLATED",
    "--property not_both --engine explicit --max-states 2": "not_both:UNKNOWN",
}


@pytest.mark.parametrize("options", ASKED)
def test_each_option_is_heeded(options: str, ran: Run) -> None:
    assert ran(f"check lamp.py --no-traces {options}").verdicts() == ASKED[options]


def test_kernel_and_env_are_short_for_parameters(ran: Run) -> None:
    short = ran("check lamp.py --no-traces --kernel green --env red,green")
    assert short.out.startswith("lamp(top=2, kernel=GREEN, env=GREEN,RED)\n")
    assert short == ran("check lamp.py --no-traces -p kernel=green -p env=red,green")


def test_a_truncated_or_timed_out_search_says_so(ran: Run) -> None:
    out = ran("check lamp.py --engine explicit --max-states 1 --property dark").out
    assert "\n  UNKNOWN  dark  explicit: truncated at 1 states  explicit\n" in out
    out = ran("check lamp.py --timeout 0 --engine explicit --property dark").out
    assert "\n  UNKNOWN  dark  explicit: timed out after 0 s  explicit\n" in out
    assert "1 states, 1 generated, depth 0 (not all)\n" in out


# ---- check: what is printed ---------------------------------------------------------------------------------------


def test_a_report_is_a_table_under_its_scope_and_a_shortest_trace(ran: Run) -> None:
    table = "\n  VIOLATED  not_both  2 steps  explicit, bmc\n\n"
    assert ran("check lamp.py --property not_both") == (1, f"{HEAD}{table}{TRACE}\n1 VIOLATED\n", "")


def test_without_traces_the_table_and_the_sum_are_left(ran: Run) -> None:
    full, short = ran("check lamp.py"), ran("check lamp.py --no-traces")
    before, _, after = full.out.partition("\n---")
    assert short == (1, f"{before}\n{after.splitlines()[-1]}\n", "")
    assert short.out.endswith("\n3 VIOLATED, 4 HOLDS, 1 REACHABLE\n")


def steps(evidence: str) -> list[str]:
    """The numbers of the steps of a trace."""
    return re.findall(r"^ +(\d+)  ", evidence, re.MULTILINE)


@pytest.mark.parametrize("options", ["-p top=3 --kernel green --env red", "--injected --faults 2", "--engine bmc"])
def test_the_command_below_a_trace_gives_it_again(options: str, ran: Run) -> None:
    Path("my models").mkdir()
    Path("lamp.py").rename("my models/lamp.py")
    first = ran(f"check 'my models/lamp.py' {options}")
    names = re.findall(r"^--- (.*)", first.out, re.MULTILINE)
    commands = re.findall(r"^  again:    cprcheck (.*)", first.out, re.MULTILINE)
    assert len(names) == len(commands) >= 3
    for name, command in zip(names, commands, strict=True):
        again = ran(command)
        assert again.code == 1
        if "bmc" in options:  # z3 may find another run of the same length
            assert steps(again.evidence(name)) == steps(first.evidence(name))
        else:
            assert again.evidence(name) == first.evidence(name)


def test_the_command_below_a_trace_of_v7_is_the_one_that_was_given(ran: Run) -> None:
    line = "check v7 --kernel 5.15 --env cont --property no_dma_with_invalid_vaddr"
    code, out, err = ran(line)
    assert (code, err, out.startswith("v7(kernel=E1, topology=e, ")) == (1, "", True)
    assert f"\n  again:    cprcheck {line}(container=c0)'\n" in out.replace("'no_dma", "no_dma")
    assert "\n  9  FAULT management: cpr_state_save  [migration/cpr.c:qmp_cpr_exec]\n" in out


def test_colours_and_progress_are_for_a_terminal_only(ran: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    lies(monkeypatch)
    plain = ran("check lamp.py")
    assert ("\x1b" in plain.out, plain.err) == (False, "")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    watched = ran("check lamp.py")
    assert (watched.out, "prove: " in watched.err) == (plain.out, True)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    coloured = ran("check lamp.py").out
    assert "  \x1b[31m\x1b[1mVIOLATED\x1b[0m  " in coloured
    assert "\n\x1b[31m\x1b[1mDISAGREEMENT whole" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain.out
