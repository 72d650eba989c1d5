# SPDX-License-Identifier: Apache-2.0
"""The processes of one VM: the two QEMUs, the devices, and the user with the monitor that executes the commands."""

from __future__ import annotations

from typing import Any

from cprcheck import Model, c, idle

from . import picture
from .environment import Command, Env, commands
from .kernel import Errno
from .qemu import PLUGS, RUNSTATE, Design, Steps, Vm
from .runstate import Attempt, Result, RunState, Vcpus
from .topology import EMULATED, PHYSICAL, Container


def run(m: Model, vm: Vm, design: Design) -> None:
    """Add the processes to `m`: the two QEMUs, the devices, and what the environment may do."""
    picture.declare(m, vm)
    run_old(m, vm, design)
    run_new(m, vm, design)
    run_devices(m, vm)
    if commands(vm.env):
        run_user(m, vm, design)
    if Env.WAKEUP in vm.env:

        @m.action(c=RUNSTATE, group=vm.old, lock=vm.bql)
        def qemu_system_wakeup_request(s):
            """A wakeup event: the guest runs again, and no vm-change handler has been told."""
            s.require(s.runstate == RunState.SUSPENDED)
            s.runstate = RunState.RUNNING
            s.vcpus = Vcpus.RUNNING


def run_old(m: Model, vm: Vm, design: Design) -> None:
    """The old QEMU: the management's commands, and the main loop that performs the exec."""
    attempts = (1, 2, 3) if Env.AGAIN in vm.env else (1,)
    lives_on = Env.PAUSE in vm.env or Env.IMMORTAL in vm.env
    exec_may_return = Env.AGAIN in vm.env and (lives_on or design.survives_exec)

    @m.process(group=vm.old)
    def management(s):
        """cpr-save and then cpr-exec, each as one piece under the BQL.  An exec that succeeds ends this process."""
        for attempt in attempts:
            yield f"cpr-save, attempt {attempt}"
            with s.lock(vm.bql):
                result = yield from vm.qmp_cpr_save(s, design)
            if result == Result.OK:
                yield f"cpr-exec, attempt {attempt}"
                with s.lock(vm.bql):
                    result = yield from vm.qmp_cpr_exec(s, design)
            if result == Result.OK:
                if not exec_may_return:
                    return
                yield f"see whether the exec of attempt {attempt} fails"
                s.require(not s.exec_requested)
            s.attempt = Attempt.FAILED

    @m.process(c=RUNSTATE, group=vm.old)
    def main_loop_should_exit(s):
        """execvp when it was requested; if that returns, the ordinary shutdown.

        With -action shutdown=pause that is vm_stop(RUN_STATE_SHUTDOWN): a VM that does not run keeps its runstate.  A
        design that survives it calls its notifiers instead, and leaves the VM as it is, as cpr_exec_failed of V9 does.
        """
        while True:
            yield idle("act on an exec request")
            s.require(s.exec_requested)
            with s.lock(vm.bql):
                s.exec_requested = False
                if not s.fault("execvp fails"):
                    s.runstate = RunState.PRELAUNCH
                    s.vcpus = Vcpus.PAUSED
                    if design.freed is not None:
                        for container in vm.kernel.topology.containers:
                            design.freed(s, container)
                    s.exec(vm.old, vm.new)
                if design.survives_exec:
                    yield from design.exec_failed(s)
                    s.attempt = Attempt.FAILED
                else:
                    s.attempt = Attempt.FAILED
                    if not lives_on:
                        s.kill(vm.old)
                    vm.vm_stop(s, RunState.SHUTDOWN, design)


def run_new(m: Model, vm: Vm, design: Design) -> None:
    """The new QEMU: it realizes the devices with the saved fds, and gets cpr-load."""

    @m.process(c="softmmu/vl.c:qemu_init", group=vm.new)
    def new_management(s):
        """Start, then cpr-load."""
        yield "qemu_init: realize the devices with the saved fds"
        if s.fault("the new QEMU dies while it starts"):
            s.attempt = Attempt.FAILED
            s.kill(vm.new)
        yield "cpr-load"
        with s.lock(vm.bql):
            result = yield from vm.qmp_cpr_load(s, design)
        s.attempt = Attempt.DONE if result == Result.OK else Attempt.FAILED


def run_devices(m: Model, vm: Vm) -> None:
    """The emulated devices: kernel threads that may need a page of the guest at any time."""
    plugged = Env.HOTPLUG in vm.env
    containers = [container for container in vm.kernel.topology.containers if plugged or container.emulated]

    @m.process(container=containers, c=f"{vm.kernel.era.core}:vfio_pin_pages", lane=picture.DEVICES)
    def mdev(s, container):
        """A device that is not stopped when the VM stops: it has no migration support."""
        while True:
            yield idle("ask for a translation")
            s.require(vm.kernel.emulated(s, container), not vm.gone(s))
            s.emit("a device asks for a translation", container=container)
            yield from vm.kernel.pin_pages(s, container, vm)


def run_user(m: Model, vm: Vm, design: Design) -> None:
    """The user's commands, and the monitor of the old QEMU that executes them under the BQL."""

    @m.action(command=commands(vm.env), group=vm.old, lane=picture.MANAGEMENT)
    def user(s, command):
        """The user types a command."""
        s.require(s.command == Command.NONE)
        s.command = command

    @m.process(c="monitor/qmp.c:monitor_qmp_dispatcher_co", group=vm.old)
    def monitor(s):
        """One command after the other."""
        while True:
            yield idle("execute a command")
            s.require(s.command != Command.NONE)
            if Env.MONITORS not in vm.env:
                s.require(not s.exec_requested)
            with s.lock(vm.bql):
                if s.command == Command.CONT:
                    yield from qmp_cont(s, vm, design)
                elif s.command == Command.STOP:
                    vm.vm_stop(s, RunState.PAUSED, design)
                elif s.command == Command.RESET:
                    reset(s)
                elif s.command == Command.PLUG_PHYSICAL:
                    yield from plug(s, vm, design, PHYSICAL)
                elif s.command == Command.PLUG_EMULATED:
                    yield from plug(s, vm, design, EMULATED)
                elif s.command == Command.UNPLUG_PHYSICAL:
                    yield from unplug(s, vm, design, PHYSICAL)
                else:
                    yield from unplug(s, vm, design, EMULATED)
                s.command = Command.NONE


# ---- the commands of the user ---------------------------------------------------------------------------------------


@c("monitor/qmp-cmds.c")
def qmp_cont(s: Any, vm: Vm, design: Design) -> Steps:
    """Refused while the machine needs a reset, and for a suspended guest; accepted from SAVE_VM."""
    if s.runstate == RunState.SHUTDOWN or s.runstate == RunState.SUSPENDED:
        return
    yield from vm.vm_start(s, design)


@c(f"{RUNSTATE}:main_loop_should_exit")
def reset(s: Any) -> None:
    """A machine that does not run is PRELAUNCH after a reset, but no transition leads there from SAVE_VM."""
    if s.runstate == RunState.SAVE_VM:
        s.attempt = Attempt.FAILED
        s.abort("runstate_set: invalid transition from save-vm to prelaunch")
    if s.runstate != RunState.RUNNING:
        s.runstate = RunState.PRELAUNCH


@c("hw/vfio/pci.c:vfio_realize")
def plug(s: Any, vm: Vm, design: Design, kind: str) -> Steps:
    """device_add: the group joins the container of its address space, if the kernel lets it.

    Where a design watches devices, the rest of the realize may fail after it has been told; then the group leaves
    again.
    """
    if not vm.kernel.plugs:
        return
    container = s.choose("container", vm.kernel.topology.containers)
    if s.devices[container, kind] == vm.kernel.most or (vm.counts and s.plugs == PLUGS):
        return
    result = yield from vm.kernel.attach_group(s, container, kind)
    if result != Errno.OK:
        return
    if vm.counts:
        s.plugs = s.plugs + 1
    if design.devices is not None:
        registered = design.devices.realized(s, container, kind)
        if s.fault("the device cannot be realized, after its group was attached"):
            leave(s, vm, design, container, kind, registered)


def unplug(s: Any, vm: Vm, design: Design, kind: str) -> Steps:
    """device_del: the group leaves its container, and with the last one the container goes.

    A PCI device leaves when the guest acknowledges, so only a guest that runs lets it go.
    """
    if not vm.kernel.unplugs:
        return
    container = s.choose("container", vm.kernel.topology.containers)
    if s.vcpus != Vcpus.RUNNING or s.devices[container, kind] == 0:
        return
    if kind == EMULATED:
        yield vm.unplugging(container)
        vm.close_device(s, container)
    leave(s, vm, design, container, kind)


@c("hw/vfio/common.c:vfio_disconnect_container")
def leave(s: Any, vm: Vm, design: Design, container: Container, kind: str, registered: bool | None = None) -> None:
    """A group leaves its container; tell the design, also when it was the last one."""
    if design.devices is not None:
        design.devices.unrealized(s, container, kind, registered)
    if vm.kernel.detach_group(s, container, kind):
        if design.devices is not None:
            design.devices.destroyed(s, container)
        if design.freed is not None:
            design.freed(s, container)
