"""Ways to regularise start from the same weights, leave no trace, and are told from chance."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import torch
from fastai.callback.schedule import Learner  # the patched one
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.losses import CrossEntropyLossFlat, MSELossFlat
from torch import nn

from executors.recipe import check_params, typed_params
from executors.recipes import regularise
from executors.recipes.regularise import Row, _chance
from executors.runs.journal import Journal
from executors.training.held_out import HeldOut
from executors.training.regularisers import ways


def learner(model: nn.Module, x: torch.Tensor, y: torch.Tensor, loss: Any) -> Any:
    samples = list(zip(x, y, strict=True))
    loaders = DataLoaders(DataLoader(samples, bs=8, shuffle=True), DataLoader(samples, bs=8))
    loaders.train.n_inp = loaders.valid.n_inp = 1
    return Learner(loaders, model, loss_func=loss)


def classifier() -> Any:
    torch.manual_seed(0)
    return learner(
        nn.Sequential(nn.Linear(5, 3)),
        torch.randn(32, 5),
        torch.randint(0, 3, (32,)),
        CrossEntropyLossFlat(),
    )


def test_ways_are_those_that_fit_the_learner() -> None:
    """Mixup is for images, label smoothing for classes; a strength of nought leaves a way out."""
    assert [way.name for way in ways(classifier(), [0.1], 0.5, 0.4, 0.1)] == [
        "none",
        "weight decay 0.1",
        "dropout 0.5",
        "label smoothing 0.1",
    ]
    images = learner(nn.Flatten(), torch.randn(16, 1, 2, 2), torch.randn(16, 4), MSELossFlat())
    assert [way.name for way in ways(images, [0], 0.5, 0.4, 0.1)] == ["none", "mixup 0.4"]


def test_dropout_drops_while_training_and_is_taken_off() -> None:
    """Half the inputs of the last layer are nought or doubled; afterwards nothing is left of it."""
    found = classifier()
    layer, seen = found.model[0], list[torch.Tensor]()
    way = next(way for way in ways(found, [], 0.5, 0, 0) if "dropout" in way.name)
    watch = layer.register_forward_hook(
        lambda m, given, out: seen.append(given[0]) if m.training else None
    )
    with found.no_bar(), found.no_logging():
        found.fit(2, 0.0, cbs=way.callbacks)
    watch.remove()
    dropped = torch.cat(seen)
    assert 0.3 < float((dropped == 0).float().mean()) < 0.7
    assert not layer._forward_pre_hooks


def test_a_crash_leaves_no_dropout_behind() -> None:
    """Also when training is ended from inside."""
    from fastai.callback.core import Callback, CancelFitException

    class Crash(Callback):
        def after_batch(self) -> None:
            raise CancelFitException

    found = classifier()
    way = next(way for way in ways(found, [], 0.5, 0, 0) if "dropout" in way.name)
    with found.no_bar(), found.no_logging():
        found.fit(1, 0.0, cbs=[*way.callbacks, Crash()])
    assert not found.model[0]._forward_pre_hooks


def test_chance_shrinks_with_samples_and_grows_with_spread() -> None:
    """Two standard errors of a difference, from repeats or from the number of held-out samples."""
    steady = [Row("none", 0.9, 0.0, 1.0, 1.0)]
    assert _chance(steady, HeldOut(100, share=True)) == pytest.approx(
        2 * (2 * 0.09 / 200) ** 0.5 * 1.0, rel=0.03
    )
    of_many, of_few = (_chance(steady, HeldOut(n, share=True)) for n in (10_000, 100))
    assert of_many and of_few and of_many < of_few
    assert _chance([Row("none", 0.9, 0.1, 1, 1)], HeldOut(10_000, share=True)) == pytest.approx(
        2 * (2 * 0.01) ** 0.5
    )


def test_the_recipe_compares_on_a_table(tmp_path: Path) -> None:
    """A row for each way that fits; the snippet trains in the best way."""
    given = {
        "task": "tabular",
        "device": "cpu",
        "batch_size": 32,
        "epochs": 1,
        "repeats": 2,
        "lr": 0.01,
    }
    params = typed_params(regularise, check_params(regularise.RECIPE, given))
    outcome = regularise.run(params, Journal(tmp_path))
    with (tmp_path / "regularise.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["way"] for row in rows] == [
        "none",
        "weight decay 0.1",
        "dropout 0.5",
        "label smoothing 0.1",
    ]
    assert all(0.5 < float(row["accuracy"]) <= 1 and float(row["spread"]) >= 0 for row in rows)
    assert (
        outcome.values["best"] in [row["way"] for row in rows]
        and "Without regularisation" in outcome.message
    )
    names: dict[str, Any] = {}
    exec(outcome.code.replace("fit_one_cycle(1", "fit_one_cycle(0"), names)
    assert names["learn"].model is not None
