# SPDX-License-Identifier: Apache-2.0
"""The unwind in the caller: each container invalidates in its pre_save, qmp_cpr_save restores when a pre_save
fails.

Asked: does it plug the hole that a pre_save leaves which fails after the containers?

Stands for: the conversion to pre_save and post_load that Sistare offers in the thread of 10 March 2022, with
"call the unwind code from qmp_cpr_save" for the failure of an object that is not VFIO's.  Never posted as a
patch.

Prevention: a test in each container's pre_save.
Recovery: the caller of qemu_save_device_state restores every container that its flag says was invalidated.

Expected, written down before any engine ran on this file (real faults, any finite number of them):

                                 E1, e     E1, e, cont  E4, p/e   E4, p/e, cont  E4, p/p    E4, p/p, cont
    runs_only_with_valid_vaddrs  holds     VIOLATED     holds     holds          holds      VIOLATED
    validated_before_invalidated holds     holds        VIOLATED  VIOLATED       holds      holds
    refused_before_stop          holds     holds        VIOLATED  VIOLATED       holds      holds
    no_restore_of_valid          holds     holds        holds     holds          holds      holds
    restored_after_failure       VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    restored_after_failed_load   VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    guest_survives               VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    no_dma_with_invalid_vaddr    holds     VIOLATED     -         -              -          -
    no_stuck_waiter              VIOLATED  VIOLATED     -         -              -          -
    refusal_is_unreachable       holds     holds        holds     holds          -          -
    never_aborts                 holds     holds        holds     holds          VIOLATED   VIOLATED
    deadlock_free, nobody_stuck  VIOLATED  VIOLATED     holds     holds          holds      holds
    update_succeeds              reachable reachable    UNREACH.  UNREACH.       reachable  reachable

Why.  The hole that the thread names is plugged: whatever fails in cpr-save, the caller restores before the VM is
started.  But the addresses are gone from the end of a *successful* cpr-save on.  So cont after it runs a guest
without them, and no fault is needed; and when cpr_state_save then fails, or cpr-exec refuses because of that cont,
nobody restores.  execvp fails as in V7.
E4, p/e: the walk is oldest first, so c0 (p) is invalidated before c1 (e) refuses, and c0 is restored; every
attempt ends in cpr-save, with the VM running again, so cont changes nothing.
With env=again, never_aborts is violated: cpr_state_save fails, the second attempt's pre_save cannot invalidate again
(K7) and the caller restores, but the VM stays in SAVE_VM; the third attempt saves that runstate, and the new QEMU
cannot move from PRELAUNCH to it.
Without faults and cont everything holds and the update is reachable, wherever all containers are capable.
"""

from __future__ import annotations

from cprcheck.models.vfio import prevention, processes, properties, recovery
from cprcheck.models.vfio.environment import Env, Guest
from cprcheck.models.vfio.kernel import Era, Kernel
from cprcheck.models.vfio.qemu import Design, Vm
from cprcheck.models.vfio.topology import Topology
from cprcheck.models.vfio.vaddrs import Vaddrs

from cprcheck import Model, model


@model
def save_unwind(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """Each container's pre_save invalidates; qmp_cpr_save restores when saving fails."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm, flagged=True)
    design = Design(
        pre_save=vaddrs.pre_save(prevention.validate_own(vaddrs)),
        save_failed=recovery.unwind(vaddrs),
        freed=vaddrs.forget,
    )
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
