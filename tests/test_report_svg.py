"""Traces as SVG: sound XML that stands alone, with everything that the ladder says."""

from __future__ import annotations

import re
import shutil
import subprocess
import zlib
from xml.etree import ElementTree as ET

import pytest
from authors import process, written
from drawn import found, toy, verdict

from cprcheck.checking import Options, check
from cprcheck.report import svg

NS = "{http://www.w3.org/2000/svg}"


def tree(name: str = "loaded") -> ET.Element:
    return ET.fromstring(svg.dumps(found().system, verdict(name)))


def texts(root: ET.Element) -> list[str]:
    return ["".join(text.itertext()).strip() for text in root.iter(f"{NS}text")]


def group(root: ET.Element, number: int) -> ET.Element:
    return next(each for each in root.iter(f"{NS}g") if each.get("id") == f"step-{number}")


def test_it_has_a_title_and_a_description_for_those_who_do_not_see_it() -> None:
    root = tree()
    assert (root.tag, root.get("role"), root.get("aria-labelledby")) == (f"{NS}svg", "img", "title desc")
    said = {each.get("id"): each.text for each in root if each.get("id") in ("title", "desc")}
    assert said == {
        "title": "loaded VIOLATED: toy",
        "desc": "Nothing is ever loaded.; 5 steps; violated: n != 2; where: n = 2",
    }


def test_nothing_is_asked_of_anybody_else() -> None:
    text = svg.dumps(found().system, verdict())
    assert re.findall(r"https?://[^\"']*", text) == ["http://www.w3.org/2000/svg"]
    assert not any(word in text for word in ("<script", "url(", "@import", "@font-face", "<image", "href", "onload"))


def test_light_and_dark() -> None:
    style = tree().find(f"{NS}style").text
    assert "@media (prefers-color-scheme: dark)" in style
    assert "var(--ladder-ink, #1b1f24)" in style
    first, *rules, last = style.strip().splitlines()
    assert (first, last) == ("@supports (fill: var(--ink)) {", "}")
    assert all(line.startswith(("  .cprcheck-ladder ", "  @media ")) for line in rules)


PAINTED = {
    "paper": {"fill": "#ffffff"},
    "back": {"fill": "none"},
    "name": {"font-weight": "bold"},
    "life": {"stroke": "#6b7480"},
    "message": {"fill": "none", "stroke": "#1b1f24"},
    "bar": {"fill": "#8a5a00", "fill-opacity": "0.35"},
    "cross": {"stroke": "#b3261e"},
}


def test_a_program_that_reads_no_css_shows_it_in_light_colours() -> None:
    """Such as one that makes a PDF of it: black on black otherwise."""
    body = process('yield "a"\nif s.fault("breaks"):\n    s.n = 1') + "\nm.bar('up')(lambda s: s.n == 1)\n"
    report = check(written(body + "@m.invariant\ndef zero(s):\n    return s.n == 0\n"), Options(engines=("explicit",)))
    roots = [tree(), ET.fromstring(svg.dumps(report.system, report["zero"]))]
    assert {root.get("fill") for root in roots} == {"#1b1f24"}
    for name, wanted in PAINTED.items():
        found_ = [each for root in roots for each in root.iter() if each.get("class") == name]
        assert found_, name
        assert all({key: each.get(key) for key in wanted} == wanted for each in found_), name
    assert "var(" not in svg.STYLE.partition("@supports")[0]


def corner(png: bytes) -> bytes:
    """The colour of the first pixel: red, green, blue."""
    assert png[24:26] in (b"\x08\x02", b"\x08\x06")  # 8 bits a colour, which come first
    chunks, data = png[8:], b""
    while chunks:
        size = int.from_bytes(chunks[:4], "big")
        data += chunks[8 : 8 + size] if chunks[4:8] == b"IDAT" else b""
        chunks = chunks[12 + size :]
    raw = zlib.decompress(data)
    return raw[1:4]


@pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="no rsvg-convert; Debian's librsvg2-bin has it")
def test_its_paper_is_white_there() -> None:
    drawn = svg.dumps(found().system, verdict()).encode()
    done = subprocess.run(["rsvg-convert"], input=drawn, stdout=subprocess.PIPE, check=True)
    assert corner(done.stdout) == b"\xff\xff\xff"


def test_lanes_bars_steps_and_what_is_violated_are_written() -> None:
    said = texts(tree())
    assert [said.index(name) for name in ("user", "old QEMU", "new QEMU", "kernel", "vaddr invalid")]
    assert {"loaded VIOLATED: toy", "Nothing is ever loaded.", "violated: n != 2", "where: n = 2"} <= set(said)
    assert {"UNMAP (c0)", "refused (the kernel)", "new QEMU starts", "migration/cpr.c:qmp_cpr_save"} <= set(said)


def test_each_step_is_a_group_that_a_page_can_light_up() -> None:
    groups = [(each.get("id"), each.get("class")) for each in tree().iter(f"{NS}g")]
    assert groups == [(f"step-{i}", f"step step-{i}") for i in range(6)]
    assert group(tree(), 2).find(f"{NS}title").text == "2. unmap\nUNMAP (c0)\nmigration/cpr.c:qmp_cpr_save"
    assert texts(group(tree(), 2)) == ["2", "unmap", "UNMAP (c0)"]


def test_two_pictures_in_a_page_have_different_ids() -> None:
    one, other = (svg.element(found().system, verdict(), prefix) for prefix in ("a-", "b-"))
    ids = [each.get("id") for root in (one, other) for each in root.iter() if each.get("id")]
    assert len(ids) == len(set(ids)) == 2 * 8
    assert one.get("aria-labelledby") == "a-title a-desc"


def test_a_page_says_itself_what_is_claimed() -> None:
    assert "violated: n != 2" not in texts(svg.element(found().system, verdict()))


def test_a_message_goes_from_lane_to_lane() -> None:
    root = tree()
    names = {text.text: text.get("x") for text in root.iter(f"{NS}text") if text.get("class") == "name"}
    drawn = [path.get("d") for path in group(root, 2).iter(f"{NS}path") if path.get("class") == "message"]
    assert len(drawn) == 1
    start, end = re.fullmatch(r"M(\d+) \d+ H(\d+)", drawn[0]).groups()
    assert start == names["old QEMU"]
    assert int(end) == int(names["kernel"]) - 12


def test_a_bar_is_as_long_as_it_stands() -> None:
    bars = [each for each in tree().iter(f"{NS}rect") if each.get("class") == "bar"]
    assert [bar.find(f"{NS}title").text for bar in bars] == ["vaddr invalid: steps 2 to 5"]
    back = group(tree(), 2).find(f"{NS}rect")
    assert abs(int(bars[0].get("y")) - int(back.get("y"))) <= 2


def test_a_lasso_says_where_it_goes_back() -> None:
    said = texts(tree("ends"))
    assert "-- the loop starts here --" in texts(group(tree("ends"), 8))
    assert "-- back to where the loop starts, for ever --" in said


def test_a_fault_is_a_cross_and_a_word() -> None:
    body = process('yield "a"\nif s.fault("<b>it</b> breaks & burns"):\n    s.n = 1')
    report = check(
        written(body + "\n@m.invariant\ndef zero(s):\n    return s.n == 0\n"), Options(engines=("explicit",))
    )
    root = ET.fromstring(svg.dumps(report.system, report["zero"]))
    assert [path.get("class") for path in group(root, 1).iter(f"{NS}path")] == ["cross"]
    assert "FAULT: <b>it</b> breaks & burns" in texts(root)


def test_whatever_a_model_says_stays_text() -> None:
    hostile = "</text><script>alert(1)</script>]]> &amp; \\x00\\x1b\ud800".encode("ascii", "backslashreplace").decode()
    body = f"m.lane('<script>')\n@m.process(lane='<script>')\ndef p(s):\n    yield {hostile!r}\n    s.n = 1\n"
    report = check(written(body + "@m.invariant\ndef zero(s):\n    return s.n == 0\n"), Options(engines=("explicit",)))
    text = svg.dumps(report.system, report["zero"])
    root = ET.fromstring(text)
    assert "<script" not in text
    assert {each.tag.removeprefix(NS) for each in root.iter()} <= {
        *("svg", "title", "desc", "style", "rect", "g", "text", "path", "line", "circle")
    }


def test_long_names_are_squeezed_into_their_lane() -> None:
    body = f"@m.action\ndef {'a' * 40}(s):\n    s.n = 1\n@m.invariant\ndef zero(s):\n    return s.n == 0\n"
    report = check(written(body), Options(engines=("explicit",)))
    name = next(each for each in svg.element(report.system, report["zero"]).iter("text") if each.get("class") == "name")
    assert (name.get("textLength"), name.get("lengthAdjust")) == ("162", "spacingAndGlyphs")


def test_a_verdict_without_a_trace_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^fine has no trace$"):
        svg.dumps(found().system, verdict("fine"))


def test_the_same_text_each_time() -> None:
    report = check(toy(), Options(engines=("explicit",)))
    assert svg.dumps(report.system, report["ends"]) == svg.dumps(found().system, verdict("ends"))
