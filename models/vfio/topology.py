# SPDX-License-Identifier: Apache-2.0
"""Address spaces, the groups in them, and the containers that QEMU forms from these.

QEMU keeps a list of address spaces; a group joins an existing container of its own space whenever the kernel
lets it (`vfio_connect_container`), and for a type 1 IOMMU it does when the VM starts.  So a space has one
container, and two containers mean two spaces (one device behind a vIOMMU, say).  A hot-plug that the kernel refuses
would be given a second container in its space; the models have no such container.  Lists are walked from the newest
to the oldest: both `vfio_address_spaces` and `space->containers` are filled at the head (hw/vfio/common.c).
"""

from __future__ import annotations

from dataclasses import dataclass

PHYSICAL, EMULATED = "p", "e"


@dataclass(frozen=True)
class Container:
    """A VFIO container: all groups of one address space.

    `emulated` tells whether a group of an emulated (mdev) device is attached when the VM starts, `physical` the same
    of a physical device.
    """

    name: str
    groups: str

    @property
    def emulated(self) -> bool:
        return EMULATED in self.groups

    @property
    def physical(self) -> bool:
        return PHYSICAL in self.groups

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Topology:
    """The containers of a VM, oldest first."""

    containers: tuple[Container, ...]

    @classmethod
    def parse(cls, text: str) -> Topology:
        """Read `pe/p`: an address space per part, oldest first; a letter per group, p physical, e emulated.

        A number in front repeats a part: `16p` is sixteen spaces with a physical group each.
        Raises ValueError when it cannot be read.
        """
        groups: list[str] = []
        for part in text.split("/"):
            letters = part.lstrip("0123456789")
            times = int(part[: len(part) - len(letters)] or 1)
            if not letters or not times or set(letters) - {PHYSICAL, EMULATED}:
                raise ValueError("write p and e for physical and emulated groups, / between address spaces: pe/p")
            groups += [letters] * times
        return cls(tuple(Container(f"c{i}", letters) for i, letters in enumerate(groups)))

    @property
    def newest_first(self) -> tuple[Container, ...]:
        """The order in which QEMU walks its lists of containers."""
        return tuple(reversed(self.containers))

    def __str__(self) -> str:
        return "/".join(container.groups for container in self.containers)
