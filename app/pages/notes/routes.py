"""What the Notes page asks its server: how far the reading is, what there is, and what to do.

Acts are JSON and files are raw bodies, neither of which a page elsewhere can send here unasked.
Whatever is wrong with a request is one line. What is shown is left to the page: here are values.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, ConfigDict, Field

from app.api.checked import BadRequest, UnknownName
from app.api.rest import tell_errors
from app.intake import Doing, Intake
from app.open_store import StillReading
from app.pages.notes.uploads import collection_folder, take_upload
from app.paths import lies_in, starter_notes
from app.visitors_runs import NotAllowed
from app.wording import count_of
from ingest.origins import Origin
from ingest.report import Report
from kg.errors import GradusError, NoStore

__all__ = ["notes_app"]

SHOWN = 200  # notes of an origin at a time, and failures
Name = Annotated[str, Field(min_length=1, max_length=4096)]


class _Act(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Read(_Act):
    """Read a folder or note of this machine."""

    act: Literal["read"]
    place: Name


class Starter(_Act):
    """Read the notes that come with Gradus."""

    act: Literal["starter"]


class Uploaded(_Act):
    """Read what was uploaded."""

    act: Literal["uploaded"]
    collections: Annotated[list[Name], Field(min_length=1, max_length=100)]


class Again(_Act):
    """Read an origin again."""

    act: Literal["again"]
    origin: Name


class Watch(_Act):
    """Take up edits of an origin by themselves, or no longer."""

    act: Literal["watch"]
    origin: Name
    on: bool


class Remove(_Act):
    """Take an origin, or one of its notes, out of the store."""

    act: Literal["remove"]
    origin: Name
    note: Annotated[str, Field(max_length=4096)] = ""


class Stop(_Act):
    """Stop what is under way."""

    act: Literal["stop"]


Act = Annotated[
    Read | Starter | Uploaded | Again | Watch | Remove | Stop, Field(discriminator="act")
]


def notes_app(intake: Intake, allowed: Callable[[], Collection[Path]]) -> FastAPI:
    """An application to be mounted beside the pages.

    Parameters
    ----------
    allowed : callable
        Gives the folders of this machine that visitors may have read.
    """
    app = FastAPI(title="Gradus", docs_url=None, redoc_url=None, openapi_url=None)
    tell_errors(app)
    desk = _Desk(intake, allowed)

    @app.get("/work")
    def work() -> dict[str, Any]:
        return desk.work()

    @app.get("/origins")
    def origins() -> dict[str, Any]:
        return desk.origins()

    @app.get("/of")
    def notes_of(origin: Name, words: Annotated[str, Field(max_length=200)] = "") -> dict[str, Any]:
        return desk.notes_of(origin, words)

    @app.post("/act")
    def act(asked: Act) -> dict[str, Any]:
        desk.act(asked)
        return desk.work()

    @app.put("/file")
    async def file(name: Name, request: Request) -> dict[str, Any]:
        return {"collection": await take_upload(intake.shelf.folder, name, request.stream())}

    return app


class _Desk:
    """What can be asked, for all visitors alike: there is one store."""

    def __init__(self, intake: Intake, allowed: Callable[[], Collection[Path]]) -> None:
        self.intake = intake
        self.allowed = allowed

    def work(self) -> dict[str, Any]:
        """What is under way, what a reader waits for, and which generation there is."""
        doing, waiting = self.intake.state()
        try:
            store = self.intake.shelf.current()
            generation = f"{store.identity}:{store.generation}"
        except GradusError:
            generation = ""
        told = self.intake.shelf.doing
        return {
            "line": f"{told} …" if told else "",
            "generation": generation,
            "doing": _doing_json(doing),
            "waiting": waiting,
        }

    def origins(self) -> dict[str, Any]:
        """Where the notes come from, how they stand to what is on the disk, and what was wrong."""
        store = self.intake.shelf.folder.resolve()
        given = {p for p in map(Path.resolve, self.allowed()) if not p.is_relative_to(store)}
        places = sorted(str(p) for p in given if not given & {*p.parents})
        told, rows = "", []
        warnings: tuple[tuple[str, int, str], ...] = ()
        try:
            now = self.intake.shelf.current()
            imported, warnings = now.imported_from, now.warnings
            if imported:
                told = (
                    f"This store holds a graph imported from {imported}; notes need another store."
                )
            rows = [self._origin_json(origin, notes) for origin, notes in self.intake.origins()]
        except (NoStore, StillReading):
            pass
        except GradusError as error:
            told = " ".join(str(error).split())
        return {
            "origins": rows,
            "warnings": [{"note": n, "line": at, "error": why} for n, at, why in warnings[:SHOWN]],
            "warned": len(warnings),
            "allowed": places,
            "told": told,
            "watching": self.intake.watching,
        }

    def notes_of(self, origin: str, words: str) -> dict[str, Any]:
        """The notes of an origin whose names hold all of the words."""
        _, paths = self._found(origin)
        names = self._names(paths)
        wanted = words.casefold().split()
        found = [n for n in sorted(names) if all(w in n.casefold() for w in wanted)]
        return {"notes": found[:SHOWN], "found": len(found), "of": len(names)}

    def act(self, asked: Any) -> None:
        """Do what is asked, or queue it."""
        match asked:
            case Read():
                self.intake.read([self._place(asked.place)])
            case Starter():
                self.intake.read([starter_notes()])
            case Uploaded():
                folder = self.intake.shelf.folder
                self.intake.read([collection_folder(folder, c) for c in asked.collections])
            case Again():
                self.intake.read([Path(self._found(asked.origin)[0].path)])
            case Watch():
                self._found(asked.origin)
                self.intake.set_watched(Path(asked.origin), asked.on)
            case Remove():
                self.intake.remove(self._to_remove(asked))
            case Stop():
                self.intake.stop()

    def _to_remove(self, asked: Remove) -> Path:
        origin, paths = self._found(asked.origin)
        if not asked.note:
            return Path(origin.path)
        path = self._names(paths).get(asked.note)
        if path is None:
            raise UnknownName(f"there is no longer a note '{asked.note}' there")
        return Path(path)

    def _found(self, path: str) -> tuple[Origin, tuple[str, ...]]:
        for origin, notes in self.intake.origins():
            if origin.path == path:
                return origin, notes
        raise UnknownName(f"no notes come from '{path}' any longer")

    def _names(self, paths: Collection[str]) -> dict[str, str]:
        """Paths of notes by their names."""
        names = {str(p): n for n, p in self.intake.shelf.current().note_paths.items()}
        return {names[path]: path for path in paths if path in names}

    def _place(self, given: str) -> Path:
        """A place of this machine that a visitor may have read."""
        try:
            path = Path(given.strip()).expanduser().absolute()
            folders = sorted(self.allowed())
            inside = lies_in(path, folders)
        except (OSError, RuntimeError, ValueError) as error:
            raise BadRequest(f"'{given}' is not a path ({error})") from None
        if not inside:
            raise NotAllowed(
                f"{path} is outside the folders that may be read here "
                f"({', '.join(map(str, folders))}); drop its notes on this page, or start Gradus "
                "with --data FOLDER"
            )
        return path

    def _origin_json(self, origin: Origin, notes: tuple[str, ...]) -> dict[str, Any]:
        path = Path(origin.path)
        seen = self.intake.since(origin, notes)
        failed = [
            {"note": f.note, "line": f.line, "error": f.error} for f in origin.failed.values()
        ]
        is_starter = path == starter_notes()
        return {
            "path": origin.path,
            "name": "The starter notes" if is_starter else path.name or origin.path,
            "copy": self.intake.is_copy(path),
            "watched": self.intake.is_watched(origin),
            "read": origin.read,
            "notes": len(notes),
            "failed": failed[:SHOWN],
            "failures": len(failed),
            "left_out": origin.left_out,
            "taken_out": [{"name": Path(p).name, "path": p} for p in origin.taken_out],
            "changed": len(seen.changed),
            "gone": len(seen.gone),
            "new": len(seen.new),
            "which": [Path(p).name for p in (*seen.changed, *seen.gone, *seen.new)][:8],
            "fault": seen.fault,
        }


def _doing_json(doing: Doing) -> dict[str, Any]:
    return {
        "number": doing.number,
        "what": doing.what,
        "stages": [{"name": s.name, "done": s.done, "total": s.total} for s in doing.stages],
        "elsewhere": doing.elsewhere,
        "ended": doing.ended,
        "fault": doing.fault,
        "said": _said(doing.report) if doing.report else "",
    }


def _said(report: Report) -> str:
    """What was done, in a sentence."""
    counts = {
        "new": report.added,
        "changed": report.changed,
        "removed": report.removed,
        "not read": len(report.failed),
    }
    done = ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "nothing had changed"
    held = f"{count_of(report.notes, 'note')} with {count_of(report.concepts, 'concept')}"
    return f"Done in {report.seconds:.1f} s: {done}. There are now {held}."
