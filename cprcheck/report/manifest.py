# SPDX-License-Identifier: Apache-2.0
"""What a folder of reports was made from, with a digest of everything: so that a stale or damaged one is noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from pathlib import Path, PurePosixPath
from typing import Any

from cprcheck.errors import CprcheckError
from cprcheck.files import below, leftovers
from cprcheck.jobs.sources import Sources
from cprcheck.report.together import FILES

NAME = "digest.json"
SCHEMAS = "cprcheck-manifest-"
SCHEMA = f"{SCHEMAS}3"
TRACES = "traces"
"""The folder that has nothing but our files."""
WHOLE = tuple(name for name, _ in FILES.values())
"""The files that every report has."""
MATRIX = FILES["json"][0]
Data = dict[str, Any]


class ManifestError(CprcheckError):
    """There is no manifest, or nobody can read it."""


def document(configurations: Sequence[Data], texts: Mapping[str, str]) -> Data:
    """The manifest of a report with these files.

    Each of `configurations` has the `digest` of its System, and one of its `sources`.
    """
    data = {
        "schema": SCHEMA,
        **versions(),
        "configurations": list(configurations),
        "files": {name: _digest(text.encode()) for name, text in sorted(texts.items())},
    }
    return data | {"digest": own_digest(data)}


def versions() -> Data:
    """What made the verdicts: cprcheck with a digest of its sources, and the libraries that it relies on."""
    now = Sources()
    return {"versions": now.versions, "sources": now.package[:16]}


def dumps(data: Data) -> str:
    """The manifest as the text of its file."""
    return json.dumps(data, indent=1) + "\n"


def identity(configuration: Data) -> str:
    """What is checked and how, whatever was found."""
    return json.dumps([configuration["model"], configuration["params"], configuration["options"]], sort_keys=True)


# ---- reading --------------------------------------------------------------------------------------------------------


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
    except ValueError:
        text = ""
    try:
        data = json.loads(text)
        whole = _written(data)
    except (ValueError, RecursionError):  # nobody writes that deep
        whole = False
    if not whole:
        raise ManifestError(f"{folder / NAME} is damaged, or somebody has changed it")
    for name in data["files"]:
        if not _ours(folder, name):
            raise ManifestError(f"{folder / NAME} is damaged: it names {name!r}, which no report would write there")
    found: Data = data
    return found


def _ours(folder: Path, name: str) -> bool:
    """Whether a report may have written a file of this name: nothing else is ever compared, replaced or removed."""
    path = PurePosixPath(name)
    if name in WHOLE:
        return True
    plain = "\0" not in name and ".." not in path.parts and len(path.parts) > 1 and str(path) == name
    return plain and path.parts[0] == TRACES and not any((folder / each).is_symlink() for each in path.parents[:-1])


def _written(data: Any) -> bool:
    """Whether some version of cprcheck may have written this; whether this one has, when it says so."""
    if not isinstance(data, dict) or not _text(data.get("schema")) or not _texts(data.get("files")):
        return False
    if data["schema"] != SCHEMA:
        return bool(data["schema"].startswith(SCHEMAS))
    configurations = data.get("configurations")
    return (
        data.get("digest") == own_digest(data)
        and _texts(data.get("versions"))
        and _text(data.get("sources"))
        and isinstance(configurations, list)
        and all(map(_configuration, configurations))
        and len({*map(identity, configurations)}) == len(configurations)
    )


def _text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value  # which no file's name and no argument can have


def _texts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_text, value.values()))


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


OPTIONS: dict[str, Callable[[Any], bool]] = {
    "engines": _names,
    "faults": lambda value: value is None or _count(value),
    "injected": _truth,
    "properties": _names,
    "states": _count,
    "seconds": lambda value: value is None or (type(value) in (int, float) and value >= 0),
    "depth": _count,
    "native": _truth,
}
"""The fields of `checking.Options`, and what each may be."""
CONFIGURATION: dict[str, Callable[[Any], bool]] = {
    "model": _text,
    "params": _texts,
    "options": lambda value: _has(value, OPTIONS),
    "digest": _text,
    "sources": _text,
}


def _has(value: Any, fields: Mapping[str, Callable[[Any], bool]]) -> bool:
    """Whether `value` has these fields and no others."""
    return (
        isinstance(value, dict)
        and value.keys() == fields.keys()
        and all(fits(value[name]) for name, fits in fields.items())
    )


def _configuration(value: Any) -> bool:
    return _has(value, CONFIGURATION)


# ---- comparing ------------------------------------------------------------------------------------------------------


def damage(folder: Path, data: Data) -> Iterator[str]:
    """Which files are not those that the manifest names, in words."""
    for name, digest in data["files"].items():
        path = folder / name
        if not path.is_file():
            yield f"{path} is missing"
        elif _digest(path.read_bytes()) != digest:
            yield f"{path} is damaged, or somebody has changed it"
        elif name == MATRIX and not _is_about(path, data["configurations"]):
            yield f"{path} is about other configurations than {folder / NAME}"
    known = {TRACES, *data["files"], *(str(path) for name in data["files"] for path in PurePosixPath(name).parents)}
    folders = [path for path in (folder / TRACES).rglob("*") if path.is_dir()]
    for path in sorted({*folders, *below(folder / TRACES), *(folder / name for name in WHOLE)}):
        if path.relative_to(folder).as_posix() not in known and (path.is_symlink() or path.exists()):
            yield f"{path} is not of this report"


def changes(folder: Path, data: Data) -> Iterator[str]:
    """With what other versions the report was made, and what else is worth knowing, in words."""
    now = versions()
    for name, version in now["versions"].items():
        before = data["versions"].get(name)
        if before != version:
            yield f"made with {name} {before}; this is {version}"
    if data["sources"] != now["sources"]:
        yield f"made with sources of cprcheck {data['sources']}; these are {now['sources']}"
    for path in leftovers(folder):
        yield f"{path} was left behind by a report that somebody killed; the next one removes it"


def _is_about(matrix: Path, configurations: Sequence[Data]) -> bool:
    """Whether a matrix has the Systems of these configurations; what had no answer has none."""
    try:
        found = [report["digest"] for report in json.loads(matrix.read_bytes())["reports"]]
    except (ValueError, RecursionError, KeyError, TypeError):
        return False
    named = [each["digest"] for each in configurations]
    return len(found) == len(named) and all(name in ("", digest) for name, digest in zip(named, found, strict=True))


def own_digest(data: Data) -> str:
    """The digest of a manifest over all else that it says."""
    said = json.dumps({key: value for key, value in data.items() if key != "digest"}, sort_keys=True)
    return _digest(said.encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
