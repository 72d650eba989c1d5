"""The breadth-first search: shortest traces, counts done by hand, limits, and when it may stop."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, repeat

import pytest
from strategies import random_system, reachable
from systems import at, counter, digraph, emits, never, nodes, token_ring

from cprcheck.domains import Range
from cprcheck.engines import explicit
from cprcheck.engines.explicit import Limits, Search, answers, search
from cprcheck.expr import FALSE, TRUE, Read, conj, less, neg, number, plus
from cprcheck.passes.safety import Goal, goal
from cprcheck.replay import replay
from cprcheck.system import Kind, Process, Property, Slot, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Size, Status


def asked(system: System, *properties: Property) -> list[Goal]:
    return [goal(system, prop) for prop in properties]


def sought(system: System, *values: int, name: str = "seen") -> Property:
    """The claim that a digraph can get to one of these nodes."""
    return Property(name, Kind.REACHABLE, (nodes(system, *values),))


def ask(system: System, *properties: Property, limits: Limits | None = None, whole: bool = False) -> dict[str, Answer]:
    goals = asked(system, *properties)
    return answers(search(system, goals, limits, whole=whole), goals)


def visited(result: Search) -> list[int]:
    """The nodes of a digraph in the order in which they were found."""
    return [result.compiled.layout.unpack(packed)[0] for packed in result.parents]


# ---- what is seen and counted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("system", "size"),
    [
        (digraph([0]), Size(1, 1, 0, complete=True)),
        (digraph([0, 0]), Size(1, 2, 0, complete=True)),
        (digraph([0, 1, 2, 3]), Size(4, 4, 3, complete=True)),
        (digraph([0, 1, 2, 0]), Size(3, 4, 2, complete=True)),
        (digraph([0, 1, 3], [0, 2, 3], [0, 3]), Size(4, 6, 1, complete=True)),
        (digraph([0, 1, 2, 4], [3, 4, 3]), Size(5, 7, 2, complete=True)),
        (replace(digraph([0, 1], [2, 3]), init=((0,),)), Size(2, 2, 1, complete=True)),
        (counter(3, guarded=True), Size(4, 4, 3, complete=True)),
        (token_ring(5), Size(5, 6, 4, complete=True)),
    ],
)
def test_states_generated_states_and_depth_are_those_counted_by_hand(system: System, size: Size) -> None:
    assert search(system).size == size


def test_each_of_several_edges_between_two_states_is_generated() -> None:
    system = digraph([0, 1, 2])
    assert search(replace(system, transitions=system.transitions * 3)).size == Size(3, 7, 2, complete=True)


def test_an_initial_state_that_is_listed_twice_is_one() -> None:
    assert search(replace(digraph([0, 1]), init=((0, 0),))).size == Size(2, 2, 1, complete=True)


def test_states_are_found_level_by_level() -> None:
    assert visited(search(digraph([0, 2, 4, 1], [3, 4], [0, 5, 6]))) == [0, 3, 2, 5, 4, 6, 1]


def test_each_state_remembers_which_state_it_was_first_reached_from() -> None:
    result = search(digraph([0, 2, 4, 1], [3, 4], [0, 5, 1]))
    assert result.parents == {0: None, 3: None, 2: 0, 5: 0, 4: 3, 1: 5}


def test_without_an_initial_state_there_is_nothing_to_see_and_nothing_goes_wrong() -> None:
    system = replace(digraph([0, 1, 2]), assume=FALSE)
    assert search(system).size == Size(0, 0, 0, complete=True)
    said = ask(system, never(system, 0), sought(system, 0))
    assert [said[name].status for name in ("never", "seen")] == [Status.HOLDS, Status.UNREACHABLE]


def test_the_assumption_chooses_among_the_initial_states() -> None:
    system = digraph([0, 1], [2, 3])
    assert visited(search(replace(system, assume=nodes(system, 2, 3)))) == [2, 3]


# ---- answers and traces ---------------------------------------------------------------------------------------------


DETOUR = digraph([0, 1, 2, 3, 4, 5, 6], [0, 7, 5], [3, 6], [6, 0])


def test_a_violation_is_shown_by_a_shortest_run() -> None:
    system = replace(DETOUR, init=((0,),))
    answer = ask(system, never(system, 6))["never"]
    assert (answer.status, answer.engine, answer.basis, answer.reason) == (Status.VIOLATED, "explicit", "3 steps", "")
    assert answer.trace == Trace(((0,), (7,), (5,), (6,)), (6, 7, 5))


def test_a_run_starts_at_the_nearest_initial_state() -> None:
    answer = ask(DETOUR, never(DETOUR, 5))["never"]
    assert answer.trace == Trace(((0,), (7,), (5,)), (6, 7))
    assert ask(DETOUR, sought(DETOUR, 6))["seen"].trace == Trace(((6,),))


def test_what_the_first_state_decides_takes_no_step() -> None:
    system = digraph([0, 1])
    answer = ask(system, never(system, 0), sought(system, 0))
    assert answer["never"] == Answer(Status.VIOLATED, "explicit", "0 steps", Trace(((0,),)))
    assert answer["seen"] == Answer(Status.REACHABLE, "explicit", "0 steps", Trace(((0,),)))


def test_what_no_state_decides_rests_on_all_of_them() -> None:
    system = digraph([0, 1, 0], [0, 3])
    answer = ask(system, never(system, 2), sought(system, 2))
    assert answer["never"] == Answer(Status.HOLDS, "explicit", "all reachable states")
    assert answer["seen"] == Answer(Status.UNREACHABLE, "explicit", "all reachable states")


def test_the_step_that_decides_is_shown() -> None:
    system = emits(digraph([0, 1, 2, 3]), {1: "bang"})
    answer = ask(system, Property("silent", Kind.EVENT_NEVER, (TRUE,), ("bang",)))["silent"]
    assert answer == Answer(Status.VIOLATED, "explicit", "2 steps", Trace(((0,), (1,), (2,)), (0, 1)))


def test_a_deadlock_is_found_where_the_run_ends() -> None:
    system = digraph([0, 1, 2], [1, 1])
    answer = ask(replace(system, init=((0,),)), Property("moves", Kind.DEADLOCK_FREE, (FALSE,)))["moves"]
    assert answer.trace == Trace(((0,), (1,), (2,)), (0, 1))


def test_every_state_can_be_shown_by_a_run_as_long_as_its_depth() -> None:
    for seed in range(20):
        system = random_system(seed)
        depth = reachable(system)
        result = search(system)
        for packed in result.parents:
            trace = result.trace_to(packed)
            assert len(trace) == depth[trace.states[-1]], seed
            here = conj(*(at(i, trace.states[-1][i], slot.domain) for i, slot in enumerate(system.slots)))
            replay(system, Property("here", Kind.REACHABLE, (here,)), trace)


# ---- when it stops --------------------------------------------------------------------------------------------------

LINE = digraph([0, 1, 2, 3, 4, 5])


def test_the_search_ends_with_the_last_question() -> None:
    result = search(LINE, asked(LINE, never(LINE, 1), never(LINE, 3, name="late")))
    assert result.stopped == "every question was answered"
    assert visited(result) == [0, 1, 2, 3]
    assert result.size == Size(4, 4, 3, complete=False)


def test_a_question_without_an_answer_lets_the_search_go_on_to_the_end() -> None:
    result = search(LINE, asked(LINE, never(LINE, 1), Property("safe", Kind.INVARIANT, (TRUE,))))
    assert (result.stopped, result.size) == ("", Size(6, 6, 5, complete=True))
    assert result.found == {"never": 1}


def test_a_whole_search_sees_everything_whatever_has_been_answered() -> None:
    goals = asked(LINE, never(LINE, 1))
    result = search(LINE, goals, whole=True)
    assert (result.stopped, result.size) == ("", Size(6, 6, 5, complete=True))
    assert answers(result, goals) == ask(LINE, never(LINE, 1))


def test_a_search_without_questions_is_whole() -> None:
    assert search(LINE).size == search(LINE, whole=True).size == Size(6, 6, 5, complete=True)


def test_what_is_left_open_is_not_answered_by_a_search_that_ended_early() -> None:
    result = search(LINE, asked(LINE, never(LINE, 1)))
    other = asked(LINE, never(LINE, 5, name="other"))
    assert answers(result, other) == {
        "other": Answer(Status.UNKNOWN, "explicit", reason="every question was answered"),
    }


# ---- limits ---------------------------------------------------------------------------------------------------------

WIDE = digraph([0, 1, 4], [0, 2, 5], [0, 3, 6])


@pytest.mark.parametrize(
    ("limit", "seen", "complete", "depth"),
    [(1, 1, False, 0), (2, 4, False, 1), (4, 4, False, 1), (5, 7, False, 2), (7, 7, False, 2), (8, 7, True, 2)],
)
def test_a_limit_on_states_is_kept_level_by_level(limit: int, seen: int, complete: bool, depth: int) -> None:
    result = search(WIDE, limits=Limits(states=limit))
    assert (result.size.states, result.size.complete, result.size.depth) == (seen, complete, depth)
    assert result.stopped == ("" if complete else f"truncated at {seen} states")


def test_a_truncated_search_proves_nothing_but_shows_what_it_has_found() -> None:
    said = ask(WIDE, never(WIDE, 4), sought(WIDE, 6), never(WIDE, 2, name="near"), limits=Limits(states=2))
    for name in ("never", "seen"):
        assert said[name] == Answer(Status.UNKNOWN, "explicit", reason="truncated at 4 states")
    assert said["near"].trace == Trace(((0,), (2,)), (2,))


def test_what_the_last_level_before_a_limit_decides_is_found() -> None:
    result = search(WIDE, asked(WIDE, never(WIDE, 2)), Limits(states=4))
    assert (result.found, result.stopped) == ({"never": 2}, "every question was answered")
    both = search(WIDE, asked(WIDE, never(WIDE, 2)), Limits(states=4), whole=True)
    assert (both.found, both.stopped) == ({"never": 2}, "truncated at 4 states")


def test_thousands_of_states_are_written_in_groups() -> None:
    system = counter(2000, guarded=True, top=2000)
    assert search(system, limits=Limits(states=1234)).stopped == "truncated at 1 234 states"


def test_a_search_without_time_is_timed_out_and_proves_nothing() -> None:
    said = ask(LINE, never(LINE, 5), never(LINE, 0, name="first"), limits=Limits(seconds=0))
    assert said["never"] == Answer(Status.UNKNOWN, "explicit", reason="timed out after 0 s")
    assert said["first"].status is Status.VIOLATED


def test_a_search_that_runs_out_of_time_within_a_level_still_looks_at_what_it_has_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = 20_000
    hop = Transition(0, "hop", less(Read(0), number(many)), ((0, plus(Read(0), number(many))),))
    domain = Range(0, 2 * many - 1)
    system = System("s", (Slot("x", domain),), (tuple(range(many)),), (Process("p"),), (hop,))
    claims = [Property(f"below {code}", Kind.INVARIANT, (neg(at(0, code, domain)),)) for code in (many, 2 * many - 1)]
    clock = chain([0.0, 0.0], repeat(9.0))
    monkeypatch.setattr(explicit, "monotonic", lambda: next(clock))
    result = search(system, asked(system, *claims), Limits(seconds=5))
    assert result.size == Size(many + (1 << 14), many + (1 << 14), 1, complete=False)
    said = answers(result, asked(system, *claims))
    assert said["below 20000"].trace == Trace(((0,), (many,)), (0,))
    assert said["below 39999"] == Answer(Status.UNKNOWN, "explicit", reason="timed out after 5 s")


def test_progress_is_told_level_by_level() -> None:
    told: list[tuple[int, int]] = []
    search(WIDE, progress=lambda states, depth: told.append((states, depth)))
    assert told == sorted(told)
    assert set(told) == {(1, 0), (4, 1), (7, 2)}
