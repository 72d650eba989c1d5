# SPDX-License-Identifier: Apache-2.0
"""Traces as ITF, the Informal Trace Format that Apalache, Quint and their viewers read.

Integers are written as `#bigint`, so that every reader gets them exactly; all other values as text.  The step that
leads to a state is in its `#meta`, and as the variable `mbt::actionTaken`, which Quint's tools show.  The `#meta` of
the file says how to get the System again.  `cprcheck.itf` reads such files.
"""

from __future__ import annotations

import json
from typing import Any

from cprcheck import itf
from cprcheck.report.document import step
from cprcheck.system import State, System
from cprcheck.trace import Trace
from cprcheck.verdict import Verdict

FORMAT = "https://apalache-mc.org/docs/adr/015adr-trace.html"
ACTION = "mbt::actionTaken"


def document(system: System, verdict: Verdict) -> dict[str, Any]:
    """The trace of `verdict` as an ITF object.  Raises ValueError when it has none."""
    trace = verdict.trace
    if trace is None:
        raise ValueError(f"{verdict.prop.name} has no trace")
    meta: dict[str, Any] = {
        "format": "ITF",
        "format-description": FORMAT,
        "source": f"cprcheck {system.name}",
        "status": verdict.status.value,
        "description": verdict.prop.name,
        "params": dict(system.params),
        "digest": system.digest(),
    }
    if system.origin is not None:
        meta |= {"model": system.origin.model, "faults": system.origin.faults, "injected": system.origin.injected}
    found: dict[str, Any] = {
        "#meta": meta,
        "vars": [slot.name for slot in system.slots] + [ACTION],
        "states": [_state(system, trace, at) for at in range(len(trace.states))],
    }
    if trace.loop is not None:
        found["loop"] = trace.loop
    return found


def dumps(system: System, verdict: Verdict) -> str:
    """The trace of `verdict` as the text of an `.itf.json` file."""
    return json.dumps(document(system, verdict), indent=1) + "\n"


def _state(system: System, trace: Trace, at: int) -> dict[str, Any]:
    state: State = trace.states[at]
    found: dict[str, Any] = {"#meta": {"index": at}}
    action = "init"
    if at > 0:
        index = trace.steps[at - 1]
        transition = system.transitions[index]
        action = f"{system.processes[transition.process].name}: {transition.title}"
        found["#meta"][itf.OURS] = step(system, index)
    for slot, code in zip(system.slots, state, strict=True):
        found[slot.name] = itf.value(slot.domain, code)
    found[ACTION] = action
    return found
