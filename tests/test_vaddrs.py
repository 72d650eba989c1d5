"""What is done to the addresses of a container, and in which order, in either place."""

from __future__ import annotations

import pytest
from alone import changed, design, labels, read, start, steps, walk

NEWER = "pre_save of a device newer than the containers fails"
TWO = {"kernel": "E4", "topology": "p/p"}


def events(steps, name):
    return [dict(event.args) for transition in steps for event in transition.events if event.name == name]


def test_v7_tests_and_invalidates_each_container_newest_first() -> None:
    assert [label for label in labels(design("v7", **TWO)) if label[0] == "c" and label[1].isdigit()] == [
        "c1: capable?",
        "c1: unmap all vaddrs",
        "c0: capable?",
        "c0: unmap all vaddrs",
    ]


def test_pre_save_tests_and_invalidates_each_container_oldest_first() -> None:
    shown = labels(design("save_unwind", **TWO))
    assert shown[shown.index("pre_save of a device older than the containers") + 1 :][:6] == [
        "c0: capable?",
        "pre_save of c0: unmap all vaddrs",
        "pre_save of a device between the containers",
        "c1: capable?",
        "pre_save of c1: unmap all vaddrs",
        "pre_save of a device newer than the containers",
    ]


def test_of_two_questions_the_second_is_asked_if_the_first_is_answered() -> None:
    taken, _ = walk(design("v7", kernel="E4", topology="e/p"))
    assert [(asked["container"], asked["extension"]) for asked in events(taken, "CHECK_EXTENSION")] == [
        ("c1", "UPDATE_VADDR"),
        ("c1", "UNMAP_ALL"),
        ("c0", "UPDATE_VADDR"),
    ]


@pytest.mark.parametrize(("name", "topology"), [("v7", "e/p"), ("save_unwind", "p/e")])
def test_a_container_that_cannot_take_part_is_left_alone(name: str, topology: str) -> None:
    taken, _ = walk(design(name, kernel="E4", topology=topology))
    incapable = "c0" if name == "v7" else "c1"
    assert [found["container"] for found in events(taken, "UNMAP(ALL|V)")] == ["c1" if name == "v7" else "c0"]
    assert events(taken, "refused") == [{"by": "a capability test", "container": incapable}]


def test_a_flag_is_set_when_something_was_invalidated_and_goes_when_it_is_restored() -> None:
    system = design("save_unwind", **TWO)
    flags = ("vaddr_unmapped[c0]", "vaddr_unmapped[c1]")
    state, seen = start(system), []
    while found := steps(system, state, (NEWER,), ("management",)):
        ((_, state),) = found
        now = tuple(read(system, state, flag) for flag in flags)
        assert now == tuple(read(system, state, f"vaddr[{c}, 0]") == "INVALID" for c in ("c0", "c1"))
        if [now] != seen[-1:]:
            seen.append(now)
    assert seen == [(False, False), (True, False), (True, True), (True, False), (False, False)]


def test_a_container_that_is_invalid_already_is_refused_by_the_kernel_and_gets_no_flag() -> None:
    """K7.  The flag is the old QEMU's own: here it has lost it."""
    system = design("save_unwind", kernel="E4", topology="p")
    state = changed(system, start(system), vaddr="INVALID")
    seen = []
    while found := steps(system, state, (), ("management",)):
        ((transition, state),) = found
        seen.append(transition)
        assert read(system, state, "vaddr_unmapped[c0]") is False
    assert events(seen, "refused") == [{"by": "the kernel, EINVAL", "container": "c0"}]


def test_the_new_qemus_flags_begin_unset() -> None:
    system = design("save_unwind", **TWO)
    taken, state = walk(system, movers=("management", "main_loop_should_exit"))
    assert taken[-1].label == "act on an exec request"
    assert [read(system, state, slot) for slot in ("new_qemu", "vaddr_unmapped[c0]", "vaddr[c0, 0]")] == [
        "alive",
        False,
        "INVALID",
    ]


@pytest.mark.parametrize("name", ["v7", "validate_first", "presave_validate_all", "device_blocker", "blocker_counter"])
def test_a_design_without_a_recovery_that_looks_has_no_flags(name: str) -> None:
    assert not any(slot.name.startswith("vaddr_unmapped") for slot in design(name, **TWO).slots)


def test_when_a_pre_save_fails_the_hook_runs_before_cpr_save_ends_or_starts_the_vm() -> None:
    """The failing pre_save restores; the failure of another device calls no hook."""
    system = design("presave_recover_all", kernel="E4", topology="p/e")
    shown = labels(system)
    assert shown[shown.index("c1: capable?") + 1 :] == [
        "the failing pre_save: c1?",
        "the failing pre_save: c0?",
        "c0: MAP(V) of section 0",
        "error: vm_start if it was running",
        "vm_state_notify: the handlers of devices that resume DMA",
        "resume_all_vcpus",
    ]
    system = design("presave_recover_all", **TWO)
    assert not any(label.startswith("the failing pre_save") for label in labels(system, NEWER))


def test_defect_a() -> None:
    """The recover patch: c1 cannot be invalidated; its `break` ends the walk of one address space only."""
    system = design("validate_first", **TWO, recover="yes")
    taken, state = walk(system, "c1: UNMAP(ALL|V) fails for no reason")
    assert [transition.label for transition in taken[-4:]] == [
        "c1: unmap all vaddrs",
        "c1: recover?",
        "c0: recover?",
        "c0: MAP(V) of section 0",
    ]
    assert [event.name for event in taken[-1].events] == ["MAP(V) of a valid mapping", "aborted"]
    assert read(system, state, "old_qemu") == "dead"


def test_the_recover_patch_restores_what_it_has_invalidated() -> None:
    """Here it does what it should: c1 was invalidated, and c0 fails."""
    system = design("validate_first", **TWO, recover="yes")
    taken, state = walk(system, "c0: UNMAP(ALL|V) fails for no reason")
    assert [found["container"] for found in events(taken, "MAP(V)")] == ["c1"]
    assert [read(system, state, slot) for slot in ("vaddr[c0, 0]", "vaddr[c1, 0]", "last_container")] == [
        "OLD",
        "OLD",
        "none",
    ]
