"""A model of two processes that write one variable, for tests of what is said about their order."""

from __future__ import annotations

from pathlib import Path

PAIR = '''\
from cprcheck import Bool, Model, Range, model

@model
def pair(wait: bool = False) -> Model:
    """Two processes and one variable."""
    m = Model()
    m.var("n", Range(0, 2), init=0)
    m.var("ready", Bool, init=False)
    @m.process
    def writer(s):
        yield "prepare"
        s.ready = True
        yield "write"
        s.n = 1
    @m.process
    def other(s):
        yield "write too"
        if wait:
            s.require(s.n == 0)
        if s.fault('it "breaks"'):
            return
        s.n = 2
    @m.outcome("n", "one")
    def one(s):
        return s.n == 1
    @m.outcome("n", "two")
    def two(s):
        return s.n == 2
    @m.invariant
    def never_two(s):
        return s.n != 2
    return m
'''


def save() -> None:
    """Write it to `pair.py` in the working directory."""
    Path("pair.py").write_text(PAIR)
