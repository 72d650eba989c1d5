# SPDX-License-Identifier: Apache-2.0
"""Finding model files, ours or yours, and giving them their parameters.

A shipped model is loaded by path exactly as a user's own file is.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import inspect
import sys
import typing
from collections.abc import Hashable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from cprcheck import imports
from cprcheck.errors import ModelError, Source, UsageError
from cprcheck.language.decorator import ModelFunction, show_param
from cprcheck.language.model import Model
from cprcheck.models import SHIPPED
from cprcheck.names import odd

Found = ModelFunction[Any]


def load(path: Path) -> ModuleType:
    """Import a model file.

    Its folder acts as a package, so `from .parts import X` works.  Raises UsageError when there is no such
    file, or when its name cannot be shown; ModelError when Python cannot run it.
    """
    path = _existing(path)
    if path.suffix != ".py":  # the loader would not mind
        raise UsageError(f"{path} is not a Python file")
    package = _package(path.parent)
    name = f"{package}.{path.stem.replace('.', '%2e')}"  # a dot would make it a package of its own
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path, loader=imports.AsItIs(name, str(path)))
    assert spec is not None  # there is a loader
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    imports.watch()
    try:
        spec.loader.exec_module(module)
    except (ModelError, MemoryError):
        del sys.modules[name]
        raise
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ModelError(f"{type(error).__name__}: {error}", _last_line(error, path)) from error
    return module


def _existing(path: Path) -> Path:
    """The file `path`, whatever way leads there.  Every report names it, so it has a name that can be shown."""
    try:
        whole = str(path.absolute())
        if found := odd(whole):
            raise UsageError(f"{whole!r} has the character {found!r}, which no path of a model may have; rename it")
        path = path.resolve()
        if path.is_file():
            return path
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    raise UsageError(f"no file {path}")


def _package(folder: Path) -> str:
    """The package that stands for `folder`; made when first asked for."""
    name = f"cprcheck_folder_{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    if name not in sys.modules:
        package = ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def _last_line(error: BaseException, path: Path) -> Source | None:
    if isinstance(error, SyntaxError):
        return Source(error.filename or str(path), error.lineno or 0)
    found = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            found = Source(str(path), traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def models_in(path: Path) -> list[Found]:
    """The models that a file defines itself, in their order."""
    module = load(path)
    found = [value for value in vars(module).values() if isinstance(value, ModelFunction)]
    return [model for model in dict.fromkeys(found) if model.function.__module__ == module.__name__]


def shipped() -> Iterator[tuple[Path, Found]]:
    """Every shipped model with its file, by folder and name.  Files that begin with an underscore are parts."""
    for path in _files():
        if "@model" in path.read_text(encoding="utf-8"):
            for model in models_in(path):
                yield path, model


def _files() -> list[Path]:
    return [path for path in sorted(SHIPPED.rglob("*.py")) if not path.name.startswith("_")]


def find(name: str) -> Found:
    """The model that `name` means: a shipped one, `FILE.py`, or `FILE.py::name`.

    Raises UsageError, with what there is, when it means none or several.
    """
    file, _, wanted = name.partition("::")
    if file.endswith(".py") or "/" in file:
        return _in_file(Path(file), wanted)
    for path in (path for path in _files() if path.stem == name):
        for model in models_in(path):
            if model.name == name:
                return model
    known = {model.name: model for _, model in shipped()}
    if name in known:
        return known[name]
    raise UsageError(f"no model {name!r}; {hint(name, list(known))}")


def _in_file(path: Path, wanted: str) -> Found:
    models = {model.name: model for model in models_in(path)}
    if wanted:
        if wanted not in models:
            raise UsageError(f"no model {wanted!r} in {path}; {hint(wanted, list(models))}")
        return models[wanted]
    if len(models) != 1:
        said = (
            f"it has {', '.join(models)}; write {path}::{next(iter(models))}" if models else "decorate one with @model"
        )
        raise UsageError(f"{path} does not have one model: {said}")
    return next(iter(models.values()))


def hint(name: str, known: list[str]) -> str:
    """What somebody who wrote `name` may have meant, or all that there is."""
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"there is {', '.join(known) or 'none'}"


# ---- parameters ---------------------------------------------------------------------------------------------


def bind(model: Found, given: Mapping[str, str]) -> Model:
    """The Model for parameters given as text.  Raises UsageError for a name or a value that does not fit."""
    made: Model = model(**values_of(model, given))
    return made


def values_of(model: Found, given: Mapping[str, str]) -> dict[str, Hashable]:
    """The values of parameters given as text.  Raises UsageError for a name or a value that does not fit."""
    parameters = model.signature.parameters
    values = {}
    for name, text in given.items():
        if name not in parameters:
            raise UsageError(f"{model.name} has no parameter {name!r}; {hint(name, list(parameters))}")
        values[name] = read(name, text, parameters[name].annotation)
    for name in required(model):
        if name not in values:
            raise UsageError(f"{model.name} needs a value for {name!r}: write -p {name}=...")
    return values


def required(model: Found) -> list[str]:
    """The parameters that have no default."""
    return [name for name, each in model.signature.parameters.items() if each.default is inspect.Parameter.empty]


def read(name: str, text: str, annotation: Any) -> Hashable:
    """`text` as a value of `annotation`: int, bool, an Enum, a frozenset of an Enum, or a class with `parse`.

    Raises UsageError when it is none.
    """
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is frozenset:
        parts = [part for part in text.split(",") if part not in ("", "none")]
        return frozenset(read(name, part, arguments[0]) for part in parts)
    if annotation is bool:
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
        raise UsageError(f"{name}={text}: write yes or no")
    if annotation is int:
        try:
            return int(text)
        except ValueError:
            raise UsageError(f"{name}={text}: write a whole number") from None
    if hasattr(annotation, "parse"):
        try:
            parsed: Hashable = annotation.parse(text)
        except ValueError as error:
            raise UsageError(f"{name}={text}: {error}") from None
        return parsed
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        members = {member.name.lower(): member for member in annotation}
        if text.lower() not in members:
            raise UsageError(f"{name}={text}: {hint(text.lower(), list(members))}")
        return members[text.lower()]
    raise UsageError(f"{name} cannot be set from the command line: its type is {annotation}")


def parameters(model: Found) -> list[tuple[str, str, str]]:
    """(name, type, default) of each parameter, as text."""
    rows = []
    for name, parameter in model.signature.parameters.items():
        default = "" if parameter.default is inspect.Parameter.empty else show_param(parameter.default)
        kind = getattr(parameter.annotation, "__name__", str(parameter.annotation))
        rows.append((name, kind, default))
    return rows
