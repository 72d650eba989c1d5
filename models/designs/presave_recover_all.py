# SPDX-License-Identifier: Apache-2.0
"""The pre_save that fails restores all containers.

Asked: has "touching all objects in a function for one" really no downside?

Stands for: Sistare's offer in the thread of 10 March 2022 to recover for all containers inside pre_save when one
container fails.  Never posted as a patch.

Prevention: a test in each container's pre_save.
Recovery: the failing pre_save, every container whose flag says that it was invalidated.

Expected, written down before any engine ran on this file (real faults, any finite number of them):

                                 E1, e     E1, e, cont  E4, p/e   E4, p/e, cont  E4, p/p    E4, p/p, cont
    runs_only_with_valid_vaddrs  VIOLATED  VIOLATED     VIOLATED  VIOLATED       VIOLATED   VIOLATED
    validated_before_invalidated holds     holds        VIOLATED  VIOLATED       holds      holds
    refused_before_stop          holds     holds        VIOLATED  VIOLATED       holds      holds
    no_restore_of_valid          holds     holds        holds     holds          holds      holds
    restored_after_failure       VIOLATED  VIOLATED     VIOLATED  VIOLATED       VIOLATED   VIOLATED
    restored_after_failed_load   VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    guest_survives               VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    no_dma_with_invalid_vaddr    VIOLATED  VIOLATED     -         -              -          -
    no_stuck_waiter              VIOLATED  VIOLATED     -         -              -          -
    refusal_is_unreachable       holds     holds        holds     holds          -          -
    never_aborts                 holds     holds        holds     holds          VIOLATED   VIOLATED
    deadlock_free, nobody_stuck  VIOLATED  VIOLATED     holds     holds          holds      holds
    update_succeeds              reachable reachable    UNREACH.  UNREACH.       reachable  reachable

Why.  A container's pre_save recovers from a container's failure, and from nothing else: when a device fails that is
saved between or after the containers, nobody restores what is gone, and qmp_cpr_save starts the VM again.  That is
the hole which Sistare names himself in the same mail.  E4, p/e: it shows there too, by the device between the two
containers; without that device's fault c0 is invalidated, c1 refuses, and c0 is restored.
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
def presave_recover_all(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """Each container's pre_save invalidates; when it fails, it restores all containers."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm, flagged=True)
    recover_all = recovery.unwind(vaddrs, recovery.PRE_SAVE)
    design = Design(pre_save=vaddrs.pre_save(prevention.validate_own(vaddrs), failed=recover_all), freed=vaddrs.forget)
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
