"""Files for one report are joined into one for several."""

from __future__ import annotations

import json

from cprcheck.report import together
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
