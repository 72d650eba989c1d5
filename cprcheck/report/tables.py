# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal, drawn by rich."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from cprcheck.report.text import WIDTH


def two_columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Names and what they mean, side by side, as wide as the terminal or WIDTH."""
    return columns((), rows)


def columns(header: Sequence[str], rows: Iterable[Sequence[str]], wide: int = WIDTH) -> list[str]:
    """Rows of cells under a header, if there is one, as wide as the terminal or `wide`.

    The first column is never wrapped.
    """
    table = Table(box=None, show_header=bool(header), pad_edge=False, padding=(0, 2, 0, 0))
    for row in rows:
        if not table.columns:
            for at in range(len(row)):
                table.add_column(header[at] if header else "", no_wrap=not at, overflow="fold")
        table.add_row(*row)
    out = io.StringIO()
    width = None if sys.stdout.isatty() else wide
    Console(file=out, width=width, highlight=False, markup=False, color_system=None).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]
