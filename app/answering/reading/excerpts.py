"""Excerpts of passages for an answer: the notes' own Markdown, with its exact place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise, takewhile

from app.wording import code_block
from ingest.notes.dialect import FENCED
from ingest.notes.dialect_lines import readable
from ingest.notes.plain_text import plain, without_tags
from kg.types import Citation, Passage

__all__ = [
    "Excerpt",
    "begins_in",
    "body_of",
    "cite",
    "heading_of",
    "listed",
    "read_chars",
    "section_of",
    "shown",
    "words_shown",
]

QUOTE_CHARS = 300
_PICTURE = re.compile(r"^\s*(?:[-*+]\s+)?(?:!\[[^\]]*\]\([^)]*\)\s*)+$", re.M)
_FORMULA_PICTURE = re.compile(
    r"<img\b[^>]*\bcodecogs\b[^>]*?\btitle=\"(?P<tex>[^\"]+)\"[^>]*?/?>", re.I | re.S
)
# Marks of note-taking programs, shown as what they mean: callouts get a bold title.
_EMBEDDED = re.compile(r"!\[\[[^\[\]\n]+\]\]")  # a picture, or another note
_HIGHLIGHT = re.compile(r"(?<![\w=`])==(?P<words>[^\s=](?:[^=\n`]*[^\s=])?)==(?![\w=`])")
_FENCE = re.compile(FENCED, re.M | re.S)
_CODE = re.compile(rf"{FENCED}|`[^`\n]+`", re.M | re.S)
_CALLOUT = re.compile(
    r"^(?P<quote>[ \t]*(?:>[ \t]*)+)\[!(?P<sort>[\w-]+)\][+-]?[ \t]*(?P<title>[^\n]*)$", re.M
)
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.M)
_BULLET = re.compile(r"^(?:[-*+]|\d+[.)])\s+")
_WIKILINK = re.compile(r"\[\[(?P<target>[^\]|#\n]+)(?:#[^\]|\n]*)?(?:\|(?P<words>[^\]\n]+))?\]\]")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A run of neighbouring blocks of one passage; offsets count in the passage's text."""

    passage: Passage
    start: int
    end: int

    @property
    def text(self) -> str:
        """The notes' own words, exactly."""
        return self.passage.text[self.start : self.end]


def section_of(passage: Passage) -> tuple[str, tuple[str, ...]]:
    """Which section of which note a passage stands in."""
    return passage.note, passage.heading_path


def heading_of(passage: Passage) -> str:
    """The passage's heading without further names ("Unfreezing | Unfreeze"), or ""."""
    return (
        plain(passage.heading_path[-1]).replace("*", "").split(" | ")[0]
        if passage.heading_path
        else ""
    )


def body_of(passage: Passage) -> Excerpt:
    """A passage without its heading line, or all of it when there is nothing else."""
    match = re.match(r"\s*(?:[-*+]\s+)?#{1,6}\s[^\n]*\n+", passage.text)
    start = match.end() if match and passage.text[match.end() :].strip() else 0
    return Excerpt(passage, start, len(passage.text))


def read_chars(text: str) -> int:
    """How many characters a reader sees of Markdown: of a drawn formula only the formula."""
    return len(_FORMULA_PICTURE.sub(lambda m: m["tex"], text)) if "<img" in text else len(text)


def cite(excerpt: Excerpt, n: int) -> Citation:
    """The citation of an excerpt; the quote is its beginning, found at the cited lines exactly."""
    passage = excerpt.passage
    first = passage.line_start + passage.text.count("\n", 0, excerpt.start)
    quote = excerpt.text
    if len(quote) > QUOTE_CHARS:
        # Cut at a line or sentence, so that the quote reads as one.
        cut = max(quote.rfind("\n", 0, QUOTE_CHARS), quote.rfind(". ", 0, QUOTE_CHARS) + 1)
        quote = quote[: cut if cut > QUOTE_CHARS // 3 else QUOTE_CHARS].rstrip()
    return Citation(n, passage.note, first, first + excerpt.text.count("\n"), passage.cell, quote)


def begins_in(citation: Citation, passage: Passage) -> bool:
    """Whether a citation's first line stands in a passage."""
    same_text = (citation.note, citation.cell) == (passage.note, passage.cell)
    return same_text and passage.line_start <= citation.line_start <= passage.line_end


def shown(excerpt: Excerpt, n: int) -> str:
    """An excerpt as Markdown with its mark.

    Formula pictures become formulas, wikilinks their words, pictures go.
    """
    passage = excerpt.passage
    if passage.cell is not None and passage.kind in ("code", "output"):
        language = "python" if passage.kind == "code" else "text"
        return f"{code_block(excerpt.text.strip(chr(10)), language)}\n\n[{n}]"
    text = _markdown(excerpt)
    end = text.rsplit("\n", 1)[-1]
    last = end.strip()
    own_line = last.startswith(("```", "~~~", "|", "$$", "<")) or last.endswith("$$")
    # Code by its indent, which no item of a list is.
    own_line |= end.startswith("    ") and _ITEM.search(text) is None
    return f"{text}\n\n[{n}]" if own_line else f"{text} [{n}]"


def words_shown(excerpt: Excerpt) -> str:
    """How a sentence or an item stands in an answer, without its bullet; "" where a part of it
    could not be marked, as a code span or an emphasis ends beyond it.
    """
    words = _BULLET.sub("", _markdown(excerpt).strip())
    closed = all(words.count(sign) % 2 == 0 for sign in "*`$")
    return words if closed and words.count("[") == words.count("]") else ""


def _markdown(excerpt: Excerpt) -> str:
    """An excerpt as an answer shows it, before its mark."""
    text = _EMBEDDED.sub("", _PICTURE.sub("", readable(_at_margin(excerpt))))
    code = [(0, 0), *(match.span() for match in _CODE.finditer(text)), (len(text), len(text))]
    text = "".join(
        _without_marks(text[after:start]) + text[start:end]
        for (_, after), (start, end) in pairwise(code)
    )
    text = _WIKILINK.sub(lambda m: (m["words"] or m["target"]).strip(), text)
    text = without_tags(_FORMULA_PICTURE.sub(lambda m: f"${m['tex'].strip()}$", text))
    return text.strip("\n").rstrip()


def _at_margin(excerpt: Excerpt) -> str:
    """An excerpt's text; what stands in a box or under an item without the indent of its lines.

    Code by its indent keeps it; a fence does not, which four spaces before it would leave open.
    """
    text = excerpt.text.replace("\r\n", "\n")
    before = excerpt.passage.text[: excerpt.start]
    lead = before[len(before.rstrip(" \t")) :]
    code = _FENCE.match(text) is None and any(
        s.kind == "code" and s.start <= excerpt.start < s.end for s in excerpt.passage.statements
    )
    if code or not text.strip() or before.rstrip(" \t")[-1:] not in ("", "\n", "\r"):
        return text
    lead = lead or text[: len(text) - len(text.lstrip(" \t"))]
    first, *lines = text.split("\n")
    # What stands at the margin again is no part of that box or item, nor what follows it.
    inside = list(takewhile(lambda line: not line.strip() or line.startswith(lead), lines))
    within = [line.removeprefix(lead) for line in (first, *inside)]
    return "\n".join([*within, *lines[len(inside) :]])


def listed(excerpt: Excerpt, n: int) -> str:
    """An excerpt with its mark as one item of a list."""
    return _BULLET.sub("", shown(excerpt, n).strip()).replace("\n", "\n  ")


def _without_marks(text: str) -> str:
    """Text outside code, with the marks of note-taking programs shown as what they mean."""
    return _CALLOUT.sub(_callout, _HIGHLIGHT.sub(r"**\g<words>**", text))


def _callout(match: re.Match[str]) -> str:
    quote = match["quote"].rstrip()
    return f"{quote} **{match['title'].strip() or match['sort'].capitalize()}**\n{quote}"
