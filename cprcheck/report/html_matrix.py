# SPDX-License-Identifier: Apache-2.0
"""The verdicts of one or more reports as a table: a row for each property, a column for each configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cprcheck.report import text
from cprcheck.report.html_data import slugs, verdict_slugs
from cprcheck.verdict import Report, Status

SYMBOLS = {
    Status.VIOLATED: "✗",
    Status.UNREACHABLE: "✗",
    Status.UNKNOWN: "?",
    Status.HOLDS: "✓",
    Status.REACHABLE: "✓",
}
"""What stands before the word, so that a table can be skimmed without colours."""


@dataclass(frozen=True)
class Entry:
    """How the instances of a property fared that fared alike; `link` opens the shortest trace."""

    status: str
    symbol: str
    tone: str
    basis: str
    engines: str
    severity: str
    instances: str
    note: str
    link: str


@dataclass(frozen=True)
class Column:
    """A configuration: what tells it from the others, and what else is known about it."""

    model: str
    params: tuple[str, ...]
    scope: tuple[str, ...]
    title: str
    size: str
    digest: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """A property (a family of them), and how it fared in each configuration; no entries where nobody asked."""

    name: str
    claim: str
    cells: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True)
class Matrix:
    """The table.  `params` and `scope` are what all configurations share, `counts` how many verdicts fared how."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    params: tuple[str, ...]
    scope: tuple[str, ...]
    counts: tuple[tuple[str, str, int, str], ...]


def matrix(reports: Sequence[Report]) -> Matrix:
    """The table of `reports`."""
    params = _shared([[f"{key}={value or 'none'}" for key, value in found.system.params] for found in reports])
    scope = _shared([found.scope for found in reports])
    claims: dict[str, str] = {}
    cells: list[dict[str, tuple[Entry, ...]]] = []
    for found, slug in zip(reports, slugs(reports), strict=True):
        cells.append(_cells(found, slug))
        for verdict in found.verdicts:
            family = verdict.prop.family or verdict.prop.name
            claims[family] = claims.get(family) or " ".join(verdict.prop.doc.split())
    rows = [Row(name, claim, tuple(column.get(name, ()) for column in cells)) for name, claim in claims.items()]
    columns = [_column(found, params, scope) for found in reports]
    return Matrix(tuple(columns), tuple(rows), params, scope, _counts(reports))


def tone(status: Status) -> str:
    """good, bad or unknown: how the page tints it."""
    return "good" if status.good else "bad" if status.bad else "unknown"


def _shared(lists: Sequence[Iterable[str]]) -> tuple[str, ...]:
    """What is in all of the lists, in the order of the first."""
    first, *others = lists
    return tuple(item for item in first if all(item in other for other in others))


def _column(found: Report, params: tuple[str, ...], scope: tuple[str, ...]) -> Column:
    system = found.system
    own = (f"{key}={value or 'none'}" for key, value in system.params)
    return Column(
        system.name,
        tuple(param for param in own if param not in params),
        tuple(clause for clause in found.scope if clause not in scope),
        text.title(system),
        text.size_line(system, found.size),
        system.digest(),
        (system.merging, *text.unreached(found)),
    )


def _cells(found: Report, slug: str) -> dict[str, tuple[Entry, ...]]:
    """The entries of a column, by the name of their row."""
    words = dict(zip((verdict.prop.name for verdict in found.verdicts), verdict_slugs(found), strict=True))
    why = text.vacuous(found)
    cells: dict[str, list[Entry]] = {}
    for group in text.grouped(found.verdicts):
        first = group[0]
        family = first.prop.family or first.prop.name
        instances = sum(1 for verdict in found.verdicts if (verdict.prop.family or verdict.prop.name) == family)
        entry = Entry(
            first.status.value,
            SYMBOLS[first.status],
            tone(first.status),
            first.reason or first.basis,
            ", ".join(first.engines),
            first.severity,
            f"{len(group)} of {instances}" if instances > 1 else "",
            next((why[verdict.prop.name] for verdict in group if verdict.prop.name in why), ""),
            f"#{slug}/{words[first.prop.name]}/0" if first.trace is not None else "",
        )
        cells.setdefault(family, []).append(entry)
    return {family: tuple(entries) for family, entries in cells.items()}


def _counts(reports: Sequence[Report]) -> tuple[tuple[str, str, int, str], ...]:
    """(symbol, status, how many, tone) for each status that some verdict has."""
    statuses = [verdict.status for found in reports for verdict in found.verdicts]
    return tuple(
        (SYMBOLS[status], status.value, statuses.count(status), tone(status))
        for status in text.ORDER
        if status in statuses
    )
