# SPDX-License-Identifier: Apache-2.0
"""An invariant without a solver: which values each slot can have, beside each value of another.

Forward abstract interpretation.  For a value m of a *key* slot x, an environment says which codes every other
slot can have in reachable states with x = m.  The locations of processes are always keys ("at this line, the
container is invalid"); other slots become keys as long as the work stays small.  What comes out is an
over-approximation; z3 certifies it before anyone relies on it (`prove`).

An environment is one integer with a field of bits per slot, so that joining and meeting are single operations
however many slots there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod
from time import monotonic

from cprcheck.analysis import bounds, decide
from cprcheck.expr import TRUE, Const, Expr, In, conj, conjuncts, disj, member, neg, reads
from cprcheck.semantics import evaluate
from cprcheck.system import System, Transition

WORK = 400_000
"""Slots beyond the locations become keys while (transitions x values of keys) stays below this."""
COMBINATIONS = 64
"""An assigned expression is evaluated for at most so many combinations of the slots that it reads."""

Key = tuple[int, int]
"""A value of a key slot: (slot, bit), where bit i stands for the code `low + i`."""


@dataclass(frozen=True)
class _Part:
    """A part of a guard that is not a set test; `impossible` remembers the environments asked about."""

    node: Expr
    slots: list[int]
    impossible: dict[int, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class _Step:
    """A transition, prepared: its set tests, the rest of its guard, and its update."""

    tests: tuple[tuple[int, int], ...]
    rest: tuple[_Part, ...]
    constants: tuple[tuple[int, int], ...]
    others: tuple[tuple[int, Expr], ...]


class Abstraction:
    """The environments of one System; `run` computes them, `invariant` is what they say."""

    def __init__(self, system: System) -> None:
        self.system = system
        sizes = [slot.domain.size for slot in system.slots]
        self.offset = [sum(sizes[:i]) for i in range(len(sizes))]
        self.field = [(1 << size) - 1 << offset for size, offset in zip(sizes, self.offset, strict=True)]
        self.top = sum(1 << o + size - 1 for size, o in zip(sizes, self.offset, strict=True))
        self.full = (1 << sum(sizes)) - 1
        self.below = self.full ^ self.top
        self.keys = self._choose_keys()
        self.key_set = frozenset(self.keys)
        self.values: dict[Key, int] = {}
        self.steps = [self._prepare(transition) for transition in system.transitions]

    def _choose_keys(self) -> list[int]:
        slots = self.system.slots
        keys = [i for i, slot in enumerate(slots) if slot.role == "location"]
        work = sum(slots[i].domain.size for i in keys)
        others = sorted((i for i in range(len(slots)) if i not in keys), key=lambda i: slots[i].domain.size)
        for i in others:
            work += slots[i].domain.size
            if keys and work * len(self.system.transitions) > WORK:
                break
            keys.append(i)
        return sorted(keys)

    def _prepare(self, transition: Transition) -> _Step:
        parts = conjuncts(transition.guard)
        tests = tuple((part.slot, part.mask) for part in parts if isinstance(part, In))
        rest = tuple(_Part(part, sorted(reads(part))) for part in parts if not isinstance(part, In) and part != TRUE)
        slots = self.system.slots
        constants = tuple((s, v.value - slots[s].domain.low) for s, v in transition.update if isinstance(v, Const))
        others = tuple((s, v) for s, v in transition.update if not isinstance(v, Const))
        return _Step(tests, rest, constants, others)

    # ---- environments ---------------------------------------------------------------------------------------

    def possible(self, env: int, slot: int) -> int:
        """The codes of `slot` in `env`, as a mask."""
        return (env & self.field[slot]) >> self.offset[slot]

    def is_empty(self, env: int) -> bool:
        """Whether some slot has no code left: one carry per field tells."""
        return ((env & self.below) + self.below | env) & self.top != self.top

    def only(self, env: int, slot: int, mask: int) -> int:
        """`env` with the codes of `slot` restricted to `mask`."""
        return env & (self.full ^ self.field[slot] | mask << self.offset[slot])

    def put(self, env: int, slot: int, mask: int) -> int:
        """`env` with the codes of `slot` replaced by `mask`."""
        return env & (self.full ^ self.field[slot]) | mask << self.offset[slot]

    def allowed(self, env: int, slots: Sequence[int]) -> dict[int, int]:
        """What `env` says about `slots`, in the form that `analysis` reads."""
        return {slot: self.possible(env, slot) for slot in slots}

    # ---- the fixpoint ---------------------------------------------------------------------------------------

    def run(self, deadline: float | None = None) -> bool:
        """Compute the environments; False when `deadline` (of the monotonic clock) came first.

        Transitions are taken in their order, again and again.  `changed` tells at which tick an environment
        last grew, `visited` when a transition last saw them all: what did not grow since is left alone.
        """
        changed = dict.fromkeys(self._start(), 1)
        visited = [0] * len(self.steps)
        tick, growing = 1, True
        while growing:
            growing = False
            for number, step in enumerate(self.steps):
                if deadline is not None and monotonic() > deadline:
                    return False
                tick += 1
                since, visited[number] = visited[number], tick
                for key, env in self._post(step, changed, since):
                    old = self.values.get(key, 0)
                    if env | old != old:
                        self.values[key] = env | old
                        changed[key] = tick
                        growing = True
        return True

    def _start(self) -> Iterator[Key]:
        env = 0
        for i, codes in enumerate(self.system.init):
            low = self.system.slots[i].domain.low
            env |= _union(1 << code - low for code in codes) << self.offset[i]
        for part in conjuncts(self.system.assume):
            if isinstance(part, In):
                env = self.only(env, part.slot, part.mask)
        for key in self._split(env):
            self.values[key] = self.only(env, key[0], 1 << key[1])
            yield key

    def _split(self, env: int) -> Iterator[Key]:
        """Every (key slot, bit) that `env` allows."""
        for slot in self.keys:
            mask = self.possible(env, slot)
            while mask:
                low = mask & -mask
                yield slot, low.bit_length() - 1
                mask ^= low

    def _post(self, step: _Step, changed: Mapping[Key, int], since: int) -> Iterator[tuple[Key, int]]:
        """What `step` makes of the environments it can start in, as far as one has changed at `since` or later."""
        common, pinned = self._common(step)
        if self.is_empty(common):
            return
        new = any(changed[key] >= since for key in pinned)
        for slot in self.keys:
            mask = self.possible(common, slot)
            while mask:
                low = mask & -mask
                mask ^= low
                key = (slot, low.bit_length() - 1)
                if key in changed and (new or changed[key] >= since):
                    env = self._filter(step, common & self.values[key])
                    if env:
                        yield from self._after(step, env, slot)

    def _common(self, step: _Step) -> tuple[int, list[Key]]:
        """The environment that the guard's sets leave, and the keys that it was met with."""
        env, pinned = self.full, []
        for slot, mask in step.tests:
            env = self.only(env, slot, mask)
            if slot in self.key_set:
                keys = [
                    (slot, bit) for bit in range(mask.bit_length()) if mask >> bit & 1 and (slot, bit) in self.values
                ]
                env &= _union(self.values[key] for key in keys)
                pinned += keys
        return env, pinned

    def _filter(self, step: _Step, env: int) -> int:
        """`env` cut down by the guard; 0 when the guard cannot hold in it."""
        if self.is_empty(env):
            return 0
        return 0 if any(self.excludes(env, part) for part in step.rest) else env

    def excludes(self, env: int, part: _Part) -> bool:
        """Whether `part` cannot hold in `env`."""
        relevant = env & _union(self.field[slot] for slot in part.slots)
        if relevant not in part.impossible:
            answer = decide(part.node, self.system.slots, self.allowed(env, part.slots))
            part.impossible[relevant] = answer is False
        return part.impossible[relevant]

    def _after(self, step: _Step, env: int, slot: int) -> Iterator[tuple[Key, int]]:
        """The environments after the step, one for each value that the key `slot` then has."""
        after = env
        for target, bit in step.constants:
            after = self.put(after, target, 1 << bit)
        for target, value in step.others:
            after = self.put(after, target, self._values(value, target, env))
        if self.is_empty(after):
            return
        mask = self.possible(after, slot)
        while mask:
            low = mask & -mask
            mask ^= low
            yield (slot, low.bit_length() - 1), self.only(after, slot, low)

    def _values(self, value: Expr, target: int, env: int) -> int:
        """The codes that `value` can have in `env`, as a mask of `target`'s domain."""
        slots, domain = self.system.slots, self.system.slots[target].domain
        used = sorted(reads(value))
        choices = [
            [c for c in slots[s].domain.codes if env >> self.offset[s] + c - slots[s].domain.low & 1] for s in used
        ]
        if prod(map(len, choices)) <= COMBINATIONS:
            state = [0] * len(slots)
            mask = 0
            for combination in product(*choices):
                for slot, code in zip(used, combination, strict=True):
                    state[slot] = code
                mask |= _bit(evaluate(value, tuple(state)) - domain.low)
            return mask & domain.full
        low, high = bounds(value, slots, self.allowed(env, used))
        first, last = max(low, domain.low) - domain.low, min(high, domain.high) - domain.low
        return (1 << last + 1) - (1 << first) if first <= last else 0

    def live(self) -> list[int]:
        """The transitions that the environments do not rule out."""
        if not self.keys:
            return list(range(len(self.steps)))  # a System without slots: nothing is known of it
        everything = dict.fromkeys(self.values, 0)
        return [i for i, step in enumerate(self.steps) if next(self._post(step, everything, 0), None) is not None]

    # ---- what it says ---------------------------------------------------------------------------------------

    def invariant(self) -> Expr:
        """The formula that all reachable states satisfy."""
        slots = self.system.slots
        parts: list[Expr] = []
        for key in self.keys:
            domain = slots[key].domain
            rows = {bit: env for (slot, bit), env in self.values.items() if slot == key}
            parts.append(member(key, [domain.low + bit for bit in rows], domain.low, domain.size))
            for other in range(len(slots)):
                if other != key:
                    parts += self._beside(key, other, rows)
        return conj(*parts)

    def _beside(self, key: int, other: int, rows: dict[int, int]) -> Iterator[Expr]:
        """What the value of `key` says about the slot `other`; rows that say the same make one clause."""
        slots = self.system.slots
        bits_by_mask: dict[int, list[int]] = defaultdict(list)
        for bit, env in rows.items():
            bits_by_mask[self.possible(env, other)].append(bit)
        domain, asked = slots[key].domain, slots[other].domain
        for mask, bits in bits_by_mask.items():
            if mask != asked.full:
                here = member(key, [domain.low + bit for bit in bits], domain.low, domain.size)
                there = member(other, [c for c in asked.codes if mask >> c - asked.low & 1], asked.low, asked.size)
                yield disj(neg(here), there)


def _union(masks: Iterable[int]) -> int:
    total = 0
    for mask in masks:
        total |= mask
    return total


def _bit(position: int) -> int:
    return 1 << position if position >= 0 else 0
