"""Fit the classifier of kinds of question, and measure it with each writer left out in turn.

    python -m benchmarks.answers.train_kinds

Learned from `questions/kinds.jsonl` and the answerable ones of `questions/lines` (blind writers).
Writes the coefficients, and saves the figures.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import app.answering.question as question_room
from app.answering.question.kinds import MODEL, Kind, Kinds, columns, terms
from benchmarks.record import save

QUESTIONS = Path(__file__).parents[1] / "questions"
LANGUAGES = ("de", "es", "fr", "zh")
# A term counts when so many questions have it: runs of words, runs of letters.
OFTEN = (2, 4)
STRENGTH = 10.0
FAINT = 0.3  # a term whose weights are all below it is left out; no figure changes by .01


@dataclass(frozen=True, slots=True)
class Asked:
    """A written question."""

    q: str
    kind: Kind
    writer: str
    language: str


def read_questions() -> list[Asked]:
    """All written questions that notes may answer, each once."""
    rows = _rows(QUESTIONS / "kinds.jsonl")
    out = [Asked(r["q"], r["kind"], r["writer"], r["language"]) for r in rows]
    for file in sorted((QUESTIONS / "lines").glob("*.jsonl")):
        language = file.stem if file.stem in LANGUAGES else "en"
        out += [Asked(r["q"], r["kind"], r["writer"], language) for r in _rows(file) if r["lead"]]
    return out


def _rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def fitted(asked: Sequence[Asked]) -> Kinds:
    """The classifier learned from these questions."""
    counts = [Counter(t for a in asked for t in terms(a.q)[group]) for group in (0, 1)]
    known = sorted(t for n, c in zip(OFTEN, counts, strict=True) for t, k in c.items() if k >= n)
    rows = {term: i for i, term in enumerate(known)}
    read = [columns(a.q, rows) for a in asked]
    matrix = csr_matrix(
        (
            np.concatenate([values for _, values in read]),
            np.concatenate([own for own, _ in read]).astype(np.int64),
            np.cumsum([0, *(len(own) for own, _ in read)]),
        ),
        shape=(len(asked), len(rows)),
    )
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    with threadpool_limits(1):  # sums in one order
        model.fit(matrix, [a.kind for a in asked])
    weights = model.coef_.T
    kept = np.abs(weights).max(axis=1) >= FAINT
    names = [term for term, keep in zip(known, kept, strict=True) if keep]
    return Kinds(
        tuple(model.classes_),
        {term: i for i, term in enumerate(names)},
        np.round(weights[kept], 2),
        model.intercept_,
    )


def _right(model: Kinds, asked: Sequence[Asked]) -> dict[str, Any]:
    """The share of kinds told right, "why" as "fact" since they are answered alike."""
    same: dict[str, str] = {"why": "fact"}
    said = [next(iter(model.chances(a.q))) for a in asked]
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
        model = fitted([a for a in asked if a.writer != writer])
        rows.append({"writer": writer, **_right(model, [a for a in asked if a.writer == writer])})
        print(rows[-1], flush=True)
    model = fitted(asked)
    stored = {
        "made_by": "python -m benchmarks.answers.train_kinds",
        "questions": len(asked),
        "kinds": model.kinds,
        "bias": [round(float(b), 4) for b in model.bias],
        "terms": {
            term: [round(100 * w) for w in row]
            for term, row in zip(model.terms, model.weights.tolist(), strict=True)
        },
    }
    file = Path(question_room.__file__).parent / MODEL
    file.write_text(json.dumps(stored, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    print(len(model.terms), "terms,", file.stat().st_size, "bytes")
    print("saved", save("kinds", {"rows": rows, "terms": len(model.terms)}))


if __name__ == "__main__":
    main()
