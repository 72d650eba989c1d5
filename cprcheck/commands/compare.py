# SPDX-License-Identifier: Apache-2.0
"""`cprcheck compare`: designs side by side, in figures."""

from __future__ import annotations

from pathlib import Path

import click

from cprcheck import files
from cprcheck.arguments import OK, UNKNOWN, assignments, progress, say, seconds
from cprcheck.errors import UsageError


@click.command()
@click.argument("designs", nargs=-1, metavar="[DESIGN]...")
@click.option("--kernel", "kernels", multiple=True, metavar="ERA", help="A kernel era or version.  [E1 and E4]")
@click.option("--topology", "topologies", multiple=True, metavar="T", help="For the failures.  [2p, p/e and e/p]")
@click.option(
    "--containers", type=click.IntRange(1, 16), default=4, show_default=True, metavar="N", help="Count up to N."
)
@click.option("-p", "params", multiple=True, metavar="NAME=VALUE", help="Set another parameter of every design.")
@click.option("--max-states", type=click.IntRange(min=1), default=200_000, show_default=True, metavar="N")
@click.option("--timeout", type=float, callback=seconds, metavar="S", help="Seconds for each search.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the figures here.")
def compare(
    designs: tuple[str, ...],
    kernels: tuple[str, ...],
    topologies: tuple[str, ...],
    containers: int,
    params: tuple[str, ...],
    max_states: int,
    timeout: float | None,
    markdown: bool,
    json_file: Path | None,
) -> int:
    """Measure every DESIGN (all that are shipped): operations, what follows a failure, what nobody recovers.

    A DESIGN is a model that takes a kernel, a topology and an environment, and has outcomes.
    """
    from cprcheck.compare import measuring
    from cprcheck.report import compare as report

    given = assignments(params, None, None)
    for name in measuring.PARAMETERS:
        if name in given:
            option = f"write --{name} VALUE" if name != "env" else "the environment is part of what is measured"
            raise UsageError(f"-p {name}={given[name]}: {option}")
    usual = measuring.Options()
    options = measuring.Options(
        kernels or usual.kernels, topologies or usual.topologies, containers, tuple(given.items()), max_states, timeout
    )
    with progress() as tell:
        found = [measuring.measure(design, options, tell) for design in measuring.designs(designs, given)]
    say(report.markdown(found) if markdown else report.text(found))
    if json_file is not None:
        files.write(json_file, report.dumps(found))
    return UNKNOWN if any(figures.reasons for figures in found) else OK
