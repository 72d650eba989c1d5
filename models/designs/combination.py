# SPDX-License-Identifier: Apache-2.0
"""Any prevention with any recovery, in either place: the space in which the named designs are points.

Asked: which of the two halves does which job, and what is left open by each pair?

Stands for: nothing that was posted.  The grid of all pairs is in reports/grid.md.
"""

from __future__ import annotations

from cprcheck.models.vfio import processes, properties
from cprcheck.models.vfio.combine import combine
from cprcheck.models.vfio.environment import Env, Guest
from cprcheck.models.vfio.kernel import Era, Kernel
from cprcheck.models.vfio.prevention import Counted, Judge, Prevention, Tested, Uncounted
from cprcheck.models.vfio.qemu import Vm
from cprcheck.models.vfio.recovery import Recovery
from cprcheck.models.vfio.topology import Topology
from cprcheck.models.vfio.vaddrs import Place

from cprcheck import Model, model


@model
def combination(
    kernel: Era = Era.E1,
    topology: Topology = Topology.parse("e"),
    mappings: int = 1,
    place: Place = Place.PRE_SAVE,
    prevention: Prevention = Prevention.LOOP,
    recovery: Recovery = Recovery.NONE,
    tested: Tested = Tested.PRE_SAVE,
    counted: Counted = Counted.DEVICE,
    uncounted: Uncounted = Uncounted.FLAG,
    judge: Judge = Judge.EXTENSION,
    guest: Guest = Guest.RUNNING,
    env: frozenset[Env] = frozenset(),
) -> Model:
    """A prevention and a recovery, with the invalidation in cpr-exec or in pre_save."""
    m = Model()
    vm = Vm.declare(m, Kernel(kernel, topology, mappings), guest, env, counts=prevention is Prevention.COUNTER)
    design = combine(m, vm, place, prevention, recovery, tested, counted, uncounted, judge)
    processes.run(m, vm, design)
    properties.declare(m, vm, design)
    return m
