"""Fit what chooses the statements of an answer, and measure it with each vault left out in turn.

    python -m benchmarks.answers.train_reader SHARED [--stores DIR]

Learned from `questions/lines` (blind writers, checked by second readers); measured on them, on
`questions/lines_unseen` and on the evaluation's questions by line, which are in no fit. Writes the
weights with what they were fitted on, and saves the figures.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

import app.answering.composing as composing
from app.answering.composing.features import (
    FEATURES,
    OF_PASSAGE,
    RELATIONS,
    Seen,
    related,
    seen,
)
from app.answering.composing.ranking import LISTS, MODEL, Weights
from app.answering.composing.selection import leading, likeliest, spans, understood
from app.answering.question.understand import Question, understand
from app.answering.reading.excerpts import body_of, cite
from app.answering.refusal import ANSWERED_FROM, SIGNS, SURE_FROM, signs_of
from benchmarks.answers.by_line import Lines, mean_of, score
from benchmarks.record import save
from ingest.build import ingest
from kg.encoder import load_encoder
from kg.search import Findings, find
from kg.store import open_store
from kg.types import Citation

ROOT = Path(__file__).parents[2]
QUESTIONS = ROOT / "benchmarks/questions/lines"
UNSEEN = ROOT / "benchmarks/questions/lines_unseen"
# Strength of the pull towards zero, chosen with vaults left out; neighbours do as well.
LEAD_PULL, BELONGS_PULL, DOUBT_PULL = 200.0, 0.05, 0.1
SAME_KIND = {"compare": "comparison"}
LANGUAGES = ("de", "es", "fr", "zh")
# Beginnings of the names of what is seen.
PARTS = {
    "nothing": ("-",),
    "meaning": ("meaning",),
    "word by word": ("late",),
    "passage": OF_PASSAGE,
    "concepts": ("summary", "named", "defin"),
    "form": ("mark_", "kind_", "begins", "ends", "digit", "length", "lines"),
    "place": ("at", "through", "first", "last", "opens_block"),
}
FIGURES = (
    "marked_right", "marked_part", "lead", "tight", "covered", "noise", "chars",
    "refused_though_told", "refused", "doubted_though_told", "doubted", "auc",
)  # fmt: skip
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what is seen of the statements of its hits, and which of them are right."""

    question: Lines
    understood: Question
    findings: Findings
    seen: Seen
    lead: npt.NDArray[np.bool_]  # (n,)
    good: npt.NDArray[np.bool_]  # (n,)

    @property
    def lists(self) -> bool:
        """Whether several things are asked for."""
        return self.understood.kind in LISTS

    @property
    def answerable(self) -> bool:
        """Whether the notes hold the answer."""
        return bool(self.question.lead)


def vaults(shared: Path) -> dict[str, Path]:
    """Where the notes of each set of questions are."""
    evaluation = shared / "eval"
    corpora = evaluation / "train_prereq"
    own = ROOT / "benchmarks/questions/vaults"
    return {
        "starter": ROOT / "ingest/starter",
        "seed": shared / "notes",
        "fastbook": evaluation / "fastbook/notes",
        "metacademy": evaluation / "metacademy/notes",
        **{
            n: evaluation / "vaults" / n
            for n in ("cs228", "cs231n", "dl_summary", "tuning_playbook")
        },
        **{
            n: corpora / n / "notes"
            for n in (
                "cp_algorithms", "ethereum_docs", "exercism_csharp", "exercism_elixir",
                "exercism_gleam", "exercism_javascript", "mdn_learn", "modernmath",
                "statproofbook",
            )
        },
        **{n: own / n for n in LANGUAGES},
    }  # fmt: skip


def looked_at(store_folder: Path, questions: Sequence[Lines]) -> list[Asked]:
    """What is seen of the statements of each question's hits."""
    store, encoder = open_store(store_folder), load_encoder()
    out = []
    for question in questions:
        asked = understand(question.q, store, encoder)
        findings = find(asked.reading, store)
        found = seen(asked, findings, store)
        cited = [_cited(found, i) for i in range(len(found.statements))]
        lead = np.array([question.leads(c) for c in cited], dtype=np.bool_)
        good = np.array([question.holds(c) for c in cited], dtype=np.bool_)
        out.append(Asked(question, asked, findings, found, lead, good))
    store.close()
    return out


def _cited(found: Seen, i: int) -> Citation:
    from app.answering.reading.statements import excerpt

    return cite(excerpt([found.statements[i]], 0, 0), 1)


def fitted(asked: Sequence[Asked]) -> Weights:
    """The weights learned from these questions."""
    told = [a for a in asked if a.lead.any()]
    rows = np.concatenate([a.seen.rows for a in told])
    scale = rows.std(axis=0) + 1e-6
    with threadpool_limits(1):
        lead = _listwise([a.seen.rows / scale for a in told], [a.lead for a in told]) / scale
        beside = np.concatenate(
            [
                np.column_stack([related(a.seen, a.seen.rows @ lead, a.lists), a.seen.rows])
                for a in told
            ]
        )
        centre, spread = beside.mean(axis=0), beside.std(axis=0) + 1e-6
        model = LogisticRegression(C=BELONGS_PULL, max_iter=2000)
        model.fit((beside - centre) / spread, np.concatenate([a.good for a in told]))
    belongs = model.coef_[0] / spread
    return Weights(lead, belongs, float(model.intercept_[0] - belongs @ centre))


def _listwise(rows: Sequence[Array], right: Sequence[npt.NDArray[np.bool_]]) -> Array:
    """Weights under which the right ones of each list are likeliest (softmax over the list)."""
    stacked, yes = np.concatenate(rows), np.concatenate(right)
    sizes = [len(r) for r in rows]
    starts = np.cumsum([0, *sizes[:-1]])
    of = np.repeat(np.arange(len(sizes)), sizes)

    def loss(weights: Array) -> tuple[float, Array]:
        worth = stacked @ weights
        up = np.exp(worth - np.maximum.reduceat(worth, starts)[of])
        total, good = np.add.reduceat(up, starts), np.add.reduceat(up * yes, starts)
        pull = LEAD_PULL * weights
        slope = (up / total[of] - up * yes / np.maximum(good, 1e-300)[of]) @ stacked
        value = float(np.log(total).sum() - np.log(np.maximum(good, 1e-300)).sum())
        return value + float(pull @ weights) / 2, slope + pull

    return np.asarray(
        minimize(
            loss, np.zeros(stacked.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 500}
        ).x
    )


def answered(asked: Asked, weights: Weights) -> tuple[list[Citation], int]:
    """The citations of an answer in running text, and its characters."""
    if not asked.seen.statements:
        return [], 0
    ranked = weights.rank(asked.seen, asked.lists)
    excerpts = [span.excerpt(ranked) for span in spans(ranked, leading(ranked))]
    return [cite(e, n) for n, e in enumerate(excerpts, 1)], sum(len(e.text) for e in excerpts)


def read_questions(file: Path) -> list[Lines]:
    """The questions of a file."""
    return [Lines.of(json.loads(line)) for line in file.read_text("utf-8").splitlines() if line]


def main() -> None:
    """Measure with each vault left out, fit on all, write the weights, save the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--stores", type=Path, default=Path(".gradus/reader"), help="kept stores")
    parser.add_argument("--parts", action="store_true", help="also with parts left out")
    given = parser.parse_args()
    sets = all_questions(given.shared.resolve(), given.stores)
    own = sets["own"]
    without = {
        name: fitted([a for other, asked in own.items() if other != name for a in asked])
        for name in vaults(given.shared)
    }
    # What tells whether notes answer is seen by weights that were not learned from them.
    doubts = {n: _doubts(own[n], without[n]) for n in own}
    rows = _measured(sets, without, doubts)
    final = fitted([a for asked in own.values() for a in asked])
    weights, intercept = weights_of_signs(list(doubts.values()))
    stored = {
        "made_by": "python -m benchmarks.answers.train_reader",
        "questions": sum(len(a) for a in own.values()),
        "lead": dict(zip(FEATURES, _rounded(final.lead), strict=True)),
        "belongs": dict(zip((*RELATIONS, *FEATURES), _rounded(final.belongs), strict=True)),
        "intercept": round(final.intercept, 4),
        "confidence": {
            "weights": dict(zip(SIGNS, _rounded(weights), strict=True)),
            "intercept": round(intercept, 4),
        },
    }
    file = Path(composing.__file__).parent / MODEL
    file.write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    parts = _parts(own, sets["evaluation"]) if given.parts else []
    print("saved", save("reader", {"rows": rows, "parts": parts}))


def all_questions(shared: Path, stores: Path) -> dict[str, dict[str, list[Asked]]]:
    """By set and vault: our own questions, those in no fit, the evaluation's."""
    files = {"own": QUESTIONS, "unseen": UNSEEN, "evaluation": shared / "eval/answers"}
    sets: dict[str, dict[str, list[Asked]]] = {name: {} for name in files}
    for vault, notes in vaults(shared).items():
        folder = stores / vault
        ingest([notes], folder)
        for name, questions in files.items():
            if (questions / f"{vault}.jsonl").exists():
                sets[name][vault] = looked_at(folder, read_questions(questions / f"{vault}.jsonl"))
        print(vault, {name: len(of.get(vault, ())) for name, of in sets.items()}, flush=True)
    return sets


def _measured(
    sets: Mapping[str, Mapping[str, Sequence[Asked]]],
    without: Mapping[str, Weights],
    doubts: Mapping[str, tuple[Array, npt.NDArray[np.bool_]]],
) -> list[dict[str, Any]]:
    """A row for each vault and set of questions, by weights that saw neither, and their means."""
    rows: list[dict[str, Any]] = []
    for vault, weights in without.items():
        sure = weights_of_signs([d for other, d in doubts.items() if other != vault])
        for name, of in sets.items():
            if vault in of:
                rows.append(_row(vault, name, of[vault], weights, sure))
                print(rows[-1], flush=True)
    for name, foreign in (("own", False), ("own", True), ("unseen", False), ("evaluation", False)):
        of_set = [
            r for r in rows if r["questions"] == name and (r["vault"] in LANGUAGES) == foreign
        ]
        mean = {f: round(statistics.mean(r[f] for r in of_set), 3) for f in FIGURES}
        rows.append({"vault": f"mean of {len(of_set)}", "questions": name, **mean})
        print(rows[-1])
    return rows


def _doubts(asked: Sequence[Asked], weights: Weights) -> tuple[Array, npt.NDArray[np.bool_]]:
    """The signs of each question with hits, and whether the notes answer it."""
    found = [a for a in asked if a.seen.statements]
    signs = [signs_of(a.understood, a.findings, weights.rank(a.seen, a.lists)) for a in found]
    return np.array(signs), np.array([a.answerable for a in found])


def weights_of_signs(doubts: Sequence[tuple[Array, npt.NDArray[np.bool_]]]) -> tuple[Array, float]:
    """Weights of the signs and their intercept; both sides weigh the same."""
    signs = np.concatenate([s for s, _ in doubts])
    centre, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-6
    model = LogisticRegression(C=DOUBT_PULL, class_weight="balanced", max_iter=2000)
    model.fit((signs - centre) / spread, np.concatenate([yes for _, yes in doubts]))
    weights = model.coef_[0] / spread
    return weights, float(model.intercept_[0] - weights @ centre)


def _row(
    vault: str,
    questions: str,
    asked: Sequence[Asked],
    weights: Weights,
    sure: tuple[Array, float],
) -> dict[str, Any]:
    signs, yes = _doubts(asked, weights)
    chance = 1 / (1 + np.exp(-(signs @ sure[0] + sure[1])))
    # Without hits nothing is answered.
    none = [a.answerable for a in asked if not a.seen.statements]
    chance = np.append(chance, np.zeros(len(none)))
    yes = np.append(yes, np.array(none, dtype=np.bool_))
    told = [a for a in asked if a.answerable]
    scores = [score(a.question, *answered(a, weights)) for a in told]
    # The best passage of the search, as it stands.
    whole = mean_of([score(a.question, _best_passage(a)) for a in told])
    kinds: dict[str, list[bool]] = {}
    for a, s in zip(told, scores, strict=True):
        kinds.setdefault(SAME_KIND.get(a.question.kind, a.question.kind), []).append(s.lead)
    return {
        "vault": vault,
        "questions": questions,
        "n": len(scores),
        **mean_of(scores),
        **_pointed_at([a for a, s in zip(told, scores, strict=True) if s.lead], weights),
        "passage_lead": whole["lead"],
        "passage_tight": whole["tight"],
        "kinds": {kind: [sum(leads), len(leads)] for kind, leads in sorted(kinds.items())},
        "refused_though_told": round(float((chance[yes] < ANSWERED_FROM).mean()), 3),
        "refused": round(float((chance[~yes] < ANSWERED_FROM).mean()), 3),
        # refused, or answered with the remark that the notes perhaps do not hold it
        "doubted_though_told": round(float((chance[yes] < SURE_FROM).mean()), 3),
        "doubted": round(float((chance[~yes] < SURE_FROM).mean()), 3),
        "auc": round(float(roc_auc_score(yes, chance)), 3),
    }


def _pointed_at(led: Sequence[Asked], weights: Weights) -> dict[str, float]:
    """Of right leads the share whose marked part is right, and how much of them is marked."""
    right, parts = [], []
    for asked in led:
        ranked = weights.rank(asked.seen, asked.lists)
        lead = understood(leading(ranked), ranked)
        whole, marked = (s.excerpt(ranked) for s in (lead, likeliest(ranked, lead)))
        right.append(asked.question.leads(cite(marked, 1)))
        parts.append(len(marked.text) / len(whole.text))
    return {
        "marked_right": round(statistics.mean(map(float, right)), 3),
        "marked_part": round(statistics.mean(parts), 3),
    }


def _best_passage(asked: Asked) -> list[Citation]:
    return [cite(body_of(hit.passage), 1) for hit in asked.findings.hits[:1]]


def _parts(
    own: Mapping[str, Sequence[Asked]], evaluation: Mapping[str, Sequence[Asked]]
) -> list[dict[str, Any]]:
    """Mean figures over the English vaults with a part of what is seen left out."""
    rows = []
    for part, names in PARTS.items():
        left = [i for i, name in enumerate(FEATURES) if name.startswith(names)]
        sets = [
            {name: [_blinded(a, left) for a in asked] for name, asked in of.items()}
            for of in (own, evaluation)
        ]
        scores = []
        for name in sets[0]:
            if name in LANGUAGES:
                continue
            weights = fitted([a for n, asked in sets[0].items() if n != name for a in asked])
            told = [a for of in sets for a in of.get(name, ()) if a.answerable]
            scores.append(mean_of([score(a.question, *answered(a, weights)) for a in told]))
        mean = {f: round(statistics.mean(s[f] for s in scores), 3) for f in FIGURES[:5]}
        rows.append({"without": part, "features": len(left), **mean})
        print(rows[-1], flush=True)
    return rows


def _blinded(asked: Asked, columns: Sequence[int]) -> Asked:
    rows = asked.seen.rows.copy()
    rows[:, columns] = 0
    return replace(asked, seen=replace(asked.seen, rows=rows))


def _rounded(values: Iterable[float]) -> list[float]:
    return [float(f"{v:.4g}") for v in values]


if __name__ == "__main__":
    main()
