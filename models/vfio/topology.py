# SPDX-License-Identifier: Apache-2.0
"""Address spaces, the groups in them, and the containers that QEMU forms from these.

QEMU keeps a list of address spaces; a group joins an existing container of its own space whenever the kernel lets it
(`vfio_connect_container`), and for a type 1 IOMMU it does when the VM starts.  So a space has one container, and two
containers mean two spaces (one device behind a vIOMMU, say).  A hot-plug that the kernel refuses would be given a
second container in its space; the models have no such container.  When the last group leaves, the container goes
(`vfio_disconnect_container`), and the next group of that space gets a new one, which is called by the same name
here.  Lists are walked from the newest to the oldest: both `vfio_address_spaces` and `space->containers` are filled
at the head (hw/vfio/common.c).
"""

from __future__ import annotations

from dataclasses import dataclass

PHYSICAL, EMULATED, LACKING, OTHER = "p", "e", "x", "o"
KINDS = (PHYSICAL, EMULATED)
"""The kinds of device.  LACKING is a physical one whose container lacks VFIO_UPDATE_VADDR; no kernel since 5.12 has
such a container, so a scope calls it injected."""


@dataclass(frozen=True)
class Container:
    """A VFIO container: all groups of one address space.

    `emulated` tells whether a group of an emulated (mdev) device is attached when the VM starts, `physical` the same
    of a physical device.  A group stands for a device: they come and go together.
    """

    name: str
    groups: str

    @property
    def emulated(self) -> bool:
        return EMULATED in self.groups

    @property
    def physical(self) -> bool:
        return self.devices(PHYSICAL) > 0

    @property
    def lacking(self) -> bool:
        """No kernel is like that: the container does not know VFIO_UPDATE_VADDR at all."""
        return LACKING in self.groups

    def devices(self, kind: str) -> int:
        """How many devices of `kind` there are when the VM starts."""
        return sum(self.kind(letter) == kind for letter in self.groups)

    @staticmethod
    def kind(letter: str) -> str:
        """The kind of device that a letter of a topology stands for."""
        return EMULATED if letter == EMULATED else PHYSICAL

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Topology:
    """The containers of a VM, oldest first, and how many devices are saved beside the two or three of every VM."""

    containers: tuple[Container, ...]
    others: int = 0

    @classmethod
    def parse(cls, text: str) -> Topology:
        """Read `pe/p`: an address space per part, oldest first; a letter per group, p physical, e emulated.

        An x is a physical group in a container that lacks VFIO_UPDATE_VADDR, which no kernel has.

        A number in front repeats a part: `16p` is sixteen spaces with a physical group each.  `+2o` in the end adds two
        devices that are saved, newer than the containers, and have nothing to do with VFIO.
        Raises ValueError when it cannot be read.
        """
        groups: list[str] = []
        text, plus, others = text.partition("+")
        if plus and not (others[:-1].isdecimal() and others[-1:] == OTHER):
            raise ValueError("write a number and o for devices without VFIO: pe/p+2o")
        for part in text.split("/"):
            letters = part.lstrip("0123456789")
            times = int(part[: len(part) - len(letters)] or 1)
            if not letters or not times or set(letters) - {PHYSICAL, EMULATED, LACKING}:
                raise ValueError("write p and e for physical and emulated groups, / between address spaces: pe/p")
            groups += [letters] * times
        containers = tuple(Container(f"c{i}", letters) for i, letters in enumerate(groups))
        return cls(containers, int(others[:-1]) if plus else 0)

    @property
    def newest_first(self) -> tuple[Container, ...]:
        """The order in which QEMU walks its lists of containers."""
        return tuple(reversed(self.containers))

    def __str__(self) -> str:
        others = f"+{self.others}{OTHER}" if self.others else ""
        return "/".join(container.groups for container in self.containers) + others
