"""Infinite runs: leads-to under fairness against brute force, what stays possible, and who is stuck."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from strategies import random_system, reachable
from systems import at, digraph, nodes
from test_abstract import located, random_located
from test_graph import graph_of

from cprcheck.domains import Range
from cprcheck.engines import liveness
from cprcheck.expr import FALSE, TRUE, Expr, conj, member, number
from cprcheck.replay import replay
from cprcheck.semantics import evaluate, successors
from cprcheck.system import Fairness, Fault, Kind, Process, Property, Slot, State, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Answer, Status

HOLDS, VIOLATED, _, _, UNKNOWN = Status
NONE, WEAK, STRONG = Fairness
PROVED = Answer(HOLDS, "liveness", "all reachable states")
OPEN = Answer(UNKNOWN, "liveness", reason="only strong fairness rules the loops out, which is not decided yet")
BREAK = Fault("breaks")
Edges = dict[State, list[tuple[int, bool, State]]]
"""By state: (process, whether it takes a fault, state after) of each step."""


def ask(system: System, prop: Property) -> Answer:
    """The answer about one property; a trace that it shows has been replayed."""
    answer = liveness.check(graph_of(system), [prop])[prop.name]
    if answer.trace is not None:
        replay(system, prop, answer.trace)
    assert (answer.trace is None) is (answer.status is not VIOLATED)
    return answer


def leads(trigger: Expr, response: Expr) -> Property:
    return Property("leads", Kind.LEADS_TO, (trigger, response))


def possible(premise: Expr, aim: Expr, *, quiet: bool = False) -> Property:
    return Property("possible", Kind.ALWAYS_POSSIBLE, (premise, aim), quiet=quiet)


STUCK = Property("stuck", Kind.NO_STUCK)


def maze(seed: int, fairness: tuple[Fairness, ...]) -> System:
    """A few nodes, and edges at random that belong to three processes; some take a fault."""
    r = Random(seed)
    domain = Range(0, r.randint(2, 4))
    steps = []
    for i in range(r.randint(4, 11)):
        a, b = r.choice(domain.codes), r.choice(domain.codes)
        faults = (BREAK,) if r.random() < 0.15 else ()
        steps.append(Transition(r.randrange(3), f"t{i}", at(0, a, domain), ((0, number(b)),), faults=faults))
    processes = tuple(Process(f"p{i}", r.choice(fairness)) for i in range(3))
    return System("maze", (Slot("node", domain),), ((0,),), processes, tuple(steps))


# ---- brute force ----------------------------------------------------------------------------------------------------


def edges_of(system: System) -> Edges:
    steps = system.transitions
    return {
        state: [(steps[i].process, bool(steps[i].faults), after) for i, after in successors(system, state)]
        for state in reachable(system)
    }


def able(edges: Edges, state: State) -> set[int]:
    return {process for process, fault, _ in edges[state] if not fault}


def connected(some: set[State], edges: Edges) -> bool:
    """Whether each of these states can be reached from each, inside and without a fault."""

    def seen(start: State) -> set[State]:
        found, todo = {start}, [start]
        while todo:
            fresh = {to for _, fault, to in edges[todo.pop()] if not fault and to in some} - found
            found |= fresh
            todo += fresh
        return found

    return all(seen(state) == some for state in some)


def fair_sets(system: System, edges: Edges, waiting: set[State]) -> Iterator[set[State]]:
    """Every set of waiting states all of which a fair run may visit again and again, and no others."""
    for size in range(1, len(waiting) + 1):
        for some in map(set, combinations(sorted(waiting), size)):
            owed = {i for i, process in enumerate(system.processes) if process.fairness is not NONE}
            owed -= {p for state in some for p, fault, to in edges[state] if not fault and to in some}
            always, ever = (how(*(able(edges, s) for s in some)) for how in (set.intersection, set.union))
            strict = {p for p in owed if system.processes[p].fairness is STRONG}
            if connected(some, edges) and not owed & always and not strict & ever:
                yield some


def by_subsets(system: System, prop: Property) -> bool:
    """Whether a leads-to holds, by trying all sets of states that a run could visit for ever."""
    trigger, response = prop.formulas
    edges = edges_of(system)
    waiting = {state for state in edges if not evaluate(response, state)}
    pending = {state for state in waiting if evaluate(trigger, state)}
    while fresh := {to for state in pending for _, _, to in edges[state] if to in waiting} - pending:
        pending |= fresh
    return next(fair_sets(system, edges, pending), None) is None


def by_fixpoint(system: System, prop: Property) -> bool:
    """The same for weak fairness (E. A. Emerson, C.-L. Lei, 1986): states with their last mover, None who idles."""
    trigger, response = prop.formulas
    edges = edges_of(system)
    waiting = {state for state in edges if not evaluate(response, state)}
    after = {
        (state, last): [(state, None)] + [(to, p) for p, fault, to in edges[state] if not fault and to in waiting]
        for state in waiting
        for last in (None, *range(len(system.processes)))
    }
    fair = [i for i, process in enumerate(system.processes) if process.fairness is not NONE]
    inside = set(after)
    while True:
        kept = inside
        for process in fair:
            until = {node for node in kept if node[1] == process or process not in able(edges, node[0])}
            while fresh := {node for node in kept - until if until & set(after[node])}:
                until |= fresh
            kept = {node for node in kept if until & set(after[node])}
        if kept == inside:
            break
        inside = kept
    endless = {state for state, _ in inside}
    while fresh := {s for s in waiting - endless if any(to in endless for _, _, to in edges[s])}:
        endless |= fresh
    return not any(evaluate(trigger, state) for state in endless)


@pytest.mark.parametrize("weak", [True, False])
def test_leads_to_is_what_brute_force_finds(weak: bool) -> None:
    seen = dict.fromkeys(Status, 0)
    for seed in range(200):
        system = maze(seed, (NONE, WEAK, WEAK) if weak else (WEAK, STRONG))
        prop = leads(nodes(system, 0), nodes(system, 1 + seed % 2))
        answer = ask(system, prop)
        holds = by_subsets(system, prop)
        seen[answer.status] += 1
        if weak:
            assert by_fixpoint(system, prop) == holds
        assert answer.status is (HOLDS if holds else VIOLATED) or (answer == OPEN and not weak), seed
    assert min(seen[HOLDS], seen[VIOLATED]) >= 20
    assert seen[UNKNOWN] == 0 if weak else 0 < seen[UNKNOWN] < seen[VIOLATED]


@pytest.mark.parametrize("make", [random_system, random_located])
def test_leads_to_in_systems_of_several_slots_is_what_the_fixpoint_says(make: object) -> None:
    seen = dict.fromkeys(Status, 0)
    for seed in range(60):
        system = make(seed)
        formulas = [prop.formulas for prop in system.properties if prop.kind is Kind.LEADS_TO]
        pairs = formulas or [(TRUE, system.property("seen").formulas[0]), (system.property("wild").formulas[0], FALSE)]
        for trigger, response in pairs:
            answer = ask(system, leads(trigger, response))
            assert (answer.status is HOLDS) is by_fixpoint(system, leads(trigger, response)), seed
            seen[answer.status] += 1
    assert (min(seen[HOLDS], seen[VIOLATED]) >= 5, seen[UNKNOWN]) == (True, 0), seen


# ---- leads-to, by hand ----------------------------------------------------------------------------------------------


def between(system: System, a: int, b: int) -> Answer:
    return ask(system, leads(nodes(system, a), nodes(system, b)))


def run(*path: int, steps: tuple[int, ...], loop: int) -> Trace:
    return Trace(tuple((node,) for node in path), steps, loop)


def owned(system: System, *owners: int, fair: tuple[Fairness, ...]) -> System:
    """`system` with step i belonging to process `owners[i]`."""
    steps = tuple(replace(t, process=owner) for t, owner in zip(system.transitions, owners, strict=True))
    return replace(system, transitions=steps, processes=tuple(Process(f"p{i}", f) for i, f in enumerate(fair)))


def test_a_fair_process_that_can_move_does() -> None:
    assert between(digraph([0, 1, 2]), 0, 2) == PROVED


def test_a_process_that_owes_nothing_may_stay_for_ever() -> None:
    answer = between(digraph([0, 1, 2], fair=False), 1, 2)
    assert answer == Answer(VIOLATED, "liveness", "lasso of 1 + 0 steps", run(0, 1, steps=(0,), loop=1))


def test_at_a_final_state_the_run_stays() -> None:
    assert between(digraph([0, 1], [0, 2]), 0, 2) == Answer(
        VIOLATED, "liveness", "lasso of 1 + 0 steps", run(0, 1, steps=(0,), loop=1)
    )


def test_a_response_at_once_is_a_response_and_without_trigger_none_is_needed() -> None:
    system = digraph([0, 1], fair=False)
    assert between(system, 1, 1) == PROVED
    assert ask(system, leads(FALSE, FALSE)) == PROVED


def test_what_happened_before_the_trigger_is_no_response() -> None:
    answer = between(digraph([0, 1, 2, 3, 2]), 1, 0)
    assert answer.trace == run(0, 1, 2, 3, 2, steps=(0, 1, 2, 3), loop=2)


def test_a_fault_never_has_to_happen() -> None:
    system = digraph([0, 1, 2], faults=[(1, 2)])
    assert between(system, 0, 2).trace == run(0, 1, steps=(0,), loop=1)


def test_a_loop_takes_no_fault_but_the_way_there_may() -> None:
    round_trip = digraph([0, 1, 0], [0, 2], faults=[(1, 0)])
    assert between(round_trip, 0, 2).trace == run(0, 1, steps=(0,), loop=1)
    with_way_out = digraph([0, 1, 0], [1, 2], faults=[(1, 0)])
    assert between(with_way_out, 0, 2) == PROVED
    broken = digraph([0, 1], [0, 2, 2], faults=[(0, 2)])
    assert between(broken, 0, 1).trace == run(0, 2, 2, steps=(1, 2), loop=1)


RING = digraph([0, 1, 0], [0, 2])


@pytest.mark.parametrize(
    ("fair", "expected"),
    [((WEAK, WEAK), VIOLATED), ((NONE, WEAK), VIOLATED), ((WEAK, NONE), VIOLATED), ((WEAK, STRONG), UNKNOWN)],
)
def test_a_loop_with_a_state_in_which_a_process_cannot_move_is_weakly_fair_to_it(
    fair: tuple[Fairness, ...], expected: Status
) -> None:
    answer = between(owned(RING, 0, 0, 1, fair=fair), 0, 2)
    assert answer.status is expected
    if expected is UNKNOWN:
        assert answer == OPEN


def test_a_run_may_stay_within_a_loop_where_no_fair_process_can_move() -> None:
    answer = between(owned(RING, 0, 0, 1, fair=(NONE, STRONG)), 0, 2)
    assert (answer.basis, answer.trace) == ("lasso of 1 + 0 steps", run(0, 1, steps=(0,), loop=1))


def test_the_way_to_the_loop_goes_around_the_response() -> None:
    answer = between(digraph([0, 2, 3, 4, 4], [0, 1, 4]), 0, 1)
    assert answer.trace == run(0, 2, 3, 4, 4, steps=(0, 1, 2, 3), loop=3)


def test_a_loop_in_which_a_fair_process_can_always_move_and_never_does_is_no_run() -> None:
    system = replace(digraph([0, 1, 0], [0, 2], [1, 2]), init=((0,),))
    assert between(owned(system, 0, 0, 1, 1, fair=(WEAK, WEAK)), 0, 2) == PROVED
    answer = between(owned(system, 0, 0, 1, 1, fair=(WEAK, NONE)), 0, 2)
    assert (answer.basis, answer.trace) == ("lasso of 0 + 2 steps", run(0, 1, 0, steps=(0, 1), loop=0))


def test_a_loop_that_is_fair_to_all_walks_past_each_duty() -> None:
    system = owned(digraph([0, 1, 2, 3, 0], [0, 0]), 0, 1, 0, 2, 1, fair=(WEAK, WEAK, STRONG))
    answer = ask(system, leads(TRUE, FALSE))
    assert {system.transitions[step].process for step in answer.trace.steps[answer.trace.loop :]} >= {2}
    assert len(answer.trace.steps) - answer.trace.loop == 4


# ---- always possible ------------------------------------------------------------------------------------------------


def test_what_stays_possible_is_what_some_path_leads_to() -> None:
    for seed in range(60):
        system = maze(seed, (NONE, WEAK))
        aim, premise, edges = nodes(system, 1), nodes(system, 0, 2), edges_of(system)
        for quiet in (False, True):
            saved = {state for state in edges if evaluate(aim, state)}
            for _ in edges:
                saved |= {
                    state
                    for state, steps in edges.items()
                    for p, fault, to in steps
                    if to in saved and not (quiet and (fault or system.processes[p].fairness is NONE))
                }
            depths = [d for s, d in reachable(system).items() if evaluate(premise, s) and s not in saved]
            answer = ask(system, possible(premise, aim, quiet=quiet))
            assert answer.status is (VIOLATED if depths else HOLDS), (seed, quiet)
            assert answer.basis == (f"{min(depths)} steps" if depths else "all reachable states")


def test_a_fault_or_an_unfair_step_keeps_possible_what_is_not_asked_to_be_quiet() -> None:
    for system in (digraph([0, 1, 2], faults=[(1, 2)]), digraph([0, 1, 2], fair=False)):
        aim = nodes(system, 2)
        assert ask(system, possible(TRUE, aim)) == PROVED
        assert ask(system, possible(TRUE, aim, quiet=True)).status is VIOLATED
        assert ask(system, possible(aim, aim, quiet=True)) == PROVED


# ---- nobody stuck ---------------------------------------------------------------------------------------------------


def stuck(system: System, state: State) -> list[str]:
    """By the interpreter, the processes that wait in `state` for something that cannot happen without a fault."""
    future, todo = {state}, [state]
    while todo:
        fresh = {to for step, to in successors(system, todo.pop()) if not system.transitions[step].faults} - future
        future |= fresh
        todo += fresh
    calm = [t for s in future for i, _ in successors(system, s) if not (t := system.transitions[i]).faults]
    return [
        process.name
        for number_, process in enumerate(system.processes)
        if process.location is not None
        and state[process.location] not in process.done
        and not any(t.process == number_ or process.location in dict(t.update) for t in calm)
    ]


def waits(name: str) -> str:
    return f"{name} waits, and nothing that can still happen without a fault frees it"


def test_who_is_stuck_is_whom_nothing_frees() -> None:
    seen = dict.fromkeys(Status, 0)
    for seed in range(80):
        system = random_located(seed)
        lost = {state: depth for state, depth in reachable(system).items() if stuck(system, state)}
        answer = ask(system, STUCK)
        seen[answer.status] += 1
        if lost:
            assert (answer.status, answer.basis) == (VIOLATED, f"{min(lost.values())} steps"), seed
            assert answer.detail == waits(stuck(system, answer.trace.states[-1])[0])
        else:
            assert answer == PROVED
    assert min(seen[HOLDS], seen[VIOLATED]) >= 20


def test_a_process_that_waits_is_freed_by_its_own_step_or_by_whoever_moves_it_but_not_by_a_fault() -> None:
    system = located("a b", "a:x:b")
    assert ask(system, STUCK).detail == waits("p")
    assert ask(located("a b", "a:x:b b:y:0"), STUCK) == PROVED
    kill = Transition(1, "kill", TRUE, ((0, number(2)),))
    both = (*system.processes, Process("killer"))
    assert ask(replace(system, processes=both, transitions=(*system.transitions, kill)), STUCK) == PROVED
    faulty = (*system.transitions, replace(kill, faults=(BREAK,)))
    assert ask(replace(system, processes=both, transitions=faulty), STUCK).trace == Trace(((4, 0), (5, 0)), (0,))


def test_a_process_that_is_idle_or_at_rest_is_not_stuck() -> None:
    assert ask(located("a b", "a:x:b", processes=(Process("p", location=0, idle=frozenset({5})),)), STUCK) == PROVED
    for rest in range(4):
        assert ask(replace(located("a", "a:x:0"), init=((rest,), (0,))), STUCK) == PROVED
    assert ask(digraph([0, 1]), STUCK) == PROVED


def test_a_process_is_not_stuck_while_another_can_still_let_it_go_on() -> None:
    system = located("a", "a:go:0", processes=(Process("p", location=0), Process("q")))
    go = replace(system.transitions[0], guard=conj(system.transitions[0].guard, member(1, [1], 0, 2)))
    free = Transition(1, "free", TRUE, ((1, number(1)),))
    assert ask(replace(system, transitions=(go, free)), STUCK) == PROVED
    for faults in ((BREAK,), None):
        steps = (go,) if faults is None else (go, replace(free, faults=faults))
        assert ask(replace(system, transitions=steps), STUCK).trace == Trace(((4, 0),))


def test_several_properties_are_answered_together_by_name() -> None:
    system = digraph([0, 1, 2])
    asked = [leads(nodes(system, 0), nodes(system, 2)), possible(TRUE, nodes(system, 1)), STUCK]
    said = liveness.check(graph_of(system), asked)
    assert {name: answer.status for name, answer in said.items()} == {
        "leads": HOLDS,
        "possible": VIOLATED,
        "stuck": HOLDS,
    }
    assert liveness.check(graph_of(system), []) == {}
