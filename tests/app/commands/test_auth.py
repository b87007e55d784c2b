"""Who may sign in: lines made on the command line, and what is refused without any."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from shell import Shell

from app.commands.auth import given_accounts
from kg.errors import GradusError


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shell:
    monkeypatch.delenv("GRADUS_AUTH", raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO("a long password\n"))
    return Shell(capsys, monkeypatch, tmp_path / "store")


def test_a_line_on_stdout_signs_in_by_the_variable(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is printed is a line for GRADUS_AUTH, and lets the name in with the piped password."""
    line = shell("auth", "add", "ann")
    assert given_accounts(None) is None
    monkeypatch.setenv("GRADUS_AUTH", line)
    people = given_accounts(None)
    assert people is not None
    assert people.signed_in("ann", "a long password", "here")
    assert not people.signed_in("ann", "another password", "here")


def test_a_file_is_filled_line_by_line(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name has one line, the newest; nobody else may read the file."""
    file = tmp_path / "people"
    for name, password in (("ann", "first password"), ("bob", "second one"), ("ann", "third one")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
        assert shell("auth", "add", name, "--file", file) == ""
        assert shell.code == 0
    assert [line.split(":")[0] for line in file.read_text().splitlines()] == ["bob", "ann"]
    assert file.stat().st_mode & 0o077 == 0
    people = given_accounts(file)
    assert people is not None
    assert people.signed_in("ann", "third one", "here")
    assert not people.signed_in("ann", "first password", "here")


def test_a_short_password_is_one_line(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1, and nothing on stdout."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("short\n"))
    assert shell("auth", "add", "ann") == ""
    assert (shell.code, "8 to 1000" in shell.err) == (1, True)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    """It does not pass for one that asks nobody."""
    with pytest.raises(GradusError, match="cannot read who may sign in"):
        given_accounts(tmp_path / "none")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "box.example"])
def test_others_are_not_served_unasked(shell: Shell, host: str) -> None:
    """Another host without accounts is refused before anything is loaded, with the way out."""
    shell("app", "--host", host)
    assert shell.code == 1
    assert f"other machines reach {host}" in shell.errors
    assert "--auth" in shell.err
    assert "--no-auth" in shell.err
