"""Which models are designs, in which configurations they are measured, and what is said when that fails."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from toys import DESIGN

from cprcheck import catalog, checking
from cprcheck.compare.figures import Count, Failure, Left
from cprcheck.compare.measuring import Figures, Options, Scope, code_lines, designs, measure
from cprcheck.errors import UsageError

SMALL = Options(kernels=("E4",), topologies=("2p",), containers=2)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that has `toy.py`."""
    monkeypatch.chdir(tmp_path)
    Path("toy.py").write_text(DESIGN, encoding="utf-8")


def measured(options: Options = SMALL) -> Figures:
    (model,) = designs(["toy.py"])
    return measure(model, options)


def test_everything_is_measured_in_each_configuration() -> None:
    found = measured(Options(containers=1))
    places = [(k, t, e) for k in ("E1", "E4") for t in ("2p", "p/e", "e/p") for e in ("quiet", "cont")]
    assert [restores.scope for restores in found.restores] == [Scope(*place) for place in places]
    assert [left.scope for left in found.left] == [Scope(*place) for place in places if place[2] == "quiet"]
    assert [series.scope for series in found.clean] == [Scope("E1", "Cp", "quiet"), Scope("E4", "Cp", "quiet")]
    assert [series.scope for series in found.starts] == [Scope(k, "Cp", "cont,stop") for k in ("E1", "E4")]
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
    plain, careful = measured(), measured(replace(SMALL, params=(("careful", "yes"),)))
    assert plain.restores[0].failures == (Failure("disk full", None, None, None, False, True, False, ()),)
    assert careful.restores[0].failures == (Failure("disk full", 0, 0, 2, True, False, False, ("the caller",)),)
    assert plain.left[0].left == Left(("disk full",), ("execvp fails",))
    assert careful.left[0].left == Left((), ("execvp fails",))
    assert careful.design == "toy(careful=yes)"


def test_a_search_that_is_given_up_leaves_nothing_known() -> None:
    found = measured(replace(SMALL, states=1))
    assert found.reasons == ("truncated at 1 states",)
    assert {run.counts for series in (*found.clean, *found.starts) for run in series.runs} == {None}
    assert found.restores[0].failures == ()
    assert measured(replace(SMALL, seconds=0)).reasons == ("timed out after 0 s",)


def test_a_graph_with_too_many_edges_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "EDGE_LIMIT", 3)
    assert measured().reasons[-1].endswith(" edges, more than the 3 that are read")


def test_a_value_that_leaves_its_domain_leaves_nothing_known() -> None:
    count = 'm.var("n", Range(0, 1), init=0)\n\n    @m.process\n    def count(s):\n        while True:\n'
    count += '            yield "count"\n            s.n += 1\n\n    '
    place = "@m.process(group=old)\n    def management"
    Path("toy.py").write_text(DESIGN.replace(place, count + place))
    assert measured().reasons == ("values_in_domain is violated",)


# ---- which designs ------------------------------------------------------------------------------------------------


def test_a_design_is_named_once_and_keeps_its_place() -> None:
    Path("other.py").write_text(DESIGN.replace("def toy(", "def other("))
    assert [model.name for model in designs(["other.py", "toy.py", "other.py::other"])] == ["other", "toy"]


REFUSED = {
    "peterson": "peterson cannot be compared: it has no parameter 'kernel'",
    "lamp.py": "lamp cannot be compared: it has no outcome 'update'",
    "none.py": "no file {folder}/none.py",
    "petersen": "no model 'petersen'; did you mean 'peterson'?",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_design_is_refused(name: str) -> None:
    without = DESIGN.replace('"update"', '"progress"').replace("def toy(", "def lamp(")
    Path("lamp.py").write_text(without)
    with pytest.raises(UsageError) as caught:
        designs([name])
    assert str(caught.value) == REFUSED[name].format(folder=Path.cwd())


def test_without_names_all_shipped_designs_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("combination.py").write_text(DESIGN.replace("def toy(", "def combination("))
    toy, combination, peterson = (catalog.find(name) for name in ("toy.py", "combination.py", "peterson"))
    control, design = Path("models/control/x.py"), Path("models/designs/x.py")
    found = [(control, combination), (control, toy), (design, combination), (design, toy), (design, peterson)]
    monkeypatch.setattr(catalog, "shipped", lambda: iter(found))
    assert designs([]) == [toy]
    monkeypatch.setattr(catalog, "shipped", lambda: iter([(control, toy)]))
    with pytest.raises(UsageError, match=r"^no shipped design has outcomes of guest, vaddrs, update; name "):
        designs([])


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


def test_of_the_shipped_designs_the_combination_is_left_out() -> None:
    names = [model.name for model in designs([])]
    assert {"v7", "save_unwind", "vm_change_handler"} <= set(names)
    assert "combination" not in names


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
    assert quiet.failures == (Failure("cpr_state_save fails", None, None, None, False, True, False, ()),)
    assert cont.failures == (Failure("cpr_state_save fails", None, None, None, False, True, True, ()),)
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
    found = measure(design, replace(SMALL, containers=1, topologies=tuple(seen)))
    told = {topology: set[str]() for topology in seen}
    for restores in found.restores:
        refused = [failure.name.split(" refuses: ") for failure in restores.failures]
        told[restores.scope.topology] |= {words[1] for words in refused if len(words) == 2}
    assert told == seen


def test_a_handler_is_a_step_further_from_the_failure_than_the_unwind() -> None:
    """vm_start comes first; where only the oldest container is invalid, the unwind has looked at the newest before."""
    steps = {}
    for design in designs(["save_unwind", "failure_notifier", "vm_change_handler"]):
        quiet, _ = measure(design, replace(SMALL, containers=1)).restores
        steps[design.name] = {failure.name: failure.steps for failure in quiet.failures}
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
    quiet, cont = measure(handler, replace(SMALL, containers=1)).restores
    late = {restores.scope.env: restores.failures[-1] for restores in (quiet, cont)}
    by = ("the vm-change handler",)
    assert late["quiet"] == Failure("cpr_state_save fails", None, None, None, False, True, False, ())
    assert late["cont"] == Failure("cpr_state_save fails", 0, 0, 3, False, False, False, by)
    assert all(failure.certain and failure.by == by for failure in (*quiet.failures[:-1], *cont.failures[:-1]))
