"""Attacks on runs: each test tries to break one promise that `executors.runs.run` makes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from executors.errors import BadParameter, RecipeError, UnknownRecipe
from executors.runs.folder import FOLDER_LOST
from executors.runs.journal import EVENT_BYTES, Journal
from executors.runs.run import Run, start
from executors.runs.tail import LOG_BYTES, Tail

Until = Callable[[Callable[[], bool]], None]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def first(run: Run, name: str) -> dict[str, Any]:
    return next(event for event in run.events() if event["event"] == name)


def test_events_come_in_order_and_the_result_comes_last(attack: str, tmp_path: Path) -> None:
    """What the recipe emits arrives once, in order, between `started` and the result."""
    run = start(attack, {"count": "5"}, tmp_path / "runs")
    events = list(run.events())
    assert [event["event"] for event in events] == [
        "started",
        *["number"] * 5,
        "artifact",
        "result",
    ]
    assert [event["number"] for event in events if event["event"] == "number"] == [0, 1, 2, 3, 4]
    assert all(event["t"] >= 0 for event in events[:-1])
    result = run.wait()
    assert (result.status, result.values, result.message) == ("ok", {"done": "ok"}, "it went well")
    assert [Path(path).read_text() for path in result.artifacts] == ["made"]
    assert events[-1] == result.to_event()


def test_the_result_event_is_the_contract(attack: str, tmp_path: Path) -> None:
    """The last event carries every key that the contract names."""
    event = start(attack, {}, tmp_path).wait().to_event()
    keys = {
        "event",
        "status",
        "recipe",
        "device",
        "values",
        "artifacts",
        "code",
        "seconds",
        "message",
    }
    assert keys <= set(event)
    assert (event["event"], event["recipe"], event["code"]) == ("result", "attack", "print('done')")
    assert event["seconds"] > 0


def test_the_folder_holds_what_the_run_was(attack: str, tmp_path: Path) -> None:
    """Spec, environment, events and result are files of the run's own folder."""
    run = start(attack, {"count": 2}, tmp_path)
    run.wait()
    spec = json.loads((run.folder / "spec.json").read_text())
    assert (spec["recipe"], spec["params"]) == ("attack", {"do": "ok", "count": 2})
    environment = json.loads((run.folder / "environment.json").read_text())
    assert environment["python"].count(".") == 2
    assert (
        environment["torch"]
        and environment["fastai"]
        and environment["cpu"]
        and environment["ram_bytes"] > 0
    )
    assert json.loads((run.folder / "result.json").read_text())["status"] == "ok"
    lines = [json.loads(line) for line in (run.folder / "events.jsonl").read_text().splitlines()]
    assert lines[-1]["event"] == "result"
    assert not list(run.folder.glob("*.part"))


def test_a_run_over_its_time_is_ended_though_nobody_looks(attack: str, tmp_path: Path) -> None:
    """The time limit holds without anybody reading events."""
    run = start(attack, {"do": "talk"}, tmp_path, timeout_s=1.5)
    result = run.wait()
    assert (result.status, result.message) == (
        "timeout",
        "the run took longer than its limit of 1.5 s; give it more time or less to do",
    )
    assert gone(run.pid)


def test_a_silent_run_is_ended(attack: str, tmp_path: Path) -> None:
    """A run that gives no sign of life for the given time is ended long before its time limit."""
    result = start(attack, {"do": "hang"}, tmp_path, timeout_s=600, silence_s=1.5).wait()
    assert result.status == "timeout"
    assert result.message.startswith("the run gave no sign of life for 1.5 s; ")


def test_a_talking_run_is_not_silent(attack: str, tmp_path: Path) -> None:
    """Events count as signs of life: such a run meets its time limit, not the shorter silence."""
    result = start(attack, {"do": "talk"}, tmp_path, timeout_s=4, silence_s=3).wait()
    assert "longer than its limit" in result.message


def test_cancel_ends_the_whole_family(attack: str, tmp_path: Path, until: Until) -> None:
    """After cancel the child and its children are gone, even one that left its process group."""
    run = start(attack, {"do": "family"}, tmp_path)
    pids = first(run, "family")["pids"]
    assert len(pids) == 3 and not any(gone(pid) for pid in pids)
    run.cancel()
    assert run.wait().status == "cancelled"
    assert run.wait().message == "the run was cancelled"
    until(lambda: all(gone(pid) for pid in pids))


def test_cancel_ends_a_child_that_ignores_sigterm(attack: str, tmp_path: Path) -> None:
    """SIGKILL follows when SIGTERM is not heard."""
    run = start(attack, {"do": "stubborn"}, tmp_path)
    first(run, "log")
    run.cancel()
    assert run.wait().status == "cancelled" and gone(run.pid)


def test_cancel_after_the_end_changes_nothing(attack: str, tmp_path: Path) -> None:
    """A run that ended well stays ended well."""
    run = start(attack, {}, tmp_path)
    run.wait()
    run.cancel()
    assert run.result() is run.wait() and run.wait().status == "ok"


def test_what_a_finished_child_leaves_behind_is_ended(
    attack: str, tmp_path: Path, until: Until
) -> None:
    """A child that is killed does not leave its own children running."""
    run = start(attack, {"do": "family"}, tmp_path)
    pids = first(run, "family")["pids"]
    os.kill(pids[0], signal.SIGKILL)
    assert run.wait().status == "failed"
    until(lambda: all(gone(pid) for pid in pids))


def test_a_flood_of_output_does_not_fill_the_disk(attack: str, tmp_path: Path) -> None:
    """The log keeps its first part and the last lines, and says how much is missing."""
    run = start(attack, {"do": "flood"}, tmp_path)
    assert run.wait().message == "flooded"
    log = (run.folder / "log.txt").read_bytes()
    assert LOG_BYTES < len(log) < LOG_BYTES + 100_000
    assert b"bytes left out" in log and log.endswith(b"the last words\n")


def test_a_flood_of_events_does_not_fill_the_disk(attack: str, tmp_path: Path) -> None:
    """Events past the cap are dropped, the result still comes."""
    run = start(attack, {"do": "flood-events", "count": 400}, tmp_path)
    assert run.wait().status == "ok"
    assert EVENT_BYTES * 0.9 < (run.folder / "events.jsonl").stat().st_size < EVENT_BYTES + 10_000


def test_of_a_flood_of_events_the_first_and_the_last_are_kept(tmp_path: Path) -> None:
    """Between them stands how many are not; without a flood, nothing does."""
    journal = Journal(tmp_path)
    count = EVENT_BYTES // 1000 + 1000
    for number in range(count):
        journal.emit("number", number=number, text="x" * 1000)
    journal.finish()
    events = Tail(tmp_path / "events.jsonl").read()
    told = [at for at, event in enumerate(events) if event["event"] == "log"]
    assert len(told) == 1 and events[0]["number"] == 0 and events[-1]["number"] == count - 1
    left_out = int(events[told[0]]["text"].split()[0].lstrip("("))
    assert left_out == count - (len(events) - 1) > 0
    assert (tmp_path / "events.jsonl").stat().st_size <= EVENT_BYTES


def test_a_killed_child_is_a_failed_run_that_says_so(attack: str, tmp_path: Path) -> None:
    """The message names the signal and its likely reason."""
    result = start(attack, {"do": "kill"}, tmp_path).wait()
    assert result.status == "failed"
    assert (
        result.message
        == "the run was killed by signal 9 (SIGKILL), perhaps by the system because memory ran out"
    )


def test_a_child_that_leaves_without_a_result_failed(attack: str, tmp_path: Path) -> None:
    """Exit code 0 is no result; the last line it printed is told."""
    result = start(attack, {"do": "exit"}, tmp_path).wait()
    assert result.status == "failed"
    assert (
        "exit code 0 and without a result" in result.message and "about to leave" in result.message
    )


def test_garbage_among_the_events_is_left_out(attack: str, tmp_path: Path) -> None:
    """Lines that are no events are named as such; a forged result is not believed."""
    run = start(attack, {"do": "garbage"}, tmp_path)
    events = list(run.events())
    assert [event["event"] for event in events] == ["started", "log", "log", "log", "log", "result"]
    assert events[1]["text"] == "(left out: 7 bytes that are not an event)"
    assert events[-2]["text"] == "after the garbage"
    assert run.wait().values == {"answer": 42}


def test_an_unreadable_result_is_a_failed_run(attack: str, tmp_path: Path) -> None:
    """A result of unknown status is not passed on."""
    result = start(attack, {"do": "bad-result"}, tmp_path).wait()
    assert (result.status, result.message) == (
        "failed",
        "the run wrote a result that cannot be read",
    )


def test_an_exception_is_one_line_and_its_traceback_is_in_the_log(
    attack: str, tmp_path: Path
) -> None:
    """The message stays short; where it happened can be looked up."""
    run = start(attack, {"do": "crash"}, tmp_path)
    assert run.wait().message == "ValueError: the shapes do not agree"
    assert "Traceback" in (run.folder / "log.txt").read_text()


def test_running_out_of_memory_has_its_own_status(attack: str, tmp_path: Path) -> None:
    """Any of the texts that mean it give the status."""
    assert start(attack, {"do": "memory"}, tmp_path).wait().status == "out_of_memory"


def test_bad_input_is_told_as_it_is(attack: str, tmp_path: Path) -> None:
    """The recipe's own sentence is the message."""
    result = start(attack, {"do": "input"}, tmp_path).wait()
    assert (result.status, result.message) == ("failed", "photos/cats: no images")


def test_bad_parameters_start_nothing(attack: str, tmp_path: Path) -> None:
    """Unknown recipes and parameters are refused before a folder is made."""
    with pytest.raises(UnknownRecipe, match="there is no recipe 'atack'; did you mean 'attack'"):
        start("atack", {}, tmp_path / "runs")
    with pytest.raises(BadParameter, match="must be a whole number of at least 0, got 'many'"):
        start(attack, {"count": "many"}, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_cannot_be_written_is_one_clear_error(attack: str, tmp_path: Path) -> None:
    """The path and the system's reason are named."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(
        RecipeError,
        match=r"the run cannot be written to .*file.*: Not a directory; free some space",
    ):
        start(attack, {}, tmp_path / "file")


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full to stand for a full disk"
)
def test_a_full_disk_while_it_runs_is_one_clear_error(attack: str, tmp_path: Path) -> None:
    """The run fails with the system's reason."""
    result = start(attack, {"do": "full"}, tmp_path).wait()
    assert result.status == "failed"
    assert (
        "cannot be written: No space left on device; free some space and run it again"
        in result.message
    )


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="this system has no /dev/full to stand for a full disk"
)
def test_a_child_on_a_full_disk_says_so_and_leaves(attack: str, tmp_path: Path) -> None:
    """Its exit code is the one that the starter knows."""
    (tmp_path / "spec.json").write_text(json.dumps({"recipe": attack, "params": {}}))
    (tmp_path / "events.jsonl").symlink_to("/dev/full")
    command = [sys.executable, "-m", "executors.runs.child", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == FOLDER_LOST
    assert (
        done.stderr.splitlines()[-1]
        == "the run's folder cannot be written: No space left on device"
    )


def test_runs_end_when_their_starter_is_killed(attack: str, tmp_path: Path, until: Until) -> None:
    """SIGKILL of the starter ends the child and all its children, even one that left the group."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom executors.runs.run import start\n"
        f"run = start('attack', {{'do': 'family'}}, Path({str(tmp_path / 'runs')!r}))\n"
        "pids = next(e['pids'] for e in run.events() if e['event'] == 'family')\n"
        "print(*pids, flush=True)\ntime.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pids = list(map(int, starter.stdout.readline().split()))
        assert len(pids) == 3 and not any(map(gone, pids))
        starter.kill()
        until(lambda: all(map(gone, pids)))


def test_a_run_outlives_the_thread_that_started_it(attack: str, tmp_path: Path) -> None:
    """Pages start runs from threads that end: that must not end the run."""
    import threading

    runs: list[Run] = []
    thread = threading.Thread(
        target=lambda: runs.append(start(attack, {"do": "talk"}, tmp_path, timeout_s=3))
    )
    thread.start()
    thread.join()
    assert runs[0].wait().status == "timeout"


def test_the_child_imports_nothing_of_ours_but_executors(attack: str, tmp_path: Path) -> None:
    """Neither the other layers nor torch are loaded, and the working folder is not on the path."""
    values = start(attack, {"do": "modules"}, tmp_path).wait().values
    assert values["ours"] == [] and values["torch"] is False
    assert "" not in values["path"] and str(Path.cwd() / "tests") not in values["path"]
