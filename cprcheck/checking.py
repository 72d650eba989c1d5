# SPDX-License-Identifier: Apache-2.0
"""From a model to verdicts: choose engines, run them, compare them, replay every trace.

Two engines that answer the same question must agree, a trace must replay in the reference interpreter and, when
the model is at hand, in the author's own code.  Where they do not, the report says so and nothing is shown as
proved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from cprcheck.engines import bmc, explicit, graph, liveness, prove
from cprcheck.errors import DisagreementError, UsageError
from cprcheck.explain import violation
from cprcheck.language import oracle
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.passes.safety import Goal, goal
from cprcheck.replay import replay
from cprcheck.semantics import evaluate, initial_states
from cprcheck.system import SAFETY, Kind, Property, State, System
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Report, Size, Status, Verdict

ENGINES = (explicit.NAME, bmc.NAME, prove.NAME)
"""What can be asked for.  Beside explicit, bmc looks only for what explicit has found, and prove for the rest."""
EDGE_LIMIT = 3_000_000
"""The questions about infinite runs are answered on graphs with at most so many edges."""
MAX_STATES = 1_000_000
RUNS, WALKS, STEPS = 60, 2, 20
"""Before anything is claimed, Python runs the model: so many first runs, and random ones of so many steps."""
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How to check.

    `faults` is the budget (None: any finite number), `injected` lets faults happen that the real kernel cannot
    produce.  `properties` names the properties, or families of them, to be checked; empty is all.  `seconds`
    bounds each engine on each question, `states` the explicit search, `depth` the unrolling of bmc.  `native` lets
    Python run the author's own code for a while, to compare it with the System before anything is claimed.
    """

    engines: tuple[str, ...] = ENGINES
    faults: int | None = None
    injected: bool = False
    properties: tuple[str, ...] = ()
    states: int = MAX_STATES
    seconds: float | None = None
    depth: int = 20
    native: bool = True


def check(model: Model | System, options: Options | None = None, progress: Progress | None = None) -> Report:
    """Check a model, or a System built by hand.

    Raises UsageError for a property or an engine that does not exist, ModelError for a model that breaks a rule.
    """
    return _Checker(model, options or Options(), progress or (lambda _: None)).run()


def require_start(system: System) -> None:
    """Raise UsageError when there is no initial state: then everything is true."""
    if next(initial_states(system), None) is None:
        raise UsageError(f"{system.name} has no initial state: no initial values satisfy assume_init")


def too_large(result: explicit.Search, use: str) -> str:
    """Why no graph is built from a search: it has more edges than `use` ("are counted") allows.  Else empty."""
    if result.generated <= EDGE_LIMIT:
        return ""
    return f"the graph has {result.generated} edges, more than the {EDGE_LIMIT} that {use}"


def listen(model: Model, progress: Progress) -> str:
    """How the author's own code, run by Python for a while, differs from the System; empty when it does not."""
    progress("native: comparing the first runs")
    return oracle.compare(model, RUNS, walks=WALKS, length=STEPS, limit=RUNS)


class _Checker:
    """One run of `check`."""

    def __init__(self, model: Model | System, options: Options, progress: Progress) -> None:
        self.model = model if isinstance(model, Model) else None
        plain = model if isinstance(model, System) else model.system
        self.system = with_faults(plain, options.faults, injected=options.injected)
        self.options, self.progress = options, progress
        self.properties = select(self.system, options.properties)
        self.goals = {p.name: goal(self.system, p) for p in self.properties if p.kind in SAFETY}
        self.answers: dict[str, list[Answer]] = {p.name: [] for p in self.properties}
        self.disagreements: list[str] = []
        self.size: Size | None = None
        self.unreached: tuple[int, ...] | None = None
        names = [prop.name for prop in self.system.properties]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"two properties are called {name}; answers are told by name")
        for engine in options.engines:
            if engine not in ENGINES:
                raise UsageError(f"no engine {engine!r}; there is {', '.join(ENGINES)}")

    def run(self) -> Report:
        """Run the engines, then weigh what they said."""
        require_start(self.system)
        if self.model is not None and self.options.native:
            difference = listen(self.model, self.progress)
            self.disagreements += [difference] if difference else []
        for engine, run in ((explicit.NAME, self.explicit), (bmc.NAME, self.bmc), (prove.NAME, self.prove)):
            if engine in self.options.engines:
                run()
        verdicts = [self.verdict(prop) for prop in self.properties]
        broken = next((v for v in verdicts if v.prop.kind is Kind.IN_DOMAIN and v.status is not Status.HOLDS), None)
        if broken is not None:
            verdicts = [self.doubt(verdict, broken) for verdict in verdicts]
        return Report(
            self.system, tuple(verdicts), self.size, self.system.scope, self.unreached, tuple(self.disagreements)
        )

    # ---- engines --------------------------------------------------------------------------------------------

    def explicit(self) -> None:
        """All reachable states, and the graph for the questions about infinite runs."""
        endless = [p for p in self.properties if p.kind in liveness.LIVENESS]
        limits = explicit.Limits(self.options.states, self.options.seconds)
        result = explicit.search(
            self.system, list(self.goals.values()), limits, self.searching, whole=bool(endless) or not self.goals
        )
        self.size = result.size
        self.add(explicit.answers(result, list(self.goals.values())))
        if not endless:
            return
        reason = result.stopped or too_large(result, "liveness takes")
        if reason:
            self.add({p.name: Answer(Status.UNKNOWN, liveness.NAME, reason=reason) for p in endless})
        else:
            self.progress("liveness: building the graph")
            built = graph.build(result)
            self.unreached = built.unreached()
            self.add(liveness.check(built, endless))

    def searching(self, states: int, depth: int) -> None:
        """Pass on how far the explicit search is."""
        self.progress(f"explicit: {states} states, depth {depth}")

    def bmc(self) -> None:
        """Alone: every question, to the depth asked for.  After `explicit`: the ones it found, to their depth."""
        goals = list(self.goals.values())
        depth = self.options.depth
        if explicit.NAME in self.options.engines:
            traces = {name: answers[0].trace for name, answers in self.answers.items() if answers}
            lengths = {name: len(trace) for name, trace in traces.items() if trace is not None}
            goals = [goal for goal in goals if goal.prop.name in lengths]
            depth = max((lengths[goal.prop.name] for goal in goals), default=0)
        if goals:
            self.progress(f"bmc: up to {depth} steps")
            self.add(bmc.check(self.system, goals, depth, self.options.seconds or prove.SECONDS))

    def prove(self) -> None:
        """Alone: every question.  After `explicit`: those that it did not find."""
        open_ = [g for name, g in self.goals.items() if all(a.trace is None for a in self.answers[name])]
        prover = prove.Prover(self.system, self.options.seconds)
        for goal_ in sorted(open_, key=lambda g: g.prop.kind is not Kind.LEMMA):
            self.progress(f"prove: {goal_.prop.name}")
            try:
                self.add({goal_.prop.name: prover.answer(goal_)})
            except DisagreementError as error:
                self.disagreements.append(str(error))

    def add(self, answers: dict[str, Answer]) -> None:
        """Take down what an engine said."""
        for name, answer in answers.items():
            self.answers[name].append(answer)

    # ---- verdicts -------------------------------------------------------------------------------------------

    def verdict(self, prop: Property) -> Verdict:
        """What all engines together say."""
        answers = tuple(self.answers[prop.name])
        if not answers:
            reason = "only an explicit search can answer this" if prop.kind not in SAFETY else "no engine answered"
            return Verdict(prop, Status.UNKNOWN, answers, reason=reason)
        definite = [answer for answer in answers if answer.status is not Status.UNKNOWN]
        self.compare(prop, definite)
        if not definite:
            return Verdict(prop, Status.UNKNOWN, answers, reason="; ".join(f"{a.engine}: {a.reason}" for a in answers))
        shown = [answer for answer in definite if answer.trace is None or self.replays(prop, answer.trace)]
        first = next((answer for answer in shown if answer.trace is not None), None)
        if first is None and (shown != definite or len({answer.status for answer in shown}) > 1):
            return Verdict(prop, Status.UNKNOWN, answers, reason="the engines disagree")
        if first is None or first.trace is None:
            return Verdict(prop, definite[0].status, answers)
        return shown_by(self.system, prop, answers, first)

    def compare(self, prop: Property, definite: Sequence[Answer]) -> None:
        """Note where engines contradict each other: in the answer, or in the length of a shortest run.

        A run that replays settles the first; without one nothing is claimed.
        """
        if len({answer.status for answer in definite}) > 1:
            said = ", ".join(f"{answer.engine} {answer.status.value}" for answer in definite)
            self.disagreements.append(f"{prop.name}: {said}")
        runs = {a.engine: a.trace for a in definite if a.engine in (explicit.NAME, bmc.NAME)}
        shortest = {engine: len(trace) for engine, trace in runs.items() if trace is not None}
        if len(set(shortest.values())) > 1:
            said = ", ".join(f"{engine} {steps} steps" for engine, steps in shortest.items())
            self.disagreements.append(f"{prop.name}: different shortest runs: {said}")

    def replays(self, prop: Property, trace: Trace) -> bool:
        """Whether a trace can be replayed, by the reference interpreter and by the author's own code."""
        try:
            replay(self.system, prop, trace)
            if self.model is not None:
                oracle.replay(self.model, self.system, trace)
        except DisagreementError as error:
            self.disagreements.append(f"{prop.name}: {error}")
            return False
        return True

    def doubt(self, verdict: Verdict, broken: Verdict) -> Verdict:
        """What is left when a value may leave its domain: runs that were found, but nothing about what is missing.

        The step that would leave it is not taken, so who seems to be stuck may only be at that step.
        """
        safe = verdict.prop.kind in SAFETY - {Kind.DEADLOCK_FREE}
        if verdict is broken or (safe and verdict.status in (Status.VIOLATED, Status.REACHABLE)):
            return verdict
        said = "is violated" if broken.status is Status.VIOLATED else "is unknown"
        return replace(
            verdict,
            status=Status.UNKNOWN,
            trace=None,
            violated="",
            severity="",
            where=(),
            claimed=(),
            reason=f"{broken.prop.name} {said}",
        )


def shown_by(system: System, prop: Property, answers: tuple[Answer, ...], first: Answer) -> Verdict:
    """The verdict that `first`, the one of the `answers` whose trace is shown, gives about `prop`."""
    trace = first.trace
    if trace is None or first.status.good:
        return Verdict(prop, first.status, answers, trace)
    end = violation(system, prop, trace, first.detail)
    return Verdict(
        prop,
        first.status,
        answers,
        trace,
        violated=end.text,
        severity=severity(system, trace),
        where=end.values,
        claimed=end.sources,
    )


def select(system: System, names: Sequence[str]) -> tuple[Property, ...]:
    """The properties called `names`, or in families called so; all when there are no names.

    `values_in_domain` is always among them: nothing is proved without it.
    """
    if not names:
        return system.properties
    for name in names:
        if not any(name in (prop.name, prop.family) for prop in system.properties):
            known = ", ".join(dict.fromkeys(prop.family or prop.name for prop in system.properties))
            raise UsageError(f"no property {name!r}; there is {known}")
    return tuple(p for p in system.properties if p.kind is Kind.IN_DOMAIN or p.name in names or p.family in names)


def severity(system: System, trace: Trace) -> str:
    """The worst grade that the model gives to the end of `trace`: its last state, or any of its loop."""
    return worst(system, trace.states[trace.loop :] if trace.loop is not None else trace.states[-1:])


def worst(system: System, states: Sequence[State]) -> str:
    """The worst grade that the model gives to one of `states`; empty when it gives none."""
    graded = (label for label, formula in system.severities if any(evaluate(formula, state) for state in states))
    return next(graded, "")


def goals_of(system: System) -> list[Goal]:
    """The questions behind all safety properties of `system`."""
    return [goal(system, prop) for prop in system.properties if prop.kind in SAFETY]
