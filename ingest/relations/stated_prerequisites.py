"""Prerequisites that the notes state: front matter, "Needs: …", headings, numbers."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ingest.concepts.candidates import NoteParts
from ingest.concepts.links import Targets, entries_of
from ingest.names.labels import named_by
from ingest.notes.announced import (
    AFTER_COLON,
    SURE,
    SURER,
    Form,
    announces_needs,
    announcing,
    before_name,
)
from ingest.notes.lines import line_spans
from ingest.notes.parsed import Block
from ingest.notes.sentences import sentence_spans
from ingest.notes.word_lists import PART
from ingest.relations.signals import NUMBERED, quote_line
from kg.linking import STOP_WORDS, key, terms
from kg.types import Concept, Evidence, Mention, Passage

__all__ = ["stated_prerequisites"]

_AFTER_NUMBER = re.compile(
    rf"\b(?:after|builds (?:up)?on|see first|requires|continues)\s+(?:{PART})\s+(\d+)\b", re.I
)


def stated_prerequisites(
    concepts: Sequence[Concept], mentions: Sequence[Mention], notes: Sequence[NoteParts]
) -> dict[tuple[int, int], Evidence]:
    """Stated pairs (prerequisite, what needs it), each with the first line that states it.

    A card that `gradus export` wrote states all that its concept needs: one that needs nothing
    gives the pair of its concept with itself. Whether statements agree with each other is left to
    `ingest.decisions.settle`.
    """
    targets = Targets.of(concepts, notes)
    titles = targets.titles
    by_passage: defaultdict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_passage[mention.passage].append(mention)
    numbers = {int(m[1]): n for n in notes if (m := NUMBERED.match(n.name.rsplit("/", 1)[-1]))}
    out: dict[tuple[int, int], Evidence] = {}
    for note in notes:
        pairs = [
            *_from_front_matter(note, titles[note.name], targets),
            *_from_lines(note, titles[note.name], by_passage, targets),
            *_from_numbers(note, numbers, titles),
        ]
        for p, c, evidence in pairs:
            if p != c:
                out.setdefault((p, c), evidence)
        title = titles[note.name]
        if title is not None and note.parsed.front_matter.get("gradus") == "card":
            line, quote = _front_matter_line(note, "prerequisites", "")
            out.setdefault((title, title), Evidence(note.name, None, line, quote, "front matter"))
    return out


def _from_front_matter(
    note: NoteParts, title: int | None, targets: Targets
) -> Iterator[tuple[int, int, Evidence]]:
    if title is None:
        return
    # A notebook's stands in its first cell.
    cell = 0 if note.name.lower().endswith(".ipynb") else None
    for field, value in note.parsed.front_matter.items():
        if not announces_needs(field, "field"):
            continue
        for entry in entries_of(value):
            needed = targets.named(entry, note.name)
            if needed is not None:
                line, quote = _front_matter_line(note, field, entry)
                yield needed, title, Evidence(note.name, cell, line, quote, "front matter")


def _front_matter_line(note: NoteParts, field: str, entry: str) -> tuple[int, str]:
    """The 1-based line of a field that holds an entry, and that line.

    The field's first when none does.
    """
    text = note.parsed.text_of(None)
    first = note.parsed.front_matter_lines.get(field, 1)
    last = min((n for n in note.parsed.front_matter_lines.values() if n > first), default=None)
    lines = [text[start:end].strip() for start, end in line_spans(text)]
    wanted = set(key(entry))
    holding = (n for n in range(first, last or len(lines) + 1) if wanted <= set(key(lines[n - 1])))
    line = next(holding, first)
    return line, lines[line - 1]


def _from_lines(
    note: NoteParts,
    title: int | None,
    by_passage: Mapping[int, Sequence[Mention]],
    targets: Targets,
) -> Iterator[tuple[int, int, Evidence]]:
    lists, announced = list(_needs_lists(note)), announcing(note.parsed)
    for passage in note.passages:
        if passage.kind in ("code", "output"):
            continue
        path = passage.heading_path
        under = next((i for i in range(len(path)) if path[: i + 1] in announced), None)
        needing = _enclosing(path[:under], targets.names, title)
        if needing is None:
            continue
        if under is not None:
            spans = [(0, len(passage.text))]
        else:
            spans = list(_needs_lines(note, passage, by_passage.get(passage.id, ())))
            spans += [
                (b.start - passage.start, b.end - passage.start)
                for b in lists
                if b.cell == passage.cell
            ]
        for place, first in _named_in(
            note, passage, spans, by_passage.get(passage.id, ()), targets
        ):
            line, quote = quote_line(passage, place)
            yield (
                first,
                needing,
                Evidence(
                    note.name,
                    passage.cell,
                    line,
                    quote,
                    "heading" if under is not None else "stated",
                ),
            )


def _needs_lines(
    note: NoteParts, passage: Passage, mentions: Sequence[Mention]
) -> Iterator[tuple[int, int]]:
    """Where the lines of a passage say what comes first.

    After a colon that is all of the sentence. Without one ("Needs [[Loss]] and the gradient") the
    line opens a paragraph or an item, and names what it means at once: "requires two passes" and
    a sentence that a line's end cuts before "required" state nothing.
    """
    named = sorted(
        [(m.start, m.end) for m in mentions]
        + [
            (m.start - passage.start, m.end - passage.start)
            for m in note.parsed.marked
            if m.cell == passage.cell and m.kind in ("wikilink", "link")
        ]
    )
    opening = {b.start - passage.start for b in note.parsed.blocks if b.cell == passage.cell}
    # Lines end at \r too; the length stays.
    text = passage.text.replace("\r", "\n")
    for start, end in _sentences(text):
        inside = [one for one in named if start <= one[0] < end]
        if not inside:
            continue
        first, until = inside[0]
        told = AFTER_COLON.match(text[start:end])
        if told is not None and announces_needs(told["words"], "colon"):
            yield start + told.start("rest"), end
        elif any(start <= at <= first for at in opening):
            last = _end_of_names(text, first, end, named)
            sure = SURER if re.search(r"\w", text[max(last, until) : end]) else SURE
            words = before_name(text[start:end], first - start)
            if words and announces_needs(words, "opening", sure):
                yield first, last


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    """Half-open offsets of the sentences of each line, which a line's end ends too."""
    for start, end in line_spans(text):
        yield from ((start + a, start + b) for a, b in sentence_spans(text[start:end]))


def _end_of_names(text: str, start: int, end: int, named: Sequence[tuple[int, int]]) -> int:
    """The end of the names that a text opens with, one after another with no word of their own."""
    for first, last in sorted(named):
        if start <= first < end:
            between = text[start:first]
            if "." in between or not {word for word, _, _ in terms(between)} <= STOP_WORDS:
                break
            start = last
    return start


def _named_in(
    note: NoteParts,
    passage: Passage,
    spans: Sequence[tuple[int, int]],
    mentions: Sequence[Mention],
    targets: Targets,
) -> Iterator[tuple[int, int]]:
    """Concepts that a passage names within spans, by link or word, with their places."""
    if not spans:
        return
    text = note.parsed.text_of(passage.cell)
    links: list[tuple[int, int]] = []
    for mark in note.parsed.marked:
        start, end = mark.start - passage.start, mark.end - passage.start
        inside = (
            mark.cell == passage.cell
            and any(a <= start < b for a, b in spans)
            and 0 <= start < len(passage.text)
        )
        if inside and mark.kind in ("wikilink", "link"):
            linked = targets.linked(text[mark.start : mark.end], note.name)
            if linked is not None:
                links.append((start, end))
                yield start, linked
    for mention in mentions:
        inside = any(start <= mention.start < end for start, end in spans)
        if (
            inside
            and not any(a <= mention.start < b for a, b in links)
            and not _in_code(note, passage, mention.start)
        ):
            yield mention.start, mention.concept


def _needs_lists(note: NoteParts) -> Iterator[Block]:
    """Items of lists that a line such as "**Prerequisites**" stands before."""
    group = -1
    before: Block | None = None
    for block in note.parsed.blocks:
        if block.kind == "item" and group >= 0 and block.group == group:
            yield block
        elif block.kind == "item" and before is not None and before.cell == block.cell:
            text = note.parsed.text_of(before.cell)[before.start : before.end]
            announced = before.kind == "paragraph" and before.heading_path == block.heading_path
            group = block.group if announced and _announces_list(text) else -1
            if group >= 0:
                yield block
        else:
            group = -1
        before = block


def _announces_list(text: str) -> bool:
    """Whether the last sentence of a paragraph announces what comes first, below it."""
    start, end = sentence_spans(text)[-1]
    last = text[start:end].strip(" \t>*_")
    form: Form = "colon" if last.endswith((":", "：")) else "heading"
    return announces_needs(last.rstrip(":：*_ "), form)


def _in_code(note: NoteParts, passage: Passage, offset: int) -> bool:
    """Whether a place in a passage stands in a code block."""
    at = passage.start + offset
    return any(
        b.kind == "code" and b.cell == passage.cell and b.start <= at < b.end
        for b in note.parsed.blocks
    )


def _enclosing(path: Sequence[str], named: Mapping[str, int], title: int | None) -> int | None:
    """The concept of the innermost heading that names one, else of the note."""
    for heading in reversed(path):
        concept = named_by(heading, named)
        if concept is not None:
            return concept
    return title


def _from_numbers(
    note: NoteParts, numbers: Mapping[int, NoteParts], titles: Mapping[str, int | None]
) -> Iterator[tuple[int, int, Evidence]]:
    """ "After lesson 3" in a note points to the note that is numbered 3."""
    title = titles[note.name]
    if title is None:
        return
    for passage in note.passages:
        for match in _AFTER_NUMBER.finditer(passage.text):
            first = numbers.get(int(match[1]))
            p = titles.get(first.name) if first else None
            if p is not None and first is not None and first.name != note.name:
                line, quote = quote_line(passage, match.start())
                yield p, title, Evidence(note.name, passage.cell, line, quote, "link")
