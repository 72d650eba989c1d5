# SPDX-License-Identifier: Apache-2.0
"""What an author writes: `@model`, `m.var`, `@m.process`, `@m.invariant` and their like.

A `Model` collects declarations while the author's function runs.  `Model.system` runs the processes, actions and
properties once and leaves a `System`, which is plain data.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from functools import cached_property
from types import FunctionType
from typing import Any, ParamSpec, TypeGuard, TypeVar

from cprcheck.domains import Bool, Domain, OneOf, domain_of, show_value
from cprcheck.errors import ModelError
from cprcheck.expr import In
from cprcheck.language import build
from cprcheck.language.declare import (
    FREE,
    GROUP_ALIVE,
    GROUP_DOMAIN,
    GROUP_NOT_STARTED,
    LOCK_FREE,
    Array,
    Declarations,
    Family,
    Group,
    Lock,
    ProcessDecl,
    PropertyDecl,
    Var,
    index_values,
    instance_name,
    instances,
    listing,
)
from cprcheck.language.pictures import Pictures
from cprcheck.language.place import author_source, breach, check_names
from cprcheck.language.rails import function_source
from cprcheck.language.signature import check_signature
from cprcheck.language.terms import Term, some
from cprcheck.names import escaped
from cprcheck.system import FIRST, NOT_STARTED, OTHERWISE, Collected, Fairness, Kind, System

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")

IMPLICIT = ("deadlock_free", "nobody_stuck", "never_aborts", "values_in_domain")
"""The properties that come by themselves."""
UNKNOWN_LOCATION = OneOf("end", "not started", "dead", "aborted", "start")
"""Stands for the domain of a location slot until the process has been run."""


class Model(Pictures):
    """A model being written.  Not a class to inherit from.

    Its name, parameters and docstring are filled in by `@model`.
    """

    def __init__(self, name: str = "model") -> None:
        check_names(name)
        self.declarations = Declarations(name)
        self.world: Any = None
        """The concrete world that `m.at` looks at while Python itself runs the model (`native`)."""

    # ---- state ----------------------------------------------------------------------------------------------

    def var(self, name: str, domain: object, *, init: object) -> Var:
        """A state variable, read and written as `s.NAME`.

        `domain` is Bool, a Range, OneOf or an Enum class; `init` a value of it, or `any_of(...)`.
        """
        self.declarations.check_name(name)
        cells = _domain(domain)
        slot = self.declarations.add_slot(name, cells, "data", self.declarations.codes(name, cells, init))
        var = self.declarations.names[name] = Var(name, slot, cells)
        return var

    def array(self, name: str, index: object, domain: object, *, init: object) -> Array:
        """A family of state variables, read and written as `s.NAME[i]`.

        `index` is an index set (a Range, an Enum class, a tuple of constants) or a tuple of index sets, for
        `s.NAME[i, j]`.  `init` is one value for all, `any_of(...)`, or a function of the indices.
        """
        self.declarations.check_name(name)
        cells = _domain(domain)
        sets = tuple(index_values(part) for part in (index if _is_product(index) else (index,)))
        slots = {}
        for args in instances({str(i): values for i, values in enumerate(sets)}):
            key = tuple(args.values())
            value = init(*key) if callable(init) and not isinstance(init, type) else init
            cell = f"{name}[{', '.join(map(show_value, key))}]"
            slots[key] = self.declarations.add_slot(cell, cells, "data", self.declarations.codes(cell, cells, value))
        array = self.declarations.names[name] = Array(name, sets, cells, slots)
        return array

    def assume_init(self, function: F) -> F:
        """Decorator: a function of the state that every initial state has to satisfy."""
        self.declarations.assumptions.append(function)
        return function

    def lock(self, name: str) -> Lock:
        """A mutex, initially free: `with s.lock(bql): ...`, or `lock=` of a process or action."""
        lock = Lock(name, self.declarations.add_slot(f"lock {name}", OneOf(FREE), "lock", (LOCK_FREE,)))
        self.declarations.locks.append(lock)
        return lock

    def group(self, name: str, *, alive: bool = True) -> Group:
        """Processes that live and die together.  A group that is not alive waits for `s.start` or `s.exec`."""
        initially = GROUP_ALIVE if alive else GROUP_NOT_STARTED
        group = Group(name, self.declarations.add_slot(name, GROUP_DOMAIN, "group", (initially,)), initially)
        self.declarations.groups.append(group)
        return group

    # ---- behaviour ------------------------------------------------------------------------------------------

    def process(
        self,
        function: FunctionType | None = None,
        *,
        c: str = "",
        group: Group | None = None,
        lock: Lock | None = None,
        lane: str = "",
        fair: Fairness = Fairness.WEAK,
        **indices: Any,
    ) -> Any:
        """Decorator: a generator function whose yields divide it into atomic steps.

        `c` names the C function that it stands for, as `file` (of the same name) or `file:function`.  `lock` is
        held from its first step to its end.  `lane` is where pictures show it.  Index sets (`d=devices`) make one
        process for each value, passed as an argument.  A process is weakly fair unless said otherwise.
        """
        self._check_place(c, lane)

        def declare(function: FunctionType) -> Family:
            if not inspect.isgeneratorfunction(function):
                raise ModelError(
                    f"process {function.__name__} has no yield; without one it has no steps (an action is one step)",
                    function_source(function),
                )
            return self._declare(function, indices, c, group, lock, lane, fair, located=True)

        return declare if function is None else declare(function)

    def action(
        self,
        function: FunctionType | None = None,
        *,
        c: str = "",
        group: Group | None = None,
        lock: Lock | None = None,
        lane: str = "",
        fair: Fairness = Fairness.NONE,
        **indices: Any,
    ) -> Any:
        """Decorator: a function that is one step, always on offer where its requirements hold.

        With `group` it is on offer while the group lives; with `lock`, while the lock is free.  An action is
        not fair unless said otherwise.
        """
        self._check_place(c, lane)

        def declare(function: FunctionType) -> Family:
            if inspect.isgeneratorfunction(function):
                raise ModelError(
                    f"action {function.__name__} has a yield; an action is one step (use m.process for several)",
                    function_source(function),
                )
            return self._declare(function, indices, c, group, lock, lane, fair, located=False)

        return declare if function is None else declare(function)

    def _declare(
        self,
        function: FunctionType,
        indices: dict[str, Any],
        c: str,
        group: Group | None,
        lock: Lock | None,
        lane: str,
        fair: Fairness,
        *,
        located: bool,
    ) -> Family:
        if not isinstance(fair, Fairness):
            raise breach(f"fair={fair!r}: write NONE, WEAK or STRONG")
        made = []
        for args in instances(indices):
            name = instance_name(function.__name__, args)
            check_names(name)
            check_signature(function, args)
            if name == FREE:
                raise ModelError(
                    f"a process may not be called {FREE!r}: so is a lock called that nobody holds",
                    function_source(function),
                )
            process = ProcessDecl(
                name, function.__name__, function, args, function_source(function), fair, group, lock, c, lane
            )
            if any(other.name == name for other in self.declarations.processes):
                raise ModelError(f"process {name} is declared twice", process.source)
            process.number = len(self.declarations.processes)
            if located:
                first = FIRST if group is None or group.initially == GROUP_ALIVE else NOT_STARTED
                process.location = self.declarations.add_slot(f"@{name}", UNKNOWN_LOCATION, "location", (first,))
            self.declarations.processes.append(process)
            made.append(process)
        return Family(function.__name__, tuple(made))

    # ---- properties -----------------------------------------------------------------------------------------

    def invariant(self, function: F | None = None, **indices: Any) -> Any:
        """Decorator: a function of the state that holds in every reachable state."""
        return self._property(Kind.INVARIANT, function, indices)

    def lemma(self, function: F | None = None, **indices: Any) -> Any:
        """Decorator: an invariant that, once proved, helps to prove the others."""
        return self._property(Kind.LEMMA, function, indices)

    def step_invariant(self, function: F | None = None, **indices: Any) -> Any:
        """Decorator: a function of the states before and after, which holds of every step."""
        return self._property(Kind.STEP_INVARIANT, function, indices)

    def reachable(self, function: F | None = None, **indices: Any) -> Any:
        """Decorator: a function of the state that some reachable state satisfies."""
        return self._property(Kind.REACHABLE, function, indices)

    def leads_to(self, function: F | None = None, **indices: Any) -> Any:
        """Decorator: a function that gives (trigger, response): after the one, sooner or later the other."""
        return self._property(Kind.LEADS_TO, function, indices)

    def always_possible(self, function: F | None = None, *, quiet: bool = False, **indices: Any) -> Any:
        """Decorator: a function of the state that can always become true again.

        When it returns (premise, goal), the goal has to be possible only where the premise holds.  `quiet` asks
        for a way without faults, by steps of fair processes only.
        """
        return self._property(Kind.ALWAYS_POSSIBLE, function, indices, quiet=quiet)

    def event_never(self, *events: str, **indices: Any) -> Any:
        """Decorator: none of `events` happens while the function holds (always, when it returns nothing)."""
        if not events or not all(isinstance(event, str) for event in events):
            raise breach('event_never takes the names of events: @m.event_never("MAP of a valid mapping")')
        check_names(*events)
        return self._property(Kind.EVENT_NEVER, None, indices, events=events)

    def deadlock_free(self, function: F | None = None, *, unless: Callable[..., Any] | None = None) -> Any:
        """Somebody can move, or all processes are at their end or idle: always checked.

        As a decorator, or with `unless`: a function of the state that says where nobody needs to move.
        """
        if any(prop.kind is Kind.DEADLOCK_FREE for prop in self.declarations.properties):
            raise breach("deadlock_free is declared twice; say in one place where nobody needs to move")
        unless = unless or function
        source = function_source(unless) if unless else None
        doc = "Somebody can move without a fault, or everybody is done."
        self.declarations.properties.append(
            PropertyDecl("deadlock_free", "deadlock_free", Kind.DEADLOCK_FREE, unless, {}, source, doc)
        )
        return function if function is not None else (lambda other: other)

    def severity(self, label: str) -> Callable[[F], F]:
        """Decorator: a violation that ends where the function holds is graded `label`.  Worst first."""
        check_names(label)

        def declare(function: F) -> F:
            self.declarations.severities.append((label, function))
            return function

        return declare

    def outcome(self, aspect: str, label: str) -> Callable[[F], F]:
        """Decorator: a run that ends where the function holds is told as `label` under `aspect`.

        Of the labels of one aspect the first that applies counts.
        """
        check_names(label)
        if label == OTHERWISE:
            raise breach(f"{OTHERWISE!r} is said where no label applies; give this one another name")
        if any(named == (aspect, label) for named, _ in self.declarations.outcomes):
            raise breach(f"outcome {aspect!r}: {label!r} is declared twice; join the two with |")
        self._check_aspect(aspect, [collected.aspect for collected, _ in self.declarations.collected])

        def declare(function: F) -> F:
            self.declarations.outcomes.append(((aspect, label), function))
            return function

        return declare

    def outcome_of_events(self, aspect: str, *, event: str, argument: str) -> None:
        """A run is told, under `aspect`, with the distinct values of `argument` in its events called `event`."""
        taken = [aspect for (aspect, _), _ in self.declarations.outcomes]
        self._check_aspect(aspect, [*taken, *(collected.aspect for collected, _ in self.declarations.collected)])
        self.declarations.collected.append((Collected(aspect, event, argument), author_source()))

    def _check_aspect(self, aspect: str, taken: Collection[str]) -> None:
        """Refuse one name for two aspects."""
        check_names(aspect)
        if aspect in taken:
            raise breach(f"outcome {aspect!r} is declared twice; what events tell needs a name of its own")

    def note(self, text: str) -> None:
        """Something that every verdict about this model has to say about its scope."""
        check_names(text)
        self.declarations.scope.append(text)

    def at(self, process: ProcessDecl | Family | str, *labels: str) -> bool:
        """Whether `process`, a handle or a name, stands before the step that one of `labels` names."""
        decl = self._one(process)
        if self.world is not None:
            return bool(self.world.label(decl) in labels)
        if decl.location in self.declarations.stamp.path.writes:
            raise breach(f"this step has moved {decl.name}; ask m.at before start, kill and exec")
        nodes = []
        for label in labels:
            if (decl, label) not in self.declarations.marks:
                self.declarations.marks.append((decl, label))
            mark = In(-1 - self.declarations.marks.index((decl, label)), 2, 0, 2)
            nodes.append(Term(mark, Bool, self.declarations.stamp, self.declarations.slots))
        return some(nodes)

    def _property(
        self,
        kind: Kind,
        function: F | None,
        indices: dict[str, Any],
        events: tuple[str, ...] = (),
        *,
        quiet: bool = False,
    ) -> Any:
        def declare(function: F) -> F:
            family = function.__name__
            if inspect.isgeneratorfunction(function):
                raise ModelError(
                    f"property {family} has a yield; a property returns its claim", function_source(function)
                )
            doc = escaped(inspect.getdoc(function) or "")
            for args in instances(indices):
                name = instance_name(family, args)
                check_names(name)
                if name in IMPLICIT:
                    raise ModelError(
                        f"{name} is a property that every model has; give yours another name", function_source(function)
                    )
                check_signature(function, args, states=2 if kind is Kind.STEP_INVARIANT else 1)
                if any(prop.name == name for prop in self.declarations.properties):
                    raise ModelError(f"property {name} is declared twice", function_source(function))
                source = function_source(function)
                self.declarations.properties.append(
                    PropertyDecl(family, name, kind, function, args, source, doc, events, quiet)
                )
            return function

        return declare if function is None else declare(function)

    def _one(self, process: ProcessDecl | Family | str) -> ProcessDecl:
        """The process that `m.at` is asked about."""
        if isinstance(process, Family) and len(process.instances) == 1:
            return process.instances[0]
        known = {decl.name: decl for decl in self.declarations.processes}
        if isinstance(process, str) and process in known:
            return known[process]
        if isinstance(process, ProcessDecl):
            return process
        shown = process if isinstance(process, str) else process.name
        raise breach(f"m.at takes one process, and {shown!r} is none; there is {listing(known)}")

    # ---- the result -----------------------------------------------------------------------------------------

    @cached_property
    def system(self) -> System:
        """The transition system, built once.  Raises ModelError when the model breaks a rule."""
        return build.system(self.declarations)


def _domain(spec: object) -> Any:
    try:
        domain = domain_of(spec)
    except TypeError as error:
        raise breach(str(error)) from None
    if domain.kind == "name":
        check_names(*map(show_value, domain.values), domain.name)
    return domain


def _is_product(index: object) -> TypeGuard[tuple[object, ...]]:
    """Whether `index` is a tuple of index sets rather than one index set."""
    sets = (Domain, tuple, list, range, type)
    return isinstance(index, tuple) and bool(index) and all(isinstance(part, sets) for part in index)
