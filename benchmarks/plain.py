"""Plain retrieval methods over the same passages and the same encoder, to compare with: BM25, dense, and their RRF."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kg.encoder import load_encoder
from kg.store import Store, open_store

__all__ = ["plain_rankings"]

RRF = 60  # the constant of Cormack, Clarke and Büttcher (2009)


def plain_rankings(store_folder: Path, questions: Path, k: int) -> dict[str, list[dict[str, Any]]]:
    """For each method, one row of hits a question, in the scorers' format."""
    store = open_store(store_folder)
    encoder = load_encoder(store.encoder_name)
    asked = [json.loads(line)["q"] for line in questions.read_text(encoding="utf-8").splitlines()]
    whole = encoder.encode([p.text for p in store.passages])  # (n, d), each passage as one vector
    vectors = encoder.encode(asked)
    rows: dict[str, list[dict[str, Any]]] = {"bm25": [], "dense": [], "rrf": []}
    for question, vector in zip(asked, vectors, strict=True):
        expression = " OR ".join(f'"{w}"' for w in re.findall(r"\w+", question))
        lexical = [p for p, _ in store.lexical(expression, k, (1.0, 1.0, 0.0))] if expression else []
        dense = [int(p) for p in (-(whole @ vector)).argsort(kind="stable")[:k]]
        rows["bm25"].append(_row(store, question, lexical))
        rows["dense"].append(_row(store, question, dense))
        rows["rrf"].append(_row(store, question, _fused(lexical, dense)[:k]))
    store.close()
    return rows


def _fused(*rankings: Sequence[int]) -> list[int]:
    score: dict[int, float] = {}
    for ranking in rankings:
        for rank, p in enumerate(ranking, 1):
            score[p] = score.get(p, 0.0) + 1 / (RRF + rank)
    return sorted(score, key=lambda p: (-score[p], p))


def _row(store: Store, question: str, ranking: Sequence[int]) -> dict[str, Any]:
    hits = [{"text": store.passages[p].text, "heading_path": store.passages[p].heading_path} for p in ranking]
    return {"question": question, "hits": hits}
