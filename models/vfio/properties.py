# SPDX-License-Identifier: Apache-2.0
"""What is claimed of every design, written once.

A physical device's DMA never looks at a vaddr: its pages are pinned, and the IOMMU maps them.  What looks at one is a
kernel thread on behalf of an emulated device, the attach of a group, and the next invalidation.  So a missing restore
hurts differently on different kernels, and each violation is graded by what is hurt in its last state.
"""

from __future__ import annotations

from typing import Any

from cprcheck import Model, every, implies, some

from . import outcome
from .environment import Env
from .kernel import Vaddr
from .qemu import Design, DeviceBook, Vm
from .runstate import Attempt, RunState


def declare(m: Model, vm: Vm, design: Design) -> None:
    """Add the properties that apply to `design` on `vm` to `m`."""
    safety(m, vm, design)
    liveness(m, vm)
    waiters(m, vm)
    if design.devices is not None:
        blocker(m, vm, design.devices)
    severities(m, vm)
    outcome.declare(m, vm)


def safety(m: Model, vm: Vm, design: Design) -> None:
    """What a finite run decides."""
    kernel = vm.kernel

    @m.invariant
    def runs_only_with_valid_vaddrs(s):
        """No vCPU runs while a vaddr is invalid."""
        return implies(vm.runs(s), kernel.all_valid(s))

    @m.invariant
    def validated_before_invalidated(s):
        """No vaddr is invalid while some container cannot take part in an update."""
        return kernel.all_valid(s) | kernel.all_capable(s)

    @m.step_invariant
    def refused_before_stop(old, new):
        """An attempt with a container that cannot take part is refused before the guest is stopped."""
        stopped = (old.runstate == RunState.RUNNING) & (new.runstate == RunState.SAVE_VM)
        return implies(stopped, kernel.all_capable(old))

    @m.event_never("MAP(V) of a valid mapping")
    def no_restore_of_valid(s):
        """No address is given to a mapping that has one: the kernel refuses, and QEMU aborts."""

    if design.handler is not None:

        @m.event_never("a device resumes DMA")
        def handlers_in_order(s):
            """No vm-change handler that starts DMA runs before the one that restores."""
            return not kernel.all_valid(s)

    @m.reachable
    def update_succeeds(s):
        """The update can succeed: the new QEMU has all containers."""
        return (s.attempt == Attempt.DONE) & every((v == Vaddr.NEW) | (v == Vaddr.NONE) for v in s.vaddr)


def liveness(m: Model, vm: Vm) -> None:
    """What has to happen sooner or later."""
    kernel = vm.kernel

    @m.leads_to
    def restored_after_failure(s):
        """Every attempt that fails in the old QEMU ends with all vaddrs valid again, unless that QEMU is gone."""
        failed = (s.attempt == Attempt.FAILED) & s.alive(vm.old)
        return failed, kernel.all_valid(s) | (s.alive(vm.old) == False)  # noqa: E712

    @m.leads_to
    def restored_after_failed_load(s):
        """A cpr-load that fails ends with all vaddrs valid, unless the new QEMU is gone."""
        failed = (s.attempt == Attempt.FAILED) & s.alive(vm.new)
        return failed, kernel.all_valid(s) | (s.alive(vm.new) == False)  # noqa: E712

    @m.leads_to
    def guest_survives(s):
        """A failed attempt leaves the guest alive and able to run."""
        return s.attempt == Attempt.FAILED, s.alive(vm.old) & (s.runstate != RunState.SHUTDOWN)

    if Env.AGAIN in vm.env:

        @m.always_possible(quiet=True)
        def next_attempt_succeeds(s):
            """When nothing fails any more and nobody interferes, an attempt after a failed one succeeds."""
            return m.at("management", "cpr-save, attempt 2", "cpr-save, attempt 3"), s.attempt == Attempt.DONE

    if may_hang(vm):

        @m.always_possible
        def monitor_answers(s):
            """The monitor does not sleep for ever in the kernel, with the BQL held."""
            return hangs(m, vm, s) == False  # noqa: E712


ERRORS = ("residue", "missed refusal")


def blocker(m: Model, vm: Vm, book: DeviceBook) -> None:
    """What is claimed of a blocker or a counter, in the old QEMU."""

    @m.invariant(error=ERRORS)
    def blocker_is_exact(s, error):
        """An update is forbidden if and only if some container cannot take part: no residue, no missed refusal.

        This is about what is registered or counted; whether anybody looks at it in time, other properties say.
        """
        if error == "residue":
            return implies(s.alive(vm.old) & book.blocked(s), vm.kernel.all_capable(s) == False)  # noqa: E712
        return implies(s.alive(vm.old) & (vm.kernel.all_capable(s) == False), book.blocked(s))  # noqa: E712

    if vm.counts and vm.kernel.unplugs:

        @m.invariant
        def counter_is_not_negative(s):
            """Nothing is taken off the counter that was not put there."""
            return s.cpr_blocked >= 0


def may_hang(vm: Vm) -> bool:
    """Whether a command of the user may sleep in the kernel (K14, K11)."""
    return vm.kernel.era.waits and not vm.env.isdisjoint({Env.HOTPLUG, Env.UNPLUG})


def hangs(m: Model, vm: Vm, s: Any) -> Any:
    """The monitor sleeps in the kernel with the BQL held: a group waits to be attached, or a worker is waited for."""
    found = []
    for container in vm.kernel.topology.containers:
        if Env.HOTPLUG in vm.env:
            found.append(m.at("monitor", vm.kernel.waits_for_all(container)))
        if Env.UNPLUG in vm.env:
            found.append(m.at("monitor", vm.unplugging(container)) & s.waiting[container])
    return some(found)


def waiters(m: Model, vm: Vm) -> None:
    """What is claimed of each emulated device."""
    plugged = Env.HOTPLUG in vm.env
    containers = [one for one in vm.kernel.topology.containers if plugged or one.emulated]

    def waits(s, container):
        return some(
            m.at(f"mdev(container={container})", vm.kernel.waits_for_page(container, i)) & (v == Vaddr.INVALID)
            for i, v in enumerate(vm.kernel.vaddrs(s, container))
        )

    if not containers:
        return

    @m.event_never("translation refused, WARN_ONCE")
    def refusal_is_unreachable(s):
        """The kernel never has to refuse a translation because a vaddr is invalid (lemma of E4)."""

    if not vm.kernel.era.waits:
        return

    @m.invariant(container=containers)
    def no_dma_with_invalid_vaddr(s, container):
        """No device of a running guest waits for an address, and none is served through a stale one."""
        return implies(vm.runs(s), waits(s, container) == False) & (s.wrong_page == False)  # noqa: E712

    @m.always_possible(container=containers)
    def no_stuck_waiter(s, container):
        """No device waits for an address that no possible step restores."""
        return not waits(s, container)


def severities(m: Model, vm: Vm) -> None:
    """What is hurt, worst first."""
    kernel = vm.kernel

    @m.severity("wrong memory")
    def wrong_memory(s):
        return s.wrong_page

    @m.severity("VM lost")
    def vm_lost(s):
        return vm.gone(s) or (s.alive(vm.new) and s.attempt == Attempt.FAILED)

    if may_hang(vm):

        @m.severity("guest hangs")
        def guest_hangs(s):
            return hangs(m, vm, s)

    if kernel.era.waits:

        @m.severity("device waits")
        def device_waits(s):
            return some(kernel.emulated(s, one) & not_valid(s, one) for one in kernel.topology.containers)

        def not_valid(s, container):
            return some(v == Vaddr.INVALID for v in kernel.vaddrs(s, container))

    @m.severity("hot-plug refused")
    def hotplug_refused(s):
        return kernel.era.excludes_emulated and not kernel.all_valid(s)

    @m.severity("next update refused")
    def next_update_refused(s):
        return not kernel.all_valid(s) or not kernel.all_capable(s)
