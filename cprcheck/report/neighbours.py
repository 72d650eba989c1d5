# SPDX-License-Identifier: Apache-2.0
"""What is written on the nodes and edges of a trace's neighbourhood, whatever draws it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from cprcheck.neighbourhood import Edge, Neighbourhood, Node, neighbourhood
from cprcheck.system import System
from cprcheck.verdict import Verdict

CHANGES, OUTCOMES = 4, 3
"""How many changes and outcomes are written out before it says how many more there are."""


def graph_of(system: System, verdict: Verdict) -> Neighbourhood:
    """The neighbourhood of the trace of `verdict`.  Raises ValueError when it has none."""
    if verdict.trace is None:
        raise ValueError(f"{verdict.prop.name} has no trace")
    return neighbourhood(system, verdict.trace)


def node_lines(system: System, verdict: Verdict, graph: Neighbourhood, node: Node) -> list[str]:
    """Which state it is, what is special about it, and what has changed there."""
    lines = [f"state {node.rank}"] if node.on_trace else []
    lines += ["start"] if node.id == graph.start else []
    if node.id == graph.end:
        lines.append(f"{verdict.status.value} {verdict.prop.name}")
        lines += ["the loop starts here"] * graph.loops + ["nobody has to move from here on"] * graph.stays
    if len(node.states) > 1:
        lines.append(f"{len(node.states)} states")
    return lines + changes(system, node)


def changes(system: System, node: Node) -> list[str]:
    """What has changed; when nothing has but where processes stand, where they stand now."""
    data = [change for change in node.changes if system.slots[change[0]].role != "location"]
    said = []
    for slot, before, after in data or node.changes:
        show = system.slots[slot].domain.show
        was = f"{show(before)} -> " if data else ""
        said.append(f"{system.slots[slot].name}: {was}{show(after)}")
    return _cut(said, CHANGES, "changes")


def edge_lines(edge: Edge) -> list[str]:
    """Who does what there, with its outcomes, and in which states it is possible."""
    lines = [f"FAULT {edge.name}" if edge.fault else edge.name, *_cut(edge.outcomes, OUTCOMES, "outcomes")]
    lines += ["(changes nothing)"] if edge.source == edge.target else []
    return lines + ([f"in states {spans(edge.at)}"] if len(edge.at) > 1 else [])


def spans(numbers: Sequence[int]) -> str:
    """Ascending numbers, those that follow each other as one: `0-3, 5`."""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def printable(text: str) -> str:
    """`text` with a replacement character for what neither XML nor a drawing may hold."""
    return re.sub(r"[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)


def _cut(lines: Sequence[str], limit: int, what: str) -> list[str]:
    rest = len(lines) - limit
    return [*lines[:limit], *([f"and {rest} more {what}"] if rest > 0 else [])]
