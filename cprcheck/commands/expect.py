# SPDX-License-Identifier: Apache-2.0
"""`cprcheck expect`: are the verdicts still those that were declared?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cprcheck import files
from cprcheck.arguments import BAD, DISAGREE, OK, UNKNOWN, OutputFile, progress, say
from cprcheck.commands.jobs import counted, job_options, warn
from cprcheck.commands.outputs import github_option, step_summary
from cprcheck.errors import UsageError
from cprcheck.jobs.run import Settings

if TYPE_CHECKING:
    from cprcheck.expectations.judging import Outcome
    from cprcheck.expectations.runs import Run


@click.command()
@click.argument("declared", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option("--model", "models", multiple=True, metavar="MODEL", help="Check only the runs of this model.")
@click.option("--quick", is_flag=True, help="Leave out the runs that are declared slow.")
@click.option("--counts", is_flag=True, help="Compare declared numbers of states too.")
@click.option("--write", is_flag=True, help="Write lengths and numbers of states into FILE; never a verdict.")
@click.option(
    "--junit", type=OutputFile(), metavar="FILE", help="Write a JUnit XML test for each declared verdict here."
)
@click.option("--summary", type=OutputFile(), metavar="FILE", help="Write a summary in Markdown here.")
@github_option
@click.option("--no-traces", is_flag=True, help="Print the differences only.")
@job_options
def expect(
    declared: tuple[Path, ...],
    models: tuple[str, ...],
    quick: bool,
    counts: bool,
    write: bool,
    junit: Path | None,
    summary: Path | None,
    github: bool,
    no_traces: bool,
    settings: Settings,
) -> int:
    """Check every [[run]] of FILE, and compare: the same verdicts, the same lengths of traces, and nothing else bad.

    Exit code 0: all as declared.  1: not as declared.  3: unknown where a verdict is declared.
    """
    from cprcheck.expectations import judging, runs
    from cprcheck.report import declared as report
    from cprcheck.report.junit import xml

    texts = {file: runs.content(file) for file in declared}
    everything = {file: runs.runs_of(file, text) for file, text in texts.items()}
    chosen = _chosen([run for each in everything.values() for run in each], models, quick)
    outcomes: list[Outcome] = []
    with progress() as tell:
        results = judging.results(chosen, settings, counted(tell, len(chosen)), warn)
    for run, found in results:
        outcomes.append(judging.compare(judging.filled(run, found) if write else run, found, counts=counts))
        say(report.lines(outcomes[-1], traces=not no_traces))
    say([report.last_line(outcomes)])
    if write:
        _write(texts, everything, {id(run): outcome.run for run, outcome in zip(chosen, outcomes, strict=True)})
    if junit is not None:
        files.write(junit, xml(report.suites(outcomes)))
    if summary is not None:
        files.write(summary, report.markdown(outcomes))
    if github:
        say(report.commands(outcomes))
        files.append(step_summary(), report.markdown(outcomes))
    return _exit_code(outcomes)


def _chosen(runs: Sequence[Run], models: Sequence[str], quick: bool) -> list[Run]:
    """The runs that were asked for.  Raises UsageError when there is none: then nothing would have been checked."""
    for model in models:
        if model not in {run.model for run in runs}:
            known = ", ".join(dict.fromkeys(run.model for run in runs))
            raise UsageError(f"no run of {model!r}; there is {known}")
    chosen = [run for run in runs if (not models or run.model in models) and not (quick and run.slow)]
    if not chosen:
        raise UsageError("all runs are declared slow; leave out --quick")
    return chosen


def _write(texts: dict[Path, str], everything: dict[Path, tuple[Run, ...]], filled: dict[int, Run]) -> None:
    """Write the figures of `filled`, which has runs by identity, into the files that declare them in `texts`.

    Raises UsageError, and writes nothing, when a file has another text by now.
    """
    from cprcheck.expectations.runs import content, rewritten

    for file, old in texts.items():
        if content(file) != old:
            raise UsageError(f"{file} was changed while its runs were checked: nothing is written; run it again")
    for file, old in texts.items():
        new = rewritten(old, [filled.get(id(run), run) for run in everything[file]])
        if new != old:
            files.write(file.resolve() if file.is_symlink() else file, new)
            click.echo(f"wrote {file}", err=True)


def _exit_code(outcomes: Sequence[Outcome]) -> int:
    """The highest of 4, 1, 3 that applies."""
    differences = [finding for outcome in outcomes for finding in outcome.differences]
    if any(outcome.report.disagreements for outcome in outcomes):
        return DISAGREE
    if any(not finding.unknown for finding in differences):
        return BAD
    return UNKNOWN if differences else OK
