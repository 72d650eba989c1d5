# SPDX-License-Identifier: Apache-2.0
"""What tells two designs apart, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from cprcheck.compare.behaviour import Behaviour, Direction
from cprcheck.compare.parts import Versus
from cprcheck.report.compare_tables import GROUPS, Section, Table, notes_of

ABOUT = (
    "A behaviour is what can be seen of a run, in its order: what the user and the machine do, faults, ioctls and "
    "other events by which QEMU, and changes of the guest and of the update.  Everything else is silent: steps "
    "between, tests of a predicate, who restores.  Faults: any finite number, of the real ones.  A design allows a "
    "behaviour when one of its runs shows it; that something has to happen is not compared.  Follows: whatever step "
    "one takes, the other can show the same and go on like that (weak simulation); who follows allows all that the "
    "other allows.  Each run that is shown has been replayed by the interpreter and by the design's own code."
)


def pair_section(pairs: Sequence[Versus]) -> tuple[Section, ...]:
    """The section about a pair of designs, if there is one: all places in short, then each behaviour once."""
    known = [each for each in pairs if each.directions]
    if not pairs:
        return ()
    if not known:
        return (Section("What tells the two apart", ABOUT, (Table("", "", ("place", "known"), _unknown(pairs)),)),)
    one, other = known[0].directions[0].one, known[0].directions[0].other
    rows = [(_place(each), *_row(each)) for each in pairs]
    header = ("place", f"only {one}", f"only {other}", f"{other}\nfollows {one}", f"{one}\nfollows {other}")
    tables = [Table("", "", header, tuple(rows)), *_behaviours(known)]
    return (Section(f"What tells {one} and {other} apart", ABOUT, tuple(tables)),)


def reasons(pairs: Sequence[Versus]) -> list[str]:
    """Why something is not known."""
    found = [each.reason for each in pairs] + [way.reason for each in pairs for way in each.directions]
    return list(dict.fromkeys(reason for reason in found if reason))


def _unknown(pairs: Sequence[Versus]) -> tuple[tuple[str, ...], ...]:
    return tuple((_place(each), "?") for each in pairs)


def _row(versus: Versus) -> tuple[str, ...]:
    if not versus.directions:
        return ("?",) * 4
    there, back = versus.directions
    return _allowed(there), _allowed(back), _follows(there), _follows(back)


def _allowed(way: Direction) -> str:
    if way.behaviour is None:
        return "?" if "behaviours:" in way.reason else "nothing"
    return f"{len(way.behaviour.word)} things seen, {len(way.behaviour.steps)} steps"


def _follows(way: Direction) -> str:
    return {True: "yes", False: "no", None: "?"}[way.followed]


def _place(versus: Versus) -> str:
    return f"{versus.scope.kernel}, {versus.scope.topology}, env {versus.scope.env}"


def _behaviours(pairs: Sequence[Versus]) -> list[Table]:
    """A table for each behaviour, with all places in which it is the shortest."""
    places: dict[tuple[str, str, Behaviour], list[Versus]] = {}
    for each in pairs:
        for way in each.directions:
            if way.behaviour is not None:
                places.setdefault((way.one, way.other, way.behaviour), []).append(each)
    return [
        Table(
            f"{one} allows it, {other} does not: {'; '.join(map(_place, where))}",
            "; ".join(notes_of([(_place(each), each.scope.notes) for each in where])),
            ("step", f"{one} does", "seen"),
            tuple(_steps(behaviour, other)),
        )
        for (one, other, behaviour), where in places.items()
    ]


def _steps(behaviour: Behaviour, other: str) -> list[tuple[str, ...]]:
    rows = [
        (str(number), f"{step.process}: {step.title}".removesuffix(": "), "; ".join(map(said, step.seen)))
        for number, step in enumerate(behaviour.steps, 1)
    ]
    instead = "\n".join(map(said, behaviour.instead)) or "nothing more"
    return [*rows, ("", f"instead, {other} can only show", instead)]


def said(label: str) -> str:
    """A label with the name of the QEMU as people say it."""
    group, colon, rest = label.partition(": ")
    return f"{GROUPS.get(group, group)}{colon}{rest}"
