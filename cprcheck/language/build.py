# SPDX-License-Identifier: Apache-2.0
"""From declarations to a System: run what the author wrote, once, and write down what it did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from cprcheck.domains import OneOf
from cprcheck.errors import ModelError, Source
from cprcheck.expr import FALSE, TRUE, Const, Expr, In, Read, conj, member, neg, reads, rebuild, truth
from cprcheck.lanes import Bar, Drawing
from cprcheck.language.capture import check_captured, fingerprint
from cprcheck.language.claims import origins, rejoin
from cprcheck.language.control import Extraction
from cprcheck.language.declare import (
    FREE,
    GROUP_ALIVE,
    LOCK_FREE,
    Declarations,
    ProcessDecl,
    PropertyDecl,
    listing,
)
from cprcheck.language.machine import Machine
from cprcheck.language.path import Path, explore
from cprcheck.language.place import reported
from cprcheck.language.rails import instrument
from cprcheck.language.terms import Term, quote
from cprcheck.language.view import ABORT, Reader, View
from cprcheck.passes.conditions import rewritten
from cprcheck.passes.merge import merge_locations
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.system import (
    END,
    FIRST,
    SPECIAL,
    Collected,
    Condition,
    Kind,
    Outcome,
    Process,
    Property,
    Slot,
    System,
    Transition,
)

Claims = tuple[tuple[Expr, ...], tuple[Condition, ...]]
"""The formulas of a property; where it is one, that part by part, with lines."""
TWICE = 256
"""A process with at most so many locations is run twice, to see that it does the same."""


def system(declarations: Declarations) -> System:
    """The System that is declared: extracted, with domain obligations, equal locations merged."""
    return _Builder(declarations).build()


class _Builder:
    """One model on its way to a System."""

    def __init__(self, declarations: Declarations) -> None:
        self.declarations = declarations
        self.extractions: dict[int, Extraction] = {}
        names = [process.name for process in self.declarations.processes]
        for lock in self.declarations.locks:
            slots = self.declarations.slots
            slots[lock.slot] = replace(slots[lock.slot], domain=OneOf(FREE, *names))

    def build(self) -> System:
        """Run everything that was declared."""
        transitions: list[Transition] = []
        processes: list[Process] = []
        for decl in self.declarations.processes:
            if decl.location is None:
                transitions += self.action(decl)
                idle: frozenset[int] = frozenset()
            else:
                idle, steps = self.process(decl)
                transitions += steps
            group = None if decl.group is None else decl.group.name
            processes.append(Process(decl.name, decl.fairness, decl.location, group, idle, decl.lane))
        properties = tuple(map(self.property, self.declarations.properties))
        severities = tuple((label, self.formula(function)) for label, function in self.declarations.severities)
        assume = conj(*map(self.formula, self.declarations.assumptions))
        made = System(
            name=self.declarations.name,
            slots=tuple(self.declarations.slots),
            init=tuple(self.declarations.init),
            processes=tuple(processes),
            transitions=tuple(transitions),
            properties=(*properties, *self.implicit(properties, transitions)),
            assume=assume,
            severities=severities,
            outcomes=tuple(Outcome(*named, self.formula(function)) for named, function in self.declarations.outcomes),
            collected=tuple(self.collected(decl, source, transitions) for decl, source in self.declarations.collected),
            params=self.declarations.params,
            scope=tuple(self.declarations.scope),
            doc=self.declarations.doc,
            drawing=self.drawing(),
            origin=self.declarations.origin,
        )
        return with_domain_obligations(merge_locations(self.located(made)))

    # ---- processes and actions ------------------------------------------------------------------------------

    def process(self, decl: ProcessDecl) -> tuple[frozenset[int], list[Transition]]:
        """The idle locations and the steps of a process; its location slot gets its domain."""
        assert decl.location is not None
        found = self.extractions[decl.number] = Machine(decl, View(self.declarations, decl)).run()
        if len(found.locations) <= TWICE and found != Machine(decl, View(self.declarations, decl)).run():
            raise ModelError(twice(decl.family), decl.source)
        domain = OneOf(*SPECIAL, *_distinct([location.label for location in found.locations]))
        slot, size = decl.location, domain.size
        self.declarations.slots[slot] = Slot(f"@{decl.name}", replace(domain, name=f"@{decl.name}"), "location")
        steps = []
        for step in found.steps:
            here = Condition(member(slot, [FIRST + step.origin], 0, size), reason="the process stands elsewhere")
            writes = dict(step.path.writes)
            if step.target is not None:
                writes[slot] = Const(FIRST + step.target)
            elif step.over == "end":
                writes[slot] = Const(END)
            steps.append(self.transition(decl, found.locations[step.origin].label, step.path, writes, here))
        return frozenset(FIRST + i for i, location in enumerate(found.locations) if location.idle), steps

    def action(self, decl: ProcessDecl) -> list[Transition]:
        """The steps of an action, one for each path."""
        view = View(self.declarations, decl)
        stamp = self.declarations.renew(f"action {decl.name}")
        first = (decl.source.file, decl.source.line)
        base = Path(functions=[decl.c_function] if decl.c_function else [], lines={first: None})
        if decl.group is not None:
            base.assume(member(decl.group.slot, [GROUP_ALIVE], 0, 3), reason=f"{decl.group.name} is not alive")
        if decl.lock is not None:
            size = self.declarations.slots[decl.lock.slot].domain.size
            base.assume(member(decl.lock.slot, [LOCK_FREE], 0, size), reason=decl.lock.reason)
        function = instrument(decl.function)

        def run() -> None:
            with reported():
                returned = function(view, **decl.args)
            if returned is not None:
                said = f"action {decl.family} returns {quote(returned)}; an action assigns, and returns nothing"
                raise ModelError(said, decl.source)

        captured = fingerprint(decl.function)
        outcomes = explore(stamp, base, run)
        if outcomes != explore(stamp, base, run):
            raise ModelError(twice(decl.family), decl.source)
        check_captured(decl.family, decl.function, captured, decl.source)
        return [self.transition(decl, decl.family, path, path.writes) for path, _ in outcomes]

    def transition(
        self, decl: ProcessDecl, label: str, path: Path, writes: dict[int, Expr], *here: Condition
    ) -> Transition:
        """One path as a transition, which also needs `here`."""
        conditions = (*here, *path.conditions.values())
        unchanged = {slot for slot, value in writes.items() if _is_read(value, slot)}
        update = tuple((slot, writes[slot]) for slot in sorted(writes) if slot not in unchanged)
        return Transition(
            process=decl.number,
            label=label,
            guard=conj(*(condition.formula for condition in conditions)),
            update=update,
            choices=tuple(path.choices),
            faults=tuple(path.faults),
            events=tuple(path.events),
            functions=tuple(path.functions),
            sources=tuple(Source(file, line) for file, line in path.lines),
            conditions=conditions,
        )

    # ---- properties -----------------------------------------------------------------------------------------

    def property(self, decl: PropertyDecl) -> Property:
        """A property as formulas."""
        claims: Claims = ((FALSE,), ())
        if decl.kind is Kind.STEP_INVARIANT:
            claims = self.claims(decl.function, decl.args, views=2)
        elif decl.kind is Kind.LEADS_TO:
            claims = self.claims(decl.function, decl.args, results=2)
        elif decl.kind is Kind.ALWAYS_POSSIBLE:
            claims = self.claims(decl.function, decl.args, results=2, premise=TRUE)
        elif decl.kind is Kind.EVENT_NEVER:
            claims = self.claims(decl.function, decl.args, missing=True)
        elif decl.function is not None:
            claims = self.claims(decl.function, decl.args)
        formulas, conditions = claims
        return Property(
            name=decl.name,
            kind=decl.kind,
            formulas=formulas,
            events=decl.events,
            quiet=decl.quiet,
            family=decl.family,
            doc=decl.doc,
            source=decl.source,
            conditions=conditions,
        )

    def formula(self, function: Callable[..., Any]) -> Expr:
        """One truth value over the state."""
        formulas, _ = self.claims(function, {})
        return formulas[0]

    def claims(
        self,
        function: Callable[..., Any] | None,
        args: Any,
        views: int = 1,
        results: int = 1,
        *,
        missing: bool | None = None,
        premise: Expr | None = None,
    ) -> Claims:
        """What a property function returns, its paths joined into one formula for each result, and their lines.

        `missing` is what a function that returns nothing says; None when it has to say something.  `premise`
        is put before the only result of a function that might return two.
        """
        assert function is not None
        stamp = self.declarations.renew(f"property {function.__name__}")
        readers = [Reader(self.declarations, primed=bool(i)) for i in range(views)]
        railed = instrument(function)

        def run() -> list[Expr]:
            with reported():
                returned = railed(*readers, **args)
            values = [returned] if results == 1 else returned
            if premise is not None and not isinstance(returned, tuple):
                return [premise, self.claim(function, returned, missing)]
            if results > 1 and not (isinstance(values, tuple) and len(values) == results):
                raise ModelError(
                    f"{function.__name__} returns {quote(returned)}; return a pair of claims", _source(function)
                )
            return [self.claim(function, value, missing) for value in values]

        captured = fingerprint(function)
        outcomes = explore(stamp, Path(), run)
        check_captured(function.__name__, function, captured, _source(function))
        returned = [(path, values) for path, values in outcomes if isinstance(values, list)]
        formulas = tuple(rejoin([(path.decided, values[i]) for path, values in returned]) for i in range(results))
        parts = [(path, values[0]) for path, values in returned] if results == 1 else []
        return formulas, origins(function, parts, self.declarations.slots) if parts else ()

    def drawing(self) -> Drawing:
        """What pictures of runs show.  A bar is never asked by a pass, so it may not ask for locations."""
        bars = []
        for label, function in self.declarations.bars:
            formula = self.formula(function)
            if any(slot < 0 for slot in reads(formula)):
                said = f"bar {label!r} asks m.at; a picture must not decide which locations are equal: keep a variable"
                raise ModelError(said, _source(function))
            bars.append(Bar(label, formula))
        return Drawing(tuple(self.declarations.lanes), tuple(self.declarations.arrows), tuple(bars))

    def claim(self, function: Callable[..., Any], value: object, missing: bool | None) -> Expr:
        """A truth value that a property function returned."""
        if isinstance(value, Term) and value.domain.kind == "bool":
            return value.node
        if isinstance(value, bool):
            return truth(value)
        if value is None and missing is not None:
            return truth(missing)
        said = "nothing" if value is None else quote(value)
        raise ModelError(f"{function.__name__} returns {said}; return the claim, a truth value", _source(function))

    def implicit(self, properties: tuple[Property, ...], transitions: Sequence[Transition]) -> list[Property]:
        """The properties that every model has: somebody can move, nobody is stuck, nobody aborts."""
        found = []
        if not any(prop.kind is Kind.DEADLOCK_FREE for prop in properties):
            doc = "Somebody can move without a fault, or everybody is done."
            found.append(Property("deadlock_free", Kind.DEADLOCK_FREE, (FALSE,), family="deadlock_free", doc=doc))
        if self.extractions:
            doc = "A process that is not done can still move, some day."
            found.append(Property("nobody_stuck", Kind.NO_STUCK, family="nobody_stuck", doc=doc))
        if any(event.name == ABORT for transition in transitions for event in transition.events):
            doc = "No process aborts."
            found.append(Property("never_aborts", Kind.NO_ABORT, (TRUE,), (ABORT,), family="never_aborts", doc=doc))
        return found

    def collected(self, decl: Collected, source: Source | None, transitions: Sequence[Transition]) -> Collected:
        """`decl`, once every such event is known to have the argument."""
        for event in (event for transition in transitions for event in transition.events):
            names = [name for name, _ in event.args]
            if event.name == decl.event and decl.argument not in names:
                known = f"it has {listing(names)}" if names else "it has none"
                said = f"outcome {decl.aspect!r}: a step emits {event} without an argument {decl.argument!r}; {known}"
                raise ModelError(said, source)
        return decl

    # ---- locations that were named before they were known ---------------------------------------------------------

    def located(self, system: System) -> System:
        """`system` with every `m.at` replaced by the set of locations that it means."""
        marks = [self.mark(decl, label) for decl, label in self.declarations.marks]

        def leaf(at: Read | In) -> Expr:
            if at.slot >= 0 or isinstance(at, Read):
                return at
            found = marks[-1 - at.slot]
            return found if at.mask == 2 else neg(found)

        @lru_cache(maxsize=1 << 16)
        def put(node: Expr) -> Expr:
            return rebuild(node, leaf)

        if not marks:
            return system
        return replace(
            system,
            assume=put(system.assume),
            transitions=tuple(
                replace(
                    t,
                    guard=put(t.guard),
                    update=tuple((slot, put(value)) for slot, value in t.update),
                    conditions=rewritten(t.conditions, put),
                )
                for t in system.transitions
            ),
            properties=tuple(
                replace(p, formulas=tuple(map(put, p.formulas)), conditions=rewritten(p.conditions, put))
                for p in system.properties
            ),
            severities=tuple((label, put(formula)) for label, formula in system.severities),
            outcomes=tuple(replace(outcome, formula=put(outcome.formula)) for outcome in system.outcomes),
        )

    def mark(self, decl: ProcessDecl, label: str) -> Expr:
        """The locations of `decl` that are called `label`."""
        if decl.location is None:
            raise ModelError(f"m.at: {decl.name} is an action and has no locations", decl.source)
        labels = [location.label for location in self.extractions[decl.number].locations]
        codes = [FIRST + i for i, other in enumerate(labels) if other == label]
        if label in SPECIAL:
            codes.append(SPECIAL.index(label))
        if not codes:
            known = ", ".join(repr(other) for other in dict.fromkeys(labels))
            raise ModelError(f"m.at: {decl.name} has no step {label!r}; it has {known}", decl.source)
        return member(decl.location, codes, 0, self.declarations.slots[decl.location].domain.size)


def twice(name: str) -> str:
    """The message for code that depends on something else than it should."""
    return f"run twice, {name} did two different things; it may depend on the state, its arguments and constants only"


def _source(function: Callable[..., Any]) -> Source:
    return Source(function.__code__.co_filename, function.__code__.co_firstlineno)


def _is_read(value: Expr, slot: int) -> bool:
    """Whether `value` is what `slot` holds anyway."""
    return value in (Read(slot), In(slot, 2, 0, 2))


def _distinct(labels: list[str]) -> list[str]:
    """`labels` with a number behind those that occur before."""
    seen: dict[str, int] = {}
    result = []
    for label in labels:
        seen[label] = seen.get(label, 0) + 1
        result.append(label if seen[label] == 1 else f"{label} <{seen[label]}>")
    return result
