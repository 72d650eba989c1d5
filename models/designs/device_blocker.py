# SPDX-License-Identifier: Apache-2.0
"""A blocker that each device registers when it cannot take part; cpr-save asks whether there is any.

Asked: is this better than a counter?

Stands for: Williamson's question in the thread of 10 March 2022, to mirror the migration blockers: any device that
does not support cpr registers one, and generic code keeps track of whether any is registered.  V8 (June 2022) has
such a list, tested first thing in qmp_cpr_save, but a blocker there belongs to a container and is decided when that is
created; QEMU 10.1 has a blocker for each mdev (judge=kind).

Prevention: the blockers, one for a device that needs one, from its realize to its unrealize.
Recovery: none.

Expected, written down before any engine ran on this file (real faults, any finite number of them; judge=extension):

                                 E1, e     E1, e, cont  E4, p/e   E4, p/e, cont  E4, p/p    E4, p/p, cont
    runs_only_with_valid_vaddrs  VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    validated_before_invalidated holds     holds        holds     holds          holds      holds
    refused_before_stop          holds     holds        holds     holds          holds      holds
    no_restore_of_valid          holds     holds        holds     holds          holds      holds
    restored_after_failure       VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    restored_after_failed_load   VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    guest_survives               VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    no_dma_with_invalid_vaddr    VIOLATED  VIOLATED     -         -              -          -
    no_stuck_waiter              VIOLATED  VIOLATED     -         -              -          -
    refusal_is_unreachable       holds     holds        holds     holds          -          -
    never_aborts                 holds     holds        holds     holds          VIOLATED   VIOLATED
    deadlock_free, nobody_stuck  VIOLATED  VIOLATED     holds     holds          holds      holds
    update_succeeds              reachable reachable    UNREACH.  UNREACH.       reachable  reachable
    blocker_is_exact             holds     holds        holds     holds          holds      holds

Why.  E4, p/e: refused first thing, with the VM still running, so everything holds, and no update is possible.
Elsewhere no device has a reason for a blocker, and what is left is the recovery that is not there. While devices come
and go (env=hotplug,unplug; E4, pe): with judge=extension a physical device that is plugged while the mdev is there
registers a blocker of its own, and keeps it when the mdev has gone (as B10 does for a container): residue.  No missed
refusal: a container that cannot take part has an mdev, and that has a blocker.  With judge=kind both hold on E4.  On
E1 judge=kind blocks an update that the kernel would allow: residue at once, and the update is unreachable.
"""

from __future__ import annotations

from cprcheck.models.vfio import processes, properties
from cprcheck.models.vfio.environment import Env, Guest
from cprcheck.models.vfio.kernel import Era, Kernel
from cprcheck.models.vfio.prevention import Blockers, Judge
from cprcheck.models.vfio.qemu import Design, Vm
from cprcheck.models.vfio.topology import Topology
from cprcheck.models.vfio.vaddrs import Vaddrs

from cprcheck import Model, model


@model
def device_blocker(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    judge: Judge = Judge.EXTENSION,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """Each device that cannot take part registers a blocker; cpr-save refuses while there is one."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm)
    blockers = Blockers.declare(m, vm, judge)
    design = Design(
        entry=blockers.test,
        pre_save=vaddrs.pre_save(),
        devices=blockers,
    )
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
