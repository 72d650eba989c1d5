# SPDX-License-Identifier: Apache-2.0
"""Prevention: whether an attempt may start.  Each part can be used with any recovery.

The thread has five: a test in the loop that invalidates; a pass over all containers first; the same pass in every
pre_save; a counter of devices that stand in the way; a blocker that such a device registers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from cprcheck import Bool, Model, Range, c, some

from .kernel import Extension
from .qemu import PLUGS, ContainerHook, Hook, Steps, Vm
from .runstate import Result
from .topology import EMULATED, KINDS, Container
from .vaddrs import Vaddrs


class Prevention(Enum):
    """The preventions of the thread."""

    NONE = "none"
    LOOP = "each container is tested right before it is invalidated"
    FIRST = "a pass tests all containers before any is invalidated"
    PRE_SAVE_ALL = "every container's pre_save tests all containers"
    COUNTER = "a counter of devices whose container lacks the extension"
    BLOCKER = "a blocker that each device registers when it cannot take part"


# ---- tests -----------------------------------------------------------------------------------------------------------


def validate_own(vaddrs: Vaddrs) -> ContainerHook:
    """A container is tested right before it is invalidated."""

    @c("hw/vfio/cpr.c")
    def vfio_cpr_validate(s: Any, container: Container) -> Steps:
        yield f"{container}: capable?"
        return Result.OK if vaddrs.capable(s, container) else Result.ERROR

    return vfio_cpr_validate


def validate_all(vaddrs: Vaddrs) -> Hook:
    """A pass over all containers, newest first; the first that cannot take part ends it."""

    @c("hw/vfio/cpr.c")
    def vfio_cpr_validate_all(s: Any) -> Steps:
        for container in vaddrs.vm.kernel.topology.newest_first:
            if vaddrs.vm.kernel.exists(s, container):
                yield f"validate all: {container}: capable?"
                if not vaddrs.capable(s, container):
                    return Result.ERROR
        return Result.OK

    return vfio_cpr_validate_all


def of_every(hook: Hook) -> ContainerHook:
    """`hook` as a part of every container's pre_save, whichever container it is."""

    def every_pre_save(s: Any, container: Container) -> Steps:
        return (yield from hook(s))

    return every_pre_save


def _lacked(vm: Vm, container: Container, groups: str) -> bool:
    """Whether the test of `container` failed when it had `groups`, before the VM started."""
    return container.lacking or (vm.kernel.era.excludes_emulated and EMULATED in groups)


# ---- the counter -----------------------------------------------------------------------------------------------------


class Counted(Enum):
    """When the counter goes up, if the test of the container fails."""

    DEVICE = "at the realize of each device, as proposed"
    CONTAINER = "at the creation of each container"


class Uncounted(Enum):
    """When the counter goes down."""

    FLAG = "when the container is destroyed, if a flag on it says that it was counted"
    TEST = "when the container is destroyed, if its test fails again"
    DEVICE = "at the unrealize of each device, if the test of its container fails"


class Tested(Enum):
    """Where the counter is looked at."""

    ENTRY = "first thing in the command"
    MIGRATE = "in migrate_prepare, which cpr-save does not call"
    PRE_SAVE = "in the pre_save of each container, as proposed"


@dataclass(frozen=True)
class Counter:
    """The thread's counter: "++" in vfio_realize, "--" when the container is destroyed; zero lets an update pass.

    C tests it as a truth value, so a negative counter forbids too.
    """

    vm: Vm
    counted: Counted
    uncounted: Uncounted

    @classmethod
    def declare(cls, m: Model, vm: Vm, counted: Counted, uncounted: Uncounted) -> Counter:
        """Add the counter to `m`, as the realizes of the devices that are there at the start have left it."""
        self = cls(vm, counted, uncounted)
        containers = vm.kernel.topology.containers
        ups = [self.ups(container) for container in containers]
        room = PLUGS if vm.kernel.plugs else 0
        downs = sum(len(container.groups) for container in containers) + room if vm.kernel.unplugs else 0
        m.var("cpr_blocked", Range(-downs, sum(ups) + room), init=sum(ups))
        if uncounted is Uncounted.FLAG:
            m.array("counted", containers, Bool, init=lambda container: self.ups(container) > 0)
        return self

    def ups(self, container: Container) -> int:
        """How often the counter went up for `container` before the VM started: its devices came in their order."""
        came = [container.groups[: i + 1] for i in range(len(container.groups))]
        return sum(
            _lacked(self.vm, container, groups) for groups in came[: 1 if self.counted is Counted.CONTAINER else None]
        )

    def blocked(self, s: Any) -> Any:
        """An update is forbidden."""
        return s.cpr_blocked != 0

    @c("hw/vfio/cpr.c:vfio_cpr_blocked")
    def test(self, s: Any) -> Steps:
        """Refuse when the counter is not zero."""
        yield "the counter is zero?"
        s.emit("test", of="counter")
        if s.cpr_blocked != 0:
            s.emit("refused", by="the counter")
            return Result.ERROR
        return Result.OK

    def incapable(self, s: Any, container: Container) -> bool:
        """The test of a container, as vfio_is_cpr_capable makes it."""
        return not self.vm.kernel.check_extension(s, container, Extension.UPDATE_VADDR)

    @c("hw/vfio/pci.c:vfio_realize")
    def realized(self, s: Any, container: Container, kind: str) -> bool:
        """++ if the container cannot take part; where containers are counted, only at the first device."""
        if self.counted is Counted.CONTAINER and not self.alone(s, container):
            return False
        if not self.incapable(s, container):
            return False
        s.cpr_blocked = s.cpr_blocked + 1
        if self.uncounted is Uncounted.FLAG:
            s.counted[container] = True
        return True

    def alone(self, s: Any, container: Container) -> bool:
        """One device is in `container`, which was therefore created for it."""
        devices = [s.devices[container, kind] for kind in KINDS]
        return (devices[0] + devices[1]) == 1

    @c("hw/vfio/pci.c:vfio_instance_finalize")
    def unrealized(self, s: Any, container: Container, kind: str, registered: bool | None) -> None:
        """-- if the container cannot take part, before the device's group leaves; in one variant only."""
        if self.uncounted is Uncounted.DEVICE and self.incapable(s, container):
            s.cpr_blocked = s.cpr_blocked - 1

    @c("hw/vfio/common.c:vfio_disconnect_container")
    def destroyed(self, s: Any, container: Container) -> None:
        """-- when the container goes: if it was counted; or if a test says that it would be, which has no IOMMU to
        ask."""
        if self.uncounted is Uncounted.TEST and self.incapable(s, container):
            s.cpr_blocked = s.cpr_blocked - 1
        if self.uncounted is Uncounted.FLAG and s.counted[container]:
            s.cpr_blocked = s.cpr_blocked - 1
            s.counted[container] = False


# ---- the blocker -----------------------------------------------------------------------------------------------------


class Judge(Enum):
    """How a device knows that it has to register a blocker."""

    EXTENSION = "its container lacks the extension when it is realized"
    KIND = "it is an emulated device, whatever the kernel says (QEMU 10.1)"


@dataclass(frozen=True)
class Blockers:
    """Each device that cannot take part registers a blocker, and takes it along when it goes; cpr-save asks for any.

    `blockers[container, kind]` is how many devices of a kind have one: the devices of a kind are alike but for that.
    """

    vm: Vm
    judge: Judge

    @classmethod
    def declare(cls, m: Model, vm: Vm, judge: Judge) -> Blockers:
        """Add the blockers to `m`, as the realizes of the devices that are there at the start have left them."""
        self = cls(vm, judge)
        m.array("blockers", (vm.kernel.topology.containers, KINDS), Range(0, vm.kernel.most), init=self.at_start)
        return self

    def at_start(self, container: Container, kind: str) -> int:
        """How many devices of `kind` have registered a blocker before the VM started: they came in their order."""
        came = [(letter, container.groups[: i + 1]) for i, letter in enumerate(container.groups)]
        mine = [groups for letter, groups in came if container.kind(letter) == kind]
        if self.judge is Judge.KIND:
            return len(mine) if kind == EMULATED else 0
        return sum(_lacked(self.vm, container, groups) for groups in mine)

    def blocked(self, s: Any) -> Any:
        """An update is forbidden."""
        return some(count > 0 for count in s.blockers)

    @c("migration/cpr.c:cpr_is_blocked")
    def test(self, s: Any) -> Steps:
        """Refuse when there is any blocker: one look at the head of a list."""
        yield "any blocker?"
        s.emit("test", of="blocker")
        if self.blocked(s):
            s.emit("refused", by="a blocker")
            return Result.ERROR
        return Result.OK

    @c("migration/cpr.c:cpr_add_blocker")
    def realized(self, s: Any, container: Container, kind: str) -> bool:
        """Register a blocker if the device cannot take part."""
        if self.judge is Judge.KIND:
            blocks = kind == EMULATED
        else:
            blocks = not self.vm.kernel.check_extension(s, container, Extension.UPDATE_VADDR)
        if not blocks:
            return False
        s.blockers[container, kind] = s.blockers[container, kind] + 1
        return True

    @c("migration/cpr.c:cpr_del_blocker")
    def unrealized(self, s: Any, container: Container, kind: str, registered: bool | None) -> None:
        """A device that has a blocker takes it along; where some have one and some do not, any of them may go."""
        if registered is None and s.blockers[container, kind] > 0:
            all_have_one = s.blockers[container, kind] == s.devices[container, kind]
            registered = all_have_one or s.choose("it has a blocker", ("yes", "no")) == "yes"
        if registered:
            s.blockers[container, kind] = s.blockers[container, kind] - 1

    def destroyed(self, s: Any, container: Container) -> None:
        """A blocker belongs to a device, not to a container."""
