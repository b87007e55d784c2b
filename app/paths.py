"""Where things lie when the user names no place: the store, its runs, the starter notes."""

from __future__ import annotations

from pathlib import Path

__all__ = ["runs_folder", "starter_notes", "store_folder"]


def store_folder(given: Path | None) -> Path:
    """The store's folder: as given, else in the user's data folder."""
    if given is not None:
        return given.expanduser().resolve()
    from platformdirs import user_data_path

    return user_data_path("gradus", appauthor=False)


def runs_folder(store: Path) -> Path:
    """The folder of a store's runs."""
    return store / "runs"


def starter_notes() -> Path:
    """The notes that come with Gradus."""
    return Path(__file__).resolve().parent.parent / "ingest" / "starter"
