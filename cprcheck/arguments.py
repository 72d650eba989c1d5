# SPDX-License-Identifier: Apache-2.0
"""What the commands share: exit codes, options that pick a model and its faults, and how results are printed."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from cprcheck import catalog, files
from cprcheck.errors import UsageError
from cprcheck.language.model import Model
from cprcheck.passes import faults as faults_pass
from cprcheck.verdict import Report, Status

F = TypeVar("F", bound=Callable[..., Any])

OK, BAD, USAGE, UNKNOWN, DISAGREE, INTERNAL, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130


def say(lines: Iterable[str]) -> None:
    """Print a result.  A reader that goes away (`| head`) changes nothing about the exit code.

    Raises UsageError when it cannot be written for another reason.
    """
    try:
        for line in lines:
            click.echo(line)
        sys.stdout.flush()
    except OSError as error:
        unsaid(error)


def unsaid(error: OSError) -> None:
    """Print nothing more, as `error` came when something was printed.  Raises UsageError unless a reader went away."""
    throw_away(sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        raise UsageError(f"cannot write to standard output: {error.strerror}") from error


def throw_away(descriptor: int) -> None:
    """Whatever is still to be written to `descriptor` goes nowhere; else Python fails when it flushes at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


class Folder(click.Path):
    """A folder; the empty path, which is `.` to Python, is none."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path.  Raises UsageError when it is empty."""
        if not str(value):
            raise UsageError(f"{_called(param)} is empty; write a path")
        return Path(value)


class OutputFile(Folder):
    """A file to be written: what cannot be is told before anything is checked, and so are two outputs in one file."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path.  Raises UsageError when nothing can be written there."""
        path = super().convert(value, param, ctx)
        files.require_file(path)
        others: dict[Path, str] = {} if ctx is None else ctx.meta.setdefault(__name__, {})
        other = others.setdefault(path.resolve(), _called(param))
        if other != _called(param) and (path.is_file() or not path.exists()):
            raise UsageError(f"{other} and {_called(param)} both name {path}; give each a file of its own")
        return path


def _called(param: click.Parameter | None) -> str:
    return "a path" if param is None else param.opts[0]


def seconds(_context: click.Context, _option: click.Parameter, value: float | None) -> float | None:
    """A time limit: a finite number of seconds, 0 or more."""
    if value is not None and not 0 <= value < math.inf:
        raise click.BadParameter("write a number of seconds, 0 or more")
    return value


def fault_options(function: F) -> F:
    """The options that say which faults may happen."""
    injected = "Also let faults happen that the real kernel cannot produce."
    budget_ = "How many faults may happen.  [finite]"
    function = click.option("--injected", is_flag=True, help=injected)(function)
    return click.option("--faults", default="finite", metavar="none|finite|N", help=budget_)(function)


def model_options(function: F) -> F:
    """The options that pick a model and its parameters."""
    return click.argument("model")(model_parameters(function))


def model_parameters(function: F) -> F:
    """The options that set the parameters of a model."""
    for option in (
        click.option("--env", metavar="A,B…", help="What the environment may do; short for -p env=A,B…"),
        click.option("--kernel", metavar="ERA", help="The kernel era or version; short for -p kernel=ERA."),
        click.option("-p", "params", multiple=True, metavar="NAME=VALUE", help="Set a parameter of the model."),
    ):
        function = option(function)
    return function


def bind(model: str, params: tuple[str, ...], kernel: str | None, env: str | None) -> Model:
    """The model that the options of `model_options` pick."""
    return catalog.bind(catalog.find(model), assignments(params, kernel, env))


def assignments(params: Sequence[str], kernel: str | None, env: str | None, option: str = "-p") -> dict[str, str]:
    """`-p NAME=VALUE` options as a dictionary; `option` is what they are called."""
    given = {}
    for text in params:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option} {text}: write {option} NAME=VALUE")
        given[name] = value
    shorts = {"kernel": kernel, "env": env}
    return given | {name: short for name, short in shorts.items() if short is not None}


def budget(faults: str) -> int | None:
    """The fault budget that `--faults` means; None for any finite number."""
    try:
        return faults_pass.budget(faults)
    except ValueError as error:
        raise UsageError(f"--faults {faults}: {error}") from None


def again(
    command: str,
    model: str,
    params: tuple[str, ...],
    kernel: str | None,
    env: str | None,
    faults: str,
    injected: bool,
) -> list[str]:
    """The command line that leads here again, without the options of `command` alone."""
    words = ["cprcheck", command, model]
    for text in params:
        words += ["-p", text]
    for option, value in (("--kernel", kernel), ("--env", env)):
        words += [option, value] if value is not None else []
    words += ["--faults", faults] if faults != "finite" else []
    return [*words, "--injected"] if injected else words


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Something that says on a terminal's stderr what is going on; silent elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("building the model") as status:
        yield status.update


def exit_code(found: Report) -> int:
    """The exit code for a report: the highest of 4, 1, 3 that applies."""
    statuses = {verdict.status for verdict in found.verdicts}
    if found.disagreements:
        return DISAGREE
    if any(status.bad for status in statuses):
        return BAD
    return UNKNOWN if Status.UNKNOWN in statuses else OK
