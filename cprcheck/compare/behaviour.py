# SPDX-License-Identifier: Apache-2.0
"""What one design can be seen to do and another cannot: shortest behaviours that tell them apart, and simulation.

What is seen of a step, in this order:

* an action, which is somebody's free will (the user's command, an event in the machine), by its name;
* each fault, by its label;
* each event but those hidden, with the group whose process emits it, and its arguments but `UNSEEN`; of a refusal, that
  there is one: each design words its own, and asks in its own place;
* what has become of the guest and of the update, where that changes.

Everything else is silent: the steps of the code between, tests of a predicate, who restores, the addresses themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cprcheck import replay
from cprcheck.compare.labelled import (
    CLASSES,
    PAIRS,
    Labelled,
    Move,
    TooLargeError,
    Word,
    Words,
    difference,
    labelled,
    simulates,
)
from cprcheck.compare.view import REFUSED, TEST, View
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.system import Event
from cprcheck.trace import Trace

HIDDEN = frozenset({TEST})
"""The events that nobody outside sees."""
UNSEEN = frozenset({"by"})
"""The arguments of events that are there for the reader of a trace."""
CHANGES = ("guest", "update")
"""The aspects whose changes are seen."""


@dataclass(frozen=True)
class Step:
    """One step of a run: whose, its label with its choices (empty for an action), and what is seen of it."""

    process: str
    title: str
    seen: tuple[str, ...]


@dataclass(frozen=True)
class Behaviour:
    """A shortest behaviour that one design allows and the other forbids.

    Its last element is what the other cannot do there; `instead` is all that can be seen there next, which may be
    nothing.  `steps` is a shortest run of the design that allows it; it has been replayed.
    """

    word: Word
    steps: tuple[Step, ...]
    instead: tuple[str, ...]


@dataclass(frozen=True)
class Direction:
    """What `one` allows and `other` forbids.

    `behaviour` is None when there is nothing, or when that is not known; `followed` says whether `other` can follow
    `one` step by step, and is None when that is not known.  `reason` says why something is not known.
    """

    one: str
    other: str
    behaviour: Behaviour | None
    followed: bool | None
    reason: str = ""


def seen(view: View, a: int, b: int, step: int, hidden: frozenset[str] = HIDDEN) -> tuple[str, ...]:
    """What is seen of the edge from node `a` to node `b` by transition `step`."""
    transition = view.system.transitions[step]
    process = view.system.processes[transition.process]
    said = [process.name] if process.location is None else []
    said += [f"fault: {fault.label}" for fault in transition.faults]
    events = (_event(event, process.group) for event in transition.events if event.name not in hidden)
    said += events
    before, after = view.outcomes[a], view.outcomes[b]
    return (*said, *(f"{what}: {after[what]}" for what in CHANGES if after.get(what) != before.get(what)))


def _event(event: Event, group: str | None) -> str:
    kept = () if event.name == REFUSED else tuple(arg for arg in event.args if arg[0] not in UNSEEN)
    return (f"{group}: " if group else "") + str(Event(event.name, kept))


class Observed:
    """A state graph, seen from outside.  A step of which more than one thing is seen is a chain of moves."""

    def __init__(self, view: View, hidden: frozenset[str] = HIDDEN) -> None:
        self.view = view
        self.edges = [(a, b, step, seen(view, a, b, step, hidden)) for a, b, step in view.edges]
        self.labelled = self._labelled()

    def _labelled(self) -> Labelled:
        moves: list[list[Move]] = [[] for _ in self.view.graph.states]
        for a, b, _, word in self.edges:
            at = a
            for label in word[:-1]:
                moves.append([])
                moves[at].append((label, len(moves) - 1))
                at = len(moves) - 1
            moves[at].append((word[-1] if word else None, b))
        return labelled(range(self.view.graph.initial), moves)

    def run(self, word: Word) -> Trace:
        """A shortest run of which `word` is seen, and perhaps more in its last step.  Raises ValueError without one."""
        out: dict[int, list[tuple[int, int, Word]]] = {}
        for a, b, step, told in self.edges:
            out.setdefault(a, []).append((b, step, told))
        came: dict[tuple[int, int], tuple[int, int, int] | None] = {
            (node, 0): None for node in range(self.view.graph.initial)
        }
        for node, heard in (order := list(came)):
            if heard == len(word):
                return self._trace(came, (node, heard))
            for b, step, told in out.get(node, ()):
                rest = word[heard:]
                if told[: len(rest)] == rest[: len(told)]:
                    place = (b, min(heard + len(told), len(word)))
                    if place not in came:
                        came[place] = (node, heard, step)
                        order.append(place)
        raise ValueError(f"no run shows {word}")

    def _trace(self, came: dict[tuple[int, int], tuple[int, int, int] | None], end: tuple[int, int]) -> Trace:
        nodes, steps = [end[0]], []
        at = end
        while (before := came[at]) is not None:
            at = before[0], before[1]
            nodes.append(before[0])
            steps.append(before[2])
        return self.view.graph.trace(nodes[::-1], steps[::-1])

    def steps(self, trace: Trace) -> Iterator[Step]:
        """The steps of a run of this graph, with what is seen of each."""
        system = self.view.system
        number = {state: node for node, state in enumerate(self.view.graph.states)}
        told = {(a, b, step): word for a, b, step, word in self.edges}
        nodes = [number[state] for state in trace.states]
        for a, b, step in zip(nodes, nodes[1:], trace.steps, strict=False):
            transition = system.transitions[step]
            process = system.processes[transition.process]
            yield Step(process.name, "" if process.location is None else transition.title, told[a, b, step])


Side = tuple[str, Model, Observed]
"""A design's name, its model, and how it is seen."""


def direction(one: Side, other: Side, pairs: int = PAIRS, classes: int = CLASSES) -> Direction:
    """What `one` can be seen to do and `other` cannot.  `pairs` and `classes` are the limits of `labelled`.

    Raises DisagreementError when the run that shows it cannot be replayed.
    """
    (name, model, mine), (named, _, theirs) = one, other
    reason = ""
    try:
        word = difference(mine.labelled, theirs.labelled, pairs)
    except TooLargeError as error:
        word, reason = None, f"behaviours: {error}"
    if word is not None:
        trace = mine.run(word)
        replay.walk(mine.view.system, trace)
        oracle.replay(model, mine.view.system, trace)
        heard = Words(theirs.labelled)
        shown = Behaviour(word, tuple(mine.steps(trace)), tuple(heard.next(heard.after(word[:-1]))))
        return Direction(name, named, shown, followed=False)  # who follows has all words
    try:
        followed = simulates(theirs.labelled, mine.labelled, classes)
    except TooLargeError as error:
        return Direction(name, named, None, None, "; ".join(filter(None, (reason, f"simulation: {error}"))))
    return Direction(name, named, None, followed, "" if followed else reason)
