"""Which note a link means: by the end of its path, the nearest one first."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from ingest.notes.kinds import READERS

__all__ = ["NoteNames", "note_stem"]

_SECTION = re.compile(r"[#^|]")  # begins a heading, a block, and the words shown


@dataclass(frozen=True, slots=True)
class NoteNames:
    """The notes by every end of their path: "lasso", "notes/lasso", "course/notes/lasso"."""

    ends: Mapping[str, tuple[str, ...]]
    whole: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, notes: Iterable[str]) -> NoteNames:
        """Of notes by name: the path with forward slashes from the folder that was ingested."""
        ends: defaultdict[str, list[str]] = defaultdict(list)
        whole: defaultdict[str, list[str]] = defaultdict(list)
        for note in notes:
            path = _folded(note)
            whole[path].append(note)
            parts = path.split("/")
            for n in range(len(parts)):
                ends["/".join(parts[n:])].append(note)
        return cls({k: tuple(v) for k, v in ends.items()}, {k: tuple(v) for k, v in whole.items()})

    def find(self, target: str, note: str) -> str | None:
        """The note that a link with this target means where it stands in `note`.

        None when there is none.

        Without folders in the link, a note of the same folder is meant, else one anywhere: of
        several the one with most folders in common, and none when that leaves two. Folders in the
        link belong to the note's path; they may begin above the folder that was ingested, or with
        "./" or "../" at the note's own. Where no note has that path, because one was moved, the
        only one of that file name is meant.

        >>> names = NoteNames.of(["a/01-lasso.md", "b/01-lasso.md", "b/ridge.md"])
        >>> names.find("01-lasso", "b/ridge.md")
        'b/01-lasso.md'
        >>> names.find("vault/a/01-Lasso.md#Why", "b/ridge.md")
        'a/01-lasso.md'
        >>> names.find("01-lasso", "c.md"), names.find("lasso", "b/ridge.md")
        (None, None)
        """
        target = _SECTION.split(target, maxsplit=1)[0].strip().replace("\\", "/")
        ending = _ending(target)
        folder = posixpath.dirname(note)
        if target.startswith(("./", "../")):
            path = _folded(posixpath.normpath(posixpath.join(folder, target)))
            return _nearest(self.whole.get(path, ()), folder, ending)
        path = _folded(target).strip("/")
        parts = path.split("/")
        notes = self.ends.get(path, ()) if path else ()
        for n in range(1, len(parts)):
            notes = notes or self.whole.get("/".join(parts[n:]), ())
        moved = self.ends.get(parts[-1], ())
        return _nearest(notes or (moved if parts[-1] and len(moved) == 1 else ()), folder, ending)


def note_stem(target: str) -> str:
    """A file's name without folders and ending; of a name that is no file's, the name.

    >>> note_stem("pages/deep learning___optimizer.md"), note_stem("A%2FB.md")
    ('optimizer', 'B')
    """
    name = posixpath.basename(_place(target.strip()).rstrip("/"))
    return name[: len(name) - len(_ending(name))]


def _place(name: str) -> str:
    """A note's path, its name's own levels as folders: some write "a/b" as "a___b" or "a%2Fb"."""
    return unquote(name.replace("___", "/"))


def _ending(target: str) -> str:
    return next((suffix for suffix in READERS if target.lower().endswith(suffix)), "")


def _folded(path: str) -> str:
    """A path without ending and case, and with one spelling of accents."""
    stem = _place(path[: len(path) - len(_ending(path))])
    return unicodedata.normalize("NFC", stem.casefold())


def _nearest(notes: Iterable[str], folder: str, ending: str) -> str | None:
    ranked = sorted((_distance(n, folder), n) for n in notes if n.lower().endswith(ending))
    if len(ranked) > 1 and ranked[0][0] == ranked[1][0]:
        return None
    return ranked[0][1] if ranked else None


def _distance(note: str, folder: str) -> tuple[int, int, bool]:
    """How far a note is from a folder, in folders; a notebook stands after a text."""
    one, other = (path.split("/") if path else [] for path in (folder, posixpath.dirname(note)))
    common = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    return -common, len(other) - common, note.lower().endswith(".ipynb")
