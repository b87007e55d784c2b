"""Learns which recipe a question wishes for, and measures it on questions of writers that it has
not seen.

`python -m benchmarks.answers.train_offers` reads `questions/wishes.jsonl` (questions by several
writers, who did not know the rules of `app.answering.offers.offers`) and `questions/recipes.jsonl`,
and leaves one writer out at a time: precision and recall of the rules alone, of the classifier
alone and of both together. Then it learns from all and writes `app/answering/offers/wishes.json`,
and the table to `results/wishes.json`. The parts "last" and "params" of recipes.jsonl are not
touched: `matching.py` measures on them what was learned.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from app.answering.offers.offers import LEARNED_FROM, as_asked, offers
from app.answering.offers.wishes import NONE, Wishes, columns, terms
from benchmarks.answers.offers import QUESTIONS, wanted_rows
from benchmarks.record import save
from kg.encoder import Encoder, load_encoder

WRITTEN = QUESTIONS.parent / "wishes.jsonl"
LEARNED = Path(__file__).parents[2] / "app" / "answering" / "offers" / "wishes.json"
TOLD = ("last", "params")  # the parts that nothing is learned from
OLD = (
    "the rules' own"  # the parts that the rules were made by; the rules' figures there say nothing
)
STRENGTH = 40.0  # the inverse of the penalty, chosen with writers left out, as LEARNED_FROM was
TWICE = 2  # questions that a term is in at least


@dataclass(frozen=True, slots=True)
class Row:
    """A question, what it wishes for (NONE: nothing), and who wrote it."""

    q: str
    recipe: str
    writer: str
    concepts: tuple[str, ...] = ()


def rows() -> list[Row]:
    """All questions to learn from, each once."""
    written = [json.loads(line) for line in WRITTEN.read_text(encoding="utf-8").splitlines()]
    found = [Row(w.q, w.recipe, w.part if w.part == "unseen" else OLD, w.concepts) for w in wanted_rows()
             if w.part not in TOLD]  # fmt: skip
    found += [Row(w["q"], w["recipe"], w["writer"]) for w in written]
    return list({row.q.casefold(): row for row in reversed(found)}.values())[::-1]


def fitted(asked: Sequence[str], vectors: Any, wanted: Sequence[str], encoder: Encoder) -> Wishes:
    """The classifier learned from these questions."""
    count = Counter(term for question in asked for term in set(terms(question)))
    rarity = {
        term: float(np.log((1 + len(asked)) / (1 + n)) + 1)
        for term, n in sorted(count.items())
        if n >= TWICE
    }
    model = LogisticRegression(C=STRENGTH, max_iter=3000)
    model.fit(columns(asked, vectors, rarity), wanted)
    return Wishes(encoder.name, tuple(model.classes_), rarity, model.coef_.T, model.intercept_)


def judged(model: Wishes, asked: Sequence[str], vectors: Any) -> list[dict[str, float]]:
    """Each question's probabilities by recipe."""
    chances = model(columns(asked, vectors, model.rarity))
    return [
        {n: float(c) for n, c in zip(model.names, row, strict=True) if n != NONE} for row in chances
    ]


def figures(given: Sequence[tuple[Row, set[str]]]) -> dict[str, Any]:
    """Precision and recall of what was offered."""
    right = sum(row.recipe in names for row, names in given)
    offered = sum(len(names) for _, names in given)
    wanting = sum(row.recipe != NONE for row, _ in given)
    return {
        "offers": offered,
        "precision": round(right / max(1, offered), 3),
        "recall": round(right / wanting, 3),
    }


def compared(
    held: Sequence[Row], chances: Sequence[Mapping[str, float]]
) -> dict[str, list[tuple[Row, set[str]]]]:
    """What each way offers for questions that nothing was learned from."""
    surest = [max(chance.items(), key=lambda one: one[1]) for chance in chances]
    return {
        "rules": [(row, {offer.name for offer in offers(row.q, row.concepts)}) for row in held],
        "wording": [
            (row, {n} if c >= LEARNED_FROM else set())
            for row, (n, c) in zip(held, surest, strict=True)
        ],
        "both": [
            (row, {offer.name for offer in offers(row.q, row.concepts, chance)})
            for row, chance in zip(held, chances, strict=True)
        ],
    }


def main() -> int:
    """Measure, learn from all, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-save", action="store_true", help="only measure and print")
    options = parser.parse_args()
    encoder, all_rows = load_encoder(), rows()
    asked = [as_asked(row.q) for row in all_rows]
    vectors, wanted = encoder.encode(asked), [row.recipe for row in all_rows]
    table: dict[str, dict[str, Any]] = {}
    together: dict[str, list[tuple[Row, set[str]]]] = {}
    for writer in sorted({row.writer for row in all_rows} - {OLD}):
        held = [n for n, row in enumerate(all_rows) if row.writer == writer]
        rest = [n for n, row in enumerate(all_rows) if row.writer != writer]
        model = fitted([asked[n] for n in rest], vectors[rest], [wanted[n] for n in rest], encoder)
        ways = compared(
            [all_rows[n] for n in held], judged(model, [asked[n] for n in held], vectors[held])
        )
        table[writer] = {
            "questions": len(held),
            **{way: figures(given) for way, given in ways.items()},
        }
        for way, given in ways.items():
            together.setdefault(way, []).extend(given)
    table["all"] = {
        "questions": len(together["both"]),
        **{way: figures(given) for way, given in together.items()},
    }
    for writer, row in table.items():
        shown = "   ".join(
            f"{way} {row[way]['precision']:.3f} {row[way]['recall']:.3f}" for way in together
        )
        print(f"{writer:10} {row['questions']:5}   {shown}")
    if not options.no_save:
        model = fitted(asked, vectors, wanted, encoder)
        print("saved", save("wishes", {"learned_from": len(all_rows), "writers_left_out": table}))
        LEARNED.write_text(_as_json(model), encoding="utf-8")
    return 0


def _as_json(model: Wishes) -> str:
    """The coefficients, four digits of each."""
    dense = len(model.weights) - len(model.rarity)

    def short(values: Any) -> list[float]:
        return [float(f"{value:.4g}") for value in values]

    told = {
        "encoder": model.encoder,
        "names": model.names,
        "bias": short(model.bias),
        "dense": [short(row) for row in model.weights[:dense]],
        "rarity": short(model.rarity.values()),
        "terms": dict(zip(model.rarity, map(short, model.weights[dense:]), strict=True)),
    }
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
