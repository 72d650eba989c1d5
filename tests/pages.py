"""A report in which everything that a model can say is an attack, for the tests of the HTML page."""

from __future__ import annotations

from systems import nodes

from cprcheck.checking import check
from cprcheck.domains import OneOf
from cprcheck.errors import Source
from cprcheck.expr import number
from cprcheck.system import Event, Fault, Kind, Process, Property, Slot, System, Transition
from cprcheck.verdict import Report

HOSTILE = "</script><script>alert(1)</script><!--\u2028\u2029\"'&lt;]]>{{ 7 * 7 }}<img src=x onerror=alert(1)>"


def evil(what: str) -> str:
    """A name of something."""
    return f"{what} {HOSTILE}"


def hostile() -> Report:
    """A slot that goes from a to b, and must not."""
    domain = OneOf(evil("a"), evil("b"))
    bad = Transition(
        0,
        evil("label"),
        guard=nodes(System("", (Slot("", domain),), ((0,),), (), ()), 0),
        update=((0, number(1)),),
        choices=((evil("question"), evil("answer")),),
        faults=(Fault(evil("fault")),),
        events=(Event(evil("event"), ((evil("key"), evil("value")),)),),
        functions=(evil("function"),),
        sources=(Source(evil("file"), 1),),
    )
    slots = (Slot(evil("slot"), domain),)
    plain = System(evil("system"), slots, ((0,),), (Process(evil("process")),), (bad,))
    claim = Property(
        evil("name"), Kind.INVARIANT, (nodes(plain, 0),), family=evil("family"), doc=evil("doc"), source=Source("f", 1)
    )
    return check(
        System(
            plain.name,
            slots,
            plain.init,
            plain.processes,
            plain.transitions,
            (claim,),
            severities=((evil("severity"), nodes(plain, 1)),),
            params=((evil("param"), evil("setting")),),
            scope=(evil("scope"),),
            merging=evil("merging"),
        )
    )
