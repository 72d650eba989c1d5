"""A small model for tests of the command line, and how to run that."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

# With real faults `whole` fails after one step and `not_both` after two; `below` needs an injected fault.
LAMP = '''\
from enum import Enum
from cprcheck import Bool, Model, Range, model

class Colour(Enum):
    RED = 0
    GREEN = 1
@model
def lamp(top: int = 2, kernel: Colour = Colour.RED, env: frozenset[Colour] = frozenset()) -> Model:
    """A lamp with a switch."""
    m = Model()
    m.var("n", Range(0, 9), init=0)
    m.array("cut", ("wire", "fuse"), Bool, init=False)
    @m.process(c="hw/lamp.c")
    def switch(s):
        yield "open"
        if s.fault("the wire breaks"):
            s.cut["wire"] = True
        yield "turn"
        s.n = s.choose("how far", range(1, top + 1))
        if s.fault("the fuse blows"):
            s.cut["fuse"] = True
        if s.fault("lightning", injected=True):
            s.n = 9
    @m.invariant
    def whole(s):
        """The wire is whole."""
        return not s.cut["wire"]
    @m.invariant
    def not_both(s):
        return not (s.cut["wire"] and s.cut["fuse"])
    @m.invariant(i=(8, 9))
    def below(s, i):
        return s.n < i
    @m.reachable
    def bright(s):
        return s.n == 2
    @m.invariant
    def dark(s):
        return s.n == 0
    return m
'''
HEAD = """\
lamp(top=2, kernel=RED, env=none)
  4 slots, 1 processes, 6 transitions; 11 states, 11 generated, depth 2 (not all)
  digest 11b0b41cee09cb1c (cprcheck 0.1.0)
  scope: any finite number of faults, injected ones excluded
"""
TRACE = """\
--- not_both

  0  n=0  cut[wire]=False  cut[fuse]=False  @switch=open
  1  FAULT switch: open  [hw/lamp.c:switch]
       fault: the wire breaks
       cut[wire]: False -> True
  2  FAULT switch: turn (how far: 1)  [hw/lamp.c:switch]
       fault: the fuse blows
       n: 0 -> 1
       cut[fuse]: False -> True
       @switch: turn -> end

  violated: not cut[wire] or not cut[fuse]
  where:    cut[wire] = True, cut[fuse] = True
  claimed:  lamp.py:28
  again:    cprcheck check lamp.py --property not_both
"""
VERDICTS = "whole:VIOLATED not_both:VIOLATED below (2 of 2):HOLDS bright:REACHABLE dark:VIOLATED"
NAMES = ["whole", "not_both", "below", "bright", "dark", "deadlock_free", "nobody_stuck"]
GOOD = "--property whole --faults none"


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    def verdicts(self) -> str:
        """Each line of the table as name:STATUS, without the two that every model has."""
        rows = re.findall(r"^  ([A-Z]+) +(\S+(?: \(.*?\))?)  ", self.out, re.MULTILINE)
        return " ".join(f"{name}:{status}" for status, name in rows if name not in NAMES[5:])

    def evidence(self, name: str) -> str:
        """The trace of the property `name`, up to the next one."""
        return self.out.partition(f"--- {name}\n")[2].partition("\n---")[0].rpartition("again: ")[0]


Run = Callable[[str], Ran]


def started(line: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """The same in a process of its own."""
    command = [sys.executable, "-m", "cprcheck", *shlex.split(line)]
    return subprocess.run(command, check=False, **({"stderr": subprocess.PIPE} | options))


def listing() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.name not in ("lamp.py", "__pycache__"))
