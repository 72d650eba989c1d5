# SPDX-License-Identifier: Apache-2.0
"""Arrays of the state as a step or a property sees them, and loops over their cells."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol, Self

from cprcheck import expr
from cprcheck.analysis import bounds
from cprcheck.domains import Bool, Domain, show_value
from cprcheck.expr import Expr, truth
from cprcheck.language.declare import Array, Key, listing
from cprcheck.language.place import breach
from cprcheck.language.terms import Term, constant, current, every, lift, some


class Slots(Protocol):
    """The slots of the state as a step or a property reads and writes them."""

    def _term(self, slot: int) -> Term: ...
    def _term_of(self, node: Expr, domain: Domain) -> Term: ...
    def _node(self, slot: int) -> Expr: ...
    def _put(self, slot: int, value: object) -> None: ...


class Live:
    """What a loop over cells goes through: item `at` is read when its turn comes, after what the loop has written."""

    def __init__(self, length: int, read: Callable[[int], Any]) -> None:
        self.length, self.read = length, read

    def __iter__(self) -> Iterator[Any]:
        return map(self.read, range(self.length))

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def turns(self) -> tuple[Turn, ...]:
        """What is to be read, turn by turn."""
        return tuple(Turn(self, at) for at in range(self.length))


def live(function: Any, args: tuple[Any, ...]) -> Live:
    """What `enumerate`, `zip` or `reversed` of cells goes through."""
    if function is enumerate:
        cells, start = as_live(args[0]), args[1] if len(args) > 1 else 0
        return Live(cells.length, lambda at: (start + at, cells.read(at)))
    if function is reversed:
        (cells,) = map(as_live, args)
        return Live(cells.length, lambda at: cells.read(cells.length - 1 - at))
    columns = list(map(as_live, args))
    return Live(min(column.length for column in columns), lambda at: tuple(column.read(at) for column in columns))


def as_live(value: Any) -> Live:
    """`value`, cells or a collection, item by item."""
    if isinstance(value, Live):
        return value
    if isinstance(value, Cells):
        return value._live()
    items = tuple(value)
    return Live(len(items), items.__getitem__)


@dataclass(frozen=True, eq=False)
class Turn:
    """One item of a `Live`, not yet read."""

    of: Live
    at: int


class Cells:
    """An array of the state: `s.vaddr[c]`, iteration over its cells, and `len`."""

    __slots__ = ("_array", "_reader")

    def __init__(self, reader: Slots, array: Array) -> None:
        self._reader, self._array = reader, array

    def __getitem__(self, index: object) -> Term:
        cells = self._cells(index)
        if len(cells) == 1 and cells[0][0] is None:
            return self._reader._term(cells[0][1])
        node: Expr | None = None
        for test, slot in reversed(cells):
            assert test is not None
            here = self._reader._node(slot)
            node = here if node is None else expr.ite(test, here, node)
        assert node is not None
        return self._reader._term_of(node, self._array.domain)

    def __setitem__(self, index: object, value: object) -> None:
        for test, slot in self._cells(index):
            if test is None:
                self._reader._put(slot, value)
                continue
            like = self._reader._term(slot)
            node = expr.ite(test, lift(value, like), like.node)
            self._reader._put(slot, self._reader._term_of(node, like.domain))

    def __iter__(self) -> Iterator[Term]:
        return (self._reader._term(slot) for slot in self._array.slots.values())

    def _live(self) -> Live:
        """The cells, for a loop that reads each when its turn comes."""
        slots = tuple(self._array.slots.values())
        return Live(len(slots), lambda at: self._reader._term(slots[at]))

    def __len__(self) -> int:
        return len(self._array.slots)

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __contains__(self, value: object) -> NoReturn:
        raise breach(
            f"`in s.{self._array.name}` is not one expression; "
            f"write some(cell == value for cell in s.{self._array.name})"
        )

    def __repr__(self) -> str:
        return f"the array s.{self._array.name}"

    def __bool__(self) -> NoReturn:
        name = f"s.{self._array.name}"
        raise breach(f"{name} is an array and has no truth of its own; write every({name}) or some({name})")

    def __eq__(self, other: object) -> bool:
        return every(mine == theirs for mine, theirs in self._beside(other))

    def __ne__(self, other: object) -> bool:
        return some(mine != theirs for mine, theirs in self._beside(other))

    def __hash__(self) -> int:
        raise breach(f"s.{self._array.name} has no value while the model is read, so it cannot be looked up")

    def _beside(self, other: object) -> list[tuple[Any, Any]]:
        """The cells, each with what it is compared with."""
        if not isinstance(other, (Cells, tuple, list)) or len(other) != len(self):
            raise breach(f"s.{self._array.name} is an array of {len(self)}; compare it with another one, or a tuple")
        return list(zip(self, other, strict=True))

    def _cells(self, index: object) -> list[tuple[Expr | None, int]]:
        """(test, slot) pairs: the slot of a concrete index, or every slot with the test that picks it."""
        if isinstance(index, slice):
            raise breach(f"{self._array.name} takes an index, not a slice")
        key = index if isinstance(index, tuple) else (index,)
        if len(key) != len(self._array.sets):
            raise breach(f"{self._array.name} takes {len(self._array.sets)} indices, not {len(key)}")
        if not any(isinstance(part, Term) for part in key):
            return [(None, self._slot(key))]
        choices: list[tuple[Expr, Key]] = [(truth(True), ())]
        for part, values in zip(key, self._array.sets, strict=True):
            choices = [
                (expr.conj(test, more), (*so_far, value))
                for test, so_far in choices
                for more, value in self._tests(part, values)
            ]
        return [(test, self._array.slots[key]) for test, key in choices if test != truth(False)]

    def _tests(self, part: object, values: tuple[Hashable, ...]) -> list[tuple[Expr, Hashable]]:
        if not isinstance(part, Term):
            return [(truth(True), part)] if part in values else self._missing(part)
        current(part, self._reader._term_of(truth(True), Bool))
        outside = [v for v in self._possible(part) if v not in values]
        if outside:
            raise breach(
                f"the index {part._shown()} may be {show_value(outside[0])}, which {self._array.name} does not have"
            )
        return [
            (expr.equal(part.node, constant(value, part.domain)), value)
            for value in values
            if value in self._possible(part)
        ]

    def _possible(self, part: Term) -> list[Hashable]:
        """The values that the index expression `part` can have."""
        if part.domain.kind != "int":
            return list(part.domain.values)
        low, high = bounds(part.node, part.slots, {})
        return list(range(low, high + 1))

    def _slot(self, key: Key) -> int:
        if key not in self._array.slots:
            self._missing(key if len(key) > 1 else key[0])
        return self._array.slots[key]

    def _missing(self, index: object) -> NoReturn:
        shown = ", ".join(map(show_value, index)) if isinstance(index, tuple) else show_value(index)
        keys = (", ".join(map(show_value, key)) for key in self._array.slots)
        raise breach(f"{self._array.name} has no index {shown}; there is {listing(keys)}")
