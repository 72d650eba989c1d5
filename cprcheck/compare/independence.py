# SPDX-License-Identifier: Apache-2.0
"""Which two steps are independent, so that it makes no difference which of them comes first: z3 decides it.

Two transitions of different processes are *independent* when in every state in which the first can be taken

* the second can be taken there exactly when it can be taken after the first (neither enables nor disables the other),
* where both can be taken, one after the other leads to the same state in either order,

and the same with the two exchanged.  A step here changes something, as in `runs`: a transition *can be taken* where
its guard holds and it changes the state.  This is Godefroid's definition (*Partial-Order Methods for the Verification
of Concurrent Systems*, LNCS 1032, 1996, chapter 3), after Katz and Peled (*Defining conditional independence using
collapses*, 1992); that runs are counted up to the order of such steps goes back to Mazurkiewicz (*Concurrent program
schemes and their interpretations*, 1977).  Steps of one process are never independent: their order is the program's.

*Every state* means every combination of values within the domains that satisfies an invariant, which z3 has certified
beforehand (`engines/prove.py`): the reachable states and perhaps some more, or all where none was certified.  With more
states fewer steps are independent; so what is called independent here is so in all reachable states.

Events are not looked at: each is emitted by its own step in either order, and what `System.collected` tells is a set.
"""

from __future__ import annotations

from collections.abc import Set

import z3

from cprcheck.engines.prove import Prover
from cprcheck.expr import TRUE, Expr, reads
from cprcheck.lower.smt import Encoding, Frame, Term
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.system import System

SECONDS = 10.0
"""The time for one question about two steps."""


def of(system: System) -> Independence:
    """The independence of the steps of `system` in all states that its certified invariant allows.

    Raises DisagreementError when z3 rejects the invariant that was computed.
    """
    system = with_domain_obligations(system)
    prover = Prover(system)
    prover.prepare()
    return Independence(system, prover.invariant)


class Independence:
    """Which steps are independent wherever `invariant` holds; each pair is decided when it is first asked about.

    `undecided` counts the pairs that z3 gave up on; these are taken as dependent.  `asked` counts the pairs that
    z3 was asked about.
    """

    def __init__(self, system: System, invariant: Expr = TRUE) -> None:
        self.system = with_domain_obligations(system)
        self.invariant = invariant
        self.undecided = self.asked = 0
        self.decided: dict[tuple[int, int], bool] = {}
        self.writes = [frozenset(slot for slot, _ in t.update) for t in self.system.transitions]
        self.reads = [reads(t.guard).union(*(reads(value) for _, value in t.update)) for t in self.system.transitions]
        self.encoding = Encoding(self.system)
        self.before = self.encoding.frame("before")
        self.after: dict[int, Frame] = {}
        self.solver = z3.SolverFor("QF_FD")
        self.solver.set("timeout", int(SECONDS * 1000))
        self.solver.add(self.encoding.domain(self.before), self.encoding.formula(invariant, self.before))

    def __call__(self, one: int, other: int) -> bool:
        """Whether two transitions, given by their indices, are independent."""
        pair = min(one, other), max(one, other)
        if pair not in self.decided:
            self.decided[pair] = self.decide(*pair)
        return self.decided[pair]

    def decide(self, one: int, other: int) -> bool:
        """Decide a pair.  Who touches nothing that the other touches needs no solver."""
        if self.system.transitions[one].process == self.system.transitions[other].process:
            return False
        return self.apart(one, other) or self.proved(one, other)

    def apart(self, one: int, other: int) -> bool:
        """Whether neither writes what the other reads or writes: a reason to be independent."""
        touches = self.writes[one] & (self.reads[other] | self.writes[other])
        return not touches and not self.writes[other] & self.reads[one]

    def proved(self, one: int, other: int) -> bool:
        """Whether z3 finds no state in which the order of the two makes a difference."""
        self.asked += 1
        outcome = self.solver.check(self.differ(one, other))
        self.undecided += outcome == z3.unknown
        return bool(outcome == z3.unsat)

    def differ(self, one: int, other: int) -> Term:
        """In the state `before` it makes a difference which of the two comes first."""
        first, second = self.taken(one), self.taken(other)
        first_second, second_first = self.step(other, first), self.step(one, second)
        now, then = self.can(one, self.before, first), self.can(one, second, second_first)
        also, still = self.can(other, self.before, second), self.can(other, first, first_second)
        written = self.writes[one] | self.writes[other]
        apart = self.differing(first_second, second_first, written)
        return z3.Or(z3.And(now, also != still), z3.And(also, now != then), z3.And(now, also, apart))

    def taken(self, step: int) -> Frame:
        """The state after `step` in the state `before`."""
        if step not in self.after:
            self.after[step] = self.step(step, self.before)
        return self.after[step]

    def step(self, step: int, frame: Frame) -> Frame:
        """The state after `step` in another state."""
        return self.encoding.after(self.system.transitions[step], frame)

    def can(self, step: int, frame: Frame, after: Frame) -> Term:
        """Whether `step`, which leads from `frame` to `after`, can be taken and changes something."""
        guard = self.encoding.formula(self.system.transitions[step].guard, frame)
        return z3.And(guard, self.differing(frame, after, self.writes[step]))

    def differing(self, one: Frame, other: Frame, slots: Set[int]) -> Term:
        """Whether two states differ in one of `slots`."""
        return self.encoding.disj(one.slots[slot] != other.slots[slot] for slot in sorted(slots))
