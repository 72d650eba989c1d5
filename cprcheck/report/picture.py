# SPDX-License-Identifier: Apache-2.0
"""A run as a picture, before it is drawn: lanes side by side, a row for each step, messages between lanes, and bars.

The lanes, messages and bars are those that the model has declared; a process without a lane has its group as one, or
its family.  What a run does not touch is left out: lanes in which nothing happens, bars that never stand.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from cprcheck.expr import disj
from cprcheck.lanes import Arrow, Bar
from cprcheck.report.text import fault_line
from cprcheck.semantics import evaluate
from cprcheck.system import Event, Process, State, System, Transition
from cprcheck.trace import Trace

MOST_LANES, MOST_BARS = 8, 12
"""So many can be told apart; what is beyond is drawn as one."""
OTHERS = "others"


@dataclass(frozen=True)
class Part:
    """One line of a row: a `text`, and a message from lane `source` to lane `target`, where it is one."""

    kind: Literal["start", "step", "fault", "event", "life"]
    text: str
    source: int | None = None
    target: int | None = None


@dataclass(frozen=True)
class Row:
    """Step `step` of a run, taken in `lane`; row 0 is the initial state, and nobody takes it.

    `head` is the step itself, `parts` what happens in it.  `function` is the C function that it begins in, and
    `functions` are all it stands for.  `lives` and `bars` say which lanes are there in the state after the step, and
    which bars stand.
    """

    step: int
    lane: int | None
    head: Part
    parts: tuple[Part, ...]
    functions: tuple[str, ...]
    lives: tuple[bool, ...]
    bars: tuple[bool, ...]

    @property
    def faulty(self) -> bool:
        """Whether the step takes a fault."""
        return any(part.kind == "fault" for part in self.parts)

    @property
    def function(self) -> str:
        """The C function that the step begins in; empty when the model names none."""
        return self.functions[0] if self.functions else ""


@dataclass(frozen=True)
class Picture:
    """A run.  `loop` is, as in a Trace, the number of the row after whose state it goes on for ever."""

    lanes: tuple[str, ...]
    bars: tuple[str, ...]
    rows: tuple[Row, ...]
    loop: int | None = None

    def before(self, row: Row) -> Row:
        """The row above; above the first there is none, and it stands for itself."""
        return self.rows[max(row.step - 1, 0)]

    @property
    def ending(self) -> str:
        """What comes after the last row; empty when the run just ends."""
        if self.loop is None:
            return ""
        stays = self.loop == len(self.rows) - 1
        return "nobody has to move from here on" if stays else "back to where the loop starts, for ever"


def picture(system: System, trace: Trace) -> Picture:
    """The picture of a run."""
    return _Painter(system, trace).picture()


def one_line(text: str) -> str:
    """`text` without line breaks, tabs and what cannot be printed."""
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split()))


class _Painter:
    """One picture in the making; lanes are names until all is known."""

    def __init__(self, system: System, trace: Trace) -> None:
        self.system, self.trace = system, trace
        self.groups = {lane.name: lane.group for lane in system.drawing.lanes}
        self.owners = {lane.group: lane.name for lane in system.drawing.lanes if lane.group}
        moving = [system.transitions[step] for step in trace.steps]
        for process in system.processes:
            self.groups.setdefault(self.home(process), process.group)
        touched = {self.home(system.processes[t.process]) for t in moving}
        touched |= {end for t in moving for part in self.messages(t) for end in part[1:] if end}
        used = [name for name in self.groups if name in touched]
        self.lanes = used if len(used) <= MOST_LANES else [*used[: MOST_LANES - 1], OTHERS]
        standing = [bar for bar in system.drawing.bars if any(evaluate(bar.formula, s) for s in trace.states)]
        self.bars = standing[:MOST_BARS]
        if len(standing) > MOST_BARS:
            rest = standing[MOST_BARS - 1 :]
            self.bars[-1] = Bar(f"one of {len(rest)} others", disj(*(bar.formula for bar in rest)))
        self.last: dict[str, int] = {}
        """Which process has moved last in a lane."""

    def picture(self) -> Picture:
        """All rows."""
        given = ", ".join(self.given())
        first = Part("start", f"start with {given}" if given else "start")
        state = self.trace.states[0]
        start = Row(0, None, first, (), (), self.lives(state), self.standing(state))
        rows = (start, *map(self.row, range(1, len(self.trace) + 1)))
        bars = tuple(one_line(bar.label) for bar in self.bars)
        return Picture(tuple(map(one_line, self.lanes)), bars, rows, self.trace.loop)

    def given(self) -> Iterator[str]:
        """The values in the initial state of the slots that could have started otherwise."""
        for slot, codes, code in zip(self.system.slots, self.system.init, self.trace.states[0], strict=True):
            if len(codes) > 1:
                yield one_line(f"{slot.name} = {slot.domain.show(code)}")

    def row(self, number: int) -> Row:
        """The row of step `number`."""
        transition = self.system.transitions[self.trace.steps[number - 1]]
        before, after = self.trace.states[number - 1 : number + 1]
        process = self.system.processes[transition.process]
        home = self.home(process)
        (own, *events) = self.messages(transition)
        parts = [Part("fault", f"FAULT: {one_line(fault_line(fault))}") for fault in transition.faults]
        parts += [Part("event", *self.ends(*event)) for event in events]
        parts += self.changes(home, before, after)
        head = Part("step", *self.ends(self.caption(home, transition), *own[1:]))
        functions = tuple(map(one_line, transition.functions))
        return Row(number, self.at(home), head, tuple(parts), functions, self.lives(after), self.standing(after))

    def caption(self, home: str, transition: Transition) -> str:
        """What the step is called; its process is named where another one has moved last in its lane."""
        process = self.system.processes[transition.process]
        known = self.last.get(home) == transition.process
        self.last[home] = transition.process
        picked = transition.title.removeprefix(transition.label)
        if transition.label == _family(process):
            return process.name + picked
        return transition.title if known or process.name == home else f"{process.name}: {transition.title}"

    # ---- lanes ------------------------------------------------------------------------------------------------------

    def home(self, process: Process) -> str:
        """The lane of a process."""
        return process.lane or self.owners.get(process.group or "") or process.group or _family(process)

    def at(self, lane: str) -> int:
        """The column of a lane."""
        return self.lanes.index(lane if lane in self.lanes else OTHERS)

    def lives(self, state: State) -> tuple[bool, ...]:
        """Which lanes are there: those without a group, and those whose group lives."""
        return tuple(self.alive(self.groups.get(lane), state) for lane in self.lanes)

    def alive(self, group: str | None, state: State) -> bool:
        """Whether a group lives; no group always does."""
        slot = next((i for i, s in enumerate(self.system.slots) if s.role == "group" and s.name == group), None)
        return slot is None or self.system.slots[slot].domain.show(state[slot]) == "alive"

    def changes(self, home: str, before: State, after: State) -> Iterator[Part]:
        """The lanes that come and go with a step."""
        changed = [
            (lane, new)
            for lane, old, new in zip(self.lanes, self.lives(before), self.lives(after), strict=True)
            if old != new
        ]
        for lane, _ in (one for one in changed if one[1]):
            yield Part("life", *self.ends(f"{lane} starts", home, lane))
        for lane, _ in (one for one in changed if not one[1]):
            yield Part("life", one_line(f"{lane} ends"), self.at(lane), self.at(lane))

    def standing(self, state: State) -> tuple[bool, ...]:
        """Which bars stand in a state."""
        return tuple(bool(evaluate(bar.formula, state)) for bar in self.bars)

    # ---- messages ---------------------------------------------------------------------------------------------------

    def messages(self, transition: Transition) -> Iterator[tuple[str, str, str]]:
        """(text, lane, lane) of the step itself, and then of each of its events; no lanes where it is no message."""
        home = self.home(self.system.processes[transition.process])
        arrows = self.system.drawing.arrows
        own = next((arrow for arrow in arrows if arrow.step and arrow.step == transition.label), None)
        yield (transition.title, *_between(own, home))
        for event in transition.events:
            found = next((arrow for arrow in arrows if arrow.event == event.name and _fits(arrow, event)), None)
            values = ", ".join(value for _, value in event.args)
            yield (f"{event.name} ({values})" if values else event.name, *_between(found, home))

    def ends(self, text: str, source: str, target: str) -> tuple[str, int | None, int | None]:
        """A message with its lanes as columns; a message to the lane itself is none."""
        if not source or self.at(source) == self.at(target):
            return one_line(text), None, None
        return one_line(text), self.at(source), self.at(target)


def _between(arrow: Arrow | None, home: str) -> tuple[str, str]:
    return ("", "") if arrow is None else (arrow.sender or home, arrow.receiver or home)


def _fits(arrow: Arrow, event: Event) -> bool:
    return set(arrow.arguments) <= set(event.args)


def _family(process: Process) -> str:
    return process.name.partition("(")[0]


def spans(picture: Picture, bar: int) -> list[tuple[int, int]]:
    """(first row, last row) of each stretch of rows in which bar number `bar` stands."""
    found: list[tuple[int, int]] = []
    for row in picture.rows:
        if row.bars[bar]:
            joined = found.pop()[0] if found and found[-1][1] == row.step - 1 else row.step
            found.append((joined, row.step))
    return found


def functions_to_show(rows: Sequence[Row]) -> list[str]:
    """For each row the C function that it begins in, where that is not the one of the row before in its lane."""
    seen: dict[int | None, str] = {}
    shown = []
    for row in rows:
        shown.append("" if seen.get(row.lane) == row.function else row.function)
        seen[row.lane] = row.function
    return shown
