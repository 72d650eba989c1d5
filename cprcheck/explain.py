# SPDX-License-Identifier: Apache-2.0
"""Why a run went as it did: what else could have happened, why a step could not, and what its end violates.

The reference interpreter is asked, and nobody else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cprcheck.errors import Source, UsageError
from cprcheck.expr import Apply, Expr, In, Op, Read, conj, conjuncts, reads, walk
from cprcheck.passes.conditions import conditions
from cprcheck.semantics import evaluate, successors
from cprcheck.system import (
    DEAD,
    NOT_STARTED,
    SPECIAL,
    Condition,
    Kind,
    Process,
    Property,
    State,
    System,
    Transition,
    render,
)
from cprcheck.trace import Trace

Values = tuple[tuple[str, str], ...]
"""(slot, value), as people read them."""


# ---- names ----------------------------------------------------------------------------------------------------


def step_name(system: System, transition: Transition) -> str:
    """Who takes a step and which: `management: flush the state file`; the process alone when both are called alike."""
    process = system.processes[transition.process].name
    return process if transition.label == process.split("(")[0] else f"{process}: {transition.label}"


def outcome(transition: Transition) -> str:
    """The choices and the faults of a step in words: `how far: 2, disk full`.  Empty when it has neither."""
    picked = (f"{question}: {answer}" for question, answer in transition.choices)
    return ", ".join([*picked, *(fault.label for fault in transition.faults)])


def find(system: System, action: str) -> list[int]:
    """The transitions that `action` names, ascending.

    It is the name of a process or of its family, a label, both as `process: label`, or a C function.  Case is ignored,
    and the beginning or a part of such a name will do when all names that fit mean no more than one of them.  Raises
    UsageError when it means nothing, or several things.
    """
    named: dict[str, set[int]] = {}
    shown: dict[str, str] = {}
    for index, transition in enumerate(system.transitions):
        process = system.processes[transition.process].name
        functions = (name for function in transition.functions for name in (function, function.rpartition(":")[2]))
        both = f"{process}: {transition.label}"
        for name in dict.fromkeys([process, process.split("(")[0], transition.label, both, *functions]):
            key = name.casefold()
            shown.setdefault(key, name)
            named.setdefault(key, set()).add(index)
    wanted = action.strip().casefold()
    if wanted in named:
        return sorted(named[wanted])
    begins = [key for key in named if wanted and key.startswith(wanted)]
    fits = begins or [key for key in named if wanted and wanted in key]
    every = set().union(*(named[key] for key in fits))
    if any(named[key] == every for key in fits):
        return sorted(every)
    if fits:
        raise UsageError(f"{action!r} may be {listed([shown[key] for key in fits], 'or')}; write one of them")
    close = [shown[key] for key in difflib.get_close_matches(wanted, named, 3)]
    known = close or dict.fromkeys(process.name for process in system.processes)
    hint = "did you mean" if close else "the processes are"
    raise UsageError(
        f"no process, step or C function of {system.name} is called {action!r}; "
        f"{hint} {listed(known, 'or' if close else 'and')}" + ("?" if close else "")
    )


def listed(names: Iterable[str], word: str, limit: int = 8) -> str:
    """`'a', 'b' or 'c'`, cut after `limit` names."""
    shown = [repr(name) for name in names]
    if len(shown) > limit:
        shown = [*shown[:limit], f"{len(shown) - limit} more"]
    return f" {word} ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]]))


# ---- what else could have happened ------------------------------------------------------------------------------


def taken(trace: Trace, at: int) -> int | None:
    """The transition that the run takes in its state number `at`, counted from 0; None where it ends or stays."""
    if at < len(trace):
        return trace.steps[at]
    return None if trace.loop in (None, at) else trace.steps[trace.loop]


def alternatives(system: System, trace: Trace, at: int) -> list[tuple[int, State]]:
    """(transition, state after it) for each step that could have been taken in state number `at`, and was not."""
    went = taken(trace, at)
    return [(step, after) for step, after in successors(system, trace.states[at]) if step != went]


# ---- why a step could not ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Missing:
    """A condition that is false in a state, and the values there of the slots that it reads."""

    condition: Condition
    values: Values


@dataclass(frozen=True)
class WhyNot:
    """Why the step called `name` cannot be taken in a state.

    Each of `ways` is one path through the step, with all its conditions that are false: of those that begin where the
    process stands, if there are, the paths that need the fewest to change.  When it can be taken there are none, and
    `fault` tells whether only by a fault.
    """

    name: str
    ways: tuple[tuple[Missing, ...], ...] = ()
    fault: bool = False

    @property
    def possible(self) -> bool:
        """Whether it can be taken."""
        return not self.ways


def why_not(system: System, state: State, steps: Sequence[int]) -> tuple[WhyNot, ...]:
    """Why each of the transitions `steps` cannot be taken in `state`, those with one process and label together.

    Of the steps of one process those are told at which it stands; where it stands at none, that, once.
    """
    folded: dict[int, dict[str, list[Transition]]] = {}
    for transition in (system.transitions[step] for step in steps):
        folded.setdefault(transition.process, {}).setdefault(transition.label, []).append(transition)
    found: list[WhyNot] = []
    for number, labels in folded.items():
        process = system.processes[number]
        own = [_why_not(system, process, state, alike) for alike in labels.values()]
        places = [next((m for way in why.ways for m in way if _is_place(m.condition, process)), None) for why in own]
        here = [why for why, place in zip(own, places, strict=True) if place is None]
        if here or len(own) == 1:
            found += here or own
        elif places[0] is not None:
            found.append(WhyNot(process.name, ((places[0],),)))
    return tuple(found)


def _why_not(system: System, process: Process, state: State, alike: Sequence[Transition]) -> WhyNot:
    """Why none of `alike`, the paths of one step of `process`, can be taken: of those where it stands, if there are."""
    false = [[c for c in conditions(transition) if not evaluate(c.formula, state)] for transition in alike]
    fault = all(transition.faults for transition, way in zip(alike, false, strict=True) if not way)
    false = [way for way in false if not any(_is_place(c, process) for c in way)] or false
    fewest = min(map(len, false))
    ways = {frozenset(c.formula for c in way): way for way in false if len(way) == fewest} if fewest else {}
    return WhyNot(
        step_name(system, alike[0]),
        tuple(tuple(_missing(system, process, state, c) for c in way) for way in ways.values()),
        fault=not fewest and fault,
    )


def _missing(system: System, process: Process, state: State, condition: Condition) -> Missing:
    """A false condition of a step; where the group of `process` does not live, that is why the process is not there."""
    at = state[process.location] if process.location is not None else None
    if process.group is not None and at in (NOT_STARTED, DEAD) and _is_place(condition, process):
        return Missing(replace(condition, reason=f"{process.group} is {SPECIAL[at]}"), ())
    return Missing(condition, values(system, condition.formula, state))


def _is_place(condition: Condition, process: Process) -> bool:
    """Whether a condition asks where the process itself stands, and nothing else."""
    return reads(condition.formula) == {process.location}


# ---- what the end violates --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Violation:
    """What of a claim fails at the end of a trace: in words, with values, and the lines that claim it."""

    text: str
    values: Values = ()
    sources: tuple[Source, ...] = ()


def violation(system: System, prop: Property, trace: Trace, detail: str = "") -> Violation:
    """Which parts of `prop` fail at the end of `trace`; `detail` is what the engine said where no formula does.

    The values are those of the slots that they read: in the last state; of a step invariant before and after
    the step; of events that are forbidden somewhere, before the step that emits one.
    """
    state, sources = trace.states[-1], () if prop.source is None else (prop.source,)
    match prop.kind:
        case Kind.INVARIANT | Kind.LEMMA | Kind.STEP_INVARIANT:
            states = trace.states[-2:] if prop.kind is Kind.STEP_INVARIANT else (state,)
            parts = prop.conditions or tuple(map(Condition, conjuncts(conj(*prop.formulas))))
            false = [part for part in parts if not evaluate(part.formula, *states)]
            text = "; ".join(render(part.formula, system.slots) for part in false)
            all_ = Apply(Op.AND, tuple(part.formula for part in false))
            lines = tuple(dict.fromkeys(source for part in false for source in part.sources))
            return Violation(text, values(system, all_, *states), lines or sources)
        case Kind.IN_DOMAIN:
            return _outside(system, prop, state)
        case Kind.EVENT_NEVER | Kind.NO_ABORT:
            events = system.transitions[trace.steps[-1]].events
            said = ", ".join(str(event) for event in events if event.name in prop.events)
            text = said if prop.kind is Kind.NO_ABORT else f"emitted {said}"
            return Violation(text, values(system, conj(*prop.formulas), trace.states[-2]), sources)
        case Kind.LEADS_TO | Kind.ALWAYS_POSSIBLE:
            quietly = " without faults, by fair processes alone" if prop.quiet else ""
            never = "never again" if prop.kind is Kind.LEADS_TO else f"no longer possible{quietly}"
            goal = prop.formulas[1]
            return Violation(f"{never}: {render(goal, system.slots)}", values(system, goal, state), sources)
        case Kind.DEADLOCK_FREE:
            waiting = _busy(system, state) or "no process is at rest"
            return Violation(f"nobody can move, and {waiting}", sources=sources)
    return Violation(detail, sources=sources)


def values(system: System, formula: Expr, state: State, after: State | None = None) -> Values:
    """The values of the slots that `formula` reads; `before -> after` for those that it reads after a step."""
    later = {at.slot for at in walk(formula) if isinstance(at, (Read, In)) and at.primed}
    found = []
    for slot in sorted(reads(formula)):
        show = system.slots[slot].domain.show
        changed = after is not None and slot in later
        said = f"{show(state[slot])} -> {show(after[slot])}" if after is not None and changed else show(state[slot])
        found.append((system.slots[slot].name, said))
    return tuple(found)


def _outside(system: System, prop: Property, state: State) -> Violation:
    """The assignment that would leave its domain, with what it reads and the lines of its step."""
    at = next(at for at, inside in enumerate(prop.formulas) if not evaluate(inside, state))
    if not prop.steps:
        return Violation(prop.parts[at])
    transition = system.transitions[prop.steps[at]]
    wrong = [
        value for slot, value in transition.update if evaluate(value, state) not in system.slots[slot].domain.codes
    ]
    found = dict.fromkeys(pair for value in wrong for pair in values(system, value, state))
    return Violation(prop.parts[at], tuple(found), transition.sources)


def _busy(system: System, state: State) -> str:
    """Where the processes stand that are not done."""
    waiting = []
    for process in system.processes:
        if process.location is not None and state[process.location] not in process.done:
            label = system.slots[process.location].domain.show(state[process.location])
            waiting.append(f"{process.name} waits at {label!r}")
    return ", ".join(waiting)
