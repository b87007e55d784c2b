"""The verdict on a training is read from its epochs as a teacher would."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from executors.training.fit import Epoch, Score, better, verdict

ACCURACY, LOSS = Score("accuracy", True), Score("valid_loss", False)


def epochs(scores: Sequence[float], train: float = 0.1, valid: float = 0.2) -> list[Epoch]:
    return [
        Epoch("all", i, train, valid, {"accuracy": score}, 1.0)
        for i, score in enumerate(scores, start=1)
    ]


def losses(values: Sequence[float], train: float = 0.1) -> list[Epoch]:
    return [Epoch("all", i, train, value, {}, 1.0) for i, value in enumerate(values, start=1)]


@pytest.mark.parametrize(
    ("scores", "word"),
    [
        ([0.5, 0.8, 0.9, 0.85, 0.7], "overfitting"),
        ([0.5, 0.8, 0.9, 0.899, 0.9], "fits"),
        ([0.5, 0.8, 0.9, 0.95], "still improving"),
        ([0.5, 0.8, 0.95, 0.9], "fits"),  # one worse epoch is no trend
        ([0.9], "fits"),
    ],
)
def test_the_score_tells(scores: list[float], word: str) -> None:
    """Better and then worse for long is overfitting; better to the end is not the end."""
    assert verdict(epochs(scores), ACCURACY, 2000).word == word


def test_a_lower_training_loss_alone_is_no_overfitting() -> None:
    """Only the score says so."""
    assert verdict(epochs([0.9, 0.9, 0.9], train=0.001, valid=0.5), ACCURACY, 1000).word == "fits"


def test_a_training_loss_above_the_validation_loss_is_underfitting() -> None:
    """The network could still learn more."""
    found = verdict(epochs([0.6, 0.7], train=0.9, valid=0.5), ACCURACY, 1000)
    assert found.word == "underfitting" and "0.9" in found.reason and "longer" in found.advice


def test_nothing_is_wrong_with_all_right() -> None:
    """A score that cannot get better is no underfitting, whatever the training loss."""
    assert verdict(epochs([0.9, 1.0, 1.0], train=0.9, valid=0.5), ACCURACY, 100).word == "fits"


def test_chance_is_larger_on_few_samples() -> None:
    """The same fall counts with many held-out samples and not with few."""
    fell = epochs([0.9, 0.87, 0.86])
    assert verdict(fell, ACCURACY, 5000).word == "overfitting"
    assert verdict(fell, ACCURACY, 50).word == "fits"


def test_a_loss_is_read_the_other_way_round() -> None:
    """Lower is better where the score is a loss."""
    assert verdict(losses([3.0, 2.0, 2.5, 2.9]), LOSS, 100).word == "overfitting"
    assert verdict(losses([3.0, 2.0, 1.5]), LOSS, 100).word == "still improving"
    assert (
        better(LOSS, 1.0, 2.0)
        and better(ACCURACY, 0.9, float("nan"))
        and not better(LOSS, float("nan"), 9.0)
    )
