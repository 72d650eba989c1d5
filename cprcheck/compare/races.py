# SPDX-License-Identifier: Apache-2.0
"""Which pairs of steps race: their order decides how a run can end.

Two steps of different processes *race* in a reachable state when both can be taken there, and what can come of it
differs between the two orders: the one step and then, where it still can be taken, the other.  What can come of it is
the set of outcomes of all paths from there to a state in which nobody has to move, or, where a property is asked
about, whether it can be violated and whether it can be kept.  Paths may come back to a state.  What events have told
before counts: so states are looked at together with that.

Independent steps never race: both orders lead to the same state.  Steps whose order makes another state but not
another outcome do not race either.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Protocol

import networkx as nx

from cprcheck.compare.ending import Aspects, Order, Race
from cprcheck.compare.telling import NOTHING, Told, aspects, changes, resting, told_by
from cprcheck.engines.graph import StateGraph
from cprcheck.errors import UsageError
from cprcheck.passes.safety import goal
from cprcheck.semantics import evaluate
from cprcheck.system import SAFETY, Property, System
from cprcheck.trace import Trace

Place = tuple[int, Hashable]
"""A node of the state graph, and what has to be remembered of the way there."""
Outcomes = frozenset[Aspects]


class Judge(Protocol):
    """What is remembered of a path, and what is said of one that ends."""

    def start(self, node: int) -> Hashable:
        """What is remembered of an initial state."""

    def after(self, memory: Any, node: int, step: int, to: int) -> Hashable:
        """What is remembered after `step` from `node` to `to`."""

    def said(self, node: int, memory: Any) -> Aspects | None:
        """The outcome of a path that ends here; None when it cannot end here."""


class ByOutcome:
    """Paths are judged by the model's outcomes."""

    def __init__(self, states: StateGraph) -> None:
        self.states, self.resting = states, resting(states)
        self.told = [told_by(states.system, step) for step in range(len(states.system.transitions))]

    def start(self, _node: int) -> Told:
        """Nothing has been told."""
        return NOTHING

    def after(self, memory: Told, _node: int, step: int, _to: int) -> Told:
        """What has been told so far."""
        return memory | self.told[step]

    def said(self, node: int, memory: Told) -> Aspects | None:
        """The outcome, where nobody has to move."""
        return aspects(self.states.system, self.states.states[node], memory) if node in self.resting else None


class ByProperty:
    """Paths are judged by whether they decide a safety property: pass a bad state, or take a bad step.

    Of a family of properties one is enough; `name` is what they are called together.
    """

    def __init__(self, states: StateGraph, name: str, props: Sequence[Property]) -> None:
        self.states, self.resting, self.name = states, resting(states), name
        self.goals = [goal(states.system, prop) for prop in props]
        self.wrong = [(step, formula) for each in self.goals for step, formula in each.steps]

    def start(self, node: int) -> bool:
        """Whether the initial state is bad."""
        return self.bad(node)

    def after(self, memory: bool, node: int, step: int, to: int) -> bool:
        """Whether it has been decided so far."""
        return memory or self.bad(to) or self.takes_bad(node, step)

    def bad(self, node: int) -> bool:
        """Whether the state itself is bad."""
        return any(evaluate(each.bad, self.states.states[node]) for each in self.goals if not each.steps)

    def takes_bad(self, node: int, step: int) -> bool:
        """Whether taking the step in this state is bad."""
        return any(evaluate(wrong, self.states.states[node]) for bad, wrong in self.wrong if bad == step)

    def said(self, node: int, memory: bool) -> Aspects | None:
        """What was found as soon as it is; the other where nobody has to move."""
        found = self.goals[0].found.value.lower()
        if memory:
            return ((self.name, found),)
        return ((self.name, f"not {found}"),) if node in self.resting else None


def named(system: System, name: str) -> tuple[Property, ...]:
    """The property called `name`, or all of the family called so.

    Raises UsageError when there is none, or when one of them is not decided by a state or a step.
    """
    found = tuple(prop for prop in system.properties if name in (prop.name, prop.family))
    if not found:
        known = ", ".join(dict.fromkeys(p.family or p.name for p in system.properties if p.kind in SAFETY))
        raise UsageError(f"no property {name!r}; there is {known}")
    for prop in found:
        if prop.kind not in SAFETY:
            said = "is about all that can follow, also for ever, and no state or step of a run decides it"
            raise UsageError(f"{name} ({prop.kind.value}) {said}; name a property of states or steps")
    return found


def races(states: StateGraph, name: str = "") -> tuple[Race, ...]:
    """The racing pairs of steps, by process and label, in the order in which they are met first.

    What decides is whether the property, or one of the family, called `name` is violated; without one the outcomes.
    Raises UsageError as `named` does.
    """
    by = ByProperty(states, name, named(states.system, name)) if name else ByOutcome(states)
    return tuple(_Racer(states, by).find())


@dataclass
class _Met:
    """A pair of labels that races: the places where it does, by how, and the first of them."""

    states: set[int] = field(default_factory=set)
    first: Race | None = None


class _Racer:
    """The places that can be reached, what can come of each, and how each is reached first."""

    def __init__(self, states: StateGraph, by: Judge) -> None:
        self.states, self.system, self.by = states, states.system, by
        self.moves = changes(states)
        self.origin: dict[Place, tuple[Place, int] | None] = {}
        self.reach()
        self.outcomes = self.foresee()

    def reach(self) -> None:
        """All places, breadth first."""
        self.origin.update(((node, self.by.start(node)), None) for node in range(self.states.initial))
        queue = list(self.origin)
        for place in queue:
            for step in self.moves[place[0]]:
                to = self.take(place, step)
                if to not in self.origin:
                    self.origin[to] = place, step
                    queue.append(to)

    def take(self, place: Place, step: int) -> Place:
        """The place after `step`."""
        node, memory = place
        to = self.moves[node][step]
        return to, self.by.after(memory, node, step, to)

    def foresee(self) -> Mapping[Place, Outcomes]:
        """For each place the outcomes that are still possible."""
        graph: nx.DiGraph[Place] = nx.DiGraph()
        graph.add_nodes_from(self.origin)
        graph.add_edges_from((place, self.take(place, step)) for place in self.origin for step in self.moves[place[0]])
        condensed = nx.condensation(graph)
        found: dict[int, Outcomes] = {}
        for component in reversed(list(nx.topological_sort(condensed))):
            said = (self.by.said(*place) for place in condensed.nodes[component]["members"])
            here = frozenset(outcome for outcome in said if outcome is not None)
            found[component] = here.union(*(found[after] for after in condensed.successors(component)))
        return {place: found[component] for place, component in condensed.graph["mapping"].items()}

    def find(self) -> Iterator[Race]:
        """Try every pair of steps at every place."""
        met: dict[frozenset[tuple[int, str]], _Met] = {}
        for place in self.origin:
            for one, other in combinations(self.moves[place[0]], 2):
                a, b = self.system.transitions[one], self.system.transitions[other]
                if a.process == b.process:
                    continue
                ends = self.order(place, one, other), self.order(place, other, one)
                outcomes = [self.outcomes[end] for _, end in ends]
                if outcomes[0] != outcomes[1]:
                    pair = met.setdefault(frozenset(((a.process, a.label), (b.process, b.label))), _Met())
                    pair.states.add(place[0])
                    pair.first = pair.first or self.race(place, ends)
        for pair in met.values():
            if pair.first is not None:
                yield replace(pair.first, states=len(pair.states))

    def order(self, place: Place, one: int, other: int) -> tuple[tuple[int, ...], Place]:
        """`one` and then, if it still can be taken and changes something, `other`: these steps, and where they end."""
        after = self.take(place, one)
        if other in self.moves[after[0]]:
            return (one, other), self.take(after, other)
        return (one,), after

    def race(self, place: Place, ends: tuple[tuple[tuple[int, ...], Place], ...]) -> Race:
        """The race at `place`, with a shortest way there."""
        one, other = (Order(self.way(place, done), len(done), tuple(sorted(self.outcomes[end]))) for done, end in ends)
        return Race(one, other)

    def way(self, place: Place, more: tuple[int, ...]) -> Trace:
        """A shortest way to `place`, and `more` steps from there."""
        nodes: list[int] = []
        steps: list[int] = []
        at: Place | None = place
        while at is not None:
            nodes.insert(0, at[0])
            origin = self.origin[at]
            at = None
            if origin is not None:
                at, step = origin
                steps.insert(0, step)
        for step in more:
            nodes.append(self.moves[nodes[-1]][step])
        return self.states.trace(nodes, [*steps, *more])
