"""Failure matrices as text, Markdown and JSON."""

from __future__ import annotations

import json

from toys import RESTORE, START, recovering, toy

from cprcheck.compare.aftermath import Again, Beside, End, Match, Matrix, Place, Row, When, beside
from cprcheck.compare.matrix import Options, measure
from cprcheck.report.outcomes import ABOUT, dumps, end_cells, lines, markdown, text
from cprcheck.report.text import WIDTH, wrap
from cprcheck.trace import Trace

CARELESS = measure(toy(recovering("return\n")))
CAREFUL = measure(toy(recovering('yield "restore"\n' + RESTORE + START)))
END = End("runs in the old QEMU", (("c0", "valid"), ("c1", "valid")), "failed", (), When.NOTHING, Again.YES, "")


def row(*places: Place, end: End = END) -> Row:
    return Row(places, end, Trace(((0,),)))


def matrix(*rows: Row, stopped: str = "", leaving: int = 0, silent: tuple[str, ...] = ()) -> Matrix:
    """A matrix of a toy, with these rows."""
    return Matrix(CARELESS.system, CARELESS.size, rows, silent, leaving, stopped)


def table(found: Matrix | Beside) -> list[list[str]]:
    """The cells of the table, from its Markdown."""
    rows = [line for line in markdown(found) if line.startswith("| ")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows]


def test_the_text_says_what_was_looked_at_and_has_a_row_for_each_end() -> None:
    made = list(text(CARELESS, ["cprcheck", "outcomes", "toy.py"]))
    assert made[0] == "toy"
    assert made[3] == "  scope: at most 1 fault, injected ones excluded"
    assert made[4] == ""
    assert made[5 : 5 + len(wrap(ABOUT, 0))] == wrap(ABOUT, 0)
    assert [line.split() for line in made[-5:-2]] == [
        ["#", "what", "fails", "guest", "vaddrs", "restored", "by", "when", "again", "severity"],
        ["1", "nothing", "stopped,", "old;", "under", "way", "none", "valid", "nobody", "never", "?", "none"],
        ["2", "disk", "full", "stopped,", "old;", "under", "way", "none", "valid", "nobody", "never", "?", "none"],
    ]
    assert made[-2:] == ["", "  again: cprcheck outcomes toy.py"]
    assert max(map(len, made)) <= WIDTH


def test_the_cells_of_an_end() -> None:
    full = End(
        "stopped in the new QEMU",
        (("c0", "valid"), ("c1", "invalid")),
        "done",
        ("a", "b"),
        When.AFTER,
        Again.LATER,
        "bad",
    )
    assert end_cells(full) == ("stopped, new; done", "c0 valid, c1 invalid", "a, b", "after", "not the next", "bad")
    assert end_cells(END) == ("runs, old", "all valid", "-", "-", "yes", "none")
    lost = End("lost", (("", "gone"),), "failed", (), When.NEVER, Again.NO, "VM lost", endless=True)
    assert end_cells(lost) == ("lost; round for ever", "gone", "nobody", "never", "no", "VM lost")


def test_failures_are_told_in_order_with_their_steps_where_there_are_several() -> None:
    one, two, other = (
        Place("disk full", "m", "a"),
        Place("disk full", "m", "b"),
        Place("magic", "m", "c", injected=True),
    )
    found = matrix(row(), row(one), row(two, other), row(other))
    assert [line.fails for line in lines(found)] == [
        "nothing",
        "disk full (at a)",
        "disk full (at b), then magic (injected)",
        "magic (injected)",
    ]


def test_what_is_left_out_is_said() -> None:
    found = matrix(row(), leaving=3, silent=("a", "b"))
    made = list(text(found))
    assert made[4:6] == [
        "  never fails first, within these rows: a; b",
        "  3 states lie in loops that a run may leave: the rows suppose that it does",
    ]
    assert "* never fails first, within these rows: a; b" in list(markdown(found))
    assert "no run comes to an end" in list(text(matrix()))


def test_a_search_that_was_given_up_has_no_table() -> None:
    made = list(text(matrix(stopped="truncated at 5 states")))
    assert made[4:] == ["  no rows: truncated at 5 states", "", "unknown: not all states were seen", ""]
    several = beside(matrix(stopped="truncated at 5 states"), matrix(row()))
    assert "unknown: not all states were seen" in list(text(several))


def test_a_trace_is_printed_for_each_row_when_asked_for() -> None:
    made = "\n".join(text(CAREFUL, traces=True))
    assert "--- 2: disk full\n\n  0  runs=True  valid=True" in made
    assert "       fault: disk full" in made
    assert "       event: MAP(V)(container=c0, by=the caller)" in made
    assert "--- " not in "\n".join(text(CAREFUL))
    marked = "\n".join(markdown(CAREFUL, traces=True))
    assert "### 2: disk full\n\n```text\n  0  runs=True" in marked
    assert marked.count("```") == 4


# ---- two of them ----------------------------------------------------------------------------------------------------

SIDE = beside(CAREFUL, CARELESS)


def test_two_designs_share_a_row_where_they_end_alike_and_have_their_own_where_not() -> None:
    assert [cells[:4] for cells in table(SIDE)] == [
        ["1", "nothing", "both", "stopped, old; under way"],
        ["2", "disk full", "toy (1)", "runs, old; under way"],
        ["3", "disk full", "toy (2)", "stopped, old; under way"],
    ]
    assert list(markdown(SIDE))[-2] == (
        "1 of 2 failures end differently.  They are matched by what fails in which process, and at which step where "
        "both have the same steps.  What is told of both, either design can end in."
    )


def test_changed_shows_only_what_differs_but_counts_all() -> None:
    changed = beside(CAREFUL, CARELESS, changed=True)
    assert [cells[1:3] for cells in table(changed)] == [["disk full", "toy (1)"], ["disk full", "toy (2)"]]
    assert list(markdown(changed))[-2] == list(markdown(SIDE))[-2]
    same = list(text(beside(CAREFUL, CAREFUL, changed=True)))
    assert same[-3].startswith("0 of 2 failures end differently.")
    assert not [line for line in same if line.startswith("#")]


def test_rows_are_matched_by_what_fails_in_which_process() -> None:
    here, there = Place("disk full", "m", "a"), Place("disk full", "m", "another step")
    elsewhere, only = Place("disk full", "main loop", "a"), Place("magic", "m", "a")
    worse = End(**{**END.__dict__, "severity": "bad"})
    left, right = matrix(row(here), row(here, end=worse)), matrix(row(there), row(elsewhere), row(only))
    both = beside(left, right)
    assert both.matches == (
        Match((row(here), row(here, end=worse)), (row(there),)),
        Match((), (row(elsewhere),)),
        Match((), (row(only),)),
    )
    assert [match.differs for match in both.matches] == [True, True, True]
    assert [(line.fails, line.design, line.row is None) for line in lines(both)] == [
        ("disk full", "both", False),
        ("disk full", "toy (1)", False),
        ("disk full", "toy (1)", True),
        ("disk full", "toy (2)", False),
        ("magic", "toy (1)", True),
        ("magic", "toy (2)", False),
    ]
    assert table(both)[2][2:] == ["toy (1)", "does not happen", "", "", "", "", ""]


def test_what_fails_at_several_steps_is_one_match() -> None:
    one, two = Place("disk full", "m", "a"), Place("disk full", "m", "b")
    (match,) = beside(matrix(row(one), row(two)), matrix(row(one))).matches
    assert (len(match.left), match.differs) == (1, False)


def test_what_fails_at_the_same_steps_of_both_is_matched_step_by_step() -> None:
    """A patch that moves the harm from one step to the other changes both."""
    one, two = Place("disk full", "m", "a"), Place("disk full", "m", "b")
    worse = End(**{**END.__dict__, "severity": "bad"})
    both = beside(matrix(row(one), row(two, end=worse)), matrix(row(one, end=worse), row(two)))
    assert [match.differs for match in both.matches] == [True, True]
    assert [line.fails for line in lines(both)] == ["disk full (at a)"] * 2 + ["disk full (at b)"] * 2
    pooled = beside(matrix(row(one), row(two)), matrix(row(one)))
    assert [line.fails for line in lines(pooled)] == ["disk full"]


def test_the_traces_of_two_designs_name_the_design() -> None:
    made = "\n".join(text(SIDE, traces=True))
    assert "--- 2: disk full (toy (1))\n" in made
    assert "--- 1: nothing (both)\n" in made


# ---- for machines ---------------------------------------------------------------------------------------------------


def test_the_json_has_all_that_a_row_says() -> None:
    read = json.loads(dumps(CAREFUL))
    assert (read["schema"], len(read["designs"]), "matches" in read) == ("cprcheck-outcomes-1", 1, False)
    (design,) = read["designs"]
    assert design["scope"] == ["at most 1 fault, injected ones excluded"]
    assert (design["stopped"], design["silent"], design["leaving"]) == ("", [], 0)
    second = design["rows"][1]
    trace, start = second.pop("trace"), second.pop("start")
    assert second == {
        "row": 2,
        "places": [{"name": "disk full", "process": "management", "step": "save", "injected": False}],
        "guest": "runs in the old QEMU",
        "vaddrs": {"all": "all valid"},
        "update": "under way",
        "restored by": ["the caller"],
        "when": "before",
        "again": "?",
        "severity": "",
        "endless": False,
        "steps": 4,
    }
    assert [step["label"] for step in trace] == ["invalidate", "save", "restore", "start"]
    assert start["valid"] == "True"


def test_the_json_of_two_names_the_rows_that_match() -> None:
    read = json.loads(dumps(SIDE))
    assert [len(design["rows"]) for design in read["designs"]] == [2, 2]
    assert read["matches"] == [
        {"differs": False, "rows": [[1], [1]]},
        {"differs": True, "rows": [[2], [2]]},
    ]


def test_pairs_are_joined_by_then() -> None:
    twice = measure(toy(recovering('yield "restore"\ns.fault("it fails")\n')), Options(pairs=True))
    assert [line.fails for line in lines(twice)] == ["nothing", "disk full", "disk full, then it fails"]
