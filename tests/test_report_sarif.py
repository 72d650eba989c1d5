"""SARIF 2.1.0: accepted by the schema of OASIS, and what it says is what the report says."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import samples
from authors import written
from sarif_kit.validate import validation_errors

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.models import SHIPPED
from cprcheck.report import sarif, text
from cprcheck.verdict import Report

ALL = (samples.full, samples.good, samples.unknown, samples.initially, samples.hostile, samples.at_odds)


def run_of(found: Report) -> dict[str, Any]:
    (run,) = json.loads(sarif.dumps(found))["runs"]
    return run


def result(found: Report, name: str) -> dict[str, Any]:
    (one,) = (each for each in run_of(found)["results"] if each["ruleId"] == name)
    return one


def texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: value["text"] for name, value in values.items()}


def values(found: Report, name: str, at: int) -> dict[str, str]:
    """All slots at one state of a trace, as people read them."""
    state = found[name].trace.states[at]
    return {slot.name: slot.domain.show(code) for slot, code in zip(found.system.slots, state, strict=True)}


# ---- the log ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("made", ALL, ids=lambda made: made.__name__)
def test_the_schema_accepts_it(made) -> None:
    assert validation_errors(json.loads(sarif.dumps(made()))) == []


def test_the_schema_refuses_what_is_none() -> None:
    log = sarif.document(samples.full())
    log["runs"][0]["results"][0]["kind"] = "bad"
    assert any("'bad' is not one of" in error for error in validation_errors(log))


def test_every_property_is_a_rule_and_only_what_is_not_good_a_result() -> None:
    run = run_of(samples.full())
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [verdict.prop.name for verdict in samples.full().verdicts]
    quiet = next(rule for rule in rules if rule["id"] == "quiet")
    assert quiet["shortDescription"]["text"] == "Nobody ever sends three"
    assert quiet["fullDescription"]["text"] == "Nobody ever sends three. That would be too much."
    assert [each["ruleId"] for each in run["results"]] == ["quiet", "whole(i=0)", "settles", "both"]
    for each in run["results"]:
        assert rules[each["ruleIndex"]]["id"] == each["ruleId"]
        assert (each["kind"], each["level"]) == ("fail", "error")


def test_the_properties_of_the_run_have_all_verdicts_and_digests() -> None:
    found = samples.good()
    run = run_of(found)
    assert run["results"] == []
    assert run["properties"]["digest"] == found.system.digest()
    assert run["properties"]["verdicts"] == {
        "new": "REACHABLE: 3 steps, by explicit and bmc",
        "bounded": "HOLDS: all reachable states, by explicit and prove",
    }
    assert [tool["name"] for tool in (run["tool"]["driver"], *run["tool"]["extensions"])] == ["cprcheck", "z3"]
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_unknown_is_open_and_told() -> None:
    run = run_of(samples.unknown())
    (one,) = run["results"]
    assert (one["kind"], one["level"]) == ("open", "none")  # 3.27.10: what is not "fail" has no level
    reason = samples.unknown()["bounded"].reason
    assert one["message"]["text"] == f"bounded is UNKNOWN: {reason}."
    (told,) = run["invocations"][0]["toolExecutionNotifications"]
    assert (told["level"], told["associatedRule"]) == ("warning", {"id": "bounded", "index": 0})
    assert "codeFlows" not in one


def test_a_disagreement_is_no_success() -> None:
    (invocation,) = run_of(samples.at_odds())["invocations"]
    assert invocation == {
        "executionSuccessful": False,
        "toolExecutionNotifications": [
            {"level": "error", "message": {"text": "bounded: explicit HOLDS, bmc VIOLATED"}},
        ],
    }


def test_fingerprints_tell_the_property_and_the_system() -> None:
    found = samples.full()
    prints = result(found, "quiet")["partialFingerprints"]
    assert prints["modelAndProperty/v1"] == "mine: quiet"
    assert prints["digestAndProperty/v1"] == f"{found.system.digest()}: quiet"


# ---- places -------------------------------------------------------------------------------------------------------


def test_a_result_is_at_the_line_of_its_property_and_a_step_at_the_line_of_its_action() -> None:
    found = samples.full()
    place = result(found, "quiet")["locations"][0]["physicalLocation"]
    source = found["quiet"].prop.source
    assert place["artifactLocation"] == {"uri": source.file, "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": source.line, "snippet": {"text": "@m.invariant"}}
    (flow,) = result(found, "quiet")["codeFlows"][0]["threadFlows"]
    transitions = [found.system.transitions[step] for step in found["quiet"].trace.steps]
    for step, transition in zip(flow["locations"], transitions, strict=True):
        location = step["location"]
        lines = [location["physicalLocation"]["region"], *location.get("annotations", [])]
        assert [line["startLine"] for line in lines] == [source.line for source in transition.sources]
        assert all(line["snippet"]["text"] for line in lines)
    told = [line["message"]["text"] for line in flow["locations"][1]["location"]["annotations"] if "message" in line]
    assert told == ["fault: the cable is cut"]
    named = flow["locations"][1]["location"]["logicalLocations"]
    assert named == [{"fullyQualifiedName": "net/send.c:send", "kind": "function"}]


ELSEWHERE = """
def helper(s):
    s.n = 1
    yield "in the helper"
    s.n = 2

@m.process
def p(s):
    yield "go"
    yield from helper(s)
    yield "after it"
    s.n = 3

@m.invariant
def low(s):
    return s.n < 3
"""


def test_a_step_is_at_the_yield_that_names_it_though_an_earlier_line_runs_in_it() -> None:
    found = check(written(ELSEWHERE), Options(properties=("low",)))
    (flow,) = result(found, "low")["codeFlows"][0]["threadFlows"]
    places = [step["location"]["physicalLocation"]["region"]["snippet"]["text"] for step in flow["locations"]]
    assert places == ['yield "go"', 'yield "in the helper"', 'yield "after it"']
    others = [[line["snippet"]["text"] for line in step["location"]["annotations"]] for step in flow["locations"]]
    assert others[0] == ["yield from helper(s)", "s.n = 1", 'yield "in the helper"']


STUCK = """
@m.process
def p(s):
    yield "go"
    s.b = True
    yield "wait"
    s.require(s.n > 1)
"""


def test_a_property_that_comes_by_itself_is_at_the_last_step() -> None:
    found = check(written(STUCK), Options(properties=("deadlock_free",)))
    last = found.system.transitions[found["deadlock_free"].trace.steps[-1]]
    region = result(found, "deadlock_free")["locations"][0]["physicalLocation"]["region"]
    assert (last.label, region["startLine"]) == ("go", last.sources[0].line)


MODEL = """\
from cprcheck import Bool, Model, model
@model
def m() -> Model:
    m = Model()
    m.var("b", Bool, init=True)
    @m.invariant
    def never(s):
        return not s.b
    return m
"""


def test_no_path_of_this_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files below the working directory, shipped ones from elsewhere, and any other."""
    monkeypatch.chdir(tmp_path)
    places = {}
    for name in (tmp_path / "a b.py", tmp_path.parent / f"{tmp_path.name}.py"):
        name.write_text(MODEL, encoding="utf-8")
        found = check(catalog.models_in(name)[0](), Options(properties=("never",)))
        assert str(tmp_path.parent) not in sarif.dumps(found)
        places[name.parent == tmp_path] = result(found, "never")["locations"]
    assert places[True][0]["physicalLocation"]["artifactLocation"] == {"uri": "a%20b.py", "uriBaseId": "SRCROOT"}
    assert places[False] == []
    shipped = check(catalog.bind(catalog.find("peterson"), {"polite": "no"}), Options(properties=("can_enter",)))
    run = run_of(shipped)
    assert run["artifacts"][0]["location"] == {"uri": "models/control/peterson.py", "uriBaseId": "CPRCHECK"}
    assert str(SHIPPED) not in json.dumps(run)
    assert run["originalUriBaseIds"].keys() == {"SRCROOT", "CPRCHECK"}


def test_a_design_of_yours_that_is_judged_by_our_claims_has_its_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = samples.abroad(tmp_path)
    assert validation_errors(json.loads(sarif.dumps(found))) == []
    line = (tmp_path / "mine.py").read_text(encoding="utf-8").splitlines().index("@model") + 1
    for name, said in (("guest_survives", "the claim"), ("deadlock_free", "a step")):
        one = result(found, name)
        (place,), (other,) = one["locations"], one["relatedLocations"]
        assert place["physicalLocation"] == {
            "artifactLocation": {"uri": "mine.py", "uriBaseId": "SRCROOT"},
            "region": {"startLine": line, "snippet": {"text": "@model"}},
        }
        assert other["physicalLocation"]["artifactLocation"]["uriBaseId"] == "CPRCHECK"
        assert other["message"]["text"] == f"{said}, in a part that comes with cprcheck"
    assert {"uri": "mine.py", "uriBaseId": "SRCROOT"} in [each["location"] for each in run_of(found)["artifacts"]]


# ---- traces -------------------------------------------------------------------------------------------------------


def test_a_code_flow_has_a_thread_flow_for_each_process_in_the_order_of_the_trace() -> None:
    found = samples.full()
    flows = result(found, "whole(i=0)")["codeFlows"][0]["threadFlows"]
    system, trace = found.system, found["whole(i=0)"].trace
    assert [flow["id"] for flow in flows] == ["send", "receive"]
    steps = {step["executionOrder"]: (flow["id"], step) for flow in flows for step in flow["locations"]}
    assert sorted(steps) == list(range(1, len(trace) + 1))
    for at, (process, step) in steps.items():
        transition = system.transitions[trace.steps[at - 1]]
        assert process == system.processes[transition.process].name
        assert step["location"]["message"]["text"].startswith(text.step_line(system, at, transition).strip())


def test_each_step_has_all_values_that_ever_change_and_the_others_are_immutable() -> None:
    found = samples.full()
    one = result(found, "whole(i=0)")
    (traversal,) = one["graphTraversals"]
    last = len(found["whole(i=0)"].trace)
    for flow in one["codeFlows"][0]["threadFlows"]:
        assert texts(flow["initialState"]) | texts(flow["immutableState"]) == values(found, "whole(i=0)", 0)
        for step in flow["locations"]:
            at = step["executionOrder"]
            assert texts(step["state"]) | texts(flow["immutableState"]) == values(found, "whole(i=0)", at)
            assert step["state"] == traversal["edgeTraversals"][at - 1]["finalState"]
            assert step["state"].keys() == flow["initialState"].keys()
            assert not step["state"].keys() & flow["immutableState"].keys()
    assert "b" in traversal["initialState"]
    assert "v[1]" in traversal["immutableState"]
    assert len(traversal["edgeTraversals"]) == last


def test_faults_are_dangers_and_the_last_step_is_essential() -> None:
    steps = result(samples.full(), "quiet")["codeFlows"][0]["threadFlows"][0]["locations"]
    assert [(step.get("kinds"), step["importance"]) for step in steps] == [
        (None, "important"),
        (["danger"], "essential"),
    ]
    assert steps[1]["location"]["message"]["text"].split("; ")[1:] == [
        "fault: the cable is cut",
        "event: sent(count=1)",
    ]


@pytest.mark.parametrize("name", ["quiet", "whole(i=0)", "settles"])
def test_the_graph_is_the_trace_and_the_traversal_passes_it(name: str) -> None:
    found = samples.full()
    one, trace = result(found, name), found[name].trace
    (graph,), (traversal,) = one["graphs"], one["graphTraversals"]
    nodes = [node["id"] for node in graph["nodes"]]
    assert len(nodes) == len(set(nodes)) == len(set(trace.states))
    edges = {edge["id"]: edge for edge in graph["edges"]}
    path = [edges[each["edgeId"]] for each in traversal["edgeTraversals"]]
    assert len(path) == len(edges) == len(trace)
    assert path[0]["sourceNodeId"] == "0"
    for before, after in pairwise(path):
        assert before["targetNodeId"] == after["sourceNodeId"]
    if trace.loop is not None:
        assert path[-1]["targetNodeId"] == str(trace.loop)


def test_a_loop_is_told() -> None:
    found = samples.full()
    (flow,) = result(found, "settles")["codeFlows"]
    loop, last = found["settles"].trace.loop, len(found["settles"].trace)
    assert loop is not None
    assert loop < last
    assert flow["message"]["text"] == f"{last} steps, and back to state {loop}, for ever"
    starts = [
        step
        for each in flow["threadFlows"]
        for step in each["locations"]
        if "the loop starts here" in step["location"]["message"]["text"]
    ]
    assert [step["executionOrder"] for step in starts] == [loop + 1]


def test_what_is_bad_from_the_start_has_a_flow_of_its_initial_state() -> None:
    one = result(samples.initially(), "never")
    (flow,) = one["codeFlows"][0]["threadFlows"]
    (step,) = flow["locations"]
    assert (flow["id"], step["executionOrder"]) == ("init", 0)
    assert texts(step["state"]) == values(samples.initially(), "never", 0)
    assert one["graphTraversals"][0]["edgeTraversals"] == []


# ---- text ---------------------------------------------------------------------------------------------------------


def messages(node: Any) -> list[str]:
    """Every text in a log."""
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() for text in messages(value)]
    return [text for value in node for text in messages(value)] if isinstance(node, list) else []


def test_hostile_text_is_neither_placeholder_nor_link_nor_control() -> None:
    said = messages(run_of(samples.hostile()))
    evil = [text for text in said if "<script>" in text]
    assert len(evil) >= 8  # name, claim, violated, label twice, fault and event, values
    for text_ in said:
        assert text_
        assert "{0}" not in text_.replace("{{0}}", "")
        assert "](" not in text_
        assert text_.isprintable() or text_.replace("\n", "").isprintable()
