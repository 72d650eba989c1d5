# SPDX-License-Identifier: Apache-2.0
"""How a model wants its runs to be drawn: lanes, arrows between them, and bars.  No engine looks at any of it."""

from __future__ import annotations

from dataclasses import dataclass

from cprcheck.expr import Expr


@dataclass(frozen=True)
class Lane:
    """A column of a picture.

    The processes of `group` belong to it, and it is there only while they live; without a group it always is.
    """

    name: str
    group: str | None = None


@dataclass(frozen=True)
class Arrow:
    """An event, or a step, that goes from lane to lane: those called `event`, or labelled `step`.

    `sender` and `receiver` name lanes; what is empty is the lane of the process that takes the step.  An event has
    to have the `arguments`, and may have more.
    """

    event: str = ""
    step: str = ""
    sender: str = ""
    receiver: str = ""
    arguments: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Bar:
    """Something that a picture shows, as `label`, in all states in which `formula` holds."""

    label: str
    formula: Expr


@dataclass(frozen=True)
class Drawing:
    """All of it, in the order in which it is to be shown."""

    lanes: tuple[Lane, ...] = ()
    arrows: tuple[Arrow, ...] = ()
    bars: tuple[Bar, ...] = ()
