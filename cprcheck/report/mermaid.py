# SPDX-License-Identifier: Apache-2.0
"""A trace as a Mermaid sequence diagram, for pages that draw such text themselves: GitLab, GitHub, many wikis.

Lanes are participants, and so are the bars: each is active while it stands.  Boxes cannot say that, because they
nest and bars do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cprcheck.report.picture import Part, Picture, Row, one_line, picture
from cprcheck.report.text import title
from cprcheck.system import System
from cprcheck.verdict import Verdict

_UNSAFE = re.compile(r"[^A-Za-z0-9 _.,()/=?'|!*+-]")
"""What is written as a number: Mermaid takes some of it for its own language, and a page some for HTML."""


def dumps(system: System, verdict: Verdict) -> str:
    """The diagram of `verdict` as the text of a `.mmd` file.  Raises ValueError when it has no trace."""
    return "".join(f"{line}\n" for line in lines(system, verdict))


def lines(system: System, verdict: Verdict, _command: Sequence[str] = ()) -> Iterator[str]:
    """The diagram line by line."""
    if verdict.trace is None:
        raise ValueError(f"{verdict.prop.name} has no trace")
    drawn = picture(system, verdict.trace)
    yield "sequenceDiagram"
    yield f"  title {escape(f'{verdict.prop.name} {verdict.status.value}: {title(system)}')}"
    for number, lane in enumerate(drawn.lanes):
        yield f"  participant L{number} as {escape(lane)}"
    for number, bar in enumerate(drawn.bars):
        yield f"  participant B{number} as {escape(bar)}"
    for row in drawn.rows:
        if drawn.loop is not None and row.step == drawn.loop + 1:
            yield _note(drawn, None, "the loop starts here")
        yield from _row(drawn, row)
    if drawn.ending:
        yield _note(drawn, None, drawn.ending)
    yield from (f"  deactivate B{number}" for number, stands in enumerate(drawn.rows[-1].bars) if stands)
    yield from (_note(drawn, None, f"violated: {verdict.violated}") for _ in range(bool(verdict.violated)))


def escape(text: str) -> str:
    """`text` as Mermaid takes it for text, whatever it is: letters, digits and harmless signs, the rest by number."""
    return _UNSAFE.sub(lambda found: f"#{ord(found[0])};", one_line(text))


def _row(drawn: Picture, row: Row) -> Iterator[str]:
    """A step, its parts, and the bars that begin or end with it."""
    head = f"{row.step}. {row.head.text}" if row.step else row.head.text
    yield _part(drawn, row, Part(row.head.kind, head, row.head.source, row.head.target))
    yield from (_part(drawn, row, part) for part in row.parts)
    before = drawn.before(row).bars if row.step else (False,) * len(row.bars)
    for number, (was, stands) in enumerate(zip(before, row.bars, strict=True)):
        if was != stands:
            yield f"  {'activate' if stands else 'deactivate'} B{number}"


def _part(drawn: Picture, row: Row, part: Part) -> str:
    """A message, or a note on the lane of who moves; what a step meets, and lanes that end, are notes, too."""
    if part.source is None or part.target is None:
        return _note(drawn, row.lane, part.text)
    if part.source == part.target:
        return _note(drawn, part.source, part.text)
    return f"  L{part.source}->>L{part.target}: {escape(part.text)}"


def _note(drawn: Picture, lane: int | None, text: str) -> str:
    """A note on a lane, or across all of them."""
    across = "L0" if len(drawn.lanes) < 2 else f"L0,L{len(drawn.lanes) - 1}"
    return f"  Note over {across if lane is None else f'L{lane}'}: {escape(text)}"
