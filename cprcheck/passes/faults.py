# SPDX-License-Identifier: Apache-2.0
"""How many faults may happen: none, any finite number, or at most N."""

from __future__ import annotations

from dataclasses import replace

from cprcheck.domains import Range
from cprcheck.expr import Read, conj, member, number, plus
from cprcheck.system import Slot, System, Transition

SLOT = "faults_taken"


def with_faults(system: System, budget: int | None, *, injected: bool) -> System:
    """`system` in which at most `budget` faults are taken; None stands for any finite number.

    Injected faults, which the real kernel cannot produce, are removed unless `injected`.  A budget of one
    or more adds a slot that counts; a step that takes two faults counts two.
    Raises ValueError for a negative budget.
    """
    if budget is not None and budget < 0:
        raise ValueError(f"a fault budget cannot be negative: {budget}")
    kept = tuple(t for t in system.transitions if _possible(t, budget, injected))
    scope = (*system.scope, _say(budget, injected))
    system = replace(system, transitions=kept, scope=scope)
    if not budget or not any(t.faults for t in kept):
        return system
    slot, domain = len(system.slots), Range(0, budget)
    taken = any(other.name == SLOT for other in system.slots)
    counted = tuple(_count(t, slot, budget) if t.faults else t for t in kept)
    return replace(
        system,
        slots=(*system.slots, Slot(f"@{SLOT}" if taken else SLOT, domain, "budget")),
        init=(*system.init, (0,)),
        transitions=counted,
    )


def _possible(transition: Transition, budget: int | None, injected: bool) -> bool:
    if any(fault.injected for fault in transition.faults) and not injected:
        return False
    return budget is None or len(transition.faults) <= budget


def _count(transition: Transition, slot: int, budget: int) -> Transition:
    taken = len(transition.faults)
    room = member(slot, range(budget - taken + 1), 0, budget + 1)
    update = (*transition.update, (slot, plus(Read(slot), number(taken))))
    return replace(transition, guard=conj(transition.guard, room), update=update)


def _say(budget: int | None, injected: bool) -> str:
    many = (
        "any finite number of faults" if budget is None else "no faults" if budget == 0 else f"at most {budget} fault"
    )
    plural = "s" if budget is not None and budget > 1 else ""
    return f"{many}{plural}, injected ones {'included' if injected else 'excluded'}"
