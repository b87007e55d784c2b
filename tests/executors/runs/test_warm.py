"""A warm child serves one run at once, as well as a cold one, and only where it fits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from executors.runs import warm as warming
from executors.runs.run import start
from executors.runs.warm import Warm

Until = Callable[[Callable[[], bool]], None]
LIGHT = ("colorsys",)  # stands for what is heavy: nothing else imports it


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own code counts as unchanged, for somebody may be editing it."""
    stamp = warming._stamp
    ours = Path(warming.__file__).parent
    monkeypatch.setattr(
        warming, "_stamp", lambda path: (0, 0) if ours in path.parents else stamp(path)
    )
    monkeypatch.delenv("PYTEST_CURRENT_TEST")


@pytest.fixture
def warm(attack: str, steady: None) -> Iterator[Warm]:
    """One that is ready."""
    with Warm(LIGHT) as one:
        assert one.wait_ready()
        yield one


@pytest.fixture(autouse=True)
def same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pytest tells the phase of a test in the environment, which would change after a fixture."""
    put = os.environ.__class__.__setitem__

    def keep(environment: os._Environ[str], key: str, value: str) -> None:
        if key != "PYTEST_CURRENT_TEST":
            put(environment, key, value)

    monkeypatch.setattr(os.environ.__class__, "__setitem__", keep)


def test_a_run_in_a_warm_child_is_like_any_other(attack: str, warm: Warm, tmp_path: Path) -> None:
    """Same events, result and folder; the child that waited is the run's, with its imports."""
    waited = warm.pid
    run = start(attack, {"do": "modules"}, tmp_path, warm=warm)
    assert run.warmed and run.pid == waited
    values = run.wait().values
    assert values["colorsys"] is True and values["ours"] == []
    assert values["cwd"] == str(run.folder) and values["mark"] == run.id
    assert "" not in values["path"] and str(Path.cwd() / "tests") not in values["path"]
    cold = start(attack, {"do": "modules"}, tmp_path).wait().values
    assert (
        cold["colorsys"] is False
        and cold["path"] == values["path"]
        and cold["stdin"] == values["stdin"] == ""
    )


def test_a_child_serves_one_run_and_another_is_made(
    attack: str, warm: Warm, tmp_path: Path, until: Until
) -> None:
    """After a run, the next child waits; it has not seen the run before it."""
    first = start(attack, {}, tmp_path, warm=warm)
    first.wait()
    until(lambda: warm.pid not in (0, first.pid))
    second = start(attack, {}, tmp_path, warm=warm)
    assert second.warmed and second.pid != first.pid and second.wait().status == "ok"


def test_while_the_child_is_in_use_runs_start_cold(attack: str, warm: Warm, tmp_path: Path) -> None:
    """A second run does not wait for a child to be made ready."""
    first = start(attack, {"do": "hang"}, tmp_path, warm=warm)
    second = start(attack, {}, tmp_path, warm=warm)
    assert (first.warmed, second.warmed) == (True, False) and second.wait().status == "ok"
    first.cancel()
    assert first.wait().status == "cancelled"


def test_a_child_that_died_is_not_used(
    attack: str, warm: Warm, tmp_path: Path, until: Until
) -> None:
    """The run starts the cold way, and the next finds a new child."""
    dead = warm.pid
    os.kill(dead, signal.SIGKILL)
    # A zombie may have threads that are still dying: until then nobody can tell that it ended.
    os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)
    run = start(attack, {}, tmp_path, warm=warm)
    assert not run.warmed and run.wait().status == "ok"
    until(lambda: warm.pid not in (0, dead))


def test_a_child_that_dies_over_its_order_is_replaced(
    attack: str, warm: Warm, tmp_path: Path
) -> None:
    """Stopped when the order comes and killed before it reads it: a cold child does the run."""
    os.kill(warm.pid, signal.SIGSTOP)
    run = start(attack, {"count": 2}, tmp_path, warm=warm)
    assert run.warmed
    os.kill(run.pid, signal.SIGKILL)
    events = [event["event"] for event in run.events()]
    assert events == ["started", "number", "number", "artifact", "result"]
    assert run.wait().status == "ok" and not run.warmed


def test_a_run_that_has_begun_is_not_done_twice(attack: str, warm: Warm, tmp_path: Path) -> None:
    """Once a warm child has said something, its end is the run's."""
    result = start(attack, {"do": "kill"}, tmp_path, warm=warm).wait()
    assert result.status == "failed" and "SIGKILL" in result.message


@pytest.mark.parametrize("change", ["environment", "path", "installed", "interpreter", "code"])
def test_a_child_from_before_a_change_is_not_used(
    attack: str,
    warm: Warm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: str,
    until: Until,
) -> None:
    """Another environment, path, installation, Python or code: cold, and a new child is made."""
    old = warm.pid
    if change == "environment":
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
    elif change == "path":
        (tmp_path / "more").mkdir()
        monkeypatch.setenv(
            "PYTHONPATH", os.environ["PYTHONPATH"] + os.pathsep + str(tmp_path / "more")
        )
    elif change == "installed":
        (Path(os.environ["PYTHONPATH"].split(os.pathsep)[0]) / "new_package").mkdir()
    elif change == "interpreter":
        (tmp_path / "python").symlink_to(sys.executable)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        monkeypatch.setenv("PYTHONHOME", sys.base_prefix)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], *sys.path]))
    else:
        monkeypatch.setattr(warming, "_stamp", lambda path: None)
    run = start(attack, {}, tmp_path / "runs", warm=warm)
    assert not run.warmed
    assert run.wait().status == "ok"
    until(lambda: gone(old) and warm.pid not in (0, old))


def test_a_recipe_registered_while_a_child_waits_is_found(
    attack: str, warm: Warm, tmp_path: Path, register: Callable[[Path, str, str, str], None]
) -> None:
    """A third party's recipe installed after warming runs."""
    place = Path(os.environ["PYTHONPATH"].split(os.pathsep)[0])
    source = (place / "gradus_attack.py").read_text().replace('name="attack"', 'name="late"')
    register(place, "late", "gradus_late", source)
    assert start("late", {}, tmp_path, warm=warm).wait().status == "ok"


def test_a_child_still_importing_can_be_cancelled(attack: str, tmp_path: Path) -> None:
    """A run given to a child that is not ready yet ends at once when cancelled."""
    (tmp_path / "site" / "slow_import.py").write_text("import time\ntime.sleep(600)\n")
    with Warm(("slow_import",)) as warm:
        run = start(attack, {}, tmp_path / "runs", warm=warm)
        run.cancel()
        assert run.wait().status == "cancelled" and gone(run.pid)


def test_modules_that_are_not_there_are_left_out(attack: str, tmp_path: Path) -> None:
    """What cannot be imported is no reason to start cold."""
    with Warm(("no_such_module", *LIGHT)) as warm:
        assert warm.wait_ready()
        run = start(attack, {"do": "modules"}, tmp_path, warm=warm)
        assert run.wait().values["colorsys"] is True


def test_closing_ends_the_child_that_waits(warm: Warm) -> None:
    """Nothing is left, and nothing is made anew."""
    waited = warm.pid
    warm.close()
    warm.prepare()
    assert gone(waited) and warm.pid == 0 and not warm.wait_ready()


def test_a_waiting_child_ends_with_its_killed_server(attack: str, until: Until) -> None:
    """SIGKILL of the program that keeps it warm leaves nothing behind."""
    program = (
        "import time\nfrom executors.runs.warm import Warm\n"
        f"warm = Warm({LIGHT!r})\nwarm.wait_ready()\nprint(warm.pid, flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        child = int(server.stdout.readline())
        assert not gone(child)
        server.kill()
        until(lambda: gone(child))


def test_a_warm_child_of_ours_holds_torch_and_fastai_but_no_card(
    attack: str, steady: None, tmp_path: Path
) -> None:
    """The real thing: what is heavy is imported before the run, and CUDA was not started."""
    with Warm() as warm:
        assert warm.wait_ready()
        run = start(attack, {"do": "heavy"}, tmp_path, warm=warm)
        assert run.warmed
        assert run.wait().values == {"torch": True, "fastai": True, "cuda": False}


def test_its_trials_are_forks_of_it_and_end_with_it(steady: None, tmp_path: Path) -> None:
    """Nothing is imported again; a server of trials that dies is replaced; cancelling ends all."""
    with Warm() as warm:
        assert warm.wait_ready()
        run = start("batch-size", {"task": "tabular", "device": "cpu"}, tmp_path, warm=warm)
    assert run.warmed
    told = run.events()
    first = next(event for event in told if event["event"] in ("trial", "result"))
    assert first["event"] == "trial" and first["t"] < 3, first
    child = psutil.Process(run.pid)
    (server,) = child.children()
    assert server.cmdline() == child.cmdline()
    server.kill()
    assert any(event["event"] == "trial" and event["ok"] for event in told)
    run.cancel()
    assert gone(server.pid)


def test_cancelling_ends_the_trials_of_a_warm_child(
    steady: None, until: Until, tmp_path: Path
) -> None:
    """The server, which is a fork, and the trial that it forked."""
    with Warm(LIGHT) as warm:
        assert warm.wait_ready()
        run = start("batch-size", {"task": "tabular", "device": "cpu"}, tmp_path, warm=warm)
    child = psutil.Process(run.pid)
    until(lambda: len(child.children(recursive=True)) == 2)
    family = [one.pid for one in child.children(recursive=True)]
    run.cancel()
    assert all(map(gone, family))
