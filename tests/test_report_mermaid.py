"""Traces as Mermaid sequence diagrams.

That Mermaid itself takes them (11.17.2, under node) was tried by hand, also with hostile names; here, a line is one of
the few kinds that were.
"""

from __future__ import annotations

import re

import pytest
from authors import written
from drawn import found, toy, verdict

from cprcheck.checking import Options, check
from cprcheck.report import mermaid

ENDS = """\
sequenceDiagram
  title ends VIOLATED#58; toy
  participant L0 as user
  participant L1 as old QEMU
  participant L2 as new QEMU
  participant L3 as kernel
  participant B0 as vaddr invalid
  Note over L0,L3: start with n = 0
  L0->>L1: 1. management#58; save
  Note over L1: log (1)
  Note over L1: 2. unmap
  L1->>L3: UNMAP (c0)
  activate B0
  Note over L1: 3. unmap again
  L3->>L1: refused (the kernel)
  Note over L1: refused (nobody)
  Note over L1: 4. exec
  L1->>L2: new QEMU starts
  Note over L1: old QEMU ends
  Note over L2: 5. load
  Note over L2: 6. forget
  Note over L2: 7. turn
  Note over L0,L3: the loop starts here
  Note over L2: 8. turn back
  Note over L2: 9. turn
  Note over L0,L3: back to where the loop starts, for ever
  deactivate B0
  Note over L0,L3: violated#58; never again#58; n = 8
"""
TEXT = r"(?:[A-Za-z0-9 _.,()/=?'|!*+-]|#\d+;)+"
LINE = re.compile(
    rf"sequenceDiagram|  (?:title {TEXT}|participant [LB]\d+ as {TEXT}|Note over L\d+(?:,L\d+)?: {TEXT}"
    rf"|L\d+->>L\d+: {TEXT}|(?:de)?activate B\d+)"
)


def test_a_diagram_to_the_letter() -> None:
    assert mermaid.dumps(found().system, verdict("ends")) == ENDS


def test_whatever_a_model_says_stays_text() -> None:
    words = ["a;b", "#35;", "%%{init: {}}%%", "a\\nend", "<b>", 'x" y', "wrap: x", "caf\u00e9", "{x}", "[x]", "`$&@~^"]
    body = f"m.lane('end')\nm.lane('k;#:')\nm.arrow(event='e', receiver='k;#:')\nwords = {words!r}\n"
    body += "@m.bar('b;#')\ndef b(s):\n    return s.n == 1\n@m.process(lane='end')\ndef p(s):\n"
    body += "    for word in words:\n        yield word + '.'\n        s.emit('e', a=word)\n        s.fault(word)\n"
    body += "    s.n = 1\n@m.invariant\ndef zero(s):\n    return s.n == 0\n"
    report = check(written(body), Options(engines=("explicit",), native=False))
    lines = list(mermaid.lines(report.system, report["zero"]))
    assert len(lines) > 2 * len(words)
    assert [line for line in lines if not LINE.fullmatch(line)] == []


def test_what_is_escaped_and_what_is_not() -> None:
    assert mermaid.escape("UNMAP(ALL|V) (c0, 1) = 'x'?") == "UNMAP(ALL|V) (c0, 1) = 'x'?"
    assert mermaid.escape("a: b; #<\n%\u00e9") == "a#58; b#59; #35;#60; #37;#233;"


def test_a_bar_is_active_from_the_step_that_begins_it_to_the_one_that_ends_it() -> None:
    body = "@m.bar('odd')\ndef odd(s):\n    return (s.n == 1) | (s.n == 3)\n@m.action\ndef up(s):\n    s.n = s.n + 1\n"
    report = check(written(body + "@m.invariant\ndef low(s):\n    return s.n < 3\n"), Options(engines=("explicit",)))
    lines = [line.strip() for line in mermaid.lines(report.system, report["low"])]
    assert lines[4:-1] == [
        "Note over L0: start",
        *("Note over L0: 1. up", "activate B0", "Note over L0: 2. up", "deactivate B0", "Note over L0: 3. up"),
        *("activate B0", "deactivate B0"),
    ]


def test_a_bar_that_stands_from_the_start_is_active_from_the_start() -> None:
    body = "@m.bar('low')\ndef low(s):\n    return s.n < 1\n@m.action\ndef up(s):\n    s.n = 1\n"
    report = check(written(body + "@m.invariant\ndef zero(s):\n    return s.n == 0\n"), Options(engines=("explicit",)))
    lines = [line.strip() for line in mermaid.lines(report.system, report["zero"])]
    assert lines[4:8] == ["Note over L0: start", "activate B0", "Note over L0: 1. up", "deactivate B0"]


def test_a_verdict_without_a_trace_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^fine has no trace$"):
        mermaid.dumps(found().system, verdict("fine"))


def test_the_same_text_each_time() -> None:
    report = check(toy(), Options(engines=("explicit",)))
    assert mermaid.dumps(report.system, report["ends"]) == ENDS
