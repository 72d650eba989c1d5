"""Outcomes: how a run that ends in a state is told, from the author's functions to the labels of a state."""

from __future__ import annotations

import pytest
from authors import process, refusal, written

from cprcheck.passes.faults import with_faults
from cprcheck.passes.project import project
from cprcheck.semantics import initial_states, outcome, successors
from cprcheck.system import Collected, State, System

GUEST = """
@m.outcome("guest", "many")
def many(s):
    return s.n >= 2
@m.outcome("guest", "some")
def a_few(s):
    return s.n >= 1
@m.outcome("flag", "up")
def up(s):
    return s.b
"""
COUNT = process('yield "first"\ns.n = 1\nyield "second"\ns.n = 2\ns.b = True\n') + GUEST


def after(system: System, steps: int) -> State:
    """The state after so many first steps."""
    state = next(initial_states(system))
    for _ in range(steps):
        state = successors(system, state)[0][1]
    return state


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (0, {"guest": "otherwise", "flag": "otherwise"}),
        (1, {"guest": "some", "flag": "otherwise"}),
        (2, {"guest": "many", "flag": "up"}),
    ],
)
def test_the_first_label_that_applies_is_told_for_each_aspect(steps: int, told: dict[str, str]) -> None:
    system = written(COUNT).system
    assert list(outcome(system, after(system, steps)).items()) == list(told.items())


SPLIT = {
    "if": "    if s.n == 1:\n        return not s.b\n    return s.n == 2 and s.b\n",
    "and, or": "    return (s.n == 1 and not s.b) or (s.n == 2 and s.b)\n",
    "one expression": "    return ((s.n == 1) & (s.b == False)) | ((s.n == 2) & s.b)\n",
}


@pytest.mark.parametrize("how", SPLIT)
def test_a_function_may_decide_along_paths(how: str) -> None:
    body = COUNT.partition("@m.outcome")[0] + f'@m.outcome("both", "yes")\ndef f(s):\n{SPLIT[how]}'
    system = written(body).system
    assert [outcome(system, after(system, steps))["both"] for steps in range(3)] == ["otherwise", "yes", "yes"]


WAYS = 'yield "go"\nif s.fault("rain"):\n    yield "under cover"\n    return\nyield "outside"\n'
HERE = '@m.outcome("where", "inside")\ndef i(s):\n    return m.at("p", "under cover")\n'


def test_an_outcome_may_ask_where_a_process_stands() -> None:
    system = written(process(WAYS) + HERE).system
    ends = [outcome(system, state)["where"] for _, state in successors(system, after(system, 0))]
    assert sorted(ends) == ["inside", "otherwise"]


TOLD = 'm.outcome_of_events("restored by", event="MAP", argument="by")\n'


def test_what_events_tell_is_declared_and_survives_a_budget() -> None:
    system = written(process('yield "go"\ns.emit("MAP", by="us")\ns.emit("UNMAP")\n') + TOLD + GUEST).system
    assert system.collected == (Collected("restored by", "MAP", "by"),)
    assert outcome(system, after(system, 0)) == {"guest": "otherwise", "flag": "otherwise"}
    bounded = with_faults(system, 1, injected=False)
    assert (bounded.collected, bounded.outcomes) == (system.collected, system.outcomes)


def test_an_event_that_no_step_emits_is_nobodys() -> None:
    assert written(process('yield "go"\n') + TOLD).system.collected == (Collected("restored by", "MAP", "by"),)


def test_a_projection_has_no_outcomes() -> None:
    small = project(written(COUNT + TOLD).system, frozenset({0})).system
    assert (small.outcomes, small.collected) == ((), ())


REFUSED = {
    '@m.outcome("guest", "otherwise")': "'otherwise' is said where no label applies; give this one another name",
    '@m.outcome("guest", "some")': "outcome 'guest': 'some' is declared twice; join the two with |",
    '@m.outcome("told", "late")': "outcome 'told' is declared twice; what events tell needs a name of its own",
    'm.outcome_of_events("guest", event="MAP", argument="by")': (
        "outcome 'guest' is declared twice; what events tell needs a name of its own"
    ),
    'm.outcome_of_events("told", event="UNMAP", argument="by")': (
        "outcome 'told' is declared twice; what events tell needs a name of its own"
    ),
}


@pytest.mark.parametrize("line", REFUSED)
def test_a_name_is_for_one_thing(line: str) -> None:
    head = 'm.outcome_of_events("told", event="MAP", argument="by")\n' + GUEST
    function = "\ndef f(s):\n    return s.b\n" if line.startswith("@") else "\n"
    assert refusal(head + line + function) == (REFUSED[line], line)


def test_an_outcome_is_a_truth_value() -> None:
    body = '@m.outcome("guest", "lost")\ndef lost(s):\n    return s.n\n'
    assert refusal(body) == (
        "lost returns <state expression n>; return the claim, a truth value",
        body.partition("\n")[0],
    )


@pytest.mark.parametrize(("args", "has"), [("", "it has none"), (', to="us", at=1', "it has to and at")])
def test_an_event_has_the_argument_that_is_collected(args: str, has: str) -> None:
    shown = "(to=us, at=1)" if args else ""
    assert refusal(process(f'yield "go"\ns.emit("MAP"{args})\n') + TOLD) == (
        f"outcome 'restored by': a step emits MAP{shown} without an argument 'by'; {has}",
        TOLD.strip(),
    )
