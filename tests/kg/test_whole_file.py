"""A file is written whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kg.whole_file import clear_unfinished, write_whole


def test_a_new_file_holds_the_content(tmp_path: Path) -> None:
    """With the rights that any new file gets, and nothing beside it."""
    write_whole(tmp_path / "new.txt", b"one\n")
    (tmp_path / "usual.txt").write_bytes(b"")
    assert (tmp_path / "new.txt").read_bytes() == b"one\n"
    assert (tmp_path / "new.txt").stat().st_mode == (tmp_path / "usual.txt").stat().st_mode
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new.txt", "usual.txt"]


def test_a_file_keeps_its_rights(tmp_path: Path) -> None:
    """A file that only its owner may read is no other's to read after it is replaced."""
    file = tmp_path / "own.txt"
    file.write_bytes(b"before")
    file.chmod(0o600)
    write_whole(file, b"after")
    assert file.read_bytes() == b"after" and file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_what_fails_leaves_the_file_as_it_was(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, or a folder in the file's place: the old content stays, nothing lies about."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "kept.txt"
    file.write_bytes(b"before")
    monkeypatch.setattr(os if step == "fsync" else Path, step, full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"after")
    assert file.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_what_a_killed_writer_left_is_taken_away(tmp_path: Path) -> None:
    """Under the names of now and of before; what a living one writes, and all else, stays."""
    killed = """
import os, signal, sys
from pathlib import Path
from kg import whole_file
whole_file.os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
whole_file.write_whole(Path(sys.argv[1]) / "kept.txt", b"after")
"""
    (tmp_path / "kept.txt").write_bytes(b"before")
    ended = subprocess.Popen([sys.executable, "-c", killed, str(tmp_path)])
    assert ended.wait(60) == -signal.SIGKILL
    (left,) = (file.name for file in tmp_path.iterdir() if file.name != "kept.txt")
    assert left.startswith(f".gradus-{ended.pid}-")
    alive = f".gradus-{os.getpid()}-01234567.new"
    for name in (f"vectors.faiss.{ended.pid}.new", alive, ".gradus-x.new", f"{ended.pid}.new"):
        (tmp_path / name).write_bytes(b"")
    clear_unfinished(tmp_path)
    kept = {"kept.txt", alive, ".gradus-x.new", f"{ended.pid}.new"}
    assert {file.name for file in tmp_path.iterdir()} == kept
    assert (tmp_path / "kept.txt").read_bytes() == b"before"
    clear_unfinished(tmp_path / "none")
