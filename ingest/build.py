"""Ingest: bring a store up to date with folders of notes, in one transaction."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.candidates import NoteParts
from ingest.concepts import concepts_as_decided, find_mentions
from ingest.files import FoundNote, find_notes, read_note
from ingest.named import NameTable
from ingest.overrides import decided_edges, decisions_in, overrides_of
from ingest.parsed import ParsedNote, dump, load
from ingest.parsing import parse_note
from ingest.passages import cut
from ingest.plain import plain
from ingest.relations import relate
from ingest.report import Failure, Report
from ingest.windows import vector_texts
from kg.encoder import DEFAULT_ENCODER, Encoder, check_weights, load_encoder
from kg.errors import GradusError, UnreadableNote
from kg.linking import STOP_WORDS
from kg.store import open_store
from kg.types import Concept, Passage
from kg.vectors import in_bytes
from kg.writing import NoteRecord, Writer, writing

__all__ = ["Failure", "Report", "ingest"]

Progress = Callable[[str, int, int], None]  # what, done, total
SLAB = 1024  # texts whose words' vectors are held in full at once: about 100 MB


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A new or changed note, parsed."""

    record: NoteRecord
    parsed: ParsedNote
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class _Changes:
    fresh: tuple[_Fresh, ...]
    gone: tuple[str, ...]  # paths
    renamed: dict[str, tuple[str, str]]  # path of a note of the store -> its new root and name
    added: int
    unchanged: int
    failed: tuple[Failure, ...]


def ingest(
    paths: Sequence[Path], folder: Path, encoder_name: str | None = None, progress: Progress | None = None
) -> Report:
    """Bring the store in `folder` up to date with the notes at `paths`.

    Unchanged notes (same content hash) are neither parsed nor encoded; notes that are gone from the given paths, or
    cannot be read any more, leave the store. With another encoder than the store's, every note of the store is
    encoded anew. An overrides file that changed takes effect whatever the paths, which may be none.

    Raises
    ------
    GradusError
        When a path does not exist or holds no notes, or the store cannot be written; the store is then as before.
    """
    begun = time.monotonic()
    say = progress or (lambda what, done, total: None)
    found = _found([p.resolve() for p in paths], folder)
    with writing(folder) as writer:
        if "imported" in writer.meta:
            raise GradusError(
                f"the store in {folder} holds an imported graph, which an ingest would replace; "
                "ingest into a folder of its own with --store DIR"
            )
        name = _whole(encoder_name) or writer.meta.get("encoder") or DEFAULT_ENCODER
        other_encoder = name != writer.meta.get("encoder")
        if other_encoder:
            writer.put_meta("encoder_sha256", check_weights(name))
        changes = _changes(writer, found, paths, other_encoder, say)
        encoded = _write_notes(writer, changes, name, say)
        if other_encoder:
            writer.put_meta("encoder", name)
        dropped: tuple[str, ...] = ()
        decided_anew = _take_overrides(writer)
        if changes.fresh or changes.gone or changes.renamed or other_encoder or decided_anew:
            say("relating concepts", 0, 1)
            dropped, warned = _derive(writer)
            writer.put_meta("warnings", json.dumps([astuple(w) for w in warned], ensure_ascii=False))
            say("relating concepts", 1, 1)
        warnings = tuple(Failure(*w) for w in json.loads(writer.meta.get("warnings", "[]")))
    store = open_store(folder)
    try:
        store.warm()
        kinds = Counter(r.kind for r in store.relations if r.kept)
        return Report(
            notes=len(store.note_names),
            added=changes.added,
            changed=len(changes.fresh) - changes.added,
            removed=len(changes.gone),
            unchanged=changes.unchanged,
            failed=changes.failed,
            passages=len(store.passages),
            encoded=encoded,
            concepts=len(store.concepts),
            relations={kind: kinds[kind] for kind in ("prerequisite", "broader", "related")},
            dropped=dropped,
            warnings=warnings,
            seconds=round(time.monotonic() - begun, 2),
        )
    finally:
        store.close()


def _found(paths: Sequence[Path], folder: Path) -> list[FoundNote]:
    """The notes at the paths; a folder whose notes the store holds may have lost them all."""
    try:
        return find_notes(paths)
    except GradusError:
        try:
            store = open_store(folder)
        except GradusError:
            held: list[Path] = []
        else:
            held = list(store.note_paths.values())
            store.close()
        return find_notes(paths, [p for p in paths if p.is_dir() and any(_below(note, p) for note in held)])


def _changes(
    writer: Writer, found: Sequence[FoundNote], paths: Sequence[Path], everything: bool, say: Progress
) -> _Changes:
    """Compare the notes found with the store's."""
    known = {r.path: r for r in writer.notes()}
    present = {str(n.path) for n in found}
    given = [p.resolve() for p in paths]
    lost = {p for p in known if p not in present and any(_below(Path(p), g) for g in given)}
    names = _names(found, [r for p, r in known.items() if p not in lost])
    renamed = {p: names[p] for p, r in known.items() if p in names and names[p] != (r.root, r.name)}
    fresh: list[_Fresh] = []
    failed: list[Failure] = []
    added = unchanged = 0
    broken: set[str] = set()
    for i, note in enumerate(found):
        say("reading notes", i + 1, len(found))
        path = str(note.path)
        root, name = names[path]
        before = known.get(path)
        try:
            text = read_note(note.path)
            digest = hashlib.sha256(text.encode()).hexdigest()
            if before and not everything and before.sha256 == digest:
                unchanged += 1
                continue
            parsed = parse_note(text, name)
        except UnreadableNote as error:
            failed.append(Failure(name, error.line, str(error)))
            broken.add(path)
            continue
        added += before is None
        fresh.append(_Fresh(NoteRecord(0, path, root, name, digest), parsed, cut(parsed, name)))
    gone = [p for p in known if p in lost or p in broken]
    if everything:
        touched = {f.record.path for f in fresh} | set(gone)
        fresh += [_again(writer, r, names[p]) for p, r in known.items() if p not in touched]
    return _Changes(tuple(fresh), tuple(gone), renamed, added, unchanged, tuple(failed))


def _whole(encoder_name: str | None) -> str | None:
    """An encoder's name; a folder in full, so that the store finds it again from anywhere."""
    if encoder_name and encoder_name != DEFAULT_ENCODER and Path(encoder_name).is_dir():
        return str(Path(encoder_name).resolve())
    return encoder_name


def _again(writer: Writer, record: NoteRecord, named: tuple[str, str]) -> _Fresh:
    """A note outside the given paths that only needs new vectors."""
    root, name = named
    again = NoteRecord(0, record.path, root, name, record.sha256)
    return _Fresh(again, load(writer.parsed(record.id)), tuple(writer.passages(record.id)))


def _below(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _names(found: Sequence[FoundNote], known: Sequence[NoteRecord]) -> dict[str, tuple[str, str]]:
    """Root and name of every note that is found or stays: named from the widest folder ever ingested that holds it.

    So a note has one name, whether it arrived with its folder or alone. A name that another note has already gets as
    many of its root's folders in front as it takes; a note that has a name from that root keeps it.
    """
    roots = sorted({r.root for r in known} | {str(n.root) for n in found}, key=len)
    paths = [r.path for r in known] + [str(n.path) for n in found]
    widest = {p: next(r for r in roots if Path(r) in Path(p).parents) for p in paths}
    out = {r.path: (r.root, r.name) for r in known if r.root == widest[r.path]}
    taken = {name for _, name in out.values()}
    for path, root in widest.items():
        if path not in out:
            name = _free_name(Path(path).relative_to(root).as_posix(), Path(root), taken)
            taken.add(name)
            out[path] = (root, name)
    return out


def _free_name(name: str, root: Path, taken: set[str]) -> str:
    folders = root.parts[1:]
    longer = ("/".join((*folders[-depth:], name)) for depth in range(1, len(folders) + 1))
    return next(n for n in (name, *longer) if n not in taken)


def _write_notes(writer: Writer, changes: _Changes, encoder_name: str, say: Progress) -> int:
    """Put new and changed notes with their vectors, take gone ones out; returns how many passages were encoded."""
    for path in changes.gone:
        writer.remove_note(path)
    writer.rename_notes(changes.renamed)
    texts = [vector_texts(p) for f in changes.fresh for p in f.passages]
    flat = [t for parts in texts for t in parts]
    encoded = _encode(flat, encoder_name, say) if flat else {}
    i = 0
    for fresh in changes.fresh:
        own = texts[i : i + len(fresh.passages)]
        i += len(fresh.passages)
        writer.put_note(
            fresh.record,
            dump(fresh.parsed),
            fresh.passages,
            [[encoded[text][0] for text in parts] for parts in own],
            [np.concatenate([encoded[text][1] for text in parts]) for parts in own],
        )
    return len(texts)


def _encode(
    texts: Sequence[str], name: str, say: Progress
) -> dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]]:
    """The vector of each text, shape (d,), and in bytes those of its words, shape (t, d), without stop words.

    A text that stands in several places is encoded once.
    """
    say("loading the encoder", 0, 1)
    encoder: Encoder = load_encoder(name)
    say("loading the encoder", 1, 1)
    once = list(dict.fromkeys(texts))
    out: dict[str, tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]] = {}
    for first in range(0, len(once), SLAB):
        slab = once[first : first + SLAB]
        vectors, words = encoder.encode_words(slab, partial(_after, say, first, len(once)))
        for text, vector, read in zip(slab, vectors, words, strict=True):
            out[text] = (vector, in_bytes(read.vectors[[_tells(text[start:end]) for start, end in read.spans]]))
    return out


def _after(say: Progress, before: int, total: int, done: int, _: int) -> None:
    """Tell the progress of one slab as progress of all."""
    say("encoding", before + done, total)


def _tells(piece: str) -> bool:
    """Whether a piece of a word is worth keeping for search."""
    return any(c.isalnum() for c in piece) and piece.casefold() not in STOP_WORDS


def _take_overrides(writer: Writer) -> bool:
    """Put what people decide now into the store; returns whether it is anything new."""
    before = writer.meta.get("overrides", "")
    now = overrides_of([(r.root, r.path) for r in writer.notes()], before)
    if now != before:
        writer.put_meta("overrides", now)
    return now != before


def _derive(writer: Writer) -> tuple[tuple[str, ...], tuple[Failure, ...]]:
    """Everything that depends on all notes together; returns what was dropped to break cycles, and warnings."""
    records = sorted(writer.notes(), key=lambda r: (_natural(r.name), r.name))
    notes, passages, vectors = _gather(writer, records)
    decisions, unread = decisions_in(writer.meta.get("overrides", ""))
    concepts, unfound = concepts_as_decided(notes, decisions)
    mentions = list(find_mentions(concepts, passages))
    decided, unnamed = decided_edges(decisions, NameTable.of([(c.label, c.aliases) for c in concepts]))
    related = relate(concepts, mentions, notes, vectors, decided)
    writer.put_derived([r.name for r in records], concepts, mentions, related.relations, _full_text(concepts, passages))
    dropped = tuple(
        f"'{concepts[r.source].label}' before '{concepts[r.target].label}' (score {r.score:.2f}) would close a cycle"
        for r in related.dropped
    )
    warnings = (*unread, *unfound, *unnamed, *related.warnings)
    return dropped, tuple(sorted(warnings, key=lambda w: (w.note, w.line)))


def _gather(
    writer: Writer, records: Sequence[NoteRecord]
) -> tuple[list[NoteParts], list[Passage], npt.NDArray[np.float32]]:
    """All notes with passages numbered over all of them, and one unit vector a passage, shape (passages, d)."""
    notes: list[NoteParts] = []
    passages: list[Passage] = []
    rows: list[npt.NDArray[np.float32]] = []
    for record in records:
        first = len(passages)
        own = [_renumbered(p, first + p.id) for p in writer.passages(record.id)]
        passages += own
        notes.append(NoteParts(record.name, load(writer.parsed(record.id)), tuple(own)))
        parts: dict[int, list[npt.NDArray[np.float32]]] = {}
        for seq, vector in writer.vectors(record.id):
            parts.setdefault(seq, []).append(vector)
        for i in range(len(own)):
            mean = np.mean(parts[i], axis=0)
            rows.append(mean / max(float(np.linalg.norm(mean)), 1e-9))
    return notes, passages, np.stack(rows) if rows else np.zeros((0, 1), dtype=np.float32)


def _renumbered(p: Passage, number: int) -> Passage:
    return Passage(
        number, p.note, p.cell, p.start, p.end, p.line_start, p.line_end, p.heading_path, p.text, p.kind
    )  # fmt: skip


def _full_text(concepts: Sequence[Concept], passages: Sequence[Passage]) -> list[tuple[int, str, str, str]]:
    names: dict[int, list[str]] = {}
    for concept in concepts:
        for p in concept.passages:
            names.setdefault(p, []).extend((concept.label, *concept.aliases))
    return [
        (p.id, " ".join(p.heading_path), p.text if p.kind == "code" else plain(p.text), " ".join(names.get(p.id, ())))
        for p in passages
    ]


def _natural(name: str) -> list[tuple[int, int | str]]:
    """Order of names in which "2-b.md" stands before "10-a.md"."""
    return [(0, int(part)) if part.isdecimal() else (1, part.casefold()) for part in re.split(r"(\d+)", name) if part]
