"""A report about lamp.py, for tests that spoil it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cprcheck.jobs import checks
from cprcheck.report import manifest

COMMAND = "report lamp.py --kernel RED --kernel GREEN --jobs 1"
TOP, KERNELS = "lamp(top=2, kernel={}, env=none)", ("RED", "GREEN")
FOUND = "3 VIOLATED, 4 HOLDS, 1 REACHABLE"
DAMAGED = "reports/digest.json is damaged, or somebody has changed it"
WHAT_TO_DO = "remove it, and the report that it belongs to, or write --out DIR"


def contents(folder: Path) -> dict[str, bytes]:
    """The files below a folder, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def digests() -> list[str]:
    """Those of the Systems of lamp.py in this folder, as they are checked."""
    return [checks.subject(checks.job("lamp.py", {"kernel": kernel}))[1].digest() for kernel in KERNELS]


def spoil(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def spoiled(folder: Path) -> None:
        (folder / name).write_text(change((folder / name).read_text()))

    return spoiled


def forged(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest, and give it the digest that it then has."""
    path = folder / "digest.json"
    data = json.loads(path.read_text())
    change(data)
    path.write_text(manifest.dumps(data | {"digest": manifest.own_digest(data)}))
