"""How sure an answer is, and from where on the notes are said to hold it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from app.answering.composing.ranking import Ranked, stored
from app.answering.question.understand import Question
from kg.search import Findings

__all__ = ["ANSWERED_FROM", "SIGNS", "SURE_FROM", "confidence", "signs_of"]

# What tells whether the notes hold an answer: of the best passages, of the statement that would
# lead, and of all statements. How long a question is tells more about who wrote it.
SIGNS = (
    "best_passage", "weakest_words", "unknown_words", "lead_meaning", "lead_weakest", "lead_rarest",
    "lead_worth", "doubt", "best_rarest", "best_late", "each_word",
)  # fmt: skip
UNKNOWN = 0.95  # share of the question's words that no passage holds; beyond it nothing is told
# Sides weigh the same in the fit. To refuse what the notes answer is held worse than to show lines
# that do not answer: a reader sees at once that they do not.
ANSWERED_FROM = 0.15
# Below it an answer says that the notes may not hold it. Chosen on our own questions by line: of
# those that the notes do not answer two thirds are refused or doubted, of the others an eighth.
SURE_FROM = 0.4


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


def confidence(asked: Question, findings: Findings, ranked: Ranked | None) -> float:
    """Probability that the notes hold the answer, in [0, 1], for a question as likely to be
    answerable as not.
    """
    if ranked is None or findings.signs.unknown > UNKNOWN:
        return 0.0
    learned = stored()["confidence"]
    odds = learned["intercept"] + sum(
        learned["weights"][name] * sign
        for name, sign in zip(SIGNS, signs_of(asked, findings, ranked).tolist(), strict=True)
    )
    return float(1 / (1 + np.exp(-odds)))
