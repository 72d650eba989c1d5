"""Fixtures that several test files share."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lamp import LAMP, Ran, Run, started
from reported import COMMAND, FOUND, KERNELS, TOP, contents

from cprcheck import cli

pytest_plugins = ["pytester"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests neither use nor fill the cache of whoever runs them."""
    monkeypatch.setenv("CPRCHECK_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=False, capture_output=True
    ).returncode:
        pytest.skip("nobody here may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process, in a folder that has `lamp.py`."""
    monkeypatch.chdir(tmp_path)
    Path("lamp.py").write_text(LAMP, encoding="utf-8")

    def run(line: str) -> Ran:
        code = cli.run(shlex.split(line))
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with lamp.py and its report, made once."""
    folder = tmp_path_factory.mktemp("written")
    (folder / "lamp.py").write_text(LAMP)
    environment = os.environ | {"CPRCHECK_CACHE": str(folder / "cache"), "PYTHONHASHSEED": "1"}
    run = started(COMMAND, cwd=folder, env=environment, stdout=subprocess.PIPE)
    count = len(contents(folder / "reports"))
    rows = [f"{TOP.format(kernel)}: {FOUND}" for kernel in KERNELS]
    assert (run.returncode, run.stderr.decode()) == (1, "")
    assert run.stdout.decode().splitlines() == [*rows, f"wrote {count} files to reports"]
    return folder


@pytest.fixture
def there(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, to be spoiled; the report's folder."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CPRCHECK_CACHE", str(written / "cache"))
    return tmp_path / "reports"
