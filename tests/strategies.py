"""Random small systems for Hypothesis, with dead ends, domain breaches, faults and deep violations among them."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

from cprcheck.domains import Bool, Domain, OneOf, Range
from cprcheck.expr import Expr, Read, conj, disj, equal, ite, less, member, minus, neg, number, plus
from cprcheck.passes.obligations import with_domain_obligations
from cprcheck.semantics import initial_states, successors
from cprcheck.system import Event, Fairness, Fault, Kind, Process, Property, Slot, State, System, Transition

DOMAINS = (Bool, Range(0, 2), Range(-1, 2), OneOf("red", "green", "blue"), Range(0, 3))


class _Maker:
    """Makes one system; all randomness comes from `r`."""

    def __init__(self, r: Random) -> None:
        self.r = r
        self.domains: list[Domain] = [r.choice(DOMAINS) for _ in range(r.randint(2, 4))]
        self.numbers = [i for i, d in enumerate(self.domains) if d.kind == "int"]

    def test(self) -> Expr:
        """A question about one slot, or about two numbers."""
        r = self.r
        if len(self.numbers) > 1 and r.random() < 0.2:
            a, b = r.sample(self.numbers, 2)
            return r.choice([equal, less])(Read(a), Read(b))
        slot = r.randrange(len(self.domains))
        domain = self.domains[slot]
        codes = r.sample(list(domain.codes), r.randint(1, domain.size - 1))
        return member(slot, codes, domain.low, domain.size)

    def formula(self, depth: int = 2) -> Expr:
        """A truth value."""
        if depth == 0 or self.r.random() < 0.4:
            return self.test()
        parts = [self.formula(depth - 1) for _ in range(2)]
        return self.r.choice([conj(*parts), disj(*parts), neg(parts[0]), conj(*parts)])

    def value(self, slot: int) -> Expr:
        """Something to put into a slot; a number may leave its domain."""
        r, domain = self.r, self.domains[slot]
        if domain.kind == "int" and r.random() < 0.5:
            step = number(1)
            base = Read(r.choice(self.numbers)) if r.random() < 0.3 else Read(slot)
            return r.choice(
                [plus(base, step), minus(base, step), ite(self.test(), plus(base, step), number(domain.low))]
            )
        if domain.kind == "bool" and r.random() < 0.4:
            return self.test()
        same = [i for i, d in enumerate(self.domains) if d == domain and d.kind == "name"]
        if domain.kind == "name" and len(same) > 1 and r.random() < 0.4:
            return Read(r.choice(same))
        codes = [number(r.choice(list(domain.codes))) for _ in range(2)]
        return ite(self.test(), *codes) if domain.kind != "bool" and r.random() < 0.3 else codes[0]

    def transition(self, process: int) -> Transition:
        """A guarded step."""
        r = self.r
        targets = sorted(r.sample(range(len(self.domains)), r.randint(1, min(2, len(self.domains)))))
        faults = (Fault("breaks", injected=r.random() < 0.3),) if r.random() < 0.12 else ()
        events = (Event("seen"),) if r.random() < 0.15 else ()
        update = tuple((slot, self.value(slot)) for slot in targets)
        return Transition(process, f"t{process}", self.formula(), update, faults=faults, events=events)

    def system(self) -> System:
        """A system without properties."""
        r = self.r
        slots = tuple(Slot(f"x{i}", domain) for i, domain in enumerate(self.domains))
        init = tuple(tuple(sorted(r.sample(list(d.codes), r.choice([1, 1, 1, 2])))) for d in self.domains)
        count = r.randint(2, 7)
        fair = [r.choice([Fairness.NONE, Fairness.WEAK, Fairness.WEAK]) for _ in range(count)]
        processes = tuple(Process(f"p{i}", fair[i]) for i in range(count))
        steps = tuple(self.transition(i) for i in range(count))
        return with_domain_obligations(System("random", slots, init, processes, steps))


def reachable(system: System) -> dict[State, int]:
    """Every reachable state with its depth, by the reference interpreter alone."""
    depth = dict.fromkeys(initial_states(system), 0)
    frontier = list(depth)
    while frontier:
        fresh = []
        for state in frontier:
            for _, after in successors(system, state):
                if after not in depth:
                    depth[after] = depth[state] + 1
                    fresh.append(after)
        frontier = fresh
    return depth


def _cube(system: System, state: State) -> Expr:
    """The formula that holds in exactly this state."""
    slots = enumerate(system.slots)
    return conj(*(member(i, [state[i]], slot.domain.low, slot.domain.size) for i, slot in slots))


def random_system(seed: int) -> System:
    """A random system with properties of every kind that a finite run decides.

    Half of the systems are drawn again until some state is three steps away or more, and then the invariant `claim`
    is aimed: it excludes one of the deepest states.
    """
    r = Random(seed)
    aim = r.random() < 0.5
    for _ in range(20):
        maker = _Maker(r)
        system = maker.system()
        depth = reachable(system)
        deepest = max(depth, key=lambda state: (depth[state], state))
        if not aim or depth[deepest] >= 3:
            break
    aimed = neg(_cube(system, deepest)) if aim else maker.formula()
    properties = (
        *system.properties,
        Property("claim", Kind.INVARIANT, (aimed,), family="claim"),
        Property("wild", Kind.INVARIANT, (maker.formula(),), family="wild"),
        Property("seen", Kind.REACHABLE, (maker.formula(),), family="seen"),
        Property("quiet", Kind.EVENT_NEVER, (maker.formula(),), ("seen",), family="quiet"),
        Property(
            "moves", Kind.DEADLOCK_FREE, (maker.test() if r.random() < 0.3 else neg(maker.formula(0)),), family="moves"
        ),
        Property("steps", Kind.STEP_INVARIANT, (disj(maker.formula(), _primed(maker, system)),), family="steps"),
    )
    return system.with_properties(properties)


def _primed(maker: _Maker, system: System) -> Expr:
    """A question about the state after the step."""
    slot = maker.r.randrange(len(system.slots))
    domain = system.slots[slot].domain
    codes = maker.r.sample(list(domain.codes), max(1, domain.size - 1))
    return member(slot, codes, domain.low, domain.size, primed=True)


systems = st.integers(min_value=0, max_value=2**32 - 1).map(random_system)
