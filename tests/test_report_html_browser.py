"""The HTML page in a real browser: read by keyboard, from its address, in light and dark, without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsers import PHONE, Reader, chromium
from lamp import LAMP
from pages import HOSTILE, hostile
from playwright.sync_api import Browser, expect
from systems import digraph, never

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.expr import TRUE
from cprcheck.report import html
from cprcheck.system import Kind, Property
from cprcheck.verdict import Report

pytestmark = pytest.mark.slow

Open = Callable[..., Reader]
TRACE = "#lamp-2-RED/not_both"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Report]:
    """The lamp with two switch positions, and with three."""
    path = tmp_path_factory.mktemp("lamp") / "lamp.py"
    path.write_text(LAMP, encoding="utf-8")
    model = catalog.find(str(path))
    options = Options(engines=("explicit", "prove"), native=False)
    return [check(catalog.bind(model, {"top": top}), options) for top in ("2", "3")]


@pytest.fixture
def reader(browser: Browser, reports: list[Report], tmp_path: Path) -> Iterator[Open]:
    """Open a page of these reports, or of others; afterwards nothing bad may have happened."""
    readers = []

    def opened(found: list[Report] | Report = reports, **how: object) -> Reader:
        file = tmp_path / f"page{len(readers)}.html"
        file.write_text(html.dumps(found), encoding="utf-8")
        readers.append(Reader(browser, file, **how))  # type: ignore[arg-type]
        return readers[-1]

    yield opened
    for each in readers:
        assert each.trouble == []
        each.context.close()


# ---- verdicts ---------------------------------------------------------------------------------------------------


def test_the_verdicts_are_a_table(reader: Open) -> None:
    page = reader().open()
    assert page.locator("#verdicts thead th[scope=col]").all_inner_texts() == ["Property", "lamp\ntop=2", "lamp\ntop=3"]
    cells = page.get_by_role("row", name="not_both").get_by_role("cell").all_inner_texts()
    assert [cell.split("\n")[:2] for cell in cells] == [["✗ VIOLATED", "2 steps"]] * 2
    below = page.get_by_role("row", name="below").get_by_role("cell").all_inner_texts()
    assert [cell.split("\n")[:2] for cell in below] == [["✓ HOLDS", "2 of 2"]] * 2
    assert page.locator("#matrix .scope").inner_text().endswith("any finite number of faults, injected ones excluded")
    assert page.locator("main:visible").count() == 1


def test_the_table_can_be_searched(reader: Open) -> None:
    one = reader()
    page = one.open()
    one.press("/", *"bright")
    assert page.locator("#verdicts tbody tr:visible th code").all_inner_texts() == ["bright"]
    assert page.locator("#left").inner_text() == "1 of 7 properties"
    page.locator("#columns").fill("top=3")
    assert page.locator("#verdicts thead th:visible").all_inner_texts() == ["Property", "lamp\ntop=3"]
    page.locator("#rows").fill("violated whole")
    assert page.locator("#verdicts tbody tr:visible th code").all_inner_texts() == ["whole"]


def test_without_scripts_the_verdicts_can_be_read(browser: Browser, reports: list[Report], tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(html.dumps(reports), encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    said = page.locator("noscript p")
    assert said.inner_text() == "Without scripts this page shows the verdicts, but not the traces."
    expect(page.get_by_role("row", name="not_both")).to_be_visible()
    expect(page.locator("#filters")).not_to_be_visible()
    context.close()


# ---- traces -----------------------------------------------------------------------------------------------------


def test_a_trace_is_opened_and_stepped_through_by_keyboard(reader: Open) -> None:
    one = reader()
    page = one.open()
    page.get_by_role("row", name="not_both").get_by_role("link").first.focus()
    one.press("Enter")
    assert (one.place(), one.steps()) == (f"{TRACE}/0", ["0\nInitial state"])
    assert page.locator("#name").inner_text() == "✗ VIOLATED not_both"
    assert one.changed() == []
    one.press("ArrowRight")
    assert (one.place(), one.steps()) == (f"{TRACE}/1", ["1\nFAULT switch: open"])
    assert one.changed() == [("●cut[wire]", "True", "False"), ("●@switch", "turn", "open")]
    assert page.locator("#live").text_content().startswith("Step 1 of 2: FAULT switch: open. cut[wire]: False to True")
    assert page.locator("#position").inner_text() == "step 1 of 2"
    one.press("j")
    assert one.steps() == ["2\nFAULT switch: turn (how far: 1)"]
    assert page.locator("#step .ending").inner_text() == "✗ not cut[wire] or not cut[fuse]"
    one.press("j")
    assert one.place() == f"{TRACE}/2"
    one.press("k")
    assert one.place() == f"{TRACE}/1"
    one.press("End", "ArrowUp")
    assert one.place() == f"{TRACE}/1"
    one.press("Home")
    assert one.place() == f"{TRACE}/0"
    one.press("Escape")
    expect(page.locator("#verdicts")).to_be_visible()
    assert page.evaluate("document.activeElement.getAttribute('href')") == f"{TRACE}/0"


def test_what_a_step_is_is_told(reader: Open) -> None:
    page = reader().open(f"{TRACE}/2")
    told = page.locator("#step").inner_text().split("\n")
    assert told[0] == "2. FAULT switch: turn (how far: 1)"
    for line in ("the fuse blows", "how far: 1", "n: 0 → 1", "cut[fuse]: False → True", "hw/lamp.c:switch"):
        assert line in told
    assert page.locator("#facts").inner_text().split("\n")[:4] == [
        "violated",
        "not cut[wire] or not cut[fuse]",
        "where",
        "cut[wire] = True, cut[fuse] = True",
    ]


def test_buttons_do_the_same(reader: Open) -> None:
    one = reader()
    page = one.open(f"{TRACE}/0")
    assert page.get_by_role("button", name="Back").is_disabled()
    page.get_by_role("button", name="Next").click()
    page.locator("#steps button").nth(2).click()
    assert one.place() == f"{TRACE}/2"
    assert page.get_by_role("button", name="Next").is_disabled()
    one.press("ArrowUp")
    assert page.evaluate("document.activeElement.innerText") == "1\nFAULT switch: open"
    page.get_by_role("button", name="First").click()
    assert one.place() == f"{TRACE}/0"


def test_the_address_brings_one_back_to_the_trace_and_the_step(reader: Open) -> None:
    one = reader()
    page = one.open(f"{TRACE}/0")
    one.press("j")
    page.reload()
    assert (one.place(), one.steps()) == (f"{TRACE}/1", ["1\nFAULT switch: open"])
    page.goto(f"{one.file.as_uri()}#lamp-3-RED/dark/1")
    assert page.locator("#name").inner_text() == "✗ VIOLATED dark"
    assert "lamp(top=3, kernel=RED, env=none)" in page.locator("#more").inner_text()
    page.go_back()
    assert (page.locator("#name").inner_text(), one.place()) == ("✗ VIOLATED not_both", f"{TRACE}/1")


def test_back_leads_to_the_verdicts_however_many_steps_were_taken(reader: Open) -> None:
    one = reader()
    page = one.open()
    page.get_by_role("row", name="not_both").get_by_role("link").first.click()
    one.press("j", "j", "k")
    page.go_back()
    expect(page.locator("#verdicts")).to_be_visible()
    page.go_forward()
    assert one.place() == f"{TRACE}/1"


def test_an_address_of_nothing_says_so(reader: Open) -> None:
    page = reader().open("#lamp-9-RED/not_both/1")
    assert page.locator("#notice").inner_text() == "This file has no trace #lamp-9-RED/not_both/1"
    expect(page.locator("#verdicts")).to_be_visible()
    page = reader().open(f"{TRACE}/99")
    assert page.locator("#position").inner_text() == "step 2 of 2"


def test_only_what_changed_can_be_shown(reader: Open) -> None:
    one = reader()
    page = one.open(f"{TRACE}/1")
    assert page.locator("#slots tbody tr.same:visible").count() == 2
    one.press("c")
    assert page.locator("#slots tbody tr.same:visible").count() == 0
    assert page.locator("#slots tbody tr.changed:visible").count() == 2


def test_what_else_could_have_happened_is_a_key_away(reader: Open) -> None:
    one = reader()
    page = one.open(f"{TRACE}/0")
    one.press("2")
    expect(page.locator("#state")).to_be_hidden()
    assert page.locator("#else").inner_text().split("\n")[-2:] == ["switch: open", "@switch: open → turn"]
    page.locator("#tab-around").focus()
    one.press("ArrowLeft")
    expect(page.locator("#state")).to_be_visible()


def test_what_lies_around_the_trace_is_a_graph(reader: Open) -> None:
    system = digraph([0, 1, 2, 3], [0, 4], [0, 1, 4], [0, 1, 2, 0])
    one = reader(check(system.with_properties((never(system, 3),))))
    page = one.open("#digraph/never/0")
    one.press("2")
    lines = page.locator("#graph li").all_inner_texts()
    assert [line.split("\n")[:2] for line in lines] == [
        ["0", "Initial state"],
        ["o1", "walker: 0->4"],
        ["1", "walker: 0->1"],
        ["o1", "walker: 1->4"],
        ["2", "walker: 1->2"],
        ["0", "walker: 2->0"],
        ["3", "walker: 2->3"],
    ]
    page.get_by_role("button", name="3", exact=True).click()
    assert one.place() == "#digraph/never/3"
    assert page.locator("#graph .current").inner_text().split("\n") == ["3", "walker: 2->3"]


def test_the_ladder_shows_the_current_step_and_leads_to_others(reader: Open) -> None:
    one = reader()
    page = one.open(f"{TRACE}/1")
    one.press("3")
    lit = page.locator("#ladder .step.current")
    assert "FAULT: the wire breaks" in lit.text_content()
    assert lit.locator(".back").evaluate("back => getComputedStyle(back).fill") != "rgba(0, 0, 0, 0)"
    one.press("j")
    assert "FAULT: the fuse blows" in lit.text_content()
    page.locator("#ladder .step").first.click()
    assert one.place() == f"{TRACE}/0"


def test_a_loop_says_where_it_goes(reader: Open) -> None:
    system = digraph([0, 1, 2, 1])
    claim = Property("ends", Kind.LEADS_TO, (TRUE, replace(TRUE, value=0)), family="ends")
    page = reader(check(system.with_properties((claim,)))).open("#digraph/ends/9")
    assert page.locator("#step .loop").inner_text() == "From here it goes back to state 1, for ever."
    assert page.locator("#steps .loop").first.inner_text() == "the loop starts here"


def test_the_keys_are_explained(reader: Open) -> None:
    one = reader()
    page = one.open()
    one.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    one.press("Escape")
    assert page.get_by_role("dialog").count() == 0


# ---- what must never happen, and looks ---------------------------------------------------------------------------


def test_a_script_in_a_model_is_text(reader: Open) -> None:
    one = reader(hostile())
    page = one.open()
    page.locator("#verdicts a").click()
    assert HOSTILE.split("\u2028", maxsplit=1)[0] in page.locator("#name").inner_text()
    one.press("End")
    one.press("2", "3", "1")
    for where in ("#step", "#slots", "#steps", "#facts", "#more"):
        assert "</script><script>alert(1)</script>" in page.locator(where).inner_text(), where
    assert "alert(1)" in page.locator("#ladder").text_content()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_the_watch_over_a_reader_notices(browser: Browser, tmp_path: Path) -> None:
    """A page that does what ours must not: it asks for a picture, breaks its own policy, and opens a dialog."""
    file = tmp_path / "bad.html"
    policy = """<meta http-equiv="Content-Security-Policy" content="style-src 'none'">"""
    bad = "<style>p {}</style><img src='http://127.0.0.1:9/'><script>alert(1); throw Error('no')</script>"
    file.write_text(policy + bad, encoding="utf-8")
    one = Reader(browser, file)
    one.open()
    kinds = {trouble.partition(":")[0] for trouble in one.trouble}
    assert kinds == {"request", "dialog", "script error", "console"}
    assert "request: http://127.0.0.1:9/" in one.trouble
    one.context.close()


def test_light_and_dark_follow_the_system_until_somebody_chooses(reader: Open) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        one = reader(scheme=scheme)
        page = one.open()
        ground = "getComputedStyle(document.documentElement).backgroundColor"
        first = page.evaluate(ground)
        one.press("t")
        grounds.append((first, page.evaluate(ground)))
    assert grounds[0] == grounds[1][::-1]
    assert grounds[0][0] != grounds[0][1]


@pytest.mark.parametrize("fragment", ["", f"{TRACE}/1"])
def test_on_a_phone_nothing_is_wider_than_the_page(reader: Open, fragment: str) -> None:
    page = reader(size=PHONE).open(fragment)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_the_focus_can_be_seen(reader: Open) -> None:
    one = reader()
    page = one.open()
    for _ in range(8):
        one.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
