"""Sequences of steps that are the same but for the order, by exchanging neighbours and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import product
from random import Random

from cprcheck.domains import Range
from cprcheck.expr import conj, member, number
from cprcheck.semantics import apply, enabled
from cprcheck.system import Fairness, Fault, Process, Slot, State, System, Transition


def random_threads(seed: int) -> System:
    """Two or three processes that mostly keep to themselves, at times look at or write what they share, or go back."""
    r = Random(seed)
    count, length = r.choice([(2, 2), (2, 3), (3, 2)])
    place, shared = Range(0, length), Slot("shared", Range(0, 2))
    steps = []
    for process in range(count):
        for here in range(length):
            guard, update = [member(process, [here], 0, length + 1)], [(process, number(here + 1))]
            if r.random() < 0.3:
                guard.append(member(count, r.sample(range(3), 2), 0, 3))
            if r.random() < 0.35:
                update.append((count, number(r.randrange(3))))
            faults = (Fault("breaks"),) if r.random() < 0.1 else ()
            steps.append(Transition(process, f"from {here}", conj(*guard), tuple(update), faults=faults))
        if r.random() < 0.3:
            back = member(process, [length], 0, length + 1)
            steps.append(Transition(process, "back", back, ((process, number(0)),)))
    fair = [Fairness.NONE if any(t.label == "back" and t.process == i for t in steps) else Fairness.WEAK
            for i in range(count)]  # fmt: skip
    return System(
        "threads",
        (*(Slot(f"p{i}", place) for i in range(count)), shared),
        (*((0,) for _ in range(count)), (0,)),
        tuple(Process(f"p{i}", fair[i]) for i in range(count)),
        tuple(steps),
    )


def valuations(system: System) -> list[State]:
    """Every combination of values within the domains."""
    return list(product(*(slot.domain.codes for slot in system.slots)))


def independent_in(system: System, states: Iterable[State]) -> Callable[[int, int], bool]:
    """The definition of independence, tried in each of `states`."""

    def after(step: int, state: State) -> State:
        return apply(system.transitions[step], state)

    def can(step: int, state: State) -> bool:
        return enabled(system.transitions[step], state) and after(step, state) != state

    steps_at = range(len(system.transitions))
    where = [{step: after(step, state) for step in steps_at if can(step, state)} for state in states]
    known: dict[tuple[int, int], bool] = {}

    def commute(t: int, u: int) -> bool:
        if system.transitions[t].process == system.transitions[u].process:
            return False
        for steps in where:
            for first, second in ((t, u), (u, t)):
                if first in steps and (second in steps) != can(second, steps[first]):
                    return False
            if t in steps and u in steps and after(u, steps[t]) != after(t, steps[u]):
                return False
        return True

    def independent(t: int, u: int) -> bool:
        pair = min(t, u), max(t, u)
        if pair not in known:
            known[pair] = commute(*pair)
        return known[pair]

    return independent


def rearranged(
    steps: Sequence[int], independent: Callable[[int, int], bool], limit: int = 5_000
) -> set[tuple[int, ...]] | None:
    """All orders of a run's steps, as positions in it, that exchanging neighbours leads to; None when too many."""
    first = tuple(range(len(steps)))
    found, queue = {first}, [first]
    for order in queue:
        for i in range(len(order) - 1):
            if independent(steps[order[i]], steps[order[i + 1]]):
                swapped = (*order[:i], order[i + 1], order[i], *order[i + 2 :])
                if swapped not in found:
                    found.add(swapped)
                    queue.append(swapped)
        if len(found) > limit:
            return None
    return found


def walked(system: System, start: State, steps: Iterable[int]) -> State:
    """Where `steps` lead from `start`; each of them can be taken and changes something."""
    for step in steps:
        assert enabled(system.transitions[step], start)
        before, start = start, apply(system.transitions[step], start)
        assert start != before
    return start
