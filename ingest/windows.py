"""The texts that stand for a passage among vectors: the passage under its headings, and windows of a long one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.plain import plain
from kg.types import Passage

__all__ = ["vector_texts"]

# A passage up to this long is one vector; the encoder reads about 1,000 characters, and its vector of a longer text
# is a blur of several statements.
WHOLE_CHARS = 420
WINDOW_CHARS = 320
# The nearest headings say what a passage is about; outer ones are the same for many.
HEADINGS = 2

_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`\"“(\[*])|\n(?=\s{0,3}(?:[-*+]|\d+[.)])\s)|\n\s*\n")


def vector_texts(passage: Passage) -> list[str]:
    """Plain texts to encode for a passage, the whole first; each carries the passage's headings."""
    about = ": ".join(passage.heading_path[-HEADINGS:])
    body = plain(_without_heading(passage.text))
    whole = f"{about}\n{body}" if about else body
    if len(body) <= WHOLE_CHARS or passage.kind in ("code", "output"):
        return [whole]
    about = passage.heading_path[-1] if passage.heading_path else ""
    return [whole, *(f"{about}\n{w}" if about else w for w in _windows(_without_heading(passage.text)))]


def _without_heading(text: str) -> str:
    return re.sub(r"\A\s*#{1,6}\s[^\n]*\n?", "", text)


def _windows(text: str) -> Sequence[str]:
    """Neighbouring sentences and list items together, up to WINDOW_CHARS."""
    windows: list[str] = []
    for piece in _SENTENCE.split(text):
        said = plain(piece)
        if not said:
            continue
        if windows and len(windows[-1]) + len(said) < WINDOW_CHARS:
            windows[-1] = f"{windows[-1]} {said}"
        else:
            windows.append(said)
    return windows
