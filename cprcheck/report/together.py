# SPDX-License-Identifier: Apache-2.0
"""Several reports in one file: how the formats that are for one report are joined."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from typing import Any

from cprcheck.report import words
from cprcheck.verdict import Report

MATRIX = "cprcheck-matrix-1"
Dumps = Callable[[Any], str]


def documents(dumps: Dumps, reports: Sequence[Report]) -> str:
    """Reports as JSON, in a list."""
    return json.dumps({"schema": MATRIX, "reports": [json.loads(dumps(found)) for found in reports]}, indent=1) + "\n"


def runs(dumps: Dumps, reports: Sequence[Report]) -> str:
    """A SARIF log with the runs of all logs, each with an id of its own."""
    logs = [json.loads(dumps(found)) for found in reports]
    details = [run["automationDetails"] for log in logs for run in log["runs"]]
    for each, name in zip(details, _named([each["id"].removesuffix("/") for each in details], reports), strict=True):
        each["id"] = f"{name}/"
    return json.dumps(logs[0] | {"runs": [run for log in logs for run in log["runs"]]}, indent=1) + "\n"


def suites(dumps: Dumps, reports: Sequence[Report]) -> str:
    """JUnit XML with the suites of all files, each with a name of its own; what their root counts is added up."""
    first, *others = (ET.fromstring(dumps(found)) for found in reports)  # noqa: S314  (we have just written it)
    for other in others:
        first.extend(other)
        for name, count in other.attrib.items():
            if count.isdecimal():
                first.set(name, str(int(first.get(name, "0")) + int(count)))
    each = list(first.iter("testsuite"))
    for suite, name in zip(each, _named([suite.get("name", "") for suite in each], reports), strict=True):
        suite.set("name", name)
        for case in suite.iter("testcase"):
            case.set("classname", name)
    ET.indent(first)
    written: bytes = ET.tostring(first, encoding="utf-8", xml_declaration=True)
    return written.decode() + "\n"


def _named(names: Sequence[str], reports: Sequence[Report]) -> list[str]:
    """The names of reports, all different: by the model's file, or else by number."""
    places = (words.printable(words.file(found.system)) for found in reports)
    return words.distinct(names, [place and f" in {place}" for place in places])


def pages(dumps: Dumps, reports: Sequence[Report]) -> str:
    """Texts one after the other."""
    return "\n".join(map(dumps, reports))


def one(dumps: Dumps, reports: Sequence[Report]) -> str:
    """What takes several reports itself."""
    return dumps(reports)


FILES: dict[str, tuple[str, Callable[[Dumps, Sequence[Report]], str]]] = {
    "json": ("matrix.json", documents),
    "html": ("index.html", one),
    "junit": ("junit.xml", suites),
    "sarif": ("cprcheck.sarif", runs),
    "summary": ("summary.md", pages),
}
"""By format: what the file with all reports is called, and how it is made."""
SUFFIXES = {"itf": "itf.json", "ladder": "txt", "mermaid": "mmd"}
"""By format: how the file of a trace ends, where that is not the format's name."""
