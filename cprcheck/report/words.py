# SPDX-License-Identifier: Apache-2.0
"""Verdicts in a sentence or a paragraph, in characters that every format takes."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from cprcheck.errors import Source, installed, shipped, shorten
from cprcheck.report import text
from cprcheck.system import System
from cprcheck.verdict import Report, Status, Verdict

HERE, OURS = "SRCROOT", "CPRCHECK"
"""What paths are relative to, as SARIF calls it: the folder in which cprcheck is run, or what comes with it."""
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 does not allow, and control characters that a terminal or a log viewer would act on."""


def printable(said: str) -> str:
    r"""`said` with every character that is not for printing written as an escape, such as \x1b."""
    return _UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], said)


def sentence(verdict: Verdict) -> str:
    """The verdict, and what it rests on or why there is none."""
    status = verdict.status.value
    if verdict.status is Status.VIOLATED:
        steps = f" in {len(verdict.trace)} steps" if verdict.trace is not None else ""
        return f"{status}{steps}: {verdict.violated}" + (f"; severity: {verdict.severity}" if verdict.severity else "")
    found = f"{verdict.basis}, by {' and '.join(verdict.engines)}"
    return f"{status}: {verdict.reason or found}"


def details(system: System, verdict: Verdict, command: Sequence[str] = ()) -> Iterator[str]:
    """The trace of a verdict that is bad, line by line; without one, what is claimed and what was found."""
    if verdict.trace is not None and verdict.status.bad:
        yield from text.evidence(system, verdict, command)
        return
    yield f"--- {verdict.prop.name}"
    yield from text.wrap(" ".join(verdict.prop.doc.split()), 0) if verdict.prop.doc else ()
    yield from text.wrap(sentence(verdict), 2)


def preface(found: Report) -> Iterator[str]:
    """What the verdicts are about, and what they do not say."""
    yield from text.heading(found)
    yield from text.vacuous_lines(found)
    yield from text.unreached_lines(found)


def configuration(found: Report) -> str:
    """The model with its parameters and, where that is not the usual, its faults and the properties in question."""
    origin, system = found.system.origin, found.system
    said = text.title(system)
    if origin is not None and origin.faults != "finite":
        said += f" faults {origin.faults}"
    if origin is not None and origin.injected:
        said += ", injected"
    if len(found.verdicts) < len(system.properties):
        said += f" only {', '.join(dict.fromkeys(each.prop.family or each.prop.name for each in found.verdicts))}"
    return said


def file(system: System) -> str:
    """The file of the model as the command line names it; empty for one of ours, and one that nobody knows."""
    return system.origin.model.partition("::")[0] if system.origin is not None and "::" in system.origin.model else ""


def distinct(names: Sequence[str], more: Sequence[str]) -> list[str]:
    """`names`, all different: those that are the same get what is in `more` for them, and then a number."""
    times = Counter(names)
    return numbered([f"{name}{end}" if times[name] > 1 else name for name, end in zip(names, more, strict=True)])


def numbered(names: Sequence[str]) -> list[str]:
    """`names`, with a number from the second of the same name on."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name} #{seen[name]}")
    return found


def place(source: Source) -> tuple[str, str] | None:
    """(what a path is relative to, the path) of a file of the working directory, HERE, or of the shipped models, OURS.

    None for any other file: it has no name that another machine would understand.
    """
    path = Path(os.path.abspath(source.file))
    if path.is_relative_to(Path.cwd()) and not installed(source.file):  # nobody keeps a venv in a repository
        return HERE, path.relative_to(Path.cwd()).as_posix()
    return (OURS, Path(shorten(source.file)).as_posix()) if shipped(source.file) else None


def told(system: System, verdict: Verdict) -> tuple[Source, ...]:
    """The line at which a verdict is told: that of the claim, or where the claim comes by itself, of the last step.

    When that is a line of ours and the model is not, it is told at the user's `@model`, and that line comes second.
    Empty when no such line has a name (`place`).
    """
    steps = verdict.trace.steps[-1:] if verdict.trace is not None else ()
    sources = [verdict.prop.source]
    for transition in (*(system.transitions[step] for step in steps), *system.transitions):
        sources += transition.sources[:1]
    first = tuple(islice((source for source in sources if source is not None and place(source) is not None), 1))
    model = system.origin.source if system.origin is not None else None
    if model is None or shipped(model.file) or place(model) is None or any(not shipped(line.file) for line in first):
        return first
    return (model, *first)
