"""Runs as data."""

from __future__ import annotations

import re

import pytest

from cprcheck.trace import Trace

A, B, C = (0,), (1,), (2,)


def exactly(message: str) -> str:
    """The pattern that matches `message` and nothing else."""
    return f"^{re.escape(message)}$"


def test_the_length_of_a_trace_is_the_number_of_its_steps() -> None:
    assert len(Trace((A,))) == 0
    assert len(Trace((A, B, C), (0, 1))) == 2


@pytest.mark.parametrize(
    ("states", "steps", "message"),
    [
        ((), (), "0 steps need 1 states"),
        ((A,), (0,), "1 steps need 2 states"),
        ((A, B), (), "0 steps need 1 states"),
        ((A, B), (0, 0), "2 steps need 3 states"),
    ],
)
def test_there_is_one_state_more_than_steps(
    states: tuple[tuple[int, ...], ...], steps: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=exactly(message)):
        Trace(states, steps)


@pytest.mark.parametrize("loop", [-1, 2, 5])
def test_a_loop_starts_at_one_of_the_states(loop: int) -> None:
    with pytest.raises(ValueError, match=exactly(f"the loop cannot start at state {loop} of 2")):
        Trace((A, B), (0,), loop)


@pytest.mark.parametrize("loop", [None, 0, 1])
def test_a_loop_may_start_at_any_state_the_last_one_included(loop: int | None) -> None:
    assert Trace((A, B), (0,), loop).loop == loop
