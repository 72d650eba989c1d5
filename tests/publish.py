"""Published figures: run `models/expected*.toml`, and write the figures and the pages that are made from them.

`python tests/publish.py` fills in states, generated, depth and the lengths of traces, and rewrites reports/README.md;
followed by names of models it does so for these only.  It never touches a verdict: those are written by hand before the
first run, and a difference is for a person to explain.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cprcheck import catalog
from cprcheck.arguments import budget
from cprcheck.checking import Options, check
from cprcheck.verdict import Report

ROOT = Path(__file__).resolve().parents[1]
EXPECTED = sorted((ROOT / "models").glob("expected*.toml"))
PAGE = ROOT / "reports" / "README.md"
DESIGNS = (
    "v7",
    "validate_first",
    "presave_validate_all",
    "presave_recover_all",
    "save_unwind",
    "blocker_counter",
    "failure_notifier",
    "vm_change_handler",
    "device_blocker",
)
"""The named designs of the vaddr protocol."""


def runs() -> list[dict[str, Any]]:
    """The published configurations."""
    return [run for path in EXPECTED for run in read(path)]


def read(path: Path) -> list[dict[str, Any]]:
    """The configurations of one file."""
    return list(tomllib.loads(path.read_text())["run"])


def title(run: dict[str, Any]) -> str:
    """A configuration in a line."""
    params = ", ".join(f"{key}={value}" for key, value in run["params"].items())
    injected = ", injected" if run.get("injected") else ""
    return f"{run['model']}({params}) faults {run.get('faults', 'finite')}{injected}"


def perform(run: dict[str, Any]) -> Report:
    """Check one configuration."""
    options = Options(
        faults=budget(run.get("faults", "finite")),
        injected=run.get("injected", False),
        properties=tuple(run.get("properties", ())),
        states=run.get("max_states", 1_000_000),
    )
    return check(catalog.bind(catalog.find(run["model"]), run["params"]), options)


def verdicts(report: Report) -> dict[str, str]:
    """The verdict of each property, and of each family; those of its instances joined by a slash when they differ."""
    found: dict[str, dict[str, None]] = {}
    for verdict in report.verdicts:
        for name in (verdict.prop.name, verdict.prop.family):
            found.setdefault(name, {})[verdict.status.value] = None
    return {family: "/".join(statuses) for family, statuses in found.items()}


def steps(report: Report) -> dict[str, int]:
    """The length of the shortest trace of each property, and of each family, that has one."""
    found: dict[str, int] = {}
    for verdict in report.verdicts:
        if verdict.trace is not None:
            length = len(verdict.trace)
            for name in (verdict.prop.name, verdict.prop.family):
                found[name] = min(length, found.get(name, length))
    return found


def figures(report: Report) -> dict[str, int]:
    """The size of the search."""
    assert report.size is not None
    return {"states": report.size.states, "generated": report.size.generated, "depth": report.size.depth}


def page() -> str:
    """reports/README.md, from the files of expectations alone."""
    lines = [
        "# Published verdicts",
        "",
        "Made by `python tests/publish.py` from `models/expected*.toml`; a test holds them together.  Each",
        "verdict was written down before the first run.  H holds, **V** violated (steps), R reachable (steps),",
        "**U** unreachable, - not asked.  Safety verdicts are by explicit search and by z3, which agreed, or by z3",
        "alone where the number of states says `more than`.  No kernel model has been compared with a kernel yet.",
    ]
    for model in dict.fromkeys(run["model"] for run in runs()):
        lines += ["", f"## {model}", "", *_table([run for run in runs() if run["model"] == model])]
    return "\n".join(lines) + "\n"


def _table(rows: list[dict[str, Any]]) -> Iterator[str]:
    names = list(dict.fromkeys(name for run in rows for name in run["verdicts"]))
    yield "| configuration | " + " | ".join(name.replace("_", " ") for name in names) + " | states |"
    yield "|---" * (len(names) + 2) + "|"
    for run in rows:
        cells = [_cell(run, name) for name in names]
        states = f"more than {run['max_states']}" if "max_states" in run else run.get("states", "-")
        yield f"| {_configuration(run)} | {' | '.join(cells)} | {states} |"


def _configuration(run: dict[str, Any]) -> str:
    params = ", ".join(f"{key} {value}" for key, value in run["params"].items())
    faults = "" if run.get("faults", "finite") == "finite" else f"; faults {run['faults']}"
    return (params or "as it is") + faults + ("; injected" if run.get("injected") else "")


def _cell(run: dict[str, Any], name: str) -> str:
    said = run["verdicts"].get(name)
    length = run.get("steps", {}).get(name)
    letters = {"HOLDS": "H", "VIOLATED": "**V**", "REACHABLE": "R", "UNREACHABLE": "**U**", "UNKNOWN": "?", None: "-"}
    return letters.get(said, str(said)) + (f" {length}" if length is not None else "")


def _dump(run: dict[str, Any]) -> Iterator[str]:
    def quoted(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, list):
            return "[" + ", ".join(map(quoted, value)) + "]"
        return str(value) if isinstance(value, int) else '"' + str(value).replace('"', '\\"') + '"'

    yield "[[run]]"
    for key, value in run.items():
        if key == "params":
            yield "params = { " + ", ".join(f"{k} = {quoted(v)}" for k, v in value.items()) + " }"
        elif not isinstance(value, dict):
            yield f"{key} = {quoted(value)}"
    for table in ("verdicts", "steps"):
        if run.get(table):
            yield f"[run.{table}]"
            yield from (f"{_key(key)} = {quoted(value)}" for key, value in run[table].items())
    yield ""


def _key(name: str) -> str:
    return name if name.isidentifier() else f'"{name}"'


def main(models: list[str]) -> None:
    """Fill in the figures of all models, or of some, and rewrite the page."""
    for path in EXPECTED:
        head = path.read_text().partition("[[run]]")[0]
        filled = []
        for run in read(path):
            if run["model"] in (models or [run["model"]]) and (not run.get("slow") or "states" not in run):
                report = perform(run)
                run.update(figures(report), steps={k: v for k, v in steps(report).items() if k in run["verdicts"]})
            filled.append("\n".join(_dump(run)))
        path.write_text(head + "\n".join(filled))
    PAGE.write_text(page())


if __name__ == "__main__":
    main(sys.argv[1:])
