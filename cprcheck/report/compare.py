# SPDX-License-Identifier: Apache-2.0
"""Figures of designs as tables, for a terminal or a mail, as Markdown, and as JSON.  No winner is declared."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import version

from cprcheck.compare.measuring import Figures
from cprcheck.compare.pareto import OBJECTIVES, standings
from cprcheck.compare.parts import Versus
from cprcheck.report.compare_pair import reasons
from cprcheck.report.compare_sections import sections
from cprcheck.report.tables import columns, first_only, markdown_rows
from cprcheck.report.text import wrap

SCHEMA = "cprcheck-compare-3"
CROWDED = 8
"""Tables with more columns than that stand closer."""


def text(found: Sequence[Figures], pairs: Sequence[Versus] = ()) -> Iterator[str]:
    """The figures line by line, at most WIDTH columns wide."""
    for number, section in enumerate(sections(found, pairs)):
        yield from [""] * (2 if number else 0)
        yield section.title
        yield from wrap(section.about, 2)
        for table in section.tables:
            yield ""
            if table.place:
                yield from wrap(f"--- {table.place}", 0)
                yield from wrap(f"scope: {table.scope}", 2) if table.scope else ()
                yield ""
            yield from columns(table.header, first_only(table.rows), gap=1 if len(table.header) > CROWDED else 2)
    yield from [""] * bool(unknown(found, pairs))
    for line in unknown(found, pairs):
        yield from wrap(line, 0)


def markdown(found: Sequence[Figures], pairs: Sequence[Versus] = ()) -> Iterator[str]:
    """The same as Markdown, line by line."""
    for number, section in enumerate(sections(found, pairs)):
        yield from [""] * bool(number)
        yield from (f"## {section.title}", "", section.about)
        for table in section.tables:
            yield ""
            if table.place:
                yield from (f"### {table.place}", "")
            if table.scope:
                yield from (f"Scope: {table.scope}.", "")
            yield from markdown_rows(table.header, table.rows)
    yield from [""] * bool(unknown(found, pairs))
    yield from (f"* {line}" for line in unknown(found, pairs))


def dumps(found: Sequence[Figures], pairs: Sequence[Versus] = ()) -> str:
    """The figures as the text of a JSON file: no times, the same bytes each time; a single design has no standing."""
    data = {
        "schema": SCHEMA,
        "cprcheck": version("cprcheck"),
        "designs": [asdict(figures) for figures in found],
        "objectives": OBJECTIVES,
        "standings": [asdict(standing) for standing in (standings(found) if len(found) > 1 else ())],
        "pairs": [asdict(versus) for versus in pairs],
    }
    return json.dumps(data, indent=1) + "\n"


def unknown(found: Sequence[Figures], pairs: Sequence[Versus] = ()) -> list[str]:
    """Why some cells say that something is unknown."""
    said = [f"unknown of {figures.design}: {reason}" for figures in found for reason in figures.reasons]
    return said + [f"unknown of the pair: {reason}" for reason in reasons(pairs)]
