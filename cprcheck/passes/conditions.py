# SPDX-License-Identifier: Apache-2.0
"""The conditions beside a guard, while a pass changes it: together they say what the guard says."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from cprcheck.expr import TRUE, Expr, conj, conjuncts
from cprcheck.system import Condition, Transition


def conditions(transition: Transition) -> tuple[Condition, ...]:
    """Its conditions; where nobody wrote down where they come from, the conjuncts of its guard."""
    return transition.conditions or tuple(Condition(part) for part in conjuncts(transition.guard) if part != TRUE)


def narrowed(transition: Transition, *more: Condition) -> Transition:
    """The same step, where `more` holds as well."""
    guard = conj(transition.guard, *(condition.formula for condition in more))
    return replace(transition, guard=guard, conditions=(*conditions(transition), *more))


def rewritten(found: Iterable[Condition], put: Callable[[Expr], Expr]) -> tuple[Condition, ...]:
    """`found` with `put` done to each formula; what is always true by that is dropped."""
    new = (replace(condition, formula=put(condition.formula)) for condition in found)
    return tuple(condition for condition in new if condition.formula != TRUE)


def joined(*found: Condition) -> tuple[Condition, ...]:
    """Each formula once, with the sources of all."""
    kept: dict[Expr, Condition] = {}
    for condition in found:
        first = kept.setdefault(condition.formula, condition)
        sources = tuple(sorted({*first.sources, *condition.sources}))
        kept[condition.formula] = replace(first, sources=sources)
    return tuple(kept.values())
