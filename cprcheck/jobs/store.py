# SPDX-License-Identifier: Apache-2.0
"""Answers on disk, one file for each key, there to be used again.

Several processes may use a folder at once, and anybody may delete it at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from cprcheck import files
from cprcheck.errors import UsageError
from cprcheck.jobs.job import JSON, SCHEMA, Job, canonical


def usual_folder() -> Path | None:
    """$CPRCHECK_CACHE, else `cprcheck` where the desktop's standards say that caches are; None without a home."""
    if own := os.environ.get("CPRCHECK_CACHE"):
        return Path(own)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "cprcheck")
    except RuntimeError:
        return None


class Store:
    """A folder of answers.

    `damaged` counts the files that were there and could not be used; `failed` says why an answer could not be kept.
    Neither harms anything but what is reused.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.damaged = 0
        self.failed = ""

    def get(self, key: str) -> tuple[bool, JSON]:
        """(whether there is an answer for `key`, the answer).  One that is damaged or half a file is not there."""
        path = self._path(key)
        try:
            if not path.exists():
                return False, None
            text = path.read_bytes() if path.is_file() else b""  # a pipe would keep us waiting
        except OSError:
            text = b""
        try:
            data = json.loads(text)
            if data["schema"] == SCHEMA and data["key"] == key and data["sha256"] == _digest(data["value"]):
                return True, data["value"]
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        self.damaged += 1
        return False, None

    def put(self, key: str, job: Job, value: JSON) -> bool:
        """Keep the answer to `job`: the whole file, or none.  Whether that could be done."""
        data = {"schema": SCHEMA, "key": key, "task": job.task, "arguments": job.arguments, "value": value}
        path = self._path(key)
        try:
            files.make_folder(path.parent)
            files.write(path, json.dumps(data | {"sha256": _digest(value)}) + "\n", sync=True)
        except UsageError as error:
            self.failed = self.failed or str(error)
            return False
        return True

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _digest(value: JSON) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
