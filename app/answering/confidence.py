"""How sure an answer is: a calibrated probability that the notes hold it."""

from __future__ import annotations

import math

from kg.search import Signs

__all__ = ["ANSWERED_FROM", "COEFFICIENTS", "INTERCEPT", "confidence"]

# A logistic regression on questions generated from notes and on questions of our own, answerable
# and not, over three sets of notes, each set and each side weighing the same:
# benchmarks/answers/confidence.py fits it, prints these numbers and tells how it does on notes that
# were left out. None of the evaluation's questions is among them.
COEFFICIENTS = {"best": 7.4, "weakest": 7.3, "unknown": -2.2}
INTERCEPT = -5.4
# To refuse what the notes answer is held twice as bad as to show lines that do not answer: a reader
# sees at once that they do not. So a question is answered when p * 2 >= 1 - p.
ANSWERED_FROM = 1 / 3


def confidence(signs: Signs) -> float:
    """Probability that the notes hold the answer, in [0, 1], for a question as likely to be
    answerable as not.
    """
    odds = INTERCEPT + sum(weight * getattr(signs, name) for name, weight in COEFFICIENTS.items())
    return 1 / (1 + math.exp(-odds))
