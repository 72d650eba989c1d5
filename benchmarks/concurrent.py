# SPDX-License-Identifier: Apache-2.0
"""The concurrent invalidate and restore, a benchmark with known counts.

N containers with R mappings each are invalidated by handlers that interleave freely, D other objects are saved,
and on any failure everything is restored (`safe=yes`) or nothing is (`safe=no`).  Whether a container is
capable is free initially. Spin, rumur, TLC, NuSMV and Storm found the same numbers of states on the same
protocol: with two mappings and two objects, safe, 27, 165, 1 287, 10 773, 92 127 for one to five containers.
"""

from __future__ import annotations

from enum import Enum

from cprcheck import Bool, Model, Range, any_of, every, implies, model, some


class Manager(Enum):
    """The manager's phase."""

    RUN = 0
    INVAL = 1
    PRE = 2
    EXEC = 3
    REST = 4
    UNW = 5
    RESUME = 6


class Handler(Enum):
    """A container's handler."""

    IDLE = 0
    CHECK = 1
    INVING = 2
    OK = 3
    FAILED = 4
    RESTORING = 5
    RESTORED = 6


@model
def concurrent(containers: int = 3, mappings: int = 2, objects: int = 2, safe: bool = True) -> Model:
    """Handlers that invalidate and restore side by side."""
    m = Model()
    everyone, ranges = Range(0, containers - 1), Range(0, mappings - 1)
    m.var("m", Manager, init=Manager.RUN)
    m.var("run", Bool, init=True)
    m.var("d", Range(0, max(objects - 1, 1)), init=0)
    m.array("cap", everyone, Bool, init=any_of(False, True))
    m.array("h", everyone, Handler, init=Handler.IDLE)
    m.array("k", everyone, Range(0, max(mappings - 1, 1)), init=0)
    m.array("flag", everyone, Bool, init=False)
    m.array("inv", (everyone, ranges), Bool, init=False)

    def all_handlers(s, phase):
        for i in everyone.values:
            s.h[i] = phase
            s.k[i] = 0

    def fail(s):
        s.d = 0
        if safe:
            s.m = Manager.UNW
            all_handlers(s, Handler.RESTORING)
        else:
            s.m = Manager.RESUME

    @m.action
    def stop(s):
        s.require(s.m == Manager.RUN)
        s.m = Manager.INVAL
        s.run = False
        all_handlers(s, Handler.CHECK)

    @m.action(i=everyone)
    def check_ok(s, i):
        s.require(s.m == Manager.INVAL, s.h[i] == Handler.CHECK, s.cap[i])
        s.h[i] = Handler.INVING

    @m.action(i=everyone)
    def check_fail(s, i):
        s.require(s.m == Manager.INVAL, s.h[i] == Handler.CHECK, s.cap[i] == False)  # noqa: E712
        s.h[i] = Handler.FAILED

    @m.action(i=everyone, r=ranges)
    def inv_ok(s, i, r):
        s.require(s.m == Manager.INVAL, s.h[i] == Handler.INVING, s.k[i] == r)
        s.inv[i, r] = True
        if r < mappings - 1:
            s.k[i] = r + 1
        else:
            s.h[i] = Handler.OK
            s.k[i] = 0
            s.flag[i] = True

    @m.action(i=everyone)
    def inv_fail(s, i):
        s.require(s.m == Manager.INVAL, s.h[i] == Handler.INVING)
        s.h[i] = Handler.FAILED
        s.k[i] = 0

    @m.action
    def gather_ok(s):
        s.require(s.m == Manager.INVAL, every(h == Handler.OK for h in s.h))
        s.m = Manager.PRE
        s.d = 0

    @m.action
    def gather_fail(s):
        s.require(s.m == Manager.INVAL, every(h in (Handler.OK, Handler.FAILED) for h in s.h))
        s.require(some(h == Handler.FAILED for h in s.h))
        fail(s)

    @m.action(d=Range(0, objects - 1))
    def pre_ok(s, d):
        s.require(s.m == Manager.PRE, s.d == d)
        if d < objects - 1:
            s.d = d + 1
        else:
            s.m = Manager.EXEC
            s.d = 0

    @m.action(d=Range(0, objects - 1))
    def pre_fail(s, d):
        s.require(s.m == Manager.PRE, s.d == d)
        fail(s)

    @m.action
    def exec_ok(s):
        s.require(s.m == Manager.EXEC)
        s.m = Manager.REST
        all_handlers(s, Handler.RESTORING)

    @m.action
    def exec_fail(s):
        s.require(s.m == Manager.EXEC)
        fail(s)

    @m.action(i=everyone, r=ranges)
    def restore(s, i, r):
        s.require(s.m in (Manager.REST, Manager.UNW), s.h[i] == Handler.RESTORING, s.k[i] == r)
        s.inv[i, r] = False
        if r < mappings - 1:
            s.k[i] = r + 1
        else:
            s.h[i] = Handler.RESTORED
            s.k[i] = 0
            s.flag[i] = False

    @m.action
    def gather_rest(s):
        s.require(s.m in (Manager.REST, Manager.UNW), every(h == Handler.RESTORED for h in s.h))
        s.m = Manager.RESUME

    @m.action
    def resume(s):
        s.require(s.m == Manager.RESUME)
        s.m = Manager.RUN
        s.run = True
        for i in everyone.values:
            s.h[i] = Handler.IDLE

    @m.invariant
    def runs_only_with_valid_vaddrs(s):
        """The VM does not run while a mapping is invalid."""
        return implies(s.run, every(inv == False for inv in s.inv))  # noqa: E712

    return m
