# SPDX-License-Identifier: Apache-2.0
"""The files of a report about several configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from operator import itemgetter

from cprcheck import files
from cprcheck.report import words
from cprcheck.report.manifest import TRACES
from cprcheck.report.text import shown
from cprcheck.report.together import FILES, SUFFIXES
from cprcheck.verdict import Report, Verdict

Dumps = Callable[..., str]


def texts(reports: Sequence[Report], formats: Mapping[str, Dumps], each: Set[str]) -> dict[str, str]:
    """The text of each file, by name, in all `formats`; those in `each` are for one trace."""
    found = {}
    for format_, dumps in formats.items():
        if format_ not in each:
            name, join = FILES[format_]
            found[name] = join(dumps, reports)
    folders = _folders(reports)
    for (model, family), (report, verdict) in sorted(shortest(reports).items(), key=itemgetter(0)):
        for format_ in sorted(each):
            suffix = SUFFIXES.get(format_, format_)
            name = f"{TRACES}/{folders[model]}/{files.safe(family)}.{suffix}"
            found[name] = formats[format_](report.system, verdict)
    return found


def _folders(reports: Sequence[Report]) -> dict[tuple[str, str], str]:
    """A folder for each model; models of the same name have their files in it."""
    models = sorted({_model(report) for report in reports})
    names = words.distinct([files.safe(name) for name, _ in models], [f"-{files.safe(file)}" for _, file in models])
    return dict(zip(models, names, strict=True))


def _model(report: Report) -> tuple[str, str]:
    """Its name and its file."""
    return report.system.name, words.file(report.system)


def shortest(reports: Sequence[Report]) -> dict[tuple[tuple[str, str], str], tuple[Report, Verdict]]:
    """For each (model, family of properties) that is bad somewhere, the first of the shortest traces."""
    found: dict[tuple[tuple[str, str], str], tuple[Report, Verdict]] = {}
    for report in reports:
        for verdict in shown(report.verdicts):
            key = (_model(report), verdict.prop.family or verdict.prop.name)
            assert verdict.trace is not None
            before = found[key][1].trace if key in found else None
            if before is None or len(verdict.trace) < len(before):
                found[key] = (report, verdict)
    return found
