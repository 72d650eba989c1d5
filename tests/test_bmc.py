"""Bounded model checking: shortest runs at their exact depth, dead ends among them, and never a proof."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, repeat

import pytest
import z3
from strategies import random_system, reachable
from systems import at, counter, digraph, emits, never, nodes, token_ring

from cprcheck.domains import Range
from cprcheck.engines import bmc
from cprcheck.engines.bmc import Unrolling, ask, check
from cprcheck.expr import FALSE, TRUE, Read, disj, less, member, neg, number, plus
from cprcheck.passes.safety import Goal, goal
from cprcheck.replay import replay
from cprcheck.semantics import evaluate, successors
from cprcheck.system import Kind, Process, Property, Slot, State, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Status

LINE = digraph([0, 1, 2, 3, 4])
LOOP = digraph([0, 1, 2, 3, 4, 0])
MOVES = Property("moves", Kind.DEADLOCK_FREE, (FALSE,))


def bounded(system: System, *properties: Property, depth: int, seconds: float | None = None) -> dict[str, Answer]:
    return check(system, [goal(system, prop) for prop in properties], depth, seconds)


def unknown(reason: str) -> Answer:
    return Answer(Status.UNKNOWN, "bmc", reason=reason)


# ---- depth ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("node", range(5))
def test_a_run_is_found_at_its_depth_and_not_before(node: int) -> None:
    for system in (LINE, LOOP):
        claim = never(system, node)
        run = Trace(tuple((at,) for at in range(node + 1)), tuple(range(node)))
        for depth in (node, node + 1, node + 6):
            expected = Answer(Status.VIOLATED, "bmc", f"{node} steps", run)
            assert bounded(system, claim, depth=depth) == {"never": expected}
        if node:
            assert bounded(system, claim, depth=node - 1) == {"never": unknown(f"none within {node - 1} steps")}


def test_the_shortest_of_several_runs_is_found() -> None:
    system = digraph([0, 1, 2, 3, 4, 5], [0, 6, 5])
    assert bounded(system, never(system, 5), depth=9)["never"].trace == Trace(((0,), (6,), (5,)), (5, 6))


def test_a_run_starts_in_any_initial_state_that_satisfies_the_assumption() -> None:
    system = digraph([0, 1, 2, 5], [3, 4, 5])
    assert bounded(system, never(system, 5), depth=9)["never"].trace == Trace(((3,), (4,), (5,)), (3, 4))
    narrowed = replace(system, assume=nodes(system, 0))
    assert bounded(narrowed, never(narrowed, 5), depth=9)["never"].basis == "3 steps"


def test_the_state_that_decides_may_be_the_first_and_there_need_be_no_transition() -> None:
    system = replace(digraph([0, 1]), transitions=())
    said = bounded(system, never(system, 0), never(system, 1, name="other"), MOVES, depth=4)
    assert said["never"] == said["moves"] == Answer(Status.VIOLATED, "bmc", "0 steps", Trace(((0,),)))
    assert said["other"] == unknown("none within 4 steps")


def test_the_step_that_decides_is_added_to_the_run_beyond_the_depth() -> None:
    system = emits(LINE, {2: "bang"})
    silent = Property("silent", Kind.EVENT_NEVER, (TRUE,), ("bang",))
    run = Trace(((0,), (1,), (2,), (3,)), (0, 1, 2))
    assert bounded(system, silent, depth=2)["silent"] == Answer(Status.VIOLATED, "bmc", "3 steps", run)
    assert bounded(system, silent, depth=1)["silent"] == unknown("none within 1 steps")


# ---- dead ends ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "steps"),
    [
        ([[0]], 0),
        ([[0, 1]], 1),
        ([[0, 1], [0, 2, 3, 0]], 1),
        ([[0, 1, 2, 0], [2, 3, 4]], 4),
        ([[0, 0], [0, 1, 2, 3], [0, 4, 4]], 3),
    ],
)
def test_a_state_that_no_step_leaves_is_asked_about_whatever_else_goes_on(paths: list[list[int]], steps: int) -> None:
    system = replace(digraph(*paths), init=((0,),))
    for depth in (steps, steps + 4):
        answer = bounded(system, MOVES, depth=depth)["moves"]
        assert (answer.status, answer.basis) == (Status.VIOLATED, f"{steps} steps")
    if steps:
        assert bounded(system, MOVES, depth=steps - 1)["moves"].status is Status.UNKNOWN


def test_beyond_the_last_step_of_all_runs_nothing_is_found() -> None:
    everywhere = Property("claim", Kind.REACHABLE, (disj(nodes(LINE, 0, 1, 2), nodes(LINE, 3, 4)),))
    assert bounded(LINE, everywhere, depth=9)["claim"].basis == "0 steps"
    unrolling = Unrolling(LINE)
    question = goal(LINE, everywhere)
    outcomes = [ask(unrolling, question, None)]
    for _ in range(6):
        unrolling.extend()
        outcomes.append(ask(unrolling, question, None))
    assert outcomes == [z3.sat] * 5 + [z3.unsat] * 2


# ---- never a proof --------------------------------------------------------------------------------------------------


def test_what_is_not_found_is_unknown_however_deep_one_looks() -> None:
    system = counter(2, guarded=True)
    safe = Property("safe", Kind.INVARIANT, (less(Read(0), number(3)),))
    gone = Property("gone", Kind.REACHABLE, (neg(less(Read(0), number(3))),))
    for depth in (0, 3, 12):
        for answer in bounded(system, safe, gone, depth=depth).values():
            assert answer == unknown(f"none within {depth} steps")


def test_without_an_initial_state_nothing_is_found_and_nothing_proved() -> None:
    empty = replace(LINE, assume=FALSE)
    assert bounded(empty, never(empty, 0), MOVES, depth=3) == dict.fromkeys(
        ("never", "moves"), unknown("none within 3 steps")
    )


def test_every_depth_gives_what_the_interpreter_finds_up_to_there() -> None:
    for seed in range(15):
        system = random_system(seed)
        depth = reachable(system)
        goals = [goal(system, prop) for prop in system.properties]
        for limit in (0, 1, 3):
            said = check(system, goals, limit)
            for question in goals:
                hits = [d for state, d in depth.items() if evaluate(question.bad, state) and d <= limit]
                answer = said[question.prop.name]
                assert answer.status is (question.found if hits else Status.UNKNOWN), seed
                if answer.trace is not None:
                    replay(system, question.prop, answer.trace)
                    assert len(answer.trace) == min(hits) + bool(question.steps), seed


# ---- several questions ----------------------------------------------------------------------------------------------


def test_each_question_is_answered_at_its_own_depth() -> None:
    claims = [never(LOOP, node, name=str(node)) for node in (3, 0, 4, 1)]
    said = bounded(LOOP, *claims, depth=3)
    assert {name: answer.basis or answer.reason for name, answer in said.items()} == {
        "0": "0 steps",
        "1": "1 steps",
        "3": "3 steps",
        "4": "none within 3 steps",
    }


def test_nothing_is_unrolled_further_than_the_last_answer_or_the_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Unrolling] = []
    monkeypatch.setattr(bmc, "Unrolling", lambda system: made.append(Unrolling(system)) or made[-1])
    bounded(LOOP, never(LOOP, 1), never(LOOP, 2, name="two"), depth=20)
    bounded(LOOP, never(LOOP, 4), depth=2)
    bounded(LOOP, depth=20)
    assert [len(unrolling.frames) for unrolling in made] == [3, 3, 1]


# ---- time -----------------------------------------------------------------------------------------------------------


def test_without_time_nothing_is_asked() -> None:
    assert bounded(LINE, never(LINE, 0), depth=3, seconds=0) == {
        "never": unknown("timed out at 0 steps: no reason given")
    }


def test_when_time_runs_out_what_was_found_is_kept_and_the_rest_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = chain([0.0] * 7, repeat(9.0))
    monkeypatch.setattr(bmc, "monotonic", lambda: next(clock))
    said = bounded(LOOP, never(LOOP, 1), never(LOOP, 4, name="four"), never(LOOP, 2, name="two"), depth=9, seconds=5)
    assert said["never"].trace == Trace(((0,), (1,)), (0,))
    assert said["four"] == said["two"] == unknown("timed out at 2 steps: no reason given")


def test_a_solver_that_gives_up_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    class GivesUp:
        def __init__(self, solver: z3.Solver) -> None:
            self.add, self.set, self.model = solver.add, solver.set, solver.model

        def check(self, *_: object) -> z3.CheckSatResult:
            return z3.unknown

        def reason_unknown(self) -> str:
            return "canceled"

    genuine = z3.SolverFor
    monkeypatch.setattr(z3, "SolverFor", lambda logic: GivesUp(genuine(logic)))
    assert bounded(LINE, never(LINE, 0), depth=3) == {"never": unknown("timed out at 0 steps: canceled")}


# ---- unrolling ------------------------------------------------------------------------------------------------------


def satisfied(unrolling: Unrolling, system: System, state: State) -> bool:
    """Whether the last state of some run is `state`."""
    cube = [at(slot, code, system.slots[slot].domain) for slot, code in enumerate(state)]
    return ask(unrolling, Goal(MOVES, neg(disj(*map(neg, cube)))), None) == z3.sat


def test_runs_of_each_length_end_exactly_where_the_interpreter_ends() -> None:
    for system in (token_ring(3), counter(3, guarded=True), digraph([0, 1, 3], [0, 2, 2], [1, 0])):
        unrolling = Unrolling(system)
        ends = {state for state, depth in reachable(system).items() if depth == 0}
        everything = list(reachable(system))
        for _ in range(4):
            assert {state for state in everything if satisfied(unrolling, system, state)} == ends
            unrolling.extend()
            ends = {after for state in ends for _, after in successors(system, state)}


def test_a_run_may_start_anywhere_in_the_domains_when_told_so() -> None:
    system = System(
        "s",
        (Slot("x", Range(-1, 3)),),
        ((0,),),
        (Process("p"),),
        (Transition(0, "up", member(0, [-1, 0], -1, 5), ((0, plus(Read(0), number(1))),)),),
    )
    free = Unrolling(system, from_init=False)
    assert [satisfied(free, system, (code,)) for code in range(-1, 4)] == [True] * 5
    beyond = neg(member(0, range(-1, 4), -1, 8))
    assert ask(free, Goal(MOVES, beyond), None) == z3.unsat
    free.extend()
    assert [satisfied(free, system, (code,)) for code in range(-1, 4)] == [False, True, True, False, False]


def test_the_run_of_a_model_tells_which_transition_was_taken() -> None:
    double = replace(LINE, transitions=(*LINE.transitions, replace(LINE.transitions[0], label="again")))
    unrolling = Unrolling(double)
    frame = unrolling.extend()
    assert frame.name == "1"
    unrolling.solver.add(unrolling.selectors[0] != 0)
    assert ask(unrolling, goal(double, never(double, 1)), None) == z3.sat
    assert unrolling.trace() == Trace(((0,), (1,)), (4,))
