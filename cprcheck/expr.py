# SPDX-License-Identifier: Apache-2.0
"""Expressions over slots: one frozen tree that the interpreter, the code generator, z3 and the exporters all read.

There are four nodes.  `Const` is a number or a truth value; `Read` is the number in a slot; `In` asks whether
the code in a slot belongs to a set; `Apply` is an operator over other nodes.  A slot holds a code (see
`domains`), so an enum member is a number here; whether two codes may be compared at all is checked where
expressions are written (`language.term`).

The functions `conj`, `disj`, `neg`, `equal`, `less`, `plus`, `minus` and `ite` are how nodes are made.  They
simplify as they go: constants fold, `In` over the same slot merge, so that a guard is in a normal form that
the engines can use without a solver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TypeAlias


class Op(Enum):
    """The operators.  The first five give a truth value, ITE gives what its branches give."""

    NOT = "not"
    AND = "and"
    OR = "or"
    EQ = "="
    LT = "<"
    ADD = "+"
    SUB = "-"
    ITE = "ite"


@dataclass(frozen=True, slots=True)
class Const:
    """A number (a code), or a truth value stored as 0 or 1 with `boolean` set."""

    value: int
    boolean: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """The number in slot `slot`; `primed` means: after the step (step invariants only)."""

    slot: int
    primed: bool = False


@dataclass(frozen=True, slots=True)
class In:
    """True when the code in `slot` is one of a set.

    Bit i of `mask` stands for the code `low + i`; `size` is the number of codes of the slot's domain.
    """

    slot: int
    mask: int
    low: int
    size: int
    primed: bool = False

    @property
    def codes(self) -> list[int]:
        """The codes in the set, ascending."""
        found, mask = [], self.mask
        while mask:
            lowest = mask & -mask
            found.append(self.low + lowest.bit_length() - 1)
            mask ^= lowest
        return found


class Apply:
    """An operator over arguments.  Equality is structural; the hash is computed once."""

    __slots__ = ("_hash", "args", "op")
    op: Op
    args: tuple[Expr, ...]
    _hash: int

    def __init__(self, op: Op, args: tuple[Expr, ...]) -> None:
        object.__setattr__(self, "op", op)
        object.__setattr__(self, "args", args)
        object.__setattr__(self, "_hash", hash((op.value, args)))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an expression cannot be changed: {name}")

    def __reduce__(self) -> tuple[type[Apply], tuple[Op, tuple[Expr, ...]]]:
        return Apply, (self.op, self.args)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (
            isinstance(other, Apply) and self._hash == other._hash and self.op is other.op and self.args == other.args
        )

    def __repr__(self) -> str:
        return f"Apply({self.op}, {self.args})"


Expr: TypeAlias = Const | Read | In | Apply

TRUE = Const(1, boolean=True)
FALSE = Const(0, boolean=True)


def number(value: int) -> Const:
    """The number `value` as a node."""
    return Const(value)


def truth(value: bool) -> Const:
    """The truth value `value` as a node."""
    return TRUE if value else FALSE


def is_boolean(node: Expr) -> bool:
    """Whether `node` gives a truth value rather than a number."""
    match node:
        case Const():
            return node.boolean
        case Read():
            return False
        case In():
            return True
        case Apply(op=Op.ITE):
            return is_boolean(node.args[1])
        case _:
            return node.op in (Op.NOT, Op.AND, Op.OR, Op.EQ, Op.LT)


# ---- making nodes -------------------------------------------------------------------------------------------


def member(slot: int, codes: Iterable[int], low: int, size: int, *, primed: bool = False) -> Expr:
    """Whether the code in `slot` is one of `codes`; `low` and `size` describe the slot's domain."""
    mask = 0
    for code in codes:
        if low <= code < low + size:
            mask |= 1 << (code - low)
    return _in(slot, mask, low, size, primed)


def _in(slot: int, mask: int, low: int, size: int, primed: bool) -> Expr:
    if mask == 0:
        return FALSE
    if mask == (1 << size) - 1:
        return TRUE
    return In(slot, mask, low, size, primed)


def conj(*parts: Expr) -> Expr:
    """All of `parts`."""
    return _join(Op.AND, parts, unit=TRUE, zero=FALSE)


def disj(*parts: Expr) -> Expr:
    """One or more of `parts`."""
    return _join(Op.OR, parts, unit=FALSE, zero=TRUE)


def _join(op: Op, parts: Iterable[Expr], unit: Const, zero: Const) -> Expr:
    """Flatten, drop units and duplicates, merge `In` over the same slot, and notice `p` beside `not p`."""
    kept: dict[Expr, None] = {}
    sets: dict[tuple[int, bool], In] = {}
    for part in _flat(op, parts):
        if part == zero:
            return zero
        if isinstance(part, In):
            key = (part.slot, part.primed)
            merged = _merge(op, sets[key], part) if key in sets else part
            if not isinstance(merged, In):
                return merged
            sets[key] = merged
        elif part != unit:
            kept[part] = None
    if any(isinstance(part, Apply) and part.op is Op.NOT and part.args[0] in kept for part in kept):
        return zero
    everything: list[Expr] = [*sets.values(), *kept]
    if len(everything) == 1:
        return everything[0]
    return Apply(op, tuple(everything)) if everything else unit


def _merge(op: Op, a: In, b: In) -> Expr:
    mask = a.mask & b.mask if op is Op.AND else a.mask | b.mask
    return _in(a.slot, mask, a.low, a.size, a.primed)


def _flat(op: Op, parts: Iterable[Expr]) -> Iterator[Expr]:
    for part in parts:
        if isinstance(part, Apply) and part.op is op:
            yield from part.args
        else:
            yield part


@lru_cache(maxsize=1 << 16)
def neg(node: Expr) -> Expr:
    """Not `node`, pushed through `and`, `or` and sets."""
    match node:
        case Const():
            return truth(not node.value)
        case In():
            return _in(node.slot, node.mask ^ ((1 << node.size) - 1), node.low, node.size, node.primed)
        case Apply(op=Op.NOT):
            return node.args[0]
        case Apply(op=Op.AND):
            return disj(*map(neg, node.args))
        case Apply(op=Op.OR):
            return conj(*map(neg, node.args))
        case Apply(op=Op.ITE):
            return ite(node.args[0], neg(node.args[1]), neg(node.args[2]))
        case _:
            return Apply(Op.NOT, (node,))


def equal(a: Expr, b: Expr) -> Expr:
    """Whether two numbers, or two truth values, are the same."""
    if isinstance(a, Const) and isinstance(b, Const):
        return truth(a.value == b.value)
    if a == b:
        return TRUE
    if is_boolean(a):
        if isinstance(b, Const):
            return a if b.value else neg(a)
        if isinstance(a, Const):
            return b if a.value else neg(b)
    if isinstance(a, Const):
        a, b = b, a
    if isinstance(b, Const) and isinstance(a, Apply) and a.op is Op.ITE:
        condition, yes, no = a.args
        if isinstance(yes, Const) or isinstance(no, Const):
            return ite(condition, equal(yes, b), equal(no, b))
    return Apply(Op.EQ, (a, b))


def less(a: Expr, b: Expr) -> Expr:
    """Whether the number `a` is less than the number `b`."""
    if isinstance(a, Const) and isinstance(b, Const):
        return truth(a.value < b.value)
    return FALSE if a == b else Apply(Op.LT, (a, b))


def plus(*parts: Expr) -> Expr:
    """The sum of numbers."""
    total = 0
    rest: list[Expr] = []
    for part in _flat(Op.ADD, parts):
        if isinstance(part, Const):
            total += part.value
        else:
            rest.append(part)
    if total or not rest:
        rest.append(number(total))
    return rest[0] if len(rest) == 1 else Apply(Op.ADD, tuple(rest))


def minus(a: Expr, b: Expr) -> Expr:
    """The number `a` less the number `b`."""
    if isinstance(b, Const):
        return plus(a, number(-b.value))
    return number(0) if a == b else Apply(Op.SUB, (a, b))


def ite(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """`yes` where `condition` holds, else `no`."""
    if isinstance(condition, Const):
        return yes if condition.value else no
    if yes == no:
        return yes
    if is_boolean(yes):
        if isinstance(yes, Const):
            return disj(condition, no) if yes.value else conj(neg(condition), no)
        if isinstance(no, Const):
            return disj(neg(condition), yes) if no.value else conj(condition, yes)
    return Apply(Op.ITE, (condition, yes, no))


# ---- asking about nodes -------------------------------------------------------------------------------------


def conjuncts(node: Expr) -> tuple[Expr, ...]:
    """The parts that all have to hold for `node` to hold."""
    return node.args if isinstance(node, Apply) and node.op is Op.AND else (node,)


def walk(node: Expr) -> Iterator[Expr]:
    """Every different node of the tree, once each."""
    seen: set[Expr] = set()
    stack: list[Expr] = [node]
    while stack:
        at = stack.pop()
        if at not in seen:
            seen.add(at)
            yield at
            if isinstance(at, Apply):
                stack.extend(at.args)


def reads(node: Expr) -> frozenset[int]:
    """The slots that `node` depends on, primed or not."""
    return frozenset(at.slot for at in walk(node) if isinstance(at, (Read, In)))


def rebuild(node: Expr, leaf: Callable[[Read | In], Expr]) -> Expr:
    """`node` with each `Read` and `In` replaced by what `leaf` makes of it, simplified again."""
    done: dict[Expr, Expr] = {}

    def go(at: Expr) -> Expr:
        if isinstance(at, Const):
            return at
        if at not in done:
            done[at] = leaf(at) if isinstance(at, (Read, In)) else combine(at.op, [go(arg) for arg in at.args])
        return done[at]

    return go(node)


def combine(op: Op, args: list[Expr]) -> Expr:
    """The node for `op` over `args`, simplified."""
    makers: dict[Op, Callable[..., Expr]] = {
        Op.NOT: neg,
        Op.AND: conj,
        Op.OR: disj,
        Op.EQ: equal,
        Op.LT: less,
        Op.ADD: plus,
        Op.SUB: minus,
        Op.ITE: ite,
    }
    return makers[op](*args)


Spans: TypeAlias = Callable[[int], tuple[int, int]]
"""The least code of a slot's domain, and how many codes there are."""


def membership(of: Expr, node: In, spans: Spans) -> Expr:
    """Whether the number or truth value `of` lies in the set that `node` asks about."""
    if isinstance(of, Const):
        bit = of.value - node.low
        return truth(0 <= bit < node.size and bool(node.mask >> bit & 1))
    if isinstance(of, Read):
        low, size = spans(of.slot)
        return member(of.slot, node.codes, low, size, primed=of.primed)
    if is_boolean(of):
        yes, no = bool(node.mask >> 1 & 1), bool(node.mask & 1)
        return truth(yes) if yes == no else of if yes else neg(of)
    if isinstance(of, Apply) and of.op is Op.ITE:
        condition, yes_branch, no_branch = of.args
        return ite(condition, membership(yes_branch, node, spans), membership(no_branch, node, spans))
    return disj(*(equal(of, number(code)) for code in node.codes))


def substitute(node: Expr, values: Mapping[int, Expr], spans: Spans) -> Expr:
    """`node` with every primed slot in `values` replaced, and the other primed slots made unprimed.

    What a step invariant says about a transition is its formula with the transition's update put in.
    """

    def leaf(at: Read | In) -> Expr:
        if not at.primed:
            return at
        if at.slot in values:
            return values[at.slot] if isinstance(at, Read) else membership(values[at.slot], at, spans)
        if isinstance(at, Read):
            return Read(at.slot)
        return In(at.slot, at.mask, at.low, at.size)

    return rebuild(node, leaf)
