"""The verdict on a training is read from its epochs as a teacher would."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from executors.training.fit import Epoch, Score, better
from executors.training.held_out import HeldOut, wilson
from executors.training.verdicts import verdict

ACCURACY, LOSS = Score("accuracy", True), Score("valid_loss", False)


def epochs(scores: Sequence[float], train: float = 0.1, valid: float = 0.2) -> list[Epoch]:
    return [
        Epoch("all", i, train, valid, {"accuracy": score}, 1.0)
        for i, score in enumerate(scores, start=1)
    ]


def held(samples: int, constant: float | None = None) -> HeldOut:
    """Held-out samples of an accuracy, with what the most frequent class gets."""
    return HeldOut(samples, share=True, constant=constant, answer="always answering a")


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
    assert verdict(epochs(scores), ACCURACY, held(2000)).word == word


def test_a_lower_training_loss_alone_is_no_overfitting() -> None:
    """Only the score says so."""
    assert (
        verdict(epochs([0.9, 0.9, 0.9], train=0.001, valid=0.5), ACCURACY, held(1000)).word
        == "fits"
    )


def test_a_training_loss_above_the_validation_loss_is_underfitting() -> None:
    """The network could still learn more."""
    found = verdict(epochs([0.6, 0.7], train=0.9, valid=0.5), ACCURACY, held(1000))
    assert found.word == "underfitting" and "0.9" in found.reason and "longer" in found.advice


def test_nothing_is_wrong_with_all_right() -> None:
    """A score that cannot get better is no underfitting, whatever the training loss."""
    assert (
        verdict(epochs([0.9, 1.0, 1.0], train=0.9, valid=0.5), ACCURACY, held(100)).word == "fits"
    )


def test_chance_is_larger_on_few_samples() -> None:
    """The same fall counts with many held-out samples and not with few."""
    fell = epochs([0.9, 0.87, 0.86])
    assert verdict(fell, ACCURACY, held(5000)).word == "overfitting"
    assert verdict(fell, ACCURACY, held(50)).word == "fits"


def test_a_loss_is_read_the_other_way_round() -> None:
    """Lower is better where the score is a loss."""
    assert (
        verdict(losses([3.0, 2.0, 2.5, 2.9]), LOSS, HeldOut(100, higher_is_better=False)).word
        == "overfitting"
    )
    assert (
        verdict(losses([3.0, 2.0, 1.5]), LOSS, HeldOut(100, higher_is_better=False)).word
        == "still improving"
    )
    assert (
        better(LOSS, 1.0, 2.0)
        and better(ACCURACY, 0.9, float("nan"))
        and not better(LOSS, float("nan"), 9.0)
    )


@pytest.mark.parametrize(
    ("reached", "constant", "lies"),
    [(0.9125, 0.9525, "worse"), (0.95, 0.95, "the same"), (0.96, 0.9525, "not better by more")],
)
def test_no_better_than_a_constant_answer(reached: float, constant: float, lies: str) -> None:
    """Whatever the losses say, a model that a constant answer matches does not fit."""
    found = verdict(epochs([0.9, reached], train=0.9, valid=0.5), ACCURACY, held(400, constant))
    assert found.word == "no better than a constant answer"
    assert f"always answering a scores {constant:.4g} on the same 400" in found.reason
    assert f"the model {reached:.4g}, which is {lies}" in found.reason


def test_a_model_that_is_always_wrong_does_not_fit() -> None:
    """An accuracy of nought over three classes is worse than any constant answer."""
    found = verdict(epochs([0.0, 0.0]), ACCURACY, held(60, 0.35))
    assert found.word == "no better than a constant answer" and "urgent" not in found.advice


def test_a_loss_is_read_against_its_constant_answer() -> None:
    """Lower is better, and the interval of the score has to lie below."""
    mean = HeldOut(100, False, False, 1.0, "always answering the mean", 0.6, 1.1)
    assert verdict(losses([0.9, 0.8]), LOSS, mean).word == "no better than a constant answer"
    sure = HeldOut(100, False, False, 1.0, "always answering the mean", 0.78, 0.82)
    assert verdict(losses([0.9, 0.8]), LOSS, sure).word == "still improving"


@pytest.mark.parametrize("score", [0.0, 0.5, 1.0])
def test_a_dozen_samples_say_nothing(score: float) -> None:
    """The reason is their number, and the advice how many are needed."""
    found = verdict(epochs([score, score]), ACCURACY, held(12, 0.5))
    assert found.word == "cannot be said"
    assert "12 held-out samples are too few" in found.reason and "20 samples" in found.advice


def test_a_score_that_is_no_number_says_nothing() -> None:
    """It is neither better nor worse than anything."""
    found = verdict(epochs([float("nan")] * 2), ACCURACY, held(100, 0.5))
    assert found.word == "cannot be said" and "is not a number after epoch 1" in found.reason


def test_the_saved_epoch_is_the_last_stages() -> None:
    """The best epoch may be the head's, whose weights are gone by then."""
    head = Epoch("head", 1, 0.1, 0.2, {"accuracy": 0.9}, 1.0)
    body = [
        Epoch("all layers", n, 0.1, 0.2, {"accuracy": score}, 1.0)
        for n, score in enumerate([0.6, 0.7, 0.6], start=2)
    ]
    found = verdict([head, *body], ACCURACY, held(2000, 0.3))
    assert found.word == "overfitting" and "best in epoch 1" in found.reason
    assert found.advice.endswith("the saved model is that of epoch 3")


def test_one_epoch_shows_no_trend() -> None:
    """It is said to be the only one."""
    found = verdict(epochs([0.9]), ACCURACY, held(200, 0.3))
    assert "the only epoch, which shows no trend" in found.reason and "more epochs" in found.advice


@given(st.floats(0, 1), st.integers(1, 10_000))
def test_wilsons_interval_holds_the_share(share: float, samples: int) -> None:
    """Against the definition: the bounds are where the share is 1.96 standard errors away."""
    low, high = wilson(share, samples)
    assert 0 <= low <= share + 1e-9 and share - 1e-9 <= high <= 1
    for bound in (low, high):
        if 1e-6 < bound < 1 - 1e-6:
            error = math.sqrt(bound * (1 - bound) / samples)
            assert abs(share - bound) == pytest.approx(1.96 * error, rel=1e-6, abs=1e-9)
