"""Questions of our own over three sets of notes, and how rankings do on them and on the
evaluation's.

`questions/` holds them. What they are about is told by place (line of a heading, or notebook, cell
and characters), so that no text of notes that are not ours is repeated. Constants of search and of
confidence were chosen on these; the evaluation's questions were kept for looking at the result.
"""

from __future__ import annotations

import importlib.util
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import mean
from types import ModuleType
from typing import Any

from ingest.notes.plain_text import plain
from kg.types import Hit

__all__ = [
    "BookQuestion",
    "HeadedQuestion",
    "book_figures",
    "book_questions",
    "headed_figures",
    "headed_questions",
]

HERE = Path(__file__).parents[1] / "questions"
HITS = 100
Search = Callable[[str, int], Sequence[Hit]]


@dataclass(frozen=True, slots=True)
class HeadedQuestion:
    """A question and the beginnings of the headings that answer it; none when the notes do not."""

    q: str
    gold: tuple[str, ...]
    ours: bool


@dataclass(frozen=True, slots=True)
class BookQuestion:
    """A question and its components, each with the alternative texts that hold it; none when the
    notes do not.
    """

    q: str
    chapter: str
    components: tuple[tuple[str, ...], ...]
    ours: bool


def headed_questions(shared: Path) -> dict[str, list[HeadedQuestion]]:
    """Questions over the starter notes and over one person's notes."""
    starter = [
        HeadedQuestion(r["q"], tuple(r["gold"]), True) for r in _rows(HERE / "starter.jsonl")
    ]
    notes = [
        HeadedQuestion(r["q"], tuple(r["gold"]), False)
        for r in _rows(shared / "eval/questions.jsonl")
    ]
    lines = next((shared / "notes").glob("*.md")).read_text(encoding="utf-8").split("\n")
    for r in _rows(HERE / "notes.jsonl"):
        gold = tuple(plain(re.sub(r"^#+\s*", "", lines[at - 1])) for at in r["headings_at"])
        notes.append(HeadedQuestion(r["q"], gold, True))
    return {"starter": starter, "notes": notes}


def book_questions(shared: Path) -> list[BookQuestion]:
    """Questions over seven notebooks: the evaluation's on three chapters, ours on the four
    others.
    """
    out = []
    for r in _rows(shared / "eval/fastbook/questions.jsonl"):
        components = tuple(tuple(c["context"]) for c in r["components"])
        out.append(BookQuestion(r["q"], r["chapter"], components, False))
    for r in _rows(HERE / "book.jsonl"):
        components = tuple(tuple(_text(shared, at) for at in part) for part in r["components_at"])
        out.append(BookQuestion(r["q"], r.get("chapter", ""), components, True))
    return out


def headed_figures(questions: Sequence[HeadedQuestion], search: Search) -> dict[str, float]:
    """hit@1, hit@3 and MRR over the answerable questions; hits under one heading path count as
    one.
    """
    ranks = []
    for question in questions:
        if question.gold:
            paths = list(dict.fromkeys(h.passage.heading_path for h in search(question.q, 10)))
            ranks.append(
                next(
                    (
                        i
                        for i, p in enumerate(paths, 1)
                        if any(h.startswith(question.gold) for h in p)
                    ),
                    None,
                )
            )
    n = len(ranks)
    return {
        "hit@1": sum(r == 1 for r in ranks) / n,
        "hit@3": sum(r is not None and r <= 3 for r in ranks) / n,
        "mrr": sum(1 / r for r in ranks if r) / n,
    }


def book_figures(
    shared: Path, questions: Sequence[BookQuestion], search: Search
) -> dict[str, dict[str, float]]:
    """recall@3000, recall@12000 and MRR, as the evaluation's scorer counts them, by whose questions
    and by chapter.
    """
    scorer = _scorer(shared / "eval/score_fastbook.py")
    found: dict[str, list[tuple[float, float, float]]] = {}
    for question in questions:
        if not question.components:
            continue
        hits = [{"text": h.passage.text} for h in search(question.q, HITS)]
        at = [scorer.read_until(hits, list(c), 12_000) for c in question.components]
        near = sum(a is not None and a <= 3000 for a in at) / len(at)
        far = sum(a is not None for a in at) / len(at)
        whole = 1 / math.ceil(max(at) / scorer.UNIT) if all(a is not None for a in at) else 0.0
        for part in ("own" if question.ours else "evaluation", question.chapter):
            found.setdefault(part, []).append((near, far, whole))
    names = ("recall@3000", "recall@12000", "mrr")
    return {
        part: dict(zip(names, map(mean, zip(*rows, strict=True)), strict=True))
        for part, rows in found.items()
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _text(shared: Path, at: tuple[str, int, int, int]) -> str:
    note, cell, start, end = at
    return _cells(shared / "eval/fastbook/notes" / note)[cell][start:end]


@cache
def _cells(path: Path) -> list[str]:
    return ["".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"]]


@cache
def _scorer(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
