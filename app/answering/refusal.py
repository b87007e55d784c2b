"""How sure an answer is, and from where on the notes are said to hold it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from app.answering import second_look
from app.answering.composing import ranking
from app.answering.composing.ranking import Ranked
from app.answering.question.understand import Question
from kg.encoder import DEFAULT_ENCODER, Encoder
from kg.search import Findings

__all__ = [
    "ANSWERED_FROM", "LOOK", "LOOK_FROM", "SIGNS", "SURE_BY_SIGNS", "SURE_FROM", "confidence",
    "is_doubtful", "signs_of",
]  # fmt: skip

# What tells whether the notes hold an answer: of the best passages, of the statement that would
# lead, and of all statements. How long a question is tells more about who wrote it.
SIGNS = (
    "best_passage", "weakest_words", "unknown_words", "lead_meaning", "lead_weakest", "lead_rarest",
    "lead_worth", "doubt", "best_rarest", "best_late", "each_word",
)  # fmt: skip
LOOK = "look"  # beside the signs, where it was looked a second time
LOOK_FROM = 0.05  # that is from here to SURE_FROM, where it may change what is said
UNKNOWN = 0.95  # share of the question's words that no passage holds; beyond it nothing is told
# Sides weigh the same in the fit. To refuse what the notes answer is held worse than to show lines
# that do not answer: a reader sees at once that they do not.
ANSWERED_FROM = 0.15
# Below it an answer says that the notes may not hold it. Of our own questions by line seven in ten
# of those that the notes do not answer are refused or doubted, of the others a tenth.
SURE_FROM = 0.5
SURE_BY_SIGNS = 0.4  # the same where the signs decide alone: with another encoder


def signs_of(asked: Question, findings: Findings, ranked: Ranked) -> npt.NDArray[np.float64]:
    """The signs, shape (SIGNS,)."""
    reading, seen = asked.reading, ranked.seen
    lead = int(np.argmax(ranked.worth))
    third = max(1, seen.matches.shape[1] // 3)
    weakest = np.sort(seen.matches[lead])[:third].mean()
    weights = reading.weights if len(reading.pieces) else np.ones(1)
    rare = weights >= np.median(weights)
    rarest = seen.matches[:, rare].min(axis=1)
    late = seen.matches @ weights
    leads = ranked.leads
    return np.array(
        [
            findings.signs.best,
            findings.signs.weakest,
            findings.signs.unknown,
            seen.meaning[lead],
            weakest,
            rarest[lead],
            ranked.worth[lead] / 10,
            -(leads * np.log(leads + 1e-12)).sum(),
            rarest.max(),
            late.max(),
            seen.matches.max(axis=0) @ weights,
        ],
        dtype=np.float64,
    )


def confidence(
    asked: Question, findings: Findings, ranked: Ranked | None, encoder: Encoder | None = None
) -> float:
    """Probability that the notes hold the answer, in [0, 1], for a question as likely to be
    answerable as not.

    Parameters
    ----------
    encoder : Encoder or None
        Looks a second time where the signs are in doubt; without one they decide alone.
    """
    if ranked is None or findings.signs.unknown > UNKNOWN:
        return 0.0
    signs = dict(zip(SIGNS, signs_of(asked, findings, ranked).tolist(), strict=True))
    sure = _chance(ranking.stored()["confidence"], signs)
    if encoder is None or not LOOK_FROM < sure < SURE_FROM:
        return sure
    look = second_look.second_look(asked.reading.text, ranked, encoder)
    return sure if look is None else _chance(second_look.stored(), {**signs, LOOK: look})


def is_doubtful(sure: float, encoder: Encoder) -> bool:
    """Whether an answer of this confidence says that the notes may not hold it."""
    return sure < (SURE_FROM if encoder.name == DEFAULT_ENCODER else SURE_BY_SIGNS)


def _chance(learned: Mapping[str, Any], signs: Mapping[str, float]) -> float:
    odds = learned["intercept"] + sum(learned["weights"][name] * signs[name] for name in signs)
    return float(1 / (1 + np.exp(-odds)))
