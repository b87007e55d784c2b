r"""Notes of other programs, read line by line as CommonMark.

Boxes lose their fences and indents, outlines' headings their bullets; properties and what only
machines read is taken out. A line is never joined, split or moved, and what is left of it ends as
the line does, so that every place in it is known.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, zip_longest

from ingest.notes.dialect_fences import HEADING, Fenced, Line, fenced
from ingest.notes.dialect_marks import ERASED, erased
from ingest.notes.dialect_outline import column_of, dedented, without_outline
from ingest.notes.properties import is_property

__all__ = ["Line", "blanked", "read_lines", "readable"]

_NEWLINE = re.compile(r"\r\n?|\n")
# What is taken out behind a line's indent and marks would else be an indent itself.
_LEAD = re.compile(
    rf"^(?P<lead>[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?){ERASED}[{ERASED} \t]*(?=[^{ERASED} \t])"
)

# MkDocs: `!!! note "Title"`, `??? tip`, `=== "Tab"`; its body is indented.
_INDENTED_BOX = re.compile(
    r"^[ \t]*(?:(?:!!!|\?\?\?\+?)[ \t]*[A-Za-z][\w-]*(?: [\w-]+)*|===[!+]?(?=[ \t]*\"))"
    r"[ \t]*(?:\"(?P<title>.*)\")?[ \t]*$"
)
_BODY = 4  # columns by which it is
# Docusaurus, Pandoc, Quarto and MyST, and Python-Markdown's newer blocks.
_BOX_FENCE = re.compile(
    r"^[ \t]*(?P<fence>:{3,}(?!:)|/{3,}(?=[ \t]*(?:[a-z][\w-]*[ \t]*(?:\|.*)?)?$))"
    r"[ \t]*(?P<rest>.*)$"
)
_OPENED = re.compile(
    r"^(?:\{(?P<directive>[A-Za-z][\w:-]*)\}|(?P<name>[A-Za-z][\w-]*))?"
    r"(?:\[(?P<label>[^\]]*)\])?[ \t]*(?:\{(?P<attributes>[^{}]*)\})?[ \t]*\|?[ \t]*(?P<rest>.*)$"
)
_TITLE_ATTRIBUTE = re.compile(r"\btitle=(?:\"([^\"]*)\"|'([^']*)')")
_BOX_ATTRIBUTE = re.compile(r"\.callout|\.panel-tabset|#[a-z]+-")
_PATH = re.compile(r"^\S+\.\w{2,5}$|^https?://\S+$")  # of a picture or another file: no title
_OPTION = re.compile(r"^[ \t]*:[\w-]+:(?:[ \t].*)?$")

_FOOTNOTE = re.compile(r"^[ ]{0,3}\[\^[^\]\s]+\]:[ \t]+(?=\S)")
_FOR_MACHINES = re.compile(
    r"^[ \t]*(?:[-*+][ \t]+)?(?:(?:SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[]\d{4}-.*"
    r"|#\+\w+(?:[ \t:].*)?|\[\[?_?toc_?\]\]?|;?-{1,2}8<-{1,2}[ \t]+\S.*)$"
    r"|^\+\+\+(?:[ \t]*\{.*)?$|^%[ \t].*$|^\([\w:-]+\)=[ \t]*$|^\*\[[^\]]+\]:[ \t].*$",
    re.IGNORECASE,
)
_MODULE = re.compile(
    r"^(?:import[ \t]+(?:.+[ \t]from[ \t]+)?[\"'][^\"']+[\"'];?[ \t]*$"
    r"|export[ \t]+(?:const|let|var|default|function|async|class|\{|\*))"
)
_REGIONS = (
    (re.compile(r"^[ \t]*:[A-Za-z-]+:[ \t]*$"), re.compile(r"^[ \t]*:END:[ \t]*$", re.I)),
    (re.compile(r"^[ \t]*(?:- )?#\+BEGIN_QUERY", re.I), re.compile(r"^[ \t]*#\+END_QUERY", re.I)),
    (re.compile(r"^[ \t]*-{1,2}8<-{1,2}[ \t]*$"), re.compile(r"^[ \t]*-{1,2}8<-{1,2}[ \t]*$")),
)
# No text without one of these needs to be read line by line.
_ANY = re.compile(
    r"\{|%%|<!--|::|\(\(|\[\^|@|```|~~~|[#^]\w|#\[\[|8<|\+\+\w|:[A-Za-z][\w+-]*:|\[\[?_?toc"
    r"|^%|^\+\+\+|^\([\w:-]+\)=|^\*\[|^[ \t]*(?:- )?#\+|^[ \t]*[-*+][ \t]+#"
    r"|^[ \t]*(?:!!!|\?\?\?|===|///)|^(?:import|export)[ \t]|(?:SCHEDULED|DEADLINE|CLOSED):",
    re.IGNORECASE | re.MULTILINE,
)


def read_lines(lines: Sequence[str]) -> list[Line]:
    """What is read of each line of a whole note, or of a part of it; marks within it are blanks."""
    return [
        replace(line, text=_LEAD.sub(r"\g<lead>", line.text).replace(ERASED, " "))
        if ERASED in line.text
        else line
        for line in _read("\n".join(lines)).lines
    ]


def readable(text: str, titles: bool = True) -> str:
    r"""Markdown as CommonMark that shows what its own program would: titles of boxes run in.

    A fence that nothing closes is closed. `titles` says whether those of boxes are shown at all.

    >>> readable('!!! note "In short"\n    A **norm** is a length.\n\nMore of it {{embed x}}.')
    '**In short:**\nA **norm** is a length.\n\nMore of it.'
    >>> readable("alias:: Prompts\n\n- # Prompt\n\t- A prompt is a text.\n\t  id:: 1")
    '# Prompt\n- A prompt is a text.'
    """
    if _ANY.search(text) is None:
        return text
    text = _NEWLINE.sub("\n", text)
    sources, read = text.split("\n"), _read(text)
    shown: list[str] = []
    boxed = False  # whether a box has begun or ended and nothing stands behind it yet
    for line, source in zip(read.lines, sources, strict=True):
        words = line.text.replace(ERASED, "")
        if line.role == "gone" or (line.role == "text" and _emptied(words, source)):
            continue
        if line.role == "box":
            shown += [""] if shown and shown[-1] else []
            shown += [_run_in(words)] if words and titles else []
        elif line.role == "code" or words.strip() or not boxed:
            shown.append(words)
        boxed = line.role == "box" or (boxed and not words.strip())
    closing = [read.unclosed] if read.unclosed else []
    return "\n".join([*shown, *closing]).lstrip("\n").rstrip()


def blanked(text: str) -> str:
    """The text with blanks for all that is not read as text or code, offsets kept."""
    if _ANY.search(text) is None:
        return text
    newlines = [match.group() for match in _NEWLINE.finditer(text)]
    text = _NEWLINE.sub("\n", text)
    parts = []
    for line, source in zip(_read(text).lines, text.split("\n"), strict=True):
        own = "" if line.role in ("box", "gone") else line.text.replace(ERASED, " ")
        parts.append(own.rjust(len(source)) if len(own) <= len(source) else source)
    return "".join(chain.from_iterable(zip_longest(parts, newlines, fillvalue="")))


def _emptied(words: str, source: str) -> bool:
    """Whether nothing is left of a line, the mark of an item aside."""
    return bool(source.strip()) and words != source and not words.strip(" \t-*+")


def _run_in(title: str) -> str:
    title = title.strip().replace("**", "")
    return f"**{title}**" if title.endswith((":", "?", "!", ".")) else f"**{title}:**"


@lru_cache(maxsize=64)
def _read(text: str) -> Fenced:
    """The lines of a text; of one that is looked at for several reasons in a row, once."""
    sources = text.split("\n")
    if _ANY.search(text) is None:
        return Fenced([Line(source) for source in sources])
    read = fenced(sources)
    lines = _without_boxes(without_outline(read.lines))
    words = erased("\n".join("" if line.role == "code" else line.text for line in lines))
    lines = [
        line if line.text == own or line.role == "code" else replace(line, text=own)
        for line, own in zip(lines, words.split("\n"), strict=True)
    ]
    return Fenced(lines, read.unclosed)


def _next_column(lines: Sequence[Line], at: int) -> int:
    following = (n for n in range(at + 1, len(lines)) if lines[n].text.strip())
    return next((column_of(lines[n].text) for n in following), 0)


def _without_boxes(lines: Sequence[Line]) -> list[Line]:
    """The lines with boxes opened, and without what only machines read."""
    closings = _closings(lines)
    reader = _Reader(lines, closings, _lasts(lines), [])
    return [reader.read(at) for at in range(len(lines))]


def _closings(lines: Sequence[Line]) -> dict[int, int]:
    """The line that closes each fence of a box, by the line that opens it."""
    opened: dict[str, list[int]] = {":": [], "/": []}
    closings: dict[int, int] = {}
    for at, line in enumerate(lines):
        fence = _BOX_FENCE.match(line.text) if line.role == "text" else None
        if fence is None:
            continue
        held = opened[fence["fence"][0]]
        if fence["rest"].rstrip(" \t:"):
            held.append(at)
        elif held:
            closings[held.pop()] = at
    return closings


def _first(lines: Sequence[Line], start: int, wanted: re.Pattern[str]) -> int:
    found = (at for at in range(start, len(lines)) if wanted.match(lines[at].text))
    return next(found, start)


def _lasts(lines: Sequence[Line]) -> dict[re.Pattern[str], int]:
    """The last line that ends a region of each sort, so that none is looked for in vain."""
    return {
        end: max((at for at, line in enumerate(lines) if end.match(line.text)), default=-1)
        for _, end in _REGIONS
    }


@dataclass(slots=True)
class _Reader:
    """Where the reading of lines stands."""

    lines: Sequence[Line]
    closings: dict[int, int]  # line that opens a fence of a box -> line that closes it
    lasts: dict[re.Pattern[str], int]  # the last line that may end a region of each sort
    indents: list[tuple[int, int]]  # of open boxes: column of the body, and how far it is shifted
    boxed: int = -1  # the last line of the fenced boxes that are open
    gone: int = -1  # the last line of what is being left out
    options: bool = False  # whether options of a directive may follow

    def read(self, at: int) -> Line:
        """What is read of one line, after all before it."""
        line = self.lines[at]
        column = column_of(line.text)
        if line.role == "text" and line.text.strip():
            while self.indents and column < self.indents[-1][0]:
                self.indents.pop()
        text = dedented(line.text, self.indents[-1][1]) if self.indents else line.text
        if line.role != "text":
            return replace(line, text=text)
        if not text.strip():
            return Line(text)
        gone = Line("", "gone")
        if at <= self.gone or (self.options and _OPTION.match(text)):
            return gone
        self.options = False
        return self._box(at, text, column) or self._taken_out(at, text) or self._words(at, text)

    def _box(self, at: int, text: str, column: int) -> Line | None:
        """A line that opens or closes a box."""
        opened = _INDENTED_BOX.match(text)
        if opened is not None and _next_column(self.lines, at) >= column + _BODY:
            shift = self.indents[-1][1] if self.indents else 0
            self.indents.append((column + _BODY, shift + _BODY))
            return Line((opened["title"] or "").strip(), "box")
        fence = _BOX_FENCE.match(text)
        if fence is None:
            return None
        opening = fence["rest"].rstrip(" \t:")
        if not opening:
            return Line("", "box")
        rest = _OPENED.match(opening)
        assert rest is not None
        self.options = rest["directive"] is not None
        attributes = rest["attributes"] or ""
        if rest["directive"] or rest["name"] or _BOX_ATTRIBUTE.search(attributes):
            self.boxed = max(self.boxed, self.closings.get(at, -1))
        given = _TITLE_ATTRIBUTE.search(attributes)
        title = rest["label"] or (given and (given[1] or given[2])) or rest["rest"]
        said = any(map(str.isalpha, title)) and not _PATH.match(title)
        return Line(title.strip() if said else "", "box")

    def _taken_out(self, at: int, text: str) -> Line | None:
        """A line that says nothing to a reader."""
        for start, end in _REGIONS:
            if at < self.lasts[end] and start.match(text):
                self.gone = _first(self.lines, at + 1, end)
                return Line("", "gone")
        if _MODULE.match(text):
            self.gone = max(self._before_blank(at), at)
            return Line("", "gone")
        if _FOR_MACHINES.match(text) or is_property(text):
            return Line("", "gone")
        return None

    def _before_blank(self, at: int) -> int:
        lines = range(at, len(self.lines))
        return next((n for n in lines if not self.lines[n].text.strip()), len(self.lines)) - 1

    def _words(self, at: int, text: str) -> Line:
        """A line of words; a heading in a box is a title of it, not a section of the note."""
        heading = HEADING.match(text)
        if heading is not None and (self.indents or at <= self.boxed):
            return Line(heading["words"].rstrip(" \t#"), "box")
        note = _FOOTNOTE.match(text)
        return Line(text[note.end() :] if note else text)
