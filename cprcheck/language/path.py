# SPDX-License-Identifier: Apache-2.0
"""One way through one step: what was decided, assumed, written, chosen and emitted.

A step is run as ordinary Python.  When the author's code asks a state expression for its truth, or asks for a
choice or a fault, the answer is taken from a script; a question beyond the script gets its first answer, and
the other answers are tried in later runs.  So each run is one path, and together they are all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cprcheck.analysis import decide
from cprcheck.domains import show_value
from cprcheck.errors import Source
from cprcheck.expr import Const, Expr, In, conjuncts, neg
from cprcheck.language.place import author_source, breach, check_names
from cprcheck.system import Condition, Event, Fault, Slot

T = TypeVar("T")

MAX_PATHS = 512
"""A step with more paths than this is refused."""


class Blocked(BaseException):
    """The path cannot be taken: a requirement fails.  Not for authors to catch."""


class Finished(BaseException):
    """The process ends here and now: it aborted, or killed itself.  Not for authors to catch."""


@dataclass
class Path:
    """What has happened so far.

    `conditions` are over the state before the step, by their formulas, and so are the values in `writes`.  `allowed`
    is what the conditions say about single slots.  `decided` lists the questions at which the path forked, with the
    answer.  `lines` are (file, line) of the author's, in the order in which they were run.  `acted` turns true at the
    first write, choice or fault; `taken` names a lock that was taken before any.
    """

    conditions: dict[Expr, Condition] = field(default_factory=dict)
    decided: list[tuple[Expr, bool]] = field(default_factory=list)
    allowed: dict[int, int] = field(default_factory=dict)
    writes: dict[int, Expr] = field(default_factory=dict)
    choices: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    lines: dict[tuple[str, int], None] = field(default_factory=dict)
    acted: bool = False
    taken: str = ""

    def late(self, what: str) -> str:
        """Why the step may not begin to wait here; empty when it may."""
        if self.taken:
            return f"the lock {self.taken!r} is taken in this step already; yield before you wait for anything else"
        return (
            f"{what} after a write, a choice or a fault of the same step; yield before you wait" if self.acted else ""
        )

    def copy(self) -> Path:
        """An independent copy."""
        return replace(
            self,
            conditions=dict(self.conditions),
            decided=list(self.decided),
            allowed=dict(self.allowed),
            writes=dict(self.writes),
            choices=list(self.choices),
            faults=list(self.faults),
            events=list(self.events),
            functions=list(self.functions),
            lines=dict(self.lines),
        )

    def assume(self, condition: Expr, source: Source | None = None, reason: str = "") -> None:
        """Add `condition` to what this path requires of the state before the step, with where it comes from."""
        sources = () if source is None else (source,)
        for part in conjuncts(condition):
            if isinstance(part, Const) and part.value:
                continue
            if part not in self.conditions:
                self.conditions[part] = Condition(part, sources, reason)
            if isinstance(part, In) and not part.primed:
                self.allowed[part.slot] = self.allowed.get(part.slot, -1) & part.mask


@dataclass(frozen=True)
class Decision:
    """A question that was asked, how many answers it has, and which was given."""

    question: Hashable
    answers: int
    given: int


class Stamp:
    """One run of one step.  Every state expression carries it, and is void once the step is over."""

    def __init__(self, slots: Sequence[Slot], where: str) -> None:
        self.slots, self.where = slots, where
        self.path = Path()
        self.script: list[Decision] = []
        self.made: list[Decision] = []
        self.closed = False
        self.source: Source | None = None
        """The author's line, while the machine asks for what none of the author's code is being run."""
        self.touched = 0
        """Goes up whenever the state is read, a question is asked, or an event is emitted."""

    def begin(self, path: Path, script: list[Decision]) -> None:
        """Start a run that repeats the decisions of `script`."""
        self.path, self.script, self.made, self.source = path, script, [], None

    def ask(self, question: Hashable, answers: int) -> int:
        """The answer to `question`, from 0 to `answers` - 1."""
        self.touched += 1
        at = len(self.made)
        if at < len(self.script):
            if (self.script[at].question, self.script[at].answers) != (question, answers):
                raise breach(
                    "run twice, this step did two different things; "
                    "it may depend on the state, its arguments and constants only"
                )
            decision = self.script[at]
        else:
            decision = Decision(question, answers, 0)
        self.made.append(decision)
        return decision.given

    def alternatives(self) -> list[list[Decision]]:
        """The scripts that differ from this run in its last new decision or in an earlier one; nearest last."""
        scripts = []
        for at in range(len(self.script), len(self.made)):
            made = self.made[at]
            others = range(made.answers - 1, made.given, -1)
            scripts += [[*self.made[:at], replace(made, given=other)] for other in others]
        return scripts

    def decide(self, condition: Expr) -> bool:
        """The truth of `condition` on this path; where the path leaves it open, the path forks."""
        known = decide(condition, self.slots, self.path.allowed)
        if known is not None:
            return known
        if condition in self.path.conditions:
            return True
        if neg(condition) in self.path.conditions:
            return False
        answer = self.ask(("branch", condition), 2) == 0
        self.path.decided.append((condition, answer))
        self.path.assume(condition if answer else neg(condition), self.source or author_source())
        return answer

    def require(self, condition: Expr, reason: str = "") -> None:
        """The step waits until `condition` holds."""
        if decide(condition, self.slots, self.path.allowed) is False:
            raise Blocked
        self.path.assume(condition, self.source or author_source(), reason)

    def choose(self, label: str, options: Sequence[T]) -> T:
        """One of `options`; the path forks."""
        shown = tuple(map(show_value, options))
        check_names(*shown)
        self.path.acted = True
        option = options[self.ask(("choice", label, shown), len(options))]
        self.path.choices.append((label, show_value(option)))
        return option

    def fault(self, label: str, injected: bool) -> bool:
        """Whether the fault `label` happens; the path forks."""
        self.path.acted = True
        if self.ask(("fault", label, injected), 2) == 0:
            return False
        self.path.faults.append(Fault(label, author_source(), injected))
        return True


class _Over:
    """What `explore` gives for a path on which the process ended in mid-step."""


OVER = _Over()


def explore(stamp: Stamp, base: Path, run: Callable[[], T]) -> list[tuple[Path, T | _Over]]:
    """All paths of `run` that start as `base` did, with what each returned, in a fixed order."""
    results: list[tuple[Path, T | _Over]] = []
    scripts: list[list[Decision]] = [[]]
    while scripts:
        stamp.begin(base.copy(), scripts.pop())
        try:
            results.append((stamp.path, run()))
        except Blocked:
            pass
        except Finished:
            results.append((stamp.path, OVER))
        scripts += stamp.alternatives()
        if len(results) > MAX_PATHS:
            raise breach(too_many_paths(stamp.where))
    return results


def too_many_paths(where: str) -> str:
    """The message for a step that splits too often."""
    return (
        f"{where} splits into more than {MAX_PATHS} paths in one step; "
        "ask one question with count, every, some or ite instead of many with if, and, or, any, all"
    )
