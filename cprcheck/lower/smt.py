# SPDX-License-Identifier: Apache-2.0
"""A System as z3 formulas over Booleans and small bit-vectors.

A slot becomes a Boolean when its domain is Bool, else a bit-vector that holds `code - low` in as few bits as
will do.  Arithmetic is done in as many bits as its result needs, so nothing wraps.  One step is one formula:
a selector says which transition is taken, and each slot's next value is chosen by it.  A state without a
transition has no successor; nothing is made total behind the reader's back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import z3

from cprcheck.analysis import bounds
from cprcheck.expr import Apply, Const, Expr, In, Op, Read, is_boolean
from cprcheck.names import ODD
from cprcheck.system import State, System, Transition

Term = Any
"""A z3 expression: z3 has no types of its own to check against."""
_UNSPEAKABLE = re.compile(r"[\\|]|" + ODD)
"""What SMT-LIB has no way to write in a name, and what z3 would end it at: for NUL, all that follows is lost."""


@dataclass
class Frame:
    """The slots at one moment of a run, as z3 variables, or as terms over those of an earlier one."""

    name: str
    slots: tuple[Term, ...]
    memo: dict[Expr, Term] = field(default_factory=dict)


class Encoding:
    """The formulas of one System."""

    def __init__(self, system: System, context: z3.Context | None = None) -> None:
        self.system = system
        self.context = context
        self.width = [max(1, (slot.domain.size - 1).bit_length()) for slot in system.slots]
        self.names = _distinct([_UNSPEAKABLE.sub("?", slot.name) for slot in system.slots])
        self.selector = _unlike(self.names, "step")
        self.selector_width = max(1, (len(system.transitions) - 1).bit_length())

    def frame(self, name: str) -> Frame:
        """Fresh variables for the state called `name`."""
        variables = []
        for index, slot in enumerate(self.system.slots):
            label = f"{self.names[index]}@{name}"
            if slot.domain.kind == "bool":
                variables.append(z3.Bool(label, self.context))
            else:
                variables.append(z3.BitVec(label, self.width[index], self.context))
        return Frame(name, tuple(variables))

    # ---- formulas -------------------------------------------------------------------------------------------

    def domain(self, frame: Frame) -> Term:
        """Every slot of `frame` holds a code of its domain."""
        parts = []
        for index, slot in enumerate(self.system.slots):
            if slot.domain.kind != "bool" and slot.domain.size < 1 << self.width[index]:
                parts.append(z3.ULE(frame.slots[index], slot.domain.size - 1))
        return self.conj(parts)

    def init(self, frame: Frame) -> Term:
        """`frame` is an initial state."""
        system = self.system
        parts = [
            self.member(frame.slots[i], {code - system.slots[i].domain.low for code in codes}, slot.domain.size)
            for i, (slot, codes) in enumerate(zip(system.slots, system.init, strict=True))
        ]
        return self.conj([self.domain(frame), *parts, self.formula(system.assume, frame)])

    def formula(self, node: Expr, frame: Frame, after: Frame | None = None) -> Term:
        """The truth value `node` in `frame`; primed slots are read in `after`."""
        return _Reader(self, frame, after).truth(node)

    def step(self, frame: Frame, after: Frame) -> tuple[Term, Term]:
        """(the formula that `after` follows `frame` by one transition, the selector that tells which)."""
        selector = z3.BitVec(f"{self.selector}@{frame.name}", self.selector_width, self.context)
        taken = [selector == i for i in range(len(self.system.transitions))]
        parts = [self._in_range(selector)]
        writers: dict[int, list[tuple[Term, Expr]]] = defaultdict(list)
        for i, transition in enumerate(self.system.transitions):
            parts.append(z3.Implies(taken[i], self.formula(transition.guard, frame)))
            for slot, value in transition.update:
                writers[slot].append((taken[i], value))
        for slot, variable in enumerate(after.slots):
            parts.append(variable == self._next(slot, frame, writers[slot]))
        return self.conj(parts), selector

    def after(self, transition: Transition, frame: Frame) -> Frame:
        """The state after `transition`, as terms over the variables of `frame`.

        Only to be used beside the guard of `transition`: a value that leaves its domain is cut off.
        """
        slots = list(frame.slots)
        for slot, value in transition.update:
            slots[slot] = self._code(slot, value, frame)
        return Frame(f"after {frame.name}", tuple(slots))

    def _in_range(self, selector: Term) -> Term:
        count = len(self.system.transitions)
        if count == 0:
            return z3.BoolVal(False, self.context)
        return z3.ULE(selector, count - 1) if count < 1 << self.selector_width else self.conj([])

    def _next(self, slot: int, frame: Frame, writers: list[tuple[Term, Expr]]) -> Term:
        """The value of `slot` after the step; writers of the same value share one test."""
        by_value: dict[Expr, list[Term]] = defaultdict(list)
        for taken, value in writers:
            by_value[value].append(taken)
        result = frame.slots[slot]
        for value, tests in by_value.items():
            result = z3.If(self.disj(tests), self._code(slot, value, frame), result)
        return result

    def _code(self, slot: int, value: Expr, frame: Frame) -> Term:
        """`value` as the variable of `slot` holds it."""
        domain, width = self.system.slots[slot].domain, self.width[slot]
        if domain.kind == "bool":
            if isinstance(value, Const):
                return z3.BoolVal(bool(value.value), self.context)
            return frame.slots[value.slot] if isinstance(value, Read) else self.formula(value, frame)
        if isinstance(value, Const):
            return z3.BitVecVal(value.value - domain.low, width, self.context)
        low, high = bounds(value, self.system.slots, {})
        bits = max(width, _bits(min(low, domain.low), max(high, domain.high)) + 1)
        number = _Reader(self, frame).number(value, bits) - domain.low
        return z3.Extract(width - 1, 0, number) if bits > width else number

    def member(self, variable: Term, values: set[int], size: int) -> Term:
        """`variable` is one of `values`; written with as few ranges as possible.

        Only to be used beside `domain`: of a variable that holds `size` or more, it says nothing sensible.
        """
        if not values:
            return self.disj([])
        if z3.is_bool(variable):
            if len(values) == 2:
                return self.conj([])
            return variable if values == {1} else z3.Not(variable)
        inside, outside = _runs(values), _runs(set(range(size)) - values)
        if len(inside) <= len(outside):
            return self.disj(_between(variable, low, high, size) for low, high in inside)
        return z3.Not(self.disj(_between(variable, low, high, size) for low, high in outside))

    def conj(self, parts: Iterable[Term]) -> Term:
        """All of `parts`."""
        listed = list(parts)
        if len(listed) == 1:
            return listed[0]
        return z3.And(*listed) if listed else z3.BoolVal(True, self.context)

    def disj(self, parts: Iterable[Term]) -> Term:
        """One or more of `parts`."""
        listed = list(parts)
        if len(listed) == 1:
            return listed[0]
        return z3.Or(*listed) if listed else z3.BoolVal(False, self.context)

    # ---- models ---------------------------------------------------------------------------------------------

    def state(self, model: z3.ModelRef, frame: Frame) -> State:
        """The state that `model` gives to `frame`."""
        codes = []
        for slot, variable in zip(self.system.slots, frame.slots, strict=True):
            value = model.eval(variable, model_completion=True)
            code = int(z3.is_true(value)) if z3.is_bool(value) else value.as_long()
            codes.append(code + slot.domain.low)
        return tuple(codes)


class _Reader:
    """One expression tree read in one frame, or in two for primed slots."""

    def __init__(self, encoding: Encoding, frame: Frame, after: Frame | None = None) -> None:
        self.encoding, self.frame, self.after = encoding, frame, after
        self.context = encoding.context
        self.slots = encoding.system.slots
        self.memo = frame.memo if after is None else {}

    def variable(self, node: Read | In) -> Term:
        """The variable that `node` reads."""
        frame = self.after if node.primed and self.after is not None else self.frame
        return frame.slots[node.slot]

    def truth(self, node: Expr) -> Term:
        """The truth value `node`; each different node is built once."""
        if node not in self.memo:
            self.memo[node] = self.truth_anew(node)
        return self.memo[node]

    def truth_anew(self, node: Expr) -> Term:
        """The truth value `node`, built."""
        match node:
            case Const():
                return z3.BoolVal(bool(node.value), self.context)
            case Read():
                return self.variable(node)
            case In():
                codes = {code - node.low for code in node.codes}
                return self.encoding.member(self.variable(node), codes, node.size)
            case Apply(op=Op.NOT):
                return z3.Not(self.truth(node.args[0]))
            case Apply(op=Op.AND):
                return self.encoding.conj(map(self.truth, node.args))
            case Apply(op=Op.OR):
                return self.encoding.disj(map(self.truth, node.args))
            case Apply(op=Op.ITE):
                return z3.If(*map(self.truth, node.args))
        if any(map(is_boolean, node.args)):
            left, right = map(self.truth, node.args)
            return left == right
        ranges = [bounds(arg, self.slots, {}) for arg in node.args]
        bits = _bits(min(low for low, _ in ranges), max(high for _, high in ranges))
        left, right = (self.number(arg, bits) for arg in node.args)
        return left == right if node.op is Op.EQ else left < right

    def number(self, node: Expr, bits: int) -> Term:
        """`node` as a signed bit-vector of `bits` bits, which must be enough for its value."""
        match node:
            case Const():
                return z3.BitVecVal(node.value, bits, self.context)
            case Read() if self.slots[node.slot].domain.kind != "bool":
                width, low = self.encoding.width[node.slot], self.slots[node.slot].domain.low
                return _resize(self.variable(node), width, bits) + low
            case Apply(op=Op.ITE, args=(condition, yes, no)):
                return z3.If(self.truth(condition), self.number(yes, bits), self.number(no, bits))
            case Apply(op=Op.ADD):
                return sum((self.number(arg, bits) for arg in node.args[1:]), self.number(node.args[0], bits))
            case Apply(op=Op.SUB):
                return self.number(node.args[0], bits) - self.number(node.args[1], bits)
        one, zero = (z3.BitVecVal(value, bits, self.context) for value in (1, 0))
        return z3.If(self.truth(node), one, zero)


def _between(variable: Term, low: int, high: int, size: int) -> Term:
    if low == high:
        return variable == low
    if low == 0:
        return z3.ULE(variable, high)
    return z3.UGE(variable, low) if high == size - 1 else z3.And(z3.UGE(variable, low), z3.ULE(variable, high))


def _runs(values: set[int]) -> list[tuple[int, int]]:
    """`values` as maximal runs of neighbours."""
    runs: list[tuple[int, int]] = []
    for value in sorted(values):
        if runs and runs[-1][1] == value - 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    return runs


def _bits(low: int, high: int) -> int:
    """How many bits a signed number from `low` to `high` needs."""
    return max(low.bit_length() if low >= 0 else (-low - 1).bit_length(), high.bit_length()) + 1


def _resize(variable: Term, width: int, bits: int) -> Term:
    """An unsigned field as a signed number of `bits` bits."""
    if bits > width:
        return z3.ZeroExt(bits - width, variable)
    return variable if bits == width else z3.Extract(bits - 1, 0, variable)


def _distinct(names: Sequence[str]) -> list[str]:
    """`names`, those that occur again with a number: to z3 variables of one name are one variable."""
    found: dict[str, None] = {}
    for name in names:
        found[_unlike(found, name)] = None
    return list(found)


def _unlike(taken: Container[str], name: str) -> str:
    """`name`, with the first number behind it that makes it unlike all that are `taken`."""
    return name if name not in taken else next(made for i in count(2) if (made := f"{name} {i}") not in taken)
