"""Every published HOLDS and REACHABLE of `type_inference` has a mutant, as in test_mutants.py.

Many properties hold because nothing gets so far: a container is refused, or there is none.  There it takes a break that
lets everything through, and one more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import publish
import pytest
from cprcheck.models.vfio.extensions import Container, Type
from cprcheck.models.vfio.kernel import Errno

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.expectations.judging import bind
from cprcheck.expectations.runs import Run
from cprcheck.verdict import Status

Patch = pytest.MonkeyPatch
DESIGN = catalog.load(publish.ROOT / "models" / "designs" / "type_inference.py")


def let_through(monkeypatch: Patch) -> None:
    """SET_IOMMU takes every type, and every QEMU believes that its container is capable."""

    def set_iommu(self, s, wanted):
        s.type = wanted
        return Errno.OK

    def capable(s, container):
        yield "no question"
        return True

    def first(s, container, types):
        yield "no question"
        return types[0]

    monkeypatch.setattr(Container, "set_iommu", set_iommu)
    monkeypatch.setattr(DESIGN, "vfio_is_cpr_capable", capable)
    monkeypatch.setattr(DESIGN, "first_positive", first)


def conclude_v1(monkeypatch: Patch) -> None:
    """The new QEMU takes everything for v1."""

    def broken(s, container, infer, types):
        yield "it is v1"
        return Type.V1

    monkeypatch.setattr(DESIGN, "conclude", broken)


def another_type(monkeypatch: Patch) -> None:
    """SET_IOMMU(v1) makes a v2 container, and everything else a v1 container."""

    def broken(self, s, wanted):
        s.type = Type.V2 if wanted == Type.V1 else Type.V1
        return Errno.OK

    monkeypatch.setattr(Container, "set_iommu", broken)


def conclude_v1_of_all(monkeypatch: Patch) -> None:
    """All is let through, and taken for v1."""
    let_through(monkeypatch)
    conclude_v1(monkeypatch)


def conclude_v1_of_all_others(monkeypatch: Patch) -> None:
    """All is let through as another type, and taken for v1."""
    let_through(monkeypatch)
    another_type(monkeypatch)
    conclude_v1(monkeypatch)


def never_capable(monkeypatch: Patch) -> None:
    """No container is capable."""

    def broken(s, container):
        yield "no"
        return False

    monkeypatch.setattr(DESIGN, "vfio_is_cpr_capable", broken)


def never_capable_of_all(monkeypatch: Patch) -> None:
    """Every container is set up, and none is capable."""
    let_through(monkeypatch)
    never_capable(monkeypatch)


def conclude_nothing(monkeypatch: Patch) -> None:
    """The new QEMU gives up."""

    def broken(s, container, infer, types):
        yield "no idea"
        return Type.NONE

    monkeypatch.setattr(DESIGN, "conclude", broken)


def conclude_nothing_of_all(monkeypatch: Patch) -> None:
    """All is let through, and the new QEMU gives up."""
    let_through(monkeypatch)
    conclude_nothing(monkeypatch)


def answer_differently(monkeypatch: Patch) -> None:
    """No question is answered positively before SET_IOMMU."""
    monkeypatch.setattr(Container, "check_extension", lambda self, s, extension: s.type != Type.NONE)


def no_container(monkeypatch: Patch) -> None:
    """SET_IOMMU fails."""
    monkeypatch.setattr(Container, "set_iommu", lambda self, s, wanted: Errno.EINVAL)


MUTANTS: dict[str, tuple[Callable[[Patch], None], ...]] = {
    "type_is_inferred": (conclude_v1, another_type, conclude_v1_of_all, conclude_v1_of_all_others),
    "unmap_rules_are_inferred": (conclude_v1, another_type, conclude_v1_of_all, conclude_v1_of_all_others),
    "refused_only_if_incapable": (never_capable, never_capable_of_all),
    "not_lost_after_exec": (conclude_nothing, conclude_nothing_of_all),
    "nothing_changes_for_old_user_space": (answer_differently,),
    "update_succeeds": (conclude_nothing,),
    "old_qemu_starts": (no_container,),
}
"""For each property breaks, the smallest first, of which one has to turn it wherever it is good."""

RUNS = [run for run in publish.runs() if run.model == "type_inference"]
GOOD = [(run, family) for run in RUNS for family, status in run.verdicts.items() if status.good]


def marked() -> Iterator[Any]:
    """The published verdicts; of each property and each way to conclude only the first is for the quick tests."""
    seen = set()
    for run, family in GOOD:
        kind = (run.params["infer"], family)
        marks = [pytest.mark.slow] if kind in seen else []
        seen.add(kind)
        yield pytest.param(run, family, marks=marks, id=f"{run.title}-{family}")


def broken_status(run: Run, family: str, mutate: Callable[[Patch], None]) -> Status:
    """The verdict about the property in the broken model."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        mutate(monkeypatch)
        model = bind(run)
        options = Options(engines=("explicit",), properties=(family,), native=False)
        return check(model, options)[family].status


@pytest.mark.parametrize(("run", "family"), list(marked()))
def test_a_published_verdict_has_a_mutant(run: Run, family: str) -> None:
    assert any(broken_status(run, family, mutate).bad for mutate in MUTANTS[family])


@pytest.mark.slow
def test_every_mutant_is_needed() -> None:
    """Each of them is the first that turns something."""
    needed = set()
    for run, family in GOOD:
        needed.add(next(mutate for mutate in MUTANTS[family] if broken_status(run, family, mutate).bad))
    assert needed == {mutate for mutants in MUTANTS.values() for mutate in mutants}
