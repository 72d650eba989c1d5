"""In which configurations designs are measured, and what is said when that fails."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from toys import DESIGN

from cprcheck import checking
from cprcheck.compare.designs import Design, designs
from cprcheck.compare.figures import Count, Failure
from cprcheck.compare.left import Attempt, Left, Pair
from cprcheck.compare.measuring import (
    Figures,
    Options,
    code_lines,
    collect,
    measure,
    parts,
    rivals,
    run_here,
    run_jobs,
)
from cprcheck.compare.parts import Finding, Measured, Scope, part, perform, unfinished
from cprcheck.compare.plain import plain, restored
from cprcheck.jobs.job import Passing
from cprcheck.jobs.pool import Limits
from cprcheck.jobs.run import Settings

LATE = Settings(1, limits=Limits(seconds=0))
SMALL = Options(kernels=("E4",), topologies=("2p",), containers=2)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that has `toy.py`."""
    monkeypatch.chdir(tmp_path)
    Path("toy.py").write_text(DESIGN, encoding="utf-8")


def measured(options: Options = SMALL, name: str = "toy.py") -> Figures:
    (design,) = designs([name])
    return measure(design, options)


def only(design: Design, options: Options, what: str, *envs: str) -> Figures:
    """Some parts of the figures: of one kind, and in some environments."""
    return collect(design, run_here([p for p in parts(design, options) if p.what == what and p.env in envs]))


@pytest.mark.slow
def test_everything_is_measured_in_each_configuration() -> None:
    found = measured(Options(containers=1))
    places = [(k, t, e) for k in ("E1", "E4") for t in ("2p", "p/e", "e/p") for e in ("quiet", "cont")]
    assert [restores.scope for restores in found.restores] == [Scope(*place) for place in places]
    assert [left.scope for left in found.left] == [Scope(*place) for place in places if place[2] == "quiet"]
    assert [series.scope for series in found.clean] == [Scope("E1", "Cp", "quiet"), Scope("E4", "Cp", "quiet")]
    assert [series.scope for series in found.starts] == [Scope(k, "Cp", "cont,stop") for k in ("E1", "E4")]
    assert [verdicts.scope for verdicts in found.verdicts] == [Scope(*place) for place in places]
    again = [Scope(kernel, topology, "again") for kernel in ("E1", "E4") for topology in ("2p", "p/e", "e/p")]
    assert [each.scope for each in found.again] == again
    assert (found.design, found.file, found.reasons) == ("toy", "toy.py", ())


def test_each_scope_says_which_kernel_and_how_many_faults() -> None:
    found = measured()
    assert found.clean[0].scope.notes == ("a toy of E4", "no faults, injected ones excluded")
    assert found.restores[0].scope.notes == ("a toy of E4", "at most 1 fault, injected ones excluded")


def test_the_operations_are_counted_for_each_number_of_containers() -> None:
    (clean,), (starts,) = measured().clean, measured().starts
    assert [(run.containers, run.counts) for run in clean.runs] == [
        (
            c,
            (
                Count("old_qemu", "CHECK_EXTENSION", c),
                Count("old_qemu", "UNMAP(ALL|V)", c),
                Count("new_qemu", "MAP(V)", c),
            ),
        )
        for c in (1, 2)
    ]
    assert [run.counts for run in starts.runs] == [(Count("old_qemu", "test", 1),)] * 2


def test_a_parameter_changes_what_follows() -> None:
    careless, careful = measured(), measured(SMALL, "toy.py:careful=yes")
    assert careless.restores[0].failures == (Failure("disk full", None, None, None, None, False, True, False, ()),)
    assert careful.restores[0].failures == (Failure("disk full", 0, 0, 2, 2, True, False, False, ("the caller",)),)
    both = ("disk full", "execvp fails")
    assert careless.left[0].left == Left(both[:1], both[1:], both)
    assert careful.left[0].left == Left((), both[1:], both)
    assert careful.design == "toy(careful=yes)"


def test_a_search_that_is_given_up_leaves_nothing_known() -> None:
    found = measured(replace(SMALL, states=1))
    assert found.reasons == ("truncated at 1 states",)
    assert {run.counts for series in (*found.clean, *found.starts) for run in series.runs} == {None}
    assert found.restores[0].failures == ()
    late = measured(replace(SMALL, seconds=0))
    assert late.reasons == ("timed out after 0 s",)
    assert {each.reason for each in (*late.restores, *late.left, *late.verdicts, *late.again)} == set(late.reasons)


def test_a_graph_with_too_many_edges_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "EDGE_LIMIT", 3)
    said = measured().reasons
    assert any(reason.endswith(" edges, more than the 3 that are read") for reason in said)
    assert any(reason.endswith(" edges, more than the 3 that liveness takes") for reason in said)


def test_a_value_that_leaves_its_domain_leaves_nothing_known() -> None:
    count = 'm.var("n", Range(0, 1), init=0)\n\n    @m.process\n    def count(s):\n        while True:\n'
    count += '            yield "count"\n            s.n += 1\n\n    '
    place = "@m.process(group=old)\n    def management"
    Path("toy.py").write_text(DESIGN.replace(place, count + place))
    assert measured().reasons == ("values_in_domain is violated",)


def test_the_verdicts_are_those_of_explicit_and_say_so() -> None:
    quiet, _ = measured().verdicts
    assert quiet.scope.notes == (
        "a toy of E4",
        "any finite number of faults, injected ones excluded",
        "by explicit search alone, with liveness on its graph; no second engine was asked",
    )
    assert quiet.findings == tuple(Finding(name, name, "HOLDS") for name in ("deadlock_free", "nobody_stuck"))


def test_where_the_management_never_tries_again_nothing_is_said_about_it() -> None:
    Path("toy.py").write_text(DESIGN.replace("    AGAIN = 2\n", "").replace(" if one is not Env.AGAIN", ""))
    assert measured().again == ()
    assert measured().reasons == ()


# ---- parts --------------------------------------------------------------------------------------------------------


def test_a_part_is_a_function_of_json_and_its_answer_survives_it() -> None:
    (model,) = designs(["toy.py"])
    other = DESIGN.replace("def toy(", "def other(").replace('yield "save"', 'yield "write"')
    Path("other.py").write_text(other)
    asked = [*parts(model, SMALL), *rivals(model, designs(["other.py"])[0], SMALL)]
    assert {each.what for each in asked} == {"clean", "starts", "place", "again", "pair"}
    for each in asked:
        answer = part(**json.loads(json.dumps(plain(each))))
        assert answer == json.loads(json.dumps(answer))
        assert plain(restored(Measured, answer)) == answer


def test_what_was_given_up_for_want_of_time_is_not_kept() -> None:
    (model,) = designs(["toy.py"])
    (asked, *_) = parts(model, replace(SMALL, seconds=0))
    assert isinstance(perform(**plain(asked)), Passing)
    assert perform(**plain(replace(asked, seconds=None))) == part(**plain(replace(asked, seconds=None)))
    assert not isinstance(perform(**plain(replace(asked, seconds=None, states=1))), Passing)


@pytest.mark.slow
def test_parts_are_jobs_that_rest_on_the_files_of_their_designs() -> None:
    (model,) = designs(["toy.py"])
    other = DESIGN.replace("def toy(", "def other(")
    Path("other.py").write_text(other)
    asked = rivals(model, designs(["other.py"])[0], replace(SMALL, topologies=()))
    settings = Settings(1, cache=Path("kept").resolve())
    (there, again), lost = (run_jobs(asked, settings) for _ in range(2)), run_jobs(asked, LATE)
    assert there == again == run_here(asked)
    (versus,) = (each.versus for each in lost)
    assert versus is not None
    assert "0 s" in versus.reason
    reused: list[bool] = []
    Path("other.py").write_text(other.replace('yield "save"', 'yield "write"'))
    run_jobs(asked, settings, lambda result: reused.append(result.reused))
    assert reused == [False]


def test_what_nobody_finished_is_unknown_and_says_why() -> None:
    (model,) = designs(["toy.py"])
    asked = parts(model, SMALL)
    found = collect(model, [unfinished(each, "the worker was killed") for each in asked])
    assert found.reasons == ("the worker was killed",)
    assert (len(found.clean), len(found.restores), len(found.verdicts), len(found.again)) == (1, 2, 2, 1)
    (pair, _) = rivals(model, model, SMALL)
    versus = unfinished(pair, "the worker was killed").versus
    assert versus is not None
    assert (versus.directions, versus.reason) == ((), "the worker was killed")


def test_the_formula_is_checked_where_there_are_enough_sizes() -> None:
    def formulas(containers: int) -> dict[tuple[str, str], str]:
        (series,) = measured(replace(SMALL, containers=containers)).clean
        return {(each.group, each.kind): str(each.formula) for each in series.formulas}

    assert formulas(3) == {}
    assert formulas(4) == {
        ("old_qemu", "CHECK_EXTENSION"): "C",
        ("old_qemu", "UNMAP(ALL|V)"): "C",
        ("new_qemu", "MAP(V)"): "C",
    }


def test_what_is_counted_per_saved_object_is_seen_in_the_formula() -> None:
    place = 'yield "save"\n'
    loop = 'for _ in range(topology.others):\n            s.emit("test", of="object")\n'
    Path("toy.py").write_text(DESIGN.replace(place, place + "        " + loop, 1))
    (series,) = measured(replace(SMALL, containers=4)).clean
    assert {each.kind: str(each.formula) for each in series.formulas}["test"] == "N"


# ---- lines of code ------------------------------------------------------------------------------------------------

LINES = {
    "": 0,
    "# a comment\n\nx = 1  # another\n": 1,
    '"""What it is."""\nx = 1\n': 1,
    'def f():\n    """What it\n\n    is."""\n    return 1\n': 2,
    'x = """one\n\nthree"""\n': 3,
    "f(\n    1,\n    # no code\n\n    2,\n)\n": 4,
    'class A:\n    x = 1\n    """What x is."""\n': 2,
    "x = 1 + \\\n    2\n": 2,
}


@pytest.mark.parametrize("text", LINES)
def test_code_is_what_is_no_blank_line_comment_or_docstring(text: str) -> None:
    assert code_lines(text) == LINES[text]


# ---- the shipped designs ------------------------------------------------------------------------------------------


def test_v7_as_counted_by_hand() -> None:
    """Two extensions and an ioctl for each container, in both QEMUs; nobody restores when cpr_state_save fails."""
    (v7,) = designs(["v7"])
    found = measure(v7, replace(SMALL, containers=3))
    assert [run.counts for run in found.clean[0].runs] == [
        (
            Count("old_qemu", "CHECK_EXTENSION", 2 * c),
            Count("old_qemu", "UNMAP(ALL|V)", c),
            Count("new_qemu", "CHECK_EXTENSION", 2 * c),
            Count("new_qemu", "MAP(V)", c),
        )
        for c in (1, 2, 3)
    ]
    assert [run.counts for run in found.starts[0].runs] == [()] * 3
    quiet, cont = found.restores
    assert quiet.failures == (Failure("cpr_state_save fails", None, None, None, None, False, True, False, ()),)
    assert cont.failures == (Failure("cpr_state_save fails", None, None, None, None, False, True, True, ()),)
    assert found.left[0].left.invalid == ("cpr_state_save fails",)
    lost = ("execvp fails", "the new QEMU dies while it starts", "c1: no locked memory left (K10)")
    assert {*lost, "a device older than the containers cannot be loaded"} <= set(found.left[0].left.lost)


@pytest.mark.parametrize(
    ("name", "seen"),
    [("save_unwind", {"p/e": {"c1: capable?"}, "e/p": set()}), ("v7", {"p/e": set(), "e/p": {"c0: capable?"}})],
)
def test_each_order_of_two_containers_hides_a_refusal(name: str, seen: dict[str, set[str]]) -> None:
    """The oldest container is the first in cpr-save, and the last in cpr-exec."""
    (design,) = designs([name])
    found = only(design, replace(SMALL, topologies=tuple(seen)), "place", "none")
    told = {topology: set[str]() for topology in seen}
    for restores in found.restores:
        refused = [failure.name.split(" refuses: ") for failure in restores.failures]
        told[restores.scope.topology] |= {words[1] for words in refused if len(words) == 2}
    assert told == seen


def test_a_handler_is_a_step_further_from_the_failure_than_the_unwind() -> None:
    """vm_start comes first; where only the oldest container is invalid, the unwind has looked at the newest before."""
    steps = {}
    for design in designs(["save_unwind", "failure_notifier", "vm_change_handler"]):
        (quiet,) = only(design, SMALL, "place", "none").restores
        steps[design.model.name] = {failure.name: failure.steps for failure in quiet.failures}
    assert {name: each["disk full"] for name, each in steps.items()} == {
        "save_unwind": 2,
        "failure_notifier": 2,
        "vm_change_handler": 3,
    }
    between = "pre_save of a device between the containers fails"
    assert {each[between] for each in steps.values()} == {3}


def test_a_handler_needs_somebody_who_starts_the_vm() -> None:
    """It restores after what fails in cpr-save, where the VM is started again; later only if the user says cont."""
    (handler,) = designs(["vm_change_handler"])
    quiet, cont = only(handler, SMALL, "place", "none", "cont").restores
    late = {restores.scope.env: restores.failures[-1] for restores in (quiet, cont)}
    by = ("the vm-change handler",)
    assert late["quiet"] == Failure("cpr_state_save fails", None, None, None, None, False, True, False, ())
    assert late["cont"] == Failure("cpr_state_save fails", 0, 0, 3, 4, False, False, False, by)
    assert all(failure.certain and failure.by == by for failure in (*quiet.failures[:-1], *cont.failures[:-1]))


@pytest.mark.slow
def test_every_pre_save_that_tests_all_containers_is_quadratic() -> None:
    (design,) = designs(["presave_validate_all"])
    found = only(design, replace(SMALL, containers=4), "clean", "none")
    formulas = {(each.group, each.kind): each.formula for each in found.clean[0].formulas}
    assert str(formulas["old_qemu", "CHECK_EXTENSION"]) == "2·C²"
    assert str(formulas["new_qemu", "CHECK_EXTENSION"]) == "2·C"
    assert formulas["old_qemu", "UNMAP(ALL|V)"].checked == ((4, 0), (3, 2))


def test_who_does_not_restore_cannot_try_again() -> None:
    """v7 can until it has invalidated; then the kernel refuses the next attempt (K7): a pair of failures."""
    (v7,) = designs(["v7"])
    (again,) = only(v7, replace(SMALL, kernels=("E1",)), "again", "again").again
    able = {each.name for each in again.attempts if each.always}
    assert able == {
        "the state file cannot be opened",
        "pre_save of a device older than the containers fails",
        "pre_save of a device newer than the containers fails",
        "disk full",
    }
    assert Attempt("cpr_state_save fails", always=False, never=True) in again.attempts
    refused = "the kernel, EINVAL refuses: c1: unmap all vaddrs"
    assert Pair("cpr_state_save fails", refused, invalid=True, lost=False, alone=True) in again.pairs.left
    assert ("disk full", "execvp fails") in again.pairs.of
    assert "at most 2 faults, injected ones excluded" in again.scope.notes
    assert all(pair.alone for pair in again.pairs.left)
