"""What training-flow, progressive-resizing and mixed-precision say and save is what was trained."""

from __future__ import annotations

import csv
import math
import random
from pathlib import Path
from typing import Any

import pytest
from tiny import TINY

from executors.errors import BadParameter, RecipeError
from executors.recipe import check_params, typed_params
from executors.recipes import mixed_precision, progressive_resizing, training_flow
from executors.runs.journal import Journal, Outcome
from executors.runs.tail import Tail
from executors.training.fit import Score
from executors.training.held_out import HeldOut

ACCURACY = Score("accuracy", True)


def run(recipe: Any, folder: Path, **given: Any) -> Outcome:
    folder.mkdir(exist_ok=True)
    checked = check_params(recipe.RECIPE, {"device": "cpu", **given})
    return recipe.run(typed_params(recipe, checked), Journal(folder))


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in Tail(folder / "events.jsonl").read() if event["event"] == kind]


@pytest.fixture(scope="module")
def flow(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    folder = tmp_path_factory.mktemp("flow")
    return run(training_flow, folder, task="tabular", batch_size=16, epochs=4, patience=0), folder


def test_every_epoch_is_told_and_kept(flow: tuple[Outcome, Path]) -> None:
    """Events, table and values agree; the best epoch is the one with the best score."""
    outcome, folder = flow
    told = events(folder, "epoch")
    with (folder / "epochs.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [event["epoch"] for event in told] == [1, 2, 3, 4] == [int(row["epoch"]) for row in rows]
    scores = [event["metrics"]["accuracy"] for event in told]
    assert outcome.values["best"]["metrics"]["accuracy"] == max(scores)
    assert outcome.values["best"]["number"] == scores.index(max(scores)) + 1
    assert events(folder, "point"), "the rate was found by a sweep"


def test_the_saved_model_is_the_best_epochs(flow: tuple[Outcome, Path]) -> None:
    """Saved weights in a network made anew score what the run says, and fastai's export too."""
    from fastai.learner import load_learner
    from safetensors.torch import load_model

    outcome, folder = flow
    names: dict[str, Any] = {}
    exec(outcome.code.split("learn.fit_one_cycle")[0], names)
    learner = names["learn"]
    load_model(learner.model, str(folder / "model.safetensors"))
    best = outcome.values["best"]["metrics"]["accuracy"]
    loaded = load_learner(folder / "learner.pkl")
    loaded.dls = learner.dls
    scores = []
    for one in (learner, loaded):
        with one.no_bar(), one.no_logging():
            scores.append(float(one.validate()[1]))
    assert scores[0] == scores[1]
    assert scores[0] > best - 0.03  # another split than the run's: some of it was trained on
    assert not (folder / "models").exists()


EXPLODES = """
import torch
from fastai.basics import DataLoader, DataLoaders, Learner, SGD
from fastai.losses import MSELossFlat


def make():
    samples = [(100 * torch.randn(8), torch.randn(1)) for _ in range(64)]
    dls = DataLoaders(DataLoader(samples[:48], bs=8), DataLoader(samples[48:], bs=8))
    return Learner(dls, torch.nn.Linear(8, 1), loss_func=MSELossFlat(), opt_func=SGD)
"""


def test_a_rate_too_high_is_named(tmp_path: Path) -> None:
    """The loss stops being a number; the message says where and what to do."""
    (tmp_path / "mine.py").write_text(EXPLODES)
    given = {
        "task": "learner",
        "learner": f"{tmp_path / 'mine.py'}:make",
        "batch_size": 8,
        "lr": 10,
        "epochs": 20,
    }
    with pytest.raises(
        RecipeError, match=r"stopped being a number while training 'whole network' at a rate of 10;"
    ):
        run(training_flow, tmp_path / "run", **given)


PLAIN = """
import torch
from fastai.basics import DataLoader, DataLoaders, Learner
from fastai.losses import MSELossFlat


def samples(n):
    return [(torch.full((3,), i / n), torch.tensor([i / n])) for i in range(n)]


def made(loader):
    dls = DataLoaders(loader(samples(40), 8), loader(samples(16), 8))
    return Learner(dls, torch.nn.Linear(3, 1), loss_func=MSELossFlat())


def torchs():
    return made(torch.utils.data.DataLoader)


def fastais():
    return made(DataLoader)
"""


@pytest.mark.parametrize(
    ("function", "why"),
    [
        ("torchs", "fastai exports a learner only with loaders of its own, and these are torch's"),
        (
            "fastais",
            "fastai exports a learner only with datasets of its own, and these are of type list",
        ),
    ],
)
def test_what_fastai_cannot_export_is_said(tmp_path: Path, function: str, why: str) -> None:
    """The result notes that there is no learner.pkl and why; the weights are there all the same."""
    from safetensors.torch import load_file

    (tmp_path / "mine.py").write_text(PLAIN)
    given = {
        "task": "learner",
        "learner": f"{tmp_path / 'mine.py'}:{function}",
        "batch_size": 8,
        "lr": 0.1,
    }
    outcome = run(training_flow, tmp_path / "run", epochs=1, **given)
    assert (
        f"there is no learner.pkl, because {why}; the trained weights are in model.safetensors"
        in outcome.values["notes"]
    )
    assert outcome.values["saved"] == {"weights": "model.safetensors"}
    assert not (tmp_path / "run" / "learner.pkl").exists()
    assert {*load_file(tmp_path / "run" / "model.safetensors")} == {"weight", "bias"}


def test_a_model_that_learned_nothing_is_not_said_to_fit(tmp_path: Path) -> None:
    """Nine in ten are "no" whatever the rest says: that alone is as good, and is said."""
    chance = random.Random(0)
    rows = [f"{chance.random()},{'yes' if n % 10 == 0 else 'no'}" for n in range(200)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    given = {"data": str(tmp_path / "t.csv"), "target": "y", "task": "tabular", "lr": 1e-3}
    outcome = run(training_flow, tmp_path / "run", **given, epochs=2, batch_size=64)
    held = outcome.values["held_out"]
    assert held["constant"] == pytest.approx(0.9) and held["share"] and held["samples"] == 40
    assert outcome.values["verdict"]["word"] == "no better than a constant answer"
    assert "always answering the most frequent class scores 0.9" in outcome.message
    why = "of 160 training samples 64 at a time make 2 full batches an epoch"
    assert any(
        why in note and "the batch is 40, not 64" in note for note in outcome.values["notes"]
    )


def test_training_stops_when_nothing_improves(tmp_path: Path) -> None:
    """Early stopping counts from half of the cycle on, and the weights are the best epoch's."""
    data = TINY["tabular"](tmp_path)
    given = {**data, "task": "tabular", "batch_size": 8, "lr": 1e-9, "patience": 2, "epochs": 20}
    outcome = run(training_flow, tmp_path / "run", **given)
    assert 10 <= len(outcome.values["epochs"]) < 20


def test_images_grow(tmp_path: Path) -> None:
    """Each size is a stage; the snippet changes loaders; training at the last stands beside."""
    data = TINY["image-classification"](tmp_path)
    data.pop("size")
    given = {
        **data,
        "task": "image-classification",
        "sizes": "64,32",
        "batch_size": 4,
        "epochs": 1,
        "lr": 1e-3,
    }
    outcome = run(progressive_resizing, tmp_path / "run", **given)
    told = events(tmp_path / "run", "epoch")
    stages = [event["stage"] for event in told]
    assert stages == ["32 px", "64 px", "64 px throughout, 1 of 2", "64 px throughout, 2 of 2"]
    assert [event["way"] for event in told] == ["32 px then 64 px"] * 2 + ["64 px throughout"] * 2
    assert [row["way"] for row in events(tmp_path / "run", "row")] == [
        "32 px then 64 px",
        "64 px throughout",
    ]
    assert [way["name"] for way in outcome.values["ways"]] == [
        "32 px then 64 px",
        "64 px throughout",
    ]
    assert (
        outcome.code.index("Resize(32)")
        < outcome.code.index("Resize(64)")
        < outcome.code.index("learn.dls = dls")
    )


def test_one_size_cannot_grow(tmp_path: Path) -> None:
    """It is said what is wanted."""
    data = TINY["image-classification"](tmp_path)
    data.pop("size")
    with pytest.raises(BadParameter, match=r"Sizes \(--sizes\) needs two sizes at least, got 64"):
        run(
            progressive_resizing,
            tmp_path / "run",
            **data,
            task="image-classification",
            sizes="64",
            batch_size=4,
        )


@pytest.mark.usefixtures("one_server")
def test_precisions_of_a_cpu_are_measured(tmp_path: Path) -> None:
    """float32 and bfloat16 have a rate, memory and a score; float16 is said to be for cards."""
    data = TINY["tabular"](tmp_path)
    outcome = run(mixed_precision, tmp_path / "run", **data, task="tabular", batch_size=8, lr=0.01)
    rows = {row["precision"]: row for row in outcome.values["rows"]}
    assert {*rows} == {"float32", "bfloat16"}
    assert all(row["samples_per_s"] > 0 and math.isfinite(row["score"]) for row in rows.values())
    assert any("float16 is for CUDA cards" in note for note in outcome.values["notes"])
    assert outcome.values["best"] in rows and f"Take {outcome.values['best']}" in outcome.message


def test_the_fastest_precision_that_scores_as_well_is_taken() -> None:
    """Speed does not make up for a score that is worse by more than chance, or for none at all."""
    row = mixed_precision.Row
    plain = row("float32", 100, 1, 0.90, 1.0)
    assert (
        mixed_precision._best(
            [plain, row("float16", 200, 1, 0.89, 1.0)], ACCURACY, HeldOut(1000, share=True)
        )
        == "float16"
    )
    assert (
        mixed_precision._best(
            [plain, row("float16", 200, 1, 0.80, 1.0)], ACCURACY, HeldOut(1000, share=True)
        )
        == "float32"
    )
    assert (
        mixed_precision._best(
            [plain, row("float16", 200, 1, None, None)], ACCURACY, HeldOut(1000, share=True)
        )
        == "float32"
    )
    assert (
        mixed_precision._best(
            [plain, row("bfloat16", 50, 1, 0.95, 1.0)], ACCURACY, HeldOut(1000, share=True)
        )
        == "float32"
    )
