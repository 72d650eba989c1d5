# SPDX-License-Identifier: Apache-2.0
"""Figures of designs as tables, for a terminal or a mail, as Markdown, and as JSON.  No winner is declared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TypeVar

from cprcheck.compare.figures import OPERATIONS, TEST, Failure
from cprcheck.compare.measuring import Figures, Leftovers, Restores, Scope, Series
from cprcheck.report.tables import columns, first_only, markdown_rows
from cprcheck.report.text import wrap

T = TypeVar("T", Series, Restores, Leftovers)

WIDE = 120
"""Tables may be wider than text: a fault's label should fit into a line."""
SCHEMA = "cprcheck-compare-1"
GROUPS = {"old_qemu": "old QEMU", "new_qemu": "new QEMU"}
"""What the models' groups of processes are called in a table."""


@dataclass(frozen=True)
class Table:
    """One table, with what it is about: `place` in short, `scope` in full, both empty where there is no choice."""

    place: str
    scope: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Section:
    """The tables about one question, and what their cells mean."""

    title: str
    about: str
    tables: tuple[Table, ...]


def text(found: Sequence[Figures]) -> Iterator[str]:
    """The figures line by line, at most `WIDE` columns wide."""
    for number, section in enumerate(sections(found)):
        yield from [""] * (2 if number else 0)
        yield section.title
        yield from wrap(section.about, 2)
        for table in section.tables:
            yield ""
            if table.place:
                yield f"--- {table.place}"
                yield from wrap(f"scope: {table.scope}", 2)
                yield ""
            yield from columns(table.header, first_only(table.rows), WIDE)
    yield from [""] * bool(unknown(found))
    for line in unknown(found):
        yield from wrap(line, 0)


def markdown(found: Sequence[Figures]) -> Iterator[str]:
    """The same as Markdown, line by line."""
    for number, section in enumerate(sections(found)):
        yield from [""] * bool(number)
        yield from (f"## {section.title}", "", section.about)
        for table in section.tables:
            yield ""
            if table.place:
                yield from (f"### {table.place}", "", f"Scope: {table.scope}.", "")
            yield from markdown_rows(table.header, table.rows)
    yield from [""] * bool(unknown(found))
    yield from (f"* {line}" for line in unknown(found))


def dumps(found: Sequence[Figures]) -> str:
    """The figures as the text of a JSON file: no times, the same bytes each time."""
    data = {"schema": SCHEMA, "cprcheck": version("cprcheck"), "designs": [asdict(figures) for figures in found]}
    return json.dumps(data, indent=1) + "\n"


def unknown(found: Sequence[Figures]) -> list[str]:
    """Why some cells say that something is unknown."""
    return [f"unknown of {figures.design}: {reason}" for figures in found for reason in figures.reasons]


# ---- the tables ---------------------------------------------------------------------------------------------------


def sections(found: Sequence[Figures]) -> list[Section]:
    """The figures of all designs, question by question."""
    containers = next((len(series.runs) for figures in found for series in figures.clean), 0)
    sizes = ", ".join(map(str, range(1, containers + 1)))
    each = f"Each cell: C = {sizes} containers with a physical group each; ? is unknown."
    return [
        Section(
            "Lines of code",
            "Of the design's own file, without blank lines, comments and docstrings.",
            (Table("", "", ("design", "file", "lines"), tuple((f.design, f.file, str(f.lines)) for f in found)),),
        ),
        Section(
            "Operations on a run without failure",
            "On a shortest run to a successful update, by who performs them; never: there is no such run.  What "
            "devices do when they are realized, before the update, is not counted: a counter or blocker tests each "
            f"device's container then (2 ioctls at most).  {each}",
            _by_scope(found, lambda figures: figures.clean, _operations),
        ),
        Section(
            "Operations of a stop and a cont outside an update",
            f"On a shortest way from a running guest to a running guest; never: there is no such way.  {each}",
            _by_scope(found, lambda figures: figures.starts, _tests),
        ),
        Section(
            "From a failure to the restore",
            "A failure is a fault or a refusal that leaves a vaddr invalid in a living old QEMU.  Counted are the "
            "steps that may fail between it and the first MAP(V) of whoever restores, at least and at most; never: "
            "no restore can be reached.  Steps: the least number of all steps from the failure, which is not counted, "
            "to that MAP(V), which is; a shortest path in the graph of all states, by whichever processes and the "
            "user, whose command may have been typed before the failure and is no step then.  Certain: what has to "
            "happen leads there.  Guest runs: with an invalid vaddr, before anybody has restored.",
            _by_scope(found, lambda figures: figures.restores, _restores),
        ),
        Section(
            "What nobody recovers",
            "Faults and refusals after which, without another fault, a vaddr may stay invalid for good in a living old "
            "QEMU: what has to happen leads nowhere else.  And those after which the VM may be lost: it is in no QEMU, "
            "or for good in a new one where the update has failed.",
            _by_scope(found, lambda figures: figures.left, _leftovers),
        ),
    ]


def _by_scope(
    found: Sequence[Figures],
    part: Callable[[Figures], tuple[T, ...]],
    table: Callable[[list[tuple[str, T]]], tuple[tuple[str, ...], list[tuple[str, ...]]]],
) -> tuple[Table, ...]:
    """A table for each scope, of all designs that were measured in it."""
    groups: dict[Scope, list[tuple[str, T]]] = {}
    for figures in found:
        for measured in part(figures):
            groups.setdefault(measured.scope, []).append((figures.design, measured))
    made = []
    for scope, rows in groups.items():
        place = f"kernel {scope.kernel}, topology {scope.topology}, env {scope.env}"
        header, cells = table(rows)
        made.append(Table(place, _notes([(name, each.scope) for name, each in rows]), header, tuple(cells)))
    return tuple(made)


def _notes(scopes: Sequence[tuple[str, Scope]]) -> str:
    """What the scopes of all designs say, and then what only some say, with the design's name."""
    everybody = [note for note in scopes[0][1].notes if all(note in scope.notes for _, scope in scopes)]
    own = [f"{design}: {note}" for design, scope in scopes for note in scope.notes if note not in everybody]
    return "; ".join([*everybody, *own])


def _operations(rows: list[tuple[str, Series]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A column for each operation of each group that some design performs."""
    counts = [count for _, series in rows for run in series.runs for count in run.counts or ()]
    groups = dict.fromkeys(count.group for count in counts)
    kinds = [(g, kind) for g in groups for kind in OPERATIONS if any((c.group, c.kind) == (g, kind) for c in counts)]
    header = [f"{GROUPS.get(group, group)}:\n{kind}" if group else kind for group, kind in kinds]
    return ("design", *(header or ["operations"])), [
        (design, *([_cell(series, [key]) for key in kinds] or [_cell(series, [])])) for design, series in rows
    ]


def _tests(rows: list[tuple[str, Series]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A column for the tests, and for each other operation that some design performs."""
    counts = [count for _, series in rows for run in series.runs for count in run.counts or ()]
    kinds = [kind for kind in OPERATIONS if kind == TEST or any(count.kind == kind for count in counts)]
    groups = {count.group for count in counts}
    return ("design", *kinds), [
        (design, *(_cell(series, [(group, kind) for group in groups]) for kind in kinds)) for design, series in rows
    ]


def _cell(series: Series, keys: Iterable[tuple[str, str]]) -> str:
    """How often the operations `keys` (group, kind) are performed, for each number of containers."""
    wanted = set(keys)
    cells = []
    for run in series.runs:
        if run.counts is None:
            cells.append("?" if run.reason else "never")
        else:
            cells.append(str(sum(count.times for count in run.counts if (count.group, count.kind) in wanted)))
    return cells[0] if set(cells) == {"never"} else " ".join(cells)


def _restores(rows: list[tuple[str, Restores]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A row for each failure, and before them one for all failures of a design together."""
    cells: list[tuple[str, ...]] = []
    for design, restores in rows:
        if restores.reason or not restores.failures:
            cells.append((design, "?" if restores.reason else "none", *[""] * 5))
        elif len(restores.failures) > 1:
            cells.append((design, f"all {len(restores.failures)}", *_followed(restores.failures)))
        cells += [(design, failure.name, *_followed([failure])) for failure in restores.failures]
    return ("design", "failure", "before the restore", "steps", "certain", "guest runs", "restored by"), cells


def _followed(failures: Sequence[Failure]) -> tuple[str, str, str, str, str]:
    """What follows one of `failures`: the five last cells of a row."""
    by = dict.fromkeys(name for failure in failures for name in failure.by)
    certain, runs = all(failure.certain for failure in failures), any(failure.runs for failure in failures)
    told = "yes" if certain else "no", "yes" if runs else "no", ", ".join(by) or "nobody"
    return span(failures), fewest(failures), *told


def span(failures: Sequence[Failure]) -> str:
    """The least and the most steps that may fail before the restore, over all of `failures`: `0 to 3 or never`."""
    least = min((failure.least for failure in failures if failure.least is not None), default=None)
    if least is None:
        return "never"
    most = [failure.most for failure in failures if failure.least is not None]
    highest = max((number for number in most if number is not None), default=0)
    bounds = f"{least}, no bound" if None in most else f"{least} to {highest}" if least < highest else str(least)
    return f"{bounds} or never" if any(failure.never for failure in failures) else bounds


def fewest(failures: Sequence[Failure]) -> str:
    """The least number of steps to the restore, over all of `failures` after which one can be reached."""
    steps = min((failure.steps for failure in failures if failure.steps is not None), default=None)
    return "never" if steps is None else str(steps)


def _leftovers(rows: list[tuple[str, Leftovers]]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """A row for each design."""
    cells = []
    for design, leftovers in rows:
        said = [leftovers.left.invalid, leftovers.left.lost]
        cells.append((design, *("?" if leftovers.reason else "; ".join(names) or "none" for names in said)))
    return ("design", "a vaddr stays invalid", "the VM is lost"), cells
