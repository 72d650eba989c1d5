"""Declared expectations: what a file may say, and when a check is as declared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lamp import LAMP

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.errors import UsageError
from cprcheck.expectations import judging, runs
from cprcheck.expectations.judging import Outcome
from cprcheck.expectations.runs import Run, read
from cprcheck.jobs import checks
from cprcheck.verdict import Report, Status

GOOD = """\
# Ours.
[[run]]
model = "lamp.py"
params = { top = 2, kernel = "red" }
faults = "1"
properties = ["whole", "below"]
[run.verdicts]
whole = "VIOLATED"
below = "HOLDS"
[run.steps]
whole = 1

[[run]]
model = "peterson"
slow = true
[run.verdicts]
mutual_exclusion = "HOLDS"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a model and what is expected of it."""
    monkeypatch.chdir(tmp_path)
    Path("lamp.py").write_text(LAMP, encoding="utf-8")
    Path("expected.toml").write_text(GOOD, encoding="utf-8")
    return tmp_path


# ---- reading ------------------------------------------------------------------------------------------------------


def test_a_file_is_read_into_plain_data(folder: Path) -> None:
    first, second = read(Path("expected.toml"))
    assert first == Run(
        file=Path("expected.toml"),
        line=2,
        model="lamp.py",
        verdicts={"whole": Status.VIOLATED, "below": Status.HOLDS},
        params={"top": "2", "kernel": "red"},
        faults="1",
        properties=("whole", "below"),
        steps={"whole": 1},
    )
    assert (second.place, second.slow, second.found) == ("expected.toml:13", True, "peterson")
    assert (first.title, first.options.faults) == ("lamp.py(top=2, kernel=red) faults 1", 1)
    assert first.command() == ["cprcheck", "check", "lamp.py", "-p", "top=2", "-p", "kernel=red", "--faults", "1"]


def test_a_model_is_relative_to_the_file_that_names_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "ci").mkdir()
    (folder / "ci" / "expected.toml").write_text(GOOD.replace("lamp.py", "../lamp.py::lamp"), encoding="utf-8")
    for name in ("ci/expected.toml", folder / "ci" / "expected.toml"):
        first = read(Path(name))[0]
        assert (first.found, first.place) == ("ci/../lamp.py::lamp", "ci/expected.toml:2")
        assert judging.bind(first).system.name == "lamp"
    monkeypatch.chdir(folder / "ci")
    assert judging.bind(read(Path("expected.toml"))[0]).system.name == "lamp"


WORDS = "write one of HOLDS, VIOLATED, REACHABLE, UNREACHABLE, UNKNOWN"
WRONG = {
    'model = "lamp.py"': {
        "": 'expected.toml:2: no model; write model = "NAME" or model = "FILE.py"',
        "model = 3": "expected.toml:2: model = 3: write a name in quotes",
        'modle = "x"': "expected.toml:2: unknown key 'modle'; did you mean 'model'?",
        'model = "lamp.py"\nwho = 1': "expected.toml:2: unknown key 'who'; there is " + ", ".join(runs.KEYS),
    },
    'faults = "1"': {
        'faults = "some"': 'expected.toml:2: faults = "some": write none, finite or a number',
        "faults = 1": 'expected.toml:2: faults = 1: write "none", "finite" or a number in quotes',
        'injected = "yes"': 'expected.toml:2: injected = "yes": write true or false',
        "max_states = 0": "expected.toml:2: max_states = 0: write a whole number, 1 or more",
        "max_states = true": "expected.toml:2: max_states = true: write a whole number, 1 or more",
        "states = -1": "expected.toml:2: states = -1: write a whole number, 0 or more",
    },
    'properties = ["whole", "below"]\n': {
        'properties = ["whole"]\nengines = ["explicit", "brove"]\n': (
            "expected.toml:2: no engine 'brove'; did you mean 'prove'?"
        ),
        'engines = ["foo"]\n': "expected.toml:2: no engine 'foo'; there is explicit, bmc, prove",
    },
    'params = { top = 2, kernel = "red" }': {
        "params = { top = 2.5 }": "expected.toml:2: parameter top = 2.5: write it in quotes, as after -p top=",
        'params = "top=2"': 'expected.toml:2: params = "top=2": write a table, { name = "value" }',
    },
    'properties = ["whole", "below"]': {
        'properties = "whole"': 'expected.toml:2: properties = "whole": write a list of names',
        'properties = ["whole", 1]': "expected.toml:2: properties = ['whole', 1]: write a list of names",
    },
    'whole = "VIOLATED"': {
        'whole = "BROKEN"': f'expected.toml:2: whole = "BROKEN": {WORDS}',
        "whole = 1": f"expected.toml:2: whole = 1: {WORDS}",
        "": "expected.toml:2: steps of whole, but no verdict; declare one in [run.verdicts]",
    },
    "whole = 1": {"whole = -1": "expected.toml:2: steps of whole = -1: write a whole number, 0 or more"},
    '[run.verdicts]\nmutual_exclusion = "HOLDS"': {
        "": 'expected.toml:13: no verdicts; write [run.verdicts] and below it PROPERTY = "HOLDS"',
    },
}


@pytest.mark.parametrize(("old", "new"), [(old, new) for old, each in WRONG.items() for new in each])
def test_what_is_wrong_is_told_with_its_place_and_what_to_write(old: str, new: str, folder: Path) -> None:
    assert GOOD.count(old) == 1
    Path("expected.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        read(Path("expected.toml"))
    assert str(caught.value) == WRONG[old][new]


FILES = {
    b"": "expected.toml declares nothing; write a [[run]]",
    b"run = 3": "expected.toml declares nothing; write a [[run]]",
    b'[run]\nmodel = "x"': "expected.toml declares nothing; write a [[run]]",
    b"[[runs]]": "expected.toml: unknown table 'runs'; write [[run]]",
    b"model": "expected.toml is not TOML: Expected '=' after a key in a key/value pair (at end of document)",
    b"run = " + b"[" * 5000: "expected.toml: it is nested too deeply",
    b"run = " + b"1" * 5000: "expected.toml: a number in it is too long",
    b"\xff": "expected.toml is not TOML: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
}


@pytest.mark.parametrize("content", FILES, ids=[content[:30] for content in FILES])
def test_a_file_that_is_none_is_told(content: bytes, folder: Path) -> None:
    Path("expected.toml").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read(Path("expected.toml"))
    assert str(caught.value) == FILES[content]


def test_a_file_that_is_not_there_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"^cannot read none.toml: No such file or directory$"):
        read(Path("none.toml"))


def test_a_run_written_in_another_way_is_told_by_the_first_line(folder: Path) -> None:
    Path("expected.toml").write_text(
        'run = [{ model = "peterson", verdicts = { enters = "HOLDS" } }]', encoding="utf-8"
    )
    assert read(Path("expected.toml"))[0].place == "expected.toml:1"


# ---- checking -----------------------------------------------------------------------------------------------------

UNKNOWN_NAMES = {
    'model = "lamp.py"': ('model = "lump.py"', "no file FOLDER/lump.py"),
    "top = 2": ("topp = 2", "lamp has no parameter 'topp'; did you mean 'top'?"),
    'below = "HOLDS"': (
        'beyond = "HOLDS"',
        "no property 'beyond'; there is whole, not_both, below, bright, dark, deadlock_free, nobody_stuck",
    ),
    'properties = ["whole", "below"]': (
        'properties = ["whole"]',
        "below is declared but not asked for; add it to properties",
    ),
}


def test_a_path_that_no_file_can_have_is_told_with_the_place(folder: Path) -> None:
    path = folder.resolve() / "a\0" / "b.py"
    for model, said in {
        "a\\u0000/b.py": f"{str(path)!r} has the character '\\x00', which no path of a model may have; rename it",
        f"{'a' * 5000}.py": f"cannot read {path.parents[1] / ('a' * 5000)}.py: File name too long",
    }.items():
        Path("expected.toml").write_text(GOOD.replace("lamp.py", model), encoding="utf-8")
        for use in (judging.bind, judging.job):
            with pytest.raises(UsageError) as caught:
                use(read(Path("expected.toml"))[0])
            assert str(caught.value) == f"expected.toml:2: {said}"


@pytest.mark.parametrize("old", UNKNOWN_NAMES)
def test_what_does_not_exist_is_told_with_the_place(old: str, folder: Path) -> None:
    new, said = UNKNOWN_NAMES[old]
    Path("expected.toml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        judging.perform(read(Path("expected.toml"))[0])
    assert str(caught.value).replace(str(folder), "FOLDER") == f"expected.toml:2: {said}"


def test_results_are_those_of_check_in_the_order_of_the_runs(folder: Path) -> None:
    declared = read(Path("expected.toml"))
    found = list(judging.results(declared))
    assert [run for run, _ in found] == list(declared)
    lamp = catalog.bind(catalog.find("lamp.py"), {"top": "2", "kernel": "red"})
    expected = check(lamp, Options(faults=1, properties=("whole", "below"))).verdicts
    assert [(v.prop, v.status, v.trace) for v in found[0][1].verdicts] == [
        (v.prop, v.status, v.trace) for v in expected
    ]


# ---- comparing ----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(folder: Path) -> Run:
    return read(Path("expected.toml"))[0]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """The report on the first run of GOOD."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "lamp.py").write_text(LAMP, encoding="utf-8")
    (folder / "expected.toml").write_text(GOOD, encoding="utf-8")
    return judging.perform(read(folder / "expected.toml")[0])


def said(outcome: Outcome) -> list[str]:
    return [sentence for finding in outcome.differences for sentence in finding.said]


def test_the_same_verdicts_with_the_same_lengths_are_as_declared(run: Run, report: Report) -> None:
    outcome = judging.compare(run, report)
    assert outcome.as_declared
    assert [(finding.name, finding.said) for finding in outcome.findings] == [("whole", ()), ("below", ())]


VIOLATED, HOLDS, UNKNOWN = Status.VIOLATED, Status.HOLDS, Status.UNKNOWN
DIFFERENT = {
    "another length": (
        {"steps": {"whole": 2}},
        ["whole is VIOLATED in 1 steps; declared VIOLATED in 2 steps"],
    ),
    "no length": (
        {"steps": {}},
        ["whole is VIOLATED in 1 steps; declared VIOLATED without a length; write whole = 1 in [run.steps]"],
    ),
    "better than it is": (
        {"verdicts": {"whole": HOLDS, "below": HOLDS}, "steps": {}},
        ["whole is VIOLATED in 1 steps; declared HOLDS"],
    ),
    "worse than it is": (
        {"verdicts": {"whole": VIOLATED, "below": VIOLATED}, "steps": {"whole": 1, "below": 3}},
        ["below(i=8) is HOLDS; declared VIOLATED in 3 steps", "below(i=9) is HOLDS; declared VIOLATED in 3 steps"],
    ),
    "unknown but it is known": (
        {"verdicts": {"whole": VIOLATED, "below": UNKNOWN}},
        ["below(i=8) is HOLDS; declared UNKNOWN", "below(i=9) is HOLDS; declared UNKNOWN"],
    ),
    "not declared and bad": (
        {"verdicts": {"below": HOLDS}, "steps": {}},
        ["whole is VIOLATED in 1 steps; not declared"],
    ),
    "a length of what has no trace": (
        {"steps": {"whole": 1, "below": 5}},
        ["below is HOLDS; declared HOLDS in 5 steps"],
    ),
    "not declared and good": ({"verdicts": {"whole": VIOLATED}}, []),
    "not declared, bad, and partial": ({"verdicts": {"below": HOLDS}, "steps": {}, "partial": True}, []),
    "an instance": ({"verdicts": {"whole": VIOLATED, "below(i=8)": HOLDS}}, []),
}


@pytest.mark.parametrize("change", DIFFERENT)
def test_a_difference_is_told_in_words(change: str, run: Run, report: Report) -> None:
    changed, differences = DIFFERENT[change]
    outcome = judging.compare(replace(run, **changed), report)
    assert said(outcome) == differences
    assert not any(finding.unknown for finding in outcome.differences)
    assert outcome.as_declared is (not differences)


def test_unknown_is_a_difference_of_its_own_kind(run: Run, report: Report) -> None:
    verdicts = tuple(replace(v, status=UNKNOWN, trace=None, reason="no time") for v in report.verdicts)
    outcome = judging.compare(run, replace(report, verdicts=verdicts))
    assert said(outcome) == [
        "whole is UNKNOWN (no time); declared VIOLATED in 1 steps",
        "below(i=8) is UNKNOWN (no time); declared HOLDS",
        "below(i=9) is UNKNOWN (no time); declared HOLDS",
    ]
    assert all(finding.unknown for finding in outcome.differences)
    expected = replace(run, verdicts={"whole": UNKNOWN, "below": UNKNOWN}, steps={})
    assert judging.compare(expected, replace(report, verdicts=verdicts)).as_declared


def test_a_family_whose_instances_differ_is_told_by_instance(run: Run, report: Report) -> None:
    first, *others = report.verdicts
    bad = replace(others[0], status=VIOLATED, trace=first.trace)
    outcome = judging.compare(run, replace(report, verdicts=(first, bad, *others[1:])))
    assert said(outcome) == ["below(i=8) is VIOLATED in 1 steps; declared HOLDS"]
    assert outcome.differences[0].verdict is bad


def test_numbers_of_states_are_compared_only_on_request(run: Run, report: Report) -> None:
    found = judging.sizes(judging.perform(replace(run, properties=())))
    full = replace(run, properties=(), partial=True, size=found | {"states": found["states"] + 1})
    whole = judging.perform(full)
    assert judging.compare(full, whole).as_declared
    assert said(judging.compare(full, whole, counts=True)) == [
        f"{found['states']} states; declared {found['states'] + 1}",
    ]
    assert judging.compare(replace(full, size=found), whole, counts=True).as_declared


def test_a_declared_size_is_not_as_declared_when_nobody_knows_it(run: Run, report: Report) -> None:
    sized = replace(run, size={"states": 999})
    assert judging.compare(sized, report).as_declared
    for size in (None, replace(report.size, complete=False)):
        outcome = judging.compare(sized, replace(report, size=size), counts=True)
        assert said(outcome) == ["the search was not complete; declared 999 states"]
        assert outcome.differences[0].unknown
    assert judging.compare(run, replace(report, size=None), counts=True).as_declared


def test_what_was_lost_is_never_as_declared(run: Run, report: Report) -> None:
    found = checks.lost(judging.job(run), "no answer within 1 s, twice")
    expected = replace(run, verdicts={"whole": UNKNOWN, "below": VIOLATED}, steps={"below": 3})
    outcome = judging.compare(expected, found)
    assert said(outcome) == [
        "whole was not checked (no answer within 1 s, twice); declared UNKNOWN",
        "below was not checked (no answer within 1 s, twice); declared VIOLATED in 3 steps",
    ]
    assert all(finding.unknown for finding in outcome.differences)
    assert judging.filled(expected, found) == expected


def test_engines_that_disagree_are_never_as_declared(run: Run, report: Report) -> None:
    assert not judging.compare(run, replace(report, disagreements=("whole: they differ",))).as_declared


# ---- writing ------------------------------------------------------------------------------------------------------


def test_figures_are_filled_in_and_verdicts_never(run: Run, report: Report) -> None:
    empty = replace(run, steps={}, size={"states": 7})
    assert judging.filled(empty, report).steps == {"whole": 1}
    assert judging.filled(empty, report).verdicts == run.verdicts
    wrong = replace(empty, verdicts={"whole": HOLDS, "below": HOLDS})
    assert judging.filled(wrong, report) == wrong
    assert judging.filled(empty, replace(report, disagreements=("they differ",))) == empty


def test_a_size_is_filled_in_where_one_is_declared_and_the_search_was_complete(run: Run, report: Report) -> None:
    assert report.size is not None
    partly = replace(report, size=replace(report.size, complete=False))
    whole = replace(report, size=replace(report.size, complete=True))
    asked = replace(run, size={"states": 7})
    assert judging.filled(asked, partly).size == {"states": 7}
    assert judging.filled(asked, whole).size == {"states": report.size.states}
    assert judging.filled(run, whole).size == {}
