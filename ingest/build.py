"""Ingest: bring a store up to date with folders of notes, or take some out, in one transaction."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import astuple, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from ingest.decisions.read import overrides_of
from ingest.derive import derive
from ingest.notes.files import FoundNote, find_notes, read_note, real_path, unread_kinds
from ingest.notes.kinds import parse_note
from ingest.notes.parsed import ParsedNote, dump, load, storable
from ingest.origins import record_read, record_removed, taken_out
from ingest.passages.cut import cut
from ingest.passages.encode import (
    Progress,
    Reads,
    ToEncode,
    encode_passages,
    name_vectors,
    of_passages,
    wanted_of,
)
from ingest.report import Failure, Report
from ingest.spread import Lost, SpreadEncoder, Workers
from kg.encoder import DEFAULT_ENCODER, check_weights, load_encoder
from kg.errors import GradusError, UnreadableNote
from kg.schema import told
from kg.store import open_store
from kg.types import Passage
from kg.vectors import PassageVectors
from kg.writing import NoteRecord, Writer, writing

__all__ = ["Failure", "Report", "ingest", "take_out"]

Made = TypeVar("Made")
_AT_ONCE = 50_000_000  # letters of notes that workers are given at once


@dataclass(frozen=True, slots=True)
class _Fresh:
    """A new or changed note, taken apart: all that can go wrong with one note lies behind it."""

    record: NoteRecord
    parsed: str  # the parse as the store keeps it
    passages: tuple[ToEncode, ...]


@dataclass(frozen=True, slots=True)
class _Whole:
    """A new or changed note as its file has it."""

    record: NoteRecord
    text: str


@dataclass(frozen=True, slots=True)
class _Changes:
    fresh: tuple[_Fresh, ...]
    gone: tuple[str, ...]  # paths
    renamed: dict[str, tuple[str, str]]  # path of a note of the store -> its new root and name
    added: int
    unchanged: int
    failed: dict[str, Failure]  # by path


def ingest(
    paths: Sequence[Path],
    folder: Path,
    encoder_name: str | None = None,
    progress: Progress | None = None,
    workers: Workers | None = None,
) -> Report:
    """Bring the store in `folder` up to date with the notes at `paths`.

    Unchanged notes (same content hash) are neither parsed nor encoded, nor is a passage that the
    store has anywhere; notes that are gone from the given paths, or cannot be read any more, leave
    the store. With another encoder than the store's, every note of the store is encoded anew; a
    store of an older version is made anew from all its notes. An overrides file that changed takes
    effect whatever the paths, which may be none.

    With `workers` of a cluster these take notes apart and encode; the store comes out the same. A
    note that brings down one worker after another is among the failed ones.

    Raises
    ------
    GradusError
        When a path does not exist or holds no notes, or the store cannot be written; the store is
        then as before.
    """
    begun = time.monotonic()
    say = progress or (lambda what, done, total: None)
    given = [real_path(p) for p in paths]
    unwanted = taken_out(folder, given)
    notes = [n for n in _found(given, folder) if str(n.path) not in unwanted]
    with writing(folder) as writer:
        _refuse_imported(writer)
        name = _whole(encoder_name) or writer.meta.get("encoder") or DEFAULT_ENCODER
        other_encoder = name != writer.meta.get("encoder")
        if other_encoder:
            writer.put_meta("encoder_sha256", check_weights(name))
        changes = _changes(writer, notes, paths, other_encoder, say, workers)
        encoder = cache(lambda: _loaded(name, say, workers))
        passages = [p for f in changes.fresh for p in f.passages]
        known = {} if other_encoder else writer.known(p.source for p in passages)
        new = [p for p in passages if p.source not in known]
        if workers is None:
            encoded = encode_passages(new, encoder(), say) if new else []
        else:
            encoded = _encoded_by(workers, new, name, say)
            missing = {p.source for p in new} - {vectors.source for vectors in encoded}
            changes = _without(writer, changes, missing)
        _write_notes(writer, changes, known | {vectors.source: vectors for vectors in encoded})
        if other_encoder:
            writer.put_meta("encoder", name)
            writer.put_names({})
        changed = bool(changes.fresh or changes.gone or changes.renamed) or other_encoder
        dropped = _derive_anew(writer, changed, encoder, say)
        warnings = _warnings(writer)
    record_read(folder, given, changes.failed, lambda path: unread_kinds([path]))
    report = Report(
        notes=0,
        added=changes.added,
        changed=len(changes.fresh) - changes.added,
        removed=len(changes.gone),
        unchanged=changes.unchanged,
        failed=tuple(changes.failed.values()),
        left_out=unread_kinds(given),
        passages=0,
        encoded=len(encoded),
        concepts=0,
        relations={},
        dropped=dropped,
        warnings=warnings,
        seconds=0.0,
    )
    return _as_it_is(report, folder, begun)


def take_out(path: Path, folder: Path, progress: Progress | None = None) -> Report:
    """Take a note, or all notes of a folder, out of the store; the files stay where they are.

    Later ingests leave out a note taken from a folder, unless it is given by itself.

    Raises
    ------
    GradusError
        When the store is of an older version, or cannot be written; it is then as before.
    """
    begun = time.monotonic()
    say = progress or (lambda what, done, total: None)
    with writing(folder) as writer:
        _refuse_imported(writer)
        with told(folder):
            known = writer.notes()
        gone = [r.path for r in known if _below(Path(r.path), path)]
        if not all(r.sha256 for r in known):  # it was made anew, and has their places alone
            raise GradusError(
                "the store is of an older version; first bring it up to date with: gradus "
                "ingest PATH"
            )
        for note in gone:
            writer.remove_note(note)
        name = writer.meta.get("encoder") or DEFAULT_ENCODER
        dropped = _derive_anew(writer, bool(gone), cache(lambda: _loaded(name, say)), say)
        warnings = _warnings(writer)
    record_removed(folder, path)
    left = len(known) - len(gone)
    report = Report(0, 0, 0, len(gone), left, (), {}, 0, 0, 0, {}, dropped, warnings, 0.0)
    return _as_it_is(report, folder, begun)


def _refuse_imported(writer: Writer) -> None:
    if "imported" in writer.meta:
        raise GradusError(
            f"the store in {writer.folder} holds an imported graph, which an ingest would replace; "
            "ingest into a folder of its own with --store DIR"
        )


def _derive_anew(
    writer: Writer, changed: bool, encoder: Callable[[], Reads], say: Progress
) -> tuple[str, ...]:
    """Derive what follows from all notes, where they or what people decided changed.

    Returns what was dropped to break cycles.
    """
    if not (_take_overrides(writer) or changed):
        return ()
    dropped, warned = derive(
        writer, partial(name_vectors, writer=writer, encoder=encoder, say=say), say
    )
    writer.put_meta("warnings", json.dumps([astuple(w) for w in warned], ensure_ascii=False))
    say("relating concepts", 1, 1)
    return dropped


def _warnings(writer: Writer) -> tuple[Failure, ...]:
    return tuple(Failure(*w) for w in json.loads(writer.meta.get("warnings", "[]")))


def _as_it_is(report: Report, folder: Path, begun: float) -> Report:
    """The report, with how much the store holds now, and the time it took."""
    with contextlib.closing(open_store(folder)) as store:
        store.warm()
        kinds = Counter(r.kind for r in store.relations)
        return replace(
            report,
            notes=len(store.note_names),
            passages=len(store.passages),
            concepts=len(store.concepts),
            relations={kind: kinds[kind] for kind in ("prerequisite", "broader", "related")},
            seconds=round(time.monotonic() - begun, 2),
        )


def _found(paths: Sequence[Path], folder: Path) -> list[FoundNote]:
    """The notes at the paths; a folder whose notes the store holds may have lost them all."""
    try:
        return find_notes(paths)
    except GradusError:
        held: list[Path] = []
        with (
            contextlib.suppress(GradusError),
            contextlib.closing(open_store(folder)) as store,
        ):
            held = [*store.note_paths.values()]
        return find_notes(
            paths, [p for p in paths if any(_below(note, p) for note in held) and p.is_dir()]
        )


def _changes(
    writer: Writer,
    found: Sequence[FoundNote],
    paths: Sequence[Path],
    everything: bool,
    say: Progress,
    workers: Workers | None,
) -> _Changes:
    """Compare the notes found with the store's."""
    with told(writer.folder):
        known = {r.path: r for r in writer.notes()}
        if not all(_below(Path(r.path), Path(r.root)) for r in known.values()):
            raise ValueError("a note lies outside its folder")
    present = {str(n.path) for n in found}
    given = [real_path(p) for p in paths]
    lost = {p for p in known if p not in present and any(_below(Path(p), g) for g in given)}
    # Of an older version's notes the store has the places alone.
    unread = [r for p, r in known.items() if not (r.sha256 or p in present or p in lost)]
    found = [*found, *(FoundNote(Path(r.path), Path(r.root), r.name) for r in unread)]
    names = _names(found, [r for p, r in known.items() if p not in lost])
    renamed = {p: names[p] for p, r in known.items() if p in names and names[p] != (r.root, r.name)}
    fresh: list[_Fresh] = []
    failed: dict[str, Failure] = {}
    added = unchanged = 0
    befores = {} if everything else known
    read = (_read(n.path, *names[str(n.path)], befores.get(str(n.path))) for n in found)
    for note, taken in zip(found, _apart(read, len(found), say, workers), strict=True):
        path = str(note.path)
        if isinstance(taken, Failure):
            failed[path] = taken
        elif taken is None:
            unchanged += 1
        else:
            added += path not in known
            fresh.append(taken)
    gone = [p for p in known if p in lost or p in failed]
    if everything:
        touched = {f.record.path for f in fresh} | set(gone)
        fresh += [_again(writer, r, names[p]) for p, r in known.items() if p not in touched]
    return _Changes(tuple(fresh), tuple(gone), renamed, added, unchanged, failed)


def _read(path: Path, root: str, name: str, before: NoteRecord | None) -> _Whole | Failure | None:
    """A note's file; None while it is as it was before."""

    def read() -> _Whole | None:
        if storable(str(path)) != str(path):
            raise UnreadableNote("the file's name is not UTF-8; rename it")
        text = read_note(path)
        digest = hashlib.sha256(text.encode()).hexdigest()
        same = before is not None and before.sha256 == digest
        return None if same else _Whole(NoteRecord(0, str(path), root, name, digest), text)

    return _or_failure(name, read)


def _apart(
    read: Iterable[_Whole | Failure | None], total: int, say: Progress, workers: Workers | None
) -> Iterator[_Fresh | Failure | None]:
    """The notes that were read, taken apart, here or some at a time by workers."""
    some = list[_Whole | Failure | None]()
    for i, note in enumerate(read, 1):
        if workers is None:
            yield _taken(note) if isinstance(note, _Whole) else note
        else:
            some.append(note)
            if i == total or sum(len(w.text) for w in some if isinstance(w, _Whole)) > _AT_ONCE:
                yield from _taken_by(workers, some)
                some.clear()
        say("reading notes", i, total)


def _taken_by(
    workers: Workers, read: Sequence[_Whole | Failure | None]
) -> Iterator[_Fresh | Failure | None]:
    whole = [note for note in read if isinstance(note, _Whole)]
    letters = [len(note.text) for note in whole]
    taken = iter(workers.notes(_taken, whole, letters))
    for note in read:
        one = next(taken) if isinstance(note, _Whole) else note
        if isinstance(one, Lost):
            assert isinstance(note, _Whole)
            one = _killer(note.record.name)
        yield one


def _taken(note: _Whole) -> _Fresh | Failure:
    """A note taken apart."""

    def taken() -> _Fresh:
        parsed = parse_note(note.text, note.record.name)
        return _fresh(note.record, parsed, cut(parsed, note.record.name))

    return _or_failure(note.record.name, taken)


def _or_failure(name: str, take: Callable[[], Made]) -> Made | Failure:
    """What is made of a note; whatever it does to us or to a library, it costs that note alone."""
    try:
        return take()
    except UnreadableNote as error:
        return Failure(storable(name), error.line, storable(str(error)))
    except Exception as error:  # noqa: BLE001 - the rest of the folder goes in
        return Failure(storable(name), 1, storable(_unforeseen(error)))


def _killer(name: str) -> Failure:
    said = "every program that reads the note crashes, so it is left out"
    return Failure(storable(name), 1, said)


def _fresh(record: NoteRecord, parsed: ParsedNote, passages: Sequence[Passage]) -> _Fresh:
    stored = dump(parsed)
    stored.encode()  # what UTF-8 cannot hold shows here, not when the store is written
    return _Fresh(record, stored, tuple(ToEncode.of(p) for p in passages))


def _unforeseen(error: Exception) -> str:
    """Why a note was not taken in, where nobody has thought of the reason."""
    if isinstance(error, RecursionError):
        return "something in the note is nested too deeply"
    if isinstance(error, MemoryError):
        return "the note needs more memory than there is"
    return f"the note cannot be parsed ({type(error).__name__}: {str(error)[:200]})"


def _whole(encoder_name: str | None) -> str | None:
    """An encoder's name; a folder in full, so that the store finds it again from anywhere."""
    if encoder_name and encoder_name != DEFAULT_ENCODER and Path(encoder_name).is_dir():
        return str(Path(encoder_name).resolve())
    return encoder_name


def _again(writer: Writer, record: NoteRecord, named: tuple[str, str]) -> _Fresh:
    """A note outside the given paths that only needs new vectors."""
    root, name = named
    again = NoteRecord(0, record.path, root, name, record.sha256)
    with told(writer.folder):
        return _fresh(again, load(writer.parsed(record.id)), writer.passages(record.id))


def _below(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents


def _names(found: Sequence[FoundNote], known: Sequence[NoteRecord]) -> dict[str, tuple[str, str]]:
    """Root and name of every note that is found or stays.

    A note is named from the widest folder ever ingested that holds it.

    So a note has one name, whether it arrived with its folder or alone. A name that another note
    has already gets as many of its root's folders in front as it takes; a note that has a name from
    that root keeps it.
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


def _write_notes(
    writer: Writer, changes: _Changes, vectors: Mapping[bytes, PassageVectors]
) -> None:
    """Put new and changed notes with their passages' vectors, by source; take gone ones out."""
    for path in changes.gone:
        writer.remove_note(path)
    writer.rename_notes(changes.renamed)
    for fresh in changes.fresh:
        own = [vectors[p.source] for p in fresh.passages]
        writer.put_note(fresh.record, fresh.parsed, [p.passage for p in fresh.passages], own)


def _encoded_by(
    workers: Workers, passages: Sequence[ToEncode], encoder: str, say: Progress
) -> list[PassageVectors]:
    """The vectors of the passages none of whose texts brings down its worker."""
    wanted = wanted_of(passages)
    texts = workers.texts(wanted, encoder, partial(say, "encoding"))
    read = {
        text: one for (text, _), one in zip(wanted, texts, strict=True) if not isinstance(one, Lost)
    }
    return of_passages([p for p in passages if all(text in read for text in p.texts)], read)


def _without(writer: Writer, changes: _Changes, missing: Set[bytes]) -> _Changes:
    """The changes without the notes that have passages of these sources, which are failed ones."""
    lost = [f for f in changes.fresh if any(p.source in missing for p in f.passages)]
    held = {record.path for record in writer.notes()}
    paths = {f.record.path for f in lost}
    return replace(
        changes,
        fresh=tuple(f for f in changes.fresh if f.record.path not in paths),
        gone=(*changes.gone, *sorted(paths & held)),
        added=changes.added - len(paths - held),
        failed=changes.failed | {f.record.path: _killer(f.record.name) for f in lost},
    )


def _loaded(name: str, say: Progress, workers: Workers | None = None) -> Reads:
    if workers is not None:
        return SpreadEncoder(name, workers)
    say("loading the encoder", 0, 1)
    encoder = load_encoder(name)
    say("loading the encoder", 1, 1)
    return encoder


def _take_overrides(writer: Writer) -> bool:
    """Put what people decide now into the store; returns whether it is anything new."""
    before = writer.meta.get("overrides", "")
    now = overrides_of([(r.root, r.path) for r in writer.notes()], before)
    if now != before:
        writer.put_meta("overrides", now)
    return now != before
