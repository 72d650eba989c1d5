# SPDX-License-Identifier: Apache-2.0
"""`cprcheck interleavings`: the runs of a model, counted by outcome."""

from __future__ import annotations

from pathlib import Path

import click

from cprcheck import files
from cprcheck.arguments import OK, UNKNOWN, again, bind, budget, fault_options, model_options, progress, say


@click.command()
@model_options
@fault_options
@click.option("--max-states", type=click.IntRange(min=1), default=1_000_000, show_default=True, metavar="N")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=2_000_000,
    show_default=True,
    metavar="N",
    help="Walk at most N steps inside loops.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the result here.")
@click.option("--no-traces", is_flag=True, help="Print the outcomes only.")
def interleavings(
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    faults: str,
    injected: bool,
    max_states: int,
    limit: int,
    json_file: Path | None,
    no_traces: bool,
) -> int:
    """Count the runs of MODEL by outcome, with a shortest run of each.

    A run starts in an initial state, never comes back to a state it has been in, and ends in one where nobody has to
    move.  Steps that change nothing are left out.
    """
    from cprcheck.compare import runs
    from cprcheck.report import interleavings as report

    options = runs.Options(budget(faults), injected, max_states, limit)
    with progress() as tell:
        found = runs.interleavings(bind(model, params, kernel, env), options, tell)
    words = again("interleavings", model, params, kernel, env, faults, injected)
    words += ["--max-states", str(max_states)] if max_states != runs.Options().states else []
    words += ["--limit", str(limit)] if limit != runs.Options().limit else []
    say(report.lines(found, words, traces=not no_traces))
    if json_file is not None:
        files.write(json_file, report.dumps(found))
    return UNKNOWN if found.stopped else OK
