# SPDX-License-Identifier: Apache-2.0
"""Is the System what the author wrote?  Compare it with `native`, both ways, and replay traces there.

A step is compared by everything that can be seen of it: the process, its label, choices, faults, events, the
values of all variables, locks and groups after it, and the label at which each process then stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from random import Random

from cprcheck.errors import DisagreementError
from cprcheck.language.model import Model
from cprcheck.language.native import History, Native, Outcome
from cprcheck.semantics import initial_states, successors
from cprcheck.system import Event, Fault, State, System, location_labels
from cprcheck.trace import Trace

STARTS = 8
"""So many initial states are looked at when the number of runs is limited."""
Seen = tuple[int, str, tuple[tuple[str, str], ...], tuple[Fault, ...], tuple[Event, ...], tuple[int, ...]]
"""What can be seen of a step: process, label, choices, faults, events, and the values after it."""


def compare(model: Model, depth: int, walks: int = 0, seed: int = 0, length: int = 40, limit: int | None = None) -> str:
    """The first difference between `native` and the System of `model`; empty when there is none.

    All runs of up to `depth` steps are compared, and `walks` random ones of up to `length` steps.  `limit` bounds
    the number of runs of the first kind; then only the first initial states are looked at.
    """
    observer = _Observer(model.system)
    left = count() if limit is None else iter(range(limit))
    for init in islice(initial_states(model.system), limit and STARTS):
        native = Native(model, init[: len(model.declarations.slots)])
        difference = _exhaust(native, observer, init, depth, left)
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

    def codes(self, state: State) -> tuple[int, ...]:
        """The codes of the variables, locks and groups."""
        return tuple(state[i] for i in self.plain)

    def names(self, slot: int, code: int) -> frozenset[str]:
        """The labels of a location; a merged one may have several."""
        return frozenset(location_labels(self.system.slots[slot].domain.show(code)))

    def stands(self, state: State, labels: Sequence[str]) -> bool:
        """Whether every process stands at its label in `labels`."""
        places = zip(self.places, labels, strict=True)
        return all(label in self.names(slot, state[slot]) for slot, label in places)

    def step(self, index: int, after: State) -> Seen:
        """What can be seen of transition `index` arriving at `after`."""
        t = self.system.transitions[index]
        return (t.process, t.label, t.choices, t.faults, t.events, self.codes(after))

    def say(self, seen: Seen, steps: int) -> str:
        """A step that only one side can do, in words."""
        process, label, choices, faults, events, codes = seen
        named = zip(self.plain, codes, strict=True)
        state = ", ".join(f"{self.system.slots[i].name}={self.system.slots[i].domain.show(code)}" for i, code in named)
        with_ = [*(f"{question}: {answer}" for question, answer in choices), *(fault.label for fault in faults)]
        with_ += map(str, events)
        shown = f" ({', '.join(with_)})" if with_ else ""
        name = self.system.processes[process].name
        return f"after {steps} steps, {name}: {label}{shown} to {state}"


def _seen(outcome: Outcome) -> Seen:
    return (outcome.process, outcome.label, outcome.choices, outcome.faults, outcome.events, outcome.codes)


@dataclass(frozen=True)
class _Pair:
    """The concrete runs and the states of the System that look the same so far.

    Two runs may look the same and differ inside, in a local that nobody can see yet; so both sides are sets.
    """

    histories: tuple[History, ...]
    states: tuple[State, ...]


def _match(native: Native, observer: _Observer, pair: _Pair) -> tuple[str, list[_Pair]]:
    """Compare the steps that both sides can take next: (a difference, the pairs that follow)."""
    theirs: dict[Seen, dict[State, None]] = {}
    for state in pair.states:
        for index, after in successors(observer.system, state):
            theirs.setdefault(observer.step(index, after), {})[after] = None
    ours: dict[Seen, dict[tuple[str, ...], list[History]]] = {}
    for history in pair.histories:
        for outcome in native.outcomes(history):
            longer = (*history, (outcome.process, outcome.script))
            ours.setdefault(_seen(outcome), {}).setdefault(outcome.labels, []).append(longer)
    for seen in theirs.keys() - ours.keys():
        said = observer.say(seen, len(pair.histories[0]))
        return f"the System can do what Python, running the model, cannot: {said}", []
    follow = []
    for seen, by_labels in ours.items():
        for labels, histories in by_labels.items():
            states = tuple(state for state in theirs.get(seen, ()) if observer.stands(state, labels))
            if not states:
                said = observer.say(seen, len(pair.histories[0]))
                return f"Python, running the model, can do what the System cannot: {said}, standing at {labels}", []
            follow.append(_Pair(tuple(histories), states))
    return "", follow


def _exhaust(native: Native, observer: _Observer, init: State, depth: int, left: Iterator[int]) -> str:
    level = [_Pair(((),), (init,))]
    for _ in range(depth):
        fresh = []
        for pair in level:
            if next(left, None) is None:
                return ""
            difference, follow = _match(native, observer, pair)
            if difference:
                return difference
            fresh += follow
        level = fresh
    return ""


def _walk(native: Native, observer: _Observer, init: State, random: Random, length: int) -> str:
    pair = _Pair(((),), (init,))
    for _ in range(length):
        difference, follow = _match(native, observer, pair)
        if difference or not follow:
            return difference
        pair = random.choice(follow)
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
            (o for o in native.outcomes(history, [process]) if _seen(o) == wanted and observer.stands(after, o.labels)),
            None,
        )
        if outcome is None:
            label = system.transitions[index].title
            raise DisagreementError(f"step {number} of the trace ({label}) is not what the model's own code does")
        history = (*history, (process, outcome.script))
    return history
