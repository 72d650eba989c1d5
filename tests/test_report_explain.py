"""Explanations as text, and the options that ask for them."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from authors import written
from lamp import Run
from systems import digraph

from cprcheck.checking import check
from cprcheck.report import explain, text
from cprcheck.trace import Trace
from cprcheck.verdict import Report

SHOP = """\
from cprcheck import *

@model
def shop() -> Model:
    m = Model()
    m.var("goods", Range(0, 3), init=0)
    m.var("door", OneOf("open", "shut"), init="shut")
    till = m.lock("till")
    @m.process(c="shop.c")
    def owner(s):
        yield "unlock"
        with s.lock(till):
            s.door = "open"
            yield "buy"
            if s.fault("no money"):
                return
            s.goods = s.choose("how many", (1, 2, 3))
            yield "count"
        yield "close"
        s.door = "shut"
    @m.process
    def thief(s):
        yield "come"
        s.require(s.door == "open")
        if s.goods == 0:
            s.require(False)
        yield "look round"
        s.goods = 0
    @m.action(lock=till)
    def guest(s):
        s.require(s.door == "open")
    @m.invariant
    def honest(s):
        return (
            s.door == "shut"
            or not m.at("thief", "end")
        )
    return m
"""
EXPLAINED = """\
--- honest

  0  goods=0  door=shut  lock till=free  @owner=unlock  @thief=come
  1  owner: unlock  [shop.c:owner]
       door: shut -> open
       lock till: free -> owner
  2  owner: buy (how many: 1)  [shop.c:owner]
       goods: 0 -> 1
       @owner: buy -> count
       could also: owner: buy (how many: 2 | how many: 3); FAULT owner: buy (no money)
  3  thief: come
       could also: owner: count
  4  thief: look round
       goods: 1 -> 0
       @thief: look round -> end
       could also: owner: count

  violated: door = shut or @thief != end
  where:    door = open, @thief = end
  claimed:  shop.py:32
  again:    cprcheck check shop.py --property honest
  says so:  shop.py:35: s.door == "shut"; shop.py:36: or not m.at("thief", "end")
  at the end could still happen: owner: count
  (steps that change nothing are left out)
"""
WHY_NOT = """\

  why not 'thief':
    step 1:
      thief: come:
        needs door = open; here door = shut [shop.py:24: s.require(s.door == "open")]
        needs goods != 0; here goods = 0 [shop.py:25: if s.goods == 0:]
    step 2:
      thief: come: needs goods != 0; here goods = 0 [shop.py:25: if s.goods == 0:]
    step 3:
      thief: come: it can happen here
    step 4:
      thief: look round: it can happen here
    at the end:
      thief: the process stands elsewhere (@thief = end)

  why not 'count':
    steps 1-2:
      owner: count: the process stands elsewhere (@owner = unlock; then buy)
    steps 3-4 and at the end:
      owner: count: it can happen here

  why not 'guest':
    step 1:
      guest: needs door = open; here door = shut [shop.py:31: s.require(s.door == "open")]
    steps 2-4 and at the end:
      guest: the lock till is held (lock till = owner)
"""


@pytest.fixture
def shop(ran: Run) -> Run:
    Path("shop.py").write_text(SHOP, encoding="utf-8")
    return ran


def shown(out: str) -> str:
    """What is said about the trace."""
    return out[out.index("---") : out.rindex("\n1 VIOLATED")]


def test_explain_says_at_each_step_what_else_could_have_happened(shop: Run) -> None:
    code, out, err = shop("check shop.py --property honest --explain")
    assert (code, shown(out), err) == (1, EXPLAINED, "")


def test_why_not_says_at_each_step_which_condition_is_false(shop: Run) -> None:
    code, out, err = shop("check shop.py --property honest --why-not thief --why-not count --why-not guest")
    trace = "".join(line for line in EXPLAINED.splitlines(keepends=True) if "could also" not in line)
    plain = trace[: trace.index("  says so")]
    assert (code, shown(out), err) == (1, plain + WHY_NOT, "")


def test_both_together(shop: Run) -> None:
    _, out, _ = shop("check shop.py --property honest --explain --why-not thief --why-not count --why-not guest")
    assert shown(out) == EXPLAINED + WHY_NOT


def test_an_action_that_does_not_exist_is_refused_before_anything_is_checked(shop: Run) -> None:
    said = "no process, step or C function of shop is called 'theif'; did you mean 'thief'?"
    assert shop("check shop.py --why-not theif") == (2, "", f"cprcheck: {said}\n")
    assert shop("step shop.py --why-not theif --take q") == (2, "", f"cprcheck: {said}\n")


def test_a_step_that_only_a_fault_would_take_does_not_exist_without_faults(ran: Run) -> None:
    Path("mine.py").write_text(
        "from cprcheck import *\n@model\ndef mine() -> Model:\n    m = Model()\n    m.var('b', Bool, init=False)\n"
        "    @m.process\n    def p(s):\n        yield 'go'\n        if not s.fault('cut'):\n            return\n"
        "        yield 'fall'\n        s.b = True\n    return m\n"
    )
    assert ran("check mine.py --why-not fall").err == "nothing to explain: nothing was violated\n"


def test_without_traces_there_is_nothing_to_explain(shop: Run) -> None:
    said = "cprcheck: --explain and --why-not say something beside traces; leave --no-traces out\n"
    assert shop("check shop.py --explain --no-traces") == (2, "", said)
    assert shop("check shop.py --why-not thief --no-traces") == (2, "", said)
    said = "cprcheck: --explain and --why-not say something beside the text of traces; leave --trace ladder out\n"
    assert shop("check shop.py --explain --trace ladder") == (2, "", said)
    code, _, err = shop("check shop.py --property never_aborts --explain")
    assert (code, err) == (2, "cprcheck: no property 'never_aborts'; there is honest, deadlock_free, nobody_stuck\n")


# ---- step -----------------------------------------------------------------------------------------------------------

COME = """\
      thief: come:
        needs door = open; here door = shut [shop.py:24: s.require(s.door == "open")]
        needs goods != 0; here goods = 0 [shop.py:25: if s.goods == 0:]
"""


def test_a_walk_says_why_an_action_cannot_happen(shop: Run) -> None:
    code, out, err = shop("step shop.py --take '?thief,1,?come'")
    assert (code, err) == (0, "")
    assert f"    why not 'thief':\n{COME}" in out
    assert (
        "    why not 'come':\n      thief: come: needs goods != 0; here goods = 0 [shop.py:25: if s.goods == 0:]\n"
        in out
    )
    assert f"    why not 'thief':\n{COME}" in shop("step shop.py --take q --why-not thief").out


def test_a_walk_goes_on_after_a_name_that_does_not_exist_when_a_person_asks(
    shop: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = "no process, step or C function of shop is called 'x y'; the processes are 'owner', 'thief' and 'guest'\n"
    assert shop("step shop.py --take '?x y'").code == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("?x y\n? thief\n"))
    code, out, err = shop("step shop.py")
    assert (code, COME in out, err) == (0, True, said)


# ---- limits ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy() -> Report:
    body = "@m.process\ndef p(s):\n    yield 'go'\n    s.n = 1\n    yield 'stay'\n"
    body += "    s.n = s.choose('where', (0, 1, 2, 3))\n    yield 'rest'\n    s.n = s.n\n"
    body += "@m.action(i=(0, 1, 2, 3, 4, 5))\ndef a(s, i):\n    s.require(s.b == False)\n    s.b = True\n"
    body += "@m.invariant\ndef q(s):\n    return s.n != 1\n"
    return check(written(body))


def test_others_are_cut_and_counted(busy: Report) -> None:
    trace = busy["q"].trace
    assert explain.could_also(busy.system, trace, 0) == "a(i=0); a(i=1); a(i=2); a(i=3); and 2 more"
    assert explain.could_also(busy.system, trace, 0, 6) == "a(i=0); a(i=1); a(i=2); a(i=3); a(i=4); a(i=5)"
    end = explain.could_also(busy.system, trace, 1, 2)
    assert end == "p: stay (where: 0 | where: 1 | 2 more outcomes); a(i=0); and 5 more"


def test_values_are_cut_and_counted() -> None:
    body = "m.array('w', tuple(range(12)), Bool, init=False)\n"
    body += "@m.action\ndef a(s):\n    s.require(some(s.w[i] for i in range(12)))\n    s.b = True\n"
    system = written(body).system
    (first,) = [text.strip() for text in explain.why_not_here(system, tuple(c[0] for c in system.init), "a")][1:2]
    assert first.startswith("a: needs w[0] or w[1] or")
    whole = " ".join(line.strip() for line in explain.why_not_here(system, tuple(c[0] for c in system.init), "a"))
    shown = ", ".join(f"w[{i}] = False" for i in range(8))
    assert f"; here {shown}, 4 more [" in whole


def test_a_run_that_goes_round_is_explained_once_for_each_state() -> None:
    system = digraph([0, 1, 0], [1, 2])
    loop = Trace(((0,), (1,), (0,)), (0, 1), loop=0)
    assert list(explain.why_not_lines(system, loop, "1->2")) == [
        "  why not '1->2':",
        "    step 1:",
        "      walker: 1->2: needs node = 1; here node = 0",
        "    step 2:",
        "      walker: 1->2: it can happen here",
    ]
    torn = digraph([0, 1], faults=[(0, 1)])
    assert list(explain.why_not_here(torn, (0,), "0->1"))[-1] == "      walker: 0->1: it can happen here, by a fault"
    stays = Trace(((0,), (1,)), (0,), loop=1)
    assert list(explain.why_not_lines(system, stays, "0->1"))[-2:] == [
        "    at the end:",
        "      walker: 0->1: needs node = 0; here node = 1",
    ]


def test_no_line_is_wider_than_the_report(busy: Report) -> None:
    lines = text.report(busy, explain=lambda s, v: explain.notes(s, v, others=True, actions=["a", "p"]))
    assert all(len(line) <= text.WIDTH for line in lines)
