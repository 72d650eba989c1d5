"""`native` equals the System, both ways, on random generator programs and on every shipped model.

The programs have branches, loops, nested helpers, choices, faults, early returns, locks, groups and actions; see
`programs`.  Depth: all runs of 3 steps, and random ones of up to 12.
"""

from __future__ import annotations

from collections import Counter

import pytest
from programs import Writer, random_model

from cprcheck import catalog
from cprcheck.errors import ModelError
from cprcheck.language import machine, oracle

REFUSED = (
    "n is set to -1, which is outside 0..3",
    "n is set to 4, which is outside 0..3",
    "n is set to 4..7, which is outside 0..3",
)
"""What a random program may be refused for: it writes a constant that is out of bounds on every path."""


def outcome(seed: int) -> str:
    """ "same", "refused", or the first difference between `native` and the System of program `seed`."""
    try:
        model, text = random_model(seed)
        _ = model.system
    except ModelError as error:
        allowed = error.sentence in REFUSED or "splits into more than 512 paths" in error.sentence
        return "refused" if allowed else str(error)
    difference = oracle.compare(model, 3, walks=2, length=12)
    return f"{difference}\n{text}" if difference else "same"


BATCHES = [pytest.param(batch, marks=[pytest.mark.slow] if batch >= 1 else []) for batch in range(22)]


@pytest.mark.parametrize("batch", BATCHES)
def test_native_equals_the_system_on_random_programs(batch: int) -> None:
    """22 batches of 50, of which at most a tenth are refused: a thousand and more are compared.  Three are quick."""
    found = Counter(outcome(seed) for seed in range(batch * 50, batch * 50 + 50))
    assert set(found) <= {"same", "refused"}, found
    assert found["same"] >= 45


def test_random_programs_use_the_whole_language() -> None:
    text = "\n".join(Writer(seed).program() for seed in range(200))
    for word in (
        "while ", "for ", "else:", "break", "continue", "return", "yield from", "s.choose", "s.fault", "injected=True",
        "with s.lock", "(lock=l)", "(group=g)", "s.kill", "idle(", "s.emit", "s.require", "any_of", "reversed(",
    ):  # fmt: skip
        assert word in text, word


SHIPPED: dict[str, tuple[str, dict[str, str], int]] = {
    "two-phase commit": ("two_phase_commit", {"participants": "2"}, 4),
    "transaction commit": ("transaction_commit", {}, 4),
    "peterson": ("peterson", {}, 7),
    "peterson, impolite": ("peterson", {"polite": "no"}, 7),
    "dining philosophers": ("dining_philosophers", {"philosophers": "3"}, 5),
}
for design, mixed in (("v7", "e/p"), ("save_unwind", "p/e"), ("vm_change_handler", "p/e")):
    everything = {"env": "cont,stop,reset,again,hotplug,unplug,close,pause,monitors", "kernel": "E4", "topology": mixed}
    SHIPPED[design] = (design, {}, 8)
    SHIPPED[f"{design} with all switches"] = (design, everything, 3)
    SHIPPED[f"{design}, two mappings"] = (design, {"mappings": "2", "topology": "pe/e", "env": "cont,hotplug"}, 3)
    SHIPPED[f"{design}, suspended"] = (design, {"guest": "suspended", "env": "wakeup,cont"}, 4)
HOOKS: dict[str, tuple[str, dict[str, str]]] = {
    "validate_first": ("validate_first", {}),
    "presave_validate_all": ("presave_validate_all", {}),
    "presave_recover_all": ("presave_recover_all", {}),
    "failure_notifier": ("failure_notifier", {}),
    "failure_notifier, late": ("failure_notifier", {"early": "no"}),
    "failure_notifier, on exec": ("failure_notifier", {"on_exec": "yes", "env": "again"}),
    "failure_notifier, blind": ("failure_notifier", {"flag": "no", "env": "immortal"}),
    "blocker_counter": ("blocker_counter", {"env": "hotplug,unplug"}),
    "blocker_counter, of containers": ("blocker_counter", {"counted": "container", "env": "hotplug,unplug"}),
    "blocker_counter, by test": ("blocker_counter", {"uncounted": "test", "tested": "entry", "env": "unplug"}),
    "blocker_counter, by device": ("blocker_counter", {"uncounted": "device", "env": "unplug"}),
    "device_blocker": ("device_blocker", {"env": "hotplug,unplug"}),
    "device_blocker, by kind": ("device_blocker", {"judge": "kind", "env": "hotplug,unplug"}),
    "combination": ("combination", {"place": "exec", "prevention": "counter", "recovery": "handler"}),
    "combination, post_save": ("combination", {"prevention": "blocker", "recovery": "post_save"}),
}
SLOW = set(HOOKS) - {"presave_recover_all", "failure_notifier, on exec", "blocker_counter, by test", "combination"}
SLOW |= {name for name in SHIPPED if name.endswith(("with all switches", "two mappings", "suspended"))}
for name, (design, given) in HOOKS.items():
    depth = 3 if "plug" in given.get("env", "") else 6
    SHIPPED[name] = (design, {"kernel": "E4", "topology": "pe/x", **given}, depth)
SHIPPED["the recover patch"] = ("validate_first", {"recover": "yes", "topology": "p/p", "env": "again"}, 8)
for infer in ("validate", "probe", "instance", "get_iommu", "remembered"):
    lists = {"answers": "instance_v3", "old": "v3_v2_v1", "new": "nesting_v2_v1", "get_iommu": "yes"}
    SHIPPED[f"type_inference, {infer}"] = ("type_inference", {**lists, "infer": infer}, 4)
SHIPPED["type_inference, early"] = ("type_inference", {"answers": "e4", "probes_early": "yes"}, 4)
SHIPPED["vm_change_handler, last"] = ("vm_change_handler", {"first": "no", "topology": "p/e"}, 6)


@pytest.mark.parametrize("name", [pytest.param(it, marks=[pytest.mark.slow] if it in SLOW else []) for it in SHIPPED])
def test_native_equals_the_system_on_shipped_models(name: str) -> None:
    """All runs up to a stated depth, and three random ones of up to 40 steps."""
    model, params, depth = SHIPPED[name]
    assert oracle.compare(catalog.bind(catalog.find(model), params), depth, walks=3, length=40) == ""


def test_every_shipped_model_is_compared() -> None:
    assert {model.name for _, model in catalog.shipped()} == {model for model, _, _ in SHIPPED.values()}


# ---- the oracle notices ----------------------------------------------------------------------------------------------


def differs(limit: int = 60) -> bool:
    """Whether some random program shows a difference."""
    for seed in range(limit):
        model, _ = random_model(seed)
        try:
            if oracle.compare(model, 3, walks=2, length=12):
                return True
        except ModelError:
            continue
    return False


def test_the_oracle_notices_when_locations_are_merged_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.Machine, "local_values", lambda self, frame: ())
    assert differs()


def test_the_oracle_notices_a_lost_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    from cprcheck.language.path import Stamp

    monkeypatch.setattr(Stamp, "alternatives", lambda self: [])
    assert differs()


def test_the_oracle_notices_a_lost_update(monkeypatch: pytest.MonkeyPatch) -> None:
    from cprcheck.language.build import _Builder

    original = _Builder.transition

    def forgetful(self, decl, label, path, writes, *here):
        return original(self, decl, label, path, {s: v for s, v in writes.items() if s != 1}, *here)

    monkeypatch.setattr(_Builder, "transition", forgetful)
    assert differs()


def test_the_oracle_notices_a_lost_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    from cprcheck.language.path import Stamp

    monkeypatch.setattr(Stamp, "require", lambda self, condition, reason="": None)
    assert differs()
