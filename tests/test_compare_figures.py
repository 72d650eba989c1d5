"""Figures of toy designs, each known by hand."""

from __future__ import annotations

from textwrap import indent

import pytest
from toys import FAIL, INVALIDATE, RESTORE, START, management, recovering, toy, view

from cprcheck.compare.figures import (
    Count,
    Failure,
    clean_run,
    failure_capable,
    failures,
    restorers,
    start_and_stop,
)
from cprcheck.compare.view import INVALID, failure_name
from cprcheck.passes.faults import with_faults
from cprcheck.semantics import initial_states, outcome, successors
from cprcheck.system import State, System

# ---- operations on a run without failure --------------------------------------------------------------------------

UPDATE = (
    management(
        'yield "ask"\n'
        's.emit("CHECK_EXTENSION", container="c0", extension="UNMAP_ALL")\n'
        's.emit("CHECK_EXTENSION", container="c0", extension="UPDATE_VADDR")\n'
        'yield "test the flag"\n'
        's.emit("test", of="flag")\n'
        's.emit("something else")\n' + INVALIDATE + 'yield "exec"\ns.fault("execvp fails")\ns.exec(old, new)\n'
    )
    + """
@m.process(group=new)
def load(s):
    yield "restore"
    s.valid = True
    s.emit("MAP(V)", container="c0", by="the new QEMU")
    yield "start"
    s.runs = s.done = True
@m.action
def luck(s):
    s.done = True
"""
)
COUNTED = (
    Count("old_qemu", "CHECK_EXTENSION", 2),
    Count("old_qemu", "UNMAP(ALL|V)", 1),
    Count("old_qemu", "test", 1),
    Count("new_qemu", "MAP(V)", 1),
)


def test_a_clean_run_is_counted_by_kind_and_group_and_takes_no_action() -> None:
    assert clean_run(view(toy(UPDATE), faults=0)) == COUNTED


def test_without_a_successful_update_there_is_no_clean_run() -> None:
    assert clean_run(view(toy(management(INVALIDATE)), faults=0)) is None


def test_a_run_that_begins_at_its_end_has_no_operations() -> None:
    assert clean_run(view(toy(UPDATE, done="True"), 0)) == ()


@pytest.mark.parametrize("ways", ["0, 1, 2", "2, 1, 0", "1, 0, 2"])
def test_of_equally_short_runs_the_order_of_the_choices_decides_nothing(ways: str) -> None:
    """Two tests, three tests, or a test and an ioctl, which OPERATIONS names first."""
    way = f'yield "which way"\nway = s.choose("way", ({ways}))\n'
    kinds = {0: ["test"] * 2, 1: ["test"] * 3, 2: ["CHECK_EXTENSION", "test"]}
    for number, each in kinds.items():
        way += f"if way == {number}:\n" + "".join(f'    s.emit("{kind}")\n' for kind in each)
    body = management(way + 'yield "exec"\ns.done = True\n')
    assert clean_run(view(toy(body), 0)) == (Count("old_qemu", "test", 2),)


# ---- starting and stopping ----------------------------------------------------------------------------------------

USER = """
m.var("command", OneOf("none", "stop", "cont"), init="none")
m.var("started", Bool, init=False)
@m.action(command=("stop", "cont"), group=old)
def user(s, command):
    s.require(s.command == "none")
    s.command = command
@m.process(group=old)
def monitor(s):
    while True:
        yield idle("execute a command")
        s.require(s.command != "none")
        if s.command == "stop":
            s.emit("test", of="running")
            s.runs = False
        else:
            for container in (0, 1):
                yield f"restore {container}?"
                s.emit("test", of="flag", container=container)
            yield "start"
            s.runs = True
            yield "resume"
            s.emit("test", of="counter")
        s.command = "none"
"""
SHORTCUT = management('yield "a"\ns.runs = False\nyield "b"\ns.runs = True\n')


def test_the_tests_of_a_stop_and_a_start_are_those_of_the_whole_way_round() -> None:
    assert start_and_stop(view(toy(USER + SHORTCUT), 0)) == (Count("old_qemu", "test", 4),)


def test_what_changes_for_good_does_not_hide_the_way_round() -> None:
    changed = USER.replace("s.runs = False", "s.runs = False\n            s.started = True")
    assert start_and_stop(view(toy(changed), 0)) == (Count("old_qemu", "test", 4),)


def test_who_cannot_stop_and_start_has_no_tests() -> None:
    assert start_and_stop(view(toy(SHORTCUT), 0)) is None
    assert start_and_stop(view(toy(USER.replace("s.runs = True", "s.runs = False")), 0)) is None
    assert start_and_stop(view(toy(USER, runs="False"), 0)) is None
    assert start_and_stop(view(toy(USER, runs="any_of(False, True)"), 0)) == (Count("old_qemu", "test", 4),)


# ---- from a failure to the restore --------------------------------------------------------------------------------

CALLER = ("the caller",)
FLUSH = 'yield "flush"\ns.fault("flush fails")\n'
SKIP = 'yield "skip?"\nif s.choose("skip", (True, False)):\n'
LOOP = 'while True:\n    yield "again?"\n    if s.choose("again", ("no", "yes")) == "no":\n        break\n'
END = 'yield "restore"\n' + RESTORE
GIVE = 'yield "give one"\ns.emit("MAP(V)", container="c0", by="the caller")\n'
KILL = management(INVALIDATE + 'yield "exec"\nif s.fault("execvp fails"):\n    s.kill(old)\n')
ACTION = "@m.{kind}\ndef rescue(s):\n    s.require(s.failed)\n    s.valid = True\n"
WAIT = 'yield "restore"\ns.require(s.valid == False)\n' + RESTORE

FOLLOWS = {
    "at once": (recovering(END), [("disk full", 0, 0, 1, 1, True, False, False, CALLER)]),
    "in the very step that fails": (recovering(RESTORE), []),
    "after one or two operations": (
        recovering(FLUSH + SKIP + '    yield "write"\n    s.fault("write fails")\n' + END),
        [("disk full", 1, 2, 3, 4, True, False, False, CALLER)],
    ),
    "while the guest runs": (
        recovering('yield "start"\ns.runs = True\n' + END),
        [("disk full", 0, 0, 2, 2, True, False, True, CALLER)],
    ),
    "after any number of operations": (
        recovering(LOOP + '    yield "flush"\n    s.fault("flush fails")\n' + END),
        [("disk full", 0, None, 2, None, False, False, False, CALLER)],
    ),
    "after a loop in which nothing can fail": (
        recovering(LOOP + END),
        [("disk full", 0, 0, 2, 2, False, False, False, CALLER)],
    ),
    "never": (recovering('yield "give up"\n'), [("disk full", None, None, None, None, False, True, False, ())]),
    "never, and the guest runs": (
        recovering("s.runs = True\n"),
        [("disk full", None, None, None, None, False, True, True, ())],
    ),
    "by nobody, when only the new QEMU gives addresses": (
        recovering(END.replace("the caller", "the new QEMU")),
        [("disk full", None, None, None, None, False, True, False, ())],
    ),
    "by the process, when the event does not say": (
        recovering(END.replace(', by="the caller"', "")),
        [("disk full", 0, 0, 1, 1, True, False, False, ("management",))],
    ),
    "by one of two": (
        recovering("s.failed = True\n" + FLUSH + FLUSH.replace("flush", "sync") + WAIT)
        + "@m.process\ndef handler(s):\n"
        '    yield idle("wait")\n    s.require(s.failed)\n    s.valid = True\n    s.emit("MAP(V)", by="the handler")\n',
        [("disk full", 0, 2, 1, 3, True, False, False, ("the caller", "the handler"))],
    ),
    "only at the first of two places": (
        management(FAIL + indent(END + "return\n", "    ") + 'yield "close"\nif s.fault("disk full"):\n    return\n'),
        [("disk full", 0, 0, 1, 1, False, True, False, CALLER)],
    ),
    "after a refusal": (
        management(
            INVALIDATE + 'yield "c1"\nif s.choose("capable", (True, False)) == False:\n'
            '    s.emit("refused", by="the kernel")\n    yield "restore"\n'
            '    s.valid = True\n    s.emit("MAP(V)", by="me")\n'
        ),
        [("the kernel refuses: c1", 0, 0, 1, 1, True, False, False, ("me",))],
    ),
    "only if somebody says so": (
        recovering("s.failed = True\n") + ACTION.format(kind="action") + '    s.emit("MAP(V)", by="the user")\n',
        [("disk full", 0, 0, 1, 1, False, False, False, ("the user",))],
    ),
    "one address, and no more": (
        recovering(GIVE + START),
        [("disk full", 0, 0, 1, 1, False, False, True, CALLER)],
    ),
    "one address, and the others before the guest runs": (
        recovering(GIVE + END + START),
        [("disk full", 0, 0, 1, 1, True, False, False, CALLER)],
    ),
    "one address, and the others after the guest runs": (
        recovering(GIVE + START + END),
        [("disk full", 0, 0, 1, 1, True, False, True, CALLER)],
    ),
    "if somebody is awake then": (
        "m.var('awake', Bool, init=False)\n"
        + recovering('yield "restore"\ns.require(s.awake)\n' + RESTORE)
        + '@m.process(group=old)\ndef worker(s):\n    while True:\n        yield idle("work")\n'
        "        s.awake = s.awake == False\n",
        [("disk full", 0, 0, 1, None, False, False, False, CALLER)],
    ),
    "after steps that change nothing": (
        recovering(END)
        + '@m.process\ndef clock(s):\n    while True:\n        yield idle("tick")\n        s.runs = s.runs\n',
        [("disk full", 0, 0, 1, 1, True, False, False, CALLER)],
    ),
    "not at all: nothing is invalid": (management('yield "open"\ns.fault("cannot be opened")\n' + INVALIDATE), []),
    "not at all: nobody is left": (KILL, []),
}


@pytest.mark.parametrize("case", FOLLOWS)
def test_what_follows_a_failure(case: str) -> None:
    body, expected = FOLLOWS[case]
    system = toy(body)
    assert failures(view(system), failure_capable(system)) == tuple(Failure(*each) for each in expected)


Walked = tuple[set[int], set[int], bool, set[str]]


def walked(system: System) -> dict[str, Walked]:
    """For each failure, on all runs: the operations before the first restore, all steps to it, whether the guest runs
    before all is valid, and by whom.  Steps that change nothing are left out."""
    capable = failure_capable(system)
    system = with_faults(system, 1, injected=False)
    found: dict[str, Walked] = {}

    def walk(state: State, open_: dict[str, tuple[int, int]], invalid: set[str]) -> None:
        told = outcome(system, state)
        hurt = told["vaddrs"] in INVALID and "old" in told["guest"]
        invalid = {*invalid, *open_} if hurt else set()
        for name in invalid | open_.keys():
            numbers, lengths, runs, by = found.setdefault(name, (set(), set(), False, set()))
            found[name] = numbers, lengths, runs or (hurt and told["guest"] == "runs in the old QEMU"), by
        for index, after in successors(system, state):
            if after == state:
                continue
            step = system.transitions[index]
            by = set(restorers(system, step))
            for name, (number, length) in open_.items() if by else ():
                found[name][0].add(number)
                found[name][1].add(length + 1)
                found[name][3].update(by)
            passed = int((step.process, step.label) in capable)
            going = {} if by else {name: (n + passed, length + 1) for name, (n, length) in open_.items()}
            then, failed = outcome(system, after), failure_name(system, step)
            if failed and then["vaddrs"] in INVALID and "old" in then["guest"]:
                going[failed] = 0, 0
            walk(after, going, invalid)

    for state in initial_states(system):
        walk(state, {}, set())
    return found


LOOPS = {
    "after any number of operations",
    "after a loop in which nothing can fail",
    "only if somebody says so",
    "if somebody is awake then",
}


@pytest.mark.parametrize("case", sorted(FOLLOWS.keys() - LOOPS))
def test_the_figures_are_those_of_all_runs_one_by_one(case: str) -> None:
    system = toy(FOLLOWS[case][0])
    told = failures(view(system), failure_capable(system))
    assert {f.name: (f.least, f.most, f.steps, f.longest, f.runs, set(f.by)) for f in told} == {
        name: (*(end(each, default=None) for each in (numbers, lengths) for end in (min, max)), runs, by)
        for name, (numbers, lengths, runs, by) in walked(system).items()
    }


def test_an_injected_fault_makes_no_step_capable_of_failing() -> None:
    system = toy(recovering(FLUSH + 'yield "sync"\ns.fault("sync fails", injected=True)\n' + END))
    assert failure_capable(system) == {(0, "save"), (0, "flush")}
