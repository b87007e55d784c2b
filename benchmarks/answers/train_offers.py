"""Learns which recipe a question wishes for, and measures it on questions of writers that it has
not seen.

`python -m benchmarks.answers.train_offers` reads `questions/wishes.jsonl` (questions by several
writers, who knew no rule of offers) and `questions/recipes.jsonl`, and leaves one writer out at a
time: precision and recall of the surest recipe alone, and with the parts of a question read alone
too, as `read_wish` does. Then it learns from all and writes `app/answering/offers/wishes.json`, and
the table to `results/wishes.json`. Nothing is learned from questions that wish for two runs
("lr-find+regularise"), nor from `questions/wishes_unseen.jsonl` and `wishes_languages.jsonl`, on
which what was learned is measured at the end, nor from "last" and "params" of recipes.jsonl, which
`offers.py` asks.
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
import numpy.typing as npt
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from app.answering.offers.offers import LEARNED_FROM
from app.answering.offers.wishes import NONE, Wishes, as_asked, columns, joint_wishes, parts, terms
from benchmarks.answers.offers import QUESTIONS, wanted_rows
from benchmarks.record import save
from kg.encoder import DEFAULT_ENCODER, Encoder, load_encoder

WRITTEN = QUESTIONS.parent / "wishes.jsonl"
UNSEEN = QUESTIONS.parent / "wishes_unseen.jsonl"  # written after all was chosen, looked at once
LANGUAGES = QUESTIONS.parent / "wishes_languages.jsonl"  # German, French, Spanish, Chinese
LEARNED = Path(__file__).parents[2] / "app" / "answering" / "offers" / "wishes.json"
TOLD = ("last", "params")  # the parts that nothing is learned from
OLD = "seen"  # the parts by which offers were once ruled
STRENGTH = 150.0  # inverse of the penalty, chosen with writers left out, as LEARNED_FROM was
# "f" and "g" wrote of two runs at once as well, "h" short and plain questions, the others of
# overfit-first and what is near it ("i", "j" and "k" are one writer): not among "all"
OF_GROUPS = {"f": "two at once", "g": "two at once", "h": "short"}
OF_GROUPS |= dict.fromkeys("ijklmn", "overfit-first")
TWICE = 2  # questions that a term is in at least


@dataclass(frozen=True, slots=True)
class Row:
    """A question, what it wishes for, and who wrote it."""

    q: str
    asked: str  # as the classifier reads it
    recipes: frozenset[str]
    writer: str


def rows() -> list[Row]:
    """All questions to learn from or measure with, each once; a definition wishes for nothing."""
    seen = [
        _row(w.q, "" if w.quiet else w.recipe, w.part if w.part == "unseen" else OLD)
        for w in wanted_rows()
        if w.part not in TOLD
    ]
    seen += _written(WRITTEN)
    return list({row.q.casefold(): row for row in reversed(seen)}.values())[::-1]


def _written(path: Path) -> list[Row]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_row(w["q"], w["recipe"], w["writer"]) for w in map(json.loads, lines)]


def _row(q: str, recipe: str, writer: str) -> Row:
    return Row(q, as_asked(q), frozenset(recipe.split("+")) - {NONE}, writer)


class Vectors:
    """Vectors of texts, each encoded once."""

    def __init__(self, encoder: Encoder, asked: Sequence[str]) -> None:
        texts = sorted({text for one in asked for text in (one, *parts(one))})
        self._rows = dict(zip(texts, encoder.encode(texts), strict=True))

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Shape (n, d)."""
        return np.array([self._rows[text] for text in texts])


def fitted(asked: Sequence[str], wanted: Sequence[str], vectors: Vectors) -> Wishes:
    """The classifier learned from these questions."""
    count = Counter(term for question in asked for term in set(terms(question)))
    rarity = {
        term: float(np.log((1 + len(asked)) / (1 + n)) + 1)
        for term, n in sorted(count.items())
        if n >= TWICE
    }
    model = LogisticRegression(C=STRENGTH, tol=1e-5, max_iter=3000)
    with threadpool_limits(1):  # sums in one order, and many threads are slower on so little
        model.fit(csr_matrix(columns(asked, vectors(asked), rarity)), wanted)
    return Wishes(DEFAULT_ENCODER, tuple(model.classes_), rarity, model.coef_.T, model.intercept_)


def learned_from(held: Sequence[Row], vectors: Vectors) -> Wishes:
    """The classifier from the questions that wish for one run or none."""
    single = [row for row in held if len(row.recipes) < 2]
    asked = [row.asked for row in single]
    return fitted(asked, [next(iter(row.recipes), NONE) for row in single], vectors)


def figures(given: Sequence[tuple[Row, set[str]]]) -> dict[str, Any]:
    """Precision and recall of what was offered."""
    right = sum(len(row.recipes & names) for row, names in given)
    offered = sum(len(names) for _, names in given)
    wanting = sum(len(row.recipes) for row, _ in given)
    return {
        "offers": offered,
        "precision": round(right / max(1, offered), 3),
        "recall": round(right / max(1, wanting), 3),
    }


def compared(
    model: Wishes, held: Sequence[Row], vectors: Vectors
) -> dict[str, list[tuple[Row, set[str]]]]:
    """What each way offers for questions that nothing was learned from."""
    ways: dict[str, list[tuple[Row, set[str]]]] = {"surest": [], "parts": []}
    asked = [row.asked for row in held]
    for row, text, whole in zip(held, asked, model.chances(asked, vectors(asked)), strict=True):
        alone = parts(text)
        joint = joint_wishes(whole, model.chances(alone, vectors(alone))) if alone else {}
        ways["surest"].append((row, _sure(whole)))
        ways["parts"].append((row, _sure(whole | joint)))
    return ways


def _sure(chance: Mapping[str, float]) -> set[str]:
    return {name for name, sure in chance.items() if sure >= LEARNED_FROM}


def main() -> int:
    """Measure, learn from all, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--no-save", action="store_true", help="only measure and print")
    options = parser.parse_args()
    torch.set_num_threads(1)  # the same vectors to the last bit, whatever the machine's cores
    everyone, unseen, languages = rows(), _written(UNSEEN), _written(LANGUAGES)
    vectors = Vectors(load_encoder(), [row.asked for row in (*everyone, *unseen, *languages)])
    table: dict[str, dict[str, Any]] = {}
    together: dict[str, dict[str, list[tuple[Row, set[str]]]]] = {}
    for writer in sorted({row.writer for row in everyone} - {OLD}):
        held = [row for row in everyone if row.writer == writer]
        model = learned_from([row for row in everyone if row.writer != writer], vectors)
        ways = compared(model, held, vectors)
        table[writer] = _of_ways(ways)
        group = OF_GROUPS.get(writer, "all")
        for way, given in ways.items():
            together.setdefault(group, {}).setdefault(way, []).extend(given)
    table |= {group: _of_ways(ways) for group, ways in together.items()}
    model = learned_from(everyone, vectors)
    for group, most in (("unseen, at most one", 1), ("unseen, all", 2)):
        held = [row for row in unseen if len(row.recipes) <= most]
        table[group] = _of_ways(compared(model, held, vectors))
    table["other languages"] = _of_ways(compared(model, languages, vectors))
    for writer, row in table.items():
        shown = "   ".join(
            f"{way} {row[way]['precision']:.3f} {row[way]['recall']:.3f}"
            for way in ("surest", "parts")
        )
        print(f"{writer:20} {row['questions']:5}   {shown}")
    if not options.no_save:
        LEARNED.write_text(_as_json(model), encoding="utf-8")
        single = sum(len(row.recipes) < 2 for row in everyone)
        print("saved", save("wishes", {"learned_from": single, "writers_left_out": table}))
    return 0


def _of_ways(ways: Mapping[str, Sequence[tuple[Row, set[str]]]]) -> dict[str, Any]:
    return {
        "questions": len(ways["parts"]),
        **{way: figures(given) for way, given in ways.items()},
    }


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
