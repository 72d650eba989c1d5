"""The failure matrix of V7 by hand, beside the one that is computed: the table of docs/failure_matrix.md.

`python tests/publish_matrix.py` writes it between its markers and leaves the rest of the page alone.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from hand_matrix import DESIGNS, NOBODY, ROWS, Cell, Hand

from cprcheck import catalog
from cprcheck.compare.aftermath import Matrix, Row
from cprcheck.compare.matrix import Options, measure, trying_again
from cprcheck.report.outcomes import vaddrs

PAGE = Path(__file__).resolve().parents[1] / "docs" / "failure_matrix.md"
BEGIN, END = "<!-- made by tests/publish_matrix.py -->\n", "<!-- end -->"
USUAL = {"topology": "p/p"}
"""Two containers, where a row does not say otherwise; the kernel is E1."""


@cache
def matrix(variant: str, params: tuple[tuple[str, str], ...], injected: bool, again: bool) -> Matrix:
    """What the tool says of one design in one configuration."""
    design, own = DESIGNS[variant]
    model = trying_again(catalog.find(design), {**USUAL, **dict(params), **own})
    return measure(model, Options(injected=injected, again=again, native=False))  # these models are heard elsewhere


def rows(hand: Hand, variant: str) -> tuple[Row, ...]:
    """The computed rows about what fails in `hand`."""
    found = matrix(variant, tuple(hand.params.items()), hand.injected, hand.again).rows
    chains = [hand.places] if hand.again else [(name,) for name in hand.places]
    return tuple(row for row in found if tuple(place.name for place in row.places) in chains)


def computed(hand: Hand, variant: str) -> frozenset[Cell]:
    """How these end, in the words of the hand-drawn table."""
    return frozenset((row.end.guest, vaddrs(row.end), ", ".join(row.end.by) or NOBODY) for row in rows(hand, variant))


def written_cells(cells: frozenset[Cell]) -> str:
    """Ends as a cell of a table."""
    return "; or ".join(sorted(f"{guest}, {addresses}, {by}" for guest, addresses, by in cells))


def command(hand: Hand, variant: str) -> str:
    """The command line that shows it."""
    design, own = DESIGNS[variant]
    params = {**USUAL, **hand.params, **own}
    words = ["cprcheck outcomes", design, *(f"-p {name}={value}" for name, value in params.items())]
    words += ["--injected"] * hand.injected + ["--again"] * hand.again
    return " ".join(words)


def line(hand: Hand, variant: str) -> str:
    """A row of the table."""
    ours, theirs = computed(hand, variant), hand.ends[variant]
    said = "same" if ours == theirs else "**differs**"
    return f"| {hand.fails} | {variant} | {written_cells(theirs)} | {written_cells(ours)} | {said} |"


def table() -> str:
    """The two side by side, row by row, and then where they differ and why."""
    lines = ["| fails | patches | by hand | computed | |", "|---" * 5 + "|"]
    lines += [line(hand, variant) for hand in ROWS for variant in DESIGNS]
    lines += ["", "Where they differ:", ""]
    lines += [f"* {hand.fails}: {hand.why}." for hand in ROWS if hand.why]
    lines += ["", "The rows, in the same order:", "", "```sh"]
    lines += dict.fromkeys(command(hand, variant) for hand in ROWS for variant in DESIGNS)
    return "\n".join([*lines, "```"]) + "\n"


def written(page: str) -> str:
    """`page` with a new table."""
    return re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: f"\n{table()}\n", page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
