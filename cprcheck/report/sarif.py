# SPDX-License-Identifier: Apache-2.0
"""Verdicts as SARIF 2.1.0, the Static Analysis Results Interchange Format of OASIS, for code scanning and its viewers.

Each property is a rule.  What is bad is a result of kind "fail", what is not known one of kind "open".  What is good
has no result, since code scanning shows every result as a problem; the property bag of the run has all verdicts.

A trace is there twice.  As a code flow it has a thread flow for each process, in the order of `executionOrder`.  As
a graph its nodes are the states and its edges the steps, and a traversal passes them in order.  A viewer must not
assume that a value which is not mentioned stays what it was (3.38, 3.43), so each step has all slots that change
somewhere in the trace; the others are in `immutableState`.

Files are relative to the working directory, SRCROOT, and those that come with cprcheck to CPRCHECK: no path of this
machine is told, and there are no times.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any
from urllib.parse import quote

from cprcheck.errors import Source
from cprcheck.report import text, words
from cprcheck.report.document import subject
from cprcheck.system import Property, State, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Report, Status, Verdict

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASES = {words.HERE: "the folder in which cprcheck was run", words.OURS: "the models that come with cprcheck"}
Json = dict[str, Any]


def dumps(found: Report) -> str:
    """The report as the text of a SARIF file."""
    return json.dumps(document(found), indent=1) + "\n"


def document(found: Report) -> Json:
    """The report as a SARIF log with one run."""
    return {"version": "2.1.0", "$schema": SCHEMA, "runs": [_run(found)]}


def _run(found: Report) -> Json:
    results = [_result(found, index) for index, verdict in enumerate(found.verdicts) if not verdict.status.good]
    return {
        "tool": {
            "driver": {
                "name": "cprcheck",
                "version": version("cprcheck"),
                "rules": [_rule(verdict.prop) for verdict in found.verdicts],
            },
            "extensions": [{"name": "z3", "version": version("z3-solver")}],
        },
        "automationDetails": {"id": f"cprcheck/{words.printable(words.configuration(found))}/"},
        "invocations": [_invocation(found)],
        "originalUriBaseIds": {name: {"description": _message(said)} for name, said in BASES.items()},
        "artifacts": _artifacts(found),
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            **subject(found.system, found.size, found.scope),
            "verdicts": {verdict.prop.name: words.sentence(verdict) for verdict in found.verdicts},
        },
    }


def _invocation(found: Report) -> Json:
    """That engines disagree is an error of the tool; that something is unknown is told here too."""
    told: list[Json] = [{"level": "error", "message": _message(said)} for said in found.disagreements]
    for index, verdict in enumerate(found.verdicts):
        if verdict.status is Status.UNKNOWN:
            rule = {"id": verdict.prop.name, "index": index}
            message = _message(f"{verdict.prop.name} is {words.sentence(verdict)}")
            told.append({"level": "warning", "message": message, "associatedRule": rule})
    return {"executionSuccessful": not found.disagreements, "toolExecutionNotifications": told}


def _rule(prop: Property) -> Json:
    claim = " ".join(prop.doc.split()) or f"{prop.name}, {prop.kind.value}"
    return {
        "id": prop.name,
        "name": prop.family or prop.name,
        "shortDescription": _message(claim.partition(". ")[0]),
        "fullDescription": _message(claim),
        "defaultConfiguration": {"level": "error"},
        "properties": {"kind": prop.kind.value},
    }


# ---- results ----------------------------------------------------------------------------------------------------


def _result(found: Report, index: int) -> Json:
    system, verdict = found.system, found.verdicts[index]
    here = _told(system, verdict)
    bad = verdict.status.bad
    result: Json = {
        "ruleId": verdict.prop.name,
        "ruleIndex": index,
        "kind": "fail" if bad else "open",
        "level": "error" if bad else "none",
        "message": _message(f"{verdict.prop.name} is {words.sentence(verdict)}."),
        "locations": here[:1],
        "partialFingerprints": {
            "modelAndProperty/v1": f"{text.title(system)}: {verdict.prop.name}",
            "digestAndProperty/v1": f"{system.digest()}: {verdict.prop.name}",
        },
        "properties": {
            "status": verdict.status.value,
            "severity": verdict.severity,
            "where": dict(verdict.where),
            "engines": list(verdict.engines),
        },
    }
    if here[1:]:
        what = "a step" if verdict.prop.source is None else "the claim"
        said = _message(f"{what}, in a part that comes with cprcheck")
        result["relatedLocations"] = [{**location, "message": said} for location in here[1:]]
    if verdict.trace is not None:
        result["codeFlows"] = [_code_flow(system, verdict, verdict.trace)]
        result["graphs"] = [_graph(system, verdict.trace)]
        result["graphTraversals"] = [_traversal(system, verdict.trace)]
    return result


def _told(system: System, verdict: Verdict) -> list[Json]:
    """The lines of `words.told`."""
    return [{"physicalLocation": _place(source)} for source in words.told(system, verdict)]


def _code_flow(system: System, verdict: Verdict, trace: Trace) -> Json:
    movers = dict.fromkeys(system.transitions[step].process for step in trace.steps)
    constant = _constant(trace)
    flows: list[Json] = []
    for process in movers:
        name = system.processes[process].name
        own = [at for at, step in enumerate(trace.steps, 1) if system.transitions[step].process == process]
        flows.append(
            {
                "id": name,
                "message": _message(name),
                "initialState": _values(system, trace.states[0], constant, same=False),
                "immutableState": _values(system, trace.states[0], constant, same=True),
                "locations": [_step(system, trace, at, constant) for at in own],
            }
        )
    if not flows:  # bad from the start: a flow has at least one location
        message = _message("the initial state")
        state = _values(system, trace.states[0], frozenset(), same=False)
        here = {"location": {**next(iter(_told(system, verdict)), {}), "message": message}, "state": state}
        flows.append({"id": "init", "message": message, "locations": [{**here, "executionOrder": 0}]})
    return {"message": _message(f"{len(trace)} steps{_loop(trace)}"), "threadFlows": flows}


def _loop(trace: Trace) -> str:
    if trace.loop is None:
        return ""
    return (
        ", and nobody has to move any more"
        if trace.loop == len(trace)
        else f", and back to state {trace.loop}, for ever"
    )


def _step(system: System, trace: Trace, at: int, constant: frozenset[int]) -> Json:
    """Step `at`, counted from 1, at the line that names it; the other lines that it runs are annotations."""
    transition = system.transitions[trace.steps[at - 1]]
    location: Json = {"message": _message("; ".join(_said(system, trace, at, transition)))}
    place = next(filter(None, map(_place, transition.sources)), None)
    if place is not None:
        others = _annotations(transition, place)
        location["physicalLocation"] = place
        location |= {"annotations": others} if others else {}
    if transition.functions:
        named = transition.functions
        location["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "function"} for name in named]
    kinds = ["danger"] * bool(transition.faults) + ["branch"] * bool(transition.choices)
    return {
        "location": location,
        "state": _values(system, trace.states[at], constant, same=False),
        "executionOrder": at,
        "importance": "essential" if transition.faults or at == len(trace) else "important",
        **({"kinds": kinds} if kinds else {}),
    }


def _annotations(transition: Transition, first: Json) -> list[Json]:
    """The other lines of the file of `first` that a step runs; those at which a fault happens say which."""
    regions: dict[Source, Json] = {}
    faults = {fault.site: fault for fault in transition.faults if fault.site is not None}
    for source in (*transition.sources, *faults):
        place = _place(source)
        if place is None or place["artifactLocation"] != first["artifactLocation"] or place == first:
            continue
        told = {"message": _message(f"fault: {text.fault_line(faults[source])}")} if source in faults else {}
        regions[source] = {**place["region"], **told}
    return list(regions.values())


def _said(system: System, trace: Trace, at: int, transition: Transition) -> Iterator[str]:
    yield text.step_line(system, at, transition).strip()
    yield from (f"fault: {text.fault_line(fault)}" for fault in transition.faults)
    yield from (f"event: {event}" for event in transition.events)
    if trace.loop == at - 1:
        yield "the loop starts here"


# ---- the graph of a trace ---------------------------------------------------------------------------------------


def _nodes(trace: Trace) -> dict[State, str]:
    """The name of each state: the number of the step that first leads there."""
    names: dict[State, str] = {}
    for at, state in enumerate(trace.states):
        names.setdefault(state, str(at))
    return names


def _graph(system: System, trace: Trace) -> Json:
    names, edges = _nodes(trace), []
    for at, step in enumerate(trace.steps, 1):
        label = text.step_line(system, at, system.transitions[step]).strip()
        ends = {"sourceNodeId": names[trace.states[at - 1]], "targetNodeId": names[trace.states[at]]}
        edges.append({"id": str(at), "label": _message(label), **ends})
    nodes = [{"id": name, "label": _message(f"state {name}")} for name in names.values()]
    return {"description": _message("the states of the trace"), "nodes": nodes, "edges": edges}


def _traversal(system: System, trace: Trace) -> Json:
    constant = _constant(trace)
    return {
        "resultGraphIndex": 0,
        "initialState": _values(system, trace.states[0], constant, same=False),
        "immutableState": _values(system, trace.states[0], constant, same=True),
        "edgeTraversals": [
            {"edgeId": str(at), "finalState": _values(system, state, constant, same=False)}
            for at, state in enumerate(trace.states[1:], 1)
        ],
    }


def _constant(trace: Trace) -> frozenset[int]:
    """The slots that no step of the trace changes."""
    return frozenset(slot for slot, codes in enumerate(zip(*trace.states, strict=True)) if len(set(codes)) == 1)


def _values(system: System, state: State, constant: frozenset[int], *, same: bool) -> Json:
    """The values of the slots that are in `constant`, or of those that are not."""
    chosen = [slot for slot in range(len(system.slots)) if (slot in constant) is same]
    return {system.slots[slot].name: _message(system.slots[slot].domain.show(state[slot])) for slot in chosen}


# ---- files and messages -----------------------------------------------------------------------------------------


def _artifacts(found: Report) -> list[Json]:
    """Every file that a result may name."""
    sources = [verdict.prop.source for verdict in found.verdicts]
    sources += [source for transition in found.system.transitions for source in transition.sources]
    sources += [source for verdict in found.verdicts for source in words.told(found.system, verdict)]
    places = [place["artifactLocation"] for place in map(_place, filter(None, sources)) if place is not None]
    unique = {(place["uriBaseId"], place["uri"]): place for place in places}
    return [
        {"location": unique[key], "sourceLanguage": "python", "roles": ["analysisTarget"]} for key in sorted(unique)
    ]


def _place(source: Source) -> Json | None:
    """A line of a file, if the file has a name."""
    named = words.place(source)
    if named is None:
        return None
    line = words.printable(source.text())
    return {
        "artifactLocation": {"uri": quote(named[1]), "uriBaseId": named[0]},
        "region": {"startLine": source.line, **({"snippet": {"text": line}} if line else {})},
    }


def _message(said: str) -> Json:
    """Text that is neither a placeholder (3.11.5) nor a link (3.11.6), and never empty (3.11.8)."""
    plain = words.printable(said).replace("{", "{{").replace("}", "}}").replace("](", "] (")
    return {"text": plain or " "}
