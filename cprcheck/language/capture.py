# SPDX-License-Identifier: Apache-2.0
"""What a function captures (closure cells, defaults, the globals it names), so that a change can be noticed.

A process is run piece by piece, and pieces are run again.  If one of them changes a captured list, the next run
does something else, and a branch may be lost without a sound.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, is_dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from cprcheck.errors import ModelError, Source
from cprcheck.language.place import is_authors, source_of

Contents = dict[str, Hashable]
"""For each captured name, dotted where functions lead to others, its contents in a comparable form."""


@dataclass
class Fingerprint:
    """What is captured; `mutable` tells whether any of it can change at all."""

    contents: Contents = field(default_factory=dict)
    mutable: bool = False


def fingerprint(function: Any) -> Fingerprint:
    """The captured contents of `function` and of the author's functions that it names.

    Raises ModelError when it captures an iterator, which remembers how far it was read.
    """
    found = Fingerprint()
    _Collector(found, function).function(function, "")
    return found


def cell_contents(function: FunctionType) -> dict[str, Any]:
    """What the closure of `function` holds, by name; without what has no value yet."""
    found = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # it has no value yet
            found[name] = cell.cell_contents
    return found


def changed(before: Contents, after: Contents) -> str:
    """The first captured name whose contents differ; empty when none does."""
    return next((name for name in after if before.get(name) != after[name]), "")


def check_captured(name: str, function: Callable[..., Any], before: Fingerprint, source: Source) -> None:
    """Refuse a function that changes what it captures: its next run does something else."""
    what = changed(before.contents, fingerprint(function).contents)
    if what:
        raise ModelError(
            f"{name} changes {what!r}, which it captures; what changes belongs in m.var or in a local", source
        )


class _Collector:
    """One walk through what is captured."""

    def __init__(self, found: Fingerprint, root: Any) -> None:
        self.found, self.root = found, root
        self.seen: set[int] = set()

    def function(self, function: Any, prefix: str) -> None:
        """Add everything that `function` captures, its names starting with `prefix`."""
        if isinstance(function, MethodType):
            self.found.contents[f"{prefix}self"] = self.freeze(function.__self__, f"{prefix}self")
            function = function.__func__
        if not isinstance(function, FunctionType) or id(function) in self.seen:
            return
        self.seen.add(id(function))
        if not is_authors(function.__code__.co_filename):
            return
        for name, value in self.captured(function):
            where = f"{prefix}{name}"
            if isinstance(value, (FunctionType, MethodType)):
                self.function(value, f"{where}.")
            elif isinstance(value, ModuleType):
                self.module(value, function, f"{where}.")
            else:
                self.found.contents[where] = self.freeze(value, where)

    def captured(self, function: FunctionType) -> Iterator[tuple[str, Any]]:
        """(name, value) of closure cells, defaults and the globals that the code names."""
        yield from cell_contents(function).items()
        for index, value in enumerate(function.__defaults__ or ()):
            yield f"default {index}", value
        for name, value in vars(function).items():
            if name not in ("__wrapped__", "__c__"):
                yield name, value
        for name in function.__code__.co_names:
            if name in function.__globals__:
                yield name, function.__globals__[name]

    def module(self, module: ModuleType, function: FunctionType, prefix: str) -> None:
        """What `function` may use of an author's module."""
        if not is_authors(getattr(module, "__file__", None) or "<frozen"):
            return
        for name in function.__code__.co_names:
            value = getattr(module, name, None)
            if isinstance(value, FunctionType):
                self.function(value, f"{prefix}{name}.")
            elif value is not None:
                self.found.contents[f"{prefix}{name}"] = self.freeze(value, f"{prefix}{name}")

    def freeze(self, value: Any, where: str) -> Hashable:
        """`value` in a form that changes when its contents do; other objects are taken as they are."""
        if hasattr(value, "__next__") and not isinstance(value, type):
            name = where.rpartition(".")[2]
            raise ModelError(
                f"{self.root.__name__} captures the iterator {name!r}, "
                "which remembers how far it was read; use a tuple",
                source_of(self.root.__code__),
            )
        if value is None or isinstance(value, (bool, int, str, bytes, float)):
            return (type(value).__name__, value)
        self.found.mutable = self.found.mutable or isinstance(value, (list, set, dict))
        if isinstance(value, (list, tuple)):
            return (type(value).__name__, *(self.freeze(item, where) for item in value))
        if isinstance(value, (set, frozenset)):
            return (type(value).__name__, frozenset(self.freeze(item, where) for item in value))
        if isinstance(value, dict):
            return ("dict", *((self.freeze(k, where), self.freeze(v, where)) for k, v in value.items()))
        if isinstance(value, BuiltinFunctionType):
            own = value.__self__
            return (value.__name__, None if isinstance(own, ModuleType) else self.freeze(own, where))
        if isinstance(value, (FunctionType, MethodType)):
            self.function(value, f"{where}.")
        elif type(value).__hash__ is None and isinstance(value, Iterable):
            self.found.mutable = True
            return (type(value).__name__, *(self.freeze(item, where) for item in value))
        elif id(value) not in self.seen and not isinstance(value, (type, Enum)) and self.is_authors_object(value):
            self.seen.add(id(value))
            frozen = is_dataclass(value) and getattr(type(value), "__dataclass_params__").frozen  # noqa: B009
            self.found.mutable = self.found.mutable or not frozen
            return ("object", id(value), *self.attributes(vars(value), where))
        elif isinstance(value, type) and id(value) not in self.seen and self.is_authors_class(value):
            self.seen.add(id(value))
            data = {name: item for name, item in vars(value).items() if not (name.startswith("_") or callable(item))}
            plain = {name: item for name, item in data.items() if not hasattr(item, "__get__")}
            self.found.mutable = self.found.mutable or bool(plain)
            return ("class", id(value), *self.attributes(plain, where))
        return ("object", id(value))

    def attributes(self, contents: Mapping[str, Any], where: str) -> list[Hashable]:
        """The attributes of an object or a class."""
        return [(name, self.freeze(item, where)) for name, item in contents.items()]

    def is_authors_class(self, value: type) -> bool:
        """Whether `value` is an author's class whose attributes might be assigned to."""
        module = sys.modules.get(value.__module__)
        ours = module is not None and not is_authors(getattr(module, "__file__", None) or "<frozen")
        return not ours and not issubclass(value, Enum) and not is_dataclass(value)

    def is_authors_object(self, value: Any) -> bool:
        """Whether `value` has contents worth looking at: an instance of a class outside of cprcheck."""
        module = type(value).__module__.split(".")[0]
        return (hasattr(value, "__dict__") and module not in ("cprcheck", "builtins")) or is_dataclass(value)
