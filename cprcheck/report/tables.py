# SPDX-License-Identifier: Apache-2.0
"""Tables for a terminal, drawn by rich."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from cprcheck.report.text import WIDTH


def two_columns(rows: Iterable[tuple[str, str]]) -> list[str]:
    """Names and what they mean, side by side, as wide as the terminal or WIDTH."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    for name, meaning in rows:
        table.add_row(name, meaning)
    out = io.StringIO()
    width = None if sys.stdout.isatty() else WIDTH
    Console(file=out, width=width, highlight=False, markup=False, color_system=None).print(table)
    return [line.rstrip() for line in out.getvalue().splitlines()]
