"""Places that may name a concept: title, headings, explained terms, wikilinks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ingest.names.labels import Names, heading_names, is_generic, merge_key, term_name
from ingest.names.note_names import NoteNames, note_stem
from ingest.notes.parsed import Marked, ParsedNote
from kg.linking import key, length_in_words
from kg.types import Passage

__all__ = ["Candidate", "NoteParts", "candidates_of", "note_concept"]

# A heading that stands in this many places below different headings structures the notes ("Goals");
# it is no concept.
STRUCTURAL_COUNT = 3
# A bold word that is "explained" in more passages than this is a marker ("Note:", "Trick:"), no
# concept.
MARKER_COUNT = 4
MAX_TITLE_WORDS = 12

_EXPLAINED_AFTER = re.compile(
    r"[*_`\"'”]{0,3}\s?(?:\([^)]{1,40}\)\s?)?(?:::?\s|\s[–—-]\s|\s?,?\s?(?:is|are|means|refers to"
    r"|denotes|stands for)"
    r"\s)"
)
_EXPLAINED_BEFORE = re.compile(
    r"(?:called|known as|termed|named|referred to as|call (?:this|it|them|these|that))\s+(?:an?\s"
    r"|the\s)?"
    r"[*_`\"'“]{0,3}$",
    re.I,
)
_SPOKEN_CODE = re.compile(r"[A-Za-z][\w -]*")  # code that reads as words
_JARGON = re.compile(
    r"^>\s*(?:jargon|definition|def|term|glossary)\s*:\s*(?P<term>[^:\n]{2,60}):\s", re.I | re.M
)


@dataclass(frozen=True, slots=True)
class NoteParts:
    """A note as concepts are found in it; passages carry ids that count over all notes."""

    name: str
    parsed: ParsedNote
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place that names a concept; a lower rank is a surer one."""

    names: Names
    rank: int  # 0 title, 1 heading, 2 explained term, 3 wikilink
    order: tuple[int, int]  # note, position in it
    passages: tuple[int, ...] = ()


def candidates_of(notes: Sequence[NoteParts]) -> list[Candidate]:
    """Candidates of all notes, without headings that structure and words that mark."""
    structural = _structural_headings(notes)
    sections = [_sections(note, structural) for note in notes]
    candidates = [c for i, note in enumerate(notes) for c in _candidates(note, i, sections[i])]
    known = {merge_key(name) for c in candidates for name in (c.names.label, *c.names.aliases)}
    about = {note.name: _about(note, own, known) for note, own in zip(notes, sections, strict=True)}
    names = NoteNames.of(about)
    candidates += [c for i, note in enumerate(notes) for c in _linked(note, i, names, about)]
    return _without_markers(candidates)


def note_concept(note: NoteParts, named: Mapping[str, int]) -> int | None:
    """The concept that a note is about, of those in `named`, by `merge_key`.

    None when it names none of them.

    By its first heading, the title in its front matter, its file's name without the number, or an
    alias.
    """
    stated = note.parsed.front_matter.get("title")
    titles = [heading.text for heading in note.parsed.headings[:1]]
    titles += [stated] if isinstance(stated, str) else []
    for title in titles:
        names = heading_names(title)
        # A note about one thing is named by its whole title, however long.
        label = merge_key(names.label if names is not None else title)
        if label in named:
            return named[label]
    stem = heading_names(_spoken(note.name))
    others = ([stem.label] if stem else []) + _aliases(note.parsed)
    return next((named[k] for name in others if (k := merge_key(name)) in named), None)


def _structural_headings(notes: Sequence[NoteParts]) -> frozenset[tuple[str, ...]]:
    places: defaultdict[tuple[str, ...], set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
    for note in notes:
        for heading in note.parsed.headings:
            if len(heading.path) > 1:
                places[key(heading.text)].add((note.name, heading.path[:-1]))
    titles = {key(h.text) for note in notes for h in note.parsed.headings[:1]}
    return frozenset(
        k for k, where in places.items() if len(where) >= STRUCTURAL_COUNT and k not in titles
    )


def _sections(
    note: NoteParts, structural: frozenset[tuple[str, ...]]
) -> dict[tuple[str, ...], tuple[int, Names]]:
    """The headings that name a concept, by path, each with its position and names."""
    headings = note.parsed.headings
    paths: dict[tuple[str, ...], tuple[int, Names]] = {}
    for i, heading in enumerate(headings):
        names = None if key(heading.text) in structural else heading_names(heading.text)
        if names is not None:
            paths.setdefault(heading.path, (i, names))
    title = headings[0].text if headings else ""
    if not paths and 0 < length_in_words(title) <= MAX_TITLE_WORDS and not is_generic(title):
        # A note about one thing: its title names that thing, however long.
        paths[headings[0].path] = (0, Names(title))
    return paths


def _about(
    note: NoteParts, paths: Mapping[tuple[str, ...], tuple[int, Names]], known: Container[str]
) -> Names | None:
    """What a link to a note names: its own concept, else one that is called as its file."""
    headings = note.parsed.headings
    title = paths[headings[0].path][1] if headings and headings[0].path in paths else _title(note)
    if title is not None:
        return Names(title.label)
    stem = heading_names(_spoken(note.name))
    called = ([stem.label] if stem else []) + _aliases(note.parsed)
    if not called:
        return None
    # With all of its names, a link could make one concept of two.
    one = next((name for name in called if merge_key(name) in known), None)
    return Names(one) if one else Names(called[0], tuple(called[1:]))


def _candidates(
    note: NoteParts, index: int, paths: dict[tuple[str, ...], tuple[int, Names]]
) -> Iterator[Candidate]:
    """Every candidate of one note but its links."""
    parsed = note.parsed
    title = _title(note)
    own = _passages_by_path(note.passages, paths)
    aliases = _aliases(parsed)
    if title is not None and (not parsed.headings or parsed.headings[0].path not in paths):
        # No usable first heading: the file's title or name stands for what the rest does not claim.
        unclaimed = tuple(p.id for p in note.passages if _claim(p.heading_path, paths) is None)
        yield Candidate(
            Names(title.label, (*title.aliases, *aliases), title.weak), 0, (index, -1), unclaimed
        )
        aliases = []
    for path, (i, names) in paths.items():
        rank = 0 if i == 0 and len(path) == 1 else 1
        if rank == 0:
            names = Names(names.label, (*names.aliases, *aliases), names.weak)
        yield Candidate(names, rank, (index, i), own.get(path, ()))
    yield from _explained(note, index)
    yield from _defined_in_quotes(note, index)


def _linked(
    note: NoteParts, index: int, names: NoteNames, about: Mapping[str, Names | None]
) -> Iterator[Candidate]:
    """What wikilinks name: the concept of the note they lead to.

    Without such a note, the words of the target.
    """
    base = len(note.parsed.headings)
    for mark in note.parsed.marked:
        if mark.kind != "wikilink":
            continue
        source = note.parsed.text_of(mark.cell)[mark.start : mark.end]
        inside = source.startswith(("[[#", "[[^"))  # a place in this very note
        file = None if inside else names.find(mark.target, note.name)
        label = mark.target.split("#")[0].strip()
        target = (
            about[file] if file else heading_names(PurePosixPath(label).name) if label else None
        )
        if target is not None:
            yield Candidate(
                Names(target.label, target.aliases if file else ()), 3, (index, base + mark.start)
            )


def _title(note: NoteParts) -> Names | None:
    """The note's own name: its front matter's title, or its file name when it has no headings."""
    stated = note.parsed.front_matter.get("title")
    if isinstance(stated, str) and stated.strip():
        return heading_names(stated)
    if any(key(h.text) for h in note.parsed.headings):
        return None
    return heading_names(_spoken(note.name))


def _spoken(name: str) -> str:
    """A file's name as words."""
    return re.sub(r"[_-]+", " ", note_stem(name))


def _aliases(parsed: ParsedNote) -> list[str]:
    return _listed(parsed.front_matter.get("aliases")) + _listed(parsed.front_matter.get("alias"))


def _claim(
    path: tuple[str, ...], paths: dict[tuple[str, ...], tuple[int, Names]]
) -> tuple[str, ...] | None:
    """The innermost heading on a passage's path that names a concept."""
    for n in range(len(path), 0, -1):
        if path[:n] in paths:
            return path[:n]
    return None


def _passages_by_path(
    passages: Sequence[Passage], paths: dict[tuple[str, ...], tuple[int, Names]]
) -> dict[tuple[str, ...], tuple[int, ...]]:
    out: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for passage in passages:
        claimed = _claim(passage.heading_path, paths)
        if claimed is not None:
            out[claimed].append(passage.id)
    return {path: tuple(ids) for path, ids in out.items()}


def _explained(note: NoteParts, index: int) -> Iterator[Candidate]:
    """Bold, italic and code terms that their sentence explains."""
    base = len(note.parsed.headings)
    for mark in note.parsed.marked:
        name = term_name(mark.text) if mark.kind in ("bold", "italic", "code") else None
        if name is None or (mark.kind == "code" and not _SPOKEN_CODE.fullmatch(name)):
            continue
        if _is_explained(mark, note.parsed.text_of(mark.cell)):
            passage = _passage_at(note.passages, mark)
            if passage is not None and passage.kind not in ("code", "output"):
                yield Candidate(Names(name), 2, (index, base + mark.start), (passage.id,))


def _is_explained(mark: Marked, text: str) -> bool:
    """Whether the words around a mark say what it is: "is", "called", a colon within or behind."""
    if mark.text.rstrip().endswith(":"):
        return True
    before, after = text[max(0, mark.start - 60) : mark.start], text[mark.end : mark.end + 60]
    return bool(_EXPLAINED_AFTER.match(after) or _EXPLAINED_BEFORE.search(before))


def _defined_in_quotes(note: NoteParts, index: int) -> Iterator[Candidate]:
    """Terms of a glossary's quotes: "> jargon: Epoch: one pass over the data"."""
    base = len(note.parsed.headings)
    for passage in note.passages:
        for match in _JARGON.finditer(passage.text):
            name = term_name(match["term"])
            if name is not None:
                place = (index, base + passage.start + match.start())
                yield Candidate(Names(name), 2, place, (passage.id,))


def _passage_at(passages: Sequence[Passage], mark: Marked) -> Passage | None:
    return next(
        (p for p in passages if p.cell == mark.cell and p.start <= mark.start < p.end), None
    )


def _without_markers(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Drop explained terms that stand in so many passages that they are markers."""
    seen = Counter(
        k for k, _ in {(merge_key(c.names.label), c.passages) for c in candidates if c.rank == 2}
    )
    return [c for c in candidates if c.rank != 2 or seen[merge_key(c.names.label)] <= MARKER_COUNT]


def _listed(value: object) -> list[str]:
    """Front matter's one name or list of names."""
    if isinstance(value, str):
        return [v.strip() for v in value.split(",") if v.strip()]
    return [str(v).strip() for v in value if str(v).strip()] if isinstance(value, list) else []
