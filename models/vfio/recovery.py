# SPDX-License-Identifier: Apache-2.0
"""Recovery: who restores what was invalidated when an update fails.  Each part can be used with any prevention.

All of them but the recover patch (`Vaddrs.in_exec_recovering`) find out from a flag on each container what was
invalidated.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from cprcheck import c

from .qemu import ContainerHook, Hook, Steps
from .runstate import Attempt, Result
from .topology import Container
from .vaddrs import CPR_C, Vaddrs

CALLER, NOTIFIER, HANDLER, PRE_SAVE, POST_SAVE = (
    "the caller",
    "the notifier",
    "the vm-change handler",
    "the failing pre_save",
    "post_save",
)
"""Who restores, as the reader of a trace is told."""


class Recovery(Enum):
    """The recoveries of the thread; those of a notifier differ in when it is called, and whether it looks at the
    flag."""

    NONE = "none"
    RECOVER_PATCH = "vfio_cpr_save, what it has invalidated (V7, part 22)"
    PRE_SAVE_ALL = "the pre_save that fails, all containers"
    POST_SAVE = "post_save, which VMState offers"
    CALLER = "the caller of what failed"
    NOTIFIER = "a notifier of each container, before the VM is started again"
    NOTIFIER_LATE = "the same, after the VM was started again"
    NOTIFIER_EXEC = "a notifier before the start, called on exec failure too"
    NOTIFIER_LATE_EXEC = "after the VM was started again, called on exec failure too (V9 to QEMU 10.2)"
    NOTIFIER_BLIND = "a notifier before the start that does not look at the flag (V8)"
    HANDLER = "a vm-change handler of each container, before those that start DMA"
    HANDLER_LAST = "the same, after those that start DMA"


def _walk(vaddrs: Vaddrs, by: str, function: str, *, looks: bool) -> Hook:
    """The C `function` that restores every container, newest first; with `looks` only those whose flag is set."""

    @c(f"{CPR_C}:{function}")
    def restore_each(s: Any) -> Steps:
        for container in vaddrs.vm.kernel.topology.newest_first:
            if vaddrs.vm.kernel.exists(s, container):
                yield f"{by}: {container}?"
                if looks:
                    s.emit("test", of="flag", container=container)
                if not looks or s.vaddr_unmapped[container]:
                    result = yield from vaddrs.restore(s, container, by)
                    if result != Result.OK:
                        return

    return restore_each


def unwind(vaddrs: Vaddrs, by: str = CALLER) -> Hook:
    """Restore what the flags say was invalidated."""
    return _walk(vaddrs, by, "vfio_cpr_unwind", looks=True)


def notifier(vaddrs: Vaddrs, *, looks: bool = True) -> Hook:
    """Each container's notifier, the newest first, as it was registered at the head of the list.

    V8's did not look at the flag that it had (`looks` false).
    """
    return _walk(vaddrs, NOTIFIER, "vfio_cpr_save_failed_notifier", looks=looks)


def handler(vaddrs: Vaddrs) -> ContainerHook:
    """A container's vm-change handler: restore if the flag is set.  It has no way to veto the start."""

    @c(CPR_C)
    def vfio_vm_change_handler(s: Any, container: Container) -> Steps:
        yield f"vm_state_notify: {container}: restore?"
        s.emit("test", of="flag", container=container)
        if s.vaddr_unmapped[container]:
            yield from vaddrs.restore(s, container, HANDLER)

    return vfio_vm_change_handler


def post_save(vaddrs: Vaddrs) -> ContainerHook:
    """A post_save that restores its container if the update has failed.

    It is called right after the pre_save of its own object has succeeded, never after another's failure.
    """

    @c(CPR_C)
    def vfio_container_post_save(s: Any, container: Container) -> Steps:
        yield f"post_save of {container}: has saving failed?"
        s.emit("test", of="failure", container=container)
        if s.attempt == Attempt.FAILED:
            yield from vaddrs.restore(s, container, POST_SAVE)

    return vfio_container_post_save
