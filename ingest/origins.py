"""Where a store's notes come from: folders and single notes as given, when read, what was wrong.

Kept in a file beside the database, so that reading notes that have not changed makes no new
generation. Where it is lost, the folders that the notes themselves name stand in its place.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter

from ingest.notes.files import find_notes
from ingest.report import Failure
from kg.errors import GradusError
from kg.whole_file import write_whole

__all__ = [
    "Origin",
    "Since",
    "change_origins",
    "origins_of",
    "read_origins",
    "record_read",
    "record_removed",
    "since",
    "taken_out",
]

FILE = "origins.json"
MOST_FAILURES = 500  # of one origin; who has more sees the first
log = logging.getLogger(__name__)
_changing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Origin:
    """A folder or a note, as it was given to an ingest; `path` leads to it without links."""

    path: str
    read: str = ""  # when it was last read, ISO 8601 in UTC; "" where nobody knows
    watched: bool = True
    failed: dict[str, Failure] = field(default_factory=dict)  # by the path of the note
    left_out: dict[str, int] = field(default_factory=dict)  # as in a report
    taken_out: tuple[str, ...] = ()  # notes that lie there and that a person wants left out


@dataclass(frozen=True, slots=True)
class Since:
    """What became of an origin's notes since they were read, by the names of files."""

    changed: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    fault: str = ""  # why it cannot be told, in one line


_ORIGINS = TypeAdapter(tuple[Origin, ...])


def read_origins(folder: Path) -> tuple[Origin, ...]:
    """What is recorded; nothing where there is no record, or none that can be read."""
    try:
        return _ORIGINS.validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", folder / FILE, error)
        return ()


def origins_of(folder: Path, roots: Mapping[str, str]) -> list[tuple[Origin, tuple[str, ...]]]:
    """Every origin with the paths of its notes, both in order.

    Parameters
    ----------
    roots : mapping
        The path of each note of the store, to the folder it was ingested from. Notes of no recorded
        origin are those of that folder.
    """
    recorded = {origin.path: origin for origin in read_origins(folder)}
    found: dict[str, list[str]] = {path: [] for path in recorded}
    for path, root in roots.items():
        home = next((p for p in _upwards(path) if p in recorded), root)
        found.setdefault(home, []).append(path)
    return [
        (recorded.get(path) or Origin(path), tuple(sorted(own)))
        for path, own in sorted(found.items())
    ]


def change_origins(
    folder: Path, change: Callable[[dict[str, Origin]], Iterable[Origin]]
) -> tuple[Origin, ...]:
    """Replace what is recorded by what `change` makes of it, by path; returns what is then so.

    An origin within another is part of that. A record that cannot be written is logged: the notes
    themselves are in the store.
    """
    with _changing:
        made = {o.path: o for o in change({o.path: o for o in read_origins(folder)})}
        kept = [o for o in made.values() if not any(p in made for p in _upwards(o.path)[1:])]
        try:
            rows = [dataclasses.asdict(origin) for origin in kept]
            write_whole(folder / FILE, json.dumps(rows).encode("utf-8", "replace"))
        except OSError as error:
            log.warning("%s cannot be written: %s", folder / FILE, error)
        return tuple(kept)


def record_read(
    folder: Path,
    paths: Sequence[Path],
    failed: Mapping[str, Failure],
    left_out: Callable[[Path], dict[str, int]],
) -> None:
    """Record that these were read now; `failed` by the path of the note."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")

    def change(known: dict[str, Origin]) -> Iterable[Origin]:
        for path in map(str, paths):
            home = next((p for p in _upwards(path) if p in known), path)
            before = known.get(home) or Origin(home)
            if home != path:  # a part of it was read, so the rest is as it was
                wanted = tuple(p for p in before.taken_out if p != path)
                known[home] = dataclasses.replace(before, taken_out=wanted)
                continue
            own = [(note, why) for note, why in failed.items() if path in _upwards(note)]
            known[path] = dataclasses.replace(
                before,
                read=now,
                failed=dict(own[:MOST_FAILURES]),
                left_out=left_out(Path(path)),
                taken_out=tuple(p for p in before.taken_out if p != path and Path(p).exists()),
            )
        return known.values()

    change_origins(folder, change)


def record_removed(folder: Path, path: Path) -> None:
    """Record that a person wants an origin, or one note of it, left out from now on."""
    gone = str(path)

    def change(known: dict[str, Origin]) -> Iterable[Origin]:
        left = [o for p, o in known.items() if gone not in _upwards(p)]
        home = next((p for p in _upwards(gone) if p in known), "")
        for origin in left:
            without = {*origin.taken_out, gone} if origin.path == home else {*origin.taken_out}
            yield dataclasses.replace(origin, taken_out=tuple(sorted(without)))

    change_origins(folder, change)


def taken_out(folder: Path, given: Collection[Path]) -> frozenset[str]:
    """Paths of notes that a person wants left out, but for those that are given by themselves."""
    wanted = {str(path) for path in given}
    return frozenset(p for o in read_origins(folder) for p in o.taken_out) - wanted


def since(origin: Origin, notes: Collection[str], is_as_read: Callable[[str], bool]) -> Since:
    """What changed in an origin on the disk since it was read.

    Parameters
    ----------
    notes : collection of str
        The paths of its notes in the store.
    is_as_read : callable
        Whether a note's file still says what was read; asked only of files touched since.
    """
    path = Path(origin.path)
    try:
        there = {str(n.path) for n in find_notes([path], [path])}
    except GradusError as error:
        return Since(fault=" ".join(str(error).split()))
    new = there - {*notes, *origin.taken_out, *origin.failed}
    touched = [p for p in notes if p in there and _touched(p, origin.read)]
    changed = [p for p in touched if not is_as_read(p)]
    gone = {*notes} - there
    return Since(tuple(sorted(changed)), tuple(sorted(gone)), tuple(sorted(new)))


def _touched(path: str, read: str) -> bool:
    """Whether a file was written or moved there since a time."""
    try:
        stat = Path(path).stat()
        return max(stat.st_mtime, stat.st_ctime) >= datetime.fromisoformat(read).timestamp()
    except (OSError, ValueError):
        return True


def _upwards(path: str) -> list[str]:
    """A path and the folders it lies in, from the nearest on."""
    return [path, *map(str, Path(path).parents)]
