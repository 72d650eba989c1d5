# SPDX-License-Identifier: Apache-2.0
"""A notifier of each container, called when saving has failed.

Asked: when is it called, on which failures, and does it know what was invalidated?

Stands for: the notifier that V8 of the series brought (June 2022: early=yes, flag=no), V9 and QEMU up to 10.2 changed
(after the VM was started again: early=no, flag=yes, on_exec=yes), and the patches of January 2026 mend (early=yes).
In the mail of 10 March 2022 there is only the question why there is none.

Prevention: a test in each container's pre_save.
Recovery: the notifiers, the newest container first; flag=no: without a look at the flag; early=no: after vm_start;
on_exec=yes: also when cpr_state_save or execvp has failed, and then QEMU lives on.

Expected, written down before any engine ran on this file (real faults, any finite number of them; early=yes, flag=yes,
on_exec=no):

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

Why.  Called before the VM is started, it does what the caller's unwind does (`save_unwind`), no more and no less:
cpr-save that fails is recovered, what comes after cpr-save is not. With early=no, runs_only_with_valid_vaddrs is
violated wherever a pre_save can fail after an invalidation; on E4, p/e without any fault; on E1 the device waits
meanwhile, so no_dma_with_invalid_vaddr is violated too. With on_exec=yes, restored_after_failure holds without cont
(the old QEMU lives on and has its addresses); with cont it does not: cont comes after a cpr-save that succeeded,
cpr-exec refuses a VM that runs, and that is no failure for the notifier.  guest_survives stays violated: the new QEMU
may die. With flag=no, a pre_save that fails before or between the containers makes the notifier "restore" one that is
valid, and QEMU aborts: no_restore_of_valid and never_aborts are violated; on E4, p/e without a fault.  There
runs_only_with_valid_vaddrs and restored_after_failure hold, but only because the guest dies before c0 is restored:
env=immortal, where hw_error ends the notifiers and not QEMU, shows it.  (A QEMU that ignored the error and went on to
the next notifier would restore c0.)
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
def failure_notifier(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    early: bool = True,
    on_exec: bool = False,
    flag: bool = True,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """Each container's pre_save invalidates; its notifier restores when saving has failed."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env)
    vaddrs = Vaddrs.declare(m, vm, flagged=flag)
    notifier = recovery.notifier(vaddrs, looks=flag)
    design = Design(
        pre_save=vaddrs.pre_save(prevention.validate_own(vaddrs)),
        save_failed=notifier if early else None,
        save_failed_late=None if early else notifier,
        exec_failed=notifier if on_exec else None,
        survives_exec=on_exec,
        freed=vaddrs.forget,
    )
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
