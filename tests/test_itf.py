"""Reading ITF: what we write comes back as the same trace, through another library too; damaged files are told."""

from __future__ import annotations

import json
from typing import Any

import itf_py
import pytest
from authors import process, written
from drawn import found, verdict

from cprcheck import itf
from cprcheck.checking import Options, check
from cprcheck.errors import UsageError
from cprcheck.replay import walk
from cprcheck.report import itf as report_itf
from cprcheck.trace import Trace


def file(name: str = "loaded") -> dict[str, Any]:
    """The file about the property `name`, as plain JSON."""
    loaded: dict[str, Any] = json.loads(report_itf.dumps(found().system, verdict(name)))
    return loaded


def read(data: dict[str, Any]) -> Trace:
    return itf.read(itf.parse(json.dumps(data), "a.itf.json"), found().system)


def through_itf_py(data: dict[str, Any]) -> dict[str, Any]:
    written_: dict[str, Any] = itf_py.trace_to_json(itf_py.trace_from_json(data))
    return written_


def foreign(data: dict[str, Any]) -> dict[str, Any]:
    """The same trace as somebody else would write it: states only, and numbers as JSON has them."""
    states = [{k: _number(v) for k, v in state.items() if k in data["vars"]} for state in data["states"]]
    names = [name for name in data["vars"] if not name.startswith("mbt::")]
    kept = [{name: state[name] for name in names} for state in states]
    return {"vars": names, "states": kept} | ({"loop": data["loop"]} if "loop" in data else {})


def _number(value: Any) -> Any:
    return int(value["#bigint"]) if isinstance(value, dict) else value


@pytest.mark.parametrize("name", ["loaded", "ends"])
def test_a_trace_comes_back_as_it_was(name: str) -> None:
    assert read(file(name)) == verdict(name).trace
    assert verdict("ends").trace.loop == 7


@pytest.mark.parametrize("name", ["loaded", "ends"])
def test_a_trace_comes_back_through_another_library(name: str) -> None:
    assert read(through_itf_py(file(name))) == verdict(name).trace


@pytest.mark.parametrize("name", ["loaded", "ends"])
def test_a_trace_with_states_only_is_found_again(name: str) -> None:
    trace = read(foreign(file(name)))
    walk(found().system, trace)
    assert (trace.states, trace.loop) == (verdict(name).trace.states, verdict(name).trace.loop)


def test_every_kind_of_value_comes_back() -> None:
    body = "m.var('mixed', OneOf(7, True, 'seven'), init=True)\nm.var('deep', Range(-3, 3), init=-3)\n"
    steps = "for value in (7, 'seven'):\n    yield f'to {value}'\n    s.mixed = value\n    s.deep = s.deep + 3"
    report = check(written(process(steps, body) + "\n@m.invariant\ndef low(s):\n    return s.deep < 3\n"))
    recorded = itf.parse(report_itf.dumps(report.system, report["low"]), "a")
    assert itf.read(recorded, report.system) == report["low"].trace
    assert [state["mixed"] for state in recorded.states] == [True, {"#bigint": "7"}, "seven"]


def test_zeros_in_front_of_a_number_say_nothing() -> None:
    data = file()
    for state in data["states"]:
        state["n"] = {"#bigint": state["n"]["#bigint"].zfill(9)}
    assert read(data) == verdict().trace


def test_what_is_not_told_of_a_step_may_be_anything() -> None:
    data = file()
    for state in data["states"][1:]:
        told = state["#meta"]["cprcheck"]
        state["#meta"]["cprcheck"] = {"process": told["process"], "label": told["label"]}
    assert read(data) == verdict().trace


def test_a_step_that_is_named_is_taken_at_its_word() -> None:
    """Whether it can be taken there is for a replay to say."""
    data = file()
    data["states"][3]["#meta"]["cprcheck"]["label"] = "save"
    data["states"][3]["#meta"]["cprcheck"]["events"] = ["log(level=1)"]
    trace = read(data)
    assert found().system.transitions[trace.steps[2]].label == "save"


def test_of_two_steps_that_do_the_same_a_foreign_trace_does_not_say_which() -> None:
    body = "@m.action\ndef one(s):\n    s.n = 1\n@m.action\ndef other(s):\n    s.n = s.choose('to', (1, 2))\n"
    system = written(body).system
    slots = {slot.name: slot.domain.show(codes[0]) for slot, codes in zip(system.slots, system.init, strict=True)}
    first = slots | {"n": 0, "b": False}
    text = json.dumps({"vars": list(slots), "states": [first, first | {"n": 1}]})
    with pytest.raises(UsageError) as caught:
        itf.read(itf.parse(text, "a.json"), system)
    assert str(caught.value) == (
        "a.json, state 1: several steps lead here, one: one and other: other (to: 1); say in #meta.cprcheck which"
    )
    told = first | {"n": 1, "#meta": {"cprcheck": {"process": "one", "label": "one"}}}
    text = json.dumps({"vars": list(slots), "states": [first, told]})
    assert itf.read(itf.parse(text, "a.json"), system).steps == (0,)


DAMAGED = {
    "": "a.json is not JSON: line 1: Expecting value",
    '{"vars": [],\n "states"': "a.json is not JSON: line 2: Expecting ':' delimiter",
    "[" * 100_000: "a.json is not an ITF trace: it is nested too deeply",
    "[" + "1" * 5000 + "]": "a.json is not an ITF trace: a number in it is too long",
    '{"#meta": {"digest": "\\ud800"}}': "a.json is not an ITF trace: a text in it holds \\ud800, half of a character",
    '{"#meta": {"digest": "\\n"}, "vars": [], "states": [{}]}': (
        "a.json: the digest in #meta is none; write 16 hexadecimal digits, or leave it out"
    ),
    "[]": "a.json is not an ITF trace: it is not an object",
    "{}": "a.json is not an ITF trace: it has no list of names called vars",
    '{"vars": "n", "states": [{}]}': "a.json is not an ITF trace: it has no list of names called vars",
    '{"vars": [1], "states": [{}]}': "a.json is not an ITF trace: it has no list of names called vars",
    '{"vars": []}': "a.json is not an ITF trace: it has no list of states",
    '{"vars": [], "states": []}': "a.json is not an ITF trace: it has no list of states",
    '{"vars": [], "states": [{}, 3]}': "a.json, state 1: it is not an object",
    '{"vars": ["n"], "states": [{"n": 1}, {}]}': "a.json, state 1: there is no value for n",
    '{"vars": [], "states": [{}], "loop": 1}': "a.json: loop is 1; write the number of a state, 0 to 0",
    '{"vars": [], "states": [{}], "loop": true}': "a.json: loop is true; write the number of a state, 0 to 0",
    '{"vars": [], "states": [{}], "loop": "0"}': 'a.json: loop is "0"; write the number of a state, 0 to 0',
}


@pytest.mark.parametrize("text", DAMAGED, ids=[text[:30] for text in DAMAGED])
def test_a_damaged_file(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        itf.parse(text, "a.json")
    assert str(caught.value) == DAMAGED[text]


def change(**values: Any) -> dict[str, Any]:
    """The file with other values in state 2."""
    data = file()
    data["states"][2] |= values
    return data


def without(name: str) -> dict[str, Any]:
    data = file()
    data["vars"].remove(name)
    return data


def told(**step: Any) -> dict[str, Any]:
    """The file with another step to state 2."""
    data = file()
    data["states"][2]["#meta"]["cprcheck"] |= step
    return data


STATE = "a.itf.json, state 2: "
WRONG = {
    "a value outside": (change(n={"#bigint": "12"}), STATE + 'n is {"#bigint": "12"}, which is not in 0..9'),
    "a text for a number": (change(n="1"), STATE + 'n is "1", which is not in 0..9'),
    "a truth for a number": (change(n=True), STATE + "n is true, which is not in 0..9"),
    "no number": (change(n={"#bigint": "1e3"}), STATE + 'n is {"#bigint": "1e3"}, which is not in 0..9'),
    "a fraction": (change(n=1.0), STATE + "n is 1.0, which is not in 0..9"),
    "a number for a truth": (change(valid=1), STATE + "valid is 1, which is not in Bool"),
    "a misspelt name": (change(old="alife"), STATE + 'old is "alife", which is not in {not started, alive, dead}'),
    "a set": (change(old={"#set": []}), STATE + 'old is {"#set": []}, which is not in {not started, alive, dead}'),
    "a slot too few": (without("valid"), "a.itf.json has no variable valid, which toy has"),
    "a step by no name": (told(label="shave"), STATE + "toy has no step management: shave (UNMAP(container=c0))"),
    "no such process": (told(process="me"), STATE + "toy has no step me: unmap (UNMAP(container=c0))"),
    "other faults": (told(faults=["fire"]), STATE + "toy has no step management: unmap (fire, UNMAP(container=c0))"),
    "no step at all": (
        change(**{"#meta": {"cprcheck": 3}}),
        STATE + "#meta.cprcheck does not name a step: write its process and its label",
    ),
    "a state too far": (
        foreign(file()) | {"states": [foreign(file())["states"][0], foreign(file())["states"][2]]},
        "a.itf.json, state 1: no step leads here from state 0",
    ),
}


@pytest.mark.parametrize("how", WRONG)
def test_a_file_that_does_not_fit(how: str) -> None:
    data, said = WRONG[how]
    with pytest.raises(UsageError) as caught:
        read(data)
    assert str(caught.value) == said


def test_a_variable_too_many() -> None:
    data = foreign(file())
    data["vars"].append("other")
    for state in data["states"]:
        state["other"] = 1
    with pytest.raises(UsageError, match=r"^a.itf.json has a variable other, which toy does not have$"):
        read(data)


def test_reports_and_traces_name_a_step_alike() -> None:
    from cprcheck.report.document import step

    system = check(written(process('yield "a"\ns.emit("E", x=1)\ns.fault("f")')), Options(native=False)).system
    assert step(system, 0) == {**itf.step(system, 0), "functions": []}
