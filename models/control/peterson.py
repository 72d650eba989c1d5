# SPDX-License-Identifier: Apache-2.0
"""Peterson's mutual exclusion for two processes, a control model.

Asked: is at most one process in its critical section, and does each that wants to enter get there?  Answer:
yes, and yes when both are weakly fair.  It has 42 states, 77 generated, 11 levels (10 steps).  With
`polite=no`, in which a process does not give the turn away, both can be inside.

Stands for: G. L. Peterson, Myths about the mutual exclusion problem, Information Processing Letters 12 (3),
1981.
"""

from __future__ import annotations

from cprcheck import Bool, Model, Range, model


@model
def peterson(polite: bool = True) -> Model:
    """Peterson's algorithm: two processes, one critical section."""
    m = Model()
    m.array("wants", Range(1, 2), Bool, init=False)
    m.var("turn", Range(1, 2), init=1)

    @m.process(i=Range(1, 2))
    def proc(s, i):
        other = 3 - i
        while True:
            yield "elsewhere"
            yield "raise the flag"
            s.wants[i] = True
            yield "give the turn away"
            s.turn = other if polite else i
            yield "wait"
            s.require((s.wants[other] == False) | (s.turn == i))  # noqa: E712
            yield "critical section"
            yield "lower the flag"
            s.wants[i] = False

    def inside(i):
        return m.at(proc(i=i), "critical section", "lower the flag")

    @m.invariant
    def mutual_exclusion(s):
        """At most one process is in its critical section."""
        return not (inside(1) and inside(2))

    @m.leads_to(i=Range(1, 2))
    def enters(s, i):
        """A process that has raised its flag gets into its critical section."""
        return m.at(proc(i=i), "give the turn away"), inside(i)

    @m.reachable(i=Range(1, 2))
    def can_enter(s, i):
        """Each process can be in its critical section."""
        return inside(i)

    return m
