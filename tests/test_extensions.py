"""The tables of answers, cell by cell, and what a container does with them."""

from __future__ import annotations

import pytest
from cprcheck.models.vfio import kernel
from cprcheck.models.vfio.extensions import OLD_EXTENSIONS, TABLES, Answers, Container, Extension, Type
from cprcheck.models.vfio.kernel import Errno
from cprcheck.models.vfio.topology import Topology

from cprcheck import Bool, Model, Options, check, implies

INSTANCES = (Type.NONE, Type.V1, Type.V2, Type.NESTING)
ANSWERS = {
    # without an instance, then by a v1, v2 and nesting container
    "E1": {"V1": "1111", "V2": "1111", "NESTING": "1111", "V3": "0000", "UNMAP_ALL": "1111", "UPDATE_VADDR": "1111"},
    "E4": {"V1": "1111", "V2": "1111", "NESTING": "1111", "V3": "0000", "UNMAP_ALL": "1111", "UPDATE_VADDR": "0111"},
    "E4_13": {"V1": "1111", "V2": "1111", "NESTING": "0000", "V3": "0000", "UNMAP_ALL": "1111", "UPDATE_VADDR": "0111"},
    "INSTANCE": {
        "V1": "1100",
        "V2": "1011",
        "NESTING": "1001",
        "V3": "0000",
        "UNMAP_ALL": "1011",
        "UPDATE_VADDR": "1011",
    },
}
V3_ANSWERS = {
    # v1, v2, nesting, v3, UNMAP_ALL, UPDATE_VADDR: without an instance, and by a v3 container
    "INSTANCE_V3": ("111111", "000111"),
    "STATIC_V3": ("111111", "111111"),
    "V3_TYPE_ZERO": ("111011", "000111"),
    "V3_ALL_ZERO": ("000011", "000111"),
    "V3_UPDATE_ZERO": ("111110", "000111"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_a_table(name: str) -> None:
    container = Container(Answers[name])
    for extension, digits in ANSWERS[name].items():
        found = [container.answer(Extension[extension], instance) for instance in INSTANCES]
        assert found == [digit == "1" for digit in digits], extension


@pytest.mark.parametrize("name", V3_ANSWERS)
def test_a_table_with_v3(name: str) -> None:
    container = Container(Answers[name])
    for instance, digits in zip((Type.NONE, Type.V3), V3_ANSWERS[name], strict=True):
        assert [container.answer(extension, instance) for extension in Extension] == [digit == "1" for digit in digits]


def test_v3_changes_nothing_for_other_containers() -> None:
    for extension in OLD_EXTENSIONS:
        for instance in (Type.V1, Type.V2, Type.NESTING):
            for name in ("INSTANCE_V3", "V3_TYPE_ZERO", "V3_ALL_ZERO", "V3_UPDATE_ZERO"):
                assert Container(Answers[name]).answer(extension, instance) == Container(Answers.INSTANCE).answer(
                    extension, instance
                )


def test_every_kernel_has_a_table_and_every_table_every_extension() -> None:
    assert list(TABLES) == list(Answers)
    assert all(set(table) == set(Extension) for table in TABLES.values())


@pytest.mark.parametrize(
    ("answers", "wanted", "get_iommu", "expected"),
    [
        ("E1", Type.V1, False, (Errno.OK, Errno.EINVAL, False)),
        ("E1", Type.NESTING, True, (Errno.OK, Errno.EINVAL, True)),
        ("E1", Type.V3, True, (Errno.ENODEV, Errno.OK, False)),
        ("E4_13", Type.NESTING, True, (Errno.ENODEV, Errno.OK, False)),
        ("INSTANCE", Type.V2, True, (Errno.OK, Errno.EINVAL, True)),
        ("V3_TYPE_ZERO", Type.V3, True, (Errno.ENODEV, Errno.OK, False)),
        ("V3_TYPE_ZERO", Type.V2, True, (Errno.OK, Errno.EINVAL, True)),
        ("V3_ALL_ZERO", Type.V2, True, (Errno.ENODEV, Errno.ENODEV, False)),
        ("V3_UPDATE_ZERO", Type.V3, True, (Errno.OK, Errno.EINVAL, True)),
    ],
)
def test_a_type_is_set_once_and_only_if_it_is_there_before(answers, wanted, get_iommu, expected) -> None:
    """What two VFIO_SET_IOMMU return, the second for v1; and whether VFIO_GET_IOMMU then says the first type."""
    m = Model()
    container = Container(Answers[answers], get_iommu)
    container.declare(m)
    m.var("first", Errno, init=Errno.OK)
    m.var("second", Errno, init=Errno.OK)
    m.var("said", Bool, init=False)

    @m.process
    def user(s):
        yield "set"
        s.first = container.set_iommu(s, wanted)
        yield "set again"
        s.second = container.set_iommu(s, Type.V1)
        yield "ask"
        s.said = container.get_type(s, wanted)
        yield "done"

    @m.invariant
    def as_expected(s):
        """The three answers."""
        first, second, said = expected
        ended = m.at("user", "done")
        return implies(ended, (s.first == first) & (s.second == second) & (s.said == said))

    @m.reachable
    def ends(s):
        """The process comes to its end."""
        return m.at("user", "done")

    assert check(m).ok


def test_the_answer_to_a_question_is_that_of_the_table() -> None:
    """check_extension reads the state as `answer` reads its argument, for every kernel, question and type."""
    for answers in Answers:
        m = Model()
        container = Container(answers)
        container.declare(m)

        @m.action(wanted=tuple(Type))
        def become(s, wanted):
            s.type = wanted

        @m.invariant(extension=tuple(Extension), instance=tuple(Type))
        def as_in_the_table(s, extension, instance, container=container):
            """The same."""
            return implies(
                s.type == instance, container.check_extension(s, extension) == container.answer(extension, instance)
            )

        assert check(m, Options(engines=("explicit",), native=False)).ok


class Deaf:
    """A state of which only the events are asked."""

    def emit(self, event: str, **args: object) -> None:
        """Nobody listens."""


@pytest.mark.parametrize("extension", kernel.Extension, ids=lambda each: each.name)
@pytest.mark.parametrize("era", ["E1", "E4"])
def test_the_kernel_of_the_other_designs_answers_as_this_one(era: str, extension: kernel.Extension) -> None:
    """For a container that has its type and no emulated device, which is all that both know."""
    one = kernel.Kernel(kernel.Era[era], Topology.parse("p"))
    said = one.check_extension(Deaf(), one.topology.containers[0], extension)
    assert said is (Type.V2 in TABLES[Answers[era]][Extension[extension.name]])
