"""The neighbourhood of a trace in DOT, read back by a reader that we did not write."""

from __future__ import annotations

import html
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pydot
import pytest
from authors import written
from drawings import BODY, NAMES, strange, verdict
from systems import digraph, never

from cprcheck.checking import check
from cprcheck.report import dot
from cprcheck.trace import Trace
from cprcheck.verdict import Report

GRAPH = r"""digraph "quiet" {
  graph [label="mine\ldigest DIGEST\lbeside the trace: what can happen in 1 step\l", labelloc="t", labeljust="l", \
fontname="sans-serif", fontsize="10"]
  node [shape="box", fontname="sans-serif", fontsize="10"]
  edge [fontname="sans-serif", fontsize="10"]
  s0 [label="state 0\lstart\l", group="trace", style="bold"]
  s1 [label="state 1\l@send: write\l", group="trace", style="bold"]
  s2 [label="state 2\lVIOLATED quiet\ln: 0 -> 2\l", group="trace", style="bold", peripheries="2", color="#b00020"]
  o1 [label="@send: end\l", style="rounded,dashed"]
  o2 [label="3 states\lb: False -> True\l", style="rounded,dashed"]
  o3 [label="2 states\l@send: close\l", style="rounded,dashed"]
  o4 [label="@send: end\l", style="rounded,dashed"]
  s0 -> s1 [label="  send: open\l", style="bold", weight="100"]
  s1 -> s2 [label="  send: write\l  how many: 2\l", style="bold", weight="100"]
  s0 -> o1 [label="  FAULT send: open\l  the cable is cut\l", style="dotted", arrowhead="empty", color="#b00020", \
fontcolor="#b00020"]
  s0 -> o2 [label="  user\l  in states 0-2\l", style="dashed", arrowhead="empty"]
  s1 -> o3 [label="  send: write\l  how many: 1\l  how many: 3\l", style="dashed", arrowhead="empty"]
  s2 -> o4 [label="  send: close\l", style="dashed", arrowhead="empty"]
}
""".replace("\\\n", "")


@pytest.fixture(scope="module")
def found() -> Report:
    return check(written(BODY))


def read(text: str) -> pydot.Dot:
    """The graph that pydot finds in `text`."""
    (graph,) = pydot.graph_from_dot_data(text)
    return graph


def shown(label: str) -> list[str]:
    """The lines of a label as Graphviz shows them."""
    plain = label[1:-1].replace('\\"', '"').replace("\\\\", "\0").split("\\l")[:-1]
    return [html.unescape(line.replace("\0", "\\")) for line in plain]


def test_the_whole_graph(found: Report) -> None:
    assert dot.dumps(found.system, found["quiet"]) == GRAPH.replace("DIGEST", found.system.digest())


def test_it_reads_back_as_the_same_nodes_and_edges(found: Report) -> None:
    graph = read(dot.dumps(found.system, found["quiet"]))
    names = [node.get_name() for node in graph.get_nodes() if node.get_name() not in ("graph", "node", "edge")]
    assert names == ["s0", "s1", "s2", "o1", "o2", "o3", "o4"]
    edges = [(edge.get_source(), edge.get_destination()) for edge in graph.get_edges()]
    assert edges == [("s0", "s1"), ("s1", "s2"), ("s0", "o1"), ("s0", "o2"), ("s1", "o3"), ("s2", "o4")]


@pytest.mark.parametrize("name", NAMES)
def test_whatever_a_model_calls_things_is_shown_as_it_is(name: str) -> None:
    graph = read(dot.dumps(*strange(name)))
    (edge,) = graph.get_edges()
    assert " ".join(shown(edge.get("label"))).strip() == f"walker: {name}"
    assert shown(graph.get_node("s1")[0].get("label"))[1:] == [f"VIOLATED {name}", "node: 0 -> 1"]


@pytest.mark.parametrize("char", ["\n", "\0", "\x1b", "\ufffe"])
def test_what_no_drawing_can_hold_is_replaced(char: str) -> None:
    text = dot.dumps(*strange(f"a{char}b"))
    text.encode("utf-8")
    assert not any(ord(char) < 32 and char != "\n" for char in text)
    (edge,) = read(text).get_edges()
    assert " ".join(shown(edge.get("label"))).strip() == ("walker: a b" if char == "\n" else "walker: a\ufffdb")


def test_a_long_name_is_broken_into_lines() -> None:
    name = "a step with a name that is longer than a line of the drawing is wide"
    (edge,) = read(dot.dumps(*strange(name))).get_edges()
    lines = shown(edge.get("label"))
    assert (max(map(len, lines)) <= dot.WIDTH, " ".join(line.strip() for line in lines)) == (True, f"walker: {name}")


def test_a_loop_says_where_it_starts_and_a_run_that_stays_says_so() -> None:
    system = digraph([0, 1, 2, 1])
    prop = never(system, 2)
    loop = read(dot.dumps(system, verdict(prop, Trace(((0,), (1,), (2,), (1,)), (0, 1, 2), loop=1))))
    assert shown(loop.get_node("s1")[0].get("label")) == [
        "state 1", "VIOLATED never", "the loop starts here", "node: 0 -> 1",
    ]  # fmt: skip
    stays = read(dot.dumps(system, verdict(prop, Trace(((0,), (1,)), (0,), loop=1))))
    assert "nobody has to move from here on" in shown(stays.get_node("s1")[0].get("label"))


def test_what_is_left_out_is_said() -> None:
    system = digraph([0, 1], *([0, other] for other in range(2, 50)))
    graph = read(dot.dumps(system, verdict(never(system, 1), Trace(((0,), (1,)), (0,)))))
    caption = shown(graph.get_node("graph")[0].get("label") or graph.get("label"))
    assert caption[-1] == "and 8 more steps beside the trace, which are not drawn"


def test_a_verdict_without_a_trace_is_refused(found: Report) -> None:
    with pytest.raises(ValueError, match=r"^fine has no trace$"):
        dot.dumps(found.system, found["fine"])


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_graphviz_draws_it(name: str) -> None:
    drawn = subprocess.run(["dot", "-Tsvg"], input=dot.dumps(*strange(name)).encode(), capture_output=True, check=True)
    assert drawn.stderr == b""
    svg = html.unescape(drawn.stdout.decode()).replace("\xa0", " ")
    assert " ".join(name.split()[:1]) in svg


DRAW = """
from drawings import verdict
from systems import digraph, never
from cprcheck.report import dot, graphml
from cprcheck.trace import Trace
system = digraph([0, 1, 2], [0, 3], [1, 4], [1, 0], faults=[(1, 4)])
found = verdict(never(system, 2), Trace(((0,), (1,), (2,)), (0, 1)))
print(dot.dumps(system, found) + graphml.dumps(system, found))
"""


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    here = Path(__file__).parent
    paths = os.pathsep.join(map(str, [here, here.parent]))
    seeds = [os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": paths} for seed in ("1", "2")]
    runs = [subprocess.run([sys.executable, "-c", DRAW], env=seed, capture_output=True, check=True) for seed in seeds]
    assert runs[0].stdout == runs[1].stdout
    assert b"s1 -> o2" in runs[0].stdout
