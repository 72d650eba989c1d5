# SPDX-License-Identifier: Apache-2.0
"""The values that QEMU's state and its functions have: runstates, vCPUs, the update's progress, results."""

from __future__ import annotations

from enum import Enum


class RunState(Enum):
    """The runstates of qapi/run-state.json that matter here."""

    RUNNING = "running"
    PAUSED = "paused"
    SUSPENDED = "suspended"
    SAVE_VM = "save-vm"
    SHUTDOWN = "shutdown"
    PRELAUNCH = "prelaunch"


class Vcpus(Enum):
    """Whether the vCPUs execute guest code.  The runstate says RUNNING before they do."""

    RUNNING = "resumed"
    PAUSED = "paused"


class Attempt(Enum):
    """How far the management has come with the update."""

    NONE = "not begun"
    BEGUN = "cpr-save or cpr-exec is under way, or was successful"
    FAILED = "a command has returned an error, or QEMU is gone"
    DONE = "cpr-load has succeeded"


class Result(Enum):
    """What a QEMU function returns."""

    OK = 0
    ERROR = -1
