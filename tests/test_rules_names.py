"""Names are one line that every terminal shows as it is; what else stands in them is refused, wherever they enter."""

from __future__ import annotations

import pytest
from authors import process, refusal, written

STEP = 'yield "go"\n'
NAMES = {
    'm.array("x", ("a{}",), Bool, init=False)': "x[a{}]",
    'm.var("x", OneOf("a{}", "b"), init="b")': "a{}",
    'm.var("x", Enum("E", ["a{}"]), init=None)': "a{}",
    'm.lock("a{}")': "lock a{}",
    'm.group("a{}")': "a{}",
    'm.lane("a{}")': "a{}",
    'm.bar("a{}")': "a{}",
    'm.note("a{}")': "a{}",
    'm.severity("a{}")': "a{}",
    'm.outcome("a{}", "b")': "a{}",
    'm.outcome("b", "a{}")': "a{}",
    'm.outcome_of_events("a{}", event="e", argument="b")': "a{}",
    'm.event_never("a{}")': "a{}",
    'm.process(c="a{}")': "a{}",
    'Model("a{}")': "a{}",
    'c("a{}")': "a{}",
    'm.action(i=("a{}",))(lambda s, i: None)': "<lambda>(i=a{})",
    'm.invariant(i=("a{}",))(lambda s, i: True)': "<lambda>(i=a{})",
}
STEPS = {
    'yield "a{}"': "a{}",
    'yield idle("a{}")': "a{}",
    's.fault("a{}")': "a{}",
    's.choose("a{}", (1, 2))': "a{}",
    's.choose("a", ("b", "b{}"))': "b{}",
    's.emit("a{}")': "a{}",
    's.emit("a", b="c{}")': "a(b=c{})",
    's.abort("a{}")': "aborted(process=p, why=a{})",
}
ODD = ("\\0", "\\n", "\\r", "\\x1b", "\\x7f", "\\x85", "\\ud800", "\\udcff", "\\u202e", "\\u2066")


@pytest.mark.parametrize("line", [*NAMES, *STEPS])
def test_a_name_is_one_line_that_every_terminal_shows_as_it_is(line: str) -> None:
    for odd in ODD:
        here = line.replace("{}", odd)
        found = refusal(process(f"{STEP}{here}\n") if line in STEPS else here + "\n")
        char = odd.encode().decode("unicode_escape")
        name = (STEPS | NAMES)[line].replace("{}", char)
        assert found == (f"{name!r} has the character {char!r}, which no name may have; leave it out", here)


def test_a_parameter_is_told_like_a_name() -> None:
    body = '@model\ndef one(p: Enum = Enum("E", ["a\\0"])["a\\0"]) -> Model:\n    return m\none()\n'
    assert refusal(body) == ("'a\\x00' has the character '\\x00', which no name may have; leave it out", "@model")


def test_names_in_any_writing_are_fine() -> None:
    odd = "é 日本 😀 العربية \u200f<b>&\"'`|\\]]>-->%0A"
    written(f"m.array('x', ({odd!r},), Bool, init=False)\n" + process(f"yield {odd!r}\ns.emit({odd!r})"))


def test_a_docstring_has_lines_and_no_other_control_characters() -> None:
    body = "@m.invariant\ndef i(s):\n    'One.\\nTwo \\x1b[31m\\0\\ud800\\u202e.'\n    return True\n"
    assert written(body).system.property("i").doc == "One.\nTwo \\x1b[31m\\x00\\ud800\\u202e."
