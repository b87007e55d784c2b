"""Tell which folders of notes were edited, as it happens.

What editors leave beside a note while they save, hidden files and files of other kinds are no
edits. A note is told of once its folder has been quiet for a moment, so that one that is written in
several steps is not read half.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from ingest.decisions.read import FILE
from ingest.notes.files import IGNORE_FILE, is_left_out
from ingest.notes.kinds import READERS

__all__ = ["follow", "watch"]

QUIET_MS = 250  # an editor's steps of one save are closer together
MOST_MS = 1000  # even a folder that is never quiet is told of after so long
LOOK_MS = 5000  # how often it is looked whether a folder that was away is back
log = logging.getLogger(__name__)


def watch(
    paths: Collection[Path], tell: Callable[[set[Path]], None], stop: threading.Event
) -> tuple[threading.Thread, ...]:
    """Watch folders and notes in the background until `stop` is set.

    Parameters
    ----------
    paths : collection of Path
        Without links in them. One that is away is watched once it is there.
    tell : callable
        Is given those of the paths in which notes were edited, came or went.
    """
    notes = {p for p in paths if p.suffix.lower() in READERS and not p.is_dir()}
    threads = []
    for some, deep in (({*paths} - notes, True), (notes, False)):
        if some:
            watching = threading.Thread(
                target=_tell_of, args=(some, stop, deep, tell), daemon=True, name="watch"
            )
            watching.start()
            threads.append(watching)
    return tuple(threads)


def follow(paths: Collection[Path], take_up: Callable[[set[Path]], None]) -> None:
    """Watch folders and notes, and take up one edit after the other, until Ctrl-C.

    Edits that come while others are taken up wait, and are then taken up together.
    """
    edited: queue.SimpleQueue[set[Path]] = queue.SimpleQueue()
    stop = threading.Event()
    watch(paths, edited.put, stop)
    try:
        while True:
            some = edited.get()
            with contextlib.suppress(queue.Empty):
                while True:
                    some |= edited.get_nowait()
            take_up(some)
    finally:
        stop.set()


def _tell_of(
    paths: Collection[Path], stop: threading.Event, deep: bool, tell: Callable[[set[Path]], None]
) -> None:
    for edited in _edits(paths, stop, deep):
        tell(edited)


def _edits(paths: Collection[Path], stop: threading.Event, deep: bool) -> Iterator[set[Path]]:
    """Those of the paths in which something was edited, again and again, until `stop` is set.

    Parameters
    ----------
    deep : bool
        Whether the paths are folders, all of which is watched, or notes.
    """
    from watchfiles import watch as changes_in

    polling, seen = None, _there(paths)
    while not stop.is_set():
        there = _there(paths)
        if there - seen:
            yield there - seen
        seen = there
        places = {p if deep else p.parent for p in there}
        changes_of = changes_in(
            *places,
            watch_filter=None,
            debounce=MOST_MS,
            step=QUIET_MS,
            stop_event=stop,
            rust_timeout=LOOK_MS,
            yield_on_timeout=True,
            recursive=deep,
            force_polling=polling,
            ignore_permission_denied=True,
        )
        try:
            for changes in changes_of if places else _waited(stop):
                changed = [Path(name) for _, name in changes]
                edited = {home for home in there if any(is_edit(p, home) for p in changed)}
                if edited:
                    yield edited
                # A folder made anew in another's place is another to the system, too.
                anew = there.intersection(changed) if deep else set()
                if anew or _there(paths) - there:
                    seen = there - anew
                    break
        except FileNotFoundError:  # gone since it was looked for
            continue
        except (OSError, RuntimeError) as error:  # more folders than this system lets anybody watch
            log.warning("watching by looking again and again, as %s", error)
            stop.wait(LOOK_MS / 1000 if polling else 0)
            polling = True


def _there(paths: Collection[Path]) -> set[Path]:
    return {path for path in paths if path.exists()}


def _waited(stop: threading.Event) -> Iterator[set[tuple[object, str]]]:
    """No changes, after a while."""
    stop.wait(LOOK_MS / 1000)
    yield set()


def is_edit(changed: Path, home: Path) -> bool:
    """Whether what changed is something that an ingest of `home` reads, or may be a folder of it.

    >>> is_edit(Path("/n/a/b.md"), Path("/n")), is_edit(Path("/n/a/.b.md.swp"), Path("/n"))
    (True, False)
    """
    if changed == home:
        return True
    if home not in changed.parents:
        return False
    *folders, name = changed.relative_to(home).parts
    if name == IGNORE_FILE:
        return not any(map(is_left_out, folders))
    if any(map(is_left_out, (*folders, name))):
        return False
    kind = changed.suffix.lower()
    return kind in READERS or name == FILE or not kind or changed.is_dir()
