# SPDX-License-Identifier: Apache-2.0
"""What can be seen of two systems from outside: which words one can say and the other cannot, and simulation.

A *word* is what is seen of a run, in its order; steps of which nothing is seen are silent.  The words of a system
are closed under leaving out the end: that something *has* to happen is not compared.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass

Word = tuple[str, ...]
Move = tuple[str | None, int]
"""(what is seen, or None for a silent step; the node after it)"""
PAIRS = 100_000
"""So many pairs of sets are looked at when words are compared."""
CLASSES = 2_000
"""So many classes of nodes that behave alike are compared for simulation."""


class TooLargeError(Exception):
    """A limit was reached before there was an answer; the message says which."""


@dataclass(frozen=True)
class Labelled:
    """A system of nodes 0, 1, …: those where it may start, and the moves of each."""

    initial: frozenset[int]
    moves: tuple[tuple[Move, ...], ...]


def labelled(initial: Iterable[int], moves: Sequence[Iterable[Move]]) -> Labelled:
    """A system, each move once and in order."""
    return Labelled(frozenset(initial), tuple(tuple(sorted(set(each), key=_first_silent)) for each in moves))


def _first_silent(move: Move) -> tuple[str, int]:
    return move[0] or "", move[1]


# ---- words ----------------------------------------------------------------------------------------------------------


class Words:
    """The words of a system: what can be seen next, and where one may be then."""

    def __init__(self, system: Labelled) -> None:
        self.system = system
        self.start = self.quietly(system.initial)

    def quietly(self, nodes: Iterable[int]) -> frozenset[int]:
        """`nodes`, and where silent steps lead from them."""
        found = set(nodes)
        open_ = list(found)
        while open_:
            for label, to in self.system.moves[open_.pop()]:
                if label is None and to not in found:
                    found.add(to)
                    open_.append(to)
        return frozenset(found)

    def next(self, nodes: frozenset[int]) -> dict[str, frozenset[int]]:
        """For each label that can be seen next from one of `nodes`, by its name: where one may be then."""
        after: dict[str, set[int]] = {}
        for node in nodes:
            for label, to in self.system.moves[node]:
                if label is not None:
                    after.setdefault(label, set()).add(to)
        return {label: self.quietly(after[label]) for label in sorted(after)}

    def after(self, word: Word) -> frozenset[int]:
        """Where one may be when `word` has been seen; nowhere when it is none of the words."""
        nodes = self.start
        for label in word:
            nodes = self.next(nodes).get(label, frozenset())
        return nodes


def difference(one: Labelled, other: Labelled, limit: int = PAIRS) -> Word | None:
    """A shortest word of `one` that is none of `other`'s, the first in order of these; None when there is none.

    Both are walked at once, and each as a set of nodes in which it may be.  Raises TooLargeError after `limit` pairs
    of sets.
    """
    if not one.initial:
        return None
    if not other.initial:
        return ()
    mine, theirs = Words(one), Words(other)
    start = (mine.start, theirs.start)
    said: dict[tuple[frozenset[int], frozenset[int]], Word] = {start: ()}
    level = [start]
    while level:
        fresh = []
        for pair in level:
            able = theirs.next(pair[1])
            for label, to in mine.next(pair[0]).items():
                if label not in able:
                    return (*said[pair], label)
                after = (to, able[label])
                if after not in said:
                    said[after] = (*said[pair], label)
                    fresh.append(after)
            if len(said) > limit:
                raise TooLargeError(f"more than {limit:,} pairs of sets of states".replace(",", " "))
        level = fresh
    return None


# ---- simulation -----------------------------------------------------------------------------------------------------


def simulates(other: Labelled, one: Labelled, limit: int = CLASSES) -> bool:
    """Whether `other` can follow `one` step by step: weak simulation.

    Each start of `one` has a start of `other` that simulates it: whatever step is taken here, silent or seen, the same
    can be seen there, silent steps before and after it allowed, and ends at a node that simulates the one here.
    Raises TooLargeError when more than `limit` nodes of either behave differently.
    """
    mine, theirs = merged(one, limit), merged(other, limit)
    able: dict[str | None, list[int]] = {}
    for node, moves in enumerate(saturated(theirs)):
        for label, to in moves:
            able.setdefault(label, [0] * len(theirs.moves))[to] |= 1 << node
    by = [(1 << len(theirs.moves)) - 1] * len(mine.moves)
    changing = True
    while changing:
        changing = False
        for node in reversed(range(len(mine.moves))):
            left = by[node]
            for label, to in mine.moves[node]:
                left &= _before(by[to], able.get(label))
            changing = changing or left != by[node]
            by[node] = left
    starts = sum(1 << node for node in theirs.initial)
    return all(by[node] & starts for node in mine.initial)


def _before(nodes: int, able: list[int] | None) -> int:
    """Who can come to one of `nodes`; both are sets as bits."""
    found = 0
    if able is not None:
        while nodes:
            lowest = nodes & -nodes
            found |= able[lowest.bit_length() - 1]
            nodes ^= lowest
    return found


def merged(system: Labelled, limit: int = CLASSES) -> Labelled:
    """`system` with nodes made one that are weakly bisimilar: first those that are strongly so, which is cheap."""
    small = _quotient(system, _classes(system.moves))
    if len(small.moves) > limit:
        raise TooLargeError(f"more than {limit:,} classes of states that behave alike".replace(",", " "))
    return _quotient(small, _classes(saturated(small)))


def saturated(system: Labelled) -> list[frozenset[Move]]:
    """For each node the moves with silent steps before and after; silently also to itself."""
    words = Words(system)
    quiet = [words.quietly([node]) for node in range(len(system.moves))]
    found = []
    for node in range(len(system.moves)):
        moves: set[Move] = {(None, to) for to in quiet[node]}
        moves |= {(label, end) for via in quiet[node] for label, to in system.moves[via] if label for end in quiet[to]}
        found.append(frozenset(moves))
    return found


def _classes(moves: Sequence[Iterable[Move]]) -> list[int]:
    """The class of each node, when nodes with the same moves to the same classes are made one, as long as possible."""
    classes, count = [0] * len(moves), 1
    while True:
        numbers: dict[Hashable, int] = {}
        signatures = [
            (classes[node], frozenset((label, classes[to]) for label, to in each)) for node, each in enumerate(moves)
        ]
        classes = [numbers.setdefault(signature, len(numbers)) for signature in signatures]
        if len(numbers) <= count:
            return classes
        count = len(numbers)


def _quotient(system: Labelled, classes: list[int]) -> Labelled:
    """The system of the classes; silent moves within a class go."""
    moves: list[set[Move]] = [set() for _ in range(max(classes, default=-1) + 1)]
    for node, each in enumerate(system.moves):
        moves[classes[node]].update(_leaving(classes[node], ((label, classes[to]) for label, to in each)))
    return labelled((classes[node] for node in system.initial), moves)


def _leaving(node: int, moves: Iterable[Move]) -> Iterator[Move]:
    return ((label, to) for label, to in moves if label is not None or to != node)
