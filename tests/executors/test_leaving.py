"""A process that leaves ends as one that exits: its code, its words, its threads, what is due."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def ends(code: str, *, how: str) -> tuple[int, str, str]:
    """Exit code and what was said."""
    begin = "import sys, os\nfrom executors.leaving import leave\n"
    script = begin + code.replace("END", how)
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, env=buffered,
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("code", ["", "0", "None", "3", "True", "-1", "256", "'in words'"])
def test_a_code_is_what_it_is_for_exit(code: str) -> None:
    """Numbers, nothing, and words, which are said."""
    assert ends(f"END({code})", how="leave") == ends(f"END({code})", how="sys.exit")


def test_what_is_due_is_done_and_what_was_said_arrives() -> None:
    """Threads go to their end, then what was registered, the last first; folders go."""
    code = """
import atexit, tempfile, threading, time
folder = tempfile.TemporaryDirectory()
def late():
    time.sleep(0.2)
    print("thread")
atexit.register(lambda: print("first", os.path.exists(folder.name)))
atexit.register(lambda: print("last"))
threading.Thread(target=late).start()
sys.stdout.write("no end of line ")
END(4)
"""
    left = ends(code, how="leave")
    assert left == ends(code, how="sys.exit")
    assert left == (4, "no end of line thread\nlast\nfirst True\n", "")


def test_nothing_is_taken_apart() -> None:
    """An object that is alive at the end is not told."""
    code = """
class Held:
    def __del__(self):
        os.write(1, b"taken apart")
held = Held()
END()
"""
    assert ends(code, how="sys.exit")[1] == "taken apart"
    assert ends(code, how="leave") == (0, "", "")


def test_a_reader_that_has_gone_does_not_matter() -> None:
    """What cannot be written any more is dropped."""
    code = "os.close(1)\nsys.stdout.write('x')\nEND(2)"
    assert ends(code, how="leave")[0] == 2
