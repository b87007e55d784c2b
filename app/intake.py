"""Takes notes into the store and out of it while it is read: one ingest at a time, by a thread.

What is under way is told to whoever asks; edits of watched notes are taken up by themselves.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import queue
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

from app.open_store import Shelf
from app.paths import uploads_folder
from ingest.notes.files import read_note
from ingest.origins import Origin, Since, change_origins, origins_of, since
from ingest.report import Report
from ingest.watch import watch
from kg.errors import GradusError, StoreBusy, UnreadableNote
from kg.store import Store, note_roots

__all__ = ["READING", "Doing", "Intake", "Progress", "Stage", "Stopped"]

READING = "Reading your notes"
BUSY_S = 1.0  # how often it is looked whether another ingest of the same store is done
Progress = Callable[[str, int, int], None]  # what is done, how much of it, of how much
Job = Callable[[Progress], Report]
log = logging.getLogger(__name__)


class Stopped(GradusError):
    """Somebody stopped what was under way; the store is as it was before."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of what is under way."""

    name: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Doing:
    """What is under way, or was last.

    Attributes
    ----------
    number : int
        Counts what was begun.
    what : str
        In a few words.
    stages : tuple of Stage
        As they came; those before the last are done.
    elsewhere : bool
        Whether it waits for an ingest of another program.
    report : Report or None
        Once it ended well.
    fault : str
        One line, once it ended otherwise.
    """

    number: int = 0
    what: str = ""
    stages: tuple[Stage, ...] = ()
    elsewhere: bool = False
    report: Report | None = None
    fault: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing is under way."""
        return not self.what or self.report is not None or bool(self.fault)


class Intake:
    """Brings one store up to date in the background; safe to use from several threads.

    Parameters
    ----------
    shelf : Shelf
        Where the store is read; it is told what a reader waits for while there is none.
    watching : bool
        Whether edits are taken up by themselves.
    """

    def __init__(self, shelf: Shelf, watching: bool = True) -> None:
        self.shelf = shelf
        self.watching = watching
        self._doing = Doing()
        self._jobs: queue.SimpleQueue[tuple[str, Job, Future[Report]]] = queue.SimpleQueue()
        self._waiting = 0
        self._edited: set[Path] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()  # what is under way
        self._closed = threading.Event()
        self._unwatch = threading.Event()
        self._watched: frozenset[Path] = frozenset()
        threading.Thread(target=self._work, daemon=True, name="intake").start()

    def state(self) -> tuple[Doing, int]:
        """What is under way or was last, and how much waits for its turn."""
        with self._lock:
            return self._doing, self._waiting

    def read(self, paths: Sequence[Path]) -> Future[Report]:
        """Take in what lies at these paths, or bring it up to date."""
        return self.do(READING, lambda say: _read(paths, self.shelf.folder, say))

    def remove(self, path: Path) -> Future[Report]:
        """Take a note, or all below a folder, out of the store; copies that are ours are deleted.

        Files of people stay where they are.
        """

        def job(say: Progress) -> Report:
            from ingest.build import take_out

            report = take_out(path, self.shelf.folder, say)
            self._delete_copies(path)
            return report

        return self.do("Removing notes", job)

    def do(self, what: str, job: Job) -> Future[Report]:
        """Have a job done when its turn comes; it is told where to say how far it is."""
        future: Future[Report] = Future()
        with self._lock:
            self._waiting += 1
        if what == READING:
            self.shelf.tell(READING)
        self._jobs.put((what, job, future))
        return future

    def stop(self) -> None:
        """Stop what is under way; the store is then as it was before."""
        self._stop.set()

    def origins(self) -> list[tuple[Origin, tuple[str, ...]]]:
        """Where the store's notes come from, with the paths of the notes.

        Raises
        ------
        GradusError
            When the store cannot be read.
        """
        store = self.shelf.current()
        return origins_of(store.folder, _roots(store))

    def since(self, origin: Origin, notes: Collection[str]) -> Since:
        """What changed in an origin on the disk since it was read."""
        store = self.shelf.current()
        names = {str(path): name for name, path in store.note_paths.items()}
        return since(origin, notes, lambda path: _is_as_read(store, names[path]))

    def set_watched(self, path: Path, on: bool) -> None:
        """Whether edits below an origin are taken up by themselves, from now on."""
        if not any(origin.path == str(path) for origin, _ in self.origins()):
            raise GradusError(f"no notes were read from '{path}'")

        def change(known: dict[str, Origin]) -> Iterable[Origin]:
            before = known.get(str(path)) or Origin(str(path))
            return (known | {before.path: replace(before, watched=on)}).values()

        change_origins(self.shelf.folder, change)
        self.follow()

    def follow(self) -> None:
        """Watch what is to be watched now, and take up what was edited while it was not."""
        if not self.watching or self._closed.is_set():
            return
        try:
            wanted = [(o, notes) for o, notes in self.origins() if self.is_watched(o)]
        except GradusError:
            return
        paths = frozenset(Path(origin.path) for origin, _ in wanted)
        with self._lock:
            new = paths - self._watched
            if paths == self._watched:
                return
            self._unwatch.set()
            self._unwatch, self._watched = threading.Event(), paths
            watch(paths, self._take_up, self._unwatch)
        missed = {
            Path(o.path) for o, own in wanted if Path(o.path) in new and self._differs(o, own)
        }
        if missed:
            self._take_up(missed)

    def is_watched(self, origin: Origin) -> bool:
        """Whether edits there are taken up by themselves; copies of ours nobody edits."""
        return self.watching and origin.watched and not self.is_copy(Path(origin.path))

    def is_copy(self, path: Path) -> bool:
        """Whether a path lies among the copies of what was dropped on the page."""
        return uploads_folder(self.shelf.folder) in path.parents

    def is_busy(self) -> bool:
        """Whether something is under way."""
        doing, waiting = self.state()
        return bool(waiting) or not doing.ended

    def close(self) -> None:
        """Stop watching, and what is under way."""
        self._closed.set()
        self._unwatch.set()
        self._stop.set()

    def _take_up(self, edited: set[Path]) -> None:
        """Queue the edited places, unless they wait for their turn already."""
        with self._lock:
            waits = bool(self._edited)
            self._edited |= edited
        if not waits:
            self.do("Taking up edits", self._edits)

    def _edits(self, say: Progress) -> Report:
        with self._lock:
            edited, self._edited = sorted(self._edited), set()
        # A folder that is away keeps its notes; what else is left is read all the same.
        there = [path for path in edited if path.exists()] or edited
        return _read(there, self.shelf.folder, say)

    def _differs(self, origin: Origin, notes: Collection[str]) -> bool:
        try:
            seen = self.since(origin, notes)
        except GradusError:
            return False
        return bool(seen.changed or seen.gone or seen.new)

    def _work(self) -> None:
        while not self._closed.is_set():
            what, job, future = self._jobs.get()
            with self._lock:
                self._waiting -= 1
                self._stop.clear()
                self._doing = Doing(self._doing.number + 1, what)
            try:
                report = self._done(job)
                self._show()
            except Exception as error:  # noqa: BLE001 - told to who asked and on the page
                self._ended(fault=self._told(error))
                future.set_exception(error)
            else:
                self._ended(report=report)
                future.set_result(report)

    def _show(self) -> None:
        """Open the new generation, before a question has to wait for it; watch what it holds."""
        try:
            self.shelf.current()
        except GradusError:
            return
        self.follow()

    def _done(self, job: Job) -> Report:
        while True:
            try:
                return job(self._say)
            except StoreBusy:
                with self._lock:
                    self._doing = replace(self._doing, elsewhere=True)
                if self._stop.wait(BUSY_S):
                    raise
                with self._lock:
                    self._doing = replace(self._doing, elsewhere=False)

    def _say(self, name: str, done: int, total: int) -> None:
        if self._stop.is_set() or self._closed.is_set():
            raise Stopped("stopped; the notes are as they were before")
        with self._lock:
            before = {s.name: s for s in self._doing.stages}
            stages = (before | {name: Stage(name, done, total)}).values()
            self._doing = replace(self._doing, stages=tuple(stages))
        if self._doing.what == READING:
            much = f", {done} of {total}" if total > 1 else ""
            self.shelf.tell(f"{READING}: {name}{much}")

    def _ended(self, report: Report | None = None, fault: str = "") -> None:
        with self._lock:
            self._doing = replace(self._doing, report=report, fault=fault, elsewhere=False)
            last = not self._waiting
        if last:
            self.shelf.tell("")

    def _told(self, error: Exception) -> str:
        if not isinstance(error, GradusError):
            log.error("an ingest failed", exc_info=error)
            return "this failed because of an error in Gradus; its log says more"
        return " ".join(str(error).split())

    def _delete_copies(self, path: Path) -> None:
        if not self.is_copy(path):
            return
        import shutil

        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _read(paths: Sequence[Path], folder: Path, say: Progress) -> Report:
    from ingest.build import ingest  # heavy, and not needed before the pages can be opened

    return ingest(paths, folder, progress=say)


def _roots(store: Store) -> dict[str, str]:
    """The folder that each note was ingested from, by the note's path."""
    roots = note_roots(store.folder)  # of the newest generation
    return {str(p): str(roots[n]) for n, p in store.note_paths.items() if n in roots}


def _is_as_read(store: Store, name: str) -> bool:
    file = store.note_file(name)
    try:
        return hashlib.sha256(read_note(file.path).encode()).hexdigest() == file.sha256
    except UnreadableNote:
        return False
