"""Runs by outcome, as a person, a script and a machine read them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from lamp import Run, listing
from systems import digraph, nodes

from cprcheck.compare import runs
from cprcheck.compare.ending import Ending, Interleavings
from cprcheck.errors import DisagreementError
from cprcheck.report import interleavings
from cprcheck.system import Fault, Outcome
from cprcheck.trace import Trace
from cprcheck.verdict import Size

OUTCOMES = """\
    @m.outcome("wire", "whole")
    def wire_whole(s):
        return not s.cut["wire"]
    @m.outcome("light", "bright")
    def light_bright(s):
        return s.n == 2
    @m.outcome("light", "dim")
    def light_dim(s):
        return s.n == 1
    return m
"""
HEAD = """\
lamp(top=2, kernel=RED, env=none)
  4 slots, 1 processes, 6 transitions; 11 states, 11 generated, depth 2
  digest 61b16e2660a979b5 (cprcheck 0.1.0)
  scope: any finite number of faults, injected ones excluded

8 runs, 8 really different, 4 outcomes
"""
PLAIN = """
--- 2 runs, 2 really different, the shortest: 2 steps
  wire:  whole
  light: dim
{}
--- 2 runs, 2 really different, the shortest: 2 steps
  wire:  whole
  light: bright
{}
--- 2 runs, 2 really different, the shortest: 2 steps
  wire:  otherwise
  light: dim
  fault in the shortest: the wire breaks
{}
--- 2 runs, 2 really different, the shortest: 2 steps
  wire:  otherwise
  light: bright
  fault in the shortest: the wire breaks
{}
  again: cprcheck interleavings lamp.py
"""
STEPS = [
    "\n  1  switch: open\n  2  switch: turn (how far: 1)\n",
    "\n  1  switch: open\n  2  switch: turn (how far: 2)\n",
    "\n  1  FAULT switch: open  fault: the wire breaks\n  2  switch: turn (how far: 1)\n",
    "\n  1  FAULT switch: open  fault: the wire breaks\n  2  switch: turn (how far: 2)\n",
]


@pytest.fixture
def telling(ran: Run) -> Run:
    """Run a command line where `lamp.py` tells outcomes and `dark.py` does not."""
    text = Path("lamp.py").read_text()
    Path("dark.py").write_text(text)
    Path("lamp.py").write_text(text.replace("    return m\n", OUTCOMES))
    return ran


def test_each_outcome_has_its_count_and_a_shortest_run(telling: Run) -> None:
    assert telling("interleavings lamp.py") == (0, HEAD + PLAIN.format(*STEPS), "")


def test_without_traces_the_outcomes_are_left(telling: Run) -> None:
    assert telling("interleavings lamp.py --no-traces") == (0, HEAD + PLAIN.format("", "", "", ""), "")


HEEDED = {
    "--faults none": "2 runs, 2 really different, 2 outcomes",
    "--faults 1": "6 runs, 6 really different, 4 outcomes",
    "--injected -p top=1": "8 runs, 8 really different, 4 outcomes",
    "-p top=1": "4 runs, 4 really different, 2 outcomes",
    "-p top=9 --kernel green --env red,green": "36 runs, 36 really different, 6 outcomes",
}


@pytest.mark.parametrize("options", HEEDED)
def test_each_option_is_heeded_and_told_again(options: str, telling: Run) -> None:
    code, out, err = telling(f"interleavings lamp.py {options}")
    assert (code, err, out.split("\n\n")[1]) == (0, "", HEEDED[options])
    assert telling(re.findall(r"again: cprcheck (.*)", out)[0]) == (0, out, "")


def test_what_is_cut_short_says_so_and_is_unknown(telling: Run) -> None:
    code, out, _ = telling("interleavings lamp.py --max-states 1")
    assert (code, out.partition("excluded\n")[2]) == (
        3,
        "\nnot counted: truncated at 1 states\n\n  again: cprcheck interleavings lamp.py --max-states 1\n",
    )


LOOPS = """
at least 3 runs, 2 outcomes or more
  not all counted, and shorter runs may be missing: it takes more than 2 steps to walk the loops

--- at least 2 runs, the shortest found: 3 steps
  end: otherwise
  fault in the shortest: a (injected: the real kernel cannot do this)
  fault in the shortest: b

  0  node=0
  1  walker: 0->1
  2  FAULT walker: 1->2  fault: a (injected: the real kernel cannot do this), fault: b
  3  walker: 2->3

--- at least 1 run, the shortest found: 0 steps
  end: here
"""


def test_a_lower_bound_is_called_one_and_several_starts_are_shown() -> None:
    system = digraph([0, 1, 2, 3], [4])
    steps = list(system.transitions)
    steps[1] = replace(steps[1], faults=(Fault("a", injected=True), Fault("b")))
    system = replace(system, transitions=tuple(steps), outcomes=(Outcome("end", "here", nodes(system, 4)),))
    size = Size(5, 5, 3, True)
    long = Ending((("end", "otherwise"),), 2, Trace(((0,), (1,), (2,), (3,)), (0, 1, 2)))
    short = Ending((("end", "here"),), 1, Trace(((4,),)))
    found = Interleavings(system, size, (long, short), 0, "it takes more than 2 steps to walk the loops")
    lines = list(interleavings.lines(found))
    assert "\n".join(lines[lines.index("") :]) + "\n" == LOOPS


def test_states_without_an_end_are_told_and_a_long_fault_has_its_own_line() -> None:
    system = digraph([0, 1], [0, 2, 3, 2], faults=[(0, 1)])
    steps = list(system.transitions)
    steps[0] = replace(steps[0], faults=(Fault("x" * 95),))
    system = replace(system, transitions=tuple(steps), outcomes=(Outcome("end", "here", nodes(system, 1)),))
    found = runs.interleavings(system)
    lines = list(interleavings.lines(found))
    assert lines[lines.index("") :] == [
        "",
        "1 run, 1 outcome",
        "  from 2 states no run comes to rest: what goes on there is not counted",
        "",
        "--- 1 run, the shortest: 1 step",
        "  end: here",
        f"  fault in the shortest: {'x' * 95}",
        "",
        "  1  FAULT walker: 0->1",
        f"       fault: {'x' * 95}",
    ]


def test_a_large_limit_and_many_states_are_told_again(telling: Run) -> None:
    out = telling("interleavings lamp.py --max-states 99 --limit 7").out
    assert out.endswith("\n  again: cprcheck interleavings lamp.py --max-states 99 --limit 7\n")


def test_a_model_without_outcomes_is_told_what_to_write(telling: Run) -> None:
    said = "cprcheck: lamp declares no outcome; write @m.outcome(...) (docs/language.md)\n"
    assert telling("interleavings dark.py --json r.json") == (2, "", said)
    assert "r.json" not in listing()


def test_a_count_that_is_not_confirmed_is_never_shown(telling: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DisagreementError("a path was counted that is no run")

    monkeypatch.setattr(runs, "confirm", fail)
    said = "cprcheck: DISAGREEMENT a path was counted that is no run\n"
    assert telling("interleavings lamp.py") == (4, "", said)


def test_machines_read_the_same(telling: Run) -> None:
    assert telling("interleavings lamp.py -p top=1 --faults 1 --json new.json").code == 0
    found = json.loads(Path("new.json").read_text())
    subject = {"model", "title", "params", "digest", "scope", "merging", "size"}
    answer = {"stopped", "runs", "endless", "outcomes", "merged", "different", "judged", "races"}
    assert found.keys() == subject | answer | {"schema", "cprcheck"}
    assert (found["schema"], found["stopped"], found["runs"], found["endless"]) == (
        "cprcheck-interleavings-1",
        "",
        3,
        0,
    )
    assert (found["merged"], found["different"], found["judged"], found["races"]) == ("", 3, "", None)
    whole, cut = found["outcomes"]
    assert (whole["runs"], whole["different"]) == (2, 2)
    assert cut == {
        "aspects": {"wire": "otherwise", "light": "dim"},
        "runs": 1,
        "different": 1,
        "others": [],
        "steps": 2,
        "faults": ["the wire breaks"],
        "start": {
            "n": "0",
            "cut[wire]": "False",
            "cut[fuse]": "False",
            "@switch": "open",
            "faults_taken": "0",
        },
        "trace": [
            {
                "process": "switch",
                "label": "open",
                "choices": [],
                "faults": ["the wire breaks"],
                "events": [],
                "functions": ["hw/lamp.c:switch"],
            },
            {
                "process": "switch",
                "label": "turn",
                "choices": [["how far", "1"]],
                "faults": [],
                "events": [],
                "functions": ["hw/lamp.c:switch"],
            },
        ],
    }


def test_machines_are_told_that_nothing_was_counted(telling: Run) -> None:
    assert telling("interleavings lamp.py --max-states 1 --json new.json").code == 3
    found = json.loads(Path("new.json").read_text())
    assert (found["runs"], found["endless"], found["outcomes"]) == (None, None, [])
    assert found["stopped"] == "truncated at 1 states"


def test_what_is_not_all_told_apart_is_a_lower_bound_and_unknown(telling: Run) -> None:
    code, out, _ = telling("interleavings lamp.py --different-limit 3 --no-traces -p top=1")
    assert code == 3
    assert out.partition("excluded\n")[2].startswith(
        "\n4 runs, at least 2 really different, 2 outcomes\n"
        "  the really different ones are not all counted: it takes more than 3 steps to tell them apart\n"
        "\n--- 2 runs, at least 1 really different, the shortest: 2 steps\n"
    )
    assert out.endswith("\n  again: cprcheck interleavings lamp.py -p top=1 --different-limit 3\n")


def test_more_really_different_runs_are_shown_on_request() -> None:
    system = digraph([0, 1], [0, 2, 1], [0, 2, 3, 1])
    system = replace(system, outcomes=(Outcome("end", "here", nodes(system, 1)),))
    found = runs.interleavings(system, runs.Options(show=2))
    lines = list(interleavings.lines(found))
    assert lines[lines.index("") :] == [
        "",
        "3 runs, 3 really different, 1 outcome",
        "",
        "--- 3 runs, 3 really different, the shortest: 1 step",
        "  end: here",
        "",
        "  1  walker: 0->1",
        "",
        "  really different: 2 steps",
        "",
        "  1  walker: 0->2",
        "  2  walker: 2->1",
        "",
        "  really different ones not shown: 1",
    ]
