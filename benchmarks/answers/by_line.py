"""Questions whose answers are marked by line, and how well citations meet the marks.

The figures are those of the evaluation's own scorer: `lead`, the first citation overlaps lines that
a careful reader would quote first; `tight`, and has at most eight lines more; `covered`, some
citation does; `noise`, the share of cited lines that belong to no good answer, a line of slack;
`chars` cited.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kg.types import Citation

__all__ = ["Lines", "Scores", "mean_of", "score"]

SLACK = 8  # lines


@dataclass(frozen=True, slots=True)
class Place:
    """Marked lines, both ends included."""

    note: str
    cell: int | None
    first: int
    last: int

    def beside(self, cited: Citation) -> bool:
        """Whether a citation is of the same note and cell."""
        same_note = cited.note.split("/")[-1] == self.note.split("/")[-1]
        return same_note and self.cell in (None, cited.cell)

    def meets(self, cited: Citation) -> bool:
        """Whether a citation has a line of these."""
        return self.beside(cited) and cited.line_start <= self.last and self.first <= cited.line_end


@dataclass(frozen=True, slots=True)
class Lines:
    """A question with the lines to quote first, any of them, and further good ones."""

    q: str
    kind: str
    lead: tuple[Place, ...]
    ok: tuple[Place, ...]

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Lines:
        """From a row of a file of questions."""
        lead, ok = (
            tuple(Place(r["note"], r.get("cell"), *r["lines"]) for r in row[key])
            for key in ("lead", "ok")
        )
        return cls(row["q"], row["kind"], lead, ok)

    def leads(self, cited: Citation) -> bool:
        """Whether a citation meets lines to quote first."""
        return any(place.meets(cited) for place in self.lead)

    def holds(self, cited: Citation) -> bool:
        """Whether a citation meets any good lines."""
        return any(place.meets(cited) for place in (*self.lead, *self.ok))


@dataclass(frozen=True, slots=True)
class Scores:
    """How well one answer meets the marks."""

    lead: bool
    tight: bool
    covered: bool
    noise: float
    chars: int


def score(question: Lines, cited: Sequence[Citation], chars: int | None = None) -> Scores:
    """How well an answer's citations meet a question's marks."""
    if not cited:
        return Scores(False, False, False, 1.0, 0)
    first = cited[0]
    size = first.line_end - first.line_start + 1
    met = [place for place in question.lead if place.meets(first)]
    lines = [(c, line) for c in cited for line in range(c.line_start, c.line_end + 1)]
    off = sum(not _good(question, c, line) for c, line in lines)
    return Scores(
        bool(met),
        any(size <= place.last - place.first + 1 + SLACK for place in met),
        any(question.leads(c) for c in cited),
        off / len(lines),
        sum(len(c.quote) for c in cited) if chars is None else chars,
    )


def _good(question: Lines, cited: Citation, line: int) -> bool:
    return any(
        place.beside(cited) and place.first - 1 <= line <= place.last + 1
        for place in (*question.lead, *question.ok)
    )


def mean_of(scores: Sequence[Scores]) -> dict[str, float]:
    """Means, of the characters the median."""
    out = {
        name: round(statistics.mean(float(getattr(s, name)) for s in scores), 3)
        for name in ("lead", "tight", "covered", "noise")
    }
    return {**out, "chars": float(statistics.median(s.chars for s in scores))}
