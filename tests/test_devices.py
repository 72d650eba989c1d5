"""Devices that come and go: what becomes of the container, its mappings, its flag, its counter and its blockers."""

from __future__ import annotations

import pytest
from alone import after, changed, design, executed, read, start, walk
from cprcheck.models.vfio.qemu import PLUGS
from cprcheck.models.vfio.topology import Topology

from cprcheck.errors import UsageError
from cprcheck.system import State, System

COMES_AND_GOES = {"env": "hotplug,unplug"}
UNREALIZED = "the device cannot be realized, after its group was attached"


def told(system: System, state: State, *names: str) -> list[object]:
    return [read(system, state, name) for name in names]


# ---- the container and its mappings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["E1", "E4"])
@pytest.mark.parametrize("mappings", ["OLD", "INVALID"])
def test_with_the_last_group_the_mappings_go_valid_or_not(kernel: str, mappings: str) -> None:
    """K23."""
    system = design("v7", kernel=kernel, topology="p", mappings="2", env="unplug")
    gone = after(system, "UNPLUG_PHYSICAL", state=changed(system, start(system), vaddr=mappings))
    assert told(system, gone, "devices[c0, p]", "vaddr[c0, 0]", "vaddr[c0, 1]") == [0, "NONE", "NONE"]


def test_while_a_group_is_left_the_mappings_stay() -> None:
    system = design("v7", kernel="E4", topology="pe", env="unplug")
    left = after(system, "UNPLUG_PHYSICAL", state=changed(system, start(system), vaddr="INVALID"))
    assert told(system, left, "devices[c0, p]", "devices[c0, e]", "vaddr[c0, 0]") == [0, 1, "INVALID"]


@pytest.mark.parametrize("kernel", ["E1", "E4"])
@pytest.mark.parametrize("kind", ["PHYSICAL", "EMULATED"])
def test_a_container_that_comes_back_has_valid_mappings(kernel: str, kind: str) -> None:
    system = design("v7", kernel=kernel, topology="p", **COMES_AND_GOES)
    invalid = changed(system, start(system), vaddr="INVALID")
    back = after(system, "UNPLUG_PHYSICAL", f"PLUG_{kind}", state=invalid)
    assert told(system, back, f"devices[c0, {kind[0].lower()}]", "vaddr[c0, 0]") == [1, "OLD"]


def test_a_flag_goes_with_its_container() -> None:
    system = design("save_unwind", kernel="E4", topology="p", **COMES_AND_GOES)
    flagged = changed(system, start(system), vaddr="INVALID", vaddr_unmapped="True")
    assert told(system, after(system, "UNPLUG_PHYSICAL", state=flagged), "vaddr_unmapped[c0]") == [False]


def test_a_container_without_a_group_is_not_saved_and_nothing_in_it_is_invalidated() -> None:
    system = design("v7", kernel="E4", topology="p/p", env="unplug")
    ends = set(executed(system, start(system), "UNPLUG_PHYSICAL"))
    assert sorted(told(system, end, "vaddr[c0, 0]", "vaddr[c1, 0]") for end in ends) == [
        ["NONE", "OLD"],
        ["OLD", "NONE"],
    ]


def test_a_guest_that_does_not_run_lets_no_device_go() -> None:
    system = design("v7", kernel="E4", topology="p", guest="paused", env="unplug")
    assert after(system, "UNPLUG_PHYSICAL") == start(system)


# ---- how many -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("topology", "most"), [("p", 2), ("pe", 2), ("pp", 3), ("e/ppp", 4)])
def test_of_a_kind_one_device_more_than_at_the_start_fits(topology: str, most: int) -> None:
    system = design("v7", kernel="E1", topology=topology, env="hotplug")
    assert f"at most {most} devices of a kind in a container" in system.scope
    assert {slot.domain.high for slot in system.slots if slot.name.startswith("devices[")} == {most}


def test_what_does_not_fit_is_not_plugged() -> None:
    system = design("v7", kernel="E4", topology="p", env="hotplug")
    full = after(system, "PLUG_PHYSICAL")
    assert told(system, full, "devices[c0, p]") == [2]
    assert after(system, "PLUG_PHYSICAL", state=full) == full


def test_a_later_kernel_lets_nothing_be_plugged_while_something_is_invalid() -> None:
    system = design("v7", kernel="E4", topology="p", env="hotplug")
    invalid = changed(system, start(system), vaddr="INVALID")
    for command in ("PLUG_PHYSICAL", "PLUG_EMULATED"):
        assert after(system, command, state=invalid) == invalid


def test_where_something_counts_devices_so_many_are_plugged_and_the_scope_says_so() -> None:
    system = design("blocker_counter", kernel="E4", topology="p", **COMES_AND_GOES)
    assert f"at most {PLUGS} devices are plugged" in system.scope
    again = ("PLUG_EMULATED", "UNPLUG_EMULATED")
    state = after(system, *again * PLUGS)
    assert told(system, state, "plugs", "devices[c0, e]", "cpr_blocked") == [PLUGS, 0, PLUGS]
    assert after(system, "PLUG_EMULATED", state=state) == state


@pytest.mark.parametrize("name", ["v7", "save_unwind", "device_blocker"])
def test_elsewhere_devices_come_and_go_without_end(name: str) -> None:
    system = design(name, kernel="E4", topology="p", **COMES_AND_GOES)
    assert "devices are plugged" not in system.scope
    back = after(system, "PLUG_EMULATED", "UNPLUG_EMULATED")
    assert back == start(system)


# ---- the counter and the blockers -----------------------------------------------------------------------------------


def test_a_realize_that_fails_after_the_increment_leaves_the_count() -> None:
    system = design("blocker_counter", kernel="E4", topology="p", env="hotplug")
    (state,) = set(executed(system, start(system), "PLUG_EMULATED", UNREALIZED))
    assert told(system, state, "devices[c0, e]", "cpr_blocked", "counted[c0]") == [0, 1, True]


def test_a_device_whose_realize_fails_takes_its_blocker_along() -> None:
    system = design("device_blocker", kernel="E4", topology="p", env="hotplug")
    (state,) = set(executed(system, start(system), "PLUG_EMULATED", UNREALIZED))
    assert state == start(system)


def test_a_physical_device_whose_realize_fails_takes_its_own_blocker_and_no_others() -> None:
    """Of the two in `pe` only the later one has a blocker, because it came when the mdev was there."""
    system = design("device_blocker", kernel="E4", topology="pe", env="hotplug")
    before = told(system, start(system), "blockers[c0, p]", "blockers[c0, e]")
    (state,) = set(executed(system, start(system), "PLUG_PHYSICAL", UNREALIZED))
    assert told(system, state, "blockers[c0, p]", "blockers[c0, e]") == before == [0, 1]


def test_a_blocker_outlives_the_reason_for_it_and_any_of_its_kind_may_take_it_along() -> None:
    """B10."""
    system = design("device_blocker", kernel="E4", topology="pe", **COMES_AND_GOES)
    state = after(system, "PLUG_PHYSICAL", "UNPLUG_EMULATED")
    assert told(system, state, "blockers[c0, p]", "blockers[c0, e]", "devices[c0, e]") == [1, 0, 0]
    ends = executed(system, state, "UNPLUG_PHYSICAL")
    assert sorted(told(system, end, "blockers[c0, p]", "devices[c0, p]") for end in ends) == [[0, 1], [1, 1]]


def test_the_count_goes_with_the_container() -> None:
    """As proposed: by a flag, once, however often it was counted."""
    for topology, left in (("e", 0), ("ee", 1)):
        system = design("blocker_counter", kernel="E4", topology=topology, env="unplug")
        state = after(system, *["UNPLUG_EMULATED"] * len(topology))
        assert told(system, state, "cpr_blocked", "counted[c0]") == [left, False]


def test_a_container_that_goes_and_is_tested_takes_off_what_nobody_put_on() -> None:
    system = design("blocker_counter", kernel="E4", topology="p", uncounted="test", env="unplug")
    assert told(system, after(system, "UNPLUG_PHYSICAL"), "cpr_blocked") == [-1]


# ---- a container that lacks the extension ---------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["E1", "E4"])
def test_what_no_kernel_lacks_is_injected_and_refused(kernel: str) -> None:
    system = design("v7", kernel=kernel, topology="p/x/xe")
    assert "injected: c1, c2 without VFIO_UPDATE_VADDR" in system.scope
    taken, _ = walk(system)
    refused = [dict(event.args) for step in taken for event in step.events if event.name == "refused"]
    assert refused == [{"by": "a capability test", "container": "c2"}]


def test_without_a_test_the_kernel_refuses_it() -> None:
    taken, _ = walk(design("device_blocker", kernel="E1", topology="x", judge="kind"))
    refused = [dict(event.args) for step in taken for event in step.events if event.name == "refused"]
    assert refused == [{"by": "the kernel, EINVAL", "container": "c0"}]


def test_a_real_topology_has_nothing_injected() -> None:
    assert "injected: " not in design("v7", topology="p/e").scope


def test_a_lacking_group_is_a_physical_device() -> None:
    lacking, mixed, plain = Topology.parse("x/xe/p").containers
    assert [one.lacking for one in (lacking, mixed, plain)] == [True, True, False]
    assert [(one.devices("p"), one.devices("e"), one.physical) for one in (lacking, mixed, plain)] == [
        (1, 0, True),
        (1, 1, True),
        (1, 0, True),
    ]
    assert str(Topology.parse("2x/pe")) == "x/x/pe"


def test_other_saved_devices_are_newer_than_the_containers() -> None:
    assert str(Topology.parse("2p+3o")) == "p/p+3o"
    assert (Topology.parse("p").others, str(Topology.parse("p+0o"))) == (0, "p")
    saved = [t.label for t in design("save_unwind", topology="p+2o").transitions if t.label.startswith("pre_save of")]
    assert list(dict.fromkeys(saved)) == [
        "pre_save of a device older than the containers",
        "pre_save of c0: unmap all vaddrs",
        "pre_save of a device newer than the containers",
        "pre_save of device 2 newer than the containers",
        "pre_save of device 3 newer than the containers",
    ]


@pytest.mark.parametrize("text", ["p+", "p+o", "p+2", "p+2p", "p+-1o", "p+1o+1o"])
def test_other_saved_devices_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^topology=.*: write a number and o for devices without VFIO: pe/p\+2o$"):
        design("v7", topology=text)


@pytest.mark.parametrize("text", ["y", "x/", "0x", "X", "px/q"])
def test_a_topology_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        design("v7", topology=text)
    assert "write p and e for physical and emulated groups, / between address spaces: pe/p" in str(caught.value)
