"""Ingest: bring a store up to date with folders of notes, or take some out, in one transaction."""

from __future__ import annotations

import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, replace
from functools import cache, partial
from pathlib import Path

from ingest.changes import Changes, changes_of, lies_below, without
from ingest.decisions.read import overrides_of
from ingest.derive import derive
from ingest.notes.files import FoundNote, find_notes, real_path, unread_kinds
from ingest.origins import record_read, record_removed, taken_out
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
from kg.errors import GradusError
from kg.schema import told
from kg.store import open_store
from kg.vectors import PassageVectors
from kg.writing import Writer, writing

__all__ = ["Failure", "Report", "ingest", "take_out"]


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
        changes = changes_of(writer, notes, paths, other_encoder, say, workers)
        encoder = cache(lambda: _loaded(name, say, workers))
        passages = [p for f in changes.fresh for p in f.passages]
        known = {} if other_encoder else writer.known(p.source for p in passages)
        new = [p for p in passages if p.source not in known]
        if workers is None:
            encoded = encode_passages(new, encoder(), say) if new else []
        else:
            encoded = _encoded_by(workers, new, name, say)
            missing = {p.source for p in new} - {vectors.source for vectors in encoded}
            changes = without(writer, changes, missing)
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
        gone = [r.path for r in known if lies_below(Path(r.path), path)]
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
            paths, [p for p in paths if any(lies_below(note, p) for note in held) and p.is_dir()]
        )


def _whole(encoder_name: str | None) -> str | None:
    """An encoder's name; a folder in full, so that the store finds it again from anywhere."""
    if encoder_name and encoder_name != DEFAULT_ENCODER and Path(encoder_name).is_dir():
        return str(Path(encoder_name).resolve())
    return encoder_name


def _write_notes(writer: Writer, changes: Changes, vectors: Mapping[bytes, PassageVectors]) -> None:
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


def _loaded(name: str, say: Progress, workers: Workers | None = None) -> Reads:
    if workers is not None:
        return SpreadEncoder(name, workers)
    say("loading the model that reads them", 0, 1)
    encoder = load_encoder(name)
    say("loading the model that reads them", 1, 1)
    return encoder


def _take_overrides(writer: Writer) -> bool:
    """Put what people decide now into the store; returns whether it is anything new."""
    before = writer.meta.get("overrides", "")
    now = overrides_of([(r.root, r.path) for r in writer.notes()], before)
    if now != before:
        writer.put_meta("overrides", now)
    return now != before
