# SPDX-License-Identifier: Apache-2.0
"""What a model declares: variables, arrays, locks, groups and processes, and the slots that they own."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from types import FunctionType
from typing import Any, Self

from cprcheck.domains import Domain, OneOf, show_value
from cprcheck.errors import Source
from cprcheck.lanes import Arrow, Lane
from cprcheck.language.path import Stamp
from cprcheck.language.place import breach, check_names
from cprcheck.origin import Origin
from cprcheck.system import Collected, Fairness, Kind, Slot

WORDS = frozenset({"abort", "alive", "choose", "emit", "exec", "fault", "kill", "lock", "require", "start"})
"""What the state object of a step can do; no variable may have one of these names."""

GROUP_DOMAIN = OneOf("not started", "alive", "dead")
GROUP_NOT_STARTED, GROUP_ALIVE, GROUP_DEAD = range(3)
LOCK_FREE = 0
FREE = "free"
"""The holder of a lock that nobody holds."""

Key = tuple[Hashable, ...]


@dataclass(frozen=True)
class any_of:  # noqa: N801 - reads as a word in models
    """Several initial values: `init=any_of(True, False)`."""

    values: tuple[Hashable, ...]

    def __init__(self, *values: Hashable) -> None:
        object.__setattr__(self, "values", values)


class Handle:
    """What a declaration gives back: a name for something in the state, which has no value of its own."""

    name: str

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __bool__(self) -> bool:
        raise breach(f"{self.name!r} is a declaration and has no value; write s.{self.name}, or s.alive of a group")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Handle):
            raise breach(f"{self.name!r} is a declaration and has no value; write s.{self.name} to compare it")
        return self is other

    def __hash__(self) -> int:
        return id(self)


@dataclass(frozen=True, eq=False)
class Var(Handle):
    """A state variable: one slot."""

    name: str
    slot: int
    domain: Domain


@dataclass(frozen=True, eq=False)
class Array(Handle):
    """A family of slots of one domain; `sets` are its index sets, `slots` the slot of each index."""

    name: str
    sets: tuple[tuple[Hashable, ...], ...]
    domain: Domain
    slots: dict[Key, int] = field(compare=False)


@dataclass(frozen=True, eq=False)
class Lock(Handle):
    """A mutex.  Its slot holds 0 when it is free, else 1 + the number of the process that holds it."""

    name: str
    slot: int

    @property
    def reason(self) -> str:
        """Why a step that takes it has to wait."""
        return f"the lock {self.name} is held"


@dataclass(frozen=True, eq=False)
class Group(Handle):
    """Processes that live and die together, as the threads of one QEMU do."""

    name: str
    slot: int
    initially: int


@dataclass(eq=False)
class ProcessDecl(Handle):
    """One process, or one action: the author's function with its index arguments."""

    name: str
    family: str
    function: FunctionType
    args: dict[str, Hashable]
    source: Source
    fairness: Fairness
    group: Group | None = None
    lock: Lock | None = None
    file: str = ""
    lane: str = ""
    location: int | None = None
    number: int = 0

    @property
    def c_function(self) -> str:
        """The C function that it stands for, with its file; empty when the author named none."""
        return self.file if ":" in self.file or not self.file else f"{self.file}:{self.family}"


@dataclass(frozen=True, eq=False)
class Family(Handle):
    """All instances of one decorated process; `worker(d=...)` is one of them."""

    name: str
    instances: tuple[ProcessDecl, ...]

    def __call__(self, **args: Hashable) -> ProcessDecl:
        """The instance with these index arguments.  Raises ModelError when there is none."""
        for instance in self.instances:
            if instance.args == args:
                return instance
        raise breach(f"no process {instance_name(self.name, args)}; there is {listing(i.name for i in self.instances)}")


@dataclass(frozen=True)
class PropertyDecl:
    """A property as the author wrote it."""

    family: str
    name: str
    kind: Kind
    function: Callable[..., Any] | None
    args: Mapping[str, Hashable]
    source: Source | None
    doc: str
    events: tuple[str, ...] = ()
    quiet: bool = False


class Declarations:
    """Everything declared so far, in order, and a slot for each cell of the state."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.doc = ""
        self.stamp = Stamp((), "")
        """The step, or the property, that is being run just now."""
        self.params: tuple[tuple[str, str], ...] = ()
        self.slots: list[Slot] = []
        self.init: list[tuple[int, ...]] = []
        self.names: dict[str, Var | Array] = {}
        self.locks: list[Lock] = []
        self.groups: list[Group] = []
        self.processes: list[ProcessDecl] = []
        self.properties: list[PropertyDecl] = []
        self.assumptions: list[Callable[..., Any]] = []
        self.severities: list[tuple[str, Callable[..., Any]]] = []
        self.outcomes: list[tuple[tuple[str, str], Callable[..., Any]]] = []
        self.collected: list[tuple[Collected, Source | None]] = []
        self.scope: list[str] = []
        self.lanes: list[Lane] = []
        self.arrows: list[Arrow] = []
        self.bars: list[tuple[str, Callable[..., Any]]] = []
        self.origin: Origin | None = None
        self.marks: list[tuple[ProcessDecl, str]] = []
        """What `m.at` asked about, before the locations were known."""

    def renew(self, where: str) -> Stamp:
        """Begin to run a step or a property: what was read from the state before is void."""
        self.stamp.closed = True
        self.stamp = Stamp(self.slots, where)
        return self.stamp

    def add_slot(self, name: str, domain: Domain, role: str, init: tuple[int, ...]) -> int:
        """A new slot; its index."""
        check_names(name)
        if any(slot.name == name for slot in self.slots):
            raise breach(f"{name!r} is declared twice")
        self.slots.append(Slot(name, domain, role))
        self.init.append(init)
        return len(self.slots) - 1

    def span(self, slot: int) -> tuple[int, int]:
        """The least code of `slot`'s domain, and how many codes there are."""
        domain = self.slots[slot].domain
        return domain.low, domain.size

    def check_name(self, name: str) -> None:
        """Refuse a name that the language uses, that is taken, or that Python could not write after a dot."""
        if name.startswith("_"):
            raise breach(f"{name!r} begins with an underscore, as the language's own names do; use another")
        if name in WORDS:
            raise breach(f"{name!r} is a word of the language; call the variable something else")
        if not name.isidentifier():
            raise breach(f"{name!r} is not a name that can be written after `s.`")
        if name in self.names:
            raise breach(f"{name!r} is declared twice")

    def codes(self, name: str, domain: Domain, init: object) -> tuple[int, ...]:
        """The codes of an initial value, or of each value of `any_of`."""
        values = init.values if isinstance(init, any_of) else (init,)
        codes = []
        for value in values:
            if value not in domain:
                raise breach(f"{name} starts as {show_value(value)}, which is not in {domain.name}")
            assert isinstance(value, Hashable)
            codes.append(domain.encode(value))
        if not codes:
            raise breach(f"{name} has no initial value: any_of() is empty")
        return tuple(sorted(set(codes)))

    def lookup(self, name: str) -> Var | Array:
        """The variable or array called `name`.  Raises ModelError, with a guess, when there is none."""
        if name not in self.names:
            close = difflib.get_close_matches(name, self.names, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there is {listing(self.names)}"
            raise breach(f"no state variable {name!r}; {hint}")
        return self.names[name]


def instance_name(family: str, args: dict[str, Any]) -> str:
    """`worker` with d=e0 as `worker(d=e0)`."""
    inside = ", ".join(f"{key}={show_value(value)}" for key, value in args.items())
    return f"{family}({inside})" if inside else family


def instances(indices: dict[str, Iterable[Hashable]]) -> list[dict[str, Hashable]]:
    """Every combination of index arguments, the first index changing slowest."""
    return [dict(zip(indices, values, strict=True)) for values in product(*map(index_values, indices.values()))]


def index_values(index: object) -> tuple[Hashable, ...]:
    """The values of an index set: a `Domain`, an `Enum` class, or any finite collection without repetition."""
    if isinstance(index, Domain):
        return index.values
    if isinstance(index, (str, bytes)) or not isinstance(index, Iterable):
        raise breach(f"{index!r} is not an index set; give a Range, an Enum class or a tuple")
    values = tuple(index)
    if len(set(values)) != len(values):
        raise breach("an index set holds the same value twice")
    return values


def listing(names: Iterable[str], limit: int = 8) -> str:
    """`a, b and c`, cut after `limit` names."""
    shown = list(names)
    if len(shown) > limit:
        shown = [*shown[:limit], f"{len(shown) - limit} more"]
    return " and ".join(filter(None, [", ".join(shown[:-1]), *shown[-1:]])) or "none"
