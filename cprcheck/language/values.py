# SPDX-License-Identifier: Apache-2.0
"""Which values may live in a process's locals across a yield, and when two of them are the same."""

from __future__ import annotations

from collections.abc import Hashable, Sequence, Set
from dataclasses import fields, is_dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from cprcheck.domains import Domain
from cprcheck.errors import ModelError, Source
from cprcheck.language.capture import cell_contents
from cprcheck.language.cells import Cells, Live, Turn, as_live
from cprcheck.language.declare import Array, Family, Group, Lock, ProcessDecl, Var
from cprcheck.language.path import Stamp
from cprcheck.language.place import breach, reported
from cprcheck.language.terms import Term, parts
from cprcheck.language.view import Reader

_HANDLES = (Reader, Var, Array, Lock, Group, ProcessDecl, Family, Domain)
_CONSTANTS = (FunctionType, BuiltinFunctionType, MethodType, ModuleType, type)


class NotConstantError(Exception):
    """A local cannot live across a yield; says what is wrong with it."""


Locals = tuple[tuple[str, Hashable], ...]
"""The live locals of a frame, by name."""
Memo = dict[int, tuple[Any, Hashable]]
"""What `typed` made of frozen objects, by their identity; keeps them alive so that identities stay theirs."""


def typed(value: Any, memo: Memo) -> Hashable:
    """`value` in a form in which 1 and True differ, also deep inside.

    Raises NotConstantError when it is, or contains, something that could change or that belongs to one step.
    """
    if value is None or isinstance(value, (bool, int, str, bytes, float)):
        return (type(value), value)
    if id(value) in memo:
        return memo[id(value)][1]
    if isinstance(value, (Term, Cells, Turn)):
        raise NotConstantError(
            "was read from the state before this yield and is used after it; read it again after the yield"
        )
    if isinstance(value, Enum):
        return (type(value), value.name)
    if isinstance(value, tuple):
        return (type(value), *(typed(item, memo) for item in value))
    if isinstance(value, frozenset):
        return ("frozenset", frozenset(typed(item, memo) for item in value))
    if isinstance(value, range):
        return ("range", value.start, value.stop, value.step)
    if isinstance(value, _HANDLES + _CONSTANTS):
        return ("object", id(value))
    if is_dataclass(value) and getattr(type(value), "__dataclass_params__").frozen:  # noqa: B009 - not in the stubs
        contents = (typed(getattr(value, field.name), memo) for field in fields(value))
        memo[id(value)] = (value, (type(value), *contents))
        return memo[id(value)][1]
    kind = type(value).__name__
    raise NotConstantError(
        f"is {'an' if kind[0] in 'aeiou' else 'a'} {kind} and lives across this yield; "
        "only immutable values may: use a tuple, or keep it in m.var"
    )


def is_plain(value: Any, memo: Memo) -> bool:
    """Whether `value` is the same object on all paths of a step: nothing in it can change."""
    if isinstance(value, (Term, Cells, Turn)):
        return True
    if type(value) is tuple:
        return all(is_plain(item, memo) for item in value)
    try:
        typed(value, memo)
    except NotConstantError:
        return False
    return True


def is_iterator(value: Any) -> bool:
    """Whether `value`, or something in it, remembers how far it was read."""
    return any(
        isinstance(item, Live) or (hasattr(item, "__next__") and hasattr(item, "__iter__")) for item in parts(value)
    )


def lambda_of(value: Any, names: Set[str]) -> str:
    """One of the locals `names` that a lambda in `value` reads; empty when there is none."""
    for item in parts(value):
        if isinstance(item, FunctionType) and item.__closure__:
            read = sorted(names & set(item.__code__.co_freevars))
            if read and item.__code__.co_name == "<lambda>":
                return read[0]
    return ""


def method_of(value: Any) -> str:
    """What may change in a bound method or closure in `value`; empty when nothing may."""
    for item in parts(value):
        own: tuple[Any, ...] = ()
        if isinstance(item, (BuiltinFunctionType, MethodType)):
            own = (item.__self__,)
        elif isinstance(item, FunctionType):
            own = (*cell_contents(item).values(), *(item.__defaults__ or ()))
        for holder in own:
            changes = isinstance(holder, (list, dict, set, bytearray))
            authors = isinstance(item, MethodType) and not type(holder).__module__.startswith("cprcheck.language")
            if changes or (authors and not is_plain(holder, {})):
                return f"a {type(holder).__name__}"
    return ""


def check_local(name: str, value: Any, names: Set[str], source: Source) -> None:
    """Refuse what a later statement would see otherwise than Python does; `names` are the locals around it."""
    if is_iterator(value):
        raise ModelError(f"local {name!r} is an iterator, which remembers how far it was read; use a tuple", source)
    held = method_of(value)
    if held:
        raise ModelError(
            f"local {name!r} keeps a function that holds {held}, which may change; call it where it is needed", source
        )
    read = lambda_of(value, names)
    if read:
        raise ModelError(
            f"local {name!r} keeps a lambda that reads {read!r}, which may change after; "
            f"write lambda {read}={read}: ...",
            source,
        )


def items(value: Any, stamp: Stamp, source: Source) -> tuple[Any, ...]:
    """What a for loop goes through: a finite collection.  Cells are read one by one, all else is taken now."""
    if isinstance(value, Term):
        raise breach(f"{value._shown()} is one value, not a collection")
    if isinstance(value, (Cells, Live)):
        return as_live(value).turns()
    before = stamp.touched
    with reported(source):
        taken = tuple(value)
    if stamp.touched != before:
        raise breach(
            "what this loop goes through reads the state turn by turn; write `for i in range(...)` and read it inside"
        )
    return taken


def grows(seen: Sequence[Sequence[Locals]], source: Source) -> ModelError:
    """The error for a yield that is reached with ever new locals; `seen` are those of all frames, each time."""
    values: dict[str, set[Hashable]] = {}
    for frames in seen:
        for frame in frames:
            for name, value in frame:
                values.setdefault(name, set()).add(value)
    if not values:
        return ModelError("this yield is reached with ever new helpers; make them once, outside the loop", source)
    name = max(values, key=lambda name: len(values[name]))
    return ModelError(
        f"local {name!r} keeps growing: it has had {len(values[name])} values at this yield; "
        "keep it in an m.var with a finite domain, or bound the loop",
        source,
    )
