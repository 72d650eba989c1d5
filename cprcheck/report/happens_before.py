# SPDX-License-Identifier: Apache-2.0
"""What happens before what in a run: as a list for a terminal, and as DOT for Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from cprcheck.compare.ending import Before, Ending, Interleavings
from cprcheck.report.dot import escaped
from cprcheck.report.text import fault_line, wrap
from cprcheck.system import System
from cprcheck.trace import Trace


def lines(before: Before) -> Iterator[str]:
    """Each step with those that it directly comes after in every order of the independent ones."""
    said = []
    chains = groupby(enumerate(before, 1), lambda row: row[1] == (row[0] - 1,))
    for chained, rows in ((chained, list(rows)) for chained, rows in chains):
        (first, _), (last, _) = rows[0], rows[-1]
        if chained and last > first + 1:
            said.append(f"{first} to {last} each after the one before")
        else:
            said += [f"{at} after {', '.join(map(str, steps))}" if steps else f"{at} first" for at, steps in rows]
    yield from wrap(f"happens before: {'; '.join(said)}", 2)


def dumps(found: Interleavings) -> str:
    """The runs that are shown, as a graph in DOT: a box for each run, an arrow for each direct *happens before*.

    Between steps of one process it is solid, between steps of two it is dashed.
    """
    boxes = [
        line
        for number, ending in enumerate(found.endings, 1)
        for other, (trace, before) in enumerate(zip(ending.shown, ending.before, strict=True), 1)
        for line in _box(found.system, f"{number}_{other}", ending, trace, before)
    ]
    return "\n".join(["digraph happens_before {", "  node [shape=box]", *boxes, "}"]) + "\n"


def _box(system: System, name: str, ending: Ending, trace: Trace, before: Before) -> Iterator[str]:
    yield f"  subgraph cluster_{name} {{"
    yield f"    label={_label(f'{aspect}: {said}' for aspect, said in ending.aspects)}"
    for at, step in enumerate(trace.steps, 1):
        transition = system.transitions[step]
        words = [f"{at}  {system.processes[transition.process].name}", transition.title]
        words += [f"fault: {fault_line(fault)}" for fault in transition.faults]
        yield f"    n{name}_{at} [label={_label(words)}]"
    for at, (step, after) in enumerate(zip(trace.steps, before, strict=True), 1):
        for number in after:
            same = system.transitions[trace.steps[number - 1]].process == system.transitions[step].process
            yield f"    n{name}_{number} -> n{name}_{at}{'' if same else ' [style=dashed]'}"
    yield "  }"


def _label(lines: Iterable[str]) -> str:
    return '"' + "\\n".join(map(escaped, lines)) + '"'
