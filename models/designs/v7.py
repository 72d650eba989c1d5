# SPDX-License-Identifier: Apache-2.0
"""V7 of the series "Live Update": cpr-exec tests and invalidates every container, before it saves the CPR state.

Asked: who restores the addresses when something fails after they are gone?

Stands for: qemu-devel, "[PATCH V7 19/29] vfio-pci: cpr part 1 (fd and dma)", 22 December 2021.  Containers have no
vmstate here: a pre_save that fails happens in cpr-save, when all addresses are still valid.

Prevention: a test in the loop that invalidates.
Recovery: none; part 22 of the series adds one (`validate_first` with recover=yes).

Expected, written down before any engine ran on this file (real faults, any finite number of them):

                                 E1, e     E1, e, cont  E4, e/p   E4, e/p, cont  E4, p/p    E4, p/p, cont
    runs_only_with_valid_vaddrs  holds     VIOLATED     holds     VIOLATED       holds      VIOLATED
    validated_before_invalidated holds     holds        VIOLATED  VIOLATED       holds      holds
    refused_before_stop          holds     holds        VIOLATED  VIOLATED       holds      holds
    no_restore_of_valid          holds     holds        holds     holds          holds      holds
    restored_after_failure       VIOLATED  VIOLATED     VIOLATED  VIOLATED       VIOLATED   VIOLATED
    restored_after_failed_load   VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    guest_survives               VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    no_dma_with_invalid_vaddr    holds     VIOLATED     -         -              -          -
    no_stuck_waiter              VIOLATED  VIOLATED     -         -              -          -
    refusal_is_unreachable       holds     holds        holds     holds          -          -
    never_aborts                 holds     holds        holds     holds          VIOLATED   VIOLATED
    deadlock_free, nobody_stuck  VIOLATED  VIOLATED     holds     holds          holds      holds
    update_succeeds              reachable reachable    UNREACH.  UNREACH.       reachable  reachable

Why.  E1, e: cpr_state_save fails after the addresses are gone, and nobody restores: the device that asks then
waits for ever, which is a deadlock too once the management has given up; execvp fails, and the VM is lost.  With
cont the guest runs meanwhile and its device waits (severity: device waits).  The same wait is left when cpr-load
fails in the new QEMU.
E4, e/p: the walk is newest first, so c1 (p) is invalidated before c0 (e) refuses, after the VM was stopped; no
fault is needed; an exec never happens, so nothing kills the VM (severity: hot-plug refused).
E4, p/p: as E1, without a device that waits; in the new QEMU a MAP(V) may find no locked memory left (K10), and
that aborts.
Without faults everything holds and the update is reachable, wherever all containers are capable, with cont too:
cpr-exec then refuses on the runstate before it touches anything.
With env=reset, never_aborts is violated: no transition leads from SAVE_VM to PRELAUNCH.  With env=hotplug, E1, p,
monitor_answers is violated by K14 when cpr_state_save has failed; with env=cont,unplug, pe, by K11: the guest runs,
its emulated device waits, and device_del waits for the device.  Without cont it holds: a guest that does not run lets
no device go, and one that runs has all addresses.
"""

from __future__ import annotations

from cprcheck.models.vfio import prevention, processes, properties
from cprcheck.models.vfio.environment import Env, Guest
from cprcheck.models.vfio.kernel import Era, Kernel
from cprcheck.models.vfio.qemu import Design, Vm
from cprcheck.models.vfio.topology import Topology
from cprcheck.models.vfio.vaddrs import Vaddrs

from cprcheck import Model, model


@model
def v7(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """V7: cpr-exec tests and invalidates one container after the other, and nobody restores."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm)
    design = Design(before_exec=vaddrs.in_exec(prevention.validate_own(vaddrs)))
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
