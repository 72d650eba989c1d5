# SPDX-License-Identifier: Apache-2.0
"""Traces as ITF, the Informal Trace Format that Apalache, Quint and their viewers read.

Integers are written as `#bigint`, so that every reader gets them exactly; all other values as text.  The step that
leads to a state is in its `#meta`, and as the variable `mbt::actionTaken`, which Quint's tools show.
"""

from __future__ import annotations

import json
from typing import Any

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
    meta = {
        "format": "ITF",
        "format-description": FORMAT,
        "source": f"cprcheck {system.name}",
        "status": verdict.status.value,
        "description": verdict.prop.name,
        "params": dict(system.params),
        "digest": system.digest(),
    }
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
        transition = system.transitions[trace.steps[at - 1]]
        process = system.processes[transition.process].name
        action = f"{process}: {transition.title}"
        found["#meta"]["cprcheck"] = {
            "process": process,
            "label": transition.label,
            "choices": [list(choice) for choice in transition.choices],
            "faults": [fault.label for fault in transition.faults],
            "events": [str(event) for event in transition.events],
            "functions": list(transition.functions),
        }
    for slot, code in zip(system.slots, state, strict=True):
        found[slot.name] = _value(slot.domain.decode(code), slot.domain.show(code))
    found[ACTION] = action
    return found


def _value(value: object, shown: str) -> Any:
    if isinstance(value, bool):
        return value
    return {"#bigint": str(value)} if isinstance(value, int) else shown
