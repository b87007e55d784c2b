"""Prerequisites that the notes state outright: front matter, "Needs: …" lines, "after lesson 3"."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ingest.candidates import NoteParts
from ingest.labels import heading_names, merge_key
from ingest.lines import line_spans
from ingest.signals import quote_line
from kg.linking import Lexicon, key
from kg.types import Concept, Evidence, Mention, Passage

__all__ = ["stated_prerequisites"]

# A line that opens with one of these lists what comes first.
_NEEDS_LINE = re.compile(
    r"^[ \t>*+-]*[*_]{0,2}(?:needs?|requires?|required|prerequisites?|prereqs?|depends on|builds (?:up)?on|"
    r"before this|know first|read first|learn first|first read)\b[*_]{0,2}\s*:?[*_]{0,2}\s*(?P<rest>.+)$",
    re.I | re.M,
)
_NEEDS_HEADING = re.compile(
    r"^(?:prerequisites?|prereqs?|requirements|needs|before you start|what you need to know)$", re.I
)
_AFTER_NUMBER = re.compile(
    r"\b(?:after|builds (?:up)?on|see first|requires|continues)\s+(?:lesson|chapter|part|note|lecture|week)\s+(\d+)\b",
    re.I,
)
_NUMBERED = re.compile(r"^\D{0,12}?(\d+)")


def stated_prerequisites(
    concepts: Sequence[Concept], mentions: Sequence[Mention], notes: Sequence[NoteParts]
) -> dict[tuple[int, int], Evidence]:
    """Stated pairs (prerequisite, concept that needs it) in the notes' order, each with the first line that states it.

    Whether they agree with each other is left to `settled`.
    """
    named = {merge_key(n): c.id for c in reversed(concepts) for n in (*c.aliases, c.label)}
    lexicon = Lexicon.of(concepts)
    titles = {note.name: _title_concept(note, named) for note in notes}
    by_passage: defaultdict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_passage[mention.passage].append(mention)
    out: dict[tuple[int, int], Evidence] = {}
    for note in notes:
        found = [
            *_from_front_matter(note, titles[note.name], named, lexicon),
            *_from_lines(note, named, by_passage),
            *_from_numbers(note, notes, titles),
        ]
        for p, c, evidence in found:
            if p != c:
                out.setdefault((p, c), evidence)
    return out


def _title_concept(note: NoteParts, named: Mapping[str, int]) -> int | None:
    for heading in note.parsed.headings[:1]:
        names = heading_names(heading.text)
        if names is not None and merge_key(names.label) in named:
            return named[merge_key(names.label)]
    stem = heading_names(re.sub(r"[_-]+", " ", note.name.rsplit("/", 1)[-1].rsplit(".", 1)[0]))
    return named.get(merge_key(stem.label)) if stem else None


def _from_front_matter(
    note: NoteParts, title: int | None, named: Mapping[str, int], lexicon: Lexicon
) -> Iterator[tuple[int, int, Evidence]]:
    for field in ("prerequisites", "prerequisite", "requires", "needs"):
        value = note.parsed.front_matter.get(field)
        listed = value if isinstance(value, list) else str(value).split(",") if value else []
        for entry in listed:
            text = str(entry).strip().strip("[]")
            found = named.get(merge_key(text))
            if found is None:
                names = lexicon.find(text, strict_case=False)
                found = names[0].concept if names else None
            if found is not None and title is not None:
                line, quote = _front_matter_line(note, field, text)
                yield found, title, Evidence(note.name, None, line, quote, "front matter")


def _front_matter_line(note: NoteParts, field: str, entry: str) -> tuple[int, str]:
    """The 1-based line of a field that holds an entry, and that line; the field's first when none does."""
    text = note.parsed.text_of(None)
    first = note.parsed.front_matter_lines.get(field, 1)
    last = min((n for n in note.parsed.front_matter_lines.values() if n > first), default=None)
    lines = [text[start:end].strip() for start, end in line_spans(text)]
    wanted = set(key(entry))
    holding = (n for n in range(first, last or len(lines) + 1) if wanted <= set(key(lines[n - 1])))
    line = next(holding, first)
    return line, lines[line - 1]


def _from_lines(
    note: NoteParts, named: Mapping[str, int], by_passage: Mapping[int, Sequence[Mention]]
) -> Iterator[tuple[int, int, Evidence]]:
    for passage in note.passages:
        if passage.kind in ("code", "output"):
            continue
        under_needs = bool(passage.heading_path) and bool(_NEEDS_HEADING.match(passage.heading_path[-1].strip()))
        needing = _enclosing(passage, named)
        if needing is None:
            continue
        # Lines end at \r too; the length stays.
        spans = [m.span("rest") for m in _NEEDS_LINE.finditer(passage.text.replace("\r", "\n"))]
        if under_needs:
            spans = [(0, len(passage.text))]
        for start, end in spans:
            for mention in by_passage.get(passage.id, ()):
                if start <= mention.start < end and not _in_code(note, passage, mention.start):
                    line, quote = quote_line(passage, mention.start)
                    signal = "heading" if under_needs else "stated"
                    yield mention.concept, needing, Evidence(note.name, passage.cell, line, quote, signal)


def _in_code(note: NoteParts, passage: Passage, offset: int) -> bool:
    """Whether a place in a passage stands in a code block."""
    at = passage.start + offset
    return any(b.kind == "code" and b.cell == passage.cell and b.start <= at < b.end for b in note.parsed.blocks)


def _enclosing(passage: Passage, named: Mapping[str, int]) -> int | None:
    for heading in reversed(passage.heading_path):
        names = heading_names(heading)
        if names is not None and merge_key(names.label) in named:
            return named[merge_key(names.label)]
    return None


def _from_numbers(
    note: NoteParts, notes: Sequence[NoteParts], titles: Mapping[str, int | None]
) -> Iterator[tuple[int, int, Evidence]]:
    """ "After lesson 3" in a note points to the note that is numbered 3."""
    title = titles[note.name]
    if title is None:
        return
    numbers = {int(m[1]): n for n in notes if (m := _NUMBERED.match(n.name.rsplit("/", 1)[-1]))}
    for passage in note.passages:
        for match in _AFTER_NUMBER.finditer(passage.text):
            first = numbers.get(int(match[1]))
            p = titles.get(first.name) if first else None
            if p is not None and first is not None and first.name != note.name:
                line, quote = quote_line(passage, match.start())
                yield p, title, Evidence(note.name, passage.cell, line, quote, "link")
