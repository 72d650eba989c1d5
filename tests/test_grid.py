"""The published grid: its page is made from its data, which has every cell, of the systems as they are."""

from __future__ import annotations

import json
from itertools import product
from random import Random
from typing import Any

import publish_grid as grid
import pytest

from cprcheck.checking import Options, check
from cprcheck.expectations.judging import lengths, statuses

KEYS = list(grid.keys())
SAMPLE = sorted(Random(31).sample(KEYS, 12), key=KEYS.index)
"""From all over the grid, always the same."""


@pytest.fixture(scope="module")
def cells() -> dict[grid.Key, dict[str, Any]]:
    return grid.load()


def test_the_page_is_made_from_the_data(cells: dict[grid.Key, dict[str, Any]]) -> None:
    assert grid.PAGE.read_text(encoding="utf-8") == grid.page(cells)


def test_every_system_is_there_once_and_nothing_else(cells: dict[grid.Key, dict[str, Any]]) -> None:
    assert len(set(KEYS)) == len(KEYS)
    assert list(cells) == KEYS
    assert len(json.loads(grid.DATA.read_text())) == len(KEYS)


def test_every_cell_has_a_verdict_on_every_property_for_every_budget(cells: dict[grid.Key, dict[str, Any]]) -> None:
    for key, one in cells.items():
        assert list(one["budgets"]) == [str(budget) for budget in grid.BUDGETS], key
        zero, *others = (list(said) for said in one["budgets"].values())
        assert all(names == zero for names in others), key
        assert {"runs_only_with_valid_vaddrs", "restored_after_failure", grid.GOAL} <= set(zero), key
        statuses = {status for said in one["budgets"].values() for status, _ in said.values()}
        assert statuses <= {"HOLDS", "VIOLATED", "REACHABLE", "UNREACHABLE"}, key


def test_more_faults_violate_no_less(cells: dict[grid.Key, dict[str, Any]]) -> None:
    """Of what a run decides; that something stays possible may come back with a fault."""
    for key, one in cells.items():
        for family in ("runs_only_with_valid_vaddrs", "no_restore_of_valid", "never_aborts", "restored_after_failure"):
            if family not in one["budgets"]["0"]:  # nothing in it can abort
                continue
            said = [one["budgets"][str(budget)][family][0] for budget in grid.BUDGETS]
            assert said == sorted(said), (key, family)  # HOLDS comes before VIOLATED


def test_the_sample_is_from_all_over_the_grid() -> None:
    assert len(SAMPLE) == 12
    assert {key[0] for key in SAMPLE} == {"exec", "pre_save"}
    assert {key[3] for key in SAMPLE} == set(grid.WORLDS)
    assert {key[4] for key in SAMPLE} == set(grid.ENVIRONMENTS)
    assert len({key[1] for key in SAMPLE}) >= 8
    assert {key[2] for key in SAMPLE} == {one.name.lower() for one in grid.Prevention}


@pytest.mark.parametrize("key", SAMPLE, ids=", ".join)
def test_a_system_is_still_the_one_that_was_checked(key: grid.Key, cells: dict[grid.Key, dict[str, Any]]) -> None:
    assert cells[key]["digest"] == grid.digest(key)


@pytest.mark.slow
@pytest.mark.parametrize(("place", "world"), list(product(("exec", "pre_save"), grid.WORLDS)))
def test_all_systems_are_still_those_that_were_checked(
    place: str, world: str, cells: dict[grid.Key, dict[str, Any]]
) -> None:
    stale = [key for key in KEYS if (key[0], key[3]) == (place, world) and cells[key]["digest"] != grid.digest(key)]
    assert stale == []


@pytest.mark.slow
@pytest.mark.parametrize("key", SAMPLE, ids=", ".join)
def test_a_cell_is_so(key: grid.Key, cells: dict[grid.Key, dict[str, Any]]) -> None:
    """Every property for every budget by all engines, none inherited from another budget."""
    model, one = grid.model_of(key), cells[key]
    for budget in grid.BUDGETS:
        report = check(model, Options(faults=budget))
        assert report.disagreements == ()
        verdicts, steps = statuses(report), lengths(report)
        published = {name: tuple(said) for name, said in one["budgets"][str(budget)].items()}
        assert {name: (verdicts[name], steps.get(name)) for name in published} == published
        assert set(verdicts) >= set(published) >= {prop.family for prop in model.system.properties}
    immortal = statuses(check(grid.model_of(key, "immortal"), Options(faults=grid.BUDGETS[-1])))
    last = one["budgets"][str(grid.BUDGETS[-1])]
    holding = [name for name in grid.MAY_HOLD_BY_DEATH if name in last and last[name][0] == "HOLDS"]
    assert one.get("by_death", []) == [name for name in holding if immortal[name] != "HOLDS"]
    assert one["invalidates"] is grid.invalidates(model)
