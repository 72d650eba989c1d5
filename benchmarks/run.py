# SPDX-License-Identifier: Apache-2.0
"""Figures: `python benchmarks/run.py [build] [explicit] [prove] [peer]`; all of them without arguments.

* build: seconds to build each design, and its locations, for 2 to 64 containers
* explicit: states per second of the explicit search
* prove: seconds to prove, for 2, 4, 8 and 16 containers
* peer: the explicit search against minicheck (`pip install minicheck`) and against the reference interpreter, on the
  same System in the same process; ratios of times, median of five pairs

Times depend on the machine; quote ratios.
"""

from __future__ import annotations

import importlib.util
import statistics
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from time import perf_counter
from typing import Any

from cprcheck import catalog
from cprcheck.engines import explicit
from cprcheck.engines.prove import Prover
from cprcheck.expr import In, conjuncts, reads
from cprcheck.passes.faults import with_faults
from cprcheck.passes.safety import goal
from cprcheck.semantics import evaluate, initial_states, successors
from cprcheck.system import SAFETY, State, System

HERE = Path(__file__).resolve().parent
PROVED = ("runs_only_with_valid_vaddrs", "no_restore_of_valid", "handlers_in_order", "validated_before_invalidated")
DESIGNS = ("v7", "save_unwind", "vm_change_handler")


def system(model: str, **params: str) -> System:
    """A shipped model's System, with any finite number of real faults."""
    return with_faults(catalog.bind(catalog.find(model), params).system, None, injected=False)


def timed(what: Callable[[], Any]) -> tuple[float, Any]:
    """(seconds, result)."""
    start = perf_counter()
    result = what()
    return perf_counter() - start, result


def build() -> None:
    """Building is linear in containers, and so are the locations."""
    print("build: containers, seconds, locations after merging, transitions")
    for design in DESIGNS:
        for containers in (2, 4, 8, 16, 64):
            seconds, made = timed(lambda d=design, n=containers: system(d, kernel="E4", topology=f"{n}p", env="cont"))
            locations = sum(s.domain.size - 4 for s in made.slots if s.role == "location")
            print(f"  {design:20} {containers:3} {seconds:7.2f} s {locations:6} {len(made.transitions):6}")


def search() -> None:
    """How fast all states are found."""
    print("explicit: states, generated, seconds, states per second")
    cases = [
        (f"{d} {n}e cont", lambda d=d, n=n: system(d, topology=f"{n}e", env="cont")) for d in DESIGNS for n in (2, 4, 8)
    ]
    cases += [(f"two_phase_commit {n}", lambda n=n: system("two_phase_commit", participants=str(n))) for n in (5, 6, 7)]
    for name, make in cases:
        made = make()
        seconds, found = timed(lambda made=made: explicit.search(made))
        size = found.size
        print(f"  {name:26} {size.states:8} {size.generated:9} {seconds:7.2f} s {size.states / seconds:10.0f}")


def proofs() -> None:
    """How long z3 and the invariants take."""
    print("prove: containers, seconds in all, seconds for the first invariant, proved of asked")
    for containers in (2, 4, 8, 16):
        made = system("vm_change_handler", kernel="E1", topology=f"{containers}e")
        goals = [goal(made, p) for p in made.properties if p.kind in SAFETY and p.family in PROVED]
        prover = Prover(made, 60)
        first, _ = timed(prover.prepare)
        rest, answers = timed(lambda goals=goals, prover=prover: [prover.answer(g) for g in goals])
        proved = sum(answer.status.good for answer in answers)
        print(f"  {containers:3} {first + rest:7.2f} s {first:7.2f} s {proved} of {len(goals)}")


# ---- peers ------------------------------------------------------------------------------------------------------


def peer() -> None:
    """The same System, by minicheck and by the reference interpreter."""
    minicheck = importlib.util.find_spec("minicheck")
    models = {model.name: model for model in catalog.models_in(HERE / "concurrent.py")}
    print("peer: states; how many times longer the peer takes (median of five pairs)")
    for containers in (2, 3, 4):
        made = catalog.bind(models["concurrent"], {"containers": str(containers)}).system
        mine = lambda made=made: explicit.search(made)  # noqa: E731
        states = mine().size.states
        line = f"  {containers} containers {states:7}"
        line += f"  interpreter {ratio(mine, lambda made=made: reachable(made)):6.1f}"
        if minicheck is not None:
            spec = to_minicheck(made)
            line += f"  minicheck {ratio(mine, lambda spec=spec: explore(spec)):6.1f}"
        print(line)


def ratio(mine: Callable[[], Any], theirs: Callable[[], Any]) -> float:
    """How many times longer theirs takes."""
    return statistics.median(timed(theirs)[0] / timed(mine)[0] for _ in range(5))


def reachable(made: System) -> int:
    """All states by the reference interpreter."""
    seen = set(initial_states(made))
    stack = list(seen)
    while stack:
        for _, after in successors(made, stack.pop()):
            if after not in seen:
                seen.add(after)
                stack.append(after)
    return len(seen)


def explore(spec: dict[str, Any]) -> Any:
    """Minicheck's own search."""
    from minicheck import check_safety
    from minicheck.spec import protocol_from_spec

    return check_safety(protocol_from_spec(spec), max_states=10_000_000)


def to_minicheck(made: System) -> dict[str, Any]:
    """The System in minicheck's notation: a first step chooses the initial state, guards are conjunctions."""
    names = [slot.name for slot in made.slots]
    transitions = []
    for number, state in enumerate(initial_states(made)):
        chosen = dict(zip(names, state, strict=True)) | {"chosen": 1}
        transitions.append({"label": f"start {number}", "when": {"chosen": 0}, "set": chosen})
    for number, transition in enumerate(made.transitions):
        update = {names[slot]: value.value for slot, value in transition.update}  # constants only
        for at, cube in enumerate(cubes(made, transition.guard)):
            when = {names[slot]: code for slot, code in cube.items()} | {"chosen": 1}
            transitions.append({"label": f"t{number} {at}", "when": when, "set": update})
    initial = {name: slot.domain.low for name, slot in zip(names, made.slots, strict=True)} | {"chosen": 0}
    first = made.slot("run")
    bad = {"never": {"forbid": {names[first]: 99}}}
    return {
        "name": "concurrent",
        "fields": [*names, "chosen"],
        "initial": initial,
        "transitions": transitions,
        "invariants": bad,
    }


def cubes(made: System, guard: Any) -> Iterator[dict[int, int]]:
    """The guard as alternatives, each a code for some slots."""
    single = {p.slot: p.codes[0] for p in conjuncts(guard) if isinstance(p, In) and len(p.codes) == 1}
    others = [part for part in conjuncts(guard) if not (isinstance(part, In) and len(part.codes) == 1)]
    slots = sorted({slot for part in others for slot in reads(part)} - single.keys())
    for codes in product(*(made.slots[slot].domain.codes for slot in slots)):
        cube = single | dict(zip(slots, codes, strict=True))
        state: State = tuple(cube.get(slot, made.slots[slot].domain.low) for slot in range(len(made.slots)))
        if all(evaluate(part, state) for part in others):
            yield cube


PARTS = {"build": build, "explicit": search, "prove": proofs, "peer": peer}

if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part]()
