"""Small breaks of the models, and which of them have to turn which property.

Each mutant patches one function of the models, or a few; tests/test_mutants.py says what it is for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cprcheck.models.vfio import processes, qemu
from cprcheck.models.vfio.kernel import Era, Errno, Kernel, Vaddr
from cprcheck.models.vfio.prevention import Blockers, Counter
from cprcheck.models.vfio.qemu import Vm
from cprcheck.models.vfio.runstate import Attempt, Result
from cprcheck.models.vfio.topology import EMULATED

Patch = pytest.MonkeyPatch


def after_a_failed(monkeypatch: Patch, command: str, then: Callable[..., Any]) -> None:
    """When `command`, a method of Vm, fails, `then` comes before it returns."""
    original = getattr(Vm, command)

    def broken(self, s, design):
        result = yield from original(self, s, design)
        if result != Result.OK:
            yield from then(self, s)
        return result

    monkeypatch.setattr(Vm, command, broken)


def restart_after_a_failed_exec(monkeypatch: Patch) -> None:
    """qmp_cpr_exec starts the VM again when it fails, as qmp_cpr_save does."""

    def restart(vm, s):
        yield "vm_start in spite of all"
        s.runstate = qemu.RunState.RUNNING
        s.vcpus = qemu.Vcpus.RUNNING

    after_a_failed(monkeypatch, "qmp_cpr_exec", restart)


def start_before_restoring(monkeypatch: Patch) -> None:
    """vm_start resumes the vCPUs first, and tells the handlers afterwards."""
    original = Vm.vm_start

    def broken(self, s, design):
        s.vcpus = qemu.Vcpus.RUNNING
        yield "already running"
        yield from original(self, s, design)

    monkeypatch.setattr(Vm, "vm_start", broken)


def incapable(monkeypatch: Patch) -> None:
    """The kernel refuses emulated devices, whatever its era; here every container has one."""
    monkeypatch.setattr(Era.E1, "excludes_emulated", True)
    monkeypatch.setattr(Kernel, "emulated", lambda self, s, container: True)
    for counter in (Counter, Blockers):
        monkeypatch.setattr(counter, "test", see_nothing)

    def invalidate(self, s, container):
        for i in range(self.mappings):
            s.vaddr[container, i] = Vaddr.INVALID
        return Errno.OK

    monkeypatch.setattr(Kernel, "unmap_vaddr_all", invalidate)
    monkeypatch.setattr(Kernel, "check_extension", lambda self, s, container, extension: True)


def restore_twice(monkeypatch: Patch) -> None:
    """Each section is replayed a second time."""
    original = Vm.replay

    def broken(self, s, container, by, owner=Vaddr.OLD):
        yield from original(self, s, container, by, owner)
        return (yield from original(self, s, container, by, owner))

    monkeypatch.setattr(Vm, "replay", broken)


def refuse_instead_of_waiting(monkeypatch: Patch) -> None:
    """E1 refuses a translation, as if it were a later kernel; E4 lets an emulated device be invalidated."""
    monkeypatch.setattr(Era.E1, "waits", False)
    monkeypatch.setattr(Era.E4, "excludes_emulated", False)


def never_tell_the_handlers(monkeypatch: Patch) -> None:
    """vm_state_notify forgets the containers."""

    def broken(self, s, handler):
        yield "nobody is told"

    monkeypatch.setattr(Vm, "notify", broken)


def devices_first(monkeypatch: Patch) -> None:
    """The handlers that start DMA run before the one that restores."""
    original = Vm.vm_start

    def broken(self, s, design):
        s.emit("a device resumes DMA")
        yield from original(self, s, design)

    monkeypatch.setattr(Vm, "vm_start", broken)


def no_unwind(monkeypatch: Patch) -> None:
    """qmp_cpr_save forgets to call the unwind, and the handlers."""
    original = Vm.qmp_cpr_save

    def broken(self, s, design):
        forgetful = replace(design, save_failed=None, save_failed_late=None, handler=None)
        return (yield from original(self, s, forgetful))

    monkeypatch.setattr(Vm, "qmp_cpr_save", broken)


def invalidate_in_the_test(monkeypatch: Patch) -> None:
    """The capability test of one container invalidates the others: a refusal leaves something behind."""

    def broken(self, s, container, extension):
        for other in self.topology.containers:
            if other != container:
                s.vaddr[other, 0] = Vaddr.INVALID
        return False

    monkeypatch.setattr(Kernel, "check_extension", broken)


def die_of_a_failure(monkeypatch: Patch) -> None:
    """A command that fails may take QEMU with it."""

    def die(vm, s):
        yield "is it fatal?"
        if s.choose("fatal", ("yes", "no")) == "yes":
            s.attempt = Attempt.FAILED
            s.abort("a failed command is fatal")

    after_a_failed(monkeypatch, "qmp_cpr_save", die)
    after_a_failed(monkeypatch, "qmp_cpr_exec", die)


def wait_for_godot(monkeypatch: Patch) -> None:
    """cpr-save waits, with the lock held, for something that never happens."""
    original = Vm.qmp_cpr_save

    def broken(self, s, design):
        yield "wait for the new QEMU to live before it was started"
        s.require(s.alive(self.new))
        return (yield from original(self, s, design))

    monkeypatch.setattr(Vm, "qmp_cpr_save", broken)


def everything_fails(monkeypatch: Patch) -> None:
    """cpr-exec refuses always."""

    def broken(self, s, design):
        yield "no"
        return Result.ERROR

    monkeypatch.setattr(Vm, "qmp_cpr_exec", broken)


def serve_through_stale_addresses(monkeypatch: Patch) -> None:
    """The old QEMU's addresses are never invalidated, and a device goes on using them in the new one."""
    monkeypatch.setattr(Kernel, "unmap_vaddr_all", lambda self, s, container: Errno.OK)


def load_without_restoring(monkeypatch: Patch) -> None:
    """The new QEMU gives no addresses."""
    original = Vm.replay

    def broken(self, s, container, by, owner=Vaddr.OLD):
        if owner is Vaddr.OLD:
            yield from original(self, s, container, by, owner)
        yield "nothing is restored"
        return Result.OK

    monkeypatch.setattr(Vm, "replay", broken)


def restore_all(vm, s):
    """Every container is restored, invalidated or not, as the notifier of V8 does."""
    for container in vm.kernel.topology.containers:
        yield from vm.replay(s, container, "a mutant")


def restore_all_after_a_failed_exec(monkeypatch: Patch) -> None:
    """A failed cpr-exec restores every container."""
    after_a_failed(monkeypatch, "qmp_cpr_exec", restore_all)


def restore_all_after_a_failed_save(monkeypatch: Patch) -> None:
    """A failed cpr-save restores every container."""
    after_a_failed(monkeypatch, "qmp_cpr_save", restore_all)


def refuse_without_addresses(monkeypatch: Patch) -> None:
    """Both: the kernel refuses instead of waiting, and the addresses go at once."""
    refuse_instead_of_waiting(monkeypatch)
    invalidate_at_once(monkeypatch)


def lose_all_addresses(vm, s):
    """Every mapping becomes invalid, whatever the kernel would say."""
    for container in vm.kernel.topology.containers:
        for i in range(vm.kernel.mappings):
            s.vaddr[container, i] = Vaddr.INVALID


def exec_and_fail_to_load(monkeypatch: Patch) -> None:
    """cpr-save and cpr-exec succeed without a question, and cpr-load returns an error at once."""

    def save(self, s, design):
        yield "invalidate, and do not ask"
        self.vm_stop(s, qemu.RunState.SAVE_VM, design)
        lose_all_addresses(self, s)
        return Result.OK

    def execute(self, s, design):
        yield "exec, and do not ask"
        s.exec_requested = True
        return Result.OK

    def load(self, s, design):
        yield "fail to load"
        return Result.ERROR

    monkeypatch.setattr(Vm, "qmp_cpr_save", save)
    monkeypatch.setattr(Vm, "qmp_cpr_exec", execute)
    monkeypatch.setattr(Vm, "qmp_cpr_load", load)


def invalidate_at_once(monkeypatch: Patch) -> None:
    """cpr-save begins with the invalidation of everything, and tells nobody."""
    original = Vm.qmp_cpr_save

    def broken(self, s, design):
        lose_all_addresses(self, s)
        return (yield from original(self, s, design))

    monkeypatch.setattr(Vm, "qmp_cpr_save", broken)


def run_without_addresses(monkeypatch: Patch) -> None:
    """Both: the addresses go at once, and a cpr-exec that fails starts the VM."""
    invalidate_at_once(monkeypatch)
    restart_after_a_failed_exec(monkeypatch)


def fatal_exec(monkeypatch: Patch) -> None:
    """cpr-exec ends QEMU."""

    def broken(self, s, design):
        yield "no"
        s.attempt = Attempt.FAILED
        s.abort("cpr-exec is fatal")

    monkeypatch.setattr(Vm, "qmp_cpr_exec", broken)


def nothing_moves(monkeypatch: Patch) -> None:
    """cpr-save waits for ever, and so does every device that asks."""
    wait_for_godot(monkeypatch)

    def broken(self, s, container, vm):
        yield f"{container}: vfio_wait"
        s.require(s.alive(vm.new))

    monkeypatch.setattr(Kernel, "pin_pages", broken)


def hang_on_device_del(monkeypatch: Patch) -> None:
    """The guest lets a device go although it does not run."""

    def broken(s, vm, design, kind):
        container = s.choose("container", vm.kernel.topology.containers)
        if kind == EMULATED and s.devices[container, EMULATED] > 0:
            yield vm.unplugging(container)
            vm.close_device(s, container)

    monkeypatch.setattr(processes, "unplug", broken)


def see_nothing(self, s):
    """The counter is not looked at, and no blocker either."""
    yield "look the other way"
    return Result.OK


def count_everything(monkeypatch: Patch) -> None:
    """Every device counts, and registers a blocker; and the kernel can do everything."""
    monkeypatch.setattr(Kernel, "capable", lambda self, s, container: True)
    monkeypatch.setattr(Counter, "ups", lambda self, container: len(container.groups))
    monkeypatch.setattr(Counter, "incapable", lambda self, s, container: True)
    monkeypatch.setattr(Blockers, "at_start", lambda self, container, kind: container.devices(kind))


def count_nothing(monkeypatch: Patch) -> None:
    """No device counts, and none registers a blocker; and the kernel can do nothing."""
    monkeypatch.setattr(Kernel, "capable", lambda self, s, container: False)
    monkeypatch.setattr(Counter, "ups", lambda self, container: 0)
    monkeypatch.setattr(Counter, "incapable", lambda self, s, container: False)
    monkeypatch.setattr(Blockers, "at_start", lambda self, container, kind: 0)


def uncount_always(monkeypatch: Patch) -> None:
    """One is taken off the counter whenever a device leaves."""

    def broken(self, s, container, kind, registered):
        s.cpr_blocked = s.cpr_blocked - 1

    monkeypatch.setattr(Counter, "unrealized", broken)


MUTANTS: dict[str, tuple[Callable[[Patch], None], ...]] = {
    "runs_only_with_valid_vaddrs": (
        restart_after_a_failed_exec,
        start_before_restoring,
        no_unwind,
        load_without_restoring,
        invalidate_at_once,
        run_without_addresses,
    ),
    "validated_before_invalidated": (incapable,),
    "refused_before_stop": (incapable,),
    "no_restore_of_valid": (restore_twice, restore_all_after_a_failed_exec, restore_all_after_a_failed_save),
    "handlers_in_order": (devices_first, never_tell_the_handlers, invalidate_at_once),
    "restored_after_failure": (invalidate_at_once, invalidate_in_the_test, no_unwind, never_tell_the_handlers),
    "restored_after_failed_load": (exec_and_fail_to_load,),
    "guest_survives": (die_of_a_failure, fatal_exec),
    "no_dma_with_invalid_vaddr": (
        restart_after_a_failed_exec,
        serve_through_stale_addresses,
        invalidate_at_once,
    ),
    "no_stuck_waiter": (load_without_restoring, invalidate_at_once),
    "refusal_is_unreachable": (refuse_instead_of_waiting, refuse_without_addresses),
    "never_aborts": (restore_twice, die_of_a_failure, fatal_exec, restore_all_after_a_failed_exec),
    "deadlock_free": (nothing_moves,),
    "nobody_stuck": (wait_for_godot,),
    "monitor_answers": (hang_on_device_del,),
    "update_succeeds": (everything_fails,),
    "blocker_is_exact": (count_everything, count_nothing),
    "blocker_is_exact(error=residue)": (count_everything,),
    "blocker_is_exact(error=missed refusal)": (count_nothing,),
    "counter_is_not_negative": (uncount_always,),
}
"""For each property, breaks of which at least one has to turn it, in every configuration in which it holds."""
