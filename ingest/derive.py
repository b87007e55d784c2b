"""What is derived from all notes of a store together: concepts, mentions and relations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ingest.concepts.candidates import NoteParts
from ingest.concepts.find import concepts_as_decided
from ingest.concepts.links import mentions_of
from ingest.decisions.read import decided_edges, decisions_in
from ingest.names.table import NameTable
from ingest.notes.parsed import load
from ingest.notes.plain_text import plain
from ingest.passages.encode import Progress
from ingest.relations.gists import NameVectors, read_gists
from ingest.relations.relate import relate
from ingest.report import Failure
from kg.encoder import DEFAULT_ENCODER, load_encoder
from kg.linking import spaced
from kg.schema import told
from kg.types import Concept, Passage
from kg.vectors import WordVectors, one_thread
from kg.writing import NoteRecord, Writer

__all__ = ["Sources", "derive", "read_sources"]


@dataclass(frozen=True, slots=True)
class Sources:
    """All notes of a store, in the order of their names; passages count over all of them."""

    notes: tuple[NoteParts, ...]
    passages: tuple[Passage, ...]
    vectors: npt.NDArray[np.float32]  # (passages, d): one unit vector a passage
    # The vectors of a passage's words, as `kg.vectors.in_bits` made them.
    words: Callable[[int], bytes]


def derive(
    writer: Writer, name_vectors: NameVectors, say: Progress
) -> tuple[tuple[str, ...], tuple[Failure, ...]]:
    """Write it all anew.

    Returns what was dropped to break cycles, as sentences, and warnings by note and line.
    """
    say("finding concepts", 0, 1)
    sources = read_sources(writer)
    decisions, unread = decisions_in(writer.meta.get("overrides", ""))
    names = _Names(name_vectors)
    shared = writer.meta["encoder"] == DEFAULT_ENCODER
    vectors = names.vectors if shared else load_encoder().encode
    concepts, unfound = concepts_as_decided(sources.notes, decisions, vectors)
    say("finding concepts", len(concepts), len(concepts))
    mentions = mentions_of(concepts, sources.notes)
    decided, unnamed = decided_edges(
        decisions, NameTable.of([(c.label, c.aliases) for c in concepts])
    )
    gists = read_gists(concepts, sources.passages, sources.vectors, sources.words, names.of)
    say("relating concepts", 0, 1)
    with one_thread():
        related = relate(concepts, mentions, sources.notes, gists, decided)
    order = [note.name for note in sources.notes]
    writer.put_derived(
        order,
        concepts,
        mentions,
        related.relations,
        _full_text(concepts, sources.passages),
        related.unlikely,
    )
    dropped = tuple(
        f"'{concepts[r.source].label}' before '{concepts[r.target].label}' (score {r.score:.2f}) "
        "would close a cycle"
        for r in related.dropped
    )
    left_out = (Failure(n.name, p.line, p.why) for n in sources.notes for p in n.parsed.left_out)
    warnings = (*unread, *unfound, *unnamed, *related.warnings, *left_out)
    return dropped, tuple(sorted(warnings, key=lambda w: (w.note, w.line)))


@dataclass(slots=True)
class _Names:
    """Vectors of names that are asked for in turn; the store keeps those of all."""

    vectors_of: NameVectors
    known: Mapping[str, tuple[npt.NDArray[np.float32], WordVectors]] = field(default_factory=dict)

    def of(self, names: Sequence[str]) -> Mapping[str, tuple[npt.NDArray[np.float32], WordVectors]]:
        if not self.known.keys() >= set(names):
            self.known = self.vectors_of(list(dict.fromkeys((*self.known, *names))))
        return self.known

    def vectors(self, names: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, shape (n, d)."""
        known = self.of(names)
        return np.stack([known[name][0] for name in names])


def read_sources(writer: Writer) -> Sources:
    """Gather them from the store.

    Raises
    ------
    StoreVersion
        When the store is damaged.
    """
    with told(writer.folder):
        return _read_sources(writer)


def _read_sources(writer: Writer) -> Sources:
    notes: list[NoteParts] = []
    passages: list[Passage] = []
    rows: list[npt.NDArray[np.float32]] = []
    positions: list[tuple[int, int]] = []  # (note's id, position in the note) of each passage
    for record in sorted(writer.notes(), key=lambda r: (_natural(r.name), r.name)):
        own = writer.passages(record.id, len(passages))
        passages += own
        positions += [(record.id, seq) for seq in range(len(own))]
        notes.append(NoteParts(record.name, load(writer.parsed(record.id)), tuple(own)))
        rows += _vectors(writer, record, len(own))
    vectors = np.stack(rows) if rows else np.zeros((0, 1), dtype=np.float32)
    return Sources(tuple(notes), tuple(passages), vectors, lambda p: writer.words(*positions[p]))


def _vectors(writer: Writer, record: NoteRecord, n: int) -> list[npt.NDArray[np.float32]]:
    """One unit vector for each of a note's n passages: the mean of its windows'."""
    parts: dict[int, list[npt.NDArray[np.float32]]] = {}
    for seq, vector in writer.vectors(record.id):
        parts.setdefault(seq, []).append(vector)
    means = [np.mean(parts[i], axis=0) for i in range(n)]
    return [mean / max(float(np.linalg.norm(mean)), 1e-9) for mean in means]


def _full_text(
    concepts: Sequence[Concept], passages: Sequence[Passage]
) -> list[tuple[int, str, str, str]]:
    names: dict[int, list[str]] = {}
    for concept in concepts:
        for p in concept.passages:
            names.setdefault(p, []).extend((concept.label, *concept.aliases))
    return [
        (
            p.id,
            spaced(" ".join(p.heading_path)),
            spaced(p.text if p.kind == "code" else plain(p.text)),
            spaced(" ".join(names.get(p.id, ()))),
        )
        for p in passages
    ]


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Order of names in which "2-b.md" stands before "10-a.md"."""
    return [
        (0, int(part)) if part.isdecimal() else (1, part.casefold())
        for part in re.split(r"(\d+)", name)
        if part
    ]
