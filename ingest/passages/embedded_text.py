"""The texts that stand for a passage among vectors: itself, or windows of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from ingest.notes.dialect_lines import readable
from ingest.notes.plain_text import plain
from ingest.notes.sentences import sentence_spans
from kg.types import Passage

__all__ = ["Part", "statement_parts", "vector_texts"]

# A passage up to this long is one vector. A vector of several statements is a blur of them: long
# passages are found as well by their windows alone, for half the encoding (benchmarks/README.md).
# Of code and outputs, which are found by their words, only the beginning is read.
WHOLE_CHARS = 420
WINDOW_CHARS = 320
# The nearest headings say what a passage is about; outer ones are the same for many.
HEADINGS = 2

OPENING = 80  # characters of a statement by which it is known where it is not read to its end

_OPENING = re.compile(r"[A-Z`\"“(\[*]")  # of a sentence that may begin a window
_PIECE = re.compile(r"\n(?=\s{0,3}(?:[-*+]|\d+[.)])\s)|\n\s*\n")  # a list item or a paragraph


class Part(NamedTuple):
    """Where a statement stands in the texts of its passage; offsets are half-open."""

    statement: int  # position among the passage's statements
    text: int  # position among the passage's texts
    start: int
    end: int


def vector_texts(passage: Passage) -> list[str]:
    """Plain texts to encode for a passage, at least one; each carries the passage's heading."""
    about = ": ".join(passage.heading_path[-HEADINGS:])
    code = passage.kind in ("code", "output")
    text = _without_heading(passage.text if code else readable(passage.text))
    body = plain(text)
    whole = f"{about}\n{body}" if about else body
    if code:
        return [whole[:WHOLE_CHARS]]
    if len(body) <= WHOLE_CHARS:
        return [whole]
    nearest = passage.heading_path[-1] if passage.heading_path else ""
    windows = _windows(text)
    return [f"{nearest}\n{w}" if nearest else w for w in windows] or [whole]


def statement_parts(passage: Passage, texts: Sequence[str]) -> list[Part]:
    """Where the passage's statements stand in its texts, a part for each text that one goes over.

    Parameters
    ----------
    texts : sequence of str
        What `vector_texts` makes of the passage.
    """
    # Compared without blanks, as marks that are gone leave them behind.
    places = [
        (t, i)
        for t, text in enumerate(texts)
        for i in range(text.find("\n") + 1, len(text))
        if not text[i].isspace()
    ]
    stream = "".join(texts[t][i] for t, i in places)
    found: list[tuple[int, int]] = []
    begin = 0
    for statement in passage.statements:
        words = "".join(plain(passage.text[statement.start : statement.end]).split())
        at = stream.find(words, begin)
        if at < 0:
            at = stream.find(words[:OPENING], begin)
        end = min(at + len(words), len(stream)) if at >= 0 else begin
        found.append((max(at, begin), end))
        begin = end
    # Code that a text cuts apart reads differently there: it lies between its neighbours.
    following = [*(start for start, _ in found[1:]), len(stream)][: len(found)]
    parts: list[Part] = []
    for s, ((start, end), after) in enumerate(zip(found, following, strict=True)):
        own = places[start : end if end > start else after]
        for t in dict.fromkeys(t for t, _ in own):
            inside = [i for u, i in own if u == t]
            parts.append(Part(s, t, inside[0], inside[-1] + 1))
    return parts


def _without_heading(text: str) -> str:
    return re.sub(r"\A\s*#{1,6}\s[^\n]*\n?", "", text)


def _windows(text: str) -> Sequence[str]:
    """Neighbouring sentences and list items together, up to WINDOW_CHARS."""
    windows: list[str] = []
    for sentence in (s for piece in _PIECE.split(text) for s in _sentences(piece)):
        words = plain(sentence)
        if not words:
            continue
        if windows and len(windows[-1]) + len(words) < WINDOW_CHARS:
            windows[-1] = f"{windows[-1]} {words}"
        else:
            windows.append(words)
    return windows


def _sentences(piece: str) -> list[str]:
    """The sentences of a paragraph or item; a quoted one, or an inner list, goes with others."""
    cuts = [0]
    for start, _ in sentence_spans(piece)[1:]:
        quoted = piece[:start].rstrip()[-1] not in ".!?"
        if not quoted and _OPENING.match(piece, start):
            cuts.append(start)
    return [piece[start:end].strip() for start, end in pairwise([*cuts, len(piece)])]
