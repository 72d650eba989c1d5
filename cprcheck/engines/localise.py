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

from cprcheck.engines.explicit import Limits, search
from cprcheck.expr import FALSE, Apply, Expr, Op, conj, conjuncts, disj, member, reads, truth
from cprcheck.passes.project import Projection, project, renumber, weaken
from cprcheck.passes.safety import Goal
from cprcheck.semantics import apply, enabled, evaluate, initial_states
from cprcheck.system import State, System
from cprcheck.trace import Trace

STATES = 60_000
"""A projection with more states than this is not worth the trouble: UNKNOWN."""


@dataclass(frozen=True)
class Found:
    """`invariant` excludes the question over `kept` slots; or `trace` decides it; or `reason` says neither."""

    invariant: Expr | None = None
    kept: int = 0
    trace: Trace | None = None
    reason: str = ""


def localise(system: System, goal: Goal, deadline: float) -> Found:
    """Answer `goal` case by case: an `or` is impossible when each of its parts is."""
    cases = goal.bad.args if isinstance(goal.bad, Apply) and goal.bad.op is Op.OR else (goal.bad,)
    seen: list[_Reached] = []
    for case in cases:
        if any(reached.excludes(case) for reached in seen):
            continue
        outcome = _refine(system, goal, case, deadline)
        if isinstance(outcome, Found):
            return outcome
        seen.append(outcome)
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


def _refine(system: System, goal: Goal, bad: Expr, deadline: float) -> Found | _Reached:
    """Keep more slots until the projection cannot reach `bad`, or a real run does."""
    slots = reads(bad)
    while (left := deadline - monotonic()) > 0:
        projection = project(system, slots)
        question = Goal(goal.prop, weaken(bad, {slot: i for i, slot in enumerate(projection.kept)}))
        result = search(projection.system, [question], Limits(STATES, left))
        hit = result.found.get(goal.prop.name)
        if hit is None and result.stopped:
            return Found(reason=f"localisation to {len(slots)} slots {result.stopped}")
        if hit is None:
            return _Reached(projection, list(map(result.compiled.layout.unpack, result.parents)))
        trace, why = concretise(system, projection, result.trace_to(hit), bad)
        if trace is not None:
            return Found(trace=trace)
        slots |= why
    return Found(reason="localisation timed out")


def concretise(
    system: System, projection: Projection, abstract: Trace, bad: Expr
) -> tuple[Trace | None, frozenset[int]]:
    """The run of the whole that `abstract` shows, or the slots because of which it does not exist.

    Steps that touch no kept slot are not in `abstract`, so a run that needs them is taken not to exist; the
    slots named then are those that would show them.
    """
    state = _first(system, projection, abstract.states[0])
    if state is None:
        return None, reads(system.assume)
    states, steps = [state], []
    for step in abstract.steps:
        index = projection.origin[step]
        transition = system.transitions[index]
        if not enabled(transition, state):
            return None, _blame(transition.guard, state)
        state = apply(transition, state)
        states.append(state)
        steps.append(index)
        if tuple(state[slot] for slot in projection.kept) != abstract.states[len(steps)]:
            values = [value for slot, value in transition.update if slot in projection.kept]
            return None, frozenset().union(*map(reads, values))
    if evaluate(bad, state):
        return Trace(tuple(states), tuple(steps)), frozenset()
    return None, _blame(bad, state)


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
