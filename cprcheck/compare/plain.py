# SPDX-License-Identifier: Apache-2.0
"""Frozen dataclasses as JSON, and back: what a worker answers, and what is kept on disk."""

from __future__ import annotations

import types
import typing
from dataclasses import asdict, fields, is_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A dataclass of numbers, texts, truth values, None, tuples and other such dataclasses, as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, tuple) else value


def restored(kind: type[T], data: Any) -> T:
    """The `kind` that `plain` made `data` of: equal to it, also in fields that do not compare."""
    return typing.cast("T", _restored(kind, data))


def _restored(kind: Any, data: Any) -> Any:
    arguments = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        return None if data is None else _restored(next(each for each in arguments if each is not types.NoneType), data)
    if typing.get_origin(kind) is tuple:
        inner = [arguments[0]] * len(data) if arguments[1:] == (...,) else arguments
        return tuple(_restored(each, part) for each, part in zip(inner, data, strict=True))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{each.name: _restored(hints[each.name], data[each.name]) for each in fields(kind)})
    return data
