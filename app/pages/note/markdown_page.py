"""A note's Markdown as a page: safe HTML whose blocks say which lines they come from.

It is read as the ingest reads it, so that a cited line is found again. All that is written is
written by us: the notes' words are escaped, their raw HTML is written anew, and no address of
theirs but of the web and of mail becomes a link.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, cast
from urllib.parse import quote, unquote

from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from app.pages.note.code import code_html
from app.pages.note.safe_html import (
    OUTSIDE,
    at_time,
    clean_html,
    clean_inline,
    web_address,
    web_link,
)
from ingest.notes.dialect import parser
from ingest.notes.dialect_lines import read_lines
from ingest.notes.front_matter import read_front_matter
from ingest.notes.lines import line_spans
from kg.errors import UnreadableNote

__all__ = ["Surroundings", "markdown_html"]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a page's addresses lead to.

    `picture` gives the element of a picture by its address, its words and whether it is looked for
    anywhere, "" for none; `note` the name of another note by its address, "" for none.
    """

    picture: Callable[[str, str, bool], str]
    note: Callable[[str], str]


def markdown_html(text: str, around: Surroundings, *, is_cell: bool = False) -> str:
    """Markdown as a page, each block with `data-lines="first-last"`, 1-based and inclusive.

    Parameters
    ----------
    text : str
        The note as ingested, or the source of a notebook's cell.
    around : Surroundings
        What its addresses lead to.
    is_cell : bool
        A cell has no front matter.
    """
    tokens = parser().parse("\n".join(_shown_lines(text, is_cell)))
    page = _Page(around)
    renderer = RendererHTML(parser())
    renderer.rules = {**renderer.rules, **page.rules()}
    for at, token in enumerate(tokens):
        _place(token)
        if token.children:
            _tick(tokens[max(0, at - 2)], token.children[0])
            page.prepare(token)
    return str(renderer.render(tokens, parser().options, {}))


def _shown_lines(text: str, is_cell: bool) -> list[str]:
    """What is read of each line; front matter and the marks of other programs are blank."""
    try:
        skipped = 0 if is_cell else read_front_matter(text).line_count
    except UnreadableNote:
        skipped = 0
    lines = [
        text[start:end].replace("\0", "\ufffd") if at >= skipped else ""
        for at, (start, end) in enumerate(line_spans(text))
    ]
    return [
        f"**{line.text.strip()}**" if line.role == "box" and line.text.strip() else line.text
        for line in read_lines(lines)
    ]


def _place(token: Token) -> None:
    """Write the lines of a block on its element; a tight item's words get an element for it."""
    if token.type in ("paragraph_open", "paragraph_close") and token.hidden:
        token.hidden, token.tag, token.block = False, "span", False
    if token.map and token.nesting == 1:
        token.attrSet("data-lines", f"{token.map[0] + 1}-{token.map[1]}")
    if token.type == "table_open":
        token.attrSet("tabindex", "0")  # a wide one is scrolled by keyboard, too
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(6, int(token.tag[1]) + 2)}"  # h2 is the note's name


def _tick(before: Token, first: Token) -> None:
    """Write what a list's item begins with, where it is a task, as a box; GitHub's task lists."""
    box = _BOXES.get(first.content[:4].casefold()) if first.type == "text" else None
    if before.type == "list_item_open" and box:
        first.content = f"{box} {first.content[4:]}"
        before.attrSet("class", "g-task")


_BOXES = {"[ ] ": "☐", "[x] ": "☑"}
# Parts of a paragraph in which a line may end unsaid.
_OVER_LINES = frozenset({"code_inline", "html_inline", "math_inline", "math_inline_double"})
_Rule = Callable[[Sequence[Token], int, Any, Any], str]


class _Page:
    """How each kind of token is written."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    def rules(self) -> dict[str, Any]:
        """What takes the place of the renderer's own rules."""
        rules: dict[str, Callable[[Token], str]] = {
            "text": lambda token: html.escape(token.content),
            "code_inline": lambda token: f"<code>{html.escape(token.content)}</code>",
            "fence": _fence,
            "code_block": _fence,
            "math_inline": _inline_formula,
            "math_inline_double": _inline_formula,  # among words it is a part of the line
            "math_block": _formula,
            "html_block": self._html_block,
            "html_inline": lambda token: str(token.meta.get("html", "")),
            "softbreak": _line_break,
            "hardbreak": lambda token: f"<br>{_line_break(token)}",
            "image": self._image,
            "wikipicture": self._wikipicture,
            "wikilink": self._wikilink,
            "link_open": self._link_open,
            "link_close": lambda token: f"{token.meta.get('when', '')}</a>",
        }
        return {kind: _by_token(rule) for kind, rule in rules.items()}

    def prepare(self, inline: Token) -> None:
        """Note on a paragraph's parts what depends on those before: lines, and tags that close."""
        children = inline.children or []
        line = inline.map[0] + 1 if inline.map else 0
        for child in children:
            start, end = child.meta.get("at", (0, 0))
            if child.type in ("softbreak", "hardbreak"):
                line += 1
                child.meta["line"] = line
            elif child.type in _OVER_LINES:
                line += inline.content[start:end].count("\n") if end else child.content.count("\n")
        _say_times(children)
        tags = [child for child in children if child.type == "html_inline"]
        pictures = clean_inline([tag.content for tag in tags], self._picture)
        for tag, written in zip(tags, pictures, strict=True):
            tag.meta["html"] = written

    def _picture(self, address: str, words: str, anywhere: bool = False) -> str:
        """A picture; one that lies elsewhere is a link, as nothing is fetched."""
        if web_address(address):
            name = words or PurePosixPath(address.partition("?")[0]).name or address
            return web_link(web_address(address), f"picture: {name}")
        name = words or PurePosixPath(unquote(address)).name
        missing = f'<span class="g-missing">picture: {html.escape(name)}</span>'
        return self.around.picture(address, words, anywhere) or missing

    def _image(self, token: Token) -> str:
        words = "".join(child.content for child in token.children or [])
        return self._picture(str(token.attrs.get("src", "")), words or token.content)

    def _wikipicture(self, token: Token) -> str:
        return self._picture(token.meta["target"], "", anywhere=True)

    def _html_block(self, token: Token) -> str:
        first, last = token.map or (0, 1)
        inner = clean_html(token.content, self._picture)
        return f'<div data-lines="{first + 1}-{last}">{inner}</div>\n' if inner.strip() else ""

    def _wikilink(self, token: Token) -> str:
        target = str(token.meta["target"])
        words = html.escape(token.content or target)
        note = self.around.note(target)
        to = f"#note/{quote(note, safe='')}" if note else f"#concept/{quote(target, safe='')}"
        return f'<a class="g-link" href="{to}">{words}</a>'

    def _link_open(self, token: Token) -> str:
        address = str(token.attrs.get("href", ""))
        if web_address(address):
            return f'<a href="{html.escape(web_address(address))}" {OUTSIDE}>'
        note = self.around.note(address)
        if note:
            return f'<a class="g-link" href="#note/{quote(note, safe="")}">'
        return "<a>"  # without an address: words


def _say_times(parts: Sequence[Token]) -> None:
    """Note on the end of each link to a film when it begins, where its words do not say it."""
    address, words = "", ""
    for part in parts:
        if part.type == "link_open":
            address, words = web_address(str(part.attrs.get("href", ""))), ""
        elif part.type == "link_close":
            part.meta["when"] = at_time(address, words) if address else ""
        else:
            words += part.content


def _by_token(rule: Callable[[Token], str]) -> _Rule:
    def written(tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
        return rule(tokens[at])

    return written


def _fence(token: Token) -> str:
    first = (token.map or [0, 0])[0] + (2 if token.type == "fence" else 1)
    language = token.info.strip().lstrip("{.").split(maxsplit=1)[0] if token.info.strip() else ""
    return code_html(token.content.removesuffix("\n"), language.rstrip("},").lower(), first) + "\n"


def _inline_formula(token: Token) -> str:
    return f'<span class="g-math">{html.escape(token.content)}</span>'


def _formula(token: Token) -> str:
    first, last = token.map or (0, 1)
    words = token.content.strip()
    for opening, closing in (("$$", "$$"), ("\\[", "\\]")):
        if words.startswith(opening):
            words = words.removeprefix(opening).removesuffix(closing).strip()
    lines = f'data-lines="{first + 1}-{last}"'
    return f'<div class="g-math g-display" tabindex="0" {lines}>{html.escape(words)}</div>\n'


def _line_break(token: Token) -> str:
    """A line's end in the source; where the next begins is marked, so that it can glow alone."""
    return f'\n<i data-line="{cast(int, token.meta.get("line", 0))}"></i>'
