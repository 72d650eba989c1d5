# SPDX-License-Identifier: Apache-2.0
"""Is a trace really a run of the System, and does it show what it is said to show?

Only the reference interpreter is asked.  Nobody sees a trace that has not passed.
"""

from __future__ import annotations

from collections.abc import Sequence

from cprcheck.errors import DisagreementError
from cprcheck.expr import FALSE, conjuncts
from cprcheck.passes.safety import goal
from cprcheck.semantics import apply, enabled, evaluate
from cprcheck.system import SAFETY, Fairness, Kind, Property, State, System, render
from cprcheck.trace import Trace


def replay(system: System, prop: Property, trace: Trace) -> None:
    """Check `trace`, the evidence against (or, for REACHABLE, for) `prop`.

    Raises DisagreementError with the first thing that is wrong with it.
    """
    walk(system, trace)
    if prop.kind in SAFETY:
        _safety(system, prop, trace)
    elif prop.kind is Kind.LEADS_TO:
        _lasso(system, prop, trace)


def walk(system: System, trace: Trace) -> None:
    """Check that `trace` starts in an initial state and that each step is one of the System's."""
    first = trace.states[0]
    if any(len(state) != len(system.slots) for state in trace.states):
        raise DisagreementError("a state of the trace does not have a code for each slot")
    odd = [slot for slot, codes in enumerate(system.init) if first[slot] not in codes]
    if odd or not evaluate(system.assume, first):
        begins = _values(system, first, odd) if odd else f"{render(system.assume, system.slots)} is false"
        raise DisagreementError(f"the trace does not start in an initial state: {begins}")
    for number, step in enumerate(trace.steps, 1):
        before, after = trace.states[number - 1], trace.states[number]
        if not 0 <= step < len(system.transitions):
            raise DisagreementError(f"step {number} of the trace is none of the System's")
        transition = system.transitions[step]
        if not enabled(transition, before):
            false = [part for part in conjuncts(transition.guard) if not evaluate(part, before)]
            why = " and ".join(f"{render(part, system.slots)} is false" for part in false)
            raise DisagreementError(f"step {number} of the trace ({transition.title}) cannot be taken there: {why}")
        if (leads := apply(transition, before)) != after:
            odd = [slot for slot in range(len(system.slots)) if leads[slot] != after[slot]]
            both = f"{_values(system, leads, odd)}, where the trace has {_values(system, after, odd)}"
            raise DisagreementError(f"step {number} of the trace ({transition.title}) leads to another state: {both}")
    if trace.loop is not None and trace.states[trace.loop] != trace.states[-1]:
        raise DisagreementError("the loop of the trace does not close")


def _values(system: System, state: State, slots: Sequence[int]) -> str:
    return ", ".join(f"{system.slots[slot].name} = {system.slots[slot].domain.show(state[slot])}" for slot in slots)


def _safety(system: System, prop: Property, trace: Trace) -> None:
    question = goal(system, prop)
    if question.steps:
        wrong = dict(question.steps).get(trace.steps[-1], FALSE) if trace.steps else FALSE
        decided = evaluate(wrong, trace.states[-2]) if trace.steps else 0
    else:
        decided = evaluate(question.bad, trace.states[-1])
    if not decided:
        raise DisagreementError(f"the trace does not decide {prop.name}")


def _lasso(system: System, prop: Property, trace: Trace) -> None:
    trigger, response = prop.formulas
    if trace.loop is None:
        raise DisagreementError(f"the trace against {prop.name} has no loop")
    raised = [i for i, s in enumerate(trace.states) if evaluate(trigger, s) and not evaluate(response, s)]
    answered = [i for i, s in enumerate(trace.states) if evaluate(response, s)]
    if not any(all(a < min(r, trace.loop) for a in answered) for r in raised):
        raise DisagreementError(f"the trace against {prop.name} answers the trigger")
    inside = range(trace.loop, len(trace.states))
    loop_steps = trace.steps[trace.loop :]
    if any(system.transitions[step].faults for step in loop_steps):
        raise DisagreementError(f"the loop of the trace against {prop.name} takes a fault")
    moving = {system.transitions[step].process for step in loop_steps}
    for number, process in enumerate(system.processes):
        if process.fairness is Fairness.NONE or number in moving:
            continue
        able = [_can_move(system, number, trace, i) for i in inside]
        if all(able) or (process.fairness is Fairness.STRONG and any(able)):
            raise DisagreementError(f"the loop of the trace against {prop.name} is unfair to {process.name}")


def _can_move(system: System, process: int, trace: Trace, at: int) -> bool:
    own = (t for t in system.transitions if t.process == process and not t.faults)
    return any(enabled(t, trace.states[at]) for t in own)
