"""The editors of this machine that open a cited note at its line."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from kg.types import Place

if TYPE_CHECKING:
    from kg.store import NoteFile

__all__ = ["EDITORS", "address_in", "editor_of"]

EDITORS = ("auto", "vscode", "obsidian", "none")


def editor_of(file: NoteFile, editor: str) -> str:
    """The editor that opens this file: one of EDITORS, and not "auto"."""
    if editor != "auto":
        return editor
    return "obsidian" if (file.root / ".obsidian").is_dir() else "vscode"


def address_in(editor: str, file: NoteFile, at: Place) -> str:
    """The address that opens a file there; "" for no editor."""
    path = str(file.path.absolute())
    if editor == "obsidian":
        return f"obsidian://open?path={quote(path, safe='')}"
    if editor == "vscode":
        line = f":{at.line_start}" if at.line_start and at.cell is None else ""
        return f"vscode://file{'' if path.startswith('/') else '/'}{quote(path)}{line}"
    return ""
