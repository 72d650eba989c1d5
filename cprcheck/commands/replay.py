# SPDX-License-Identifier: Apache-2.0
"""`cprcheck replay`: a trace from a file, run again in the model that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cprcheck import catalog, itf
from cprcheck.arguments import BAD, OK, assignments, budget, model_parameters, say
from cprcheck.commands.drawings import draw, trace_option
from cprcheck.errors import DisagreementError, NoSuchRunError, UsageError
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.replay import replay as replay_
from cprcheck.replay import walk
from cprcheck.system import SAFETY, Kind, Property, System
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Status, Verdict

SHOWN = (*SAFETY, Kind.LEADS_TO)
"""What a single run can show.  That something is no longer possible, only a search of all runs can."""


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--model", metavar="MODEL", help="Run it in this model.  [the one that FILE names]")
@model_parameters
@trace_option
def replay(
    file: Path, model: str | None, params: tuple[str, ...], kernel: str | None, env: str | None, drawing: str
) -> int:
    """Run the trace in FILE, an ITF file of `cprcheck check --itf` or of somebody else's, again.

    The reference interpreter takes each of its steps, and so does the model's own code.  When the model has no such
    run, the answer is where they part, and exit code 1.
    """
    recorded = itf.parse(_content(file), str(file))
    made, system = _model(recorded, model, assignments(params, kernel, env))
    digest = recorded.meta.get("digest", system.digest())
    if digest != system.digest():
        say([f"{file} was written about digest {digest}; this is {system.digest()}", ""])
    try:
        trace = itf.read(recorded, system)
        verdict = _replayed(recorded, made, system, trace)
    except NoSuchRunError as error:
        say([str(error)])
        return BAD
    say(draw(drawing)(system, verdict, ()))
    said = ["", f"replayed: {len(trace)} steps, by the reference interpreter and by the model's own code"]
    if verdict.prop in system.properties and verdict.prop.kind not in SHOWN:
        said.append(f"whether {verdict.prop.name} is violated, one run does not show; `cprcheck check` does")
    say(said)
    return OK


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not text in UTF-8") from None


def _model(recorded: itf.Recorded, model: str | None, given: Mapping[str, str]) -> tuple[Model, System]:
    """The model that the file names, with its parameters and faults, where the command line does not say otherwise."""
    from cprcheck.passes.faults import with_faults

    meta: Mapping[str, Any] = recorded.meta if model is None else {}
    name, params = model or meta.get("model"), meta.get("params", {})
    if not isinstance(name, str):
        raise UsageError(f"{recorded.name} does not name its model; write --model MODEL")
    if not isinstance(params, dict) or not all(isinstance(value, str) for value in params.values()):
        raise UsageError(f"{recorded.name}: params in #meta is not a table of texts")
    made = catalog.bind(catalog.find(name), {**params, **given})
    faults = budget(str(meta.get("faults", "finite")))
    return made, with_faults(made.system, faults, injected=meta.get("injected") is True)


def _replayed(recorded: itf.Recorded, model: Model, system: System, trace: Trace) -> Verdict:
    """What the run shows, once it has been replayed.

    Raises NoSuchRunError when the System cannot do it, DisagreementError when the model's own code alone cannot.
    """
    name, claimed = recorded.meta.get("description"), recorded.meta.get("status")
    prop = next((prop for prop in system.properties if prop.name == name), None)
    status = next((status for status in (Status.VIOLATED, Status.REACHABLE) if status.value == claimed), None)
    has = "has no such run:"
    try:
        walk(system, trace)
        has = "has this run, but"
        if prop is not None and status is not None:
            replay_(system, prop, trace)
    except DisagreementError as error:
        raise NoSuchRunError(f"{recorded.name}: {system.name} {has} {error}") from None
    try:
        oracle.replay(model, system, trace)
    except DisagreementError as error:
        raise DisagreementError(f"{recorded.name}: {error}") from None
    answer = Answer(status or Status.REACHABLE, "replay", f"{len(trace)} steps", trace)
    if prop is None or status is None:
        return Verdict(Property(Path(recorded.name).name, Kind.REACHABLE), answer.status, (answer,), trace)
    return _explained(system, prop, answer, trace)


def _explained(system: System, prop: Property, answer: Answer, trace: Trace) -> Verdict:
    """The verdict with what is violated, where the run shows it."""
    from cprcheck.checking import severity
    from cprcheck.explain import violation

    if answer.status.good or prop.kind not in SHOWN:
        return Verdict(prop, answer.status, (answer,), trace)
    end, grade = violation(system, prop, trace, answer.detail), severity(system, trace)
    return Verdict(prop, answer.status, (answer,), trace, end.text, grade, end.values, claimed=end.sources)
