# SPDX-License-Identifier: Apache-2.0
"""What a System means, in as few lines as possible.

This is the reference: slow, and meant to be read.  Every engine must agree with it, and every trace is
replayed by it before it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator

from cprcheck.expr import Apply, Const, Expr, In, Op, Read
from cprcheck.system import OTHERWISE, State, System, Transition


def evaluate(node: Expr, state: State, after: State | None = None) -> int:
    """The number that `node` has in `state`; a truth value is 0 or 1.  Primed slots are read in `after`."""
    match node:
        case Const():
            return node.value
        case Read() | In():
            code = (state if not node.primed or after is None else after)[node.slot]
            return code if isinstance(node, Read) else node.mask >> (code - node.low) & 1
        case Apply(op=Op.ITE, args=(condition, yes, no)):
            return evaluate(yes if evaluate(condition, state, after) else no, state, after)
    values = [evaluate(arg, state, after) for arg in node.args]
    match node.op:
        case Op.NOT:
            return 1 - values[0]
        case Op.AND:
            return int(all(values))
        case Op.OR:
            return int(any(values))
        case Op.EQ:
            return int(values[0] == values[1])
        case Op.LT:
            return int(values[0] < values[1])
        case Op.ADD:
            return sum(values)
        case _:
            return values[0] - values[1]


def outcome(system: System, state: State) -> dict[str, str]:
    """For each aspect, how a run that ends in `state` ends: the first label that applies, else OTHERWISE."""
    told = dict.fromkeys((each.aspect for each in system.outcomes), OTHERWISE)
    for each in reversed(system.outcomes):
        if evaluate(each.formula, state):
            told[each.aspect] = each.label
    return told


def initial_states(system: System) -> Iterator[State]:
    """The initial states, in the order in which their slots and values were declared."""
    return (state for state in system.first_states() if evaluate(system.assume, state))


def enabled(transition: Transition, state: State) -> bool:
    """Whether `transition` can be taken in `state`."""
    return bool(evaluate(transition.guard, state))


def apply(transition: Transition, state: State) -> State:
    """The state after `transition`: updated slots get their new value, the others keep theirs."""
    after = list(state)
    for slot, value in transition.update:
        after[slot] = evaluate(value, state)
    return tuple(after)


def successors(system: System, state: State) -> list[tuple[int, State]]:
    """(index of a transition, state after it) for each transition that can be taken, in their order."""
    return [(i, apply(t, state)) for i, t in enumerate(system.transitions) if enabled(t, state)]
