"""Traces in the Informal Trace Format, read back by a reader that we did not write."""

from __future__ import annotations

import json
from typing import Any

import itf_py
import pytest
from authors import written

from cprcheck.checking import Options, check
from cprcheck.report import itf
from cprcheck.report.text import shown
from cprcheck.verdict import Report, Verdict

BODY = """
m.var("mixed", OneOf(7, True, "seven"), init=True)
m.var("deep", Range(-3, 3), init=-3)
@m.process(c="net/send.c", i=(1,))
def send(s, i):
    yield "open"
    s.deep = 3
    yield "write"
    if s.fault("the cable is cut"):
        s.b = True
    count = s.choose("how many", (1, 2))
    s.mixed = 7
    s.n = count
    s.emit("sent", count=count)
    while True:
        yield "rest"
        s.owner = Proc.NEW
        yield "work"
        s.owner = Proc.OLD
@m.invariant
def quiet(s):
    return s.n < 2
@m.leads_to
def old_again(s):
    return s.owner == Proc.NEW, s.b
@m.invariant
def fine(s):
    return s.n < 3
@m.reachable
def cut(s):
    return s.b
"""


@pytest.fixture(scope="module")
def found() -> Report:
    return check(written(BODY))


def raw(found: Report, name: str) -> dict[str, Any]:
    """The file about the property `name`, as plain JSON."""
    loaded: dict[str, Any] = json.loads(itf.dumps(found.system, found[name]))
    return loaded


def traces(found: Report) -> list[Verdict]:
    return [verdict for verdict in found.verdicts if verdict.trace is not None]


def test_every_trace_comes_back_with_its_values(found: Report) -> None:
    assert [verdict.prop.name for verdict in traces(found)] == ["quiet", "old_again", "cut"]
    for verdict in traces(found):
        read = itf_py.trace_from_json(raw(found, verdict.prop.name))
        assert len(read.states) == len(verdict.trace.states)
        for state, codes in zip(read.states, verdict.trace.states, strict=True):
            values = dict(state.values)
            assert values.pop("mbt::actionTaken")
            for slot, code in zip(found.system.slots, codes, strict=True):
                value = slot.domain.decode(code)
                wanted = value if isinstance(value, int) else slot.domain.show(code)
                assert (values.pop(slot.name), type(wanted)) == (wanted, type(wanted))
            assert values == {}


def test_reading_and_writing_again_changes_nothing(found: Report) -> None:
    for verdict in traces(found):
        read = itf_py.trace_from_json(raw(found, verdict.prop.name))
        assert itf_py.trace_from_json(json.loads(json.dumps(itf_py.trace_to_json(read)))) == read


def test_integers_are_big_and_the_rest_is_text_or_truth(found: Report) -> None:
    first, *_, last = raw(found, "quiet")["states"]
    names = ("deep", "n", "b", "mixed", "owner", "v[0]", "lock l", "g", "@send(i=1)")
    seven = {"#bigint": "7"}
    assert [first[name] for name in names] == [
        *({"#bigint": "-3"}, {"#bigint": "0"}, False, True),
        *("OLD", "GOOD", "free", "alive", "open"),
    ]
    assert [last[name] for name in names[:5]] == [{"#bigint": "3"}, {"#bigint": "2"}, False, seven, "OLD"]


def test_the_variables_are_the_slots_and_the_action(found: Report) -> None:
    document = raw(found, "quiet")
    assert document["vars"] == [slot.name for slot in found.system.slots] + ["mbt::actionTaken"]
    assert all(set(state) == {"#meta", *document["vars"]} for state in document["states"])


def test_a_lasso_has_the_index_of_the_state_where_it_starts(found: Report) -> None:
    document = raw(found, "old_again")
    loop = document["loop"]
    assert loop == found["old_again"].trace.loop == 3
    variables = [name for name in document["vars"] if name != "mbt::actionTaken"]
    assert [document["states"][loop][name] for name in variables] == [
        document["states"][-1][name] for name in variables
    ]


def test_a_finite_run_has_no_loop(found: Report) -> None:
    assert "loop" not in raw(found, "quiet")
    assert itf_py.trace_from_json(raw(found, "quiet")).loop is None


def test_the_action_that_leads_to_a_state_is_named_in_it(found: Report) -> None:
    states = raw(found, "quiet")["states"]
    assert [state["mbt::actionTaken"] for state in states] == [
        "init",
        "send(i=1): open",
        "send(i=1): write (how many: 2)",
    ]


def test_the_step_is_in_the_meta_data_of_the_state_it_leads_to(found: Report) -> None:
    states = raw(found, "quiet")["states"]
    assert [state["#meta"]["index"] for state in states] == [0, 1, 2]
    assert "cprcheck" not in states[0]["#meta"]
    assert states[2]["#meta"]["cprcheck"] == {
        "process": "send(i=1)",
        "label": "write",
        "choices": [["how many", "2"]],
        "faults": [],
        "events": ["sent(count=2)"],
        "functions": ["net/send.c:send"],
    }


def test_a_fault_is_in_the_meta_data(found: Report) -> None:
    assert raw(found, "cut")["states"][-1]["#meta"]["cprcheck"]["faults"] == ["the cable is cut"]


def test_the_file_says_what_it_shows(found: Report) -> None:
    assert raw(found, "quiet")["#meta"] == {
        "format": "ITF",
        "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
        "source": "cprcheck mine",
        "status": "VIOLATED",
        "description": "quiet",
        "params": {},
        "digest": found.system.digest(),
    }


def test_a_verdict_without_a_trace_is_refused(found: Report) -> None:
    assert found["fine"] not in shown(found.verdicts)
    with pytest.raises(ValueError, match=r"^fine has no trace$"):
        itf.dumps(found.system, found["fine"])


def test_the_text_is_the_same_each_time(found: Report) -> None:
    again = check(written(BODY))
    for verdict in traces(found):
        assert itf.dumps(again.system, again[verdict.prop.name]) == itf.dumps(found.system, verdict)
        assert itf.dumps(found.system, verdict).endswith("}\n")


def test_a_model_that_the_command_line_knows_is_named_with_its_faults(found: Report) -> None:
    from cprcheck import catalog

    report = check(
        catalog.bind(catalog.find("v7"), {"env": "cont"}),
        Options(engines=("explicit",), faults=1, properties=("runs_only_with_valid_vaddrs",)),
    )
    meta = itf.document(report.system, report["runs_only_with_valid_vaddrs"])["#meta"]
    assert {key: meta[key] for key in ("model", "faults", "injected")} == {
        "model": "v7", "faults": "1", "injected": False,
    }  # fmt: skip
    assert meta["params"]["env"] == "CONT"
    assert "model" not in raw(found, "quiet")["#meta"]
