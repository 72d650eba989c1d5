"""The failure matrix of V7 that people drew by hand, beside the computed one: row by row the same, or explained.

One row differs, as was written down before the tool first ran: when execvp returns and QEMU was started with -action
shutdown=pause, the hand-drawn table says that `cont` is refused until a reset, because the runstate is SHUTDOWN.  It
is not: vm_stop changes the runstate of a VM that runs, and after cpr-save none runs.  So `cont` is accepted, and the
guest runs with all addresses invalid.

Two rows needed words of our own.  The table says of a device that is plugged between cpr-save and cpr-exec only that
nothing prevents it; what follows depends on the kernel and is shown for E4 and a device that its container cannot
take along.  That the list of containers then differs from the saved one, the models cannot show: a plugged device joins
a container that is there.  And of the second cpr-exec it tells only what the recover patch does; without it the second
attempt changes nothing.  In the model a second attempt begins with another cpr-save, which finds the VM stopped.
"""

from __future__ import annotations

import publish
import publish_matrix
import pytest
from hand_matrix import DESIGNS, PART_1, RECOVER, ROWS, Hand
from publish_matrix import computed, matrix, rows
from toys import graph

from cprcheck import catalog
from cprcheck.compare.aftermath import Again, When
from cprcheck.compare.matrix import Options, measure, trying_again
from cprcheck.semantics import outcome
from cprcheck.system import State, System

SLOW = {"hot-plug": [pytest.mark.slow]}
EACH = [
    pytest.param(hand, variant, id=f"{hand.id}-{variant}", marks=SLOW.get(hand.id, []))
    for hand in ROWS
    for variant in DESIGNS
]
PAGE = publish_matrix.PAGE.read_text(encoding="utf-8")
BY_ID = {hand.id: hand for hand in ROWS}


@pytest.mark.parametrize(("hand", "variant"), EACH)
def test_a_row_by_hand_is_the_computed_one_or_the_difference_is_explained(hand: Hand, variant: str) -> None:
    assert computed(hand, variant) == hand.differs.get(variant, hand.ends[variant])
    assert bool(hand.why) == bool(hand.differs)
    assert {place.name for row in rows(hand, variant) for place in row.places} == set(hand.places)
    assert publish_matrix.line(hand, variant) in PAGE


def values(system: System, state: State) -> dict[str, str]:
    return {slot.name: slot.domain.show(code) for slot, code in zip(system.slots, state, strict=True)}


def test_the_mode_remains_when_cpr_exec_refuses_the_runstate() -> None:
    hand = BY_ID["cont"]
    for variant in DESIGNS:
        (row,) = rows(hand, variant)
        system = matrix(variant, tuple(hand.params.items()), hand.injected, hand.again).system
        last = values(system, row.trace.states[-1])
        assert (last["mode_restart"], last["runstate"]) == ("True", "RUNNING")


def test_hot_plug_is_not_prevented_between_save_and_exec() -> None:
    """In a VM that cpr-save has stopped, with all addresses valid and cpr-exec next, a device comes."""
    model = catalog.bind(catalog.find("v7"), {"kernel": "E4", "topology": "p", "env": "hotplug"})
    states = graph(model.system, faults=0)
    waiting = {"runstate": "SAVE_VM", "vaddr[c0, 0]": "OLD", "@management": "cpr-exec, attempt 1"}
    told = [values(states.system, state) for state in states.states]
    came = {
        (told[a]["devices[c0, e]"], told[b]["devices[c0, e]"])
        for a, b in states.graph.edges()
        if waiting.items() <= told[a].items() and waiting.items() <= told[b].items()
    }
    assert ("0", "1") in came


@pytest.mark.parametrize("variant", DESIGNS)
def test_no_attempt_succeeds_after_one_that_left_the_guest_stopped(variant: str) -> None:
    """With all addresses valid too: the next cpr-save saves the runstate SAVE_VM, which the new QEMU cannot take on."""
    again = {
        hand.id: {row.end.again for row in rows(hand, variant)}
        for hand in ROWS
        if hand.id in ("pre_save", "capability", "unmap, first", "unmap, second", "state file", "execvp", "cont")
    }
    good = {"pre_save", "cont"}
    assert again == {name: {Again.YES if name in good else Again.NO} for name in again}


@pytest.mark.slow
def test_the_patch_changes_what_its_title_says_and_nothing_else() -> None:
    """Of the rows above; Defect A among them: the first invalidation fails, and the VM is lost."""
    changed = {hand.id for hand in ROWS if computed(hand, PART_1) != computed(hand, RECOVER)}
    assert changed == {"capability", "hot-plug", "unmap, first", "unmap, second", "second exec"}


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["2p", "p/e", "e/p"])
@pytest.mark.parametrize("kernel", ["E1", "E4"])
@pytest.mark.parametrize("design", publish.DESIGNS)
def test_every_design_has_a_matrix_that_is_consistent(design: str, kernel: str, topology: str) -> None:
    """With what the user may do, too; all traces are replayed by the interpreter and by the design's own code."""
    given = {"kernel": kernel, "topology": topology, "env": "cont"}
    found = measure(trying_again(catalog.find(design), given), Options(again=True))
    assert (found.stopped, found.leaving) == ("", 0)
    for row in found.rows:
        told = outcome(found.system, row.trace.states[-1])
        assert not row.end.endless
        assert (told["guest"] == "lost") == (dict(row.end.vaddrs) == {"": "gone"})
        if row.end.severity == "VM lost":
            assert row.end.again is Again.NO
        if row.end.when is When.NEVER:
            assert "invalid" in dict(row.end.vaddrs).values()
        assert (row.end.again is Again.NEEDLESS) == (told["update"] == "done")


@pytest.mark.slow
def test_the_page_is_up_to_date() -> None:
    assert publish_matrix.written(PAGE) == PAGE
    assert PAGE.count(publish_matrix.BEGIN) == 1
