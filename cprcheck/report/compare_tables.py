# SPDX-License-Identifier: Apache-2.0
"""The figures of designs as tables: rows of cells, and what they are about."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from cprcheck.compare.figures import Failure
from cprcheck.compare.formula import fit
from cprcheck.compare.measuring import Figures, Series
from cprcheck.compare.pareto import OBJECTIVES, Standing
from cprcheck.compare.parts import Again, Finding, Leftovers, Restores, Scope, Verdicts
from cprcheck.compare.view import OPERATIONS, TEST
from cprcheck.verdict import Status

T = TypeVar("T", Series, Restores, Leftovers, Again, Verdicts)
Cells = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""(header, rows)"""
Placed = tuple[tuple[str, tuple[str, ...]], tuple[str, ...], tuple[tuple[str, ...], ...]]
"""((place, notes), header, rows)"""
GROUPS = {"old_qemu": "old QEMU", "new_qemu": "new QEMU"}
"""What the models' groups of processes are called in a table."""
NEVER = "never"
DETAILED = 3
"""Of more designs than that, a table has one row for all failures of a design; the JSON has each."""


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


def by_scope(
    found: Sequence[Figures],
    part: Callable[[Figures], tuple[T, ...]],
    table: Callable[[list[tuple[str, T]]], Cells],
) -> tuple[Table, ...]:
    """A table for each scope, of all designs that were measured in it."""
    groups: dict[Scope, list[tuple[str, T]]] = {}
    for figures in found:
        for measured in part(figures):
            groups.setdefault(measured.scope, []).append((figures.design, measured))
    made: list[Placed] = []
    for scope, rows in groups.items():
        place = f"kernel {scope.kernel}, topology {scope.topology}, env {scope.env}"
        header, cells = table(rows)
        made.append(((place, notes_of([(name, each.scope.notes) for name, each in rows])), header, tuple(cells)))
    return folded(made)


def folded(tables: Sequence[Placed]) -> tuple[Table, ...]:
    """Tables with the same rows as one, with all their places."""
    places: dict[tuple[tuple[str, ...], tuple[tuple[str, ...], ...]], list[tuple[str, tuple[str, ...]]]] = {}
    for place, header, rows in tables:
        places.setdefault((header, rows), []).append(place)
    return tuple(
        Table("; ".join(place for place, _ in where), "; ".join(notes_of(where)), header, rows)
        for (header, rows), where in places.items()
    )


def notes_of(scopes: Sequence[tuple[str, tuple[str, ...]]]) -> tuple[str, ...]:
    """What all scopes say, and then what only some say, with their names."""
    everybody = [note for note in scopes[0][1] if all(note in notes for _, notes in scopes)]
    own = [f"{name}: {note}" for name, notes in scopes for note in notes if note not in everybody]
    return (*everybody, *own)


def operations(rows: list[tuple[str, Series]]) -> Cells:
    """A column for each operation of each group that some design performs."""
    counts = [count for _, series in rows for run in series.runs for count in run.counts or ()]
    groups = dict.fromkeys(count.group for count in counts)
    kinds = [(g, kind) for g in groups for kind in OPERATIONS if any((c.group, c.kind) == (g, kind) for c in counts)]
    header = [f"{GROUPS.get(group, group)}:\n{kind}" if group else kind for group, kind in kinds]
    return ("design", *(header or ["operations"])), [
        (design, *([_cell(series, [key]) for key in kinds] or [_cell(series, [])])) for design, series in rows
    ]


def tests(rows: list[tuple[str, Series]]) -> Cells:
    """A column for the tests, and for each other operation that some design performs."""
    counts = [count for _, series in rows for run in series.runs for count in run.counts or ()]
    kinds = [kind for kind in OPERATIONS if kind == TEST or any(count.kind == kind for count in counts)]
    groups = {count.group for count in counts}
    return ("design", *kinds), [
        (design, *(_cell(series, [(group, kind) for group in groups]) for kind in kinds)) for design, series in rows
    ]


def _cell(series: Series, keys: Iterable[tuple[str, str]]) -> str:
    """How often the operations `keys` (group, kind) are performed: a formula, or the numbers for 1, 2, … containers."""
    wanted = set(keys)
    times = {
        (run.containers, run.others): sum(c.times for c in run.counts if (c.group, c.kind) in wanted)
        for run in series.runs
        if run.counts is not None
    }
    formula = fit(times) if len(times) == len(series.runs) else None
    if formula is not None:
        return str(formula)
    row = [run for run in series.runs if not run.others]
    cells = [str(times[run.containers, 0]) if run.counts is not None else "?" if run.reason else "never" for run in row]
    return cells[0] if set(cells) == {"never"} else " ".join(cells)


def restores(rows: list[tuple[str, Restores]]) -> Cells:
    """A row for each failure, and before them one for all failures of a design together."""
    cells: list[tuple[str, ...]] = []
    for design, each in rows:
        if each.reason or not each.failures:
            cells.append((design, "?" if each.reason else "none", *[""] * 5))
        elif len(each.failures) > 1:
            cells.append((design, f"all {len(each.failures)}", *_followed(each.failures)))
        if len(rows) <= DETAILED or len(each.failures) == 1:
            cells += [(design, failure.name, *_followed([failure])) for failure in each.failures]
    header = ("before the\nfirst restore", "steps to it", "certain", "guest\nruns", "restored by")
    return ("design", "failure", *header), cells


def _followed(failures: Sequence[Failure]) -> tuple[str, str, str, str, str]:
    """What follows one of `failures`: the five last cells of a row."""
    by = dict.fromkeys(name for failure in failures for name in failure.by)
    certain, runs = all(failure.certain for failure in failures), any(failure.runs for failure in failures)
    told = "yes" if certain else "no", "yes" if runs else "no", ", ".join(by) or "nobody"
    return span(failures), steps(failures), *told


def span(failures: Sequence[Failure]) -> str:
    """The least and the most steps that may fail before the restore, over all of `failures`: `0 to 3 or never`."""
    bounds = _span([(failure.least, failure.most) for failure in failures])
    never = bounds != NEVER and any(failure.never for failure in failures)
    return f"{bounds} or {NEVER}" if never else bounds


def steps(failures: Sequence[Failure]) -> str:
    """The least and the most of all steps to the restore, over all of `failures` after which one can be reached."""
    return _span([(failure.steps, failure.longest) for failure in failures])


def _span(found: Iterable[tuple[int | None, int | None]]) -> str:
    """The least of all and the most of all: `2`, `2 to 4`, `2, no bound`; NEVER where there is no least."""
    reached = [(least, most) for least, most in found if least is not None]
    if not reached:
        return NEVER
    least, most = min(least for least, _ in reached), [most for _, most in reached if most is not None]
    if len(most) < len(reached):
        return f"{least}, no bound"
    return f"{least} to {max(most)}" if least < max(most) else str(least)


def leftovers(rows: list[tuple[str, Leftovers]]) -> Cells:
    """A row for each design, and before them one with what all designs leave behind."""
    known = [each.left for _, each in rows if not each.reason]
    invalid, lost = _shared([left.invalid for left in known]), _shared([left.lost for left in known])
    cells: list[tuple[str, ...]] = []
    if invalid or lost:
        cells.append(("every design", "", _listed(invalid), _listed(lost)))
    for design, each in rows:
        if each.reason:
            cells.append((design, "?", "?", "?"))
            continue
        stays, goes = _without(each.left.invalid, invalid), _without(each.left.lost, lost)
        cells.append((design, f"{len(each.left.names)} of {len(each.left.of)}", _listed(stays), _listed(goes)))
    return ("design", "failures", "a vaddr stays invalid", "the VM is lost"), cells


def again(rows: list[tuple[str, Again]]) -> Cells:
    """A row for each design: pairs of failures, and after which first failure the update can still succeed."""
    never = [tuple(one.name for one in each.attempts if not one.always) for _, each in rows]
    shared = _shared([names for names, (_, each) in zip(never, rows, strict=True) if not each.reason])
    cells: list[tuple[str, ...]] = [("every design", "", "", "", _listed(shared))] if shared else []
    for (design, each), names in zip(rows, never, strict=True):
        if each.reason:
            cells.append((design, *["?"] * 4))
            continue
        pairs, new = each.pairs, [f"{one.first}, then {one.second}" for one in each.pairs.left if not one.alone]
        able = len(each.attempts) - len(names)
        cells.append(
            (
                design,
                f"{len(pairs.left)} of {len(pairs.of)}",
                _listed(new),
                f"{able} of {len(each.attempts)}",
                _listed(_without(names, shared)),
            )
        )
    return ("design", "pairs left", "neither does it alone", "can succeed", "cannot, after"), cells


def _shared(lists: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What is in all of them, if there are several."""
    return tuple(name for name in lists[0] if all(name in each for each in lists)) if len(lists) > 1 else ()


def _without(names: tuple[str, ...], shared: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in shared)


def _listed(names: Sequence[str]) -> str:
    return "; ".join(names) or "-"


def standing(found: Sequence[Standing]) -> tuple[Table, ...]:
    """A table for each kernel, those on the front first."""
    tables = []
    for kernel in dict.fromkeys(each.kernel for each in found):
        here = sorted((each for each in found if each.kernel == kernel), key=lambda each: bool(each.dominated_by))
        rows = [
            (
                each.design,
                "?" if each.values is None else "no" if each.dominated_by else "yes",
                *(("?",) * len(OBJECTIVES) if each.values is None else map(str, each.values)),
                "?" if each.values is None else _listed(each.dominated_by),
            )
            for each in here
        ]
        header = ("design", "front", *OBJECTIVES, "dominated by")
        tables.append(Table(f"kernel {kernel}", "", header, tuple(rows)))
    return tuple(tables)


# ---- verdicts -------------------------------------------------------------------------------------------------------


def verdicts(found: Sequence[Figures]) -> tuple[Table, ...]:
    """A table for each kernel and topology: a row for each property, and one for each environment where it matters."""
    groups: dict[tuple[str, str], dict[str, list[tuple[str, Verdicts]]]] = {}
    for figures in found:
        for each in figures.verdicts:
            by_env = groups.setdefault((each.scope.kernel, each.scope.topology), {})
            by_env.setdefault(each.scope.env, []).append((figures.design, each))
    tables: list[Placed] = []
    for (kernel, topology), by_env in groups.items():
        names = dict.fromkeys(f.family for rows in by_env.values() for _, each in rows for f in each.findings)
        rows = [row for name in names for row in _property(name, found, by_env)]
        scopes = [(name, _without_env(each.scope.notes)) for measured in by_env.values() for name, each in measured]
        header = ("property", *(figures.design for figures in found))
        place = f"kernel {kernel}, topology {topology}, env {' and '.join(by_env)}"
        tables.append(((place, tuple(dict.fromkeys(notes_of(scopes)))), header, tuple(rows)))
    return folded(tables)


def _without_env(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Notes about several environments at once: which, the place says."""
    return tuple(note for note in notes if not note.startswith("environment: "))


def _property(
    name: str, found: Sequence[Figures], by_env: dict[str, list[tuple[str, Verdicts]]]
) -> list[tuple[str, ...]]:
    """One row, or where an environment changes something one for each."""
    cells = {}
    for env, rows in by_env.items():
        told = {design: _told(each, name) for design, each in rows}
        cells[env] = tuple(told.get(figures.design, "-") for figures in found)
    if len(set(cells.values())) == 1:
        return [(name, *next(iter(cells.values())))]
    return [(f"  env {env}" if at else name, *row) for at, (env, row) in enumerate(cells.items())]


def _told(verdicts: Verdicts, name: str) -> str:
    """The cell of one property; nothing is known where nobody finished."""
    return finding([f for f in verdicts.findings if f.family == name]) if verdicts.findings else "?"


SHOWN = (Status.VIOLATED, Status.UNREACHABLE, Status.UNKNOWN, Status.REACHABLE, Status.HOLDS)
"""Of the instances of a property the worst counts, and of these the one with the shortest trace."""
SHORT = {"VIOLATED": "V", "REACHABLE": "R", "UNREACHABLE": "never", "UNKNOWN": "?", "HOLDS": "holds"}


def finding(told: Sequence[Finding]) -> str:
    """`V 8`, `V 8+2` (a lasso), `R 20`, `holds`, `never`, `?`, or `-` where a design has no such property."""
    for status in (each.value for each in SHOWN):
        of = [each for each in told if each.status == status]
        if of:
            best = min(of, key=lambda each: each.steps or 0)
            if best.steps is None:
                return SHORT[status]
            loop = best.loop
            return f"{SHORT[status]} {best.steps}" if loop is None else f"{SHORT[status]} {best.steps - loop}+{loop}"
    return "-"
