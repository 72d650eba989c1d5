# SPDX-License-Identifier: Apache-2.0
"""Is the System what the author wrote?  Compare it with `native`, both ways, and replay traces there.

A step is compared by everything that can be seen of it: the process, its label, choices, faults, events, the
values of all variables, locks and groups after it, and the label at which each process then stands.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from random import Random

from cprcheck.errors import DisagreementError
from cprcheck.language.model import Model
from cprcheck.language.native import History, Native, Outcome
from cprcheck.semantics import initial_states, successors
from cprcheck.system import State, System, location_labels
from cprcheck.trace import Trace

Seen = tuple[Hashable, ...]
"""What can be seen of a step."""


def compare(model: Model, depth: int, walks: int = 0, seed: int = 0, length: int = 40) -> str:
    """The first difference between `native` and the System of `model`; empty when there is none.

    All runs of up to `depth` steps are compared, and `walks` random ones of up to `length` steps.
    """
    observer = _Observer(model.system)
    for init in initial_states(model.system):
        native = Native(model, init[: len(model.declarations.slots)])
        difference = _exhaust(native, observer, init, depth)
        for number in range(walks):
            difference = difference or _walk(native, observer, init, Random(f"{seed}/{number}"), length)  # noqa: S311
        if difference:
            return difference
    return ""


class _Observer:
    """A System, looked at as `native` can look at itself."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.plain = [i for i, slot in enumerate(system.slots) if slot.role in ("data", "lock", "group")]
        self.places = [process.location for process in system.processes if process.location is not None]

    def state(self, state: State) -> tuple[tuple[int, ...], tuple[frozenset[str], ...]]:
        """(codes, the names that each location goes by)."""
        return tuple(state[i] for i in self.plain), tuple(self.names(slot, state[slot]) for slot in self.places)

    def names(self, slot: int, code: int) -> frozenset[str]:
        """The labels of a location; a merged one may have several."""
        return frozenset(location_labels(self.system.slots[slot].domain.show(code)))

    def step(self, index: int, after: State) -> Seen:
        """What can be seen of transition `index` arriving at `after`."""
        t = self.system.transitions[index]
        return (t.process, t.label, t.choices, t.faults, t.events, self.state(after)[0])


def _seen(outcome: Outcome) -> Seen:
    return (outcome.process, outcome.label, outcome.choices, outcome.faults, outcome.events, outcome.codes)


def _match(
    native: Native, observer: _Observer, history: History, states: Sequence[State]
) -> tuple[str, list[tuple[History, list[State]]]]:
    """Compare the steps after `history` with those from `states`: (a difference, the pairs that follow)."""
    by_seen: dict[Seen, list[State]] = {}
    for state in states:
        for index, after in successors(observer.system, state):
            by_seen.setdefault(observer.step(index, after), []).append(after)
    follow = []
    met = set()
    for outcome in native.outcomes(history):
        seen = _seen(outcome)
        met.add(seen)
        fitting = [state for state in by_seen.get(seen, ()) if _stands(observer, state, outcome)]
        if not fitting:
            return f"native can do {seen} to {outcome.labels} after {history}, the System cannot", []
        follow.append(((*history, (outcome.process, outcome.script)), fitting))
    for seen in by_seen:
        if seen not in met:
            return f"the System can do {seen} after {history}, native cannot", []
    return "", follow


def _stands(observer: _Observer, state: State, outcome: Outcome) -> bool:
    """Whether every process stands where `outcome` says."""
    return all(label in names for label, names in zip(outcome.labels, observer.state(state)[1], strict=True))


def _exhaust(native: Native, observer: _Observer, init: State, depth: int) -> str:
    level: list[tuple[History, list[State]]] = [((), [init])]
    for _ in range(depth):
        fresh = []
        for history, states in level:
            difference, follow = _match(native, observer, history, states)
            if difference:
                return difference
            fresh += follow
        level = fresh
    return ""


def _walk(native: Native, observer: _Observer, init: State, random: Random, length: int) -> str:
    history: History = ()
    states = [init]
    for _ in range(length):
        difference, follow = _match(native, observer, history, states)
        if difference or not follow:
            return difference
        history, states = random.choice(follow)
    return ""


def replay(model: Model, system: System, trace: Trace) -> History:
    """The concrete run that `trace` of `system` (the model's, after passes) shows.

    Raises DisagreementError when Python itself, running the author's functions, cannot do it.
    """
    observer = _Observer(system)
    slots = len(model.declarations.slots)
    native = Native(model, trace.states[0][:slots])
    history: History = ()
    for number, (index, after) in enumerate(zip(trace.steps, trace.states[1:], strict=True), 1):
        wanted = observer.step(index, after)
        process = system.transitions[index].process
        outcome = next(
            (o for o in native.outcomes(history, [process]) if _seen(o) == wanted and _stands(observer, after, o)), None
        )
        if outcome is None:
            label = system.transitions[index].title
            raise DisagreementError(f"step {number} of the trace ({label}) is not what the model's own code does")
        history = (*history, (process, outcome.script))
    return history
