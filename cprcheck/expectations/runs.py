# SPDX-License-Identifier: Apache-2.0
"""Declared expectations as they are written down: a TOML file with a [[run]] for each configuration of a model."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cprcheck import catalog
from cprcheck.checking import ENGINES, Options
from cprcheck.errors import UsageError, shorten
from cprcheck.passes.faults import budget
from cprcheck.verdict import Status

SIZES = ("states", "generated", "depth")
KEYS: dict[str, tuple[type, str]] = {
    "model": (str, "a name in quotes"),
    "params": (dict, 'a table, { name = "value" }'),
    "faults": (str, '"none", "finite" or a number in quotes'),
    "injected": (bool, "true or false"),
    "properties": (list, "a list of names"),
    "engines": (list, "a list of names"),
    "max_states": (int, "a whole number, 1 or more"),
    "partial": (bool, "true or false"),
    "slow": (bool, "true or false"),
    "differed": (str, "a text in quotes"),
    **dict.fromkeys(SIZES, (int, "a whole number, 0 or more")),
    "verdicts": (dict, 'a table, property = "HOLDS"'),
    "steps": (dict, "a table, property = 9"),
}
"""What a [[run]] may have, and how it is written."""


@dataclass(frozen=True)
class Run:
    """One configuration of one model, with the verdicts that are expected of it.

    `file` and `line` say where it is declared.  `model` is the name of a shipped model, `FILE.py` or `FILE.py::name`,
    where FILE is relative to the folder of `file`.  `params`, `faults`, `injected`, `properties`, `engines` and
    `max_states` are those of `cprcheck check`; empty is the usual.  `verdicts` are by property or by family, whose
    instances then all have that verdict; `steps` are the lengths of their shortest traces.  `partial` says that
    nothing is claimed about properties that are not in `verdicts`.  `slow` is for those who choose what to run,
    `differed` tells readers where an expectation was once wrong.  `size` may have states, generated and depth.
    """

    file: Path
    line: int
    model: str
    verdicts: Mapping[str, Status]
    params: Mapping[str, str] = field(default_factory=dict)
    faults: str = "finite"
    injected: bool = False
    properties: tuple[str, ...] = ()
    engines: tuple[str, ...] = ()
    max_states: int | None = None
    partial: bool = False
    slow: bool = False
    differed: str = ""
    steps: Mapping[str, int] = field(default_factory=dict)
    size: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The configuration in a line."""
        params = ", ".join(f"{key}={value}" for key, value in self.params.items())
        return f"{self.model}({params}) faults {self.faults}" + (", injected" if self.injected else "")

    @property
    def place(self) -> str:
        """Where it is declared, as FILE:LINE."""
        return f"{shorten(str(self.file))}:{self.line}"

    @property
    def found(self) -> str:
        """The model as `catalog.find` takes it."""
        file, colons, name = self.model.partition("::")
        is_file = file.endswith(".py") or "/" in file
        return f"{self.file.parent / file}{colons}{name}" if is_file else self.model

    @property
    def options(self) -> Options:
        """How it is checked."""
        usual = Options()
        return Options(
            engines=self.engines or usual.engines,
            faults=budget(self.faults),
            injected=self.injected,
            properties=self.properties,
            states=self.max_states or usual.states,
        )

    def command(self) -> list[str]:
        """The command line that checks it, for a reader to try."""
        words = ["cprcheck", "check", self.found]
        for key, value in self.params.items():
            words += ["-p", f"{key}={value}"]
        words += ["--faults", self.faults] if self.faults != "finite" else []
        return words + ["--injected"] * self.injected


# ---- reading ----------------------------------------------------------------------------------------------------


def read(path: Path) -> tuple[Run, ...]:
    """The runs of a file, in their order.

    Raises UsageError, with the place and what to write instead, for a file that is no such declaration.
    """
    return runs_of(path, content(path))


def content(path: Path) -> str:
    """The text of a file, with its own line ends.  Raises UsageError when it cannot be read."""
    path = _near(path)
    try:
        return path.read_bytes().decode()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error


def _near(path: Path) -> Path:
    return Path(os.path.relpath(path)) if path.is_absolute() else path


def runs_of(path: Path, text: str) -> tuple[Run, ...]:
    """The runs that `text`, which is that of the file `path`, declares.  Raises UsageError as `read` does."""
    path = _near(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is not TOML: {error}") from error
    except ValueError:  # Python reads no number of more than 4300 digits
        raise UsageError(f"{path}: a number in it is too long") from None
    except RecursionError:
        raise UsageError(f"{path}: it is nested too deeply") from None
    for key in document:
        if key != "run":
            raise UsageError(f"{path}: unknown table {key!r}; write [[run]]")
    tables = document.get("run", [])
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise UsageError(f"{path} declares nothing; write a [[run]]")
    starts = [number for number, line in enumerate(text.splitlines(), 1) if re.match(r"\s*\[\[\s*run\s*\]\]", line)]
    lines = starts if len(starts) == len(tables) else [1] * len(tables)  # a run can be written in other ways too
    return tuple(_run(path, line, table) for line, table in zip(lines, tables, strict=True))


def _run(path: Path, line: int, table: dict[str, Any]) -> Run:
    """The run that is declared by `table`."""
    place = f"{shorten(str(path))}:{line}"
    for key, value in table.items():
        _check(place, key, value)
    if "model" not in table:
        raise UsageError(f'{place}: no model; write model = "NAME" or model = "FILE.py"')
    if not table.get("verdicts"):
        raise UsageError(f'{place}: no verdicts; write [run.verdicts] and below it PROPERTY = "HOLDS"')
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    given |= {"verdicts": _verdicts(place, table["verdicts"]), "params": _params(place, table.get("params", {}))}
    for name in given.get("engines", ()):
        if name not in ENGINES:
            raise UsageError(f"{place}: no engine {name!r}; {catalog.hint(name, list(ENGINES))}")
    size = {key: given.pop(key) for key in SIZES if key in given}
    try:
        budget(given.get("faults", "finite"))
    except ValueError as error:
        raise UsageError(f"{place}: faults = {_quoted(given['faults'])}: {error}") from None
    for name, steps in given.get("steps", {}).items():
        if name not in given["verdicts"]:
            raise UsageError(f"{place}: steps of {name}, but no verdict; declare one in [run.verdicts]")
        if type(steps) is not int or steps < 0:
            raise UsageError(f"{place}: steps of {name} = {_quoted(steps)}: write a whole number, 0 or more")
    return Run(path, line, **given, size=size)


def _check(place: str, key: str, value: Any) -> None:
    """Raise UsageError when a run has no such key, or when its value is of another type."""
    if key not in KEYS:
        raise UsageError(f"{place}: unknown key {key!r}; {catalog.hint(key, list(KEYS))}")
    kind, written = KEYS[key]
    fits = type(value) is kind  # a truth value is no number
    if kind is int:
        fits = fits and value >= (1 if key == "max_states" else 0)
    elif kind is list:
        fits = fits and all(isinstance(item, str) for item in value)
    if not fits:
        raise UsageError(f"{place}: {key} = {_quoted(value)}: write {written}")


def _verdicts(place: str, declared: dict[str, Any]) -> dict[str, Status]:
    words = {status.value: status for status in Status}
    for name, word in declared.items():
        if not isinstance(word, str) or word not in words:
            raise UsageError(f"{place}: {name} = {_quoted(word)}: write one of {', '.join(words)}")
    return {name: words[word] for name, word in declared.items()}


def _params(place: str, given: dict[str, Any]) -> dict[str, str]:
    """The parameters as the command line takes them."""
    for name, value in given.items():
        if not isinstance(value, (str, int)):
            raise UsageError(f"{place}: parameter {name} = {_quoted(value)}: write it in quotes, as after -p {name}=")
    return {name: value if isinstance(value, str) else _quoted(value) for name, value in given.items()}


def _quoted(value: object) -> str:
    """A value as it is written in TOML, or nearly so."""
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


# ---- writing ----------------------------------------------------------------------------------------------------


def rewritten(text: str, runs: Iterable[Run]) -> str:
    """The text of a file of expectations with the figures of `runs`, which are all of its runs; the rest stays."""
    import tomlkit

    windows = 0 < text.count("\n") == text.count("\r\n")
    document = tomlkit.parse(text.replace("\r\n", "\n") if windows else text)
    for run, table in zip(runs, document["run"], strict=True):
        _set(table, run.size)
        if run.steps and "steps" not in table:
            inline = isinstance(table["verdicts"], tomlkit.items.InlineTable)
            verdicts: list[Any] = [] if inline else table["verdicts"].value.body
            between: list[Any] = []
            while verdicts and verdicts[-1][0] is None:  # comments after the last verdict are about the next run
                between.insert(0, verdicts.pop())
            table["steps"] = tomlkit.inline_table() if inline else tomlkit.table()
            _set(table["steps"], run.steps)
            table["steps"].value.body.extend(between)
        elif "steps" in table:
            for name in [name for name in table["steps"] if name not in run.steps]:
                del table["steps"][name]
            _set(table["steps"], run.steps)
    written = tomlkit.dumps(document)
    return written.replace("\n", "\r\n") if windows else written


def _set(table: Any, values: Mapping[str, int]) -> None:
    """Set what differs, and touch nothing else."""
    for name, value in values.items():
        if table.get(name) != value:
            table[name] = value
