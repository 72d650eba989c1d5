# SPDX-License-Identifier: Apache-2.0
"""A value never leaves its domain.

A transition whose update might put a slot outside its domain keeps that possibility out of its guard, and the
property `values_in_domain` claims that the possibility never arises.  So all engines see the same relation,
and none of them has to decide what a number outside its domain means.
"""

from __future__ import annotations

from dataclasses import replace

from cprcheck.analysis import allowed_by, bounds, tabulate
from cprcheck.expr import FALSE, Expr, conj, disj, less, neg, number
from cprcheck.passes.conditions import narrowed
from cprcheck.system import Condition, Kind, Property, System, Transition

NAME = "values_in_domain"


def with_domain_obligations(system: System) -> System:
    """`system` with its guards strengthened, and with the property `values_in_domain` if there is any need.

    Doing it twice is the same as doing it once.
    """
    formulas, parts, steps, transitions = [], [], [], []
    for number_, transition in enumerate(system.transitions):
        inside = []
        for slot, value in transition.update:
            leaves = _leaves(system, transition, slot, value)
            if leaves is None or conj(transition.guard, neg(leaves)) == transition.guard:
                continue  # it cannot happen, or is kept out already
            formulas.append(neg(conj(transition.guard, leaves)))
            steps.append(number_)
            who = system.processes[transition.process].name
            domain = system.slots[slot].domain.name
            said = f"would set {system.slots[slot].name} outside {domain}"
            parts.append(f"{who}: {transition.title} {said}")
            inside.append(Condition(neg(leaves), reason=f"it {said}"))
        transitions.append(narrowed(transition, *inside))
    if not formulas:
        return system
    prop = Property(
        NAME, Kind.IN_DOMAIN, tuple(formulas), parts=tuple(parts), steps=tuple(steps), family=NAME, doc=_DOC
    )
    return replace(system, transitions=tuple(transitions), properties=(*system.properties, prop))


_DOC = "No assignment puts a value outside the domain of its variable."


def _leaves(system: System, transition: Transition, slot: int, value: Expr) -> Expr | None:
    """When the update would leave the domain of `slot`, as a formula; None when it cannot."""
    domain = system.slots[slot].domain
    low, high = bounds(value, system.slots, allowed_by(transition.guard))
    if domain.low <= low and high <= domain.high:
        return None
    below, above = less(value, number(domain.low)), less(number(domain.high), value)
    outside = tabulate(disj(below, above), system.slots)
    return None if conj(transition.guard, outside) == FALSE else outside
