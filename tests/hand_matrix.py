"""The failure matrix of V7 as its readers draw it by hand, without a tool: what becomes of the guest and the addresses.

It was drawn from the patches of December 2021 and the tree that they were posted against, and written down here before
`cprcheck outcomes` ran for the first time.  `PART_1` is the series without the patch "recover from unmap-all-vaddr
failure" (design `v7`), `RECOVER` is the series with it (`validate_first` with recover=yes, which has its pass and its
recovery).  Containers are walked from the newest, c1, to the oldest, c0; each is in an address space of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

PART_1, RECOVER = "part 1", "with recover"
DESIGNS = {PART_1: ("v7", {}), RECOVER: ("validate_first", {"recover": "yes"})}
"""Which design stands for which patches, with its parameters."""
RUNS, STOPPED, LOST = "runs in the old QEMU", "stopped in the old QEMU", "lost"
VALID, INVALID, GONE, ONE_LEFT = "all valid", "all invalid", "gone", "c0 valid, c1 invalid"
NOBODY, PATCH = "nobody", "the recover patch"

Cell = tuple[str, str, str]
"""The guest, the addresses, and who restores."""


@dataclass(frozen=True)
class Hand:
    """A row: what fails, in a configuration in which the model can show it, and how it ends for each design.

    `places` are what the model calls the failure.  `differs` has what the model is expected to say where it is
    expected to say something else, and `why` says who is right.
    """

    id: str
    fails: str
    places: tuple[str, ...]
    ends: dict[str, frozenset[Cell]]
    params: dict[str, str] = field(default_factory=dict)
    injected: bool = False
    again: bool = False
    differs: dict[str, frozenset[Cell]] = field(default_factory=dict)
    why: str = ""


def both(*cells: Cell) -> dict[str, frozenset[Cell]]:
    """The same with and without the patch."""
    return dict.fromkeys(DESIGNS, frozenset(cells))


def each(part_1: Cell, recover: Cell) -> dict[str, frozenset[Cell]]:
    """One end without the patch, another with it."""
    return {PART_1: frozenset({part_1}), RECOVER: frozenset({recover})}


ROWS = (
    Hand(
        "pre_save",
        "cpr-save: the pre_save of an object that is not VFIO's",
        (
            "pre_save of a device older than the containers fails",
            "pre_save of a device newer than the containers fails",
        ),
        both((RUNS, VALID, NOBODY)),
    ),
    Hand(
        "capability",
        "cpr-exec: the container that comes second in the walk lacks the extension",
        ("a capability test refuses c0",),
        each((STOPPED, ONE_LEFT, NOBODY), (STOPPED, VALID, NOBODY)),
        {"kernel": "E4", "topology": "e/p"},
    ),
    Hand(
        "unmap, first",
        "cpr-exec: the first container of the walk cannot be invalidated",
        ("c1: UNMAP(ALL|V) fails for no reason",),
        each((STOPPED, VALID, NOBODY), (LOST, GONE, NOBODY)),
        injected=True,
    ),
    Hand(
        "unmap, second",
        "cpr-exec: the second container of the walk cannot be invalidated",
        ("c0: UNMAP(ALL|V) fails for no reason",),
        each((STOPPED, ONE_LEFT, NOBODY), (STOPPED, VALID, PATCH)),
        injected=True,
    ),
    Hand(
        "state file",
        "cpr-exec: cpr_state_save",
        ("cpr_state_save fails",),
        both((STOPPED, INVALID, NOBODY)),
    ),
    Hand(
        "state file, cont",
        "cpr-exec: cpr_state_save, and then the user may say cont",
        ("cpr_state_save fails",),
        both((STOPPED, INVALID, NOBODY), (RUNS, INVALID, NOBODY)),
        {"env": "cont"},
    ),
    Hand(
        "second exec",
        "another attempt after cpr_state_save has failed",
        ("cpr_state_save fails", "another attempt"),
        each((STOPPED, INVALID, NOBODY), (STOPPED, ONE_LEFT, PATCH)),
        again=True,
    ),
    Hand(
        "execvp",
        "the main loop: execvp returns",
        ("execvp fails",),
        both((LOST, GONE, NOBODY)),
    ),
    Hand(
        "execvp, pause",
        "the same with -action shutdown=pause; cont is refused until the machine is reset",
        ("execvp fails",),
        both((STOPPED, INVALID, NOBODY)),
        {"env": "cont,pause"},
        differs=both((STOPPED, INVALID, NOBODY), (RUNS, INVALID, NOBODY)),
        why="the model is right: with that action the main loop calls vm_stop(RUN_STATE_SHUTDOWN), and do_vm_stop "
        "changes the runstate only of a VM that runs.  After cpr-save none does, so it stays SAVE_VM, and qmp_cont "
        "accepts that",
    ),
    Hand(
        "hot-plug",
        "a device is plugged between cpr-save and cpr-exec: nothing prevents it",
        ("a capability test refuses c0",),
        each((STOPPED, ONE_LEFT, NOBODY), (STOPPED, VALID, NOBODY)),
        {"kernel": "E4", "env": "hotplug"},
    ),
    Hand(
        "cont",
        "the user says cont between cpr-save and cpr-exec: cpr-exec refuses the runstate, and the mode stays",
        ("cpr-exec, attempt 1 fails by itself",),
        both((RUNS, VALID, NOBODY)),
        {"env": "cont"},
    ),
)
