"""The files and folders that a question names: by the form of a path, and by being there.

Where they may be looked for is said by whoever asks; what a run makes of them is left to others.
"""

from __future__ import annotations

import mimetypes
import os
import re
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from app.paths import lies_in
from executors.inputs.table_file import TABLES

__all__ = ["NamedFile", "files_named"]

_LOOKED_AT = 20_000  # entries of folders, in which a file is looked for that is no path from one
_MOST_NAMED = 8  # pieces of a question that are looked for
_QUOTED = r"\"([^\"\n]+)\"|'([^'\n]+)'|`([^`\n]+)`|“([^”\n]+)”|‘([^’\n]+)’"
_PIECE = re.compile(rf"(?<!\w)(?:{_QUOTED})(?!\w)|[^\s=\"'`“”‘’]+")
# What Python itself knows, on every machine the same.
_KINDS = frozenset(mimetypes.MimeTypes().types_map[True])
_AROUND = "()[]{}<>,;:?!"
_OPENING = re.compile(r"~?[/\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\]")  # what only a path begins with


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A path in a question, with the places that it may mean; none where nothing is there."""

    said: str
    places: tuple[Path, ...]


def files_named(
    text: str, roots: Collection[Path], notes: Collection[Path] = ()
) -> tuple[NamedFile, ...]:
    """What a question names by a path, of what lies within the folders.

    A path from one of the folders is that place; of another, every place in them is found that ends
    in it. What is not there is named all the same where its form leaves no doubt: `/x/y`, `x.csv`.

    Parameters
    ----------
    roots : collection of Path
        Folders; links are followed, and what lies outside is as if it were not there.
    notes : collection of Path
        Files that are no data.

    Examples
    --------
    >>> files_named("which lr for nowhere.csv, and/or for learn.fit?", [Path("nowhere")])
    (NamedFile(said='nowhere.csv', places=()),)
    """
    folders = sorted({root.resolve() for root in roots})
    if not folders:
        return ()
    pieces = list(dict.fromkeys(_paths(text)))[:_MOST_NAMED]
    named = (NamedFile(said, _places(said, folders)) for said in pieces)
    noted = {*notes} if pieces else set()
    return tuple(
        one
        for one in named
        if noted.isdisjoint(one.places) and (one.places or _is_surely(one.said))
    )


def _paths(text: str) -> Iterator[str]:
    """The pieces of a text that have the form of a path."""
    for match in _PIECE.finditer(text):
        quoted = next(filter(None, match.groups()), "")
        piece = quoted.strip() or match.group().lstrip(_AROUND).rstrip(f".{_AROUND}")
        named = "/" in piece.strip("/") or os.sep in piece.strip(os.sep) or _is_surely(piece)
        if (named or PurePath(piece).suffix) and "://" not in piece and "\0" not in piece:
            yield piece


def _is_surely(piece: str) -> bool:
    """Whether this can be nothing but a file: it begins as a path, or ends as a kind of file."""
    if len(piece) > 1 and (piece.endswith("/") or _OPENING.match(piece)):
        return True
    end = PurePath(piece).suffix.lower()
    return end in TABLES or end in _KINDS


def _places(said: str, folders: Collection[Path]) -> tuple[Path, ...]:
    """The places in the folders that this may mean."""
    within = [folder for folder in folders if folder != folder.parent]  # not a whole machine
    try:
        path = Path(said).expanduser()
        tried = [path] if path.is_absolute() else [folder / path for folder in within]
        there = {place.resolve() for place in tried if lies_in(place, folders) and place.exists()}
    except (OSError, ValueError, RuntimeError):  # too long, no text of a path, nobody's home
        return ()
    if there or path.is_absolute() or ".." in path.parts:
        return tuple(sorted(there))
    return _ending_in(path, within)


def _ending_in(path: Path, folders: Collection[Path]) -> tuple[Path, ...]:
    """Every place below the folders that ends in this path, however it is capitalised; none where
    there is too much to look at.

    Links to folders are not gone into, nor are hidden folders.
    """
    end = tuple(part.casefold() for part in path.parts)
    below = deque(folders)
    seen, found, left = set(below), set[Path](), _LOOKED_AT
    while below:
        folder = below.popleft()
        try:
            with os.scandir(folder) as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".")]
        except OSError:
            continue
        left -= len(inside)
        if left < 0:
            return ()
        for entry in inside:
            place = folder / entry.name
            if tuple(part.casefold() for part in place.parts[-len(end) :]) == end:
                found |= {place.resolve()} if lies_in(place, folders) else set()
            if entry.is_dir(follow_symlinks=False) and place not in seen:
                seen.add(place)
                below.append(place)
    return tuple(sorted(found))
