# SPDX-License-Identifier: Apache-2.0
"""Localisation: a System over some of its slots, with more behaviour than the whole.

What a guard says about a dropped slot is taken to hold; a kept slot that is set from a dropped one may get any
value that it could.  So each run of the whole, seen through the kept slots, is a run of the projection, and
what the projection cannot reach the whole cannot reach either.  (R. P. Kurshan, Computer-Aided Verification of
Coordinating Processes, 1994.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from cprcheck.analysis import allowed_by, bounds
from cprcheck.expr import (
    TRUE,
    Apply,
    Const,
    Expr,
    In,
    Op,
    Read,
    conj,
    disj,
    is_boolean,
    neg,
    number,
    reads,
    rebuild,
    truth,
)
from cprcheck.lanes import Drawing
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.system import System, Transition


@dataclass(frozen=True)
class Projection:
    """A projected System.

    `kept[i]` is the slot of the whole that slot i stands for; `origin[j]` is the transition of the whole that
    transition j comes from.
    """

    system: System
    kept: tuple[int, ...]
    origin: tuple[int, ...]


def project(system: System, keep: frozenset[int]) -> Projection:
    """`system` seen through the slots `keep`.  It has no properties, no locations and no fairness."""
    kept = tuple(sorted(keep))
    index = {slot: i for i, slot in enumerate(kept)}
    transitions, origin = [], []
    for number_, transition in enumerate(system.transitions):
        for projected in _project(system, transition, index):
            transitions.append(projected)
            origin.append(number_)
    small = replace(
        system,
        slots=tuple(system.slots[i] for i in kept),
        init=tuple(system.init[i] for i in kept),
        assume=weaken(system.assume, index),
        processes=tuple(replace(p, location=None) for p in system.processes),
        transitions=tuple(transitions),
        properties=(),
        severities=(),
        outcomes=(),
        collected=(),
        drawing=Drawing(),
    )
    # What kept a value inside its domain may have been a condition on a dropped slot.
    inside = with_domain_obligations(small).with_properties(())
    return Projection(inside, kept, tuple(origin))


def _project(system: System, transition: Transition, index: Mapping[int, int]) -> Iterator[Transition]:
    """`transition` over the kept slots: one for each combination of values that dropped slots may cause."""
    targets = [slot for slot, _ in transition.update if slot in index]
    if not targets:
        return  # it changes nothing that is kept: staying put adds no state
    guard = weaken(transition.guard, index)
    ways = [
        list(_outcomes(system, transition, slot, value, index)) for slot, value in transition.update if slot in index
    ]
    for combination in product(*ways):
        condition = conj(guard, *(test for test, _ in combination))
        update = tuple((index[slot], value) for slot, (_, value) in zip(targets, combination, strict=True))
        if condition != truth(False):
            yield replace(transition, guard=condition, update=update, conditions=())


def _outcomes(
    system: System, transition: Transition, slot: int, value: Expr, index: Mapping[int, int]
) -> Iterator[tuple[Expr, Expr]]:
    """(condition, value) pairs over the kept slots that cover what `value` can be."""
    if reads(value) <= index.keys():
        yield TRUE, renumber(value, index)
    elif isinstance(value, Apply) and value.op is Op.ITE:
        test, yes, no = value.args
        for branch, condition in ((yes, test), (no, neg(test))):
            for more, outcome in _outcomes(system, transition, slot, branch, index):
                yield conj(weaken(condition, index), more), outcome
    elif is_boolean(value):
        yield weaken(value, index), truth(True)
        yield weaken(neg(value), index), truth(False)
    else:
        domain = system.slots[slot].domain
        low, high = bounds(value, system.slots, allowed_by(transition.guard))
        for code in range(max(low, domain.low), min(high, domain.high) + 1):
            yield TRUE, number(code)


def weaken(node: Expr, index: Mapping[int, int]) -> Expr:
    """The truth value `node` over the kept slots; whatever depends on a dropped one is taken to hold."""
    if reads(node) <= index.keys():
        return renumber(node, index)
    match node:
        case Apply(op=Op.AND):
            return conj(*(weaken(arg, index) for arg in node.args))
        case Apply(op=Op.OR):
            return disj(*(weaken(arg, index) for arg in node.args))
        case Apply(op=Op.ITE, args=(test, yes, no)):
            return disj(
                conj(weaken(test, index), weaken(yes, index)), conj(weaken(neg(test), index), weaken(no, index))
            )
    return TRUE


def renumber(node: Expr, index: Mapping[int, int]) -> Expr:
    """`node` with slot i written as `index[i]`."""

    def leaf(at: Read | In) -> Expr:
        if isinstance(at, Read):
            return Read(index[at.slot], at.primed)
        return In(index[at.slot], at.mask, at.low, at.size, at.primed)

    return node if isinstance(node, Const) else rebuild(node, leaf)
