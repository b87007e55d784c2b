"""The Markdown of notes: CommonMark with tables, math, wikilinks, bare addresses.

Every inline token that a reader may want to point at carries its place: `token.meta["at"]` is the
half-open span of its source within the inline content (for emphasis, of the single delimiter
character).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline, autolink, backtick, html_inline, image, link
from markdown_it.rules_inline import emphasis as emphasis_rules
from markdown_it.token import Token
from mdit_py_plugins.dollarmath.index import math_inline_dollar

__all__ = ["FENCED", "MATH_LINES", "MAX_NESTING", "parser"]

MATH_LINES = 200  # a formula longer than this is an opening marker that was never closed
# Lists in lists count twice. Beyond it markdown-it swallows the rest; Python's stack goes further.
MAX_NESTING = 60
# A paragraph beyond either is read as words without marks: CommonMark's rules look from many of its
# marks to the end anew. Honest ones stay far below.
MAX_TEXT = 10_000  # characters
MAX_BRACKETS = 1_000

# A fenced block of code, to be matched with re.M and re.S; without its end it goes on to the last
# line.
FENCED = r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?(?P<fence>```+|~~~+).*?(?:^[ \t>]*(?P=fence)|\Z)"

_InlineRule = Callable[[StateInline, bool], bool]

_BEGIN = re.compile(r"\\begin\{([A-Za-z]+\*?)\}")
_WIKILINK = re.compile(r"(!?)\[\[([^\[\]|#\n]*)(#[^\[\]|\n]*)?(?:\|([^\[\]\n]*))?\]\](?!\()")
_PICTURE = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|bmp)$", re.IGNORECASE)
_SCHEME = re.compile(r"(?<![A-Za-z0-9])https?$")
_SCHEME_REACH = len("https") + 1  # with the character before it, which must be no letter
_ADDRESS = re.compile(r"://[^\s<>`\"]+")
_AFTER_ADDRESS = "?!.,:;*_~'"


@cache
def parser() -> MarkdownIt:
    """The one parser; it keeps no state between texts."""
    md = MarkdownIt("commonmark", {"html": True, "maxNesting": MAX_NESTING}).enable(
        ["table", "strikethrough"]
    )
    # addresses are kept as the author wrote them; whoever shows them escapes them
    md.normalizeLink = lambda url: url  # type: ignore[method-assign]
    md.normalizeLinkText = lambda link: link  # type: ignore[method-assign]
    md.block.ruler.before(
        "fence",
        "math_block",
        _math_block,
        {"alt": ["paragraph", "reference", "blockquote", "list", "table"]},
    )
    md.core.ruler.at("inline", _inline)
    md.inline.ruler.before("escape", "math_inline", math_inline_dollar(False, False, True))
    md.inline.ruler.before("link", "wikilink", _placed(_wikilink))
    md.inline.ruler.before("link", "address", _address)
    for name, rule in (
        ("link", link),
        ("image", image),
        ("autolink", autolink),
        ("backticks", backtick),
        ("html_inline", html_inline),
    ):
        md.inline.ruler.at(name, _placed(rule))
    md.inline.ruler.at("emphasis", _placed_delimiters(emphasis_rules.tokenize))
    return md


def _inline(state: StateCore) -> None:
    for token in state.tokens:
        if token.type != "inline":
            continue
        token.children = []
        if len(token.content) <= MAX_TEXT and token.content.count("[") <= MAX_BRACKETS:
            state.md.inline.parse(token.content, state.md, state.env, token.children)
        else:
            token.children.append(Token("text", "", 0, content=token.content))


def _placed(rule: _InlineRule) -> _InlineRule:
    """The same rule, noting on each token it makes where the matched source lies."""

    def placed(state: StateInline, silent: bool) -> bool:
        before, start = len(state.tokens), state.pos
        if not rule(state, silent):
            return False
        for token in state.tokens[before:]:
            token.meta.setdefault("at", (start, state.pos))
        return True

    return placed


def _placed_delimiters(rule: _InlineRule) -> _InlineRule:
    """The same for a rule that makes one token of every delimiter character."""

    def placed(state: StateInline, silent: bool) -> bool:
        start = state.pos
        if not rule(state, silent):
            return False
        length = state.pos - start
        for place, token in zip(range(start, state.pos), state.tokens[-length:], strict=True):
            token.meta["at"] = (place, place + 1)
        return True

    return placed


def _wikilink(state: StateInline, silent: bool) -> bool:
    """`[[Concept#section|shown]]`, and `![[picture.png]]`.

    Brackets of arrays and indexing are left alone.
    """
    if state.src[state.pos] not in "[!":
        return False
    match = _WIKILINK.match(state.src, state.pos, state.posMax)
    indexing = state.pos > 0 and (
        state.src[state.pos - 1].isalnum() or state.src[state.pos - 1] in "_)]"
    )
    if match is None or indexing:
        return False
    embed, concept, section, shown = match.groups()
    target = (concept or (section or "").lstrip("#")).strip().rstrip("\\").strip()
    if not any(letter.isalpha() for letter in target) or target[0] in "\"'":
        return False
    if not silent:
        picture = bool(embed) and _PICTURE.search(target) is not None
        token = state.push("wikipicture" if picture else "wikilink", "", 0)
        token.content = "" if embed else (shown or "").strip() or target
        token.meta["target"] = target
    state.pos = match.end()
    return True


def _address(state: StateInline, silent: bool) -> bool:
    """A bare web address in running text.

    Entered at its colon, when the scheme is already pending.
    """
    if silent or state.src[state.pos] != ":" or state.linkLevel > 0:
        return False
    scheme = _SCHEME.search(state.pending[-_SCHEME_REACH:])
    rest = _ADDRESS.match(state.src, state.pos, state.posMax)
    if scheme is None or rest is None:
        return False
    tail = _without_sentence_marks(rest.group())
    if len(tail) <= len("://"):
        return False
    address = scheme.group() + tail
    state.pending = state.pending[: -len(scheme.group())]
    place = (state.pos - len(scheme.group()), state.pos + len(tail))
    opening = state.push("link_open", "a", 1)
    opening.attrs = {"href": address}
    opening.meta["at"] = place
    state.push("text", "", 0).content = address
    state.push("link_close", "a", -1).meta["at"] = place
    state.pos += len(tail)
    return True


def _without_sentence_marks(address: str) -> str:
    """Drop what ends the sentence, not the address: marks, and brackets opened before."""
    while address:
        last = address[-1]
        unopened = (last == ")" and address.count(")") > address.count("(")) or (
            last == "]" and address.count("]") > address.count("[")
        )
        if last not in _AFTER_ADDRESS and not unopened:
            break
        address = address[:-1]
    return address


def _math_block(state: StateBlock, start_line: int, end_line: int, silent: bool) -> bool:
    r"""A display formula on lines of its own: `$$…$$`, `\[…\]` or `\begin{…}…\end{…}`.

    May interrupt a paragraph.
    """
    if state.is_code_block(start_line):
        return False
    first = state.src[
        state.bMarks[start_line] + state.tShift[start_line] : state.eMarks[start_line]
    ]
    marks = _math_marks(first)
    if marks is None:
        return False
    opening, closing = marks
    rest = first[len(opening) :]
    line = start_line
    if closing in rest:
        if not rest.rstrip().endswith(closing):
            return False
    else:
        line = _closing_line(state, start_line, end_line, closing)
        if line < 0:
            return False
    if silent:
        return True
    token = state.push("math_block", "math", 0)
    token.block = True
    token.content = state.getLines(start_line, line + 1, state.blkIndent, False)
    token.map = [start_line, line + 1]
    state.line = line + 1
    return True


def _math_marks(first: str) -> tuple[str, str] | None:
    """What opens the formula at the start of its first line, and what will close it."""
    if first.startswith("$$"):
        return "$$", "$$"
    if first.startswith("\\["):
        return "\\[", "\\]"
    begin = _BEGIN.match(first)
    return (begin.group(), f"\\end{{{begin.group(1)}}}") if begin else None


def _closing_line(state: StateBlock, start_line: int, end_line: int, closing: str) -> int:
    """Index of the line that closes the formula, -1 when none of this item or quote does."""
    for line in range(start_line + 1, min(end_line, start_line + MATH_LINES)):
        if not state.isEmpty(line) and state.sCount[line] < state.blkIndent:
            return -1
        if closing in state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]:
            return line
    return -1
