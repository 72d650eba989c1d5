# SPDX-License-Identifier: Apache-2.0
"""Every safety property as one question about a single state.

Transitions are deterministic, so a claim about a step is a claim about the state before it: put the update
into the formula and ask whether the guard holds.  Deadlock is a claim about a state too: no guard holds.  So
an engine has to answer one question only: can a state be reached in which `bad` holds?
"""

from __future__ import annotations

from dataclasses import dataclass

from cprcheck.expr import FALSE, Expr, conj, disj, neg, substitute
from cprcheck.semantics import apply, evaluate
from cprcheck.system import Kind, Property, System, Transition, everybody_done
from cprcheck.trace import Trace
from cprcheck.verdict import Status


@dataclass(frozen=True)
class Goal:
    """The question behind a safety property.

    `bad` holds in the states that decide it: those that violate it or, for REACHABLE, that satisfy it.
    `steps` lists (transition, condition on the state before) where a step decides; then the trace ends
    with that step.
    """

    prop: Property
    bad: Expr
    steps: tuple[tuple[int, Expr], ...] = ()

    @property
    def found(self) -> Status:
        """The answer when a `bad` state can be reached."""
        return Status.REACHABLE if self.prop.kind is Kind.REACHABLE else Status.VIOLATED

    @property
    def excluded(self) -> Status:
        """The answer when no `bad` state can be reached."""
        return Status.UNREACHABLE if self.prop.kind is Kind.REACHABLE else Status.HOLDS


def goal(system: System, prop: Property) -> Goal:
    """The question behind `prop`.  Raises ValueError when it is not a safety property."""
    match prop.kind:
        case Kind.INVARIANT | Kind.LEMMA | Kind.IN_DOMAIN:
            return Goal(prop, neg(conj(*prop.formulas)))
        case Kind.REACHABLE:
            return Goal(prop, conj(*prop.formulas))
        case Kind.DEADLOCK_FREE:
            return Goal(prop, conj(*(neg(part) for part in (somebody_moves(system), *prop.formulas))))
        case Kind.STEP_INVARIANT | Kind.EVENT_NEVER | Kind.NO_ABORT:
            steps = tuple(
                (index, wrong)
                for index, transition in enumerate(system.transitions)
                if (wrong := conj(transition.guard, _forbidden(system, prop, transition))) != FALSE
            )
            return Goal(prop, disj(*(wrong for _, wrong in steps)), steps)
    raise ValueError(f"{prop.name} is not a safety property")


def _forbidden(system: System, prop: Property, transition: Transition) -> Expr:
    """When taking `transition` breaks the step property `prop`, as a condition on the state before."""
    if prop.kind is not Kind.STEP_INVARIANT:
        emitted = any(event.name in prop.events for event in transition.events)
        return conj(*prop.formulas) if emitted else FALSE
    return neg(substitute(conj(*prop.formulas), dict(transition.update), system.span))


def somebody_moves(system: System) -> Expr:
    """Some transition without a fault can be taken, or all processes are done.

    A state that only a fault can leave is a deadlock: to need a failure to go on is the bug one wants to
    hear about.
    """
    return disj(everybody_done(system), *(t.guard for t in system.transitions if not t.faults))


def with_last_step(system: System, goal: Goal, trace: Trace) -> Trace:
    """`trace` with the step that decides a step property; unchanged where the state itself decides."""
    state = trace.states[-1]
    for index, wrong in goal.steps:
        if evaluate(wrong, state):
            return Trace((*trace.states, apply(system.transitions[index], state)), (*trace.steps, index))
    return trace
