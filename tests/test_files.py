"""A file is written whole, or not at all."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
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


def test_what_can_be_written_is_known_before_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("text")
    for path in (tmp_path / "file", tmp_path / "new", Path(os.devnull)):
        files.require_file(path)
    for path in (tmp_path, tmp_path / "a" / "b"):
        files.require_folder(path)
    for require, path, said in (
        (files.require_file, tmp_path, "Is a directory"),
        (files.require_file, tmp_path / "file" / "x", "Not a directory"),
        (files.require_file, tmp_path / "no" / "x", "No such file or directory"),
        (files.require_file, tmp_path / ("x" * 300), "File name too long"),
        (files.require_folder, tmp_path / "file", "Not a directory"),
        (files.require_folder, tmp_path / "file" / "x", "Not a directory"),
    ):
        with pytest.raises(UsageError) as caught:
            require(path)
        assert str(caught.value) == f"cannot write {path}: {said}"
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    for require in (files.require_file, files.require_folder):
        with pytest.raises(UsageError) as caught:
            require(tmp_path / "new")
        assert str(caught.value) == f"cannot write {tmp_path / 'new'}: Permission denied"
    assert listing(tmp_path) == ["file"]


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


# ---- several at once ------------------------------------------------------------------------------------------------


def texts(folder: Path) -> dict[str, str]:
    """What is below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_all_files_are_put_in_place_and_old_ones_removed(tmp_path: Path) -> None:
    folder = tmp_path / "not" / "yet"
    files.write_all(folder, {"a": "1", "deep/b": "2", "deep/c/d": "3"}, "deep")
    (folder / "mine").write_text("4")
    (folder / "deep" / "dangling").symlink_to("nowhere")
    (folder / "deep" / "elsewhere").symlink_to(tmp_path)
    (folder / "deep" / "empty").mkdir()
    files.write_all(folder, {"a": "5", "deep/b": "6"}, "deep")
    assert texts(folder) == {"a": "5", "deep/b": "6", "mine": "4"}
    assert listing(folder / "deep") == ["b"]
    files.write_all(folder, {}, "deep")
    assert listing(folder) == ["a", "mine"], "a folder that is empty goes too"


def test_on_a_full_disk_the_old_files_stay_as_they_were(tiny_disk: Path) -> None:
    old = {"a": "old", "deep/b": "old too"}
    files.write_all(tiny_disk, old, "deep")
    with pytest.raises(UsageError) as caught:
        files.write_all(tiny_disk, {"a": "new", "deep/b": "x" * 1_000_000, "deep/new/c": "new"}, "deep")
    assert str(caught.value) == f"cannot write {tiny_disk}: No space left on device"
    assert texts(tiny_disk) == old
    assert [path.name for path in tiny_disk.iterdir() if path.name.startswith(".")] == []
    assert listing(tiny_disk / "deep") == ["b"]


def test_a_folder_in_the_way_is_told_before_anything_is_moved(tmp_path: Path) -> None:
    files.write_all(tmp_path, {"a": "old"}, "deep")
    (tmp_path / "b").mkdir()
    with pytest.raises(UsageError) as caught:
        files.write_all(tmp_path, {"a": "new", "b": "new"}, "deep")
    assert str(caught.value) == f"cannot write {tmp_path / 'b'}: Is a directory"
    assert (tmp_path / "a").read_text() == "old"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_and_its_like_wait_until_all_files_are_in_place(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_all(tmp_path, {"a": "old", "b": "old"}, "deep")
    replace = Path.replace
    before = signal.signal(number, signal.default_int_handler)

    def interrupted(self: Path, target: Path) -> Path:
        os.kill(os.getpid(), number)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            files.write_all(tmp_path, {"a": "new", "b": "new"}, "deep")
    finally:
        signal.signal(number, before)
    assert texts(tmp_path) == {"a": "new", "b": "new"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


KILLED = """
import os, pathlib, signal, sys
from cprcheck import files
replace = pathlib.Path.replace
def killed(self, target):
    if target.name == "c":
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)
pathlib.Path.replace = killed
files.write_all(pathlib.Path(sys.argv[1]), {"a": "half", "deep/b": "half", "deep/new/c": "half"}, "deep")
"""


def test_what_was_killed_half_way_is_made_whole_by_the_next(tmp_path: Path) -> None:
    files.write_all(tmp_path, {"a": "old", "deep/b": "old", "deep/old/c": "old"}, "deep")
    subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False)
    (left,) = files.leftovers(tmp_path)
    assert texts(tmp_path) == {
        "a": "half",
        "deep/b": "half",
        "deep/old/c": "old",
        f"{left.name}/deep/new/c": "half",
    }
    (tmp_path / ".mine.tmp").mkdir()
    files.write_all(tmp_path, {"a": "new", "deep/d": "new"}, "deep")
    assert texts(tmp_path) == {"a": "new", "deep/d": "new"}
    assert listing(tmp_path) == [".mine.tmp", "a", "deep"]
    assert listing(tmp_path / "deep") == ["d"]


def test_no_link_is_followed_out_of_the_folder(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    files.write_all(other, {"b": "other"}, "deep")
    folder.mkdir()
    (folder / "deep").symlink_to(other)
    for names in ({"a": "new", "deep/b": "new"}, {"a": "new"}):
        with pytest.raises(UsageError) as caught:
            files.write_all(folder, names, "deep")
        assert str(caught.value) == f"cannot write below {folder / 'deep'}: it is a link to somewhere else"
    assert (listing(folder), texts(other)) == (["deep"], {"b": "other"})


# ---- append ---------------------------------------------------------------------------------------------------------

FULL = """
import pathlib, resource, signal, sys
from cprcheck import files
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))
files.append(pathlib.Path(sys.argv[1]), "x" * 99)
"""


def test_what_was_in_a_file_stays_when_it_cannot_grow(tmp_path: Path) -> None:
    """A limit of the process stands for a full disk: half a line would be left behind."""
    path = tmp_path / "step.md"
    path.write_text("before\n")
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1].endswith(f"UsageError: cannot write {path}: File too large")
    assert path.read_text() == "before\n"
    files.append(path, "after\n")
    assert path.read_text() == "before\nafter\n"


def test_what_is_appended_to_may_be_new_and_may_be_no_file(tmp_path: Path) -> None:
    files.append(tmp_path / "new.md", "häß\n")
    assert (tmp_path / "new.md").read_bytes() == "häß\n".encode()
    files.append(Path("/dev/null"), "gone")
    with pytest.raises(UsageError, match=r"^cannot write .*: Is a directory$"):
        files.append(tmp_path, "x")
