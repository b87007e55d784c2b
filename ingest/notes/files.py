"""Which files are notes, and their text exactly as stored. Parsing is left to others."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Container, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pathspec import GitIgnoreSpec

from ingest.notes.kinds import READERS, UNREAD
from kg.errors import GradusError, UnreadableNote

__all__ = [
    "IGNORE_FILE",
    "FoundNote",
    "check_path",
    "find_notes",
    "is_left_out",
    "read_note",
    "real_path",
    "unread_kinds",
]

IGNORE_FILE = ".gradusignore"
_NEVER = frozenset({"node_modules", ".ipynb_checkpoints"})
_NEWLINE = re.compile(rb"\r\n?|\n")
# A longer file is no note that anybody wrote, and would take minutes. Most of a notebook is
# pictures among its outputs, which are not read.
MAX_MEGABYTES = 5
MAX_MEGABYTES_OF = {".ipynb": 100}
_EXPECTED = "expected a text file in UTF-8"


@dataclass(frozen=True, slots=True)
class FoundNote:
    """A note's file, the folder it was found from, and its name.

    The name is the path between them with forward slashes.
    """

    path: Path
    root: Path
    name: str


def find_notes(paths: Sequence[Path], may_be_empty: Collection[Path] = ()) -> list[FoundNote]:
    """Find the notes below folders, or named one by one, sorted by name.

    Hidden files and folders, `.ipynb_checkpoints`, `node_modules`, Logseq's older versions of pages
    and what a `.gradusignore` names are left out; a file named itself is taken whatever its folder
    says. Each file is found once, however many ways lead to it. Where two roots give the same name,
    the later gets its root folder's name in front.

    Parameters
    ----------
    may_be_empty : collection of Path
        Folders that once held notes, and may have lost them all.

    Raises
    ------
    GradusError
        A path does not exist, is no note, holds none, or cannot be listed; or a `.gradusignore` is
        not valid.
    """
    by_name: dict[str, FoundNote] = {}
    seen: set[Path] = set()
    for path in paths:
        notes = _below(path)
        if not notes and path not in may_be_empty:
            raise GradusError(f"'{path}' holds no notes; expected {', '.join(READERS)} files in it")
        for note in notes:
            real = real_path(note.path)
            if real not in seen:
                seen.add(real)
                note = _renamed(note, by_name)
                by_name[note.name] = note
    return sorted(by_name.values(), key=lambda note: note.name)


def unread_kinds(paths: Sequence[Path]) -> dict[str, int]:
    """How many texts of each kind that is not read lie below folders, by the end of their names.

    Raises
    ------
    GradusError
        A folder cannot be listed, or a `.gradusignore` is not valid.
    """
    files = {real_path(file) for path in paths if path.is_dir() for file in _walk(path, UNREAD)}
    return dict(sorted(Counter(file.suffix.lower() for file in files).items()))


def read_note(path: Path) -> str:
    """The file's text, decoded as UTF-8, with its byte order mark and line endings.

    Raises
    ------
    UnreadableNote
        The file cannot be read, is too long or binary, or is not UTF-8; carries the line of the
        first bad byte.
    """
    most = MAX_MEGABYTES_OF.get(path.suffix.lower(), MAX_MEGABYTES)
    try:
        with path.open("rb") as file:
            content = file.read(most * 10**6 + 1)
    except OSError as error:
        raise UnreadableNote(f"the file cannot be read ({error.strerror}); {_EXPECTED}") from error
    if len(content) > most * 10**6:
        raise UnreadableNote(
            f"the file is larger than {most} MB, the limit for such a note; cut it into several"
        )
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableNote(f"the file is UTF-16; {_EXPECTED}, so save it as UTF-8")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise UnreadableNote(
            f"{byte}; {_EXPECTED}, so save it as UTF-8", _line_at(content, error.start)
        ) from error
    zero = content.find(b"\0")
    if zero >= 0:
        raise UnreadableNote(
            f"the file holds a zero byte, so it is binary; {_EXPECTED}", _line_at(content, zero)
        )
    return text


def _line_at(content: bytes, offset: int) -> int:
    """1-based line of a byte."""
    return 1 + sum(1 for newline in _NEWLINE.finditer(content) if newline.end() <= offset)


def check_path(path: Path) -> None:
    """Make sure that there may be notes at a path.

    Raises
    ------
    GradusError
        When nothing is there, or a file that is no note.
    """
    if not _exists(path):
        raise GradusError(f"'{path}' does not exist; expected a folder of notes or a note")
    if path.is_file() and path.suffix.lower() not in READERS:
        raise GradusError(f"'{path}' is not a note; expected one of {', '.join(READERS)}")


def _below(path: Path) -> list[FoundNote]:
    """Notes of one path, sorted by name."""
    check_path(path)
    if path.is_file():
        return [FoundNote(path, path.parent, path.name)]
    files: dict[Path, Path] = {}
    # real files first, so that a link to a note of the same folder does not take its place
    for file in sorted(_walk(path, READERS), key=lambda file: (file.is_symlink(), file.as_posix())):
        files.setdefault(real_path(file), file)
    notes = (FoundNote(file, path, file.relative_to(path).as_posix()) for file in files.values())
    return sorted(notes, key=lambda note: note.name)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False


def _walk(root: Path, kinds: Container[str]) -> Iterator[Path]:
    """Files of these kinds below a folder.

    Linked folders come after all real ones, and each real folder is listed once.
    """
    waiting: list[tuple[Path, tuple[tuple[Path, GitIgnoreSpec], ...]]] = [(root, ())]
    linked: list[tuple[Path, tuple[tuple[Path, GitIgnoreSpec], ...]]] = []
    listed: set[Path] = set()
    while waiting or linked:
        folder, rules = waiting.pop() if waiting else linked.pop(0)
        real = real_path(folder)
        if real in listed:
            continue
        listed.add(real)
        own = _ignore_rules(folder)
        rules = (*rules, (folder, own)) if own is not None else rules
        for entry in _entries(folder):
            path = folder / entry.name
            # Logseq keeps its backups in "bak".
            backup = entry.name == "bak" and (folder / "config.edn").is_file()
            if is_left_out(entry.name) or backup:
                continue
            kind = _kind(entry)
            if _ignored(path, kind == "folder", rules):
                continue
            if kind == "folder":
                (linked if entry.is_symlink() else waiting).append((path, rules))
            elif kind == "file" and path.suffix.lower() in kinds:
                yield path


def is_left_out(name: str) -> bool:
    """Whether a file or folder of this name is no part of anybody's notes.

    >>> is_left_out(".obsidian"), is_left_out("drafts")
    (True, False)
    """
    return name.startswith(".") or name in _NEVER


def _kind(entry: os.DirEntry[str]) -> Literal["folder", "file", "neither"]:
    """What lies at the end of links; where they have none, a file, so that reading it says why."""
    try:
        if entry.is_dir():
            return "folder"
        return "file" if entry.is_file() else "neither"
    except OSError:
        return "file"


def real_path(path: Path) -> Path:
    """What a path leads to; of a link that leads to itself, where that stands."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        hint = f"make it readable or name it in a {IGNORE_FILE}"
        raise GradusError(
            f"the folder '{folder}' cannot be listed ({error.strerror}); {hint}"
        ) from error


def _ignore_rules(folder: Path) -> GitIgnoreSpec | None:
    """Rules of the folder's own ignore file; None when it has none."""
    file = folder / IGNORE_FILE
    try:
        if not file.is_file():
            return None
        lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        raise GradusError(f"'{file}' cannot be read ({error.strerror})") from error
    for number, line in enumerate(lines, 1):
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError as error:
            raise GradusError(
                f"'{file}' line {number}: '{line}' is not a gitignore pattern"
            ) from error
    return GitIgnoreSpec.from_lines(lines)


def _ignored(path: Path, is_folder: bool, rules: tuple[tuple[Path, GitIgnoreSpec], ...]) -> bool:
    """Whether the rules leave the path out.

    The deepest folder that says anything decides, as in git.
    """
    for folder, spec in reversed(rules):
        relative = path.relative_to(folder).as_posix() + ("/" if is_folder else "")
        decision = spec.check_file(relative).include
        if decision is not None:
            return decision
    return False


def _renamed(note: FoundNote, by_name: dict[str, FoundNote]) -> FoundNote:
    """The note under a free name: with as many folders of its root in front as needed."""
    folders = note.root.resolve().parts[1:]
    depth = 0
    name = note.name
    while name in by_name and depth < len(folders):
        depth += 1
        name = "/".join((*folders[-depth:], note.name))
    return replace(note, name=name)
