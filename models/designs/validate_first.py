# SPDX-License-Identifier: Apache-2.0
"""A pass that tests all containers before any is invalidated; with recover=yes, the patch that came with it.

Asked: is it enough to validate all containers before the addresses are "blasted"?

Stands for: Williamson's first demand in the thread of March 2022; with recover=yes "[PATCH V7 22/29] vfio-pci: recover
from unmap-all-vaddr failure", which has the pass and a recovery.  Invalidates in cpr-exec, as V7 does.

Prevention: a pass over all containers.
Recovery: none; with recover=yes the containers invalidated so far, when an invalidation fails.

Expected, written down before any engine ran on this file (real faults, any finite number of them):

                                 E1, e     E1, e, cont  E4, e/p   E4, e/p, cont  E4, p/p    E4, p/p, cont
    runs_only_with_valid_vaddrs  holds     VIOLATED     holds     holds          holds      VIOLATED
    validated_before_invalidated holds     holds        holds     holds          holds      holds
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

Why.  E1: nothing differs from `v7`, for every container can take part there; the pass is vacuous, and what fails is
cpr_state_save, execvp and the new QEMU.  E4, e/p: the pass refuses before anything is touched, so nothing has to be
restored, and cont does no harm; but cpr-save has stopped the VM before.  E4, p/p: as `v7`.
So validation removes one way to fail of several, and the one that it removes needs no fault.
With recover=yes the verdicts are the same: no real kernel fails an invalidation that the pass has let through, so the
recovery never runs.  With injected faults on p/p, no_restore_of_valid is violated by Defect A: the first invalidation
fails, and the container of the other space is "restored".  With env=again Defect A needs no injected fault:
cpr_state_save fails; the second attempt cannot invalidate c1 again (K7) and restores c0; the third cannot either, and
"restores" c0, which is valid.
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
def validate_first(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    recover: bool = False,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """All containers are tested, then all are invalidated, in cpr-exec; recover=yes restores them when that fails."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm)
    first = prevention.validate_all(vaddrs)
    vfio_cpr_save = vaddrs.in_exec_recovering(m, first=first) if recover else vaddrs.in_exec(first=first)
    design = Design(before_exec=vfio_cpr_save)
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
