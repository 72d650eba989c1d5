# SPDX-License-Identifier: Apache-2.0
"""Verdicts as JUnit XML, which Jenkins, GitLab and many others read: a test case for each property.

Only a good verdict passes.  A bad one is a failure, with its trace as the text; one that is not known is an error, and
so is each disagreement of the engines.  There are no times.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version

from cprcheck.report import words
from cprcheck.verdict import Report, Verdict


@dataclass(frozen=True)
class Case:
    """One test.

    `tag` is empty when it passes, else "failure" or "error", with a `kind`, a `message` of a line and a `body` of
    many.  `out` says what a test that passes rests on.
    """

    name: str
    tag: str = ""
    kind: str = ""
    message: str = ""
    body: str = ""
    out: str = ""


@dataclass(frozen=True)
class Suite:
    """The tests of one configuration, which is their class; `facts` say what they are about."""

    name: str
    cases: tuple[Case, ...]
    facts: tuple[tuple[str, str], ...] = ()
    out: str = ""


def dumps(found: Report) -> str:
    """The report as the text of a JUnit XML file."""
    cases = (*(case(found, verdict) for verdict in found.verdicts), *disagreements(found))
    return xml([Suite(words.configuration(found), cases, facts(found), "\n".join(words.preface(found)))])


def case(found: Report, verdict: Verdict) -> Case:
    """The test case of one property."""
    name, said = verdict.prop.name, words.sentence(verdict)
    if verdict.status.good:
        return Case(name, out=said)
    tag = "failure" if verdict.status.bad else "error"
    return Case(name, tag, verdict.status.value, said, "\n".join(words.details(found.system, verdict)))


def disagreements(found: Report) -> tuple[Case, ...]:
    """A test case that goes wrong for each disagreement of the engines."""
    return tuple(
        Case(f"the engines agree ({number})", "error", "DISAGREEMENT", said, said)
        for number, said in enumerate(found.disagreements, 1)
    )


def facts(found: Report) -> tuple[tuple[str, str], ...]:
    """What was looked at, and with which versions."""
    tools = ("cprcheck", version("cprcheck")), ("z3", version("z3-solver"))
    return ("digest", found.system.digest()), *tools, ("scope", "; ".join(found.scope))


def xml(suites: Iterable[Suite]) -> str:
    """Suites of tests as the text of a JUnit XML file."""
    root = ET.Element("testsuites", name="cprcheck")
    for suite in suites:
        _add(root, suite)
    _count(root, list(root.iter("testcase")))
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written.decode() + "\n"


def _add(root: ET.Element, suite: Suite) -> None:
    element = ET.SubElement(root, "testsuite", name=words.printable(suite.name))
    properties = ET.SubElement(element, "properties")
    for name, value in suite.facts:
        ET.SubElement(properties, "property", name=name, value=words.printable(value))
    for each in suite.cases:
        test = ET.SubElement(
            element, "testcase", classname=words.printable(suite.name), name=words.printable(each.name)
        )
        if each.tag:
            wrong = ET.SubElement(test, each.tag, type=each.kind, message=words.printable(each.message))
            wrong.text = words.printable(each.body)
        if each.out:
            ET.SubElement(test, "system-out").text = words.printable(each.out)
    if suite.out:
        ET.SubElement(element, "system-out").text = words.printable(suite.out)
    _count(element, list(element.iter("testcase")))


def _count(element: ET.Element, tests: list[ET.Element]) -> None:
    element.set("tests", str(len(tests)))
    for tag in ("failure", "error"):
        element.set(f"{tag}s", str(sum(test.find(tag) is not None for test in tests)))
