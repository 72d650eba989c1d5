# SPDX-License-Identifier: Apache-2.0
"""Pairs of steps whose order decides, for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cprcheck.compare.ending import Aspects, Order, Race
from cprcheck.report.run import run_lines, step_lines
from cprcheck.report.text import many, wrap
from cprcheck.semantics import enabled
from cprcheck.system import System


def lines(system: System, races: Sequence[Race], judged: str = "", *, traces: bool = True) -> Iterator[str]:
    """How many pairs of steps race, then each: a way to where both can be taken, and what comes of either order.

    `judged` is the property that decides; without one the outcomes do.
    """
    what = f"whether {judged} can fail" if judged else "how a run can end"
    yield f"{many(len(races), 'pair')} of steps whose order decides {what}"
    for race in races:
        yield ""
        yield from _race_lines(system, race, traces=traces)


def _race_lines(system: System, race: Race, *, traces: bool) -> Iterator[str]:
    one, other = (_name(system, step) for step in race.steps)
    prefix = len(race.one.way) - race.one.taken
    yield from wrap(f"--- {one} | {other}, in {many(race.states, 'state')}, first after {many(prefix, 'step')}", 0)
    if traces and prefix:
        yield ""
        yield from run_lines(system, race.one.way, prefix)
    shared = set(race.one.outcomes) & set(race.other.outcomes)
    for order, second in zip((race.one, race.other), reversed(race.steps), strict=True):
        yield ""
        yield from _order_lines(system, order, second)
        yield from _outcome_lines("only then", (told for told in order.outcomes if told not in shared))
        if not order.outcomes:
            yield "       and nobody comes to rest from there"
    if shared:
        yield ""
        yield f"  in both orders {many(len(shared), 'outcome')}"


def _order_lines(system: System, order: Order, second: int) -> Iterator[str]:
    """The racing steps in one order, of which `second` is the later one."""
    at = len(order.way) - order.taken
    for number, step in enumerate(order.way.steps[at:], at + 1):
        yield from step_lines(system, number, step)
    if order.taken == 1:
        possible = enabled(system.transitions[second], order.way.states[-1])
        yield from wrap(f"then {_name(system, second)} {'changes nothing' if possible else 'is not possible'}", 7)


def _outcome_lines(when: str, outcomes: Iterable[Aspects]) -> Iterator[str]:
    for told in outcomes:
        yield from wrap(f"{when}: {'; '.join(f'{aspect}: {said}' for aspect, said in told)}", 7)


def _name(system: System, step: int) -> str:
    transition = system.transitions[step]
    return f"{system.processes[transition.process].name}: {transition.label}"
