"""Pieces of passages that go into an answer: whole blocks of the notes' own Markdown, with their exact places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.markdown import parse_markdown, plain
from ingest.parsed import Block
from kg.encoder import Encoder
from kg.linking import fold, key, words
from kg.types import Citation, Concept, Passage

__all__ = ["Excerpt", "blocks_of", "choose", "cite", "defining", "read_chars", "says_something", "shown"]

QUOTE_CHARS = 300
# A block worth less than this share of its passage's best does not belong into the answer.
WORTH = 0.6
READ_CHARS = 400  # of a block, when it is compared with the question
_PICTURE = re.compile(r"^\s*(?:[-*+]\s+)?(?:!\[[^\]]*\]\([^)]*\)\s*)+$", re.M)
_FORMULA_PICTURE = re.compile(r"<img\b[^>]*\bcodecogs\b[^>]*?\btitle=\"(?P<tex>[^\"]+)\"[^>]*?/?>", re.I | re.S)
_LINKS_ONLY = re.compile(
    r"^(?:[-*+>]\s|\d+[.)]\s)?\s*(?:!?\[[^\[\]]*\]\(+[^)]*\)+|!?\[\[[^\[\]]*\]\]|<img[^>]*>|https?://\S+|[\s;,.|:–-])*$"
)
# Lines that only point elsewhere; an answer lists prerequisites itself.
_POINTER = re.compile(
    r"^[\s>*_+-]*(?:needs?|requires?|prerequisites?|see also|related|read (?:more|first))\b[*_]*\s*:", re.I
)
# Marks of note-taking programs, shown as what they mean: comments go, callouts get a bold title.
_EMBEDDED_PICTURE = re.compile(r"!\[\[[^\[\]\n]+\.(?:png|jpe?g|gif|svg|webp|bmp)(?:\|[^\[\]\n]*)?\]\]", re.I)
_COMMENT = re.compile(r"[ \t]*%%[^%\n]+%%")
_BLOCK_NAME = re.compile(r"[ \t]\^[A-Za-z][\w-]+[ \t]*$", re.M)
_HIGHLIGHT = re.compile(r"(?<![\w=`])==(?P<words>[^\s=](?:[^=\n`]*[^\s=])?)==(?![\w=`])")
_CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.S)
_CALLOUT = re.compile(r"^(?P<quote>[ \t]*(?:>[ \t]*)+)\[!(?P<sort>[\w-]+)\][+-]?[ \t]*(?P<title>[^\n]*)$", re.M)
_WIKILINK = re.compile(r"!?\[\[(?P<target>[^\]|#\n]+)(?:#[^\]|\n]*)?(?:\|(?P<words>[^\]\n]+))?\]\]")


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


def blocks_of(passage: Passage) -> list[Block]:
    """The passage's blocks without its heading; a code or output passage is one block."""
    if passage.cell is not None and passage.kind in ("code", "output"):
        n = len(passage.text)
        return [Block("code", passage.heading_path, passage.cell, 0, n, passage.line_start, passage.line_end)]
    return list(parse_markdown(passage.text).blocks)


def read_chars(text: str) -> int:
    """How many characters a reader sees of a piece of Markdown: of a drawn formula only the formula."""
    return len(_FORMULA_PICTURE.sub(lambda m: m["tex"], text)) if "<img" in text else len(text)


def says_something(text: str) -> bool:
    """Whether a block holds more than links, pictures and pointers to other notes."""
    return not _POINTER.match(text) and not _LINKS_ONLY.match(" ".join(_PICTURE.sub("", text).split()))


def defining(passage: Passage, concept: Concept) -> list[Excerpt]:
    """The one block of a passage that holds a concept's summary, when it stands below others' words; else nothing.

    "What is a prior?" is answered by its line of a list on Bayes' theorem, not by the whole section.
    """
    said = _words_of(concept.summary)
    heading = key(passage.heading_path[-1]) if passage.heading_path else ()
    own = any(key(name) == heading for name in (concept.label, *concept.aliases))
    if own or not said or passage.kind in ("code", "output"):
        return []
    blocks = [b for b in blocks_of(passage) if says_something(passage.text[b.start : b.end])]
    holding = [i for i, b in enumerate(blocks) if said in _words_of(passage.text[b.start : b.end])]
    announces = holding and passage.text[blocks[holding[0]].start : blocks[holding[0]].end].rstrip().endswith(":")
    if not holding or announces or (holding[0] == 0 and blocks[0].kind != "item"):
        return []
    return _runs(passage, blocks, {holding[0]})


def _words_of(text: str) -> str:
    return " ".join(w for w, _, _ in words(plain(text)))


def choose(
    passage: Passage, question: npt.NDArray[np.float32], wanted: Mapping[str, float], encoder: Encoder, room: int
) -> list[Excerpt]:
    """Blocks of a passage that fit the question best, in the notes' order, up to about `room` characters.

    Code, tables, formulas and list items stay whole; a block that ends with a colon brings what it announces.

    Parameters
    ----------
    question : array of shape (d,)
        The question's unit vector.
    wanted : mapping
        The question's content words with their weights.
    """
    blocks = [b for b in blocks_of(passage) if says_something(passage.text[b.start : b.end])]
    if not blocks:
        return []
    if sum(b.end - b.start for b in blocks) <= room:
        return _runs(passage, blocks, set(range(len(blocks))))
    units = _units(blocks, room)
    texts = [passage.text[blocks[u[0]].start : blocks[u[-1]].end] for u in units]
    cosine = encoder.encode([plain(t)[:READ_CHARS] for t in texts]) @ question  # (units,)
    total = sum(wanted.values()) or 1.0
    value = [float(c) + _covered(t, wanted) / total for c, t in zip(cosine, texts, strict=True)]
    picked: set[int] = set()
    used = 0
    for u in sorted(range(len(units)), key=lambda u: (-value[u], u)):
        if value[u] < WORTH * max(value):
            break
        # What a block announces with a colon comes with it.
        group = {u, u + 1} if texts[u].rstrip().endswith(":") and u + 1 < len(units) else {u}
        cost = sum(len(texts[v]) for v in group - picked)
        if picked and used + cost > room:
            continue
        picked |= group
        used += cost
    return _runs(passage, blocks, {i for u in picked for i in units[u]})


def _units(blocks: Sequence[Block], room: int) -> list[list[int]]:
    """Blocks that stay together: a list is one unit, unless it alone is longer than the room."""
    units: list[list[int]] = []
    for i, block in enumerate(blocks):
        last = blocks[units[-1][-1]] if units else None
        if last is not None and block.kind == "item" and block.group == last.group >= 0:
            units[-1].append(i)
        else:
            units.append([i])
    return [
        part
        for unit in units
        for part in ([unit] if blocks[unit[-1]].end - blocks[unit[0]].start <= room else [[i] for i in unit])
    ]


def _covered(text: str, wanted: Mapping[str, float]) -> float:
    there = {w for w, _, _ in words(text)}
    return sum(weight for word, weight in wanted.items() if fold(word) in there)


def _runs(passage: Passage, blocks: Sequence[Block], picked: set[int]) -> list[Excerpt]:
    runs: list[Excerpt] = []
    last = -2
    for i in sorted(picked):
        if i == last + 1:
            runs[-1] = Excerpt(passage, runs[-1].start, blocks[i].end)
        else:
            runs.append(Excerpt(passage, blocks[i].start, blocks[i].end))
        last = i
    return runs


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


def shown(excerpt: Excerpt, n: int) -> str:
    """An excerpt as Markdown with its mark; formula pictures become formulas, wikilinks their words, pictures go."""
    passage = excerpt.passage
    if passage.cell is not None and passage.kind in ("code", "output"):
        language = "python" if passage.kind == "code" else "text"
        return f"{_fenced(excerpt.text, language)}\n\n[{n}]"
    text = _EMBEDDED_PICTURE.sub("", _PICTURE.sub("", excerpt.text.replace("\r\n", "\n")))
    text = "".join(part if n % 2 else _spoken(part) for n, part in enumerate(_CODE.split(text)))
    text = _WIKILINK.sub(lambda m: (m["words"] or m["target"]).strip(), text)
    text = _FORMULA_PICTURE.sub(lambda m: f"${m['tex'].strip()}$", text).strip("\n")
    last = text.rstrip().rsplit("\n", 1)[-1].strip()
    own_line = last.startswith(("```", "~~~", "|", "$$", "<", "    ")) or last.endswith("$$")
    return f"{text.rstrip()}\n\n[{n}]" if own_line else f"{text.rstrip()} [{n}]"


def _spoken(text: str) -> str:
    """Text outside code, with the marks of note-taking programs shown as what they mean."""
    text = _BLOCK_NAME.sub("", _COMMENT.sub("", _HIGHLIGHT.sub(r"**\g<words>**", text)))
    return _CALLOUT.sub(_callout, text)


def _callout(match: re.Match[str]) -> str:
    quote = match["quote"].rstrip()
    return f"{quote} **{match['title'].strip() or match['sort'].capitalize()}**\n{quote}"


def _fenced(code: str, language: str) -> str:
    """A code fence that no fence inside the code can end."""
    ticks = max((len(run) for run in re.findall(r"`{3,}", code)), default=2) + 1
    return f"{'`' * ticks}{language}\n{code.strip(chr(10))}\n{'`' * ticks}"
