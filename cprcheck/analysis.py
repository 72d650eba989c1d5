# SPDX-License-Identifier: Apache-2.0
"""Questions about expressions that slots and their domains answer, without a solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cprcheck.expr import Apply, Const, Expr, In, Op, Read, conjuncts, is_boolean, member, walk
from cprcheck.semantics import evaluate
from cprcheck.system import Slot

Allowed = Mapping[int, int]
"""For some slots, the codes they may have: bit i of the mask stands for `domain.low + i`."""

TABLE_LIMIT = 4096
"""A formula over one slot is tabulated only when the slot has at most this many codes."""


def allowed_by(guard: Expr) -> dict[int, int]:
    """What the sets in `guard` say about each slot before the step."""
    return {part.slot: part.mask for part in conjuncts(guard) if isinstance(part, In) and not part.primed}


def bounds(node: Expr, slots: Sequence[Slot], allowed: Allowed) -> tuple[int, int]:
    """The least and the greatest number that `node` can have.  Never too narrow; may be too wide."""
    match node:
        case Const():
            return node.value, node.value
        case Read():
            domain = slots[node.slot].domain
            mask = domain.full if node.primed else allowed.get(node.slot, domain.full) & domain.full
            if not mask:
                return domain.low, domain.high
            return domain.low + (mask & -mask).bit_length() - 1, domain.low + mask.bit_length() - 1
        case Apply(op=Op.ITE):
            branches = [bounds(arg, slots, allowed) for arg in node.args[1:]]
            return min(low for low, _ in branches), max(high for _, high in branches)
        case Apply(op=Op.ADD):
            parts = [bounds(arg, slots, allowed) for arg in node.args]
            return sum(low for low, _ in parts), sum(high for _, high in parts)
        case Apply(op=Op.SUB):
            (low_a, high_a), (low_b, high_b) = (bounds(arg, slots, allowed) for arg in node.args)
            return low_a - high_b, high_a - low_b
        case _:
            return 0, 1


def tabulate(node: Expr, slots: Sequence[Slot]) -> Expr:
    """A truth value that depends on one slot only, as a set of that slot's codes; all else unchanged."""
    if not is_boolean(node) or not isinstance(node, Apply):
        return node
    leaves = {(at.slot, at.primed) for at in walk(node) if isinstance(at, (Read, In))}
    if len(leaves) != 1:
        return node
    ((slot, primed),) = leaves
    if slot < 0 or slots[slot].domain.size > TABLE_LIMIT:
        return node  # a negative slot stands for a location that is not known yet (`m.at`)
    domain = slots[slot].domain
    state = [0] * (slot + 1)
    codes = []
    for code in domain.codes:
        state[slot] = code
        if evaluate(node, tuple(state)):
            codes.append(code)
    return member(slot, codes, domain.low, domain.size, primed=primed)


def decide(node: Expr, slots: Sequence[Slot], allowed: Allowed) -> bool | None:
    """Whether `node` is certainly true or certainly false where each slot is as `allowed`; None: it may be both.

    Primed slots are taken to be anything.
    """
    match node:
        case Const():
            return bool(node.value)
        case In():
            mask = allowed.get(node.slot, -1) & ((1 << node.size) - 1) if not node.primed else -1
            inside, outside = mask & node.mask, mask & ~node.mask
            return None if inside and outside else bool(inside)
        case Apply(op=Op.NOT):
            answer = decide(node.args[0], slots, allowed)
            return None if answer is None else not answer
        case Apply(op=Op.AND):
            answers = {decide(arg, slots, allowed) for arg in node.args}
            return False if False in answers else None if None in answers else True
        case Apply(op=Op.OR):
            answers = {decide(arg, slots, allowed) for arg in node.args}
            return True if True in answers else None if None in answers else False
        case Apply(op=Op.ITE, args=(condition, yes, no)):
            answer = decide(condition, slots, allowed)
            if answer is not None:
                return decide(yes if answer else no, slots, allowed)
            both = {decide(yes, slots, allowed), decide(no, slots, allowed)}
            return both.pop() if len(both) == 1 else None
        case Apply(op=Op.EQ | Op.LT):
            return _compare(node, slots, allowed)
    return None


def _compare(node: Apply, slots: Sequence[Slot], allowed: Allowed) -> bool | None:
    (low_a, high_a), (low_b, high_b) = (_range(arg, slots, allowed) for arg in node.args)
    if node.op is Op.LT:
        return True if high_a < low_b else False if low_a >= high_b else None
    if high_a < low_b or high_b < low_a:
        return False
    return True if low_a == high_a == low_b == high_b else None


def _range(node: Expr, slots: Sequence[Slot], allowed: Allowed) -> tuple[int, int]:
    if not is_boolean(node):
        return bounds(node, slots, allowed)
    answer = decide(node, slots, allowed)
    return (0, 1) if answer is None else (int(answer), int(answer))
