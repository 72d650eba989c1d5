"""What the tests of drawn neighbourhoods draw."""

from __future__ import annotations

from dataclasses import replace

from systems import digraph, never

from cprcheck.system import Property, System
from cprcheck.trace import Trace
from cprcheck.verdict import Status, Verdict

BODY = """
@m.process(c="net/send.c")
def send(s):
    yield "open"
    if s.fault("the cable is cut"):
        return
    yield "write"
    s.n = s.choose("how many", (1, 2, 3))
    yield "close"
@m.action
def user(s):
    s.require(s.b == False)
    s.b = True
@m.invariant
def quiet(s):
    return s.n < 2
@m.invariant
def fine(s):
    return s.n < 4
"""
NAMES = [
    'say "no"',
    "back\\slash \\N \\l",
    "ends in \\",
    "<b>bold</b> &amp; &lt;",
    "{a|b}",
    "é → 世界",
    "100% 'x'; // #",
]
"""What an author may call things."""


def strange(name: str) -> tuple[System, Verdict]:
    """A step with this label, which violates a property of this name."""
    system = digraph([0, 1])
    prop = replace(never(system, 1), name=name)
    step = replace(system.transitions[0], label=name)
    return replace(system, name=name, transitions=(step,)), verdict(prop, Trace(((0,), (1,)), (0,)))


def verdict(prop: Property, trace: Trace) -> Verdict:
    """`prop` is violated by `trace`."""
    return Verdict(prop, Status.VIOLATED, (), trace)
