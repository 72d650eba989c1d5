# SPDX-License-Identifier: Apache-2.0
"""Bounded model checking: runs of 0, 1, 2 … steps, as one growing formula.

The question is asked at every depth, before the next step is added: a state without a successor is asked
about like any other.  A run that is found is a shortest one.  Nothing is ever proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import z3

from cprcheck.lower.smt import Encoding, Frame, Term
from cprcheck.passes.safety import Goal, with_last_step
from cprcheck.system import System
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Status

NAME = "bmc"


class Unrolling:
    """The formula of all runs of a given length, one step longer at each call of `extend`."""

    def __init__(self, system: System, *, from_init: bool = True) -> None:
        self.system = system
        self.encoding = Encoding(system)
        self.solver = z3.SolverFor("QF_FD")
        self.frames: list[Frame] = [self.encoding.frame("0")]
        self.selectors: list[Term] = []
        first = self.frames[0]
        self.solver.add(self.encoding.init(first) if from_init else self.encoding.domain(first))

    def extend(self) -> Frame:
        """Add a step; returns the frame that it leads to."""
        frame = self.encoding.frame(str(len(self.frames)))
        formula, selector = self.encoding.step(self.frames[-1], frame)
        self.solver.add(formula)
        self.frames.append(frame)
        self.selectors.append(selector)
        return frame

    def trace(self) -> Trace:
        """The run of the solver's present model."""
        model = self.solver.model()
        states = tuple(self.encoding.state(model, frame) for frame in self.frames)
        steps = tuple(model.eval(s, model_completion=True).as_long() for s in self.selectors)
        return Trace(states, steps)


def check(system: System, goals: Sequence[Goal], depth: int, seconds: float | None = None) -> dict[str, Answer]:
    """Look for runs of at most `depth` steps, and for at most `seconds`, that decide `goals`."""
    deadline = None if seconds is None else monotonic() + seconds
    unrolling = Unrolling(system)
    found: dict[str, Answer] = {}
    left = list(goals)
    for length in range(depth + 1):
        for goal in list(left):
            outcome = ask(unrolling, goal, deadline)
            if outcome == z3.unknown:
                reason = f"timed out at {length} steps: {unrolling.solver.reason_unknown()}"
                return _rest(found, left, reason)
            if outcome == z3.sat:
                trace = with_last_step(system, goal, unrolling.trace())
                found[goal.prop.name] = Answer(goal.found, NAME, f"{len(trace)} steps", trace)
                left.remove(goal)
        if not left:
            break
        if length < depth:
            unrolling.extend()
    return _rest(found, left, f"none within {depth} steps")


def ask(unrolling: Unrolling, goal: Goal, deadline: float | None) -> z3.CheckSatResult:
    """Whether the last state of some run is `bad`; z3.unknown after the deadline."""
    solver = unrolling.solver
    if deadline is not None:
        left = deadline - monotonic()
        if left <= 0:
            return z3.unknown
        solver.set("timeout", max(1, int(left * 1000)))
    return solver.check(unrolling.encoding.formula(goal.bad, unrolling.frames[-1]))


def _rest(found: dict[str, Answer], left: Sequence[Goal], reason: str) -> dict[str, Answer]:
    return found | {goal.prop.name: Answer(Status.UNKNOWN, NAME, reason=reason) for goal in left}
