# SPDX-License-Identifier: Apache-2.0
"""The IOMMU type of a container that a new QEMU finds: how can it know?

Asked: what does the new QEMU conclude from what it may ask, is that right, can an update succeed at all, and
what does old user space see change?

Stands for: qemu-devel, "[PATCH V7 19/29] vfio-pci: cpr part 1 (fd and dma)", 22 December 2021, which takes every
reused container for v2 (hard_coded); its review of 7 to 10 March 2022, with three proposals: to test UPDATE_VADDR
and UNMAP_ALL first (validate), to let the answers of VFIO_CHECK_EXTENSION depend on the instance
(answers=instance, and instance_v3 once there is a type v3; with infer=probe or instance), or an ioctl
VFIO_GET_IOMMU; V8, which asks for v2 (check_v2); what was merged for cpr-transfer, which goes through
vfio_get_iommu_type again (probe).  remembered is ours.

Prevention: vfio_is_cpr_capable in the old QEMU, before anything is invalid; with probes_early=yes before
VFIO_SET_IOMMU (K17).
Recovery: none.  What the new QEMU refuses, it refuses after the exec, and the VM is lost.

A list of one type is set without a question, as by a program that knows what it wants; from a longer one the first
type that is there is taken.  `instance` differs from `probe` in that it asks for all types and gives up when more
than one is there.  get_iommu and remembered give up on a type that is not in the list of the new QEMU.

Expected, written down before any engine ran on this file.  Columns: answers, type of the container; the new QEMU
knows v2 and v1, in the columns with -> v3 also v3.

                 e1, v2   e1, v1   static_v3,  instance,  instance,  instance,  instance_v3,  instance_v3,
                                   v2 -> v3    v2         v1         nesting    v2 -> v3      v3
    hard_coded   right    WRONG    right       right      refuses    WRONG      right         WRONG
    validate     right    WRONG    right       right      refuses    WRONG      right         WRONG
    check_v2     right    WRONG    right       right      refuses    WRONG      right         lost
    probe        right    WRONG    WRONG       right      refuses    WRONG      right         lost
    instance     lost     lost     lost        right      refuses    WRONG      right         lost
    get_iommu    right    right    right       right      refuses    lost       right         lost
    remembered   right    right    right       right      refuses    lost       right         lost

WRONG is a violation of type_is_inferred, refuses of refused_only_if_incapable, lost of not_lost_after_exec; in all
three update_succeeds is unreachable.  get_iommu needs the ioctl, else lost.

Why.  e1 and e4 answer 1 for v1 and v2 whatever the container is, so no question tells them apart; and UPDATE_VADDR
is there in a v1 container, so validate excludes nothing.  With answers by instance v1 has no UPDATE_VADDR, and the
old QEMU refuses, whatever the new one would have concluded: the proposal makes the conclusion right by taking the
update away.  A nesting container is v2 too and says so; it is told from v2 by who asks for nesting first, and
`instance` finds two types.  As nesting unmaps like v2, unmap_rules_are_inferred holds there.  With v3, UPDATE_VADDR
says v2 or v3, so validate is wrong; probe is right if the new QEMU knows the type, and if not it learns so after
the exec.
What answers 0 before VFIO_SET_IOMMU: a type that does is not had by anyone (-ENODEV, or not chosen), so that no
conclusion is wrong for it; UPDATE_VADDR may, and does from E4 on, if nobody asks early.
nothing_changes_for_old_user_space holds for e1 and static_v3 only; e4 answers UPDATE_VADDR with 0 before
SET_IOMMU; by instance, v2 containers have no v1 any more.  It holds with v3 containers because no old program
has one.
"""

from __future__ import annotations

from collections.abc import Generator
from enum import Enum
from typing import Any

from cprcheck.models.vfio.extensions import (
    OLD_EXTENSIONS,
    Answers,
    Container,
    Extension,
    Type,
)
from cprcheck.models.vfio.kernel import Errno

from cprcheck import Model, c, implies, model
from cprcheck.language.declare import Group

Steps = Generator[Any, None, Any]


class Infer(Enum):
    """From what the new QEMU concludes the type."""

    HARD_CODED = "nothing: it is v2"
    VALIDATE = "it is v2 if UPDATE_VADDR and UNMAP_ALL are there"
    CHECK_V2 = "it is v2 if v2 is there"
    PROBE = "the first type of its list that is there, as when a container is set up"
    INSTANCE = "the type of its list that alone is there"
    GET_IOMMU = "the kernel says so"
    REMEMBERED = "the old QEMU said so, in the CPR state"


class Types(Enum):
    """The types that a QEMU knows, in the order in which it asks for them."""

    V1 = (Type.V1,)
    V2 = (Type.V2,)
    NESTING = (Type.NESTING,)
    V3 = (Type.V3,)
    V2_V1 = (Type.V2, Type.V1)
    V3_V2_V1 = (Type.V3, Type.V2, Type.V1)
    NESTING_V2_V1 = (Type.NESTING, Type.V2, Type.V1)
    V2_NESTING_V1 = (Type.V2, Type.NESTING, Type.V1)


class Outcome(Enum):
    """How far the update has come."""

    NONE = "neither"
    NOT_STARTED = "the old QEMU has no container"
    REFUSED = "the old QEMU refuses to be updated, and lives"
    LOST = "the new QEMU cannot go on, and the old one is gone"
    DONE = "the new QEMU has restored the mappings"


@c("hw/vfio/common.c:vfio_get_iommu_type")
def first_positive(s: Any, container: Container, types: tuple[Type, ...]) -> Steps:
    """The first type for which CHECK_EXTENSION answers 1; NONE is "No available IOMMU models"."""
    for wanted in types:
        yield f"VFIO_CHECK_EXTENSION({wanted.value})"
        if container.check_extension(s, Extension[wanted.name]):
            return wanted
    return Type.NONE


def only_positive(s: Any, container: Container, types: tuple[Type, ...]) -> Steps:
    """The type for which alone CHECK_EXTENSION answers 1; NONE if there are more, or none."""
    found: tuple[Type, ...] = ()
    for wanted in types:
        yield f"VFIO_CHECK_EXTENSION({wanted.value})"
        if container.check_extension(s, Extension[wanted.name]):
            found = (*found, wanted)
    return found[0] if len(found) == 1 else Type.NONE


@c("hw/vfio/cpr.c:vfio_is_cpr_capable")
def vfio_is_cpr_capable(s: Any, container: Container) -> Steps:
    """Both extensions that an update needs; the second is not asked for without the first."""
    yield "VFIO_CHECK_EXTENSION(VFIO_UPDATE_VADDR)"
    if container.check_extension(s, Extension.UPDATE_VADDR):
        yield "VFIO_CHECK_EXTENSION(VFIO_UNMAP_ALL)"
        if container.check_extension(s, Extension.UNMAP_ALL):
            return True
    return False


@c("hw/vfio/common.c:vfio_connect_container")
def set_up(s: Any, container: Container, wanted: Type) -> Steps:
    """The group first, then the type: SET_IOMMU needs a group."""
    yield "VFIO_GROUP_SET_CONTAINER"
    yield f"VFIO_SET_IOMMU({wanted.value})"
    return container.set_iommu(s, wanted)


@c("hw/vfio/cpr.c:vfio_cpr_save")
def vfio_cpr_save(s: Any) -> Steps:
    """Take the addresses away."""
    yield "UNMAP(ALL|V)"
    s.valid = False


@c("hw/vfio/cpr.c:vfio_cpr_load")
def vfio_cpr_load(s: Any, container: Container) -> Steps:
    """Test the container again, and give the mappings addresses of the new QEMU."""
    capable = yield from vfio_is_cpr_capable(s, container)
    if capable:
        yield "MAP(V) of all sections"
        s.valid = True
    return capable


@c("hw/vfio/common.c:vfio_init_container")
def conclude(s: Any, container: Container, infer: Infer, types: tuple[Type, ...]) -> Steps:
    """What the new QEMU takes the type to be; NONE if it gives up."""
    if infer is Infer.HARD_CODED:
        yield "the container is reused: v2"
        return Type.V2
    if infer is Infer.VALIDATE:
        capable = yield from vfio_is_cpr_capable(s, container)
        return Type.V2 if capable else Type.NONE
    if infer is Infer.CHECK_V2:
        concluded = yield from first_positive(s, container, (Type.V2,))
        return concluded
    if infer is Infer.PROBE:
        concluded = yield from first_positive(s, container, types)
        return concluded
    if infer is Infer.INSTANCE:
        concluded = yield from only_positive(s, container, types)
        return concluded
    yield "VFIO_GET_IOMMU" if infer is Infer.GET_IOMMU else "read the CPR state"
    for known in types:
        if container.get_type(s, known) if infer is Infer.GET_IOMMU else s.stored == known:
            return known
    return Type.NONE


def unmaps_like_v2(type_: Any) -> Any:
    """A nesting container is told from a v2 container by its page tables only."""
    return (type_ == Type.V2) | (type_ == Type.NESTING)


def draw(m: Model, old: Group, new: Group) -> None:
    """Every ioctl is a message to the kernel."""
    for name, group in (("old QEMU", old), ("new QEMU", new), ("kernel", None), ("old programs", None)):
        m.lane(name, group=group)
    asked = (f"VFIO_CHECK_EXTENSION({extension.value})" for extension in Extension)
    given = (f"VFIO_SET_IOMMU({type_.value})" for type_ in Type)
    others = ("VFIO_GROUP_SET_CONTAINER", "VFIO_GET_IOMMU", "UNMAP(ALL|V)", "MAP(V) of all sections", "old_user_space")
    for ioctl in (*asked, *given, *others):
        m.arrow(step=ioctl, receiver="kernel")

    @m.bar("vaddrs invalid")
    def invalid(s: Any) -> Any:
        return not s.valid


@model
def type_inference(
    answers: Answers = Answers.E1,
    get_iommu: bool = False,
    infer: Infer = Infer.PROBE,
    old: Types = Types.V2_V1,
    new: Types = Types.V2_V1,
    probes_early: bool = False,
    stores: bool = True,
) -> Model:
    """A container outlives its QEMU; the next one has to know the container's IOMMU type."""
    m = Model()
    container = Container(answers, get_iommu)
    before = Container(Answers.E1)  # whose answers do not depend on the instance
    container.declare(m)
    m.var("inferred", Type, init=Type.NONE)
    m.var("stored", Type, init=Type.NONE)
    m.var("outcome", Outcome, init=Outcome.NONE)
    old_qemu, new_qemu = m.group("old_qemu"), m.group("new_qemu", alive=False)
    draw(m, old_qemu, new_qemu)

    @m.process(group=old_qemu)
    def old_main(s):
        """Set up a container, and be updated."""
        wanted = old.value[0]
        if len(old.value) > 1:
            wanted = yield from first_positive(s, container, old.value)
        if wanted == Type.NONE:
            s.outcome = Outcome.NOT_STARTED
            return
        capable = True
        if probes_early:
            capable = yield from vfio_is_cpr_capable(s, container)
        result = yield from set_up(s, container, wanted)
        if result != Errno.OK:
            s.outcome = Outcome.NOT_STARTED
            return
        if not probes_early:
            capable = yield from vfio_is_cpr_capable(s, container)
        if not capable:
            s.outcome = Outcome.REFUSED
            return
        yield from vfio_cpr_save(s)
        yield "cpr_state_save"
        if stores:
            s.stored = wanted
        yield "execvp"
        s.exec(old_qemu, new_qemu)

    @m.process(group=new_qemu)
    def new_main(s):
        """Find the container, conclude its type, test it, and restore."""
        concluded = yield from conclude(s, container, infer, new.value)
        if concluded == Type.NONE:
            s.outcome = Outcome.LOST
            return
        s.inferred = concluded
        restored = yield from vfio_cpr_load(s, container)
        s.outcome = Outcome.DONE if restored else Outcome.LOST

    @m.action(extension=OLD_EXTENSIONS, lane="old programs")
    def old_user_space(s, extension):
        """A program of the time of E1 looks at a container of its own, which has come as far as this one."""
        s.require(s.type != Type.V3)
        if container.check_extension(s, extension) != before.answer(extension, Type.NONE):
            s.emit("an old answer changed", extension=extension)

    @m.invariant
    def type_is_inferred(s):
        """What the new QEMU has concluded is the type that the kernel gave the container."""
        return implies(s.inferred != Type.NONE, s.inferred == s.type)

    @m.invariant
    def unmap_rules_are_inferred(s):
        """What the new QEMU has concluded maps and unmaps by the rules of this container."""
        alike = unmaps_like_v2(s.inferred) & unmaps_like_v2(s.type)
        return implies(s.inferred != Type.NONE, (s.inferred == s.type) | alike)

    @m.invariant
    def refused_only_if_incapable(s):
        """The old QEMU refuses no update that the kernel would let it make; here none."""
        return s.outcome != Outcome.REFUSED

    @m.invariant
    def not_lost_after_exec(s):
        """No VM is lost because the new QEMU cannot tell what it has, or refuses it."""
        return s.outcome != Outcome.LOST

    @m.event_never("an old answer changed")
    def nothing_changes_for_old_user_space(s):
        """A question that was asked of E1 is answered as E1 answered it."""

    @m.reachable
    def update_succeeds(s):
        """The new QEMU can have the right type and its mappings."""
        return (s.outcome == Outcome.DONE) & s.valid & (s.inferred == s.type)

    @m.reachable
    def old_qemu_starts(s):
        """The old QEMU can have its container."""
        return s.type != Type.NONE

    return m
