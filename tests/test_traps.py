"""Traps that other checkers fell into, and ways to write a model wrongly that must be caught or come out right.

The first part is about models, the second about engines and reports.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest
import z3
from authors import process, refusal, written
from systems import counter, digraph, never, nodes, with_invariant

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.domains import Range
from cprcheck.engines import bmc, explicit, graph, liveness, prove
from cprcheck.errors import DisagreementError
from cprcheck.expr import FALSE, TRUE, Read, number, plus
from cprcheck.language import oracle
from cprcheck.passes.faults import with_faults
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.passes.safety import goal
from cprcheck.replay import replay
from cprcheck.semantics import initial_states
from cprcheck.system import Kind, Process, Property, Slot, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Status

STEP = 'yield "go"\n'


def answers(system: System, name: str = "never") -> dict[str, Status]:
    """What each engine says about one property, bmc to a depth of 12."""
    question = goal(system, system.property(name))
    return {
        "explicit": explicit.answers(explicit.search(system, [question]), [question])[name].status,
        "bmc": bmc.check(system, [question], 12)[name].status,
        "prove": prove.check(system, [question], seconds=10)[name].status,
    }


# ---- how a model may be written wrongly -------------------------------------------------------------------------


def test_a_loop_over_equal_items() -> None:
    """[1, 1, 2]: the position counts, not the item."""
    model = written(process('for i in [1, 1, 2]:\n    yield "turn"\n    s.n = i\n'))
    assert oracle.compare(model, 5) == ""
    assert explicit.search(model.system).size.depth == 3


def test_one_iterator_shared_by_two_names() -> None:
    body = process(STEP + "a = iter([1, 2])\nb = a\nfor i in a:\n    s.n = i\n    break\nfor i in b:\n    s.n = i\n")
    assert refusal(body) == (
        "local 'a' is an iterator, which remembers how far it was read; use a tuple",
        "a = iter([1, 2])",
    )


def test_a_list_kept_across_a_yield() -> None:
    sentence, line = refusal(process(STEP + 'x = [1]\nyield "later"\ns.n = x[0]\n'))
    assert sentence.startswith("local 'x' is a list and lives across this yield")
    assert line == 'yield "later"'


def test_a_loop_over_a_list_is_taken_once() -> None:
    """What the loop goes through is fixed when it begins, as in Python for a list that nobody changes."""
    model = written(process('for i in [0, 1]:\n    yield "turn"\n    s.v[i] = Vaddr.NONE\n'))
    assert oracle.compare(model, 4) == ""


def test_yield_inside_try() -> None:
    assert refusal(process(STEP + 'try:\n    yield "x"\nexcept ValueError:\n    pass\n'))[1] == "try:"


def test_finally_in_a_process() -> None:
    assert refusal(process(STEP + "try:\n    s.n = 1\nfinally:\n    s.b = True\n"))[1] == "try:"


def test_end_reached_with_pending_writes() -> None:
    model = written(process(STEP + "s.n = 1\nif s.b:\n    return\ns.n = 2\n"))
    assert oracle.compare(model, 2) == ""
    (final,) = [t.update for t in model.system.transitions if len(t.update) == 2 and dict(t.update)[1] == number(2)]
    assert len(final) == 2


def test_two_faults_in_one_helper() -> None:
    body = process(STEP + "broken(s)\n", 'def broken(s):\n    return s.fault("a") or s.fault("b")\n')
    faults = sorted(tuple(f.label for f in t.faults) for t in written(body).system.transitions)
    assert faults == [(), ("a",), ("b",)]


def test_one_fault_twice_uses_up_a_budget_of_two() -> None:
    model = written(process(STEP + 'if s.fault("f") and s.fault("f"):\n    s.n = 1\n'))
    reached = {budget: explicit.search(with_faults(model.system, budget, injected=False)).size for budget in (0, 1, 2)}
    assert [reached[budget].generated for budget in (0, 1, 2)] == [2, 3, 4]


def test_a_value_leaving_its_domain() -> None:
    model = written("@m.action\ndef inc(s):\n    s.n = s.n + 1\n@m.invariant\ndef small(s):\n    return s.n < 4\n")
    found = check(model)
    assert found["values_in_domain"].status is Status.VIOLATED
    assert found["values_in_domain"].violated == "inc: inc would set n outside 0..3"
    assert len(found["values_in_domain"].trace) == 3
    assert found["small"].status is Status.UNKNOWN
    assert found["small"].reason == "values_in_domain is violated"


def test_the_same_function_text_in_two_files_keeps_both_places() -> None:
    body = process(STEP + "s.n = 1\n")
    places = [{source.file for t in written(body).system.transitions for source in t.sources} for _ in range(2)]
    assert len(places[0]) == len(places[1]) == 1
    assert places[0] != places[1]


# ---- traps of engines -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [0, 1, 2, 5])
def test_a_violation_in_a_dead_end(depth: int) -> None:
    """The bad state has no successor: unrolling one step too far hides it, and induction then "proves"."""
    system = digraph(list(range(depth + 1)) if depth else [0, 0])
    if depth == 0:
        system = System("dead", (Slot("node", Range(0, 1)),), ((0,),), (Process("p"),), ())
    system = system.with_properties((never(system, depth),))
    assert set(answers(system).values()) == {Status.VIOLATED}


def test_a_relation_that_is_not_total_proves_nothing_by_itself() -> None:
    """A system whose only state is bad and dead: no path of length one exists, and still it is violated."""
    system = System("stuck", (Slot("n", Range(0, 1)),), ((0, 1),), (Process("p"),), ())
    system = with_invariant(system, FALSE, "never")
    assert set(answers(system).values()) == {Status.VIOLATED}


def test_the_only_bad_state_is_a_deadlock() -> None:
    for depth in (0, 1, 3):
        system = digraph(list(range(depth + 2)), [depth + 1, depth + 2, depth + 1])
        dead = digraph(list(range(depth + 1))) if depth else digraph([0, 0])
        moves = Property("never", Kind.DEADLOCK_FREE, (FALSE,), family="never")
        assert set(answers(system.with_properties((moves,))).values()) <= {Status.HOLDS, Status.UNKNOWN}
        wanted = Status.VIOLATED if depth else Status.HOLDS
        assert answers(dead.with_properties((moves,)))["explicit"] is wanted


def test_a_value_that_leaves_its_domain_means_the_same_to_all_engines() -> None:
    system = with_domain_obligations(with_invariant(counter(9, guarded=False), TRUE, "never"))
    assert answers(system, "values_in_domain") == dict.fromkeys(("explicit", "bmc", "prove"), Status.VIOLATED)
    guarded = with_domain_obligations(counter(3, guarded=True))
    assert answers(guarded, "values_in_domain")["explicit"] is Status.HOLDS
    assert explicit.search(guarded).size.states == explicit.search(system).size.states == 4


def test_out_of_domain_is_never_clamped_or_wrapped() -> None:
    """0..2 in two bits leaves room for a 3 that must not exist."""
    step = Transition(0, "inc", TRUE, ((0, plus(Read(0), number(1))),))
    system = System("n", (Slot("n", Range(0, 2)),), ((0,),), (Process("p"),), (step,))
    system = with_domain_obligations(system)
    assert explicit.search(system).size.states == 3
    assert bmc.check(with_invariant(system, FALSE, "never"), [], 3) == {}


def leads(system: System, trigger: int, response: int) -> Status:
    """The verdict of a leads-to between two nodes of a digraph."""
    prop = Property("answer", Kind.LEADS_TO, (nodes(system, trigger), nodes(system, response)))
    return liveness.check(graph.build(explicit.search(system)), [prop])["answer"].status


def test_leads_to_through_a_cycle() -> None:
    """0 -> 2 -> 4 -> 2: the run never gets to 1, and re-joins a state that was visited."""
    assert leads(digraph([0, 2, 4, 2]), 0, 1) is Status.VIOLATED


def test_leads_to_through_a_join() -> None:
    """0 -> 2 -> 4 and 1 -> 4 -> 6: two runs meet before either is decided."""
    assert leads(digraph([0, 2, 4], [1, 4, 6]), 1, 5) is Status.VIOLATED


def test_bmc_never_says_holds() -> None:
    system = digraph([0, 1, 0])
    system = system.with_properties((never(system, 2),)) if False else with_invariant(system, TRUE, "never")
    answer = bmc.check(system, [goal(system, system.property("never"))], 30)["never"]
    assert answer.status is Status.UNKNOWN
    assert answer.reason == "none within 30 steps"


def test_a_vacuous_pass_is_said() -> None:
    """An action that can never be taken is named, so that a proof about it is not taken for one."""
    model = written(
        process(STEP)
        + "@m.action\ndef never_enabled(s):\n    s.require(s.n == 3)\n    s.b = True\n"
        + "@m.invariant\ndef empty(s):\n    return not s.b\n"
    )
    found = check(model)
    assert found["empty"].status is Status.HOLDS
    labels = [found.system.transitions[i].label for i in found.unreached or ()]
    assert labels == ["never_enabled"]


def test_a_fault_does_not_rescue_progress() -> None:
    system = digraph([0, 1, 2], faults=[(1, 2)])
    moves = Property("never", Kind.DEADLOCK_FREE, (nodes(system, 2),))
    assert answers(system.with_properties((moves,)))["explicit"] is Status.VIOLATED
    assert leads(system, 0, 2) is Status.VIOLATED


def test_a_fault_does_not_repeat_for_ever() -> None:
    system = digraph([0, 0], [0, 1], faults=[(0, 0)])
    assert leads(system, 0, 1) is Status.HOLDS


def test_the_order_of_an_enum_does_not_matter() -> None:
    """Members in another order: the same verdicts, the same lengths."""
    text = (
        "from enum import Enum\nfrom cprcheck import *\nclass Color(Enum):\n    {0} = 0\n    {1} = 1\n    {2} = 2\n"
        'm = Model("m")\nm.var("x", Color, init=Color.RED)\n@m.action\ndef go(s):\n'
        "    s.x = Color.GREEN if s.x == Color.RED else Color.BLUE\n"
        "@m.invariant\ndef never_blue(s):\n    return s.x != Color.BLUE\n"
    )
    found = []
    for order in (("RED", "GREEN", "BLUE"), ("BLUE", "RED", "GREEN"), ("GREEN", "BLUE", "RED")):
        report = check(written("", text.format(*order)))
        found.append((report["never_blue"].status, len(report["never_blue"].trace), report.size))
    assert len(set(found)) == 1
    assert found[0][:2] == (Status.VIOLATED, 2)


def test_two_models_in_one_process() -> None:
    """Built and checked in turns, they do not see each other."""
    first = catalog.bind(catalog.find("peterson"), {})
    second = catalog.bind(catalog.find("peterson"), {"polite": "no"})
    digests = (first.system.digest(), second.system.digest())
    again = catalog.bind(catalog.find("peterson"), {})
    assert again.system.digest() == digests[0] != digests[1]
    assert check(first)["mutual_exclusion"].status is Status.HOLDS
    assert check(second)["mutual_exclusion"].status is Status.VIOLATED


def test_a_timeout_of_z3_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(z3.Solver, "check", lambda self, *args: z3.unknown)
    monkeypatch.setattr(z3.Solver, "reason_unknown", lambda self: "timeout")
    system = digraph([0, 1, 0])
    system = system.with_properties((never(system, 1),))
    assert answers(system)["bmc"] is Status.UNKNOWN
    assert prove.k_induction(system, goal(system, system.property("never")), TRUE, 1e12).status is Status.UNKNOWN


@pytest.mark.parametrize(
    "command",
    [pytest.param(["check", "v7", "--env", "cont"], marks=pytest.mark.slow), ["show", "save_unwind"], ["list"]],
)
def test_two_runs_print_the_same_bytes(command: list[str]) -> None:
    printed = {
        subprocess.run(
            [sys.executable, "-m", "cprcheck", *command],
            capture_output=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            check=False,
        ).stdout
        for seed in ("1", "2", "77")
    }
    assert len(printed) == 1
    assert len(printed.pop()) > 100


@pytest.mark.parametrize("name", ["v7", "save_unwind", "vm_change_handler", "peterson", "two_phase_commit"])
def test_a_truncated_search_proves_nothing(name: str) -> None:
    found = check(catalog.bind(catalog.find(name), {}), Options(engines=("explicit",), states=1))
    assert not {Status.HOLDS, Status.UNREACHABLE} & {verdict.status for verdict in found.verdicts}
    assert found.unreached is None
    assert found.size is not None
    assert not found.size.complete


def test_a_guess_that_is_no_invariant_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever computes an invariant, z3 has the last word; a refusal is an alarm, not a shrug."""
    from cprcheck.engines.abstract import Abstraction

    monkeypatch.setattr(Abstraction, "invariant", lambda self: FALSE)
    system = digraph([0, 1, 0])
    system = system.with_properties((never(system, 1),))
    with pytest.raises(DisagreementError, match="z3 rejects an invariant of the abstract interpretation"):
        prove.check(system, [goal(system, system.property("never"))])


def test_a_trace_with_an_invented_step_is_not_shown() -> None:
    system = digraph([0, 1, 2])
    prop = never(system, 2)
    with pytest.raises(DisagreementError, match=r"step 1 of the trace \(1->2\) cannot be taken there"):
        replay(system, prop, Trace(((0,), (2,)), (1,)))


def test_states_and_systems_cannot_be_changed() -> None:
    system = digraph([0, 1])
    with pytest.raises(FrozenInstanceError):
        system.name = "other"  # type: ignore[misc]
    assert isinstance(next(initial_states(system)), tuple)


def test_faults_that_share_a_label_count_each() -> None:
    system = with_faults(digraph([0, 1, 2], faults=[(0, 1), (1, 2)]), 1, injected=False)
    assert explicit.search(system).size.states == 2
