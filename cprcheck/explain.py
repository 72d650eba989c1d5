# SPDX-License-Identifier: Apache-2.0
"""Why a run went as it did: what else could have happened at each step, and why a step could not.

The reference interpreter is asked, and nobody else.
"""

from __future__ import annotations

from cprcheck.semantics import successors
from cprcheck.system import State, System, Transition
from cprcheck.trace import Trace


def step_name(system: System, transition: Transition) -> str:
    """Who takes a step and which: `management: flush the state file`; the process alone when both are called alike."""
    process = system.processes[transition.process].name
    return process if transition.label == process.split("(")[0] else f"{process}: {transition.label}"


def outcome(transition: Transition) -> str:
    """The choices and the faults of a step in words: `how far: 2, disk full`.  Empty when it has neither."""
    picked = (f"{question}: {answer}" for question, answer in transition.choices)
    return ", ".join([*picked, *(fault.label for fault in transition.faults)])


def taken(trace: Trace, at: int) -> int | None:
    """The transition that the run takes in its state number `at`, counted from 0; None where it ends or stays."""
    if at < len(trace):
        return trace.steps[at]
    return None if trace.loop in (None, at) else trace.steps[trace.loop]


def alternatives(system: System, trace: Trace, at: int) -> list[tuple[int, State]]:
    """(transition, state after it) for each step that could have been taken in state number `at`, and was not."""
    went = taken(trace, at)
    return [(step, after) for step, after in successors(system, trace.states[at]) if step != went]
