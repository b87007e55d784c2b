"""Fit the classifier of kinds of question, and measure it with each writer left out in turn.

    python -m benchmarks.answers.train_kinds

Learned from `questions/kinds.jsonl` and the answerable ones of `questions/lines` (blind writers).
Writes the coefficients, and saves the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.answering.question.kinds import MODEL, ROOM, Kind, wording
from benchmarks.record import save
from benchmarks.wordings import fitted, read_rows, store
from kg.classifier import Classifier

QUESTIONS = Path(__file__).parents[1] / "questions"
LANGUAGES = ("de", "es", "fr", "zh")
# A term counts when so many questions have it: runs of words, runs of letters.
OFTEN = (2, 4)
STRENGTH = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A written question."""

    q: str
    kind: Kind
    writer: str
    language: str


def read_questions() -> list[Asked]:
    """All written questions that notes may answer, each once."""
    rows = read_rows(QUESTIONS / "kinds.jsonl")
    out = [Asked(r["q"], r["kind"], r["writer"], r["language"]) for r in rows]
    for file in sorted((QUESTIONS / "lines").glob("*.jsonl")):
        language = file.stem if file.stem in LANGUAGES else "en"
        out += [
            Asked(r["q"], r["kind"], r["writer"], language) for r in read_rows(file) if r["lead"]
        ]
    return out


def _fitted(asked: Sequence[Asked]) -> Classifier:
    """The classifier learned from these questions."""
    return fitted([wording(a.q) for a in asked], [a.kind for a in asked], OFTEN, STRENGTH)


def _right(model: Classifier, asked: Sequence[Asked]) -> dict[str, Any]:
    """The share of kinds told right, "why" as "fact" since they are answered alike."""
    same: dict[str, str] = {"why": "fact"}
    said = [next(iter(model.chances(wording(a.q)))) for a in asked]
    right = [same.get(s, s) == same.get(a.kind, a.kind) for s, a in zip(said, asked, strict=True)]
    by: dict[str, list[bool]] = {}
    for a, ok in zip(asked, right, strict=True):
        by.setdefault(a.language, []).append(ok)
        by.setdefault(a.kind, []).append(ok)
    return {
        "questions": len(asked),
        "right": round(float(np.mean(right)), 3),
        "by": {name: round(float(np.mean(ok)), 3) for name, ok in sorted(by.items())},
    }


def main() -> None:
    """Measure with each writer left out, fit on all, write the coefficients."""
    asked = read_questions()
    rows = []
    for writer in sorted({a.writer for a in asked}):
        model = _fitted([a for a in asked if a.writer != writer])
        rows.append({"writer": writer, **_right(model, [a for a in asked if a.writer == writer])})
        print(rows[-1], flush=True)
    model = _fitted(asked)
    store(
        model,
        ROOM,
        MODEL,
        "python -m benchmarks.answers.train_kinds",
        len(asked),
    )
    print("saved", save("kinds", {"rows": rows, "terms": len(model.terms)}))


if __name__ == "__main__":
    main()
