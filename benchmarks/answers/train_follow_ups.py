"""Fit what tells whether a question follows on from others, and measure it with each writer left
out.

    python -m benchmarks.answers.train_follow_ups SHARED [--stores DIR]

Learned from `questions/follow_ups.jsonl`: conversations by blind writers over notes, each later
question with how it would be asked alone, some without notes, one writer's hard cases; and from
the questions that kinds are learned from, which stand alone. Counted are how many stand as the
writer says, how many of `questions/lines_unseen`, each after another one, stand alone, and how
often the first passage found for a follow-up is the one found for what it means. Writes the
coefficients, and saves the figures.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from app.answering.question.follow_ups import MODEL, Turn, groups, meant
from app.answering.question.kinds import ROOM, searched
from benchmarks.answers.train_kinds import read_questions
from benchmarks.answers.train_reader import LANGUAGES, vaults
from benchmarks.record import save
from benchmarks.wordings import fitted, read_rows, store
from ingest.build import ingest
from kg.classifier import Classifier
from kg.encoder import Encoder, load_encoder
from kg.search import find, read
from kg.store import Store, open_store
from kg.types import Answer

QUESTIONS = Path(__file__).parents[1] / "questions/follow_ups.jsonl"
FRESH = QUESTIONS.with_name("follow_ups_unseen.jsonl")  # by writers who are in no fit
OFTEN = (3, 5, 1)  # texts that must have a term: runs of words, of letters, signs
STRENGTH = 10.0
HARD, HARD_COUNT = "h", 0.3  # the writer of hard cases, and what one of them counts
ALONE_COUNT = 0.2  # what a question of `train_kinds` counts, after another one of its writer
Rows = Sequence[Mapping[str, Any]]


def _fitted(rows: Rows) -> Classifier:
    counts = [HARD_COUNT if r["writer"] == HARD else 1.0 for r in rows]
    alone = _alone()
    return fitted(
        [groups(r["q"], r["before"]) for r in (*rows, *alone)],
        [r["stand"] for r in (*rows, *alone)],
        OFTEN,
        STRENGTH,
        [*counts, *(ALONE_COUNT for _ in alone)],
    )


@cache
def _alone() -> Rows:
    """The questions that kinds are learned from, which stand alone, each after another one.

    What asks for what can be learned "now" is known by its kind.
    """
    rng = random.Random(0)
    by_writer: dict[tuple[str, str], list[str]] = {}
    for asked in read_questions():
        if asked.kind == "now":
            continue
        by_writer.setdefault((asked.writer, asked.language), []).append(asked.q)
    return [
        {"q": q, "before": [rng.choice(questions)], "stand": "alone"}
        for questions in by_writer.values()
        for q in questions
    ]


def _unseen() -> Rows:
    """Questions that stand alone and were in no fit, each after another one over the same notes."""
    rng = random.Random(0)
    out: list[Mapping[str, Any]] = []
    for file in sorted((QUESTIONS.parent / "lines_unseen").glob("*.jsonl")):
        asked = [row["q"] for row in read_rows(file)]
        out += [{"q": q, "before": [rng.choice(asked)], "stand": "alone"} for q in asked]
    return out


def _told(model: Classifier, rows: Rows) -> dict[str, Any]:
    """Shares whose stand is told right, of all and of each stand."""
    by: dict[str, list[bool]] = {"right": []}
    for row in rows:
        history: list[Turn] = [(q, Answer(q, "answered", "fact", 1.0, "")) for q in row["before"]]
        stand = meant(row["q"], history, learned=model).stand
        for name in ("right", row["stand"]):
            by.setdefault(name, []).append(stand == row["stand"])
    return {name: round(statistics.mean(map(float, right)), 3) for name, right in by.items()}


def _found(question: str, notes: Store, encoder: Encoder) -> list[int]:
    """The first three passages."""
    hits = find(read(searched(question), notes, encoder), notes).hits[:3]
    return [hit.passage.id for hit in hits]


def _met(
    row: Mapping[str, Any], model: Classifier, notes: Store, encoder: Encoder
) -> dict[str, tuple[bool, bool]]:
    """By way of reading it: whether the first passage found is the one of what the question means,
    and whether that is among the first three.
    """
    history: list[Turn] = [(q, Answer(q, "answered", "fact", 1.0, "")) for q in row["before"]]
    wanted = _found(row["alone"], notes, encoder)[:1]
    out = {}
    for way, text in (
        ("learned", meant(row["q"], history, learned=model).searched),
        ("as typed", row["q"]),
        ("after the question before", f"{row['before'][-1]} {row['q']}"),
    ):
        found = _found(text, notes, encoder)
        out[way] = (found[:1] == wanted, wanted[0] in found if wanted else not found)
    return out


def _searches(
    rows: Rows, models: Mapping[str, Classifier], folders: Mapping[str, Path], stores: Path
) -> list[dict[str, Any]]:
    """How often each way finds what is meant, by vault and for follow-ups and others."""
    encoder = load_encoder()
    met: dict[tuple[str, str, str], list[tuple[bool, bool]]] = {}
    for vault in dict.fromkeys(r["vault"] for r in rows if r["vault"]):
        ingest([folders[vault]], stores / vault)
        notes = open_store(stores / vault)
        of_vault = [r for r in rows if r["vault"] == vault and r["stand"] != "more"]
        for row in of_vault:
            for way, right in _met(row, models[row["writer"]], notes, encoder).items():
                of = "other languages" if vault in LANGUAGES else "English"
                for group in ("all", of, vault):
                    met.setdefault((group, row["stand"], way), []).append(right)
        notes.close()
        print(vault, len(of_vault), flush=True)
    return [
        {
            "of": group, "stand": stand, "way": way, "questions": len(right),
            "first": round(statistics.mean(float(one) for one, _ in right), 3),
            "among_three": round(statistics.mean(float(three) for _, three in right), 3),
        }
        for (group, stand, way), right in met.items()
    ]  # fmt: skip


def main() -> None:
    """Measure with each writer left out, fit on all, write the coefficients."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--stores", type=Path, default=Path(".gradus/reader"), help="kept stores")
    given = parser.parse_args()
    rows = read_rows(QUESTIONS)
    writers = sorted({r["writer"] for r in rows})
    models = {w: _fitted([r for r in rows if r["writer"] != w]) for w in writers}
    told = []
    for writer, model in models.items():
        own = [r for r in rows if r["writer"] == writer]
        told.append({"writer": writer, "questions": len(own), **_told(model, own)})
        print(told[-1], flush=True)
    final = _fitted(rows)
    unseen = _unseen()
    told.append({"writer": "v to z, alone", "questions": len(unseen), **_told(final, unseen)})
    print(told[-1], flush=True)
    folders = vaults(given.shared.resolve())
    searches = _searches(rows, models, folders, given.stores)
    fresh = read_rows(FRESH)
    of_fresh = []
    for writer in sorted({r["writer"] for r in fresh}):
        own = [r for r in fresh if r["writer"] == writer]
        told.append({"writer": writer, "questions": len(own), **_told(final, own)})
        print(told[-1], flush=True)
        found = _searches(own, {writer: final}, folders, given.stores)
        of_fresh += [{"writer": writer, **row} for row in found]
    for row in (*searches, *of_fresh):
        if row.get("of", "all") in ("all", "English", "other languages"):
            print(row)
    store(
        final,
        ROOM,
        MODEL,
        "python -m benchmarks.answers.train_follow_ups",
        len(rows),
    )
    print("saved", save("follow_ups", {"stands": told, "searches": searches, "unseen": of_fresh}))


if __name__ == "__main__":
    main()
