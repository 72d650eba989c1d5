"""Any prevention with any recovery: what holds of them by construction, and which points the named designs are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cprcheck.models.vfio import combine
from cprcheck.models.vfio.prevention import Prevention
from cprcheck.models.vfio.qemu import NEW_QEMU
from cprcheck.models.vfio.recovery import Recovery
from cprcheck.models.vfio.vaddrs import Place

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.errors import UsageError
from cprcheck.system import System
from cprcheck.verdict import Report

PAIRS = [(place, recovers) for place, known in combine.SENSIBLE.items() for recovers in known]
ALL = [(place, prevents, recovers) for place, recovers in PAIRS for prevents in Prevention]
QUICK = {
    (Place.EXEC, Prevention.LOOP, Recovery.RECOVER_PATCH),
    (Place.EXEC, Prevention.COUNTER, Recovery.NOTIFIER_EXEC),
    (Place.PRE_SAVE, Prevention.LOOP, Recovery.NONE),
    (Place.PRE_SAVE, Prevention.LOOP, Recovery.CALLER),
    (Place.PRE_SAVE, Prevention.COUNTER, Recovery.HANDLER),
}
POINTS = [pytest.param(*point, marks=[] if point in QUICK else [pytest.mark.slow]) for point in ALL]
PREVENTIONS = [
    pytest.param(prevents, marks=[] if prevents in (Prevention.LOOP, Prevention.COUNTER) else [pytest.mark.slow])
    for prevents in Prevention
]


def params(place: Place, prevents: Prevention, recovers: Recovery, **more: str) -> dict[str, str]:
    parts = {"place": place, "prevention": prevents, "recovery": recovers}
    return {name: part.name.lower() for name, part in parts.items()} | more


def system(**given: str) -> System:
    return catalog.bind(catalog.find("combination"), given).system


def explicit(given: dict[str, str], faults: int | None = None) -> Report:
    model = catalog.bind(catalog.find("combination"), given)
    return check(model, Options(engines=("explicit",), faults=faults, native=False))


def said(report: Report) -> dict[str, tuple[str, int | None]]:
    """Verdict and length of the trace, by property."""
    return {
        verdict.prop.name: (verdict.status.value, None if verdict.trace is None else len(verdict.trace))
        for verdict in report.verdicts
    }


def name(value: Any) -> str:
    return str(value.name.lower())


# ---- by construction ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("place", "prevents", "recovers"), POINTS, ids=name)
def test_when_nothing_fails_and_all_can_take_part_everything_holds(
    place: Place, prevents: Prevention, recovers: Recovery
) -> None:
    for kernel, topology in (("E1", "e"), ("E4", "p/p")):
        report = explicit(params(place, prevents, recovers, kernel=kernel, topology=topology), faults=0)
        assert report.ok, [verdict.prop.name for verdict in report.verdicts if not verdict.status.good]


@pytest.mark.parametrize("env", [pytest.param("", marks=pytest.mark.slow), "cont"])
@pytest.mark.parametrize(
    ("kernel", "topology"), [("E1", "e"), ("E4", "p/e"), pytest.param("E4", "p/p", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("prevents", PREVENTIONS, ids=name)
def test_an_unwind_in_the_caller_and_a_notifier_before_vm_start_agree(
    prevents: Prevention, kernel: str, topology: str, env: str
) -> None:
    """To the length of every trace: both walk the containers, and look at the flags, at the same place."""
    caller, notifier = (
        said(explicit(params(Place.PRE_SAVE, prevents, recovers, kernel=kernel, topology=topology, env=env)))
        for recovers in (Recovery.CALLER, Recovery.NOTIFIER)
    )
    assert caller == notifier


@pytest.mark.parametrize(("place", "prevents", "recovers"), POINTS, ids=name)
def test_without_a_recovery_only_the_new_qemu_restores(place: Place, prevents: Prevention, recovers: Recovery) -> None:
    found = system(**params(place, prevents, recovers, kernel="E4", topology="p/p", env="cont"))
    events = [event for transition in found.transitions for event in transition.events if event.name == "MAP(V)"]
    restorers = {value for event in events for key, value in event.args if key == "by"}
    assert (restorers == {NEW_QEMU}) is (recovers is Recovery.NONE)


@pytest.mark.parametrize(
    ("kernel", "topology"),
    [("E4", "p/e"), *(pytest.param(*it, marks=pytest.mark.slow) for it in (("E1", "e"), ("E4", "p/p")))],
)
def test_post_save_never_restores(kernel: str, topology: str) -> None:
    """P8: no function that VMState calls for one object runs after the failure of another."""
    given = params(Place.PRE_SAVE, Prevention.LOOP, Recovery.POST_SAVE, kernel=kernel, topology=topology, env="cont")
    report = explicit(given)
    assert report.unreached is not None
    never = [report.system.transitions[index] for index in report.unreached]
    restoring = [t for t in report.system.transitions if any("by=post_save" in str(event) for event in t.events)]
    assert restoring
    assert all(transition in never for transition in restoring)
    none = explicit(
        params(Place.PRE_SAVE, Prevention.LOOP, Recovery.NONE, kernel=kernel, topology=topology, env="cont")
    )
    statuses = ({name: status for name, (status, _) in said(found).items()} for found in (report, none))
    assert next(statuses) == next(statuses)


# ---- the named designs ----------------------------------------------------------------------------------------------

NAMED = [
    ("v7", {}, (Place.EXEC, Prevention.LOOP, Recovery.NONE), {}),
    ("validate_first", {}, (Place.EXEC, Prevention.FIRST, Recovery.NONE), {}),
    ("validate_first", {"recover": "yes"}, (Place.EXEC, Prevention.FIRST, Recovery.RECOVER_PATCH), {}),
    ("presave_validate_all", {}, (Place.PRE_SAVE, Prevention.PRE_SAVE_ALL, Recovery.NONE), {}),
    ("presave_recover_all", {}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.PRE_SAVE_ALL), {}),
    ("save_unwind", {}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.CALLER), {}),
    ("blocker_counter", {}, (Place.PRE_SAVE, Prevention.COUNTER, Recovery.NONE), {}),
    ("blocker_counter", {"tested": "entry"}, (Place.PRE_SAVE, Prevention.COUNTER, Recovery.NONE), {"tested": "entry"}),
    ("failure_notifier", {}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.NOTIFIER), {}),
    ("failure_notifier", {"early": "no"}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.NOTIFIER_LATE), {}),
    ("failure_notifier", {"on_exec": "yes"}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.NOTIFIER_EXEC), {}),
    (
        "failure_notifier",
        {"early": "no", "on_exec": "yes"},
        (Place.PRE_SAVE, Prevention.LOOP, Recovery.NOTIFIER_LATE_EXEC),
        {},
    ),
    ("failure_notifier", {"flag": "no"}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.NOTIFIER_BLIND), {}),
    ("vm_change_handler", {}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.HANDLER), {}),
    ("vm_change_handler", {"first": "no"}, (Place.PRE_SAVE, Prevention.LOOP, Recovery.HANDLER_LAST), {}),
    ("device_blocker", {}, (Place.PRE_SAVE, Prevention.BLOCKER, Recovery.NONE), {}),
]
QUICKLY = ("v7", "presave_validate_all", "save_unwind", "vm_change_handler", "device_blocker")
"""By their defaults."""


def marked() -> Iterator[Any]:
    for design, given, point, options in NAMED:
        marks = [] if design in QUICKLY and not given else [pytest.mark.slow]
        shown = ", ".join((design, *(f"{key}={value}" for key, value in given.items())))
        yield pytest.param(design, given, point, options, marks=marks, id=shown)


@pytest.mark.parametrize(("design", "given", "point", "options"), list(marked()))
def test_a_named_design_is_a_point_of_the_grid(
    design: str, given: dict[str, str], point: tuple[Place, Prevention, Recovery], options: dict[str, str]
) -> None:
    """The same transition system, but for the names of the model and its parameters."""
    more = {"kernel": "E4", "topology": "pe/p", "env": "cont,hotplug,again"}
    named = catalog.bind(catalog.find(design), given | more).system
    combined = system(**params(*point), **options, **more)
    assert replace(named, name="", params=()).digest() == replace(combined, name="", params=()).digest()


def test_a_recovery_that_makes_no_sense_in_its_place_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        system(place="exec", recovery="post_save")
    assert str(caught.value) == (
        "recovery=post_save makes no sense with place=exec: write none, recover_patch, caller, notifier_exec, handler,"
        " handler_last"
    )
