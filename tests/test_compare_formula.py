"""A formula is the polynomial through some sizes, and only if it holds at others."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cprcheck.compare.formula import HELD_OUT, IN_BOTH, IN_C, fit, sizes

COUNTS: dict[str, Callable[[int, int], int]] = {
    "0": lambda c, n: 0,
    "3": lambda c, n: 3,
    "C": lambda c, n: c,
    "2·C²": lambda c, n: 2 * c * c,
    "1/2·C² - 1/2·C": lambda c, n: c * (c - 1) // 2,
    "-C + 5": lambda c, n: 5 - c,
    "C·N + 2·N + 1": lambda c, n: c * n + 2 * n + 1,
    "2·C² + N²": lambda c, n: 2 * c * c + n * n,
    "3·C - N": lambda c, n: 3 * c - n,
}


@pytest.mark.parametrize("text", COUNTS)
def test_a_polynomial_is_found_and_written_down(text: str) -> None:
    found = fit({size: COUNTS[text](*size) for size in sizes(4, both=True)})
    assert found is not None
    assert str(found) == text
    assert (found.fitted, found.checked) == (IN_BOTH, ((4, 0), *HELD_OUT))


def test_in_containers_alone_other_objects_are_not_mentioned() -> None:
    found = fit({(c, 0): 2 * c for c in (1, 2, 3, 4)})
    assert found is not None
    assert (str(found), found.fitted, found.checked) == ("2·C", IN_C, ((4, 0),))


@pytest.mark.parametrize(
    "count",
    [lambda c, n: c**3, lambda c, n: 2**c, lambda c, n: min(c, 3), lambda c, n: n**3, lambda c, n: c * (c > 1)],
)
def test_what_is_no_polynomial_of_degree_two_has_no_formula(count: Callable[[int, int], int]) -> None:
    """Each of them goes through the sizes that a formula is made from; the others give it away."""
    assert fit({size: count(*size) for size in (*sizes(4, both=True), (1, 3))}) is None


def test_a_formula_that_cannot_be_checked_is_none() -> None:
    assert fit({(c, 0): c for c in (1, 2, 3)}) is None
    assert fit({(c, 0): c for c in (1, 2, 4)}) is None
    assert fit({}) is None
    assert sizes(3, both=True) == ((1, 0), (2, 0), (3, 0))


@given(st.tuples(*[st.fractions(-3, 3, max_denominator=4)] * 6))
def test_any_coefficients_come_back(coefficients: tuple[Fraction, ...]) -> None:
    a, b, c, d, e, f = coefficients
    counts = {(x, y): a * x * x + b * x * y + c * y * y + d * x + e * y + f for x, y in sizes(5, both=True)}
    found = fit(counts)  # type: ignore[arg-type]
    assert found is not None
    assert all(found.at(size) == count for size, count in counts.items())
    assert found.at((7, 5)) == 49 * a + 35 * b + 25 * c + 7 * d + 5 * e + f
