"""GitHub's annotations, decoded as its runner decodes them, and the summary, rendered as Markdown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import samples
from markdown_it import MarkdownIt  # what rich renders Markdown with

from cprcheck.errors import Source
from cprcheck.models import SHIPPED
from cprcheck.report import github, summary, words


def decoded(line: str) -> tuple[str, dict[str, str], str]:
    """(command, properties, message) as the runner understands a line: %25 last, or %2525 would be decoded twice."""
    command, given, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
    pairs = dict(pair.split("=", 1) for pair in given.split(","))

    def plain(text: str) -> str:
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, char)
        return text

    return command, {name: plain(value) for name, value in pairs.items()}, plain(message)


# ---- annotations --------------------------------------------------------------------------------------------------


def test_there_is_one_for_each_group_that_is_not_good() -> None:
    found = samples.full()
    told = [decoded(line) for line in github.commands(found)]
    assert [(command, given["title"]) for command, given, _ in told] == [
        ("error", f"mine: {name}") for name in ("quiet", "whole(i=0)", "settles", "both")
    ]
    source = found["quiet"].prop.source
    assert told[0][1] == {"file": source.file, "line": str(source.line), "title": "mine: quiet"}
    assert told[0][2] == "VIOLATED in 2 steps: n != 3\nclaimed: Nobody ever sends three. That would be too much."
    assert list(github.commands(samples.good())) == []


def test_instances_that_fare_alike_are_one() -> None:
    body = "@m.invariant(i=(0, 1))\ndef never(s, i):\n    return s.b"
    found = samples.check(samples.written(body), samples.Options(properties=("never",)))
    (line,) = github.commands(found)
    assert decoded(line)[2] == "VIOLATED in 0 steps: b\nlikewise: never(i=1)"


def test_unknown_is_a_warning_and_a_disagreement_an_error_without_a_line() -> None:
    (line,) = github.commands(samples.unknown())
    assert decoded(line)[0] == "warning"
    assert decoded(line)[2].startswith("UNKNOWN: bmc: ")
    assert list(github.commands(samples.at_odds())) == [
        "::error title=mine::DISAGREEMENT bounded: explicit HOLDS, bmc VIOLATED"
    ]


@pytest.mark.parametrize("said", ["100%", "%0A", "%25", "a:b,c=d", "one\ntwo\r\n", "::error::no", "a::b"])
def test_what_is_written_is_what_github_reads(said: str) -> None:
    line = github.command("notice", said, said, Source("a,b:c%.py", 3))
    assert "\n" not in line
    assert decoded(line) == ("notice", {"file": "a,b:c%.py", "line": "3", "title": said}, said)


def test_a_command_is_escaped_as_githubs_own_toolkit_does() -> None:
    line = github.command("error", "50% a:b\r\nc", "t: x, y")
    assert line == "::error title=t%3A x%2C y::50%25 a:b%0D%0Ac"


def test_only_lines_of_the_working_directory_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    inside, outside = Source(str(tmp_path / "x" / "a.py"), 2), Source(str(tmp_path.parent / "a.py"), 2)
    shipped = Source(str(SHIPPED / "designs" / "v7.py"), 2)
    assert github.command("error", "m", "t", inside) == "::error file=x/a.py,line=2,title=t::m"
    assert {github.command("error", "m", "t", source) for source in (outside, shipped)} == {"::error title=t::m"}


def test_a_design_of_yours_that_is_judged_by_our_claims_has_its_annotations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = [decoded(line)[1] for line in github.commands(samples.abroad(tmp_path))]
    line = (tmp_path / "mine.py").read_text(encoding="utf-8").splitlines().index("@model") + 1
    assert [(given["file"], given["line"]) for given in told] == [("mine.py", str(line))] * 2


def test_hostile_text_is_one_line_without_controls() -> None:
    (line,) = github.commands(samples.hostile())
    assert line.isprintable()
    assert decoded(line)[1]["title"].startswith("<script>alert('{0}')</script>\\x1b[31m\r\n::error::|")


# ---- summary ------------------------------------------------------------------------------------------------------


def rendered(text: str) -> str:
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text)


def test_the_table_has_every_verdict() -> None:
    found = samples.full()
    html = rendered(summary.dumps(found))
    rows = re.findall(r"<tr>\s*<td>(.*?)</td>\s*<td>(.*?)</td>\s*<td>(.*?)</td>", html)
    assert [(mark, name) for mark, name, _ in rows] == [
        *(("❌", "quiet"), ("❌", "whole(i=0)"), ("✅", "whole(i=1)"), ("❌", "settles")),
        *(("✅", "new"), ("❌", "both"), ("✅", "bounded")),
    ]
    assert rows[0][2] == "VIOLATED in 2 steps: n != 3"
    assert "<h3>mine</h3>" in html
    assert "<p>3 VIOLATED, 1 UNREACHABLE, 2 HOLDS, 1 REACHABLE</p>" in html


def test_traces_are_folded_and_complete() -> None:
    found = samples.full()
    html = rendered(summary.dumps(found))
    folded = re.findall(r"<details><summary>(.*?)</summary>\s*<pre>(.*?)</pre>\s*</details>", html, re.DOTALL)
    names = [
        "scope, and what these verdicts do not say",
        *(f"trace of {n}" for n in ("quiet", "whole(i=0)", "settles")),
    ]
    assert [name for name, _ in folded] == names
    plain = folded[1][1].replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&")
    assert plain == "\n".join(words.details(found.system, found["quiet"]))


def test_unknown_is_neither_good_nor_bad_and_a_disagreement_stands_out() -> None:
    assert "| ❔ | bounded | UNKNOWN: bmc: " in summary.dumps(samples.unknown())
    assert "**DISAGREEMENT** bounded: explicit HOLDS, bmc VIOLATED" in summary.dumps(samples.at_odds())


def test_hostile_text_stays_text() -> None:
    html = rendered(summary.dumps(samples.hostile()))
    assert "<script>" not in html
    assert html.count("<tr>") == 2
    assert "<a " not in html
    assert "<code>" not in html
