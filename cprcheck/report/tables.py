# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal, drawn by rich."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from cprcheck.report.text import WIDTH

_BREAK = "\x1f"
"""For rich a blank that has no width; it is taken out again."""


def two_columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Names and what they mean, side by side, as wide as the terminal or WIDTH."""
    return columns((), rows)


def columns(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    wide: int = WIDTH,
    whole: Container[int] = (0,),
    gap: int = 2,
) -> list[str]:
    """Rows of cells under a header, if there is one, as wide as the terminal or `wide`.

    They are `gap` apart.  The columns `whole`, by number, are not wrapped; the others are between words, behind an
    underscore only where a word is too long for them, and elsewhere within a word only where there is no other way.
    """
    body = [tuple(row) for row in rows]
    by_column = list(zip(*([header] if header else []), *body, strict=True))
    out = io.StringIO()
    console = Console(
        file=out, width=None if sys.stdout.isatty() else wide, highlight=False, markup=False, color_system=None
    )
    widths = _widths(by_column, console.width - gap * (len(by_column) - 1), whole)
    table = Table(box=None, show_header=bool(header), pad_edge=False, padding=(0, gap, 0, 0))
    for at, width in enumerate(widths):
        table.add_column(_breakable(header[at], width) if header else "", width=width, overflow="fold")
    for row in body:
        table.add_row(*map(_breakable, row, widths))
    console.print(table)
    return [line.replace(_BREAK, "").rstrip() for line in out.getvalue().splitlines()]


def _widths(by_column: Sequence[Sequence[str]], space: int, whole: Container[int]) -> list[int]:
    """How wide each column is, all together at most `space`.

    Where they are wider the widest gives way, again and again, but none is narrower than its longest word; if the words
    are too wide, than the longest piece of a word with underscores; and if these are, anything goes.
    """
    widths = [_longest(cells, str.splitlines) for cells in by_column]
    for pieces in (str.split, _pieces):
        least = [widths[at] if at in whole else _longest(cells, pieces) for at, cells in enumerate(by_column)]
        if sum(least) <= space:
            break
    else:
        least = [1] * len(widths)
    while sum(widths) > space and widths != least:
        at = max((at for at, width in enumerate(widths) if width > least[at]), key=lambda at: widths[at])
        widths[at] -= 1
    return widths


def _longest(cells: Sequence[str], pieces: Callable[[str], list[str]]) -> int:
    """The width of the longest of the `pieces` of all cells, at least 1."""
    return max((cell_len(piece) for cell in cells for piece in pieces(cell)), default=1)


def _pieces(cell: str) -> list[str]:
    """The words of a cell, and where they have underscores, the parts of words that end in one."""
    return _breakable(cell, 0).replace(_BREAK, " ").split()


def _breakable(cell: str, width: int) -> str:
    """A cell in which words that are longer than `width` may be broken behind an underscore."""
    return re.sub(
        r"\S+", lambda word: word[0] if cell_len(word[0]) <= width else word[0].replace("_", f"_{_BREAK}"), cell
    )


def first_only(rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """The rows, with the first cell only where it is not that of the row before."""
    before = ""
    for first, *rest in rows:
        yield ("" if first == before else first, *rest)
        before = first


def markdown_rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in Markdown, line by line."""
    yield _markdown_row(header)
    yield _markdown_row(["---"] * len(header))
    yield from map(_markdown_row, rows)


def _markdown_row(cells: Sequence[str]) -> str:
    escaped = (cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
    return f"| {' | '.join(escaped)} |"
