# SPDX-License-Identifier: Apache-2.0
"""A vm-change handler with a flag: whoever starts the VM again restores, before a vCPU runs.

Asked: is one flag per container, looked at on every way to a running VM, enough?

Stands for: Williamson's alternative in the thread of 10 March 2022 (a vm change handler that reloads the vaddrs
when the VM moves to a running state and a flag says that they were invalidated), with the invalidation in each
container's pre_save. Never posted as a patch.

Prevention: a test in each container's pre_save.
Recovery: the handler; first=no puts it behind the handlers that start DMA, as an equal priority and a late
registration do.

Expected, written down before any engine ran on this file (real faults, any finite number of them; first=yes):

                                 E1, e     E1, e, cont  E4, p/e   E4, p/e, cont  E4, p/p    E4, p/p, cont
    runs_only_with_valid_vaddrs  holds     holds        holds     holds          holds      holds
    validated_before_invalidated holds     holds        VIOLATED  VIOLATED       holds      holds
    refused_before_stop          holds     holds        VIOLATED  VIOLATED       holds      holds
    no_restore_of_valid          holds     holds        holds     holds          holds      holds
    handlers_in_order            holds     holds        holds     holds          holds      holds
    restored_after_failure       VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    restored_after_failed_load   VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    guest_survives               VIOLATED  VIOLATED     holds     holds          VIOLATED   VIOLATED
    no_dma_with_invalid_vaddr    holds     holds        -         -              -          -
    no_stuck_waiter              VIOLATED  VIOLATED     -         -              -          -
    refusal_is_unreachable       holds     holds        holds     holds          -          -
    never_aborts                 holds     holds        holds     holds          VIOLATED   VIOLATED
    deadlock_free, nobody_stuck  VIOLATED  VIOLATED     holds     holds          holds      holds
    update_succeeds              reachable reachable    UNREACH.  UNREACH.       reachable  reachable

Why.  Whoever starts the VM restores first, cont included, so the guest never runs without addresses.  But nothing
restores until somebody starts it: when cpr_state_save fails the VM stays stopped, and the user is not obliged to
say cont; a device that asks meanwhile waits.  Even with cont, a device waits for ever when cpr-load fails in the
new QEMU, whose flags are not set.  execvp fails as in V7.
With env=again nothing changes: once cpr_state_save has failed, no attempt can invalidate again (K7), and never_aborts
holds.
With first=no, handlers_in_order is violated: a pre_save fails after the containers, and on the way back to a
running VM devices resume DMA before the addresses are back.
With cont and a second monitor, no_restore_of_valid and never_aborts are violated: cont comes between the exec
request and the exec, the handler restores, and the new QEMU gives addresses to mappings that have them.
With a suspended guest and a wakeup, runs_only_with_valid_vaddrs is violated: a wakeup runs no handlers.
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
def vm_change_handler(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    first: bool = True,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """Each container's pre_save invalidates and sets a flag; its vm-change handler restores when the VM starts."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm, flagged=True)
    design = Design(
        pre_save=vaddrs.pre_save(prevention.validate_own(vaddrs)),
        handler=recovery.handler(vaddrs),
        handler_first=first,
        freed=vaddrs.forget,
    )
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
