"""Reports of every kind for the tests of the formats that a CI reads: good, bad, endless, unknown, hostile, at odds."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from authors import HEAD, written
from systems import renamed

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.models import SHIPPED
from cprcheck.verdict import Report

BODY = '''
@m.process(c="net/send.c")
def send(s):
    yield "open"
    s.b = True
    yield "write"
    if s.fault("the cable is cut"):
        s.n = 3
    else:
        s.n = s.choose("how many", (1, 2))
    s.emit("sent", count=1)
@m.process
def receive(s):
    yield "wait"
    s.require(s.n > 0)
    s.owner = Proc.NEW
    while True:
        yield "rest"
        s.v[0] = Vaddr.NONE
        yield "work"
        s.v[0] = Vaddr.GOOD
@m.invariant
def quiet(s):
    """Nobody ever sends three. That would be too much."""
    return s.n < 3
@m.invariant(i=(0, 1))
def whole(s, i):
    """Each stays as it is."""
    return s.v[i] == Vaddr.GOOD
@m.leads_to
def settles(s):
    """Sooner or later the cable is cut."""
    return s.owner == Proc.NEW, s.n == 3
@m.reachable
def new(s):
    """The new one gets there."""
    return s.owner == Proc.NEW
@m.reachable
def both(s):
    """Nobody gets there."""
    return (s.n == 3) & (s.b == False)
@m.invariant
def bounded(s):
    """Fewer than four."""
    return s.n < 4
'''
EVIL = "<script>alert('{0}')</script>\x1b[31m\r\n::error::| `x` [click](http://x) ]]>."
WORSE = f"{EVIL}\x00\ud800"
"""For what no engine reads."""
HOSTILE = """
EVIL, WORSE = "evil", "worse"
m.var("tag", OneOf("fine", EVIL), init="fine")
@m.process(c="net/send.c")
def send(s):
    yield EVIL
    if s.fault(EVIL):
        s.tag = EVIL
    s.emit("sent", what=EVIL)
def bad(s):
    return s.tag == "fine"
bad.__doc__ = WORSE
bad = m.invariant(bad)
"""


@cache
def full() -> Report:
    """Six verdicts that are good, bad in several ways, and unknown: 3 HOLDS, 1 REACHABLE, 4 bad."""
    names = ("quiet", "whole", "settles", "new", "both", "bounded")
    return check(written(BODY), Options(properties=names))


@cache
def good() -> Report:
    """Nothing is wrong."""
    return check(written(BODY), Options(properties=("bounded", "new")))


@cache
def unknown() -> Report:
    """bmc alone never says HOLDS."""
    return check(written(BODY), Options(engines=("bmc",), depth=3, properties=("bounded",)))


@cache
def initially() -> Report:
    """What is bad from the start has a trace without steps."""
    return check(
        written('@m.invariant\ndef never(s):\n    """Never."""\n    return s.b'), Options(properties=("never",))
    )


@cache
def hostile() -> Report:
    """A System whose name and texts try to be something else, as no model's can: it was changed by hand."""
    system = written(HOSTILE, HEAD.replace('"mine"', '"evil"')).system
    return check(renamed(system, {"evil": EVIL, "worse": WORSE}), Options(properties=("bad",)))


@cache
def at_odds() -> Report:
    """The engines disagree."""
    return replace(good(), disagreements=("bounded: explicit HOLDS, bmc VIOLATED",))


def abroad(folder: Path) -> Report:
    """A design of somebody else's, in `folder`, whose claims and steps are in the files that come with cprcheck."""
    mine = folder / "mine.py"
    text = (SHIPPED / "designs" / "v7.py").read_text(encoding="utf-8")
    mine.write_text(text[text.index("from __future__") :].replace("def v7(", "def mine("), encoding="utf-8")
    return check(catalog.find(str(mine))(), Options(properties=("guest_survives", "deadlock_free")))
