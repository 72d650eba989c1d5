"""What is known about an expression without a solver: never wrong, checked against all states."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from test_expr import SLOTS, STATES, B, E, K, N, P, Q, k_in, raw_number, raw_truth

from cprcheck import analysis
from cprcheck.analysis import allowed_by, bounds, decide, tabulate
from cprcheck.expr import (
    FALSE,
    TRUE,
    Const,
    Expr,
    In,
    Read,
    conj,
    disj,
    equal,
    ite,
    less,
    member,
    minus,
    neg,
    number,
    plus,
    rebuild,
)
from cprcheck.semantics import evaluate
from cprcheck.system import State


def masks(r: Random) -> dict[int, int]:
    """For some slots, a random set of codes that is not empty."""
    return {i: r.randint(1, slot.domain.full) for i, slot in enumerate(SLOTS) if r.random() < 0.6}


def within(allowed: dict[int, int]) -> list[State]:
    """The states in which each slot has a code that it is allowed."""

    def codes(slot: int) -> list[int]:
        domain = SLOTS[slot].domain
        return [code for code in domain.codes if allowed.get(slot, domain.full) >> code - domain.low & 1]

    return list(product(*map(codes, range(len(SLOTS)))))


def values(node: Expr, allowed: dict[int, int], r: Random) -> set[int]:
    """What `node` is in the allowed states; the state after the step may be any."""
    return {evaluate(node, state, after) for state in within(allowed) for after in r.sample(STATES, 4)}


# ---- bounds -----------------------------------------------------------------------------------------------------


def test_bounds_are_never_too_narrow() -> None:
    for seed in range(300):
        r = Random(seed)
        node, allowed = raw_number(r, 4, primed=True), masks(r)
        low, high = bounds(node, SLOTS, allowed)
        found = values(node, allowed, r)
        assert low <= min(found), (seed, node)
        assert max(found) <= high, (seed, node)


@pytest.mark.parametrize(
    ("node", "allowed", "expected"),
    [
        (Const(-7), {}, (-7, -7)),
        (N, {}, (-1, 2)),
        (N, {2: 0b0110}, (0, 1)),
        (N, {2: 0b1000}, (2, 2)),
        (Read(2, primed=True), {2: 0b0110}, (-1, 2)),
        (E, {}, (0, 2)),
        (P, {}, (0, 1)),
        (k_in(1), {}, (0, 1)),
        (plus(N, K, number(10)), {3: 0b110}, (10, 14)),
        (minus(N, K), {}, (-3, 2)),
        (ite(P, N, number(9)), {2: 0b0001}, (-1, 9)),
    ],
)
def test_bounds_are_as_narrow_as_intervals_can_be(
    node: Expr, allowed: dict[int, int], expected: tuple[int, int]
) -> None:
    assert bounds(node, SLOTS, allowed) == expected


def test_a_slot_that_is_allowed_nothing_has_the_bounds_of_its_domain() -> None:
    assert bounds(N, SLOTS, {2: 0}) == (-1, 2)


# ---- decide -----------------------------------------------------------------------------------------------------


def test_what_is_decided_is_so_in_every_allowed_state() -> None:
    decided = 0
    for seed in range(600):
        r = Random(seed)
        node, allowed = raw_truth(r, 3, primed=True), masks(r)
        answer = decide(node, SLOTS, allowed)
        if answer is not None:
            decided += 1
            assert values(node, allowed, r) == {int(answer)}, (seed, node, allowed)
    assert decided >= 200


@pytest.mark.parametrize(
    ("node", "allowed", "answer"),
    [
        (TRUE, {}, True),
        (FALSE, {}, False),
        (k_in(0, 1), {}, None),
        (k_in(0, 1), {3: 0b010}, True),
        (k_in(0, 1), {3: 0b100}, False),
        (member(3, [0, 1], 0, 3, primed=True), {3: 0b010}, None),
        (neg(less(N, K)), {2: 0b0001}, False),
        (conj(P, k_in(0)), {3: 0b100}, False),
        (disj(P, k_in(0)), {3: 0b001}, True),
        (disj(P, k_in(0)), {}, None),
        (less(N, K), {2: 0b0011, 3: 0b110}, True),
        (less(N, K), {2: 0b1000}, False),
        (equal(N, K), {2: 0b0001}, False),
        (equal(N, K), {2: 0b0010, 3: 0b001}, True),
        (equal(N, K), {2: 0b0010}, None),
        (equal(k_in(0), member(2, [0], -1, 4)), {2: 0b0010, 3: 0b001}, True),
        (ite(k_in(0), P, Q), {2: 0b0001, 3: 0b001}, True),
        (ite(less(K, N), less(N, number(3)), less(K, number(3))), {}, True),
        (B, {}, None),
    ],
)
def test_a_truth_value_is_decided(node: Expr, allowed: dict[int, int], answer: bool | None) -> None:
    assert decide(node, SLOTS, allowed) is answer


# ---- tabulate, allowed_by ----------------------------------------------------------------------------------------


def about(slot: int, raw: Expr, r: Random) -> Expr:
    """`raw` with each leaf replaced by one that reads `slot` only."""
    domain = SLOTS[slot].domain

    def leaf(at: Read | In) -> Expr:
        if isinstance(at, Read) and SLOTS[at.slot].domain.kind == "int":
            return Read(slot)
        return member(slot, r.sample(list(domain.codes), 2), domain.low, domain.size)

    return rebuild(raw, leaf)


def test_tabulating_keeps_the_meaning() -> None:
    for seed in range(300):
        raw = raw_truth(Random(seed), 3)
        table = tabulate(raw, SLOTS)
        assert [evaluate(table, s) for s in STATES] == [evaluate(raw, s) for s in STATES], (seed, raw)


def test_a_truth_value_about_one_slot_becomes_a_set_of_its_codes() -> None:
    tables = 0
    for seed in range(300):
        r = Random(seed)
        node = about(r.choice([2, 3]), raw_truth(r, 3), r)
        table = tabulate(node, SLOTS)
        assert [evaluate(table, s) for s in STATES] == [evaluate(node, s) for s in STATES], (seed, node)
        assert isinstance(table, (In, Const)), (seed, node)
        tables += isinstance(table, In)
    assert tables >= 50


def test_a_question_about_one_slot_becomes_a_set() -> None:
    assert tabulate(less(N, number(1)), SLOTS) == member(2, [-1, 0], -1, 4)
    later = Read(2, primed=True)
    assert tabulate(disj(equal(later, number(2)), less(later, number(0))), SLOTS) == In(2, 0b1001, -1, 4, primed=True)
    assert tabulate(less(N, number(3)), SLOTS) == TRUE


@pytest.mark.parametrize(
    "node",
    [
        P,
        equal(Read(2), Read(2, primed=True)),
        less(Read(-1), number(1)),
        plus(N, number(1)),
        N,
        TRUE,
    ],
    ids=["two slots", "before and after", "a location not known yet", "a number", "a slot", "a constant"],
)
def test_all_else_is_left_as_it_is(node: Expr) -> None:
    assert tabulate(node, SLOTS) is node


def test_a_slot_with_too_many_codes_is_not_tabulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysis, "TABLE_LIMIT", 3)
    assert tabulate(less(N, number(1)), SLOTS) == less(N, number(1))
    assert tabulate(less(K, number(1)), SLOTS) == k_in(0)


def test_a_guard_allows_what_its_sets_say_before_the_step() -> None:
    guard = conj(k_in(0, 1), member(2, [2], -1, 4), P, member(4, [0], 0, 3, primed=True))
    assert allowed_by(guard) == {3: 0b011, 2: 0b1000}
    assert allowed_by(k_in(2)) == {3: 0b100}
    assert allowed_by(disj(P, k_in(2))) == {}
