"""JUnit XML: accepted by the schema, and nothing passes that is not good."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import samples
import xmlschema

from cprcheck.report import junit, words
from cprcheck.report.text import evidence, title
from cprcheck.verdict import Report

SCHEMA = xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / "junit-10.xsd"))
ALL = (samples.full, samples.good, samples.unknown, samples.initially, samples.hostile, samples.at_odds)


def parsed(found: Report) -> ET.Element:
    return ET.fromstring(junit.dumps(found).encode())


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.__name__)
def test_the_schema_accepts_it(made) -> None:
    SCHEMA.validate(junit.dumps(made()))


def test_the_schema_refuses_what_is_none() -> None:
    assert not SCHEMA.is_valid(junit.dumps(samples.good()).replace(' name="bounded"', ""))


def test_only_good_verdicts_pass() -> None:
    found = samples.full()
    cases = {case.get("name"): [child.tag for child in case] for case in parsed(found).iter("testcase")}
    assert cases == {
        "quiet": ["failure"],
        "whole(i=0)": ["failure"],
        "whole(i=1)": ["system-out"],
        "settles": ["failure"],
        "new": ["system-out"],
        "both": ["failure"],
        "bounded": ["system-out"],
    }
    assert cases.keys() == {verdict.prop.name for verdict in found.verdicts}


def test_the_totals_are_those_of_the_cases() -> None:
    root = parsed(samples.full())
    for element in (root, root[0]):
        assert [element.get(name) for name in ("tests", "failures", "errors")] == ["7", "4", "0"]


def test_a_failure_has_the_sentence_and_the_whole_trace() -> None:
    found = samples.full()
    (case,) = (case for case in parsed(found).iter("testcase") if case.get("name") == "quiet")
    (failure,) = case
    name = f"{title(found.system)} only quiet, whole, settles, new, both, bounded"
    assert (case.get("classname"), failure.get("type")) == (name, "VIOLATED")
    assert failure.get("message") == "VIOLATED in 2 steps: n != 3"
    assert failure.text == "\n".join(evidence(found.system, found["quiet"]))


def test_what_is_unreachable_says_what_was_looked_at() -> None:
    (case,) = (case for case in parsed(samples.full()).iter("testcase") if case.get("name") == "both")
    assert case[0].get("message") == "UNREACHABLE: all reachable states, by explicit and prove"
    assert case[0].text == "--- both\nNobody gets there.\n  UNREACHABLE: all reachable states, by explicit and prove"


def test_unknown_is_an_error_with_its_reason() -> None:
    root = parsed(samples.unknown())
    (case,) = (case for case in root.iter("testcase") if case.get("name") == "bounded")
    assert [child.tag for child in case] == ["error"]
    assert case[0].get("message") == f"UNKNOWN: {samples.unknown()['bounded'].reason}"
    assert root.get("errors") == str(len(list(root.iter("error"))))


def test_a_disagreement_is_an_error_of_its_own() -> None:
    root = parsed(samples.at_odds())
    case = list(root.iter("testcase"))[-1]
    assert (case.get("name"), case[0].tag, case[0].get("type")) == ("the engines agree (1)", "error", "DISAGREEMENT")
    assert (root.get("errors"), case[0].text) == ("1", "bounded: explicit HOLDS, bmc VIOLATED")


def test_a_test_that_passes_says_what_it_rests_on_and_the_suite_what_it_is_about() -> None:
    found = samples.good()
    suite = parsed(found)[0]
    outs = {case.get("name"): case.findtext("system-out") for case in suite.iter("testcase")}
    assert outs["bounded"] == "HOLDS: all reachable states, by explicit and prove"
    assert outs["new"] == "REACHABLE: 3 steps, by explicit and bmc"
    facts = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert facts["digest"] == found.system.digest()
    assert facts["scope"] == "any finite number of faults, injected ones excluded"
    assert suite.findtext("./system-out") == "\n".join(words.preface(found))


def test_hostile_text_stays_text() -> None:
    root = parsed(samples.hostile())
    assert {element.tag for element in root.iter()} == {
        *("testsuites", "testsuite", "properties", "property", "testcase", "failure", "system-out")
    }
    (failure,) = root.iter("failure")
    assert failure.text is not None
    assert failure.text.count("<script>alert('{0}')</script>\\x1b[31m") >= 5  # claim, label, fault, event, value
    assert "]]>.\\x00\\ud800" in failure.text


def test_there_are_no_times() -> None:
    assert not [element for element in parsed(samples.full()).iter() if {"time", "timestamp"} & {*element.keys()}]
