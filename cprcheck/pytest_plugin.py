# SPDX-License-Identifier: Apache-2.0
"""A plugin for pytest: `pytest --cprcheck models/` makes a test of each property, and of each declared verdict.

Without `--cprcheck` it does nothing.  A model is checked once in each worker, when its first test runs; with
`pytest -n 2 --dist loadscope` all tests of a model go to one worker.
"""

from __future__ import annotations

import ast
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from cprcheck.catalog import Found
    from cprcheck.expectations.judging import Finding, Outcome
    from cprcheck.expectations.runs import Run
    from cprcheck.language.model import Model
    from cprcheck.verdict import Report

SLOW = "cprcheck_slow"
REST = "everything else is good"
"""The test that fails when something is bad that nobody declared."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option `--cprcheck`."""
    said = "check cprcheck models (*.py with @model) and declared expectations (expected*.toml, *.cprcheck.toml)"
    parser.getgroup("cprcheck").addoption("--cprcheck", action="store_true", help=said)


def pytest_configure(config: pytest.Config) -> None:
    """The marker of runs that are declared slow."""
    config.addinivalue_line("markers", f"{SLOW}: a run that is declared slow in a file of expectations")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """A file of models or of expectations is ours when `--cprcheck` is given."""
    others = yield
    if parent.config.getoption("--cprcheck"):
        if is_expectations(file_path):
            return [ExpectationsFile.from_parent(parent, path=file_path)]
        tests = parent.config.getini("python_files")
        if is_models(file_path, tests):
            both = any(fnmatch(file_path.name, pattern) for pattern in tests)  # python_files = *.py
            return [*(others if both else ()), ModelFile.from_parent(parent, path=file_path)]
    return others


def is_expectations(path: Path) -> bool:
    """Whether a file is one of declared expectations, by its name."""
    return fnmatch(path.name, "expected*.toml") or path.name.endswith(".cprcheck.toml")


def is_models(path: Path, tests: list[str]) -> bool:
    """Whether a Python file defines models; nothing in it is run to find out.

    Files that pytest takes for tests by a name of their own, and parts of models, do not.
    """
    if path.suffix != ".py" or path.name.startswith("_") or path.name == "conftest.py":
        return False
    own = [pattern for pattern in tests if not fnmatch(".py", pattern)]  # *.py is no name
    return not any(fnmatch(path.name, pattern) for pattern in own) and _has_models(path)


def _has_models(path: Path) -> bool:
    """Whether a function of the file has the decorator `model` that the file imports from cprcheck.

    Of a file that nobody can read, loading it will say so; so will Python of one that is no Python and names cprcheck.
    """
    try:
        text = path.read_bytes()
    except OSError:
        return True
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return b"cprcheck" in text
    ours: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "cprcheck":
            ours |= {alias.asname or "model" for alias in node.names if alias.name in ("model", "*")}
        elif isinstance(node, ast.Import):
            ours |= {f"{alias.asname or alias.name}.model" for alias in node.names if alias.name == "cprcheck"}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return any(ast.unparse(each) in ours for function in functions for each in function.decorator_list)


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose: what they leave out is declared all the same
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A model that a collected file of expectations names is tested by that file alone."""
    runs = {item.parent.run.found for item in items if isinstance(item, DeclaredItem)}
    declared = _models(runs) if any(isinstance(item, (PropertyItem, SkippedItem)) for item in items) else []
    left_out = [item for item in items if _model_of(item) in declared]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _model_of(item) not in declared]


def _models(names: Iterable[str]) -> list[Found | None]:
    """The models of these names; one that does not exist is told when its run is tested."""
    from cprcheck import catalog
    from cprcheck.errors import CprcheckError

    found: list[Found | None] = []
    for name in names:
        with suppress(CprcheckError):
            found.append(catalog.find(name))
    return found


def _model_of(item: pytest.Item) -> Found | None:
    """The model that a test of ours checks with its defaults; None for any other test."""
    if isinstance(item, SkippedItem):
        return item.found
    return item.parent.found if isinstance(item, PropertyItem) else None


class VerdictError(Exception):
    """What a test that fails has to say, without a traceback of ours."""


def sentence(error: BaseException) -> str | None:
    """What is told of an exception of ours; None for any other, which deserves its traceback."""
    from cprcheck.errors import CprcheckError

    return str(error) if isinstance(error, (VerdictError, CprcheckError)) else None


class Item(pytest.Item):
    """A test whose failure is told in our words."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The trace, or the sentence of one of our own exceptions."""
        return sentence(excinfo.value) or super().repr_failure(excinfo, style)


class Collector(pytest.Collector):
    """What has tests.  A model or a file that cannot be read is told in a sentence."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The sentence of one of our own exceptions."""
        return sentence(excinfo.value) or super().repr_failure(excinfo)


def agreed(report: Report) -> None:
    """Raise VerdictError when the engines disagree: then nothing in the report has been shown."""
    if report.disagreements:
        raise VerdictError("\n".join(f"DISAGREEMENT {said}" for said in report.disagreements))


# ---- a test for each property -----------------------------------------------------------------------------------


class ModelFile(Collector, pytest.File):
    """A file with models."""

    def collect(self) -> Iterator[pytest.Collector | pytest.Item]:
        """Its models; one whose parameters have no defaults cannot be checked without more."""
        from cprcheck import catalog

        for found in catalog.models_in(self.path):
            missing = catalog.required(found)
            if missing:
                yield SkippedItem.from_parent(self, name=found.name, found=found, missing=missing[0])
            else:
                yield ModelCollector.from_parent(self, name=found.name, found=found)


class SkippedItem(Item):
    """A model that needs to be told something."""

    def __init__(self, *, found: Found, missing: str, **given: Any) -> None:
        super().__init__(**given)
        self.found, self.missing = found, missing

    def runtest(self) -> None:
        """Skip, and say what to do."""
        pytest.skip(f"{self.name} needs a value for {self.missing!r}; declare one in an expected*.toml")


class ModelCollector(Collector):
    """A model with the defaults of its parameters."""

    def __init__(self, *, found: Found, **given: Any) -> None:
        super().__init__(**given)
        self.found = found

    @cached_property
    def model(self) -> Model:
        """The model itself."""
        made: Model = self.found()
        return made

    @cached_property
    def report(self) -> Report:
        """The verdicts, checked once."""
        from cprcheck.checking import check

        return check(self.model)

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each property."""
        for prop in self.model.system.properties:
            yield PropertyItem.from_parent(self, name=prop.name)


class PropertyItem(Item):
    """A property of a model: passes when its verdict is good."""

    parent: ModelCollector

    def runtest(self) -> None:
        """Raise VerdictError with the trace, or with the reason why there is no verdict."""
        from cprcheck.report import words

        report = self.parent.report
        agreed(report)
        verdict = report[self.name]
        if not verdict.status.good:
            raise VerdictError("\n".join(words.details(report.system, verdict)))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file and, where the property is claimed in it, the line."""
        source = next(prop.source for prop in self.parent.model.system.properties if prop.name == self.name)
        here = source is not None and Path(source.file) == self.path
        return self.path, source.line - 1 if source is not None and here else None, f"{self.parent.name}: {self.name}"


# ---- a test for each declared verdict ---------------------------------------------------------------------------


class ExpectationsFile(Collector, pytest.File):
    """A file of declared expectations."""

    def collect(self) -> Iterator[pytest.Collector]:
        """Its runs.  Runs of the same name are numbered from the second on."""
        from cprcheck.expectations import runs
        from cprcheck.report.words import numbered

        found = runs.read(self.path)
        names = numbered([run.title.replace("::", ":") for run in found])  # pytest, and --lf, would take :: for two
        for name, run in zip(names, found, strict=True):
            collector = RunCollector.from_parent(self, name=name, run=run)
            if run.slow:
                collector.add_marker(SLOW)
            yield collector


class RunCollector(Collector):
    """A configuration that is declared."""

    def __init__(self, *, run: Run, **given: Any) -> None:
        super().__init__(**given)
        self.run = run

    @cached_property
    def outcome(self) -> Outcome:
        """What was found, beside what is declared; checked once."""
        from cprcheck.expectations import judging

        return judging.compare(self.run, judging.perform(self.run))

    def collect(self) -> Iterator[pytest.Item]:
        """A test for each declared verdict, and one for all that is not declared."""
        for name in self.run.verdicts:
            yield DeclaredItem.from_parent(self, name=name)
        if not self.run.partial:
            yield DeclaredItem.from_parent(self, name=REST)


class DeclaredItem(Item):
    """A declared verdict: passes while the property has it, a bad one with a trace of the same length."""

    parent: RunCollector

    def mine(self) -> Iterator[Finding]:
        """The findings that this test is about."""
        for finding in self.parent.outcome.findings:
            if finding.name == self.name or (self.name == REST and finding.name not in self.parent.run.verdicts):
                yield finding

    def runtest(self) -> None:
        """Raise VerdictError with each difference, and the trace that was found."""
        from cprcheck.report import declared

        outcome = self.parent.outcome
        agreed(outcome.report)
        wrong = [finding for finding in self.mine() if finding.said]
        if wrong:
            raise VerdictError(
                "\n".join(line for each in wrong for line in (*each.said, *declared.evidence(outcome, each)))
            )

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The file and the line of the run."""
        return self.path, self.parent.run.line - 1, f"{self.parent.name}: {self.name}"
