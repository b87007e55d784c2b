"""What an ingest changes in a store: the notes found, beside those that it holds."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from ingest.notes.files import FoundNote, read_note, real_path
from ingest.notes.kinds import parse_note
from ingest.notes.parsed import ParsedNote, dump, load, storable
from ingest.passages.cut import cut
from ingest.passages.encode import Progress, ToEncode
from ingest.report import Failure
from ingest.spread import Lost, Workers
from kg.errors import UnreadableNote
from kg.schema import told
from kg.types import Passage
from kg.writing import NoteRecord, Writer

__all__ = ["Changes", "Fresh", "changes_of", "lies_below", "without"]

Made = TypeVar("Made")
_AT_ONCE = 50_000_000  # letters of notes that workers are given at once


@dataclass(frozen=True, slots=True)
class Fresh:
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
class Changes:
    """What an ingest puts into the store, takes out, and could not read."""

    fresh: tuple[Fresh, ...]
    gone: tuple[str, ...]  # paths
    renamed: dict[str, tuple[str, str]]  # path of a note of the store -> its new root and name
    added: int
    unchanged: int
    failed: dict[str, Failure]  # by path


def changes_of(
    writer: Writer,
    found: Sequence[FoundNote],
    paths: Sequence[Path],
    everything: bool,
    say: Progress,
    workers: Workers | None,
) -> Changes:
    """Compare the notes found with the store's."""
    with told(writer.folder):
        known = {r.path: r for r in writer.notes()}
        if not all(lies_below(Path(r.path), Path(r.root)) for r in known.values()):
            raise ValueError("a note lies outside its folder")
    present = {str(n.path) for n in found}
    given = [real_path(p) for p in paths]
    lost = {p for p in known if p not in present and any(lies_below(Path(p), g) for g in given)}
    # Of an older version's notes the store has the places alone.
    unread = [r for p, r in known.items() if not (r.sha256 or p in present or p in lost)]
    found = [*found, *(FoundNote(Path(r.path), Path(r.root), r.name) for r in unread)]
    names = _names(found, [r for p, r in known.items() if p not in lost])
    renamed = {p: names[p] for p, r in known.items() if p in names and names[p] != (r.root, r.name)}
    fresh: list[Fresh] = []
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
    return Changes(tuple(fresh), tuple(gone), renamed, added, unchanged, failed)


def without(writer: Writer, changes: Changes, missing: Set[bytes]) -> Changes:
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
) -> Iterator[Fresh | Failure | None]:
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
) -> Iterator[Fresh | Failure | None]:
    whole = [note for note in read if isinstance(note, _Whole)]
    letters = [len(note.text) for note in whole]
    taken = iter(workers.notes(_taken, whole, letters))
    for note in read:
        one = next(taken) if isinstance(note, _Whole) else note
        if isinstance(one, Lost):
            assert isinstance(note, _Whole)
            one = _killer(note.record.name)
        yield one


def _taken(note: _Whole) -> Fresh | Failure:
    """A note taken apart."""

    def taken() -> Fresh:
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


def _unforeseen(error: Exception) -> str:
    """Why a note was not taken in, where nobody has thought of the reason."""
    if isinstance(error, RecursionError):
        return "something in the note is nested too deeply"
    if isinstance(error, MemoryError):
        return "the note needs more memory than there is"
    return f"the note cannot be parsed ({type(error).__name__}: {str(error)[:200]})"


def _fresh(record: NoteRecord, parsed: ParsedNote, passages: Sequence[Passage]) -> Fresh:
    stored = dump(parsed)
    stored.encode()  # what UTF-8 cannot hold shows here, not when the store is written
    return Fresh(record, stored, tuple(ToEncode.of(p) for p in passages))


def _again(writer: Writer, record: NoteRecord, named: tuple[str, str]) -> Fresh:
    """A note outside the given paths that only needs new vectors."""
    root, name = named
    again = NoteRecord(0, record.path, root, name, record.sha256)
    with told(writer.folder):
        return _fresh(again, load(writer.parsed(record.id)), writer.passages(record.id))


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


def lies_below(path: Path, folder: Path) -> bool:
    """Whether a path is a folder, or in it."""
    return path == folder or folder in path.parents
