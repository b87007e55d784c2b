"""Where things lie when the user names no place: the store, its runs, the starter notes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

__all__ = ["lies_in", "runs_folder", "starter_notes", "store_folder", "uploads_folder"]


def store_folder(given: Path | None) -> Path:
    """The store's folder: as given, else in the user's data folder."""
    if given is not None:
        return given.expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("gradus", appauthor=False)


def runs_folder(store: Path) -> Path:
    """The folder of a store's runs."""
    return store / "runs"


def uploads_folder(store: Path) -> Path:
    """The folder of what was dropped on the pages, without links in its path."""
    return store.resolve() / "uploads"


def lies_in(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path lies in one of the folders, or is one, once links are followed."""
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # a circle of links leads nowhere
        return False
    return any(real.is_relative_to(folder.resolve()) for folder in folders)


def starter_notes() -> Path:
    """The notes that come with Gradus."""
    return Path(__file__).resolve().parent.parent / "ingest" / "starter"
