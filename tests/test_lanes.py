"""What an author says about pictures: lanes, arrows and bars; its rules, and that no verdict depends on it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from authors import HEAD, process, refusal, written
from drawn import BODY, LANES, toy

from cprcheck.lanes import Arrow, Bar, Drawing, Lane
from cprcheck.passes.faults import with_faults
from cprcheck.passes.project import project
from cprcheck.system import System, meaning, render


def declared() -> System:
    return toy().system


def test_lanes_arrows_and_bars_are_part_of_the_system_in_their_order() -> None:
    drawing = declared().drawing
    assert drawing.lanes == (Lane("user"), Lane("old QEMU", "old"), Lane("new QEMU", "new"), Lane("kernel"))
    assert drawing.arrows == (
        Arrow(step="save", sender="user"),
        Arrow(step="type", receiver="old QEMU"),
        Arrow(event="UNMAP", receiver="kernel"),
        Arrow(event="refused", sender="kernel", arguments=(("by", "the kernel"),)),
    )
    assert [(bar.label, render(bar.formula, declared().slots)) for bar in drawing.bars] == [
        ("vaddr invalid", "not valid"),
        ("never", "n = 9"),
    ]
    assert [process.lane for process in declared().processes] == ["", "", "user"]


def test_no_digest_knows_of_them_and_no_comparison() -> None:
    plain = toy(BODY.replace(', lane="user"', "")).system
    assert plain.drawing == Drawing()
    assert list(meaning(plain)) == list(meaning(declared()))
    assert plain == declared()
    assert replace(plain, drawing=Drawing(bars=(Bar("other", plain.properties[0].formulas[0]),))) == plain


def test_a_bound_on_faults_keeps_the_drawing_and_a_projection_has_none() -> None:
    assert with_faults(declared(), 2, injected=False).drawing == declared().drawing
    assert project(declared(), frozenset({0})).system.drawing == Drawing()


def test_a_bar_may_ask_what_an_invariant_may() -> None:
    body = (
        "@m.bar('x')\ndef f(s):\n    if s.b:\n        return s.n == 1\n    return some(v == Vaddr.NONE for v in s.v)\n"
    )
    system = written(body).system
    assert render(system.drawing.bars[0].formula, system.slots) == ("(n = 1 if b else v[0] = NONE or v[1] = NONE)")


LANE = 'm.lane("user")\n'
RULES = {
    'm.lane("user")': "lane 'user' is declared twice",
    'm.lane("a", group=g)\nm.lane("b", group=g)': "the group g has a lane already",
    '@m.process(lane="usr")\ndef p(s):\n    yield "a"': "no lane 'usr'; there is user; declare it first, with m.lane",
    '@m.action(lane="usr")\ndef p(s):\n    s.n = 1': "no lane 'usr'; there is user; declare it first, with m.lane",
    'm.arrow(event="MAP", receiver="kernel")': "no lane 'kernel'; there is user; declare it first, with m.lane",
    'm.arrow(step="map", sender="kernel")': "no lane 'kernel'; there is user; declare it first, with m.lane",
    'm.arrow(event="MAP")': "an arrow names the lane that it comes from, sender=, or goes to, receiver=",
    'm.arrow(receiver="user")': 'an arrow is an event or a step: m.arrow(event="MAP", receiver="kernel")',
    'm.arrow(event="MAP", step="map", receiver="user")': (
        'an arrow is an event or a step: m.arrow(event="MAP", receiver="kernel")'
    ),
    'm.arrow(step="map", receiver="user", by="me")': (
        'an arrow is an event or a step: m.arrow(event="MAP", receiver="kernel")'
    ),
    "@m.bar\ndef f(s):\n    return s.b": 'a bar has a label: @m.bar("guest runs")',
    '@m.bar("x")\ndef f(s):\n    return s.n': "f returns <state expression n>; return the claim, a truth value",
    '@m.bar("x")\ndef f(s):\n    pass': "f returns nothing; return the claim, a truth value",
    '@m.bar("x")\ndef f(s):\n    yield s.b': "bar 'x' has a yield; a bar returns a truth value",
    '@m.bar("x")\ndef f():\n    return True': (
        "f: too many positional arguments; it takes the state, and an argument for each index set"
    ),
    '@m.bar("x")\ndef f(s):\n    return s.nn == 1': "no state variable 'nn'; did you mean 'n'?",
    '@m.bar("x")\ndef f(s):\n    return s.b\n@m.bar("x")\ndef f(s):\n    return s.b': (
        "bar 'x' is declared twice; join the two with |"
    ),
    process('yield "a"\n') + '@m.bar("x")\ndef f(s):\n    return m.at("p", "a")': (
        "bar 'x' asks m.at; a picture must not decide which locations are equal: keep a variable"
    ),
}


@pytest.mark.parametrize("body", RULES)
def test_a_rule(body: str) -> None:
    assert refusal(LANE + body + "\n")[0] == RULES[body]


def test_where_there_is_no_lane_the_message_says_so() -> None:
    assert refusal('@m.process(lane="a")\ndef p(s):\n    yield "a"\n')[0] == (
        "no lane 'a'; there is none; declare it first, with m.lane"
    )


def test_an_index_may_not_be_called_lane() -> None:
    said, line = refusal('@m.process(lane=(0, 1))\ndef p(s, lane):\n    yield "a"\n', HEAD)
    assert said == "lane= names a lane; give the index another name"
    assert line == "@m.process(lane=(0, 1))"
    assert LANES.count("m.lane") == 4
