"""Cancel comes through at every stage of a run, and what is left of it is whole."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from executors.runs.history import history
from executors.runs.run import Run, start
from executors.runs.warm import Warm

Until = Callable[[Callable[[], bool]], None]


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_whole(run: Run, runs: Path) -> bool:
    """Whether result, file, last event and history agree, and no process is left."""
    result = run.wait()
    stored = json.loads((run.folder / "result.json").read_text())
    lines = (run.folder / "events.jsonl").read_text().splitlines()
    record = next(record for record in history(runs) if record.id == run.id)
    told = [event for event in run.events() if event["event"] == "result"]
    agree = (
        stored == json.loads(lines[-1]) == result.to_event()
        and record.result == result
        and told == [stored]
    )
    return agree and (run.pid == 0 or gone(run.pid)) and not list(run.folder.glob("*.part"))


def test_before_it_has_begun(attack: str, tmp_path: Path) -> None:
    """In line: it never starts."""
    runs = tmp_path / "runs"
    one, two = (start(attack, {"do": "hang"}, runs, queue=True) for _ in range(2))
    two.cancel()
    assert two.wait().status == "cancelled" and two.pid == 0
    one.cancel()
    assert is_whole(one, runs) and is_whole(two, runs)


def test_while_the_child_starts(attack: str, tmp_path: Path) -> None:
    """At once after `start`, when Python itself is still loading, warm or cold."""
    runs = tmp_path / "runs"
    with Warm(("statistics",)) as warm:
        for kind in (None, warm):
            run = start(attack, {"do": "hang"}, runs, warm=kind)
            run.cancel()
            assert run.wait().status == "cancelled" and is_whole(run, runs)


@pytest.mark.parametrize("after", ["started", "number", "artifact"])
def test_while_it_runs(attack: str, tmp_path: Path, after: str) -> None:
    """After any of its events: it is cancelled, or had ended well already."""
    runs = tmp_path / "runs"
    run = start(attack, {"count": 2000}, runs)
    next(event for event in run.events() if event["event"] == after)
    run.cancel()
    assert run.wait().status in ("cancelled", "ok") and is_whole(run, runs)


def test_while_the_result_is_written(attack: str, tmp_path: Path, until: Until) -> None:
    """The result is the whole one or none of it."""
    runs = tmp_path / "runs"
    run = start(attack, {"do": "large"}, runs)
    until(
        lambda: (run.folder / "result.json.part").exists() or (run.folder / "result.json").exists()
    )
    run.cancel()
    result = run.wait()
    assert (result.status, len(result.values.get("curve", []))) in (
        ("ok", 400_000),
        ("cancelled", 0),
    )
    assert json.loads((run.folder / "result.json").read_text()) == result.to_event()


def test_by_several_at_once(attack: str, tmp_path: Path) -> None:
    """Every one of them returns, and there is one result."""
    runs = tmp_path / "runs"
    run = start(attack, {"do": "stubborn"}, runs)
    next(event for event in run.events() if event["event"] == "log")
    threads = [threading.Thread(target=run.cancel) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert run.wait().status == "cancelled" and is_whole(run, runs)


def test_after_it_has_ended(attack: str, tmp_path: Path) -> None:
    """Nothing changes any more."""
    runs = tmp_path / "runs"
    run = start(attack, {}, runs, queue=True)
    result = run.wait()
    before = (run.folder / "events.jsonl").read_bytes()
    run.cancel()
    assert run.wait() is result and result.status == "ok"
    assert (run.folder / "events.jsonl").read_bytes() == before and is_whole(run, runs)
