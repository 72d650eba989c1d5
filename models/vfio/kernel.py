# SPDX-License-Identifier: Apache-2.0
"""The kernel's side: drivers/vfio/vfio_iommu_type1.c, as far as user space can tell.

A mapping (`struct vfio_dma`) holds a host virtual address, or none while it is invalid.  UNMAP(ALL|V) is
VFIO_IOMMU_UNMAP_DMA with FLAG_ALL and FLAG_VADDR: it invalidates all mappings of a container or none.  MAP(V)
is VFIO_IOMMU_MAP_DMA with FLAG_VADDR: it restores one mapping.  Each ioctl runs under `iommu->lock`, so it is
one step; only what may sleep is a generator.

Two eras differ in what an invalid address does.  The first eras let whoever needs a translation wait; from 6.3
on nothing may wait any more: a container with an emulated device cannot be invalidated, and nobody can be
attached while something is invalid.

Left out, because no design here depends on it: ranges and partial invalidation (K8, K26), locked-memory
accounting (K1, K2), the owner's mm and task (K3 to K6: cpr-exec keeps the task).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cprcheck import Model, Range, c, every, some

from .topology import EMULATED, KINDS, PHYSICAL, Container, Topology

TYPE1 = "drivers/vfio/vfio_iommu_type1.c"


class Vaddr(Enum):
    """What a mapping's address points into.  INVALID is `dma->vaddr_invalid`."""

    OLD = "an address in the old QEMU"
    NEW = "an address in the new QEMU"
    INVALID = "no address"
    NONE = "nothing: the mapping went with the last group of its container (K23)"


class Errno(Enum):
    """What an ioctl returns."""

    OK = 0
    ENOENT = 2
    ENOMEM = 12
    EBUSY = 16
    ENODEV = 19
    EINVAL = 22


class Extension(Enum):
    """The arguments of VFIO_CHECK_EXTENSION that matter here."""

    UNMAP_ALL = 9
    UPDATE_VADDR = 10


BACKPORTED = 99
"""From 5.15.99 on, 5.15 has the locked_vm fixes but not the exclusion of mdevs (era E1s, not modelled yet)."""


class Era(Enum):
    """A span of kernels that behave alike.

    `waits`: who needs a translation of an invalid mapping sleeps until it is valid; otherwise it is refused.
    `excludes_emulated`: FLAG_VADDR is refused while an emulated group is attached, and any group while
    something is invalid.  `moves_owner`: MAP(V) charges the pinned pages to the caller, which may fail.
    """

    E1 = ("5.15", True, False, False)
    E4 = ("6.3", False, True, True)

    def __init__(self, first: str, waits: bool, excludes_emulated: bool, moves_owner: bool) -> None:
        self.first = first
        self.waits = waits
        self.excludes_emulated = excludes_emulated
        self.moves_owner = moves_owner

    @classmethod
    def parse(cls, text: str) -> Era:
        """Read an era's name, or a kernel version that lies in one.  Raises ValueError for any other."""
        if text.upper() in cls.__members__:
            return cls[text.upper()]
        major, _, rest = text.partition(".")
        minor, _, patch = rest.partition(".")
        if major.isdigit() and minor.isdigit():
            version = (int(major), int(minor))
            backported = version == (5, 15) and patch.isdigit() and int(patch) >= BACKPORTED
            if version >= (6, 3):
                return cls.E4
            if (5, 15) <= version <= (5, 19) and not backported:
                return cls.E1
        raise ValueError("the eras are E1 (Linux 5.15 to 5.19, 5.15.y before .99) and E4 (6.3 and later)")

    @property
    def core(self) -> str:
        """The file of vfio_pin_pages."""
        return "drivers/vfio/vfio.c" if self is Era.E1 else "drivers/vfio/vfio_main.c"

    @property
    def scope(self) -> str:
        """How a verdict names the kernel."""
        kernels = "Linux 5.15 to 5.19" if self is Era.E1 else "Linux 6.3 and later"
        return f"kernel {self.name} ({kernels}), not conformed"


@dataclass(frozen=True)
class Kernel:
    """One kernel with the containers of one VM.

    State: `vaddr[c, i]` of mapping i of container c, and, where devices come (`plugs`) or go (`unplugs`),
    `devices[c, kind]`, how many devices of a kind have their group in c.
    """

    era: Era
    topology: Topology
    mappings: int = 1
    plugs: bool = False
    unplugs: bool = False

    def declare(self, m: Model) -> None:
        """Add the kernel's state to `m`."""
        containers = self.topology.containers
        m.array("vaddr", (containers, Range(0, self.mappings - 1)), Vaddr, init=Vaddr.OLD)
        if self.plugs or self.unplugs:
            m.array("devices", (containers, KINDS), Range(0, self.most), init=lambda c, kind: c.devices(kind))
        m.note(self.era.scope)
        if self.plugs:
            m.note(f"at most {self.most} devices of a kind in a container")
        lacking = [container.name for container in containers if container.lacking]
        if lacking:
            m.note(f"injected: {', '.join(lacking)} without VFIO_UPDATE_VADDR")

    @property
    def changes(self) -> bool:
        """Whether containers may go, and perhaps come again, so that a new QEMU may have others than were saved."""
        return self.unplugs

    @property
    def most(self) -> int:
        """How many devices of a kind fit into a container: where they may be plugged, one more than at the start."""
        return max(c.devices(kind) for c in self.topology.containers for kind in KINDS) + self.plugs

    # ---- questions, for properties and guards -----------------------------------------------------------------

    def vaddrs(self, s: Any, container: Container) -> Iterator[Any]:
        """The addresses of a container's mappings."""
        return (s.vaddr[container, i] for i in range(self.mappings))

    def emulated(self, s: Any, container: Container) -> bool:
        """Whether an emulated group is attached."""
        if self.plugs or self.unplugs:
            return s.devices[container, EMULATED] > 0
        return container.emulated

    def exists(self, s: Any, container: Container) -> bool:
        """Whether a group is attached at all: without one there is no container."""
        if not self.unplugs:
            return True
        return (s.devices[container, PHYSICAL] > 0) | (s.devices[container, EMULATED] > 0)

    def valid(self, s: Any, container: Container) -> bool:
        """No mapping of `container` is invalid."""
        return every(v != Vaddr.INVALID for v in self.vaddrs(s, container))

    def all_valid(self, s: Any) -> bool:
        """No mapping at all is invalid."""
        return every(v != Vaddr.INVALID for v in s.vaddr)

    def capable(self, s: Any, container: Container) -> bool:
        """Whether `container` could be invalidated now, if nothing in it is invalid already."""
        if container.lacking:
            return not self.exists(s, container)
        return not (self.era.excludes_emulated and self.emulated(s, container))

    def all_capable(self, s: Any) -> bool:
        """Whether every container could be invalidated."""
        return every(self.capable(s, container) for container in self.topology.containers)

    # ---- ioctls -------------------------------------------------------------------------------------------------

    @c(f"{TYPE1}:vfio_iommu_type1_check_extension")
    def check_extension(self, s: Any, container: Container, extension: Extension) -> bool:
        """VFIO_CHECK_EXTENSION on a container.

        E1 answers 1 always.  E4 answers UPDATE_VADDR with 1 exactly when the container has its IOMMU type, which it
        loses with its last group, and no emulated group is attached.
        """
        s.emit("CHECK_EXTENSION", container=container, extension=extension.name)
        if extension is Extension.UPDATE_VADDR:
            if container.lacking:
                return False
            if self.era.excludes_emulated:
                return self.exists(s, container) and not self.emulated(s, container)
        return True

    @c(f"{TYPE1}:vfio_dma_do_unmap")
    def unmap_vaddr_all(self, s: Any, container: Container) -> Errno:
        """UNMAP(ALL|V): all mappings become invalid, or none does.

        -EBUSY with an emulated group attached (E4); -EINVAL when a mapping is invalid already, and then those
        that it had reached are valid again (K7).
        """
        if self.era.excludes_emulated and self.emulated(s, container):
            s.emit("refused", by="the kernel, EBUSY", container=container)
            return Errno.EBUSY
        if container.lacking or some(v == Vaddr.INVALID for v in self.vaddrs(s, container)):
            s.emit("refused", by="the kernel, EINVAL", container=container)
            return Errno.EINVAL
        if s.fault(f"{container}: UNMAP(ALL|V) fails for no reason", injected=True):
            return Errno.EINVAL
        for i in range(self.mappings):
            s.vaddr[container, i] = Vaddr.INVALID
        s.emit("UNMAP(ALL|V)", container=container)
        return Errno.OK

    @c(f"{TYPE1}:vfio_dma_do_map")
    def map_vaddr(self, s: Any, container: Container, mapping: int, owner: Vaddr, by: str) -> Errno:
        """MAP(V) of one mapping by the QEMU that `owner` names; `by` says for the reader which part of it.

        -EINVAL when the mapping is valid (K9).  From E4 on a new owner is charged for the pinned pages, which
        its RLIMIT_MEMLOCK may not allow: -ENOMEM, and the mapping stays invalid (K10).  The old QEMU owns them already.
        """
        if s.vaddr[container, mapping] != Vaddr.INVALID:
            s.emit("MAP(V) of a valid mapping", container=container)
            return Errno.EINVAL
        if self.era.moves_owner and owner is Vaddr.NEW and s.fault(f"{container}: no locked memory left (K10)"):
            return Errno.ENOMEM
        s.vaddr[container, mapping] = owner
        s.emit("MAP(V)", container=container, by=by)
        return Errno.OK

    # ---- what may sleep -------------------------------------------------------------------------------------------

    @c(f"{TYPE1}:vfio_iommu_type1_attach_group")
    def attach_group(self, s: Any, container: Container, kind: str) -> Generator[str, None, Errno]:
        """VFIO_GROUP_SET_CONTAINER for one more group.

        E4 refuses it while anything in the container is invalid.  E1 lets a physical group with a new domain wait
        until all is valid: the caller sleeps, with whatever locks of its own it holds (K14).  A group that fits
        into a domain of the container joins it at once.  The first group of a container brings the mappings with it.
        """
        if self.era.excludes_emulated:
            if not self.valid(s, container):
                return Errno.EBUSY
        elif kind == PHYSICAL and not self.valid(s, container) and self.needs_domain(s, container):
            yield self.waits_for_all(container)
            s.require(self.valid(s, container))
        if self.unplugs and not self.exists(s, container):
            for i in range(self.mappings):
                s.vaddr[container, i] = Vaddr.OLD
        s.devices[container, kind] = s.devices[container, kind] + 1
        return Errno.OK

    @c(f"{TYPE1}:vfio_iommu_type1_detach_group")
    def detach_group(self, s: Any, container: Container, kind: str) -> bool:
        """A group leaves.  With the last one the mappings go, valid or not (K23); whether it was the last."""
        s.devices[container, kind] = s.devices[container, kind] - 1
        if self.exists(s, container):
            return False
        for i in range(self.mappings):
            s.vaddr[container, i] = Vaddr.NONE
        return True

    def needs_domain(self, s: Any, container: Container) -> bool:
        """Whether a physical group needs a domain of its own: the first one does, another may fit or not."""
        if s.devices[container, PHYSICAL] == 0:
            return True
        return s.choose("domain", ("new", "existing")) == "new"

    def waits_for_all(self, container: Container) -> str:
        """The step of a physical group that waits to be attached."""
        return f"{container}: vfio_wait_all_valid"

    @c(f"{TYPE1}:vfio_iommu_type1_pin_pages")
    def pin_pages(self, s: Any, container: Container, vm: Any) -> Generator[str, None, None]:
        """An emulated device needs a page of its guest, in some mapping.

        E1 waits while that mapping is invalid, until the container is closed; what it then takes from an
        address that is not the present QEMU's is the wrong page.  E4 refuses while anything is invalid (and
        warns: with an emulated device attached that cannot happen), and when the owner's mm is gone.
        """
        page = s.choose("page in section", tuple(range(self.mappings))) if self.mappings > 1 else 0
        if not self.era.waits:
            if not self.valid(s, container):
                s.emit("translation refused, WARN_ONCE", container=container)
                return
        elif s.vaddr[container, page] == Vaddr.INVALID:
            vm.worker_waits(s, container, True)
            yield self.waits_for_page(container, page)
            s.require((s.vaddr[container, page] != Vaddr.INVALID) | vm.gone(s))
            vm.worker_waits(s, container, False)
            if vm.gone(s):
                return
        if s.alive(vm.new) and s.vaddr[container, page] == Vaddr.OLD:
            s.emit("translation through a stale vaddr", container=container)
            if self.era.waits:
                s.wrong_page = True

    def waits_for_page(self, container: Container, page: int) -> str:
        """The step of an emulated device that waits for a page in mapping `page`."""
        return f"{container}: vfio_wait" + (f" for section {page}" if self.mappings > 1 else "")
