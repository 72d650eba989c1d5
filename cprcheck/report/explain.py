# SPDX-License-Identifier: Apache-2.0
"""Explanations in text: what else could have happened, and why a step could not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from cprcheck.errors import Source
from cprcheck.explain import Missing, Values, WhyNot, alternatives, find, outcome, step_name, why_not
from cprcheck.expr import reads
from cprcheck.report.text import Notes, wrap
from cprcheck.system import State, System, render
from cprcheck.trace import Trace
from cprcheck.verdict import Verdict

OTHERS, VALUES = 4, 8
"""How many other steps, and how many values, are shown before it says how many more there are."""
STILL = "steps that change nothing are left out"


def notes(system: System, verdict: Verdict, *, others: bool, actions: Sequence[str]) -> Notes:
    """What is said beside the trace of `verdict`: the `others` that could have happened, and why `actions` could not.

    Raises UsageError for an action that does not exist.
    """
    trace = verdict.trace
    assert trace is not None
    below = [line for action in actions for line in ("", *why_not_lines(system, trace, action))]
    if not others:
        return Notes({}, below)
    said = {at: could_also(system, trace, at) for at in _moments(trace)}
    under = {at + 1: wrap(f"could also: {text}", 7) for at, text in said.items() if text and at < len(trace)}
    end = said.get(len(trace))
    last = [f"at the end could {'still' if verdict.status.bad else 'also'} happen: {end}"] if end else []
    known = verdict.claimed and verdict.claimed != (verdict.prop.source,)
    claimed = [f"says so:  {'; '.join(map(_line, verdict.claimed))}"] if known else []
    lines = [*claimed, *last, f"({STILL})"]
    return Notes(under, [line for text in lines for line in wrap(text, 2)] + below)


def could_also(system: System, trace: Trace, at: int, limit: int = OTHERS) -> str:
    """What else could have happened in state number `at`, steps of one process and label as one.  May be empty."""
    state = trace.states[at]
    folded: dict[tuple[str, bool], dict[str, None]] = {}
    for step, after in alternatives(system, trace, at):
        transition = system.transitions[step]
        if after != state:
            key = (step_name(system, transition), bool(transition.faults))
            folded.setdefault(key, {})[outcome(transition)] = None
    said = []
    for (name, fault), outcomes in folded.items():
        shown = [text for text in outcomes if text][:limit]
        more = [f"{len(outcomes) - limit} more outcomes"] if len(outcomes) > limit else []
        inside = f" ({' | '.join([*shown, *more])})" if shown else ""
        said.append(f"{'FAULT ' if fault else ''}{name}{inside}")
    more = [f"and {len(said) - limit} more"] if len(said) > limit else []
    return "; ".join([*said[:limit], *more])


def why_not_lines(system: System, trace: Trace, action: str) -> Iterator[str]:
    """Why `action` could not happen, at each step of `trace`; steps that follow each other for one reason as one.

    Raises UsageError for an action that does not exist.
    """
    steps = find(system, action)
    yield f"  why not {action!r}:"
    told = [(at, why_not(system, trace.states[at], steps)) for at in _moments(trace)]
    for folded, run in groupby(told, key=lambda pair: tuple(_wherever(system, why) for why in pair[1])):
        moments, found = zip(*run, strict=True)
        whys = [_anywhere(why, alike) for why, *alike in zip(folded, *found, strict=True)]
        yield from _told(system, _steps(trace, moments[0], moments[-1]), whys)


def why_not_here(system: System, state: State, action: str) -> Iterator[str]:
    """Why `action` cannot happen in `state`.  Raises UsageError for an action that does not exist."""
    yield from _told(system, f"why not {action!r}", why_not(system, state, find(system, action)))


def _wherever(system: System, why: WhyNot) -> WhyNot:
    """`why` without the place at which a process stands that stands elsewhere."""
    ways = []
    for way in why.ways:
        places = [all(system.slots[s].role == "location" for s in reads(m.condition.formula)) for m in way]
        ways.append(tuple(replace(m, values=()) if place else m for m, place in zip(way, places, strict=True)))
    return replace(why, ways=tuple(ways))


def _anywhere(why: WhyNot, alike: Sequence[WhyNot]) -> WhyNot:
    """`why`, with all the places at which the process stands in `alike`, which is the same but for these."""
    ways = []
    for number, way in enumerate(why.ways):
        each = zip(*(other.ways[number] for other in alike), strict=True)
        here = zip(way, each, strict=True)
        ways.append(tuple(replace(missing, values=_then([one.values for one in same])) for missing, same in here))
    return replace(why, ways=tuple(ways))


def _then(found: Sequence[Values]) -> Values:
    """Values of the same slots at one moment after the other."""
    said = []
    for column in zip(*found, strict=True):
        shown = [value for value, _ in groupby(value for _, value in column)]
        more = [f"{len(shown) - OTHERS} more"] if len(shown) > OTHERS else []
        said.append((column[0][0], "; then ".join([*shown[:OTHERS], *more])))
    return tuple(said)


def _moments(trace: Trace) -> range:
    """The states in which something is to be said: all, but where a run goes round its loop not the first one twice."""
    round_ = trace.loop is not None and trace.loop < len(trace)
    return range(len(trace.states) - round_)


def _steps(trace: Trace, first: int, last: int) -> str:
    """States number `first` to `last` as the steps that are taken there."""
    end = len(trace)
    if first == end:
        return "at the end"
    final = min(last + 1, end)
    shown = f"step {final}" if first + 1 == final else f"steps {first + 1}-{final}"
    return f"{shown} and at the end" if last == end else shown


def _told(system: System, when: str, found: Sequence[WhyNot]) -> Iterator[str]:
    """What was found, under the heading `when`."""
    yield f"    {when}:"
    for why in found:
        if why.possible:
            yield from wrap(f"{why.name}: it can happen here{', by a fault' if why.fault else ''}", 6)
        for number, way in enumerate(why.ways):
            lead = "or" if number else why.name
            said = [_missing(system, missing) for missing in way]
            if len(said) == 1:
                yield from wrap(f"{lead}: {said[0]}", 6)
            else:
                yield from wrap(f"{lead}:", 6)
                yield from (line for one in said for line in wrap(one, 8))


def _missing(system: System, missing: Missing) -> str:
    """A false condition, with its reason or its line."""
    condition = missing.condition
    shown = [f"{name} = {value}" for name, value in missing.values[:VALUES]]
    shown += [f"{len(missing.values) - VALUES} more"] if len(missing.values) > VALUES else []
    here = ", ".join(shown)
    if condition.reason:
        return f"{condition.reason} ({here})" if here else condition.reason
    lines = "".join(f" [{_line(source)}]" for source in condition.sources)
    return f"needs {render(condition.formula, system.slots)}; here {here}{lines}"


def _line(source: Source) -> str:
    """A line of the author's with its text."""
    text = source.text()
    return f"{source}: {text}" if text else str(source)
