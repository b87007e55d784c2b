"""What an ingest tells of itself: counts, and what it could not take, with its line."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Failure", "Report"]


@dataclass(frozen=True, slots=True)
class Failure:
    """A note that could not be read, or a line that could not be followed, and why."""

    note: str  # the note's name, or that of an overrides file
    line: int
    error: str


@dataclass(frozen=True, slots=True)
class Report:
    """What an ingest did.

    Counts of notes are by file, counts of relations by kept edges of each kind.
    """

    notes: int
    added: int
    changed: int
    removed: int
    unchanged: int
    failed: tuple[Failure, ...]
    left_out: dict[str, int]  # files of kinds that are not read, by the end of their names
    passages: int
    encoded: int
    concepts: int
    relations: dict[str, int]
    dropped: tuple[str, ...]  # prerequisite edges dropped to break cycles, as sentences
    # What people decided or stated that could not be followed as it stands, and parts of notes that
    # were left out.
    warnings: tuple[Failure, ...]
    seconds: float
