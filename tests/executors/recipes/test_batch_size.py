"""The recipe batch-size: real training steps, real failures, a snippet that runs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from executors.batch_size.bench import Bench
from executors.batch_size.search import Case
from executors.errors import BadInput, BadParameter, OutOfMemory, RecipeError
from executors.recipe import check_params, typed_params
from executors.recipes import batch_size
from executors.runs.folder import EVENTS
from executors.runs.journal import Journal, Outcome
from executors.runs.run import RunResult, start
from executors.runs.tail import Tail

pytestmark = pytest.mark.usefixtures("one_server")

LINUX = pytest.mark.skipif(
    sys.platform != "linux", reason="memory of the CPU is bounded on Linux only"
)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other beside other work make steps a hundred times slower."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def table(folder: Path, rows: int) -> Path:
    """A table of two classes that a network tells apart by its sums."""
    path = folder / "points.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "kind"])
        for n in range(rows):
            a, b, c = (n * 7919) % 101, (n * 104729) % 97, (n * 1299709) % 89
            writer.writerow([a, b, c, "high" if a + b > 98 else "low"])
    return path


def first(settings: dict[str, Any], folder: Path, memory_limit: int | None) -> dict[str, Any]:
    """What a bench of our own is opened with, as the recipe would on a CPU."""
    bound = {"memory_limit": memory_limit, "share": 0.5, "margin": 0.1}
    how = {"device": "cpu", "precision": "float32", "frozen": False, "size": None}
    return {"settings": settings, "folder": str(folder), **how, **bound}


def ended(params: Mapping[str, object], folder: Path) -> tuple[Outcome, list[dict[str, Any]]]:
    """What the recipe ends with in this folder, and what it told on the way."""
    folder.mkdir(exist_ok=True)
    journal = Journal(folder)
    checked = check_params(batch_size.RECIPE, params)
    outcome = batch_size.run(typed_params(batch_size, checked), journal)
    events = Tail(folder / EVENTS).read()
    check(outcome, journal.artifacts, events)
    return outcome, events


def check(
    result: Outcome | RunResult, artifacts: Sequence[str], events: list[dict[str, Any]]
) -> None:
    """Trials are told and stored, plot and table are there, and the snippet compiles."""
    trials = [event for event in events if event["event"] == "trial"]
    assert {"batch", "size", "peak_bytes", "samples_per_s", "ok", "reason"} <= set(trials[0])
    assert len(trials) == len(result.values["trials"])
    assert [event["event"] for event in events].count("device") == 1
    progress = [event for event in events if event["event"] == "progress"]
    assert progress[-1]["done"] == progress[-1]["total"] == len(trials)
    names = [Path(path).name for path in artifacts]
    assert names == ["trials.csv", "batch-size.png"]
    with Path(artifacts[0]).open() as file:
        assert [int(row["batch"]) for row in csv.DictReader(file)] == [
            trial["batch"] for trial in trials
        ]
    with Image.open(artifacts[1]) as picture:
        assert picture.width > 800
    compile(result.code, "snippet", "exec")
    for plan in result.values["plan"]:
        frozen = plan["phase"] == "frozen"
        case = (plan["size"], plan["precision"], frozen)
        own = [
            trial
            for trial in trials
            if (trial["size"], trial["precision"], trial["frozen"]) == case
        ]
        verified = [trial for trial in own if trial["purpose"] == "verify" and trial["ok"]]
        assert max(trial["batch"] for trial in verified) == plan["largest"] >= plan["recommended"]
        assert plan["loader_samples_per_s"] > 0 and plan["bound_by"] in ("loader", "compute")
        judged = [trial for trial in own if trial["ok"] and trial["purpose"] != "rate"]
        assert all(trial["peak_bytes"] <= plan["limit_bytes"] for trial in judged)


@LINUX
def test_the_largest_batch_of_a_table_fits_and_a_larger_one_fails(tmp_path: Path) -> None:
    """What is found trains in a fresh process; half as much again runs out of memory."""
    path = table(tmp_path, 60_000)
    params = {
        "task": "tabular",
        "data": path,
        "target": "kind",
        "arch": "300",
        "memory_limit": "150MB",
        "device": "cpu",
    }
    result, _ = ended({**params, "max_batch": 60_000}, tmp_path / "runs")
    (plan,) = result.values["plan"]
    assert plan["bound"] == "memory" and plan["limit_bytes"] == 135_000_000
    settings = {"task": "tabular", "data": str(path), "target": "kind", "arch": "300"}
    with Bench(first(settings, tmp_path, 150_000_000)) as bench:
        assert bench.attempt(Case(), plan["largest"], steps=3, fresh=True).ok
        beyond = bench.attempt(Case(), plan["largest"] * 3 // 2, steps=3, fresh=True)
        assert not beyond.ok and ("of 135 MB" in beyond.reason or "out of memory" in beyond.reason)
        storm = bench.attempt(Case(), 2_000_000, steps=1, fresh=True)
        assert not storm.ok and "out of memory" in storm.reason
        assert bench.attempt(Case(), 64, steps=1).ok  # the next process is as good as new


@LINUX
def test_images_of_two_sizes_give_a_plan(tmp_path: Path) -> None:
    """The larger the image the smaller the batch; the snippet goes from one to the next."""
    params = {
        "arch": "squeezenet1_1",
        "sizes": "32,64",
        "memory_limit": "75MB",
        "max_batch": 32,
        "device": "cpu",
    }
    result, _ = ended(params, tmp_path / "runs")
    small, large = result.values["plan"]
    assert (small["size"], large["size"]) == (32, 64)
    assert (small["largest"], small["bound"], large["bound"]) == (32, "max_batch", "memory")
    assert (result.values["largest"], result.values["recommended"]) == (
        large["largest"],
        large["recommended"],
    )
    assert result.code.count("dls = ImageDataLoaders") == 2 and "Resize(64)" in result.code
    assert any("the weights are random" in note for note in result.values["notes"])
    settings = {"task": "image-classification", "arch": "squeezenet1_1"}
    with Bench(first(settings, tmp_path, 75_000_000)) as bench:
        assert not bench.attempt(Case(64), 2 * large["largest"], steps=3, fresh=True).ok


def test_a_small_table_is_bounded_by_its_own_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No batch is larger than the training set; float16 on a CPU is said to have no effect.

    This one goes on as users' runs do, in a child of its own.
    """
    params = {"task": "tabular", "precision": "float16", "device": "cpu"}
    run = start("batch-size", params, tmp_path / "runs")
    events, result = list(run.events()), run.wait()
    assert result.status == "ok", f"{result.message}\n{(run.folder / 'log.txt').read_text()}"
    check(result, result.artifacts, events)
    (plan,) = result.values["plan"]
    assert (plan["largest"], plan["bound"]) == (456, "data")
    assert result.values["precision"] == "float32" and "to_fp16" not in result.code
    assert any(
        "float16 has no effect on 'cpu': fastai's float16 is for CUDA cards; trained in float32"
        in note
        for note in result.values["notes"]
    )
    work = tmp_path / "paste"
    work.mkdir()
    monkeypatch.chdir(work)
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(result.code, "snippet", "exec"), names)
    assert len(names["learn"].recorder.values) > 0


def test_precisions_make_a_plan_and_what_does_not_fit_is_accumulated(tmp_path: Path) -> None:
    """Both precisions in one table, frozen as asked; a batch beyond what fits becomes several."""
    params = {
        "task": "tabular",
        "device": "cpu",
        "max_batch": 16,
        "precision": "all",
        "phase": "frozen",
    }
    result, _ = ended({**params, "effective_batch": 96}, tmp_path / "runs")
    rows = [(row["precision"], row["phase"], row["largest"]) for row in result.values["plan"]]
    assert rows == [("float32", "frozen", 16), ("bfloat16", "frozen", 16)]
    assert (result.values["precision"], result.values["phase"]) == ("float32", "frozen")
    assert any("float16 has no effect" in note for note in result.values["notes"])
    part = result.values["accumulate"]
    assert part["effective_batch"] == 96 and part["batch"] <= 16
    assert (
        "cbs=GradientAccumulation(n_acc=96)" in result.code and f"bs={part['batch']}" in result.code
    )
    assert "learn.freeze()" in result.code
    assert f"accumulate the gradients of batches of {part['batch']}" in result.message


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        (("float32",), ["float32 True", "float32 False"]),
        (
            ("float32", "float16", "bfloat16"),
            [
                f"{name} {frozen}"
                for name in ("float32", "float16", "bfloat16")
                for frozen in (True, False)
            ],
        ),
    ],
)
def test_every_size_precision_and_phase_is_a_case(
    there: tuple[str, ...], wanted: list[str]
) -> None:
    """Smallest image first; what the device cannot do is said, not tried."""
    checked = check_params(batch_size.RECIPE, {"precision": "all", "phase": "both"})
    params = typed_params(batch_size, checked)
    cases, notes = batch_size._cases(params, (64, 128), there, "mps")
    assert [f"{case.precision} {case.frozen}" for case in cases if case.size == 64] == wanted
    assert [case.size for case in cases] == [64] * len(wanted) + [128] * len(wanted)
    assert len(notes) == 3 - len(there)


def test_more_samples_a_step_than_there_are_is_refused(tmp_path: Path) -> None:
    """The message names how many there are."""
    with pytest.raises(BadParameter, match=r"\(--effective-batch\) must be at most the 456 train"):
        ended({"task": "tabular", "effective_batch": 5000}, tmp_path)


@LINUX
def test_memory_for_not_even_two_is_out_of_memory(tmp_path: Path) -> None:
    """The message says what to do."""
    params = {"task": "tabular", "arch": "4000,4000", "memory_limit": "8MB", "device": "cpu"}
    with pytest.raises(OutOfMemory) as raised:
        ended(params, tmp_path)
    assert "not even a batch of 2 trains in 7.2 MB" in str(raised.value)
    assert "give more memory" in str(raised.value)


def test_bad_input_is_the_message(tmp_path: Path) -> None:
    """What the check of the task says reaches the user as it is."""
    path = table(tmp_path, 40)
    with pytest.raises(BadInput) as raised:
        ended({"task": "tabular", "data": path, "target": "kid"}, tmp_path / "run")
    assert str(raised.value) == f"{path} has no column 'kid'; did you mean 'kind'?"


def test_a_trial_that_cannot_be_set_up_says_why(tmp_path: Path) -> None:
    """A file that vanished between check and training is named."""
    settings = {"task": "tabular", "data": str(tmp_path / "gone.csv"), "target": "kind"}
    bench = Bench(first(settings, tmp_path, None))
    with pytest.raises(RecipeError, match=r"gone\.csv does not exist; give a CSV file"):
        bench.open()
