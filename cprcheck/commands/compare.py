# SPDX-License-Identifier: Apache-2.0
"""`cprcheck compare`: designs side by side, in verdicts and figures."""

from __future__ import annotations

from pathlib import Path

import click

from cprcheck import files
from cprcheck.arguments import OK, UNKNOWN, OutputFile, assignments, progress, say, seconds
from cprcheck.commands.jobs import counted, job_options, warn
from cprcheck.errors import UsageError
from cprcheck.jobs.run import Settings


@click.command()
@click.argument("designs", nargs=-1, metavar="[DESIGN]...")
@click.option("--kernel", "kernels", multiple=True, metavar="ERA", help="A kernel era or version.  [E1 and E4]")
@click.option("--topology", "topologies", multiple=True, metavar="T", help="For the failures.  [2p, p/e and e/p]")
@click.option(
    "--containers", type=click.IntRange(1, 16), default=4, show_default=True, metavar="N", help="Count up to N."
)
@click.option("--pair/--no-pair", default=None, help="Tell two designs apart.  [when there are two]")
@click.option("--hide", "hidden", multiple=True, metavar="EVENT", help="An event by which they are not told apart.")
@click.option("-p", "params", multiple=True, metavar="NAME=VALUE", help="Set another parameter of every design.")
@click.option("--max-states", type=click.IntRange(min=1), default=200_000, show_default=True, metavar="N")
@click.option("--timeout", type=float, callback=seconds, metavar="S", help="Seconds for each search.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@click.option("--json", "json_file", type=OutputFile(), metavar="FILE", help="Write the figures here.")
@job_options
def compare(
    designs: tuple[str, ...],
    kernels: tuple[str, ...],
    topologies: tuple[str, ...],
    containers: int,
    pair: bool | None,
    hidden: tuple[str, ...],
    params: tuple[str, ...],
    max_states: int,
    timeout: float | None,
    markdown: bool,
    json_file: Path | None,
    settings: Settings,
) -> int:
    """Measure every DESIGN (all that are shipped): verdicts, operations, what follows failures, who is left behind.

    Two designs are also told apart: a shortest behaviour that one allows and the other forbids, and simulation.  Of
    several designs those on the Pareto front are named.

    A DESIGN is a model that takes a kernel, a topology and an environment, and has outcomes.  DESIGN:NAME=VALUE,...
    is a variant of it: failure_notifier failure_notifier:on_exec=yes.

    What is kept is used again while cprcheck, the model and what it imports stay the same.  A model that reads other
    files needs --no-cache when these change.
    """
    from cprcheck.compare import measuring
    from cprcheck.compare.designs import designs as named
    from cprcheck.report import compare as report

    usual = measuring.Options()
    options = measuring.Options(
        kernels or usual.kernels, topologies or usual.topologies, containers, max_states, timeout
    )
    models = named(designs, assignments(params, None, None))
    if pair and len(models) != 2:
        raise UsageError(f"--pair tells two designs apart, not {len(models)}: name two")
    if hidden and (pair is False or len(models) != 2):
        raise UsageError(f"--hide {hidden[0]}: only two designs are told apart by their events; name two")
    asked = [measuring.parts(model, options) for model in models]
    paired = len(models) == 2 and pair is not False
    versus = measuring.rivals(models[0], models[1], options, hidden) if paired else []
    every = [part for each in (*asked, versus) for part in each]
    with progress() as tell:
        answers = iter(measuring.run_jobs(every, settings, counted(tell, len(every)), warn))
    found = [
        measuring.collect(model, [next(answers) for _ in parts]) for model, parts in zip(models, asked, strict=True)
    ]
    pairs = [answer.versus for answer in answers if answer.versus is not None]
    measuring.require_events(hidden, pairs)
    say(report.markdown(found, pairs) if markdown else report.text(found, pairs))
    if json_file is not None:
        files.write(json_file, report.dumps(found, pairs))
    return UNKNOWN if report.unknown(found, pairs) else OK
