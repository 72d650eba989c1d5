"""Races, as a person and a machine read them."""

from __future__ import annotations

import json
from pathlib import Path

import pair
import pytest
from lamp import Run

from cprcheck.compare.ending import Order, Race
from cprcheck.domains import Bool
from cprcheck.expr import TRUE, number
from cprcheck.report import races
from cprcheck.system import Process, Slot, System, Transition
from cprcheck.trace import Trace

ORDERS = """
1 pair of steps whose order decides how a run can end

--- writer: write | other: write too, in 1 state, first after 1 step

  1  writer: prepare

  2  writer: write
  3  other: write too
       only then: n: two

  2  other: write too
  3  writer: write
       only then: n: one
"""
CLAIM = """
1 pair of steps whose order decides whether never_two can fail

--- writer: write | other: write too, in 1 state, first after 1 step

  2  writer: write
       then other: write too is not possible
       only then: never_two: not violated

  2  other: write too
  3  writer: write
       only then: never_two: violated
"""


@pytest.fixture
def two(ran: Run) -> Run:
    """Run a command line in a folder that has `pair.py`."""
    pair.save()
    return ran


def test_each_race_is_shown_with_what_comes_of_either_order(two: Run) -> None:
    code, out, err = two("interleavings pair.py --races")
    again = "\n  again: cprcheck interleavings pair.py --races\n"
    assert (code, err, out[out.index("\n1 pair") :]) == (0, "", ORDERS + again)


def test_a_property_may_decide(two: Run) -> None:
    code, out, _ = two("interleavings pair.py --races --property never_two --no-traces -p wait=True")
    again = "\n  again: cprcheck interleavings pair.py -p wait=True --races --property never_two\n"
    assert (code, out[out.index("\n1 pair") :]) == (0, CLAIM + again)


REFUSED = {
    "--property never_two": "--property says what decides a race: write --races too",
    "--races --property never": "no property 'never'; there is never_two, deadlock_free",
    "--races --property nobody_stuck": (
        "nobody_stuck (nobody stuck) is about all that can follow, also for ever, and no state or step of a run "
        "decides it; name a property of states or steps"
    ),
    "--show 0": "--show 0: write a number from 1 to 1000, or all",
    "--show 1001": "--show 1001: write a number from 1 to 1000, or all",
    "--show some": "--show some: write a number from 1 to 1000, or all",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_makes_no_sense_is_refused(options: str, two: Run) -> None:
    assert two(f"interleavings pair.py {options}") == (2, "", f"cprcheck: {REFUSED[options]}\n")


def test_machines_read_the_same(two: Run) -> None:
    assert two("interleavings pair.py --races --happens-before --show 2 --json new.json").code == 0
    found = json.loads(Path("new.json").read_text())
    assert (found["runs"], found["different"], found["merged"], found["judged"]) == (6, 3, "", "")
    one, other = found["outcomes"]
    assert (one["different"], one["before"], other["different"], other["before"]) == (
        2,
        [[], [], [1, 2]],
        1,
        [[], [1], [2]],
    )
    (more,) = one["others"]
    assert (more["steps"], more["faults"], more["before"]) == (3, ['it "breaks"'], [[], [1], []])
    assert [step["label"] for step in more["trace"]] == ["prepare", "write", "write too"]
    (race,) = found["races"]
    assert race["states"] == 1
    told = [(order["taken"], order["steps"], order["outcomes"]) for order in race["orders"]]
    assert told == [(2, 3, [{"n": "two"}]), (2, 3, [{"n": "one"}])]
    labels = [[step["label"] for step in order["trace"]] for order in race["orders"]]
    assert labels == [["prepare", "write", "write too"], ["prepare", "write too", "write"]]


def test_what_both_orders_have_in_common_is_counted_and_what_is_not_possible_is_told() -> None:
    steps = tuple(Transition(i, f"to {i}", TRUE, ((0, number(i)),)) for i in range(2))
    system = System("s", (Slot("x", Bool),), ((0, 1),), (Process("p"), Process("q")), steps)
    shared, extra = (("end", "a"),), (("end", "b"), ("light", "on"))
    one = Order(Trace(((1,), (0,)), (0,)), 1, ())
    other = Order(Trace(((1,), (1,)), (1,)), 1, (shared, extra))
    assert list(races.lines(system, [Race(one, other, 4)])) == [
        "1 pair of steps whose order decides how a run can end",
        "",
        "--- p: to 0 | q: to 1, in 4 states, first after 0 steps",
        "",
        "  1  p: to 0",
        "       then q: to 1 changes nothing",
        "       and nobody comes to rest from there",
        "",
        "  1  q: to 1",
        "       then p: to 0 changes nothing",
        "       only then: end: a",
        "       only then: end: b; light: on",
    ]
    both = [Race(Order(one.way, 1, (shared,)), other, 4)]
    assert list(races.lines(system, both))[-4:] == [
        "       then p: to 0 changes nothing",
        "       only then: end: b; light: on",
        "",
        "  in both orders 1 outcome",
    ]
    assert list(races.lines(system, [])) == ["0 pairs of steps whose order decides how a run can end"]
