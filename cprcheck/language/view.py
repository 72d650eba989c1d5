# SPDX-License-Identifier: Apache-2.0
"""The state as a step or a property sees it: `s.owner`, `s.vaddr[c]`, `s.require(...)`."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set
from contextlib import AbstractContextManager
from typing import Any, NoReturn, Self, TypeVar

from cprcheck import expr
from cprcheck.analysis import bounds
from cprcheck.domains import Bool, Domain, show_value
from cprcheck.expr import Const, Expr, In, Read, member, truth
from cprcheck.language.cells import Cells
from cprcheck.language.declare import (
    GROUP_ALIVE,
    GROUP_DEAD,
    LOCK_FREE,
    Array,
    Declarations,
    Group,
    Lock,
    ProcessDecl,
)
from cprcheck.language.path import Finished, Stamp
from cprcheck.language.place import breach, check_names
from cprcheck.language.terms import Term, current, lift, parts, quote
from cprcheck.system import ABORTED, DEAD, FIRST, Event

T = TypeVar("T")
ABORT = "aborted"
"""The event that `s.abort` emits."""


class Reader:
    """Read access to the state in the present step; `primed` reads it after the step."""

    def __init__(self, declarations: Declarations, *, primed: bool = False) -> None:
        object.__setattr__(self, "_declarations", declarations)
        object.__setattr__(self, "_primed", primed)

    _declarations: Declarations
    _primed: bool

    @property
    def _stamp(self) -> Stamp:
        return self._declarations.stamp

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        found = self._declarations.lookup(name)
        return Cells(self, found) if isinstance(found, Array) else self._term(found.slot)

    def __setattr__(self, name: str, value: object) -> None:
        raise breach(f"a property only reads; it cannot set {name}")

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __hash__(self) -> int:
        raise breach("the state has no value while the model is read, so nothing can be remembered under it")

    def __eq__(self, other: object) -> bool:
        raise breach("a state is not a value; compare variables, as in old.n == new.n")

    def alive(self, group: Group) -> bool:
        """Whether the processes of `group` have been started and not killed."""
        return self._term_of(self._is(group.slot, {GROUP_ALIVE}), Bool)  # type: ignore[return-value]

    # ---- for this package -----------------------------------------------------------------------------------

    def _term_of(self, node: Expr, domain: Domain) -> Term:
        return Term(node, domain, self._stamp, self._declarations.slots)

    def _term(self, slot: int) -> Term:
        return self._term_of(self._node(slot), self._declarations.slots[slot].domain)

    def _node(self, slot: int) -> Expr:
        """What slot holds, as this view sees it."""
        self._stamp.touched += 1
        if not self._primed and slot in self._stamp.path.writes:
            return self._stamp.path.writes[slot]
        if self._declarations.slots[slot].domain.kind == "bool":
            return member(slot, [1], 0, 2, primed=self._primed)
        return Read(slot, self._primed)

    def _is(self, slot: int, codes: Set[int]) -> Expr:
        """Whether the code in `slot`, as this view sees it, is one of `codes`."""
        domain = self._declarations.slots[slot].domain
        mask = sum(1 << code - domain.low for code in codes)
        return expr.membership(self._node(slot), In(slot, mask, domain.low, domain.size), self._declarations.span)

    def _put(self, slot: int, value: object) -> None:
        name = self._declarations.slots[slot].name
        raise breach(f"a property only reads; it cannot set {name}")


class View(Reader):
    """The state as a process or an action sees it in the middle of a step.

    Reading a variable gives its value at this point of the step, after what the step has already written.
    """

    def __init__(self, declarations: Declarations, process: ProcessDecl) -> None:
        super().__init__(declarations)
        object.__setattr__(self, "_process", process)

    _process: ProcessDecl

    def __setattr__(self, name: str, value: object) -> None:
        found = self._declarations.lookup(name)
        if isinstance(found, Array):
            raise breach(f"{name!r} is an array; assign to {name}[index]")
        self._put(found.slot, value)

    # ---- the words of the language ------------------------------------------------------------------------------

    def require(self, *conditions: object) -> None:
        """The step waits until all `conditions` hold.  Comes before the step's first write, choice or fault."""
        if late := self._stamp.path.late("require"):
            raise breach(late)
        for condition in conditions:
            if isinstance(condition, Term):
                current(condition, self._here())
                if condition.domain.kind != "bool":
                    bool(condition)  # raises, and says what it is
                self._stamp.require(condition.node)
            elif isinstance(condition, bool):
                self._stamp.require(truth(condition))
            else:
                raise breach(f"require takes truth values, and {quote(condition)} is none; compare it, or call it")

    def choose(self, label: str, options: Sequence[T]) -> T:
        """One of `options`, freely.  `label` names the question in traces."""
        _check_name("a choice", label)
        listed = tuple(options)
        if not listed:
            raise breach(f"choose({label!r}) has no options; test that there are some before you ask")
        if any(isinstance(part, Term) for part in parts(listed)):
            raise breach(f"choose({label!r}) offers a state expression; offer constants")
        return self._stamp.choose(label, listed)

    def fault(self, label: str, *, injected: bool = False) -> bool:
        """Whether the fault `label` happens here.  `injected` marks one that the real kernel cannot produce."""
        _check_name("a fault", label)
        return self._stamp.fault(label, injected)

    def emit(self, name: str, **args: Hashable) -> None:
        """Let others see that `name` happens in this step."""
        _check_name("an event", name)
        for key, value in args.items():
            if any(isinstance(part, Term) for part in parts(value)):
                raise breach(f"event {name!r} carries the state expression {key}; an event carries constants")
        event = Event(name, tuple((key, show_value(value)) for key, value in args.items()))
        check_names(event)
        self._stamp.touched += 1
        self._stamp.path.events.append(event)

    def lock(self, lock: Lock) -> AbstractContextManager[None]:
        """For `with s.lock(bql):` in a process: nobody else is inside meanwhile."""
        raise breach("s.lock(...) stands in a with statement of a process; an action takes lock=... in its decorator")

    def kill(self, group: Group) -> None:
        """All processes of `group` are gone.  Does not return to a process that is one of them."""
        self._end(group, DEAD)

    def start(self, group: Group) -> None:
        """All processes of `group` begin at their first step, whatever they did before."""
        if self._process.group is group:
            raise breach(f"{self._process.name} is a process of {group.name!r} itself and cannot start it")
        self._free_locks({process.number for process in self._members(group)})
        self._begin(group)

    def _begin(self, group: Group) -> None:
        self._stamp.path.acted = True
        self._stamp.path.writes[group.slot] = Const(GROUP_ALIVE)
        for process in self._members(group):
            self._stamp.path.writes[process.location] = Const(FIRST)  # type: ignore[index]

    def exec(self, old: Group, new: Group) -> None:
        """The program of `old` is replaced by that of `new`, as execve(2) does.  Does not return to `old`."""
        self._begin(new)
        self.kill(old)

    def abort(self, why: str) -> NoReturn:
        """The process ends in an error, as by abort in C, and its group with it.  Does not return."""
        self._stamp.path.acted = True
        self.emit(ABORT, process=self._process.name, why=why)
        if self._process.group is not None:
            self._bury(self._process.group)
        if self._process.location is not None:
            self._stamp.path.writes[self._process.location] = Const(ABORTED)
        raise Finished

    # ---- for this package -----------------------------------------------------------------------------------

    def _here(self) -> Term:
        return Term(truth(True), Bool, self._stamp, self._declarations.slots)

    def _members(self, group: Group) -> list[ProcessDecl]:
        processes = self._declarations.processes
        return [process for process in processes if process.group is group and process.location is not None]

    def _bury(self, group: Group) -> None:
        """Write that `group` is dead: no process of it moves, and the locks that they hold are free."""
        writes = self._stamp.path.writes
        numbers = set()
        writes[group.slot] = Const(GROUP_DEAD)
        for process in self._members(group):
            assert process.location is not None
            writes[process.location] = Const(DEAD)
            numbers.add(process.number)
        self._free_locks(numbers)

    def _free_locks(self, numbers: Set[int]) -> None:
        """Write that the locks that these processes hold are free."""
        writes = self._stamp.path.writes
        for lock in self._declarations.locks:
            held = self._is(lock.slot, {1 + number for number in numbers})
            writes[lock.slot] = expr.ite(held, Const(LOCK_FREE), self._node(lock.slot))

    def _end(self, group: Group, code: int) -> None:
        self._stamp.path.acted = True
        self._bury(group)
        if self._process.group is group and self._process.location is not None:
            self._stamp.path.writes[self._process.location] = Const(code)
            raise Finished

    def _put(self, slot: int, value: object) -> None:
        like = self._term(slot)
        current(value, like)
        node = lift(value, Term(Read(slot), like.domain, None, like.slots))
        self._check_constant(slot, node)
        self._stamp.path.acted = True
        self._stamp.path.writes[slot] = node

    def _check_constant(self, slot: int, node: Expr) -> None:
        """Refuse at once a number that is outside the domain whatever the state."""
        domain, name = self._declarations.slots[slot].domain, self._declarations.slots[slot].name
        if domain.kind == "int":
            low, high = bounds(node, self._declarations.slots, {})
            if high < domain.low or low > domain.high:
                number = low if low == high else f"{low}..{high}"
                raise breach(f"{name} is set to {number}, which is outside {domain.name}")


def _check_name(what: str, name: object) -> None:
    if not isinstance(name, str):
        raise breach(f"the name of {what} is a text, not {quote(name)}")
    check_names(name)
