"""A first set of questions made from the notes themselves, the same on every run.

Definitions and comparisons come from concepts, how-tos from headings, facts and keyword queries
from statements, and questions that the notes do not answer from terms they only mention and from
fields they do not touch. Made to be edited: a person will throw some away.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from app.evaluation.generate_from_concepts import comparisons, definitions, how_tos
from app.evaluation.generate_from_statements import facts
from app.evaluation.generate_unanswerable import far, mentioned
from app.evaluation.question_file import AskedQuestion, spoken
from kg.store import Store

__all__ = ["generated_questions"]

# Shares of a set that is cut down to a number; what one kind cannot give is taken from the others.
SHARES = {
    "definition": 0.15,
    "paraphrase": 0.1,
    "comparison": 0.1,
    "how": 0.15,
    "fact": 0.2,
    "keywords": 0.1,
    "unanswerable": 0.2,
}


def generated_questions(store: Store, most: int | None = None) -> tuple[AskedQuestion, ...]:
    """Questions with the headings or quotes that answer them, the unanswerable last.

    Parameters
    ----------
    most : int, optional
        At most so many, spread over kinds and notes, a quarter of them unanswerable; all that can
        be made when None.
    """
    made = chain(
        definitions(store),
        comparisons(store),
        how_tos(store),
        facts(store),
        mentioned(store),
        far(store),
    )
    unique: dict[str, AskedQuestion] = {}
    for question in made:
        unique.setdefault(spoken(question.q), question)
    return _spread(tuple(unique.values()), most)


def _spread(questions: Sequence[AskedQuestion], most: int | None) -> tuple[AskedQuestion, ...]:
    if most is None:
        return tuple(questions)
    kinds = {kind: [q for q in questions if q.kind == kind] for kind in SHARES}
    # few notes give few answerable questions: the others do not fill up the set in their place
    answerable = min(most, sum(q.answerable for q in questions))
    kinds["unanswerable"] = _evenly(
        kinds["unanswerable"], min(len(kinds["unanswerable"]), max(1, answerable // 3))
    )
    most = min(most, sum(map(len, kinds.values())))
    room = {kind: min(len(own), int(SHARES[kind] * most)) for kind, own in kinds.items()}
    while sum(room.values()) < most:
        # the kind that is furthest below its share and has more to give
        kind = max(
            (k for k in kinds if room[k] < len(kinds[k])), key=lambda k: SHARES[k] * most - room[k]
        )
        room[kind] += 1
    chosen = {id(q) for kind, own in kinds.items() for q in _evenly(own, room[kind])}
    return tuple(q for q in questions if id(q) in chosen)


def _evenly(questions: Sequence[AskedQuestion], n: int) -> list[AskedQuestion]:
    """n of them, at even distances."""
    return [questions[i * len(questions) // n] for i in range(n)]
