# SPDX-License-Identifier: Apache-2.0
"""What a property's function claims, from all its paths, and which of its lines say which part."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

from cprcheck.analysis import decide
from cprcheck.errors import Source
from cprcheck.expr import Expr, conjuncts, ite, neg, truth, walk
from cprcheck.language.path import Path
from cprcheck.language.rails import has_source, parse
from cprcheck.system import Condition, Slot

Cases = list[tuple[list[tuple[Expr, bool]], Expr]]
"""For each path, the questions at which it forked with their answers, and what it returned."""


def rejoin(cases: Cases) -> Expr:
    """The paths of a function without side effects as one formula: its decisions in the order it took them."""
    if len(cases) == 1 and not cases[0][0]:
        return cases[0][1]
    question = cases[0][0][0][0]
    yes, no = (
        [(decided[1:], value) for decided, value in cases if decided[0] == (question, answer)]
        for answer in (True, False)
    )
    return ite(question, rejoin(yes), rejoin(no))


def origins(
    function: Callable[..., Any], returned: Sequence[tuple[Path, Expr]], slots: Sequence[Slot]
) -> tuple[Condition, ...]:
    """The claim of `function` part by part, each with the lines that it comes from where these are known.

    A question at which a path forked has the line where it was asked, what a path returned that of the only
    `return`.  A part that was asked or returned in pieces has the lines of all of them.
    """
    last = _returns(function)
    known: dict[Expr, Source] = {}
    if last is not None:
        known |= {part: last for _, claim in returned for part in conjuncts(claim)}
    for path, _ in returned:
        for condition in path.conditions.values():
            for source in condition.sources:
                known |= dict.fromkeys((condition.formula, neg(condition.formula)), source)
    whole = rejoin([(path.decided, _decided(path, claim, slots)) for path, claim in returned])
    found = []
    for part in dict.fromkeys(conjuncts(whole)):
        sources = {known[part]} if part in known else {known[node] for node in walk(part) if node in known}
        found.append(Condition(part, tuple(sorted(sources))))
    return tuple(found)


def _decided(path: Path, claim: Expr, slots: Sequence[Slot]) -> Expr:
    """What `claim` is on `path`: `a and b` returns a where a is false, which is false there."""
    answer = decide(claim, slots, path.allowed)
    if answer is None and (claim in path.conditions or neg(claim) in path.conditions):
        answer = claim in path.conditions
    return claim if answer is None else truth(answer)


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
