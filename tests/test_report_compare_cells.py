"""Cells of the tables of figures: what several instances or several failures come to."""

from __future__ import annotations

import pytest

from cprcheck.compare.figures import Failure
from cprcheck.compare.parts import Finding
from cprcheck.report.compare_tables import finding, span, steps

FINDINGS = [
    ([("HOLDS", None, None), ("HOLDS", None, None)], "holds"),
    ([("HOLDS", None, None), ("UNKNOWN", None, None)], "?"),
    ([("UNKNOWN", None, None), ("VIOLATED", 9, None), ("VIOLATED", 8, None)], "V 8"),
    ([("VIOLATED", 9, 3)], "V 6+3"),
    ([("VIOLATED", 9, 0)], "V 9+0"),
    ([("VIOLATED", None, None)], "V"),
    ([("REACHABLE", 20, None)], "R 20"),
    ([("UNREACHABLE", None, None)], "never"),
    ([], "-"),
]


@pytest.mark.parametrize(("told", "said"), FINDINGS)
def test_of_several_instances_the_worst_is_shown_with_its_shortest_trace(
    told: list[tuple[str, int | None, int | None]], said: str
) -> None:
    assert finding([Finding("x", "x", *each) for each in told]) == said


SPANS = [
    ([(0, 0, False)], "0"),
    ([(1, 2, False)], "1 to 2"),
    ([(1, 2, False), (0, 0, False)], "0 to 2"),
    ([(1, None, False), (3, 4, False)], "1, no bound"),
    ([(None, None, True)], "never"),
    ([(None, None, True), (2, 2, False)], "2 or never"),
    ([(2, 2, True)], "2 or never"),
    ([(0, None, True)], "0, no bound or never"),
]


@pytest.mark.parametrize(("follows", "said"), SPANS)
def test_a_span_is_the_least_and_the_most(follows: list[tuple[int | None, int | None, bool]], said: str) -> None:
    failures = [
        Failure("x", least, most, None, None, certain=True, never=never, runs=False, by=())
        for least, most, never in follows
    ]
    assert span(failures) == said


STEPS = [
    ([(3, 3)], "3"),
    ([(3, 5), (2, 2)], "2 to 5"),
    ([(None, None), (3, 3)], "3"),
    ([(3, None), (9, 12)], "3, no bound"),
    ([(None, None)], "never"),
]


@pytest.mark.parametrize(("follows", "said"), STEPS)
def test_the_steps_are_those_to_the_nearest_restore_and_those_on_the_longest_way(
    follows: list[tuple[int | None, int | None]], said: str
) -> None:
    failures = [Failure("x", 0, 0, *each, certain=True, never=False, runs=False, by=()) for each in follows]
    assert steps(failures) == said
