# SPDX-License-Identifier: Apache-2.0
"""From designs to their figures: in which configurations each of them is measured, and what comes of it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cprcheck import catalog
from cprcheck.compare.designs import Design
from cprcheck.compare.formula import Formula, fit, sizes
from cprcheck.compare.parts import (
    AGAIN,
    CONT,
    CONT_STOP,
    QUIET,
    Again,
    Leftovers,
    Measured,
    Part,
    Restores,
    Run,
    Scope,
    Verdicts,
    Versus,
    part,
    perform,
    unfinished,
)
from cprcheck.compare.plain import plain, restored
from cprcheck.errors import UsageError, shorten
from cprcheck.jobs.job import Job
from cprcheck.jobs.run import OnResult, Settings, Warn, run

ALONE = "p"
"""The topology in which two designs are told apart first."""
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
    each order hides something; p/e shows what e/p hides.  A search is given up at so many `states`, or after so many
    `seconds`.
    """

    kernels: tuple[str, ...] = ("E1", "E4")
    topologies: tuple[str, ...] = ("2p", "p/e", "e/p")
    containers: int = 4
    states: int = MAX_STATES
    seconds: float | None = None


@dataclass(frozen=True)
class Kind:
    """How often one operation is performed by the processes of one group, as a formula if there is one."""

    group: str
    kind: str
    formula: Formula


@dataclass(frozen=True)
class Series:
    """The same run at several sizes.

    With 1, 2, … containers that have one physical group each, and some of them with other saved objects too.
    `formulas` are of those operations that a polynomial counts at all sizes.
    """

    scope: Scope
    runs: tuple[Run, ...]
    formulas: tuple[Kind, ...] = ()


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
    verdicts: tuple[Verdicts, ...] = ()
    again: tuple[Again, ...] = ()

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why some figures are not known, each reason once."""
        runs = [run.reason for series in (*self.clean, *self.starts) for run in series.runs]
        places = [*(one.reason for one in self.restores), *(one.reason for one in self.left)]
        others = [*(one.reason for one in self.verdicts), *(one.reason for one in self.again)]
        return tuple(dict.fromkeys(reason for reason in (*runs, *places, *others) if reason))


# ---- measuring ----------------------------------------------------------------------------------------------------


def measure(design: Design, options: Options | None = None) -> Figures:
    """The figures of one design, measured in this process.  Raises what `parts.part` raises."""
    options = options or Options()
    return collect(design, run_here(parts(design, options)))


def run_here(asked: Sequence[Part]) -> list[Measured]:
    """Measure parts one after the other in this process.  Raises what `parts.part` raises."""
    return [restored(Measured, part(**plain(each))) for each in asked]


def run_jobs(
    asked: Sequence[Part], settings: Settings, on_result: OnResult | None = None, warn: Warn | None = None
) -> list[Measured]:
    """Have parts measured as jobs, and reuse what is kept; what nobody finished is unknown.

    Raises what `parts.part` and `jobs.run.run` raise.
    """
    found = run([_job(each) for each in asked], settings, on_result, warn)
    return [
        unfinished(each, result.lost) if result.lost else restored(Measured, result.value)
        for each, result in zip(asked, found, strict=True)
    ]


def _job(asked: Part) -> Job:
    files = dict.fromkeys(name.rpartition("::")[0] for name in (asked.design, asked.rival) if name)
    return Job(f"{perform.__module__}:{perform.__name__}", plain(asked), tuple(files), asked.title)


def parts(design: Design, options: Options) -> list[Part]:
    """All that has to be measured of a design.  Raises UsageError for a parameter or a value that does not fit."""
    made = []
    for kernel in options.kernels:
        common = Part("clean", design.spec, design.params, kernel, "Cp", QUIET, options.states, options.seconds)
        for what, env in (("clean", QUIET), ("starts", CONT_STOP)):
            for c, n in sizes(options.containers, both=what == "clean"):
                made.append(replace(common, what=what, env=env, containers=c, others=n))
        for topology in options.topologies:
            made += [replace(common, what="place", topology=topology, env=env) for env in (QUIET, CONT)]
            if _tries_again(design.model):
                made.append(replace(common, what="again", topology=topology, env=AGAIN))
    for each in made:
        catalog.values_of(design.model, each.given)
    return made


def _tries_again(model: catalog.Found) -> bool:
    """Whether a design has an environment in which the management tries again; else nothing is said about that."""
    try:
        catalog.read("env", AGAIN, model.signature.parameters["env"].annotation)
    except UsageError:
        return False
    return True


def collect(design: Design, found: Sequence[Measured]) -> Figures:
    """The figures of a design from what was measured of its parts."""
    places = [each for each in found if each.restores is not None]
    quiet = [each.left for each in places if each.left is not None and each.scope.env == "quiet"]
    return Figures(
        design.title,
        shorten(design.file),
        code_lines(Path(design.file).read_text(encoding="utf-8")),
        _series(found, "quiet"),
        _series(found, CONT_STOP),
        tuple(each.restores for each in places if each.restores is not None),
        tuple(quiet),
        tuple(each.verdicts for each in places if each.verdicts is not None),
        tuple(each.again for each in found if each.again is not None),
    )


def rivals(one: Design, other: Design, options: Options, hidden: Sequence[str] = ()) -> list[Part]:
    """What has to be measured to tell two designs apart: on a single container first, where least is to be seen.

    `hidden` are events that are not seen.  The user may say `cont`.
    """
    common = Part("pair", one.spec, one.params, "", "", CONT, options.states, options.seconds)
    common = replace(common, rival=other.spec, rival_params=other.params, titles=(one.title, other.title))
    return [
        replace(common, kernel=kernel, topology=topology, hidden=tuple(hidden))
        for kernel in options.kernels
        for topology in dict.fromkeys((ALONE, *options.topologies))
    ]


def require_events(hidden: Sequence[str], pairs: Sequence[Versus]) -> None:
    """Raise UsageError when one of the `hidden` events is none of two designs' that were told apart."""
    there = sorted({event for each in pairs for event in each.events})
    for name in hidden:
        if there and name not in there:
            raise UsageError(f"--hide {name}: no design here has such an event; there is {', '.join(there)}")


def _series(found: Sequence[Measured], env: str) -> tuple[Series, ...]:
    """The runs in one environment, kernel by kernel."""
    by_kernel: dict[str, list[Measured]] = {}
    for each in found:
        if each.run is not None and each.scope.env == env:
            by_kernel.setdefault(each.scope.kernel, []).append(each)
    return tuple(
        Series(group[0].scope, runs := tuple(each.run for each in group if each.run is not None), formulas(runs))
        for group in by_kernel.values()
    )


def formulas(runs: Sequence[Run]) -> tuple[Kind, ...]:
    """The formulas of all operations of a run; none when there is no such run at some size, or that is not known."""
    counted = {(run.containers, run.others): run.counts for run in runs}
    kinds = dict.fromkeys((count.group, count.kind) for counts in counted.values() for count in counts or ())
    found = []
    for group, kind in kinds if None not in counted.values() else ():
        times = {
            size: sum(count.times for count in counts or () if (count.group, count.kind) == (group, kind))
            for size, counts in counted.items()
        }
        if (formula := fit(times)) is not None:
            found.append(Kind(group, kind, formula))
    return tuple(found)


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
