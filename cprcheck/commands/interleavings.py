# SPDX-License-Identifier: Apache-2.0
"""`cprcheck interleavings`: the runs of a model, counted by outcome and up to the order of independent steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cprcheck import files
from cprcheck.arguments import OK, UNKNOWN, OutputFile, again, bind, budget, fault_options, model_options, progress, say
from cprcheck.errors import UsageError

ALL = 1_000
"""So many runs of each outcome `--show all` shows at most."""

many = click.IntRange(min=1)
path = OutputFile()


@click.command()
@model_options
@fault_options
@click.option("--max-states", type=many, default=1_000_000, show_default=True, metavar="N")
@click.option(
    "--limit", type=many, default=2_000_000, show_default=True, metavar="N", help="Walk at most N steps inside loops."
)
@click.option(
    "--different-limit",
    type=many,
    default=400_000,
    show_default=True,
    metavar="N",
    help="Take at most N steps to tell which runs are really different.",
)
@click.option(
    "--show", default="1", show_default=True, metavar="N|all", help="Show so many really different runs of an outcome."
)
@click.option("--happens-before", is_flag=True, help="Say for each run shown which steps have to come before which.")
@click.option("--dot", "dot_file", type=path, metavar="FILE", help="Write that as a graph (Graphviz) here.")
@click.option("--races", is_flag=True, help="Show the pairs of steps whose order decides how a run can end.")
@click.option(
    "--property",
    "judged",
    metavar="NAME",
    help="With --races: whose order decides whether NAME, or one of the family, can fail.",
)
@click.option("--json", "json_file", type=path, metavar="FILE", help="Write the result here.")
@click.option("--no-traces", is_flag=True, help="Print the outcomes only.")
def interleavings(
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    faults: str,
    injected: bool,
    dot_file: Path | None,
    json_file: Path | None,
    no_traces: bool,
    **how: Any,
) -> int:
    """Count the runs of MODEL by outcome, with a shortest run of each.

    A run starts in an initial state, never comes back to a state it has been in, and ends in one where nobody has to
    move.  Steps that change nothing are left out.  Runs are really different when they differ by more than the order
    of independent steps.
    """
    from cprcheck.compare import runs
    from cprcheck.report import happens_before
    from cprcheck.report import interleavings as report

    if how["judged"] and not how["races"]:
        raise UsageError("--property says what decides a race: write --races too")
    options = runs.Options(
        budget(faults),
        injected,
        how["max_states"],
        how["limit"],
        different=how["different_limit"],
        show=_shown(how["show"]),
        happens_before=how["happens_before"] or dot_file is not None,
        races=how["races"],
        judged=how["judged"] or "",
    )
    with progress() as tell:
        found = runs.interleavings(bind(model, params, kernel, env), options, tell)
    words = [*again("interleavings", model, params, kernel, env, faults, injected), *_words(how)]
    say(report.lines(found, words, traces=not no_traces, order=how["happens_before"]))
    if json_file is not None:
        files.write(json_file, report.dumps(found))
    if dot_file is not None:
        files.write(dot_file, happens_before.dumps(found))
    return UNKNOWN if found.stopped or found.merged else OK


def _shown(text: str) -> int:
    """How many runs of an outcome `--show` asks for."""
    if text == "all":
        return ALL
    if not text.isdecimal() or not 0 < int(text) <= ALL:
        raise UsageError(f"--show {text}: write a number from 1 to {ALL}, or all")
    return int(text)


def _words(how: dict[str, Any]) -> list[str]:
    """The options of this command alone that were given, but for files."""
    words = []
    for option in interleavings.params:
        value = how.get(str(option.name))
        if value is not None and value is not False and value != option.default:
            words += [option.opts[0]] if value is True else [option.opts[0], str(value)]
    return words
