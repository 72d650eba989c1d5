"""Generated Python: packed states, successor functions and predicates mean what the interpreter says they mean."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from itertools import product
from random import Random

import pytest
from strategies import random_system, reachable
from systems import at, digraph
from test_abstract import located, random_located
from test_expr import SLOTS, STATES, raw_number, raw_truth

from cprcheck.domains import Bool, Domain, OneOf, Range
from cprcheck.expr import (
    FALSE,
    TRUE,
    Expr,
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
from cprcheck.lower import python
from cprcheck.lower.python import Layout, compile_predicate, compile_system
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.semantics import evaluate, successors
from cprcheck.system import Process, Slot, State, System, Transition


def system_of(slots: tuple[Slot, ...], *steps: tuple[Expr, dict[int, Expr]]) -> System:
    """One action with the given (guard, update) pairs, which starts anywhere."""
    moves = tuple(Transition(0, f"t{i}", guard, tuple(sorted(to.items()))) for i, (guard, to) in enumerate(steps))
    init = tuple(tuple(slot.domain.codes) for slot in slots)
    return System("s", slots, init, (Process("act"),), moves)


def numbers(*ranges: tuple[int, int]) -> tuple[Slot, ...]:
    return tuple(Slot(f"x{i}", Range(*bounds)) for i, bounds in enumerate(ranges))


def by_code(system: System, state: State) -> list[tuple[int, State]]:
    """The successors of `state` by the generated functions, which have to agree with each other."""
    compiled = compile_system(system)
    packed = compiled.layout.pack(state)
    found = compiled.successors(packed)
    assert compiled.targets(packed) == [to for _, to in found]
    return [(step, compiled.layout.unpack(to)) for step, to in found]


def agrees(system: System, states: list[State]) -> None:
    """The generated functions of `system` give what the interpreter gives, in each of `states`."""
    compiled = compile_system(system)
    layout = compiled.layout
    for state in states:
        packed = layout.pack(state)
        found = compiled.successors(packed)
        assert sorted((step, layout.unpack(to)) for step, to in found) == successors(system, state), state
        assert compiled.targets(packed) == [to for _, to in found], state


# ---- packed states --------------------------------------------------------------------------------------------------


def test_each_slot_has_as_few_bits_as_will_do_one_after_the_other() -> None:
    slots = (*SLOTS, Slot("one", Range(7, 7)), Slot("five", Range(-9, -5)))
    layout = Layout.of(system_of(slots))
    assert layout.width == (1, 1, 2, 2, 2, 0, 3)
    assert layout.offset == (0, 1, 2, 4, 6, 8, 8)
    assert layout.low == (0, 0, -1, 0, 0, 7, -9)
    assert [layout.mask(slot) for slot in range(7)] == [1, 2, 0b1100, 0b110000, 0b11000000, 0, 0b111 << 8]


def test_a_packed_state_is_unpacked_to_what_it_was_and_no_two_look_alike() -> None:
    slots = (*SLOTS, Slot("one", Range(7, 7)), Slot("five", Range(-9, -5)))
    layout = Layout.of(system_of(slots))
    states = list(product(*(slot.domain.codes for slot in slots)))
    packed = [layout.pack(state) for state in states]
    assert [layout.unpack(one) for one in packed] == states
    assert len(set(packed)) == len(states)
    assert (min(packed), max(packed).bit_length()) == (0, 11)


# ---- predicates -----------------------------------------------------------------------------------------------------


def test_a_predicate_holds_where_the_interpreter_says_so() -> None:
    layout = Layout.of(system_of(SLOTS))
    for seed in range(200):
        node = rebuild(raw_truth(Random(seed), 4), lambda leaf: leaf)
        holds = compile_predicate(node, layout)
        for state in STATES[:: 1 + seed % 5]:
            assert bool(holds(layout.pack(state))) == evaluate(node, state), (seed, node, state)


B, C, N, K = Read(0), Read(1), Read(2), Read(3)
IS_B, N_LOW, K_ODD = member(0, [1], 0, 2), member(2, [-1, 0], -1, 4), member(3, [1], 0, 3)


@pytest.mark.parametrize(
    "node",
    [
        TRUE,
        FALSE,
        B,
        neg(B),
        neg(IS_B),
        conj(IS_B, member(2, [-1], -1, 4)),
        conj(neg(IS_B), member(2, [-1], -1, 4)),
        conj(IS_B, N_LOW, neg(K_ODD), less(N, K)),
        disj(conj(IS_B, K_ODD), conj(N_LOW, B)),
        neg(conj(IS_B, less(N, K))),
        equal(N, number(-1)),
        less(minus(N, K), plus(N, number(-2))),
        equal(IS_B, less(K, N)),
        equal(B, C),
        ite(less(N, K), C, B),
        equal(ite(K_ODD, N, minus(N, K)), plus(N, N)),
        less(ite(B, number(-2), K), ite(N_LOW, N, ite(K_ODD, number(1), N))),
    ],
)
def test_each_kind_of_node_holds_where_the_interpreter_says_so(node: Expr) -> None:
    layout = Layout.of(system_of(SLOTS))
    holds = compile_predicate(node, layout)
    assert [bool(holds(layout.pack(state))) for state in STATES] == [bool(evaluate(node, state)) for state in STATES]


# ---- successors -----------------------------------------------------------------------------------------------------


def test_random_guards_and_updates_do_in_every_state_what_the_interpreter_does() -> None:
    for seed in range(60):
        r = Random(seed)
        simple = lambda node: rebuild(node, lambda leaf: leaf)
        steps = [
            (simple(raw_truth(r, 2)), {r.choice([0, 1]): simple(raw_truth(r, 2)), 2: simple(raw_number(r, 3))}),
            (TRUE, {3: simple(raw_number(r, 2)), 4: ite(simple(raw_truth(r, 2)), Read(4), number(r.randrange(3)))}),
        ]
        agrees(with_domain_obligations(system_of(SLOTS, *steps)), STATES[::3])


def test_random_systems_have_the_same_successors_in_every_reachable_state() -> None:
    for seed in range(60):
        system = random_system(seed)
        agrees(system, list(reachable(system)))


def test_processes_with_locations_have_the_same_successors_in_every_reachable_state() -> None:
    for seed in range(60):
        system = random_located(seed)
        agrees(system, list(reachable(system)))


def test_swapped_slots_are_both_read_before_they_are_written() -> None:
    slots = numbers((-3, 4), (0, 2), (-3, 4))
    swap = system_of(slots, (TRUE, {0: Read(2), 2: Read(0)}))
    assert by_code(swap, (-3, 1, 4)) == [(0, (4, 1, -3))]
    turn = system_of(numbers((-1, 1), (-1, 1), (-1, 1)), (TRUE, {0: Read(1), 1: Read(2), 2: Read(0)}))
    assert by_code(turn, (-1, 0, 1)) == [(0, (0, 1, -1))]


def test_a_slot_with_negative_codes_is_set_to_constants_and_by_sums() -> None:
    steps = [(TRUE, {1: number(code)}) for code in range(-7, -2)]
    steps += [(less(Read(1), number(-3)), {1: plus(Read(1), number(1)), 0: number(-2)})]
    system = system_of(numbers((-2, 1), (-7, -3)), *steps)
    agrees(system, [(x, y) for x in range(-2, 2) for y in range(-7, -2)])
    assert by_code(system, (1, -6))[-1] == (5, (-2, -5))


def test_a_slot_is_copied_to_one_with_other_bounds() -> None:
    low, wide = Read(0), Read(1)
    inside = conj(less(number(-3), wide), less(wide, number(2)))
    system = system_of(numbers((-2, 1), (-9, 9)), (TRUE, {1: low}), (inside, {0: wide, 1: minus(low, wide)}))
    agrees(system, [(x, y) for x in range(-2, 2) for y in range(-9, 10)])


def test_a_step_without_guard_and_update_stays_and_one_that_cannot_hold_is_none() -> None:
    system = system_of(numbers((0, 3)), (TRUE, {}), (FALSE, {0: number(1)}), (TRUE, {0: Read(0)}))
    assert by_code(system, (2,)) == [(0, (2,)), (2, (2,))]


def test_a_truth_value_becomes_a_number_and_a_number_a_choice() -> None:
    system = system_of(SLOTS, (TRUE, {0: less(N, K), 3: IS_B}), (TRUE, {4: ite(B, ite(C, number(2), Read(4)), K)}))
    agrees(system, STATES)


def test_fields_that_lie_across_sixty_four_bits_keep_apart() -> None:
    domains: list[Domain] = [Bool, Range(-1, 5), OneOf("a", "b", "c"), Range(9, 9), Range(-100, 100)] * 12
    slots = tuple(Slot(f"x{i}", domain) for i, domain in enumerate(domains))
    ends = [i for i in range(len(slots)) if i % 5 == 4]
    steps = [(TRUE, {a: Read(b), b: Read(a)}) for a, b in zip(ends, reversed(ends), strict=True) if a < b]
    steps += [(less(Read(a), number(100)), {a: plus(Read(a), number(1)), a - 4: less(Read(4), Read(a))}) for a in ends]
    steps += [(member(a, [0, 2], 0, 3), {a: number(1), a + 1: number(9)}) for a in range(2, len(slots), 5)]
    system = system_of(slots, *steps)
    assert Layout.of(system).offset[-1] > 150
    r = Random(1)
    agrees(system, [tuple(r.choice(domain.codes) for domain in domains) for _ in range(40)])
    highest = tuple(domain.high for domain in domains)
    layout = Layout.of(system)
    assert layout.unpack(layout.pack(highest)) == highest


def test_steps_come_process_by_process_and_parallel_ones_each_for_itself() -> None:
    system = digraph([0, 1])
    step = system.transitions[0]
    moves = tuple(replace(step, process=process) for process in (1, 0, 1, 0))
    parallel = replace(system, processes=(Process("a"), Process("b")), transitions=moves)
    assert by_code(parallel, (0,)) == [(0, (1,)), (2, (1,)), (1, (1,)), (3, (1,))]
    assert by_code(parallel, (1,)) == []


def test_a_process_that_may_be_at_several_places_moves_from_each_of_them_and_from_no_other() -> None:
    system = located("a b c d", "a:x:b")
    domain = system.slots[0].domain
    several = Transition(0, "several", member(0, [4, 6], 0, domain.size), ((0, number(5)),))
    anywhere = Transition(0, "anywhere", member(1, [1], 0, 2), ((1, number(0)),))
    nowhere = Transition(0, "nowhere", conj(several.guard, member(0, [5], 0, domain.size)), ())
    moved = replace(system, transitions=(*system.transitions, several, anywhere, nowhere))
    agrees(moved, list(product(domain.codes, (0, 1))))
    assert [step for step, _ in by_code(moved, (4, 1))] == [0, 1, 2]
    assert by_code(moved, (7, 0)) == []


def test_another_process_may_ask_where_one_is() -> None:
    system = located("a b c", "a:x:b b:y:c", processes=(Process("p", location=0), Process("watch")))
    watch = Transition(1, "watch", member(0, [5], 0, system.slots[0].domain.size), ((1, number(1)),))
    watched = replace(system, transitions=(*system.transitions, watch))
    agrees(watched, list(product(system.slots[0].domain.codes, (0, 1))))


def test_a_choice_among_three_hundred_values_is_compiled() -> None:
    value: Expr = number(0)
    for code in range(300):
        value = ite(equal(Read(0), number(code)), number(299 - code), value)
    system = system_of(numbers((0, 299)), (TRUE, {0: value}))
    agrees(system, [(code,) for code in range(0, 300, 7)])


def test_a_system_without_transitions_has_no_successors() -> None:
    assert by_code(system_of(numbers((0, 3))), (2,)) == []


def test_a_system_without_slots_has_one_state_and_steps_that_stay_there() -> None:
    assert by_code(system_of((), (TRUE, {})), ()) == [(0, ())]


# ---- the same system, the same code ---------------------------------------------------------------------------------


def source(system: System) -> str:
    return "\n".join(python._successor_lines(system, Layout.of(system), named=True))


def test_generated_code_is_the_same_each_time() -> None:
    for seed in range(20):
        assert source(random_system(seed)) == source(random_system(seed))
        assert source(random_located(seed)) == source(random_located(seed))


CHILD = """
import pickle, sys
from cprcheck.lower.python import Layout, _successor_lines
for system in pickle.load(sys.stdin.buffer):
    print("\\n".join(_successor_lines(system, Layout.of(system), True)))
"""


def test_generated_code_does_not_depend_on_the_seed_of_hashes() -> None:
    made = [random_system(seed) for seed in range(10)] + [random_located(seed) for seed in range(10)]
    expected = "".join(f"{source(system)}\n" for system in made)
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", CHILD]
        child = subprocess.run(command, input=pickle.dumps(made), env=environment, capture_output=True, check=True)
        assert child.stdout.decode() == expected


def test_a_step_is_one_test_and_one_assignment_of_bits() -> None:
    slots = (Slot("a", Bool), Slot("n", Range(-1, 2)), Slot("b", Bool))
    guard = conj(member(0, [1], 0, 2), at(1, 2, slots[1].domain), member(2, [0], 0, 2))
    assert source(system_of(slots, (guard, {0: number(0), 1: number(1)}))).splitlines()[1] == (
        "    if s & 15 == 7: add((0, s & 8 | 4))"
    )
