"""Nothing that a run starts outlives it, and memory and disk that run out are named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from executors.errors import RecipeError
from executors.runs import turns
from executors.runs.history import history
from executors.runs.launch import RUN
from executors.runs.run import Run, start

Until = Callable[[Callable[[], bool]], None]
LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="limits and scores of memory are Linux's"
)
FULL = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full to stand for a full disk"
)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a card."""
    monkeypatch.setattr(turns, "places", lambda asked: ("cpu",))


def first(run: Run, name: str) -> dict[str, object]:
    return next(event for event in run.events() if event["event"] == name)


def marked(run: str) -> list[int]:
    """Processes that live and carry the run's mark."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get(RUN) == run and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one.pid)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize("hangs", [0, 1])
def test_a_daemon_that_left_group_and_family_is_ended(
    attack: str, tmp_path: Path, hangs: int, until: Until
) -> None:
    """A child that has ended started it in a session of its own: the mark finds it all the same."""
    run = start(attack, {"do": "daemon", "count": hangs}, tmp_path / "runs")
    pid = first(run, "daemon")["pid"]
    assert isinstance(pid, int)
    if hangs:
        assert pid in marked(run.id)
        run.cancel()
    assert run.wait().status == ("cancelled" if hangs else "ok")
    until(lambda: gone(pid))
    assert marked(run.id) == []


def test_a_daemon_does_not_outlive_a_killed_server(
    attack: str, tmp_path: Path, until: Until
) -> None:
    """SIGKILL of the program that started the run leaves no process over, wherever it hid."""
    program = (
        "import time\nfrom pathlib import Path\nfrom executors.runs.run import start\n"
        f"run = start('attack', {{'do': 'daemon', 'count': 1}}, Path({str(tmp_path / 'runs')!r}))\n"
        "pid = next(e['pid'] for e in run.events() if e['event'] == 'daemon')\n"
        "print(run.id, run.pid, pid, flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        run, *pids = server.stdout.readline().split()
        assert set(map(int, pids)) <= set(marked(run))
        server.kill()
    until(lambda: all(gone(int(pid)) for pid in pids) and not marked(run))


def test_other_runs_are_left_alone(attack: str, tmp_path: Path) -> None:
    """Ending one run ends nothing of another."""
    one = start(attack, {"do": "family"}, tmp_path / "runs")
    two = start(attack, {"do": "family"}, tmp_path / "runs")
    pids = first(two, "family")["pids"]
    first(one, "family")
    one.cancel()
    assert isinstance(pids, list) and not any(map(gone, pids))
    two.cancel()


def test_zombie_children_keep_nothing_open(attack: str, tmp_path: Path, until: Until) -> None:
    """A recipe that never waits for its children ends well, and they are gone with it."""
    run = start(attack, {"do": "zombies"}, tmp_path / "runs")
    pids = first(run, "zombies")["pids"]
    assert run.wait().status == "ok"
    assert isinstance(pids, list) and len(pids) == 20
    until(lambda: all(map(gone, pids)))
    assert gone(run.pid)


@pytest.mark.parametrize("queue", [False, True])
def test_many_runs_leave_no_descriptor_open(attack: str, tmp_path: Path, queue: bool) -> None:
    """A server may start runs for ever: each gives its pipes and its thread back."""
    start(attack, {}, tmp_path / "runs", queue=queue).wait()
    before = psutil.Process().num_fds()
    for _ in range(3):
        assert start(attack, {"count": 0}, tmp_path / "runs", queue=queue).wait().status == "ok"
    assert psutil.Process().num_fds() <= before


@LINUX
def test_a_flood_of_memory_has_its_own_status(attack: str, tmp_path: Path) -> None:
    """A recipe that takes memory without end is out of memory, and the next run works."""
    result = start(attack, {"do": "hoard"}, tmp_path / "runs").wait()
    assert result.status == "out_of_memory"
    assert result.message.startswith("MemoryError; take a smaller batch")
    assert start(attack, {}, tmp_path / "runs").wait().status == "ok"


@LINUX
def test_the_system_ends_a_run_before_its_server(attack: str, tmp_path: Path) -> None:
    """When memory runs out, a run is the first to go."""
    ours = int(Path("/proc/self/oom_score_adj").read_text())
    score = start(attack, {"do": "first to go"}, tmp_path / "runs").wait().values["score"]
    assert score >= 700 and score > ours


def test_results_and_events_too_deep_to_read_are_no_results(attack: str, tmp_path: Path) -> None:
    """Nested too deep, or a line without end: the run failed, and the history can be read."""
    run = start(attack, {"do": "deep"}, tmp_path / "runs")
    assert run.wait().status == "failed"
    events = list(run.events())
    assert [event["event"] for event in events] == ["started", "log", "log", "result"]
    assert json.loads((run.folder / "events.jsonl").read_bytes().splitlines()[-1]) == events[-1]
    assert [record.status for record in history(tmp_path / "runs")] == ["failed"]


@FULL
def test_a_full_disk_at_the_turn_is_one_clear_error(
    attack: str, one_place: None, tmp_path: Path
) -> None:
    """Nothing is started, and the reason is named."""
    held = tmp_path / "runs" / ".queue" / "held"
    held.mkdir(parents=True)
    (held / "cpu.json.part").symlink_to("/dev/full")
    with pytest.raises(RecipeError, match="No space left on device; free some space there"):
        start(attack, {}, tmp_path / "runs", queue=True)


@FULL
def test_a_disk_that_fills_while_a_run_waits_fails_it(
    attack: str, one_place: None, tmp_path: Path
) -> None:
    """The run that waited says why it could not begin, and does not wait for ever."""
    runs = tmp_path / "runs"
    one = start(attack, {"do": "wait for"}, runs, queue=True)
    two = start(attack, {}, runs, queue=True)
    (runs / ".queue" / "held" / "cpu.json.part").symlink_to("/dev/full")
    (runs / "go").touch()
    assert one.wait().status == "ok"
    assert two.wait().message == "the run could not be followed to its end: No space left on device"
    assert {record.status for record in history(runs)} == {"ok", "failed"}


def test_a_killed_server_leaves_no_tracker(attack: str, tmp_path: Path, until: Until) -> None:
    """What sends a run elsewhere ends with the server, too."""
    place = Path(os.environ["PYTHONPATH"].split(os.pathsep)[0])
    note = tmp_path / "pid"
    (place / "trackio.py").write_text(
        f"import os, time\nopen({str(note)!r} + '.part', 'w').write(str(os.getpid()))\n"
        f"os.rename({str(note)!r} + '.part', {str(note)!r})\ntime.sleep(600)\n"
    )
    program = (
        "from pathlib import Path\nfrom executors.runs.run import start\n"
        f"start('attack', {{}}, Path({str(tmp_path / 'runs')!r}), tracker='trackio').wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as server:
        until(note.exists)
        pid = int(note.read_text())
        assert not gone(pid)
        server.kill()
    until(lambda: gone(pid))
