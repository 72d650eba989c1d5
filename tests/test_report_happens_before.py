"""What happens before what, as text and as DOT; Graphviz reads what is written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pair
import pytest
from lamp import Run, listing

from cprcheck.report import happens_before

RUNS = """
6 runs, 3 really different, 2 outcomes

--- 5 runs, 2 really different, the shortest: 3 steps
  n: one

  1  writer: prepare
  2  other: write too
  3  writer: write

  happens before: 1 first; 2 first; 3 after 1, 2

  really different: 3 steps

  1  writer: prepare
  2  writer: write
  3  FAULT other: write too  fault: it "breaks"

  happens before: 1 first; 2 after 1; 3 first

--- 1 run, the shortest: 3 steps
  n: two

  1  writer: prepare
  2  writer: write
  3  other: write too

  happens before: 1 first; 2 after 1; 3 after 2
"""
DOT = """\
digraph happens_before {
  node [shape=box]
  subgraph cluster_1_1 {
    label="n: one"
    n1_1_1 [label="1  writer\\nprepare"]
    n1_1_2 [label="2  other\\nwrite too"]
    n1_1_3 [label="3  writer\\nwrite"]
    n1_1_1 -> n1_1_3
    n1_1_2 -> n1_1_3 [style=dashed]
  }
  subgraph cluster_1_2 {
    label="n: one"
    n1_2_1 [label="1  writer\\nprepare"]
    n1_2_2 [label="2  writer\\nwrite"]
    n1_2_3 [label="3  other\\nwrite too\\nfault: it \\"breaks\\""]
    n1_2_1 -> n1_2_2
  }
  subgraph cluster_2_1 {
    label="n: two"
    n2_1_1 [label="1  writer\\nprepare"]
    n2_1_2 [label="2  writer\\nwrite"]
    n2_1_3 [label="3  other\\nwrite too"]
    n2_1_1 -> n2_1_2
    n2_1_2 -> n2_1_3 [style=dashed]
  }
}
"""


@pytest.fixture
def two(ran: Run) -> Run:
    """Run a command line in a folder that has `pair.py`."""
    pair.save()
    return ran


# By hand: the other's step comes first, between or last, with its fault or without.  Last and without it the outcome
# is two; first and between are the same but for the order, and all three with the fault are.
def test_each_run_that_is_shown_says_what_happens_before_what(two: Run) -> None:
    code, out, err = two("interleavings pair.py --show 2 --happens-before")
    again = "\n  again: cprcheck interleavings pair.py --show 2 --happens-before\n"
    assert (code, out.partition("excluded\n")[2], err) == (0, RUNS + again, "")


def test_a_graph_is_written_and_the_text_stays_as_it_was(two: Run) -> None:
    plain = two("interleavings pair.py --show all").out
    assert two("interleavings pair.py --show all --dot new.dot") == (0, plain, "")
    assert Path("new.dot").read_text() == DOT


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it(two: Run) -> None:
    two("interleavings pair.py --show all --dot new.dot")
    drawn = subprocess.run(["dot", "-Tplain", "new.dot"], check=True, capture_output=True, text=True)
    assert (drawn.stderr, drawn.stdout.count("\nnode "), drawn.stdout.count("\nedge ")) == ("", 9, 5)


def test_a_graph_that_cannot_be_written_is_told(two: Run) -> None:
    code, _, err = two("interleavings pair.py --dot no/new.dot")
    assert (code, err) == (2, "cprcheck: cannot write no/new.dot: No such file or directory\n")
    assert listing() == ["pair.py"]


def test_long_chains_are_told_at_once() -> None:
    before = ((), (1,), (2,), (3,), (), (4, 5), (6,), (7,))
    assert list(happens_before.lines(before)) == [
        "  happens before: 1 first; 2 to 4 each after the one before; 5 first; 6 after 4, 5; 7 after 6; 8 after 7"
    ]
