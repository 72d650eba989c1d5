# SPDX-License-Identifier: Apache-2.0
"""All runs of a model to their ends, counted by outcome, with a shortest one of each.

A *step* here changes something: steps that do not are left out.  A *rest state* is one in which nobody has to move:
no step of a fair process without a fault can be taken.  What is not fair may still go on from there.  A *run* is a path
from an initial state that never comes back to a state it has been in, and ends in a rest state; two runs are different
when a step differs.  Its *outcome* is what the model says about its last state (`System.outcomes`) and its events
(`System.collected`).

Runs are counted, not listed.  A path that never comes back passes each strongly connected component of the state
graph once and without a break.  So only the paths inside a component are walked one by one; between components
their numbers are added up, for each state and each set of things that the events so far have told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import networkx as nx

from cprcheck import checking, replay
from cprcheck.compare.ending import Ending, Interleavings
from cprcheck.compare.states import searched
from cprcheck.engines import explicit, graph
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.semantics import outcome, successors
from cprcheck.system import NOBODY, Fairness, State, System
from cprcheck.trace import Trace

LIMIT = 2_000_000
"""So many steps are walked inside components before the count is given up."""

Told = frozenset[tuple[int, str]]
"""What events have told: (which of `System.collected`, value)."""
NOTHING: Told = frozenset()
Key = tuple[int, Told]
"""A node, and what has been told on the way to it."""
Aspects = tuple[tuple[str, str], ...]
K = TypeVar("K")


@dataclass(frozen=True)
class Options:
    """How to count: `faults`, `injected`, `states` and `native` as in `checking.Options`.

    `limit` bounds the steps that are walked one by one.
    """

    faults: int | None = None
    injected: bool = False
    states: int = checking.MAX_STATES
    limit: int = LIMIT
    native: bool = True


def interleavings(
    model: Model | System, options: Options | None = None, progress: checking.Progress | None = None
) -> Interleavings:
    """Count the runs of a model, or of a System built by hand.

    Raises UsageError when it declares no outcome, has no initial state, or lets a value leave its domain;
    DisagreementError when Python, running the author's own code, does something else.
    """
    options, tell = options or Options(), progress or (lambda _: None)
    plain = model if isinstance(model, System) else model.system
    system = with_faults(plain, options.faults, injected=options.injected)
    if not system.outcomes and not system.collected:
        raise UsageError(f"{system.name} declares no outcome; write @m.outcome(...) (docs/language.md)")
    limits = explicit.Limits(options.states)
    found = searched(model, system, limits, "are counted", tell, native=options.native)
    if found.stopped:
        return Interleavings(system, found.size, stopped=found.stopped)
    tell("counting the runs")
    counted = count(found, options.limit)
    for ending in counted.endings:
        confirm(system, ending)
        if isinstance(model, Model):
            oracle.replay(model, system, ending.trace)
    return counted


# ---- what a run is --------------------------------------------------------------------------------------------------


def rests(system: System, steps: Iterable[int]) -> bool:
    """Whether nobody has to move where `steps` are all transitions that change something.

    A process at an idle location has to move too when it can: a main loop that was asked for something does it.
    """
    for transition in map(system.transitions.__getitem__, steps):
        if system.processes[transition.process].fairness is not Fairness.NONE and not transition.faults:
            return False
    return True


def told_by(system: System, step: int) -> Told:
    """What the events of transition `step` tell."""
    return frozenset(
        (number, value)
        for number, collected in enumerate(system.collected)
        for event in system.transitions[step].events
        for name, value in event.args
        if (event.name, name) == (collected.event, collected.argument)
    )


def aspects(system: System, last: State, told: Told) -> Aspects:
    """The outcome of a run that ends in `last` and whose events have told `told`."""
    collected = [
        (each.aspect, ", ".join(sorted(value for at, value in told if at == number)) or NOBODY)
        for number, each in enumerate(system.collected)
    ]
    return (*outcome(system, last).items(), *collected)


def confirm(system: System, ending: Ending) -> None:
    """Ask the reference interpreter whether the trace is a run with this outcome.

    Raises DisagreementError when it is not.
    """
    trace = ending.trace
    replay.walk(system, trace)
    last = trace.states[-1]
    moves = [step for step, after in successors(system, last) if after != last]
    if len(set(trace.states)) != len(trace.states) or not rests(system, moves):
        raise DisagreementError("a path was counted that is no run")
    if aspects(system, last, NOTHING.union(*(told_by(system, step) for step in trace.steps))) != ending.aspects:
        raise DisagreementError("a run was counted under an outcome that it does not have")


# ---- counting -------------------------------------------------------------------------------------------------------


class _Paths(NamedTuple):
    """So many paths to one place, and how the best of them goes: fewest steps, then fewest faults.

    The best one comes from `origin` along `via`, pairs of a transition and the node it leads to.
    """

    many: int
    steps: int = 0
    faults: int = 0
    origin: Key | None = None
    via: tuple[tuple[int, int], ...] = ()


def _add(table: dict[K, _Paths], key: K, more: _Paths) -> None:
    """Count `more` paths to `key`."""
    if key in table:
        old = table[key]
        best = min(old, more, key=lambda paths: (paths.steps, paths.faults))
        more = best._replace(many=old.many + more.many)
    table[key] = more


def count(found: explicit.Search, limit: int = LIMIT) -> Interleavings:
    """The runs among the states of a complete search, by outcome."""
    counter = _Counter(graph.build(found), limit)
    counter.count()
    return Interleavings(found.system, found.size, counter.endings(), counter.endless(), counter.stopped)


class _Counter:
    """One graph, and the paths found in it so far.

    `moves` has, for each node, the steps to another node that tell the same, as one: how many they are, and of one
    with the fewest faults how many it takes and which it is.  `arrived` has the paths by which a component is entered
    at a node, `passed` all paths to it.  `left` is how many steps may still be walked.
    """

    def __init__(self, states: graph.StateGraph, limit: int) -> None:
        self.graph, self.system = states, states.system
        self.limit = self.left = limit
        self.stopped = ""
        self.moves: list[dict[Key, tuple[int, int, int]]] = [{} for _ in states.states]
        self.arrived: list[dict[Told, _Paths]] = [{} for _ in states.states]
        self.passed: list[dict[Told, _Paths]] = [{} for _ in states.states]
        self.resting = set(filter(self.rests, states.graph))
        self.condensed = nx.condensation(states.graph)
        self.order = list(nx.topological_sort(self.condensed))
        told = [told_by(self.system, step) for step in range(len(self.system.transitions))]
        for node, to, step in states.graph.edges(keys=True):
            if node != to:
                faults = len(self.system.transitions[step].faults)
                many, fewest, best = self.moves[node].get((to, told[step]), (0, faults, step))
                self.moves[node][to, told[step]] = (many + 1, *min((faults, step), (fewest, best)))

    def count(self) -> None:
        """Find all paths, component by component, each after those that lead to it."""
        for node in range(self.graph.initial):
            self.arrived[node][NOTHING] = _Paths(1)
        for members in map(self.members, self.order):
            for entry in sorted(members):
                if self.arrived[entry]:
                    self.cross(entry, self.walk(entry, members))
            for node in sorted(members):
                self.leave(node, members)

    def cross(self, entry: int, inside: dict[Key, _Paths]) -> None:
        """Go on from `entry`, however it was reached, along the paths `inside` its component."""
        for (node, more), inner in inside.items():
            for told, outer in self.arrived[entry].items():
                steps, faults = outer.steps + inner.steps, outer.faults + inner.faults
                whole = _Paths(outer.many * inner.many, steps, faults, (entry, told), inner.via)
                _add(self.passed[node], told | more, whole)

    def leave(self, node: int, members: set[int]) -> None:
        """Take the steps that lead from `node` to other components."""
        for (to, more), (many, faults, step) in self.moves[node].items():
            if to not in members:
                for told, paths in self.passed[node].items():
                    origin, via = (node, told), ((step, to),)
                    longer = _Paths(paths.many * many, paths.steps + 1, paths.faults + faults, origin, via)
                    _add(self.arrived[to], told | more, longer)

    def walk(self, entry: int, members: set[int]) -> dict[Key, _Paths]:
        """All paths from `entry` through `members` that come to no node twice, by where they end and what they tell."""
        found: dict[Key, _Paths] = {}
        open_ = [((entry, NOTHING), _Paths(1))]
        while open_:
            key, paths = open_.pop()
            _add(found, key, paths)
            (node, told), been = key, {entry, *(node for _, node in paths.via)}
            for (to, more), (many, faults, step) in self.moves[node].items():
                if to not in members or to in been:
                    continue
                if not self.left:
                    self.stopped = f"it takes more than {self.limit:,} steps to walk the loops".replace(",", " ")
                    return found
                self.left -= 1
                via = (*paths.via, (step, to))
                longer = _Paths(paths.many * many, paths.steps + 1, paths.faults + faults, None, via)
                open_.append(((to, told | more), longer))
        return found

    def rests(self, node: int) -> bool:
        """Whether nobody has to move at `node`."""
        edges = self.graph.graph.out_edges(node, keys=True)
        return rests(self.system, (step for _, to, step in edges if to != node))

    def endings(self) -> tuple[Ending, ...]:
        """The runs by outcome, the outcome with most of them first."""
        found: dict[Aspects, _Paths] = {}
        for node in sorted(self.resting):
            for told, paths in self.passed[node].items():
                ended = aspects(self.system, self.graph.states[node], told)
                _add(found, ended, paths._replace(origin=(node, told)))
        most = sorted(found.items(), key=lambda item: (-item[1].many, item[1].steps))
        return tuple(Ending(told, paths.many, self.trace(paths.origin)) for told, paths in most)

    def trace(self, key: Key | None) -> Trace:
        """The best path to `key`."""
        path: list[tuple[int, int]] = []
        start, inside = 0, True
        while key is not None:
            start, told = key
            paths = (self.passed if inside else self.arrived)[start][told]
            path[:0] = paths.via
            key, inside = paths.origin, not inside
        return self.graph.trace([start, *(node for _, node in path)], [step for step, _ in path])

    def endless(self) -> int:
        """How many states there are from which no run comes to rest."""
        ending: set[int] = set()
        for component in reversed(self.order):
            if self.members(component) & self.resting or ending & set(self.condensed.successors(component)):
                ending.add(component)
        return sum(len(self.members(component)) for component in self.order if component not in ending)

    def members(self, component: int) -> set[int]:
        """The nodes of a component."""
        found: set[int] = self.condensed.nodes[component]["members"]
        return found
