"""Plain retrieval methods over the same pieces and the same encoder, to compare with: BM25, dense,
and their RRF.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.search.pieces import Piece, our_passages
from kg.encoder import Encoder, load_encoder
from kg.store import open_store

__all__ = ["Bm25", "Dense", "fused", "plain_rankings"]

RRF = 60  # the constant of Cormack, Clarke and Büttcher (2009)


class Bm25:
    """SQLite's FTS5 over text and headings, stemmed, every word of the question joined by OR."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute(
            "CREATE VIRTUAL TABLE f USING fts5(heading, body, tokenize = 'porter unicode61 "
            "remove_diacritics 2')"
        )
        rows = ((i, " ".join(p.indexed_path), p.text) for i, p in enumerate(pieces))
        self._connection.executemany("INSERT INTO f (rowid, heading, body) VALUES (?, ?, ?)", rows)

    def rank(self, question: str, k: int) -> list[int]:
        """The best k pieces by their positions, best first; fewer when fewer share a word."""
        expression = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", question))
        if not expression:
            return []
        query = "SELECT rowid FROM f WHERE f MATCH ? ORDER BY bm25(f), rowid LIMIT ?"
        return [int(row) for (row,) in self._connection.execute(query, (expression, k))]


class Dense:
    """Cosine of the question's vector with one vector for each piece."""

    def __init__(self, pieces: Sequence[Piece], encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: npt.NDArray[np.float32] = encoder.encode(
            [p.indexed for p in pieces]
        )  # (n, d)

    def rank(self, question: str, k: int) -> list[int]:
        """The best k pieces by their positions, best first."""
        vector = self._encoder.encode([question])[0]  # (d,)
        return [int(i) for i in (-(self._vectors @ vector)).argsort(kind="stable")[:k]]


def fused(*rankings: Sequence[int]) -> list[int]:
    """Reciprocal rank fusion."""
    score: dict[int, float] = {}
    for ranking in rankings:
        for rank, p in enumerate(ranking, 1):
            score[p] = score.get(p, 0.0) + 1 / (RRF + rank)
    return sorted(score, key=lambda p: (-score[p], p))


def plain_rankings(store_folder: Path, questions: Path, k: int) -> dict[str, list[dict[str, Any]]]:
    """For each method, one row of hits a question, in the scorers' format; over the store's
    passages.
    """
    store = open_store(store_folder)
    pieces = our_passages(store)
    bm25, dense = Bm25(pieces), Dense(pieces, load_encoder(store.encoder_name))
    store.close()
    rows: dict[str, list[dict[str, Any]]] = {"bm25": [], "dense": [], "rrf": []}
    for line in questions.read_text(encoding="utf-8").splitlines():
        question = json.loads(line)["q"]
        lexical, near = bm25.rank(question, k), dense.rank(question, k)
        for name, ranking in (
            ("bm25", lexical),
            ("dense", near),
            ("rrf", fused(lexical, near)[:k]),
        ):
            rows[name].append({"question": question, "hits": [pieces[p].to_hit() for p in ranking]})
    return rows
