"""How well questions with known answers are answered, one by one and in figures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.answering.answer import answer as answer_from_notes
from app.answering.reading.excerpts import begins_in
from app.evaluation.question_file import AskedQuestion, answers, quoted_in, under
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer, Hit, Passage

__all__ = [
    "LEAST_OF_A_KIND",
    "Figures",
    "Outcome",
    "ask_all",
    "by_kind",
    "figures",
    "judged",
    "rank_of",
]

LEAST_OF_A_KIND = 5  # fewer questions of a kind give no figures of their own


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question."""

    question: AskedQuestion
    answered: bool
    rank: int | None  # of the first hit that answers, from 1; None when none does
    cited: bool  # whether a citation stands in a passage that answers
    first: str  # the first hit's note and headings; "" without hits
    confidence: float
    ms: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares in [0, 1] over some outcomes; None where there is nothing to take a share of."""

    questions: int
    answerable: int
    hit_at_1: float | None  # of the answerable
    hit_at_3: float | None
    hit_at_5: float | None
    mrr: float | None
    answered: float | None  # of the answerable
    cited: float | None  # of the answerable that were answered
    refused: float | None  # of the unanswerable
    ms_median: float | None
    ms_p90: float | None


def ask_all(
    questions: Sequence[AskedQuestion],
    store: Store,
    encoder: Encoder,
    k: int = 10,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Outcome, ...]:
    """Ask every question alone; the first twice, so that loading is in no question's time."""
    if questions:
        answer_from_notes(questions[0].q, store, encoder, k=k)
    out = []
    for n, question in enumerate(questions, 1):
        begun = time.perf_counter()
        answer = answer_from_notes(question.q, store, encoder, k=k)
        ms = 1000 * (time.perf_counter() - begun)
        out.append(judged(question, answer, store.passages, ms))
        if progress is not None:
            progress(n, len(questions))
    return tuple(out)


def judged(
    question: AskedQuestion, answer: Answer, passages: Sequence[Passage], ms: float
) -> Outcome:
    """One answer, held against what its question's file says."""
    first = answer.hits[0].passage if answer.hits else None
    cited = [p for c in answer.citations for p in passages if begins_in(c, p)]
    return Outcome(
        question=question,
        answered=answer.status == "answered",
        rank=rank_of(question, answer.hits),
        cited=any(answers(question, p) for p in cited),
        first=" › ".join((first.note, *first.heading_path)) if first else "",
        confidence=answer.confidence,
        ms=ms,
    )


def rank_of(question: AskedQuestion, hits: Sequence[Hit]) -> int | None:
    """Position from 1 of the first hit that answers, None when none does.

    For gold headings several hits under one and the same heading path count as one; for quotes
    every hit counts. With both, the better position holds.
    """
    paths = list(dict.fromkeys(h.passage.heading_path for h in hits))
    by_heading = (paths.index(h.passage.heading_path) for h in hits if under(question, h.passage))
    by_quote = (i for i, h in enumerate(hits) if quoted_in(question, h.passage))
    firsts = [i for i in (next(by_heading, None), next(by_quote, None)) if i is not None]
    return min(firsts) + 1 if firsts else None


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """Figures over these outcomes."""
    asked = [o for o in outcomes if o.question.answerable]
    unanswerable = [o for o in outcomes if not o.question.answerable]
    times = [o.ms for o in outcomes]

    def hit_at(k: int) -> float | None:
        return _share([o.rank is not None and o.rank <= k for o in asked])

    return Figures(
        questions=len(outcomes),
        answerable=len(asked),
        hit_at_1=hit_at(1),
        hit_at_3=hit_at(3),
        hit_at_5=hit_at(5),
        mrr=_share([1 / o.rank if o.rank else 0.0 for o in asked]),
        answered=_share([o.answered for o in asked]),
        cited=_share([o.cited for o in asked if o.answered]),
        refused=_share([not o.answered for o in unanswerable]),
        ms_median=round(statistics.median(times), 1) if times else None,
        ms_p90=round(_percentile(times, 0.9), 1) if times else None,
    )


def by_kind(outcomes: Sequence[Outcome], least: int = LEAST_OF_A_KIND) -> dict[str, Figures]:
    """Figures for every kind that at least so many questions have, in the questions' order."""
    kinds = dict.fromkeys(o.question.kind for o in outcomes if o.question.kind)
    groups = {kind: [o for o in outcomes if o.question.kind == kind] for kind in kinds}
    return {kind: figures(own) for kind, own in groups.items() if len(own) >= least}


def _share(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 4) if values else None


def _percentile(values: Sequence[float], share: float) -> float:
    """The value below which a share of them lies, between neighbours in proportion."""
    ordered = sorted(values)
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])
