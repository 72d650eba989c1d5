# SPDX-License-Identifier: Apache-2.0
"""The neighbourhood of a trace in GraphML, which yEd, Gephi and networkx read."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from cprcheck.report.neighbours import changes, edge_lines, graph_of, node_lines, printable, spans
from cprcheck.report.text import title
from cprcheck.system import System
from cprcheck.verdict import Verdict


def dumps(system: System, verdict: Verdict) -> str:
    """The neighbourhood of the trace of `verdict` as the text of a GraphML file; ValueError when it has none."""
    header = '<?xml version="1.0" encoding="utf-8"?>'
    return "\n".join([header, *nx.generate_graphml(_graph(system, verdict))]) + "\n"


def _graph(system: System, verdict: Verdict) -> nx.MultiDiGraph:
    found = graph_of(system, verdict)
    graph = nx.MultiDiGraph(
        model=printable(title(system)),
        digest=system.digest(),
        property=printable(verdict.prop.name),
        status=verdict.status.value,
        start=found.start,
        end=found.end,
        loops=found.loops,
        stays=found.stays,
        depth=found.depth,
        left_out=found.left_out,
    )
    for node in found.nodes:
        graph.add_node(
            node.id,
            label=_text(node_lines(system, verdict, found, node)),
            on_trace=node.on_trace,
            rank=node.rank,
            states=len(node.states),
            changes=_text(changes(system, node)),
        )
    for number, edge in enumerate(found.edges):
        functions = dict.fromkeys(name for step in edge.steps for name in system.transitions[step].functions)
        graph.add_edge(
            edge.source,
            edge.target,
            key=f"e{number}",
            label=_text(edge_lines(edge)),
            name=printable(edge.name),
            on_trace=edge.on_trace,
            fault=edge.fault,
            outcomes=_text(edge.outcomes),
            possible=spans(edge.at),
            functions=_text(functions),
        )
    return graph


def _text(lines: Iterable[str]) -> str:
    return printable("\n".join(lines))
