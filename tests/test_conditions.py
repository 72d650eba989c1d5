"""Each conjunct of a guard, and of a claim, with where it comes from."""

from __future__ import annotations

import pytest
from authors import HEAD_LINES, process, written
from publish import DESIGNS
from systems import counter, digraph

from cprcheck import catalog
from cprcheck.errors import Source
from cprcheck.expr import conj, conjuncts
from cprcheck.passes.conditions import conditions, joined, narrowed, rewritten
from cprcheck.passes.faults import with_faults
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.passes.project import project
from cprcheck.system import Condition, Property, System, Transition, render


def told(system: System, found: tuple[Condition, ...]) -> list[tuple[str, list[str]]]:
    """(conjunct, the author's lines, or in words the reason)."""
    return [
        (render(c.formula, system.slots), [c.reason] if c.reason else [source.text() for source in c.sources])
        for c in found
    ]


def steps(body: str) -> list[list[tuple[str, list[str]]]]:
    """The conditions of each transition of the model that `body` describes."""
    system = written(body).system
    return [told(system, transition.conditions) for transition in system.transitions]


def rest(body: str) -> list[list[tuple[str, list[str]]]]:
    """The same without where the process stands."""
    return [found[1:] for found in steps(process(body))]


# ---- together they are the guard ----------------------------------------------------------------------------------


def check_guards(name: str, **params: str) -> None:
    """Of every transition of a shipped model the conditions say what the guard says, and where they come from."""
    plain = catalog.bind(catalog.find(name), params).system
    for faults in (None, 1):
        for transition in with_faults(plain, faults, injected=True).transitions:
            whole = conj(*(condition.formula for condition in transition.conditions))
            assert frozenset(conjuncts(whole)) == frozenset(conjuncts(transition.guard))
            assert all(condition.reason or condition.sources for condition in transition.conditions)


@pytest.mark.parametrize("name", [model.name for _, model in catalog.shipped()])
def test_of_every_shipped_model_they_say_what_the_guard_says(name: str) -> None:
    check_guards(name)


@pytest.mark.slow
@pytest.mark.parametrize("env", ["cont,stop,again", "hotplug,unplug"])
@pytest.mark.parametrize("name", DESIGNS)
def test_whatever_the_environment_does(name: str, env: str) -> None:
    check_guards(name, env=env, topology="pe")


def test_without_them_the_conjuncts_of_the_guard_stand_alone() -> None:
    (step,) = counter(2, guarded=True).transitions
    assert conditions(step) == (Condition(step.guard),)
    (free,) = counter(2, guarded=False).transitions
    assert conditions(free) == ()


def test_they_are_for_readers_only() -> None:
    system = written("@m.action\ndef a(s):\n    s.require(s.b)\n    s.n = 1\n").system
    (step,) = system.transitions
    bare = Transition(step.process, step.label, step.guard, step.update)
    assert (bare.conditions, step.conditions) != (step.conditions, bare.conditions)
    assert bare == step
    claim = Property("p", written("@m.invariant\ndef p(s):\n    return s.b\n").system.property("p").kind, (step.guard,))
    assert claim == Property("p", claim.kind, claim.formulas, conditions=step.conditions)


# ---- where they come from -----------------------------------------------------------------------------------------


def test_a_requirement_has_its_line() -> None:
    assert rest('yield "go"\ns.require(s.n < 2)\ns.b = True') == [[("n in {0, 1}", ["s.require(s.n < 2)"])]]


def test_an_if_has_its_line_on_both_paths() -> None:
    body = 'yield "go"\nif s.b:\n    s.n = 1\nelif s.n == 2:\n    s.n = 3'
    assert rest(body) == [
        [("b", ["if s.b:"])],
        [("not b", ["if s.b:"]), ("n = 2", ["elif s.n == 2:"])],
        [("not b", ["if s.b:"]), ("n != 2", ["elif s.n == 2:"])],
    ]


def test_each_operand_has_its_own_line() -> None:
    body = 'yield "go"\ngood = (\n    s.b\n    and s.n == 1\n    and s.v[0] == Vaddr.GOOD\n)\nif good:\n    s.n = 2'
    assert rest(body)[0] == [("b", ["s.b"]), ("n = 1", ["and s.n == 1"]), ("v[0] = GOOD", ["if good:"])]


def test_a_while_and_a_conditional_expression_have_theirs() -> None:
    assert rest('yield "go"\nwhile s.b:\n    yield "again"')[0] == [("b", ["while s.b:"])]
    assert rest('yield "go"\ns.n = 1 if s.b else 2')[1] == [("not b", ["s.n = 1 if s.b else 2"])]


def test_a_helper_has_the_innermost_line() -> None:
    before = "def small(s):\n    return bool(s.n < 1)\ndef wait(s):\n    s.require(s.b)\n    yield 'next'\n"
    found = steps(process('yield "go"\nyield from wait(s)\nif small(s):\n    s.n = 3', before))
    assert found[0][1:] == [("b", ["s.require(s.b)"])]
    assert found[1][1:] == [("n = 0", ["return bool(s.n < 1)"])]


def test_what_is_known_already_is_not_said_again() -> None:
    assert rest('yield "go"\ns.require(s.n == 1)\nif s.n < 3:\n    s.b = True') == [
        [("n = 1", ["s.require(s.n == 1)"])]
    ]


def test_where_a_process_stands_a_lock_and_a_group_have_a_reason() -> None:
    body = """
    @m.process
    def p(s):
        yield "go"
        with s.lock(l):
            s.n = 1
            yield "on"
    @m.action(lock=l, group=g)
    def a(s):
        s.b = True
    @m.process(lock=l, group=g)
    def q(s):
        yield "first"
        s.b = False
    """
    go, on, a, q = steps(body)
    elsewhere, held = ["the process stands elsewhere"], ["the lock l is held"]
    assert go == [("@p = go", elsewhere), ("lock l = free", held)]
    assert on == [("@p = on", elsewhere)]
    assert a == [("g = alive", ["g is not alive"]), ("lock l = free", held)]
    assert q == [("@q = first", elsewhere), ("lock l = free", held)]


def test_what_another_process_is_asked_has_its_line() -> None:
    body = 'yield "go"\ns.require(m.at("q", "work"))\ns.b = True'
    other = "@m.process\ndef q(s):\n    yield 'work'\n    yield 'rest'\n"
    found = steps(process(body, other))
    assert found[2][1:] == [("@q = work", ['s.require(m.at("q", "work"))'])]


def test_a_fault_budget_and_a_domain_have_a_reason() -> None:
    body = 'yield "go"\nif s.fault("cut"):\n    s.b = True\ns.n = s.n + 1'
    system = with_faults(written(process(body)).system, 1, injected=False)
    plain, faulty = (told(system, transition.conditions)[1:] for transition in system.transitions)
    assert plain == [("n != 3", ["it would set n outside 0..3"])]
    assert faulty == [*plain, ("faults_taken = 0", ["the fault budget is spent"])]


def test_merged_locations_have_the_lines_of_both() -> None:
    body = """
    if s.b:
        yield "wait"
        s.require(s.n == 1)
    else:
        yield "wait"
        s.require(s.n == 1)
    """
    system = written(process('yield "go"' + body.replace("\n    ", "\n"))).system
    wait = next(t for t in system.transitions if t.label == "wait")
    lines = [[source.line - HEAD_LINES for source in c.sources] for c in wait.conditions]
    assert lines == [[], [7, 10]]


def test_an_action_for_each_value_has_the_same_lines() -> None:
    found = steps("@m.action(i=(0, 1))\ndef a(s, i):\n    s.require(s.v[i] == Vaddr.GOOD)\n    s.b = True\n")
    line = ["s.require(s.v[i] == Vaddr.GOOD)"]
    assert found == [[("v[0] = GOOD", line)], [("v[1] = GOOD", line)]]


# ---- passes -------------------------------------------------------------------------------------------------------


def test_narrowing_adds_to_both() -> None:
    system = digraph([0, 1])
    more = Condition(counter(2, guarded=True).transitions[0].guard, reason="because")
    new = narrowed(system.transitions[0], more)
    assert new.guard == conj(system.transitions[0].guard, more.formula)
    assert new.conditions == (Condition(system.transitions[0].guard), more)


def test_what_becomes_true_is_dropped_and_what_becomes_equal_is_joined() -> None:
    a, b = Source("m.py", 1), Source("m.py", 2)
    first, second = (t.guard for t in digraph([0, 1, 2]).transitions)
    found = rewritten(
        [Condition(first, (b,)), Condition(second, (a,))], lambda node: conj() if node == second else node
    )
    assert found == (Condition(first, (b,)),)
    assert joined(Condition(first, (b,)), Condition(second), Condition(first, (a,))) == (
        Condition(first, (a, b)),
        Condition(second),
    )


def test_obligations_stay_when_they_are_added_twice() -> None:
    once = with_domain_obligations(counter(9, guarded=False))
    assert with_domain_obligations(once).transitions[0].conditions == once.transitions[0].conditions


def test_a_projection_does_not_speak_for_the_whole() -> None:
    system = written(process('yield "go"\ns.require(s.n == 1)\ns.b = True')).system
    assert [t.conditions for t in project(system, frozenset({system.slot("b")})).system.transitions] == [()]


# ---- claims -------------------------------------------------------------------------------------------------------


def claim(body: str, decorator: str = "@m.invariant") -> list[tuple[str, list[str]]]:
    """The conjuncts of a property whose lines are known."""
    system = written(f"{decorator}\ndef p(s{', t' * ('step' in decorator)}):\n{body}").system
    return told(system, system.property("p").conditions)


def test_each_part_of_a_claim_has_its_line() -> None:
    assert claim("    return (\n        s.b\n        and s.n < 2\n        and s.v[0] == Vaddr.GOOD\n    )\n") == [
        ("b", ["s.b"]),
        ("n in {0, 1}", ["and s.n < 2"]),
        ("v[0] = GOOD", ["and s.v[0] == Vaddr.GOOD"]),
    ]


def test_a_claim_in_one_expression_has_the_line_of_its_return() -> None:
    found = claim("    good = s.v[0] == Vaddr.GOOD\n    return good & s.b\n")
    assert found == [("v[0] = GOOD", ["return good & s.b"]), ("b", ["return good & s.b"])]
    assert claim("    return s.n <= t.n\n", "@m.step_invariant") == [("not (n' < n)", ["return s.n <= t.n"])]


def test_an_alternative_has_the_lines_of_both_sides() -> None:
    assert claim("    return (\n        s.b\n        or s.n == 1\n    )\n") == [("b or n = 1", ["s.b", "or s.n == 1"])]


@pytest.mark.parametrize("name", [model.name for _, model in catalog.shipped()])
def test_of_every_shipped_property_they_say_what_the_formula_says(name: str) -> None:
    system = catalog.bind(catalog.find(name), {}).system
    found = [prop for prop in system.properties if prop.conditions]
    assert found
    for prop in found:
        parts = [condition.formula for condition in prop.conditions]
        assert frozenset(conjuncts(conj(*parts))) == frozenset(conjuncts(conj(*prop.formulas)))


def test_of_several_returns_only_what_was_asked_has_a_line() -> None:
    found = claim("    if s.b:\n        return False\n    return s.n < 2\n")
    assert found == [("not b", ["if s.b:"]), ("n in {0, 1}", [])]


def test_a_lambda_has_no_lines() -> None:
    system = written("m.deadlock_free(unless=lambda s: s.b)\n@m.action\ndef a(s):\n    s.n = 1").system
    assert told(system, system.property("deadlock_free").conditions) == [("b", [])]


def test_a_pair_of_claims_is_not_taken_apart() -> None:
    assert claim("    return s.b, s.n == 1\n", "@m.leads_to") == []
