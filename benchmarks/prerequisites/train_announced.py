"""Fit what tells whether words announce prerequisites, and measure it with each writer left out.

    python -m benchmarks.prerequisites.train_announced SHARED [--stores DIR]

Learned from `announced.jsonl` (blind writers: headings, fields, words before a colon or a name that
announce what comes first, what comes after, or look alike and say neither) and from headings and
lines of notes, which say neither but for a few. Writes the coefficients, and saves the figures.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.answers.train_reader import vaults
from benchmarks.record import save
from benchmarks.wordings import fitted, read_rows, store
from ingest.build import ingest
from ingest.notes.announced import AFTER_COLON, MODEL, ROOM, SURE, Form, before_name, groups
from kg.classifier import Classifier
from kg.linking import Lexicon
from kg.store import open_store

WRITTEN = Path(__file__).with_name("announced.jsonl")
OFTEN = (2, 2, 1)  # texts that must have a term: runs of words, of letters, signs
STRENGTH = 30.0
OF_NOTES, OF_NOTES_COUNT = 12_000, 0.3  # lines of notes that are learned from, and what one counts
# Vaults whose lines are learned from while the others are measured.
HALF = frozenset(
    {
        "cs231n", "dl_summary", "es", "exercism_csharp", "exercism_elixir", "fastbook", "mdn_learn",
        "metacademy", "statproofbook",
    }
)  # fmt: skip
Rows = Sequence[Mapping[str, Any]]


def _fitted(written: Rows, of_notes: Rows) -> Classifier:
    rows = [*written, *of_notes]
    counts = [1.0] * len(written) + [OF_NOTES_COUNT] * len(of_notes)
    return fitted(
        [groups(r["text"], r["form"]) for r in rows], [r["says"] for r in rows], OFTEN, STRENGTH,
        counts,
    )  # fmt: skip


def _lines(vault: str, folder: Path) -> list[dict[str, Any]]:
    """The headings of a vault, and the words that open its lines up to a colon or a name."""
    notes = open_store(folder)
    found: set[tuple[Form, str]] = set()
    for passage in notes.passages:
        if passage.kind not in ("code", "output"):
            found.update(("heading", heading) for heading in passage.heading_path)
            found.update(_openings(passage.text, notes.lexicon))
    notes.close()
    return [
        {"text": text, "form": form, "says": "other", "vault": vault}
        for form, text in sorted(found)
    ]


def _openings(text: str, lexicon: Lexicon) -> Iterator[tuple[Form, str]]:
    yield from (("colon", match["words"]) for match in AFTER_COLON.finditer(text))
    for line in text.splitlines():
        named = lexicon.find(line)
        words = before_name(line, named[0].start) if named else ""
        if words:
            yield "opening", words


def _told(model: Classifier, rows: Rows) -> list[tuple[bool, bool]]:
    """Of each text whether it is told to announce prerequisites, and whether it does."""
    return [
        (model.chances(groups(r["text"], r["form"]))["needs"] > SURE, r["says"] == "needs")
        for r in rows
    ]


def _row(name: str, told: Sequence[tuple[bool, bool]]) -> dict[str, Any]:
    taken = [right for hit, right in told if hit]
    there = sum(right for _, right in told)
    return {
        "of": name, "texts": len(told), "announce": there, "told": len(taken),
        "right": round(sum(taken) / max(1, len(taken)), 3),
        "found": round(sum(taken) / max(1, there), 3),
    }  # fmt: skip


def main() -> None:
    """Measure with each writer, and half of the vaults, left out; fit on all, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--stores", type=Path, default=Path(".gradus/reader"), help="kept stores")
    given = parser.parse_args()
    written = read_rows(WRITTEN)
    of_notes: list[dict[str, Any]] = []
    for vault, notes in vaults(given.shared.resolve()).items():
        ingest([notes], given.stores / vault)
        of_notes += _lines(vault, given.stores / vault)
    random.Random(0).shuffle(of_notes)
    half = [r for r in of_notes if r["vault"] in HALF][: OF_NOTES // 2]
    others = [r for r in of_notes if r["vault"] not in HALF]
    told: list[tuple[Mapping[str, Any], tuple[bool, bool]]] = []
    for writer in sorted({r["writer"] for r in written}):
        own = [r for r in written if r["writer"] == writer]
        model = _fitted([r for r in written if r["writer"] != writer], half)
        told += zip(own, _told(model, own), strict=True)
    rows = [_row("all", [t for _, t in told])]
    for part in ("form", "language", "writer"):
        rows += [
            _row(f"{part} {value}", [t for r, t in told if r[part] == value])
            for value in sorted({r[part] for r in written})
        ]
    rows.append(_row("lines of other notes", _told(_fitted(written, half), others)))
    for row in rows:
        print(row)
    final = _fitted(written, of_notes[:OF_NOTES])
    made_by = "python -m benchmarks.prerequisites.train_announced"
    store(final, ROOM, MODEL, made_by, len(written))
    print("saved", save("announced", {"rows": rows}))


if __name__ == "__main__":
    main()
