"""Write what a person decides about a prerequisite into `gradus.toml`, and let the store follow.

Notes stay.
"""

from __future__ import annotations

import contextlib
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ingest.build import ingest
from ingest.decisions.read import FILE
from ingest.decisions.toml_lists import error_line, with_entry, without_entry, without_list
from ingest.names.table import NameTable
from ingest.report import Report
from kg.errors import GradusError, StoreBusy
from kg.linking import find_concept
from kg.store import note_roots, open_store
from kg.whole_file import clear_unfinished, write_whole

__all__ = ["decide", "decide_relation", "overrides_file"]

_MARK = "\ufeff"  # what Notepad puts before the text
_FIRST_LINE = (
    "# What you decide about your notes: add, remove, merge, rename, ignore; "
    "Gradus' README says how.\n"
)


def decide_relation(store_folder: Path, first: str, then: str, accept: bool | None) -> Report:
    """Write down whether one concept comes before another, and bring the store up to date with it.

    The decision goes to the folder that the note of `then` was ingested from. Decisions about the
    same two concepts in other folders of the store are taken back.

    Parameters
    ----------
    first, then : str
        Labels or aliases; `then` needs `first`.
    accept : bool or None
        True adds the prerequisite, False removes it, None takes back what was decided.

    Raises
    ------
    UnknownConcept
        When the notes have no such concept.
    StoreBusy
        When an ingest is running; the decision is then written, and counts from the next ingest on.
    GradusError
        When a file cannot be written, or is not valid; nothing is decided then.
    """
    with contextlib.closing(open_store(store_folder)) as store:
        concepts = store.concepts
    before, after = find_concept(concepts, first), find_concept(concepts, then)
    if before.id == after.id:
        raise GradusError(
            f"'{first}' and '{then}' are the same concept, '{before.label}'; name two"
        )
    home = overrides_file(store_folder, after.label).parent
    other_names = (before.aliases, after.aliases)
    for root in sorted({*note_roots(store_folder).values()} - {home}):
        if _is_valid(root / FILE):
            decide(root, before.label, after.label, None, other_names)
    written = decide(home, before.label, after.label, accept, other_names)
    try:
        return ingest((), store_folder)
    except StoreBusy as error:
        raise StoreBusy(
            f"the decision is in {written}, and counts from the next ingest on: {error}"
        ) from error


def overrides_file(store_folder: Path, concept: str) -> Path:
    """The file that decisions about what a concept needs are written to.

    Raises
    ------
    UnknownConcept
        When the notes have no such concept.
    GradusError
        When the store holds no note of it.
    """
    with contextlib.closing(open_store(store_folder)) as store:
        meant = find_concept(store.concepts, concept)
    roots = note_roots(store_folder)
    home = next((roots[note] for note in meant.notes if note in roots), None)
    if home is None:
        raise GradusError(
            f"the store holds no note of '{meant.label}', so there is no folder for the decision"
        )
    return home / FILE


def decide(
    folder: Path,
    first: str,
    then: str,
    accept: bool | None,
    other_names: tuple[Sequence[str], Sequence[str]] = ((), ()),
) -> Path:
    """Write into a folder's `gradus.toml` whether one concept comes before another.

    Returns the file.

    Comments and order stay; an earlier decision about the same two is replaced, and adding an edge
    takes out that its reverse is added. A list whose last entry goes is taken out with it. The file
    is replaced as a whole or not at all, and made when there is need of one.

    Parameters
    ----------
    accept : bool or None
        True adds the prerequisite, False removes it, None takes back what was decided.
    other_names : pair of sequences of str
        Further names of the two concepts, under which an earlier decision may stand.

    Raises
    ------
    GradusError
        When the file cannot be read or written, or is not valid; it is then as before.
    """
    file = (folder / FILE).resolve()
    text = _read(file)
    new = (text or "").removeprefix(_MARK)
    ends = [
        NameTable.of([(name, tuple(others))])
        for name, others in zip((first, then), other_names, strict=True)
    ]
    comment = ""
    for key in ("add", "remove"):
        if accept is not (key == "add"):
            new, comment = _taken_out(new, key, ends, file, comment)
    if accept is True:
        new, _ = _taken_out(new, "add", ends[::-1], file)
    if accept is not None and not list(
        _meant(new, key := "add" if accept else "remove", ends, file)
    ):
        new = with_entry(new, key, (first, then), comment)
    new = _without_emptied(new, text or "", file)
    if text is None:
        new = _FIRST_LINE + new if new else ""
    else:
        new = (_MARK if text.startswith(_MARK) else "") + _with_endings_of(text, new)
    if new != (text or ""):
        _write(file, new)
    return file


def _without_emptied(new: str, before: str, file: Path) -> str:
    """The new text, which is checked, without lists that had entries before and have none now."""
    later, earlier = _check(new, file), _check(before.removeprefix(_MARK), file)
    for key in ("add", "remove"):
        if later.get(key) == [] and earlier.get(key) != []:
            new = without_list(new, key)
    return new


def _with_endings_of(text: str, new: str) -> str:
    """A text with another's line endings."""
    return new.replace("\r\n", "\n").replace("\n", "\r\n") if "\r\n" in text else new


def _is_valid(file: Path) -> bool:
    """Whether there is a file of which anything can be in force."""
    try:
        tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return True


def _read(file: Path) -> str | None:
    """The file's text, None when there is no file."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise GradusError(f"cannot read {file} ({error}); fix it, then decide again") from error


def _check(text: str, file: Path) -> dict[str, Any]:
    """What a text says.

    Raises
    ------
    GradusError
        When it is not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GradusError(
            f"{file}:{error_line(error, text)}: not valid TOML ({error}); fix it, then decide"
        ) from error
    except (ValueError, RecursionError) as error:
        raise GradusError(
            f"{file} is not valid TOML ({error}); fix it, then decide again"
        ) from error


def _meant(text: str, key: str, ends: Sequence[NameTable], file: Path) -> Iterator[int]:
    """Positions of the entries under a key that mean this pair."""
    listed = _check(text, file).get(key, [])
    if not isinstance(listed, list) or any(isinstance(entry, dict) for entry in listed):
        raise GradusError(f"'{key}' in {file} is not a list of pairs; fix it, then decide again")
    for i, entry in enumerate(listed):
        if isinstance(entry, list) and len(entry) == 2:
            same = (
                isinstance(n, str) and end.find(n) is not None
                for n, end in zip(entry, ends, strict=True)
            )
            if all(same):
                yield i


def _taken_out(
    text: str, key: str, ends: Sequence[NameTable], file: Path, comment: str = ""
) -> tuple[str, str]:
    """The text without a key's entries for this pair, and the last one's comment."""
    for i in reversed(list(_meant(text, key, ends, file))):
        text, entry_comment = without_entry(text, key, i)
        comment = entry_comment or comment
    return text, comment


def _write(file: Path, text: str) -> None:
    try:
        clear_unfinished(file.parent)
        write_whole(file, text.encode())
    except OSError as error:
        raise GradusError(
            f"cannot write {file} ({error.strerror}), so nothing is decided; make the folder "
            "writable"
        ) from error
