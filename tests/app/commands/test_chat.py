"""A conversation in the terminal: follow-ups, its commands, pipes, and how it ends."""

from __future__ import annotations

import io
import os
import pty
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from shell import Shell

from app.commands import chat
from executors.runs.history import history
from kg.encoder import Encoder
from kg.types import RecipeOffer

Say = Callable[..., str]
# As a shell starts it, whatever started the tests: what runs in the background ignores Ctrl-C.
IN_A_TERMINAL = """
import fcntl, signal, termios
signal.signal(signal.SIGINT, signal.default_int_handler)
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from app.commands.ingest_and_ask import program
program()
"""


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    store_folder: Path,
    encoder: Encoder,
) -> Shell:
    monkeypatch.setattr("app.open_store.load_encoder", lambda name: encoder)
    return Shell(capsys, monkeypatch, store_folder, "chat")


@pytest.fixture
def say(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Pipe lines into a conversation; what it printed."""

    def piped(*lines: str) -> str:
        typed = "".join(f"{line}\n" for line in lines).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(typed), encoding="utf-8"))
        return shell()

    return piped


def test_a_piped_question_is_answered_with_its_lines(say: Say, shell: Shell) -> None:
    """One line in, the answer with file and line out, without colours or a prompt."""
    out = say("what is flour?")
    assert "Flour is ground grain." in out
    assert "[1] bread.md:5" in out
    assert "\x1b" not in out + shell.err
    assert chat.PROMPT.strip() not in out
    assert (shell.code, shell.err) == (0, "")


def test_a_follow_up_is_understood(say: Say) -> None:
    """What is asked next is understood from what was asked before."""
    out = say("what is flour?", "", "and levain?")
    assert out.index("ground grain") < out.index("wild yeast")


def test_sources_are_shown_with_their_files(say: Say, notes: Path, shell: Shell) -> None:
    """Each cited line with the path that an editor opens; before a question there are none."""
    out = say("what is flour?", "/sources")
    assert f"[1] {notes / 'bread.md'}:5" in out
    assert say("/sources") == ""
    assert "nothing has been asked yet" in shell.err


def test_the_path_is_of_what_was_spoken_of(say: Say, shell: Shell) -> None:
    """Alone it leads to the last subject, with a name to that; an unknown one ends nothing."""
    out = say("what is proofing?", "/path", "/path nonsense, Flour", "/path flour")
    assert out.index("1. Flour") < out.index("2. Sourdough starter") < out.index("3. Proofing")
    assert out.rindex("1. Flour") > out.index("3. Proofing")
    assert "no concept 'nonsense'" in shell.errors
    assert shell.code == 0
    say("/path")
    assert "name a concept" in shell.err


def test_quit_ends_it_and_the_unknown_is_helped(say: Say, shell: Shell) -> None:
    """Nothing after /quit is read; a command that is none lists those that are."""
    assert "ground grain" not in say("/wat", "/quit", "what is flour?")
    for name in (*chat._COMMANDS, "/quit"):
        assert name in shell.err


def test_what_was_offered_is_run(
    say: Say, shell: Shell, store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """/run runs the only offer with its parameters; of several it asks which."""
    say("what is flour?", "/run")
    assert "offers nothing to run" in shell.err
    one = RecipeOffer("free-memory", {"task": "tabular", "device": "cpu"}, "")
    two = RecipeOffer("lr-find", {"task": "tabular"}, "")
    known = chat._answer

    def offering(*offers: RecipeOffer) -> None:
        def answer(talk: chat._Talk, question: str) -> None:
            known(talk, question)
            answered = talk.turns[-1][1]
            object.__setattr__(answered, "recipes", offers)

        monkeypatch.setattr(chat, "_answer", answer)

    offering(one, two)
    say("what is flour?", "/run", "/run 3")
    assert shell.err.count("/run 2: gradus run lr-find --task tabular") == 2
    before = len(history(store_folder / "runs"))
    assert "ok: " in say("what is flour?", "/run 1")
    newest, *others = history(store_folder / "runs")
    assert (newest.recipe, newest.params["task"], len(others)) == ("free-memory", "tabular", before)


def test_without_a_store_it_says_what_to_run(shell: Shell, say: Say, tmp_path: Path) -> None:
    """One line, and exit code 1."""
    shell.store = tmp_path / "none"
    say("what is flour?")
    assert shell.code == 1
    assert "gradus ingest" in shell.err


def test_bytes_that_are_no_text_are_a_question(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is piped in need not be UTF-8."""
    odd = io.TextIOWrapper(io.BytesIO(b"what is \xff flour?\n"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", odd)
    assert "Flour" in shell()
    assert shell.code == 0


def test_in_a_terminal_ctrl_c_drops_a_line_and_ctrl_d_ends(
    store_folder: Path, tmp_path: Path
) -> None:
    """It ends with 0 and no traceback; what was typed is remembered for the next time."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_TERMINAL, "chat", "--store", str(store_folder)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=os.environ | {"XDG_STATE_HOME": str(tmp_path), "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(follower)
    try:
        said = _read_until(leader, chat.PROMPT)
        assert "concepts from 4 notes" in said
        os.write(leader, b"what is no")
        _read_until(leader, "what is no")
        _press_ctrl_c_until(leader, chat.PROMPT)
        os.write(leader, b"what is flour?\n")
        answered = _read_until(leader, chat.PROMPT)
        assert "bread.md:5" in answered
        assert "\x1b[" in answered  # coloured
        os.write(leader, b"\x04")
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)
    (kept,) = tmp_path.rglob("chat_history")
    assert kept.read_text(encoding="utf-8").split("\n")[-2:] == ["what is flour?", ""]
    assert kept.stat().st_mode & 0o077 == 0


def _press_ctrl_c_until(leader: int, wanted: str) -> None:
    """Press it as somebody does, again when nothing happens.

    Python's readline sleeps through a signal that comes after it echoed a character and before
    it waits for the next one.
    """
    seen = b""
    while wanted.encode() not in seen:
        os.write(leader, b"\x03")
        while wanted.encode() not in seen and select.select([leader], [], [], 5)[0]:
            seen += os.read(leader, 4096)


def _read_until(leader: int, wanted: str) -> str:
    """What the terminal shows up to some words."""
    seen = b""
    while wanted.encode() not in seen:
        seen += os.read(leader, 4096)
    return seen.decode()
