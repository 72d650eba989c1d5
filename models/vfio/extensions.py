# SPDX-License-Identifier: Apache-2.0
"""VFIO_CHECK_EXTENSION: what kernels answer, and what they might have answered.

The question goes to the driver of a container that has its IOMMU type, with the container's instance (`struct
vfio_iommu`); before VFIO_SET_IOMMU it goes to every driver, without an instance, and one positive answer is enough
(drivers/vfio/vfio.c:vfio_ioctl_check_extension).  So an answer may depend on the extension and on the instance, and
nothing else matters here: there are no emulated devices in this model, which make E4 answer 0 for UPDATE_VADDR.

VFIO_SET_IOMMU asks the same question first, without an instance, about the type that it is given, and a driver that
does not answer positively is skipped: nobody else is there, so that is -ENODEV.  A kernel that answers 0 for a type
before SET_IOMMU has no containers of that type.

The kernels E1, E4 and E4_13 exist.  All others are proposals, of the March 2022 thread or of ours.  The proposal to let
answers depend on the instance would change the answers only: invalidating works on a type 1 container too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cprcheck import Bool, Model, c, some

from .kernel import Errno


class Type(Enum):
    """What VFIO_SET_IOMMU makes of a container.  V3 does not exist."""

    NONE = "not set"
    V1 = "VFIO_TYPE1_IOMMU"
    V2 = "VFIO_TYPE1v2_IOMMU"
    NESTING = "VFIO_TYPE1_NESTING_IOMMU"
    V3 = "VFIO_TYPE1v3_IOMMU"


class Extension(Enum):
    """What VFIO_CHECK_EXTENSION may be asked about; the types go by the same numbers as in VFIO_SET_IOMMU."""

    V1 = "VFIO_TYPE1_IOMMU"
    V2 = "VFIO_TYPE1v2_IOMMU"
    NESTING = "VFIO_TYPE1_NESTING_IOMMU"
    V3 = "VFIO_TYPE1v3_IOMMU"
    UNMAP_ALL = "VFIO_UNMAP_ALL"
    UPDATE_VADDR = "VFIO_UPDATE_VADDR"


class Answers(Enum):
    """Kernels by their answers."""

    E1 = "Linux 5.12 to 6.2 without the later fix: 1 for all it has"
    E4 = "6.3 to 6.12, and stable kernels with the same fix: UPDATE_VADDR is 0 without an instance"
    E4_13 = "6.13 and later: nesting is gone too"
    INSTANCE = "the reviewer's proposal: the answer depends on the instance"
    INSTANCE_V3 = "the reviewer's proposal, once there is a type v3"
    STATIC_V3 = "E1 with a type v3"
    V3_TYPE_ZERO = "INSTANCE_V3, but v3 is 0 without an instance"
    V3_ALL_ZERO = "INSTANCE_V3, but every type is 0 without an instance"
    V3_UPDATE_ZERO = "INSTANCE_V3, but UPDATE_VADDR is 0 without an instance"


Table = Mapping[Extension, frozenset[Type]]
"""For each extension the instances that answer 1; Type.NONE stands for the question without an instance."""

EVERY = frozenset(Type)
NULL = frozenset({Type.NONE})
LIKE_V2 = frozenset({Type.NONE, Type.V2, Type.NESTING})  # a nesting container has the flag v2, too
TYPES = (Extension.V1, Extension.V2, Extension.NESTING, Extension.V3)
OLD_EXTENSIONS = (
    Extension.V1,
    Extension.V2,
    Extension.NESTING,
    Extension.UNMAP_ALL,
    Extension.UPDATE_VADDR,
)
"""What user space of the time of E1 can ask about."""


def _without_null(table: Table, *extensions: Extension) -> Table:
    return {**table, **{extension: table[extension] - NULL for extension in extensions}}


def _tables() -> dict[Answers, Table]:
    e1: Table = {**dict.fromkeys(OLD_EXTENSIONS, EVERY), Extension.V3: frozenset()}
    e4 = _without_null(e1, Extension.UPDATE_VADDR)
    instance: Table = {
        Extension.V1: NULL | {Type.V1},
        Extension.V2: LIKE_V2,
        Extension.NESTING: NULL | {Type.NESTING},
        Extension.V3: frozenset(),
        Extension.UNMAP_ALL: LIKE_V2,
        Extension.UPDATE_VADDR: LIKE_V2,
    }
    instance_v3: Table = {
        **instance,
        Extension.V3: NULL | {Type.V3},
        Extension.UNMAP_ALL: LIKE_V2 | {Type.V3},
        Extension.UPDATE_VADDR: LIKE_V2 | {Type.V3},
    }
    return {
        Answers.E1: e1,
        Answers.E4: e4,
        Answers.E4_13: {**e4, Extension.NESTING: frozenset()},
        Answers.INSTANCE: instance,
        Answers.INSTANCE_V3: instance_v3,
        Answers.STATIC_V3: {**e1, Extension.V3: EVERY},
        Answers.V3_TYPE_ZERO: _without_null(instance_v3, Extension.V3),
        Answers.V3_ALL_ZERO: _without_null(instance_v3, *TYPES),
        Answers.V3_UPDATE_ZERO: _without_null(instance_v3, Extension.UPDATE_VADDR),
    }


TABLES = _tables()


@dataclass(frozen=True)
class Container:
    """A container of a kernel that answers so; `get_iommu` tells whether it has the ioctl VFIO_GET_IOMMU.

    State: `type`, and `valid`, whether its mappings have addresses.
    """

    answers: Answers
    get_iommu: bool = False

    def declare(self, m: Model) -> None:
        """Add the container's state to `m`."""
        m.var("type", Type, init=Type.NONE)
        m.var("valid", Bool, init=True)
        m.note(f"answers {self.answers.name} ({self.answers.value}), not conformed")

    def answer(self, extension: Extension, instance: Type) -> bool:
        """The answer for an instance."""
        return instance in TABLES[self.answers][extension]

    @c("drivers/vfio/vfio_iommu_type1.c:vfio_iommu_type1_check_extension")
    def check_extension(self, s: Any, extension: Extension) -> Any:
        """VFIO_CHECK_EXTENSION on the container as it is."""
        positive = TABLES[self.answers][extension]
        if positive == EVERY:
            return True
        return some(s.type == instance for instance in Type if instance in positive)

    @c("drivers/vfio/vfio.c:vfio_ioctl_set_iommu")
    def set_iommu(self, s: Any, wanted: Type) -> Errno:
        """VFIO_SET_IOMMU: -EINVAL a second time, -ENODEV if the answer for `wanted` without an instance is 0."""
        if s.type != Type.NONE:
            return Errno.EINVAL
        if not self.answer(Extension[wanted.name], Type.NONE):
            return Errno.ENODEV
        s.type = wanted
        return Errno.OK

    def get_type(self, s: Any, asked: Type) -> Any:
        """Whether VFIO_GET_IOMMU, where it exists, says `asked`; elsewhere it says -ENOTTY."""
        return s.type == asked if self.get_iommu else False
