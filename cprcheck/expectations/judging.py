# SPDX-License-Identifier: Apache-2.0
"""A check is held against what is declared.

A design that is known to be bad is as declared only while it is bad in the same way: the same properties, each with a
shortest trace of the same length.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from cprcheck import catalog
from cprcheck.checking import Progress, check, select
from cprcheck.errors import UsageError
from cprcheck.expectations.runs import Run
from cprcheck.jobs import checks
from cprcheck.jobs.job import Job, Result
from cprcheck.jobs.run import OnResult, Settings, Warn
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.system import System
from cprcheck.verdict import Report, Status, Verdict


def bind(run: Run) -> Model:
    """The model of a run with its parameters.  Raises UsageError, with the place of the run, when there is none."""
    with _told(run):
        return catalog.bind(catalog.find(run.found), run.params)


def perform(run: Run, progress: Progress | None = None) -> Report:
    """Check one configuration, here and now.

    Raises UsageError for a model, a parameter or a property that does not exist, ModelError for a model that breaks
    a rule.
    """
    model = bind(run)
    _admit(run, model.system)
    return check(model, run.options, progress)


def results(
    runs: Sequence[Run], settings: Settings | None = None, on_result: OnResult | None = None, warn: Warn | None = None
) -> list[tuple[Run, Report]]:
    """Each run with its report, in their order; each check is a job.

    Raises what `perform` and `jobs.run.run` raise.
    """
    jobs = [job(run) for run in runs]
    seen: list[Result] = []

    def note(result: Result) -> None:
        seen.append(result)
        if on_result is not None:
            on_result(result)

    try:
        found = checks.reports(jobs, settings, note, warn)
    except UsageError as error:  # a worker does not know where a run is declared
        for run, each in zip(runs, jobs, strict=True):
            if any(result.error is error and result.job == each for result in seen):
                with _told(run):
                    raise
        raise
    for run, report in zip(runs, found, strict=True):
        if not report.lost:
            _admit(run, report.system)
    return list(zip(runs, found, strict=True))


def job(run: Run) -> Job:
    """The check of one configuration as a job.  Raises UsageError, with the place of the run, as `checks.job` does."""
    with _told(run):
        return checks.job(run.found, run.params, run.options)


def _admit(run: Run, system: System) -> None:
    """Raise UsageError for a property that does not exist, and for one that is declared but not asked for."""
    with _told(run):
        known = with_faults(system, run.options.faults, injected=run.injected)
        asked = {name for prop in select(known, run.properties) for name in (prop.name, prop.family)}
        select(known, tuple(run.verdicts))
        for name in run.verdicts:
            if name not in asked:
                raise UsageError(f"{name} is declared but not asked for; add it to properties")


@contextmanager
def _told(run: Run) -> Iterator[None]:
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{run.place}: {error}") from error


def statuses(report: Report) -> dict[str, str]:
    """The verdict of each property, and of each family; those of its instances joined by a slash when they differ."""
    found: dict[str, dict[str, None]] = {}
    for verdict in report.verdicts:
        for name in (verdict.prop.name, verdict.prop.family):
            found.setdefault(name, {})[verdict.status.value] = None
    return {family: "/".join(values) for family, values in found.items()}


def lengths(report: Report) -> dict[str, int]:
    """The length of the shortest trace of each property, and of each family, that has one."""
    found: dict[str, int] = {}
    for verdict in report.verdicts:
        if verdict.trace is not None:
            for name in (verdict.prop.name, verdict.prop.family):
                found[name] = min(len(verdict.trace), found.get(name, len(verdict.trace)))
    return found


def sizes(report: Report) -> dict[str, int]:
    """The size of a complete search; empty when there was none."""
    size = report.size
    if size is None or not size.complete:
        return {}
    return {"states": size.states, "generated": size.generated, "depth": size.depth}


# ---- comparing --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One declared verdict beside what was found, or one that is not good and that nobody declared.

    `said` has a sentence for each difference, none when all is as declared.  `unknown` says that what differs is
    only not known, `unmeasured` that only the length of its trace is not declared.  `verdict` is what was found: where
    it differs, or of the shortest trace.
    """

    name: str
    verdict: Verdict | None = None
    said: tuple[str, ...] = ()
    unknown: bool = False
    unmeasured: bool = False


@dataclass(frozen=True)
class Outcome:
    """A run with its report, and all findings: declared ones first, in their order."""

    run: Run
    report: Report
    findings: tuple[Finding, ...]

    @property
    def differences(self) -> tuple[Finding, ...]:
        """The findings that are not as declared."""
        return tuple(finding for finding in self.findings if finding.said)

    @property
    def as_declared(self) -> bool:
        """Whether everything is as declared, and the engines agree."""
        return not self.differences and not self.report.disagreements


def compare(run: Run, report: Report, *, counts: bool = False) -> Outcome:
    """Hold a report against what is declared.

    What is not declared must be good, unless the run is `partial`.  With `counts` the size of the search has to be
    the declared one too.  Where the check was lost, nothing is as declared, not even UNKNOWN.
    """
    if report.lost:
        return Outcome(run, report, tuple(_lost(run, report.lost, name) for name in run.verdicts))
    found = lengths(report)
    findings = [_declared(run, report, name, found.get(name)) for name in run.verdicts]
    for verdict in report.verdicts:
        if (
            not run.partial
            and not verdict.status.good
            and not {verdict.prop.name, verdict.prop.family} & {*run.verdicts}
        ):
            said = (f"{_found(verdict)}; not declared",)
            findings.append(Finding(verdict.prop.name, verdict, said, verdict.status is Status.UNKNOWN))
    return Outcome(run, report, (*findings, *(_size(run, report) if counts else ())))


def _lost(run: Run, why: str, name: str) -> Finding:
    declared = _in_steps(run.verdicts[name].value, run.steps.get(name))
    return Finding(name, None, (f"{name} was not checked ({why}); declared {declared}",), unknown=True)


def _size(run: Run, report: Report) -> Iterator[Finding]:
    """How the size of the search differs from what is declared of it."""
    found = {} if report.size is None else vars(report.size)
    wrong = [key for key, value in run.size.items() if found.get(key) != value]
    if wrong and not sizes(report):
        said = ", ".join(f"{run.size[key]} {key}" for key in wrong)
        yield Finding("size", None, (f"the search was not complete; declared {said}",), unknown=True)
    elif wrong:
        yield Finding("size", None, tuple(f"{found[key]} {key}; declared {run.size[key]}" for key in wrong))


def _declared(run: Run, report: Report, name: str, length: int | None) -> Finding:
    """What was found of the property or family `name`, the shortest of whose traces has `length` steps."""
    declared, steps = run.verdicts[name], run.steps.get(name)
    mine = [verdict for verdict in report.verdicts if name in (verdict.prop.name, verdict.prop.family)]
    wrong = [verdict for verdict in mine if verdict.status is not declared]
    if wrong or not mine:
        said = tuple(f"{_found(verdict)}; declared {_in_steps(declared.value, steps)}" for verdict in wrong)
        unknown = all(verdict.status is Status.UNKNOWN for verdict in wrong)
        first = next((verdict for verdict in wrong if verdict.trace is not None), next(iter(wrong), None))
        return Finding(name, first, said or (f"{name} was not checked",), unknown)
    first = min(mine, key=lambda verdict: len(verdict.trace or ()))
    if length == steps or (steps is None and declared is not Status.VIOLATED):
        return Finding(name, first)
    missing = f" without a length; write {name} = {length} in [run.steps]"
    expected = missing if steps is None else f" in {steps} steps"
    said = (f"{name} is {_in_steps(declared.value, length)}; declared {declared.value}{expected}",)
    return Finding(name, first, said, unmeasured=steps is None)


def _found(verdict: Verdict) -> str:
    steps = None if verdict.trace is None else len(verdict.trace)
    reason = f" ({verdict.reason})" if verdict.reason else ""
    return f"{verdict.prop.name} is {_in_steps(verdict.status.value, steps)}{reason}"


def _in_steps(status: str, steps: int | None) -> str:
    return status if steps is None else f"{status} in {steps} steps"


# ---- figures ----------------------------------------------------------------------------------------------------


def filled(run: Run, report: Report) -> Run:
    """The run with the figures of its report: lengths of traces, and the size of the search where one is declared.

    A verdict is for a person to declare: where one differs, the run stays as it is.
    """
    found = statuses(report)
    if (
        report.lost
        or report.disagreements
        or any(found.get(name) != status.value for name, status in run.verdicts.items())
    ):
        return run
    steps = {name: length for name, length in lengths(report).items() if name in run.verdicts}
    return replace(run, steps=steps, size={**run.size} | {k: v for k, v in sizes(report).items() if k in run.size})
