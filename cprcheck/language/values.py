# SPDX-License-Identifier: Apache-2.0
"""Which values may live in a process's locals across a yield, and when two of them are the same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields, is_dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from cprcheck.domains import Domain
from cprcheck.language.declare import Array, Family, Group, Lock, ProcessDecl, Var
from cprcheck.language.terms import Term
from cprcheck.language.view import Cells, Reader

_HANDLES = (Reader, Var, Array, Lock, Group, ProcessDecl, Family, Domain)
_CONSTANTS = (FunctionType, BuiltinFunctionType, MethodType, ModuleType, type)


class NotConstantError(Exception):
    """A local cannot live across a yield; says what is wrong with it."""


Memo = dict[int, tuple[Any, Hashable]]
"""What `typed` made of frozen objects, by their identity; keeps them alive so that identities stay theirs."""


def typed(value: Any, memo: Memo) -> Hashable:
    """`value` in a form in which 1 and True differ, also deep inside.

    Raises NotConstantError when it is, or contains, something that could change or that belongs to one step.
    """
    if value is None or isinstance(value, (bool, int, str, bytes, float)):
        return (type(value).__name__, value)
    if id(value) in memo:
        return memo[id(value)][1]
    if isinstance(value, (Term, Cells)):
        raise NotConstantError(
            "was read from the state before this yield and is used after it; read it again after the yield"
        )
    if isinstance(value, Enum):
        return (type(value).__qualname__, value.name)
    if isinstance(value, tuple):
        return (type(value).__name__, *(typed(item, memo) for item in value))
    if isinstance(value, frozenset):
        return ("frozenset", frozenset(typed(item, memo) for item in value))
    if isinstance(value, range):
        return ("range", value.start, value.stop, value.step)
    if isinstance(value, _HANDLES + _CONSTANTS):
        return ("object", id(value))
    if is_dataclass(value) and getattr(type(value), "__dataclass_params__").frozen:  # noqa: B009 - not in the stubs
        contents = (typed(getattr(value, field.name), memo) for field in fields(value))
        memo[id(value)] = (value, (type(value).__qualname__, *contents))
        return memo[id(value)][1]
    kind = type(value).__name__
    raise NotConstantError(
        f"is {'an' if kind[0] in 'aeiou' else 'a'} {kind} and lives across this yield; "
        "only immutable values may: use a tuple, or keep it in m.var"
    )


def is_iterator(value: Any) -> bool:
    """Whether `value` remembers how far it was read."""
    return hasattr(value, "__next__") and hasattr(value, "__iter__")
