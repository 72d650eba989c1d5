# SPDX-License-Identifier: Apache-2.0
"""Where a System comes from.  No engine looks at it."""

from __future__ import annotations

from dataclasses import dataclass, field

from cprcheck.errors import Source


@dataclass(frozen=True)
class Origin:
    """How to get a System again, in the words of the command line.

    `params` are those that are not the model's usual ones; `faults` is none, finite or a number.  `source` is the line
    of its `@model`.
    """

    model: str
    params: tuple[tuple[str, str], ...] = ()
    faults: str = "finite"
    injected: bool = False
    source: Source | None = field(default=None, compare=False)
