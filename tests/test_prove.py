"""Proofs: right by exhaustive interpretation, confirmed by a second solver, and rejected when they are damaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from time import monotonic

import cvc5
import pytest
import z3
from strategies import random_system, reachable
from systems import at, counter, digraph, never, nodes, token_ring

from cprcheck.domains import Range
from cprcheck.engines import abstract, bmc, prove
from cprcheck.engines.localise import Found
from cprcheck.engines.prove import Certifier, Prover, check, k_induction
from cprcheck.errors import DisagreementError
from cprcheck.expr import FALSE, TRUE, Expr, Read, equal, less, minus, neg, number, plus
from cprcheck.lower.smt import Frame
from cprcheck.passes.safety import Goal, goal
from cprcheck.replay import replay
from cprcheck.semantics import evaluate, initial_states, successors
from cprcheck.system import Kind, Process, Property, Slot, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Status

HOLDS, VIOLATED, REACHABLE, UNREACHABLE, UNKNOWN = Status
NODES = Range(0, 9)
LINE = digraph(range(10))


def invariant(formula: Expr, name: str = "claim") -> Property:
    return Property(name, Kind.INVARIANT, (formula,))


def lemma(formula: Expr, name: str = "lemma") -> Property:
    return Property(name, Kind.LEMMA, (formula,))


def later() -> float:
    return monotonic() + 20


def ask(system: System, *properties: Property, seconds: float = 20) -> dict[str, Answer]:
    return check(system, [goal(system, prop) for prop in properties], seconds)


def by_cvc5(text: str) -> str:
    """What cvc5 says about an SMT-LIB file."""
    terms = cvc5.TermManager()
    solver = cvc5.Solver(terms)
    solver.setLogic("QF_BV")
    parser = cvc5.InputParser(solver)
    parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "certificate")
    said = []
    while not (command := parser.nextCommand()).isNull():
        said.append(command.invoke(solver, parser.getSymbolManager()).strip())
    return " ".join(filter(None, said))


def confirmed(answer: Answer) -> list[str]:
    """The names of the files of a certificate, each of which cvc5 has found unsatisfiable."""
    for name, text in answer.certificate:
        assert by_cvc5(text) == "unsat", name
    return [name for name, _ in answer.certificate]


def only_k_induction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither of the methods that come before k-induction finds anything."""
    monkeypatch.setattr(abstract.Abstraction, "run", lambda *_: False)
    monkeypatch.setattr(prove, "localise", lambda *_: Found(reason="not tried"))


# ---- random systems -------------------------------------------------------------------------------------------------


def right(system: System) -> dict[str, Answer]:
    """The answers about `system`, none of which the interpreter refutes."""
    goals = [goal(system, prop) for prop in system.properties]
    said = check(system, goals, 20)
    states = reachable(system)
    for question in goals:
        answer = said[question.prop.name]
        hit = any(evaluate(question.bad, state) for state in states)
        assert answer.status in (question.found if hit else question.excluded, UNKNOWN)
        if answer.trace is not None:
            replay(system, question.prop, answer.trace)
    return said


def test_no_answer_about_a_random_system_is_wrong_and_cvc5_confirms_every_certificate() -> None:
    certified = 0
    for seed in range(9):
        for answer in right(random_system(seed)).values():
            if answer.certificate:
                assert answer.status in (HOLDS, UNREACHABLE)
                assert confirmed(answer) == ["init", "step", "property"]
                certified += 1
    assert certified >= 12


@pytest.mark.parametrize("method", ["without abstract interpretation", "by k-induction alone"])
def test_no_answer_is_wrong_when_methods_are_left_out(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if method == "by k-induction alone":
        only_k_induction(monkeypatch)
        monkeypatch.setattr(prove, "MAX_K", 9)
    monkeypatch.setattr(abstract.Abstraction, "run", lambda *_: False)
    decided = [
        answer.status is not UNKNOWN for seed in range(100, 105) for answer in right(random_system(seed)).values()
    ]
    assert sum(decided) >= 20


# ---- the three methods ----------------------------------------------------------------------------------------------


def test_what_holds_of_single_values_needs_no_more_than_the_abstract_interpretation() -> None:
    answer = ask(counter(2, guarded=True), invariant(less(Read(0), number(3))))["claim"]
    assert (answer.status, answer.basis) == (HOLDS, "inductive invariant")
    assert confirmed(answer) == ["init", "step", "property"]


def test_what_holds_of_a_few_slots_together_is_localised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abstract, "WORK", 0)
    ring = token_ring(4)
    answer = ask(ring, *ring.properties)["one token"]
    assert (answer.status, answer.basis) == (HOLDS, "inductive invariant over 4 of 4 slots")
    assert confirmed(answer) == ["init", "step", "property"]


def test_what_localisation_has_found_helps_with_the_next_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abstract, "WORK", 0)
    ring = token_ring(3)
    prover = Prover(ring, 20)
    assert prover.answer(goal(ring, ring.properties[0])).status is HOLDS
    monkeypatch.setattr(prove, "localise", lambda *_: Found(reason="not tried"))
    again = prover.answer(goal(ring, ring.properties[0]))
    assert (again.status, confirmed(again)) == (HOLDS, ["init", "step", "property"])


def test_a_run_found_by_localisation_is_not_said_to_be_shortest() -> None:
    answer = ask(LINE, never(LINE, 3))["never"]
    run = Trace(((0,), (1,), (2,), (3,)), (0, 1, 2))
    assert answer == Answer(VIOLATED, "prove", "3 steps, perhaps not the fewest", run)


def test_steps_of_a_run_are_those_of_the_whole_system_though_some_were_ruled_out() -> None:
    system = replace(digraph([5, 6, 5], [0, 1, 2]), init=((0,),))
    prover = Prover(system, 20)
    assert prover.answer(goal(system, never(system, 2))).trace == Trace(((0,), (1,), (2,)), (2, 3))
    assert (len(prover.pruned.transitions), list(prover.origin)) == (2, [2, 3])


def test_a_goal_that_cannot_be_reached_is_told_so() -> None:
    system = replace(digraph([0, 1], [2, 3]), init=((0,),))
    said = ask(system, Property("seen", Kind.REACHABLE, (nodes(system, 3),)))["seen"]
    assert (said.status, confirmed(said)) == (UNREACHABLE, ["init", "step", "property"])
    assert ask(LINE, Property("seen", Kind.REACHABLE, (nodes(LINE, 1),)))["seen"].status is REACHABLE


# ---- certificates ---------------------------------------------------------------------------------------------------


def damaged(system: System, formula: Expr, question: Goal | None = None) -> dict[str, bool]:
    """By z3, which of the three queries about `formula` are refuted; cvc5 has to say the same."""
    queries = Certifier(system).queries(formula, question, later())
    for query in queries:
        assert by_cvc5(query.text) == str(query.outcome), query.name
    return {query.name: query.outcome == z3.sat for query in queries}


def test_each_way_to_damage_an_invariant_is_refuted_by_its_own_query() -> None:
    system = replace(digraph([0, 1, 2, 1], [3, 4]), init=((0,),))
    question = goal(system, never(system, 3))
    assert damaged(system, nodes(system, 0, 1, 2), question) == {"init": False, "step": False, "property": False}
    assert damaged(system, nodes(system, 1, 2), question) == {"init": True, "step": False, "property": False}
    assert damaged(system, nodes(system, 0, 1), question) == {"init": False, "step": True, "property": False}
    assert damaged(system, nodes(system, 0, 1, 2, 3), question) == {"init": False, "step": True, "property": True}
    assert damaged(system, TRUE, question) == {"init": False, "step": False, "property": True}
    assert damaged(system, FALSE, question) == {"init": True, "step": False, "property": False}
    assert damaged(system, TRUE) == {"init": False, "step": False}


def test_z3_refutes_exactly_what_the_interpreter_refutes() -> None:
    for seed in range(6):
        system = random_system(seed)
        question = goal(system, system.property("wild"))
        for formula in (system.property("claim").formulas[0], system.property("seen").formulas[0]):
            kept = [s for s in product(*(slot.domain.codes for slot in system.slots)) if evaluate(formula, s)]
            expected = {
                "init": not set(initial_states(system)) <= set(kept),
                "step": any(not evaluate(formula, after) for state in kept for _, after in successors(system, state)),
                "property": any(evaluate(question.bad, state) for state in kept),
            }
            assert damaged(system, formula, question) == expected, seed


def test_a_guess_of_the_abstract_interpretation_that_is_wrong_is_a_disagreement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for guess, names in ((nodes(LINE, *range(9)), "step"), (nodes(LINE, *range(1, 10)), "init"), (FALSE, "init")):
        monkeypatch.setattr(abstract.Abstraction, "invariant", lambda _, guess=guess: guess)
        with pytest.raises(DisagreementError) as caught:
            ask(LINE, never(LINE, 9))
        assert str(caught.value) == f"z3 rejects an invariant of the abstract interpretation ({names})"


def test_a_localisation_that_is_wrong_is_a_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    for formula, names in (
        (nodes(LINE, 0, 1), "step"),
        (TRUE, "property"),
        (nodes(LINE, 1, 9), "init, step, property"),
    ):
        monkeypatch.setattr(prove, "localise", lambda *_, formula=formula: Found(formula, 1))
        with pytest.raises(DisagreementError) as caught:
            ask(LINE, never(LINE, 9))
        assert str(caught.value) == f"z3 rejects an invariant of the localisation ({names})"


@pytest.mark.parametrize("before", [True, False])
def test_an_invariant_that_z3_does_not_decide_proves_nothing(before: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    system = counter(2, guarded=True)
    prover = Prover(system, 20)
    if before:
        prover.prepare()
    known = prover.invariant, prover.lemma, prover.pruned
    assert (known == (TRUE, TRUE, system)) is not before
    monkeypatch.setattr(Certifier, "queries", lambda *_: [prove.Query("step", "", z3.unknown)])
    answer = prover.answer(goal(system, invariant(less(Read(0), number(3)))))
    assert (prover.invariant, prover.lemma, prover.pruned) == known
    assert (answer.status, answer.basis.split(",")[0], answer.certificate) == (HOLDS, "k-induction", ())


# ---- k-induction ----------------------------------------------------------------------------------------------------


def induced(system: System, claim: Expr, known: Expr = TRUE) -> Answer:
    return k_induction(system, goal(system, invariant(claim)), known, later())


@pytest.mark.parametrize("depth", range(10))
def test_what_fails_at_exactly_some_depth_is_never_proved(depth: int) -> None:
    for system in (LINE, digraph([*range(10), 0]), replace(LINE, transitions=LINE.transitions[::-1])):
        answer = induced(system, neg(at(0, depth, NODES)))
        assert (answer.status, answer.basis) == (VIOLATED, f"{depth} steps")
        assert [state for (state,) in answer.trace.states] == list(range(depth + 1))


def behind(length: int) -> System:
    """Nodes 0 and 1 in a ring are all that is reachable; node 9 is `length` steps behind others that are not."""
    return replace(digraph([0, 1, 0], [*range(9 - length, 10)]), init=((0,),))


@pytest.mark.parametrize("length", [1, 2, 3, 6])
def test_k_is_the_number_of_good_states_in_a_row_that_rule_a_bad_one_out(length: int) -> None:
    assert induced(behind(length), neg(at(0, 9, NODES))) == Answer(HOLDS, "prove", f"k-induction, k = {length + 1}")


def test_unreachable_states_in_a_ring_do_not_go_on_for_ever_since_all_states_of_a_run_differ() -> None:
    system = replace(digraph([0, 1, 0], [2, 3, 4, 2], [4, 9]), init=((0,),))
    assert induced(system, neg(at(0, 9, NODES))).basis == "k-induction, k = 4"


def test_a_lemma_shortens_the_induction() -> None:
    assert induced(behind(6), neg(at(0, 9, NODES)), nodes(behind(6), 0, 1)).basis == "k-induction, k = 0"
    assert induced(behind(6), neg(at(0, 9, NODES)), neg(at(0, 7, NODES))).basis == "k-induction, k = 2"


def test_a_lemma_is_assumed_in_every_state_of_a_run() -> None:
    system = replace(digraph([0, 1, 0], [3, 4, 9], [5, 6, 9]), init=((0,),))
    assert induced(system, neg(at(0, 9, NODES)), neg(nodes(system, 4, 5))).basis == "k-induction, k = 2"


def test_base_case_and_step_case_are_asked_at_the_same_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    depths: list[int] = []
    count = lambda unrolling, *rest: depths.append(len(unrolling.frames)) or bmc.ask(unrolling, *rest)
    monkeypatch.setattr(prove, "ask", count)
    assert induced(behind(2), neg(at(0, 9, NODES))).status is HOLDS
    assert depths == [1, 1, 2, 2, 3, 3, 4, 4]


def test_what_is_not_inductive_within_the_greatest_k_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "MAX_K", 3)
    said = Answer(UNKNOWN, "prove", reason="not k-inductive for k up to 3")
    assert induced(behind(3), neg(at(0, 9, NODES))) == said
    assert induced(behind(2), neg(at(0, 9, NODES))).basis == "k-induction, k = 3"


def test_a_base_case_that_lags_behind_would_prove_what_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lagging(bmc.Unrolling):
        calls = 0

        def extend(self) -> Frame:
            self.calls += 1
            return self.frames[-1] if self.calls <= 2 else super().extend()

    system, claim = digraph([0, 1, 2, 3]), neg(at(0, 3, Range(0, 3)))
    assert induced(system, claim).status is VIOLATED
    either = lambda system, from_init=True: (Lagging if from_init else bmc.Unrolling)(system, from_init=from_init)
    monkeypatch.setattr(prove, "Unrolling", either)
    assert induced(system, claim).status is HOLDS


# ---- lemmas ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("known", "said", "reason", "basis"),
    [
        (nodes(LINE, 0, 1), HOLDS, "", "k-induction, k = 0"),
        (neg(at(0, 3, NODES)), HOLDS, "", ""),
        (nodes(LINE, 0), VIOLATED, "", ""),
        (neg(at(0, 8, NODES)), UNKNOWN, "not k-inductive for k up to 2", ""),
    ],
)
def test_only_a_lemma_that_was_proved_helps(
    known: Expr, said: Status, reason: str, basis: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_k_induction(monkeypatch)
    monkeypatch.setattr(prove, "MAX_K", 2)
    system, claim = behind(6), neg(at(0, 9, NODES))
    assert induced(system, claim, known).status is HOLDS or said is HOLDS
    found = ask(system, invariant(claim), lemma(known))
    assert (found["lemma"].status, found["lemma"].reason) == (said, reason)
    expected = Answer(HOLDS, "prove", basis) if basis else Answer(UNKNOWN, "prove", reason=NOT_INDUCTIVE)
    assert found["claim"] == expected


NOT_INDUCTIVE = "not k-inductive for k up to 2"


def test_an_invariant_that_is_no_lemma_helps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    only_k_induction(monkeypatch)
    monkeypatch.setattr(prove, "MAX_K", 2)
    found = ask(behind(6), invariant(nodes(LINE, 0, 1), "known"), invariant(neg(at(0, 9, NODES))))
    assert (found["known"].status, found["claim"].status) == (HOLDS, UNKNOWN)


def test_false_lemmas_prove_nothing_about_random_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    only_k_induction(monkeypatch)
    monkeypatch.setattr(prove, "MAX_K", 4)
    for seed in range(8):
        system = random_system(seed)
        claims = [system.property(name).formulas[0] for name in ("seen", "quiet", "claim")]
        right(with_lemmas(system, claims))


def with_lemmas(system: System, claims: Sequence[Expr]) -> System:
    known = tuple(lemma(formula, f"lemma {i}") for i, formula in enumerate(claims))
    return system.with_properties((*system.properties, *known))


# ---- time -----------------------------------------------------------------------------------------------------------


def test_without_time_nothing_is_known() -> None:
    said = Answer(UNKNOWN, "prove", reason="timed out after 0 steps of k-induction")
    assert ask(LINE, never(LINE, 0), seconds=0) == {"never": said}


@pytest.mark.parametrize(("asked", "steps"), [(1, 0), (2, 0), (3, 1), (4, 1), (7, 3)])
def test_a_solver_that_gives_up_leaves_the_question_open(
    asked: int, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The base case and the step case are asked in turn; the `asked`-th time there is no answer."""
    outcomes = [z3.unsat if i % 2 == 0 else z3.sat for i in range(asked - 1)] + [z3.unknown]
    monkeypatch.setattr(prove, "ask", lambda *_: outcomes.pop(0))
    said = induced(behind(6), neg(at(0, 9, NODES)))
    assert said == Answer(UNKNOWN, "prove", reason=f"timed out after {steps} steps of k-induction")


def test_arithmetic_is_proved_without_wrapping_around() -> None:
    domain = Range(-4, 3)
    shift = Transition(0, "shift", less(Read(0), number(2)), ((0, plus(Read(0), number(2))), (1, Read(0))))
    system = System("s", (Slot("x", domain), Slot("y", domain)), ((-2,), (-4,)), (Process("p"),), (shift,))
    claim = equal(minus(Read(0), Read(1)), number(2))
    answer = ask(system, invariant(claim))["claim"]
    assert (answer.status, confirmed(answer)) == (HOLDS, ["init", "step", "property"])
    assert induced(system, claim) == Answer(HOLDS, "prove", "k-induction, k = 1")
