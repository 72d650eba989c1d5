"""The house: a file imports only from lower floors, or from its own package; some walls stand inside the floors.

Imports inside functions count: a deferred import hides a mistake, it does not cure it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "cprcheck"

FLOORS: list[set[str]] = [
    {"errors", "names"},
    {"domains", "files"},
    {"expr"},
    {"lanes", "origin"},
    {"system"},
    {"trace", "semantics"},
    {"verdict", "analysis", "walk", "models", "itf"},
    {"passes", "lower", "imports"},
    {"language", "engines", "replay", "explain"},
    {"checking", "catalog", "neighbourhood"},
    {"results"},
    {"jobs"},
    {"compare", "expectations"},
    {"report"},
    {""},
    {"arguments"},
    {"commands"},
    {"cli", "pytest_plugin"},
    {"__main__"},
]
"""From the ground up.  A folder is one place; "" is the package itself, what `import cprcheck` gives."""
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}

WALLS = {
    ("engines", "language"): "an engine that needs to know how a model was written is a bug",
    ("language", "engines"): "a model does not ask an engine",
    ("report", "engines"): "if a report lacks something, the verdict lacks a field",
    ("report", "lower"): "if a report lacks something, the verdict lacks a field",
}
DOORS = {
    "z3": {"lower/smt.py", "engines/bmc.py", "engines/prove.py", "compare/independence.py"},
    "networkx": {
        "engines/graph.py",
        "engines/liveness.py",
        "compare/classes.py",
        "compare/figures.py",
        "compare/races.py",
        "compare/left.py",
        "compare/runs.py",
        "compare/view.py",
        "report/graphml.py",
    },
    "click": {
        "arguments.py",
        "cli.py",
        "commands/check.py",
        "commands/compare.py",
        "commands/drawings.py",
        "commands/expect.py",
        "commands/interleavings.py",
        "commands/jobs.py",
        "commands/look.py",
        "commands/outcomes.py",
        "commands/outputs.py",
        "commands/replay.py",
        "commands/report.py",
    },
    "jinja2": {"report/html.py"},
    "distributed": {"jobs/cluster.py"},
    "rich": {"arguments.py", "report/tables.py"},
    "tomlkit": {"expectations/runs.py"},
    "pytest": {"pytest_plugin.py"},
}
MAX_LINES = 400
MAX_FUNCTION = 60


@cache
def parsed(path: Path) -> ast.Module:
    """A file, taken apart once."""
    return ast.parse(path.read_text())


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write absolute imports"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(module: str) -> str | None:
    """The floor-plan name of a module of ours; None for somebody else's, and for names that are no modules."""
    parts = module.split(".")
    if parts[0] != "cprcheck":
        return None
    if len(parts) == 1:
        return ""
    return parts[1] if parts[1] in FLOOR else None


def files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def mine(path: Path) -> str:
    """The floor-plan name of a file."""
    relative = path.relative_to(PACKAGE).with_suffix("")
    return "" if relative.parts == ("__init__",) else relative.parts[0]


def breaches(path: Path) -> list[str]:
    """Imports of a file that go up, sideways or through a wall."""
    me = mine(path)
    found = []
    for name in imported(path):
        other = place(name)
        if other is None or other == me or (other == "" and name == "cprcheck"):
            continue
        if FLOOR[other] >= FLOOR[me] and (me, other) not in WALLS:
            found.append(f"{path.name} (floor {FLOOR[me]}) imports {name} (floor {FLOOR[other]})")
        if (me, other) in WALLS:
            found.append(f"{path.name} imports {name}: {WALLS[me, other]}")
    return found


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_below(path: Path) -> None:
    assert mine(path) in FLOOR, f"{path} has no floor: give it one"
    assert breaches(path) == []


def test_going_up_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rule itself: upwards, through a wall, and from inside a function."""
    monkeypatch.setattr("test_floors.PACKAGE", tmp_path)
    (tmp_path / "engines").mkdir()
    bad = tmp_path / "engines" / "bad.py"
    bad.write_text("import cprcheck.checking\ndef f():\n    from cprcheck.language import model\n")
    assert breaches(bad) == [
        "bad.py (floor 8) imports cprcheck.checking (floor 9)",
        "bad.py imports cprcheck.language: an engine that needs to know how a model was written is a bug",
        "bad.py imports cprcheck.language.model: an engine that needs to know how a model was written is a bug",
    ]


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_imported_only_where_it_is_needed(library: str) -> None:
    users = {
        str(path.relative_to(PACKAGE)) for path in files() if any(n.split(".")[0] == library for n in imported(path))
    }
    assert users == DOORS[library]


ROOT = PACKAGE.parent
EVERYTHING = [path for folder in ("cprcheck", "models", "tests") for path in sorted((ROOT / folder).rglob("*.py"))]


def is_model(node: ast.FunctionDef) -> bool:
    """Whether a function is decorated with @model: then it holds the functions of a whole design."""
    return any(isinstance(decorator, ast.Name) and decorator.id == "model" for decorator in node.decorator_list)


@pytest.mark.parametrize("path", EVERYTHING, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and not is_model(node):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < MAX_FUNCTION, node.name


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_names_have_docstrings(path: Path) -> None:
    tree = parsed(path)
    assert ast.get_docstring(tree), f"{path} says nothing about itself"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            inner = any(node in ast.walk(f) for f in ast.walk(tree) if isinstance(f, ast.FunctionDef) and f is not node)
            visitor = node.name.startswith(("visit_", "on_"))
            assert inner or visitor or ast.get_docstring(node), f"{path.name}: {node.name}"
