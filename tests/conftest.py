"""Fixtures that several test files share."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from lamp import LAMP, Ran, Run

from cprcheck import cli

pytest_plugins = ["pytester"]


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in this process, in a folder that has `lamp.py`."""
    monkeypatch.chdir(tmp_path)
    Path("lamp.py").write_text(LAMP, encoding="utf-8")

    def run(line: str) -> Ran:
        code = cli.run(shlex.split(line))
        return Ran(code, *capsys.readouterr())

    return run
