# SPDX-License-Identifier: Apache-2.0
"""What the world around QEMU may do, each with a switch: `--env cont,hotplug`.

Commands of the user go through the monitor: the user asks (an action, never fair), and the monitor of the old QEMU
executes the command under the big lock, as one piece to everything else that takes that lock.

Three things of the same kind have no switch, because they are faults: a full disk, an exec that fails, a target that
dies.  There is nothing to cancel: cpr-save and cpr-exec of 2022 do not return before they are done.
"""

from __future__ import annotations

from enum import Enum


class Env(Enum):
    """What may happen beside the update itself."""

    CONT = "the user continues the guest"
    STOP = "the user stops the guest"
    WAKEUP = "a wakeup event reaches a suspended guest; it does not run the vm-change handlers"
    RESET = "the user resets the machine, which ends the SHUTDOWN runstate, and aborts QEMU after cpr-save"
    AGAIN = "the management tries a second and a third time when an attempt has failed"
    HOTPLUG = "the user plugs a physical or emulated device into an existing container"
    UNPLUG = "the user unplugs a device while the guest runs, the last one of a container too"
    CLOSE = "an error that shows only when the state file is closed, which cpr-save ignores"
    PAUSE = "QEMU was started with -action shutdown=pause, so a failed exec does not end it"
    IMMORTAL = "nothing real: hw_error ends the recovery that called it and not QEMU, and a failed exec ends nothing"
    MONITORS = "the user has a second, human monitor, which may be served between the exec request and the exec"


class Guest(Enum):
    """How the guest is when the update begins."""

    RUNNING = "running"
    PAUSED = "stopped by the user"
    SUSPENDED = "suspended to RAM by itself"


class Command(Enum):
    """What the user has typed into the monitor."""

    NONE = "nothing"
    CONT = "cont"
    STOP = "stop"
    RESET = "system_reset"
    PLUG_PHYSICAL = "device_add of a physical device"
    PLUG_EMULATED = "device_add of an emulated device"
    UNPLUG_PHYSICAL = "device_del of a physical device"
    UNPLUG_EMULATED = "device_del of an emulated device"


def commands(env: frozenset[Env]) -> tuple[Command, ...]:
    """The commands that the environment may give."""
    by_switch = {
        Env.CONT: (Command.CONT,),
        Env.STOP: (Command.STOP,),
        Env.RESET: (Command.RESET,),
        Env.HOTPLUG: (Command.PLUG_PHYSICAL, Command.PLUG_EMULATED),
        Env.UNPLUG: (Command.UNPLUG_PHYSICAL, Command.UNPLUG_EMULATED),
    }
    return tuple(command for switch, given in by_switch.items() if switch in env for command in given)
