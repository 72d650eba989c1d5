"""Fixtures that several test files share."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from lamp import LAMP, Ran, Run

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
