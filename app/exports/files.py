"""Put exports on disk without losing anything: nothing is written over unasked."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

from app.exports.cards import MARK
from kg.errors import GradusError
from kg.whole_file import write_whole

__all__ = ["write_cards", "write_file"]


def write_file(path: Path, text: str, force: bool = False) -> None:
    """Write one file whole or not at all; one that exists only with `force`.

    Raises
    ------
    GradusError
        When the file exists, or cannot be written.
    """
    if path.exists() and not force:
        raise GradusError(f"{path} exists; name another file, or write over it with --force")
    try:
        write_whole(path, text.encode())
    except OSError as error:
        raise GradusError(f"cannot write {path}: {error.strerror}") from error


def write_cards(folder: Path, cards: Mapping[str, str], force: bool = False) -> tuple[str, ...]:
    """Write cards into a new or empty folder; with `force` into any, but over cards only.

    Returns
    -------
    tuple of str
        Names of cards that an earlier export left in the folder and this one does not hold; they
        stay.

    Raises
    ------
    GradusError
        When the folder is not empty, a file that is no card has a card's name, or the folder cannot
        be written.
    """
    try:
        present = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
        if present and not force:
            raise GradusError(
                f"{folder} is not empty; name another folder, or write over the cards of an "
                "earlier export with --force"
            )
        # Where case does not count, the file that a card's name opens may be spelled otherwise.
        wanted = {_same(name) for name in cards}
        taken = [name for name in present if _same(name) in wanted]
        foreign = next((name for name in taken if not _is_card(folder / name)), None)
        if foreign is not None:
            raise GradusError(
                f"{folder / foreign} is not a card of Gradus and would be written over; name "
                "another folder"
            )
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in cards.items():
            write_whole(folder / name, text.encode())
        others = [name for name in present if _same(name) not in wanted and name.endswith(".md")]
        return tuple(name for name in others if _is_card(folder / name))
    except OSError as error:
        raise GradusError(f"cannot write cards to {folder}: {error.strerror}") from error


def _is_card(path: Path) -> bool:
    """Whether a file is one of our cards, and not a link to somewhere else."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(MARK) + 8).replace(b"\r\n", b"\n").startswith(MARK.encode())


def _same(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
