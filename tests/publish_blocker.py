"""Blocker counter or notifier?  The tables of docs/blocker_or_notifier.md.

`python tests/publish_blocker.py` writes them between their markers and leaves the rest of the page alone.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from cprcheck import catalog
from cprcheck.checking import Options, check
from cprcheck.compare import measuring
from cprcheck.compare.designs import Design
from cprcheck.compare.parts import Finding, Measured, Part
from cprcheck.report.compare_tables import Cells, finding, leftovers, operations, tests
from cprcheck.report.compare_tables import again as again_table
from cprcheck.verdict import Verdict

PAGE = Path(__file__).resolve().parents[1] / "docs" / "blocker_or_notifier.md"
BEGIN, END = "<!-- made by tests/publish_blocker.py -->\n", "<!-- end -->"
Params = dict[str, str]
BOTH = {"prevention": "blocker", "recovery": "notifier"}
DESIGNS: dict[str, tuple[str, Params]] = {
    "neither": ("combination", {"prevention": "none"}),
    "counter, as proposed": ("blocker_counter", {}),
    "counter, asked first thing": ("blocker_counter", {"tested": "entry"}),
    "blocker": ("device_blocker", {}),
    "blocker by kind of device": ("device_blocker", {"judge": "kind"}),
    "notifier": ("failure_notifier", {}),
    "notifier, called on exec failure too": ("failure_notifier", {"on_exec": "yes"}),
    "blocker and notifier": ("combination", BOTH),
    "both, called on exec failure too": ("combination", {**BOTH, "recovery": "notifier_exec"}),
}
"""What is compared; all of them invalidate in pre_save.  The notifiers come with a test in each pre_save, but where
there is a blocker."""
DEVICES = {"kernel": "E4", "topology": "pe", "env": "hotplug,unplug"}
ASKED: dict[str, tuple[str, Params]] = {
    "E1, p/e: can succeed": ("update_succeeds", {"kernel": "E1", "topology": "p/e"}),
    "E4, 2p: can succeed": ("update_succeeds", {"kernel": "E4", "topology": "2p"}),
    "E4, p/e: nothing touched": ("validated_before_invalidated", {"kernel": "E4", "topology": "p/e"}),
    "E4, p/e: guest not stopped": ("refused_before_stop", {"kernel": "E4", "topology": "p/e"}),
    "E4, pe, devices come and go: no residue": ("blocker_is_exact(error=residue)", DEVICES),
    "the same: no missed refusal": ("blocker_is_exact(error=missed refusal)", DEVICES),
}
"""What a prevention is for: a property, and where it is asked."""
PLACES = (("E1", "2p"), ("E4", "2p"), ("E4", "p/e"))


def prevents(name: str) -> tuple[str, ...]:
    """The verdicts about one design."""
    model, params = DESIGNS[name]
    cells = []
    for asked, place in ASKED.values():
        bound = catalog.bind(catalog.find(model), {**params, **place})
        if all(asked != prop.name for prop in bound.system.properties):
            cells.append("-")
            continue
        report = check(bound, Options(engines=("explicit",), properties=(asked,), native=False))
        cells.append(finding([_found(report[asked])]))
    return (name, *cells)


def _found(verdict: Verdict) -> Finding:
    steps = None if verdict.trace is None else len(verdict.trace)
    return Finding(verdict.prop.name, verdict.prop.family, verdict.status.value, steps)


def costs(name: str) -> dict[str, str]:
    """The operations of one design on E4, of an update and of a stop and a cont: by whom and which, as a formula."""
    model, params = DESIGNS[name]
    found = measured(name, lambda part: part.what in ("clean", "starts"), "E4", "2p")
    figures = measuring.collect(_design(model, params), found)
    (update,), (start,) = figures.clean, figures.starts
    return {**_cells("update", operations([("", update)])), **_cells("stop and cont", tests([("", start)]))}


def _cells(what: str, cells: Cells) -> dict[str, str]:
    header, (row,) = cells
    kinds = (kind.replace("\n", " ").replace("|", "\\|") for kind in header[1:])
    return {f"{what}, {kind}": count for kind, count in zip(kinds, row[1:], strict=True)}


def measured(name: str, wanted: Callable[[Part], bool], kernel: str, topology: str) -> list[Measured]:
    """Some of what `cprcheck compare` measures."""
    model, params = DESIGNS[name]
    parts = measuring.parts(_design(model, params), measuring.Options((kernel,), (topology,)))
    return measuring.run_here([part for part in parts if wanted(part)])


def _design(model: str, params: Params) -> Design:
    return Design(catalog.find(model), tuple(params.items()))


# ---- the page -------------------------------------------------------------------------------------------------------


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its heading."""
    lines = [f"### {title}", "", f"| {' | '.join(header)} |", "|---" * len(header) + "|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def designs() -> str:
    """Which models the names stand for, as commands that measure them again."""
    rows = []
    for name, (model, params) in DESIGNS.items():
        words = ["cprcheck compare", model, *(f"-p {key}={value}" for key, value in params.items())]
        rows.append((name, f"`{' '.join([*words, '--kernel E4 --topology 2p'])}`"))
    asked = [(title, property_command(*ASKED[title])) for title in ASKED]
    return "\n".join(
        [
            table("Which designs these are", ("", "what each leaves behind, again, and what each costs"), rows),
            table("What each is asked", ("", "of any of these models, with its parameters"), asked),
        ]
    )


def property_command(asked: str, place: Params) -> str:
    """The command that asks a design for one property."""
    words = [f"-p {key}={value}" for key, value in place.items()]
    return f"`{' '.join(['cprcheck check MODEL', *words, '--property', shlex.quote(asked)])}`"


def prevention() -> str:
    """What each prevents."""
    return table("What each prevents", ("", *ASKED), [prevents(name) for name in DESIGNS])


def recovery(kernel: str, topology: str) -> str:
    """What each leaves behind in one place, and after how many failures the update can still succeed."""
    left, tried = [], []
    for name in DESIGNS:
        place, again = measured(name, _quiet_or_again, kernel, topology)
        assert place.left is not None
        assert again.again is not None
        left.append((name, place.left))
        tried.append((name, again.again))
    return "\n".join(
        table(f"{title}: {kernel}, {topology}", header, rows)
        for title, (header, rows) in (("What each leaves behind", leftovers(left)), ("Again", again_table(tried)))
    )


def _quiet_or_again(part: Part) -> bool:
    return part.what == "again" or (part.what, part.env) == ("place", "none")


def cost() -> str:
    """What each costs, without the operations that none of them performs."""
    found = {name: costs(name) for name in DESIGNS}
    kinds = dict.fromkeys(kind for each in found.values() for kind, count in each.items() if count != "0")
    rows = [(name, *(each.get(kind, "0") for kind in kinds)) for name, each in found.items()]
    return table("What each costs", ("", *kinds), rows)


TABLES: dict[str, Callable[[], str]] = {
    "designs": designs,
    "prevents": prevention,
    **{f"recovers {kernel} {topology}": partial(recovery, kernel, topology) for kernel, topology in PLACES},
    "costs": cost,
}


def written(page: str) -> str:
    """`page` with new tables."""
    made = "\n" + "\n".join(make() for make in TABLES.values()) + "\n"
    return re.sub(f"(?s)(?<={re.escape(BEGIN)}).*?(?={re.escape(END)})", lambda _: made, page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
