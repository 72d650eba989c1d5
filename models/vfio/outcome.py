# SPDX-License-Identifier: Apache-2.0
"""What became of a run: the guest, the addresses, the update, and who restored."""

from __future__ import annotations

from typing import Any

from cprcheck import Model, every, some

from .kernel import Vaddr
from .qemu import Vm
from .runstate import Attempt, Vcpus


def declare(m: Model, vm: Vm) -> None:
    """Add the outcomes of `vm` to `m`."""
    guest(m, vm)
    vaddrs(m, vm)
    update(m)
    m.outcome_of_events("restored by", event="MAP(V)", argument="by")


def guest(m: Model, vm: Vm) -> None:
    """How the guest is."""

    @m.outcome("guest", "lost")
    def lost(s: Any) -> Any:
        return vm.gone(s)

    for group, name in ((vm.new, "new"), (vm.old, "old")):
        _guest_in(m, group, name)


def _guest_in(m: Model, group: Any, name: str) -> None:
    @m.outcome("guest", f"runs in the {name} QEMU")
    def runs(s: Any) -> Any:
        return s.alive(group) & (s.vcpus == Vcpus.RUNNING)

    @m.outcome("guest", f"stopped in the {name} QEMU")
    def stopped(s: Any) -> Any:
        return s.alive(group)


def vaddrs(m: Model, vm: Vm) -> None:
    """How the addresses are."""

    @m.outcome("vaddrs", "gone")
    def gone(s: Any) -> Any:
        return vm.gone(s) | every(v == Vaddr.NONE for v in s.vaddr)

    @m.outcome("vaddrs", "all valid")
    def all_valid(s: Any) -> Any:
        return vm.kernel.all_valid(s)

    @m.outcome("vaddrs", "some invalid")
    def some_invalid(s: Any) -> Any:
        return some((v == Vaddr.OLD) | (v == Vaddr.NEW) for v in s.vaddr)

    @m.outcome("vaddrs", "none valid")
    def none_valid(s: Any) -> Any:
        return True


def update(m: Model) -> None:
    """How far the update has come."""
    labels = {
        Attempt.DONE: "done",
        Attempt.FAILED: "failed",
        Attempt.BEGUN: "under way",
        Attempt.NONE: "not begun",
    }
    for attempt, label in labels.items():
        _update(m, attempt, label)


def _update(m: Model, attempt: Attempt, label: str) -> None:
    @m.outcome("update", label)
    def reached(s: Any) -> Any:
        return s.attempt == attempt
