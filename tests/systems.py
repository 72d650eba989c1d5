"""Tiny systems, built by hand, for the tests of passes and engines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from itertools import pairwise
from typing import Any

from cprcheck.domains import Bool, Domain, Range
from cprcheck.expr import TRUE, Expr, Read, conj, equal, less, member, neg, number, plus
from cprcheck.system import Event, Fairness, Fault, Kind, Process, Property, Slot, System, Transition


def digraph(*paths: Iterable[int], fair: bool = True, faults: Iterable[tuple[int, int]] = ()) -> System:
    """One slot whose values are nodes; each path of nodes gives its edges, the first node of each is initial.

    All edges belong to one process without locations, weakly fair unless said otherwise; those in `faults` take one.
    """
    listed = [list(path) for path in paths]
    top = max(max(path) for path in listed)
    domain = Range(0, top)
    edges = dict.fromkeys((a, b) for path in listed for a, b in pairwise(path))
    steps = tuple(
        Transition(
            0,
            f"{a}->{b}",
            at(0, a, domain),
            ((0, number(b)),),
            faults=(Fault(f"{a}->{b}"),) if (a, b) in set(faults) else (),
        )
        for a, b in edges
    )
    starts = tuple(sorted({path[0] for path in listed}))
    walker = Process("walker", Fairness.WEAK if fair else Fairness.NONE)
    return System("digraph", (Slot("node", domain),), (starts,), (walker,), steps)


def at(slot: int, value: int, domain: Domain) -> Expr:
    """The slot holds the code `value`."""
    return member(slot, [value], domain.low, domain.size)


def nodes(system: System, *values: int) -> Expr:
    """A digraph is at one of these nodes."""
    domain = system.slots[0].domain
    return member(0, values, domain.low, domain.size)


def never(system: System, *values: int, name: str = "never") -> Property:
    """The invariant that a digraph is not at one of these nodes."""
    return Property(name, Kind.INVARIANT, (neg(nodes(system, *values)),), family=name)


def with_invariant(system: System, formula: Expr, name: str = "claim") -> System:
    """`system` with one invariant."""
    return system.with_properties((*system.properties, Property(name, Kind.INVARIANT, (formula,), family=name)))


def counter(limit: int, *, guarded: bool, top: int = 3) -> System:
    """`n` counts from 0, and stops at `limit` if it is guarded; its domain is 0..top."""
    domain = Range(0, top)
    guard = less(Read(0), number(limit)) if guarded else TRUE
    inc = Transition(0, "inc", guard, ((0, plus(Read(0), number(1))),))
    return System("counter", (Slot("n", domain),), ((0,),), (Process("inc", Fairness.WEAK),), (inc,))


def token_ring(size: int) -> System:
    """A token that goes round; `holds[i]` is true for one i at a time."""
    slots = tuple(Slot(f"holds[{i}]", Bool) for i in range(size))
    init = tuple(((1,) if i == 0 else (0,)) for i in range(size))
    steps = tuple(
        Transition(
            i,
            "pass",
            member(i, [1], 0, 2),
            tuple(sorted(((i, number(0)), ((i + 1) % size, number(1))), key=lambda pair: pair[0])),
        )
        for i in range(size)
    )
    processes = tuple(Process(f"node {i}", Fairness.WEAK) for i in range(size))
    one = conj(*(neg(conj(member(i, [1], 0, 2), member(j, [1], 0, 2))) for i in range(size) for j in range(i)))
    claim = Property("one token", Kind.INVARIANT, (one,), family="one token")
    return System("ring", slots, init, processes, steps, (claim,))


def emits(system: System, events: Mapping[int, str]) -> System:
    """`system` whose transitions emit the named events."""
    from dataclasses import replace

    steps = tuple(
        replace(t, events=(Event(events[i]),)) if i in events else t for i, t in enumerate(system.transitions)
    )
    return replace(system, transitions=steps)


def same(a: int, b: int) -> Expr:
    """Two slots hold the same number."""
    return equal(Read(a), Read(b))


def renamed(of: Any, names: Mapping[str, str]) -> Any:
    """`of`, a part of a System, with other texts."""
    if isinstance(of, tuple):
        return tuple(renamed(part, names) for part in of)
    if is_dataclass(of) and not isinstance(of, type):
        return replace(of, **{each.name: renamed(getattr(of, each.name), names) for each in fields(of) if each.init})
    return names.get(of, of) if isinstance(of, str) else of
