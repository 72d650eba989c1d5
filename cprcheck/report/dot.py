# SPDX-License-Identifier: Apache-2.0
"""The neighbourhood of a trace in DOT, which Graphviz draws: `dot -Tsvg FILE`.

The trace is a spine of boxes from top to bottom.  What else could have happened goes off it, dashed; faults are
dotted and say FAULT; the end has a double border and says what it violates.  Nothing is told by colour alone.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from cprcheck.neighbourhood import Edge, Neighbourhood, Node
from cprcheck.report.neighbours import edge_lines, graph_of, node_lines, printable
from cprcheck.report.text import title
from cprcheck.system import System
from cprcheck.verdict import Verdict

WIDTH = 34
"""Characters in a line of a label."""
Attributes = dict[str, str]


def dumps(system: System, verdict: Verdict) -> str:
    """The neighbourhood of the trace of `verdict` as the text of a DOT file.  Raises ValueError when it has none."""
    return "\n".join(_lines(system, verdict, graph_of(system, verdict))) + "\n"


def _lines(system: System, verdict: Verdict, graph: Neighbourhood) -> Iterator[str]:
    yield f'digraph "{escaped(verdict.prop.name)}" {{'
    caption = [title(system), f"digest {system.digest()}"]
    caption += [f"beside the trace: what can happen in {graph.depth} step{'s' * (graph.depth != 1)}"]
    caption += [f"and {graph.left_out} more steps beside the trace, which are not drawn"] if graph.left_out else []
    yield f"  graph {_attributes({'label': _label(caption, 90), 'labelloc': 't', 'labeljust': 'l', **_FONT})}"
    yield f"  node {_attributes({'shape': 'box', **_FONT})}"
    yield f"  edge {_attributes(_FONT)}"
    for node in graph.nodes:
        lines = node_lines(system, verdict, graph, node)
        yield f"  {node.id} {_attributes({'label': _label(lines), **_node(graph, node)})}"
    for edge in graph.edges:
        label = _label(edge_lines(edge), indent=2)
        yield f"  {edge.source} -> {edge.target} {_attributes({'label': label, **_edge(edge)})}"
    yield "}"


_FONT = {"fontname": "sans-serif", "fontsize": "10"}
_RED = "#b00020"


def _node(graph: Neighbourhood, node: Node) -> Attributes:
    """How a node looks."""
    if not node.on_trace:
        return {"style": "rounded,dashed"}
    ends = {"peripheries": "2", "color": _RED} if node.id == graph.end else {}
    return {"group": "trace", "style": "bold", **ends}


def _edge(edge: Edge) -> Attributes:
    """How an edge looks.  The trace is drawn as straight as can be."""
    fault = {"color": _RED, "fontcolor": _RED} if edge.fault else {}
    if edge.on_trace:
        return {"style": "bold", "weight": "100", **fault}
    return {"style": "dotted" if edge.fault else "dashed", "arrowhead": "empty", **fault}


def _attributes(escaped: Attributes) -> str:
    """A list of attributes; the values are escaped."""
    return "[" + ", ".join(f'{name}="{value}"' for name, value in escaped.items()) + "]"


def _label(lines: Iterable[str], width: int = WIDTH, indent: int = 0) -> str:
    """Lines that begin at the left, none much longer than `width`; indented, they keep off the edge beside them."""
    first, rest = " " * indent, " " * (indent + 2)
    wrapper = textwrap.TextWrapper(
        width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return "".join(f"{escaped(part)}\\l" for line in lines for part in wrapper.wrap(line))


def escaped(text: str) -> str:
    """`text` for a quoted string in which backslashes and entities mean something."""
    return printable(text).replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"')
