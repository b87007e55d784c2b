"""Values that parsing a note gives: headings, blocks and marked terms with exact spans.

No file is read here.
"""

from __future__ import annotations

import dataclasses
import json
import re
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Block", "Heading", "LeftOut", "Marked", "ParsedNote", "dump", "load", "storable"]

_HALF = re.compile("[\ud800-\udfff]")  # of a pair that stands for one character in UTF-16


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    `text` is plain (no Markdown, links replaced by their words), `path` includes the heading
    itself.
    """

    level: int
    text: str
    path: tuple[str, ...]
    cell: int | None
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block of Markdown, a list's single item, a code cell or its output.

    Never crosses a cell.
    """

    kind: Literal["paragraph", "item", "table", "code", "math", "html", "output"]
    heading_path: tuple[str, ...]
    cell: int | None
    start: int
    end: int
    line_start: int
    line_end: int
    language: str = ""  # for code: the fence's or the notebook's language
    group: int = -1  # items of one and the same list share a number


@dataclass(frozen=True, slots=True)
class Marked:
    """Inline text the author marked: what it shows, what it points to, and where it stands."""

    kind: Literal["bold", "italic", "code", "wikilink", "link", "image"]
    text: str  # words shown, plain
    target: str  # address of a link or image, concept of a wikilink; "" otherwise
    cell: int | None
    start: int
    end: int
    line: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of a note that could not be read as what it is meant to be, and why."""

    line: int
    why: str


@dataclass(frozen=True, slots=True)
class ParsedNote:
    """One note, taken apart.

    `texts` has one element for Markdown and one for each cell of a notebook.
    """

    texts: tuple[str, ...]
    headings: tuple[Heading, ...]
    blocks: tuple[Block, ...]
    marked: tuple[Marked, ...]
    front_matter: dict[str, Any] = field(default_factory=dict)
    front_matter_lines: dict[str, int] = field(default_factory=dict)  # key -> its 1-based line
    left_out: tuple[LeftOut, ...] = ()

    def text_of(self, cell: int | None) -> str:
        """The text that offsets of this cell count in (of the whole note for Markdown)."""
        return self.texts[cell or 0]


def storable(text: str) -> str:
    """A text that UTF-8 can hold: halves of a character become U+FFFD, one for each.

    JSON and YAML can name such halves; the length stays.
    """
    return _HALF.sub("\ufffd", text)


def dump(parsed: ParsedNote) -> str:
    """A parsed note as JSON text, for the store; its parts as rows, without names of fields."""
    fields = {f.name: getattr(parsed, f.name) for f in dataclasses.fields(parsed)}
    rows = {name: [dataclasses.astuple(part) for part in fields[name]] for name in _PARTS}
    return json.dumps(fields | rows, ensure_ascii=False, default=str, separators=(",", ":"))


def load(text: str) -> ParsedNote:
    """The parsed note that `dump` wrote."""
    raw = json.loads(text)
    parts = {
        name: tuple(of(*map(_as_it_was, row)) for row in raw[name]) for name, of in _PARTS.items()
    }
    return ParsedNote(**raw | parts | {"texts": tuple(raw["texts"])})


def _as_it_was(value: Any) -> Any:
    """JSON has no tuples."""
    return tuple(value) if isinstance(value, list) else value


_PARTS = {"headings": Heading, "blocks": Block, "marked": Marked, "left_out": LeftOut}
