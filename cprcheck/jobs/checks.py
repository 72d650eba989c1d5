# SPDX-License-Identifier: Apache-2.0
"""Checking a model as a job: model, parameters, properties and engines in, a Report out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

from cprcheck import catalog, results
from cprcheck.checking import Options, check
from cprcheck.jobs.job import JSON, Job, Message, Passing, Result
from cprcheck.jobs.run import OnResult, Settings, Warn, run
from cprcheck.language.decorator import show_param
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.system import Kind, Property, System
from cprcheck.verdict import Report, Status, Verdict

TASK = f"{__name__}:perform"
EVERYTHING = "every property"
"""What the verdict is about where a job was lost and nobody had said which properties to check."""


def job(model: str, params: Mapping[str, str], options: Options | None = None, *, certificates: bool = False) -> Job:
    """Checking `model`, named as on the command line, with `params` as text there.

    The answer has the SMT-LIB text of proofs only with `certificates`.  Raises UsageError for a model or a parameter
    that does not exist, and for a value that does not fit.
    """
    found = catalog.find(model)
    catalog.values_of(found, params)
    arguments = {
        "model": model,
        "params": dict(params),
        "options": json.loads(json.dumps(asdict(options or Options()))),  # lists where there were tuples
        "certificates": certificates,
    }
    title = f"{model}({', '.join(f'{name}={value}' for name, value in params.items())})"
    return Job(TASK, arguments, (found.source.file,), title)


def perform(model: str, params: Message, options: Message, certificates: bool) -> JSON | Passing:
    """The task: what `results.document` makes of the report.

    It is not kept when time was short for some engine, or when engines disagree.
    """
    found = check(catalog.bind(catalog.find(model), params), read_options(options))
    data = results.document(found, certificates=certificates)
    hurried = any("timed out" in answer.reason for verdict in found.verdicts for answer in verdict.answers)
    return Passing(data) if hurried or found.disagreements else data


def read_options(data: Message) -> Options:
    """The options that were made JSON."""
    return Options(**{**data, "engines": tuple(data["engines"]), "properties": tuple(data["properties"])})


def reports(
    jobs: Sequence[Job], settings: Settings | None = None, on_result: OnResult | None = None, warn: Warn | None = None
) -> list[Report]:
    """The Report of each job, in their order; see `run.run`.  A kept answer about another System is found anew."""
    settings = settings or Settings()
    found = []
    for result in run(jobs, settings, on_result, warn):
        try:
            found.append(report(result))
        except results.StaleError:
            if not result.reused:
                raise
            (fresh,) = run([result.job], replace(settings, reuse=False), on_result, warn)
            found.append(report(fresh))
    return found


def report(result: Result) -> Report:
    """The Report of a job from `job`: its model is built again, and every trace is replayed.

    Raises StaleError, DisagreementError as `results.report` does.
    """
    if result.lost:
        return lost(result.job, result.lost)
    model, system, _ = subject(result.job)
    return results.report(result.value, system, model)


def lost(job: Job, why: str) -> Report:
    """The Report of a job that has no answer: all that was asked for is UNKNOWN.

    Its model is not built: that may be what took for ever.
    """
    found = catalog.find(job.arguments["model"])
    bound = found.signature.bind(**catalog.values_of(found, job.arguments["params"]))
    bound.apply_defaults()
    names = read_options(job.arguments["options"]).properties or (EVERYTHING,)
    asked = tuple(Property(name, Kind.INVARIANT, family=name) for name in names)
    params = tuple((name, show_param(value)) for name, value in bound.arguments.items())
    scope = (f"nothing was checked: {why}",)
    system = System(found.name, (), (), (), (), asked, params=params, scope=scope, doc=found.doc)
    return Report(system, tuple(Verdict(p, Status.UNKNOWN, (), reason=why) for p in asked), None, scope, lost=why)


def subject(job: Job) -> tuple[Model, System, Options]:
    """What a job from `job` is about: the model, its System with the faults that are asked for, and the options."""
    given = job.arguments
    model = catalog.bind(catalog.find(given["model"]), given["params"])
    options = read_options(given["options"])
    return model, with_faults(model.system, options.faults, injected=options.injected), options
