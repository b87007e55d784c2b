"""Notes cut into the pieces that compared methods rank: our passages, pieces of 1,200 characters,
or a peer's own cut.

Whoever cuts, a piece's heading path is found by the same rule: the headings that hold where its
text begins, then every heading inside it. A piece that spans several sections thus counts for each
of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat

from ingest.notes.files import find_notes
from ingest.notes.markdown import parse_markdown
from ingest.notes.parsed import Heading
from kg.store import Store

__all__ = [
    "LIMIT",
    "Piece",
    "cut_notes",
    "located",
    "markdown_of",
    "our_passages",
    "path_at",
    "with_paths",
]

LIMIT = 1200  # characters
_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"#{1,6}\s")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*?")


@dataclass(frozen=True, slots=True)
class Piece:
    """What a method ranks. `text` is what a reader gets; the headings in `indexed_path` are indexed
    with it.
    """

    text: str
    heading_path: tuple[str, ...]
    indexed_path: tuple[str, ...] = ()

    @property
    def indexed(self) -> str:
        """The text that a method sees."""
        return "\n".join((*self.indexed_path, self.text))

    def to_hit(self) -> dict[str, Any]:
        """As the scorers read it."""
        return {"text": self.text, "heading_path": self.heading_path}


def our_passages(store: Store) -> list[Piece]:
    """The passages of a store, each with its headings."""
    return [Piece(p.text, p.heading_path, p.heading_path) for p in store.passages]


def markdown_of(folder: Path) -> list[str]:
    """The notes as Markdown, in the order of their names; a notebook's code cells are fenced, its
    outputs left out.
    """
    return ["\n\n".join(blocks) for blocks in _read(folder)]


def cut_notes(folder: Path, whole: bool = False, limit: int = LIMIT) -> list[Piece]:
    """Pieces of up to `limit` characters: what stands between headings, and where that is longer,
    between blank lines.

    With `whole`, a notebook's cell (a block between blank lines in Markdown) is never cut, however
    long it is.
    """
    out: list[Piece] = []
    for blocks in _read(folder):
        note = "\n\n".join(blocks)
        texts = _packed(blocks, limit, whole=True) if whole else _cut(note, limit)
        out += with_paths(note, texts)
    return out


def with_paths(note: str, texts: Iterable[str]) -> Iterator[Piece]:
    """Each text of one note, given in order, with the headings of the place it was cut from."""
    headings = parse_markdown(note).headings
    for text, place in located(note, texts):
        yield Piece(text, path_at(headings, *place) if place else ())


def located(note: str, texts: Iterable[str]) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """Each text cut from a note, given in order, with the offsets at which its first and its last
    word begin there; None when it is not found.

    Cutters strip and collapse blanks, so a text is found again by its words: behind the one before
    it, or from where that one began, as texts may overlap.
    """
    found = [(m.group(), m.start()) for m in _WORD.finditer(note)]
    line = " " + " ".join(word for word, _ in found) + " "
    offsets = [1]  # of each word in `line`
    for word, _ in found:
        offsets.append(offsets[-1] + len(word) + 1)
    begun = ended = 0
    for text in texts:
        wanted = f" {' '.join(_WORD.findall(text))} "
        places = (line.find(wanted, at) for at in (ended, begun))
        place = next((p for p in places if p >= 0), -1) if wanted.strip() else -1
        if place < 0:
            yield text, None
            continue
        begun, ended = place, place + len(wanted) - 1
        first, last = (bisect_right(offsets, at) - 1 for at in (begun + 1, ended - 1))
        yield text, (found[first][1], found[last][1])


def path_at(
    headings: Sequence[Heading], start: int, last: int, outer: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """The path of the last heading that begins before `start`, `outer` when there is none, then
    every heading that begins up to `last`.
    """
    above = [h for h in headings if h.start <= start]
    inside = [h.text for h in headings if start < h.start <= last]
    return tuple(dict.fromkeys((*(above[-1].path if above else outer), *inside)))


def _cut(note: str, limit: int) -> Iterator[str]:
    starts = [0, *(h.start for h in parse_markdown(note).headings), len(note)]
    for start, end in pairwise(sorted(set(starts))):
        yield from _packed(_BLANK_LINES.split(note[start:end].strip()), limit, whole=False)


def _packed(blocks: Iterable[str], limit: int, *, whole: bool) -> Iterator[str]:
    """As many neighbouring blocks in one piece as fit; a heading begins a new one."""
    piece = ""
    for block in blocks:
        # a line of code that begins with "#" is no heading
        headed = _HEADING.match(block) and piece.count("```") % 2 == 0
        if piece and (headed or len(piece) + 2 + len(block) > limit):
            yield piece
            piece = ""
        piece = f"{piece}\n\n{block}" if piece else block
        while len(piece) > limit and not whole:
            end = piece.rfind("\n", 1, limit)  # the last line end that fits
            end = end if end > 0 else limit
            yield piece[:end]
            piece = piece[end:].lstrip("\n")
    if piece.strip():
        yield piece


def _read(folder: Path) -> Iterator[list[str]]:
    """The cells of each notebook, the blocks between blank lines of each Markdown note."""
    for note in find_notes([folder]):
        text = note.path.read_text(encoding="utf-8")
        yield list(_cells(text)) if note.path.suffix == ".ipynb" else _BLANK_LINES.split(text)


def _cells(notebook: str) -> Iterator[str]:
    for cell in nbformat.reads(notebook, as_version=4)["cells"]:
        source = str(cell["source"]).strip("\n")
        if source.strip() and cell["cell_type"] != "raw":
            yield f"```python\n{source}\n```" if cell["cell_type"] == "code" else source
