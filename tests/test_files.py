"""A file is written whole, or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from cprcheck import files
from cprcheck.errors import UsageError


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_text_is_in_the_file_and_nothing_else_in_the_folder(tmp_path: Path) -> None:
    files.write(tmp_path / "new.txt", "häß\nlich\n")
    assert (tmp_path / "new.txt").read_bytes() == "häß\nlich\n".encode()
    assert listing(tmp_path) == ["new.txt"]


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "old.txt"
    path.write_text("a longer text than the new one")
    files.write(path, "short")
    assert path.read_text() == "short"
    assert listing(tmp_path) == ["old.txt"]


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no" / "file.txt"
    with pytest.raises(UsageError) as caught:
        files.write(path, "text")
    assert str(caught.value) == f"cannot write {path}: No such file or directory"
    assert listing(tmp_path) == []


def test_a_folder_cannot_be_overwritten(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError) as caught:
        files.write(tmp_path / "folder", "text")
    assert str(caught.value) == f"cannot write {tmp_path / 'folder'}: Is a directory"
    assert listing(tmp_path) == ["folder"]


def test_nothing_is_left_behind_when_the_file_cannot_be_put_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")

    def replace(self: Path, target: Path) -> Path:
        assert self.read_text() == "new"
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(UsageError) as caught:
        files.write(path, "new")
    assert str(caught.value) == f"cannot write {path}: Permission denied"
    assert path.read_text() == "old"
    assert listing(tmp_path) == ["old.txt"]


def test_nothing_is_left_behind_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "old.txt"
    path.write_text("old")

    def full(self: Path, text: str, encoding: str) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(UsageError) as caught:
        files.write(path, "new")
    assert str(caught.value) == f"cannot write {path}: No space left on device"
    assert listing(tmp_path) == ["old.txt"]


def test_nothing_is_left_behind_when_the_text_cannot_be_encoded(tmp_path: Path) -> None:
    with pytest.raises((UsageError, UnicodeEncodeError)):
        files.write(tmp_path / "new.txt", "a lone surrogate: \ud800")
    assert listing(tmp_path) == []
