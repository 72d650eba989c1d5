"""Failure matrices of toy designs, each known by hand."""

from __future__ import annotations

from dataclasses import replace
from textwrap import indent

import pytest
from authors import written
from toys import HEAD, INVALIDATE, RESTORE, START, management, recovering, toy

from cprcheck import catalog
from cprcheck.compare.aftermath import NEXT, Again, End, Matrix, Place, Row
from cprcheck.compare.matrix import REFUSED_NEXT, Options, confirm, measure, trying_again
from cprcheck.compare.runs import Options as RunOptions
from cprcheck.compare.runs import interleavings
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.semantics import outcome
from cprcheck.system import System

RUNS, STOPPED, IN_NEW = "runs in the old QEMU", "stopped in the old QEMU", "runs in the new QEMU"


def named(row: Row) -> str:
    return ", ".join(place.name for place in row.places)


def ends(found: Matrix) -> list[tuple[str, End]]:
    return [(named(row), row.end) for row in found.rows]


def told(system: System, options: Options | None = None) -> dict[str, list[str]]:
    """For each failure its ends: guest, vaddrs, update, by whom, when, again, severity."""
    found: dict[str, list[str]] = {}
    for name, end in ends(measure(system, options)):
        vaddrs = ", ".join(f"{name} {value}".strip() for name, value in end.vaddrs)
        cells = (end.guest, vaddrs, end.update, "+".join(end.by) or "nobody", end.when.value, end.again.value)
        found.setdefault(name, []).append("; ".join([*cells, *([end.severity] if end.severity else [])]))
    return found


# ---- how runs end ---------------------------------------------------------------------------------------------------


LOSE = management(INVALIDATE + 'yield "exec"\nif s.fault("execvp fails"):\n    s.kill(old)\ns.done = True\n')
TWO = 's.valid = True\ns.emit("MAP(V)", container="c0", by="one")\ns.emit("MAP(V)", container="c1", by="two")\n'
NAMELESS = 's.valid = True\ns.emit("MAP(V)", container="c0")\n'

ENDS = {
    "nobody restores": (recovering("return\n"), f"{STOPPED}; none valid; under way; nobody; never; ?"),
    "before the guest runs": (
        recovering('yield "restore"\n' + RESTORE + START),
        f"{RUNS}; all valid; under way; the caller; before; ?",
    ),
    "after the guest ran": (
        recovering(START + 'yield "restore"\n' + RESTORE),
        f"{RUNS}; all valid; under way; the caller; after; ?",
    ),
    "in the very step that fails": (recovering(RESTORE), f"{STOPPED}; all valid; under way; the caller; before; ?"),
    "by two": (recovering('yield "restore"\n' + TWO), f"{STOPPED}; all valid; under way; one+two; before; ?"),
    "by a nameless one": (
        recovering('yield "restore"\n' + NAMELESS),
        f"{STOPPED}; all valid; under way; management; before; ?",
    ),
    "the guest runs and nobody restores": (recovering(START), f"{RUNS}; none valid; under way; nobody; never; ?"),
    "nothing was invalid": (
        management('yield "save"\nif s.fault("disk full"):\n    s.broken = True\n'),
        f"{RUNS}; all valid; failed; nobody; -; ?",
    ),
    "no harm": (
        management('yield "save"\ns.fault("disk full")\nyield "go on"\ns.done = True\n'),
        f"{RUNS}; all valid; done; nobody; -; -",
    ),
}


@pytest.mark.parametrize("case", ENDS)
def test_how_a_run_ends_after_a_failure(case: str) -> None:
    body, end = ENDS[case]
    assert told(toy(body))["disk full"] == [end]


def test_what_was_given_before_the_failure_is_not_its_restore() -> None:
    body = management(INVALIDATE + 'yield "a"\n' + RESTORE + 'yield "b"\nif s.fault("late"):\n    s.broken = True\n')
    found = told(toy(body))
    assert found["late"] == [f"{STOPPED}; all valid; failed; nobody; -; ?"]
    assert found[""] == [f"{STOPPED}; all valid; under way; the caller; before; ?"]


def test_a_lost_vm_has_nobody_who_could_try_again() -> None:
    graded = '@m.severity("VM lost")\ndef worst(s):\n    return (s.alive(old) == False) & (s.alive(new) == False)\n'
    graded += '@m.severity("next update refused")\ndef bad(s):\n    return not s.valid\n'
    assert told(toy(LOSE + graded)) == {
        "": [f"{STOPPED}; none valid; done; nobody; never; -; next update refused"],
        "execvp fails": ["lost; none valid; under way; nobody; never; no; VM lost"],
    }


def test_what_only_the_user_may_do_is_an_end_more() -> None:
    user = "@m.action(group=old)\ndef cont(s):\n    s.require(s.valid == False, not s.runs)\n    s.runs = True\n"
    found = measure(toy(recovering("return\n") + user))
    rows = [row for row in found.rows if named(row) == "disk full"]
    assert [(row.end.guest, len(row.trace)) for row in rows] == [(STOPPED, 2), (RUNS, 3)]


PARTLY = recovering('yield "restore"\ns.emit("MAP(V)", container="c0", by="the caller")\n')


def test_addresses_of_which_some_are_left_invalid_were_not_all_given() -> None:
    assert told(toy(PARTLY))["disk full"] == [f"{STOPPED}; none valid; under way; the caller; not all; ?"]


WATCHDOG = 'while True:\n    yield "crash"\n    s.runs = False\n    yield "again"\n    s.runs = True\n'


def test_a_vm_that_is_lost_and_comes_back_for_ever_is_told_as_one_end() -> None:
    body = 'm.array("vaddr", ("c0",), Bool, init=True)\n' + management(
        'yield "save"\nif s.fault("disk full"):\n' + indent(WATCHDOG, "    ")
    )
    lost = HEAD.replace("return (s.alive(old) == False) & (s.alive(new) == False)", "return not s.runs")
    (row,) = [row for row in measure(written(body, lost).system).rows if row.places]
    assert (row.end.guest, row.end.vaddrs) == (f"{RUNS} or lost", (("c0", "valid or all valid"),))


ROUND = 'while True:\n    yield "tick"\n    s.runs = True\n    yield "tock"\n    s.runs = False\n'


def test_a_run_that_goes_round_for_ever_is_told_as_one_end() -> None:
    found = measure(toy(recovering(ROUND)))
    (row,) = [row for row in found.rows if named(row) == "disk full"]
    assert (row.end.endless, row.end.guest, found.leaving) == (True, f"{STOPPED} or {RUNS}", 0)


def test_a_loop_that_may_be_left_is_counted() -> None:
    loop = (
        'while True:\n    yield "a"\n    yield "b"\n    if s.choose("again", ("no", "yes")) == "no":\n        break\n'
    )
    found = measure(toy(recovering(loop + 'yield "restore"\n' + RESTORE)))
    assert found.leaving == 2
    assert told(toy(recovering(loop)))["disk full"] == [f"{STOPPED}; none valid; under way; nobody; never; ?"]


# ---- another attempt ------------------------------------------------------------------------------------------------


def attempts(steps: str, premise: str = '"begin, attempt 2", "begin, attempt 3"') -> str:
    """A management that tries three times; `steps` may `continue` with the next attempt."""
    body = 'for attempt in (1, 2, 3):\n    yield f"begin, attempt {attempt}"\n' + indent(steps, "    ")
    claim = f"""
@m.always_possible(quiet=True)
def next_attempt_succeeds(s):
    return m.at("management", {premise}), s.done
"""
    return management(body + "    s.done = True\n    return\n") + claim


DISK = 'yield "save"\nif s.fault("disk full"):\n    s.broken = True\n    continue\n'
REFUSE = 'if {}:\n    s.tries = s.tries + 1\n    s.emit("refused", by="the kernel")\n    continue\n'
OTHERS = {
    "the next can": (DISK, Again.YES),
    "only the one after it can": (REFUSE.format("s.broken and s.tries == 0") + DISK, Again.LATER),
    "none can": (REFUSE.format("s.broken") + DISK, Again.NO),
    "nobody is left to try": (DISK + 'yield "exec"\nif s.fault("execvp fails"):\n    s.kill(old)\n', Again.NO),
    "it begins, and somebody has to help": (DISK + 'yield "wait"\ns.require(not s.broken)\n', Again.NO),
}


@pytest.mark.parametrize("case", OTHERS)
def test_whether_another_attempt_can_succeed(case: str) -> None:
    steps, again = OTHERS[case]
    row = measure(toy(attempts(steps))).rows[-1]
    assert named(row) == ("execvp fails" if "execvp" in steps else "disk full")
    assert row.end.again is again


def test_an_attempt_that_will_be_refused_is_a_harm_though_the_model_grades_none() -> None:
    for case, severity in (
        ("the next can", ""),
        ("only the one after it can", REFUSED_NEXT),
        ("none can", REFUSED_NEXT),
    ):
        assert measure(toy(attempts(OTHERS[case][0]))).rows[-1].end.severity == severity
    assert REFUSED_NEXT == "next update refused"


def test_a_premise_that_names_no_place_of_a_process_is_refused() -> None:
    system = toy(attempts(DISK).replace('m.at("management", "begin, attempt 2", "begin, attempt 3")', "s.broken"))
    with pytest.raises(UsageError) as caught:
        measure(system)
    assert str(caught.value).endswith(
        " has no failure matrix: the premise of next_attempt_succeeds says of no process where it stands, "
        "write m.at(...) (docs/language.md)"
    )


def test_what_only_the_user_could_mend_is_not_tried_again() -> None:
    """Nobody interferes: an action is not obliged to help, but what it has helped is another end."""
    mend = "@m.action(group=old)\ndef mend(s):\n    s.require(s.broken)\n    s.broken = False\n"
    found = [row.end for row in measure(toy(attempts(REFUSE.format("s.broken") + DISK) + mend)).rows]
    assert [(end.update, end.again) for end in found if end.update != "done"] == [
        ("failed", Again.NO),
        ("under way", Again.YES),
    ]


def test_a_run_ends_before_another_attempt_and_what_that_does_is_told_when_asked_for() -> None:
    system = toy(attempts(REFUSE.format("s.broken and s.tries == 0") + DISK))
    assert list(told(system)) == ["", "disk full"]
    found = told(system, Options(again=True))
    assert found[f"disk full, {NEXT}"] == [f"{RUNS}; all valid; failed; nobody; -; yes"]
    assert len(found) == 3


# ---- what fails -----------------------------------------------------------------------------------------------------


def test_who_refuses_first_is_a_place_and_what_follows_a_failure_is_none() -> None:
    steps = 's.emit("refused", by="the kernel", container="c1")\nyield "next"\ns.emit("refused", by="the counter")\n'
    assert list(told(toy(management('yield "ask"\n' + steps)))) == ["the kernel refuses c1"]
    found = measure(toy(recovering('yield "ask"\n' + steps)))
    assert [named(row) for row in found.rows] == ["", "disk full"]
    assert found.silent == ("the kernel refuses c1", "the counter refuses")


def test_two_who_refuse_in_one_step_are_one_place() -> None:
    steps = 's.emit("refused", by="the kernel", container="c0")\ns.emit("refused", by="the counter")\n'
    assert list(told(toy(management('yield "ask"\n' + steps)))) == ["the kernel refuses c0 and the counter refuses"]


def test_an_update_that_fails_though_nothing_has_failed() -> None:
    found = measure(toy(management('yield "go"\ns.broken = True\nyield "more"\ns.runs = False\n')))
    assert [row.places for row in found.rows] == [(Place("go fails by itself", "management", "go"),)]


def test_a_step_at_which_the_same_fails_again_is_another_place() -> None:
    twice = 'yield "one"\ns.fault("disk full")\nyield "two"\ns.fault("disk full")\n'
    found = measure(toy(management(twice)))
    assert [[place.step for place in row.places] for row in found.rows] == [[], ["one"], ["two"]]


def test_pairs_are_in_order_and_may_be_in_one_step_or_two_attempts() -> None:
    system = toy(management('yield "one"\ns.fault("a")\ns.fault("b")\nyield "two"\ns.fault("c")\n'))
    assert set(told(system)) == {"", "a", "b", "c"}
    assert set(told(system, Options(pairs=True))) == {"", "a", "b", "c", "a, b", "a, c", "b, c"}
    assert list(told(toy(attempts(DISK)), Options(pairs=True))) == ["", "disk full", f"disk full, {NEXT}, disk full"]


def test_an_injected_fault_is_a_place_when_asked_for_and_marked() -> None:
    system = toy(management('yield "go"\ns.fault("magic", injected=True)\n'))
    assert list(told(system)) == [""]
    (_, row) = measure(system, Options(injected=True)).rows
    assert row.places[0].injected


VADDRS = """
class Vaddr(Enum):
    OLD = 0
    NEW = 1
    INVALID = 2
    NONE = 3
m.array("vaddr", {index}, Vaddr, init=Vaddr.OLD)
"""
INDEX = {
    '("c0", "c1", "c2")': (
        's.vaddr["c0"] = Vaddr.INVALID\ns.vaddr["c1"] = Vaddr.NEW\ns.vaddr["c2"] = Vaddr.NONE\n',
        (("c0", "invalid"), ("c1", "valid"), ("c2", "none")),
    ),
    '(("c0", "c1"), (0, 1))': (
        's.vaddr["c0", 1] = Vaddr.INVALID\n',
        (("c0", "valid and invalid"), ("c1", "valid")),
    ),
}


@pytest.mark.parametrize("index", INDEX)
def test_each_container_is_told_where_there_is_an_array(index: str) -> None:
    steps, cells = INDEX[index]
    body = VADDRS.format(index=index) + management('yield "go"\nif s.fault("x"):\n' + indent(steps, "    "))
    (row,) = (row for row in measure(toy("from enum import Enum\n" + body)).rows if row.places)
    assert row.end.vaddrs == cells


def test_an_address_of_the_old_qemu_is_stale_in_the_new_one() -> None:
    """K23, and a hot-plug between cpr-save and cpr-exec: the container comes after everybody was saved."""
    params = {"kernel": "E4", "topology": "p", "env": "hotplug,unplug"}
    found = measure(catalog.bind(catalog.find("save_unwind"), params), Options(native=False))
    ends = {(row.end.guest, row.end.vaddrs[0][1]) for row in found.rows if not row.places}
    assert ends == {(IN_NEW, "valid"), (IN_NEW, "stale"), (IN_NEW, "none")}


# ---- against other engines ------------------------------------------------------------------------------------------

CONFIGURATIONS = [
    ("v7", {}),
    ("vm_change_handler", {"env": "cont"}),
    ("failure_notifier", {"early": "no", "topology": "2p"}),
]


@pytest.mark.parametrize(("name", "params"), CONFIGURATIONS)
def test_the_ends_are_those_of_all_runs(name: str, params: dict[str, str]) -> None:
    """`interleavings` finds the rest states its own way; on E1 nobody refuses in a first attempt."""
    model = catalog.bind(catalog.find(name), params)
    counted = interleavings(model, RunOptions(faults=1, native=False))
    found = measure(model, Options(native=False))
    asked = ("guest", "vaddrs", "update")
    theirs = {tuple(dict(ending.aspects)[aspect] for aspect in asked) for ending in counted.endings}
    ours = {tuple(outcome(found.system, row.trace.states[-1])[aspect] for aspect in asked) for row in found.rows}
    assert ours == theirs


def test_a_first_attempt_is_the_same_where_another_may_follow() -> None:
    """The switch that lets the management try again changes no row but for `again`."""
    found = catalog.find("save_unwind")
    plain = measure(catalog.bind(found, {"topology": "p/e", "kernel": "E4"}), Options(native=False))
    again = measure(trying_again(found, {"topology": "p/e", "kernel": "E4"}), Options(native=False))

    def rows(matrix: Matrix) -> list[tuple[str, End]]:
        return [(name, replace(end, again=Again.UNKNOWN)) for name, end in ends(matrix)]

    assert rows(plain) == rows(again)


def test_the_model_is_asked_with_another_attempt_if_it_has_one() -> None:
    def env(name: str, given: dict[str, str]) -> str | None:
        return dict(trying_again(catalog.find(name), given).system.params).get("env")

    assert env("v7", {"env": "cont"}) == env("v7", {"env": "again,cont"}) == "AGAIN,CONT"
    assert env("v7", {"env": "none"}) == "AGAIN"
    assert env("peterson", {}) is None


# ---- what is not claimed --------------------------------------------------------------------------------------------


def test_a_row_that_is_not_so_is_not_shown() -> None:
    system = measure(toy(recovering("return\n"))).system
    nothing, full = measure(toy(recovering("return\n"))).rows
    confirm(system, full)
    wrong = {
        "a row was told with an end that it does not have": replace(full, end=replace(full.end, guest="lost")),
        "a fault was taken that the row does not name": replace(full, places=()),
        "a row was told to end where somebody has to move": replace(
            nothing,
            end=replace(nothing.end, guest=RUNS),
            trace=replace(nothing.trace, states=nothing.trace.states[:1], steps=()),
        ),
    }
    for said, row in wrong.items():
        with pytest.raises(DisagreementError, match=said):
            confirm(system, row)


def test_a_search_that_is_given_up_has_no_rows() -> None:
    found = measure(toy(recovering("return\n")), Options(states=2))
    assert (found.rows, found.stopped) == ((), "truncated at 2 states")


def test_a_model_that_does_not_say_how_it_ends_has_no_matrix() -> None:
    plain = 'from cprcheck import *\nm = Model("mine")\nm.var("x", Bool, init=False)\n'
    with pytest.raises(UsageError) as caught:
        measure(written('@m.process\ndef p(s):\n    yield "go"\n    s.x = True\n', plain))
    said = 'mine has no failure matrix: write @m.outcome("guest", ...) to say what has become of it (docs/language.md)'
    assert str(caught.value) == said


def test_words_for_an_outcome_that_are_not_understood_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        measure(written(management("yield 'go'\n"), HEAD.replace('"none valid"', '"all invalid"')).system)
    assert str(caught.value).endswith(
        ' has no failure matrix: @m.outcome("vaddrs", "all invalid") is not understood, write one of: gone, all valid, '
        "some invalid, none valid (docs/language.md)"
    )


def test_a_model_whose_values_leave_their_domains_has_no_matrix() -> None:
    body = management('for i in range(5):\n    yield f"{i}"\n    s.tries = s.tries + 1\n')
    with pytest.raises(UsageError, match="in toy a value can leave its domain; check values_in_domain first"):
        measure(written(body, HEAD))
