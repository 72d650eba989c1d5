# SPDX-License-Identifier: Apache-2.0
"""What an author says about pictures of runs: `m.lane`, `m.arrow`, `@m.bar`.  No engine looks at any of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from cprcheck.domains import show_value
from cprcheck.errors import ModelError
from cprcheck.lanes import Arrow, Lane
from cprcheck.language.declare import Declarations, Group, listing
from cprcheck.language.place import breach, check_names
from cprcheck.language.rails import function_source
from cprcheck.language.signature import check_signature

F = TypeVar("F", bound=Callable[..., Any])


class Pictures:
    """The part of a `Model` that is about pictures."""

    declarations: Declarations

    def lane(self, name: str, *, group: Group | None = None) -> None:
        """A column of pictures, from left to right in the order of declaration.

        The processes of `group` belong to it unless their own `lane=` says otherwise, and it is there only while
        the group lives.
        """
        check_names(name)
        if any(lane.name == name for lane in self.declarations.lanes):
            raise breach(f"lane {name!r} is declared twice")
        if group is not None and any(lane.group == group.name for lane in self.declarations.lanes):
            raise breach(f"the group {group.name} has a lane already")
        self.declarations.lanes.append(Lane(name, None if group is None else group.name))

    def arrow(
        self, *, event: str = "", step: str = "", sender: str = "", receiver: str = "", **arguments: object
    ) -> None:
        """The events called `event`, or the steps labelled `step`, are messages from a lane to another one.

        Who is not named is the process that takes the step.  With `arguments` only events that have them.
        """
        if bool(event) == bool(step) or (step and arguments):
            raise breach('an arrow is an event or a step: m.arrow(event="MAP", receiver="kernel")')
        if not (sender or receiver):
            raise breach("an arrow names the lane that it comes from, sender=, or goes to, receiver=")
        self._check_lane(sender)
        self._check_lane(receiver)
        shown = tuple((key, show_value(value)) for key, value in arguments.items())
        self.declarations.arrows.append(Arrow(event, step, sender, receiver, shown))

    def bar(self, label: str) -> Callable[[F], F]:
        """Decorator: pictures show `label` beside the lanes for as long as the function of the state holds."""
        if not isinstance(label, str):
            raise breach('a bar has a label: @m.bar("guest runs")')
        check_names(label)
        if any(label == other for other, _ in self.declarations.bars):
            raise breach(f"bar {label!r} is declared twice; join the two with |")

        def declare(function: F) -> F:
            if inspect.isgeneratorfunction(function):
                raise ModelError(f"bar {label!r} has a yield; a bar returns a truth value", function_source(function))
            check_signature(function, {})
            self.declarations.bars.append((label, function))
            return function

        return declare

    def _check_place(self, c: object, lane: str) -> None:
        """Refuse what is no C file, and a lane that is not declared."""
        if not isinstance(c, str):
            raise breach("c= names a C file; give the index another name")
        check_names(c)
        if not isinstance(lane, str):
            raise breach("lane= names a lane; give the index another name")
        self._check_lane(lane)

    def _check_lane(self, name: str) -> None:
        known = [lane.name for lane in self.declarations.lanes]
        if name and name not in known:
            raise breach(f"no lane {name!r}; there is {listing(known)}; declare it first, with m.lane")
