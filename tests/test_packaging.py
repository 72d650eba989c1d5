"""What is installed is what is in the checkout: the models too, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from cprcheck.models import SHIPPED

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[1]
MODELS = {path.relative_to(SHIPPED).as_posix() for path in SHIPPED.rglob("*") if path.suffix in (".py", ".toml")}
MINE = """\
from cprcheck import Model, model
from cprcheck.models.vfio.kernel import Era, Kernel
from cprcheck.models.vfio.topology import Topology

@model
def mine(mappings: int = 1) -> Model:
    m = Model()
    kernel = Kernel(Era.E1, Topology.parse("p"), mappings)
    kernel.declare(m)
    return m
"""


def run(*command: str | Path, folder: Path, code: int = 0) -> str:
    """What a command prints, stderr included; it must end with `code`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == code, done.stdout
    return done.stdout


def build(source: Path, kind: str, out: Path) -> Path:
    """The one file of that kind that `source` builds into."""
    run(sys.executable, "-m", "build", f"--{kind}", "--outdir", out, source, folder=out.parent)
    (built,) = out.iterdir()
    return built


def contents(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, "wheel", tmp_path_factory.mktemp("wheel") / "out")


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the source distribution unpacks into."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build(ROOT, "sdist", folder / "out")) as archive:
        safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Python 3.11 has it from 3.11.4 on
        archive.extractall(folder, **safely)
    (unpacked,) = folder.glob("cprcheck-*")
    return unpacked


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh virtual environment with the wheel."""
    folder = tmp_path_factory.mktemp("venv")
    run(sys.executable, "-m", "venv", folder, folder=folder)
    run(folder / "bin" / "pip", "install", "-q", wheel, folder=folder)
    return folder / "bin"


def both(installed: Path, folder: Path, *arguments: str, code: int = 0) -> str:
    """What the installed cprcheck prints; the checkout's own must print the same."""
    found = run(installed / "cprcheck", *arguments, folder=folder, code=code)
    assert found == run(sys.executable, "-m", "cprcheck", *arguments, folder=folder, code=code)
    return found


def test_the_wheel_has_the_models_and_nothing_that_is_not_used(wheel: Path) -> None:
    names = contents(wheel)
    assert {name.removeprefix("cprcheck/_models/") for name in names if "/_models/" in name} == MODELS
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"cprcheck"}
    assert {Path(name).suffix for name in names if ".dist-info/" not in name} == {
        ".py",
        ".toml",
        ".css",
        ".html",
        ".js",
    }
    assert {name for name in names if name.startswith("cprcheck/report/page/")} == {
        f"cprcheck/report/page/page.{suffix}" for suffix in ("css", "html", "js")
    }
    modules = {f"cprcheck/{path.relative_to(ROOT / 'cprcheck')}" for path in (ROOT / "cprcheck").rglob("*.py")}
    assert modules <= set(names)


def test_the_sdist_has_tests_and_documents_and_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    for name in ("tests/test_packaging.py", "docs/language.md", "models/designs/v7.py", "README.md", "LICENSE"):
        assert (sdist / name).read_bytes() == (ROOT / name).read_bytes()
    assert not list(sdist.rglob("*.pyc"))
    assert contents(build(sdist, "wheel", tmp_path / "out")) == contents(wheel)


def test_the_installed_models_are_those_of_the_checkout(installed: Path, tmp_path: Path) -> None:
    assert "\npeterson " in both(installed, tmp_path, "list")
    assert both(installed, tmp_path, "show", "v7").startswith("# digest ")
    assert "REACHABLE" in both(installed, tmp_path, "check", "peterson")
    assert "\n  claimed:  models/vfio/properties.py:" in both(installed, tmp_path, "check", "v7", code=1)


def test_an_error_in_a_shipped_model_names_its_own_line(installed: Path, tmp_path: Path) -> None:
    said = both(installed, tmp_path, "show", "v7", "-p", "mappings=0", code=2)
    file, line, sentence = said.removeprefix("cprcheck: ").split(":", 2)
    assert sentence.startswith(" ValueError: Range(0, -1) is empty\n    ")
    assert file == "models/vfio/kernel.py"
    named = (SHIPPED / "vfio/kernel.py").read_text(encoding="utf-8").splitlines()[int(line) - 1]
    assert ("Range(" in named, sentence.splitlines()[1].strip()) == (True, named.strip())


def test_parts_of_the_shipped_models_serve_a_model_elsewhere(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    assert "slot vaddr[c0, 0]: " in both(installed, tmp_path, "show", "mine.py")
    said = both(installed, tmp_path, "show", "mine.py", "-p", "mappings=0", code=2)
    assert said.startswith("cprcheck: models/vfio/kernel.py:")


def test_the_installed_package_is_the_one_that_is_tested(installed: Path, tmp_path: Path) -> None:
    look = "import cprcheck.models, cprcheck.models.vfio.kernel as k; print(k.Kernel.__name__, cprcheck.models.SHIPPED)"
    name, folder = run(installed / "python", "-c", look, folder=tmp_path).split()
    assert (name, Path(folder).name, Path(folder).is_relative_to(installed.parent)) == ("Kernel", "_models", True)
