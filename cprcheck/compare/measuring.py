# SPDX-License-Identifier: Apache-2.0
"""From designs to their figures: which models are designs, in which configurations each of them is measured.

A design is a model that takes a kernel, a topology and an environment, and that says by its outcomes what has become
of the guest, the vaddrs and the update.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cprcheck import catalog, checking
from cprcheck.compare import figures
from cprcheck.compare.figures import Count, Failure, Left
from cprcheck.compare.states import all_states
from cprcheck.compare.view import ASPECTS
from cprcheck.engines import explicit
from cprcheck.engines.graph import StateGraph, build
from cprcheck.errors import DisagreementError, UsageError, shorten
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.system import System

PARAMETERS = ("kernel", "topology", "env")
"""What every design takes, and what is set here."""
COMBINATION = "combination"
"""The shipped model that has all designs in it."""
QUIET, CONT, CONT_STOP = "none", "cont", "cont,stop"
MAX_STATES = 200_000
_NO_CODE = frozenset(
    {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
)


@dataclass(frozen=True)
class Options:
    """What to measure.

    `kernels` and `topologies` are values of these parameters; failures are measured on each of the topologies,
    operations with 1 to `containers` containers.  Some walks begin with the newest container, some with the oldest, and
    each order hides something; p/e shows what e/p hides.  `params` are the values of other parameters.  A search is
    given up at so many `states`, or after so many `seconds`.
    """

    kernels: tuple[str, ...] = ("E1", "E4")
    topologies: tuple[str, ...] = ("2p", "p/e", "e/p")
    containers: int = 4
    params: tuple[tuple[str, str], ...] = ()
    states: int = MAX_STATES
    seconds: float | None = None


@dataclass(frozen=True)
class Scope:
    """What figures are about.  `notes` are the clauses that a verdict about the same system would have to name."""

    kernel: str
    topology: str
    env: str
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Run:
    """The operations of one run with so many containers.

    `counts` is None when there is no such run or, with a `reason`, when that is not known.
    """

    containers: int
    counts: tuple[Count, ...] | None
    reason: str = ""


@dataclass(frozen=True)
class Series:
    """The same run with 1, 2, … containers that have one physical group each."""

    scope: Scope
    runs: tuple[Run, ...]


@dataclass(frozen=True)
class Restores:
    """What follows each failure; nothing is known when there is a `reason`."""

    scope: Scope
    failures: tuple[Failure, ...]
    reason: str = ""


@dataclass(frozen=True)
class Leftovers:
    """What faults and refusals may leave behind; nothing is known when there is a `reason`."""

    scope: Scope
    left: Left
    reason: str = ""


@dataclass(frozen=True)
class Figures:
    """All figures of one design.  `lines` counts the lines of code in its own `file`."""

    design: str
    file: str
    lines: int
    clean: tuple[Series, ...]
    starts: tuple[Series, ...]
    restores: tuple[Restores, ...]
    left: tuple[Leftovers, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why some figures are not known, each reason once."""
        runs = [run.reason for series in (*self.clean, *self.starts) for run in series.runs]
        found = [*runs, *(each.reason for each in self.restores), *(each.reason for each in self.left)]
        return tuple(dict.fromkeys(reason for reason in found if reason))


# ---- which designs ------------------------------------------------------------------------------------------------


def designs(names: Sequence[str], params: Mapping[str, str] | None = None) -> list[catalog.Found]:
    """The models that `names` mean, each once; without names all shipped designs.

    `params` are values of parameters that a model may need.  Raises UsageError for a model that is no design, and when
    no design is shipped.
    """
    given = params or {}
    if names:
        chosen = list(dict.fromkeys(catalog.find(name) for name in names))
        for model in chosen:
            lacking = _lacking(model, given)
            if lacking:
                raise UsageError(f"{model.name} cannot be compared: it has no {lacking}")
        return chosen
    ours = [model for path, model in catalog.shipped() if path.parent.name == "designs" and model.name != COMBINATION]
    found = [model for model in ours if not _lacking(model, given)]
    if not found:
        raise UsageError(f"no shipped design has outcomes of {', '.join(ASPECTS)}; name the models to compare")
    return found


def _lacking(model: catalog.Found, given: Mapping[str, str]) -> str:
    """What a model would need to be a design; empty for a design.  Values of parameters it has not are left out."""
    for name in PARAMETERS:
        if name not in model.signature.parameters:
            return f"parameter {name!r}"
    known = {name: value for name, value in given.items() if name in model.signature.parameters}
    aspects = {each.aspect for each in catalog.bind(model, known).system.outcomes}
    return next((f"outcome {aspect!r}" for aspect in ASPECTS if aspect not in aspects), "")


# ---- measuring ----------------------------------------------------------------------------------------------------


def measure(model: catalog.Found, options: Options | None = None, progress: checking.Progress | None = None) -> Figures:
    """The figures of one design.

    Raises UsageError for a parameter or a value that it does not know, and when there is no initial state;
    DisagreementError when Python, running the author's own code for a while, does something else.
    """
    return _Measuring(model, options or Options(), progress or (lambda _: None)).run()


class _Measuring:
    """The measuring of one design."""

    def __init__(self, model: catalog.Found, options: Options, tell: checking.Progress) -> None:
        self.model, self.options, self.tell = model, options, tell

    def run(self) -> Figures:
        """Everything, configuration by configuration."""
        kernels, topologies = self.options.kernels, self.options.topologies
        places = [(kernel, topology, env) for kernel in kernels for topology in topologies for env in (QUIET, CONT)]
        followed = [self.failing(*place) for place in places]
        file = self.model.function.__code__.co_filename
        return Figures(
            self.title(),
            shorten(file),
            code_lines(Path(file).read_text(encoding="utf-8")),
            tuple(self.series(kernel, QUIET, figures.clean_run) for kernel in kernels),
            tuple(self.series(kernel, CONT_STOP, figures.start_and_stop) for kernel in kernels),
            tuple(restores for restores, _ in followed),
            tuple(left for (_, _, env), (_, left) in zip(places, followed, strict=True) if env == QUIET),
        )

    def title(self) -> str:
        """The model's name, with the parameters that were given."""
        given = ", ".join(f"{name}={value}" for name, value in self.options.params)
        return f"{self.model.name}({given})" if given else self.model.name

    def series(self, kernel: str, env: str, measured: Callable[[StateGraph], tuple[Count, ...] | None]) -> Series:
        """A run without faults, with 1 to N containers."""
        runs = []
        scope = None
        for containers in range(1, self.options.containers + 1):
            model = self.bound(kernel, f"{containers}p", env)
            graph, scope, reason = self.graph(model.system, 0, "Cp", env)
            runs.append(Run(containers, None if graph is None else measured(graph), reason))
        assert scope is not None
        return Series(scope, tuple(runs))

    def failing(self, kernel: str, topology: str, env: str) -> tuple[Restores, Leftovers]:
        """What follows the failures on runs with at most one fault."""
        model = self.bound(kernel, topology, env)
        if env == CONT and (difference := checking.listen(model, self.tell)):
            raise DisagreementError(difference)
        graph, scope, reason = self.graph(model.system, 1, topology, env)
        if graph is None:
            return Restores(scope, (), reason), Leftovers(scope, Left((), ()), reason)
        failures = figures.failures(graph, figures.failure_capable(model.system))
        return Restores(scope, failures), Leftovers(scope, figures.left_behind(graph))

    def bound(self, kernel: str, topology: str, env: str) -> Model:
        """The design in one configuration."""
        self.tell(f"{self.model.name}: kernel {kernel}, topology {topology}, env {env}")
        given = {**dict(self.options.params), "kernel": kernel, "topology": topology, "env": env}
        return catalog.bind(self.model, given)

    def graph(self, system: System, faults: int, topology: str, env: str) -> tuple[StateGraph | None, Scope, str]:
        """All states with at most so many real faults, the scope, and why there is no graph if there is none."""
        checking.require_start(system)
        system = with_faults(system, faults, injected=False)
        kernel = dict(system.params)["kernel"]
        scope = Scope(kernel, topology, "quiet" if env == QUIET else env, system.scope)
        result = all_states(system, explicit.Limits(self.options.states, self.options.seconds), "are read")
        if result.found:
            return None, scope, f"{next(iter(result.found))} is violated"
        return (None, scope, result.stopped) if result.stopped else (build(result), scope, "")


def code_lines(text: str) -> int:
    """The lines of a Python file that hold code: no blank lines, comments or docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            assert node.end_lineno is not None
            lines.difference_update(range(node.lineno, node.end_lineno + 1))
    return len(lines)
