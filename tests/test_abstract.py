"""Abstract interpretation: what it says holds in every reachable state, and what it rules out never happens."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from strategies import random_system, reachable
from systems import at, counter, digraph, nodes

from cprcheck.domains import Bool, OneOf, Range
from cprcheck.engines import abstract
from cprcheck.engines.abstract import Abstraction
from cprcheck.errors import Source
from cprcheck.expr import FALSE, TRUE, Const, Read, conj, equal, less, member, neg, number, plus
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.semantics import evaluate, successors
from cprcheck.system import Event, Fairness, Fault, Kind, Process, Property, Slot, System, Transition

AT_REST = ("end", "not started", "dead", "aborted")


def located(names: str, steps: str, **more: object) -> System:
    """One process at places with one letter each; a step "a:x:b" leads from a to b and is called x."""
    domain = OneOf(*AT_REST, *(name.replace("_", " ") for name in names.split()))
    code = {name[0]: i for i, name in enumerate(names.split(), 4)} | {"0": 0}
    moves = tuple(
        Transition(0, x, member(0, [code[a]], 0, domain.size), ((0, Const(code[b])),), sources=(Source("m", line),))
        for line, (a, x, b) in enumerate(step.split(":") for step in steps.split())
    )
    slots = (Slot("@p", domain, "location"), Slot("x", Bool))
    return replace(System("s", slots, ((4,), (0,)), (Process("p", location=0),), moves), **more)


def random_located(seed: int) -> System:
    """One or two processes over a few kinds of location, each kind several times over, with some data.

    Copies of a location are equal: they have the same steps, to copies of the same locations.
    """
    r = Random(seed)
    count, kinds, copies = r.randint(1, 2), r.randint(2, 3), r.randint(1, 2)
    size = 4 + kinds * copies
    places = OneOf(*AT_REST, *(f"{kind} <{copy + 1}>" for copy in range(copies) for kind in range(kinds)))
    x, y = count, count + 1
    one, two = member(x, [1], 0, 2), member(y, [2], 0, 3)
    steps = [Transition(count, "poke", TRUE, ((x, neg(one)),))]
    for p, kind in ((p, kind) for p in range(count) for kind in range(kinds) for _ in range(r.randint(0, 2))):
        to, test = r.randint(-1, kinds - 1), r.choice([TRUE, one, neg(two)])
        effect = r.choice([(), ((x, number(1)),), ((x, number(0)), (y, number(2))), ((y, number(r.randint(0, 1))),)])
        events, faults = (Event("e"),) * (r.random() < 0.2), (Fault("f"),) * (r.random() < 0.2)
        for copy in range(copies):
            guard = conj(member(p, [4 + kind + kinds * copy], 0, size), test)
            goes = Const(0 if to < 0 else 4 + to + kinds * r.randrange(copies))
            steps.append(Transition(p, str(kind), guard, ((p, goes), *effect), (), faults, events))
    if r.random() < 0.5:
        steps.append(Transition(count, "kill", two, ((0, Const(2)),)))
    asked = member(0, r.sample(range(4, size), r.randint(1, 2)), 0, size) if r.random() < 0.4 else two
    claims = {
        Kind.INVARIANT: (neg(conj(one, two)),),
        Kind.REACHABLE: (asked,),
        Kind.EVENT_NEVER: (one,),
        Kind.DEADLOCK_FREE: (FALSE,),
        Kind.NO_STUCK: (),
        Kind.LEADS_TO: (one, asked),
        Kind.ALWAYS_POSSIBLE: (one, two),
    }
    return System(
        "located",
        (*(Slot(f"@p{p}", places, "location") for p in range(count)), Slot("x", Bool), Slot("y", Range(0, 2))),
        (*((4,) for _ in range(count)), (0, 1), (0,)),
        (*(Process(f"p{p}", r.choice(list(Fairness)[:2]), p) for p in range(count)), Process("poke", Fairness.WEAK)),
        tuple(steps),
        tuple(Property(k.value, k, said, ("e",) * (k is Kind.EVENT_NEVER)) for k, said in claims.items()),
    )


def run(system: System) -> Abstraction:
    made = Abstraction(system)
    assert made.run()
    return made


def sound(system: System) -> None:
    """What the abstraction of `system` says is true of every reachable state, and of every step from one."""
    made = run(system)
    said, live = made.invariant(), set(made.live())
    for state in reachable(system):
        assert evaluate(said, state), state
        assert {step for step, _ in successors(system, state)} <= live


@pytest.mark.parametrize("make", [random_system, random_located])
def test_the_invariant_holds_in_all_reachable_states_and_no_step_that_is_possible_is_ruled_out(make: object) -> None:
    for seed in range(150):
        sound(make(seed))


def test_values_that_are_only_bounded_are_bounded_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abstract, "COMBINATIONS", 0)
    for seed in range(100):
        sound(random_system(seed))


def test_fewer_keys_say_less_but_nothing_false(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(100):
        system = random_system(seed)
        cheapest = min(slot.domain.size for slot in system.slots) * len(system.transitions)
        monkeypatch.setattr(abstract, "WORK", cheapest)
        assert len(Abstraction(system).keys) == 1
        sound(system)


def test_without_any_key_nothing_is_ruled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abstract, "WORK", 0)
    sound(digraph([0, 1, 2]))


def test_several_initial_values_are_all_possible_even_when_one_is_listed_twice() -> None:
    system = digraph([0, 3], [1, 2])
    sound(system)
    sound(replace(system, init=((1, 1),)))


# ---- what is found ------------------------------------------------------------------------------------------------


def test_values_that_are_never_reached_are_excluded() -> None:
    system = digraph([0, 1, 2, 0], [1, 2])
    apart = replace(system, slots=(Slot("node", Range(0, 5)),))
    assert run(apart).invariant() == member(0, [0, 1, 2], 0, 6)


def test_a_step_from_a_value_that_is_never_reached_is_ruled_out() -> None:
    system = replace(digraph([0, 1], [2, 3]), init=((0,),))
    assert run(system).live() == [0]


def test_what_holds_at_a_line_of_a_process_is_found() -> None:
    system = located("a b", "a:take:b b:give:a")
    take, give = system.transitions
    take = replace(take, guard=conj(take.guard, member(1, [0], 0, 2)), update=(*take.update, (1, number(1))))
    give = replace(give, update=(*give.update, (1, number(0))))
    said = run(replace(system, transitions=(take, give))).invariant()
    everywhere = [(place, b) for place in system.slots[0].domain.codes for b in (0, 1)]
    assert [state for state in everywhere if evaluate(said, state)] == [(4, 0), (5, 1)]


def test_a_guard_over_two_slots_that_cannot_hold_rules_its_step_out() -> None:
    step = Transition(0, "up", less(Read(1), Read(0)), ((0, plus(Read(0), number(1))),))
    system = System("s", (Slot("x", Range(0, 3)), Slot("y", Range(0, 3))), ((0, 1), (1,)), (Process("p"),), (step,))
    assert run(with_domain_obligations(system)).live() == []


def test_an_assigned_expression_has_the_values_that_it_can_have() -> None:
    assert run(counter(2, guarded=True)).invariant() == member(0, [0, 1, 2], 0, 4)


def test_the_assumption_narrows_the_initial_values() -> None:
    system = replace(digraph([0, 2], [1, 3]), assume=at(0, 1, Range(0, 3)))
    assert run(system).invariant() == nodes(system, 1, 3)


def test_a_run_that_is_out_of_time_is_not_finished() -> None:
    assert not Abstraction(counter(3, guarded=True)).run(deadline=0.0)


def test_locations_are_keys_however_many_there_are_and_other_slots_while_it_is_cheap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = Slot("@p", OneOf(*AT_REST, "go"), "location")
    steps = (Transition(0, "t", TRUE, ()),)
    system = System("s", (Slot("big", Range(0, 9)), place, Slot("b", Bool)), ((0,),) * 3, (Process("p"),), steps)
    for work, keys in ((0, [1]), (6, [1]), (7, [1, 2]), (16, [1, 2]), (17, [0, 1, 2])):
        monkeypatch.setattr(abstract, "WORK", work)
        assert Abstraction(system).keys == keys


# ---- environments ---------------------------------------------------------------------------------------------------


def test_an_environment_holds_a_set_of_codes_for_each_slot() -> None:
    system = System(
        "s", (Slot("x", Range(-1, 1)), Slot("b", Bool), Slot("one", Range(7, 7))), ((0,), (0,), (7,)), (), ()
    )
    made = Abstraction(system)
    r = Random(1)
    for _ in range(200):
        masks = [r.randint(0, slot.domain.full) for slot in system.slots]
        env = made.full
        for slot, mask in enumerate(masks):
            env = made.put(env, slot, mask)
        assert [made.possible(env, slot) for slot in range(3)] == masks
        assert made.is_empty(env) == (0 in masks)
        assert made.allowed(env, [0, 2]) == {0: masks[0], 2: masks[2]}
        slot, mask = r.randrange(3), r.randint(0, 1)
        assert made.possible(made.only(env, slot, mask), slot) == masks[slot] & mask


def test_a_guard_excludes_an_environment_in_which_it_cannot_hold() -> None:
    step = Transition(0, "t", conj(equal(Read(0), Read(1)), less(number(0), Read(0))), ())
    system = System("s", (Slot("x", Range(0, 2)), Slot("y", Range(0, 2))), ((0,), (0,)), (Process("p"),), (step,))
    made = Abstraction(system)
    first, second = made.steps[0].rest
    apart = made.put(made.put(made.full, 0, 0b001), 1, 0b110)
    assert made.excludes(apart, first)
    assert made.excludes(apart, second)
    assert not made.excludes(made.full, first)
    assert not made.excludes(made.put(made.full, 0, 0b100), second)
