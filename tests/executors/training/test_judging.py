"""A learner is judged beside the best answer that looks at no sample, by its own metric."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from fastai.callback.schedule import Learner  # the patched one
from fastai.data.core import DataLoaders
from fastai.data.load import DataLoader
from fastai.losses import (
    BCEWithLogitsLossFlat,
    CrossEntropyLossFlat,
    L1LossFlat,
    MSELossFlat,
)
from fastai.metrics import DiceMulti, accuracy, accuracy_multi, error_rate, mae, rmse
from torch import nn

from executors.networks.metrics import distance
from executors.training.fit import Score
from executors.training.held_out import HeldOut
from executors.training.judging import judged


class Fixed(nn.Module):
    """A network whose output has a shape and says nothing."""

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.zeros(shape))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer.expand(len(x), *self.answer.shape)


def judge(model: nn.Module, y: torch.Tensor, loss: Any, score: Score, *metrics: Any) -> HeldOut:
    samples = [(torch.zeros(3), one) for one in y]
    loaders = DataLoaders(*(DataLoader(samples, bs=7) for _ in range(2)))
    loaders.valid.n_inp = 1
    return judged(Learner(loaders, model, loss_func=loss, metrics=list(metrics)), score)


CLASSES = torch.tensor([0] * 5 + [1] * 30 + [2] * 6)


@pytest.mark.parametrize(
    ("metric", "score", "constant"),
    [
        (accuracy, Score("accuracy", True), 30 / 41),
        (error_rate, Score("error_rate", False), 11 / 41),
    ],
)
def test_classes_are_judged_beside_the_largest(metric: Any, score: Score, constant: float) -> None:
    """Right or wrong by sample makes a share, whose interval is Wilson's."""
    held = judge(Fixed(3), CLASSES, CrossEntropyLossFlat(), score, metric)
    assert held.constant == pytest.approx(constant) and "frequent class" in held.answer
    assert held.share and held.samples == 41 and held.low is None


def test_a_loss_of_classes_is_judged_beside_their_frequencies() -> None:
    """The best constant answer to cross-entropy is the frequencies: their entropy."""
    held = judge(Fixed(3), CLASSES, CrossEntropyLossFlat(), Score("valid_loss", False))
    shares = torch.tensor([5, 30, 6]) / 41
    assert held.constant == pytest.approx(float(-(shares * shares.log()).sum()), rel=1e-4)
    assert not held.share and held.low is not None and held.low < torch.tensor(3.0).log() + 1e-5


QUANTITY = torch.tensor([[0.0]] * 20 + [[1.0]] * 7 + [[40.0]] * 3)


@pytest.mark.parametrize(
    ("metric", "loss", "name", "answer", "constant"),
    [
        (rmse, MSELossFlat(), "_rmse", "mean", float(QUANTITY.std(unbiased=False))),
        (mae, L1LossFlat(), "mae", "median", float(QUANTITY.mean())),
    ],
)
def test_a_quantity_is_judged_beside_mean_or_median(
    metric: Any, loss: Any, name: str, answer: str, constant: float
) -> None:
    """Whichever the metric rates higher: the mean for squares, the median for distances."""
    held = judge(Fixed(1), QUANTITY, loss, Score(name, False), metric)
    assert answer in held.answer and held.constant == pytest.approx(constant, rel=1e-5)
    assert held.low is not None and held.high is not None
    assert held.low <= float((QUANTITY**2).mean().sqrt()) <= held.high or metric is mae


@pytest.mark.parametrize(
    ("loss", "outputs", "y"), [(MSELossFlat(), 1, QUANTITY), (CrossEntropyLossFlat(), 3, CLASSES)]
)
def test_an_interval_is_that_of_samples_drawn_anew(
    loss: Any, outputs: int, y: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though each sample is scored once, where the score is their mean."""
    model = Fixed(outputs)
    model.answer.data += torch.arange(float(outputs)) - 0.5
    score = Score("valid_loss", False)
    held = judge(model, y, loss, score)
    monkeypatch.setattr("executors.training.judging._LOOKED_AT", 0)
    anew = judge(model, y, loss, score)
    assert (held.low, held.high) == pytest.approx((anew.low, anew.high), rel=1e-4)


def test_points_are_judged_beside_their_mean() -> None:
    """Whether a sample's numbers lie in a row or in pairs."""
    points = torch.arange(80.0).reshape(20, 2, 2) % 7 / 7
    score, loss = Score("distance", False), MSELossFlat()
    held = judge(Fixed(4), points, loss, score, distance)
    away = (points - points.mean(0)).norm(dim=-1).mean() / 2
    median = (points - points.median(0).values).norm(dim=-1).mean() / 2
    assert held.constant == pytest.approx(float(min(away, median)), rel=1e-4)


def test_labels_are_judged_beside_the_most_frequent() -> None:
    """Each label by its own majority."""
    labels = torch.tensor([[1.0, 0, 0]] * 24 + [[0.0, 0, 1]] * 6)
    held = judge(
        Fixed(3), labels, BCEWithLogitsLossFlat(), Score("accuracy_multi", True), accuracy_multi
    )
    assert held.constant == pytest.approx((24 * 3 + 6) / 90) and "labels" in held.answer
    assert not held.share


def test_pixels_are_judged_by_whole_epochs() -> None:
    """A metric that adds up over an epoch is asked as any other; no interval is made up for it."""
    masks = torch.zeros(9, 4, 4, dtype=torch.long)
    masks[:, 0] = 1
    score = Score("dice_multi", True)
    held = judge(Fixed(2, 4, 4), masks, CrossEntropyLossFlat(axis=1), score, DiceMulti())
    assert held.constant == pytest.approx((2 * 12 / (12 + 16)) / 2)
    assert held.low is None and held.interval(0.5) is None


def test_odd_targets_have_no_constant_answer() -> None:
    """Nothing is claimed where the targets are none that an answer can be made of."""
    held = judge(Fixed(5), QUANTITY, lambda pred, y: pred.sum() * 0, Score("valid_loss", False))
    assert held.constant is None and held.beaten(-1.0)
