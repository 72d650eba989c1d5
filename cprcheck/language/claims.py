# SPDX-License-Identifier: Apache-2.0
"""Which line of a property says which part of its claim."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from cprcheck.errors import Source
from cprcheck.expr import Expr, conjuncts, neg, walk
from cprcheck.language.path import Path
from cprcheck.language.rails import has_source, parse
from cprcheck.system import Condition


def origins(
    function: Callable[..., Any], outcomes: Sequence[tuple[Path, list[Expr]]], formulas: Iterable[Expr]
) -> tuple[Condition, ...]:
    """The conjuncts of `formulas` with the lines of `function` that they come from; without those nobody knows.

    A question at which a path forked has the line where it was asked, what a path returned that of the only
    `return`.  A conjunct that was asked or returned in parts has the lines of all of them.
    """
    known: dict[Expr, Source] = {}
    last = _returns(function)
    claimed = [part for _, claims in outcomes for claim in claims for part in conjuncts(claim)]
    for path, _ in outcomes:
        for condition in path.conditions.values():
            for source in condition.sources:
                known.setdefault(condition.formula, source)
                known.setdefault(neg(condition.formula), source)
    if last is not None:
        known = dict.fromkeys(claimed, last) | known
    parts = dict.fromkeys(part for formula in formulas for part in conjuncts(formula))
    found = {part: {known[part]} if part in known else {known[n] for n in walk(part) if n in known} for part in parts}
    return tuple(Condition(part, tuple(sorted(sources))) for part, sources in found.items() if sources)


def _returns(function: Callable[..., Any]) -> Source | None:
    """The line of the last operand of the only return statement; None when there are several, or no text."""
    plain = isinstance(function, FunctionType) and function.__code__.co_name != "<lambda>"
    code: CodeType | None = function.__code__ if plain else None
    return _last(code, code.co_filename) if code is not None and has_source(code) else None


@lru_cache(maxsize=4096)
def _last(code: CodeType, file: str) -> Source | None:
    """Keyed by the file too: two functions of the same text are equal to Python, wherever they stand."""
    returns = [at for at in ast.walk(parse(code)) if isinstance(at, ast.Return)]
    value = returns[0].value if len(returns) == 1 else None
    while isinstance(value, ast.BoolOp):
        value = value.values[-1]
    return None if value is None else Source(file, value.lineno)
