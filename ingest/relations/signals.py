"""What the notes show about pairs of concepts: who names whom, and which stands first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ingest.concepts.candidates import NoteParts
from ingest.notes.lines import line_of, line_spans
from ingest.notes.word_lists import LINKS, MARKS, SEE_ALSO
from kg.linking import key
from kg.types import Concept, Evidence, Mention, Passage

__all__ = ["NUMBERED", "Naming", "Signals", "quote_line", "read_signals"]

# In a passage that explains several terms, a name belongs to the term that stands this near, in
# characters.
NEAR_CHARS = 200
# Siblings in alphabetical order say nothing about study order; below this share of ordered
# neighbours they do.
ALPHABETICAL = 0.8
CUE_CHARS = 60
# The first stop, also of an abbreviation: the scorer is fitted to what stands before it.
_STOP = re.compile(r"[.!?](?:\s|$)|\n\s*\n")
_CUE = re.compile(
    r"\b(?:needs?|requires?|rel(?:y|ies) on|based on|builds? (?:up)?on|depends? on|assumes?|recall"
    r"|remember|"
    r"extends?|extension of|generali[sz](?:es|ation of)|uses?|using|used with|applies|appl(?:y"
    r"|ying)|"
    r"(?:kind|form|type|special case|variant|version|instance"
    r"|example) of)\s+(?:[\w-]+\s+){0,3}[\[*_`]*\Z",
    re.I,
)
_CONTRAST = re.compile(
    r"\b(?:unlike|instead of|rather than|compared (?:to|with)|alternatives? to|used (?:in|for|by"
    r"|to)|such as|e\.g\.,?|"
    r"including|for example,?|like|appl(?:ications?|ied) (?:in|of|to"
    r"|include))\s+(?:[\w-]+\s+){0,4}[\[*_`]*\Z",
    re.I,
)
# Lines and sections that point elsewhere; to be named there says nothing of what comes first.
_POINTING = re.compile(rf"^(?:[-*+]\s+\[[ xX]\]|{MARKS}(?:{SEE_ALSO}|{LINKS})[*_]*\s*:)", re.I)
_POINTING_HEADING = re.compile(rf"^(?:{SEE_ALSO}|{LINKS})$", re.I)
# A name that begins with a number, or with a word for a part of a course and its number; "resnet50"
# has none.
NUMBERED = re.compile(
    r"^(?:(?:app(?:endix)?|chap(?:ter)?|class|ch|course|day|lec(?:ture)?|lesson|module|nb|notebook"
    r"|note|part|section|"
    r"session|step|unit|week|wk|w|l)[\s._-]*)?#?(\d+)(?![^\W\d_]{2})",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Naming:
    """One concept's passages name another concept."""

    count: int
    first: bool  # in the first sentence below the heading
    cued: bool  # after a word of dependence, such as "needs", "uses" or "a special case of"
    contrasted: bool  # after a word of contrast or example, such as "unlike" or "such as"
    place: float  # how far into the concept's passages the first one stands, in [0, 1]
    evidence: Evidence  # the first place


@dataclass(frozen=True, slots=True)
class Signals:
    """Signals over all pairs; `naming[c, p]` says that c's passages name p."""

    naming: Mapping[tuple[int, int], Naming]
    # Concept -> (order group, position), only where order means something.
    order: Mapping[int, tuple[int, int]]
    keys: tuple[tuple[str, ...], ...]  # folded words of each label
    homes: tuple[Evidence | None, ...]  # where each concept's first passage begins

    def earlier(self, p: int, c: int) -> int:
        """1 when p stands before c in an order that counts, -1 when after, 0 without one."""
        if p not in self.order or c not in self.order or self.order[p][0] != self.order[c][0]:
            return 0
        return 1 if self.order[p][1] < self.order[c][1] else -1

    def evidence(self, p: int, c: int) -> tuple[Evidence, ...]:
        """The places that speak for p before c."""
        out = []
        there = self.naming.get((c, p))
        if there is not None:
            out.append(there.evidence)
        home = self.homes[p]
        if self.earlier(p, c) == 1 and home is not None:
            signal = "numbering" if self.order[p][0] == -1 else "position"
            out.append(Evidence(home.note, home.cell, home.line, home.quote, signal))
        return tuple(out)


def read_signals(
    concepts: Sequence[Concept], mentions: Sequence[Mention], notes: Sequence[NoteParts]
) -> Signals:
    """Collect the signals of all pairs that name each other, in time linear in the mentions."""
    passages = {p.id: p for note in notes for p in note.passages}
    naming = _naming(concepts, mentions, passages)
    homes = tuple(_home(passages[c.passages[0]]) if c.passages else None for c in concepts)
    return Signals(naming, _order(concepts, notes), tuple(key(c.label) for c in concepts), homes)


def quote_line(passage: Passage, offset: int) -> tuple[int, str]:
    """The 1-based line of a place in a passage, and that line's text without outer spaces."""
    spans = line_spans(passage.text)
    line = line_of(spans, offset)
    start, end = spans[line - 1]
    return passage.line_start + line - 1, passage.text[start:end].strip()


def _contains(outer: tuple[str, ...], inner: tuple[str, ...]) -> bool:
    n = len(inner)
    return 0 < n < len(outer) and any(outer[i : i + n] == inner for i in range(len(outer) - n + 1))


def _naming(
    concepts: Sequence[Concept], mentions: Sequence[Mention], passages: Mapping[int, Passage]
) -> dict[tuple[int, int], Naming]:
    by_passage: defaultdict[int, list[Mention]] = defaultdict(list)
    for mention in mentions:
        by_passage[mention.passage].append(mention)
    owners: defaultdict[int, list[int]] = defaultdict(list)
    for concept in concepts:
        for p in concept.passages:
            owners[p].append(concept.id)
    lengths = {c.id: sum(len(passages[p].text) for p in c.passages) for c in concepts}
    read: defaultdict[int, int] = defaultdict(int)  # concept -> characters of its passages so far
    namings: dict[tuple[int, int], Naming] = {}
    for passage_id in sorted(owners):
        passage = passages[passage_id]
        here = [m for m in by_passage[passage_id] if not _only_pointed_to(passage, m)]
        intro = _intro_end(passage)
        for c in owners[passage_id]:
            shared = len(owners[passage_id]) > 1 and not _heads(concepts[c], passage)
            for mention in _near(here, c) if shared else here:
                if mention.concept != c:
                    before = namings.get((c, mention.concept))
                    place = (read[c] + mention.start) / lengths[c]
                    namings[c, mention.concept] = _with_mention(
                        before, passage, mention, mention.start < intro, place
                    )
            read[c] += len(passage.text)
    return namings


def _near(mentions: Sequence[Mention], concept: int) -> list[Mention]:
    """Mentions that stand near one of the concept itself."""
    own = [m.start for m in mentions if m.concept == concept]
    return [m for m in mentions if any(abs(m.start - at) <= NEAR_CHARS for at in own)]


def _with_mention(
    before: Naming | None, passage: Passage, mention: Mention, first: bool, place: float
) -> Naming:
    """What the mentions up to this one show; place and evidence are those of the first one."""
    reach = max(0, mention.start - CUE_CHARS)
    cued = _CUE.search(passage.text, reach, mention.start) is not None
    contrasted = _CONTRAST.search(passage.text, reach, mention.start) is not None
    if before is None:
        line, quote = quote_line(passage, mention.start)
        evidence = Evidence(passage.note, passage.cell, line, quote, "mention")
        return Naming(1, first, cued, contrasted, place, evidence)
    return replace(
        before,
        count=before.count + 1,
        first=before.first or first,
        cued=before.cued or cued,
        contrasted=before.contrasted or contrasted,
    )


def _only_pointed_to(passage: Passage, mention: Mention) -> bool:
    """Whether a name stands where the note points elsewhere: "Related: …", a to-do."""
    if passage.heading_path and _POINTING_HEADING.match(passage.heading_path[-1].strip()):
        return True
    return bool(_POINTING.match(quote_line(passage, mention.start)[1]))


def _heads(concept: Concept, passage: Passage) -> bool:
    """Whether the passage stands under the concept's own heading."""
    names = {key(n) for n in (concept.label, *concept.aliases)}
    return any(
        key(h) in names or any(_contains(key(h), n) for n in names)
        for h in passage.heading_path[-1:]
    )


def _intro_end(passage: Passage) -> int:
    """Where a passage's heading and first sentence end, as an offset in it."""
    heading = re.match(r"\s*#{1,6} .*\n+", passage.text)
    start = heading.end() if heading else 0
    stop = _STOP.search(passage.text, start)
    return stop.end() if stop else len(passage.text)


def _home(passage: Passage) -> Evidence:
    line, quote = quote_line(passage, 0)
    return Evidence(passage.note, passage.cell, line, quote, "position")


def _order(concepts: Sequence[Concept], notes: Sequence[NoteParts]) -> dict[int, tuple[int, int]]:
    """Study positions: one order over all numbered notes (group -1), else one within each note.

    A note whose sibling headings stand in alphabetical order gives none.
    """
    numbers = [NUMBERED.match(note.name.rsplit("/", 1)[-1]) for note in notes]
    numbered = len(notes) > 1 and sum(n is not None for n in numbers) > len(notes) / 2
    group: dict[str, int] = {}
    for i, note in enumerate(notes):
        if not _alphabetical(note):
            group[note.name] = -1 if numbered and numbers[i] is not None else i
    rank = {note.name: i for i, note in enumerate(notes)}
    out = {}
    for concept in concepts:
        if concept.passages and concept.notes and concept.notes[0] in group:
            home = concept.notes[0]
            out[concept.id] = (group[home], rank[home] * 10_000_000 + min(concept.passages))
    return out


def _alphabetical(note: NoteParts) -> bool:
    siblings: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for heading in note.parsed.headings:
        siblings[heading.path[:-1]].append(heading.text.casefold())
    longest = max(siblings.values(), key=len, default=[])
    if len(longest) < 6:
        return False
    ordered = sum(a <= b for a, b in pairwise(longest))
    return ordered >= ALPHABETICAL * (len(longest) - 1)
