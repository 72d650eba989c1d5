# SPDX-License-Identifier: Apache-2.0
"""How a run is drawn: who stands side by side, which steps and events are messages, and what is worth a bar.

An ioctl is a message to the kernel; a command is one of the management to a QEMU.  The kernel has no process of its
own here: what it does, it does in the step of its caller.
"""

from __future__ import annotations

from typing import Any

from cprcheck import Model

from .qemu import Vm
from .topology import Container

MANAGEMENT, OLD, NEW, KERNEL, DEVICES = "management", "old QEMU", "new QEMU", "kernel", "devices"
IOCTLS = ("CHECK_EXTENSION", "UNMAP(ALL|V)", "MAP(V)", "MAP(V) of a valid mapping", "a device asks for a translation")
REFUSALS = ("the kernel, EBUSY", "the kernel, EINVAL")
ANSWERS = ("translation refused, WARN_ONCE", "translation through a stale vaddr")
ATTEMPTS = (1, 2, 3)


def declare(m: Model, vm: Vm) -> None:
    """Add lanes, arrows and bars to `m`.  Processes without a lane of their own are in that of their QEMU."""
    m.lane(MANAGEMENT)
    m.lane(OLD, group=vm.old)
    m.lane(NEW, group=vm.new)
    m.lane(KERNEL)
    m.lane(DEVICES)
    m.arrow(step="user", receiver=OLD)
    for command in (f"{name}, attempt {attempt}" for attempt in ATTEMPTS for name in ("cpr-save", "cpr-exec")):
        m.arrow(step=command, sender=MANAGEMENT)
    m.arrow(step="cpr-load", sender=MANAGEMENT)
    for ioctl in IOCTLS:
        m.arrow(event=ioctl, receiver=KERNEL)
    for refusal in REFUSALS:
        m.arrow(event="refused", sender=KERNEL, by=refusal)
    for answer in ANSWERS:
        m.arrow(event=answer, sender=KERNEL)

    @m.bar("guest runs")
    def guest_runs(s: Any) -> Any:
        return vm.runs(s)

    for container in vm.kernel.topology.containers:
        _invalid(m, vm, container)


def _invalid(m: Model, vm: Vm, container: Container) -> None:
    @m.bar(f"vaddr of {container} invalid")
    def invalid(s: Any) -> Any:
        return (vm.gone(s) == False) & (vm.kernel.valid(s, container) == False)  # noqa: E712
