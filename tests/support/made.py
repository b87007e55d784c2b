"""Notes written for one test, and what an ingest of them counted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ingest.build import Report

__all__ = ["counts", "write_notes"]


def write_notes(folder: Path, texts: Mapping[str, str]) -> Path:
    """Write each text below the folder, byte by byte as it is; gives the folder."""
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
    return folder


def counts(report: Report) -> tuple[int, int, int, int, int]:
    """Notes: all, added, changed, removed, unchanged."""
    return report.notes, report.added, report.changed, report.removed, report.unchanged
