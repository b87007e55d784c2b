"""Notes and passages written for one test, and what an ingest of notes counted."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from ingest.build import Report
from ingest.passages.statements import statements_in
from kg.types import Passage

__all__ = ["counts", "passage_of", "png", "write_notes"]


def passage_of(text: str, heading: str, note: str = "n.md") -> Passage:
    """A passage that is its whole note, with its statements as an ingest finds them."""
    last = text.count("\n") + 1
    statements = statements_in(text, None, "prose")
    return Passage(0, note, None, 0, len(text), 1, last, (heading,), text, "prose", statements)


def png(width: int = 4, height: int = 3, kind: str = "PNG") -> bytes:
    """A black picture as a file holds it."""
    held = io.BytesIO()
    Image.new("RGB", (width, height)).save(held, kind)
    return held.getvalue()


def write_notes(folder: Path, texts: Mapping[str, str]) -> Path:
    """Write each text below the folder, byte by byte as it is; gives the folder."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def counts(report: Report) -> tuple[int, int, int, int, int]:
    """Notes: all, added, changed, removed, unchanged."""
    return report.notes, report.added, report.changed, report.removed, report.unchanged
