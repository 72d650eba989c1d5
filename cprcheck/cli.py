# SPDX-License-Identifier: Apache-2.0
"""The command line: arguments in, exit code out.

Exit codes: 0 nothing violated and nothing unknown, 1 violated or unreachable, 2 usage or model error, 3 unknown,
4 engines disagree or a trace does not replay, 5 internal error, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import click

from cprcheck import __version__
from cprcheck.arguments import DISAGREE, INTERNAL, INTERRUPTED, OK, UNKNOWN, USAGE, throw_away, unsaid
from cprcheck.commands import COMMANDS
from cprcheck.errors import DisagreementError, ModelError, UsageError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cprcheck")
def cli() -> None:
    """A model checker for QEMU live update (CPR) with VFIO devices.

    MODEL is the name of a shipped model (see `cprcheck list`), FILE.py, or FILE.py::name.
    """


for command in COMMANDS:
    cli.add_command(command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    try:
        code = run(arguments)
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:  # standard error takes nothing either: Python would make that code 1, or 120 when it flushes
        code = INTERNAL
        for standard in (1, 2):
            throw_away(standard)
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit code.  An exception of ours, or of Python's, never ends in code 1."""
    try:
        _prepare()
        with (
            _printing(),
            cli.make_context("cprcheck", list(sys.argv[1:] if arguments is None else arguments)) as context,
        ):
            code: int = cli.invoke(context)
            return code
        return OK
    except click.exceptions.Exit as finished:  # --help and --version
        return finished.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt) as stopped:
        click.echo(f"interrupted: {stopped}" if str(stopped) else "interrupted", err=True)
        return INTERRUPTED
    except (ModelError, UsageError) as error:
        click.echo(f"cprcheck: {error}", err=True)
        return USAGE
    except MemoryError:
        click.echo("cprcheck: out of memory", err=True)
        return UNKNOWN
    except DisagreementError as error:
        click.echo(f"cprcheck: DISAGREEMENT {error}", err=True)
        return DISAGREE
    except Exception:
        click.echo(f"cprcheck: internal error, please report it\n{traceback.format_exc()}", err=True)
        return INTERNAL


def _prepare() -> None:
    """Raise UsageError where no command can work.  What standard output cannot encode is printed as a question mark."""
    if sys.stdout is None:
        raise UsageError("standard output is closed; to throw it away, write >/dev/null")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 - for as long as Python runs
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")
    try:
        os.getcwd()
    except OSError as error:
        raise UsageError(f"cannot use the working directory: {error.strerror}; change into another one") from error


@contextmanager
def _printing() -> Iterator[None]:
    """Meet a standard output that takes nothing where click prints by itself, as for --help, like `say` does."""
    try:
        yield
    except OSError as error:
        if all(frame.f_code is not click.echo.__code__ for frame, _ in traceback.walk_tb(error.__traceback__)):
            raise
        unsaid(error)
