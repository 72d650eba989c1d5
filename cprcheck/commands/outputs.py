# SPDX-License-Identifier: Apache-2.0
"""The files that a report can be written to: one option for each format."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from cprcheck import files
from cprcheck.arguments import F, Folder, OutputFile, say
from cprcheck.verdict import Report

CERTIFICATES = "certificates"
GITHUB = "github"
STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
"""GitHub's name for the file that a step adds its summary to."""


@dataclass(frozen=True)
class Output:
    """A format: the option `--NAME FILE`, and the module of `cprcheck.report` whose `dumps` gives its text.

    `dumps` takes the report or, where there is one file for `each` trace that is shown, the System and a verdict.
    """

    name: str
    help: str
    module: str
    each: bool = False


OUTPUTS = (
    Output("json", "Write the report here.", "document"),
    Output("html", "Write the report as a page for a browser here.", "html"),
    Output("itf", "Write traces as ITF here.", "itf", each=True),
    Output("ladder", "Write traces as ladders here, for an email.", "ladder", each=True),
    Output("svg", "Write traces as pictures here.", "svg", each=True),
    Output("mermaid", "Write traces as Mermaid diagrams here.", "mermaid", each=True),
    Output("dot", "Draw traces with what lies beside them, as DOT here.", "dot", each=True),
    Output("graphml", "The same as GraphML here.", "graphml", each=True),
    Output("junit", "Write verdicts as JUnit XML here.", "junit"),
    Output("sarif", "Write what is not good as SARIF 2.1.0 here.", "sarif"),
    Output("summary", "Write a summary in Markdown here.", "summary"),
)


def output_options(function: Callable[..., int]) -> Callable[..., int]:
    """The options of all formats; the command gets what was asked for as `outputs`, file by name of the format."""

    @functools.wraps(function)
    def command(**given: Any) -> int:
        names = [*(output.name for output in OUTPUTS), CERTIFICATES]
        asked = {name: given.pop(f"{name}_file") for name in names}
        if asked[CERTIFICATES] is not None:
            files.require_folder(asked[CERTIFICATES])
        asked[GITHUB] = step_summary() if given.pop(GITHUB) else None
        return function(**given, outputs={name: file for name, file in asked.items() if file is not None})

    command = click.option(
        "--certificates",
        f"{CERTIFICATES}_file",
        type=Folder(),
        metavar="DIR",
        help="Write proofs as SMT-LIB here.",
    )(command)
    command = github_option(command)
    for output in reversed(OUTPUTS):
        command = click.option(
            f"--{output.name}", f"{output.name}_file", type=OutputFile(), metavar="FILE", help=output.help
        )(command)
    return command


def github_option(function: F) -> F:
    """The option `--github`."""
    return click.option(
        f"--{GITHUB}", is_flag=True, help=f"Print GitHub's annotations; add a summary to ${STEP_SUMMARY}."
    )(function)


def step_summary() -> Path:
    """The file that GitHub shows as the summary of this step; elsewhere one that nobody reads."""
    return Path(os.environ.get(STEP_SUMMARY) or os.devnull)


def write_outputs(found: Report, outputs: Mapping[str, Path], named: Collection[str] = ()) -> None:
    """Write the files that were asked for, each as a whole or not at all; `named` is as in `text.shown`."""
    for output in OUTPUTS:
        if output.name in outputs:
            dumps = importlib.import_module(f"cprcheck.report.{output.module}").dumps
            if output.each:
                _write_traces(found, outputs[output.name], dumps, named)
            else:
                files.write(outputs[output.name], dumps(found))
    if CERTIFICATES in outputs:
        files.make_folder(outputs[CERTIFICATES])
        write_certificates(found, outputs[CERTIFICATES])
    if GITHUB in outputs:
        from cprcheck.report import github, summary

        say(github.commands(found))
        files.append(outputs[GITHUB], summary.dumps(found))


def _write_traces(found: Report, file: Path, dumps: Callable[..., str], named: Collection[str]) -> None:
    """Write each trace that is shown: to `file`, or where there are several to files named after their properties."""
    from cprcheck.report import text

    shown = text.shown(found.verdicts, named)
    for verdict in shown:
        several = file.with_name(f"{files.safe(verdict.prop.name)}-{file.name}")
        name = file if len(shown) == 1 else several
        files.write(name, dumps(found.system, verdict))
        click.echo(f"wrote {name}", err=True)
    if not shown:
        click.echo(f"{file} not written: nothing was violated", err=True)


def write_certificates(found: Report, folder: Path) -> None:
    """Write the SMT-LIB queries of every proof: each is unsatisfiable, and any solver can say so."""
    for verdict in found.verdicts:
        for answer in verdict.answers:
            for query, content in answer.certificate:
                files.write(folder / f"{files.safe(verdict.prop.name)}-{query}.smt2", content)
