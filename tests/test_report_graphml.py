"""The neighbourhood of a trace in GraphML, read back by networkx."""

from __future__ import annotations

from xml.etree import ElementTree

import networkx as nx
import pytest
from authors import written
from drawings import BODY, NAMES, strange

from cprcheck.checking import check
from cprcheck.report import graphml
from cprcheck.verdict import Report


@pytest.fixture(scope="module")
def found() -> Report:
    return check(written(BODY))


def read(text: str) -> nx.MultiDiGraph:
    return nx.parse_graphml(text.partition("\n")[2], force_multigraph=True)


def test_it_reads_back_as_the_same_graph(found: Report) -> None:
    graph = read(graphml.dumps(found.system, found["quiet"]))
    assert list(graph.edges(keys=True)) == [
        ("s0", "s1", "e0"), ("s0", "o1", "e2"), ("s0", "o2", "e3"),
        ("s1", "s2", "e1"), ("s1", "o3", "e4"), ("s2", "o4", "e5"),
    ]  # fmt: skip
    assert graph.nodes["s2"] == {
        "label": "state 2\nVIOLATED quiet\nn: 0 -> 2", "on_trace": True, "rank": 2, "states": 1, "changes": "n: 0 -> 2",
    }  # fmt: skip
    assert graph.nodes["o2"]["states"] == 3
    assert graph.edges["s0", "o1", "e2"] == {
        "label": "FAULT send: open\nthe cable is cut", "name": "send: open", "on_trace": False, "fault": True,
        "outcomes": "the cable is cut", "possible": "0", "functions": "net/send.c:send",
    }  # fmt: skip
    assert graph.edges["s0", "o2", "e3"]["possible"] == "0-2"


def test_the_graph_says_what_it_shows(found: Report) -> None:
    assert read(graphml.dumps(found.system, found["quiet"])).graph == {
        "model": "mine", "digest": found.system.digest(), "property": "quiet", "status": "VIOLATED",
        "start": "s0", "end": "s2", "loops": False, "stays": False, "depth": 1, "left_out": 0,
        "node_default": {}, "edge_default": {},
    }  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, "a\0b\x1bc\ufffe\r"])
def test_whatever_a_model_calls_things_the_file_is_xml(name: str) -> None:
    text = graphml.dumps(*strange(name))
    ElementTree.fromstring(text.encode("utf-8"))
    wanted = name if name in NAMES else "a\ufffdb\ufffdc\ufffd\ufffd"
    assert read(text).edges["s0", "s1", "e0"]["name"] == f"walker: {wanted}"


def test_a_verdict_without_a_trace_is_refused(found: Report) -> None:
    with pytest.raises(ValueError, match=r"^fine has no trace$"):
        graphml.dumps(found.system, found["fine"])
