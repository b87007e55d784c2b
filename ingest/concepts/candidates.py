"""Places that may name a concept: title, headings, explained terms, wikilinks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from ingest.concepts.places import is_explained, is_title, places_of
from ingest.concepts.termhood import Termhood, read_table
from ingest.concepts.words import Vectors
from ingest.names.labels import Names, heading_names, merge_key, namings, term_name
from ingest.names.note_names import NoteNames, note_stem
from ingest.notes.announced import announcing
from ingest.notes.parsed import Marked, ParsedNote
from ingest.notes.word_lists import links_only
from kg.linking import key
from kg.types import Passage

__all__ = [
    "Candidate",
    "NoteParts",
    "candidates_of",
    "note_concept",
    "termhood_of",
    "titles_of",
]

# Chance of naming a concept from which a text does. A note's title is held to less, as it names the
# note's subject unless much speaks against it; so is what somebody links to.
ENOUGH, TITLE = 0.55, 0.2

# Who gives a note other names, or says what comes before it, says that it is about one thing.
_CONCEPT_FIELDS = frozenset({"aliases", "alias", "prerequisites"})
# The files that GitHub's documentation calls a repository's own ("community health files").
_REPOSITORY = frozenset(
    {
        "readme", "license", "licence", "contributing", "code_of_conduct", "changelog", "security",
        "support",
    }
)  # fmt: skip
_ORDERED = re.compile(r"^\d+[._ -]+(?=\D)")
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
    rank: int  # 0 title, 1 heading, 2 explained term, 3 wikilink, 4 term that is only marked
    order: tuple[int, int]  # note, position in it
    passages: tuple[int, ...] = ()


def termhood_of(notes: Sequence[NoteParts], vectors: Vectors) -> Termhood:
    """How likely each heading, title, marked term and link target names a concept."""
    places = [p for note in notes for p in places_of(note.parsed, note.passages, titles_of(note))]
    passages = (p for note in notes for p in note.passages)
    return Termhood.of(read_table(places, passages, len(notes)), vectors)


def candidates_of(notes: Sequence[NoteParts], termhood: Termhood) -> list[Candidate]:
    """Candidates of all notes: what is likely enough to name a concept."""
    sections = _apart(notes, [_sections(note, termhood) for note in notes])
    candidates = [
        c for i, note in enumerate(notes) for c in _candidates(note, i, sections[i], termhood)
    ]
    known = {merge_key(name) for c in candidates for name in (c.names.label, *c.names.aliases)}
    about = {
        note.name: _about(note, own, known, termhood)
        for note, own in zip(notes, sections, strict=True)
    }
    names = NoteNames.of(about)
    candidates += [
        c for i, note in enumerate(notes) for c in _linked(note, i, names, about, termhood)
    ]
    return _with_first_mark(candidates)


def note_concept(
    note: NoteParts, named: Mapping[str, int], owners: Mapping[int, Collection[int]]
) -> int | None:
    """The concept that a note is about, of those in `named`, by `merge_key`.

    None when it names none of them.

    By its first heading, the title in its front matter, its file's name without the number, or an
    alias.

    Parameters
    ----------
    owners : mapping of int to collection of int
        The concepts that each passage belongs to.
    """
    own = {c for passage in note.passages for c in owners.get(passage.id, ())}
    first = [h.text for h in note.parsed.headings[:1]]
    called = _called(note)
    for title in [*called, *first] if _stands_apart(note) else [*first, *called]:
        meant = [named[k] for n in namings(title) if (k := merge_key(n.label)) in named]
        if meant:
            return next((c for c in meant if c in own), meant[0])
    return next(
        (named[k] for name in _aliases(note.parsed) if (k := merge_key(name)) in named), None
    )


def _sections(note: NoteParts, termhood: Termhood) -> dict[tuple[str, ...], tuple[int, Names]]:
    """The headings that name a concept, by path, each with its position and names."""
    paths: dict[tuple[str, ...], tuple[int, Names]] = {}
    titled, announced = _title(note, termhood) is not None, announcing(note.parsed)
    for i, heading in enumerate(note.parsed.headings):
        if heading.path in announced:
            continue  # what stands below it is read as what comes first
        own = is_title(note.parsed, i) and not titled and not _of_repository(note)
        names = termhood.names(heading.text, TITLE if own else ENOUGH)
        if names is None and own and _CONCEPT_FIELDS & note.parsed.front_matter.keys():
            names = termhood.names(heading.text, 0.0) or Names(heading.text)
        if names is not None:
            paths.setdefault(heading.path, (i, names))
    return paths


def _apart(
    notes: Sequence[NoteParts], sections: Sequence[dict[tuple[str, ...], tuple[int, Names]]]
) -> list[dict[tuple[str, ...], tuple[int, Names]]]:
    """The same, but that no title is cut to what another note is called.

    "PCA (proof)" beside "PCA" is a concept of its own.
    """
    called: defaultdict[str, set[int]] = defaultdict(set)
    wholes: list[Names | None] = []
    for at, note in enumerate(notes):
        titled = bool(note.parsed.headings) and is_title(note.parsed, 0)
        wholes.append(next(iter(namings(note.parsed.headings[0].text)), None) if titled else None)
        if wholes[-1] is not None:
            called[merge_key(wholes[-1].label)].add(at)
    out = []
    for at, (whole, own) in enumerate(zip(wholes, sections, strict=True)):
        path = next((path for path, (i, _) in own.items() if i == 0), None)
        if whole is not None and path is not None:
            name = merge_key(own[path][1].label)
            if name != merge_key(whole.label) and called.get(name, set()) - {at}:
                own = {**own, path: (0, whole)}
        out.append(own)
    return out


def _about(
    note: NoteParts,
    paths: Mapping[tuple[str, ...], tuple[int, Names]],
    known: Container[str],
    termhood: Termhood,
) -> Names | None:
    """What a link to a note names: its own concept, else one that is called as its file."""
    headings = note.parsed.headings
    title = _title(note, termhood) if _stands_apart(note) else None
    if title is None and headings and headings[0].path in paths:
        title = paths[headings[0].path][1]
    title = title or _title(note, termhood)
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
    note: NoteParts,
    index: int,
    paths: dict[tuple[str, ...], tuple[int, Names]],
    termhood: Termhood,
) -> Iterator[Candidate]:
    """Every candidate of one note but its links."""
    parsed = note.parsed
    title = _title(note, termhood)
    own = _passages_by_path(note.passages, paths)
    aliases = _aliases(parsed)
    if title is not None and (
        not parsed.headings or parsed.headings[0].path not in paths or _stands_apart(note)
    ):
        # No usable first heading: the file's title or name stands for what the rest does not claim.
        unclaimed = tuple(p.id for p in note.passages if _claim(p.heading_path, paths) is None)
        stated = isinstance(parsed.front_matter.get("title"), str)
        yield Candidate(
            Names(title.label, (*title.aliases, *aliases), title.weak),
            # A heading spells a name better than a file does.
            0 if stated else 1,
            (index, -1 if stated else len(parsed.headings)),
            unclaimed,
        )
        aliases = []
    for path, (i, names) in paths.items():
        rank = 0 if i == 0 and len(path) == 1 else 1
        if rank == 0:
            names = Names(names.label, (*names.aliases, *aliases), names.weak)
        yield Candidate(names, rank, (index, i), own.get(path, ()))
    yield from _marked(note, index, termhood)
    yield from _defined_in_quotes(note, index)


def _linked(
    note: NoteParts,
    index: int,
    names: NoteNames,
    about: Mapping[str, Names | None],
    termhood: Termhood,
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
        target = about[file] if file else termhood.names(PurePosixPath(label).name, TITLE)
        if target is not None:
            yield Candidate(
                Names(target.label, target.aliases if file else ()), 3, (index, base + mark.start)
            )


def _title(note: NoteParts, termhood: Termhood) -> Names | None:
    """The note's own name apart from its headings: its front matter's title, or its file's name,
    where no heading is a likely title and the note does more than link.
    """
    stated = note.parsed.front_matter.get("title")
    if isinstance(stated, str) and stated.strip():
        return termhood.names(stated, TITLE)
    if _of_repository(note) or all(links_only(passage.text) for passage in note.passages):
        return None
    spoken, headings = _spoken(note.name), note.parsed.headings
    if _stands_apart(note) or not any(key(h.text) for h in headings):
        return termhood.names(spoken, TITLE)
    unlikely = is_title(note.parsed, 0) and termhood.names(headings[0].text, ENOUGH) is None
    named = termhood.names(spoken, ENOUGH) if unlikely else None
    if named is None:
        return None
    # A heading spells a name better than a file does.
    alike = (n for n in namings(headings[0].text) if merge_key(n.label) == merge_key(named.label))
    return next(alike, named)


def _stands_apart(note: NoteParts) -> bool:
    """Whether a note goes by other names and no heading is its title: it is called as its file."""
    named = bool(_aliases(note.parsed)) and not _of_repository(note)
    return named and bool(note.parsed.headings) and not is_title(note.parsed, 0)


def titles_of(note: NoteParts) -> list[str]:
    """What a note is called that no heading of it says."""
    said = {key(heading.text) for heading in note.parsed.headings}
    return [title for title in _called(note) if key(title) not in said]


def _called(note: NoteParts) -> list[str]:
    """A note's title in its front matter, and its file's name."""
    stated = note.parsed.front_matter.get("title")
    return [*([stated] if isinstance(stated, str) and stated.strip() else []), _spoken(note.name)]


def _of_repository(note: NoteParts) -> bool:
    """Whether a note's file is called as those are that every repository has, of no subject."""
    return note_stem(note.name).casefold().replace("-", "_") in _REPOSITORY


def _spoken(name: str) -> str:
    """A file's name as words, without the number that orders it among others.

    Where it has blanks, its hyphens join nothing that is apart.
    """
    stem = _ORDERED.sub("", note_stem(name))
    return re.sub(r"_+" if " " in stem else r"[_-]+", " ", stem)


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


def _marked(note: NoteParts, index: int, termhood: Termhood) -> Iterator[Candidate]:
    """Bold and italic terms, and code that its sentence explains, each with its passage."""
    base = len(note.parsed.headings)
    for mark in note.parsed.marked:
        names = (
            termhood.names(mark.text, ENOUGH) if mark.kind in ("bold", "italic", "code") else None
        )
        if names is None or (mark.kind == "code" and not _SPOKEN_CODE.fullmatch(names.label)):
            continue
        passage = _passage_at(note.passages, mark)
        if passage is None or passage.kind in ("code", "output"):
            continue
        explained = is_explained(mark, note.parsed.text_of(mark.cell))
        if explained or mark.kind != "code":
            rank = 2 if explained else 4
            yield Candidate(names, rank, (index, base + mark.start), (passage.id,))


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


def _with_first_mark(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, of terms that are marked and nowhere explained the first place alone."""
    told = {merge_key(c.names.label) for c in candidates if c.rank < 3}
    out = []
    for candidate in candidates:
        name = merge_key(candidate.names.label)
        if candidate.rank != 4:
            out.append(candidate)
        elif name not in told:
            told.add(name)
            out.append(replace(candidate, rank=2))
    return out


def _listed(value: object) -> list[str]:
    """Front matter's one name or list of names."""
    if isinstance(value, str):
        return [v.strip() for v in value.split(",") if v.strip()]
    return [str(v).strip() for v in value if str(v).strip()] if isinstance(value, list) else []
