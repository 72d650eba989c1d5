"""What else could have happened, why a step could not, and what the end of a trace violates."""

from __future__ import annotations

import pytest
from authors import written
from systems import counter, digraph, emits, never, with_invariant

from cprcheck.checking import check
from cprcheck.domains import Bool
from cprcheck.errors import UsageError
from cprcheck.explain import Violation, WhyNot, alternatives, find, outcome, step_name, taken, violation, why_not
from cprcheck.expr import Read, conj, less, member, neg, number
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.system import Fault, Kind, Process, Property, Slot, State, System, Transition, render
from cprcheck.trace import Trace

FORK = digraph([0, 1, 2, 0], [1, 3], faults=[(1, 3)])
"""0 -> 1 -> 2 -> 0, and a fault from 1 to 3; both 0 and 1 are initial."""

OFFICE = """
@m.process(c="office.c", i=(1, 2), group=g)
def clerk(s, i):
    yield "sit"
    s.require(s.n < 3)
    s.n = s.n + 1
    yield "write a letter"
    s.require(s.b == False, s.owner == Proc.OLD)
    if s.fault("no ink"):
        return
    s.emit("sent", by=i)
@m.process(c="door.c:open_door")
def porter(s):
    while True:
        yield idle("wait")
        with s.lock(l):
            s.b = True
            yield "hold"
            s.b = False
@m.action(c="office.c:leave", group=g)
def boss(s):
    if s.b:
        s.require(s.v[0] == Vaddr.NONE)
    else:
        s.require(s.n == 3)
    s.owner = s.choose("whom", (Proc.OLD, Proc.NEW))
"""


@pytest.fixture(scope="module")
def office() -> System:
    return written(OFFICE).system


def names(system: System, steps: list[int]) -> list[str]:
    return list(dict.fromkeys(step_name(system, system.transitions[step]) for step in steps))


# ---- names --------------------------------------------------------------------------------------------------------


def test_a_step_is_named_by_its_process_and_label_and_once_when_they_are_alike(office: System) -> None:
    assert names(office, list(range(len(office.transitions)))) == [
        "clerk(i=1): sit",
        "clerk(i=1): write a letter",
        "clerk(i=2): sit",
        "clerk(i=2): write a letter",
        "porter: wait",
        "porter: hold",
        "boss",
    ]


def test_an_outcome_is_its_choices_and_faults() -> None:
    step = FORK.transitions[0]
    assert outcome(step) == ""
    rich = Transition(0, "a", step.guard, (), (("how far", "2"), ("whom", "me")), (Fault("cut"), Fault("lost")))
    assert outcome(rich) == "how far: 2, whom: me, cut, lost"


FOUND = {
    "clerk(i=2)": ["clerk(i=2): sit", "clerk(i=2): write a letter"],
    "clerk": ["clerk(i=1): sit", "clerk(i=1): write a letter", "clerk(i=2): sit", "clerk(i=2): write a letter"],
    "SIT": ["clerk(i=1): sit", "clerk(i=2): sit"],
    "clerk(i=1): sit": ["clerk(i=1): sit"],
    "boss": ["boss"],
    "office.c:leave": ["boss"],
    "open_door": ["porter: wait", "porter: hold"],
    "Open": ["porter: wait", "porter: hold"],
    "port": ["porter: wait", "porter: hold"],
    "letter": ["clerk(i=1): write a letter", "clerk(i=2): write a letter"],
    " hold ": ["porter: hold"],
}


@pytest.mark.parametrize("action", FOUND)
def test_an_action_is_found_by_any_of_its_names_or_a_part_of_only_one(action: str, office: System) -> None:
    assert names(office, find(office, action)) == FOUND[action]


REFUSED = {
    "o": "'o' may be 'office.c:clerk', 'open_door' or 'office.c:leave'; write one of them",
    "i=": "'i=' may be 'clerk(i=1)', 'clerk(i=1): sit', 'clerk(i=1): write a letter', 'clerk(i=2)', 'clerk(i=2): sit' "
    "or 'clerk(i=2): write a letter'; write one of them",
    "portre": "no process, step or C function of mine is called 'portre'; did you mean 'porter'?",
    "xyz": "no process, step or C function of mine is called 'xyz'; "
    "the processes are 'clerk(i=1)', 'clerk(i=2)', 'porter' and 'boss'",
    "": "no process, step or C function of mine is called ''; "
    "the processes are 'clerk(i=1)', 'clerk(i=2)', 'porter' and 'boss'",
}


@pytest.mark.parametrize("action", REFUSED)
def test_an_action_that_means_nothing_or_several_things_is_refused(action: str, office: System) -> None:
    with pytest.raises(UsageError) as caught:
        find(office, action)
    assert str(caught.value) == REFUSED[action]


def test_a_long_list_is_cut() -> None:
    many = System("many", (Slot("b", Bool),), ((0,),), tuple(Process(f"p{i}") for i in range(12)), ())
    shown = ", ".join(f"'p{i}'" for i in range(8))
    with pytest.raises(UsageError, match=f"the processes are {shown} and 4 more$"):
        find(many, "q")


# ---- what else could have happened ----------------------------------------------------------------------------------


def test_the_alternatives_are_what_is_enabled_and_was_not_taken() -> None:
    trace = Trace(((0,), (1,), (2,)), (0, 1))
    assert alternatives(FORK, trace, 0) == []
    assert alternatives(FORK, trace, 1) == [(3, (3,))]
    assert alternatives(FORK, trace, 2) == [(2, (0,))]


def test_where_a_run_goes_round_its_last_step_is_the_first_of_the_loop() -> None:
    loop = Trace(((0,), (1,), (2,), (0,)), (0, 1, 2), loop=0)
    assert [taken(loop, at) for at in range(4)] == [0, 1, 2, 0]
    assert alternatives(FORK, loop, 3) == []


def test_where_a_run_stays_everything_is_an_alternative() -> None:
    stays = Trace(((0,), (1,)), (0,), loop=1)
    assert taken(stays, 1) is None
    assert alternatives(FORK, stays, 1) == [(1, (2,)), (3, (3,))]


# ---- why a step could not -------------------------------------------------------------------------------------------


def state(system: System, **values: object) -> State:
    """The initial state with some slots changed; `_` stands for what no keyword can hold."""
    first = [codes[0] for codes in system.init]
    for name, value in values.items():
        slot = next(i for i, slot in enumerate(system.slots) if slot.name.strip("@").split("(")[0] == name)
        domain = system.slots[slot].domain
        first[slot] = next(code for code in domain.codes if domain.show(code) == str(value))
    return tuple(first)


def said(system: System, at: State, action: str) -> list[tuple[str, list[list[tuple[str, str]]]]]:
    """(name, for each way its false conditions with the values there)."""
    found = why_not(system, at, find(system, action))
    return [(why.name, [[_missing(system, missing) for missing in way] for way in why.ways]) for why in found]


def _missing(system: System, missing: object) -> tuple[str, str]:
    return (
        missing.condition.reason or render(missing.condition.formula, system.slots),  # type: ignore[attr-defined]
        ", ".join(f"{name} = {value}" for name, value in missing.values),  # type: ignore[attr-defined]
    )


def test_what_can_happen_is_possible(office: System) -> None:
    assert why_not(office, state(office), find(office, "porter: wait")) == (WhyNot("porter: wait"),)
    assert WhyNot("porter: wait").possible


def test_a_false_requirement_is_told_with_its_values(office: System) -> None:
    assert said(office, state(office, n=3), "clerk(i=1): sit") == [("clerk(i=1): sit", [[("n != 3", "n = 3")]])]


def test_what_only_a_fault_makes_possible_says_so() -> None:
    assert why_not(FORK, (1,), find(FORK, "1->3")) == (WhyNot("walker: 1->3", fault=True),)
    assert why_not(FORK, (1,), find(FORK, "1->2")) == (WhyNot("walker: 1->2"),)


def test_one_way_that_is_possible_is_enough(office: System) -> None:
    at = state(office, clerk="write a letter")
    assert said(office, at, "clerk(i=1): write a letter") == [("clerk(i=1): write a letter", [])]


def test_of_several_ways_those_with_the_fewest_false_conditions_are_told(office: System) -> None:
    assert said(office, state(office, n=2), "boss") == [("boss", [[("n = 3", "n = 2")]])]
    both = said(office, state(office, n=2, g="dead"), "boss")
    assert both == [("boss", [[("g is not alive", "g = dead"), ("n = 3", "n = 2")]])]


def test_ways_that_lack_equally_much_are_told_apart() -> None:
    system = written("@m.action\ndef a(s):\n    if s.b:\n        s.n = 1\n    elif s.n == 2:\n        s.n = 3\n").system
    b, n = system.slot("b"), system.slot("n")
    steps = [Transition(0, "a", conj(member(b, [1], 0, 2), less(Read(n), number(0))), ())]
    steps += [Transition(0, "a", less(Read(n), number(-1)), ()), Transition(0, "a", less(Read(n), number(-2)), ())]
    by_hand = System("two", system.slots, system.init, system.processes, tuple(steps))
    assert said(by_hand, state(by_hand), "a") == [("a", [[("n < -1", "n = 0")], [("n < -2", "n = 0")]])]


def test_of_a_process_only_the_steps_at_which_it_stands_are_told(office: System) -> None:
    at = state(office, clerk="write a letter", g="dead")
    assert said(office, at, "clerk(i=1)") == [("clerk(i=1): write a letter", [])]
    held = state(office, porter="wait", **{"lock l": "clerk(i=1)"})
    assert said(office, held, "porter") == [("porter: wait", [[("the lock l is held", "lock l = clerk(i=1)")]])]


def test_where_it_stands_at_none_of_them_that_is_told_once(office: System) -> None:
    elsewhere = [[("the process stands elsewhere", "@clerk(i=1) = end")]]
    assert said(office, state(office, clerk="end"), "clerk(i=1)") == [("clerk(i=1)", elsewhere)]
    assert said(office, state(office, clerk="end"), "clerk(i=1): sit") == [("clerk(i=1): sit", elsewhere)]


TWICE = """
@m.process
def p(s):
    for i in (0, 1):
        yield "work"
        if i == 0:
            s.require(s.b, s.n == 3)
        yield "rest"
"""


def test_of_a_label_that_stands_for_two_points_the_one_where_the_process_stands_is_told() -> None:
    """Though less is false at the other one."""
    system = written(TWICE).system
    assert said(system, state(system), "work") == [("p: work", [[("b", "b = False"), ("n = 3", "n = 0")]])]
    elsewhere = [[("the process stands elsewhere", "@p = rest")]]
    assert said(system, state(system, p="rest"), "work") == [("p: work", elsewhere)]


@pytest.mark.parametrize("now", ["not started", "dead"])
def test_a_process_is_nowhere_while_its_group_does_not_live(now: str) -> None:
    body = "@m.process(group=g)\ndef p(s):\n    yield 'a'\n    s.b = True\n    yield 'c'\n    s.n = 1\n"
    system = written(body).system
    at = state(system, g=now, p=now)
    assert said(system, at, "p") == [("p", [[(f"g is {now}", "")]])]
    assert said(system, at, "c") == [("p: c", [[(f"g is {now}", "")]])]


def test_without_conditions_the_guard_is_told_in_parts() -> None:
    system = counter(2, guarded=True)
    assert said(system, (3,), "inc") == [("inc", [[("n < 2", "n = 3")]])]


# ---- what the end violates ----------------------------------------------------------------------------------------


def test_an_invariant_has_the_part_that_fails_with_its_values_and_line() -> None:
    model = written("@m.action\ndef a(s):\n    s.n = 2\n@m.invariant\ndef p(s):\n    return s.b == s.b and s.n < 2\n")
    found = check(model)["p"]
    assert (found.violated, found.where) == ("n in {0, 1}", (("n", "2"),))
    assert [source.text() for source in found.claimed] == ["return s.b == s.b and s.n < 2"]


def test_all_parts_that_fail_are_told() -> None:
    claim = "(\n        s.n < 2\n        and s.v[0] == Vaddr.GOOD\n        and not s.b\n    )\n"
    body = f"@m.action\ndef a(s):\n    s.n = 2\n    s.b = True\n@m.invariant\ndef p(s):\n    return {claim}"
    found = check(written(body))["p"]
    assert (found.violated, found.where) == ("n in {0, 1}; not b", (("n", "2"), ("b", "True")))
    assert [source.text() for source in found.claimed] == ["s.n < 2", "and not s.b"]


def test_a_claim_without_lines_has_that_of_its_property() -> None:
    body = "@m.invariant\ndef p(s):\n    if s.b:\n        return True\n    return s.n < 2\n"
    found = check(written(f"@m.action\ndef a(s):\n    s.n = 2\n{body}"))["p"]
    assert (found.violated, [source.text() for source in found.claimed]) == ("b or n in {0, 1}", ["if s.b:"])
    system = with_invariant(digraph([0, 1]), never(digraph([0, 1]), 1).formulas[0])
    assert violation(system, system.properties[0], Trace(((0,), (1,)), (0,))) == Violation("node = 0", (("node", "1"),))


def test_a_step_invariant_has_values_before_and_after() -> None:
    body = (
        "@m.action\ndef a(s):\n    s.n = 2\n@m.step_invariant\ndef p(old, new):\n    return old.b | (new.n <= old.n)\n"
    )
    found = check(written(body))["p"]
    assert (found.violated, found.where) == ("b or not (n < n')", (("n", "0 -> 2"), ("b", "False")))


def test_a_forbidden_event_has_what_forbids_it_before_the_step() -> None:
    system = emits(digraph([0, 1]), {0: "bang"})
    prop = Property("p", Kind.EVENT_NEVER, (never(system, 1).formulas[0],), ("bang",))
    assert violation(system, prop, Trace(((0,), (1,)), (0,))) == Violation("emitted bang", (("node", "0"),))


def test_an_abort_has_its_event() -> None:
    found = check(written("@m.action\ndef a(s):\n    s.abort('why')\n"))["never_aborts"]
    assert (found.violated, found.where) == ("aborted(process=a, why=why)", ())


def test_liveness_has_the_values_of_what_never_comes() -> None:
    body = "@m.action\ndef a(s):\n    s.b = True\n@m.leads_to\ndef p(s):\n    return s.b, s.n == 1\n"
    body += "@m.always_possible(quiet=True)\ndef q(s):\n    return s.n == 1\n"
    found = check(written(body))
    assert (found["p"].violated, found["p"].where) == ("never again: n = 1", (("n", "0"),))
    said = "no longer possible without faults, by fair processes alone: n = 1"
    assert (found["q"].violated, found["q"].where) == (said, (("n", "0"),))
    assert [source.text() for source in found["p"].claimed] == ["@m.leads_to"]


def test_a_deadlock_has_where_everybody_waits() -> None:
    found = check(written("@m.process\ndef p(s):\n    yield 'go'\n    s.require(s.b)\n"))["deadlock_free"]
    assert (found.violated, found.where) == ("nobody can move, and p waits at 'go'", ())


def test_a_value_that_leaves_its_domain_has_what_it_is_made_of() -> None:
    found = check(written("@m.action\ndef a(s):\n    s.require(s.b == False)\n    s.n = s.n + 2\n"))["values_in_domain"]
    assert (found.violated, found.where) == ("a: a would set n outside 0..3", (("n", "2"),))
    assert [source.text() for source in found.claimed] == ["@m.action"]
    system = with_domain_obligations(counter(9, guarded=False))
    (prop,) = system.properties
    assert violation(system, prop, Trace(((3,),))).values == (("n", "3"),)


def test_what_no_formula_says_the_engine_says() -> None:
    prop = Property("nobody_stuck", Kind.NO_STUCK)
    assert violation(FORK, prop, Trace(((0,),)), "p waits") == Violation("p waits")


def test_events_that_are_always_forbidden_read_nothing() -> None:
    system = emits(digraph([0, 1]), {0: "bang"})
    prop = Property("p", Kind.EVENT_NEVER, (neg(member(0, [], 0, 2)),), ("bang",))
    assert violation(system, prop, Trace(((0,), (1,)), (0,))).values == ()
