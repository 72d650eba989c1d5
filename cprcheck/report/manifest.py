# SPDX-License-Identifier: Apache-2.0
"""What a folder of reports was made from, with a digest of everything: so that a stale or damaged one is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from cprcheck.errors import CprcheckError
from cprcheck.jobs.sources import Sources

NAME = "digest.json"
SCHEMAS = "cprcheck-manifest-"
SCHEMA = f"{SCHEMAS}2"
TRACES = "traces"
"""The folder that has nothing but our files."""
Data = dict[str, Any]


class ManifestError(CprcheckError):
    """There is no manifest, or nobody can read it."""


def document(configurations: Sequence[Data], texts: Mapping[str, str]) -> Data:
    """The manifest of a report with these files.

    Each of `configurations` has the `digest` of its System, and one of its `sources`.
    """
    return {
        "schema": SCHEMA,
        **versions(),
        "configurations": list(configurations),
        "files": {name: _digest(text.encode()) for name, text in sorted(texts.items())},
    }


def versions() -> Data:
    """What made the verdicts: cprcheck with a digest of its sources, and the libraries that it relies on."""
    now = Sources()
    return {"versions": now.versions, "sources": now.package[:16]}


def dumps(data: Data) -> str:
    """The manifest as the text of its file."""
    return json.dumps(data, indent=1) + "\n"


def read(folder: Path) -> Data:
    """The manifest in `folder`.  Raises ManifestError when there is none that can be read."""
    data = _read(folder)
    if data["schema"] != SCHEMA:
        raise ManifestError(f"{folder / NAME} is from another version of cprcheck; run `cprcheck report` again")
    return data


def files(folder: Path) -> Set[str]:
    """The names of the files of a report that any version has written.  Raises ManifestError as `read` does."""
    found: Data = _read(folder)["files"]
    return found.keys()


def _read(folder: Path) -> Data:
    try:
        text = (folder / NAME).read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{folder} has no report: {folder / NAME}: {error.strerror}") from error
    except ValueError as error:
        raise ManifestError(f"{folder / NAME} is damaged") from error
    try:
        data = json.loads(text)
        whole = data["schema"].startswith(SCHEMAS) and {"versions", "sources"} <= data.keys()
        for word in ("digest", "sources") if data["schema"] == SCHEMA else ():
            whole = whole and all(isinstance(each[word], str) for each in data["configurations"])
        whole = whole and all(isinstance(digest, str) for digest in data["files"].values())
    except (ValueError, TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        raise ManifestError(f"{folder / NAME} is damaged")
    found: Data = data
    return found


def damage(folder: Path, data: Data) -> Iterator[str]:
    """Which files are not those that the manifest names, in words."""
    for name, digest in data["files"].items():
        path = folder / name
        if not path.is_file():
            yield f"{path} is missing"
        elif _digest(path.read_bytes()) != digest:
            yield f"{path} is damaged, or somebody has changed it"
    for path in sorted((folder / TRACES).rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in data["files"]:
            yield f"{path} is not of this report"


def changes(data: Data) -> Iterator[str]:
    """With what other versions the report was made, in words."""
    now = versions()
    for name, version in now["versions"].items():
        before = data["versions"].get(name)
        if before != version:
            yield f"made with {name} {before}; this is {version}"
    if data["sources"] != now["sources"]:
        yield f"made with sources of cprcheck {data['sources']}; these are {now['sources']}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
