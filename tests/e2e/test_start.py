"""The pages begin before anything is loaded: they say what they wait for, and then have it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from free_port import free_port
from pages_server import Visit
from playwright.sync_api import expect
from with_ctrl_c import ended_with_ctrl_c

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
# An ingest that waits for a file, so that the test sees what is there before it.
HELD = """
import sys, time
from pathlib import Path
from ingest import build
go, port, store, notes = sys.argv[1:]
read = build.ingest
def held(paths, store, encoder, progress):
    progress("encoding", 2, 7)
    while not Path(go).exists():
        time.sleep(0.05)
    return read(paths, store, encoder, progress)
build.ingest = held
sys.argv = ["gradus", "app", notes, "--store", store, "--port", port]
from app.commands.ingest_and_ask import program
program()
"""


@contextmanager
def started(*words: str | Path, script: str) -> Iterator[subprocess.Popen[str]]:
    """A process of ours, ended with Ctrl-C."""
    server = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
    )
    with ended_with_ctrl_c(server):
        yield server


@pytest.fixture
def port() -> str:
    return str(free_port())


def until(server: subprocess.Popen[str], words: str) -> None:
    """Read what it prints up to these words."""
    assert server.stdout is not None
    assert any(words in line for line in server.stdout), "the server ended"


def test_the_pages_are_there_before_the_notes_are_read(
    visit: Visit, tmp_path: Path, port: str
) -> None:
    """They say how far the reading is; a question waits for it; then all of it is there."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mixup.md").write_text(
        "# Mixup\n\nMixup blends two pictures and their labels.\n", encoding="utf-8"
    )
    go, page = tmp_path / "go", visit.page
    words = (go, port, tmp_path / "store", tmp_path / "notes")
    with started(*words, script=HELD) as server:
        until(server, f"Gradus starts at http://127.0.0.1:{port}")
        page.goto(f"http://127.0.0.1:{port}")
        expect(page.get_by_role("status")).to_contain_text("is starting")
        doing = page.locator("#doing")  # of the pages, which come by themselves
        expect(doing).to_contain_text("Reading your notes: encoding, 2 of 7")
        expect(page.locator(".g-welcome")).to_contain_text("One moment")
        page.get_by_label("Your question").fill("What is mixup?")
        page.keyboard.press("Enter")
        answer = page.get_by_test_id("bot")
        expect(answer).to_contain_text("Reading your notes")
        page.get_by_role("tab", name="Graph").click()
        expect(page.locator(".gg-message")).to_contain_text("Reading your notes")
        go.touch()
        until(server, "1 notes")
        expect(page.get_by_role("button", name="Mixup")).to_be_visible()
        page.get_by_role("tab", name="Ask").click()
        expect(answer).to_contain_text("blends two pictures", timeout=90_000)
        expect(doing).to_be_empty()
        # What starts says 503, and between the two nobody listens: who comes then is refused, and
        # who waited to be heard is cut off.
        gap = ("503", "CONNECTION_REFUSED", "CONNECTION_RESET")
        assert [e for e in visit.errors if not any(word in e for word in gap)] == []


def test_notes_that_cannot_be_read_end_it_with_a_line(tmp_path: Path, port: str) -> None:
    """A folder without any is one line and exit code 1, as for every command."""
    (tmp_path / "empty").mkdir()
    script = "from app.commands.ingest_and_ask import program; program()"
    words = ("app", tmp_path / "empty", "--store", tmp_path / "store", "--port", port)
    with started(*words, script=script) as server:
        out, _ = server.communicate(timeout=120)
    assert server.returncode == 1
    assert [line for line in out.splitlines() if line.startswith("gradus: ")], out
    assert "holds no notes" in out and "Traceback" not in out


def test_ctrl_c_while_notes_are_read_ends_it(tmp_path: Path, port: str) -> None:
    """At once and without a traceback; the store is as before."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text("# A\n\nA is a letter.\n", encoding="utf-8")
    words = (tmp_path / "go", port, tmp_path / "store", tmp_path / "notes")
    with started(*words, script=HELD) as server:
        until(server, "Gradus is at")
        server.send_signal(signal.SIGINT)
        out, _ = server.communicate(timeout=60)
    assert server.returncode == 0 and "Traceback" not in out
