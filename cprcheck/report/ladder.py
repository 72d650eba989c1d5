# SPDX-License-Identifier: Apache-2.0
"""A trace as a ladder for an email: lanes side by side, in 7-bit text of at most `WIDTH` columns.

    management
    |   old QEMU
    |   |   kernel
    |   |   |   # vaddr of c0 invalid
    |-->o   |       cpr-exec
    |   o-->|   #   UNMAP(ALL|V)

The text stands to the right of the lanes, in lines of its own.  An o is who moves, an X who meets a fault; a bar of #
is what is so in the state after that step.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Sequence

from cprcheck.errors import shorten
from cprcheck.report.picture import Part, Picture, Row, functions_to_show, one_line, picture
from cprcheck.report.text import title
from cprcheck.system import System
from cprcheck.verdict import Verdict

WIDTH = 76
LEAST_TEXT = 30
"""Where lanes and bars would leave less room for words, they move together."""


def dumps(system: System, verdict: Verdict) -> str:
    """The ladder of `verdict` as the text of a file.  Raises ValueError when it has no trace."""
    return "".join(f"{line}\n" for line in lines(system, verdict))


def lines(system: System, verdict: Verdict, command: Sequence[str] = ()) -> Iterator[str]:
    """What is claimed, the ladder, and what it shows.

    `command` is the command line without `--property`; without it, the one that the System knows itself.
    """
    if verdict.trace is None:
        raise ValueError(f"{verdict.prop.name} has no trace")
    yield from _wrapped(f"{verdict.prop.name} {verdict.status.value}: {verdict.basis or len(verdict.trace)}")
    if verdict.prop.doc:
        yield from _wrapped(verdict.prop.doc, indent=2)
    yield ""
    yield from _wrapped(title(system), "model:    ")
    yield from _wrapped("; ".join(system.scope), "scope:    ")
    words = [*(command or again(system))]
    if words:
        yield from _command([*words, "--property", verdict.prop.name, "--trace", "ladder"])
    yield from _wrapped("o moves, X meets a fault, x ends; # is so after that step", "marks:    ")
    yield ""
    yield from body(picture(system, verdict.trace))
    yield ""
    yield from _wrapped(verdict.violated, "violated: ")
    yield from _wrapped(", ".join(f"{name} = {value}" for name, value in verdict.where), "where:    ")
    yield from _wrapped(verdict.severity, "severity: ")
    if verdict.prop.source is not None:
        yield from _wrapped(f"{shorten(verdict.prop.source.file)}:{verdict.prop.source.line}", "claimed:  ")


def again(system: System) -> list[str]:
    """The command line that checks `system` again; empty when nobody knows where it comes from."""
    if system.origin is None:
        return []
    words = ["cprcheck", "check", system.origin.model]
    for key, value in system.origin.params:
        words += ["-p", f"{key}={value}"]
    words += ["--faults", system.origin.faults] if system.origin.faults != "finite" else []
    return [*words, "--injected"] if system.origin.injected else words


# ---- the ladder itself ----------------------------------------------------------------------------------------------


def body(drawn: Picture) -> Iterator[str]:
    """The lanes with their names, a row for each step, and the marks of a loop."""
    grid = _Grid(drawn)
    yield from grid.names()
    for row, function in zip(drawn.rows, functions_to_show(drawn.rows), strict=True):
        if drawn.loop is not None and row.step == drawn.loop + 1:
            yield from grid.note("-- the loop starts here --", drawn.before(row))
        yield from grid.row(row, function)
    if drawn.ending:
        yield from grid.note(f"-- {drawn.ending} --", drawn.rows[-1])


class _Grid:
    """Where the columns of a picture are."""

    def __init__(self, drawn: Picture) -> None:
        self.drawn = drawn
        for lane, bar in ((4, 3), (3, 2), (3, 1), (2, 1)):
            self.lanes = [5 + lane * number for number in range(len(drawn.lanes))]
            start = 5 + lane * len(drawn.lanes)
            self.bars = [start + bar * number for number in range(len(drawn.bars))]
            self.text = start + bar * len(drawn.bars) + 1
            if WIDTH - self.text >= LEAST_TEXT:
                break

    def names(self) -> Iterator[str]:
        """A line for each name, above its column."""
        first = self.drawn.rows[0]
        columns = [
            (at, name, "|" if lives else " ")
            for at, name, lives in zip(self.lanes, self.drawn.lanes, first.lives, strict=True)
        ]
        columns += [(at, f"# {name}", " ") for at, name in zip(self.bars, self.drawn.bars, strict=True)]
        for number, (at, name, _) in enumerate(columns):
            line = [" "] * at
            for left, _, mark in columns[:number]:
                line[left] = mark
            line += _ascii(name)
            yield "".join(line if len(line) <= WIDTH else [*line[: WIDTH - 2], ".."])

    def row(self, row: Row, function: str) -> Iterator[str]:
        """The lines of one step."""
        room = WIDTH - self.text
        said = textwrap.wrap(_ascii(row.head.text), room, subsequent_indent="    ") or [""]
        parts = row.parts
        if function and len(said[-1]) + len(function) + 4 <= room:
            said[-1] += f"  [{function}]"
        elif function:
            place = function if len(function) + 4 <= room else function.replace(":", ": ")
            parts = (Part("step", f"[{place}]"), *parts)
        yield from self.beside(row, row.head, said, acts=True)
        for part in parts:
            wrapped = textwrap.wrap(_ascii(part.text), room, initial_indent="  ", subsequent_indent="    ")
            yield from self.beside(row, part, wrapped)

    def note(self, text: str, row: Row) -> Iterator[str]:
        """Lines that are no step, in the state after `row`."""
        return self.beside(row, None, textwrap.wrap(text, WIDTH - self.text))

    def beside(self, row: Row, part: Part | None, texts: Sequence[str], *, acts: bool = False) -> Iterator[str]:
        """Lines of text beside the grid; the first one with the message of `part`, and who moves, if one `acts`."""
        for number, text in enumerate(texts):
            first = number == 0
            yield ("".join(self.line(row, part if first else None, acts=acts and first)) + text).rstrip()

    def line(self, row: Row, part: Part | None, *, acts: bool = False) -> list[str]:
        """The grid beside a line of `row`: lanes, who moves, a message, and bars."""
        cells = [" "] * self.text
        if acts:
            cells[:3] = f"{row.step:>3}"
        for number, at in enumerate(self.lanes):
            if row.lives[number] or self.drawn.before(row).lives[number]:
                cells[at] = "|"
        for number, at in enumerate(self.bars):
            if row.bars[number]:
                cells[at] = "#"
        if part is not None and part.source is not None and part.target is not None:
            self.arrow(cells, self.lanes[part.source], self.lanes[part.target])
        if acts and row.lane is not None:
            cells[self.lanes[row.lane]] = "X" if row.faulty else "o"
        return cells

    def arrow(self, cells: list[str], source: int, target: int) -> None:
        """A message from column to column; a lane that ends has a cross."""
        if source == target:
            cells[source] = "x"
            return
        low, high = sorted((source, target))
        cells[low + 1 : high] = "-" * (high - low - 1)
        cells[target - 1 if target > source else target + 1] = ">" if target > source else "<"


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def _wrapped(text: str, label: str = "", indent: int = 0) -> list[str]:
    """A paragraph of at most WIDTH columns behind its label; nothing for no text."""
    if not text:
        return []
    rest = " " * (len(label) or indent)
    return textwrap.wrap(_ascii(one_line(text)), WIDTH, initial_indent=label or rest, subsequent_indent=rest)


def _command(words: Sequence[str]) -> Iterator[str]:
    """A command line that can be copied: a backslash where it goes on."""
    said = textwrap.wrap(
        shlex.join(words),
        WIDTH - 2,
        initial_indent="again:    ",
        subsequent_indent=" " * 12,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from (f"{line} \\" for line in said[:-1])
    yield said[-1]
