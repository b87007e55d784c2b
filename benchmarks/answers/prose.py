"""Questions over single passages of prose, with and without the statement that answers."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.answering.second_look import CHARS
from benchmarks.answers.together import Example

# Of each set so many with the answer, and so many with it cut out.
PROSE = {"squad2": (2000, 700), "xquad": (500, 300), "selqa": (900, 600)}


def of_prose(shared: Path, rng: random.Random) -> list[Example]:
    """What is learned from questions over single passages."""
    out = []
    for name, most in PROSE.items():
        folder = shared / "eval/reader_train" / name
        passages = _lines(folder / "passages.jsonl")
        told, cut = [], []
        for row in _lines(folder / "questions.jsonl"):
            by_passage: dict[int, set[int]] = {}
            for passage, statement in row["gold"]:
                by_passage.setdefault(passage, set()).add(statement)
            number = rng.choice(sorted(by_passage))
            passage, right = passages[number], by_passage[number]
            others = [i for i in range(len(passage["statements"])) if i not in right]
            dropped = {rng.choice(others)} if len(others) >= 3 and rng.random() < 0.5 else set()
            centre = rng.choice(sorted(right))
            told.append(_around(row["q"], passage, centre, right, dropped))
            if len(others) >= 2:
                near = _nearest(row["q"], passage, others)
                cut.append(_around(row["q"], passage, near, set(), right))
        for examples, n in zip((told, cut), most, strict=True):
            out += rng.sample(examples, min(n, len(examples)))
        if name == "squad2":
            for row in _lines(folder / "unanswerable.jsonl"):
                passage = passages[row["passage"]]
                every = list(range(len(passage["statements"])))
                dropped = {rng.choice(every)} if len(every) >= 4 and rng.random() < 0.5 else set()
                near = _nearest(row["q"], passage, [i for i in every if i not in dropped])
                out.append(_around(row["q"], passage, near, set(), dropped))
    return out


def _lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def _nearest(question: str, passage: Mapping[str, Any], among: Sequence[int]) -> int:
    """The statement that shares most long words with the question."""

    def long_words(text: str) -> set[str]:
        return {w for w in text.lower().split() if len(w) > 3}

    spans = passage["statements"]
    asked = long_words(question)
    return max(
        among, key=lambda i: len(asked & long_words(passage["text"][spans[i][0] : spans[i][1]]))
    )


def _around(
    question: str, passage: Mapping[str, Any], centre: int, right: set[int], without: set[int]
) -> Example:
    """The statements around one, as many as are read, below the heading."""
    kept = [i for i in range(len(passage["statements"])) if i not in without]
    first = last = kept.index(centre)
    said = [" ".join(passage["text"][s[0] : s[1]].split()) for s in passage["statements"]]

    def size(first: int, last: int) -> int:
        return sum(len(said[i]) + 1 for i in kept[first : last + 1])

    while True:
        after = last + 1 < len(kept) and size(first, last + 1) <= CHARS
        last += after
        before = first > 0 and size(first - 1, last) <= CHARS
        first -= before
        if not after and not before:
            break
    text = " > ".join(passage["heading_path"][-2:])
    answers = []
    for i in kept[first : last + 1]:
        text += "\n" * bool(text)
        if i in right:
            answers.append((len(text), len(text) + len(said[i])))
        text += said[i]
    return Example(question, text, tuple(answers))
