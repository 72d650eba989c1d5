# SPDX-License-Identifier: Apache-2.0
"""The runs of a model by outcome, for a terminal and for machines."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from typing import Any

from cprcheck.compare.ending import Ending, Interleavings
from cprcheck.report.document import step, subject
from cprcheck.report.text import WIDTH, fault_line, head, number, state_lines, step_line, wrap
from cprcheck.semantics import initial_states
from cprcheck.system import State, System, Transition

SCHEMA = "cprcheck-interleavings-1"


def lines(found: Interleavings, command: Sequence[str] = (), *, traces: bool = True) -> Iterator[str]:
    """The whole answer, line by line: what was looked at, how many runs there are, then each outcome.

    `command` is the command line that asked.
    """
    yield from head(found.system, found.size, found.system.scope)
    yield ""
    yield from _total(found)
    for ending in found.endings:
        yield ""
        yield from ending_lines(found, ending, traces=traces)
    if command:
        yield ""
        yield f"  again: {shlex.join(command)}"


def _total(found: Interleavings) -> Iterator[str]:
    """How many runs there are, and what is missing."""
    if not found.size.complete:
        yield from wrap(f"not counted: {found.stopped}", 0)
        return
    yield f"{_counted(found, found.runs)}, {_many(len(found.endings), 'outcome')}{' or more' if found.stopped else ''}"
    if found.stopped:
        yield from wrap(f"not all counted, and shorter runs may be missing: {found.stopped}", 2)
    if found.endless:
        yield f"  from {_many(found.endless, 'state')} no run comes to rest: what goes on there is not counted"


def ending_lines(found: Interleavings, ending: Ending, *, traces: bool) -> Iterator[str]:
    """One outcome: how many runs have it, what it is, and how a shortest of them goes."""
    system, trace = found.system, ending.trace
    shortest = f"the shortest{' found' if found.stopped else ''}: {_many(len(trace), 'step')}"
    yield f"--- {_counted(found, ending.runs)}, {shortest}"
    rows = [*ending.aspects, *(("fault", fault_line(fault)) for fault in ending.faults(system))]
    width = max(len(name) for name, _ in rows)
    for name, said in rows:
        yield f"  {name + ':':<{width + 1}} {said}"
    if traces and trace.steps:
        yield ""
        yield from state_lines(system, trace.states[0]) if _several_starts(system) else ()
        for at, index in enumerate(trace.steps, 1):
            yield from _step_lines(system, at, system.transitions[index])


def _several_starts(system: System) -> bool:
    return len(list(islice(initial_states(system), 2))) > 1


def _step_lines(system: System, at: int, transition: Transition) -> Iterator[str]:
    """A step and its faults, on one line where they fit."""
    line = step_line(system, at, transition)
    faults = ", ".join(f"fault: {fault_line(fault)}" for fault in transition.faults)
    if len(line) + 2 + len(faults) <= WIDTH:
        yield f"{line}  {faults}".rstrip()
    else:
        yield line
        yield from wrap(faults, 7)


def _counted(found: Interleavings, runs: int) -> str:
    return f"{'at least ' if found.stopped else ''}{_many(runs, 'run')}"


def _many(count: int, noun: str) -> str:
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def document(found: Interleavings) -> dict[str, Any]:
    """The answer as plain data.  Where `stopped` says something the counts are lower bounds, or there are none."""
    return {
        "schema": SCHEMA,
        "cprcheck": version("cprcheck"),
        **subject(found.system, found.size, found.system.scope),
        "stopped": found.stopped,
        "runs": found.runs if found.size.complete else None,
        "endless": found.endless if found.size.complete else None,
        "outcomes": [
            {
                "aspects": dict(ending.aspects),
                "runs": ending.runs,
                "steps": len(ending.trace),
                "faults": [fault.label for fault in ending.faults(found.system)],
                "start": dict(_values(found.system, ending.trace.states[0])),
                "trace": [step(found.system, index) for index in ending.trace.steps],
            }
            for ending in found.endings
        ],
    }


def _values(system: System, state: State) -> Iterator[tuple[str, str]]:
    for slot, code in zip(system.slots, state, strict=True):
        yield slot.name, slot.domain.show(code)


def dumps(found: Interleavings) -> str:
    """The answer as the text of a JSON file."""
    return json.dumps(document(found), indent=1) + "\n"
