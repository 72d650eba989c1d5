"""Traces as ladders: what a toy's looks like to the letter, and that every published shortest trace fits an email."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from authors import process, written
from drawn import found, toy, verdict
from systems import renamed

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.origin import Origin
from cprcheck.passes.faults import with_faults
from cprcheck.report import ladder
from cprcheck.report.picture import picture
from cprcheck.report.text import shown
from cprcheck.semantics import apply
from cprcheck.trace import Trace

LOADED = """\
loaded VIOLATED: 5 steps
  Nothing is ever loaded.

model:    toy
scope:    any finite number of faults, injected ones excluded
marks:    o moves, X meets a fault, x ends; # is so after that step

     user
     |   old QEMU
     |   |   new QEMU
     |   |       kernel
     |   |       |   # vaddr invalid
  0  |   |       |       start with n = 0
  1  |-->o       |       management: save  [migration/cpr.c:qmp_cpr_save]
     |   |       |         log (1)
  2  |   o       |   #   unmap
     |   |------>|   #     UNMAP (c0)
  3  |   o       |   #   unmap again
     |   |<------|   #     refused (the kernel)
     |   |       |   #     refused (nobody)
  4  |   o   |   |   #   exec
     |   |-->|   |   #     new QEMU starts
     |   x   |   |   #     old QEMU ends
  5  |       o   |   #   load

violated: n != 2
where:    n = 2
"""


def test_a_ladder_to_the_letter() -> None:
    text, _, claimed = ladder.dumps(found().system, verdict()).partition("claimed:  ")
    assert text == LOADED
    assert claimed.startswith("mine")


def test_a_lasso_is_marked_where_it_starts_and_where_it_ends() -> None:
    lines = list(ladder.body(picture(found().system, verdict("ends").trace)))
    assert lines[-5:] == [
        "  7  |       o   |   #   turn",
        "     |       |   |   #   -- the loop starts here --",
        "  8  |       o   |   #   turn back",
        "  9  |       o   |   #   turn",
        "     |       |   |   #   -- back to where the loop starts, for ever --",
    ]


def test_a_run_that_stays_where_it_is_says_so() -> None:
    lines = list(ladder.body(picture(found().system, replace(verdict().trace, loop=5))))
    assert lines[-1] == "     |       |   |   #   -- nobody has to move from here on --"


def test_a_fault_is_a_capital_x() -> None:
    number = next(i for i, t in enumerate(found().system.transitions) if t.faults)
    trace = verdict().trace
    system = found().system
    lines = list(ladder.body(picture(system, Trace(trace.states, (*trace.steps[:2], number, *trace.steps[3:])))))
    assert lines[10:12] == [
        "  3  |   X       |   #   unmap again",
        "     |   |       |   #     FAULT: the disk is full",
    ]


def test_the_command_line_is_as_typed_and_can_be_copied() -> None:
    typed = ["cprcheck", "check", "toy.py", "-p", "env=a,b", "--faults", "2"]
    lines = list(ladder.lines(found().system, verdict(), typed))
    at = next(i for i, line in enumerate(lines) if line.startswith("again:"))
    assert lines[at : at + 2] == [
        "again:    cprcheck check toy.py -p env=a,b --faults 2 --property loaded \\",
        "            --trace ladder",
    ]


def test_without_a_command_line_the_system_knows_how_it_was_made() -> None:
    assert ladder.again(found().system) == []
    made = catalog.bind(catalog.find("v7"), {"kernel": "5.15", "env": "stop,cont", "guest": "paused"})
    bounded = with_faults(made.system, 2, injected=True)
    assert bounded.origin == Origin("v7", (("guest", "PAUSED"), ("env", "CONT,STOP")), "2", injected=True)
    said = "cprcheck check v7 -p guest=PAUSED -p env=CONT,STOP --faults 2 --injected"
    assert ladder.again(bounded) == said.split()
    assert with_faults(made.system, 0, injected=False).origin.faults == "none"


def test_a_verdict_without_a_trace_is_refused() -> None:
    assert verdict("fine").trace is None
    with pytest.raises(ValueError, match=r"^fine has no trace$"):
        ladder.dumps(found().system, verdict("fine"))


def test_nothing_but_seven_bits_and_no_tabs() -> None:
    body = process('yield "odd"\ns.n = 1') + "\n@m.invariant\ndef zero(s):\n    return s.n == 0\n"
    report = check(renamed(written(body).system, {"odd": "caf\u00e9\t\u2190"}), Options(engines=("explicit",)))
    text = ladder.dumps(report.system, report["zero"])
    assert "  1  o    caf\\xe9 \\u2190\n" in text
    assert text.isascii()


def test_long_names_and_many_bars_leave_room_for_words() -> None:
    bars = "".join(f"@m.bar('{'b' * 60} {i}')\ndef bar{i}(s):\n    return s.n >= {i % 2}\n" for i in range(12))
    lanes = "".join(f"@m.action\ndef {'a' * 72}{i}(s):\n    s.n = {i % 4}\n" for i in range(8))
    system = written(bars + lanes).system
    states = [tuple(codes[0] for codes in system.init)]
    for transition in system.transitions:
        states.append(apply(transition, states[-1]))
    made = picture(system, replace(verdict().trace, states=tuple(states), steps=tuple(range(8))))
    lines = list(ladder.body(made))
    assert max(map(len, lines)) <= ladder.WIDTH
    assert lines[0] == "     " + "a" * 69 + ".."


def test_the_same_text_each_time() -> None:
    report = check(toy(), Options(engines=("explicit",)))
    one, other = (ladder.dumps(made.system, made["ends"]) for made in (report, found()))
    assert one.partition("claimed")[0] == other.partition("claimed")[0]


# ---- the shipped models ---------------------------------------------------------------------------------------------

QUICK = [
    ("v7", {"topology": "e"}),
    ("v7", {"topology": "e", "env": "cont"}),
    ("v7", {"topology": "e/p", "kernel": "E4"}),
    ("save_unwind", {"topology": "p/p", "kernel": "E4"}),
    ("vm_change_handler", {"topology": "e", "env": "cont,monitors"}),
]


def ladders(name: str, params: dict[str, str]) -> Iterator[list[str]]:
    """The ladder of each trace that is shown of a model."""
    report = check(catalog.bind(catalog.find(name), params), Options(engines=("explicit",), native=False))
    assert shown(report.verdicts)
    for one in shown(report.verdicts):
        yield list(ladder.lines(report.system, one))


@pytest.mark.parametrize(("name", "params"), QUICK)
def test_every_trace_survives_an_email(name: str, params: dict[str, str]) -> None:
    for lines in ladders(name, params):
        for line in lines:
            assert len(line) <= 76
            assert line == line.rstrip()
            assert line.isascii()
            assert "\t" not in line


@pytest.mark.slow
@pytest.mark.parametrize("name", ["v7", "save_unwind", "vm_change_handler"])
@pytest.mark.parametrize("env", ["none", "cont"])
@pytest.mark.parametrize(("kernel", "topology"), [("E1", "e"), ("E4", "e/p"), ("E4", "p/e"), ("E4", "p/p")])
def test_every_published_trace_survives_an_email(name: str, env: str, kernel: str, topology: str) -> None:
    test_every_trace_survives_an_email(name, {"env": env, "kernel": kernel, "topology": topology})


def test_vfio_is_drawn_as_on_a_whiteboard() -> None:
    """Commands come from the management, ioctls go to the kernel, and a bar stands while an address is missing."""
    report = check(
        catalog.bind(catalog.find("v7"), {"env": "cont"}),
        Options(engines=("explicit",), properties=("runs_only_with_valid_vaddrs",)),
    )
    (found_,) = shown(report.verdicts)
    made = picture(report.system, found_.trace)
    assert made.lanes == ("management", "old QEMU", "kernel")
    assert made.bars == ("guest runs", "vaddr of c0 invalid")
    messages = [(row.step, part.text, made.lanes[part.source], made.lanes[part.target])
                for row in made.rows for part in (row.head, *row.parts) if part.source is not None]  # fmt: skip
    assert messages == [
        (1, "management: cpr-save, attempt 1", "management", "old QEMU"),
        (6, "cpr-exec, attempt 1", "management", "old QEMU"),
        (7, "CHECK_EXTENSION (c0, UPDATE_VADDR)", "old QEMU", "kernel"),
        (7, "CHECK_EXTENSION (c0, UNMAP_ALL)", "old QEMU", "kernel"),
        (8, "UNMAP(ALL|V) (c0)", "old QEMU", "kernel"),
        (10, "user(command=CONT)", "management", "old QEMU"),
    ]
    both = [row.step for row in made.rows if all(row.bars)]
    assert both == [13]
    assert [row.step for row in made.rows if row.bars[1]] == [8, 9, 10, 11, 12, 13]
