"""Files for one report are joined into one for several."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import samples
import xmlschema
from sarif_kit.validate import validation_errors

from cprcheck.report import junit, sarif, together
from cprcheck.verdict import Report

XML = '<testsuites name="cprcheck" tests="{0}" failures="1"><testsuite name="{0}" tests="{0}" /></testsuites>'


def test_files_for_one_report_are_joined() -> None:
    numbers: list[Report] = [2, 3]  # type: ignore[list-item]
    joined = dict(together.FILES.values())
    assert json.loads(joined["matrix.json"](str, numbers)) == {"schema": "cprcheck-matrix-1", "reports": [2, 3]}
    logs = joined["cprcheck.sarif"](lambda n: json.dumps({"version": "2.1.0", "runs": [n]}), numbers)
    assert json.loads(logs) == {"version": "2.1.0", "runs": [2, 3]}
    assert joined["junit.xml"](XML.format, numbers) == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<testsuites name="cprcheck" tests="5" failures="2">\n'
        '  <testsuite name="2" tests="2" />\n'
        '  <testsuite name="3" tests="3" />\n'
        "</testsuites>\n"
    )
    assert joined["summary.md"]("### {}\n".format, numbers) == "### 2\n\n### 3\n"
    assert joined["index.html"](lambda several: f"<p>{several}", numbers) == "<p>[2, 3]"


def test_what_is_joined_is_accepted_by_the_schemas_and_loses_nothing() -> None:
    reports = [samples.full(), samples.unknown(), samples.hostile()]
    joined = dict(together.FILES.values())
    log = json.loads(joined["cprcheck.sarif"](sarif.dumps, reports))
    assert validation_errors(log) == []
    assert log["runs"] == [run for found in reports for run in sarif.document(found)["runs"]]
    made = joined["junit.xml"](junit.dumps, reports)
    xmlschema.XMLSchema(str(Path(__file__).parent / "schemas" / "junit-10.xsd")).validate(made)
    separate = [case for found in reports for case in ET.fromstring(junit.dumps(found).encode()).iter("testcase")]
    whole = list(ET.fromstring(made.encode()).iter("testcase"))
    assert [(case.attrib, list(case.itertext())) for case in whole] == [
        (case.attrib, list(case.itertext())) for case in separate
    ]
