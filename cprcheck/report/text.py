# SPDX-License-Identifier: Apache-2.0
"""Verdicts and traces for a terminal, at most `WIDTH` columns where the names allow it."""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from cprcheck.errors import shorten
from cprcheck.explain import step_name
from cprcheck.expr import TRUE, conj
from cprcheck.system import Fault, Kind, State, System, Transition
from cprcheck.trace import Trace
from cprcheck.verdict import Report, Size, Status, Verdict

WIDTH = 110
_PLAIN = (Kind.INVARIANT, Kind.LEMMA, Kind.STEP_INVARIANT)
Draw = Callable[[System, Verdict, Sequence[str]], Iterator[str]]
"""What prints the trace of a verdict; the last argument is the command line that leads to it."""
ORDER = (Status.VIOLATED, Status.UNREACHABLE, Status.UNKNOWN, Status.HOLDS, Status.REACHABLE)
"""The statuses, what needs a look first."""


@dataclass(frozen=True)
class Notes:
    """What is said beside a trace: lines under its steps, by their number, and lines below all of it."""

    under: Mapping[int, Sequence[str]]
    below: Sequence[str]


Explain = Callable[[System, Verdict], Notes]


def title(system: System) -> str:
    """The model with its parameters: `v7(kernel=E1, recover=False)`."""
    params = ", ".join(f"{key}={value or 'none'}" for key, value in system.params)
    return f"{system.name}({params})" if params else system.name


def number(value: int) -> str:
    """A count with its thousands apart: 12 345."""
    return f"{value:,}".replace(",", " ")


def many(count: int, noun: str) -> str:
    """So many of something: 1 run, 2 runs."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def report(
    found: Report,
    command: Sequence[str] = (),
    *,
    traces: bool = True,
    named: Collection[str] = (),
    explain: Explain | None = None,
    draw: Draw | None = None,
) -> Iterator[str]:
    """The whole report, line by line: what was checked, a line per property, a trace for what failed.

    `command` is the command line without `--property`; with it each trace says how to get it again.  `named` are the
    properties that were asked for by name (`shown`).  `explain` gives what is to be said beside a trace.  `draw` prints
    the traces in another way than `evidence`.
    """
    yield from heading(found)
    yield ""
    yield from verdict_lines(found.verdicts)
    yield from vacuous_lines(found)
    yield from unreached_lines(found)
    for line in found.disagreements:
        yield ""
        yield f"DISAGREEMENT {line}"
    if traces:
        for verdict in shown(found.verdicts, named):
            yield ""
            if draw:
                yield from draw(found.system, verdict, command)
                continue
            beside = explain(found.system, verdict) if explain else None
            yield from evidence(found.system, verdict, command, beside)
    yield ""
    yield summary(found)


def describe(found: Report) -> str:
    """The whole report as one string, for the message of an assertion."""
    return "\n".join(report(found))


def heading(found: Report) -> Iterator[str]:
    """The model, its size, and the scope of every verdict below."""
    return head(found.system, found.size, found.scope)


def head(system: System, size: Size | None, scope: Sequence[str]) -> Iterator[str]:
    """What was looked at, and how far what is said about it goes."""
    yield from wrap(title(system), 0)
    yield f"  {size_line(system, size)}"
    yield f"  digest {system.digest()} (cprcheck {version('cprcheck')})"
    yield from wrap("scope: " + "; ".join(scope), 2)


def size_line(system: System, size: Size | None) -> str:
    """How large the System is and, after an explicit search, how much of it was explored."""
    said = f"{len(system.slots)} slots, {len(system.processes)} processes, {len(system.transitions)} transitions"
    if size is not None:
        said += f"; {number(size.states)} states, {number(size.generated)} generated, depth {size.depth}"
        said += "" if size.complete else " (not all)"
    return said


def wrap(text: str, indent: int) -> list[str]:
    """`text` in lines of at most WIDTH columns, indented, and two deeper from the second on."""
    first, rest = " " * indent, " " * (indent + 2)
    wrapper = textwrap.TextWrapper(
        WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
    return wrapper.wrap(text) or [""]


def grouped(verdicts: Iterable[Verdict]) -> list[list[Verdict]]:
    """Verdicts of one family with the same status and severity, the shortest trace first, together."""
    groups: dict[tuple[str, Status, str], list[Verdict]] = {}
    for verdict in verdicts:
        family = verdict.prop.family or verdict.prop.name
        groups.setdefault((family, verdict.status, verdict.severity), []).append(verdict)
    for group in groups.values():
        group.sort(key=lambda verdict: len(verdict.trace) if verdict.trace else 0)
    return list(groups.values())


def verdict_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """One line per property, or per group of its instances that fared alike."""
    rows = []
    for group in grouped(verdicts):
        first = group[0]
        family = first.prop.family or first.prop.name
        instances = sum(1 for verdict in verdicts if (verdict.prop.family or verdict.prop.name) == family)
        name = first.prop.name if instances == 1 else f"{family} ({len(group)} of {instances})"
        rows.append((first.status.value, name, _found(first), ", ".join(first.engines), first.severity))
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield ("  " + "  ".join(cells)).rstrip()


def vacuous(found: Report) -> dict[str, str]:
    """What holds because it says nothing, by name, and why: no step emits the events, the parameters make it true."""
    emitted = {event.name for transition in found.system.transitions for event in transition.events}
    why = {}
    for verdict in found.verdicts:
        missing = [name for name in verdict.prop.events if name not in emitted]
        if verdict.status is Status.HOLDS and missing:
            why[verdict.prop.name] = f"no step emits {', '.join(map(repr, missing))}"
        elif verdict.status is Status.HOLDS and verdict.prop.kind in _PLAIN and conj(*verdict.prop.formulas) == TRUE:
            why[verdict.prop.name] = "true with these parameters, whatever happens"
    return why


def vacuous_lines(found: Report) -> Iterator[str]:
    """A line for each property that is `vacuous`."""
    why = vacuous(found)
    yield from [""] * bool(why)
    for name, reason in why.items():
        yield from wrap(f"{name}: {reason}", 2)


def unreached_lines(found: Report) -> Iterator[str]:
    """What can never happen, a paragraph."""
    said = list(unreached(found))
    yield from [""] * bool(said)
    for sentence in said:
        yield from wrap(sentence, 2)


def unreached(found: Report, limit: int = 8) -> Iterator[str]:
    """What can never happen, in sentences: what a proof says about it is empty.  Names at most `limit` steps."""
    if not found.unreached:
        return
    transitions = found.system.transitions
    every = Counter(_step_name(found.system, index) for index in range(len(transitions)))
    never = Counter(_step_name(found.system, index) for index in found.unreached)
    whole = [name for name, times in never.items() if times == every[name]]
    parts = len(found.unreached) - sum(never[name] for name in whole)
    shown = whole[:limit] + ([f"and {len(whole) - limit} more"] if len(whole) > limit else [])
    if whole:
        yield f"never happens: {'; '.join(shown)}"
    if parts:
        yield f"{parts} branches of other steps are never taken"


def _step_name(system: System, index: int) -> str:
    return f"{system.processes[system.transitions[index].process].name}: {system.transitions[index].label}"


def _found(verdict: Verdict) -> str:
    """What the answer rests on: the length of the trace, the kind of proof, or why there is none."""
    return verdict.reason or verdict.basis


def shown(verdicts: Sequence[Verdict], named: Collection[str] = ()) -> list[Verdict]:
    """The verdicts whose traces are printed: of each group that failed, the shortest.

    The run to what is REACHABLE is shown when the property, or its family, is one of those `named`.
    """
    return [
        first
        for first, *_ in grouped(verdicts)
        if first.trace is not None and (first.status.bad or not {first.prop.name, first.prop.family}.isdisjoint(named))
    ]


def evidence(
    system: System, verdict: Verdict, command: Sequence[str] = (), notes: Notes | None = None
) -> Iterator[str]:
    """The trace behind a verdict, with what it shows, and `notes` beside it."""
    assert verdict.trace is not None
    yield f"--- {verdict.prop.name}"
    yield from wrap(" ".join(verdict.prop.doc.split()), 0) if verdict.prop.doc else ()
    yield ""
    yield from trace_lines(system, verdict.trace, notes.under if notes else {})
    yield ""
    if verdict.violated:
        yield from wrap(f"violated: {verdict.violated}", 2)
    if verdict.where:
        yield from wrap("where:    " + ", ".join(f"{name} = {value}" for name, value in verdict.where), 2)
    if verdict.severity:
        yield f"  severity: {verdict.severity}"
    if verdict.prop.source is not None:
        yield f"  claimed:  {shorten(verdict.prop.source.file)}:{verdict.prop.source.line}"
    if command:
        again = [*command, "--property", verdict.prop.name]
        yield f"  again:    {shlex.join(again)}"
    yield from notes.below if notes else ()


def trace_lines(system: System, trace: Trace, notes: Mapping[int, Sequence[str]] | None = None) -> Iterator[str]:
    """The first state in full, then each step and what it changed, with the `notes` to it."""
    yield from state_lines(system, trace.states[0])
    last = {system.transitions[step].process: at for at, step in enumerate(trace.steps, 1)}
    for at, step in enumerate(trace.steps, 1):
        if trace.loop == at - 1:
            yield "     -- the loop starts here --"
        transition = system.transitions[step]
        yield from _step_lines(system, at, transition)
        ends = last[transition.process] == at and (trace.loop is None or at <= trace.loop)
        yield from _change_lines(system, transition, trace.states[at - 1], trace.states[at], ends=ends)
        yield from (notes or {}).get(at, ())
    if trace.loop is not None:
        end = len(trace) == trace.loop
        yield (
            "     -- and nobody has to move from here on --"
            if end
            else f"     -- back to state {trace.loop}, for ever --"
        )


def state_lines(system: System, state: State, at: int = 0) -> list[str]:
    """A state in full, numbered `at`."""
    cells = [f"{slot.name}={slot.domain.show(code)}" for slot, code in zip(system.slots, state, strict=True)]
    lines = [""]
    for cell in cells:
        if lines[-1] and len(lines[-1]) + len(cell) + 2 > WIDTH - 5:
            lines.append("")
        lines[-1] += f"  {cell}" if lines[-1] else cell
    return [f"{'' if row else at:>3}  {line}" for row, line in enumerate(lines)]


def step_line(system: System, at: int, transition: Transition) -> str:
    """Step `at`, and whether it takes a fault."""
    return f"{at:>3}  {'FAULT ' if transition.faults else ''}{step_title(system, transition)}"


def step_title(system: System, transition: Transition) -> str:
    """Who takes a step, which one it is, and what was chosen."""
    picked = f" ({', '.join(f'{q}: {a}' for q, a in transition.choices)})" if transition.choices else ""
    return f"{step_name(system, transition)}{picked}"


def _step_lines(system: System, at: int, transition: Transition) -> Iterator[str]:
    text = step_line(system, at, transition)
    functions = ", ".join(transition.functions)
    if not functions:
        yield text
    elif len(text) + len(functions) + 4 <= WIDTH:
        yield f"{text}  [{functions}]"
    else:
        yield text
        yield from wrap(f"[{functions}]", 7)
    for fault in transition.faults:
        yield f"       fault: {fault_line(fault)}"
    for event in transition.events:
        yield f"       event: {event}"


def fault_line(fault: Fault) -> str:
    """What a fault is called, and whether the real kernel can do it."""
    return fault.label + (" (injected: the real kernel cannot do this)" if fault.injected else "")


def _change_lines(system: System, transition: Transition, before: State, after: State, *, ends: bool) -> Iterator[str]:
    """What the step changed; where its own process then stands is told by its next step's label, if there is one."""
    own = None if ends else system.processes[transition.process].location
    for index, slot in enumerate(system.slots):
        if before[index] != after[index] and index != own:
            yield f"       {slot.name}: {slot.domain.show(before[index])} -> {slot.domain.show(after[index])}"


def summary(found: Report) -> str:
    """How many properties fared how."""
    counts = {status: sum(verdict.status is status for verdict in found.verdicts) for status in ORDER}
    parts = [f"{count} {status.value}" for status, count in counts.items() if count]
    return ", ".join(parts) or "nothing was checked"


def options(system: System, found: Sequence[tuple[int, State]], *, started: bool) -> Iterator[str]:
    """What can be done next, numbered from 1."""
    if not found:
        yield "     nothing can happen any more"
    for at, (step, state) in enumerate(found, 1):
        if started:
            transition = system.transitions[step]
            faults = "".join(f"  fault: {fault_line(fault)}" for fault in transition.faults)
            yield "  >" + next(iter(_step_lines(system, at, transition))) + faults
        else:
            yield f"  >{at:>3}  start in"
            yield from (f"  {line}" for line in state_lines(system, state))


def last_step(system: System, trace: Trace) -> Iterator[str]:
    """The last step of a run and what it changed."""
    transition = system.transitions[trace.steps[-1]]
    yield from _step_lines(system, len(trace), transition)
    yield from _change_lines(system, transition, trace.states[-2], trace.states[-1], ends=False)
