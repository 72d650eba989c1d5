# SPDX-License-Identifier: Apache-2.0
"""How Python finds what a model imports; and that it compiles what authors wrote from the text each time.

Python takes bytecode that it kept for that of any file with the same size and second: after a quick edit, for
that of another model.
"""

from __future__ import annotations

import site
import sys
import sysconfig
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from cprcheck.models import SHIPPED

PACKAGE = Path(__file__).resolve().parent
_INSTALLED = (
    *(sysconfig.get_path(key) for key in ("stdlib", "platstdlib")),
    *site.getsitepackages(),
    site.getusersitepackages(),
)
_OTHERS = tuple({PACKAGE, *(Path(folder).resolve() for folder in _INSTALLED)})


def is_authors_file(file: Path) -> bool:
    """Whether a file is a model or a part of one, ours or yours: not cprcheck, not Python, and not installed."""
    file = file.resolve()
    return file.is_relative_to(SHIPPED) or not any(map(file.is_relative_to, _OTHERS))


def find(name: str, folders: Sequence[str] | None = None) -> ModuleSpec | None:
    """What `import name`, without a dot, would run now: from `folders`, or from wherever Python looks."""
    finders = sys.meta_path if folders is None else [PathFinder]
    return next((spec for finder in finders if (spec := finder.find_spec(name, folders)) is not None), None)


class AsItIs(SourceFileLoader):
    """Compiles the file each time."""

    def get_code(self, fullname: str) -> CodeType:
        """The code of the file as it is now."""
        code: CodeType = self.source_to_code(self.get_data(self.path), self.path)
        return code


class _Finder:
    """Finds what Python does, and lets AsItIs load what authors wrote."""

    @classmethod
    def find_spec(
        cls, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What the finders after this one find."""
        after = sys.meta_path[sys.meta_path.index(cls) + 1 :]
        found = (finder.find_spec(fullname, path, target) for finder in after)
        spec = next((spec for spec in found if spec is not None), None)
        if spec is not None and type(spec.loader) is SourceFileLoader and is_authors_file(Path(spec.loader.path)):
            spec.loader = AsItIs(fullname, spec.loader.path)
        return spec


def watch() -> None:
    """From now on, whatever is imported of authors' files is compiled from the text, whenever that happens."""
    if _Finder not in sys.meta_path:  # right before Python's own: pytest's, which come first, rewrite tests
        sys.meta_path.insert(sys.meta_path.index(PathFinder), _Finder)
