"""Some processes of a design on their own, step by step."""

from __future__ import annotations

from collections.abc import Iterator

from cprcheck import catalog
from cprcheck.semantics import initial_states, successors
from cprcheck.system import State, System, Transition

Step = tuple[Transition, State]


def design(name: str, **params: str) -> System:
    return catalog.bind(catalog.find(name), params).system


def start(system: System) -> State:
    return next(iter(initial_states(system)))


def read(system: System, state: State, slot: str) -> object:
    """The value of a slot; of a member of an Enum its name."""
    (index,) = (index for index, each in enumerate(system.slots) if each.name == slot)
    value = system.slots[index].domain.decode(state[index])
    return getattr(value, "name", value)


def changed(system: System, state: State, **values: str) -> State:
    """`state` with other values, as they are shown, in all slots whose names begin so."""
    after = list(state)
    for name, shown in values.items():
        for index, slot in enumerate(system.slots):
            if slot.name == name or slot.name.startswith(f"{name}["):
                (after[index],) = (code for code in slot.domain.codes if slot.domain.show(code) == shown)
    return tuple(after)


def steps(system: System, state: State, faults: tuple[str, ...], movers: tuple[str, ...]) -> list[Step]:
    """What `movers` may do in `state`: the faults that are asked for, where they can happen, else no fault."""
    found = [(system.transitions[index], after) for index, after in successors(system, state)]
    found = [step for step in found if system.processes[step[0].process].name in movers]
    failing = [step for step in found if step[0].faults and {fault.label for fault in step[0].faults} <= set(faults)]
    return failing or [step for step in found if not step[0].faults]


def walk(system: System, *faults: str, movers: tuple[str, ...] = ("management",)) -> tuple[list[Transition], State]:
    """What `movers` do from the beginning, each of `faults` at the first chance, and where that ends."""
    state, taken = start(system), []
    while found := steps(system, state, faults, movers):
        ((transition, state),) = found
        taken.append(transition)
    happened = {fault.label for transition in taken for fault in transition.faults}
    assert happened == set(faults)
    return taken, state


def labels(system: System, *faults: str, movers: tuple[str, ...] = ("management",)) -> list[str]:
    return [transition.label for transition in walk(system, *faults, movers=movers)[0]]


def executed(system: System, state: State, command: str, *faults: str) -> Iterator[State]:
    """The states in which the monitor has executed a command of the user, one for each way to do so."""
    (waiting,) = (after for _, after in steps(system, state, (), (f"user(command={command})",)))
    todo = [waiting]
    while todo:
        for _, after in steps(system, todo.pop(), faults, ("monitor",)):
            if read(system, after, "command") == "NONE":
                yield after
            else:
                todo.append(after)


def after(system: System, *commands: str, state: State | None = None) -> State:
    """The state after `commands`, if there is one way to execute each of them."""
    state = start(system) if state is None else state
    for command in commands:
        (state,) = set(executed(system, state, command))
    return state
