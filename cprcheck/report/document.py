# SPDX-License-Identifier: Apache-2.0
"""A report as JSON, for machines: no times, no paths of this machine, the same bytes each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from cprcheck import itf
from cprcheck.report.text import title
from cprcheck.system import System
from cprcheck.verdict import Report, Size, Verdict

SCHEMA = "cprcheck-report-1"


def document(found: Report) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "schema": SCHEMA,
        "cprcheck": version("cprcheck"),
        "z3": version("z3-solver"),
        **subject(found.system, found.size, found.scope),
        "properties": [_verdict(found.system, verdict) for verdict in found.verdicts],
        "unreached": None if found.unreached is None else [step(found.system, index) for index in found.unreached],
        "disagreements": list(found.disagreements),
    }


def subject(system: System, size: Size | None, scope: Sequence[str]) -> dict[str, Any]:
    """What was looked at, and how far what is said about it goes."""
    return {
        "model": system.name,
        "title": title(system),
        "params": dict(system.params),
        "digest": system.digest(),
        "scope": list(scope),
        "merging": system.merging,
        "size": None
        if size is None
        else {
            "states": size.states,
            "generated": size.generated,
            "depth": size.depth,
            "complete": size.complete,
        },
    }


def dumps(found: Report) -> str:
    """The report as the text of a JSON file."""
    return json.dumps(document(found), indent=1) + "\n"


def _verdict(system: System, verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.prop.name,
        "family": verdict.prop.family,
        "kind": verdict.prop.kind.value,
        "claim": verdict.prop.doc,
        "status": verdict.status.value,
        "reason": verdict.reason,
        "severity": verdict.severity,
        "violated": verdict.violated,
        "where": dict(verdict.where),
        "answers": [
            {"engine": a.engine, "status": a.status.value, "basis": a.basis, "reason": a.reason}
            for a in verdict.answers
        ],
        "steps": None if verdict.trace is None else len(verdict.trace),
        "loop": None if verdict.trace is None else verdict.trace.loop,
        "trace": None if verdict.trace is None else [step(system, index) for index in verdict.trace.steps],
    }


def step(system: System, index: int) -> dict[str, Any]:
    """A step as plain data."""
    return {**itf.step(system, index), "functions": list(system.transitions[index].functions)}
