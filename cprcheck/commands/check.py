# SPDX-License-Identifier: Apache-2.0
"""`cprcheck check`: the verdicts about one model."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from cprcheck.arguments import (
    again,
    bind,
    budget,
    exit_code,
    fault_options,
    model_options,
    progress,
    say,
    seconds,
)
from cprcheck.commands.drawings import draw, trace_option
from cprcheck.commands.outputs import output_options, write_outputs
from cprcheck.errors import UsageError

_COLOURS = {"VIOLATED": "red", "UNREACHABLE": "red", "UNKNOWN": "yellow", "HOLDS": "green", "REACHABLE": "green"}


@click.command()
@model_options
@fault_options
@click.option(
    "--property",
    "properties",
    multiple=True,
    metavar="P",
    help="Check only this property or family, and show how it is REACHABLE.",
)
@click.option("--engine", "engines", multiple=True, metavar="E", help="Use only explicit, bmc or prove.  [all]")
@click.option("--max-states", type=click.IntRange(min=1), default=1_000_000, show_default=True, metavar="N")
@click.option("--depth", type=click.IntRange(min=0), default=20, show_default=True, help="The depth of bmc alone.")
@click.option("--timeout", type=float, callback=seconds, metavar="S", help="Seconds for each engine on each question.")
@output_options
@trace_option
@click.option("--explain", is_flag=True, help="Say at each step of a trace what else could have happened.")
@click.option(
    "--why-not", "actions", multiple=True, metavar="ACTION", help="Say at each step why ACTION cannot happen."
)
@click.option("--no-traces", is_flag=True, help="Print the verdicts only.")
def check(
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    faults: str,
    injected: bool,
    properties: tuple[str, ...],
    engines: tuple[str, ...],
    max_states: int,
    depth: int,
    timeout: float | None,
    drawing: str,
    explain: bool,
    actions: tuple[str, ...],
    no_traces: bool,
    outputs: Mapping[str, Path],
) -> int:
    """Check the properties of MODEL: HOLDS with its scope, or VIOLATED with a shortest trace."""
    from cprcheck import checking
    from cprcheck.explain import find
    from cprcheck.passes.faults import with_faults
    from cprcheck.report import explain as explaining
    from cprcheck.report import text

    asked = explain or bool(actions)
    if asked and no_traces:
        raise UsageError("--explain and --why-not say something beside traces; leave --no-traces out")
    if asked and drawing != "text":
        raise UsageError(
            f"--explain and --why-not say something beside the text of traces; leave --trace {drawing} out"
        )
    options = checking.Options(
        engines or checking.ENGINES, budget(faults), injected, properties, max_states, timeout, depth
    )
    with progress() as tell:
        chosen = bind(model, params, kernel, env)
        for action in actions:
            find(with_faults(chosen.system, options.faults, injected=injected), action)
        found = checking.check(chosen, options, tell)
    words = [
        *again("check", model, params, kernel, env, faults, injected),
        *(w for e in engines for w in ("--engine", e)),
    ]
    words += ["--depth", str(depth)] if depth != checking.Options().depth else []
    drawn = None if drawing == "text" else draw(drawing)
    notes = partial(explaining.notes, others=explain, actions=actions) if asked else None
    lines = text.report(found, words, traces=not no_traces, named=properties, explain=notes, draw=drawn)
    say(map(_coloured, lines))
    if asked and not text.shown(found.verdicts, properties):
        click.echo("nothing to explain: nothing was violated", err=True)
    write_outputs(found, outputs, properties)
    return exit_code(found)


def _coloured(line: str) -> str:
    for word, colour in _COLOURS.items():
        if line.startswith(f"  {word} "):
            return f"  {click.style(word, fg=colour, bold=True)}{line[2 + len(word) :]}"
    return click.style(line, fg="red", bold=True) if line.startswith("DISAGREEMENT") else line
