# SPDX-License-Identifier: Apache-2.0
"""The pre_save of a container's vmstate that invalidates, with the flag by which recovery knows what to restore."""

from __future__ import annotations

from typing import Any

from cprcheck import Bool, Model, c

from .kernel import Errno, Extension
from .qemu import ContainerHook, Steps, Vm
from .runstate import Result
from .topology import Container


def invalidating(m: Model, vm: Vm) -> ContainerHook:
    """Declare the flag `vaddr_unmapped[container]`; the pre_save that sets it."""
    m.array("vaddr_unmapped", vm.kernel.topology.containers, Bool, init=False)

    @c("hw/vfio/cpr.c")
    def vfio_container_pre_save(s: Any, container: Container) -> Steps:
        """Test and invalidate; the flag is set once the ioctl has succeeded."""
        yield f"pre_save of {container}: capable?"
        if not vm.kernel.check_extension(s, container, Extension.UPDATE_VADDR):
            return Result.ERROR
        yield f"pre_save of {container}: unmap all vaddrs"
        if vm.kernel.unmap_vaddr_all(s, container) != Errno.OK:
            return Result.ERROR
        s.vaddr_unmapped[container] = True
        return Result.OK

    return vfio_container_pre_save
