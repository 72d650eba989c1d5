"""Who restores, when, and in which order."""

from __future__ import annotations

import pytest
from alone import design, labels, read, walk

NEWER = "pre_save of a device newer than the containers fails"
BETWEEN = "pre_save of a device between the containers fails"
RESUME = "vm_state_notify: the handlers of devices that resume DMA"
START, RUN = "error: vm_start if it was running", "resume_all_vcpus"
TWO = {"kernel": "E4", "topology": "p/p"}


def ends(name: str, fault: str, **given: str) -> list[str]:
    """What follows the fault."""
    taken, _ = walk(design(name, **TWO, **given), fault)
    (index,) = (index for index, step in enumerate(taken) if step.faults)
    return [step.label for step in taken[index + 1 :]]


def restoring(by: str) -> list[str]:
    return [line for c in ("c1", "c0") for line in (f"{by}: {c}?", f"{c}: MAP(V) of section 0")]


@pytest.mark.parametrize(
    ("name", "given", "by"),
    [("save_unwind", {}, "the caller"), ("failure_notifier", {}, "the notifier")],
)
def test_the_newest_container_is_restored_first_and_then_the_vm_is_started(name, given, by) -> None:
    assert ends(name, NEWER, **given) == [*restoring(by), START, RESUME, RUN]


def test_a_late_notifier_restores_when_the_vm_runs() -> None:
    assert ends("failure_notifier", NEWER, early="no") == [START, RESUME, RUN, *restoring("the notifier")]


@pytest.mark.parametrize("name", ["save_unwind", "failure_notifier"])
def test_only_what_has_a_flag_is_restored(name: str) -> None:
    by = "the caller" if name == "save_unwind" else "the notifier"
    assert ends(name, BETWEEN)[:3] == [f"{by}: c1?", f"{by}: c0?", "c0: MAP(V) of section 0"]


def test_who_does_not_look_at_the_flag_restores_what_is_valid_and_dies_of_it() -> None:
    system = design("failure_notifier", **TWO, flag="no")
    taken, state = walk(system, BETWEEN)
    assert [step.label for step in taken[-2:]] == ["the notifier: c1?", "c1: MAP(V) of section 0"]
    assert [event.name for event in taken[-1].events] == ["MAP(V) of a valid mapping", "aborted"]
    assert read(system, state, "old_qemu") == "dead"


HANDLED = [line for c in ("c0", "c1") for line in (f"vm_state_notify: {c}: restore?", f"{c}: MAP(V) of section 0")]


@pytest.mark.parametrize(("first", "expected"), [("yes", [*HANDLED, RESUME]), ("no", [RESUME, *HANDLED])])
def test_the_handlers_are_called_in_the_order_of_registration_before_a_vcpu_runs(first, expected) -> None:
    assert ends("vm_change_handler", NEWER, first=first) == [START, *expected, RUN]


def test_a_handler_whose_flag_is_not_set_does_nothing() -> None:
    assert ends("vm_change_handler", BETWEEN)[1:-2] == [*HANDLED[:2], "vm_state_notify: c1: restore?"]


def test_the_handlers_do_nothing_when_the_vm_stops() -> None:
    taken, _ = walk(design("vm_change_handler", **TWO), NEWER)
    (stop,) = (step for step in taken if step.label.startswith("vm_stop"))
    assert [dict(event.args) for event in stop.events] == [
        {"of": "running", "container": "c0"},
        {"of": "running", "container": "c1"},
    ]


@pytest.mark.parametrize(
    ("name", "given", "restores"),
    [
        ("save_unwind", {}, False),
        ("failure_notifier", {}, False),
        ("failure_notifier", {"on_exec": "yes"}, True),
        ("vm_change_handler", {}, False),
    ],
)
def test_who_is_called_when_cpr_state_save_fails(name: str, given: dict[str, str], restores: bool) -> None:
    assert bool(ends(name, "cpr_state_save fails", **given)) is restores


@pytest.mark.parametrize(("on_exec", "alive"), [("yes", "alive"), ("no", "dead")])
def test_a_notifier_on_exec_lets_qemu_survive_a_failed_exec_and_restores(on_exec: str, alive: str) -> None:
    system = design("failure_notifier", **TWO, on_exec=on_exec)
    taken, state = walk(system, "execvp fails", movers=("management", "main_loop_should_exit"))
    restored = [str(event) for step in taken for event in step.events if event.name == "MAP(V)"]
    assert restored == [f"MAP(V)(container={c}, by=the notifier)" for c in ("c1", "c0") if on_exec == "yes"]
    assert (read(system, state, "old_qemu"), read(system, state, "attempt")) == (alive, "FAILED")


def test_post_save_follows_the_pre_save_of_its_own_container_and_finds_no_failure() -> None:
    system = design("combination", **TWO, recovery="post_save")
    shown = labels(system, NEWER)
    looked = [label for label in shown if label.startswith("post_save")]
    assert looked == [f"post_save of {c}: has saving failed?" for c in ("c0", "c1")]
    assert shown[shown.index(looked[0]) - 1] == "pre_save of c0: unmap all vaddrs"
    assert not any("MAP(V)" in label for label in shown)
