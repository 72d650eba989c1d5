"""The transition system as data: its digest, how it is printed, and the small questions it answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cprcheck.domains import Bool, OneOf, Range
from cprcheck.errors import Source
from cprcheck.expr import FALSE, TRUE, Apply, Const, Expr, In, Op, Read, conj, disj, equal, ite, less, member, neg, plus
from cprcheck.system import (
    Collected,
    Event,
    Fairness,
    Fault,
    Kind,
    Outcome,
    Process,
    Property,
    Slot,
    System,
    Transition,
    everybody_done,
    location_labels,
    meaning,
    member_of,
    render,
)

COLORS = OneOf("red", "green", "blue", "grey", "black")
PLACES = OneOf("end", "not started", "dead", "aborted", "work", "rest")
SLOTS = (
    Slot("@p", PLACES, "location"),
    Slot("b", Bool),
    Slot("n", Range(-1, 2)),
    Slot("color", COLORS),
)
WORKING = member(0, [4], 0, 6)
STEP = Transition(
    0,
    "work",
    conj(WORKING, less(Read(2), Const(2))),
    ((0, Const(5)), (2, plus(Read(2), Const(1))), (3, ite(member(1, [1], 0, 2), Const(2), Read(3)))),
    choices=(("which", "left"),),
    faults=(Fault("breaks", Source("m.py", 3)), Fault("bends", injected=True)),
    events=(Event("seen", (("who", "p"),)), Event("done")),
    functions=("do_work",),
    sources=(Source("m.py", 2),),
)
POKE = Transition(1, "poke", TRUE, ((1, Const(0)),))
NEVER = Property(
    "never", Kind.EVENT_NEVER, (less(Read(2), Const(1)),), ("seen",), family="never", doc="x", source=Source("m.py", 9)
)
SOON = Property("soon", Kind.LEADS_TO, (WORKING, member(1, [1], 0, 2)))
BACK = Property("back", Kind.ALWAYS_POSSIBLE, (TRUE, WORKING), quiet=True)
BASE = System(
    "base",
    SLOTS,
    ((4,), (0, 1), (-1,), (0, 2)),
    (Process("p", Fairness.WEAK, 0, "g", frozenset({5})), Process("poke")),
    (STEP, POKE),
    (NEVER, SOON, BACK),
    assume=disj(member(1, [0], 0, 2), member(3, [0], 0, 5)),
    severities=(("bad", member(3, [1, 2], 0, 5)),),
    outcomes=(Outcome("paint", "wet", member(3, [1, 2], 0, 5)), Outcome("paint", "dry", member(3, [3], 0, 5))),
    collected=(Collected("seen by", "seen", "who"),),
    params=(("size", "2"),),
    doc="A system.",
)


WET, DRY = BASE.outcomes


def with_slot(index: int, **changes: Any) -> System:
    slots = list(SLOTS)
    slots[index] = replace(slots[index], **changes)
    return replace(BASE, slots=tuple(slots))


def with_process(**changes: Any) -> System:
    return replace(BASE, processes=(replace(BASE.processes[0], **changes), BASE.processes[1]))


def with_step(**changes: Any) -> System:
    return replace(BASE, transitions=(replace(STEP, **changes), POKE))


def with_property(**changes: Any) -> System:
    return replace(BASE, properties=(replace(NEVER, **changes), SOON, BACK))


# ---- the digest -----------------------------------------------------------------------------------------------------

SAME = {
    "the docstring of the system": replace(BASE, doc="Another text."),
    "the docstring of a property": with_property(doc="Another text."),
    "the line of a property": with_property(source=Source("other.py", 99)),
    "the lines of a step": with_step(sources=(Source("other.py", 7), Source("other.py", 8))),
    "the C functions of a step": with_step(functions=("other", "names")),
    "the line of a fault": with_step(faults=(Fault("breaks", Source("other.py", 1)), STEP.faults[1])),
}


@pytest.mark.parametrize("what", SAME)
def test_the_digest_does_not_depend_on(what: str) -> None:
    assert SAME[what].digest() == BASE.digest()


OTHER = {
    "the name": replace(BASE, name="other"),
    "a slot's name": with_slot(2, name="m"),
    "a slot's domain": with_slot(2, domain=Range(-1, 3)),
    "the values of a slot": with_slot(3, domain=OneOf("red", "green", "blue", "grey", "white")),
    "the values behind the name of a domain": with_slot(3, domain=replace(COLORS, values=("a", "b", "c", "d", "e"))),
    "a slot's role": with_slot(1, role="lock"),
    "an initial value": replace(BASE, init=((4,), (0, 1), (0,), (0, 2))),
    "fewer initial values": replace(BASE, init=((4,), (0,), (-1,), (0, 2))),
    "the assumption": replace(BASE, assume=TRUE),
    "a process's name": with_process(name="q"),
    "fairness": with_process(fairness=Fairness.STRONG),
    "whether a process has a location": with_process(location=None),
    "a group": with_process(group="h"),
    "where a process is idle": with_process(idle=frozenset({4, 5})),
    "who takes a step": with_step(process=1),
    "a label": with_step(label="play"),
    "a guard": with_step(guard=WORKING),
    "an update's value": with_step(update=((0, Const(4)), *STEP.update[1:])),
    "an update's slot": with_step(update=STEP.update[1:]),
    "a question": with_step(choices=(("who", "left"),)),
    "an answer": with_step(choices=(("which", "right"),)),
    "a fault's label": with_step(faults=(Fault("burns"), STEP.faults[1])),
    "whether a fault is injected": with_step(faults=(Fault("breaks", injected=True), STEP.faults[1])),
    "fewer faults": with_step(faults=STEP.faults[:1]),
    "an event's name": with_step(events=(Event("heard", (("who", "p"),)), Event("done"))),
    "an event's argument": with_step(events=(Event("seen", (("who", "q"),)), Event("done"))),
    "a step more": replace(BASE, transitions=(STEP, POKE, POKE)),
    "the order of the steps": replace(BASE, transitions=(POKE, STEP)),
    "a property's name": with_property(name="ever"),
    "a property's kind": with_property(kind=Kind.INVARIANT),
    "a property's formula": with_property(formulas=(less(Read(2), Const(2)),)),
    "a property's events": with_property(events=("seen", "done")),
    "whether a property is quiet": replace(BASE, properties=(NEVER, SOON, replace(BACK, quiet=False))),
    "fewer properties": replace(BASE, properties=(NEVER, SOON)),
    "the name of a severity": replace(BASE, severities=(("worse", BASE.severities[0][1]),)),
    "the formula of a severity": replace(BASE, severities=(("bad", WORKING),)),
    "the aspect of an outcome": replace(BASE, outcomes=(replace(WET, aspect="coat"), DRY)),
    "the label of an outcome": replace(BASE, outcomes=(replace(WET, label="damp"), DRY)),
    "the formula of an outcome": replace(BASE, outcomes=(replace(WET, formula=WORKING), DRY)),
    "the order of outcomes": replace(BASE, outcomes=(DRY, WET)),
    "what is collected": replace(BASE, collected=()),
    "the aspect that events tell": replace(BASE, collected=(Collected("heard by", "seen", "who"),)),
    "the event that is collected": replace(BASE, collected=(Collected("seen by", "done", "who"),)),
    "the argument that is collected": replace(BASE, collected=(Collected("seen by", "seen", "where"),)),
}


@pytest.mark.parametrize("what", OTHER)
def test_the_digest_depends_on(what: str) -> None:
    assert OTHER[what].digest() != BASE.digest()


def test_no_two_of_the_changed_systems_have_the_same_digest() -> None:
    assert len({system.digest() for system in OTHER.values()}) == len(OTHER)


# ---- printing -------------------------------------------------------------------------------------------------------


def test_the_meaning_is_the_whole_system_line_by_line() -> None:
    assert list(meaning(BASE)) == [
        "system base",
        "slot @p: {end, not started, dead, aborted, work, rest} [location] init work",
        "  values end | not started | dead | aborted | work | rest",
        "slot b: Bool init False, True",
        "slot n: -1..2 init -1",
        "slot color: {red, green, blue, grey, black} init red, blue",
        "  values red | green | blue | grey | black",
        "assume not b or color = red",
        "process p: @p, fairness weak, group g idle [5]",
        "process poke: action, fairness none, group None",
        "transition p: work (which: left)",
        "  when @p = work and (n < 2)",
        "  @p := rest",
        "  n := n + 1",
        "  color := (blue if b else color)",
        "  fault breaks",
        "  injected fault bends",
        "  emits seen(who=p)",
        "  emits done",
        "transition poke: poke",
        "  when True",
        "  b := False",
        "event never never [seen]: n < 1",
        "leads-to soon: @p = work ~> b",
        "always possible back (quiet): True ~> @p = work",
        "severity bad: color in {green, blue}",
        "outcome paint: wet: color in {green, blue}",
        "outcome paint: dry: color = grey",
        "outcome seen by: each who of seen",
    ]


NEXT = Read(2, primed=True)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (TRUE, "True"),
        (FALSE, "False"),
        (Const(-3), "-3"),
        (Read(2), "n"),
        (NEXT, "n'"),
        (In(1, 0b10, 0, 2), "b"),
        (In(1, 0b01, 0, 2), "not b"),
        (In(1, 0b10, 0, 2, primed=True), "b'"),
        (In(2, 0b0001, -1, 4), "n = -1"),
        (In(2, 0b1101, -1, 4), "n != 0"),
        (In(2, 0b0011, -1, 4, primed=True), "n' in {-1, 0}"),
        (In(3, 0b00110, 0, 5), "color in {green, blue}"),
        (In(3, 0b11100, 0, 5), "color not in {red, green}"),
        (neg(less(Read(2), NEXT)), "not (n < n')"),
        (conj(less(Read(2), NEXT), In(1, 2, 0, 2)), "b and (n < n')"),
        (disj(less(Read(2), NEXT), conj(equal(Read(2), NEXT), In(1, 1, 0, 2))), "(n < n') or (not b and (n = n'))"),
        (plus(Read(2), NEXT, Const(-1)), "n + n' + -1"),
        (Apply(Op.SUB, (Read(2), plus(Read(2), Const(1)))), "n - (n + 1)"),
        (less(ite(In(1, 2, 0, 2), Read(2), Const(0)), Const(1)), "(n if b else 0) < 1"),
        (neg(equal(Read(2), ite(less(Read(2), Const(0)), Const(0), NEXT))), "not (n = (0 if (n < 0) else n'))"),
    ],
)
def test_a_node_is_printed_as(node: Expr, text: str) -> None:
    assert render(node, SLOTS) == text


def test_a_bare_constant_is_printed_as_a_value_of_the_domain_it_is_put_into() -> None:
    assert render(Const(1), SLOTS, COLORS) == "green"
    chain = ite(less(Read(2), Const(1)), Const(1), ite(In(1, 2, 0, 2), Const(0), Read(3)))
    assert render(chain, SLOTS, COLORS) == "(green if (n < 1) else (red if b else color))"


def test_titles_and_events_show_their_arguments() -> None:
    two = replace(STEP, choices=(("which", "left"), ("how", "fast")))
    assert (POKE.title, two.title) == ("poke", "work (which: left, how: fast)")
    assert [str(event) for event in (Event("e"), Event("e", (("a", "1"), ("b", "2"))))] == ["e", "e(a=1, b=2)"]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("a", ["a"]),
        ("a <2>", ["a"]),
        ("a | b", ["a", "b"]),
        ("a <12> | b <3> | c", ["a", "b", "c"]),
        ("x <y>", ["x <y>"]),
        ("a <2> b", ["a <2> b"]),
    ],
)
def test_the_name_of_a_location_holds_the_labels_of_the_author(name: str, labels: list[str]) -> None:
    assert location_labels(name) == labels


# ---- small questions ------------------------------------------------------------------------------------------------


def test_slots_and_properties_are_found_by_name() -> None:
    assert BASE.slot("n") == 2
    assert BASE.property("soon") is SOON
    for look in (BASE.slot, BASE.property):
        with pytest.raises(KeyError, match=r"^'nothing'$"):
            look("nothing")


def test_the_first_states_are_all_combinations_and_the_first_slot_changes_slowest() -> None:
    assert list(BASE.first_states()) == [(4, 0, -1, 0), (4, 0, -1, 2), (4, 1, -1, 0), (4, 1, -1, 2)]


def test_other_properties_leave_the_rest_as_it_is() -> None:
    assert BASE.with_properties((SOON,)) == replace(BASE, properties=(SOON,))


def test_everybody_is_done_when_all_that_have_locations_are_at_rest_or_idle() -> None:
    assert everybody_done(BASE) == member(0, [0, 1, 2, 3, 5], 0, 6)
    assert everybody_done(replace(BASE, processes=(Process("poke"),))) == FALSE


def test_an_action_is_at_no_location() -> None:
    assert member_of(BASE, None, {4}) == FALSE
    assert member_of(BASE, 0, {4}) == WORKING
