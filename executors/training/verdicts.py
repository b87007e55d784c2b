"""Says from its epochs whether a model fits, against a constant answer and against chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from executors.training.fit import Epoch, Score, better, kept
from executors.training.held_out import FEWEST_HELD_OUT, HeldOut

__all__ = ["Verdict", "verdict"]

_SAME = 0.02  # of a score or loss: less is the luck of the batches, where no interval is known


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the model fits, and what to do next."""

    word: str  # "fits", "overfitting", "underfitting", "still improving",
    # "no better than a constant answer" or "cannot be said"
    reason: str
    advice: str
    longer: bool = False  # whether more epochs are what comes next


def verdict(epochs: Sequence[Epoch], score: Score, held: HeldOut) -> Verdict:
    """Whether the model fits, read from its epochs, against a constant answer and against chance.

    A model that is no better than an answer that looks at no sample does not fit, whatever its
    losses. Overfitting is told by a score that improves and then gets worse, for two epochs at
    least and by more than chance; a training loss below the validation loss alone says nothing. A
    training loss above it, at the end, says that the network could learn more.
    """
    stays = kept(epochs, score)
    unsaid = _unsaid(stays, score, held)
    if unsaid is not None:
        return unsaid
    values = [score.of(epoch) for epoch in epochs]
    best = _best_at(values, score)
    apart, chance = _chance(held, values[best])
    rises = best == len(values) - 1 > 0 and abs(values[-1] - values[-2]) > apart
    if not held.beaten(score.of(stays)):
        return _worth_nothing(score.of(stays), held, rises)
    at = f"{score.name} was best in epoch {epochs[best].number} ({values[best]:.4g})"
    after = len(values) - 1 - best
    if after >= 2 and abs(values[best] - values[-1]) > apart:
        return Verdict(
            "overfitting",
            f"{at} and is {values[-1]:.4g} after {after} more epochs, worse by more than {chance}",
            "get more data, augment it, or add weight decay, dropout or mixup (the recipe "
            f"regularise compares them); the saved model is that of epoch {stays.number}",
        )
    perfect = held.share and score.higher_is_better and 1 - values[best] <= apart
    if not perfect and _is_above(epochs[-1]):
        return _underfits(epochs[-1])
    if rises:
        reason = f"{at}, the last, and was still getting better"
        return Verdict("still improving", reason, "train for more epochs", True)
    if len(values) == 1:
        reason = f"{score.name} is {values[0]:.4g} after the only epoch, which shows no trend"
        return Verdict("fits", reason, "train for more epochs to see one", True)
    return Verdict("fits", f"{at} and ends worse by no more than {chance}", "nothing is urgent")


def _unsaid(stays: Epoch, score: Score, held: HeldOut) -> Verdict | None:
    """Why nothing can be said, if so."""
    reason, advice = "", ""
    if not math.isfinite(score.of(stays)):
        reason = f"{score.name} is not a number after epoch {stays.number}, whose weights are saved"
        advice = "look for missing or infinite values in the held-out samples"
    elif held.few:
        reason = f"{held.samples} held-out samples are too few to tell a fit from chance"
        advice = f"hold out {FEWEST_HELD_OUT} samples or more"
    return Verdict("cannot be said", reason, advice) if reason else None


def _worth_nothing(reached: float, held: HeldOut, rises: bool) -> Verdict:
    """That looking at the samples has gained nothing yet."""
    assert held.constant is not None
    worse = (reached < held.constant) == held.higher_is_better
    lies = "worse" if worse else "not better by more than chance"
    lies = "the same" if reached == held.constant else lies
    longer = (
        "train longer or at another rate, and check that the target can be learned from the data"
    )
    return Verdict(
        "no better than a constant answer",
        f"{held.answer} scores {held.constant:.4g} on the same {held.samples} held-out samples, "
        f"and the model {reached:.4g}, which is {lies}",
        "train for more epochs, because it was still getting better" if rises else longer,
        rises,
    )


def _underfits(last: Epoch) -> Verdict:
    losses = f"({last.train_loss:.4g}) ends above the validation loss ({last.valid_loss:.4g})"
    return Verdict(
        "underfitting",
        f"the training loss {losses}",
        "train longer or at a higher rate, and reduce regularisation",
        True,
    )


def _best_at(values: Sequence[float], score: Score) -> int:
    """Where the best value stands, the first of several."""
    best = 0
    for place, value in enumerate(values):
        if better(score, value, values[best]):
            best = place
    return best


def _chance(held: HeldOut, value: float) -> tuple[float, str]:
    """What two scores may differ by for no reason, and its name."""
    half = held.chance(value)
    if half is None:
        return _SAME * abs(value), f"a fiftieth ({_SAME * abs(value):.2g})"
    return half, f"chance ({half:.2g})"


def _is_above(epoch: Epoch) -> bool:
    """Whether an epoch's training loss is clearly above its validation loss."""
    return epoch.train_loss - epoch.valid_loss > _SAME * abs(epoch.valid_loss)
