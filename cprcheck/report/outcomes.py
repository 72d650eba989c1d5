# SPDX-License-Identifier: Apache-2.0
"""Failure matrices as tables, one or two side by side, with the traces behind them; as Markdown, and as JSON."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from cprcheck.compare.aftermath import NEXT, Beside, End, Matrix, Place, Row, When
from cprcheck.compare.view import FAILED
from cprcheck.report.document import step, subject
from cprcheck.report.tables import columns, first_only, markdown_rows
from cprcheck.report.text import WIDTH, head, title, trace_lines, wrap
from cprcheck.system import NOBODY, System

SCHEMA = "cprcheck-outcomes-1"
NOTHING = "nothing"
BOTH = "both"
HEADER = ("guest", "vaddrs", "restored by", "when", "again", "severity")
ABOUT = (
    "One row for each way in which runs end after a failure: a fault, a refusal that nothing came before, or an update "
    "that fails by itself.  Nothing else fails then.  A run ends where nobody has to move, and before another attempt. "
    "Guest: how it is in the old or the new QEMU, and how far the update is where it has not failed.  When: an address "
    "was given before or after the guest ran without it; or not all were given, or never one, and some are invalid. "
    "Again: whether another attempt can succeed if nothing fails and nobody interferes.  Severity: what is hurt in the "
    "end."
)


@dataclass(frozen=True)
class Line:
    """A line of a table.  `row` is the one behind it; without one the failure does not happen in that design."""

    fails: str
    design: str
    row: Row | None
    system: System

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells of HEADER."""
        return end_cells(self.row.end) if self.row else ("does not happen", *[""] * (len(HEADER) - 1))


def text(found: Matrix | Beside, command: Sequence[str] = (), *, traces: bool = False) -> Iterator[str]:
    """The matrix line by line: what was looked at, the table, and if asked for the trace of each row.

    `command` is the command line that asked.
    """
    for matrix in found.matrices:
        yield from head(matrix.system, matrix.size, matrix.system.scope)
        for note in notes(matrix):
            yield from wrap(note, 2)
        yield ""
    made = lines(found)
    if made:
        yield from wrap(ABOUT, 0)
        yield ""
        header, rows = table(found, made)
        once = zip(rows, first_only(row[1:] for row in rows), strict=True)
        whole = [number for number, name in enumerate(header) if name in ("#", "design")]
        yield from columns(header, [(row[0], *rest) for row, rest in once], WIDTH, whole)
        yield ""
    for note in summary(found):
        yield from [*wrap(note, 0), ""]
    for number, line in enumerate(made, 1):
        if traces and line.row is not None:
            yield from (f"--- {number}: {heading(line)}", "", *trace_lines(line.system, line.row.trace), "")
    yield from [f"  again: {shlex.join(command)}"] * bool(command)


def markdown(found: Matrix | Beside, *, traces: bool = False) -> Iterator[str]:
    """The same in Markdown, line by line."""
    for matrix in found.matrices:
        yield from (f"## {title(matrix.system)}", "")
        yield from (f"Digest {matrix.system.digest()}; scope: {'; '.join(matrix.system.scope)}.", "")
        for note in notes(matrix):
            yield from (f"* {note}", "")
    made = lines(found)
    if made:
        yield from (ABOUT, "", *markdown_rows(*table(found, made)), "")
    for note in summary(found):
        yield from (note, "")
    for number, line in enumerate(made, 1):
        if traces and line.row is not None:
            yield from (f"### {number}: {heading(line)}", "", "```text")
            yield from (*trace_lines(line.system, line.row.trace), "```", "")


def heading(line: Line) -> str:
    """Above a trace: what fails, and in which design where there are two."""
    return f"{line.fails} ({line.design})" if line.design else line.fails


def table(found: Matrix | Beside, made: Sequence[Line]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """The header and the numbered rows."""
    design = ["design"] if isinstance(found, Beside) else []
    rows = [(str(n), line.fails, *([line.design] if design else []), *line.cells) for n, line in enumerate(made, 1)]
    return ("#", "what fails", *design, *HEADER), rows


def lines(found: Matrix | Beside) -> list[Line]:
    """The lines of the table, in their order."""
    if isinstance(found, Matrix):
        named = _names(found)
        return [Line(named(row.places), "", row, found.system) for row in found.rows]
    left, right = found.names
    made = []
    for match in found.shown:
        ends = [{row.end for row in rows} for rows in (match.left, match.right)]
        matrix = found.left if match.left else found.right
        name = _names(matrix, found.apart)((match.left or match.right)[0].places)
        fresh = [row for row in match.right if row.end not in ends[0]]
        made += [Line(name, BOTH if row.end in ends[1] else left, row, found.left.system) for row in match.left]
        made += [Line(name, left, None, found.left.system)] * (not match.left)
        made += [Line(name, right, row, found.right.system) for row in fresh]
        made += [Line(name, right, None, found.right.system)] * (not match.right)
    return made


def _names(matrix: Matrix, apart: Set[tuple[str, str]] | None = None) -> Callable[[Sequence[Place]], str]:
    """How the failures of `matrix` are told: with the step where the same thing fails at several.

    Without it where steps are taken together: all whose roles are not in `apart`.
    """
    steps = Counter(role for role, _ in {(p.role, p.step) for row in matrix.rows for p in row.places})

    def place(one: Place) -> str:
        several = steps[one.role] > 1 and one.name != NEXT and (apart is None or one.role in apart)
        said = f"{one.name} (at {one.step})" if several else one.name
        return f"{said} (injected)" if one.injected else said

    def named(places: Sequence[Place]) -> str:
        return ", then ".join(map(place, places)) or NOTHING

    return named


def end_cells(end: End) -> tuple[str, ...]:
    """How a run ends: the cells of HEADER."""
    guest = end.guest.replace(" in the ", ", ").removesuffix(" QEMU")
    guest += "" if end.update == FAILED else f"; {end.update}"
    guest += "; round for ever" if end.endless else ""
    by = ", ".join(end.by) or ("-" if end.when is When.NOTHING else NOBODY)
    return guest, vaddrs(end), by, end.when.value, end.again.value, end.severity or "none"


def vaddrs(end: End) -> str:
    """What the addresses are: all alike, or container by container."""
    values = {value for _, value in end.vaddrs}
    if len(values) > 1:
        return ", ".join(f"{name} {value}" for name, value in end.vaddrs)
    (value,) = values
    return f"all {value}" if all(name for name, _ in end.vaddrs) else value


def notes(matrix: Matrix) -> list[str]:
    """What the rows of a matrix leave out."""
    said = []
    if matrix.silent:
        said.append("never fails first, within these rows: " + "; ".join(matrix.silent))
    if matrix.leaving:
        said.append(f"{matrix.leaving} states lie in loops that a run may leave: the rows suppose that it does")
    if matrix.stopped:
        said.append(f"no rows: {matrix.stopped}")
    return said


def summary(found: Matrix | Beside) -> list[str]:
    """How many failures differ and how they were matched, or why there is no table."""
    if any(matrix.stopped for matrix in found.matrices):
        return ["unknown: not all states were seen"]
    if isinstance(found, Matrix):
        return [] if found.rows else ["no run comes to an end"]
    differ = sum(match.differs for match in found.matches)
    return [
        f"{differ} of {len(found.matches)} failures end differently.  They are matched by what fails in which process, "
        f"and at which step where both have the same steps.  What is told of {BOTH}, either design can end in."
    ]


# ---- for machines -----------------------------------------------------------------------------------------------


def dumps(found: Matrix | Beside) -> str:
    """The matrix, or the two, as the text of a JSON file."""
    data: dict[str, Any] = {"schema": SCHEMA, "cprcheck": version("cprcheck")}
    data["designs"] = [_matrix(matrix) for matrix in found.matrices]
    if isinstance(found, Beside):
        numbers = [{row: i for i, row in enumerate(matrix.rows, 1)} for matrix in found.matrices]
        data["matches"] = [
            {
                "differs": match.differs,
                "rows": [[numbers[i][row] for row in rows] for i, rows in enumerate((match.left, match.right))],
            }
            for match in found.shown
        ]
    return json.dumps(data, indent=1) + "\n"


def _matrix(matrix: Matrix) -> dict[str, Any]:
    return {
        **subject(matrix.system, matrix.size, matrix.system.scope),
        "stopped": matrix.stopped,
        "silent": list(matrix.silent),
        "leaving": matrix.leaving,
        "rows": [_row(matrix.system, number, row) for number, row in enumerate(matrix.rows, 1)],
    }


def _row(system: System, number: int, row: Row) -> dict[str, Any]:
    end = row.end
    return {
        "row": number,
        "places": [
            {"name": place.name, "process": place.process, "step": place.step, "injected": place.injected}
            for place in row.places
        ],
        "guest": end.guest,
        "vaddrs": {name or "all": value for name, value in end.vaddrs},
        "update": end.update,
        "restored by": list(end.by),
        "when": end.when.value,
        "again": end.again.value,
        "severity": end.severity,
        "endless": end.endless,
        "steps": len(row.trace),
        "start": {s.name: s.domain.show(c) for s, c in zip(system.slots, row.trace.states[0], strict=True)},
        "trace": [step(system, index) for index in row.trace.steps],
    }
