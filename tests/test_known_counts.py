"""Counts that the world already knows: distinct states, generated states, levels.

As TLC counts (tlc2.tool): generated is the initial states plus one for each state and each action instance enabled in
it; TLC's depth counts states, ours steps, so it is one more.  The figures are those of the TLA+ examples' manifests
and of stateright's tests; nothing is merged in the models, but for Peterson's, whose locations are all different.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cprcheck import catalog
from cprcheck.engines import explicit
from cprcheck.passes.safety import goal

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


CONCURRENT = {2: (165, 269, 250, 7), 3: (1_287, 3_002, 2_964, 8), 4: (10_773, 33_227, 39_382, 9)}
"""Containers: states and edges of the safe protocol; states of the unsafe one and the length of its counterexample.

Found alike by Spin, rumur, TLC, NuSMV and Storm on the protocol of benchmarks/concurrent.py."""


@pytest.mark.parametrize("containers", CONCURRENT)
def test_the_benchmark_protocol(containers: int) -> None:
    (model,) = catalog.models_in(Path(__file__).resolve().parents[1] / "benchmarks" / "concurrent.py")
    states, edges, unsafe_states, steps = CONCURRENT[containers]
    size = explicit.search(model(containers=containers).system).size
    assert (size.states, size.generated - 2**containers) == (states, edges)
    unsafe = model(containers=containers, safe=False).system
    question = goal(unsafe, unsafe.property("runs_only_with_valid_vaddrs"))
    found = explicit.search(unsafe, [question], whole=True)
    assert found.size.states == unsafe_states
    assert len(explicit.answers(found, [question])[question.prop.name].trace or ()) == steps


def test_nothing_is_merged_in_them() -> None:
    for model, parameter in KNOWN:
        name, _, value = parameter.partition("=")
        merging = catalog.bind(catalog.find(model), {name: value}).system.merging
        assert merging.endswith(("0 of 0 left", "12 of 12 left")), merging
