"""Where a text stands that may name a concept: titles, headings, marked terms, link targets."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.notes.parsed import Heading, Marked, ParsedNote
from ingest.notes.plain_text import plain
from kg.types import Passage

__all__ = ["KINDS", "Place", "PlaceKind", "is_explained", "is_title", "places_of"]

PlaceKind = Literal["heading", "emphasis", "code", "wikilink"]
KINDS: tuple[PlaceKind, ...] = ("heading", "emphasis", "code", "wikilink")
FOLLOWING = 200  # characters behind a marked term that tell what it is
READ = 2000  # characters of a section that are read for it
_MARKS: Mapping[str, PlaceKind] = {
    "bold": "emphasis",
    "italic": "emphasis",
    "code": "code",
    "wikilink": "wikilink",
}
_EXPLAINED_AFTER = re.compile(r"[*_`\"'”]{0,3}\s?(?:\([^)]{1,40}\)\s?)?(?:::?|[–—-]\s)")


@dataclass(frozen=True, slots=True)
class Place:
    """A text that may name a concept, where it stands."""

    text: str
    kind: PlaceKind
    following: str = ""  # the plain words behind it
    explained: bool = False  # whether a colon or dash follows
    first: bool = False  # the note's first heading, or its title
    depth: int = 0
    children: int = 0  # headings right below
    position: float = 0.0  # among the note's headings, in [0, 1]
    around: tuple[str, ...] = ()  # the headings it stands below


def places_of(
    parsed: ParsedNote, passages: Sequence[Passage], titles: Sequence[str]
) -> Iterator[Place]:
    """Every text of a note that may name a concept: titles, headings, marked terms, link targets.

    Parameters
    ----------
    titles : sequence of str
        What the note is called apart from its headings.
    """
    bodies: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for passage in passages:
        if passage.kind not in ("code", "output"):
            bodies[passage.heading_path].append(passage.text)
    whole = " ".join(" ".join(texts) for texts in bodies.values())[:READ]
    for title in titles:
        yield Place(title, "heading", plain(whole), first=True)
    yield from _headings(parsed, bodies)
    for mark in parsed.marked:
        kind = _MARKS.get(mark.kind)
        if kind is not None:
            text = parsed.text_of(mark.cell)
            behind = plain(text[mark.end : mark.end + FOLLOWING])
            words = (
                mark.target.split("#")[0].rpartition("/")[2] if kind == "wikilink" else mark.text
            )
            yield Place(words.strip(), kind, behind, is_explained(mark, text))


def _headings(
    parsed: ParsedNote, bodies: Mapping[tuple[str, ...], Sequence[str]]
) -> Iterator[Place]:
    children = Counter(h.path[:-1] for h in parsed.headings)
    last = max(1, len(parsed.headings) - 1)
    for i, heading in enumerate(parsed.headings):
        yield Place(
            heading.text,
            "heading",
            _behind(heading, " ".join(bodies.get(heading.path, ()))),
            first=is_title(parsed, i),
            depth=len(heading.path),
            children=children[heading.path],
            position=i / last,
            around=heading.path[:-1],
        )


def is_title(parsed: ParsedNote, i: int) -> bool:
    """Whether the i-th heading is the note's own: the first, and alone at the top."""
    return i == 0 and sum(len(h.path) == 1 for h in parsed.headings) == 1


def is_explained(mark: Marked, text: str) -> bool:
    """Whether what says what a marked term is follows: after a colon or dash, within or behind."""
    return mark.text.rstrip().endswith(":") or (
        _EXPLAINED_AFTER.match(text[mark.end : mark.end + FOLLOWING]) is not None
    )


def _behind(heading: Heading, body: str) -> str:
    said = plain(body[:READ])
    return said.removeprefix(heading.text).strip()
