# SPDX-License-Identifier: Apache-2.0
"""Proofs for all reachable states, by z3.

From the cheap to the dear: (1) an invariant guessed without a solver (`abstract`); (2) one from a few slots
(`localise`); (3) k-induction with the first as a lemma.  An invariant counts only when z3 has certified it
in a fresh solver by the three classic queries: it holds initially, every transition keeps it, it excludes
the bad states.  A timeout is UNKNOWN.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

import z3

from cprcheck.engines.abstract import Abstraction
from cprcheck.engines.bmc import Unrolling, ask
from cprcheck.engines.localise import localise
from cprcheck.errors import DisagreementError
from cprcheck.expr import TRUE, Expr, conj
from cprcheck.lower.smt import Encoding, Frame, Term
from cprcheck.passes.safety import Goal, with_last_step
from cprcheck.system import Kind, System
from cprcheck.verdict import Answer, Status

NAME = "prove"
MAX_K = 24
"""k-induction gives up after this many steps."""
SECONDS = 60.0
"""The time for one question, unless told otherwise."""
SHARE = 0.6
"""The part of the time for one question that localisation may use."""


@dataclass(frozen=True)
class Query:
    """One of the three queries of a certificate: its SMT-LIB text, and what z3 says about it."""

    name: str
    text: str
    outcome: z3.CheckSatResult


class Prover:
    """Answers questions about one System; what it learns for one helps with the next.

    `invariant` is certified: it holds initially and every transition keeps it.  `lemma` holds in all reachable
    states too, but need not be kept by transitions from others.
    """

    def __init__(self, system: System, seconds: float | None = None) -> None:
        self.system = system
        self.seconds = SECONDS if seconds is None else seconds
        self.invariant: Expr = TRUE
        self.lemma: Expr = TRUE
        self.prepared = False
        self.certifier = Certifier(system)
        self.pruned = system
        """The system without the transitions that the invariant rules out."""
        self.origin: Sequence[int] = range(len(system.transitions))

    def prepare(self) -> None:
        """Guess the first invariant and have it certified; without success there is none."""
        self.prepared = True
        deadline = monotonic() + self.seconds
        abstraction = Abstraction(self.system)
        if not abstraction.run(deadline):
            return
        guess = abstraction.invariant()
        if self.certified(self.certifier.queries(guess, None, deadline), "the abstract interpretation"):
            self.invariant = self.lemma = guess
            live = abstraction.live()
            self.pruned = replace(self.system, transitions=tuple(self.system.transitions[i] for i in live))
            self.origin = live

    def answer(self, goal: Goal) -> Answer:
        """Answer one question; a lemma that holds helps with the next ones.

        Raises DisagreementError when z3 finds fault with an invariant that another method has computed.
        """
        if not self.prepared:
            self.prepare()
        answer = self._by_invariant(goal) or self._by_localisation(goal)
        answer = answer or k_induction(self.system, goal, self.lemma, monotonic() + self.seconds)
        if goal.prop.kind is Kind.LEMMA and answer.status is Status.HOLDS:
            self.lemma = conj(self.lemma, *goal.prop.formulas)
        return answer

    def _by_invariant(self, goal: Goal) -> Answer | None:
        """Whether the invariant that is known excludes the bad states."""
        if self.invariant == TRUE:
            return None
        queries = self.certifier.queries(self.invariant, goal, monotonic() + self.seconds)
        if any(query.outcome != z3.unsat for query in queries):
            return None
        return _proved(goal, queries, "inductive invariant")

    def _by_localisation(self, goal: Goal) -> Answer | None:
        """Whether a few slots are enough to exclude the bad states, or lead to a run."""
        found = localise(self.pruned, goal, monotonic() + self.seconds * SHARE)
        if found.trace is not None:
            run = replace(found.trace, steps=tuple(self.origin[step] for step in found.trace.steps))
            trace = with_last_step(self.system, goal, run)
            return Answer(goal.found, NAME, f"{len(trace)} steps, perhaps not the fewest", trace)
        if found.invariant is None:
            return None
        together = conj(self.invariant, found.invariant)
        queries = self.certifier.queries(together, goal, monotonic() + self.seconds)
        if not self.certified(queries, "the localisation"):
            return None
        self.invariant, self.lemma = together, conj(self.lemma, found.invariant)
        return _proved(goal, queries, f"inductive invariant over {found.kept} of {len(self.system.slots)} slots")

    def certified(self, queries: Sequence[Query], whose: str) -> bool:
        """Whether all queries are unsatisfiable.  Raises DisagreementError when z3 refutes one."""
        refuted = [query.name for query in queries if query.outcome == z3.sat]
        if refuted:
            raise DisagreementError(f"z3 rejects an invariant of {whose} ({', '.join(refuted)})")
        return all(query.outcome == z3.unsat for query in queries)


def _proved(goal: Goal, queries: Sequence[Query], basis: str) -> Answer:
    files = tuple((query.name, query.text) for query in queries)
    return Answer(goal.excluded, NAME, basis, certificate=files)


class Certifier:
    """Asks the three queries of a certificate about one System, each in a fresh solver."""

    def __init__(self, system: System) -> None:
        self.encoding = Encoding(system)
        self.now, self.after = self.encoding.frame("0"), self.encoding.frame("1")
        self.step, _ = self.encoding.step(self.now, self.after)

    def queries(self, invariant: Expr, goal: Goal | None, deadline: float) -> list[Query]:
        """The three queries; all unsatisfiable means that `invariant` proves `goal`.

        Without a goal only the first two are asked: is it an invariant at all?
        """
        holds, kept = self._in(invariant, self.now), self._in(invariant, self.after)
        formulas = {
            "init": [self.encoding.init(self.now), z3.Not(holds)],
            "step": [holds, self.step, z3.Not(kept)],
        }
        if goal is not None:
            formulas["property"] = [holds, self.encoding.formula(goal.bad, self.now)]
        return [_query(name, parts, deadline) for name, parts in formulas.items()]

    def _in(self, invariant: Expr, frame: Frame) -> Term:
        return self.encoding.conj([self.encoding.domain(frame), self.encoding.formula(invariant, frame)])


def _query(name: str, parts: list[Term], deadline: float) -> Query:
    solver = z3.SolverFor("QF_BV")
    solver.add(*parts)
    solver.set("timeout", max(1, int((deadline - monotonic()) * 1000)))
    return Query(name, solver.to_smt2(), solver.check())


def k_induction(system: System, goal: Goal, lemma: Expr, deadline: float) -> Answer:
    """k-induction with `lemma` assumed everywhere and all states of a run different.

    k good states in a row are followed by a good one; k = 1 is ordinary induction, and with k = 0 the lemma alone
    excludes the bad states.  Base case and step case share the depth: a `bad` state within k steps is found before
    anything is proved.
    """
    base, step = Unrolling(system), Unrolling(system, from_init=False)
    for k in range(MAX_K + 1):
        outcome = ask(base, goal, deadline)
        if outcome == z3.sat:
            trace = with_last_step(system, goal, base.trace())
            return Answer(goal.found, NAME, f"{len(trace)} steps", trace)
        if outcome == z3.unknown:
            break
        step.solver.add(step.encoding.formula(lemma, step.frames[-1]))
        outcome = ask(step, goal, deadline)
        if outcome == z3.unsat:
            return Answer(goal.excluded, NAME, f"k-induction, k = {k}")
        if outcome == z3.unknown:
            break
        step.solver.add(z3.Not(step.encoding.formula(goal.bad, step.frames[-1])))
        base.extend()
        frame = step.extend()
        for earlier in step.frames[:-1]:
            pairs = zip(earlier.slots, frame.slots, strict=True)
            step.solver.add(step.encoding.disj([a != b for a, b in pairs]))
    else:
        return Answer(Status.UNKNOWN, NAME, reason=f"not k-inductive for k up to {MAX_K}")
    return Answer(Status.UNKNOWN, NAME, reason=f"timed out after {k} steps of k-induction")


def check(system: System, goals: Sequence[Goal], seconds: float | None = None) -> dict[str, Answer]:
    """Answer `goals`, each within `seconds`.  Lemmas come first and help with the rest."""
    prover = Prover(system, seconds)
    ordered = sorted(goals, key=lambda goal: goal.prop.kind is not Kind.LEMMA)
    return {goal.prop.name: prover.answer(goal) for goal in ordered}
