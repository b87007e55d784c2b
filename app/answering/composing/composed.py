"""An answer while it is being written: parts of Markdown with [n] marks, and the citations that
these refer to.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.answering.reading.excerpts import Excerpt, cite, shown
from kg.types import Citation, Disagreement, PathStep

__all__ = ["Composed", "Text"]


@dataclass(frozen=True, slots=True)
class Composed:
    """Markdown with [n] marks, and what they refer to."""

    text: str
    citations: tuple[Citation, ...]
    path: tuple[PathStep, ...] = ()
    disagreement: Disagreement | None = None
    likeliest: tuple[str, ...] = ()  # words of `text` to look at first


class Text:
    """An answer while it is being written: parts of Markdown, and the citations that they carry."""

    __slots__ = ("_section", "citations", "disagreement", "likeliest", "parts")

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.citations: list[Citation] = []
        self.disagreement: Disagreement | None = None
        self.likeliest: list[str] = []
        self._section: tuple[str, str] | None = None

    def add(self, excerpt: Excerpt, heading: str = "") -> None:
        """An excerpt with its mark, below its heading where that is not the one before's."""
        section = (excerpt.passage.note, heading)
        if heading and section != self._section:
            self.parts.append(f"**{heading}**")
        self._section = section
        self.citations.append(cite(excerpt, len(self.citations) + 1))
        self.parts.append(shown(excerpt, len(self.citations)))

    def composed(self) -> Composed:
        """What has been written."""
        text = "\n\n".join(self.parts)
        once = tuple(words for words in self.likeliest if text.count(words) == 1)
        return Composed(text, tuple(self.citations), disagreement=self.disagreement, likeliest=once)
