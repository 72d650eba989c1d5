# SPDX-License-Identifier: Apache-2.0
"""A System as Python source: a state is one integer, and a step is two bit operations.

Each slot gets a field of bits that holds `code - low`.  A conjunction of sets with one code each is a single
`state & mask == value`; a constant assignment is `state & keep | value`.  For each process there is a table of
functions by its location, so that only the steps which could be taken are looked at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cprcheck.expr import Apply, Const, Expr, In, Op, Read, conj, conjuncts
from cprcheck.system import State, System, Transition

Packed = int


@dataclass(frozen=True)
class Layout:
    """Where each slot lies in a packed state: `offset` in bits, `width` in bits, `low` to add."""

    offset: tuple[int, ...]
    width: tuple[int, ...]
    low: tuple[int, ...]

    @classmethod
    def of(cls, system: System) -> Layout:
        """One field after the other, in the order of the slots."""
        widths = tuple((slot.domain.size - 1).bit_length() for slot in system.slots)
        offsets = tuple(sum(widths[:i]) for i in range(len(widths)))
        return cls(offsets, widths, tuple(slot.domain.low for slot in system.slots))

    def pack(self, state: State) -> Packed:
        """The packed form of `state`."""
        return sum(code - low << offset for code, low, offset in zip(state, self.low, self.offset, strict=True))

    def unpack(self, packed: Packed) -> State:
        """The state of a packed form."""
        return tuple(
            (packed >> offset & (1 << width) - 1) + low
            for offset, width, low in zip(self.offset, self.width, self.low, strict=True)
        )

    def mask(self, slot: int) -> int:
        """The bits of the field of `slot`, in place."""
        return (1 << self.width[slot]) - 1 << self.offset[slot]


@dataclass(frozen=True)
class Compiled:
    """The generated functions over packed states."""

    layout: Layout
    successors: Callable[[Packed], list[tuple[int, Packed]]]
    targets: Callable[[Packed], list[Packed]]


def compile_system(system: System) -> Compiled:
    """The successor functions of `system`, generated.

    `successors` gives (index of a transition, packed state after it), process by process, and in the order of
    the transitions within a process; `targets` gives the same without the indices, and is faster.
    """
    layout = Layout.of(system)
    functions: list[Any] = []
    for named in (True, False):
        source = "\n".join(_successor_lines(system, layout, named))
        namespace: dict[str, Any] = {}
        exec(compile(source, f"<successors of {system.name}>", "exec"), namespace)  # noqa: S102 - our own source
        functions.append(namespace["successors"])
    return Compiled(layout, *functions)


def compile_predicate(node: Expr, layout: Layout) -> Callable[[Packed], bool]:
    """A function that says whether `node` holds in a packed state."""
    namespace: dict[str, Callable[[Packed], bool]] = {}
    source = f"def holds(s):\n    return {condition(node, layout)}\n"
    exec(compile(source, "<predicate>", "exec"), namespace)  # noqa: S102 - our own source
    return namespace["holds"]


def _successor_lines(system: System, layout: Layout, named: bool) -> list[str]:
    """Source: per process a table of functions by location, then `successors`, which calls them."""
    by_place: dict[int, dict[int | None, list[tuple[int, Transition]]]] = defaultdict(lambda: defaultdict(list))
    for index, transition in enumerate(system.transitions):
        for code in _places(system, transition):
            by_place[transition.process][code].append((index, transition))
    lines: list[str] = []
    calls: list[str] = []
    for process, places in by_place.items():
        slot = system.processes[process].location
        for code, steps in places.items():
            lines += [f"def f_{process}_{'any' if code is None else code}(s, add):"]
            lines += _step_lines(steps, layout, None if code is None else slot, named)
        if slot is None:
            calls.append(f"    f_{process}_any(s, add)")
            continue
        domain = system.slots[slot].domain
        names = [f"f_{process}_{code}" if code in places else "None" for code in domain.codes]
        names += ["None"] * ((1 << layout.width[slot]) - domain.size)
        lines.append(f"table_{process} = [{', '.join(names)}]")
        calls.append(f"    f = table_{process}[{_field(slot, layout)}]")
        calls.append("    if f: f(s, add)")
    return [*lines, "def successors(s):", "    out = []", "    add = out.append", *calls, "    return out"]


def _places(system: System, transition: Transition) -> list[int | None]:
    """The locations at which the transition's process has to be; [None] for an action."""
    slot = system.processes[transition.process].location
    if slot is None:
        return [None]
    for part in conjuncts(transition.guard):
        if isinstance(part, In) and part.slot == slot and not part.primed:
            return list(part.codes)
    return list(system.slots[slot].domain.codes)


def _step_lines(steps: list[tuple[int, Transition]], layout: Layout, known: int | None, named: bool) -> list[str]:
    """Source of one function's body; the location in slot `known` needs no test any more."""
    lines = []
    for index, transition in steps:
        parts = (p for p in conjuncts(transition.guard) if not (isinstance(p, In) and p.slot == known))
        guard = condition(conj(*parts), layout)
        after = _after(transition, layout)
        lines.append(f"    if {guard}: add({f'({index}, {after})' if named else after})")
    return lines


def _after(transition: Transition, layout: Layout) -> str:
    """Source of the packed state after the step."""
    clear = value = 0
    moving = []
    for slot, node in transition.update:
        clear |= layout.mask(slot)
        if isinstance(node, Const):
            value |= node.value - layout.low[slot] << layout.offset[slot]
        else:
            low = f" - {layout.low[slot]}" if layout.low[slot] else ""
            moving.append(f"({_number(node, layout)}{low} << {layout.offset[slot]})")
    everything = (1 << sum(layout.width)) - 1
    kept = f"s & {everything ^ clear}" if clear else "s"
    return " | ".join([kept, *([str(value)] if value else []), *moving])


def condition(node: Expr, layout: Layout) -> str:
    """Source of a truth value over the packed state `s`."""
    mask = value = 0
    rest = []
    for part in conjuncts(node):
        if isinstance(part, In) and part.mask.bit_count() == 1:
            mask |= layout.mask(part.slot)
            value |= part.mask.bit_length() - 1 << layout.offset[part.slot]
        elif not (isinstance(part, Const) and part.value):
            rest.append(_truth(part, layout))
    tests = [f"s & {mask} == {value}" if value else f"not s & {mask}"] if mask else []
    return " and ".join([*tests, *rest]) or "True"


def _field(slot: int, layout: Layout) -> str:
    width, offset = layout.width[slot], layout.offset[slot]
    return f"s >> {offset} & {(1 << width) - 1}" if offset else f"s & {(1 << width) - 1}"


def _truth(node: Expr, layout: Layout) -> str:
    match node:
        case Const():
            return str(bool(node.value))
        case In():
            if node.mask.bit_count() == 1:
                return f"({condition(node, layout)})"
            return f"({node.mask} >> ({_field(node.slot, layout)}) & 1)"
        case Apply(op=Op.AND):
            return f"({condition(node, layout)})"
        case Apply(op=Op.OR):
            return "(" + " or ".join(_truth(arg, layout) for arg in node.args) + ")"
        case Apply(op=Op.NOT):
            return f"(not {_truth(node.args[0], layout)})"
        case _:
            return f"bool({_number(node, layout)})"


def _number(node: Expr, layout: Layout) -> str:
    """Source of a number; a truth value as 0 or 1."""
    match node:
        case Const():
            return f"({node.value})"
        case Read():
            low = layout.low[node.slot]
            return f"(({_field(node.slot, layout)}) + {low})" if low else f"({_field(node.slot, layout)})"
        case In() | Apply(op=Op.NOT | Op.AND | Op.OR):
            return f"(1 if {_truth(node, layout)} else 0)"
        case Apply(op=Op.ITE):
            return f"({_chain(node, layout)})"
        case Apply(op=Op.EQ | Op.LT):
            word = "==" if node.op is Op.EQ else "<"
            return f"(1 if {_number(node.args[0], layout)} {word} {_number(node.args[1], layout)} else 0)"
        case Apply(op=Op.ADD):
            return "(" + " + ".join(_number(arg, layout) for arg in node.args) + ")"
        case _:
            return f"({_number(node.args[0], layout)} - {_number(node.args[1], layout)})"


def _chain(node: Expr, layout: Layout) -> str:
    """An `ite` whose else-branches hold further ones, without a bracket for each: Python allows 200."""
    if isinstance(node, Apply) and node.op is Op.ITE:
        test, yes, no = node.args
        return f"{_number(yes, layout)} if {_truth(test, layout)} else {_chain(no, layout)}"
    return _number(node, layout)
