# SPDX-License-Identifier: Apache-2.0
"""`cprcheck outcomes`: the failure matrix of a design, alone or beside another's."""

from __future__ import annotations

from pathlib import Path

import click

from cprcheck import catalog, files
from cprcheck.arguments import OK, UNKNOWN, OutputFile, assignments, model_options, progress, say, seconds
from cprcheck.arguments import again as again_
from cprcheck.errors import UsageError


@click.command()
@model_options
@click.option("--injected", is_flag=True, help="Also let faults happen that the real kernel cannot produce.")
@click.option("--pairs", is_flag=True, help="Also two failures in one run.")
@click.option("--again", is_flag=True, help="Also another attempt after each failure.")
@click.option("--against", metavar="DESIGN", help="Set the matrix of another design beside it.")
@click.option(
    "--against-param", "other", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the other only."
)
@click.option("--changed", is_flag=True, help="With --against: only what differs.")
@click.option("--max-states", type=click.IntRange(min=1), default=1_000_000, show_default=True, metavar="N")
@click.option("--timeout", type=float, callback=seconds, metavar="S", help="Seconds for each search.")
@click.option("--traces", is_flag=True, help="Print the trace behind each row, too.")
@click.option("--markdown", is_flag=True, help="Print the table as Markdown.")
@click.option("--json", "json_file", type=OutputFile(), metavar="FILE", help="Write the result here.")
def outcomes(
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    injected: bool,
    pairs: bool,
    again: bool,
    against: str | None,
    other: tuple[str, ...],
    changed: bool,
    max_states: int,
    timeout: float | None,
    traces: bool,
    markdown: bool,
    json_file: Path | None,
) -> int:
    """Print the failure matrix of MODEL: for each place where something can fail, how that ends.

    The parameters are those of both designs; what the other does not have is left out there.
    """
    from cprcheck.compare import aftermath, matrix
    from cprcheck.report import outcomes as report

    if against is None and (changed or other):
        raise UsageError(f"{'--changed' if changed else '--against-param'}: write --against DESIGN, too")
    options = matrix.Options(pairs, again, injected, max_states, timeout)
    given = assignments(params, kernel, env)
    with progress() as tell:
        left = matrix.measure(matrix.trying_again(catalog.find(model), given), options, tell)
        found: aftermath.Matrix | aftermath.Beside = left
        if against is not None:
            second = catalog.find(against)
            shared = {name: value for name, value in given.items() if name in second.signature.parameters}
            own = assignments(other, None, None, "--against-param")
            right = matrix.measure(matrix.trying_again(second, {**shared, **own}), options, tell)
            found = aftermath.beside(left, right, changed=changed)
    words = again_("outcomes", model, params, kernel, env, "finite", injected)
    words += [f"--{name}" for name, is_set in (("pairs", pairs), ("again", again)) if is_set]
    words += [] if against is None else ["--against", against]
    words += [word for text in other for word in ("--against-param", text)]
    words += ["--changed"] if changed else []
    words += ["--max-states", str(max_states)] if max_states != matrix.Options().states else []
    say(report.markdown(found, traces=traces) if markdown else report.text(found, words, traces=traces))
    if json_file is not None:
        files.write(json_file, report.dumps(found))
    return UNKNOWN if any(one.stopped for one in found.matrices) else OK
