"""Errors, named for their meaning.

Every message says what was found, what was expected and what to do next.
"""

from __future__ import annotations

__all__ = [
    "EncoderError",
    "GradusError",
    "IndexMismatch",
    "NoStore",
    "StoreBusy",
    "StoreVersion",
    "UnknownConcept",
    "UnreadableNote",
]


class GradusError(Exception):
    """Base of every known error.

    The command line prints its message as one line and exits with 1.
    """


class UnreadableNote(GradusError):
    """A note that cannot be decoded or parsed.

    Parameters
    ----------
    reason : str
        What was found and what was expected.
    line : int
        1-based line of the note's file at which reading failed.
    """

    def __init__(self, reason: str, line: int = 1) -> None:
        super().__init__(reason)
        self.line = line


class UnknownConcept(GradusError):
    """A label that names no concept; carries the closest labels."""

    def __init__(self, label: str, closest: tuple[str, ...] = ()) -> None:
        hint = f"; the closest are: {', '.join(closest)}" if closest else ""
        super().__init__(f"the notes have no concept '{label}'{hint}")
        self.label = label
        self.closest = closest


class NoStore(GradusError):
    """There is no store at the given folder yet."""


class StoreVersion(GradusError):
    """The store was written by another version of Gradus, or is no store of ours."""


class StoreBusy(GradusError):
    """Another ingest is writing to the same store."""


class IndexMismatch(GradusError):
    """Vectors and encoder disagree, in dimension or in name."""


class EncoderError(GradusError):
    """An encoder that cannot be loaded, or whose weights are not the expected ones."""
