# SPDX-License-Identifier: Apache-2.0
"""Where a run may end, and what is told of it then."""

from __future__ import annotations

from collections.abc import Iterable

from cprcheck.compare.ending import Aspects
from cprcheck.engines.graph import StateGraph
from cprcheck.semantics import outcome
from cprcheck.system import NOBODY, Fairness, State, System

Told = frozenset[tuple[int, str]]
"""What events have told: (which of `System.collected`, value)."""
NOTHING: Told = frozenset()


def rests(system: System, steps: Iterable[int]) -> bool:
    """Whether nobody has to move where `steps` are all transitions that change something.

    A process at an idle location has to move too when it can: a main loop that was asked for something does it.
    """
    for transition in map(system.transitions.__getitem__, steps):
        if system.processes[transition.process].fairness is not Fairness.NONE and not transition.faults:
            return False
    return True


def resting(states: StateGraph) -> set[int]:
    """The nodes at which nobody has to move."""

    def moves(node: int) -> Iterable[int]:
        return (step for _, to, step in states.graph.out_edges(node, keys=True) if to != node)

    return {node for node in states.graph if rests(states.system, moves(node))}


def changes(states: StateGraph) -> list[dict[int, int]]:
    """For each node the steps that change something: transition, and the node it leads to."""
    found: list[dict[int, int]] = [{} for _ in states.states]
    for node, to, step in states.graph.edges(keys=True):
        if node != to:
            found[node][step] = to
    return [dict(sorted(steps.items())) for steps in found]


def told_by(system: System, step: int) -> Told:
    """What the events of transition `step` tell."""
    return frozenset(
        (number, value)
        for number, collected in enumerate(system.collected)
        for event in system.transitions[step].events
        for name, value in event.args
        if (event.name, name) == (collected.event, collected.argument)
    )


def told_on(system: System, steps: Iterable[int]) -> Told:
    """What the events of all `steps` tell."""
    return NOTHING.union(*(told_by(system, step) for step in steps))


def aspects(system: System, last: State, told: Told) -> Aspects:
    """The outcome of a run that ends in `last` and whose events have told `told`."""
    collected = [
        (each.aspect, ", ".join(sorted(value for at, value in told if at == number)) or NOBODY)
        for number, each in enumerate(system.collected)
    ]
    return (*outcome(system, last).items(), *collected)
