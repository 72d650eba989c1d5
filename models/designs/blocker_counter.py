# SPDX-License-Identifier: Apache-2.0
"""A counter of devices whose container cannot take part; zero lets an update pass.

Asked: does it count right while devices come and go, and is it looked at in time?

Stands for: Sistare's answer in the thread of 10 March 2022 to the question for blockers: increment a global counter in
vfio_realize if the container does not support cpr, decrement it when the container is destroyed, check it in pre_save.
Never posted as a patch.

Prevention: the counter.  counted: per device, or per container (at its creation).  uncounted: when the container is
destroyed, by a flag on it (flag) or by testing again (test); or at each unrealize (device).  tested: in pre_save as
proposed, first thing in the command (entry), or where migration tests its blockers (migrate).
Recovery: none.

Expected, written down before any engine ran on this file (real faults, any finite number of them; as proposed):

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
    blocker_is_exact             holds     holds        holds     holds          holds      holds

Why.  E4, p/e: the first pre_save finds the counter at one, before anything is invalidated, but after the VM was
stopped; tested=entry refuses before that, and refused_before_stop holds.  With tested=migrate nobody looks: cpr-save
does not call migrate_prepare, c0 is invalidated and c1 refuses, and nobody restores. On E1 every container can take
part: the counter stays zero, and all claims about it are vacuous. The rest is as without a recovery: a device that is
saved after the containers fails, and the guest runs.

While devices come and go (env=hotplug,unplug; blocker_is_exact and counter_is_not_negative, E4; vacuous on E1, where
all of it holds):
  * as proposed: residue, in pe: the mdev counts, then leaves; its container lives on, and so does the count.  Residue
    also from a realize that fails after the increment (p, an mdev is plugged).  No missed refusal, never negative: a
    container takes off one at most, and has put on at least one.
  * counted=container: missed refusal, in p: an mdev is plugged later ("stale after a later hot-plug"); in pe at once,
    for the container was created by p.
  * uncounted=test: negative, in p: the last group leaves, the container has no IOMMU to ask and E4 answers 0, so a
    count is taken off that nobody put on; next an mdev is plugged, the counter is zero: missed refusal.
  * counted=container, uncounted=device: missed refusal, in ep: p leaves and takes off what the mdev put on.
"""

from __future__ import annotations

from cprcheck.models.vfio import processes, properties
from cprcheck.models.vfio.environment import Env, Guest
from cprcheck.models.vfio.kernel import Era, Kernel
from cprcheck.models.vfio.prevention import Counted, Counter, Tested, Uncounted, of_every
from cprcheck.models.vfio.qemu import Design, Vm
from cprcheck.models.vfio.topology import Topology
from cprcheck.models.vfio.vaddrs import Vaddrs

from cprcheck import Model, model


@model
def blocker_counter(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    counted: Counted = Counted.DEVICE,
    uncounted: Uncounted = Uncounted.FLAG,
    tested: Tested = Tested.PRE_SAVE,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """A counter goes up when a device's container cannot take part, and down when the container goes."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env, counts=True)
    vaddrs = Vaddrs.declare(m, vm)
    counter = Counter.declare(m, vm, counted, uncounted)
    tests = (of_every(counter.test),) if tested is Tested.PRE_SAVE else ()
    design = Design(
        entry=counter.test if tested is Tested.ENTRY else None,
        pre_save=vaddrs.pre_save(*tests),
        devices=counter,
    )
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
