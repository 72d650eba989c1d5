# SPDX-License-Identifier: Apache-2.0
"""Which failures nobody recovers, alone and as the first two of a run; whether the update can succeed after one.

A *failure* is a step that takes a fault or refuses something; failures of one name are one way to fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import networkx as nx

from cprcheck.compare.view import (
    DONE,
    FAILED,
    IN_NEW,
    LOST,
    View,
    failure_name,
    for_good,
    leading_to,
)


@dataclass(frozen=True)
class Left:
    """What faults and refusals may leave behind, without another fault.

    After those in `invalid` a vaddr may stay invalid *for good* in a living old QEMU: what fair processes do without
    a fault, idle ones too, leads to no other state any more.  After those in `lost` the VM may be lost: it is in no
    QEMU, or for good in a new one where the update has failed.  `of` are all failures that can happen.
    """

    invalid: tuple[str, ...]
    lost: tuple[str, ...]
    of: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All failures that may leave something behind."""
        return tuple(dict.fromkeys((*self.invalid, *self.lost)))


@dataclass(frozen=True)
class Pair:
    """The first two failures of a run, where they may leave something behind as `Left` says.

    `alone` says that one of the two may do the same without the other.
    """

    first: str
    second: str
    invalid: bool
    lost: bool
    alone: bool


@dataclass(frozen=True)
class Pairs:
    """The pairs that may leave something behind; `of` are all pairs that can be the first two failures of a run."""

    left: tuple[Pair, ...]
    of: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Attempt:
    """Whether the update can still succeed after the first failure of a run, when nothing fails any more.

    By steps of fair processes, idle ones too: in the same attempt, or because the management tries again.  `always`
    and `never` are about all places at which a failure of this name strikes; where neither is true, some.
    """

    name: str
    always: bool
    never: bool


def left_behind(view: View) -> Left:
    """After which failures nobody restores who has to, and after which there is nobody left."""
    ends = _Ends(view)
    invalid, lost = ends.after(ends.failures)
    return Left(tuple(invalid), tuple(lost), tuple(dict.fromkeys(name for *_, name in ends.failures)))


def pairs(view: View) -> Pairs:
    """Which failures nobody recovers when they are the first two of a run."""
    ends = _Ends(view)
    first = ends.next(range(view.graph.initial))
    invalid, lost = ends.after(first)
    left, of = [], []
    for name in dict.fromkeys(name for *_, name in first):
        second = ends.next(to for _, to, each in first if each == name)
        stays, goes = ends.after(second)
        for then in dict.fromkeys(each for *_, each in second):
            of.append((name, then))
            if then in stays or then in goes:
                known = (then not in stays or {name, then} & invalid.keys()) and (
                    then not in goes or {name, then} & lost.keys()
                )
                left.append(Pair(name, then, then in stays, then in goes, bool(known)))
    return Pairs(tuple(left), tuple(of))


def attempts(view: View) -> tuple[Attempt, ...]:
    """For each failure that can be the first of a run, whether the update can still succeed."""
    able = leading_to(view.plain(view.obliged), view.where("update", {DONE}))
    found: dict[str, list[bool]] = {}
    for _, to, name in _Ends(view).next(range(view.graph.initial)):
        found.setdefault(name, []).append(to in able)
    return tuple(Attempt(name, all(told), not any(told)) for name, told in found.items())


class _Ends:
    """The failures of a graph, as (node, node after it, name) in the order of their steps, and where they may end."""

    def __init__(self, view: View) -> None:
        named = [(a, b, failure_name(view.system, view.system.transitions[step])) for a, b, step in view.edges]
        failed = for_good(view, view.where("guest", IN_NEW) & view.where("update", {FAILED}))
        lost = view.where("guest", {LOST}) | failed
        self.failures = [(a, b, name) for a, b, name in named if name and a not in lost]
        self.smooth = view.plain(edge for edge, (*_, name) in zip(view.edges, named, strict=True) if not name)
        quiet = view.plain(view.calm)
        self.invalid = leading_to(quiet, for_good(view, view.exposed))
        self.lost = leading_to(quiet, lost)

    def next(self, nodes: Iterable[int]) -> list[tuple[int, int, str]]:
        """The failures that can come next after one of `nodes`."""
        sources = set(nodes)
        reached = nx.multi_source_dijkstra_path_length(self.smooth, sources) if sources else {}
        return [failure for failure in self.failures if failure[0] in reached]

    def after(self, found: list[tuple[int, int, str]]) -> tuple[dict[str, None], dict[str, None]]:
        """The names of those among `found` after which a vaddr may stay invalid, and the VM may be lost."""
        invalid = dict.fromkeys(name for _, to, name in found if to in self.invalid)
        return invalid, dict.fromkeys(name for _, to, name in found if to in self.lost)
