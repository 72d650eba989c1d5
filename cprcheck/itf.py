# SPDX-License-Identifier: Apache-2.0
"""ITF, the Informal Trace Format of Apalache and Quint: how values look in it, and traces read from it.

A trace is read against a System.  A state has to give each slot a value of its domain.  The step to a state is the one
that its `#meta` names, as ours do; a trace of somebody else's, with states only, has the step that leads there, if
there is just one.  Nothing that is read has been replayed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cprcheck.domains import Domain
from cprcheck.errors import NoSuchRunError, UsageError
from cprcheck.semantics import apply, enabled
from cprcheck.system import State, System
from cprcheck.trace import Trace

OURS = "cprcheck"
"""The key in the `#meta` of a state that holds the step to it."""
_NUMBER = re.compile(r"-?[0-9]{1,4000}")
_DIGEST = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Recorded:
    """A file that was read: its `name`, its `#meta`, and its states as they are in the file."""

    name: str
    meta: Mapping[str, Any]
    variables: tuple[str, ...]
    states: tuple[Mapping[str, Any], ...]
    loop: int | None


def value(domain: Domain, code: int) -> Any:
    """A value of `domain` in ITF: truth values are JSON's, integers are big, all else is text."""
    decoded = domain.decode(code)
    if isinstance(decoded, bool):
        return decoded
    return {"#bigint": str(decoded)} if isinstance(decoded, int) else domain.show(code)


def step(system: System, index: int) -> dict[str, Any]:
    """All that tells a step from others, as plain data."""
    transition = system.transitions[index]
    return {
        "process": system.processes[transition.process].name,
        "label": transition.label,
        "choices": [list(choice) for choice in transition.choices],
        "faults": [fault.label for fault in transition.faults],
        "events": [str(event) for event in transition.events],
    }


def parse(text: str, name: str) -> Recorded:
    """The trace in `text`, the content of the file `name`.  Raises UsageError with what is wrong with it."""
    try:
        data = json.loads(text)
        json.dumps(data, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise UsageError(f"{name} is not JSON: line {error.lineno}: {error.msg}") from None
    except UnicodeEncodeError as error:
        half = ascii(error.object[error.start])[1:-1]
        raise UsageError(f"{name} is not an ITF trace: a text in it holds {half}, half of a character") from None
    except ValueError:  # Python reads no number of more than 4300 digits
        raise UsageError(f"{name} is not an ITF trace: a number in it is too long") from None
    except RecursionError:
        raise UsageError(f"{name} is not an ITF trace: it is nested too deeply") from None
    if not isinstance(data, dict):
        raise UsageError(f"{name} is not an ITF trace: it is not an object")
    names, states, loop = data.get("vars"), data.get("states"), data.get("loop")
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise UsageError(f"{name} is not an ITF trace: it has no list of names called vars")
    if not isinstance(states, list) or not states:
        raise UsageError(f"{name} is not an ITF trace: it has no list of states")
    for number, state in enumerate(states):
        if not isinstance(state, dict):
            raise UsageError(f"{name}, state {number}: it is not an object")
        for missing in (one for one in names if one not in state):
            raise UsageError(f"{name}, state {number}: there is no value for {missing}")
    if loop is not None and (type(loop) is not int or not 0 <= loop < len(states)):
        raise UsageError(f"{name}: loop is {json.dumps(loop)}; write the number of a state, 0 to {len(states) - 1}")
    meta = _table(data.get("#meta"))
    if "digest" in meta and not _DIGEST.fullmatch(str(meta["digest"])):
        raise UsageError(f"{name}: the digest in #meta is none; write 16 hexadecimal digits, or leave it out")
    return Recorded(name, meta, tuple(names), tuple(states), loop)


def read(recorded: Recorded, system: System) -> Trace:
    """The trace, as one of `system`.

    Raises UsageError when a state is none of its states, or when nobody can tell which step leads to one;
    NoSuchRunError when it is for want of a control point or of a step, as after a change of the model.
    """
    _compare(recorded, system)
    tables = [{json.dumps(value(slot.domain, code)): code for code in slot.domain.codes} for slot in system.slots]
    states = tuple(_state(recorded, system, number, tables) for number in range(len(recorded.states)))
    steps = tuple(_step(recorded, system, number, states) for number in range(1, len(states)))
    return Trace(states, steps, recorded.loop)


def _compare(recorded: Recorded, system: System) -> None:
    """The variables have to be the slots.  Quint's own, `mbt::…`, may be there, too."""
    slots = [slot.name for slot in system.slots]
    for missing in (slot for slot in slots if slot not in recorded.variables):
        raise UsageError(f"{recorded.name} has no variable {missing}, which {system.name} has")
    for other in (name for name in recorded.variables if name not in slots and not name.startswith("mbt::")):
        raise UsageError(f"{recorded.name} has a variable {other}, which {system.name} does not have")


def _state(recorded: Recorded, system: System, number: int, tables: Sequence[Mapping[str, int]]) -> State:
    codes = []
    for slot, table in zip(system.slots, tables, strict=True):
        given = recorded.states[number][slot.name]
        code = table.get(json.dumps(_plain(given)))
        if code is None:
            place = f"{recorded.name}, state {number}: {slot.name} is {json.dumps(given)}"
            if slot.role == "location":
                raise NoSuchRunError(f"{place}, and no step of {system.name} begins there")
            raise UsageError(f"{place}, which is not in {slot.domain.name}")
        codes.append(code)
    return tuple(codes)


def _plain(given: Any) -> Any:
    """A value as we write it: numbers may be plain, or have zeros in front."""
    if isinstance(given, dict) and list(given) == ["#bigint"]:
        given = given["#bigint"]
        return {"#bigint": str(int(given))} if isinstance(given, str) and _NUMBER.fullmatch(given) else None
    return {"#bigint": str(given)} if type(given) is int else given


def _step(recorded: Recorded, system: System, number: int, states: Sequence[State]) -> int:
    """The step from state `number - 1` to state `number`.

    One that is named is taken at its word; whether it can be taken there, a replay tells.
    """
    place = f"{recorded.name}, state {number}"
    told = _table(recorded.states[number].get("#meta")).get(OURS)
    named = _named(told, system, place)
    leading = [i for i in named if _leads(system, i, states[number - 1], states[number])]
    if not leading and told is not None:
        return next((index for index in named if enabled(system.transitions[index], states[number - 1])), named[0])
    if not leading:
        raise NoSuchRunError(f"{place}: no step leads here from state {number - 1}")
    ways = dict.fromkeys(_say(step(system, index)) for index in leading)
    if len(ways) > 1:
        raise UsageError(f"{place}: several steps lead here, {' and '.join(ways)}; say in #meta.{OURS} which")
    return leading[0]


def _named(told: Any, system: System, place: str) -> Sequence[int]:
    """The steps that `told` may mean; all of them when nothing is told."""
    if told is None:
        return range(len(system.transitions))
    if not isinstance(told, dict) or not {"process", "label"} <= told.keys():
        raise UsageError(f"{place}: #meta.{OURS} does not name a step: write its process and its label")
    found = [index for index in range(len(system.transitions)) if _means(told, step(system, index))]
    if not found:
        raise NoSuchRunError(f"{place}: {system.name} has no step {_say(told)}")
    return found


def _means(told: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether all that is told of a step is so."""
    return all(told[key] == known[key] for key in known if key in told)


def _leads(system: System, index: int, before: State, after: State) -> bool:
    transition = system.transitions[index]
    return enabled(transition, before) and apply(transition, before) == after


def _say(told: Mapping[str, Any]) -> str:
    """A step in words."""
    lists = (told.get(key) for key in ("choices", "faults", "events"))
    more = [": ".join(map(str, one)) if isinstance(one, list) else str(one) for each in lists for one in _list(each)]
    return f"{told['process']}: {told['label']}" + (f" ({', '.join(more)})" if more else "")


def _list(given: Any) -> Iterable[Any]:
    return given if isinstance(given, list) else ()


def _table(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}
