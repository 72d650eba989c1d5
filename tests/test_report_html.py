"""The HTML page without a browser: what is in it, what cannot get in, and that it is the same each time."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, tostring

import pytest
from lamp import LAMP, Run
from pages import HOSTILE, hostile
from systems import counter, digraph, never

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.report import html, svg, text
from cprcheck.report.html_data import distinct, slugs
from cprcheck.report.html_matrix import matrix
from cprcheck.semantics import successors
from cprcheck.system import System
from cprcheck.verdict import Report

POOLS = ("words", "steps", "traces", "shapes")
PAGE = Path(html.__file__).parent / "page"


class Parsed(HTMLParser):
    """The elements of a page as (tag, attributes, text directly in it), in their order."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.open: list[list[str]] = []
        self.words: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        self.open.append(self.elements[-1][2])
        if tag in ("meta", "input", "br", "wbr", "img", "link"):
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if self.open:
            self.open[-1].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attrs, "".join(said)) for name, attrs, said in self.elements if name == tag]

    def data(self) -> dict[str, Any]:
        (found,) = (said for attrs, said in self.all("script") if attrs.get("type") == "application/json")
        loaded: dict[str, Any] = json.loads(found)
        return loaded


@pytest.fixture(scope="module")
def lamp(tmp_path_factory: pytest.TempPathFactory) -> Report:
    path = tmp_path_factory.mktemp("lamp") / "lamp.py"
    path.write_text(LAMP, encoding="utf-8")
    return check(catalog.bind(catalog.find(str(path)), {}))


def never_two() -> System:
    """A small system with a violated claim."""
    system = digraph([0, 1, 2])
    return system.with_properties((never(system, 2),))


# ---- one file, that nothing can get into ----------------------------------------------------------------------------


def test_the_policy_lets_in_this_style_and_this_script_and_nothing_else(lamp: Report) -> None:
    page = Parsed(html.dumps(lamp))
    (policy,) = (attrs["content"] for attrs, _ in page.all("meta") if "http-equiv" in attrs)
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    (style,) = (said for _, said in page.all("style"))
    (script,) = (said for attrs, said in page.all("script") if "type" not in attrs)
    hashed = [base64.b64encode(hashlib.sha256(said.encode()).digest()).decode() for said in (style, script)]
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashed[0]}'",
        "script-src": f"'sha256-{hashed[1]}'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_page_asks_for_nothing(lamp: Report) -> None:
    source = html.dumps(lamp)
    page = Parsed(source)
    named = [value for _, attrs, _ in page.elements for key, value in attrs.items() if key in ("href", "src", "action")]
    assert named
    assert all(str(value).startswith("#") for value in named)
    assert not page.all("link") + page.all("img") + page.all("iframe")
    assert set(re.findall(r"https?://[\w./]+", source)) <= {"http://www.w3.org/2000/svg"}
    assert not re.search(r"url\(|@import|\bfetch\(|XMLHttpRequest|innerHTML|localStorage", source)


def test_nothing_in_the_page_has_handlers_or_styles_of_its_own(lamp: Report) -> None:
    used = {key for _, attrs, _ in Parsed(html.dumps(lamp)).elements for key in attrs}
    assert not {key for key in used if key.startswith("on") or key == "style"}


def test_what_a_model_says_stays_text() -> None:
    found, tame = hostile(), check(never_two())
    source = html.dumps(found)
    page, other = Parsed(source), Parsed(html.dumps(tame))
    assert {tag for tag, _, _ in page.elements} == {tag for tag, _, _ in other.elements}
    assert len(page.all("script")) == 2
    assert "<img" not in source
    said = "".join(page.words)
    for what in ("system", "param", "setting", "scope", "merging", "family", "severity"):
        assert f"{what} {HOSTILE}" in said, what
    assert " ".join(f"doc {HOSTILE}".split()) in said


def test_the_data_keeps_what_a_model_says_and_holds_no_markup() -> None:
    source = html.dumps(hostile())
    raw = source.partition('<script id="data" type="application/json">')[2].partition("</script>")[0]
    assert not set("<>&\u2028\u2029") & set(raw)
    (step,) = json.loads(raw)["steps"]
    for key, what in (("label", "label"), ("process", "process")):
        assert step[key] == f"{what} {HOSTILE}"
    assert step["choices"] == [[f"question {HOSTILE}", f"answer {HOSTILE}"]]
    assert step["faults"] == [f"fault {HOSTILE}"]
    assert step["events"] == [f"event {HOSTILE}(key {HOSTILE}=value {HOSTILE})"]


@pytest.mark.parametrize("name", ["page.css", "page.js"])
def test_the_style_and_the_script_can_stand_in_a_page(name: str) -> None:
    said = (PAGE / name).read_text(encoding="utf-8")
    assert "</" not in said
    assert "<!--" not in said
    assert said.count("\n") <= {"page.css": 300, "page.js": 400}[name]


def test_the_page_is_the_same_each_time(tmp_path: Path) -> None:
    (tmp_path / "lamp.py").write_text(LAMP, encoding="utf-8")
    pages = set()
    for seed in ("1", "2"):
        line = [sys.executable, "-m", "cprcheck", "check", "lamp.py", "--engine", "explicit", "--html", f"{seed}.html"]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        assert subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode == 1
        pages.add((tmp_path / f"{seed}.html").read_bytes())
    assert len(pages) == 1
    assert str(tmp_path).encode() not in pages.pop()


def test_no_report_is_no_page() -> None:
    with pytest.raises(ValueError, match=r"^a page needs a report$"):
        html.dumps([])


# ---- the table --------------------------------------------------------------------------------------------------


def test_a_cell_tells_how_its_instances_fared(lamp: Report) -> None:
    found = matrix([lamp])
    (column,) = found.columns
    assert (column.model, column.params, column.scope) == ("lamp", (), ())
    cells = {row.name: row.cells[0] for row in found.rows}
    assert [(e.symbol, e.status, e.instances, e.link) for e in cells["below"]] == [("✓", "HOLDS", "2 of 2", "")]
    (whole,) = cells["whole"]
    assert (whole.symbol, whole.status, whole.basis) == ("✗", "VIOLATED", "1 steps")
    assert whole.link == "#lamp-2-RED/whole/0"
    assert found.counts[0] == ("✗", "VIOLATED", 3, "bad")


def test_instances_that_fared_differently_are_told_apart() -> None:
    system = digraph([0, 1], [0, 2], [3, 3])
    claims = [replace(never(system, node, name=f"never({node})"), family="never") for node in (1, 4)]
    found = check(system.with_properties(tuple(claims)))
    (row,) = matrix([found]).rows
    assert [(e.status, e.instances) for e in row.cells[0]] == [("VIOLATED", "1 of 2"), ("HOLDS", "1 of 2")]


def test_what_configurations_share_is_told_once() -> None:
    model = catalog.find("v7")
    options = Options(engines=("explicit",), properties=("guest_survives",))
    found = matrix([check(catalog.bind(model, {"topology": "e", "kernel": era}), options) for era in ("E1", "E4")])
    assert found.params == ("topology=e", "mappings=1", "guest=RUNNING", "env=none")
    assert found.scope == ("environment: quiet", "any finite number of faults, injected ones excluded")
    assert [column.params for column in found.columns] == [("kernel=E1",), ("kernel=E4",)]
    assert [column.scope[0][:9] for column in found.columns] == ["kernel E1", "kernel E4"]


def test_what_was_not_asked_and_what_says_nothing_are_told() -> None:
    nothing = Options(engines=("explicit",), properties=("refused_before_stop",))
    reports = [check(catalog.bind(catalog.find("v7"), {"topology": "e"}), nothing), check(counter(2, guarded=True))]
    page = Parsed(html.dumps(reports))
    assert "not asked" in [said for _, said in page.all("span")]
    assert "true with these parameters, whatever happens" in [said for _, said in page.all("span")]


def test_a_disagreement_cannot_be_overlooked(lamp: Report) -> None:
    said = "".join(Parsed(html.dumps(Report(lamp.system, lamp.verdicts, None, (), None, ("a: <b>",)))).words)
    assert "DISAGREEMENT lamp(top=2, kernel=RED, env=none): a: <b>" in said


# ---- the traces -------------------------------------------------------------------------------------------------


def test_the_changes_give_the_states_of_the_trace_again(lamp: Report) -> None:
    data = Parsed(html.dumps(lamp)).data()
    (configuration,) = data["configurations"]
    assert [v["name"] for v in configuration["verdicts"]] == ["whole", "not_both", "bright", "dark"]
    for told in configuration["verdicts"]:
        trace = lamp[told["name"]].trace
        assert trace is not None
        packed = data["traces"][told["trace"]]
        state = list(packed["first"])
        rebuilt = [list(state)]
        for _, changes in packed["steps"]:
            for slot, word in changes:
                state[slot] = word
            rebuilt.append(list(state))
        shown = [[s.domain.show(c) for s, c in zip(lamp.system.slots, st, strict=True)] for st in trace.states]
        assert [[data["words"][word] for word in state] for state in rebuilt] == shown
        titles = [text.step_title(lamp.system, lamp.system.transitions[step]) for step in trace.steps]
        assert [data["steps"][step]["title"] for step, _ in packed["steps"]] == titles


def test_what_else_could_have_happened_is_told(lamp: Report) -> None:
    data = Parsed(html.dumps(lamp)).data()
    (told,) = (v for v in data["configurations"][0]["verdicts"] if v["name"] == "not_both")
    trace = lamp["not_both"].trace
    assert trace is not None
    for at, others in enumerate(data["traces"][told["trace"]]["else"]):
        taken = trace.steps[at] if at < len(trace.steps) else None
        possible = [step for step, _ in successors(lamp.system, trace.states[at]) if step != taken]
        titles = [text.step_title(lamp.system, lamp.system.transitions[step]) for step in possible]
        assert [data["steps"][step]["title"] for step, _, _ in others] == titles


def test_another_way_back_into_the_trace_says_where() -> None:
    found = check(digraph([0, 1, 2, 3], [0, 2]).with_properties((never(digraph([0, 3]), 3),)))
    data = Parsed(html.dumps(found)).data()
    (trace,) = data["traces"]
    nodes = [0, 2, 3]  # the shortest way to 3; from 0 one can also go to 1, which is not on it
    assert [data["words"][word] for word in trace["first"]] == [str(nodes[0])]
    assert [[to for _, _, to in others] for others in trace["else"]] == [[-1], [], []]


def test_what_lies_beside_a_trace_is_told_once_and_by_name() -> None:
    system = digraph([0, 1, 2, 3], [0, 4], [0, 1, 4], [0, 1, 2, 0])
    found = check(system.with_properties((never(system, 3),)))
    (trace,) = Parsed(html.dumps(found)).data()["traces"]
    assert trace["beside"] == [[0, ["walker: 0->4"], "o1"], [1, ["walker: 1->4"], "o1"], [2, ["walker: 2->0"], 0]]
    assert trace["others"] == {"o1": ["node: 0 -> 4"]}
    assert trace["left_out"] == 0


def test_the_shapes_are_the_ladder(lamp: Report) -> None:
    data = Parsed(html.dumps(lamp)).data()

    def element(shape: list[Any]) -> Element:
        made = Element(shape[0], shape[1])
        made.text = shape[2] or None
        made.extend(element(inside) for inside in shape[3:])
        return made

    for told in data["configurations"][0]["verdicts"]:
        root = svg.element(lamp.system, lamp[told["name"]], "ladder-")
        root.remove(root.find("style"))  # type: ignore[arg-type]
        rebuilt = Element("svg", told["picture"]["attributes"])
        rebuilt.extend(element(data["shapes"][number]) for number in told["picture"]["shapes"])
        assert tostring(rebuilt) == tostring(root)
        assert not [name for each in root.iter() for name in each.attrib if name == "style" or name.startswith("on")]


def test_the_same_trace_is_written_once(lamp: Report) -> None:
    once, twice = (Parsed(html.dumps(reports)).data() for reports in ([lamp], [lamp, lamp]))
    assert {key: len(once[key]) for key in POOLS} == {key: len(twice[key]) for key in POOLS}


def test_the_lines_of_a_step_are_told_file_by_file(lamp: Report) -> None:
    steps = Parsed(html.dumps(lamp)).data()["steps"]
    lines = {(s["title"], *s["faults"]): re.sub(r"^.*/", "", *s["sources"]) for s in steps if s["label"] == "open"}
    assert lines == {("switch: open", "the wire breaks"): "lamp.py:15-18", ("switch: open",): "lamp.py:15-16, 18"}


# ---- addresses --------------------------------------------------------------------------------------------------


def test_an_address_is_made_of_the_model_and_its_parameters() -> None:
    report = check(catalog.bind(catalog.find("v7"), {"topology": "e/p"}), Options(("explicit",), states=1))
    assert slugs([report]) == ["v7-E1-e-p-1-RUNNING"]


def test_addresses_that_would_be_the_same_get_the_digest() -> None:
    first, second = check(counter(1, guarded=True)), check(counter(2, guarded=True))
    digests = [found.system.digest() for found in (first, second)]
    assert slugs([first, second, first]) == [
        f"counter-{digests[0]}",
        f"counter-{digests[1]}",
        f"counter-{digests[0]}-2",
    ]


def test_words_of_an_address_are_plain_and_different() -> None:
    assert distinct(["a(i=1)", "a i=1", "a-i-1-2", "ä", "a/b"]) == ["a-i-1", "a-i-1-3", "a-i-1-2", "x", "a-b"]


# ---- the command line -------------------------------------------------------------------------------------------


def test_the_command_line_writes_a_page_that_says_how_to_get_it_again(ran: Run) -> None:
    assert ran("check lamp.py -p top=1 --faults 2 --engine explicit --html page.html").code == 1
    data = Parsed(Path("page.html").read_text(encoding="utf-8")).data()
    told = {verdict["name"]: verdict["again"] for verdict in data["configurations"][0]["verdicts"]}
    assert told["whole"] == "cprcheck check lamp.py::lamp -p top=1 --faults 2 --property whole"
