"""The digest of a written model: what is there for readers leaves it alone, every change of meaning changes it."""

from __future__ import annotations

import re

import pytest
from authors import written

TEXT = '''
def helper(s, limit):
    """Count."""
    s.n = s.n + 1
    yield "wait"
    s.require(s.n < limit)

@m.process(c="hw/vfio/cpr.c")
def p(s):
    """Go."""
    for step in (1, 2):
        yield f"step {step}"
        if s.fault("breaks"):
            s.abort("why")
        yield from helper(s, limit=3)
    yield "tell"
    with s.lock(l):
        s.emit("told", who="me")
        answer = s.choose("which", (Vaddr.NONE, Vaddr.GOOD))
        s.v[0] = answer

@m.action(i=(0, 1))
def flip(s, i):
    s.require(s.v[i] == Vaddr.GOOD)
    s.b = not s.b

@m.invariant
def few(s):
    """Never many."""
    return s.n <= 2
'''
DIGEST = written(TEXT).system.digest()

SAME = {
    "a comment": ("    s.n = s.n + 1", "    # one more\n    s.n = s.n + 1  # really"),
    "a docstring": ('"""Go."""', '"""Go on."""'),
    "no docstring": ('    """Never many."""\n', ""),
    "the name of a local": ("answer", "reply"),
    "the name of a loop variable that is not shown": (
        "for step in (1, 2):",
        "for number in (1, 2):\n        step = number",
    ),
    "the name of a helper": ("helper", "part"),
    "the name of a parameter of a helper": ("limit", "most"),
    "blank lines": ("    s.b = not s.b", "\n\n    s.b = not s.b\n"),
    "the C file": ("hw/vfio/cpr.c", "hw/vfio/common.c"),
}


@pytest.mark.parametrize("what", SAME)
def test_the_digest_does_not_depend_on(what: str) -> None:
    before, after = SAME[what]
    assert before in TEXT
    assert written(TEXT.replace(before, after)).system.digest() == DIGEST


OTHER = {
    "a constant that is written": ("s.n + 1", "s.n + 2"),
    "a comparison": ("s.n < limit", "s.n <= limit"),
    "an argument": ("limit=3", "limit=2"),
    "the label of a step": ('yield "tell"', 'yield "say"'),
    "the label of a fault": ('"breaks"', '"bends"'),
    "whether a fault is injected": ('"breaks"', '"breaks", injected=True'),
    "the question of a choice": ('"which"', '"what"'),
    "the order of the options": ("(Vaddr.NONE, Vaddr.GOOD)", "(Vaddr.GOOD, Vaddr.NONE)"),
    "the name of an event": ('"told"', '"said"'),
    "an argument of an event": ('who="me"', 'who="you"'),
    "a lock": ("with s.lock(l):", "if True:"),
    "a step more": ('yield "tell"', 'yield "pause"\n    yield "tell"'),
    "the number of rounds": ("(1, 2):", "(1,):"),
    "the instances of an action": ("(i=(0, 1))", "(i=(0,))"),
    "what is assigned": ("s.b = not s.b", "s.b = s.b"),
    "the target of an assignment": ("s.v[0] = answer", "s.v[1] = answer"),
    "a claim": ("s.n <= 2", "s.n <= 1"),
    "the kind of a claim": ("@m.invariant", "@m.reachable"),
    "the name of a claim": ("few", "fewer"),
    "the name of a process": ("def p(s)", "def q(s)"),
    "fairness": ('@m.process(c="hw/vfio/cpr.c")', "@m.process(fair=NONE)"),
    "an abort": ('s.abort("why")', "return"),
}


@pytest.mark.parametrize("what", OTHER)
def test_the_digest_depends_on(what: str) -> None:
    before, after = OTHER[what]
    assert before in TEXT
    assert written(TEXT.replace(before, after)).system.digest() != DIGEST


def test_no_two_of_the_changes_have_the_same_digest() -> None:
    changed = {what: written(TEXT.replace(*OTHER[what])).system.digest() for what in OTHER}
    assert len(set(changed.values())) == len(changed)


def test_the_digest_is_sixteen_hexadecimal_digits() -> None:
    assert re.fullmatch("[0-9a-f]{16}", DIGEST)
