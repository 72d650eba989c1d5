"""Whom failures leave behind, alone and in pairs, and whether the update can still succeed: toys, by hand."""

from __future__ import annotations

from textwrap import indent

import pytest
from toys import INVALIDATE, RESTORE, management, recovering, toy, view

from cprcheck.compare.left import Attempt, Pair, attempts, left_behind, pairs

ACTION = "@m.{kind}\ndef rescue(s):\n    s.require(s.failed)\n    s.valid = True\n"
END = 'yield "restore"\n' + RESTORE
KILL = management(INVALIDATE + 'yield "exec"\nif s.fault("execvp fails"):\n    s.kill(old)\n')
EXEC = (
    management(INVALIDATE + 'yield "log"\ns.fault("log lost")\ns.failed = True\n')
    + '@m.process(group=old)\ndef main_loop(s):\n    yield idle("wait")\n'
    "    s.require(s.failed)\n    s.exec(old, new)\n"
)
LOADS = management(INVALIDATE + 'yield "exec"\ns.exec(old, new)\n') + (
    "@m.process(group=new)\ndef load(s):\n"
    '    yield "load"\n    if s.fault("cannot be loaded"):\n        s.broken = True\n        return\n'
    "    s.done = True\n"
)
RETRY = "@m.{kind}\ndef retry(s):\n    s.require(s.broken)\n    s.broken = False\n"
TWICE = INVALIDATE + 'yield "save"\nif s.fault("disk full"):\n    s.broken = True\n' + END
LEFT = {
    "nobody restores": (recovering('yield "give up"\n'), ("disk full",), ()),
    "the caller restores": (recovering(END), (), ()),
    "somebody may restore": (recovering("s.failed = True\n") + ACTION.format(kind="action"), ("disk full",), ()),
    "somebody has to": (recovering("s.failed = True\n") + ACTION.format(kind="action(fair=WEAK)"), (), ()),
    "the loop that waits has to go on": (EXEC, (), ()),
    "a device asks for ever": (
        recovering('yield "give up"\n')
        + '@m.process\ndef mdev(s):\n    while True:\n        yield idle("ask")\n        s.emit("asks")\n',
        ("disk full",),
        (),
    ),
    "the VM is lost": (KILL, (), ("execvp fails",)),
    "lost later": (KILL.replace("    s.kill", '    yield "die"\n        s.kill'), (), ("execvp fails",)),
    "failed in the new QEMU, where the guest is stopped": (LOADS, (), ("cannot be loaded",)),
    "failed in the new QEMU, where the guest runs": (
        LOADS.replace("s.broken = True", "s.broken = s.runs = True"),
        (),
        ("cannot be loaded",),
    ),
    "failed in the new QEMU, where something never rests": (
        LOADS + '@m.process\ndef mdev(s):\n    while True:\n        yield idle("ask")\n        s.emit("asks")\n',
        (),
        ("cannot be loaded",),
    ),
    "failed in the new QEMU, where somebody has to try again": (
        LOADS + RETRY.format(kind="action(fair=WEAK)"),
        (),
        (),
    ),
    "failed in the new QEMU, where somebody may try again": (
        LOADS + RETRY.format(kind="action"),
        (),
        ("cannot be loaded",),
    ),
    "failed in the old QEMU, where the caller restores": (management(TWICE), (), ()),
    "a refusal, and a second fault is not held against it": (
        management(
            INVALIDATE + 'yield "c1"\nif s.choose("capable", (True, False)) == False:\n    s.emit("refused")\n'
            'yield "exec"\nif s.fault("execvp fails"):\n    s.kill(old)\ns.failed = True\n'
        ),
        ("management refuses: c1",),
        ("execvp fails",),
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_is_left_behind(case: str) -> None:
    body, invalid, lost = LEFT[case]
    left = left_behind(view(toy(body)))
    assert (left.invalid, left.lost) == (invalid, lost)
    assert set(left.names) == {*invalid, *lost} <= set(left.of)


# ---- two failures ---------------------------------------------------------------------------------------------------

OPEN = 'yield "open"\nif s.fault("cannot be opened"):\n    return\n'
SPARE = (
    INVALIDATE
    + 'yield "first"\nbroken = s.fault("first disk full")\nyield "second"\n'
    + 'if s.fault("second disk full") and broken:\n    return\n'
    + END
    + 'yield "exec"\ns.done = True\n'
)


def told(body: str) -> tuple[list[Pair], int]:
    found = pairs(view(toy(body), faults=2))
    return list(found.left), len(found.of)


def test_what_takes_two_failures_neither_of_them_does_alone() -> None:
    """A second disk takes over when the first is full."""
    first, second = "first disk full", "second disk full"
    assert told(management(SPARE)) == ([Pair(first, second, invalid=True, lost=False, alone=False)], 1)
    assert left_behind(view(toy(management(SPARE)))).names == ()


def test_what_one_of_two_failures_does_already_is_said() -> None:
    body = management(INVALIDATE + 'yield "log"\ns.fault("log lost")\nyield "save"\nif s.fault("disk full"):\n'
                      '    return\n' + END)  # fmt: skip
    assert told(body) == ([Pair("log lost", "disk full", invalid=True, lost=False, alone=True)], 1)


def test_what_is_lost_by_two_failures_or_by_one_of_them() -> None:
    first = INVALIDATE + 'yield "first"\nbroken = s.fault("first fails")\nyield "second"\n'
    by_both = 'if s.fault("second fails"):\n    if broken:\n        s.kill(old)\n' + END
    by_one = 'if s.fault("second fails"):\n    s.kill(old)\n' + END
    names = ("first fails", "second fails")
    assert told(management(first + by_both)) == ([Pair(*names, invalid=False, lost=True, alone=False)], 1)
    assert told(management(first + by_one)) == ([Pair(*names, invalid=False, lost=True, alone=True)], 1)


def test_when_all_is_lost_nothing_more_can_fail() -> None:
    body = (
        management('yield "die"\ns.kill(old)\n')
        + '@m.process\ndef log(s):\n    yield "log"\n    s.fault("disk full")\n'
    )
    assert left_behind(view(toy(body))).of == ("disk full",)
    after = body.replace('yield "log"', 'yield "log"\n    s.require(s.alive(old) == False)')
    assert left_behind(view(toy(after))).of == ()


def test_a_failure_that_ends_everything_has_no_second() -> None:
    assert told(management(OPEN + INVALIDATE)) == ([], 0)


def test_a_second_failure_may_mend_what_the_first_has_left() -> None:
    """The first is forgotten; whoever notices the second restores everything."""
    body = management(INVALIDATE + 'yield "save"\nlost = s.fault("disk full")\nyield "again"\nif s.fault("refused"):\n'
                      + indent(END + "return\n", "    ") + "if lost:\n    return\n" + END)  # fmt: skip
    assert left_behind(view(toy(body))).invalid == ("disk full",)
    assert told(body) == ([], 1)


# ---- another attempt ------------------------------------------------------------------------------------------------

TWICE_ = "for attempt in (1, 2):\n" + indent(
    'yield f"invalidate {attempt}"\ns.require(s.valid)\ns.valid = False\n'
    'yield f"save {attempt}"\nif s.fault("disk full"):\n    {recover}\n    continue\n'
    'yield f"exec {attempt}"\nif s.fault("execvp fails"):\n    s.kill(old)\ns.exec(old, new)\n',
    "    ",
)
LOAD = '@m.process(group=new)\ndef load(s):\n    yield "load"\n    s.done = True\n'


@pytest.mark.parametrize(("recover", "able"), [("s.valid = True", True), ("pass", False)])
def test_who_restores_can_try_again(recover: str, able: bool) -> None:
    body = management(TWICE_.replace("{recover}", recover)) + LOAD
    assert attempts(view(toy(body))) == (
        Attempt("disk full", always=able, never=not able),
        Attempt("execvp fails", always=False, never=True),
    )


def test_a_failure_may_be_mended_in_one_place_only() -> None:
    body = management(
        'yield "a"\nif s.fault("disk full"):\n    return\nyield "b"\ns.fault("disk full")\nyield "c"\ns.done = True\n'
    )
    assert attempts(view(toy(body))) == (Attempt("disk full", always=False, never=False),)


def test_an_attempt_that_somebody_may_make_is_none() -> None:
    body = recovering("s.failed = True\n") + "@m.action\ndef user(s):\n    s.require(s.failed)\n    s.done = True\n"
    assert attempts(view(toy(body))) == (Attempt("disk full", always=False, never=True),)
