"""Toy designs whose figures are known by hand."""

from __future__ import annotations

import re
import textwrap

from authors import written

from cprcheck.compare.view import View
from cprcheck.engines.explicit import search
from cprcheck.engines.graph import StateGraph, build
from cprcheck.passes.faults import with_faults
from cprcheck.system import System

STATE = """\
m.var("runs", Bool, init=True)
m.var("valid", Bool, init=True)
m.var("done", Bool, init=False)
m.var("tries", Range(0, 3), init=0)
m.var("failed", Bool, init=False)
m.var("broken", Bool, init=False)
old = m.group("old_qemu")
new = m.group("new_qemu", alive=False)

@m.outcome("guest", "lost")
def lost(s):
    return (s.alive(old) == False) & (s.alive(new) == False)
@m.outcome("guest", "runs in the old QEMU")
def old_runs(s):
    return s.alive(old) & s.runs
@m.outcome("guest", "stopped in the old QEMU")
def old_stopped(s):
    return s.alive(old)
@m.outcome("guest", "runs in the new QEMU")
def new_runs(s):
    return s.runs
@m.outcome("guest", "stopped in the new QEMU")
def new_stopped(s):
    return True
@m.outcome("vaddrs", "all valid")
def valid(s):
    return s.valid
@m.outcome("vaddrs", "none valid")
def invalid(s):
    return True
@m.outcome("update", "done")
def done(s):
    return s.done
@m.outcome("update", "failed")
def broken(s):
    return s.broken
@m.outcome("update", "under way")
def under_way(s):
    return True
"""
HEAD = f'from cprcheck import *\nm = Model("toy")\n{STATE}'
INVALIDATE = 'yield "invalidate"\ns.runs = s.valid = False\ns.emit("UNMAP(ALL|V)", container="c0")\n'
RESTORE = 's.valid = True\ns.emit("MAP(V)", container="c0", by="the caller")\n'
START = 'yield "start"\ns.runs = True\n'
FAIL = INVALIDATE + 'yield "save"\nif s.fault("disk full"):\n'


def management(steps: str) -> str:
    """The old QEMU's process that does `steps`."""
    return f"@m.process(group=old)\ndef management(s):\n{textwrap.indent(steps, '    ')}\n"


def recovering(steps: str) -> str:
    """A management that invalidates, and does `steps` when the disk is full."""
    return management(FAIL + textwrap.indent(textwrap.dedent(steps), "    "))


def toy(body: str, **first: str) -> System:
    """The system that `body` describes; `first` gives other initial values to variables of STATE."""
    head = HEAD
    for name, init in first.items():
        head = re.sub(rf'(m.var\("{name}", Bool, init)=\w+', rf"\1={init}", head)
    return written(body, head).system


def graph(system: System, faults: int = 1) -> StateGraph:
    """All states with at most so many faults."""
    return build(search(with_faults(system, faults, injected=False)))


def view(system: System, faults: int = 1) -> View:
    """The same with the outcomes of all states."""
    return View(graph(system, faults))


DESIGN = f'''\
from enum import Enum
from cprcheck import *
from cprcheck.models.vfio.kernel import Era
from cprcheck.models.vfio.topology import Topology

class Env(Enum):
    CONT = 0
    STOP = 1
    AGAIN = 2

@model
def toy(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("p"),
    env: frozenset[Env] = frozenset(),
    careful: bool = False,
) -> Model:
    """A toy that invalidates container by container; careful, it restores when the disk is full."""
    m = Model()
{textwrap.indent(STATE, "    ")}
    m.note(f"a toy of {{kernel.name}}")
    commands = sorted(one.name for one in env if one is not Env.AGAIN)
    command = m.var("command", OneOf("none", *commands), init="none")

    @m.process(group=old)
    def management(s):
        for container in topology.containers:
            yield f"{{container}}: capable?"
            s.emit("CHECK_EXTENSION", container=container)
            if container.emulated and kernel is Era.E4:
                s.emit("refused", by="the kernel")
                return
            yield f"{{container}}: unmap"
            s.emit("UNMAP(ALL|V)", container=container)
            s.runs = s.valid = False
        yield "save"
        if s.fault("disk full"):
            yield "careful?"
            s.emit("test", of="mode")
            if careful:
                yield "restore"
                s.valid = True
                s.emit("MAP(V)", by="the caller")
            return
        yield "exec"
        if s.fault("execvp fails"):
            s.kill(old)
        s.exec(old, new)

    @m.process(group=new)
    def load(s):
        for container in topology.newest_first:
            yield f"{{container}}: map"
            s.emit("MAP(V)", container=container, by="the new QEMU")
        s.valid = s.runs = s.done = True

    if commands:

        @m.action(command=commands, group=old)
        def user(s, command):
            s.require(s.command == "none")
            s.command = command

        @m.process(group=old)
        def monitor(s):
            while True:
                yield idle("execute a command")
                s.require(s.command != "none")
                if s.command == commands[0]:
                    s.emit("test", of="flag")
                    s.runs = True
                else:
                    s.runs = False
                s.command = "none"

    return m
'''
"""A file with a design that can be compared."""
