# SPDX-License-Identifier: Apache-2.0
"""The failure matrix: for every place where something can fail, how the runs end in which it does.

Something *fails* where a step takes a fault, where somebody refuses (an event `refused`), or where the update fails by
itself: its outcome becomes *failed* though nothing has failed before.  A refusal that follows a failure is a
consequence, and no place of its own.  After the failures of its row nothing else fails in a run.  It *ends* where
nobody has to move: what fair processes do without a fault, idle ones too, leads nowhere else.  Another attempt, which
the model marks by its property `next_attempt_succeeds`, is not begun before.
"""

from __future__ import annotations

import re
import typing
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from cprcheck import catalog, checking, replay
from cprcheck.compare.aftermath import NEXT, Again, End, Matrix, Place, Row, When
from cprcheck.compare.states import searched
from cprcheck.compare.telling import rests
from cprcheck.compare.view import (
    DONE,
    FAILED,
    IN_NEW,
    INVALID,
    LOST,
    REFUSED,
    RUNS,
    RUNS_IN_NEW,
    Edge,
    View,
    bottoms,
    givers,
    leading_to,
    left_loops,
    unsaid,
)
from cprcheck.engines import explicit, graph
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.expr import FALSE, reads
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.semantics import evaluate, outcome, successors
from cprcheck.system import State, System, Transition
from cprcheck.trace import Trace

ATTEMPT = "next_attempt_succeeds"
"""The property that says, by its premise, where another attempt may begin, and by its goal that it has succeeded."""
ARRAY = "vaddr"
"""The array of the addresses, by container, and by mapping where there are several; its values are these:"""
VALUES = {"INVALID": "invalid", "NONE": "none"}
"""Any other is a valid address; but the new QEMU has nothing at those of the old one:"""
STALE = {"OLD": "stale"}
REFUSED_NEXT = "next update refused"
"""The severity where nothing else is hurt, but the next attempt cannot succeed: a design's counter may refuse it."""


@dataclass(frozen=True)
class Options:
    """Which rows there are.

    `pairs`: also two failures in one run, of which the second is a fault, perhaps in another attempt.  `again`: also
    another attempt after each failure, in which nothing fails by a fault.
    `injected`, `states`, `native` as in `checking.Options`; `seconds` for the search.
    """

    pairs: bool = False
    again: bool = False
    injected: bool = False
    states: int = checking.MAX_STATES
    seconds: float | None = None
    native: bool = True


def trying_again(model: catalog.Found, given: Mapping[str, str]) -> Model:
    """The model for parameters given as text, with the switch that lets the management try again if it has one."""
    parameter = model.signature.parameters.get("env")
    kinds = typing.get_args(parameter.annotation) if parameter else ()
    if kinds and isinstance(kinds[0], type) and issubclass(kinds[0], Enum) and "AGAIN" in kinds[0].__members__:
        given = {**given, "env": ",".join([given.get("env", "none"), "again"])}
    return catalog.bind(model, given)


def measure(model: Model | System, options: Options | None = None, progress: checking.Progress | None = None) -> Matrix:
    """The failure matrix of a model, or of a System built by hand.

    Raises UsageError when it does not say in known words what becomes of the guest, the vaddrs and the update, has no
    initial state, or lets a value leave its domain; DisagreementError when Python, running the author's own code, does
    something else.
    """
    options, tell = options or Options(), progress or (lambda _: None)
    plain = model if isinstance(model, System) else model.system
    lacking = unsaid(plain) or _Retrying(plain).unsaid
    if lacking:
        raise UsageError(f"{plain.name} has no failure matrix: {lacking} (docs/language.md)")
    system = with_faults(plain, 2 if options.pairs else 1, injected=options.injected)
    limits = explicit.Limits(options.states, options.seconds)
    found = searched(model, system, limits, "are read", tell, native=options.native)
    if found.stopped:
        return Matrix(system, found.size, stopped=found.stopped)
    tell("following the failures")
    matrix = _Matrix(graph.build(found), options).matrix(found)
    for row in matrix.rows:
        confirm(system, row)
        if isinstance(model, Model):
            oracle.replay(model, system, row.trace)
    return matrix


def confirm(system: System, row: Row) -> None:
    """Ask the reference interpreter whether the trace of `row` is a run that ends as the row says.

    Raises DisagreementError when it does not.  That nothing leads out of a loop, a trace cannot show.
    """
    replay.walk(system, row.trace)
    last = row.trace.states[-1]
    taken = [system.transitions[step] for step in row.trace.steps]
    if any(place not in row.places for one in taken if one.faults for place in struck(system, one)):
        raise DisagreementError("a fault was taken that the row does not name")
    if row.end.endless:
        return
    told = outcome(system, last)
    by = {name for one in taken[_first_failure(system, row.trace) :] for name in givers(system, one)}
    if (told["guest"], told["update"], by) != (row.end.guest, row.end.update, set(row.end.by)):
        raise DisagreementError("a row was told with an end that it does not have")
    retrying = _Retrying(system)
    moves = [step for step, after in successors(system, last) if after != last and not retrying.begins(last, step)]
    if not rests(system, moves):
        raise DisagreementError("a row was told to end where somebody has to move")


def _first_failure(system: System, trace: Trace) -> int:
    """How many steps come before the first failure; 0 when there is none."""
    for number, (step, after) in enumerate(zip(trace.steps, trace.states[1:], strict=True)):
        if struck(system, system.transitions[step]) or outcome(system, after)["update"] == FAILED:
            return number
    return 0


# ---- what fails ---------------------------------------------------------------------------------------------------


def struck(system: System, transition: Transition) -> tuple[Place, ...]:
    """What fails in a step: the faults that it takes, or else who refuses what."""
    process = system.processes[transition.process].name
    if transition.faults:
        return tuple(Place(fault.label, process, transition.label, fault.injected) for fault in transition.faults)
    names = []
    for event in transition.events:
        if event.name == REFUSED:
            args = dict(event.args)
            by = args.pop("by", process)
            names.append(" ".join([by, "refuses", *args.values()]))
    return (Place(" and ".join(dict.fromkeys(names)), process, transition.label),) if names else ()


def itself(system: System, transition: Transition) -> Place:
    """The step at which the update fails though nothing has failed."""
    process = system.processes[transition.process].name
    return Place(f"{transition.label} fails by itself", process, transition.label)


class _Retrying:
    """Where another attempt begins: a step of a process that stands where the premise of ATTEMPT says."""

    def __init__(self, system: System) -> None:
        self.system = system
        asked = [prop for prop in system.properties if prop.name == ATTEMPT]
        self.known = bool(asked)
        self.premise, self.goal = asked[0].formulas if asked else (FALSE, FALSE)
        slots = reads(self.premise)
        self.processes = {i for i, process in enumerate(system.processes) if process.location in slots}

    @property
    def unsaid(self) -> str:
        """What the premise has yet to say; empty when nothing is lacking."""
        lacking = self.known and not self.processes
        return f"the premise of {ATTEMPT} says of no process where it stands, write m.at(...)" if lacking else ""

    def begins(self, state: State, step: int) -> bool:
        """Whether transition `step`, taken in `state`, begins another attempt."""
        return self.system.transitions[step].process in self.processes and bool(evaluate(self.premise, state))


# ---- following them -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """What matters about a run so far: where it is, what has failed, and what has happened since.

    `ran`: the guest ran while a vaddr was invalid.  `late`: an address was given after that.
    """

    node: int
    places: tuple[Place, ...] = ()
    by: frozenset[str] = frozenset()
    ran: bool = False
    late: bool = False


class _Matrix:
    """One graph, and the runs through it that matter."""

    def __init__(self, states: graph.StateGraph, options: Options) -> None:
        self.view, self.system, self.options = View(states), states.system, options
        self.retrying, self.tries_again = _Retrying(self.system), options.again or options.pairs
        self.struck = [struck(self.system, transition) for transition in self.system.transitions]
        self.givers = [givers(self.system, transition) for transition in self.system.transitions]
        self.invalid = self.view.where("vaddrs", INVALID)
        self.running = self.invalid & self.view.where("guest", {RUNS, RUNS_IN_NEW})
        self.failed = self.view.where("update", {FAILED})
        self.retries = {edge for edge in self.view.edges if self.retrying.begins(states.states[edge[0]], edge[2])}
        moving = (edge for edge in self.view.obliged if edge[0] != edge[1] and edge not in self.retries)
        self.obliged = self.view.plain(moving)
        self.ends = {node: members for members in bottoms(self.obliged) for node in members}
        self.again = self.attempts()
        self.cells = _vaddr_cells(self.system)
        self.parents: dict[_Run, tuple[_Run, int] | None] = {}

    def matrix(self, found: explicit.Search) -> Matrix:
        """All rows, by place."""
        rows: dict[tuple[tuple[Place, ...], End], Row] = {}
        for run in self.walk():
            if run.node in self.ends and self.shown(run.places):
                end = self.end(run)
                if (run.places, end) not in rows:
                    rows[run.places, end] = Row(run.places, end, self.trace(run))
        order = self.order()
        made = sorted(rows.values(), key=lambda row: [(order.get(place.name, -1), place.step) for place in row.places])
        made.sort(key=lambda row: len(row.places))
        seen = {place.name for row in made for place in row.places}
        possible = dict.fromkeys(place.name for places in self.struck for place in places)
        silent = tuple(name for name in possible if name not in seen)
        return Matrix(self.system, found.size, tuple(made), silent, left_loops(self.obliged))

    def shown(self, places: tuple[Place, ...]) -> bool:
        """Whether there are rows of `places`: that another attempt follows, and no failure, is told when asked for."""
        return self.options.again or not places or places[-1].name != NEXT

    def order(self) -> dict[str, int]:
        """The places in the order of the steps."""
        numbered: dict[str, int] = {}
        for step, places in enumerate(self.struck):
            for place in (*places, itself(self.system, self.system.transitions[step])):
                numbered.setdefault(place.name, step)
        return numbered

    def walk(self) -> Iterator[_Run]:
        """All runs, told apart by what matters, the shorter first."""
        out: dict[int, list[Edge]] = {}
        for edge in self.view.edges:
            out.setdefault(edge[0], []).append(edge)
        first = [self.seen(_Run(node)) for node in range(self.view.graph.initial)]
        self.parents.update(dict.fromkeys(first))
        queue = deque(first)
        while queue:
            run = queue.popleft()
            yield run
            for edge in out.get(run.node, ()):
                after = self.after(run, edge)
                if after is not None and after not in self.parents:
                    self.parents[after] = (run, edge[2])
                    queue.append(after)

    def after(self, run: _Run, edge: Edge) -> _Run | None:
        """`run` after one more step; None when that does not belong to any row."""
        places = self.places(run, edge)
        if places is None:
            return None
        by = self.givers[edge[2]]
        if places and not run.places:  # what happened before the first failure is not its doing
            return self.seen(_Run(edge[1], places, by))
        late = run.late or bool(by and run.ran)
        return self.seen(replace(run, node=edge[1], places=places, by=run.by | by, late=late))

    def places(self, run: _Run, edge: Edge) -> tuple[Place, ...] | None:
        """What has failed after one more step; None when too much has."""
        transition, new, before = self.system.transitions[edge[2]], self.struck[edge[2]], run.places
        if edge in self.retries:
            if not before or any(place.name == NEXT for place in before) or not self.tries_again:
                return None
            before = (*before, Place(NEXT, self.system.processes[transition.process].name, transition.label))
        if transition.faults:
            failed = sum(place.name != NEXT for place in (*before, *new))
            return (*before, *new) if failed <= 1 + self.options.pairs else None
        if before:
            return before
        if not new and edge[1] in self.failed and edge[0] not in self.failed:
            return (itself(self.system, transition),)
        return new

    def seen(self, run: _Run) -> _Run:
        """`run`, with what can be seen where it is."""
        return replace(run, ran=run.ran or run.node in self.running)

    def trace(self, run: _Run) -> Trace:
        """A shortest run that is like `run`."""
        nodes, steps = [run.node], []
        while (parent := self.parents[run]) is not None:
            run, step = parent
            nodes.append(run.node)
            steps.append(step)
        return self.view.graph.trace(nodes[::-1], steps[::-1])

    # ---- how runs end -----------------------------------------------------------------------------------------------

    def end(self, run: _Run) -> End:
        """How `run` ends, where it is or round the loop that it is in."""
        nodes = sorted(self.ends[run.node])
        told = [self.view.outcomes[node] for node in nodes]
        guest, update = (_joined([each[aspect] for each in told]) for aspect in ("guest", "update"))
        vaddrs = [self.vaddrs(node) for node in nodes]
        names = list(dict.fromkeys(name for each in vaddrs for name in each if name)) or [""]
        again = self.next_attempt(nodes, guest, update)
        severity = checking.worst(self.system, [self.view.graph.states[node] for node in nodes])
        return End(
            guest,
            tuple((name, _joined([each.get(name) or each[""] for each in vaddrs])) for name in names),
            update,
            tuple(sorted(run.by)),
            self.when(run, nodes),
            again,
            severity or (REFUSED_NEXT if again in {Again.NO, Again.LATER} else ""),
            len(nodes) > 1,
        )

    def when(self, run: _Run, nodes: Sequence[int]) -> When:
        """When the last address was given, if `run` ends round `nodes`."""
        if not self.invalid.isdisjoint(nodes):
            return When.PARTLY if run.by else When.NEVER
        return When.AFTER if run.late else When.BEFORE if run.by else When.NOTHING

    def vaddrs(self, node: int) -> dict[str, str]:
        """The addresses of each container; of all together where nothing is known of each, or all are gone."""
        said = self.view.outcomes[node]
        if said["guest"] == LOST or not self.cells:
            return {"": said["vaddrs"]}
        state, known = self.view.graph.states[node], VALUES | (STALE if said["guest"] in IN_NEW else {})
        return {
            name: " and ".join(dict.fromkeys(_value(self.system, state, slot, known) for slot in slots))
            for name, slots in self.cells
        }

    def next_attempt(self, nodes: Sequence[int], guest: str, update: str) -> Again:
        """Whether another attempt can succeed from one of `nodes`."""
        if update == DONE:
            return Again.NEEDLESS
        if guest == LOST:
            return Again.NO
        if not self.retrying.known:
            return Again.UNKNOWN
        return max((self.again.get(node, Again.NO) for node in nodes), key=[Again.NO, Again.LATER, Again.YES].index)

    def attempts(self) -> dict[int, Again]:
        """Where the next attempt can succeed, or one after it, by what has to happen without a fault."""
        states = self.view.graph.states
        goals = {node for node, state in enumerate(states) if evaluate(self.retrying.goal, state)}
        found: dict[int, Again] = {}
        reach = set(leading_to(self.obliged, goals))
        for answer in (Again.YES, Again.LATER):
            while True:
                starts = {a for a, b, step in self.view.obliged if b in reach and (a, b, step) in self.retries}
                reach = set(leading_to(self.obliged, starts))
                fresh = reach - found.keys()
                found.update(dict.fromkeys(fresh, answer))
                if answer is Again.YES or not fresh:
                    break
        return found


def _joined(said: Sequence[str]) -> str:
    return " or ".join(dict.fromkeys(said))


def _vaddr_cells(system: System) -> list[tuple[str, list[int]]]:
    """The slots of ARRAY, by container."""
    found: dict[str, list[int]] = {}
    for index, slot in enumerate(system.slots):
        cell = re.fullmatch(rf"{ARRAY}\[(.+?)(, .*)?\]", slot.name)
        if cell:
            found.setdefault(cell[1], []).append(index)
    return list(found.items())


def _value(system: System, state: State, slot: int, known: Mapping[str, str]) -> str:
    """What the address in `slot` is."""
    return known.get(system.slots[slot].domain.show(state[slot]), "valid")
