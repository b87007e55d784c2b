"""Concepts and mentions from all parsed notes together; relations between them are left to `relations`."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ingest.labels import GENERIC, Names, heading_names, is_initials, merge_key, term_name
from ingest.markdown import plain
from ingest.parsed import Marked, ParsedNote
from kg.linking import Lexicon, key
from kg.types import Concept, Mention, Passage, Resource

__all__ = ["NoteParts", "find_concepts", "find_mentions", "first_sentence"]

# A heading that stands in this many places below different headings structures the notes ("Goals"); it is no concept.
STRUCTURAL_COUNT = 3
# A bold word that is "explained" in more passages than this is a marker ("Note:", "Trick:"), no concept.
MARKER_COUNT = 4
MAX_RESOURCES = 12
MAX_TITLE_WORDS = 12
SUMMARY_CHARS = 280

_EXPLAINED_AFTER = re.compile(
    r"[*_`\"'”]{0,3}\s?(?:\([^)]{1,40}\)\s?)?(?:::?\s|\s[–—-]\s|\s?,?\s?(?:is|are|means|refers to|denotes|stands for)"
    r"\s)"
)
_EXPLAINED_BEFORE = re.compile(
    r"(?:called|known as|termed|named|referred to as|call (?:this|it|them|these|that))\s+(?:an?\s|the\s)?"
    r"[*_`\"'“]{0,3}$",
    re.I,
)
_JARGON = re.compile(r"^>\s*(?:jargon|definition|def|term|glossary)\s*:\s*(?P<term>[^:\n]{2,60}):\s", re.I | re.M)
_BRACKETED = re.compile(r"\b(?P<long>(?:[A-Za-z][\w'-]*[ ]){1,6}[A-Za-z][\w'-]*) \((?P<short>[A-Z][A-Za-z-]{1,7})\)")
_HEADING_LINE = re.compile(r"^\s{0,3}#{1,6}\s.*$|^.+\n(?:=+|-+)\s*$", re.M)
_SET_APART = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|\$\$.*?\$\$", re.S)  # code and formulas
_FORMULA = re.compile(
    r"(?<![\\$])\$(?P<tex>[^\s$](?:[^$\n]*[^\s$\\])?)\$(?![\d$])"
    r"|<img\b[^>]*\bcodecogs\b[^>]*?\btitle=\"(?P<drawn>[^\">]+)\"[^>]*>"
)
_LINK_ONLY = re.compile(r"^(?:[-*+]\s|\d+[.)]\s)?\s*(?:!?\[[^\]]*\]\(+[^)]*\)+|<img[^>]*>|https?://\S+|[\s;,.|–-])*$")
_SENTENCE_END = re.compile(r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!Ex\.)\s+(?=[A-Z`\"“(\[])")


@dataclass(frozen=True, slots=True)
class NoteParts:
    """A note as concepts are found in it; passages carry ids that count over all notes."""

    name: str
    parsed: ParsedNote
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """One place that names a concept; a lower rank is a surer one."""

    names: Names
    rank: int  # 0 title, 1 heading, 2 explained term, 3 wikilink
    order: tuple[int, int]  # note, position in it
    passages: tuple[int, ...] = ()


@dataclass(slots=True)
class _Group:
    """Candidates that are one concept."""

    candidates: list[_Candidate] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)  # aliases found apart from candidates


def find_concepts(notes: Sequence[NoteParts]) -> tuple[Concept, ...]:
    """Concepts of all notes, in the order of their first definition; ids are positions.

    The result depends on the notes' contents and order only, not on when each was ingested.
    """
    structural = _structural_headings(notes)
    candidates = [c for i, note in enumerate(notes) for c in _candidates(note, i, structural)]
    candidates = _without_markers(candidates)
    groups = _merge(candidates)
    _add_bracketed_acronyms(groups, notes)
    owned = {p.id: (note, p) for note in notes for p in note.passages}
    ordered = sorted(groups, key=lambda g: min((c.rank == 3, c.order) for c in g.candidates))
    names = _final_names(ordered)
    return tuple(_concept(i, group, names[i], notes, owned) for i, group in enumerate(ordered))


def find_mentions(concepts: Sequence[Concept], passages: Iterable[Passage]) -> Iterator[Mention]:
    """Every place where a passage names a concept by its label or an alias."""
    lexicon = Lexicon.of(concepts)
    for passage in passages:
        for found in lexicon.find(passage.text):
            yield Mention(found.concept, passage.id, found.start, found.end, found.alias)


def first_sentence(text: str) -> str:
    """The first sentence of a passage's own words, plain; "" when it holds none but links, pictures or code."""
    body = _HEADING_LINE.sub("", _SET_APART.sub("\n\n", text))
    for piece in re.split(r"\n\s*\n|\n(?=\s{0,3}(?:[-*+]|\d+[.)])\s)|\n(?=\|)", body):
        if not piece.strip() or _LINK_ONLY.match(" ".join(piece.split())) or piece.lstrip().startswith("|"):
            continue
        said = re.sub(r"^(?:[-*+>]|\d+[.)])\s+", "", _said(piece).strip())
        sentence = _SENTENCE_END.split(said, maxsplit=1)[0].strip()
        if len(key(sentence)) >= 3 and not sentence.endswith("?"):
            return sentence if len(sentence) <= SUMMARY_CHARS else sentence[: SUMMARY_CHARS - 1].rsplit(" ", 1)[0] + "…"
    return ""


def _said(text: str) -> str:
    """Plain words of a text, its inline formulas kept as formulas, those drawn as pictures too."""
    formulas: list[str] = []

    def aside(match: re.Match[str]) -> str:
        formulas.append(f"${match['tex'] or match['drawn']}$")
        return f"\ue000{len(formulas) - 1}\ue001"

    return re.sub("\ue000(\\d+)\ue001", lambda m: formulas[int(m[1])], plain(_FORMULA.sub(aside, text)))


def _structural_headings(notes: Sequence[NoteParts]) -> frozenset[tuple[str, ...]]:
    places: defaultdict[tuple[str, ...], set[tuple[str, tuple[str, ...]]]] = defaultdict(set)
    for note in notes:
        for heading in note.parsed.headings:
            if len(heading.path) > 1:
                places[key(heading.text)].add((note.name, heading.path[:-1]))
    titles = {key(h.text) for note in notes for h in note.parsed.headings[:1]}
    return frozenset(k for k, where in places.items() if len(where) >= STRUCTURAL_COUNT and k not in titles)


def _candidates(note: NoteParts, index: int, structural: frozenset[tuple[str, ...]]) -> Iterator[_Candidate]:
    """Every candidate of one note."""
    parsed = note.parsed
    title = _title(note)
    paths: dict[tuple[str, ...], tuple[int, Names]] = {}
    for i, heading in enumerate(parsed.headings):
        names = None if key(heading.text) in structural else heading_names(heading.text)
        if names is not None:
            paths.setdefault(heading.path, (i, names))
    first = key(parsed.headings[0].text) if parsed.headings else ()
    if not paths and 0 < len(first) <= MAX_TITLE_WORDS and first not in GENERIC:
        # A note about one thing: its title names that thing, however long.
        paths[parsed.headings[0].path] = (0, Names(parsed.headings[0].text))
    own = _passages_by_path(note.passages, paths)
    aliases = _listed(parsed.front_matter.get("aliases")) + _listed(parsed.front_matter.get("alias"))
    if title is not None and (not parsed.headings or parsed.headings[0].path not in paths):
        # No usable first heading: the file's title or name stands for what the rest does not claim.
        unclaimed = tuple(p.id for p in note.passages if _claim(p.heading_path, paths) is None)
        yield _Candidate(Names(title.label, (*title.aliases, *aliases), title.weak), 0, (index, -1), unclaimed)
        aliases = []
    for path, (i, names) in paths.items():
        rank = 0 if i == 0 and len(path) == 1 else 1
        if rank == 0:
            names = Names(names.label, (*names.aliases, *aliases), names.weak)
        yield _Candidate(names, rank, (index, i), own.get(path, ()))
    yield from _explained(note, index)
    for mark in parsed.marked:
        label = mark.target.split("#")[0].strip() if mark.kind == "wikilink" else ""
        target = heading_names(PurePosixPath(label).name) if label else None
        if target is not None:
            yield _Candidate(Names(target.label), 3, (index, len(parsed.headings) + mark.start))


def _title(note: NoteParts) -> Names | None:
    """The note's own name: its front matter's title, or its file name when it has no headings."""
    stated = note.parsed.front_matter.get("title")
    if isinstance(stated, str) and stated.strip():
        return heading_names(stated)
    if any(key(h.text) for h in note.parsed.headings):
        return None
    return heading_names(re.sub(r"[_-]+", " ", PurePosixPath(note.name).stem))


def _claim(path: tuple[str, ...], paths: dict[tuple[str, ...], tuple[int, Names]]) -> tuple[str, ...] | None:
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


def _explained(note: NoteParts, index: int) -> Iterator[_Candidate]:
    """Bold, italic and code terms that their sentence explains, and glossary quotes."""
    base = len(note.parsed.headings)
    for mark in note.parsed.marked:
        if mark.kind not in ("bold", "italic", "code"):
            continue
        name = term_name(mark.text)
        if name is None or (mark.kind == "code" and not re.fullmatch(r"[A-Za-z][\w -]*", name)):
            continue
        text = note.parsed.text_of(mark.cell)
        before, after = text[max(0, mark.start - 60) : mark.start], text[mark.end : mark.end + 60]
        # A mark that closes with its colon inside ("**Batch size:** how many") counts as well.
        if mark.text.rstrip().endswith(":") or _EXPLAINED_AFTER.match(after) or _EXPLAINED_BEFORE.search(before):
            where = _passage_at(note.passages, mark)
            if where is not None and where.kind not in ("code", "output"):
                yield _Candidate(Names(name), 2, (index, base + mark.start), (where.id,))
    for passage in note.passages:
        for match in _JARGON.finditer(passage.text):
            name = term_name(match["term"])
            if name is not None:
                yield _Candidate(Names(name), 2, (index, base + passage.start + match.start()), (passage.id,))


def _passage_at(passages: Sequence[Passage], mark: Marked) -> Passage | None:
    return next((p for p in passages if p.cell == mark.cell and p.start <= mark.start < p.end), None)


def _without_markers(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Drop explained terms that stand in so many passages that they are markers."""
    seen = Counter(k for k, _ in {(merge_key(c.names.label), c.passages) for c in candidates if c.rank == 2})
    return [c for c in candidates if c.rank != 2 or seen[merge_key(c.names.label)] <= MARKER_COUNT]


def _merge(candidates: Sequence[_Candidate]) -> list[_Group]:
    """Group candidates that share a sure name, then acronyms with the one name they abbreviate."""
    groups: dict[str, _Group] = {}
    ordered = sorted(candidates, key=lambda c: (c.rank, c.order))
    headings = [c for c in ordered if c.rank <= 1]
    for candidate in headings:
        _place(candidate, groups)
    # A heading's further name ("Feature Loss | Perceptual Loss") takes in terms that are explained under that name,
    # if only one heading claims it.
    claims: defaultdict[str, dict[int, _Group]] = defaultdict(dict)
    for candidate in headings:
        owner = groups[merge_key(candidate.names.label)]
        for name in candidate.names.weak:
            claims[merge_key(name)][id(owner)] = owner
    for k, owners in claims.items():
        if k not in groups and len(owners) == 1:
            groups[k] = next(iter(owners.values()))
    for candidate in ordered[len(headings) :]:
        _place(candidate, groups)
    unique = list({id(g): g for g in groups.values()}.values())
    return _join_acronyms(unique)


def _place(candidate: _Candidate, groups: dict[str, _Group]) -> None:
    """Put a candidate into the group that has one of its sure names, joining groups that it links."""
    keys = [merge_key(n) for n in (candidate.names.label, *candidate.names.aliases)]
    found = [groups[k] for k in keys if k in groups]
    group = found[0] if found else _Group()
    for other in found[1:]:
        if other is not group:
            group.candidates += other.candidates
            for k, owner in list(groups.items()):
                if owner is other:
                    groups[k] = group
    group.candidates.append(candidate)
    for k in keys:
        groups[k] = group


def _label(group: _Group) -> str:
    return min(group.candidates, key=lambda c: (c.rank, c.order)).names.label


def _join_acronyms(groups: list[_Group]) -> list[_Group]:
    """A concept called by an acronym joins the one concept whose initials it has."""
    long = [g for g in groups if " " in _label(g)]
    gone: set[int] = set()
    for group in groups:
        short = _label(group)
        if len(short) < 3 or " " in short or not short.isupper():
            continue
        owners = [g for g in long if g is not group and is_initials(short, _label(g))]
        if len(owners) == 1:
            owners[0].candidates += group.candidates
            owners[0].extra.append(short)
            gone.add(id(group))
    return [g for g in groups if id(g) not in gone]


def _add_bracketed_acronyms(groups: list[_Group], notes: Sequence[NoteParts]) -> None:
    """ "Exponentially weighted moving average (EWMA)" in any passage names a concept twice."""
    by_key = {merge_key(n): g for g in groups for c in g.candidates for n in (c.names.label, *c.names.aliases)}
    for note in notes:
        for passage in note.passages:
            if passage.kind in ("code", "output"):
                continue
            for match in _BRACKETED.finditer(passage.text):
                spoken = match["long"].split(" ")
                for n in range(2, len(spoken) + 1):
                    long = " ".join(spoken[-n:])
                    owner = by_key.get(merge_key(long))
                    if owner is not None and is_initials(match["short"], long) and match["short"] not in owner.extra:
                        owner.extra.append(match["short"])


def _final_names(groups: Sequence[_Group]) -> list[tuple[str, tuple[str, ...]]]:
    """Label and aliases of each group; a weak alias counts only where nothing else claims it."""
    sure: dict[str, int] = {}
    for i, group in enumerate(groups):
        for name in (
            _label(group),
            *(n for c in group.candidates for n in (c.names.label, *c.names.aliases)),
            *group.extra,
        ):
            sure.setdefault(merge_key(name), i)
    claims: defaultdict[str, set[int]] = defaultdict(set)
    for i, group in enumerate(groups):
        for candidate in group.candidates:
            for name in candidate.names.weak:
                claims[merge_key(name)].add(i)
    out = []
    for i, group in enumerate(groups):
        label = _label(group)
        names: dict[tuple[str, ...], str] = {}
        for c in sorted(group.candidates, key=lambda c: (c.rank, c.order)):
            for name in (c.names.label, *c.names.aliases):
                if sure[merge_key(name)] == i:
                    names.setdefault(key(name), name)
            for name in c.names.weak:
                if claims[merge_key(name)] == {i} and merge_key(name) not in sure:
                    names.setdefault(key(name), name)
        for name in group.extra:
            names.setdefault(key(name), name)
        names.pop(key(label), None)
        out.append((label, tuple(names.values())))
    return out


def _concept(
    i: int,
    group: _Group,
    names: tuple[str, tuple[str, ...]],
    notes: Sequence[NoteParts],
    owned: dict[int, tuple[NoteParts, Passage]],
) -> Concept:
    ranked = sorted(group.candidates, key=lambda c: (c.rank, c.order))
    passages = tuple(dict.fromkeys(p for c in ranked for p in c.passages))
    defining = [c for c in ranked if c.rank < 3] or ranked
    home = tuple(dict.fromkeys(notes[c.order[0]].name for c in defining))
    summary = next((s for p in passages if (s := _summary(owned[p][1], names))), "")
    return Concept(i, names[0], names[1], home, summary, passages, tuple(_resources(passages, owned)))


def _summary(passage: Passage, names: tuple[str, tuple[str, ...]]) -> str:
    """A passage's defining sentence: its first under the concept's own heading, else the first that names it."""
    keys = {merge_key(n) for n in (names[0], *names[1])}
    head = heading_names(passage.heading_path[-1]) if passage.heading_path else None
    if head is None or merge_key(head.label) in keys or any(merge_key(a) in keys for a in head.aliases):
        return first_sentence(passage.text)
    said = _said(_HEADING_LINE.sub("", _SET_APART.sub("\n\n", passage.text)))
    naming = (s for s in _SENTENCE_END.split(said) if any(k in merge_key(s) for k in keys))
    return next((s.strip()[:SUMMARY_CHARS] for s in naming), "")


def _resources(passages: Sequence[int], owned: dict[int, tuple[NoteParts, Passage]]) -> Iterator[Resource]:
    """Links, images and code blocks that stand in a concept's passages."""
    given = 0
    for p in passages:
        note, passage = owned[p]
        inside = [m for m in note.parsed.marked if m.cell == passage.cell and passage.start <= m.start < passage.end]
        for mark in inside:
            if mark.kind in ("link", "image") and given < MAX_RESOURCES:
                given += 1
                yield Resource(
                    "link" if mark.kind == "link" else "image", mark.text, mark.target, note.name, mark.cell, mark.line
                )
        for block in note.parsed.blocks:
            within = block.cell == passage.cell and passage.start <= block.start < passage.end
            if block.kind == "code" and within and given < MAX_RESOURCES:
                given += 1
                code = note.parsed.text_of(block.cell)[block.start : block.end]
                yield Resource("code", code, block.language, note.name, block.cell, block.line_start)


def _listed(value: object) -> list[str]:
    """Front matter's one name or list of names."""
    if isinstance(value, str):
        return [v.strip() for v in value.split(",") if v.strip()]
    return [str(v).strip() for v in value if str(v).strip()] if isinstance(value, list) else []
