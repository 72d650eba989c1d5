# SPDX-License-Identifier: Apache-2.0
"""How many faults may happen: none, any finite number, or at most N."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cprcheck.domains import Range
from cprcheck.expr import TRUE, Expr, Read, disj, member, neg, number, plus
from cprcheck.passes.conditions import narrowed
from cprcheck.system import Condition, Kind, Property, Slot, System, Transition

SLOT = "faults_taken"
MAX_FAULTS = 1_000


def budget(text: str) -> int | None:
    """The fault budget that `text` means: none, finite (None: any finite number), or a number.

    Raises ValueError, with what to write instead, when it means nothing.
    """
    if text == "finite":
        return None
    if text == "none":
        return 0
    if not text.isdecimal():
        raise ValueError("write none, finite or a number")
    if len(text) > 9 or int(text) > MAX_FAULTS:  # Python reads no number of more than 4300 digits
        raise ValueError(f"at most {MAX_FAULTS} can be counted; write finite for any number")
    return int(text)


def with_faults(system: System, budget: int | None, *, injected: bool) -> System:
    """`system` in which at most `budget` faults are taken; None stands for any finite number.

    Injected faults, which the real kernel cannot produce, are removed unless `injected`.  A budget of one
    or more adds a slot that counts; a step that takes two faults counts two.
    Raises ValueError for a negative budget.
    """
    if budget is not None and budget < 0:
        raise ValueError(f"a fault budget cannot be negative: {budget}")
    possible = [i for i, t in enumerate(system.transitions) if _possible(t, budget, injected)]
    kept = tuple(system.transitions[i] for i in possible)
    scope = (*system.scope, _say(budget, injected))
    properties = tuple(p for prop in system.properties for p in _about(prop, possible))
    origin = system.origin and replace(system.origin, faults=_word(budget), injected=injected)
    system = replace(system, transitions=kept, properties=properties, scope=scope, origin=origin)
    if not budget or not any(t.faults for t in kept):
        return system
    slot, domain = len(system.slots), Range(0, budget)
    taken = any(other.name == SLOT for other in system.slots)
    rooms = [_room(t, slot, budget) if t.faults else TRUE for t in kept]
    counted = tuple(_count(t, slot, budget) if t.faults else t for t in kept)
    return replace(
        system,
        slots=(*system.slots, Slot(f"@{SLOT}" if taken else SLOT, domain, "budget")),
        init=(*system.init, (0,)),
        transitions=counted,
        properties=tuple(_within(prop, rooms) for prop in system.properties),
    )


def _possible(transition: Transition, budget: int | None, injected: bool) -> bool:
    if any(fault.injected for fault in transition.faults) and not injected:
        return False
    return budget is None or len(transition.faults) <= budget


def _about(prop: Property, possible: list[int]) -> Iterator[Property]:
    """`prop`, when it is about single transitions only of those that are possible; nothing when none is left."""
    if prop.kind is not Kind.IN_DOMAIN or not prop.steps:
        yield prop
        return
    new = {old: at for at, old in enumerate(possible)}
    left = [(f, part, new[s]) for f, part, s in zip(prop.formulas, prop.parts, prop.steps, strict=True) if s in new]
    if left:
        formulas, parts, steps = zip(*left, strict=True)
        yield replace(prop, formulas=formulas, parts=parts, steps=steps)


def _within(prop: Property, rooms: list[Expr]) -> Property:
    """`prop`, where it is about single transitions, only while there is room for their faults."""
    if not prop.steps:
        return prop
    pairs = zip(prop.formulas, prop.steps, strict=True)
    return replace(prop, formulas=tuple(disj(formula, neg(rooms[step])) for formula, step in pairs))


def _room(transition: Transition, slot: int, budget: int) -> Expr:
    return member(slot, range(budget - len(transition.faults) + 1), 0, budget + 1)


def _count(transition: Transition, slot: int, budget: int) -> Transition:
    taken = len(transition.faults)
    room = Condition(_room(transition, slot, budget), reason="the fault budget is spent")
    update = (*transition.update, (slot, plus(Read(slot), number(taken))))
    return replace(narrowed(transition, room), update=update)


def _word(budget: int | None) -> str:
    """A budget as the command line takes it."""
    return "finite" if budget is None else str(budget or "none")


def _say(budget: int | None, injected: bool) -> str:
    many = (
        "any finite number of faults" if budget is None else "no faults" if budget == 0 else f"at most {budget} fault"
    )
    plural = "s" if budget is not None and budget > 1 else ""
    return f"{many}{plural}, injected ones {'included' if injected else 'excluded'}"
