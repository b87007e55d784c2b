"""The history is read from the runs' folders, whole or damaged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from executors.runs.history import history
from executors.runs.run import start

Until = Callable[[Callable[[], bool]], None]


def test_no_folder_is_no_history(tmp_path: Path) -> None:
    """Asking before the first run is no error."""
    assert history(tmp_path / "none") == []


def test_runs_are_told_newest_first(attack: str, tmp_path: Path) -> None:
    """Each record repeats what the run was asked and what it found."""
    runs = [start(attack, {"count": count}, tmp_path) for count in (0, 1)]
    results = [run.wait() for run in runs]
    records = history(tmp_path / ".")
    records = [record for record in records if record.recipe]
    assert {record.id for record in records} == {run.id for run in runs}
    assert [record.started for record in records] == sorted(
        (record.started for record in records), reverse=True
    )
    newest = records[0]
    assert (newest.recipe, newest.params["count"], newest.status) == (attack, 1, "ok")
    assert newest.result == results[1]
    assert newest.to_json()["artifacts"] == list(results[1].artifacts)


def test_a_run_goes_on_until_it_ends(attack: str, tmp_path: Path) -> None:
    """A live run is running, and cancelled afterwards."""
    run = start(attack, {"do": "hang"}, tmp_path / "runs")
    assert [record.status for record in history(tmp_path / "runs")] == ["running"]
    run.cancel()
    assert [record.status for record in history(tmp_path / "runs")] == ["cancelled"]


def test_a_run_whose_starter_was_killed_was_interrupted(
    attack: str, tmp_path: Path, until: Until
) -> None:
    """Nobody could write its result: the history says what happened."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom executors.runs.run import start\n"
        f"run = start('attack', {{'do': 'hang'}}, Path({str(tmp_path / 'runs')!r}))\n"
        "print(run.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        starter.stdout.readline()
        assert [record.status for record in history(tmp_path / "runs")] == ["running"]
        starter.kill()
    until(lambda: history(tmp_path / "runs")[0].status != "running")
    (record,) = history(tmp_path / "runs")
    told = "interrupted: it ended without a result; start it again"
    assert (record.status, record.message) == ("failed", told)


def test_damaged_folders_hide_no_others(attack: str, tmp_path: Path) -> None:
    """Each is a failed record that names the file; the whole ones are there too."""
    runs = tmp_path / "runs"
    whole = start(attack, {}, runs)
    whole.wait()
    (runs / "empty").mkdir()
    for name, result in (("cut", '{"status": "o'), ("odd", '{"status": "splendid"}')):
        (runs / name).mkdir()
        (runs / name / "spec.json").write_text(
            json.dumps({"recipe": attack, "params": {}, "started": "2020"})
        )
        (runs / name / "result.json").write_text(result)
    (runs / "stray.txt").write_text("no run")
    found = {record.id: (record.status, record.message) for record in history(runs)}
    assert found == {
        whole.id: ("ok", "it went well"),
        "empty": ("failed", "damaged: spec.json is missing or cannot be read"),
        "cut": ("failed", "damaged: result.json cannot be read"),
        "odd": ("failed", "damaged: result.json holds no result"),
    }


def test_a_number_given_anew_is_not_taken_for_the_run(attack: str, tmp_path: Path) -> None:
    """A process id that lives, but was born at another time, is another process."""
    run = tmp_path / "runs" / "old"
    run.mkdir(parents=True)
    (run / "spec.json").write_text(json.dumps({"recipe": attack, "params": {}}))
    (run / "pid.json").write_text(json.dumps({"pid": os.getpid(), "created": 1000.0}))
    assert [record.status for record in history(tmp_path / "runs")] == ["failed"]


def test_moved_runs_find_their_artifacts(attack: str, tmp_path: Path) -> None:
    """A store may be moved: artifacts are looked for in the run's folder."""
    start(attack, {}, tmp_path / "runs").wait()
    (tmp_path / "runs").rename(tmp_path / "moved")
    (record,) = history(tmp_path / "moved")
    assert record.result is not None
    assert [Path(path).read_text() for path in record.result.artifacts] == ["made"]


def test_seconds_past_all_reason_hide_nothing(tmp_path: Path) -> None:
    """A number too large for a float, in a damaged result, is no time at all."""
    folder = tmp_path / "20260101T000000Z-attack-ab12cd"
    folder.mkdir()
    (folder / "spec.json").write_text('{"recipe": "attack", "params": {}}')
    (folder / "result.json").write_text(
        '{"status": "ok", "recipe": "attack", "task": "", "message": "", "seconds": 1'
        + "0" * 400
        + "}"
    )
    assert [(record.status, record.seconds) for record in history(tmp_path)] == [("ok", 0.0)]
