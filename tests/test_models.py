"""Every published configuration gives the verdicts, the trace lengths and the counts that it is published with."""

from __future__ import annotations

from operator import attrgetter

import publish
import pytest
from cprcheck.models.vfio.runstate import Attempt, RunState

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.expectations import judging
from cprcheck.expectations.runs import Run
from cprcheck.report import declared
from cprcheck.system import System

RUNS = publish.runs()


def hold(run: Run) -> None:
    report = judging.perform(run)
    outcome = judging.compare(run, report, counts=True)
    assert outcome.as_declared, "\n".join(declared.lines(outcome))
    assert {name: length for name, length in judging.lengths(report).items() if name in run.verdicts} == run.steps
    assert report.size is not None
    assert not report.size.complete or judging.sizes(report) == run.size
    engines = {"explicit", "prove"} if report.size.complete else {"prove"}
    for verdict in report.verdicts:
        if verdict.status.value in ("HOLDS", "UNREACHABLE") and verdict.prop.kind.value not in NOT_BY_Z3:
            assert engines <= set(verdict.engines), verdict.prop.name


NOT_BY_Z3 = ("leads-to", "always possible", "nobody stuck")
"""Questions about infinite runs: z3 is not asked."""


@pytest.mark.parametrize("run", [run for run in RUNS if not run.slow], ids=attrgetter("title"))
def test_a_published_configuration(run: Run) -> None:
    hold(run)


@pytest.mark.slow
@pytest.mark.parametrize("run", [run for run in RUNS if run.slow], ids=attrgetter("title"))
def test_a_large_published_configuration(run: Run) -> None:
    hold(run)


def test_every_published_configuration_expects_every_property_or_says_which() -> None:
    """A configuration leaves a property out only when it asks a question of its own."""
    full = [run for run in RUNS if len(run.verdicts) >= 10]
    assert len(full) >= 20


def test_the_page_of_verdicts_is_up_to_date() -> None:
    assert publish.PAGE.read_text() == publish.page()


def test_every_design_is_published_with_and_without_cont_on_both_kernels() -> None:
    for design in publish.DESIGNS:
        published = [run.params for run in RUNS if run.model == design and not run.injected]
        asked = {(params["kernel"], params["topology"], params.get("env", "")) for params in published}
        mixed = "e/p" if design in ("v7", "validate_first") else "p/e"  # the incapable container is reached last
        for kernel, topology in (("E1", "e"), ("E4", mixed), ("E4", "p/p")):
            assert {(kernel, topology, env) for env in ("", "cont")} <= asked, design


@pytest.mark.slow
def test_the_same_mistake_hurts_differently_on_two_kernels() -> None:
    """`v7`, the update fails after the invalidation and the user says `cont`; the severity tells the kernels apart.

    On E1 all containers are capable, saving fails, and the emulated device waits for an address.  On E4 a container
    with such a device cannot take part and is reached after one that could: its device never waits, but nothing can
    be attached any more.
    """
    found = {}
    for kernel, topology in (("E1", "e"), ("E4", "e/p")):
        model = catalog.bind(catalog.find("v7"), {"kernel": kernel, "topology": topology, "env": "cont"})
        report = check(model, Options(properties=("runs_only_with_valid_vaddrs",)))
        verdict = report["runs_only_with_valid_vaddrs"]
        assert verdict.trace is not None
        steps = [report.system.transitions[step] for step in verdict.trace.steps]
        faults = [fault.label for step in steps for fault in step.faults]
        found[kernel] = (verdict.status.value, verdict.severity, len(verdict.trace), faults)
    assert found == {
        "E1": ("VIOLATED", "device waits", 13, ["cpr_state_save fails"]),
        "E4": ("VIOLATED", "hot-plug refused", 13, []),
    }


@pytest.mark.parametrize(("env", "ends"), [("cont,pause", "HOLDS"), ("cont,pause,monitors", "VIOLATED")])
def test_a_failed_exec_leaves_a_vm_that_does_not_run_in_save_vm(env: str, ends: str) -> None:
    """vm_stop(RUN_STATE_SHUTDOWN) acts on a running VM only: `cont` has to come between the request and the exec."""
    model = catalog.bind(catalog.find("v7"), {"kernel": "E1", "topology": "p", "env": env})

    @model.invariant
    def never_shut_down(s):
        """No failed exec ends in SHUTDOWN."""
        return s.runstate != RunState.SHUTDOWN

    assert check(model, Options(properties=("never_shut_down",)))["never_shut_down"].status.value == ends


def test_a_failed_exec_that_pauses_is_followed_by_another_attempt() -> None:
    model = catalog.bind(catalog.find("v7"), {"kernel": "E1", "topology": "p", "env": "again,pause"})

    @model.leads_to
    def tries_again(s):
        """When the exec has failed, cpr-save comes next."""
        waits = model.at("management", "see whether the exec of attempt 1 fails")
        return waits & (s.attempt == Attempt.FAILED), model.at("management", "cpr-save, attempt 2")

    @model.reachable
    def exec_fails(s):
        """The management learns that the exec has failed."""
        return model.at("management", "see whether the exec of attempt 1 fails") & (s.attempt == Attempt.FAILED)

    report = check(model, Options(properties=("tries_again", "exec_fails")))
    assert (report["tries_again"].status.value, report["exec_fails"].status.value) == ("HOLDS", "REACHABLE")


@pytest.mark.slow
def test_a_device_that_was_plugged_is_graded_by_its_own_wait() -> None:
    model = catalog.bind(catalog.find("v7"), {"kernel": "E1", "topology": "p", "env": "hotplug"})
    verdict = check(model, Options(properties=("no_stuck_waiter",)))["no_stuck_waiter(container=c0)"]
    assert (verdict.status.value, verdict.severity) == ("VIOLATED", "device waits")


@pytest.mark.slow
def test_who_waits_in_the_kernel_with_the_bql_hangs_the_guest() -> None:
    """K14, a hot-plug; K11, device_del of a device whose worker waits."""
    for topology, env in (("p", "hotplug"), ("pe", "cont,unplug")):
        model = catalog.bind(catalog.find("v7"), {"kernel": "E1", "topology": topology, "env": env})
        verdict = check(model, Options(properties=("monitor_answers",)))["monitor_answers"]
        assert (verdict.status.value, verdict.severity) == ("VIOLATED", "guest hangs")


@pytest.mark.slow
@pytest.mark.parametrize("design", ["v7", "save_unwind", "vm_change_handler"])
def test_who_may_do_more_can_do_all_that_it_could_before(design: str) -> None:
    """What is violated stays violated when the world may do more besides."""
    for less, more in (("unplug", "hotplug,unplug"), ("none", "unplug"), ("hotplug", "cont,hotplug")):
        bad = []
        for env in (less, more):
            model = catalog.bind(catalog.find(design), {"kernel": "E4", "topology": "p", "env": env})
            verdicts = check(model, Options(faults=0, engines=("explicit",))).verdicts
            bad.append({verdict.prop.name for verdict in verdicts if verdict.status.value == "VIOLATED"})
        assert bad[0] <= bad[1], (less, more)


def test_the_scope_says_that_a_refused_group_gets_no_container() -> None:
    note = "a group that the kernel refuses gets no container of its own"
    for kernel, said in (("E1", False), ("E4", True)):
        model = catalog.bind(catalog.find("v7"), {"kernel": kernel, "topology": "p", "env": "hotplug"})
        assert (note in model.system.scope) is said


def of_containers(design: str, containers: int) -> System:
    params = {"kernel": "E4", "topology": f"{containers}p", "env": "cont"}
    return catalog.bind(catalog.find(design), params).system


def locations(system: System) -> int:
    return sum(slot.domain.size for slot in system.slots if slot.role == "location")


LINEAR = [
    pytest.param(design, marks=[] if design in ("v7", "vm_change_handler") else [pytest.mark.slow])
    for design in publish.DESIGNS
    if design != "presave_validate_all"
]


@pytest.mark.parametrize("design", LINEAR)
def test_locations_grow_linearly_with_containers(design: str) -> None:
    two, four, eight, sixteen = (locations(of_containers(design, containers)) for containers in (2, 4, 8, 16))
    assert sixteen - eight == 2 * (eight - four) == 4 * (four - two) > 0


def test_when_every_pre_save_tests_all_containers_the_tests_grow_with_the_square() -> None:
    """Of C containers C * C tests of two questions each, with a location for each; all else is linear."""
    systems = {containers: of_containers("presave_validate_all", containers) for containers in (2, 4, 8, 16)}
    rest = {}
    for containers, system in systems.items():
        tests = [step for step in system.transitions if step.label.startswith("validate all: ")]
        questions = [event for step in tests for event in step.events if event.name == "CHECK_EXTENSION"]
        assert (len(tests), len(questions)) == (containers**2, 2 * containers**2)
        rest[containers] = locations(system) - containers**2
    assert rest[16] - rest[8] == 2 * (rest[8] - rest[4]) == 4 * (rest[4] - rest[2]) > 0
