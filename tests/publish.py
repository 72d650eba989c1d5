"""Published figures: run `models/expected*.toml`, and write the figures and the pages that are made from them.

`python tests/publish.py` fills in states, generated, depth and the lengths of traces, and rewrites reports/README.md;
followed by names of models it does so for these only.  It never touches a verdict: those are written by hand before the
first run, and a difference is for a person to explain.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from cprcheck import files
from cprcheck.expectations.judging import filled, results
from cprcheck.expectations.runs import Run, read, rewritten

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


def runs() -> list[Run]:
    """The published configurations."""
    return [run for path in EXPECTED for run in read(path)]


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
    published = runs()
    for model in dict.fromkeys(run.model for run in published):
        lines += ["", f"## {model}", "", *_table([run for run in published if run.model == model])]
    return "\n".join(lines) + "\n"


def _table(rows: list[Run]) -> Iterator[str]:
    names = list(dict.fromkeys(name for run in rows for name in run.verdicts))
    yield "| configuration | " + " | ".join(name.replace("_", " ") for name in names) + " | states |"
    yield "|---" * (len(names) + 2) + "|"
    for run in rows:
        cells = [_cell(run, name) for name in names]
        states = f"more than {run.max_states}" if run.max_states else run.size.get("states", "-")
        yield f"| {_configuration(run)} | {' | '.join(cells)} | {states} |"


def _configuration(run: Run) -> str:
    params = ", ".join(f"{key} {value}" for key, value in run.params.items())
    faults = "" if run.faults == "finite" else f"; faults {run.faults}"
    return (params or "as it is") + faults + ("; injected" if run.injected else "")


def _cell(run: Run, name: str) -> str:
    said = run.verdicts[name].value if name in run.verdicts else None
    letters = {"HOLDS": "H", "VIOLATED": "**V**", "REACHABLE": "R", "UNREACHABLE": "**U**", "UNKNOWN": "?", None: "-"}
    return letters[said] + (f" {run.steps[name]}" if name in run.steps else "")


def main(models: list[str]) -> None:
    """Fill in the figures of all models, or of some, and rewrite the page."""
    for path in EXPECTED:
        declared = list(read(path))
        wanted = [
            i for i, run in enumerate(declared) if run.model in (models or [run.model]) and not (run.slow and run.size)
        ]
        for i, (run, report) in zip(wanted, results([declared[i] for i in wanted]), strict=True):
            declared[i] = filled(run, report)
        files.write(path, rewritten(path.read_text(encoding="utf-8"), declared))
    files.write(PAGE, page())


if __name__ == "__main__":
    main(sys.argv[1:])
