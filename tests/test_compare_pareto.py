"""The front: nobody is better in something without being worse in something else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cprcheck.compare.figures import Count
from cprcheck.compare.left import Attempt, Left, Pair, Pairs
from cprcheck.compare.measuring import Figures, Series
from cprcheck.compare.pareto import dominated, standings
from cprcheck.compare.parts import Again, Finding, Leftovers, Run, Scope, Verdicts


def test_who_is_worse_in_something_and_better_in_nothing_is_dominated() -> None:
    measured = {"cheap": (1, 5), "safe": (5, 1), "both": (5, 5), "twin": (5, 1), "poor": (6, 5)}
    assert dominated(measured) == {
        "cheap": (),
        "safe": (),
        "both": ("cheap", "safe", "twin"),
        "twin": (),
        "poor": ("cheap", "safe", "both", "twin"),
    }


def test_alone_one_is_on_the_front() -> None:
    assert dominated({"only": (9, 9)}) == {"only": ()}
    assert dominated({}) == {}


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(*[st.integers(0, 3)] * 3), min_size=1))
def test_the_front_is_never_empty_and_nobody_on_it_beats_another_there(measured: dict[str, tuple[int, ...]]) -> None:
    front = {name: measured[name] for name, by in dominated(measured).items() if not by}
    assert front
    for mine in front.values():
        for theirs in front.values():
            assert mine == theirs or any(a < b for a, b in zip(mine, theirs, strict=True))


# ---- what is counted ------------------------------------------------------------------------------------------------

DISK, BETWEEN, REFUSED = "disk full", "between fails", "c1 refuses: capable?"
SIZES, STOPS, QUIET, AGAIN = (Scope("E1", "Cp", "quiet"), Scope("E1", "Cp", "cont,stop"), Scope("E1", "2p", "quiet"),
                              Scope("E1", "2p", "again"))  # fmt: skip


def runs(*times: int | None) -> tuple[Run, ...]:
    counts = (None if n is None else (Count("old", "test", n), Count("new", "MAP(V)", 1)) for n in times)
    return (*(Run(c, each) for c, each in enumerate(counts, 1)), Run(3, (Count("old", "test", 99),), others=2))


def figures(name: str, left: tuple[str, ...], of: tuple[str, ...]) -> Figures:
    """A design with 7 + 1 and 3 + 1 operations that leaves `left` behind, alone and before a full disk."""
    pairs = Pairs(
        tuple(Pair(one, DISK, invalid=True, lost=False, alone=True) for one in left), tuple((x, DISK) for x in of)
    )
    return Figures(
        name,
        f"{name}.py",
        1,
        (Series(SIZES, runs(5, 7)),),
        (Series(STOPS, runs(2, 3)),),
        (),
        (Leftovers(QUIET, Left(left, (), of)),),
        (Verdicts(QUIET, (Finding("safe", "safe", "VIOLATED", 3), Finding("may", "may", "UNREACHABLE"))),),
        (Again(AGAIN, pairs, tuple(Attempt(x, always=x not in left, never=False) for x in of)),),
    )


ONE = figures("one", (DISK,), (DISK,))
OTHER = figures("other", (DISK, BETWEEN, REFUSED), (DISK, BETWEEN, REFUSED))


def test_the_objectives_are_those_of_the_largest_size_and_of_all_places() -> None:
    (alone,) = standings([ONE])
    assert alone.values == (8, 4, 2, 1, 1)
    twice = replace(ONE, left=(*ONE.left, replace(ONE.left[0], scope=replace(QUIET, topology="p/e"))))
    (alone,) = standings([twice])
    assert alone.values == (8, 4, 2, 2, 1)


def test_a_fault_counts_where_it_can_strike_every_design_and_a_refusal_always() -> None:
    one, other = standings([ONE, OTHER])
    assert one.values == (8, 4, 2, 1, 1)
    assert other.values == (8, 4, 2, 2, 2)  # the refusal, and not what fails between two containers
    assert (one.dominated_by, other.dominated_by) == ((), ("one",))


def test_pairs_of_failures_are_no_objective() -> None:
    """Whoever dies at the first failure has none."""
    dies = replace(ONE, design="dies", again=(replace(ONE.again[0], pairs=Pairs((), ())),))
    one, other = standings([ONE, dies])
    assert (one.values, one.dominated_by, other.dominated_by) == (other.values, (), ())


def test_a_property_counts_where_every_design_has_it() -> None:
    more = replace(
        ONE, design="more", verdicts=(Verdicts(QUIET, (*ONE.verdicts[0].findings, Finding("own", "own", "VIOLATED"))),)
    )
    assert [each.values for each in standings([ONE, more])] == [(8, 4, 2, 1, 1)] * 2
    (alone,) = standings([more])
    assert alone.values == (8, 4, 3, 1, 1)


UNKNOWN = {
    "no successful update": replace(ONE, clean=(Series(SIZES, runs(5, None)),)),
    "something is not known": replace(ONE, left=(replace(ONE.left[0], reason="timed out"),)),
    "the management never tries again": replace(ONE, again=()),
}


@pytest.mark.parametrize("why", UNKNOWN)
def test_of_what_is_not_known_nothing_is_said(why: str) -> None:
    unknown = replace(UNKNOWN[why], design="unknown")
    here, there = standings([unknown, OTHER])
    assert (here.values, here.dominated_by, there.dominated_by) == (None, (), ())


def test_kernels_are_told_apart() -> None:
    def moved(figures: Figures) -> Figures:
        series = tuple(replace(each, scope=replace(each.scope, kernel="E4")) for each in figures.clean)
        return replace(figures, clean=(*figures.clean, *series))

    assert [each.kernel for each in standings([moved(ONE), moved(OTHER)])] == ["E1", "E1", "E4", "E4"]
    assert [each.values for each in standings([moved(ONE)])][1] is None  # no stop and cont was counted there
