"""What a follow-up means in its conversation.

Whether a question stands alone, follows on or only asks to go on is told by a classifier learned
from written conversations in five languages (`follow_ups.json`, written by
`benchmarks/answers/train_follow_ups.py`). What follows on is searched for together with the
question that it began with and the one before it: no word of it is replaced.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal, cast

from app.answering.question.kinds import ROOM, kind_of, wording
from kg.classifier import MOST_CHARS, Classifier
from kg.linking import words
from kg.types import Answer

__all__ = ["MODEL", "Meant", "Stand", "Turn", "groups", "meant"]

Turn = tuple[str, Answer]  # a question as it was asked, and its answer
Stand = Literal["alone", "follows", "more"]
MODEL = "follow_ups.json"
_FORMS = ("path", "next", "where", "comparison")
REMEMBERED = 40  # turns
LATELY = 8  # turns whose words count as said before
MANY = 12  # words from which on a question is long
# Chance beyond which a question stands alone. To search for it after another one loses its first
# passage more often than to search for a follow-up as it stands (benchmarks/README.md).
ALONE = 0.45


@dataclass(frozen=True, slots=True)
class Meant:
    """A question as it is meant after others."""

    text: str  # as it would be asked alone: after the questions that it follows
    searched: str  # the same with itself said twice, as it says more than what was asked before
    own: str  # what it asks itself; of one that asks to go on, what was asked before
    topics: tuple[str, ...] = ()  # the labels of what was talked about, the last first
    stand: Stand = "alone"

    @classmethod
    def alone(cls, question: str) -> Meant:
        """A question that needs no other."""
        return cls(question, question, question)


def groups(question: str, before: Sequence[str]) -> tuple[set[str], set[str], set[str]]:
    """The terms that tell whether a question stands alone: its wording, its length, and how many of
    its words were said before.
    """
    own = {fold for fold, *_ in words(question.casefold())}
    lately = " ".join(q[:MOST_CHARS] for q in before[-LATELY:])
    said = {fold for fold, *_ in words(lately.casefold())}
    long, new = len(words(question)), len(own - said)
    shared = 4 * len(own & said) // max(1, len(own))
    signs = {
        f"#words {min(long, MANY)}", f"#threes {min(long, MANY) // 3}",
        f"#shared {shared}", f"#new {min(new, MANY // 2)}",
    }  # fmt: skip
    return (*wording(question), signs)


@cache
def _learned() -> Classifier:
    return Classifier.stored(ROOM, MODEL)


def _stand(question: str, before: Sequence[str], learned: Classifier) -> Stand:
    if not before or not words(question):
        return "alone"
    chances = learned.chances(groups(question, before))
    if chances.pop("alone") > ALONE:
        return "alone"
    # "What's next?" asks for a form of answer, not for more of the last one.
    if kind_of(question, 1) in _FORMS:
        return "follows"
    return cast(Stand, next(iter(chances)))


def meant(question: str, history: Sequence[Turn], learned: Classifier | None = None) -> Meant:
    """The question as it is meant after those of the history, oldest first.

    Parameters
    ----------
    learned : Classifier, optional
        Tells how a question stands; by default the one that comes with Gradus.
    """
    learned = learned or _learned()
    recent = history[-REMEMBERED:]
    asked = [turn for turn, _ in recent]
    chain: list[str] = []  # the questions since the last that stood alone, that one first
    for i, turn in enumerate(asked):
        stand = _stand(turn, asked[:i], learned)
        if stand != "more":
            chain = [*chain, turn] if stand == "follows" else [turn]
    stand = _stand(question, asked, learned)
    if stand == "alone" or not chain:
        return Meant.alone(question)
    before = " ".join(dict.fromkeys((chain[0], chain[-1])))
    if stand == "more":
        return Meant(before, before, chain[-1], stand=stand)
    topics = tuple(dict.fromkeys(said.concepts[0] for _, said in reversed(recent) if said.concepts))
    text = f"{before} {question}"
    return Meant(text, f"{text} {question}", question, topics, stand)
