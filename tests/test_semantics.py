"""The reference interpreter."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import pytest

from cprcheck.domains import OneOf, Range
from cprcheck.expr import FALSE, TRUE, Apply, Const, Expr, In, Op, Read, conj, disj, equal, less, member, neg, plus
from cprcheck.semantics import apply, enabled, evaluate, initial_states, successors
from cprcheck.system import Process, Slot, State, System, Transition

X, Y = Read(0), Read(1)
STATE = (-1, 2)


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (Const(7), 7),
        (TRUE, 1),
        (FALSE, 0),
        (X, -1),
        (In(0, 0b001, -1, 3), 1),
        (In(0, 0b110, -1, 3), 0),
        (In(1, 0b10, 0, 2), 0),
        (Apply(Op.NOT, (TRUE,)), 0),
        (Apply(Op.NOT, (FALSE,)), 1),
        (Apply(Op.AND, (TRUE, TRUE, TRUE)), 1),
        (Apply(Op.AND, (TRUE, FALSE, TRUE)), 0),
        (Apply(Op.OR, (FALSE, FALSE, TRUE)), 1),
        (Apply(Op.OR, (FALSE, FALSE)), 0),
        (Apply(Op.EQ, (X, Const(-1))), 1),
        (Apply(Op.EQ, (X, Y)), 0),
        (Apply(Op.EQ, (TRUE, In(0, 0b001, -1, 3))), 1),
        (Apply(Op.LT, (X, Y)), 1),
        (Apply(Op.LT, (Y, Y)), 0),
        (Apply(Op.ADD, (X, Y, Const(5))), 6),
        (Apply(Op.SUB, (X, Y)), -3),
        (Apply(Op.ITE, (TRUE, X, Y)), -1),
        (Apply(Op.ITE, (FALSE, X, Y)), 2),
    ],
)
def test_a_node_has_the_value(node: Expr, value: int) -> None:
    assert evaluate(node, STATE) == value


def test_primed_slots_are_read_after_the_step() -> None:
    later, still = Read(0, primed=True), In(1, 0b100, 0, 3, primed=True)
    assert [evaluate(node, (0, 2), (1, 0)) for node in (later, still, Read(0), In(1, 0b100, 0, 3))] == [1, 0, 0, 1]
    assert evaluate(plus(later, Read(0), Const(10)), (3, 0), (4, 0)) == 17
    assert evaluate(Apply(Op.ITE, (still, later, Read(0))), (0, 0), (1, 2)) == 1


def test_without_a_step_primed_slots_are_read_where_the_others_are() -> None:
    assert evaluate(Read(0, primed=True), STATE) == -1


SWAP = Transition(0, "swap", less(X, Y), ((0, Y), (1, X)))
LIFT = Transition(1, "lift", equal(Y, Const(2)), ((1, Const(0)),))
ZERO = Transition(0, "zero", TRUE, ((1, Const(0)),))
SYSTEM = System(
    "s",
    (Slot("x", Range(-1, 2)), Slot("y", Range(0, 2))),
    ((-1, 0, 2), (0, 2)),
    (Process("p"), Process("q")),
    (SWAP, LIFT, ZERO),
)


def test_the_values_of_an_update_are_read_before_the_step() -> None:
    assert apply(SWAP, (0, 2)) == (2, 0)


def test_what_a_step_does_not_update_keeps_its_value() -> None:
    assert apply(LIFT, (1, 2)) == (1, 0)
    assert apply(Transition(0, "nothing", TRUE, ()), (1, 2)) == (1, 2)


def test_a_step_is_enabled_where_its_guard_holds() -> None:
    assert [enabled(SWAP, state) for state in ((0, 2), (2, 2), (2, 0))] == [True, False, False]


def test_successors_come_in_the_order_of_the_transitions_and_each_transition_counts() -> None:
    assert successors(SYSTEM, (0, 2)) == [(0, (2, 0)), (1, (0, 0)), (2, (0, 0))]
    assert successors(SYSTEM, (2, 1)) == [(2, (2, 0))]


def test_a_state_in_which_nothing_is_enabled_has_no_successors() -> None:
    stuck = System("s", (Slot("c", OneOf("a", "b")),), ((0,),), (Process("p"),), (Transition(0, "t", FALSE, ()),))
    assert successors(stuck, (0,)) == []


def test_initial_states_are_all_combinations_in_the_order_of_declaration() -> None:
    assert list(initial_states(SYSTEM)) == [(-1, 0), (-1, 2), (0, 0), (0, 2), (2, 0), (2, 2)]


def test_initial_states_satisfy_the_assumption() -> None:
    unequal = disj(neg(equal(X, Y)), conj(member(0, [0], -1, 4), FALSE))
    narrowed = System("s", SYSTEM.slots, SYSTEM.init, (), (), assume=unequal)
    assert list(initial_states(narrowed)) == [(-1, 0), (-1, 2), (0, 2), (2, 0)]


# ---- what can be seen of a run, for the tests of passes -----------------------------------------------------------


def observed(system: System, states: frozenset[State]) -> dict[object, frozenset[State]]:
    """By what can be seen of a step (who, label, data after it): the states that it may lead to."""
    found = defaultdict(set)
    for state in states:
        for step, after in successors(system, state):
            data = tuple(code for slot, code in zip(system.slots, after, strict=True) if slot.role == "data")
            found[system.transitions[step].process, system.transitions[step].label, data].add(after)
    return {seen: frozenset(after) for seen, after in found.items()}


def same_traces(a: System, b: System) -> bool:
    """Whether the same sequences of steps can be seen of both systems."""
    todo = [(frozenset(initial_states(a)), frozenset(initial_states(b)))]
    met = set(todo)
    while todo:
        after_a, after_b = observed(a, todo[-1][0]), observed(b, todo.pop()[1])
        if after_a.keys() != after_b.keys():
            return False
        fresh = {(after_a[seen], after_b[seen]) for seen in after_a} - met
        met |= fresh
        todo += fresh
    return True


def test_systems_are_told_apart_by_what_can_be_seen_of_their_steps() -> None:
    assert same_traces(SYSTEM, replace(SYSTEM, name="other"))
    assert not same_traces(SYSTEM, replace(SYSTEM, transitions=(SWAP, LIFT)))
    assert not same_traces(SYSTEM, replace(SYSTEM, transitions=(replace(SWAP, label="turn"), LIFT, ZERO)))
    assert not same_traces(SYSTEM, replace(SYSTEM, transitions=(SWAP, replace(LIFT, process=0), ZERO)))
