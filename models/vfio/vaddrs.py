# SPDX-License-Identifier: Apache-2.0
"""hw/vfio/cpr.c: what every design does to the addresses of a container, and where.

`Vaddrs` invalidates and restores one container, and keeps a flag for each, if the design has one.  The two places are
`pre_save`, of a container's vmstate, in cpr-save; and `vfio_cpr_save`, which V7's qmp_cpr_exec calls.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from cprcheck import Bool, Model, OneOf, c

from .kernel import Errno, Extension
from .qemu import ContainerHook, Hook, Steps, Vm
from .runstate import Result
from .topology import Container

CPR_C = "hw/vfio/cpr.c"


class Place(Enum):
    """Where the addresses are invalidated."""

    EXEC = "in qmp_cpr_exec, which calls vfio_cpr_save (V7)"
    PRE_SAVE = "in the pre_save of each container's vmstate, in cpr-save"


@dataclass(frozen=True)
class Vaddrs:
    """The addresses of all containers of a VM.  With `flagged`, `vaddr_unmapped[container]` says what was
    invalidated."""

    vm: Vm
    flagged: bool

    @classmethod
    def declare(cls, m: Model, vm: Vm, *, flagged: bool = False) -> Vaddrs:
        """Add the flags to `m`, if there are any."""
        if flagged:
            m.array("vaddr_unmapped", vm.kernel.topology.containers, Bool, init=False)
        return cls(vm, flagged)

    @c(f"{CPR_C}:vfio_is_cpr_capable")
    def capable(self, s: Any, container: Container) -> bool:
        """Both extensions, the second only if the first is there."""
        if not self.vm.kernel.check_extension(s, container, Extension.UPDATE_VADDR):
            s.emit("refused", by="a capability test", container=container)
            return False
        return self.vm.kernel.check_extension(s, container, Extension.UNMAP_ALL)

    @c(f"{CPR_C}:vfio_dma_unmap_vaddr_all")
    def invalidate(self, s: Any, container: Container) -> Result:
        """UNMAP(ALL|V); the flag is set once the ioctl has succeeded."""
        if self.vm.kernel.unmap_vaddr_all(s, container) != Errno.OK:
            return Result.ERROR
        if self.flagged:
            s.vaddr_unmapped[container] = True
        return Result.OK

    @c(f"{CPR_C}:vfio_restore_container")
    def restore(self, s: Any, container: Container, by: str) -> Steps:
        """MAP(V) of every mapping of `container`, by the old QEMU; then the flag goes."""
        result = yield from self.vm.replay(s, container, by)
        if self.flagged and result == Result.OK:
            s.vaddr_unmapped[container] = False
        return result

    def forget(self, s: Any, container: Container) -> None:
        """The container goes, and its flag with it, if it has one; the new QEMU's begins unset."""
        if self.flagged:
            s.vaddr_unmapped[container] = False

    # ---- the two places -------------------------------------------------------------------------------------------

    def pre_save(self, *tests: ContainerHook, failed: Hook | None = None) -> ContainerHook:
        """A pre_save that runs `tests` and invalidates its container; when something in it fails it calls `failed`."""

        @c(CPR_C)
        def vfio_container_pre_save(s: Any, container: Container) -> Steps:
            result = Result.OK
            for test in tests:
                result = yield from test(s, container)
                if result != Result.OK:
                    break
            else:
                yield f"pre_save of {container}: unmap all vaddrs"
                result = self.invalidate(s, container)
            if result != Result.OK and failed is not None:
                yield from failed(s)
            return result

        return vfio_container_pre_save

    def invalidate_each(self, *tests: ContainerHook) -> Hook:
        """A loop over the containers that runs `tests` and invalidates; the container at which it fails, or None."""

        def each_container(s: Any) -> Steps:
            for container in self.vm.kernel.topology.newest_first:
                if self.vm.kernel.exists(s, container):
                    for test in tests:
                        result = yield from test(s, container)
                        if result != Result.OK:
                            return container
                    yield f"{container}: unmap all vaddrs"
                    if self.invalidate(s, container) != Result.OK:
                        return container
            return None

        return each_container

    def in_exec(self, *tests: ContainerHook, first: Hook | None = None) -> Hook:
        """V7's vfio_cpr_save: after `first`, a loop that runs `tests` and invalidates; an error returns at once."""
        invalidate_each = self.invalidate_each(*tests)

        @c(CPR_C)
        def vfio_cpr_save(s: Any) -> Steps:
            if first is not None:
                result = yield from first(s)
                if result != Result.OK:
                    return Result.ERROR
            failed = yield from invalidate_each(s)
            return Result.OK if failed is None else Result.ERROR

        return vfio_cpr_save

    def in_exec_recovering(self, m: Model, *tests: ContainerHook, first: Hook | None = None) -> Hook:
        """The same with "recover from unmap-all-vaddr failure": walk again and restore up to the failed container.

        Its `break` leaves the inner loop only, over the containers of one address space: those of every older
        space are "restored" although they may never have been invalidated (Defect A).
        """
        containers = self.vm.kernel.topology.newest_first
        m.var("last_container", OneOf("none", *containers), init="none")
        invalidate_each = self.invalidate_each(*tests)

        @c(f"{CPR_C}:vfio_cpr_save")
        def vfio_cpr_save_recover(s: Any) -> Steps:
            if first is not None:
                result = yield from first(s)
                if result != Result.OK:
                    return Result.ERROR
            failed = yield from invalidate_each(s)
            if failed is None:
                return Result.OK
            s.last_container = failed
            for container in containers:  # one container in each address space
                yield f"{container}: recover?"
                if s.last_container != container and self.vm.kernel.exists(s, container):
                    result = yield from self.restore(s, container, "the recover patch")
                    if result != Result.OK:
                        break
            yield "recovered"
            s.last_container = "none"
            return Result.ERROR

        return vfio_cpr_save_recover
