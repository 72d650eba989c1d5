# SPDX-License-Identifier: Apache-2.0
"""Equal locations become one, by bisimulation.

Two locations of a process are the same when every step from the one has a step from the other with the same
label, choices, faults, events, guard and update, to locations that are the same again.  Locations that a
formula tells apart (`m.at`), or another process's step, stay apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from cprcheck.domains import Domain
from cprcheck.expr import Const, Expr, In, Read, conj, conjuncts, is_boolean, member, rebuild, walk
from cprcheck.passes.conditions import joined, rewritten
from cprcheck.system import FIRST, Process, Property, Slot, System, Transition, location_labels

Classes = dict[int, int]
"""For each location of one process, the smallest location that is the same."""


def merge_locations(system: System) -> System:
    """`system` with equal locations merged, the lowest code of each class standing for all of it.

    A merged location keeps all labels, and its steps keep the sources of all.
    """
    before = after = 0
    renumber: dict[int, dict[int, int]] = {}
    slots = list(system.slots)
    for index, process in enumerate(system.processes):
        if process.location is None:
            continue
        old = slots[process.location].domain
        classes = _classes(system, index, process.location)
        keep = sorted(set(classes.values()))
        renumber[process.location] = {code: keep.index(classes[code]) for code in old.codes}
        values = tuple(_name(old, [code for code in old.codes if classes[code] == kept]) for kept in keep)
        slots[process.location] = replace(slots[process.location], domain=Domain(old.name, "name", values))
        before, after = before + old.size - FIRST, after + len(keep) - FIRST
    merged = _rewrite(system, tuple(slots), renumber)
    return replace(merged, merging=f"equal locations merged by bisimulation: {after} of {before} left")


def _name(domain: Domain, codes: list[int]) -> str:
    """What a merged location is called: by its label, by all of them if they differ."""
    names = [domain.show(code) for code in codes]
    known = location_labels(names[0])
    others = dict.fromkeys(label for name in names[1:] for label in location_labels(name) if label not in known)
    return " | ".join([names[0], *others])


def _classes(system: System, process: int, slot: int) -> Classes:
    """The coarsest partition that no step and no observer can tell from the finest."""
    domain = system.slots[slot].domain
    idle = system.processes[process].idle
    observed = [] if (masks := _observers(system, process, slot)) is None else masks
    codes = list(domain.codes)
    if masks is None:
        return {code: code for code in codes}
    block: dict[int, object] = {
        code: (code if code < FIRST else FIRST, code in idle, tuple(mask >> code & 1 for mask in observed))
        for code in codes
    }
    steps = _steps(system, process, slot)
    count = 0
    while len(set(block.values())) != count:
        count = len(set(block.values()))
        names = {old: number for number, old in enumerate(dict.fromkeys(block[code] for code in codes))}
        block = {
            code: (names[block[code]], frozenset((what, names[block[to]]) for what, to in steps[code]))
            for code in codes
        }
    first: dict[object, int] = {}
    return {code: first.setdefault(block[code], code) for code in codes}


def _observers(system: System, process: int, slot: int) -> list[int] | None:
    """The sets of locations that somebody asks about; None when the location is used as a number."""
    masks: dict[int, None] = {}
    for node in _foreign(system, process, slot):
        for at in walk(node):
            if isinstance(at, Read) and at.slot == slot:
                return None
            if isinstance(at, In) and at.slot == slot:
                masks[at.mask] = None
    return list(masks)


def _foreign(system: System, process: int, slot: int) -> Iterator[Expr]:
    """Every formula and value but the location test and the move that are the process's own."""
    for prop in system.properties:
        yield from prop.formulas
    for _, formula in system.severities:
        yield formula
    for outcome in system.outcomes:
        yield outcome.formula
    yield system.assume
    for transition in system.transitions:
        own = transition.process == process
        yield from (part for part in conjuncts(transition.guard) if not (own and _is_location(part, slot)))
        for target, value in transition.update:
            if target != slot or not isinstance(value, Const):
                yield value if target != slot else Read(slot)


def _is_location(part: Expr, slot: int) -> bool:
    return isinstance(part, In) and part.slot == slot and not part.primed


def _steps(system: System, process: int, slot: int) -> dict[int, set[tuple[object, int]]]:
    """For each location, what its steps do and where they go."""
    steps: dict[int, set[tuple[object, int]]] = defaultdict(set)
    for t in system.transitions:
        if t.process != process:
            continue
        parts = conjuncts(t.guard)
        rest = conj(*(part for part in parts if not _is_location(part, slot)))
        update = tuple(pair for pair in t.update if pair[0] != slot)
        target = dict(t.update).get(slot)
        what = (t.label, t.choices, t.faults, t.events, rest, update)
        here = next((part for part in parts if isinstance(part, In) and part.slot == slot), None)
        for code in here.codes if here else system.slots[slot].domain.codes:
            steps[code].add((what, target.value if isinstance(target, Const) else code))
    return steps


def _rewrite(system: System, slots: tuple[Slot, ...], renumber: dict[int, dict[int, int]]) -> System:
    """`system` over the new location codes; steps that have become the same are one step."""

    def leaf(at: Read | In) -> Expr:
        if isinstance(at, Read) or at.slot not in renumber:
            return at
        codes = {renumber[at.slot][code] for code in at.codes}
        return member(at.slot, codes, 0, slots[at.slot].domain.size, primed=at.primed)

    @lru_cache(maxsize=1 << 16)
    def put(node: Expr) -> Expr:
        return rebuild(node, leaf)

    def move(slot: int, value: Expr) -> tuple[int, Expr]:
        if slot in renumber and isinstance(value, Const) and not is_boolean(value):
            return slot, Const(renumber[slot][value.value])
        return slot, put(value)

    def process(p: Process) -> Process:
        if p.location is None:
            return p
        return replace(p, idle=frozenset(renumber[p.location][code] for code in p.idle))

    def prop(p: Property) -> Property:
        return replace(p, formulas=tuple(map(put, p.formulas)), conditions=rewritten(p.conditions, put))

    steps: dict[Transition, Transition] = {}
    for t in system.transitions:
        new = replace(
            t,
            guard=put(t.guard),
            update=tuple(move(slot, value) for slot, value in t.update),
            conditions=rewritten(t.conditions, put),
        )
        steps[new] = _join(steps[new], new) if new in steps else new
    return replace(
        system,
        slots=slots,
        init=tuple(
            tuple(renumber[i][code] for code in codes) if i in renumber else codes
            for i, codes in enumerate(system.init)
        ),
        assume=put(system.assume),
        processes=tuple(map(process, system.processes)),
        transitions=tuple(steps.values()),
        properties=tuple(map(prop, system.properties)),
        severities=tuple((name, put(formula)) for name, formula in system.severities),
        outcomes=tuple(replace(outcome, formula=put(outcome.formula)) for outcome in system.outcomes),
    )


def _join(a: Transition, b: Transition) -> Transition:
    functions = tuple(dict.fromkeys((*a.functions, *b.functions)))
    sources = tuple(dict.fromkeys((*a.sources, *b.sources)))
    return replace(a, functions=functions, sources=sources, conditions=joined(*a.conditions, *b.conditions))
