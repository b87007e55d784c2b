"""Trials that hang, die or write garbage: the result names it, and the next trial works."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from executors.batch_size import bench as bench_module
from executors.batch_size.bench import Bench
from executors.batch_size.search import Case
from executors.batch_size.trial_server import TrialServer
from executors.errors import RecipeError

Until = Callable[[Callable[[], bool]], None]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="trials are forked on Linux only")
FORKED = pytest.mark.parametrize(
    "module", [pytest.param(True, id="forked", marks=LINUX)], indirect=True
)

STATES = """
import json, os, resource, socket, sys

def files(pid):
    lines = open(f"/proc/{pid}/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssFile"))

def main(channel):
    torch = sys.modules.get("torch")
    state = {
        "torch": torch is not None,
        "cuda": torch is not None and torch.cuda.is_initialized(),
        "threads": len(os.listdir("/proc/self/task")),
        "files": files("self"),
        "files_of_server": files(os.getppid()),
        "limit": resource.getrlimit(resource.RLIMIT_DATA)[0],
    }
    resource.setrlimit(resource.RLIMIT_DATA, (2**40, resource.RLIM_INFINITY))
    socket.socket(fileno=channel).send(json.dumps(state).encode())
    return 0
"""

PROGRAM = """
import json, os, signal, sys, time

def main(channel):
    def answer(value):
        os.write(channel, (json.dumps(value) + chr(10)).encode())
    for line in open(channel):
        asked = json.loads(line)
        batch = asked.get("batch")
        if batch is None:
            answer({"device": "cpu", "limit_bytes": 1000, "available_bytes": 2000,
                    "precisions": ["float32"], "notes": []})
        elif batch == 3:
            time.sleep(600)
        elif batch == 5:
            os.kill(os.getpid(), signal.SIGKILL)
        elif batch == 6:
            os.kill(os.getpid(), signal.SIGSEGV)
        elif batch == 7:
            os.write(channel, b"\\xff\\xfe no answer" + bytes([10]))
        elif batch == 8:
            answer([1, 2])
        elif batch == 9:
            answer({"fine": True})
        elif batch == 10:
            while True:
                os.write(channel, b"x" * 65536)
        elif batch == 11:
            os._exit(3)
        elif batch == 12:
            answer({"error": "ValueError: the shapes do not agree", "unexpected": True})
        elif batch == 14:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(600)
        else:
            answer({"ok": True, "peak_bytes": 10 * batch, "train_bytes": 9 * batch,
                    "samples_per_s": 5.0, "left_bytes": 0, "finite": batch != 13,
                    "less_worked": asked["less_worked"]})

if __name__ == "__main__":
    main(int(sys.argv[1]))
"""


@pytest.fixture(
    params=[pytest.param(True, id="forked", marks=LINUX), pytest.param(False, id="spawned")]
)
def module(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module whose trials misbehave by their batch; forked, or programs of their own."""
    server = partial(TrialServer, forks=request.param, imports=())
    (tmp_path / "bad_trials.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(bench_module, "TrialServer", server)
    return "bad_trials"


@pytest.fixture
def bench(module: str) -> Iterator[Bench]:
    """A bench of such trials."""
    with Bench({}, limit_s=1.0, module=module) as opened:
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


@FORKED
def test_a_server_that_the_system_ends_is_started_anew(bench: Bench) -> None:
    """Its trial ends with it, as one that did not fit."""
    trial = bench.attempt(Case(), 14, steps=2)
    assert not trial.ok and "killed by the system (SIGKILL)" in trial.reason
    assert works(bench)


@FORKED
def test_a_server_that_cannot_begin_says_so(module: str, tmp_path: Path) -> None:
    """It is the log that says why."""
    (tmp_path / f"{module}.py").write_text("import sys\nsys.exit(7)\n")
    bench = Bench({}, module=module)
    with pytest.raises(RecipeError, match=r"no trial can be started \(exit code 7\)"):
        bench.__enter__()


@pytest.mark.parametrize("hangs", [False, True])
def test_no_process_is_left_behind(module: str, hangs: bool, until: Until) -> None:
    """Neither the trial, be it idle or in the middle of something, nor what starts trials."""
    before = family()
    with Bench({}, limit_s=1.0, module=module) as bench:
        assert works(bench)
        if hangs:
            _, channel = bench._process or (0, None)
            assert channel is not None
            channel.sendall(b'{"batch": 3}\n')
        started = family() - before
        assert len(started) == 2
    until(lambda: not family() & started)


@FORKED
@pytest.mark.parametrize("batch", [3, 10])
def test_trials_end_with_a_recipe_that_is_killed(module: str, batch: int, until: Until) -> None:
    """One that hangs, and one that writes without end to somebody who is gone."""
    program = (
        "from functools import partial\nfrom executors.batch_size import bench, search\n"
        "bench.TrialServer = partial(bench.TrialServer, imports=())\n"
        f"opened = bench.Bench({{}}, limit_s=600, module={module!r})\nopened.open()\n"
        f"print(opened._process[0], flush=True)\nopened.attempt(search.Case(), {batch}, steps=2)"
    )
    words = [sys.executable, "-c", program]
    home = f"{os.environ['PYTHONPATH']}{os.pathsep}{Path(__file__).parents[3]}"
    environment = {**os.environ, "PYTHONPATH": home}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=environment) as recipe:
        assert recipe.stdout is not None
        trial = int(recipe.stdout.readline())
        assert not gone(trial)
        recipe.kill()
    until(lambda: gone(trial))


@LINUX
def test_a_fork_is_as_good_as_a_fresh_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No card is open in it, its one thread is its own, and it has the memory that was read."""
    (tmp_path / "states.py").write_text(STATES)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    server = TrialServer("states", imports=("torch",))
    try:
        states = []
        for _ in range(2):
            pid, channel = server.start()
            with channel:
                states.append(json.loads(channel.recv(4096)))
            assert server.end(pid, kill=False) == 0
    finally:
        server.close()
    for state in states:
        assert state["torch"] and not state["cuda"] and state["threads"] == 1
        assert abs(state["files"] - state["files_of_server"]) < 0.05 * state["files_of_server"]
        assert state["limit"] == -1, "a limit is the trial's own, not the server's"


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def family() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))
