# SPDX-License-Identifier: Apache-2.0
"""The runs that are really different: those that differ by more than the order of independent steps.

Two sequences of steps are *the same but for the order* when one becomes the other by exchanging neighbours that are
independent (`independence`), again and again.  They start in the same state, take the same steps, end in the same
state and tell the same; so they have the same outcome.  A sequence in between need not be a run: it may come back to
a state.  How many runs are *really different* is into how many classes this divides the runs.

Such sequences are Mazurkiewicz's traces, and two are the same but for the order exactly when they have the same Foata
normal form (Cartier and Foata, *Problèmes combinatoires de commutation et réarrangements*, 1969): each step as early
as the steps before it that depend on it allow.

So beginnings of runs are made longer step by step, and those with the same normal form are treated as one.  That is
right because they stand in the same state, and because the normal form of a longer sequence depends only on that of
its beginning and on the step.  What such beginnings do not share is where they have been, and a run comes to no state
twice; but a run that has left a strongly connected component of the graph does not come back to it.  So for each
normal form every set of states that was visited in the present component is kept, with one beginning that did it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import networkx as nx

from cprcheck.compare.ending import Aspects, Before
from cprcheck.compare.telling import aspects, changes, resting, told_on
from cprcheck.engines.graph import StateGraph
from cprcheck.errors import DisagreementError
from cprcheck.trace import Trace

LIMIT = 400_000
"""So many times a beginning is made longer before the count is given up."""

Independent = Callable[[int, int], bool]
"""Whether two transitions, given by their indices, are independent."""
Form = tuple[tuple[int, ...], ...]
"""A Foata normal form: layers of transitions, each of them independent of the others in its layer."""
Path = tuple[int, ...]


@dataclass
class Different:
    """The really different runs by outcome: how many, and of the first ones (normal form, a run).

    Shorter ones come first, of these those with fewer faults.  `stopped` says why there may be more.
    """

    many: dict[Aspects, int] = field(default_factory=dict)
    first: dict[Aspects, list[tuple[Form, Trace]]] = field(default_factory=dict)
    stopped: str = ""


@dataclass
class _Beginning:
    """Beginnings of runs that are the same but for the order: the node they lead to, and `ways` to get there.

    Each is a set of nodes that were visited in the present component, with steps and nodes of one that did it.
    """

    node: int
    ways: dict[frozenset[int], tuple[Path, Path]]


_Level = dict[tuple[int, Form], _Beginning]
"""Beginnings of one length, by initial node and normal form."""


def normal_form(steps: Iterable[int], independent: Independent) -> Form:
    """The Foata normal form of a sequence of steps."""
    form: Form = ()
    for step in steps:
        form = longer(form, step, independent)
    return form


def longer(form: Form, step: int, independent: Independent) -> Form:
    """`form` with `step` behind it: in the layer after the last one that has a step which depends on it."""
    layer = len(form)
    while layer and all(independent(step, other) for other in form[layer - 1]):
        layer -= 1
    if layer == len(form):
        return (*form, (step,))
    return (*form[:layer], tuple(sorted((*form[layer], step))), *form[layer + 1 :])


def different(states: StateGraph, independent: Independent, limit: int = LIMIT, show: int = 1) -> Different:
    """The really different runs of a graph; `show` of each outcome are kept.

    Raises DisagreementError when two sequences that should be the same but for the order lead to different states.
    """
    return _Finder(states, independent, limit, show).find()


class _Finder:
    """One graph; `left` is how many times a beginning may still be made longer."""

    def __init__(self, states: StateGraph, independent: Independent, limit: int, show: int) -> None:
        self.states, self.system, self.independent = states, states.system, independent
        self.limit = self.left = limit
        self.show = show
        self.moves = changes(states)
        self.resting = resting(states)
        self.component: dict[int, int] = nx.condensation(states.graph).graph["mapping"]
        self.ending = self.resting.union(*(nx.ancestors(states.graph, node) for node in self.resting))
        self.found = Different()

    def find(self) -> Different:
        """All beginnings of the same length at a time, the shortest first."""
        starts = [node for node in range(self.states.initial) if node in self.ending]
        level: _Level = {(node, ()): _Beginning(node, {frozenset([node]): ((), (node,))}) for node in starts}
        while level and not self.found.stopped:
            self.add([(form, at) for (_, form), at in level.items() if at.node in self.resting])
            level = self.next(level)
        return self.found

    def next(self, level: _Level) -> _Level:
        """All beginnings that are one step longer."""
        found: _Level = {}
        for (start, form), beginning in level.items():
            for step, to in self.moves[beginning.node].items():
                ways = dict(self.longer(beginning, step, to)) if to in self.ending else {}
                if not ways:
                    continue
                if self.left < len(ways):
                    said = f"it takes more than {self.limit:,} steps to tell them apart".replace(",", " ")
                    self.found.stopped = said
                    return found
                self.left -= len(ways)
                key = start, longer(form, step, self.independent)
                same = found.setdefault(key, _Beginning(to, {}))
                if same.node != to:
                    raise DisagreementError("steps that z3 calls independent lead to different states")
                for been, way in ways.items():
                    same.ways.setdefault(been, way)
        return found

    def longer(self, beginning: _Beginning, step: int, to: int) -> Iterator[tuple[frozenset[int], tuple[Path, Path]]]:
        """The ways of `beginning`, with `step` to a node that was not visited."""
        inside = self.component[beginning.node] == self.component[to]
        for been, (steps, nodes) in beginning.ways.items():
            if not inside:
                yield frozenset([to]), ((*steps, step), (*nodes, to))
            elif to not in been:
                yield been | {to}, ((*steps, step), (*nodes, to))

    def add(self, ended: list[tuple[Form, _Beginning]]) -> None:
        """Take down the runs among the beginnings of one length."""
        transitions = self.system.transitions
        rows = [(form, *next(iter(at.ways.values()))) for form, at in ended]
        for form, steps, nodes in sorted(rows, key=lambda row: sum(len(transitions[step].faults) for step in row[1])):
            outcome = aspects(self.system, self.states.states[nodes[-1]], told_on(self.system, steps))
            self.found.many[outcome] = self.found.many.get(outcome, 0) + 1
            first = self.found.first.setdefault(outcome, [])
            if len(first) < self.show:
                first.append((form, self.states.trace(list(nodes), list(steps))))


def happens_before(steps: Iterable[int], independent: Independent) -> Before:
    """For each step of a run, counted from 1, those that it comes after in every order of the run.

    That is: an earlier step that depends on it, or one that such a step comes after.  Only direct ones are listed:
    those that no other listed step comes after (the transitive reduction, which determines all others).
    """
    numbered = list(enumerate(steps, 1))
    order: nx.DiGraph[int] = nx.DiGraph()
    order.add_nodes_from(at for at, _ in numbered)
    order.add_edges_from(
        (a, b) for a, one in numbered for b, other in numbered if a < b and not independent(one, other)
    )
    least = nx.transitive_reduction(order)
    return tuple(tuple(sorted(least.predecessors(at))) for at, _ in numbered)
