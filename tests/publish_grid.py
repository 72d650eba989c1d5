"""The grid: every prevention with every recovery that makes sense, in either place, on two kernels.

`python tests/publish_grid.py` checks what has changed since the last time and writes reports/grid.json, which has every
cell, and reports/grid.md, which can be read.  It can be stopped and started again.  A cell is one System and one fault
budget, checked by explicit search and by z3.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from time import monotonic
from typing import Any

import click
import publish
from cprcheck.models.vfio.combine import SENSIBLE
from cprcheck.models.vfio.prevention import Prevention
from cprcheck.models.vfio.vaddrs import Place

from cprcheck import catalog, files
from cprcheck.checking import Options, check
from cprcheck.engines import explicit, graph
from cprcheck.expectations.judging import lengths, statuses
from cprcheck.language.model import Model
from cprcheck.passes.faults import with_faults
from cprcheck.system import SAFETY, Kind
from cprcheck.verdict import Status

DATA = publish.ROOT / "reports" / "grid.json"
PAGE = publish.ROOT / "reports" / "grid.md"
BUDGETS = (0, 1, 2)
WORLDS = {
    "E1, all capable": {"kernel": "E1", "topology": {"exec": "e/p", "pre_save": "e/p"}},
    "E1, one incapable (injected)": {"kernel": "E1", "topology": {"exec": "x/e", "pre_save": "e/x"}},
    "E4, all capable": {"kernel": "E4", "topology": {"exec": "p/p", "pre_save": "p/p"}},
    "E4, one incapable": {"kernel": "E4", "topology": {"exec": "e/p", "pre_save": "p/e"}},
}
"""Two containers; the incapable one is the one that is reached last: cpr-exec walks the newest first, pre_save the
oldest."""
ENVIRONMENTS = ("", "cont")
MAY_HOLD_BY_DEATH = (
    "runs_only_with_valid_vaddrs",
    "restored_after_failure",
    "no_dma_with_invalid_vaddr",
    "no_stuck_waiter",
)
GOAL, NEXT = "update_succeeds", "next_attempt_succeeds"

Key = tuple[str, str, str, str, str]
"""(place, recovery, prevention, world, environment)."""


def keys() -> Iterator[Key]:
    """Every System of the grid, in the order of the page."""
    for place, world, env in product(Place, WORLDS, ENVIRONMENTS):
        for prevention, recovery in product(Prevention, SENSIBLE[place]):
            yield place.name.lower(), recovery.name.lower(), prevention.name.lower(), world, env


def model_of(key: Key, *more: str) -> Model:
    """The model of a cell; `more` are further switches of the environment."""
    place, recovery, prevention, world, env = key
    given = WORLDS[world]
    env = ",".join(part for part in (env, *more) if part)
    parts = {"place": place, "recovery": recovery, "prevention": prevention, "env": env}
    topology: Any = given["topology"]
    made: Model = catalog.bind(
        catalog.find("combination"), parts | {"kernel": str(given["kernel"]), "topology": topology[place]}
    )
    return made


def cell(key: Key) -> dict[str, Any]:
    """All verdicts about one System: by budget, and which of them hold only because the guest dies."""
    start = monotonic()
    model = model_of(key)
    budgets = verdicts_by_budget(key, model)
    last = budgets[BUDGETS[-1]]
    found: dict[str, Any] = {"key": list(key), "digest": digest(key), "invalidates": invalidates(model)}
    found["budgets"] = {str(budget): {name: budgets[budget][name] for name in last} for budget in BUDGETS}
    holding = tuple(name for name in MAY_HOLD_BY_DEATH if name in last and last[name][0] == "HOLDS")
    if holding:
        options = Options(engines=("explicit",), faults=BUDGETS[-1], properties=holding, native=False)
        immortal = statuses(check(model_of(key, "immortal"), options))
        found["by_death"] = [name for name in holding if immortal[name] != "HOLDS"]
    found["seconds"] = round(monotonic() - start, 1)
    return found


def digest(key: Key) -> str:
    """What a cell is about: its System, and the one in which the guest does not die."""
    return f"{model_of(key).system.digest()} {model_of(key, 'immortal').system.digest()}"


def invalidates(model: Model) -> bool:
    """Whether any attempt gets so far that something is invalidated."""
    system = with_faults(model.system, BUDGETS[-1], injected=False)
    taken = {step for _, _, step in graph.build(explicit.search(system)).graph.edges(keys=True)}
    return any(event.name == "UNMAP(ALL|V)" for step in taken for event in system.transitions[step].events)


Said = dict[str, tuple[str, int | None]]
"""Verdict and length of the shortest trace, by family of properties."""


def verdicts_by_budget(key: Key, model: Model) -> dict[int, Said]:
    """What is said for each budget.

    A run with few faults is a run where more may happen.  So what holds for most faults holds for fewer, and what can
    be reached without any can be reached; only what depends on what is still possible is asked each time.
    """
    families = list(dict.fromkeys(prop.family for prop in model.system.properties))
    always = {p.family for p in model.system.properties if p.kind in (Kind.ALWAYS_POSSIBLE, Kind.NO_STUCK)}
    without = asked(key, model, 0, [GOAL])
    settled = without if without[GOAL][0] == "REACHABLE" else {}
    most = settled | asked(key, model, BUDGETS[-1], [name for name in families if name not in settled])
    found = {BUDGETS[-1]: {name: most[name] for name in families}}
    open_ = [n for n in families if n in always or (n not in settled and most[n][0] not in ("HOLDS", "UNREACHABLE"))]
    for budget in BUDGETS[:-1]:
        found[budget] = found[BUDGETS[-1]] | (asked(key, model, budget, open_) if open_ else {})
    return found


def asked(key: Key, model: Model, budget: int, names: list[str]) -> Said:
    """What all engines say about the families `names`; Python runs the model too, where most may happen."""
    native = budget == BUDGETS[-1] and not key[-1]
    options = Options(faults=budget, properties=tuple(names), native=native)
    report = check(model, options)
    if report.disagreements:
        raise SystemExit(f"{key}, faults {budget}: {report.disagreements}")
    for verdict in report.verdicts:
        by_two = verdict.prop.kind not in SAFETY or len(verdict.engines) > 1
        if verdict.status is Status.UNKNOWN or not by_two:
            raise SystemExit(f"{key}, faults {budget}: {verdict.prop.name} {verdict.status.value} by {verdict.engines}")
    verdicts, steps = statuses(report), lengths(report)
    return {name: (verdicts[name], steps.get(name)) for name in names}


def next_attempt(key: Key) -> list[Any]:
    """Whether, after one fault, an attempt after a failed one can succeed: with `again`, by search."""
    options = Options(engines=("explicit",), faults=1, properties=(NEXT,), native=False)
    report = check(model_of(key, "again"), options)
    return [statuses(report)[NEXT], lengths(report).get(NEXT)]


def load() -> dict[Key, dict[str, Any]]:
    """What was written the last time."""
    if not DATA.exists():
        return {}
    return {tuple(one["key"]): one for one in json.loads(DATA.read_text())}


def save(cells: dict[Key, dict[str, Any]]) -> None:
    """Write all cells that belong to the grid, a line for each."""
    lines = [json.dumps(cells[key]) for key in keys() if key in cells]
    files.write(DATA, "[\n" + ",\n".join(lines) + "\n]\n")


# ---- the page --------------------------------------------------------------------------------------------------------

HEAD = """# The grid: prevention x recovery x place

Made by `python tests/publish_grid.py` from [the data](grid.json); a test holds the two together.  The model is
`combination`; each row is a pair, each column a property.  A cell says from how many faults on the property is
violated:

* **H**: holds for fault budgets 0, 1 and 2;
* **V0**, **V1**, **V2**: violated without a fault, with one, with two; behind it the steps of the shortest trace;
* **R**, **U**: reachable, unreachable (with 0, 1 and 2 faults);
* **°**: every attempt is refused before anything is invalidated: nothing that holds in this row says anything about
  recovery;
* **†**: holds only because the guest dies: where hw_error ends the recovery that called it and not QEMU, and a failed
  exec ends nothing (`env=immortal`), it does not.

The last column is asked with `again` and one fault: whether, once nothing fails any more and nobody interferes, an
attempt after a failed one can succeed.

Two containers.  The incapable one is the one that is reached last.  On E1 every container can take part; the incapable
one there is injected, and answers as no kernel does.  All verdicts about safety are by explicit search and by z3,
which agreed, to the length of each trace (what holds for two faults holds for fewer, whose runs are among those, and is
not proved again); those about what has to happen are by search, and the loop of a violation is replayed.  No
kernel model has been compared with a kernel yet.  The blocker is judged by the extension, the counter counts devices,
is uncounted by a flag, and is tested in pre_save.
"""


def page(cells: dict[Key, dict[str, Any]]) -> str:
    """reports/grid.md."""
    lines = [HEAD]
    seconds = sum(one["seconds"] for one in cells.values())
    lines.append(f"{len(cells)} systems, {len(cells) * len(BUDGETS)} cells, {seconds / 60:.0f} minutes of one core.\n")
    for place, world, env in product(Place, WORLDS, ENVIRONMENTS):
        rows = [key for key in keys() if (key[0], key[3], key[4]) == (place.name.lower(), world, env)]
        names = list(dict.fromkeys(name for key in rows for name in cells[key]["budgets"]["0"]))
        names.remove("values_in_domain") if "values_in_domain" in names else None
        lines += [f"## {place.value}; {world}; {env or 'quiet'}", ""]
        lines.append(
            "| recovery | prevention | " + " | ".join(name.replace("_", " ") for name in [*names, NEXT]) + " |"
        )
        lines.append("|---" * (len(names) + 3) + "|")
        for key in rows:
            shown = " | ".join(_cell(cells[key], name) for name in names)
            status, steps = cells[key]["next"]
            again = "H" if status == "HOLDS" else f"**V** {steps}"
            lines.append(f"| {key[1].replace('_', ' ')} | {key[2].replace('_', ' ')} | {shown} | {again} |")
        lines.append("")
    return "\n".join(lines)


def _cell(one: dict[str, Any], name: str) -> str:
    said = [one["budgets"][str(budget)].get(name) for budget in BUDGETS]
    if said[0] is None:
        return "-"
    if name == "update_succeeds":
        return "R" if said[0][0] == "REACHABLE" else "**U**"
    for budget, (status, steps) in zip(BUDGETS, said, strict=True):
        if status != "HOLDS":
            return f"**V{budget}**" + (f" {steps}" if steps is not None else "")
    refused = "" if one["invalidates"] else "°"
    return "H" + refused + ("†" if name in one.get("by_death", ()) else "")


def main() -> None:
    """Check what has changed, and write both files."""
    cells = load()
    todo = [key for key in keys() if key not in cells or cells[key]["digest"] != digest(key)]
    click.echo(f"{len(todo)} of {len(list(keys()))} to check")
    todo.sort(key=lambda key: (key[3], key[4]))
    with ProcessPoolExecutor(int(sys.argv[1]) if len(sys.argv) > 1 else None) as pool:
        for number, one in enumerate(pool.map(cell, todo), 1):
            cells[tuple(one["key"])] = one
            if number % 10 == 0 or number == len(todo):
                save(cells)
                click.echo(f"{number} checked")
        todo = [key for key in keys() if "next" not in cells[key]]
        for key, said in zip(todo, pool.map(next_attempt, todo), strict=True):
            cells[key]["next"] = said
    save(cells)
    PAGE.write_text(page({key: cells[key] for key in keys()}))


if __name__ == "__main__":
    main()
