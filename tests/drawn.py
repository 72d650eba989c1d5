"""A toy whose runs can be drawn, for the tests of pictures."""

from __future__ import annotations

from functools import cache

from authors import written

from cprcheck.checking import Options, check
from cprcheck.language.model import Model
from cprcheck.verdict import Report, Verdict

HEAD = """\
from cprcheck import *
m = Model("toy")
m.var("n", Range(0, 9), init=any_of(0, 1))
m.var("valid", Bool, init=True)
old = m.group("old")
new = m.group("new", alive=False)
"""
LANES = """
m.lane("user")
m.lane("old QEMU", group=old)
m.lane("new QEMU", group=new)
m.lane("kernel")
m.arrow(step="save", sender="user")
m.arrow(step="type", receiver="old QEMU")
m.arrow(event="UNMAP", receiver="kernel")
m.arrow(event="refused", sender="kernel", by="the kernel")
@m.bar("vaddr invalid")
def invalid(s):
    return not s.valid
@m.bar("never")
def never(s):
    return s.n == 9
"""
BODY = """
@m.process(group=old, c="migration/cpr.c:qmp_cpr_save")
def management(s):
    yield "save"
    s.emit("log", level=1)
    yield "unmap"
    s.valid = False
    s.emit("UNMAP", container="c0")
    yield "unmap again"
    s.emit("refused", by="the kernel")
    s.emit("refused", by="nobody")
    if s.fault("the disk is full"):
        s.valid = True
    yield "exec"
    s.exec(old, new)
@m.process(group=new)
def load(s):
    yield "load"
    s.n = 2
    yield "forget"
    s.n = 3
    while True:
        yield "turn"
        s.n = 4
        yield "turn back"
        s.n = 5
@m.action(group=old, lane="user")
def type(s):
    s.require(s.n == 7)
@m.invariant
def loaded(s):
    '''Nothing is ever
    loaded.'''
    return s.n != 2
@m.invariant
def fine(s):
    return s.n != 8
@m.leads_to
def ends(s):
    return s.n == 2, s.n == 8
"""


@cache
def found() -> Report:
    return check(toy(), Options(engines=("explicit",)))


def toy(body: str = LANES + BODY) -> Model:
    return written(body, HEAD)


def verdict(name: str = "loaded") -> Verdict:
    return found()[name]
