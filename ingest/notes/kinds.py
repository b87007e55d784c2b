"""Parse a note by its kind: a notebook where its name says so, Markdown otherwise."""

from __future__ import annotations

from ingest.notes.markdown import parse_markdown
from ingest.notes.notebook import parse_notebook
from ingest.notes.parsed import ParsedNote

__all__ = ["parse_note"]


def parse_note(text: str, name: str) -> ParsedNote:
    """Take a note apart.

    Raises
    ------
    UnreadableNote
        The front matter or the notebook's JSON is not valid; carries the line.
    """
    return parse_notebook(text) if name.lower().endswith(".ipynb") else parse_markdown(text)
