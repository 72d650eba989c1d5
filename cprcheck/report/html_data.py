# SPDX-License-Identifier: Apache-2.0
"""What the HTML page shows of the traces: plain data, in which everything is written once.

Words (values, mostly) and steps are numbered, and named by their numbers.  Of a trace there is the first state, and
for each step what it changes.
"""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element

from cprcheck.errors import Source, shorten
from cprcheck.explain import taken
from cprcheck.neighbourhood import neighbourhood
from cprcheck.report import document, ladder, svg, text
from cprcheck.report.neighbours import changes, edge_lines, spans
from cprcheck.semantics import successors
from cprcheck.system import State
from cprcheck.trace import Trace
from cprcheck.verdict import Report, Verdict


class Pool:
    """Things of JSON, numbered in the order in which they first come."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, thing: Any) -> int:
        """The number of `thing`."""
        return self.numbers.setdefault(json.dumps(thing), len(self.numbers))

    def things(self) -> list[Any]:
        """All of them, by number."""
        return [json.loads(thing) for thing in self.numbers]


@dataclass(frozen=True)
class Pools:
    """What is written once in a file."""

    words: Pool = field(default_factory=Pool)
    steps: Pool = field(default_factory=Pool)
    traces: Pool = field(default_factory=Pool)
    shapes: Pool = field(default_factory=Pool)


def data(reports: Sequence[Report]) -> dict[str, Any]:
    """All traces of `reports`, with what the page tells about them."""
    pools = Pools()
    configurations = [_Teller(found, pools).configuration() for found in reports]
    for configuration, slug in zip(configurations, slugs(reports), strict=True):
        configuration["slug"] = slug
    return {
        "configurations": configurations,
        "words": pools.words.things(),
        "steps": pools.steps.things(),
        "traces": pools.traces.things(),
        "shapes": pools.shapes.things(),
    }


def slugs(reports: Sequence[Report]) -> list[str]:
    """What the page's address calls each configuration: its model and the values of its parameters.

    Those that would be called the same get their digest too.
    """
    names = ["-".join((r.system.name, *(value for _, value in r.system.params if value))) for r in reports]
    return distinct(names, [found.system.digest() for found in reports])


def distinct(names: Sequence[str], more: Sequence[str] = ()) -> list[str]:
    """`names` as words that mean nothing special in a URL, all different: by what is in `more`, else by number."""
    found = [_word(name) for name in names]
    if more:
        times = Counter(found)
        found = [f"{name}-{_word(end)}" if times[name] > 1 else name for name, end in zip(found, more, strict=True)]
    taken: set[str] = set()
    for at, name in enumerate(found):
        number = 1
        while found[at] in taken or (number > 1 and found[at] in found[:at] + found[at + 1 :]):
            number += 1
            found[at] = f"{name}-{number}"
        taken.add(found[at])
    return found


def _word(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.]+", "-", name).strip("-") or "x"


def verdict_slugs(found: Report) -> list[str]:
    """What the page's address calls each verdict of a report."""
    return distinct([verdict.prop.name for verdict in found.verdicts])


class _Teller:
    """Tells the traces of one report; each state's successors are asked for once, and each step is told once."""

    def __init__(self, found: Report, pools: Pools) -> None:
        self.found, self.system, self.pools = found, found.system, pools
        self.successors = cache(lambda state: successors(found.system, state))
        self.step = cache(self.told)

    def configuration(self) -> dict[str, Any]:
        """What the report is about, and its verdicts that have a trace."""
        return {
            "title": text.title(self.system),
            "scope": list(self.found.scope),
            "slots": [[slot.name, slot.role] for slot in self.system.slots],
            "verdicts": [
                {"slug": slug, **self.verdict(verdict, verdict.trace)}
                for verdict, slug in zip(self.found.verdicts, verdict_slugs(self.found), strict=True)
                if verdict.trace is not None
            ],
        }

    def verdict(self, verdict: Verdict, trace: Trace) -> dict[str, Any]:
        """A verdict with the numbers of its trace and of the shapes of its ladder."""
        again = ladder.again(self.system)
        return {
            "name": verdict.prop.name,
            "claim": " ".join(verdict.prop.doc.split()),
            "status": verdict.status.value,
            "basis": verdict.basis,
            "engines": list(verdict.engines),
            "violated": verdict.violated,
            "where": [list(pair) for pair in verdict.where],
            "severity": verdict.severity,
            "claimed": "; ".join(_lines(verdict.claimed or filter(None, [verdict.prop.source]))),
            "again": shlex.join([*again, "--property", verdict.prop.name]) if again else "",
            "trace": self.pools.traces.number(self.trace(trace)),
            "picture": self.picture(verdict),
        }

    def picture(self, verdict: Verdict) -> dict[str, Any]:
        """The ladder: the attributes of its svg element, and the shapes in it.  Ladders that begin alike share them."""
        drawn = svg.element(self.system, verdict, "ladder-")
        shapes = [self.pools.shapes.number(_shape(part)) for part in drawn if part.tag != "style"]
        return {"attributes": dict(drawn.attrib), "shapes": shapes}

    def trace(self, trace: Trace) -> dict[str, Any]:
        """The first state, the changes of each step, and what else could have happened."""
        nothing = tuple(None for _ in self.system.slots)
        return {
            "first": [word for _, word in self.changes(nothing, trace.states[0])],
            "steps": [
                [self.step(step), self.changes(trace.states[at], trace.states[at + 1])]
                for at, step in enumerate(trace.steps)
            ],
            "else": [self.others(trace, at) for at in range(len(trace.states))],
            "loop": trace.loop,
            **self.around(trace),
        }

    def around(self, trace: Trace) -> dict[str, Any]:
        """The neighbourhood: (state, words, state or name of what lies beside) of each step that leaves the trace.

        `others` says what has changed in what lies beside it, by name.
        """
        graph = neighbourhood(self.system, trace)
        on_trace = {node.id: node.rank for node in graph.nodes if node.on_trace}
        return {
            "beside": [
                [on_trace[edge.source], edge_lines(edge), on_trace.get(edge.target, edge.target)]
                for edge in graph.edges
                if not edge.on_trace
            ],
            "others": {node.id: changes(self.system, node) for node in graph.nodes if not node.on_trace},
            "left_out": graph.left_out,
        }

    def others(self, trace: Trace, at: int) -> list[Any]:
        """(step, changes, which state of the trace it gives) for all that could have happened in state `at` instead.

        That state is -1 where it gives none.
        """
        here = trace.states[at]
        went = taken(trace, at)
        back = {state: number for number, state in reversed(list(enumerate(trace.states)))}
        return [
            [self.step(step), self.changes(here, after), back.get(after, -1)]
            for step, after in self.successors(here)
            if step != went
        ]

    def changes(self, before: Sequence[int | None], after: State) -> list[list[int]]:
        """(slot, number of the word) for each slot that has a new value."""
        return [
            [at, self.pools.words.number(slot.domain.show(new))]
            for at, (slot, old, new) in enumerate(zip(self.system.slots, before, after, strict=True))
            if old != new
        ]

    def told(self, index: int) -> int:
        """The number of a step, with all that is told of it."""
        transition = self.system.transitions[index]
        return self.pools.steps.number(
            document.step(self.system, index)
            | {
                "title": text.step_title(self.system, transition),
                "faults": [text.fault_line(fault) for fault in transition.faults],
                "sources": list(_lines(transition.sources)),
            }
        )


def _shape(element: Element) -> list[Any]:
    """[name, attributes, text, shapes inside…]: no markup, so that no one has to read markup."""
    return [element.tag, dict(element.attrib), element.text or "", *map(_shape, element)]


def _lines(sources: Iterable[Source]) -> Iterator[str]:
    """The author's lines, file by file: `models/designs/v7.py:41, 43, 49-51`."""
    files: dict[str, set[int]] = {}
    for source in sources:
        files.setdefault(source.file, set()).add(source.line)
    for file, lines in files.items():
        yield f"{shorten(file)}:{spans(sorted(lines))}"
