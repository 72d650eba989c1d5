# SPDX-License-Identifier: Apache-2.0
"""The runs of a model by outcome, for a terminal and for machines."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from cprcheck.compare.ending import Ending, Interleavings, Race, faults_of
from cprcheck.report import happens_before, races
from cprcheck.report.document import step, subject
from cprcheck.report.run import run_lines
from cprcheck.report.text import fault_line, head, many, number, wrap
from cprcheck.system import State, System
from cprcheck.trace import Trace

SCHEMA = "cprcheck-interleavings-1"


def lines(
    found: Interleavings, command: Sequence[str] = (), *, traces: bool = True, order: bool = True
) -> Iterator[str]:
    """The whole answer, line by line: what was looked at, how many runs there are, then each outcome.

    `command` is the command line that asked.  Without `order` what happens before what is left out.
    """
    yield from head(found.system, found.size, found.system.scope)
    yield ""
    yield from _total(found)
    for ending in found.endings:
        yield ""
        yield from ending_lines(found, ending, traces=traces, order=order)
    if found.races is not None:
        yield ""
        yield from races.lines(found.system, found.races, found.judged, traces=traces)
    if command:
        yield ""
        yield f"  again: {shlex.join(command)}"


def _total(found: Interleavings) -> Iterator[str]:
    """How many runs there are, and what is missing."""
    if not found.size.complete:
        yield from wrap(f"not counted: {found.stopped}", 0)
        return
    outcomes = f"{many(len(found.endings), 'outcome')}{' or more' if found.stopped else ''}"
    yield f"{_counted(found, found.runs, found.different)}, {outcomes}"
    if found.stopped:
        yield from wrap(f"not all counted, and shorter runs may be missing: {found.stopped}", 2)
    if found.merged:
        yield from wrap(f"the really different ones are not all counted: {found.merged}", 2)
    if found.endless:
        yield f"  from {many(found.endless, 'state')} no run comes to rest: what goes on there is not counted"


def ending_lines(found: Interleavings, ending: Ending, *, traces: bool, order: bool) -> Iterator[str]:
    """One outcome: how many runs have it, what it is, how a shortest of them goes, and others that were asked for."""
    system, trace = found.system, ending.trace
    shortest = f"the shortest{' found' if found.stopped else ''}: {many(len(trace), 'step')}"
    yield f"--- {_counted(found, ending.runs, ending.different)}, {shortest}"
    width = max(len(name) for name, _ in ending.aspects)
    for name, said in ending.aspects:
        yield f"  {name + ':':<{width + 1}} {said}"
    for fault in ending.faults(system):
        yield f"  fault in the shortest: {fault_line(fault)}"
    yield from _shown(system, ending, order=order) if traces else ()


def _shown(system: System, ending: Ending, *, order: bool) -> Iterator[str]:
    """The runs of an outcome that are shown."""
    for at, trace in enumerate(ending.shown):
        if at:
            yield ""
            yield f"  really different: {many(len(trace), 'step')}"
        if trace.steps:
            yield ""
            yield from run_lines(system, trace)
        if order and trace.steps and ending.before:
            yield ""
            yield from happens_before.lines(ending.before[at])
    left = (ending.different or 0) - len(ending.shown)
    if ending.others and left > 0:
        yield ""
        yield f"  really different ones not shown: {number(left)}"


def _counted(found: Interleavings, runs: int, different: int | None) -> str:
    said = f"{'at least ' if found.stopped else ''}{many(runs, 'run')}"
    if different is None or (runs == 1 and not found.stopped):
        return said
    return f"{said}, {'at least ' if found.merged else ''}{number(different)} really different"


def document(found: Interleavings) -> dict[str, Any]:
    """The answer as plain data.  Where `stopped` says something the counts are lower bounds, or there are none."""
    return {
        "schema": SCHEMA,
        "cprcheck": version("cprcheck"),
        **subject(found.system, found.size, found.system.scope),
        "stopped": found.stopped,
        "merged": found.merged,
        "runs": found.runs if found.size.complete else None,
        "different": found.different if found.size.complete else None,
        "endless": found.endless if found.size.complete else None,
        "outcomes": [_outcome(found.system, ending) for ending in found.endings],
        "judged": found.judged,
        "races": None if found.races is None else [_race(found.system, race) for race in found.races],
    }


def _outcome(system: System, ending: Ending) -> dict[str, Any]:
    runs = [_run(system, trace) for trace in ending.shown]
    for run, before in zip(runs, ending.before, strict=False):
        run["before"] = [list(steps) for steps in before]
    return {
        "aspects": dict(ending.aspects),
        "runs": ending.runs,
        "different": ending.different,
        **runs[0],
        "others": runs[1:],
    }


def _run(system: System, trace: Trace) -> dict[str, Any]:
    return {
        "steps": len(trace),
        "faults": [fault.label for fault in faults_of(system, trace)],
        "start": dict(_values(system, trace.states[0])),
        "trace": [step(system, index) for index in trace.steps],
    }


def _race(system: System, race: Race) -> dict[str, Any]:
    return {
        "states": race.states,
        "orders": [
            {"taken": order.taken, "outcomes": [dict(told) for told in order.outcomes], **_run(system, order.way)}
            for order in (race.one, race.other)
        ],
    }


def _values(system: System, state: State) -> Iterator[tuple[str, str]]:
    for slot, code in zip(system.slots, state, strict=True):
        yield slot.name, slot.domain.show(code)


def dumps(found: Interleavings) -> str:
    """The answer as the text of a JSON file."""
    return json.dumps(document(found), indent=1) + "\n"
