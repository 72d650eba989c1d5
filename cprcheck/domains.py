# SPDX-License-Identifier: Apache-2.0
"""Finite domains: the values a slot may take, and the small integer (the *code*) each is stored as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal


@dataclass(frozen=True)
class Domain:
    """A finite, ordered set of values.

    `values` are in code order and the first has the code `low`; for integers a value is its own code.
    Two domains are the same when their names, kinds and values are.
    """

    name: str
    kind: Literal["bool", "int", "name"]
    values: tuple[Hashable, ...]
    low: int = 0
    _codes: dict[tuple[type, Hashable], int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = {(type(value), value): self.low + i for i, value in enumerate(self.values)}
        if not self.values or len(codes) != len(self.values):
            raise ValueError(f"domain {self.name} needs one or more different values")
        object.__setattr__(self, "_codes", codes)

    def __deepcopy__(self, memo: object) -> Domain:
        return self

    @property
    def size(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def high(self) -> int:
        """The largest code."""
        return self.low + self.size - 1

    @property
    def codes(self) -> range:
        """Every code, in order."""
        return range(self.low, self.low + self.size)

    @property
    def full(self) -> int:
        """The bit set that holds every code; bit i stands for the code `low + i`."""
        return (1 << self.size) - 1

    def __contains__(self, value: object) -> bool:
        try:
            return (type(value), value) in self._codes
        except TypeError:  # it cannot be hashed: a list, or a tuple with a list in it
            return False

    def encode(self, value: Hashable) -> int:
        """The code of `value`.  Types count: 1 is not True.

        Raises ValueError when `value` is not in the domain.
        """
        if value not in self:
            raise ValueError(f"{show_value(value)} is not in {self.name}")
        return self._codes[type(value), value]

    def decode(self, code: int) -> Hashable:
        """The value whose code is `code`.  Raises ValueError when there is none."""
        if not self.low <= code <= self.high:
            raise ValueError(f"{self.name} has no code {code}")
        return self.values[code - self.low]

    def show(self, code: int) -> str:
        """The value of `code` as people read it; a code outside the domain as itself."""
        return show_value(self.decode(code)) if self.low <= code <= self.high else str(code)


def show_value(value: object) -> str:
    """A concrete value as traces print it: an enum member by its name, all else by `str`."""
    return value.name if isinstance(value, Enum) else str(value)


Bool = Domain("Bool", "bool", (False, True))


def Range(low: int, high: int) -> Domain:
    """The integers from `low` to `high`, both included, as in C's comments and TLA+'s `low..high`."""
    if low > high:
        raise ValueError(f"Range({low}, {high}) is empty")
    return Domain(f"{low}..{high}", "int", tuple(range(low, high + 1)), low)


def OneOf(*values: Hashable) -> Domain:
    """A domain of the given values, in the given order: names, or any hashable constants.

    Raises ValueError when two of them print alike: nobody could tell them apart in a trace.
    """
    shown = [show_value(value) for value in values]
    first: dict[Hashable, Hashable] = {}
    for value in values:
        other = first.setdefault(value, value)
        if type(other) is not type(value):
            raise ValueError(f"two values of OneOf are equal to Python: {other!r} and {value!r}")
    domain = Domain("{" + ", ".join(shown) + "}", "name", values)
    for name, times in Counter(shown).items():
        if times > 1:
            raise ValueError(f"two values of OneOf are shown as {name}; give each a name of its own")
    return domain


def domain_of(spec: object) -> Domain:
    """The domain that `spec` names: a `Domain`, `bool`, or an `Enum` class.

    Raises TypeError for anything else.
    """
    if isinstance(spec, Domain):
        return spec
    if spec is bool:
        return Bool
    if isinstance(spec, type) and issubclass(spec, Enum):
        return Domain(spec.__name__, "name", tuple(spec))
    raise TypeError(f"{spec!r} is not a domain; use Bool, Range(low, high), OneOf(...) or an Enum class")
