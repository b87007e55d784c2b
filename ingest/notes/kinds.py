"""Which kinds of files are notes, and how each is taken apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath

from ingest.notes.markdown import parse_markdown
from ingest.notes.notebook import parse_notebook
from ingest.notes.parsed import ParsedNote

__all__ = ["READERS", "UNREAD", "parse_note"]

# By the end of the file's name, in lower case.
READERS: dict[str, Callable[[str], ParsedNote]] = {
    ".md": parse_markdown,
    ".markdown": parse_markdown,
    ".mdx": parse_markdown,
    ".qmd": parse_markdown,
    ".rmd": parse_markdown,
    ".ipynb": parse_notebook,
}
# Ends of names of texts that people write notes in and that are not read: an ingest says so.
UNREAD = frozenset(
    {
        ".adoc", ".asciidoc", ".doc", ".docx", ".epub", ".htm", ".html", ".odt", ".org", ".pdf",
        ".ppt", ".pptx", ".rst", ".rtf", ".tex", ".textile", ".txt", ".typ", ".wiki",
    }
)  # fmt: skip


def parse_note(text: str, name: str) -> ParsedNote:
    """Take a note apart, by the end of its name.

    Raises
    ------
    UnreadableNote
        The notebook's JSON is not valid, or the front matter has no sane size; carries the line.
    """
    return READERS[PurePosixPath(name).suffix.lower()](text)
