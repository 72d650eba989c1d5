# SPDX-License-Identifier: Apache-2.0
"""`@model`, which makes a function of parameters a model, and `@c`, which names the C function of a helper."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar

from cprcheck.domains import show_value
from cprcheck.errors import ModelError, shipped, shorten
from cprcheck.language.model import Model
from cprcheck.language.place import check_names, located, reported
from cprcheck.language.rails import function_source
from cprcheck.names import escaped
from cprcheck.origin import Origin

F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")


class ModelFunction(Generic[P]):
    """A function that makes a Model from parameters, as `@model` leaves it."""

    def __init__(self, function: Callable[P, Model]) -> None:
        self.function = function
        self.name = function.__name__
        self.doc = escaped(inspect.getdoc(function) or "")
        self.source = function_source(function)
        self.signature = inspect.signature(function, eval_str=True)
        wraps(function)(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Model:
        """The Model for these parameters."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        with reported():
            made = self.function(*bound.args, **bound.kwargs)
        if not isinstance(made, Model):
            raise ModelError(f"{self.name} returns {made!r}; a model function returns its Model", self.source)
        made.declarations.name, made.declarations.doc = self.name, self.doc
        made.declarations.params = tuple((key, show_param(value)) for key, value in bound.arguments.items())
        with located(self.source):
            check_names(*(shown for _, shown in made.declarations.params))
        made.declarations.origin = self._origin(bound.arguments)
        return made

    def _origin(self, values: Mapping[str, object]) -> Origin:
        """How the command line names this model with these parameters."""
        parameters = self.signature.parameters
        own = tuple((k, show_param(value)) for k, value in values.items() if value != parameters[k].default)
        file = self.source.file
        return Origin(self.name if shipped(file) else f"{shorten(file)}::{self.name}", own, source=self.source)


def show_param(value: object) -> str:
    """A parameter's value as the command line takes it."""
    if isinstance(value, (frozenset, tuple)):
        shown = [show_param(item) for item in value]
        return ",".join(sorted(shown) if isinstance(value, frozenset) else shown)
    return show_value(value)


def model(function: Callable[P, Model]) -> ModelFunction[P]:
    """Decorator: `function` makes a Model.  Its parameters, with their types and defaults, are the model's."""
    return ModelFunction(function)


def c(place: str) -> Callable[[F], F]:
    """Decorator: a helper stands for a C function, given as `file` (of the same name) or `file:function`."""
    check_names(place)

    def mark(function: F) -> F:
        function.__c__ = place if ":" in place else f"{place}:{function.__name__}"  # type: ignore[attr-defined]
        return function

    return mark
