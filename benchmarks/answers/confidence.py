"""Fit and check the confidence of answers: calibration, and the share answered against the share of
wrong answers.

    python -m benchmarks.answers.confidence ../shared

Fitted on questions generated from three sets of notes and on our own, answerable and not; checked
on each set of notes with that set left out of the fit, and on the evaluation's questions, which are
never in a fit.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from app.answering.confidence import ANSWERED_FROM, COEFFICIENTS, INTERCEPT
from app.evaluation.generate import generated_questions
from benchmarks.record import save
from benchmarks.search.own_questions import book_questions, headed_questions
from ingest.build import ingest
from kg.encoder import Encoder, load_encoder
from kg.search import find, read
from kg.store import Store, open_store

SIGNS = tuple(COEFFICIENTS)
GENERATED = 400  # questions a set of notes, at most
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sample:
    """Questions from one source over one set of notes: their signs, shape (n, 3), and whether the
    notes answer them.
    """

    notes: str
    source: str  # generated, own, evaluation
    signs: Array
    answerable: npt.NDArray[np.bool_]


def main() -> None:
    """Fit on all but the evaluation's, check with each set of notes left out, and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    samples = _samples(parser.parse_args().shared.resolve())
    fitted = _fit([s for s in samples if s.source != "evaluation"])
    shipped = np.array([*COEFFICIENTS.values(), INTERCEPT])
    print("fitted ", dict(zip((*SIGNS, "intercept"), np.round(fitted, 2).tolist(), strict=True)))
    print("shipped", dict(zip((*SIGNS, "intercept"), shipped.tolist(), strict=True)))
    rows = []
    for sample in samples:
        apart = sample.source != "evaluation"
        others = [s for s in samples if s.source != "evaluation" and s.notes != sample.notes]
        rows.append(
            _checked(sample, _fit(others) if apart else shipped, "left out" if apart else "shipped")
        )
        print(
            "  ".join(f"{k} {v}" for k, v in rows[-1].items() if k not in ("curve", "calibration"))
        )
    print(
        "saved",
        save(
            "confidence",
            {"fitted": fitted.round(3).tolist(), "shipped": shipped.tolist(), "rows": rows},
        ),
    )


def _samples(shared: Path) -> list[Sample]:
    encoder = load_encoder()
    headed = headed_questions(shared)
    asked: dict[str, dict[str, list[tuple[str, bool]]]] = {
        name: {
            "own": [(q.q, bool(q.gold)) for q in questions if q.ours],
            "evaluation": [(q.q, bool(q.gold)) for q in questions if not q.ours],
        }
        for name, questions in headed.items()
    }
    book = book_questions(shared)
    asked["book"] = {
        "own": [(q.q, bool(q.components)) for q in book if q.ours],
        "evaluation": [(q.q, bool(q.components)) for q in book if not q.ours],
    }
    folders = {
        "starter": Path(__file__).parents[2] / "ingest/starter",
        "notes": shared / "notes",
        "book": shared / "eval/fastbook/notes",
    }
    out = []
    with tempfile.TemporaryDirectory() as work:
        for name, folder in folders.items():
            ingest([folder], Path(work) / name)
            store = open_store(Path(work) / name)
            made = [(g.q, g.answerable) for g in generated_questions(store, GENERATED)]
            for source, questions in {"generated": made, **asked[name]}.items():
                if questions:
                    out.append(_sample(name, source, questions, store, encoder))
            store.close()
    return out


def _sample(
    notes: str, source: str, questions: Sequence[tuple[str, bool]], store: Store, encoder: Encoder
) -> Sample:
    found = [find(read(q, store, encoder), store).signs for q, _ in questions]
    signs = np.array([[getattr(f, name) for name in SIGNS] for f in found])
    return Sample(notes, source, signs, np.array([y for _, y in questions]))


def _fit(samples: Sequence[Sample]) -> Array:
    """Coefficients and intercept; each sample's answerable and unanswerable questions weigh the
    same.
    """
    weights = []
    for s in samples:
        share = np.where(
            s.answerable, 1 / max(1, s.answerable.sum()), 1 / max(1, (~s.answerable).sum())
        )
        weights.append(1000 * share)
    signs, answerable = (
        np.concatenate([getattr(s, name) for s in samples]) for name in ("signs", "answerable")
    )
    model = LogisticRegression(C=1e6, max_iter=5000).fit(
        signs, answerable, sample_weight=np.concatenate(weights)
    )
    return np.append(model.coef_[0], model.intercept_)


def _checked(sample: Sample, coefficients: Array, fit: str) -> dict[str, Any]:
    p = 1 / (1 + np.exp(-(sample.signs @ coefficients[:-1] + coefficients[-1])))
    yes = sample.answerable
    row: dict[str, Any] = {
        "notes": sample.notes,
        "questions": sample.source,
        "fit": fit,
        "n": len(yes),
        "answered_ok": round(float((p[yes] >= ANSWERED_FROM).mean()), 3),
    }
    if yes.all():
        return row
    row["refused_ok"] = round(float((p[~yes] < ANSWERED_FROM).mean()), 3)
    row["auc"] = round(float(roc_auc_score(yes, p)), 3)
    # each side weighs the same, as in the fit: what the notes hold is asked as often as what they
    # do not
    weight = np.where(yes, 0.5 / yes.sum(), 0.5 / (~yes).sum())
    row["calibration"] = _calibration(p, yes, weight)
    row["error"] = round(
        sum(b["share"] * abs(b["said"] - b["true"]) for b in row["calibration"]), 3
    )
    row["curve"] = _curve(p, yes, weight)
    return row


def _calibration(p: Array, yes: npt.NDArray[np.bool_], weight: Array) -> list[dict[str, float]]:
    out = []
    for low in np.arange(0, 1, 0.2):
        own = (p >= low) & (p < low + 0.2 + (low > 0.7))
        if own.any():
            total = weight[own].sum()
            said, true = (
                float(np.average(p[own], weights=weight[own])),
                float(weight[own & yes].sum() / total),
            )
            out.append(
                {"share": round(float(total), 3), "said": round(said, 3), "true": round(true, 3)}
            )
    return out


def _curve(p: Array, yes: npt.NDArray[np.bool_], weight: Array) -> list[dict[str, float]]:
    """Share of questions answered (coverage) and of those the share the notes do not answer (risk),
    by threshold.
    """
    out = []
    for threshold in (0.1, 0.2, ANSWERED_FROM, 0.5, 0.7, 0.9):
        answered = p >= threshold
        coverage = float(weight[answered].sum())
        risk = float(weight[answered & ~yes].sum() / coverage) if coverage else 0.0
        out.append(
            {"from": round(threshold, 2), "coverage": round(coverage, 3), "risk": round(risk, 3)}
        )
    return out


if __name__ == "__main__":
    main()
