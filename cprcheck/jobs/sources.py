# SPDX-License-Identifier: Apache-2.0
"""What an answer rests on besides its arguments: the text of cprcheck, of the models, and the versions of libraries."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.metadata import version
from operator import itemgetter
from pathlib import Path

from cprcheck import imports
from cprcheck.imports import PACKAGE
from cprcheck.models import SHIPPED

LIBRARIES = ("cprcheck", "z3-solver", "networkx")
"""What may change an answer.  What only prints (click, rich) may not."""
SHIPPED_PACKAGE = ["cprcheck", "models"]


class Sources:
    """The files as they are now: each is read once."""

    def __init__(self) -> None:
        importlib.invalidate_caches()  # of what is in which folder
        self._texts: dict[Path, bytes] = {}
        self._files: dict[Path, list[tuple[str, str]]] = {}
        self.package = self._package()
        """The digest of cprcheck itself, without the shipped models."""
        self.versions = {name: version(name) for name in LIBRARIES}
        """The libraries that may change an answer, and Python, as X.Y."""
        self.versions["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"

    def text(self, path: Path) -> bytes:
        """What is in a file; nothing when it cannot be read, which whoever needs it will say."""
        if path not in self._texts:
            try:
                self._texts[path] = path.read_bytes()
            except OSError:
                self._texts[path] = b""
        return self._texts[path]

    def _package(self) -> str:
        paths = [path for path in sorted(PACKAGE.rglob("*.py")) if not path.is_relative_to(SHIPPED)]
        return _digest(f"{path.relative_to(PACKAGE).as_posix()} {_digest(self.text(path))}" for path in paths)

    def of_file(self, file: Path) -> list[tuple[str, str]]:
        """(name, digest) of a file and of each file that it imports, directly or not.

        Import statements are followed wherever Python finds a file that is neither its own nor an installed library.
        What is read in another way is not seen.
        """
        file = file.resolve()
        if file not in self._files:
            found: dict[Path, str] = {}
            todo = [(file, file.name)]
            while todo:
                path, name = todo.pop()
                if path not in found:
                    found[path] = name
                    todo += [(other, _name(other, file)) for other in self._imported(path)]
            digests = [(name, _digest(self.text(path))) for path, name in found.items()]
            self._files[file] = sorted(digests, key=itemgetter(0))  # those of one name stay as they were found
        return self._files[file]

    def digest(self, file: Path) -> str:
        """One digest for a file with all that it imports."""
        return _digest(f"{name} {digest}" for name, digest in self.of_file(file))

    def _imported(self, path: Path) -> Iterator[Path]:
        for level, name in _imports(self.text(path)):
            yield from _files_of(path, level, name)


def of_task(task: str) -> Path | None:
    """The file of a task's function; None where that is part of cprcheck."""
    module = task.partition(":")[0]
    if module.partition(".")[0] == "cprcheck":
        return None
    spec = importlib.util.find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _digest(parts: bytes | Iterable[str]) -> str:
    data = parts if isinstance(parts, bytes) else "\n".join(parts).encode()
    return hashlib.sha256(data).hexdigest()


@lru_cache(maxsize=1000)
def _imports(text: bytes) -> tuple[tuple[int, str], ...]:
    """(how many dots, the name) of everything that a file imports, anywhere in it; nothing where it is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    found: dict[tuple[int, str], None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update({(0, alias.name): None for alias in node.names})
        elif isinstance(node, ast.ImportFrom):
            base = [node.module] if node.module else []
            found.update({(node.level, ".".join(base)): None} if base else {})
            found.update({(node.level, ".".join([*base, alias.name])): None for alias in node.names})
    return tuple(found)


def _files_of(importer: Path, level: int, name: str) -> Iterator[Path]:
    """The author's files that `import name`, or `from .name import` with `level` dots, runs; packages above it too."""
    folders, parts = None, name.split(".")
    if level:
        folders = [str(importer.parents[min(level, len(importer.parents)) - 1])]
    elif parts[:2] == SHIPPED_PACKAGE:
        folders, parts = [str(SHIPPED)], parts[2:]
    for part in parts:
        spec = imports.find(part, folders)
        if spec is None:
            return
        if spec.has_location and spec.origin is not None and imports.is_authors_file(Path(spec.origin)):
            yield Path(spec.origin)
        folders = list(spec.submodule_search_locations or ())


def _name(path: Path, model: Path) -> str:
    """A name for a file that says nothing of this machine."""
    for root, word in ((model.parent, ""), (SHIPPED, "models/")):
        if path.is_relative_to(root):
            return word + path.relative_to(root).as_posix()
    return f"…/{path.name}"
