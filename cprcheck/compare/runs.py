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

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import networkx as nx

from cprcheck import checking, replay
from cprcheck.compare import classes, independence, races
from cprcheck.compare.ending import Aspects, Ending, Interleavings
from cprcheck.compare.states import searched
from cprcheck.compare.telling import NOTHING, Told, aspects, resting, rests, told_by, told_on
from cprcheck.engines import explicit, graph
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.semantics import successors
from cprcheck.system import System
from cprcheck.trace import Trace
from cprcheck.verdict import Size

LIMIT = 2_000_000
"""So many steps are walked inside components before the count is given up."""

Key = tuple[int, Told]
"""A node, and what has been told on the way to it."""
K = TypeVar("K")


@dataclass(frozen=True)
class Options:
    """How to count: `faults`, `injected`, `states` and `native` as in `checking.Options`.

    `limit` bounds the steps that are walked one by one, `different` those by which really different runs are told
    apart (0: these are not counted).  `show` bounds how many really different runs of each outcome are kept.
    `happens_before` asks what happens before what in these, `races` which steps race.  `judged` names the property
    or family that decides whether they do; without it the outcomes do.
    """

    faults: int | None = None
    injected: bool = False
    states: int = checking.MAX_STATES
    limit: int = LIMIT
    native: bool = True
    different: int = classes.LIMIT
    show: int = 1
    happens_before: bool = False
    races: bool = False
    judged: str = ""


def interleavings(
    model: Model | System, options: Options | None = None, progress: checking.Progress | None = None
) -> Interleavings:
    """Count the runs of a model, or of a System built by hand.

    Raises UsageError when it declares no outcome, has no initial state or not the property that is named, or lets a
    value leave its domain; DisagreementError when Python, running the author's own code, does something else.
    """
    options, tell = options or Options(), progress or (lambda _: None)
    plain = model if isinstance(model, System) else model.system
    system = with_faults(plain, options.faults, injected=options.injected)
    if not system.outcomes and not system.collected:
        raise UsageError(f"{system.name} declares no outcome; write @m.outcome(...) (docs/language.md)")
    if options.judged:
        races.named(system, options.judged)
    limits = explicit.Limits(options.states)
    found = searched(model, system, limits, "are counted", tell, native=options.native)
    if found.stopped:
        return Interleavings(system, found.size, stopped=found.stopped, judged=options.judged)
    states = graph.build(found)
    tell("counting the runs")
    counted = replace(_count(states, found.size, options.limit), judged=options.judged)
    if options.different or options.happens_before:
        tell("telling the runs apart")
        counted = _tell_apart(counted, states, options)
    if options.races:
        tell("looking for races")
        counted = replace(counted, races=races.races(states, options.judged))
    for trace in _confirmed(counted):
        if isinstance(model, Model):
            oracle.replay(model, system, trace)
    return counted


def _confirmed(counted: Interleavings) -> Iterator[Trace]:
    """All traces of an answer; the reference interpreter has confirmed them."""
    for ending in counted.endings:
        confirm(counted.system, ending)
        yield from ending.shown
    for race in counted.races or ():
        for trace in race.ways:
            replay.walk(counted.system, trace)
            yield trace


def _tell_apart(counted: Interleavings, states: graph.StateGraph, options: Options) -> Interleavings:
    """With the really different runs, and what happens before what in those that are shown."""
    independent = independence.of(counted.system)
    if options.different:
        found = classes.different(states, independent, options.different, options.show)
        counted = _with_different(counted, found, independent, options.show)
    if options.happens_before:
        endings = (
            replace(e, before=tuple(classes.happens_before(trace.steps, independent) for trace in e.shown))
            for e in counted.endings
        )
        counted = replace(counted, endings=tuple(endings))
    if independent.undecided:
        pairs = f"{independent.undecided} pair{'' if independent.undecided == 1 else 's'} of steps"
        said = f"z3 did not decide about {pairs} whether they are independent"
        endings = (replace(e, different=None, others=(), before=()) for e in counted.endings)
        return replace(counted, endings=tuple(endings), merged=said)
    return counted


def _with_different(
    counted: Interleavings, found: classes.Different, independent: classes.Independent, show: int
) -> Interleavings:
    """`counted` with the really different runs of each outcome.

    Raises DisagreementError when the outcomes are not the same though nothing is missing.
    """
    endings = []
    for ending in counted.endings:
        mine = classes.normal_form(ending.trace.steps, independent)
        start = ending.trace.states[0]
        others = [t for form, t in found.first.get(ending.aspects, ()) if (form, t.states[0]) != (mine, start)]
        many = max(1, found.many.get(ending.aspects, 0))
        runs = max(ending.runs, many) if counted.stopped else ending.runs
        endings.append(replace(ending, runs=runs, different=many, others=tuple(others[: show - 1])))
    listed, told = {ending.aspects for ending in endings}, found.many.keys()
    if not (counted.stopped or told <= listed) or not (found.stopped or listed <= told):
        raise DisagreementError("the runs and the really different ones have different outcomes")
    if any(ending.runs < (ending.different or 0) for ending in endings):
        raise DisagreementError("more runs are really different than there are runs")
    for outcome in sorted(told - listed):
        (_, trace), *more = found.first[outcome]
        many = found.many[outcome]
        endings.append(Ending(outcome, many, trace, many, tuple(other for _, other in more)))
    return replace(counted, endings=tuple(endings), merged=found.stopped)


def confirm(system: System, ending: Ending) -> None:
    """Ask the reference interpreter whether each trace is a run with this outcome.

    Raises DisagreementError when one is not.
    """
    for trace in ending.shown:
        replay.walk(system, trace)
        last = trace.states[-1]
        moves = [step for step, after in successors(system, last) if after != last]
        if len(set(trace.states)) != len(trace.states) or not rests(system, moves):
            raise DisagreementError("a path was counted that is no run")
        if aspects(system, last, told_on(system, trace.steps)) != ending.aspects:
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
    return _count(graph.build(found), found.size, limit)


def _count(states: graph.StateGraph, size: Size, limit: int) -> Interleavings:
    counter = _Counter(states, limit)
    counter.count()
    return Interleavings(states.system, size, counter.endings(), counter.endless(), counter.stopped)


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
        self.resting = resting(states)
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
