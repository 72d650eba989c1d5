# SPDX-License-Identifier: Apache-2.0
"""What is measured of one design in one configuration: pure functions from JSON to JSON, each a job of its own.

`KINDS` says what there is to measure.  Nothing here knows of the other designs, but `pair`, which knows of one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cprcheck import catalog, checking
from cprcheck.compare import behaviour, figures, left
from cprcheck.compare.behaviour import HIDDEN, Direction
from cprcheck.compare.figures import Count, Failure
from cprcheck.compare.left import Attempt, Left, Pairs
from cprcheck.compare.plain import plain, restored
from cprcheck.compare.states import all_states
from cprcheck.compare.view import View
from cprcheck.engines import explicit
from cprcheck.engines.graph import build
from cprcheck.errors import DisagreementError
from cprcheck.jobs.job import Passing
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.system import System
from cprcheck.trace import Trace

QUIET, CONT, CONT_STOP, AGAIN = "none", "cont", "cont,stop", "again"
BY = "by explicit search alone, with liveness on its graph; no second engine was asked"
"""What a verdict beside the figures rests on; its traces have been replayed."""


@dataclass(frozen=True)
class Part:
    """One thing to measure: `what` is one of `KINDS`, `design` what `catalog.find` finds.

    Where operations are counted there are so many `containers` with a physical group each, and `others` devices are
    saved beside those of every VM; `topology` is "Cp" then.  For a pair, `rival` is the second design, `titles` are
    what the two are called, and `hidden` are the events that are not seen.  A search is given up at so many `states`,
    or after so many `seconds`.
    """

    what: str
    design: str
    params: tuple[tuple[str, str], ...]
    kernel: str
    topology: str
    env: str
    states: int
    seconds: float | None = None
    containers: int = 0
    others: int = 0
    rival: str = ""
    rival_params: tuple[tuple[str, str], ...] = ()
    titles: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What people are told while it is measured."""
        name = self.design.rpartition("::")[2]
        return f"{name}: kernel {self.kernel}, topology {self.size or self.topology}, env {self.env}"

    @property
    def given(self) -> dict[str, str]:
        """The values of the design's parameters, as text."""
        places = {"kernel": self.kernel, "topology": self.size or self.topology, "env": self.env}
        return {**dict(self.params), **places}

    @property
    def size(self) -> str:
        """The topology where operations are counted; empty elsewhere."""
        return f"{self.containers}p" * bool(self.containers) + f"+{self.others}o" * bool(self.others)


@dataclass(frozen=True)
class Scope:
    """What figures are about.  `notes` are the clauses that a verdict about the same system would have to name."""

    kernel: str
    topology: str
    env: str
    notes: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Run:
    """The operations of one run with so many containers, and `others` saved objects beside those of every VM.

    `counts` is None when there is no such run or, with a `reason`, when that is not known.
    """

    containers: int
    counts: tuple[Count, ...] | None
    reason: str = ""
    others: int = 0


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
class Finding:
    """The verdict about one property: `status` as in `verdict.Status`, and the length of the trace if there is one.

    `loop` is how many of its `steps` are the loop of a lasso.
    """

    name: str
    family: str
    status: str
    steps: int | None = None
    loop: int | None = None


@dataclass(frozen=True)
class Verdicts:
    """The verdicts in one configuration; `reason` says why some are unknown."""

    scope: Scope
    findings: tuple[Finding, ...]
    reason: str = ""


@dataclass(frozen=True)
class Again:
    """What follows when the management tries again: the first two failures, and whether another attempt can succeed."""

    scope: Scope
    pairs: Pairs
    attempts: tuple[Attempt, ...]
    reason: str = ""


@dataclass(frozen=True)
class Versus:
    """What each of two designs can be seen to do and the other cannot, in both directions.

    `events` are the names of all events of both, also of those that are hidden.
    """

    scope: Scope
    directions: tuple[Direction, ...]
    reason: str = ""
    events: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """The answer of a part: what its kind says, and None for the rest."""

    scope: Scope
    run: Run | None = None
    restores: Restores | None = None
    left: Leftovers | None = None
    verdicts: Verdicts | None = None
    again: Again | None = None
    versus: Versus | None = None


def unfinished(asked: Part, reason: str) -> Measured:
    """What is known of a part that nobody finished: why not."""
    scope = Scope(asked.kernel.upper(), asked.topology, "quiet" if asked.env == QUIET else asked.env)
    match asked.what:
        case "clean" | "starts":
            return Measured(scope, run=Run(asked.containers, None, reason, asked.others))
        case "place":
            nothing = Leftovers(scope, Left((), (), ()), reason)
            return Measured(scope, None, Restores(scope, (), reason), nothing, Verdicts(scope, (), reason))
        case "again":
            return Measured(scope, again=Again(scope, Pairs((), ()), (), reason))
        case _:
            return Measured(scope, versus=Versus(scope, (), reason))


def perform(**task: Any) -> dict[str, Any] | Passing:
    """`part` as the task of a job.  What was given up for want of time is not kept."""
    answer = part(**task)
    return Passing(answer) if "timed out" in json.dumps(answer) else answer


def part(**task: Any) -> dict[str, Any]:
    """Measure the Part that `task` is as JSON, and answer a Measured as JSON.

    Raises UsageError for a parameter or a value that the design does not know, and when there is no initial state;
    DisagreementError when Python, running the author's own code for a while, does something else.
    """
    asked: Part = restored(Part, task)
    answer: dict[str, Any] = plain(KINDS[asked.what](asked))
    return answer


# ---- the kinds ------------------------------------------------------------------------------------------------------


def clean(asked: Part) -> Measured:
    """The operations of a run without faults."""
    return _run(asked, figures.clean_run)


def starts(asked: Part) -> Measured:
    """The operations of a stop and a cont."""
    return _run(asked, figures.start_and_stop)


def _run(asked: Part, measured: Callable[[View], tuple[Count, ...] | None]) -> Measured:
    view, scope, reason = _view(_model(asked).system, 0, asked)
    counts = None if view is None else measured(view)
    return Measured(scope, run=Run(asked.containers, counts, reason, asked.others))


def place(asked: Part) -> Measured:
    """What follows failures on runs with at most one fault, and the verdicts."""
    model = _model(asked)
    if asked.env == CONT:
        _listen(model)
    view, scope, reason = _view(model.system, 1, asked)
    failures = () if view is None else figures.failures(view, figures.failure_capable(model.system))
    behind = Left((), (), ()) if view is None else left.left_behind(view)
    return Measured(
        scope,
        restores=Restores(scope, failures, reason),
        left=Leftovers(scope, behind, reason),
        verdicts=_verdicts(model, asked),
    )


def again(asked: Part) -> Measured:
    """What follows two failures where the management tries again."""
    view, scope, reason = _view(_model(asked).system, 2, asked)
    found = (Pairs((), ()), ()) if view is None else (left.pairs(view), left.attempts(view))
    return Measured(scope, again=Again(scope, *found, reason))


def pair(asked: Part) -> Measured:
    """What tells two designs apart."""
    hidden = HIDDEN | set(asked.hidden)
    sides = []
    rival = replace(asked, design=asked.rival, params=asked.rival_params)
    for title, side in zip(asked.titles, (asked, rival), strict=True):
        model = _model(side)
        _listen(model)
        view, scope, reason = _view(model.system, None, asked)
        if view is None:
            return Measured(scope, versus=Versus(scope, (), f"{title}: {reason}"))
        sides.append((title, model, behaviour.Observed(view, hidden)))
    one, other = sides
    directions = (behaviour.direction(one, other), behaviour.direction(other, one))
    steps = [step for _, model, _ in sides for step in model.system.transitions]
    events = sorted({event.name for step in steps for event in step.events})
    return Measured(scope, versus=Versus(scope, directions, events=tuple(events)))


KINDS: dict[str, Callable[[Part], Measured]] = {
    "clean": clean,
    "starts": starts,
    "place": place,
    "again": again,
    "pair": pair,
}


# ---- what they share ------------------------------------------------------------------------------------------------


def _model(asked: Part) -> Model:
    """The design in one configuration."""
    return catalog.bind(catalog.find(asked.design), asked.given)


def _listen(model: Model) -> None:
    difference = checking.listen(model, lambda _: None)
    if difference:
        raise DisagreementError(difference)


def _view(system: System, faults: int | None, asked: Part) -> tuple[View | None, Scope, str]:
    """All states with at most so many real faults, the scope, and why there is no graph if there is none."""
    checking.require_start(system)
    system = with_faults(system, faults, injected=False)
    scope = _scope(system, asked)
    result = all_states(system, explicit.Limits(asked.states, asked.seconds), "are read")
    if result.found:
        return None, scope, f"{next(iter(result.found))} is violated"
    return (None, scope, result.stopped) if result.stopped else (View(build(result)), scope, "")


def _scope(system: System, asked: Part, *notes: str) -> Scope:
    env = "quiet" if asked.env == QUIET else asked.env
    return Scope(dict(system.params)["kernel"], asked.topology, env, (*system.scope, *notes))


def _verdicts(model: Model, asked: Part) -> Verdicts:
    """What the explicit search says about every property, with any finite number of real faults."""
    options = checking.Options((explicit.NAME,), states=asked.states, seconds=asked.seconds, native=False)
    report = checking.check(model, options)
    if report.disagreements:
        raise DisagreementError("; ".join(report.disagreements))
    findings = tuple(
        Finding(v.prop.name, v.prop.family or v.prop.name, v.status.value, *_lengths(v.trace)) for v in report.verdicts
    )
    unknown = [answer for verdict in report.verdicts for answer in verdict.answers if verdict.reason]
    reasons = dict.fromkeys(answer.reason for answer in unknown if answer.reason)
    return Verdicts(_scope(report.system, asked, BY), findings, "; ".join(reasons))


def _lengths(trace: Trace | None) -> tuple[int | None, int | None]:
    """The number of steps, and how many of them are the loop."""
    if trace is None:
        return None, None
    return len(trace), None if trace.loop is None else len(trace) - trace.loop
