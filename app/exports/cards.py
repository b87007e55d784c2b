"""A Markdown card for each concept, linked to the others, that Gradus can ingest again."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import yaml

from app.exports.markdown_text import escaped
from app.exports.selection import PREREQUISITES, Choice, Selection, one_line, selected, shown
from app.place import place
from app.wording import shortened
from ingest.names.labels import merge_key
from kg.store import Store
from kg.types import Concept, Evidence, Relation, RelationKind

__all__ = ["MARK", "cards", "file_stems"]

MARK = "---\ngradus: card\n"  # how a card begins; a file that does not is not ours to write over
# Of a file's name; 255 bytes are the most, and a folder's sync may add to it.
STEM_CHARS, STEM_BYTES = 100, 180
PLACES_SHOWN = 5
QUOTE_CHARS = 160
# To Windows, to Obsidian's links, and in addresses; what joins or marks letters becomes a dash, the
# rest a space.
_JOINING, _UNSAFE = re.compile(r"[:/\\|?*#^%]+"), re.compile(r"[<>\"\[\]]+")
# Windows' devices.
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.I)
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_EMBEDDED = re.compile(r"!(?=\[)")
_BLOCK = re.compile(r"^(#|>|[-+*](?=\s)|={2,}|-{2,}|`{3}|~{3}|\||\d{1,9}(?=[.)]\s))")


def cards(store: Store, choice: Choice = PREREQUISITES) -> dict[str, str]:
    """The cards of a part of the graph, text by file name.

    The front matter states a concept's aliases and prerequisites; an ingest of the cards takes them
    from there.
    """
    chosen = selected(store, choice)
    stems = dict(zip(chosen.ids, file_stems(chosen.concepts, chosen), strict=True))
    before: dict[int, list[Relation]] = {c.id: [] for c in chosen.concepts}
    after: dict[int, list[Relation]] = {c.id: [] for c in chosen.concepts}
    for r in chosen.relations:
        if r.kept:
            before[r.target].append(r)
            after[r.source].append(r)
    labels = {c.id: shown(c, chosen) for c in chosen.concepts}
    owners = _owners(chosen.concepts)
    out = {}
    for c in chosen.concepts:
        # A name that two concepts share would make one of them in an ingest.
        names = [one_line(a) for a in c.aliases if owners[merge_key(a)] == {c.id}]
        if c.id not in owners.get(merge_key(stems[c.id]), ()):
            names.append(stems[c.id])
        first = [stems[r.source] for r in before[c.id] if r.kind == "prerequisite"]
        head = _front_matter([n for n in names if n], first)
        out[f"{stems[c.id]}.md"] = head + _body(c, labels, stems, before[c.id], after[c.id], chosen)
    return out


def _front_matter(aliases: list[str], first: list[str]) -> str:
    stated = {"aliases": aliases, "prerequisites": [f"[[{stem}]]" for stem in first]}
    dumped = yaml.safe_dump(stated, allow_unicode=True, sort_keys=False, width=10_000)
    return f"{MARK}{dumped}---\n"


def file_stems(concepts: Sequence[Concept], chosen: Selection) -> list[str]:
    """A name for each concept's file, without its suffix, safe on any system and in a wikilink.

    No two differ in case or accents' composition alone, and none is what an ingest takes for
    another concept's name.
    """
    owners = _owners(concepts)
    taken: set[str] = set()
    out = []
    for c in concepts:
        plain = _stem(shown(c, chosen)) or chosen.ids[c.id]
        stem, n = plain, 1
        while _same(stem) in taken or c.id not in owners.get(merge_key(stem), {c.id}):
            n += 1
            stem = f"{plain} {n}"
        taken.add(_same(stem))
        owners.setdefault(merge_key(stem), {c.id})
        out.append(stem)
    return out


def _owners(concepts: Iterable[Concept]) -> dict[str, set[int]]:
    """Whose each name is, as an ingest compares names."""
    owners: dict[str, set[int]] = {}
    for c in concepts:
        for name in (c.label, *c.aliases):
            owners.setdefault(merge_key(name), set()).add(c.id)
    return owners


def _stem(label: str) -> str:
    composed = unicodedata.normalize("NFC", label)
    kept = "".join(c for c in composed if not unicodedata.category(c).startswith("C"))
    stem = " ".join(_UNSAFE.sub(" ", _JOINING.sub("-", kept)).split())[:STEM_CHARS]
    stem = stem.encode()[:STEM_BYTES].decode(errors="ignore").strip(" .~_-")
    return f"the {stem}" if _RESERVED.fullmatch(stem) else stem


def _same(stem: str) -> str:
    return unicodedata.normalize("NFKC", stem).casefold()


def _body(
    concept: Concept,
    labels: dict[int, str],
    stems: dict[int, str],
    before: Sequence[Relation],
    after: Sequence[Relation],
    chosen: Selection,
) -> str:
    def link(c: int) -> str:
        return f"[[{stems[c]}]]" if stems[c] == labels[c] else f"[[{stems[c]}|{_alias(labels[c])}]]"

    def sources(kind: RelationKind) -> list[str]:
        return [link(r.source) for r in before if r.kind == kind]

    def targets(kind: RelationKind) -> list[str]:
        return [link(r.target) for r in after if r.kind == kind]

    reasons = [_reason(r.evidence) for r in before if r.kind == "prerequisite"]
    parts = [f"# {escaped(labels[concept.id])}", _tame(one_line(concept.summary))]
    parts.append(_box("Know first", map(str.__add__, sources("prerequisite"), reasons)))
    parts.append(_box("Needed by", targets("prerequisite")))
    parts.append(_box("Part of", sources("broader")))
    parts.append(_box("Contains", targets("broader")))
    parts.append(_box("Related", [*sources("related"), *targets("related")]))
    places = chosen.places[concept.id]
    more = [f"and {len(places) - PLACES_SHOWN} more"] if len(places) > PLACES_SHOWN else []
    told = [escaped(place(lines)) for lines in places[:PLACES_SHOWN]]
    parts.append(_box("In the notes", [*told, *more]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _box(title: str, lines: Iterable[str]) -> str:
    """An Obsidian callout, elsewhere a quote; no reader takes it for a concept."""
    listed = "".join(f"\n> - {line}" for line in lines)
    return f"> [!info] {title}{listed}" if listed else ""


def _alias(label: str) -> str:
    """A label as a wikilink shows it, without what would end the link or make a tag."""
    return " ".join(re.sub(r"[\[\]|<>]+", " ", label).split())


def _reason(evidence: Sequence[Evidence]) -> str:
    if not evidence:
        return ""
    first = evidence[0]
    quote = shortened(one_line(first.quote), QUOTE_CHARS)
    quoted = f" “{escaped(quote)}”" if quote else ""
    return f" —{quoted} ({escaped(place(first))})"


def _tame(summary: str) -> str:
    """A sentence of the notes that begins no block, fetches no picture and holds no tag."""
    safe = _EMBEDDED.sub(r"\\!", _TAG.sub(r"\\<", summary))
    return _BLOCK.sub(lambda m: f"{m[1]}\\" if m[1].isdecimal() else f"\\{m[1]}", safe)
