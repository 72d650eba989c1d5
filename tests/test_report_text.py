"""What a person reads: every byte of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from authors import written

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.report import text
from cprcheck.verdict import Report

SENDER = '''\
from cprcheck import Model, OneOf, Range, model

@model
def sender(size: int = 2) -> Model:
    m = Model()
    m.var("sent", Range(0, 3), init=0)
    m.var("cable", OneOf("whole", "cut"), init="whole")

    @m.process(c="net/send.c")
    def send(s):
        yield "open"
        if s.fault("somebody cuts the cable"):
            s.cable = "cut"
            return
        yield "write"
        count = s.choose("how many", range(1, size + 1))
        s.sent = 3 if s.fault("the wire lies", injected=True) else count
        s.emit("sent", count=count)

    @m.invariant
    def whole(s):
        """The cable
        is whole."""
        return s.cable == "whole"

    @m.invariant
    def few(s):
        return s.sent < 3

    @m.severity("nothing arrives")
    def nothing(s):
        return s.cable == "cut"

    return m
'''
SENDER_REPORT = """\
sender(size=2)
  3 slots, 1 processes, 6 transitions; 6 states, 7 generated, depth 2
  digest 41f009fde405605d (cprcheck 0.1.0)
  scope: any finite number of faults, injected ones included

  VIOLATED  whole          1 steps               explicit, bmc    nothing arrives
  VIOLATED  few            2 steps               explicit, bmc
  HOLDS     deadlock_free  all reachable states  explicit, prove
  HOLDS     nobody_stuck   all reachable states  liveness

--- whole
The cable is whole.

  0  sent=0  cable=whole  @send=open
  1  FAULT send: open  [net/send.c:send]
       fault: somebody cuts the cable
       cable: whole -> cut
       @send: open -> end

  violated: cable = whole
  where:    cable = cut
  severity: nothing arrives
  claimed:  sender.py:20
  again:    cprcheck check 'my models/sender.py' --injected --property whole

--- few

  0  sent=0  cable=whole  @send=open
  1  send: open  [net/send.c:send]
  2  FAULT send: write (how many: 1)  [net/send.c:send]
       fault: the wire lies (injected: the real kernel cannot do this)
       event: sent(count=1)
       sent: 0 -> 3
       @send: write -> end

  violated: sent != 3
  where:    sent = 3
  claimed:  sender.py:26
  again:    cprcheck check 'my models/sender.py' --injected --property few

2 VIOLATED, 2 HOLDS
"""
RING = '''\
from cprcheck import Bool, Model, any_of, every, model

@model
def ring() -> Model:
    m = Model()
    m.array("on", (0, 1), Bool, init=any_of(False, True))
    bell = m.lock("bell")

    @m.process
    def turn(s):
        while True:
            yield "left"
            with s.lock(bell):
                s.on[0] = True
                yield "right"
                s.on[0] = False

    @m.leads_to(i=(0, 1))
    def both(s, i):
        """Sooner or later both are on."""
        return s.on[i], every(s.on)

    @m.leads_to
    def still(s):
        return s.on[1], not s.on[1]

    return m
'''
RING_REPORT = """\
ring
  4 slots, 1 processes, 2 transitions; 6 states, 10 generated, depth 1
  digest 68e91aa220ac8209 (cprcheck 0.1.0)
  scope: any finite number of faults, injected ones excluded

  VIOLATED  both (1 of 2)  lasso of 1 + 2 steps  liveness
  HOLDS     both (1 of 2)  all reachable states  liveness
  VIOLATED  still          lasso of 0 + 2 steps  liveness
  HOLDS     deadlock_free  all reachable states  explicit, prove
  HOLDS     nobody_stuck   all reachable states  liveness

--- both(i=0)
Sooner or later both are on.

  0  on[0]=True  on[1]=False  lock bell=free  @turn=left
  1  turn: left
       lock bell: free -> turn
     -- the loop starts here --
  2  turn: right
       on[0]: True -> False
       lock bell: turn -> free
  3  turn: left
       on[0]: False -> True
       lock bell: free -> turn
     -- back to state 1, for ever --

  violated: never again: on[0] and on[1]
  where:    on[0] = True, on[1] = False
  claimed:  ring.py:18
  again:    cprcheck check ring --property 'both(i=0)'

--- still

  0  on[0]=False  on[1]=True  lock bell=free  @turn=left
     -- the loop starts here --
  1  turn: left
       on[0]: False -> True
       lock bell: free -> turn
  2  turn: right
       on[0]: True -> False
       lock bell: turn -> free
     -- back to state 0, for ever --

  violated: never again: not on[1]
  where:    on[1] = True
  claimed:  ring.py:23
  again:    cprcheck check ring --property still

2 VIOLATED, 3 HOLDS
"""


def checked(name: str, source: str, **options: bool) -> Report:
    """The report on a model that an author has in the working directory."""
    Path(name).write_text(source, encoding="utf-8")
    return check(catalog.bind(catalog.find(name), {}), Options(**options))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_violation_with_faults_and_an_event() -> None:
    command = ["cprcheck", "check", "my models/sender.py", "--injected"]
    lines = list(text.report(checked("sender.py", SENDER, injected=True), command))
    assert lines == SENDER_REPORT.splitlines()


def test_a_lasso() -> None:
    assert list(text.report(checked("ring.py", RING), ["cprcheck", "check", "ring"])) == RING_REPORT.splitlines()


def test_without_traces_the_verdicts_are_left() -> None:
    lines = list(text.report(checked("ring.py", RING), traces=False))
    assert lines == [*RING_REPORT.splitlines()[:10], "", "2 VIOLATED, 3 HOLDS"]


def test_without_a_command_nothing_is_said_about_it() -> None:
    lines = list(text.report(checked("ring.py", RING)))
    assert lines == [line for line in RING_REPORT.splitlines() if not line.startswith("  again:")]


def test_a_run_that_stops_has_a_loop_without_steps() -> None:
    found = check(written("@m.action\ndef a(s):\n    s.b = True\n@m.leads_to\ndef l(s):\n    return s.b, s.n == 1\n"))
    lines = list(text.trace_lines(found.system, found["l"].trace))
    assert lines[-3:] == ["  1  a", "       b: False -> True", "     -- and nobody has to move from here on --"]


BELOW = """
@m.action
def inc(s):
    s.require(s.n < 3)
    s.n = s.n + 1
@m.invariant(i=Range(1, 3))
def below(s, i):
    return s.n < i
@m.severity("high")
def high(s):
    return s.n >= 2
@m.invariant(i=(4, 5))
def under(s, i):
    return s.n < i
@m.deadlock_free
def free(s):
    return s.n == 3
"""


def test_instances_that_fared_alike_share_a_line_and_the_shortest_trace() -> None:
    found = check(written(BELOW))
    assert list(text.verdict_lines(found.verdicts)) == [
        "  VIOLATED  below (1 of 3)  1 steps               explicit, bmc",
        "  VIOLATED  below (2 of 3)  2 steps               explicit, bmc    high",
        "  HOLDS     under (2 of 2)  all reachable states  explicit, prove",
        "  HOLDS     deadlock_free   all reachable states  explicit, prove",
    ]
    assert [verdict.prop.name for verdict in text.shown(found.verdicts)] == ["below(i=1)", "below(i=2)"]


def test_an_instance_that_was_asked_for_alone_is_named() -> None:
    found = check(written(BELOW), Options(properties=("below(i=2)",)))
    assert list(text.verdict_lines(found.verdicts)) == ["  VIOLATED  below(i=2)  2 steps  explicit, bmc  high"]


def test_a_long_scope_is_wrapped() -> None:
    found = replace(check(written(BELOW)), scope=("kernel E1", "a " + "very " * 20 + "long clause", "no faults"))
    lines = list(text.heading(found))[3:]
    assert lines == ["  scope: kernel E1; a" + " very" * 17, "    very very very long clause; no faults"]
    assert len(lines[0]) <= text.WIDTH < len(lines[0] + " very")


def test_a_name_is_not_divided_at_its_hyphen() -> None:
    names = ["hw/i386/intel-iommu.c:vtd_replay"] * 6
    assert " ".join(text.wrap(" ".join(names), 20)).split() == names


def test_counts_have_their_thousands_apart() -> None:
    assert [text.number(n) for n in (7, 999, 1000, 1234567)] == ["7", "999", "1 000", "1 234 567"]


def test_what_can_never_be_taken_is_counted_and_cut_short() -> None:
    never = "@m.action\ndef odd(s):\n    s.require(s.b)\n    if s.n == 1:\n        s.n = 2\n"
    never += "@m.action(i=Range(1, 9))\ndef never(s, i):\n    s.require(s.b)\n    s.n = 1\n"
    found = check(written(BELOW + never + "@m.leads_to\ndef l(s):\n    return s.b, s.b\n"))
    assert list(text.unreached_lines(found)) == [
        "",
        "  never happens: odd: odd; never(i=1): never; never(i=2): never; never(i=3): never; never(i=4): never;",
        "    never(i=5): never; never(i=6): never; never(i=7): never; and 2 more",
    ]


def test_an_event_that_nobody_emits_is_told() -> None:
    model = written("@m.action\ndef a(s):\n    s.emit('MAP')\n@m.event_never('MPA')\ndef quiet(s):\n    pass\n")
    lines = list(text.report(check(model)))
    assert "  quiet: no step emits 'MPA'" in lines


def test_a_disagreement_stands_before_the_traces() -> None:
    found = replace(checked("ring.py", RING), disagreements=("x: explicit HOLDS, bmc VIOLATED",))
    lines = list(text.report(found))
    assert lines[10:14] == ["", "DISAGREEMENT x: explicit HOLDS, bmc VIOLATED", "", "--- both(i=0)"]


def test_an_empty_report_says_so() -> None:
    assert text.summary(replace(checked("ring.py", RING), verdicts=())) == "nothing was checked"
