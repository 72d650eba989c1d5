# SPDX-License-Identifier: Apache-2.0
"""Every container's pre_save validates all containers, and then invalidates its own.

Asked: does the test that fits the vmstate model prevent as much as a pass before everything?

Stands for: Sistare's offer in the thread of 10 March 2022 to "validate all, in every call to pre_save for each
container", less efficient but without a special call from the command.  Never posted as a patch.

Prevention: all containers, in every pre_save: the first one refuses before anything is invalidated.
Recovery: none.

Expected, written down before any engine ran on this file (real faults, any finite number of them):

                                 E1, e     E1, e, cont  E4, p/e   E4, p/e, cont  E4, p/p    E4, p/p, cont
    runs_only_with_valid_vaddrs  VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    validated_before_invalidated holds     holds        holds     holds          holds      holds
    refused_before_stop          holds     holds        VIOLATED  VIOLATED       holds      holds
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

Why.  E4, p/e: the first pre_save finds the container that cannot take part, nothing is invalidated, and qmp_cpr_save
starts the VM again; it had been stopped.  Elsewhere the test is vacuous, and the thread's hole is open: a device that
is saved after the containers fails, qmp_cpr_save starts the VM again, and the guest runs without addresses; no cont
is needed.  On E1 its device waits. The price: 2 C C extension tests on a run without failure, with the VM stopped.
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
def presave_validate_all(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """Each container's pre_save tests all containers and invalidates its own; nobody restores."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm)
    validate_all = prevention.of_every(prevention.validate_all(vaddrs))
    design = Design(pre_save=vaddrs.pre_save(validate_all))
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
