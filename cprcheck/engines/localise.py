# SPDX-License-Identifier: Apache-2.0
"""An invariant from a few slots: the reachable states of a projection, refined until it suffices.

Start with the slots that the question names.  Search the projection.  If it cannot reach a bad state, its
reachable set is an invariant of the whole.  If it can, try the run on the whole System: either it is a real one,
or some guard fails there because of a dropped slot, which is kept from now on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic

from cprcheck.engines.explicit import Limits, Search, search
from cprcheck.expr import FALSE, Apply, Expr, Op, conj, conjuncts, disj, member, reads, truth
from cprcheck.passes.project import Projection, project, renumber, weaken
from cprcheck.passes.safety import Goal
from cprcheck.semantics import apply, enabled, evaluate, initial_states
from cprcheck.system import State, System
from cprcheck.trace import Trace

STATES = 200_000
"""A projection with more states than this is not worth the trouble: UNKNOWN."""


@dataclass(frozen=True)
class Found:
    """`invariant` excludes the question over `kept` slots; or `trace` decides it; or `reason` says neither."""

    invariant: Expr | None = None
    kept: int = 0
    trace: Trace | None = None
    reason: str = ""


def localise(system: System, goal: Goal, deadline: float) -> Found:
    """Answer `goal` case by case: an `or` is impossible when each of its parts is.

    What was worth keeping for one case is tried first for the next.
    """
    cases = goal.bad.args if isinstance(goal.bad, Apply) and goal.bad.op is Op.OR else (goal.bad,)
    seen: list[_Reached] = []
    useful: frozenset[int] = frozenset()
    for case in cases:
        if any(reached.excludes(case) for reached in seen):
            continue
        outcome = _Refinement(system, goal, case, deadline).run(useful)
        if isinstance(outcome, Found):
            return outcome
        seen.append(outcome)
        useful = frozenset(outcome.projection.kept) - reads(case)
    kept = frozenset().union(*(reached.projection.kept for reached in seen))
    return Found(conj(*(reachable_set(reached.projection, reached.states) for reached in seen)), len(kept))


@dataclass(frozen=True)
class _Reached:
    """All reachable states of a projection."""

    projection: Projection
    states: list[State]

    def excludes(self, bad: Expr) -> bool:
        """Whether `bad`, a formula over the whole, is plainly impossible here."""
        if not reads(bad) <= set(self.projection.kept):
            return False
        index = {slot: i for i, slot in enumerate(self.projection.kept)}
        formula = renumber(bad, index)
        return not any(evaluate(formula, state) for state in self.states)


class _Refinement:
    """The search for the slots that exclude one bad case."""

    def __init__(self, system: System, goal: Goal, bad: Expr, deadline: float) -> None:
        self.system, self.goal, self.bad, self.deadline = system, goal, bad, deadline

    def run(self, useful: frozenset[int]) -> Found | _Reached:
        """Keep more slots until the projection cannot reach the bad case; then keep no more than needed."""
        slots = reads(self.bad) | useful
        while monotonic() < self.deadline:
            projection, result = self.search(slots)
            hit = result.found.get(self.goal.prop.name)
            if hit is None and result.stopped:
                return Found(reason=f"localisation to {len(slots)} slots {result.stopped}")
            if hit is None:
                return self.reached(self.fewer(slots))
            trace, blamed = self.concretise(projection, result.trace_to(hit))
            if trace is not None:
                return Found(trace=trace)
            slots |= blamed
        return Found(reason="localisation timed out")

    def search(self, slots: frozenset[int]) -> tuple[Projection, Search]:
        """Look for the bad case in the projection to `slots`."""
        projection = project(self.system, slots)
        index = {slot: i for i, slot in enumerate(projection.kept)}
        question = Goal(self.goal.prop, weaken(self.bad, index))
        limits = Limits(STATES, max(0.0, self.deadline - monotonic()))
        return projection, search(projection.system, [question], limits)

    def reached(self, slots: frozenset[int]) -> _Reached:
        """All states of the projection to `slots`."""
        projection, result = self.search(slots)
        return _Reached(projection, list(map(result.compiled.layout.unpack, result.parents)))

    def fewer(self, slots: frozenset[int]) -> frozenset[int]:
        """A smaller set that still excludes the bad case: leave out halves, quarters, … while that is so."""
        candidates = sorted(slots - reads(self.bad))
        size = len(candidates) // 2
        while size:
            at = 0
            while at < len(candidates) and monotonic() < self.deadline:
                trial = slots - frozenset(candidates[at : at + size])
                _, result = self.search(trial)
                if result.stopped:
                    at += size
                else:
                    slots = trial
                    del candidates[at : at + size]
            size //= 2
        return slots

    def concretise(self, projection: Projection, abstract: Trace) -> tuple[Trace | None, frozenset[int]]:
        """The run of the whole that `abstract` shows, or the slots because of which it does not exist.

        A step that is not possible is taken all the same, to learn at once what else is in the way.
        """
        state = _first(self.system, projection, abstract.states[0])
        if state is None:
            return None, reads(self.system.assume)
        states, steps, blamed = [state], [], frozenset[int]()
        for at, step in enumerate(abstract.steps, 1):
            transition = self.system.transitions[projection.origin[step]]
            if not enabled(transition, state):
                blamed |= _blame(transition.guard, state)
            after = apply(transition, state)
            seen = dict(zip(projection.kept, abstract.states[at], strict=True))
            blamed |= frozenset().union(
                *(reads(v) for slot, v in transition.update if seen.get(slot, after[slot]) != after[slot])
            )
            state = self.forced(after, state, seen)
            states.append(state)
            steps.append(projection.origin[step])
        if not evaluate(self.bad, state):
            blamed |= _blame(self.bad, state)
        return (None, blamed) if blamed else (Trace(tuple(states), tuple(steps)), blamed)

    def forced(self, after: State, before: State, seen: dict[int, int]) -> State:
        """`after` as the abstract run has seen it; a step that is not possible may have left a domain."""
        codes = []
        for slot, (code, old) in enumerate(zip(after, before, strict=True)):
            inside = code in self.system.slots[slot].domain.codes
            codes.append(seen.get(slot, code if inside else old))
        return tuple(codes)


def _first(system: System, projection: Projection, abstract: State) -> State | None:
    """An initial state of the whole that looks like `abstract`."""
    fixed = dict(zip(projection.kept, abstract, strict=True))
    init = tuple((fixed[i],) if i in fixed else codes for i, codes in enumerate(system.init))
    narrowed = System(system.name, system.slots, init, (), (), assume=system.assume)
    return next(initial_states(narrowed), None)


def _blame(formula: Expr, state: State) -> frozenset[int]:
    """The slots of a part of `formula` that fails in `state`."""
    return next(reads(part) for part in conjuncts(formula) if not evaluate(part, state))


def reachable_set(projection: Projection, states: list[State]) -> Expr:
    """The formula over the whole's slots that holds exactly in `states` of the projection.

    It is a decision tree with shared branches; the slot with the most values, as a rule a location, comes
    first.
    """
    slots = projection.system.slots
    order = sorted(range(len(slots)), key=lambda i: -len({state[i] for state in states}))
    memo: dict[frozenset[tuple[int, ...]], Expr] = {}

    def tree(rows: frozenset[tuple[int, ...]]) -> Expr:
        """The formula for `rows`, each the rest of a state in `order`."""
        if not rows:
            return FALSE
        if rows not in memo:
            memo[rows] = truth(True) if () in rows else disj(*branches(rows))
        return memo[rows]

    def branches(rows: frozenset[tuple[int, ...]]) -> Iterator[Expr]:
        after: dict[int, set[tuple[int, ...]]] = {}
        for row in rows:
            after.setdefault(row[0], set()).add(row[1:])
        codes_by_rest: dict[frozenset[tuple[int, ...]], list[int]] = {}
        for code in sorted(after):
            codes_by_rest.setdefault(frozenset(after[code]), []).append(code)
        at = len(order) - len(next(iter(rows)))
        domain = slots[order[at]].domain
        for rest, codes in codes_by_rest.items():
            here = member(projection.kept[order[at]], codes, domain.low, domain.size)
            yield conj(here, tree(rest))

    return tree(frozenset(tuple(state[i] for i in order) for state in states))
