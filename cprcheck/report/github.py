# SPDX-License-Identifier: Apache-2.0
"""What GitHub shows beside the lines of a pull request: workflow commands, printed while a job runs.

A command is one line, so line breaks in it are written as %0A, and a value of a property has no colon and no comma.
"""

from __future__ import annotations

from collections.abc import Iterator

from cprcheck.errors import Source
from cprcheck.report import text, words
from cprcheck.verdict import Report, Status


def commands(found: Report) -> Iterator[str]:
    """A command for each group of verdicts that is not good, and for each disagreement.

    GitHub shows ten of a kind for a step, so instances of one property that fare alike are one annotation.
    """
    for said in found.disagreements:
        yield command("error", f"DISAGREEMENT {said}", text.title(found.system))
    for group in text.grouped(found.verdicts):
        first = group[0]
        if first.status.good:
            continue
        more = f"\nlikewise: {', '.join(verdict.prop.name for verdict in group[1:])}" if len(group) > 1 else ""
        claim = f"\nclaimed: {' '.join(first.prop.doc.split())}" if first.prop.doc else ""
        kind = "warning" if first.status is Status.UNKNOWN else "error"
        title = f"{text.title(found.system)}: {first.prop.name}"
        yield command(
            kind, words.sentence(first) + claim + more, title, next(iter(words.told(found.system, first)), None)
        )


def command(kind: str, message: str, title: str, source: Source | None = None) -> str:
    """A workflow command: `kind` is error, warning or notice.  A line is named when it is in the working directory."""
    named = None if source is None else words.place(source)
    given = {"title": title}
    if source is not None and named is not None and named[0] == words.HERE:
        given = {"file": named[1], "line": str(source.line), "title": title}
    said = ",".join(f"{name}={_value(value)}" for name, value in given.items())
    return f"::{kind} {said}::{_escaped(message)}"


def _escaped(said: str) -> str:
    return words.printable(said.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A"))


def _value(said: str) -> str:
    return _escaped(said).replace(":", "%3A").replace(",", "%2C")
