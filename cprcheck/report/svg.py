# SPDX-License-Identifier: Apache-2.0
"""A trace as a picture: the same lanes, messages and bars as the ladder, as SVG that stands alone or in a page.

No script, no font and no address of anybody else's.  In a browser colours follow the reader's light or dark scheme, or
the page's own variables (`--ladder-ink` and its like); elsewhere they are light, in a file.  Nothing is told by colour
alone.  Each step is a group of the classes `step` and `step-N`, so that a page can light it up.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from cprcheck.report.picture import Part, Picture, Row, functions_to_show, one_line, picture, spans
from cprcheck.report.text import title
from cprcheck.system import System
from cprcheck.verdict import Verdict

LINE, SIGN, MARGIN = 18, 7.3, 16
"""The height of a line, the width of a sign, and the room around everything, in pixels."""
LANE, BAR, NUMBER, TEXT = 92, 24, 34, 62
"""How far lanes and bars are apart, how wide the numbers of steps are, and how many signs fit beside the lanes."""
FONT = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
LIGHT = {
    "ink": "#1b1f24",
    "faint": "#6b7480",
    "paper": "#ffffff",
    "alarm": "#b3261e",
    "bar": "#8a5a00",
    "lit": "#fff3c4",
}
DARK = {
    "ink": "#e6e9ee",
    "faint": "#98a2ae",
    "paper": "#14171c",
    "alarm": "#ff8a80",
    "bar": "#e0aa4d",
    "lit": "#3b3413",
}
PAINT = {
    "paper": {"fill": "paper"},
    "back": {"fill": "none", "pointer-events": "all"},
    "name": {"font-weight": "bold"},
    "faint": {"fill": "faint"},
    "note": {"fill": "faint"},
    "life": {"stroke": "faint", "stroke-width": "1"},
    "mark": {"fill": "ink", "stroke": "ink", "stroke-width": "2"},
    "message": {"stroke": "ink", "stroke-width": "1.5", "fill": "none"},
    "point": {"fill": "ink"},
    "fault": {"fill": "alarm", "font-weight": "bold"},
    "cross": {"stroke": "alarm", "stroke-width": "2.5", "fill": "none"},
    "bar": {"fill": "bar", "fill-opacity": "0.35", "stroke": "bar", "stroke-width": "1.5"},
}
"""How each class is painted, in properties of CSS and colours of LIGHT and DARK."""


def _style() -> str:
    """PAINT as CSS: in the reader's scheme, or in the colours of a page around the picture.

    It is for those who know `var`; there are programs that take a rule with an unknown value for black.
    """

    def named(colours: Mapping[str, str]) -> str:
        return "; ".join(f"--{name}: var(--ladder-{name}, {colour})" for name, colour in colours.items())

    rules = {"text": {"fill": "ink"}, **{f".{name}": paint for name, paint in PAINT.items()}}
    rules[".current .back"] = {"fill": "lit"}
    lines = [
        f".cprcheck-ladder {{ {named(LIGHT)}; font: 12px {FONT} }}",
        f"@media (prefers-color-scheme: dark) {{ .cprcheck-ladder {{ {named(DARK)} }} }}",
    ]
    for name, paint in rules.items():
        said = "; ".join(f"{key}: {f'var(--{value})' if value in LIGHT else value}" for key, value in paint.items())
        lines.append(f".cprcheck-ladder {name} {{ {said} }}")
    inside = "".join(f"  {line}\n" for line in lines)
    return f"\n@supports (fill: var(--ink)) {{\n{inside}}}\n"


STYLE = _style()


def dumps(system: System, verdict: Verdict) -> str:
    """The picture of `verdict` as the text of an `.svg` file.  Raises ValueError when it has no trace."""
    tree = element(system, verdict, captions=True)
    _paint(tree)
    ET.indent(tree)
    return ET.tostring(tree, encoding="unicode") + "\n"


def _paint(tree: ET.Element) -> None:
    """Say in attributes, too, how all is painted, in LIGHT: not every program that shows SVG reads all of CSS."""
    tree.attrib |= {"fill": LIGHT["ink"], "font-family": FONT, "font-size": "12"}
    for each in tree.iter():
        for key, value in PAINT.get(each.get("class", ""), {}).items():
            each.attrib.setdefault(key, LIGHT.get(value, value))


def element(system: System, verdict: Verdict, prefix: str = "", *, captions: bool = False) -> ET.Element:
    """The picture of `verdict` as an element that a page can take in.

    Step N has the id `PREFIXstep-N`; with a prefix of its own each, a page can hold several pictures.  With
    `captions` it says above what is claimed of which model, and below what is violated.
    Raises ValueError when the verdict has no trace.
    """
    if verdict.trace is None:
        raise ValueError(f"{verdict.prop.name} has no trace")
    drawn = picture(system, verdict.trace)
    name = f"{verdict.prop.name} {verdict.status.value}: {title(system)}"
    where = ", ".join(f"{slot} = {value}" for slot, value in verdict.where)
    shows = {"violated": verdict.violated, "where": where, "severity": verdict.severity}
    end = [f"{label}: {text}" for label, text in shows.items() if text]
    said = [verdict.prop.doc, f"{len(verdict.trace)} steps", *end]
    captions_ = ([name, verdict.prop.doc, "; ".join(system.scope)], end) if captions else ([], [])
    return _Drawing(drawn, prefix, *captions_).svg(one_line(name), one_line("; ".join(filter(None, said))))


@dataclass(frozen=True)
class _Line:
    """One line of text beside the lanes, with the message that it tells."""

    text: str
    part: Part
    classes: str
    first: bool


class _Drawing:
    """One picture in the making."""

    def __init__(self, drawn: Picture, prefix: str, above: Sequence[str], below: Sequence[str]) -> None:
        self.drawn, self.prefix = drawn, prefix
        names = [*drawn.lanes, ""]
        self.lane = max(LANE, min(170, int(max(map(len, names)) * SIGN) + 14))
        self.lanes = [MARGIN + NUMBER + self.lane // 2 + self.lane * number for number in range(len(drawn.lanes))]
        start = MARGIN + NUMBER + self.lane * len(drawn.lanes)
        self.bars = [start + BAR // 2 + BAR * number for number in range(len(drawn.bars))]
        self.text = start + BAR * len(drawn.bars) + 12
        self.width = int(self.text + TEXT * SIGN + MARGIN)
        signs = int((self.width - 2 * MARGIN) / SIGN)
        self.above, self.below = (
            [line for text in side for line in textwrap.wrap(one_line(text), signs)] for side in (above, below)
        )
        self.top = MARGIN + LINE * len(self.above)
        self.head = self.top + LINE * (len(drawn.bars) + 1) + 8
        shown = zip(drawn.rows, functions_to_show(drawn.rows), strict=True)
        self.lines = [self.beside(row, function) for row, function in shown]
        self.tops: list[int] = []
        bottom = self.head
        for row in drawn.rows:
            bottom += LINE if self.loop_starts(row) else 0
            self.tops.append(bottom)
            bottom += LINE * len(self.lines[row.step]) + 6
        self.bottom = bottom

    def loop_starts(self, row: Row) -> bool:
        """Whether the run comes back to the state before this row."""
        return self.drawn.loop is not None and row.step == self.drawn.loop + 1

    def beside(self, row: Row, function: str) -> list[_Line]:
        """The lines of text of a row."""
        place = [Part("step", function)] if function else []
        lines = []
        for part in (row.head, *place, *row.parts):
            own = part is row.head
            classes = "fault" if part.kind == "fault" else "note" if part in place else "said"
            wrapped = textwrap.wrap(part.text, TEXT, initial_indent="" if own else "  ", subsequent_indent="    ")
            lines += [_Line(text, part, classes, number == 0) for number, text in enumerate(wrapped)]
        return lines

    # ---- drawing ----------------------------------------------------------------------------------------------------

    def svg(self, name: str, said: str) -> ET.Element:
        """The whole picture, called `name`."""
        height = self.bottom + LINE * (len(self.below) + 2) + MARGIN
        size = {"viewBox": f"0 0 {self.width} {height}", "width": str(self.width), "height": str(height)}
        labels = {"role": "img", "aria-labelledby": f"{self.prefix}title {self.prefix}desc"}
        root = ET.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", "class": "cprcheck-ladder", **size, **labels})
        ET.SubElement(root, "title", {"id": f"{self.prefix}title"}).text = name
        ET.SubElement(root, "desc", {"id": f"{self.prefix}desc"}).text = said
        ET.SubElement(root, "style").text = STYLE
        ET.SubElement(root, "rect", {"class": "paper", "width": str(self.width), "height": str(height)})
        backs = [self.step(root, row) for row in self.drawn.rows]
        self.names(root)
        for number in range(len(self.drawn.lanes)):
            self.life(root, number)
        for number in range(len(self.drawn.bars)):
            self.bar(root, number)
        for row, group in zip(self.drawn.rows, backs, strict=True):
            root.remove(group)
            root.append(group)
            self.content(group, row)
        for number, line in enumerate(self.above):
            self.write(root, MARGIN, MARGIN + LINE * number + 10, line, "said" if number else "name")
        for number, line in enumerate(self.below, 2):
            self.write(root, MARGIN, self.bottom + LINE * number + 10, line, "said")
        if self.drawn.ending:
            self.write(root, self.text, self.bottom + 13, f"-- {self.drawn.ending} --", "note")
        return root

    def step(self, root: ET.Element, row: Row) -> ET.Element:
        """The group of a step, with the ground that a page can light up."""
        names = {"id": f"{self.prefix}step-{row.step}", "class": f"step step-{row.step}"}
        group = ET.SubElement(root, "g", names)
        ET.SubElement(group, "title").text = "\n".join(
            [f"{row.step}. {row.head.text}", *(p.text for p in row.parts), *row.functions]
        )
        place = {"x": "4", "y": str(self.tops[row.step] - 2), "width": str(self.width - 8)}
        ET.SubElement(group, "rect", {"class": "back", **place, "height": str(LINE * len(self.lines[row.step]) + 4)})
        return group

    def names(self, root: ET.Element) -> None:
        """The lanes are named above them; the bars on lines of their own, led to their columns."""
        for at, name in zip(self.lanes, self.drawn.lanes, strict=True):
            text = self.write(root, at, self.head - 10, name, "name", "middle")
            if len(name) * SIGN > self.lane - 8:
                text.set("textLength", str(self.lane - 8))
                text.set("lengthAdjust", "spacingAndGlyphs")
        for number, (at, name) in enumerate(zip(self.bars, self.drawn.bars, strict=True)):
            y = self.top + LINE * (number + 1) - 6
            self.write(root, at + 8, y, name, "faint")
            self.path(root, f"M{at} {self.head - 4} V{y - 4} H{at + 5}", "life", fill="none")

    def life(self, root: ET.Element, number: int) -> None:
        """The line of a lane, for as long as it is there."""
        at = str(self.lanes[number])
        for row in self.drawn.rows:
            if row.lives[number] or self.drawn.before(row).lives[number]:
                top, bottom = self.extent(row)
                ends = {"x1": at, "x2": at, "y1": str(top), "y2": str(bottom)}
                ET.SubElement(root, "line", {"class": "life", **ends})

    def bar(self, root: ET.Element, number: int) -> None:
        """The stretches in which a bar stands."""
        for first, last in spans(self.drawn, number):
            top, bottom = self.extent(self.drawn.rows[first])[0] + 2, self.extent(self.drawn.rows[last])[1] - 2
            place = {"x": str(self.bars[number] - 6), "y": str(top), "width": "12", "height": str(bottom - top)}
            box = ET.SubElement(root, "rect", {"class": "bar", **place})
            ET.SubElement(box, "title").text = f"{self.drawn.bars[number]}: steps {first} to {last}"

    def extent(self, row: Row) -> tuple[int, int]:
        """From where to where a row goes: there is no gap between rows."""
        last = row.step == len(self.drawn.rows) - 1
        return self.tops[row.step] - 3, self.bottom if last else self.tops[row.step + 1] - 3

    def content(self, group: ET.Element, row: Row) -> None:
        """Who moves in a row, the messages and the text."""
        top = self.tops[row.step]
        if self.loop_starts(row):
            self.write(group, self.text, top - 6, "-- the loop starts here --", "note")
        self.write(group, MARGIN + NUMBER - 12, top + 12, str(row.step), "faint", "end")
        for number, line in enumerate(self.lines[row.step]):
            y = top + LINE * number
            if line.first and line.part.source is not None and line.part.target is not None:
                self.message(group, self.lanes[line.part.source], self.lanes[line.part.target], y + 8)
            self.write(group, self.text, y + 12, line.text, line.classes)
        if row.lane is not None:
            x, y = self.lanes[row.lane], top + 8
            if row.faulty:
                self.path(group, f"M{x - 6} {y - 6} L{x + 6} {y + 6} M{x - 6} {y + 6} L{x + 6} {y - 6}", "cross")
            else:
                ET.SubElement(group, "circle", {"class": "mark", "cx": str(x), "cy": str(y), "r": "4"})

    def message(self, group: ET.Element, source: int, target: int, y: int) -> None:
        """An arrow from lane to lane; where a lane ends, a cross on it."""
        if source == target:
            self.path(group, f"M{source - 4} {y - 4} l8 8 m0 -8 l-8 8", "message")
            return
        back = 7 if target < source else -7
        end = target + back // 7 * 5
        self.path(group, f"M{source} {y} H{end + back}", "message")
        self.path(group, f"M{end} {y} l{back} -4 v8 z", "point")

    def path(self, group: ET.Element, drawn: str, classes: str, **more: str) -> None:
        """A path."""
        ET.SubElement(group, "path", {"class": classes, "d": drawn, **more})

    def write(self, group: ET.Element, x: int, y: int, text: str, classes: str, anchor: str = "") -> ET.Element:
        """A line of text."""
        place = {"x": str(x), "y": str(y), "class": classes, **({"text-anchor": anchor} if anchor else {})}
        made = ET.SubElement(group, "text", {**place, "xml:space": "preserve"})
        made.text = text
        return made
