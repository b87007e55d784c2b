"""What held-out samples allow to be said of a score: what chance does to it, what is worth nothing.

How these are measured is `executors.training.judging`'s; nothing heavy is imported here.

References
----------
Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference", in the form of
Brown, Cai and DasGupta 2001, "Interval Estimation for a Binomial Proportion", equation 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from executors.amounts import show_number

__all__ = ["FEWEST_HELD_OUT", "HeldOut", "beside", "constant_figure", "constant_words", "wilson"]

FEWEST_HELD_OUT = 20  # of fewer, a share of a half is known to no better than .27 to .73
_SURE = 1.96  # standard errors on either side for an interval of 95 %


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out samples of a training, and what its score is to be read against.

    `constant` is the score on the same samples of the best answer that looks at no sample, and
    `answer` says which that is; None where it could not be judged. `low` and `high` are the 95 %
    interval of the learner's own score; None where it is a share, or where no interval is known.
    """

    samples: int
    higher_is_better: bool = True
    share: bool = False  # whether the score is the share of samples that have some property
    constant: float | None = None
    answer: str = ""
    low: float | None = None
    high: float | None = None

    @property
    def few(self) -> bool:
        """Whether nothing can be said from so few."""
        return self.samples < FEWEST_HELD_OUT

    def interval(self, score: float) -> tuple[float, float] | None:
        """Where a score of these samples lies for all that they tell, at 95 %."""
        if self.share and self.samples and 0 <= score <= 1:
            return wilson(score, self.samples)
        return None if self.low is None or self.high is None else (self.low, self.high)

    def chance(self, score: float) -> float | None:
        """Half of the interval's width; None where none is known."""
        bounds = self.interval(score)
        return None if bounds is None else (bounds[1] - bounds[0]) / 2

    def beaten(self, score: float) -> bool:
        """Whether the score is better than the constant answer's by more than chance."""
        if self.constant is None:
            return True
        low, high = self.interval(score) or (score, score)
        return low > self.constant if self.higher_is_better else high < self.constant


def wilson(share: float, samples: int) -> tuple[float, float]:
    """The interval at 95 % of a share of so many samples.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(0.5, 12)], [round(b, 3) for b in wilson(1, 80)]
    ([0.254, 0.746], [0.954, 1.0])
    """
    spread = _SURE**2 / samples
    middle = (share + spread / 2) / (1 + spread)
    half = _SURE * math.sqrt(share * (1 - share) / samples + spread / (4 * samples)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def beside(name: str, score: float, held: HeldOut) -> str:
    """A score with its interval and what a constant answer gets.

    Examples
    --------
    >>> beside("accuracy", 0.5, HeldOut(12, True, True, 0.75, "always answering a"))
    'accuracy 0.5 (0.254 to 0.746 at 95 %), where always answering a scores 0.75'
    """
    words = f"{name} {show_number(score)}"
    bounds = held.interval(score)
    if bounds is not None:
        words += f" ({show_number(bounds[0])} to {show_number(bounds[1])} at 95 %)"
    if held.constant is None:
        return words + ", and no constant answer could be judged beside it"
    return f"{words}, where {held.answer} scores {show_number(held.constant)}"


def constant_words(constant: float | None) -> str:
    """What a constant answer gets, to follow a score in a finding; "" where that is not known.

    Examples
    --------
    >>> constant_words(0.75), constant_words(None)
    (', a constant answer 0.75', '')
    """
    return "" if constant is None else f", a constant answer {show_number(constant)}"


def constant_figure(constant: float | None) -> dict[str, float]:
    """The same among a finding's figures."""
    return {} if constant is None else {"A constant answer": constant}
