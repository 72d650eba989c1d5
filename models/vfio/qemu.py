# SPDX-License-Identifier: Apache-2.0
"""QEMU's side, as of the series "Live Update" V7 (December 2021): commands, runstates, saved objects, the exec.

A design is what it hooks into this machinery (`Design`); everything else is the same for all.  The order of steps is
that of the C functions named at each process and helper; every command runs under the big QEMU lock (BQL) from
its first step to its last, as the monitor runs it.

The old and the new QEMU are two groups of processes; exec replaces the one by the other, so there is one set of
runstate variables.  The new QEMU is started stopped (-S), as the V7 documentation asks, and gets cpr-load.

Left out: Xen, COLO and record/replay (refused before anything happens), guest RAM that is not shared (K20), the state
of devices other than whether it was saved, `cont` in the new QEMU before cpr-load (a guest without its state).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cprcheck import Bool, Model, Range, c
from cprcheck.language.declare import Group, Lock

from .environment import Command, Env, Guest, commands
from .kernel import Errno, Extension, Kernel, Vaddr
from .runstate import Attempt, Result, RunState, Vcpus
from .topology import Container

Steps = Generator[Any, None, Any]
NEW_QEMU = "the new QEMU"
"""Who gives the addresses when nothing has failed."""
CPR, RUNSTATE, CPUS = "migration/cpr.c", "softmmu/runstate.c", "softmmu/cpus.c"


Hook = Callable[[Any], Steps]
ContainerHook = Callable[[Any, Container], Steps]


class DeviceBook(Protocol):
    """What a design keeps about devices that stand in the way of an update; it is told when devices come and go.

    Each of the three calls is one step with the kernel's.
    """

    def realized(self, s: Any, container: Container, kind: str) -> bool:
        """The group of a device has been attached; whether this device has registered something."""

    def unrealized(self, s: Any, container: Container, kind: str, registered: bool | None) -> None:
        """A device's group is about to leave: the one that has just `registered`, or with None any of its kind."""

    def destroyed(self, s: Any, container: Container) -> None:
        """The last group of a container has left."""

    def blocked(self, s: Any) -> Any:
        """An update is forbidden."""


@dataclass(frozen=True)
class Design:
    """Where a design hooks in; what is None is not there.

    `entry`, the first thing in qmp_cpr_save.  `pre_save` and `post_save` of a container's vmstate, in cpr-save.
    `save_failed`, called by qmp_cpr_save when it fails after that, before the VM is started again;
    `save_failed_late`, after that.  `before_exec`, called by qmp_cpr_exec; `exec_failed`, when that or something
    after it has failed; with `survives_exec` a failed execvp is followed by `exec_failed` instead of the shutdown.
    `handler`, the vm-change handler of a container, on the way to a running state; `handler_first` puts it before the
    handlers that start DMA.  `devices` keeps a book on devices that come and go; `freed` is told of a container that
    goes, for what the design keeps in it.
    """

    entry: Hook | None = None
    pre_save: ContainerHook | None = None
    post_save: ContainerHook | None = None
    save_failed: Hook | None = None
    save_failed_late: Hook | None = None
    before_exec: Hook | None = None
    exec_failed: Hook | None = None
    survives_exec: bool = False
    handler: ContainerHook | None = None
    handler_first: bool = True
    devices: DeviceBook | None = None
    freed: Callable[[Any, Container], None] | None = None


def waits_for_workers(kernel: Kernel, env: frozenset[Env]) -> bool:
    """Whether closing a device may have to wait for its worker, which waits for an address (K11)."""
    return kernel.era.waits and Env.UNPLUG in env


PLUGS = 3
"""Where something counts devices, so many may be plugged while the VM runs: it may count without end."""


@dataclass(frozen=True)
class Vm:
    """One VM: its kernel, what its environment may do, and the handles that processes need.

    `counts` says that the design counts devices, so that only `PLUGS` of them may be plugged.
    """

    kernel: Kernel
    guest: Guest
    env: frozenset[Env]
    old: Group
    new: Group
    bql: Lock
    counts: bool

    @classmethod
    def declare(cls, m: Model, kernel: Kernel, guest: Guest, env: frozenset[Env], *, counts: bool = False) -> Vm:
        """Add the VM's state to `m`."""
        kernel = replace(kernel, plugs=Env.HOTPLUG in env, unplugs=Env.UNPLUG in env)
        runstate = {Guest.RUNNING: RunState.RUNNING, Guest.PAUSED: RunState.PAUSED, Guest.SUSPENDED: RunState.SUSPENDED}
        m.var("runstate", RunState, init=runstate[guest])
        m.var("vcpus", Vcpus, init=Vcpus.RUNNING if guest is Guest.RUNNING else Vcpus.PAUSED)
        m.var("attempt", Attempt, init=Attempt.NONE)
        m.var("saved_running", Bool, init=False)
        m.var("mode_restart", Bool, init=False)
        m.var("exec_requested", Bool, init=False)
        m.var("wrong_page", Bool, init=False)
        kernel.declare(m)
        if Env.CLOSE in env:
            m.var("file_good", Bool, init=True)
        if commands(env):
            m.var("command", Command, init=Command.NONE)
        if kernel.changes:
            m.array("saved", kernel.topology.containers, Bool, init=False)
        if waits_for_workers(kernel, env):
            m.array("waiting", kernel.topology.containers, Bool, init=False)
        if counts and kernel.plugs:
            m.var("plugs", Range(0, PLUGS), init=0)
            m.note(f"at most {PLUGS} devices are plugged")
        m.note("environment: " + (", ".join(sorted(e.name.lower() for e in env)) or "quiet"))
        if kernel.era.excludes_emulated and Env.HOTPLUG in env:
            m.note("a group that the kernel refuses gets no container of its own")
        old, new = m.group("old_qemu"), m.group("new_qemu", alive=False)
        return cls(kernel, guest, env, old, new, m.lock("bql"), counts)

    # ---- questions --------------------------------------------------------------------------------------------------

    def gone(self, s: Any) -> bool:
        """No QEMU is left: its fds are closed, and the mappings with them."""
        return (s.alive(self.old) == False) & (s.alive(self.new) == False)  # noqa: E712

    def runs(self, s: Any) -> bool:
        """The vCPUs of a living QEMU have been resumed."""
        return (s.vcpus == Vcpus.RUNNING) & (self.gone(s) == False)  # noqa: E712

    # ---- workers of emulated devices --------------------------------------------------------------------------------

    def worker_waits(self, s: Any, container: Container, sleeps: bool) -> None:
        """Note whether a device's worker sleeps in the kernel; only closing the device asks."""
        if waits_for_workers(self.kernel, self.env):
            s.waiting[container] = sleeps

    def unplugging(self, container: Container) -> str:
        """The step in which device_del closes an emulated device of `container`."""
        return f"device_del of an emulated device of {container}"

    @c("hw/vfio/common.c:vfio_put_base_device")
    def close_device(self, s: Any, container: Container) -> None:
        """Close an emulated device of `container`.  On E1 that waits for a worker that waits for an address (K11)."""
        if waits_for_workers(self.kernel, self.env):
            s.require(not s.waiting[container])

    # ---- starting and stopping --------------------------------------------------------------------------------------

    @c(f"{CPUS}:do_vm_stop")
    def vm_stop(self, s: Any, state: RunState, design: Design) -> None:
        """A running VM stops in `state`, and its vm-change handlers are called; one that does not run is left alone."""
        if s.runstate == RunState.RUNNING:
            s.runstate = state
            s.vcpus = Vcpus.PAUSED
            if design.handler is not None:
                for container in self.kernel.topology.containers:
                    s.emit("test", of="running", container=container)  # and the handler has nothing to do

    @c(f"{CPUS}:vm_start")
    def vm_start(self, s: Any, design: Design) -> Steps:
        """Runstate RUNNING, then the vm-change handlers, then the vCPUs.  Already running: nothing."""
        if s.runstate == RunState.RUNNING:
            return
        s.runstate = RunState.RUNNING
        if design.handler is not None and design.handler_first:
            yield from self.notify(s, design.handler)
        yield "vm_state_notify: the handlers of devices that resume DMA"
        s.emit("a device resumes DMA")
        if design.handler is not None and not design.handler_first:
            yield from self.notify(s, design.handler)
        yield "resume_all_vcpus"
        s.vcpus = Vcpus.RUNNING

    @c(f"{RUNSTATE}:vm_state_notify")
    def notify(self, s: Any, handler: ContainerHook) -> Steps:
        """Call the vm-change handler of each container, in the order of registration."""
        for container in self.kernel.topology.containers:
            if self.kernel.exists(s, container):
                yield from handler(s, container)

    # ---- restoring --------------------------------------------------------------------------------------------------

    @c("hw/vfio/common.c:vfio_container_region_add")
    def replay(self, s: Any, container: Container, by: str, owner: Vaddr = Vaddr.OLD) -> Steps:
        """Give each mapping of `container` its address again: MAP(V) per section.  `by` names who does it, for the
        reader.

        A failure in a container that has been initialised ends in hw_error, which aborts; in an immortal QEMU, an
        error.
        """
        for i in range(self.kernel.mappings):
            yield f"{container}: MAP(V) of section {i}"
            if self.kernel.map_vaddr(s, container, i, owner, by) != Errno.OK:
                if owner is Vaddr.OLD and Env.IMMORTAL in self.env:
                    return Result.ERROR
                s.attempt = Attempt.FAILED
                s.abort("hw_error: vfio: DMA mapping failed, unable to continue")
        return Result.OK

    # ---- the commands of the management -----------------------------------------------------------------------------

    @c(f"{CPR}:qmp_cpr_save")
    def qmp_cpr_save(self, s: Any, design: Design) -> Steps:
        """cpr-save in restart mode: stop the VM and save all objects; on failure start it again if it ran."""
        s.attempt = Attempt.BEGUN
        s.saved_running = s.runstate == RunState.RUNNING
        if design.entry is not None:
            result = yield from design.entry(s)
            if result != Result.OK:
                return Result.ERROR
        if s.fault("the state file cannot be opened"):
            return Result.ERROR
        if Env.CLOSE in self.env:
            s.file_good = True  # opened with O_TRUNC
        if self.kernel.changes:
            for container in self.kernel.topology.containers:
                s.saved[container] = False
        yield "vm_stop(RUN_STATE_SAVE_VM)"
        self.vm_stop(s, RunState.SAVE_VM, design)
        s.mode_restart = True
        result = yield from self.qemu_save_device_state(s, design)
        if result == Result.OK:
            return Result.OK
        if design.save_failed is not None:
            yield from design.save_failed(s)
        yield "error: vm_start if it was running"
        if s.saved_running:
            yield from self.vm_start(s, design)
        if design.save_failed_late is not None:
            yield from design.save_failed_late(s)
        s.mode_restart = False
        return Result.ERROR

    @c("migration/savevm.c:qemu_save_device_state")
    def qemu_save_device_state(self, s: Any, design: Design) -> Steps:
        """The pre_save of each object in the order of the vmstate list, oldest first; the first error ends it.

        The file's errors are sticky and are looked at in the end; an error that only fclose finds is dropped
        by qmp_cpr_save.
        """
        for name, container in self.saved_objects(design):
            if container is not None:
                if self.kernel.exists(s, container):
                    result = yield from design.pre_save(s, container)
                    if result != Result.OK:
                        return Result.ERROR
                    if self.kernel.changes:
                        s.saved[container] = True
                    if design.post_save is not None:
                        yield from design.post_save(s, container)
            else:
                yield f"pre_save of {name}"
                if s.fault(f"pre_save of {name} fails"):
                    return Result.ERROR
        yield "flush the state file"
        if s.fault("disk full"):
            return Result.ERROR
        if Env.CLOSE in self.env and s.fault("the state file cannot be closed"):
            s.file_good = False
        return Result.OK

    def saved_objects(self, design: Design) -> tuple[tuple[str, Container | None], ...]:
        """The objects with a vmstate, oldest first: other devices before, between and after the containers."""
        others = [(f"device {i + 2} newer than the containers", None) for i in range(self.kernel.topology.others)]
        containers = self.kernel.topology.containers if design.pre_save is not None else ()
        saved: list[tuple[str, Container | None]] = [("a device older than the containers", None)]
        for i, container in enumerate(containers):
            saved.append((container.name, container))
            if i == 0 and len(containers) > 1:
                saved.append(("a device between the containers", None))
        return (*saved, ("a device newer than the containers", None), *others)

    @c(f"{CPR}:qmp_cpr_exec")
    def qmp_cpr_exec(self, s: Any, design: Design) -> Steps:
        """cpr-exec: the state of cpr-save must still stand; then the CPR state is saved and the exec requested."""
        if s.runstate != RunState.SAVE_VM or not s.mode_restart:
            return Result.ERROR
        result = Result.OK
        if design.before_exec is not None:
            result = yield from design.before_exec(s)
        if result == Result.OK:
            yield "cpr_state_save"
            if s.fault("cpr_state_save fails"):
                result = Result.ERROR
        if result == Result.OK:
            s.exec_requested = True
        elif design.exec_failed is not None:
            yield from design.exec_failed(s)
        return result

    @c(f"{CPR}:qmp_cpr_load")
    def qmp_cpr_load(self, s: Any, design: Design) -> Steps:
        """cpr-load in the new QEMU: read the file, start the VM if it ran, or else give it the runstate of then.

        The only such runstate that reaches an exec is that of a second cpr-save, SAVE_VM, and no transition
        leads there from PRELAUNCH.
        """
        if Env.CLOSE in self.env and not s.file_good:
            return Result.ERROR
        result = yield from self.qemu_load_device_state(s, design)
        if result == Result.OK and design.pre_save is None:
            result = yield from self.vfio_cpr_load(s)
        if result != Result.OK:
            return Result.ERROR
        yield "vm_start if it was running"
        if not s.saved_running:
            s.attempt = Attempt.FAILED
            s.abort("runstate_set: invalid transition from prelaunch to save-vm")
        yield from self.vm_start(s, design)
        return Result.OK

    @c("migration/savevm.c:qemu_load_device_state")
    def qemu_load_device_state(self, s: Any, design: Design) -> Steps:
        """The post_load of each object, in the order in which they were saved; the first error ends it."""
        for name, container in self.saved_objects(design):
            if container is not None:
                if not self.kernel.changes or s.saved[container]:
                    if not self.kernel.exists(s, container):
                        return Result.ERROR  # a section in the file, and nobody to read it
                    result = yield from self.restore(s, container)
                    if result != Result.OK:
                        return Result.ERROR
            else:
                yield f"load {name}"
                if s.fault(f"{name} cannot be loaded"):
                    return Result.ERROR
        return Result.OK

    @c("hw/vfio/cpr.c:vfio_cpr_load")
    def vfio_cpr_load(self, s: Any) -> Steps:
        """Where containers have no vmstate, they are restored when all devices have been loaded."""
        for container in self.kernel.topology.newest_first:
            if self.kernel.exists(s, container):
                result = yield from self.restore(s, container)
                if result != Result.OK:
                    return Result.ERROR
        return Result.OK

    def restore(self, s: Any, container: Container) -> Steps:
        """The new QEMU tests a container again, and registers the listener that gives it its addresses."""
        yield f"{container}: capable?"
        if not self.kernel.check_extension(s, container, Extension.UPDATE_VADDR):
            return Result.ERROR
        if not self.kernel.check_extension(s, container, Extension.UNMAP_ALL):
            return Result.ERROR
        yield from self.replay(s, container, NEW_QEMU, Vaddr.NEW)
        return Result.OK
