# SPDX-License-Identifier: Apache-2.0
"""A Report as plain data that leaves the process, and back.

The data has what engines found out, not the System: whoever reads it builds that again from the model.  Nothing is
taken on trust: the System must have the digest of the one that was checked, every trace is replayed, and what it
shows is read off it again.
"""

from __future__ import annotations

from typing import Any

from cprcheck.checking import shown_by
from cprcheck.errors import CprcheckError
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.replay import replay
from cprcheck.system import System
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Report, Size, Status, Verdict

SCHEMA = "cprcheck-result-1"
Data = dict[str, Any]


class StaleError(CprcheckError):
    """A result is not about this System: the model, or cprcheck, has changed since."""


def document(found: Report, *, certificates: bool = False) -> Data:
    """The report as JSON can hold it; the SMT-LIB text of proofs, which is long, only with `certificates`.

    Verdicts have names and values as people read them; traces have codes and indices, each trace once.
    """
    traces: dict[Trace, int] = {}
    return {
        "schema": SCHEMA,
        "model": found.system.name,
        "digest": found.system.digest(),
        "size": None if found.size is None else vars(found.size).copy(),
        "verdicts": [_verdict(verdict, traces, certificates) for verdict in found.verdicts],
        "unreached": None if found.unreached is None else list(found.unreached),
        "disagreements": list(found.disagreements),
        "traces": [{"states": list(map(list, t.states)), "steps": list(t.steps), "loop": t.loop} for t in traces],
    }


def _verdict(verdict: Verdict, traces: dict[Trace, int], certificates: bool) -> Data:
    return {
        "property": verdict.prop.name,
        "family": verdict.prop.family,
        "status": verdict.status.value,
        "steps": None if verdict.trace is None else len(verdict.trace),
        "trace": _number(verdict.trace, traces),
        "violated": verdict.violated,
        "severity": verdict.severity,
        "where": list(map(list, verdict.where)),
        "reason": verdict.reason,
        "answers": [_answer(answer, traces, certificates) for answer in verdict.answers],
    }


def _answer(answer: Answer, traces: dict[Trace, int], certificates: bool) -> Data:
    return {
        "engine": answer.engine,
        "status": answer.status.value,
        "basis": answer.basis,
        "trace": _number(answer.trace, traces),
        "reason": answer.reason,
        "detail": answer.detail,
        "certificate": list(map(list, answer.certificate)) if certificates else [],
    }


def _number(trace: Trace | None, traces: dict[Trace, int]) -> int | None:
    return None if trace is None else traces.setdefault(trace, len(traces))


def report(data: Data, system: System, model: Model | None = None) -> Report:
    """The report that `document` made `data` from, about `system`: that of `model` with the same faults.

    Raises StaleError when it is about another System, DisagreementError when a trace cannot be replayed.
    """
    if data["schema"] != SCHEMA or data["digest"] != system.digest():
        raise StaleError(f"the result is about {data['model']} {data['digest']}, not {system.name} {system.digest()}")
    traces = [
        Trace(tuple(map(tuple, trace["states"])), tuple(trace["steps"]), trace["loop"]) for trace in data["traces"]
    ]
    return Report(
        system,
        tuple(_read_verdict(verdict, system, model, traces) for verdict in data["verdicts"]),
        None if data["size"] is None else Size(**data["size"]),
        system.scope,
        None if data["unreached"] is None else tuple(data["unreached"]),
        tuple(data["disagreements"]),
    )


def _read_verdict(data: Data, system: System, model: Model | None, traces: list[Trace]) -> Verdict:
    prop, answers = system.property(data["property"]), tuple(_read_answer(each, traces) for each in data["answers"])
    if data["trace"] is None:
        return Verdict(prop, Status(data["status"]), answers, reason=data["reason"])
    trace = traces[data["trace"]]
    replay(system, prop, trace)
    if model is not None:
        oracle.replay(model, system, trace)
    first = next(answer for answer in answers if answer.trace is trace)
    return shown_by(system, prop, answers, first)


def _read_answer(data: Data, traces: list[Trace]) -> Answer:
    return Answer(
        Status(data["status"]),
        data["engine"],
        data["basis"],
        None if data["trace"] is None else traces[data["trace"]],
        data["reason"],
        data["detail"],
        tuple((name, text) for name, text in data["certificate"]),
    )
