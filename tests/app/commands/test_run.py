"""`gradus run` and `gradus runs`: waiting in line, tracking, filters, comparing."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks import ATTACK, lay_out
from shell import Shell

from app.commands.show_run import show_result
from executors.runs.history import history
from executors.runs.result import RunResult
from executors.runs.run import start


@pytest.fixture
def shell(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Shell:
    """With the recipe "attack"; its store is empty."""
    place = tmp_path / "site"
    lay_out(place, "attack", "gradus_attack", ATTACK)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setenv("PYTHONPATH", str(place))
    return Shell(capsys, monkeypatch, tmp_path / "store")


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four runs: two that measured, one that failed, one that left an artifact."""
    place = tmp_path_factory.mktemp("site")
    folder = tmp_path_factory.mktemp("runs")
    lay_out(place, "attack", "gradus_attack", ATTACK)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        patch.setenv("PYTHONPATH", str(place))
        for params in (
            {"do": "measure", "count": 1},
            {"do": "measure", "count": 4},
            {"do": "input"},
            {"do": "ok"},
        ):
            start("attack", params, folder).wait()
    return folder


@pytest.fixture
def runs(shell: Shell, ended: Path) -> Path:
    """Those four in the store, for one test alone."""
    return Path(shutil.copytree(ended, shell.store / "runs"))


def test_a_run_waits_its_turn_and_says_so(shell: Shell) -> None:
    """The command waits for a run of another program that has the device; --no-queue does not."""
    folder = shell.store / "runs"
    program = (
        "from pathlib import Path\nfrom executors.runs.run import start\n"
        f"run = start('attack', {{'do': 'wait for'}}, Path({str(folder)!r}), queue=True)\n"
        "print('going', flush=True)\ninput()\n"
        f"(Path({str(folder)!r}) / 'go').touch()\nprint(run.wait().status)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert (
            other.stdin is not None
            and other.stdout is not None
            and other.stdout.readline() == "going\n"
        )
        events = shell.rows("run", "attack", "--no-queue", "--json")
        assert events[0]["event"] == "started"
        waits = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from app.commands.ingest_and_ask import program; program()",
                "run",
                "attack",
            ],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert waits.stderr is not None and waits.stderr.readline() == "waiting: 1 ahead\n"
        other.stdin.write("\n")
        other.stdin.close()
        out, _ = waits.communicate()
        assert out.startswith("ok: it went well") and waits.returncode == 0
        assert other.stdout.readline() == "ok\n"


def test_runs_are_filtered(shell: Shell, runs: Path) -> None:
    """By recipe, status, number and id, the newest first; nothing found is no error."""
    every = shell.rows("runs", "--json")
    assert [row["params"]["do"] for row in every] == ["ok", "input", "measure", "measure"]
    assert shell.rows("runs", "--recipe", "attack", "--json") == every
    assert shell.rows("runs", "--recipe", "lr-find", "--json") == []
    assert shell.rows("runs", "--status", "failed", "--json") == [every[1]]
    assert shell.rows("runs", "--status", "ok", "-n", "2", "--json") == [every[0], every[2]]
    assert shell.rows("runs", every[3]["id"], every[1]["id"][-6:], "--json") == [every[3], every[1]]
    shell("runs")
    assert shell.code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--status", "splendid"], 2, "expected one of ok, failed,"),
        (["--compare"], 2, "name two runs or more"),
        (["--compare", "2"], 2, "name two runs or more"),
        (["--compare", "2", "nosuch"], 1, "4 runs fit '2': "),
        (["nosuch"], 1, "there is no run 'nosuch'; "),
        (["-n", "0"], 2, "-n"),
    ],
)
def test_wrong_use_is_one_clear_line(
    shell: Shell, runs: Path, arguments: list[str], code: int, said: str
) -> None:
    """What was given and what would do."""
    shell("runs", *arguments)
    assert shell.code == code
    assert said in shell.errors


def test_runs_side_by_side(shell: Shell, runs: Path) -> None:
    """What differs of the parameters, every value and metric; what all share is left out."""
    _, _, four, one = shell.rows("runs", "--json")
    (said,) = shell.rows("runs", "--compare", one["id"], four["id"][-6:], "--json")
    assert said["runs"] == [one["id"], four["id"]]
    rows = {
        (row["kind"], row["name"]): (row["values"], row["same"])
        for row in said["rows"]
        if row["kind"] != "run"
    }
    assert rows == {
        ("parameter", "count"): ([1, 4], False),
        ("value", "lr"): ([0.01, 0.04], False),
        ("value", "plans.0.size"): ([32, 32], True),
        ("value", "why"): (["steep", "steep"], True),
        ("metric", "loss"): ([1.0, 0.25], False),
    }
    heads = {row["name"]: row["values"] for row in said["rows"] if row["kind"] == "run"}
    assert heads["status"] == ["ok", "ok"] and heads["recipe"] == ["attack", "attack"]
    table = shell("runs", "--compare", one["id"], four["id"])
    assert shell.code == 0
    assert one["id"][-6:] in table and "plans.0.size" in table and "0.25" in table


def test_other_machines_and_failed_runs_compare_too(shell: Shell, runs: Path) -> None:
    """A difference of the environment is a row; a run without a value has none there."""
    ok, failed, four, _ = shell.rows("runs", "--json")
    environment = Path(failed["folder"]) / "environment.json"
    environment.write_text(json.dumps({**json.loads(environment.read_text()), "torch": "1.0"}))
    (said,) = shell.rows("runs", "--compare", four["id"], failed["id"], ok["id"], "--json")
    rows = {(row["kind"], row["name"]): row["values"] for row in said["rows"]}
    assert rows["environment", "torch"][1] == "1.0" and ("environment", "python") not in rows
    assert rows["value", "lr"] == [0.04, None, None]
    assert rows["run", "status"] == ["ok", "failed", "ok"]


@pytest.mark.parametrize("name", ["mlflow", "trackio"])
def test_a_tracker_that_is_not_installed_is_one_clear_line(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It says what to install, before anything is started."""
    find: Callable[..., object] = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda word, *rest: None if word == name else find(word, *rest)
    )
    shell("run", "attack", "--track", name)
    assert shell.code == 1
    assert (
        f"the package {name} is not installed; to send runs there: pip install {name}"
        in shell.errors
    )
    assert history(shell.store / "runs") == []


def test_an_unknown_tracker_is_one_clear_line(shell: Shell) -> None:
    """The known ones are named."""
    shell("run", "attack", "--track", "notebook")
    assert shell.code == 1
    assert "runs can be sent to mlflow or trackio, not to 'notebook'" in shell.errors


def test_code_and_files_are_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """Lines wider than the terminal are neither cut nor wrapped: people paste them."""
    code = f"x = 1\ndf = read({'very ' * 40!r})"
    path = f"/a/{'long/' * 40}path.csv"
    show_result(RunResult("ok", "lr-find", "tabular", "cpu", artifacts=(path,), code=code))
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert path in lines
    assert lines[lines.index("x = 1") + 1] == code.split("\n")[1]
