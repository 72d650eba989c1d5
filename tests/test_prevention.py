"""What forbids an update: how often a counter goes up, who has a blocker, and where a test stands."""

from __future__ import annotations

from itertools import pairwise

import pytest
from alone import design, labels, read, start, walk
from cprcheck.models.vfio.environment import Guest
from cprcheck.models.vfio.kernel import Era, Kernel
from cprcheck.models.vfio.prevention import Blockers, Counted, Counter, Judge, Uncounted
from cprcheck.models.vfio.qemu import Vm
from cprcheck.models.vfio.topology import KINDS, Topology

from cprcheck import Model

TWO = {"kernel": "E4", "topology": "p/p"}


def vm(era: Era, topology: str) -> Vm:
    return Vm.declare(Model(), Kernel(era, Topology.parse(topology)), Guest.RUNNING, frozenset())


# ---- at the start ---------------------------------------------------------------------------------------------------

UPS = {
    # by device and by container, on E1; the same on E4
    "p": ((0, 0), (0, 0)),
    "pe": ((0, 0), (1, 0)),
    "ep": ((0, 0), (2, 1)),
    "ee": ((0, 0), (2, 1)),
    "x": ((1, 1), (1, 1)),
    "xe": ((2, 1), (2, 1)),
    "px": ((2, 1), (2, 1)),
}


@pytest.mark.parametrize("topology", UPS)
def test_how_often_the_counter_went_up_before_the_start(topology: str) -> None:
    """A container is as its devices have made it so far; what lacks the extension lacks it from the beginning."""
    for era, expected in zip((Era.E1, Era.E4), UPS[topology], strict=True):
        machine = vm(era, topology)
        (container,) = machine.kernel.topology.containers
        counters = (Counter(machine, counted, Uncounted.FLAG) for counted in (Counted.DEVICE, Counted.CONTAINER))
        assert tuple(counter.ups(container) for counter in counters) == expected, era


def test_the_counter_is_the_sum_over_all_containers() -> None:
    system = design("blocker_counter", kernel="E4", topology="pe/ep/p")
    found = [read(system, start(system), slot) for slot in ("cpr_blocked", "counted[c0]", "counted[c1]", "counted[c2]")]
    assert found == [3, True, True, False]


AT_START = {
    # physical and emulated devices with a blocker, by extension on E1 and E4, then by kind on both
    "p": ((0, 0), (0, 0), (0, 0)),
    "pe": ((0, 0), (0, 1), (0, 1)),
    "ep": ((0, 0), (1, 1), (0, 1)),
    "ee": ((0, 0), (0, 2), (0, 2)),
    "xe": ((1, 1), (1, 1), (0, 1)),
}


@pytest.mark.parametrize("topology", AT_START)
def test_who_has_a_blocker_at_the_start(topology: str) -> None:
    for era, expected in zip((Era.E1, Era.E4), AT_START[topology][:2], strict=True):
        machine = vm(era, topology)
        (container,) = machine.kernel.topology.containers
        found = {judge: tuple(Blockers(machine, judge).at_start(container, kind) for kind in KINDS) for judge in Judge}
        assert found == {Judge.EXTENSION: expected, Judge.KIND: AT_START[topology][2]}, era


# ---- where the tests stand ------------------------------------------------------------------------------------------


def place(shown: list[str], what: str) -> list[str]:
    """The labels before each place where `what` begins a label."""
    return [before for before, label in pairwise(shown) if label.startswith(what)]


def test_a_pass_over_all_is_newest_first_and_before_any_is_invalidated() -> None:
    shown = labels(design("validate_first", **TWO))
    begin = shown.index("cpr-exec, attempt 1")
    assert shown[begin + 1 : begin + 5] == [
        "validate all: c1: capable?",
        "validate all: c0: capable?",
        "c1: unmap all vaddrs",
        "c0: unmap all vaddrs",
    ]


def test_a_pass_ends_with_the_first_that_cannot_take_part() -> None:
    assert labels(design("validate_first", kernel="E4", topology="e/e"))[-1] == "validate all: c1: capable?"


def test_each_pre_save_tests_all_containers() -> None:
    shown = labels(design("presave_validate_all", **TWO))
    assert [label for label in shown if label.startswith("validate all")] == [
        "validate all: c1: capable?",
        "validate all: c0: capable?",
    ] * 2
    assert place(shown, "pre_save of c") == ["validate all: c0: capable?"] * 2


@pytest.mark.parametrize(
    ("tested", "before"),
    [
        ("pre_save", ["pre_save of a device older than the containers", "pre_save of a device between the containers"]),
        ("entry", ["cpr-save, attempt 1"]),
        ("migrate", []),
    ],
)
def test_the_counter_is_looked_at_where_it_is_said(tested: str, before: list[str]) -> None:
    assert place(labels(design("blocker_counter", **TWO, tested=tested)), "the counter is zero?") == before


@pytest.mark.parametrize(
    ("name", "given", "by"),
    [
        ("blocker_counter", {}, "the counter"),
        ("blocker_counter", {"tested": "entry"}, "the counter"),
        ("device_blocker", {}, "a blocker"),
    ],
)
def test_who_forbids_says_so_and_the_guest_goes_on(name: str, given: dict[str, str], by: str) -> None:
    system = design(name, kernel="E4", topology="p/e", **given)
    taken, state = walk(system)
    refused = [dict(event.args) for step in taken for event in step.events if event.name == "refused"]
    assert refused == [{"by": by}]
    assert [read(system, state, slot) for slot in ("runstate", "vcpus", "attempt", "vaddr[c0, 0]")] == [
        "RUNNING",
        "RUNNING",
        "FAILED",
        "OLD",
    ]
    stopped = "vm_stop(RUN_STATE_SAVE_VM)" in [step.label for step in taken]
    assert stopped is (name == "blocker_counter" and not given)
