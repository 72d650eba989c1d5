# SPDX-License-Identifier: Apache-2.0
"""A count as a formula in the number of containers C and of other saved objects N: fitted exactly, then checked.

The polynomial of degree two through as many sizes as it has terms is the only one; it counts as a formula when it also
gives what was counted at sizes that it was not made from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

Size = tuple[int, int]
"""(C, N)"""
Power = tuple[int, int]
"""The exponents of C and of N."""
IN_BOTH: tuple[Size, ...] = ((1, 0), (2, 0), (3, 0), (1, 1), (2, 1), (1, 2))
"""Sizes through which exactly one polynomial of degree two in C and N goes."""
IN_C: tuple[Size, ...] = ((1, 0), (2, 0), (3, 0))
"""The same in C alone."""
HELD_OUT: tuple[Size, ...] = ((3, 2),)
"""Beside C = 4 and more, a size at which a formula in both is checked."""
POWERS: tuple[Power, ...] = ((2, 0), (1, 1), (0, 2), (1, 0), (0, 1), (0, 0))


@dataclass(frozen=True)
class Formula:
    """A count as a polynomial.  `terms` are (coefficient, exponent of C, exponent of N), none of them zero.

    `fitted` are the sizes that it was made from, `checked` the others, at which it holds too.
    """

    terms: tuple[tuple[str, int, int], ...]
    fitted: tuple[Size, ...]
    checked: tuple[Size, ...]

    def at(self, size: Size) -> Fraction:
        """The value at a size."""
        return sum((Fraction(times) * size[0] ** i * size[1] ** j for times, i, j in self.terms), Fraction(0))

    def __str__(self) -> str:
        shown = " + ".join(_term(*term) for term in self.terms) or "0"
        return shown.replace("+ -", "- ")


def sizes(containers: int, *, both: bool) -> tuple[Size, ...]:
    """At which sizes to count, to know a formula if `containers` is 4 or more; with `both` a formula in C and N."""
    row = tuple((c, 0) for c in range(1, containers + 1))
    more = (*(size for size in IN_BOTH if size[1]), *HELD_OUT) if both and containers > len(IN_C) else ()
    return (*row, *more)


def fit(counts: Mapping[Size, int]) -> Formula | None:
    """The formula that gives all `counts`; None when there is none, or too few sizes to make one and check it."""
    made_from = IN_BOTH if any(n for _, n in counts) else IN_C
    checked = tuple(size for size in counts if size not in made_from)
    if not checked or any(size not in counts for size in made_from):
        return None
    powers = [power for power in POWERS if made_from is IN_BOTH or not power[1]]
    found = _solve([[Fraction(c**i * n**j) for i, j in powers] + [Fraction(counts[c, n])] for c, n in made_from])
    terms = tuple((str(times), i, j) for times, (i, j) in zip(found, powers, strict=True) if times)
    formula = Formula(terms, made_from, checked)
    return formula if all(formula.at(size) == count for size, count in counts.items()) else None


def _solve(rows: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """The solution of linear equations that have exactly one; the right-hand side is the last of each row."""
    left = [list(row) for row in rows]
    for column in range(len(left)):
        pivot = next(row for row in left[column:] if row[column])
        left.remove(pivot)
        pivot = [number / pivot[column] for number in pivot]
        left = [[a - row[column] * b for a, b in zip(row, pivot, strict=True)] for row in left]
        left.insert(column, pivot)
    return [row[-1] for row in left]


def _term(times: str, i: int, j: int) -> str:
    """`2·C²`, `C·N`, `-1/2·N`, `3`."""
    letters = [letter + ("²" if power == 2 else "") for letter, power in (("C", i), ("N", j)) if power]
    if not letters:
        return times
    sign = {"1": "", "-1": "-"}.get(times)
    return sign + "·".join(letters) if sign is not None else "·".join([times, *letters])
