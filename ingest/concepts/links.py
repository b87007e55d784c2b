"""Which concept a link or an entry of front matter means: by its section, its note, or its words.

And its mentions.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from ingest.concepts.candidates import NoteParts, note_concept
from ingest.concepts.find import find_mentions
from ingest.names.labels import heading_names, merge_key
from ingest.names.note_names import NoteNames, note_stem
from ingest.notes.parsed import Marked
from kg.linking import Lexicon
from kg.types import Concept, Mention, Passage

__all__ = ["Targets", "entries_of", "mentions_of"]

_WIKILINK = re.compile(
    r"!?\[\[(?P<target>[^\[\]|#^]*)(?P<section>[#^][^\[\]|]*)?(?:\|(?P<shown>[^\[\]]*))?\]\]"
)
_LINK = re.compile(
    r"\[(?P<shown>[^\[\]]*)\]\(<?(?P<target>[^()<>#\s]*)(?P<section>#[^()<>\s]*)?[^()]*\)"
)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)


@dataclass(frozen=True, slots=True)
class Targets:
    """Names of concepts, and what each note is about."""

    names: Mapping[str, int]
    notes: NoteNames
    titles: Mapping[str, int | None]  # by a note's name, the concept that it is about
    # The notes that explain a concept; others are only linked to.
    homes: Mapping[int, frozenset[str]]
    lexicon: Lexicon

    @classmethod
    def of(cls, concepts: Sequence[Concept], notes: Sequence[NoteParts]) -> Targets:
        """Of these concepts, and of all notes they were found in."""
        names = {merge_key(n): c.id for c in reversed(concepts) for n in (*c.aliases, c.label)}
        owners: defaultdict[int, set[int]] = defaultdict(set)
        for concept in concepts:
            for passage in concept.passages:
                owners[passage].add(concept.id)
        titles = {note.name: note_concept(note, names, owners) for note in notes}
        homes = {c.id: frozenset(c.notes) for c in concepts if c.passages}
        return cls(names, NoteNames.of(titles), titles, homes, Lexicon.of(concepts))

    def linked(self, link: str, note: str) -> int | None:
        """The concept that a wikilink or a Markdown link means where it stands in a note.

        A section that names a concept is meant rather than the note around it; in that note, a
        concept called as its file rather than what the note is about. A name that is explained
        elsewhere, or only linked to, gives way to a note of that name, and what is shown to both.
        """
        match = _WIKILINK.fullmatch(link.strip()) or _LINK.fullmatch(link.strip())
        if match is None:
            return None
        target, section, shown = (part or "" for part in match.group("target", "section", "shown"))
        path = "" if _ADDRESS.match(target) else unquote(target).rstrip("\\").strip()
        if section.startswith("^") and self.notes.find(path, note) is None:
            path, section = path + section, ""  # no block of a note, but a name such as x^2
        heading = unquote(section).rpartition("#")[2]
        place = None if heading.startswith("^") else self._called(heading)
        if place in self.homes:
            return place
        meant = self._at(path, note) if path else None
        candidates = (meant, place, self._called(shown))
        return next((c for c in candidates if c is not None), None)

    def _at(self, path: str, note: str) -> int | None:
        """The concept that the path of a link means."""
        meant = self.note_at(path, note)
        if meant is not None:
            return meant
        stem = note_stem(path)
        words = heading_names(re.sub(r"[_-]+", " ", stem))
        called = [self._called(stem), self._called(words.label) if words else None]
        return next(
            (c for c in (*(c for c in called if c in self.homes), *called) if c is not None), None
        )

    def _called(self, name: str) -> int | None:
        return self.names.get(merge_key(name)) if merge_key(name) else None

    def named(self, entry: str, note: str) -> int | None:
        """The concept that an entry of front matter means: by link, name, file or words."""
        if (linked := self.linked(entry, note)) is not None:
            return linked
        text = entry.strip().strip("[]")
        named = self._called(text)
        if named is None and (file := self.notes.find(text, note)) is not None:
            named = self.titles[file]
        if named is None:
            mentions = self.lexicon.find(text, strict_case=False)
            named = mentions[0].concept if mentions else None
        return named

    def note_at(self, path: str, note: str) -> int | None:
        """The concept of the note that a link's path leads to.

        None when it leads to none that is about one.
        """
        file = self.notes.find(path, note)
        if file is None:
            return None
        called = self._called(note_stem(path))
        own = called is not None and file in self.homes.get(called, ())
        return called if own else self.titles[file]


def mentions_of(concepts: Sequence[Concept], notes: Sequence[NoteParts]) -> list[Mention]:
    """Every place that names a concept, in words or by a wikilink to its note.

    Such a link is one mention of its concept, at the path; other names in the path are no words of
    the text.
    """
    targets = Targets.of(concepts, notes)
    spoken: defaultdict[int, list[Mention]] = defaultdict(list)
    for mention in find_mentions(concepts, (p for note in notes for p in note.passages)):
        spoken[mention.passage].append(mention)
    out: list[Mention] = []
    for note in notes:
        links = [mark for mark in note.parsed.marked if mark.kind == "wikilink"]
        for passage in note.passages:
            own = spoken[passage.id]
            for mark in links:
                if (
                    mark.cell == passage.cell
                    and passage.start <= mark.start
                    and mark.end <= passage.end
                ):
                    own = _with_link(own, mark, passage, targets, concepts)
            out += own
    return out


def _with_link(
    mentions: list[Mention],
    mark: Marked,
    passage: Passage,
    targets: Targets,
    concepts: Sequence[Concept],
) -> list[Mention]:
    """A passage's mentions, left to right, with that of a wikilink if it leads to a note."""
    # The span of a link whose bar is escaped, as in tables, is that of its line.
    for link in _WIKILINK.finditer(
        passage.text, mark.start - passage.start, mark.end - passage.start
    ):
        path = link["target"].rstrip("\\ ")
        concept = (
            targets.note_at(path, passage.note)
            if path.strip() == mark.target.split("^")[0].strip()
            else None
        )
        if concept is None:
            continue
        first, last = link.start("target"), link.start("target") + len(path)
        exact = (m for m in mentions if (m.concept, m.start, m.end) == (concept, first, last))
        own = next(exact, Mention(concept, passage.id, first, last, concepts[concept].label))
        inside = {m for m in mentions if link.start() <= m.start < link.end()}
        gone = {m for m in inside if m.concept == concept or first <= m.start < last}
        mentions = sorted([own, *(m for m in mentions if m not in gone)], key=lambda m: m.start)
    return mentions


def entries_of(value: object) -> Iterator[str]:
    """The entries of a field of front matter: a YAML list, or words with commas or links.

    >>> list(entries_of([["Chain Rule"], "[[Limit|limits]]"]))
    ['Chain Rule', '[[Limit|limits]]']
    >>> list(entries_of("[[A, B]], [[C]] and so on"))
    ['[[A, B]]', '[[C]]']
    """
    if isinstance(value, list):
        # YAML takes an unquoted [[Chain Rule]] for a list in a list.
        for entry in value:
            yield from (
                entries_of(entry)
                if isinstance(entry, list)
                else [str(entry)]
                if entry is not None
                else []
            )
    elif isinstance(value, str):
        links = [m.group() for pattern in (_WIKILINK, _LINK) for m in pattern.finditer(value)]
        yield from links or (part.strip() for part in value.split(",") if part.strip())
    elif value is not None and not isinstance(value, dict):
        yield str(value)
