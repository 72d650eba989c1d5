# SPDX-License-Identifier: Apache-2.0
"""The transition system: plain frozen data, and the only thing an engine ever sees.

A state is a tuple of codes, one for each slot.  A transition is a guard and an update; what it does not update
keeps its value.  A transition is deterministic: a choice or a fault that the author offers is one transition
for each outcome, and `choices` and `faults` say which outcome it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Set
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import product

from cprcheck.domains import Domain
from cprcheck.errors import Source
from cprcheck.expr import FALSE, TRUE, Apply, Const, Expr, In, Op, Read, conj, member
from cprcheck.lanes import Drawing
from cprcheck.origin import Origin

State = tuple[int, ...]

END, NOT_STARTED, DEAD, ABORTED = range(4)
"""The codes that every location slot begins with: the process has returned, its group has not been started,
its group was killed, it called abort."""
SPECIAL = ("end", "not started", "dead", "aborted")
"""What these locations are called."""
FIRST = 4
"""The code of the location at which a process starts."""
AT_REST = (END, NOT_STARTED, DEAD, ABORTED)
"""Locations that no transition leaves by itself."""


class Fairness(Enum):
    """What is promised about a process that could move.

    NONE promises nothing.  WEAK: one that can move from some point on, without interruption, does.
    STRONG: one that can move again and again does.
    """

    NONE = "none"
    WEAK = "weak"
    STRONG = "strong"


class Kind(Enum):
    """The kinds of property, and what each claims."""

    INVARIANT = "invariant"  # holds in every reachable state
    LEMMA = "lemma"  # an invariant that may help to prove the others
    STEP_INVARIANT = "step invariant"  # holds of every step: (state before, state after)
    EVENT_NEVER = "event never"  # no step emits one of these events
    REACHABLE = "reachable"  # some reachable state satisfies it
    LEADS_TO = "leads-to"  # after the first formula, sooner or later the second
    ALWAYS_POSSIBLE = "always possible"  # wherever the first formula holds, the second can still be reached
    DEADLOCK_FREE = "deadlock free"  # somebody can move, or everybody is done
    NO_STUCK = "nobody stuck"  # a process that is not done can still move, some day
    IN_DOMAIN = "in domain"  # no value leaves its domain
    NO_ABORT = "no abort"  # no process aborts


SAFETY = frozenset(
    {
        Kind.INVARIANT,
        Kind.LEMMA,
        Kind.STEP_INVARIANT,
        Kind.EVENT_NEVER,
        Kind.REACHABLE,
        Kind.DEADLOCK_FREE,
        Kind.IN_DOMAIN,
        Kind.NO_ABORT,
    }
)
"""The kinds that a finite run decides, one way or the other."""


@dataclass(frozen=True)
class Slot:
    """One cell of the state.

    `role` tells what it is for: "data" is the author's, "location" the control point of a process, "lock" the
    holder of a lock, "group" whether a group of processes lives, "budget" the faults taken so far.
    """

    name: str
    domain: Domain
    role: str = "data"


@dataclass(frozen=True)
class Process:
    """A thread, or one action.

    `location` is the slot of its control point, None for an action, which has none.  `idle` holds the
    locations at which waiting is no fault.  Fairness belongs to the process, never to a path through it.  `lane` is
    where a picture shows it, empty for the lane of its group.
    """

    name: str
    fairness: Fairness = Fairness.NONE
    location: int | None = None
    group: str | None = None
    idle: frozenset[int] = frozenset()
    lane: str = field(default="", compare=False)

    @property
    def done(self) -> frozenset[int]:
        """The locations at which the process may stay for ever: at rest, or idle."""
        return self.idle | frozenset(AT_REST)


@dataclass(frozen=True)
class Fault:
    """A fault that a transition takes.  An injected one cannot be produced by the real kernel."""

    label: str
    site: Source | None = field(default=None, compare=False)
    injected: bool = False


@dataclass(frozen=True)
class Event:
    """Something that a step does for others to see, with its concrete arguments."""

    name: str
    args: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value}" for key, value in self.args)
        return f"{self.name}({inside})" if inside else self.name


@dataclass(frozen=True)
class Condition:
    """A conjunct, and where it comes from: the author's lines, or in words what it means that it is false."""

    formula: Expr
    sources: tuple[Source, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Transition:
    """One atomic step: where `guard` holds, `update` may happen.

    `process` indexes `System.processes`.  `update` lists (slot, new value) by ascending slot; the values are
    read in the state before the step.  `choices` are (question, answer) in the order they were asked.
    `functions` are the C functions the step stands for, `sources` the author's lines that it runs, in that order: first
    the one that names the step.  `conditions` say the same as `guard`, one by one, with where each comes from; empty
    when nobody wrote that down.
    """

    process: int
    label: str
    guard: Expr
    update: tuple[tuple[int, Expr], ...]
    choices: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()
    events: tuple[Event, ...] = ()
    functions: tuple[str, ...] = field(default=(), compare=False)
    sources: tuple[Source, ...] = field(default=(), compare=False)
    conditions: tuple[Condition, ...] = field(default=(), compare=False)

    @property
    def title(self) -> str:
        """The label with the outcomes of its choices."""
        picked = ", ".join(f"{question}: {answer}" for question, answer in self.choices)
        return f"{self.label} ({picked})" if picked else self.label


@dataclass(frozen=True)
class Property:
    """A claim about a System.

    `formulas` holds one formula; for LEADS_TO two, the trigger and the response, for ALWAYS_POSSIBLE the premise
    and the goal.  For EVENT_NEVER it is the
    condition under which the `events` are forbidden, for DEADLOCK_FREE the condition under which nobody has
    to move.  For IN_DOMAIN there is one formula for each assignment that could leave its domain, `parts` says in
    words which, and `steps` by which transition.  `quiet` restricts ALWAYS_POSSIBLE to steps of fair processes
    without faults.
    `family` is the name without its arguments.  `conditions` say the same as a single formula, part by part, with the
    author's lines; empty when nobody wrote that down.
    """

    name: str
    kind: Kind
    formulas: tuple[Expr, ...] = ()
    events: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    quiet: bool = False
    family: str = ""
    doc: str = field(default="", compare=False)
    source: Source | None = field(default=None, compare=False)
    steps: tuple[int, ...] = ()
    conditions: tuple[Condition, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Outcome:
    """One way in which an aspect of a run can end: where `formula` holds in the last state, and none before it did."""

    aspect: str
    label: str
    formula: Expr


@dataclass(frozen=True)
class Collected:
    """An aspect that a whole run decides: the distinct values of `argument` in the events called `event`."""

    aspect: str
    event: str
    argument: str


OTHERWISE = "otherwise"
"""The outcome of an aspect in a state where none of its labels applies."""
NOBODY = "nobody"
"""The outcome of a collected aspect on a run without such an event."""


@dataclass(frozen=True)
class System:
    """A finite transition system with its properties.

    `init` lists, per slot, the codes it may start with; the initial states are those combinations that
    satisfy `assume`.  `severities` grade a violation by the state it ends in, worst first.  `outcomes` and
    `collected` say what is told of how a run ends; they claim nothing.  `merging` says in words which states were
    made one.  `scope` holds what a verdict about this System has to name.  `drawing` says how runs are drawn.
    """

    name: str
    slots: tuple[Slot, ...]
    init: tuple[tuple[int, ...], ...]
    processes: tuple[Process, ...]
    transitions: tuple[Transition, ...]
    properties: tuple[Property, ...] = ()
    assume: Expr = TRUE
    severities: tuple[tuple[str, Expr], ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    collected: tuple[Collected, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    scope: tuple[str, ...] = ()
    merging: str = "nothing merged"
    doc: str = field(default="", compare=False)
    drawing: Drawing = field(default=Drawing(), compare=False)
    origin: Origin | None = field(default=None, compare=False)

    def slot(self, name: str) -> int:
        """The index of the slot called `name`.  Raises KeyError when there is none."""
        for index, slot in enumerate(self.slots):
            if slot.name == name:
                return index
        raise KeyError(name)

    def property(self, name: str) -> Property:
        """The property called `name`.  Raises KeyError when there is none."""
        for prop in self.properties:
            if prop.name == name:
                return prop
        raise KeyError(name)

    def span(self, slot: int) -> tuple[int, int]:
        """The least code of `slot`'s domain, and how many codes there are."""
        domain = self.slots[slot].domain
        return domain.low, domain.size

    def first_states(self) -> Iterator[State]:
        """Every combination of initial codes, before `assume` is applied; the first slot changes slowest."""
        return product(*self.init)

    def with_properties(self, properties: tuple[Property, ...]) -> System:
        """The same system with other claims about it."""
        return replace(self, properties=properties)

    def digest(self) -> str:
        """A hash of the meaning: comments, docstrings, line numbers and C names leave it alone."""
        return hashlib.sha256("\n".join(meaning(self)).encode()).hexdigest()[:16]


# ---- printing -----------------------------------------------------------------------------------------------


def meaning(system: System) -> Iterator[str]:
    """The System as text, line by line: all that an engine can depend on, and nothing else."""
    yield f"system {system.name}"
    for slot, codes in zip(system.slots, system.init, strict=True):
        first = ", ".join(slot.domain.show(code) for code in codes)
        kind = "" if slot.role == "data" else f" [{slot.role}]"
        yield f"slot {slot.name}: {slot.domain.name}{kind} init {first}"
        if slot.domain.kind == "name":
            yield "  values " + " | ".join(slot.domain.show(code) for code in slot.domain.codes)
    if system.assume != TRUE:
        yield f"assume {render(system.assume, system.slots)}"
    for process in system.processes:
        where = "action" if process.location is None else system.slots[process.location].name
        idle = f" idle {sorted(process.idle)}" if process.idle else ""
        yield f"process {process.name}: {where}, fairness {process.fairness.value}, group {process.group}{idle}"
    for transition in system.transitions:
        yield from _transition_lines(system, transition)
    for prop in system.properties:
        yield _property_line(system, prop)
    for name, formula in system.severities:
        yield f"severity {name}: {render(formula, system.slots)}"
    for outcome in system.outcomes:
        yield f"outcome {outcome.aspect}: {outcome.label}: {render(outcome.formula, system.slots)}"
    for collected in system.collected:
        yield f"outcome {collected.aspect}: each {collected.argument} of {collected.event}"


def _transition_lines(system: System, transition: Transition) -> Iterator[str]:
    yield f"transition {system.processes[transition.process].name}: {transition.title}"
    yield f"  when {render(transition.guard, system.slots)}"
    for slot, value in transition.update:
        yield f"  {system.slots[slot].name} := {render(value, system.slots, system.slots[slot].domain)}"
    for fault in transition.faults:
        yield f"  {'injected fault' if fault.injected else 'fault'} {fault.label}"
    for event in transition.events:
        yield f"  emits {event}"


def _property_line(system: System, prop: Property) -> str:
    between = " ~> " if prop.kind in (Kind.LEADS_TO, Kind.ALWAYS_POSSIBLE) else "; "
    said = between.join(render(formula, system.slots) for formula in prop.formulas)
    events = f" [{', '.join(prop.events)}]" if prop.events else ""
    quiet = " (quiet)" if prop.quiet else ""
    return f"{prop.kind.value} {prop.name}{events}{quiet}" + (f": {said}" if said else "")


def render(node: Expr, slots: tuple[Slot, ...], domain: Domain | None = None) -> str:
    """`node` as people read it; a bare constant is shown as a value of `domain` when that is given."""
    match node:
        case Const(boolean=True):
            return str(bool(node.value))
        case Const():
            return domain.show(node.value) if domain else str(node.value)
        case Read():
            return slots[node.slot].name + ("'" if node.primed else "")
        case In():
            return _render_in(node, slots)
        case Apply(op=Op.NOT):
            return f"not {_inner(node.args[0], slots)}"
        case Apply(op=Op.ITE):
            condition = _inner(node.args[0], slots)
            yes, no = (render(branch, slots, domain) for branch in node.args[1:])
            return f"({yes} if {condition} else {no})"
        case Apply(op=Op.AND | Op.OR):
            return f" {node.op.value} ".join(_inner(arg, slots) for arg in node.args)
        case _:
            return f" {node.op.value} ".join(_inner(arg, slots) for arg in node.args)


def _inner(node: Expr, slots: tuple[Slot, ...]) -> str:
    text = render(node, slots)
    bare = not isinstance(node, Apply) or node.op in (Op.ITE, Op.NOT)
    return text if bare else f"({text})"


def _render_in(node: In, slots: tuple[Slot, ...]) -> str:
    slot = slots[node.slot]
    name = slot.name + ("'" if node.primed else "")
    if slot.domain.kind == "bool":
        return name if node.mask == 2 else f"not {name}"
    codes = node.codes
    others = [code for code in slot.domain.codes if code not in codes]
    if len(codes) == 1:
        return f"{name} = {slot.domain.show(codes[0])}"
    if len(others) == 1:
        return f"{name} != {slot.domain.show(others[0])}"
    listed, word = (codes, "in") if len(codes) <= len(others) else (others, "not in")
    return f"{name} {word} {{{', '.join(slot.domain.show(code) for code in listed)}}}"


# ---- parts of formulas that several passes and engines need -----------------------------------------------------


def member_of(system: System, slot: int | None, codes: Set[int]) -> Expr:
    """The code in `slot` is one of `codes`.  False for no slot: an action has no location."""
    if slot is None:
        return FALSE
    domain = system.slots[slot].domain
    return member(slot, codes, domain.low, domain.size)


def location_labels(name: str) -> list[str]:
    """The author's labels in the name of a location: `a <2>` is the second one called a, `a | b` were merged."""
    return [re.sub(r" <\d+>$", "", part) for part in name.split(" | ")]


def everybody_done(system: System) -> Expr:
    """All processes that have locations are at rest or idle.  False when there is no such process."""
    located = [process for process in system.processes if process.location is not None]
    return conj(*(member_of(system, p.location, p.done) for p in located)) if located else FALSE
