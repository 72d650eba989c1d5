# SPDX-License-Identifier: Apache-2.0
"""A report in Markdown, for a step summary of GitHub or a comment: verdicts as a table, traces folded away."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from cprcheck.report import text, words
from cprcheck.verdict import Report, Status, Verdict

_MARKS = {Status.HOLDS: "✅", Status.REACHABLE: "✅", Status.UNKNOWN: "❔"}


def dumps(found: Report) -> str:
    """The report as the text of a Markdown file."""
    return "".join(f"{line}\n" for line in lines(found))


def lines(found: Report) -> Iterator[str]:
    """The report, line by line."""
    yield f"### {cell(text.title(found.system))}"
    yield ""
    yield cell(text.summary(found))
    yield from (f"\n**DISAGREEMENT** {cell(said)}" for said in found.disagreements)
    yield ""
    yield "| | property | found |"
    yield "|---|---|---|"
    for verdict in found.verdicts:
        mark = _MARKS.get(verdict.status, "❌")
        yield f"| {mark} | {cell(verdict.prop.name)} | {cell(words.sentence(verdict))} |"
    yield ""
    yield from folded("scope, and what these verdicts do not say", words.preface(found))
    yield from traces(found, text.shown(found.verdicts))


def traces(found: Report, shown: Sequence[Verdict]) -> Iterator[str]:
    """The traces of some verdicts, each folded away."""
    for verdict in shown:
        yield from folded(f"trace of {verdict.prop.name}", words.details(found.system, verdict))


def folded(title: str, body: Iterator[str]) -> Iterator[str]:
    """Lines that are shown as they are when a reader unfolds them."""
    yield f"<details><summary>{html.escape(words.printable(title), quote=False)}</summary>"
    yield ""
    yield f"<pre>{html.escape(words.printable(chr(10).join(body)), quote=False)}</pre>"
    yield ""
    yield "</details>"
    yield ""


def cell(said: str) -> str:
    """Text that stays text in Markdown, in one line."""
    escaped = html.escape(" ".join(words.printable(said).split()), quote=False)
    return "".join(f"\\{char}" if char in r"\`*_[]|~#" else char for char in escaped)
