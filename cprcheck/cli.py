# SPDX-License-Identifier: Apache-2.0
"""The command line: arguments in, exit code out.

Exit codes: 0 nothing violated and nothing unknown, 1 violated or unreachable, 2 usage or model error, 3 unknown,
4 engines disagree or a trace does not replay, 5 internal error, 130 interrupted.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from cprcheck import __version__, catalog, commands, files
from cprcheck.arguments import (
    BAD,
    DISAGREE,
    INTERNAL,
    INTERRUPTED,
    OK,
    UNKNOWN,
    USAGE,
    again,
    bind,
    budget,
    fault_options,
    model_options,
    progress,
    say,
    seconds,
)
from cprcheck.errors import DisagreementError, ModelError, UsageError
from cprcheck.system import System, meaning
from cprcheck.verdict import Report, Status

_COLOURS = {"VIOLATED": "red", "UNREACHABLE": "red", "UNKNOWN": "yellow", "HOLDS": "green", "REACHABLE": "green"}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cprcheck")
def cli() -> None:
    """A model checker for QEMU live update (CPR) with VFIO devices.

    MODEL is the name of a shipped model (see `cprcheck list`), FILE.py, or FILE.py::name.
    """


@cli.command(name="list")
def list_models() -> int:
    """List the shipped models, with what each of them asks."""
    from cprcheck.report import tables

    rows = [(model.name, model.doc.partition("\n")[0]) for _, model in catalog.shipped()]
    say(tables.two_columns(rows))
    return OK


@cli.command()
@model_options
@fault_options
def show(model: str, params: tuple[str, ...], kernel: str | None, env: str | None, faults: str, injected: bool) -> int:
    """Print the transition system of MODEL: all that an engine knows of it."""
    from cprcheck.passes.faults import with_faults

    system = with_faults(bind(model, params, kernel, env).system, budget(faults), injected=injected)
    say([f"# digest {system.digest()}; {system.merging}", *meaning(system)])
    return OK


@cli.command()
@model_options
@fault_options
@click.option("--property", "properties", multiple=True, metavar="P", help="Check only this property or family.")
@click.option("--engine", "engines", multiple=True, metavar="E", help="Use only explicit, bmc or prove.  [all]")
@click.option("--max-states", type=click.IntRange(min=1), default=1_000_000, show_default=True, metavar="N")
@click.option("--depth", type=click.IntRange(min=0), default=20, show_default=True, help="The depth of bmc alone.")
@click.option("--timeout", type=float, callback=seconds, metavar="S", help="Seconds for each engine on each question.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), metavar="FILE", help="Write the report here.")
@click.option("--itf", "itf_file", type=click.Path(path_type=Path), metavar="FILE", help="Write traces as ITF here.")
@click.option("--certificates", type=click.Path(path_type=Path), metavar="DIR", help="Write proofs as SMT-LIB here.")
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
    json_file: Path | None,
    itf_file: Path | None,
    certificates: Path | None,
    no_traces: bool,
) -> int:
    """Check the properties of MODEL: HOLDS with its scope, or VIOLATED with a shortest trace."""
    from cprcheck import checking
    from cprcheck.report import text

    options = checking.Options(
        engines or checking.ENGINES, budget(faults), injected, properties, max_states, timeout, depth
    )
    with progress() as tell:
        found = checking.check(bind(model, params, kernel, env), options, tell)
    words = [
        *again("check", model, params, kernel, env, faults, injected),
        *(w for e in engines for w in ("--engine", e)),
    ]
    words += ["--depth", str(depth)] if depth != checking.Options().depth else []
    say(map(_coloured, text.report(found, words, traces=not no_traces)))
    write_outputs(found, json_file, itf_file, certificates)
    return exit_code(found)


@cli.command()
@model_options
@fault_options
@click.option("--take", metavar="1,2…", help="Take these steps and stop, instead of asking.")
def step(
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    faults: str,
    injected: bool,
    take: str | None,
) -> int:
    """Walk MODEL by hand: see each state and what can happen next."""
    from cprcheck.passes.faults import with_faults

    system = bind(model, params, kernel, env).system
    _walk(with_faults(system, budget(faults), injected=injected), take)
    return OK


def _walk(system: System, take: str | None) -> None:
    """Take the steps that `take` lists or, without it, those that a person asks for."""
    from cprcheck.report import text
    from cprcheck.walk import Walk

    walk = Walk(system)
    answers = None if take is None else iter(take.split(","))
    if walk.started:
        say(text.trace_lines(system, walk.trace()))
    while True:
        options = walk.options()
        say(text.options(system, options, started=walk.started))
        answer = _ask() if answers is None else next(answers, "q").strip()
        if answer == "q":
            return
        if answer == "b":
            walk.back()
            if walk.started:
                say(text.state_lines(system, walk.trace().states[-1], len(walk.trace())))
        elif answer.isdecimal() and 0 < int(answer) <= len(options):
            before = walk.started
            walk.take(int(answer) - 1)
            say(text.last_step(system, walk.trace()) if before else text.trace_lines(system, walk.trace()))
        else:
            wrong = f"no step {answer!r}; there are {len(options)}"
            if answers is not None:
                raise UsageError(wrong)
            click.echo(wrong, err=True)


def _ask() -> str:
    """What a person wants next; the end of the input is the end of the walk."""
    try:
        answer: str = click.prompt("step, b(ack) or q(uit)", default="q")
    except click.Abort:
        return "q"
    return answer.strip()


# ---- parts ------------------------------------------------------------------------------------------------------


def exit_code(found: Report) -> int:
    """The exit code for a report: the highest of 4, 1, 3 that applies."""
    statuses = {verdict.status for verdict in found.verdicts}
    if found.disagreements:
        return DISAGREE
    if any(status.bad for status in statuses):
        return BAD
    return UNKNOWN if Status.UNKNOWN in statuses else OK


def write_outputs(found: Report, json_file: Path | None, itf_file: Path | None, certificates: Path | None) -> None:
    """Write the files that were asked for, each as a whole or not at all."""
    from cprcheck.report import document, itf, text

    if json_file is not None:
        files.write(json_file, document.dumps(found))
    if itf_file is not None:
        shown = text.shown(found.verdicts)
        for verdict in shown:
            several = itf_file.with_name(f"{files.safe(verdict.prop.name)}-{itf_file.name}")
            name = itf_file if len(shown) == 1 else several
            files.write(name, itf.dumps(found.system, verdict))
            click.echo(f"wrote {name}", err=True)
        if not shown:
            click.echo(f"{itf_file} not written: nothing was violated", err=True)
    if certificates is not None:
        files.make_folder(certificates)
        write_certificates(found, certificates)


def write_certificates(found: Report, folder: Path) -> None:
    """Write the SMT-LIB queries of every proof: each is unsatisfiable, and any solver can say so."""
    for verdict in found.verdicts:
        for answer in verdict.answers:
            for query, content in answer.certificate:
                files.write(folder / f"{files.safe(verdict.prop.name)}-{query}.smt2", content)


def _coloured(line: str) -> str:
    for word, colour in _COLOURS.items():
        if line.startswith(f"  {word} "):
            return f"  {click.style(word, fg=colour, bold=True)}{line[2 + len(word) :]}"
    return click.style(line, fg="red", bold=True) if line.startswith("DISAGREEMENT") else line


for command in commands.COMMANDS:
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code.  An exception of ours, or of Python's, never ends in code 1."""
    try:
        with cli.make_context("cprcheck", list(sys.argv[1:] if arguments is None else arguments)) as context:
            code: int = cli.invoke(context)
            return code
    except click.exceptions.Exit as finished:  # --help and --version
        return finished.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except (ModelError, UsageError) as error:
        click.echo(f"cprcheck: {error}", err=True)
        return USAGE
    except DisagreementError as error:
        click.echo(f"cprcheck: DISAGREEMENT {error}", err=True)
        return DISAGREE
    except Exception:
        click.echo(f"cprcheck: internal error, please report it\n{traceback.format_exc()}", err=True)
        return INTERNAL
