# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal, drawn by rich."""

from __future__ import annotations

import io
import sys
from collections.abc import Container, Iterable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from cprcheck.report.text import WIDTH


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

    They are `gap` apart; the columns `whole`, by number, are never wrapped.
    """
    table = Table(box=None, show_header=bool(header), pad_edge=False, padding=(0, gap, 0, 0))
    for row in rows:
        if not table.columns:
            for at in range(len(row)):
                table.add_column(header[at] if header else "", no_wrap=at in whole, overflow="fold")
        table.add_row(*row)
    out = io.StringIO()
    width = None if sys.stdout.isatty() else wide
    Console(file=out, width=width, highlight=False, markup=False, color_system=None).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]


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
