# SPDX-License-Identifier: Apache-2.0
"""A run for a terminal, a line for each step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from cprcheck.report.text import WIDTH, fault_line, state_lines, step_line, wrap
from cprcheck.semantics import initial_states
from cprcheck.system import System
from cprcheck.trace import Trace


def run_lines(system: System, trace: Trace, steps: int | None = None) -> Iterator[str]:
    """The steps of a run, or the first so many; before them the first state, where there are several."""
    if len(list(islice(initial_states(system), 2))) > 1:
        yield from state_lines(system, trace.states[0])
    for at, step in enumerate(trace.steps[:steps], 1):
        yield from step_lines(system, at, step)


def step_lines(system: System, at: int, step: int) -> Iterator[str]:
    """Step number `at` and its faults, on one line where they fit."""
    transition = system.transitions[step]
    line = step_line(system, at, transition)
    faults = ", ".join(f"fault: {fault_line(fault)}" for fault in transition.faults)
    if len(line) + 2 + len(faults) <= WIDTH:
        yield f"{line}  {faults}".rstrip()
    else:
        yield line
        yield from wrap(faults, 7)
