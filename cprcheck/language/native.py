# SPDX-License-Identifier: Apache-2.0
"""The author's functions run by Python itself, on concrete values.

No syntax tree, no expressions, no merging: real generators, real enum members, real `if`.  Only choices and faults
are enumerated.  It is slow, and it is the oracle for everything between the author's text and the System.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from cprcheck.domains import show_value
from cprcheck.language.control import idle
from cprcheck.language.declare import (
    GROUP_ALIVE,
    GROUP_DEAD,
    LOCK_FREE,
    Array,
    Group,
    Lock,
    ProcessDecl,
)
from cprcheck.language.model import Model
from cprcheck.language.path import Blocked, Finished
from cprcheck.language.place import breach, reported
from cprcheck.system import Event, Fault

T = TypeVar("T")
Script = tuple[int, ...]
"""The answers to the choices and faults of one step, in the order in which they are asked."""
History = tuple[tuple[int, Script], ...]
"""The steps so far: (number of a process, its script)."""


@dataclass(frozen=True)
class Outcome:
    """One step that can be taken, and what can be seen of it.

    `codes` are those of all slots but the locations, `labels` where each process stands afterwards.
    """

    process: int
    script: Script
    label: str
    choices: tuple[tuple[str, str], ...]
    faults: tuple[Fault, ...]
    events: tuple[Event, ...]
    codes: tuple[int, ...]
    labels: tuple[str, ...]


class World:
    """A concrete state: the variables, and each process as a generator in progress."""

    def __init__(self, model: Model, init: Sequence[int]) -> None:
        self.model, self.declarations = model, model.declarations
        slots = self.declarations.slots
        self.values: list[Any] = [
            slot.domain.decode(code) if slot.role == "data" else code for slot, code in zip(slots, init, strict=True)
        ]
        self.threads: dict[int, Generator[Any, None, Any]] = {}
        self.labels: dict[int, str] = {}
        self.fresh: set[int] = set()
        """The processes that have not taken a step since they were started."""
        for process in self.declarations.processes:
            if process.location is not None:
                self.labels[process.number] = "not started"
                if process.group is None or self.values[process.group.slot] == GROUP_ALIVE:
                    self.begin(process)
        self.view: _NativeView | None = None

    @contextmanager
    def current(self) -> Iterator[None]:
        """While this lasts, `m.at` looks at this world."""
        self.model.world = self
        try:
            yield
        finally:
            self.model.world = None

    def label(self, process: ProcessDecl) -> str:
        """Where `process` stands: the name of its next step, or "end", "dead", "aborted", "not started"."""
        return self.labels[process.number]

    def begin(self, process: ProcessDecl) -> None:
        """Start `process`: it stands before its first step."""
        view = _NativeView(self, process, (), first=True)
        thread = process.function(view, **process.args)
        self.threads[process.number] = thread
        self.fresh.add(process.number)
        self.labels[process.number] = _text(next(thread))

    def put_end(self, number: int, label: str) -> None:
        """Process `number` does not move any more."""
        self.labels[number] = label
        self.threads.pop(number, None)

    def step(self, process: ProcessDecl, script: Script) -> tuple[Outcome | None, list[tuple[int, int]]]:
        """Take a step of `process`: (what happened, the (answers, given) of each question it asked).

        None when the step cannot be taken, because it waits or because a value would leave its domain; the
        world is of no use any more then.
        """
        view = self.view = _NativeView(self, process, script)
        label = self.labels.get(process.number, process.family)
        try:
            with self.current():
                self.move(process, view)
        except Blocked:
            return None, view._made
        except Finished:
            self.threads.pop(process.number, None)
        codes = self.codes()
        if codes is None:
            return None, view._made
        return self.outcome(process, view, label, codes), view._made

    def move(self, process: ProcessDecl, view: _NativeView) -> None:
        """Run the author's code up to the next yield."""
        if process.group is not None and self.values[process.group.slot] != GROUP_ALIVE:
            raise Blocked
        if process.location is None:
            if process.lock is not None and self.values[process.lock.slot] != LOCK_FREE:
                raise Blocked
            with reported():
                process.function(view, **process.args)
            return
        thread = self.threads.get(process.number)
        if thread is None:
            raise Blocked
        if process.lock is not None and process.number in self.fresh:
            if self.values[process.lock.slot] != LOCK_FREE:
                raise Blocked
            self.values[process.lock.slot] = 1 + process.number
        self.fresh.discard(process.number)
        with reported():
            label = next(thread, None)
        if label is not None:
            self.labels[process.number] = _text(label)
            return
        self.put_end(process.number, "end")
        if process.lock is not None:
            self.values[process.lock.slot] = LOCK_FREE

    def codes(self) -> tuple[int, ...] | None:
        """The codes of all slots but the locations; None when a value is outside its domain."""
        codes = []
        for slot, value in zip(self.declarations.slots, self.values, strict=True):
            if slot.role == "data":
                if value not in slot.domain:
                    return None
                codes.append(slot.domain.encode(value))
            elif slot.role != "location":
                codes.append(value)
        return tuple(codes)

    def outcome(self, process: ProcessDecl, view: _NativeView, label: str, codes: tuple[int, ...]) -> Outcome:
        """What can be seen of a step."""
        labels = tuple(self.labels[number] for number in sorted(self.labels))
        script = tuple(given for _, given in view._made)
        return Outcome(
            process.number, script, label, tuple(view._choices), tuple(view._faults), tuple(view._events), codes, labels
        )


class _NativeView:
    """What the author's functions get for `s`: plain values, real writes."""

    def __init__(self, world: World, process: ProcessDecl, script: Script, *, first: bool = False) -> None:
        put = object.__setattr__
        put(self, "_world", world)
        put(self, "_process", process)
        put(self, "_script", script)
        put(self, "_first", first)
        put(self, "_made", [])
        put(self, "_choices", [])
        put(self, "_faults", [])
        put(self, "_events", [])

    _world: World
    _process: ProcessDecl
    _script: Script
    _first: bool
    _made: list[tuple[int, int]]
    _choices: list[tuple[str, str]]
    _faults: list[Fault]
    _events: list[Event]

    def _now(self) -> _NativeView:
        """The view of the step being taken: a process keeps the view that it was started with."""
        return self._world.view if self._first and self._world.view is not None else self

    def __getattr__(self, name: str) -> Any:
        found = self._world.declarations.lookup(name)
        return _NativeCells(self._world, found) if isinstance(found, Array) else self._world.values[found.slot]

    def __setattr__(self, name: str, value: object) -> None:
        found = self._world.declarations.lookup(name)
        if isinstance(found, Array):
            raise breach(f"{name!r} is an array; assign to {name}[index]")
        self._world.values[found.slot] = value

    def require(self, *conditions: object) -> None:
        """Give up the step unless all conditions hold now."""
        if not all(conditions):
            raise Blocked

    def _ask(self, answers: int) -> int:
        at = len(self._made)
        given = self._script[at] if at < len(self._script) else 0
        self._made.append((answers, given))
        return given

    def choose(self, label: str, options: Sequence[T]) -> T:
        """The option that the script names."""
        now = self._now()
        listed = tuple(options)
        option = listed[now._ask(len(listed))]
        now._choices.append((label, show_value(option)))
        return option

    def fault(self, label: str, *, injected: bool = False) -> bool:
        """Whether the script lets the fault happen."""
        now = self._now()
        if now._ask(2) == 0:
            return False
        now._faults.append(Fault(label, None, injected))
        return True

    def emit(self, name: str, **args: Hashable) -> None:
        """Note an event."""
        self._now()._events.append(Event(name, tuple((key, show_value(value)) for key, value in args.items())))

    @contextmanager
    def lock(self, lock: Lock) -> Iterator[None]:
        """Hold a lock; give up the step while somebody else does."""
        if self._world.values[lock.slot] != LOCK_FREE:
            raise Blocked
        self._world.values[lock.slot] = 1 + self._process.number
        try:
            yield
        except (Blocked, Finished, GeneratorExit):
            raise  # the process is gone, or the step is not taken: nobody lets the lock go
        self._world.values[lock.slot] = LOCK_FREE

    def alive(self, group: Group) -> bool:
        """Whether a group lives."""
        return bool(self._world.values[group.slot] == GROUP_ALIVE)

    def kill(self, group: Group) -> None:
        """End all processes of a group."""
        self._bury(group)
        if self._process.group is group and self._process.location is not None:
            raise Finished

    def start(self, group: Group) -> None:
        """Begin all processes of a group."""
        self._free_locks({process.number for process in self._members(group)})
        self._begin(group)

    def _begin(self, group: Group) -> None:
        self._world.values[group.slot] = GROUP_ALIVE
        for process in self._members(group):
            self._world.begin(process)

    def exec(self, old: Group, new: Group) -> None:
        """Replace one group by another."""
        self._begin(new)
        self.kill(old)

    def abort(self, why: str) -> None:
        """End in an error."""
        self.emit("aborted", process=self._process.name, why=why)
        if self._process.group is not None:
            self._bury(self._process.group)
        if self._process.location is not None:
            self._world.put_end(self._process.number, "aborted")
        raise Finished

    def _members(self, group: Group) -> list[ProcessDecl]:
        processes = self._world.declarations.processes
        return [process for process in processes if process.group is group and process.location is not None]

    def _bury(self, group: Group) -> None:
        self._world.values[group.slot] = GROUP_DEAD
        members = {process.number for process in self._members(group)}
        for number in members:
            self._world.put_end(number, "dead")
        self._free_locks(members)

    def _free_locks(self, members: set[int]) -> None:
        for lock in self._world.declarations.locks:
            if self._world.values[lock.slot] - 1 in members:
                self._world.values[lock.slot] = LOCK_FREE


class _NativeCells:
    """An array of plain values."""

    def __init__(self, world: World, array: Array) -> None:
        self._world, self._array = world, array

    def _slot(self, index: object) -> int:
        return self._array.slots[index if isinstance(index, tuple) else (index,)]

    def __getitem__(self, index: object) -> Any:
        return self._world.values[self._slot(index)]

    def __setitem__(self, index: object, value: object) -> None:
        self._world.values[self._slot(index)] = value

    def __iter__(self) -> Iterator[Any]:
        return (self._world.values[slot] for slot in self._array.slots.values())

    def __len__(self) -> int:
        return len(self._array.slots)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (_NativeCells, tuple, list)) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        raise breach(f"s.{self._array.name} is an array and cannot be looked up")


def _text(label: Any) -> str:
    return str(label.label if isinstance(label, idle) else label)


class Native:
    """All concrete runs of a model from one initial valuation of its slots."""

    def __init__(self, model: Model, init: Sequence[int]) -> None:
        self.model, self.init = model, tuple(init)

    def world(self, history: History) -> World:
        """The state after `history`."""
        world = World(self.model, self.init)
        for number, script in history:
            world.step(self.model.declarations.processes[number], script)
        return world

    def outcomes(self, history: History, processes: Sequence[int] | None = None) -> list[Outcome]:
        """Every step that can be taken after `history` (by `processes`), with every answer to its questions."""
        found = []
        for process in self.model.declarations.processes:
            if processes is None or process.number in processes:
                found += self.steps(history, process)
        return found

    def steps(self, history: History, process: ProcessDecl) -> list[Outcome]:
        """The steps of one process, one for each script."""
        found = []
        scripts: list[Script] = [()]
        while scripts:
            script = scripts.pop()
            outcome, made = self.world(history).step(process, script)
            if outcome is not None:
                found.append(outcome)
            given = tuple(answer for _, answer in made)
            for at in range(len(script), len(made)):
                scripts += [(*given[:at], other) for other in range(made[at][0]) if other != given[at]]
        return found

    def holds(self, history: History, function: Callable[..., Any], **args: Hashable) -> Any:
        """What a property function returns in the state after `history`."""
        world = self.world(history)
        with world.current():
            return function(_NativeView(world, world.declarations.processes[0], ()), **args)
