# SPDX-License-Identifier: Apache-2.0
"""Any prevention with any recovery in either place, where that makes sense."""

from __future__ import annotations

from dataclasses import replace

from cprcheck import Model
from cprcheck.errors import UsageError

from . import prevention, recovery
from .prevention import Blockers, Counted, Counter, Judge, Prevention, Tested, Uncounted
from .qemu import Design, Vm
from .recovery import Recovery
from .vaddrs import Place, Vaddrs

SENSIBLE = {
    Place.EXEC: (
        Recovery.NONE,
        Recovery.RECOVER_PATCH,
        Recovery.CALLER,
        Recovery.NOTIFIER_EXEC,
        Recovery.HANDLER,
        Recovery.HANDLER_LAST,
    ),
    Place.PRE_SAVE: tuple(one for one in Recovery if one is not Recovery.RECOVER_PATCH),
}
"""The recoveries that make sense in each place: nothing is invalid in cpr-save where cpr-exec invalidates, and the
recover patch mends vfio_cpr_save."""
NO_FLAG = (Recovery.NONE, Recovery.RECOVER_PATCH, Recovery.NOTIFIER_BLIND)


def combine(
    m: Model,
    vm: Vm,
    place: Place,
    prevents: Prevention,
    recovers: Recovery,
    tested: Tested = Tested.PRE_SAVE,
    counted: Counted = Counted.DEVICE,
    uncounted: Uncounted = Uncounted.FLAG,
    judge: Judge = Judge.EXTENSION,
) -> Design:
    """The design with these parts.  Raises UsageError for a recovery that makes no sense in that place."""
    if recovers not in SENSIBLE[place]:
        known = ", ".join(one.name.lower() for one in SENSIBLE[place])
        raise UsageError(
            f"recovery={recovers.name.lower()} makes no sense with place={place.name.lower()}: write {known}"
        )
    vaddrs = Vaddrs.declare(m, vm, flagged=recovers not in NO_FLAG)
    design = Design(freed=vaddrs.forget)
    own, entry, every, first = None, None, None, None
    if prevents is Prevention.LOOP:
        own = prevention.validate_own(vaddrs)
    elif prevents is Prevention.FIRST and place is Place.EXEC:
        first = prevention.validate_all(vaddrs)
    elif prevents is Prevention.FIRST:
        entry = prevention.validate_all(vaddrs)
    elif prevents is Prevention.PRE_SAVE_ALL:
        every = prevention.of_every(prevention.validate_all(vaddrs))
    elif prevents is Prevention.COUNTER:
        counter = Counter.declare(m, vm, counted, uncounted)
        design = replace(design, devices=counter)
        entry = counter.test if tested is Tested.ENTRY else None
        every = prevention.of_every(counter.test) if tested is Tested.PRE_SAVE else None
    elif prevents is Prevention.BLOCKER:
        blockers = Blockers.declare(m, vm, judge)
        design = replace(design, devices=blockers)
        entry = blockers.test
    if place is Place.EXEC:
        tests = () if own is None else (own,)
        patched = recovers is Recovery.RECOVER_PATCH
        run = vaddrs.in_exec_recovering(m, *tests, first=first) if patched else vaddrs.in_exec(*tests, first=first)
        design = replace(design, before_exec=run, pre_save=every)
    else:
        tests = tuple(test for test in (own, every) if test is not None)
        failed = recovery.unwind(vaddrs, recovery.PRE_SAVE) if recovers is Recovery.PRE_SAVE_ALL else None
        design = replace(design, pre_save=vaddrs.pre_save(*tests, failed=failed))
    return with_recovery(replace(design, entry=entry), vaddrs, place, recovers)


def with_recovery(design: Design, vaddrs: Vaddrs, place: Place, recovers: Recovery) -> Design:
    """`design` with the hooks of a recovery."""
    looking, blind = recovery.notifier(vaddrs), recovery.notifier(vaddrs, looks=False)
    match recovers:
        case Recovery.POST_SAVE:
            return replace(design, post_save=recovery.post_save(vaddrs))
        case Recovery.CALLER if place is Place.EXEC:
            return replace(design, exec_failed=recovery.unwind(vaddrs))
        case Recovery.CALLER:
            return replace(design, save_failed=recovery.unwind(vaddrs))
        case Recovery.NOTIFIER:
            return replace(design, save_failed=looking)
        case Recovery.NOTIFIER_LATE:
            return replace(design, save_failed_late=looking)
        case Recovery.NOTIFIER_EXEC:
            return replace(design, save_failed=looking, exec_failed=looking, survives_exec=True)
        case Recovery.NOTIFIER_LATE_EXEC:
            return replace(design, save_failed_late=looking, exec_failed=looking, survives_exec=True)
        case Recovery.NOTIFIER_BLIND:
            return replace(design, save_failed=blind)
        case Recovery.HANDLER | Recovery.HANDLER_LAST:
            first = recovers is Recovery.HANDLER
            return replace(design, handler=recovery.handler(vaddrs), handler_first=first)
    return design
