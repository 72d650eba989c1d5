"""A trace is shown only when the reference interpreter has walked it, and it shows what it should."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest
from systems import digraph, emits, never, nodes

from cprcheck.domains import Bool, Range
from cprcheck.errors import DisagreementError
from cprcheck.expr import TRUE, member, neg, number
from cprcheck.replay import replay
from cprcheck.system import ABORTED, Event, Fairness, Fault, Kind, Process, Property, Slot, System, Transition
from cprcheck.trace import Trace

LINE = digraph([0, 1, 2, 3])
END = never(LINE, 3)


def run(*path: int, loop: int | None = None, steps: Iterable[int] | None = None) -> Trace:
    """The run of a digraph along `path`; on LINE, step i leads from i to i + 1."""
    return Trace(tuple((node,) for node in path), tuple(path[:-1] if steps is None else steps), loop)


def refusal(system: System, prop: Property, trace: Trace) -> str:
    with pytest.raises(DisagreementError) as caught:
        replay(system, prop, trace)
    return str(caught.value)


# ---- a run ----------------------------------------------------------------------------------------------------------


def test_a_run_to_a_bad_state_passes() -> None:
    replay(LINE, END, run(0, 1, 2, 3))


def test_a_trace_starts_in_an_initial_state() -> None:
    assert refusal(LINE, END, run(1, 2, 3)) == "the trace does not start in an initial state: node = 1"


def test_an_initial_state_satisfies_the_assumption() -> None:
    two = digraph([0, 2, 3], [1, 2])
    replay(two, never(two, 3), run(1, 2, 3, steps=(2, 1)))
    narrowed = replace(two, assume=nodes(two, 0))
    assert refusal(narrowed, never(two, 3), run(1, 2, 3, steps=(2, 1))) == (
        "the trace does not start in an initial state: node = 0 is false"
    )


def test_each_step_can_be_taken() -> None:
    assert refusal(LINE, END, run(0, 1, 3, steps=(0, 2))) == (
        "step 2 of the trace (2->3) cannot be taken there: node = 2 is false"
    )


def test_each_step_leads_to_the_next_state() -> None:
    assert refusal(LINE, END, run(0, 3, steps=(0,))) == (
        "step 1 of the trace (0->1) leads to another state: node = 1, where the trace has node = 3"
    )


def test_a_step_is_named_with_the_outcomes_of_its_choices() -> None:
    steps = (replace(LINE.transitions[0], choices=(("where", "on"),)), *LINE.transitions[1:])
    asked = replace(LINE, transitions=steps)
    assert refusal(asked, END, run(0, 3, steps=(0,))) == (
        "step 1 of the trace (0->1 (where: on)) leads to another state: node = 1, where the trace has node = 3"
    )


@pytest.mark.parametrize("step", [3, -3])
def test_each_step_is_one_of_the_system(step: int) -> None:
    refusal(LINE, never(LINE, 1), run(0, 1, steps=(step,)))


def test_a_state_has_a_code_for_each_slot() -> None:
    refusal(LINE, never(LINE, 0), Trace(((0, 0),)))


# ---- safety: the end decides --------------------------------------------------------------------------------------


def test_the_last_state_decides_an_invariant() -> None:
    assert refusal(LINE, END, run(0, 1, 2)) == "the trace does not decide never"


def test_the_last_state_satisfies_what_is_said_to_be_reachable() -> None:
    prop = Property("goal", Kind.REACHABLE, (nodes(LINE, 2),))
    replay(LINE, prop, run(0, 1, 2))
    assert refusal(LINE, prop, run(0, 1, 2, 3)) == "the trace does not decide goal"


def test_in_a_deadlock_nobody_can_move() -> None:
    prop = Property("moves", Kind.DEADLOCK_FREE)
    replay(LINE, prop, run(0, 1, 2, 3))
    assert refusal(LINE, prop, run(0, 1, 2)) == "the trace does not decide moves"
    assert refusal(LINE, replace(prop, formulas=(nodes(LINE, 3),)), run(0, 1, 2, 3)) == (
        "the trace does not decide moves"
    )


def test_an_abort_is_an_abort() -> None:
    aborted = (Event("aborted"),)
    leave = Transition(0, "abort", member(0, [4], 0, 5), ((0, number(ABORTED)),), events=aborted)
    system = System("s", (Slot("@p", Range(0, 4), "location"),), ((4,),), (Process("p", location=0),), (leave,))
    prop = Property("never_aborts", Kind.NO_ABORT, (TRUE,), ("aborted",))
    replay(system, prop, Trace(((4,), (ABORTED,)), (0,)))
    assert refusal(system, prop, Trace(((4,),))) == "the trace does not decide never_aborts"


def test_the_last_step_decides_a_step_invariant() -> None:
    prop = Property("no two", Kind.STEP_INVARIANT, (neg(member(0, [2], 0, 4, primed=True)),))
    replay(LINE, prop, run(0, 1, 2))
    for other in (run(0), run(0, 1), run(0, 1, 2, 3)):
        assert refusal(LINE, prop, other) == "the trace does not decide no two"


def test_the_last_step_emits_the_forbidden_event() -> None:
    loud = emits(LINE, {1: "bang"})
    prop = Property("silent", Kind.EVENT_NEVER, (TRUE,), ("bang",))
    replay(loud, prop, run(0, 1, 2))
    assert refusal(loud, prop, run(0, 1)) == "the trace does not decide silent"
    assert refusal(loud, replace(prop, formulas=(nodes(LINE, 2),)), run(0, 1, 2)) == "the trace does not decide silent"


def test_a_step_property_that_no_step_can_break_is_never_decided() -> None:
    prop = Property("silent", Kind.EVENT_NEVER, (TRUE,), ("bang",))
    assert refusal(LINE, prop, run(0, 1)) == "the trace does not decide silent"


# ---- leads-to: a fair lasso -----------------------------------------------------------------------------------------

RING = digraph([0, 1, 2, 1], [2, 3])
"""Steps: 0->1, 1->2, 2->1, 2->3."""
STEM_AND_LOOP = run(0, 1, 2, 1, steps=(0, 1, 2), loop=1)


def soon(trigger: Iterable[int], response: Iterable[int], system: System = RING) -> Property:
    return Property("soon", Kind.LEADS_TO, (nodes(system, *trigger), nodes(system, *response)))


def test_a_fair_lasso_without_the_response_passes() -> None:
    replay(RING, soon([0], [3]), STEM_AND_LOOP)


def test_the_trigger_may_be_raised_in_the_loop() -> None:
    replay(RING, soon([2], [0]), STEM_AND_LOOP)


def test_a_lasso_has_a_loop() -> None:
    assert refusal(RING, soon([0], [3]), replace(STEM_AND_LOOP, loop=None)) == "the trace against soon has no loop"


def test_a_loop_ends_where_it_starts() -> None:
    open_ = replace(STEM_AND_LOOP, loop=0)
    assert refusal(RING, soon([0], [3]), open_) == "the loop of the trace does not close"


@pytest.mark.parametrize(
    ("trigger", "response"),
    [([3], [3]), ([0], [0, 3]), ([0], [1]), ([0], [2]), ([1], [2]), ([2], [1])],
    ids=["never raised", "answered at once", "on the stem", "in the loop", "next in the loop", "round the loop"],
)
def test_a_lasso_never_answers_the_trigger(trigger: list[int], response: list[int]) -> None:
    assert refusal(RING, soon(trigger, response), STEM_AND_LOOP) == "the trace against soon answers the trigger"


def test_an_answer_before_the_trigger_is_none() -> None:
    replay(RING, soon([1], [0]), STEM_AND_LOOP)


def test_a_trigger_raised_again_after_an_answer_counts() -> None:
    twice = digraph([0, 1, 0])
    four = digraph([0, 1, 2, 3, 3])
    replay(four, soon([0, 2], [1], four), run(0, 1, 2, 3, 3, loop=3))
    assert refusal(twice, soon([0], [1], twice), run(0, 1, 0, loop=0)) == "the trace against soon answers the trigger"


def test_a_fault_lies_on_the_stem_only() -> None:
    path = ([0, 1, 2, 1], [2, 3])
    stem, loop = (digraph(*path, faults=[edge]) for edge in ((0, 1), (2, 1)))
    replay(stem, soon([0], [3]), STEM_AND_LOOP)
    assert refusal(loop, soon([0], [3]), STEM_AND_LOOP) == "the loop of the trace against soon takes a fault"


def test_a_run_may_stay_where_no_fair_process_can_move() -> None:
    replay(LINE, soon([2], [1], LINE), run(0, 1, 2, 3, loop=3))
    idle = digraph([0, 1], fair=False)
    replay(idle, soon([0], [1], idle), run(0, loop=0))


def test_a_run_may_not_stay_where_a_fair_process_can_move() -> None:
    assert refusal(LINE, soon([2], [3], LINE), run(0, 1, 2, loop=2)) == (
        "the loop of the trace against soon is unfair to walker"
    )


def test_a_process_that_can_move_only_by_a_fault_is_not_treated_unfairly() -> None:
    broken = digraph([0, 1], faults=[(0, 1)])
    replay(broken, soon([0], [1], broken), run(0, loop=0))


def beside(fairness: Fairness, *, always: bool) -> System:
    """The loop 0 1 of an unfair process; the process `other` can leave it from 1, or from both."""
    steps = (
        Transition(0, "there", member(0, [0], 0, 3), ((0, number(1)),)),
        Transition(0, "back", member(0, [1], 0, 3), ((0, number(0)),)),
        Transition(1, "leave", member(0, [0, 1] if always else [1], 0, 3), ((0, number(2)),)),
    )
    return System("s", (Slot("n", Range(0, 2)),), ((0,),), (Process("mill"), Process("other", fairness)), steps)


MILL = Trace(((0,), (1,), (0,)), (0, 1), 0)
UNFAIR = "the loop of the trace against soon is unfair to other"


def test_a_weakly_fair_process_moves_when_it_can_in_every_state_of_the_loop() -> None:
    claim = soon([0], [2], beside(Fairness.NONE, always=True))
    assert refusal(beside(Fairness.WEAK, always=True), claim, MILL) == UNFAIR
    replay(beside(Fairness.WEAK, always=False), claim, MILL)
    replay(beside(Fairness.NONE, always=True), claim, MILL)


def test_a_strongly_fair_process_moves_when_it_can_in_one_state_of_the_loop() -> None:
    claim = soon([0], [2], beside(Fairness.NONE, always=True))
    assert refusal(beside(Fairness.STRONG, always=False), claim, MILL) == UNFAIR


def test_a_strongly_fair_process_that_moves_in_the_loop_has_nothing_to_ask_for() -> None:
    system = beside(Fairness.STRONG, always=False)
    stay = replace(system.transitions[2], update=((0, number(0)),), faults=())
    moving = replace(system, transitions=(*system.transitions[:2], stay))
    claim = soon([0], [2], system)
    replay(moving, claim, Trace(((0,), (1,), (0,)), (0, 2), 0))


def test_a_broken_step_of_a_fair_process_does_not_make_it_able() -> None:
    system = beside(Fairness.STRONG, always=True)
    broken = replace(system.transitions[2], faults=(Fault("breaks"),))
    replay(replace(system, transitions=(*system.transitions[:2], broken)), soon([0], [2], system), MILL)


def test_a_lasso_is_a_run_first_of_all() -> None:
    assert refusal(RING, soon([0], [3]), run(0, 2, 1, 2, steps=(1, 2, 1), loop=1)) == (
        "step 1 of the trace (1->2) cannot be taken there: node = 1 is false"
    )


def test_truth_values_are_slots_like_others() -> None:
    flip = Transition(0, "flip", TRUE, ((0, neg(member(0, [1], 0, 2))),))
    system = System("s", (Slot("b", Bool),), ((0,),), (Process("p", Fairness.WEAK),), (flip,))
    prop = Property("off", Kind.INVARIANT, (member(0, [0], 0, 2),))
    replay(system, prop, Trace(((0,), (1,)), (0,)))
    assert refusal(system, prop, Trace(((0,), (0,)), (0,))) == (
        "step 1 of the trace (flip) leads to another state: b = True, where the trace has b = False"
    )
