"""Counts that the world already knows: distinct states, generated states, levels.

As TLC counts (tlc2.tool): generated is the initial states plus one for each state and each action instance enabled in
it; TLC's depth counts states, ours steps, so it is one more.  The figures are those of the TLA+ examples' manifests
and of stateright's tests; nothing is merged in the models, but for Peterson's, whose locations are all different.
"""

from __future__ import annotations

import pytest

from cprcheck import catalog
from cprcheck.engines import explicit

KNOWN = {
    ("two_phase_commit", "participants=3"): (288, 1146, 11),
    ("transaction_commit", "participants=3"): (34, 94, 7),
    ("peterson", "polite=yes"): (42, 77, 11),
    ("dining_philosophers", "philosophers=5"): (67, 336, 29),
}


@pytest.mark.parametrize(("model", "parameter"), KNOWN)
def test_states_generated_and_levels(model: str, parameter: str) -> None:
    name, _, value = parameter.partition("=")
    size = explicit.search(catalog.bind(catalog.find(model), {name: value}).system).size
    assert (size.states, size.generated, size.depth + 1) == KNOWN[model, parameter]
    assert size.complete


def test_two_phase_commit_with_five_participants() -> None:
    system = catalog.bind(catalog.find("two_phase_commit"), {"participants": "5"}).system
    assert explicit.search(system).size.states == 8832


def test_nothing_is_merged_in_them() -> None:
    for model, parameter in KNOWN:
        name, _, value = parameter.partition("=")
        merging = catalog.bind(catalog.find(model), {name: value}).system.merging
        assert merging.endswith(("0 of 0 left", "12 of 12 left")), merging
