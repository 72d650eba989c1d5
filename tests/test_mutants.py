"""Every published HOLDS has a mutant: a small break of the model that turns it into VIOLATED.

So no property holds only because it asks for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import publish
import pytest
from mutants import MUTANTS, Patch

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.expectations.judging import bind
from cprcheck.expectations.runs import Run
from cprcheck.expr import In, conj, conjuncts
from cprcheck.system import System
from cprcheck.verdict import Status

LARGE = 20_000
"""States of a configuration whose mutants are not worth the wait; small ones of the same design have the same."""
PUBLISHED = [
    (run, family)
    for run in publish.runs()
    if run.model in publish.DESIGNS
    for family, status in run.verdicts.items()
    if status.good and family in MUTANTS and run.size.get("states", LARGE) < LARGE
]


def broken_status(run: Run, family: str, mutate: Callable[[Patch], None]) -> Status:
    """The worst verdict about the family in the broken model; explicit search is enough to break something."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        mutate(monkeypatch)
        model = bind(run)
        options = Options(
            engines=("explicit",),
            faults=run.options.faults,
            injected=run.injected,
            properties=(family,),
            native=False,
        )
        found = check(model, options).verdicts
        statuses = {v.status for v in found if family in (v.prop.name, v.prop.family)}
    return max(statuses, key=lambda status: status.bad)


QUICK = ("v7", "save_unwind", "vm_change_handler", "blocker_counter")
"""Designs whose hooks differ."""


def marked() -> Iterator[Any]:
    """The published verdicts; the first of each property of each design in QUICK is for the quick tests."""
    seen = set()
    for run, family in PUBLISHED:
        quick = run.model in QUICK and not run.slow and (run.model, family) not in seen
        if quick:
            seen.add((run.model, family))
        marks = [] if quick else [pytest.mark.slow]
        yield pytest.param(run, family, marks=marks, id=f"{run.title}-{family}")


@pytest.mark.parametrize(("run", "family"), list(marked()))
def test_a_published_verdict_has_a_mutant(run: Run, family: str) -> None:
    found = {mutate.__name__: broken_status(run, family, mutate) for mutate in MUTANTS[family]}
    assert any(status.bad for status in found.values()), found


def test_every_property_that_holds_somewhere_has_mutants() -> None:
    designs = [run for run in publish.runs() if run.model in publish.DESIGNS]
    holding = {name for run in designs for name, status in run.verdicts.items() if status.good}
    assert holding <= MUTANTS.keys()


# ---- the control models are broken in the System: a step is lost, or goes unguarded -------------------------------

CONTROLS = {model.name for path, model in catalog.shipped() if path.parent.name == "control"}
CONTROL = [
    (run, family)
    for run in publish.runs()
    if run.model in CONTROLS
    for family, status in run.verdicts.items()
    if status is Status.HOLDS
]


def damaged(system: System) -> Iterator[System]:
    """Each System that differs in one transition: it is gone, or it is always possible where its process stands."""
    for index, transition in enumerate(system.transitions):
        others = system.transitions[:index], system.transitions[index + 1 :]
        yield replace(system, transitions=(*others[0], *others[1]))
        slot = system.processes[transition.process].location
        kept = [part for part in conjuncts(transition.guard) if isinstance(part, In) and part.slot == slot]
        yield replace(system, transitions=(*others[0], replace(transition, guard=conj(*kept)), *others[1]))


@pytest.mark.parametrize(("run", "family"), CONTROL, ids=lambda it: it if isinstance(it, str) else it.title)
def test_a_published_verdict_of_a_control_model_has_a_mutant(run: Run, family: str) -> None:
    system = bind(run).system
    options = Options(engines=("explicit",), properties=(family,), native=False)
    assert any(
        verdict.status is Status.VIOLATED for broken in damaged(system) for verdict in check(broken, options).verdicts
    )
