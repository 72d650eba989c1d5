"""The pytest plugin: a test for each property and each declared verdict, and nothing at all without `--cprcheck`."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from lamp import LAMP, TRACE

from cprcheck import catalog, checking
from cprcheck.expectations import judging
from cprcheck.pytest_plugin import is_expectations, is_models
from cprcheck.report import declared

INSTALLED = any(each.name == "cprcheck" for each in entry_points(group="pytest11"))
PLUGIN = () if INSTALLED else ("-p", "cprcheck.pytest_plugin")
"""An installed cprcheck is found by pytest itself."""
QUIET = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")  # hypothesis takes seconds to load in each run
EXPECTED = """\
[[run]]
model = "lamp.py"
properties = ["not_both", "below"]
[run.verdicts]
not_both = "VIOLATED"
below = "HOLDS"
[run.steps]
not_both = 2

[[run]]
model = "lamp.py"
faults = "none"
slow = true
partial = true
[run.verdicts]
bright = "REACHABLE"
"""


@pytest.fixture(scope="module", autouse=True)
def everything_is_loaded(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is loaded before pytester runs something is not loaded again by each of its runs: z3 takes its time."""
    path = tmp_path_factory.mktemp("loaded") / "lamp.py"
    path.write_text(LAMP)
    assert catalog.models_in(path)
    assert declared
    assert not checking.check(catalog.models_in(path)[0]()).ok


@pytest.fixture
def models(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with one model, expectations, and an ordinary test."""
    pytester.makepyfile(lamp=LAMP, test_other="def test_other():\n    pass\n")
    (pytester.path / "expected.toml").write_text(EXPECTED)
    return pytester


def run(models: pytest.Pytester, *options: str) -> pytest.RunResult:
    return models.runpytest_inprocess(*PLUGIN, *QUIET, "-q", *options)


def names(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


def test_without_the_option_there_is_nothing_of_ours(models: pytest.Pytester) -> None:
    assert names(run(models, "--collect-only")) == ["test_other.py::test_other"]


def test_without_the_option_no_solver_and_no_engine_is_loaded(models: pytest.Pytester) -> None:
    models.makepyfile(test_other="import sys\ndef test_other():\n    assert not {'z3', 'networkx'} & {*sys.modules}\n")
    assert models.runpytest_subprocess(*PLUGIN, *QUIET).ret == 0


def test_each_property_and_each_declared_verdict_is_a_test(models: pytest.Pytester) -> None:
    properties = ("whole", "not_both", "below(i=8)", "below(i=9)", "bright", "dark", "deadlock_free", "nobody_stuck")
    assert names(run(models, "--cprcheck", "--collect-only")) == [
        "expected.toml::lamp.py() faults finite::not_both",
        "expected.toml::lamp.py() faults finite::below",
        "expected.toml::lamp.py() faults finite::everything else is good",
        "expected.toml::lamp.py() faults none::bright",
        "test_other.py::test_other",
    ]
    (models.path / "expected.toml").unlink()
    assert names(run(models, "--cprcheck", "--collect-only")) == [
        *(f"lamp.py::lamp::{name}" for name in properties),
        "test_other.py::test_other",
    ]


@pytest.mark.slow
def test_a_model_that_is_declared_is_tested_as_declared_and_not_otherwise(models: pytest.Pytester) -> None:
    folder = models.mkdir("designs")
    for name in ("lamp.py", "expected.toml"):
        (models.path / name).rename(folder / name)
    (folder / "bulb.py").write_text(LAMP.replace("def lamp(", "def bulb("))
    run(models, "--cprcheck", "designs/lamp.py").assert_outcomes(passed=5, failed=3)
    run(models, "--cprcheck", "designs/lamp.py", "designs/expected.toml").assert_outcomes(passed=4, deselected=8)
    result = run(models, "--cprcheck", "designs")
    result.assert_outcomes(passed=4 + 5, failed=3, deselected=8)
    assert not [line for line in result.outlines if line.startswith("FAILED") and "bulb.py::bulb::" not in line]
    # a declared run that is left out declares all the same
    chosen = run(models, "--cprcheck", "designs", "-m", "not cprcheck_slow", "-k", "bright")
    chosen.assert_outcomes(passed=1, deselected=8 + 4 + 7)


def test_a_model_that_needs_a_parameter_and_is_declared_is_not_skipped(models: pytest.Pytester) -> None:
    models.makepyfile(lamp=LAMP.replace("top: int = 2", "top: int"))
    given = '[[run]]\nmodel = "lamp.py::lamp"\nparams = { top = 2 }\npartial = true\n'
    (models.path / "expected.toml").write_text(f'{given}[run.verdicts]\nbright = "REACHABLE"\n')
    run(models, "--cprcheck").assert_outcomes(passed=2, deselected=1)


def test_a_declared_model_that_does_not_exist_fails_its_own_tests_only(models: pytest.Pytester) -> None:
    (models.path / "expected.toml").write_text('[[run]]\nmodel = "lump.py"\n[run.verdicts]\nbright = "REACHABLE"\n')
    result = run(models, "--cprcheck")
    result.assert_outcomes(passed=6, failed=3 + 2)
    assert f"\nexpected.toml:1: no file {models.path}/lump.py\n" in result.stdout.str()


def test_a_bad_property_fails_with_its_trace_and_without_a_traceback(models: pytest.Pytester) -> None:
    result = run(models, "--cprcheck", "lamp.py")
    result.assert_outcomes(passed=5, failed=3)
    evidence = TRACE.rpartition("\n  again:")[0]
    assert evidence in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    assert "pytest_plugin.py" not in result.stdout.str()


def test_a_single_test_can_be_named(models: pytest.Pytester) -> None:
    run(models, "--cprcheck", "lamp.py::lamp::below(i=8)").assert_outcomes(passed=1)


def test_what_is_bad_as_declared_passes(models: pytest.Pytester) -> None:
    run(models, "--cprcheck", "expected.toml").assert_outcomes(passed=4)
    run(models, "--cprcheck", "-m", "not cprcheck_slow", "expected.toml").assert_outcomes(passed=3, deselected=1)


def test_what_is_not_as_declared_fails_with_the_difference_and_the_trace(models: pytest.Pytester) -> None:
    path = models.path / "expected.toml"
    path.write_text(EXPECTED.replace("not_both = 2", "not_both = 3"))
    result = run(models, "--cprcheck", "expected.toml")
    result.assert_outcomes(passed=3, failed=1)
    said = f"not_both is VIOLATED in 2 steps; declared VIOLATED in 3 steps\n{TRACE}"
    assert said in result.stdout.str()
    path.write_text(EXPECTED.replace('"not_both", "below"', '"not_both", "below", "whole"'))
    result = run(models, "--cprcheck", "expected.toml")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*everything else is good*", "whole is VIOLATED in 1 steps; not declared"])


def test_unknown_fails_with_its_reason(models: pytest.Pytester) -> None:
    engine = 'engines = ["bmc"]\nproperties = ["below"]\npartial = true\n'
    given = f'[[run]]\nmodel = "lamp.py"\n{engine}[run.verdicts]\nbelow = "HOLDS"\n'
    (models.path / "expected.toml").write_text(given)
    result = run(models, "--cprcheck", "expected.toml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["below(i=8) is UNKNOWN (bmc: *); declared HOLDS"])


def test_engines_that_disagree_fail_every_test(models: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    check = checking.check
    for module in (checking, judging):
        monkeypatch.setattr(module, "check", lambda *given: replace(check(*given), disagreements=("they differ",)))
    for name, many in (("expected.toml", 4), ("lamp.py", 8)):
        result = run(models, "--cprcheck", name)
        result.assert_outcomes(failed=many)
        assert result.stdout.str().count("\nDISAGREEMENT they differ\n") == many


def test_a_model_is_checked_once(models: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    check = checking.check
    monkeypatch.setattr(checking, "check", lambda model: calls.append(model) or check(model))
    run(models, "--cprcheck", "lamp.py")
    assert len(calls) == 1


def test_a_model_that_needs_a_parameter_is_skipped_and_says_so(models: pytest.Pytester) -> None:
    models.makepyfile(lamp=LAMP.replace("top: int = 2", "top: int"))
    result = run(models, "--cprcheck", "-rs", "lamp.py")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*lamp needs a value for 'top'; declare one in an expected*"])


BROKEN = {
    "lamp.py": (
        LAMP.replace("return m\n", "pass\n"),
        "lamp.py:7: lamp returns None; a model function returns its Model",
    ),
    "other.py": (f"{LAMP}\n1 / 0\n", f"other.py:{LAMP.count(chr(10)) + 2}: ZeroDivisionError: division by zero"),
    "broken.py": ("from cprcheck import model\n1 +\n", "broken.py:2: SyntaxError: invalid syntax (broken.py, line 2)"),
    "expected.toml": ('[[run]]\nmodle = "x"\n', "expected.toml:1: unknown key 'modle'; did you mean 'model'?"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_told_in_a_sentence(name: str, models: pytest.Pytester) -> None:
    text, said = BROKEN[name]
    (models.path / name).write_text(text)
    result = run(models, "--cprcheck", name)
    result.assert_outcomes(errors=1)
    assert f"\n{said}\n" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_runs_of_one_name_are_told_apart(models: pytest.Pytester) -> None:
    second = EXPECTED.replace('faults = "none"\n', "")
    (models.path / "expected.toml").write_text(second)
    found = names(run(models, "--cprcheck", "--collect-only", "expected.toml"))
    assert found[-1] == "expected.toml::lamp.py() faults finite #2::bright"


def test_a_test_file_with_a_model_in_it_is_still_a_test_file(models: pytest.Pytester) -> None:
    models.makepyfile(test_lamp=f"{LAMP}\ndef test_lamp():\n    assert lamp().system.name == 'lamp'\n")
    assert names(run(models, "--cprcheck", "--collect-only", "test_lamp.py")) == ["test_lamp.py::test_lamp"]


FOREIGN = {
    "a comment": "# uses @model\n",
    "a string": '"""from cprcheck import model; @model"""\n',
    "another decorator": "from cprcheck import model\nmodel_validator = print\n@model_validator\ndef f(): pass\n",
    "another library's": "from pydantic import model\n@model\ndef f(): pass\n",
    "its own": "def model(f): return f\n@model\ndef f(): pass\n",
    "a method": "from cprcheck import model\nclass A:\n    @model\n    def f(self): pass\n",
    "no Python": "@model\nprint 'x'\n",
    "a NUL": "@model\n\0",
}
OURS = (
    "from cprcheck import Model, model",
    "from cprcheck import model as model",
    "from cprcheck import *",
    "from cprcheck.language.decorator import model",
    "import cprcheck; model = 0\n@cprcheck.model\ndef g(): pass",
    "import cprcheck as c\n@c.model\ndef g(): pass",
    "try:\n    from cprcheck import model\nexcept ImportError: pass",
)


def test_what_only_looks_like_a_model_is_never_run(models: pytest.Pytester) -> None:
    for at, text in enumerate(FOREIGN.values()):
        (models.path / f"script{at}.py").write_text(f"{text}\nopen('ran', 'w')\n")
    (models.path / "conftest.py").write_text(f"open('loaded', 'a').write('x')\n{LAMP}")
    assert len(names(run(models, "--cprcheck", "--collect-only"))) == 5
    assert not (models.path / "ran").exists()
    assert (models.path / "loaded").read_text() == "x"


@pytest.mark.parametrize("text", OURS)
def test_a_model_is_known_by_the_decorator_that_is_imported(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"{text}\n@model\ndef f(): pass\n")
    assert is_models(path, ["test_*.py"])


def test_a_file_that_cannot_be_read_is_told_in_a_sentence(
    models: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Path.read_bytes

    def denied(self: Path) -> bytes:
        if self.name == "closed.py":
            raise PermissionError(13, "Permission denied", str(self))
        return read(self)

    def closed(_loader: object, path: str) -> bytes:
        return denied(Path(path))

    monkeypatch.setattr(Path, "read_bytes", denied)
    monkeypatch.setattr("cprcheck.imports.AsItIs.get_data", closed)
    (models.path / "closed.py").write_text(LAMP)
    result = run(models, "--cprcheck", "closed.py")
    result.assert_outcomes(errors=1)
    assert f"\nPermissionError: [Errno 13] Permission denied: '{models.path}/closed.py'\n" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_a_pattern_that_takes_every_file_for_tests_hides_no_model(models: pytest.Pytester) -> None:
    (models.path / "expected.toml").unlink()
    text = LAMP.replace("def lamp(", "def bulb(")
    models.makepyfile(bulb=f"{text}\ndef test_bulb():\n    assert bulb().system.name == 'bulb'\n")
    result = run(models, "--cprcheck", "-o", "python_files=*.py", "bulb.py", "test_other.py")
    result.assert_outcomes(passed=5 + 2, failed=3)


def test_what_failed_last_is_run_again_with_every_name(models: pytest.Pytester) -> None:
    declared = EXPECTED.replace('"lamp.py"', '"lamp.py::lamp"').replace("not_both = 2", "not_both = 3")
    (models.path / "expected.toml").write_text(declared)
    given = (*PLUGIN, "-p", "no:hypothesispytest", "--cprcheck", "-q", "expected.toml")
    result = models.runpytest_inprocess(*given)
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["FAILED expected.toml::lamp.py:lamp() faults finite::not_both - *"])
    models.runpytest_inprocess(*given, "--lf").assert_outcomes(failed=1, deselected=3)


def test_files_are_known_by_their_names(tmp_path: Path) -> None:
    told = {"expected.toml": True, "expected_mine.toml": True, "mine.cprcheck.toml": True, "pyproject.toml": False}
    assert {name: is_expectations(Path(name)) for name in told} == told
    text = {"lamp.py": LAMP, "_part.py": LAMP, "test_lamp.py": LAMP, "plain.py": "x = 1", "lamp.txt": LAMP}
    for name, content in text.items():
        (tmp_path / name).write_text(content)
    assert [name for name in text if is_models(tmp_path / name, ["test_*.py"])] == ["lamp.py"]


@pytest.mark.slow
def test_two_workers_agree_on_the_tests_and_check_each_model_in_one_of_them(models: pytest.Pytester) -> None:
    models.makepyfile(bulb=LAMP)
    result = models.runpytest_subprocess(*PLUGIN, *QUIET, "--cprcheck", "-n", "2", "--dist", "loadscope", "-v")
    result.assert_outcomes(passed=10, failed=3)
    workers = {line.split("]")[0] for line in result.outlines if "bulb.py::lamp::" in line and line.startswith("[gw")}
    assert len(workers) == 1
