"""Walking a system by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from systems import digraph

from cprcheck.expr import FALSE
from cprcheck.trace import Trace
from cprcheck.walk import Walk

FORK = digraph([0, 1, 3], [0, 2])
TWO_STARTS = digraph([0, 2], [1, 2])


def test_the_only_initial_state_is_where_a_walk_starts() -> None:
    walk = Walk(FORK)
    assert walk.started
    assert walk.trace() == Trace(((0,),))


def test_the_options_are_the_steps_that_can_be_taken_with_the_states_after_them() -> None:
    assert Walk(FORK).options() == [(0, (1,)), (2, (2,))]


def test_taking_an_option_goes_on_from_there() -> None:
    walk = Walk(FORK)
    walk.take(0)
    assert walk.options() == [(1, (3,))]
    walk.take(0)
    assert walk.options() == []
    assert walk.trace() == Trace(((0,), (1,), (3,)), (0, 1))


def test_going_back_undoes_the_last_step_only() -> None:
    walk = Walk(FORK)
    walk.take(0)
    walk.take(0)
    walk.back()
    assert walk.trace() == Trace(((0,), (1,)), (0,))
    walk.back()
    walk.take(1)
    assert walk.trace() == Trace(((0,), (2,)), (2,))


def test_at_the_only_start_there_is_nothing_to_undo() -> None:
    walk = Walk(FORK)
    walk.back()
    assert walk.trace() == Trace(((0,),))


def test_among_several_initial_states_one_is_chosen_first() -> None:
    walk = Walk(TWO_STARTS)
    assert not walk.started
    assert walk.options() == [(-1, (0,)), (-1, (1,))]
    walk.take(1)
    assert walk.started
    assert walk.trace() == Trace(((1,),))
    assert walk.options() == [(1, (2,))]


def test_the_choice_of_an_initial_state_can_be_undone() -> None:
    walk = Walk(TWO_STARTS)
    walk.take(1)
    walk.take(0)
    walk.back()
    assert walk.started
    walk.back()
    assert not walk.started
    walk.take(0)
    assert walk.trace() == Trace(((0,),))


@pytest.mark.parametrize("option", [-1, 2])
def test_an_option_that_is_not_there_cannot_be_taken(option: int) -> None:
    walk = Walk(FORK)
    with pytest.raises(IndexError, match=rf"^{option}$"):
        walk.take(option)
    assert walk.trace() == Trace(((0,),))


def test_without_an_initial_state_there_is_nothing_to_take() -> None:
    walk = Walk(replace(FORK, assume=FALSE))
    assert not walk.started
    assert walk.options() == []
    with pytest.raises(IndexError):
        walk.take(0)
