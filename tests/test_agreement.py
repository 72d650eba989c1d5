"""No engine contradicts the reference interpreter, on random systems.

What is compared: the verdict of every property of a finite run; the length of shortest runs; the numbers of
states, of generated states and of levels; and the successors that z3 and the generated functions find.
"""

from __future__ import annotations

from collections import Counter

import pytest
import z3
from hypothesis import HealthCheck, Phase, given, settings
from strategies import random_system, reachable, systems

from cprcheck.engines import bmc, explicit, prove
from cprcheck.lower.python import compile_system
from cprcheck.lower.smt import Encoding
from cprcheck.passes.safety import goal
from cprcheck.replay import replay
from cprcheck.semantics import evaluate, initial_states, successors
from cprcheck.system import Kind, State, System
from cprcheck.verdict import Status

TALLY: Counter[str] = Counter()
"""What the random systems were like, for the test that they are not all trivial."""


def truth(system: System, name: str) -> tuple[Status, int | None]:
    """The verdict by the reference interpreter alone, with the number of states before the decision, less one."""
    question = goal(system, system.property(name))
    depth = reachable(system)
    hits = [d for state, d in depth.items() if evaluate(question.bad, state)]
    return (question.found, min(hits)) if hits else (question.excluded, None)


def agree(system: System) -> None:
    """All engines against the reference interpreter, on one system."""
    goals = [goal(system, prop) for prop in system.properties]
    result = explicit.search(system, goals, whole=True)
    depth = reachable(system)
    starts = list(initial_states(system))
    assert result.size.states == len(depth)
    assert result.size.generated == len(starts) + sum(len(successors(system, state)) for state in depth)
    assert result.size.depth == max(depth.values())
    found = explicit.answers(result, goals)
    bounded = bmc.check(system, goals, max(depth.values()))
    proved = prove.check(system, goals, seconds=20)
    for question in goals:
        name = question.prop.name
        status, steps = truth(system, name)
        assert found[name].status is status, name
        if steps is None:
            assert bounded[name].status is Status.UNKNOWN, name
        else:
            length = steps + (1 if question.steps else 0)
            assert len(found[name].trace) == len(bounded[name].trace) == length, name
            TALLY["deep"] += steps >= 3
        assert proved[name].status in (status, Status.UNKNOWN), name
        for answer in (found[name], bounded[name], proved[name]):
            if answer.trace is not None:
                replay(system, question.prop, answer.trace)
        TALLY["decided" if proved[name].status is not Status.UNKNOWN else "undecided"] += 1
    tally(system, depth)


def tally(system: System, depth: dict[State, int]) -> None:
    """Count what kind of system this was."""
    TALLY["systems"] += 1
    claim = truth(system, "claim")
    TALLY["violated at depth 3 or more"] += claim[0] is Status.VIOLATED and (claim[1] or 0) >= 3
    TALLY["with a dead end"] += any(not successors(system, state) for state in depth)
    TALLY["with a deadlock"] += truth(system, "moves")[0] is Status.VIOLATED
    breach = [prop for prop in system.properties if prop.kind is Kind.IN_DOMAIN]
    TALLY["with a domain breach"] += any(truth(system, prop.name)[0] is Status.VIOLATED for prop in breach)


CALM = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": [Phase.explicit, Phase.generate]}


@settings(max_examples=25, **CALM)
@given(systems)
def test_engines_agree_on_systems_that_hypothesis_finds(system: System) -> None:
    agree(system)


@pytest.mark.parametrize("batch", [*range(2), *(pytest.param(batch, marks=pytest.mark.slow) for batch in range(2, 8))])
def test_engines_agree_on_two_hundred_random_systems(batch: int) -> None:
    for seed in range(batch * 25, batch * 25 + 25):
        agree(random_system(seed))


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(20))
def test_engines_agree_on_two_thousand_random_systems(batch: int) -> None:
    for seed in range(1000 + batch * 100, 1000 + batch * 100 + 100):
        agree(random_system(seed))


def test_random_systems_are_not_trivial() -> None:
    """A third is violated at depth 3 or more; dead ends, deadlocks and domain breaches occur."""
    seen: Counter[str] = Counter()
    for seed in range(200):
        system = random_system(seed)
        depth = reachable(system)
        TALLY.clear()
        tally(system, depth)
        seen.update(TALLY)
    TALLY.clear()
    assert seen["violated at depth 3 or more"] * 3 >= 200, seen
    assert min(seen["with a dead end"], seen["with a deadlock"], seen["with a domain breach"]) >= 20, seen


@pytest.mark.slow
def test_prove_decides_nine_of_ten() -> None:
    decided = undecided = 0
    for seed in range(60):
        system = random_system(seed)
        for answer in prove.check(system, [goal(system, prop) for prop in system.properties], seconds=20).values():
            decided += answer.status is not Status.UNKNOWN
            undecided += answer.status is Status.UNKNOWN
    assert decided >= 9 * undecided, (decided, undecided)


def all_successors_by_z3(system: System, state: State) -> set[tuple[int, State]]:
    """Every model of the step formula from `state`, by adding its negation again and again."""
    encoding = Encoding(system)
    now, after = encoding.frame("0"), encoding.frame("1")
    formula, selector = encoding.step(now, after)
    solver = z3.Solver()
    solver.add(formula)
    for slot, variable, code in zip(system.slots, now.slots, state, strict=True):
        solver.add(variable == (bool(code) if slot.domain.kind == "bool" else code - slot.domain.low))
    found = set()
    while solver.check() == z3.sat:
        model = solver.model()
        step = model.eval(selector, model_completion=True).as_long()
        found.add((step, encoding.state(model, after)))
        solver.add(z3.Or(selector != step, *(a != model.eval(a, model_completion=True) for a in after.slots)))
    return found


@pytest.mark.parametrize("seed", range(40))
def test_successors_are_the_same_by_interpreter_generated_code_and_z3(seed: int) -> None:
    system = random_system(seed)
    compiled = compile_system(system)
    for state in sorted(reachable(system))[:6]:
        expected = successors(system, state)
        packed = compiled.layout.pack(state)
        by_code = [(step, compiled.layout.unpack(to)) for step, to in compiled.successors(packed)]
        assert sorted(by_code) == sorted(expected)
        assert sorted(map(compiled.layout.unpack, compiled.targets(packed))) == sorted(to for _, to in expected)
        assert all_successors_by_z3(system, state) == set(expected)
