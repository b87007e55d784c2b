"""The recipe lr-find as users run it, with random and with pretrained weights."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny import TINY

from executors.errors import BadParameter, RecipeError
from executors.recipe import check_params, typed_params
from executors.recipes import lr_find
from executors.runs.folder import EVENTS, plain
from executors.runs.journal import Journal, Outcome
from executors.runs.run import RunResult, start
from executors.runs.tail import Tail

QUICK = {"device": "cpu", "num_it": 40, "seeds": 2, "epochs": 1}
IMAGES = {**QUICK, "task": "image-classification", "batch_size": 8}


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other beside other work make steps a hundred times slower."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture
def pictures(tmp_path: Path) -> dict[str, object]:
    """A few small pictures; photographs would take longer to be read than to be learned from."""
    (tmp_path / "pictures").mkdir()
    return TINY["image-classification"](tmp_path / "pictures")


def ended(params: Mapping[str, object], folder: Path) -> tuple[Outcome, Journal]:
    """What the recipe ends with in this folder, and what it wrote there."""
    folder.mkdir(exist_ok=True)
    journal = Journal(folder)
    checked = check_params(lr_find.RECIPE, params)
    outcome = lr_find.run(typed_params(lr_find, checked), journal)
    return replace(outcome, values=plain(outcome.values)), journal


def told(journal: Journal) -> list[dict[str, Any]]:
    """What the recipe told on the way."""
    return Tail(journal.folder / EVENTS).read()


def check(
    result: Outcome | RunResult, artifacts: Sequence[str], events: list[dict[str, Any]]
) -> None:
    """What holds for every result: curves told and stored, suggestions, the race, a snippet."""
    points = [event for event in events if event["event"] == "point"]
    with Path(artifacts[0]).open() as file:
        rows = [
            (row["phase"], int(row["order"]), float(row["lr"]), float(row["smoothed_loss"]))
            for row in csv.DictReader(file)
        ]
    assert rows == [
        (point["phase"], point["order"], point["lr"], point["loss"]) for point in points
    ]
    raced = [event for event in events if event["event"] == "race"]
    with Image.open(artifacts[1]) as picture:
        assert picture.width > 600
    for phase, found in result.values["phases"].items():
        assert set(found["suggestions"]) == {"minimum", "steep", "valley", "slide"}
        assert found["points"] == sum(
            point["phase"] == phase and point["order"] == 0 for point in points
        )
        check_race(
            found["race"], found["points"], [event for event in raced if event["phase"] == phase]
        )
        assert found["recommended"] and found["reason"]
    assert not list(Path(artifacts[0]).parent.rglob("_tmp.pth"))
    compile(result.code, "snippet", "exec")


def check_race(race: dict[str, Any] | None, points: int, told: list[dict[str, Any]]) -> None:
    """Its trials were told as they ended, and it cost at most three times the sweep."""
    if race is None:
        assert told == []
        return
    assert [trial["rate"] for trial in race["trials"]] == [event["rate"] for event in told]
    assert 0 < race["batches"] <= 3 * points and race["seconds"] > 0


def without_seconds(values: dict[str, Any]) -> dict[str, Any]:
    """What a run found, without how long it took."""
    for found in values["phases"].values():
        if found["race"]:
            found["race"].pop("seconds")
    return values


def test_the_band_is_stored_and_holds_the_curve(tmp_path: Path) -> None:
    """Lowest and highest of all orders at each rate; without a race the curves settle the rate."""
    params = {"task": "tabular", **QUICK, "seeds": 3, "race": "no"}
    result, journal = ended(params, tmp_path / "run")
    files = {Path(path).name: Path(path) for path in journal.artifacts}
    with files["lr-find.csv"].open() as file:
        losses: dict[str, list[float]] = {}
        for row in csv.DictReader(file):
            losses.setdefault(row["lr"], []).append(float(row["smoothed_loss"]))
    with files["lr-find-band.csv"].open() as file:
        band = {
            row["lr"]: (float(row["lowest"]), float(row["highest"])) for row in csv.DictReader(file)
        }
    assert len(band) > 20
    assert all(band[lr] == (min(losses[lr]), max(losses[lr])) for lr in band)
    assert any(low < high for low, high in band.values())
    found = result.values["phases"]["unfrozen"]
    assert found["race"] is None and found["recommended"] == found["from_curve"]
    assert found["sweeps"]["orders"] == 3


def test_a_table_gives_one_rate_and_a_snippet_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One group of layers: frozen and unfrozen are the same, and said to be; the snippet trains.

    This one goes on as users' runs do, in a child of its own.
    """
    params = {"task": "tabular", **QUICK, "epochs": 2}
    run = start("lr-find", params, tmp_path / "runs")
    events, result = list(run.events()), run.wait()
    assert result.status == "ok", f"{result.message}\n{(run.folder / 'log.txt').read_text()}"
    check(result, result.artifacts, events)
    assert list(result.values["phases"]) == ["unfrozen"]
    assert any("frozen and unfrozen are the same" in note for note in result.values["notes"])
    assert result.values["groups"] == 1
    assert 1e-4 < result.values["recommended"] < 1
    assert f"fit_one_cycle(2, {result.values['recommended']!r})" in result.code
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(result.code, "snippet", "exec"), names)
    assert len(names["learn"].recorder.values) == 2


def test_images_with_random_weights_say_so_and_their_snippet_runs(
    tmp_path: Path, pictures: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A random body is not kept frozen: the whole network is swept, one rate serves all layers."""
    result, journal = ended({**IMAGES, **pictures, "pretrained": "no"}, tmp_path / "run")
    check(result, journal.artifacts, told(journal))
    assert list(result.values["phases"]) == ["unfrozen"]
    assert isinstance(result.values["phases"]["unfrozen"]["recommended"], float)
    assert any("random weights" in note for note in result.values["notes"])
    assert "learn.freeze()" not in result.code and "pretrained=False" in result.code
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "snippet"}
    exec(compile(result.code, "snippet", "exec"), names)
    assert len(names["learn"].recorder.values) == QUICK["epochs"]


def test_pretrained_weights_at_hand_are_used_and_give_a_slice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights in torch's cache are found offline; unfrozen, layers get different rates."""
    import torch
    from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

    torch.manual_seed(0)
    file = tmp_path / "hub" / "checkpoints" / SqueezeNet1_1_Weights.DEFAULT.url.rsplit("/", 1)[-1]
    file.parent.mkdir(parents=True)
    torch.save(squeezenet1_1().state_dict(), file)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    result, journal = ended({**IMAGES, "arch": "squeezenet1_1", "size": 32}, tmp_path / "run")
    check(result, journal.artifacts, told(journal))
    assert result.values["pretrained"] is True
    assert any(f"pretrained on ImageNet ({file.name})" in note for note in result.values["notes"])
    low, high = result.values["phases"]["unfrozen"]["recommended"]
    assert low < high
    assert f"learn.unfreeze()\nlearn.fit_one_cycle(1, slice({low!r}, {high!r}))" in result.code


def test_the_same_seed_gives_the_same_rate(tmp_path: Path) -> None:
    """On the CPU nothing is left to chance."""
    params = {"task": "tabular", **QUICK, "seed": 5}
    one, two = (ended(params, tmp_path / name)[0] for name in ("one", "two"))
    assert without_seconds(one.values) == without_seconds(two.values)


def test_a_batch_larger_than_the_data_is_named(tmp_path: Path) -> None:
    """fastai would divide by zero, or train nothing without a word."""
    with pytest.raises(RecipeError) as raised:
        ended({"task": "tabular", "batch_size": 5000}, tmp_path)
    assert "456 samples to train on are fewer than one batch of 5000" in str(raised.value)
    assert "set Batch size (--batch-size) to 114 or so" in str(raised.value)


def test_rates_in_the_wrong_order_are_named(tmp_path: Path) -> None:
    """The sweep rises."""
    with pytest.raises(BadParameter) as raised:
        ended({"start_lr": 0.1, "end_lr": 0.01}, tmp_path)
    assert (
        str(raised.value)
        == "Lowest rate (--start-lr) must be below Highest rate (--end-lr), got 0.1 and 0.01"
    )


def test_a_sweep_that_explodes_at_once_leaves_its_curve(tmp_path: Path) -> None:
    """It fails with the reason, and what was measured is kept."""
    params = {"task": "tabular", "start_lr": 0.9, "end_lr": 1000, "num_it": 200, "device": "cpu"}
    with pytest.raises(RecipeError) as raised:
        ended(params, tmp_path)
    assert "unfrozen: the loss explodes at" in str(raised.value)
    assert "lower start_lr" in str(raised.value)
    assert (tmp_path / "lr-find.csv").stat().st_size > 0
    assert (tmp_path / "lr-find.png").stat().st_size > 0
