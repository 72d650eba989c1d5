"""Expressions: what making them simplifies, and that it never changes what they mean."""

from __future__ import annotations

import copy
import pickle
from itertools import product
from random import Random

import pytest

from cprcheck.domains import Bool, OneOf, Range
from cprcheck.expr import (
    FALSE,
    TRUE,
    Apply,
    Const,
    Expr,
    In,
    Op,
    Read,
    combine,
    conj,
    conjuncts,
    disj,
    equal,
    is_boolean,
    ite,
    less,
    member,
    membership,
    minus,
    neg,
    number,
    plus,
    reads,
    rebuild,
    substitute,
    truth,
    walk,
)
from cprcheck.semantics import evaluate
from cprcheck.system import Slot, State

SLOTS = (
    Slot("b", Bool),
    Slot("c", Bool),
    Slot("n", Range(-1, 2)),
    Slot("k", Range(0, 2)),
    Slot("e", OneOf("red", "green", "blue")),
)
STATES: list[State] = list(product(*(slot.domain.codes for slot in SLOTS)))
B, N, K, E = Read(0), Read(2), Read(3), Read(4)
P, Q = less(N, K), equal(N, K)


def span(slot: int) -> tuple[int, int]:
    return SLOTS[slot].domain.low, SLOTS[slot].domain.size


def k_in(*codes: int) -> Expr:
    return member(3, codes, 0, 3)


def raw_truth(r: Random, depth: int, primed: bool = False) -> Expr:
    """A random truth value over SLOTS, written down as it comes: nothing is simplified."""
    if depth == 0:
        slot = r.randrange(len(SLOTS))
        domain = SLOTS[slot].domain
        leaf = In(slot, r.randint(0, domain.full), domain.low, domain.size, primed and r.random() < 0.5)
        return r.choice([leaf, leaf, leaf, truth(r.random() < 0.5), Read(r.choice([0, 1]))])
    op = r.choice([Op.NOT, Op.AND, Op.AND, Op.OR, Op.OR, Op.EQ, Op.LT, Op.ITE])
    make = raw_number if op is Op.LT or (op is Op.EQ and r.random() < 0.7) else raw_truth
    count = {Op.NOT: 1, Op.EQ: 2, Op.LT: 2}.get(op, 3)
    return Apply(op, tuple(make(r, r.randint(0, depth - 1), primed) for _ in range(count)))


def raw_number(r: Random, depth: int, primed: bool = False) -> Expr:
    """A random number over SLOTS, likewise."""
    if depth == 0:
        return r.choice([Const(r.randint(-3, 3)), Read(r.choice([2, 3]), primed and r.random() < 0.5)])
    op = r.choice([Op.ADD, Op.SUB, Op.ITE])
    parts = [raw_number(r, r.randint(0, depth - 1), primed) for _ in range(2)]
    return Apply(op, (raw_truth(r, depth - 1, primed), *parts) if op is Op.ITE else tuple(parts))


# ---- simplifying keeps the meaning --------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [raw_truth, raw_number])
def test_simplifying_keeps_the_meaning_in_every_state(make: object) -> None:
    for seed in range(250):
        raw = make(Random(seed), 4)
        simple = rebuild(raw, lambda leaf: leaf)
        assert [evaluate(simple, s) for s in STATES] == [evaluate(raw, s) for s in STATES], (seed, raw, simple)


def test_negating_turns_the_meaning_around_in_every_state() -> None:
    for seed in range(250):
        raw = raw_truth(Random(seed), 3)
        assert [evaluate(neg(raw), s) for s in STATES] == [1 - evaluate(raw, s) for s in STATES], (seed, raw)


def test_substituting_an_update_says_of_the_state_before_what_the_formula_says_of_the_step() -> None:
    for seed in range(250):
        r = Random(seed)
        raw = raw_truth(r, 3, primed=True)
        values = {2: raw_number(r, 2), 0: rebuild(raw_truth(r, 2), lambda leaf: leaf)}
        said = substitute(raw, values, span)
        assert not any(at.primed for at in walk(said) if isinstance(at, (Read, In)))
        for state in STATES[::5]:
            after = (evaluate(values[0], state), state[1], evaluate(values[2], state), *state[3:])
            if after[2] in SLOTS[2].domain.codes:
                assert evaluate(said, state) == evaluate(raw, state, after), (seed, raw, values, state)


# ---- truth values and numbers ---------------------------------------------------------------------------------------


def test_one_is_not_true() -> None:
    assert Const(1) != TRUE
    assert (truth(True), truth(False), number(1)) == (TRUE, FALSE, Const(1))
    assert ite(P, number(1), number(0)) == Apply(Op.ITE, (P, Const(1), Const(0)))
    assert ite(P, TRUE, FALSE) == P


@pytest.mark.parametrize(
    ("node", "answer"),
    [
        (TRUE, True),
        (Const(1), False),
        (N, False),
        (k_in(1), True),
        (P, True),
        (Q, True),
        (neg(P), True),
        (conj(P, Q), True),
        (disj(P, Q), True),
        (plus(N, K), False),
        (minus(N, K), False),
        (ite(P, Q, neg(Q)), True),
        (ite(P, N, K), False),
    ],
)
def test_a_node_is_a_truth_value_or_a_number(node: Expr, answer: bool) -> None:
    assert is_boolean(node) is answer


# ---- and, or, not -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("join", "op", "unit", "zero"), [(conj, Op.AND, TRUE, FALSE), (disj, Op.OR, FALSE, TRUE)])
def test_and_is_to_false_as_or_is_to_true(join: object, op: Op, unit: Expr, zero: Expr) -> None:
    assert join() == unit
    assert join(P) == join(P, unit) == join(P, P) == P
    assert join(P, zero, Q) == zero
    assert join(P, neg(P)) == join(Q, neg(P), P) == zero
    assert join(join(P, Q), less(K, N)) == Apply(op, (P, Q, less(K, N)))


def test_sets_over_the_same_slot_become_one() -> None:
    assert conj(k_in(0, 1), P, k_in(1, 2)) == conj(k_in(1), P)
    assert conj(k_in(0), k_in(1, 2)) == FALSE
    assert disj(k_in(0), P, k_in(1)) == disj(k_in(0, 1), P)
    assert disj(k_in(0, 1), k_in(2)) == TRUE


def test_sets_before_and_after_the_step_stay_apart() -> None:
    now, later = k_in(0), member(3, [1], 0, 3, primed=True)
    assert conj(now, later) == Apply(Op.AND, (now, later))


def test_not_goes_inside() -> None:
    assert neg(TRUE) == FALSE
    assert neg(k_in(0)) == k_in(1, 2)
    assert neg(P) == Apply(Op.NOT, (P,))
    assert neg(neg(P)) == P
    assert neg(conj(P, Q)) == disj(neg(P), neg(Q))
    assert neg(disj(P, Q)) == conj(neg(P), neg(Q))
    assert neg(ite(P, Q, less(K, N))) == ite(P, neg(Q), neg(less(K, N)))


def test_a_set_keeps_the_codes_of_the_domain_and_is_decided_when_it_has_none_or_all() -> None:
    assert member(2, [-1, 2, 7, -5], -1, 4) == In(2, 0b1001, -1, 4)
    assert In(2, 0b1001, -1, 4).codes == [-1, 2]
    assert member(2, [7], -1, 4) == FALSE
    assert member(2, range(-1, 3), -1, 4) == TRUE


# ---- comparing, counting, choosing --------------------------------------------------------------------------------


def test_comparing_constants_or_a_node_with_itself_is_decided() -> None:
    assert (equal(number(2), number(2)), equal(number(2), number(3)), equal(N, N)) == (TRUE, FALSE, TRUE)
    assert (less(number(2), number(3)), less(number(3), number(3)), less(N, N)) == (TRUE, FALSE, FALSE)


def test_a_truth_value_compared_with_a_constant_is_itself_or_its_contrary() -> None:
    assert equal(P, TRUE) == equal(TRUE, P) == P
    assert equal(P, FALSE) == equal(FALSE, P) == neg(P)


def test_a_constant_stands_on_the_right_of_an_equation() -> None:
    assert equal(number(1), N) == Apply(Op.EQ, (N, number(1)))


def test_a_choice_of_constants_compared_with_a_constant_is_its_condition() -> None:
    picked = ite(P, number(1), number(2))
    assert equal(picked, number(1)) == P
    assert equal(number(2), picked) == neg(P)
    assert equal(picked, number(3)) == FALSE


def test_sums_are_flat_and_their_constants_come_last_as_one() -> None:
    assert plus() == number(0)
    assert plus(number(1), N, plus(K, number(2))) == Apply(Op.ADD, (N, K, number(3)))
    assert plus(N, number(1), number(-1)) == N
    assert minus(N, number(2)) == plus(N, number(-2))
    assert minus(N, N) == number(0)
    assert minus(N, K) == Apply(Op.SUB, (N, K))


def test_a_choice_with_nothing_to_choose_is_decided() -> None:
    assert (ite(TRUE, N, K), ite(FALSE, N, K), ite(P, N, N)) == (N, K, N)


def test_a_choice_between_truth_values_with_a_constant_is_and_or_or() -> None:
    assert ite(P, TRUE, Q) == disj(P, Q)
    assert ite(P, FALSE, Q) == conj(neg(P), Q)
    assert ite(P, Q, TRUE) == disj(neg(P), Q)
    assert ite(P, Q, FALSE) == conj(P, Q)


@pytest.mark.parametrize("op", Op)
def test_every_operator_can_be_combined_from_its_arguments(op: Op) -> None:
    args = {Op.NOT: [P], Op.ITE: [P, N, K], Op.AND: [P, Q], Op.OR: [P, Q]}.get(op, [N, K])
    assert combine(op, args) == Apply(op, tuple(args))


# ---- trees --------------------------------------------------------------------------------------------------------


def test_equal_trees_are_equal_and_hash_alike_and_other_operators_differ() -> None:
    a, b = conj(less(Read(2), Read(3)), k_in(1)), conj(less(Read(2), Read(3)), k_in(1))
    assert a == b
    assert hash(a) == hash(b)
    assert a is not b
    assert Apply(Op.AND, (P, Q)) != Apply(Op.OR, (P, Q))
    assert Apply(Op.SUB, (N, K)) != Apply(Op.SUB, (K, N))


def test_a_tree_cannot_be_changed_but_copied() -> None:
    with pytest.raises(AttributeError) as caught:
        P.op = Op.EQ
    assert str(caught.value) == "an expression cannot be changed: op"
    assert pickle.loads(pickle.dumps(P)) == copy.deepcopy(P) == P


def test_walking_meets_each_different_node_once() -> None:
    tree = conj(P, disj(P, Q))
    assert sorted(map(repr, walk(tree))) == sorted(map(repr, [tree, disj(P, Q), P, Q, N, K]))


def test_reads_names_the_slots_before_and_after_the_step() -> None:
    assert reads(conj(P, member(4, [0], 0, 3, primed=True))) == {2, 3, 4}
    assert reads(number(1)) == set()


def test_the_parts_of_a_conjunction_are_its_arguments() -> None:
    assert conjuncts(conj(P, Q)) == (P, Q)
    assert conjuncts(disj(P, Q)) == (disj(P, Q),)


def test_rebuilding_replaces_each_leaf_once_and_simplifies_again() -> None:
    asked = []

    def leaf(at: Read | In) -> Expr:
        asked.append(at)
        return number(1) if at == N else at

    assert rebuild(conj(P, disj(Q, k_in(2))), leaf) == conj(less(number(1), K), disj(equal(number(1), K), k_in(2)))
    assert len(asked) == len(set(asked)) == 3
    assert rebuild(P, lambda _: number(1)) == FALSE


# ---- after the step -------------------------------------------------------------------------------------------------


def test_substitution_replaces_primed_slots_only_and_unprimes_the_others() -> None:
    claim = conj(less(Read(2, primed=True), Read(2)), less(K, Read(3, primed=True)), k_in(1))
    assert substitute(claim, {2: number(0)}, span) == conj(less(number(0), N), k_in(1), less(K, K))
    assert substitute(member(3, [1], 0, 3, primed=True), {2: N}, span) == k_in(1)


def test_membership_of_a_constant_is_decided() -> None:
    asked = In(2, 0b1001, -1, 4)
    assert [membership(number(n), asked, span) for n in (-2, -1, 0, 2, 3)] == [FALSE, TRUE, FALSE, TRUE, FALSE]


def test_membership_of_a_truth_value_is_itself_its_contrary_or_decided() -> None:
    assert [membership(P, In(0, mask, 0, 2), span) for mask in range(4)] == [FALSE, neg(P), P, TRUE]


def test_membership_of_a_choice_is_a_choice_of_memberships() -> None:
    asked = In(3, 0b101, 0, 3)
    assert membership(ite(P, number(2), K), asked, span) == disj(P, k_in(0, 2))


def test_membership_of_a_sum_names_the_codes() -> None:
    total = plus(N, K)
    assert membership(total, In(2, 0b1001, -1, 4), span) == disj(equal(total, number(-1)), equal(total, number(2)))


def test_membership_of_a_slot_with_another_domain_is_about_the_number_in_it() -> None:
    asked = In(3, 0b100, 0, 3)
    inside = conj(member(2, [0, 1, 2], -1, 4), membership(N, asked, span))
    assert [evaluate(inside, (0, 0, n, 0, 0)) for n in (0, 1, 2)] == [0, 0, 1]
