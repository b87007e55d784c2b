"""Trials that hang, die, write garbage or lose their numbers: the result names it, and the next
trial works.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from executors.batch_size.bench import Bench
from executors.batch_size.search import Case
from executors.errors import RecipeError

PROGRAM = """
import json, os, signal, sys, time
out = int(sys.argv[1])
def answer(value):
    os.write(out, (json.dumps(value) + chr(10)).encode())
for line in sys.stdin:
    asked = json.loads(line)
    batch = asked.get("batch")
    if batch is None:
        answer({"device": "cpu", "limit_bytes": 1000, "available_bytes": 2000, "precisions": ["float32"], "notes": []})
    elif batch == 3:
        time.sleep(600)
    elif batch == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    elif batch == 6:
        os.kill(os.getpid(), signal.SIGSEGV)
    elif batch == 7:
        os.write(out, b"\\xff\\xfe no answer" + bytes([10]))
    elif batch == 8:
        answer([1, 2])
    elif batch == 9:
        answer({"fine": True})
    elif batch == 10:
        while True:
            os.write(out, b"x" * 65536)
    elif batch == 11:
        os._exit(3)
    elif batch == 12:
        answer({"error": "ValueError: the shapes do not agree", "unexpected": True})
    else:
        answer({"ok": True, "peak_bytes": 10 * batch, "train_bytes": 9 * batch, "samples_per_s": 5.0, "left_bytes": 0,
                "finite": batch != 13, "less_worked": asked["less_worked"]})
"""


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A bench whose trials misbehave by their batch."""
    (tmp_path / "bad_trials.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Bench({}, limit_s=1.0, module="bad_trials") as opened:
        yield opened


def works(bench: Bench) -> bool:
    """Whether an ordinary trial is answered."""
    return bench.attempt(Case(), 4, steps=2).ok


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (3, "a trial of batch 3 gave no answer for 1 s and was ended"),
        (7, "a trial's answer cannot be read"),
        (8, "a trial's answer cannot be read: '[1, 2]'; something else wrote where it answers"),
        (9, "a trial's answer cannot be read: '{\"fine\": true}'"),
        (10, "a trial's answer cannot be read: 'xxx"),
        (11, "a trial ended with exit code 3; the log says why"),
        (12, "a trial of batch 12 failed: ValueError: the shapes do not agree"),
    ],
)
def test_what_is_no_lack_of_memory_is_an_error_that_names_it(
    bench: Bench, batch: int, said: str
) -> None:
    """And the next trial gets a process of its own."""
    assert works(bench)
    with pytest.raises(RecipeError) as raised:
        bench.attempt(Case(), batch, steps=2)
    assert str(raised.value).startswith(said)
    assert works(bench)


@pytest.mark.parametrize(
    ("batch", "said"), [(5, "killed by the system (SIGKILL)"), (6, "ended by SIGSEGV")]
)
def test_a_trial_that_is_killed_does_not_fit(bench: Bench, batch: int, said: str) -> None:
    """The system kills what takes too much memory; the search goes on below."""
    trial = bench.attempt(Case(), batch, steps=2)
    assert not trial.ok and said in trial.reason
    assert works(bench)


def test_a_loss_that_is_no_number_is_told(bench: Bench) -> None:
    """The trial counts for memory all the same."""
    assert bench.attempt(Case(), 4, steps=2).finite
    trial = bench.attempt(Case(), 13, steps=2)
    assert trial.ok and not trial.finite


def test_no_process_is_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, until: Callable[[Callable[[], bool]], None]
) -> None:
    """Neither the one that answers nor the one kept ready."""
    import psutil

    (tmp_path / "bad_trials.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = {child.pid for child in psutil.Process().children()}
    with Bench({}, limit_s=1.0, module="bad_trials") as bench:
        assert works(bench)
        assert {child.pid for child in psutil.Process().children()} - before
    until(lambda: {child.pid for child in psutil.Process().children()} <= before)
