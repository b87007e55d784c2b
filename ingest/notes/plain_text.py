"""The words of a piece of Markdown, without its marks: for embeddings, summaries and headings."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from urllib.parse import unquote

from markdown_it.token import Token

from ingest.notes.dialect import FENCED, parser
from ingest.notes.dialect_lines import readable
from ingest.notes.dialect_marks import ERASED

__all__ = ["TAG", "html_words", "inline_text", "picture_of", "plain", "without_tags"]

TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<raw>script|style)\b.*?(?:</(?P=raw)\s*>|\Z)"
    r"|</?(?!\w+://)[A-Za-z][\w:.-]*+(?=[\s/>])(?:\"[^\"]*\"|'[^']*'|[^'\"<>])*+>",
    re.DOTALL | re.IGNORECASE,
)
_NO_TAG = re.compile(
    rf"{FENCED}|`[^`\n]+`|\$\$.{{0,5000}}?\$\$|\$[^$\n]+\$", re.DOTALL | re.MULTILINE
)
_HTML = re.compile(r"^[ \t]*</?[A-Za-z][^\n]*(?:\n(?![ \t]*\n)[^\n]*)*", re.MULTILINE)
_INDENTS = re.compile(r"^[ \t]+", re.MULTILINE)
_HTML_LEAD = re.compile(rf"^[ \t]*{ERASED}[ \t{ERASED}]*", re.MULTILINE)
_ATTRIBUTE = re.compile(
    r"(?<![-\w:.])([A-Za-z_:][-\w:.]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))"
)
_PICTURE_TAG = re.compile(r"<img\b", re.IGNORECASE)
_FORMULA_SERVICE = re.compile(r"latex|codecogs|chart\.googleapis|/math/", re.IGNORECASE)
# Texts whose words are kept: after an edit most of a vault is what it was. About 20 MB.
KEPT = 16_384
_MARKUP = re.compile(
    r"[\\`*_\[\]<>&$~#|!%^@{\ufeff]|==|::|//|\?\?\?|^[ \t]*(?:[-+=]|\d+[.)])|^(?: {4}|\t)"
    r"|^(?:import|export)[ \t]|^\(|:[a-z][\w+-]*:|(?:SCHEDULED|DEADLINE|CLOSED):",
    re.MULTILINE,
)
_VERBATIM = frozenset({"fence", "code_block"})
_FORMULA_MARKS = re.compile(r"\$\$|\\\[|\\\]")
_HIGHLIGHT = re.compile(r"(?<![\w=])==(?=[^\s=])|(?<=[^\s=])==(?![\w=])")
_CALLOUT = re.compile(r"^\[!(?P<sort>[\w-]+)\][+-]?[ \t]*(?P<title>[^\n]*)")


@lru_cache(maxsize=KEPT)
def plain(text: str) -> str:
    r"""Words of Markdown: those of links, alternative texts of pictures, formulas.

    Code and formulas stay as they are, HTML tags go, entities are decoded, white space is folded to
    single blanks.

    Examples
    --------
    >>> plain("- **Dropout** ([paper](https://e.org)) sets `x` to 0 &amp; more\n\n![a net](n.png)")
    'Dropout (paper) sets x to 0 & more a net'
    >>> plain("> [!tip] Soon\n> ==Later== is `a==b`, %%or not%% now. #todo ^one")
    'Soon: Later is a==b, now.'
    """
    if _MARKUP.search(text) is None:
        return " ".join(text.split())
    tokens = parser().parse(readable(text.removeprefix("\ufeff")))
    return " ".join(" ".join(_pieces(tokens)).split())


def _pieces(tokens: Iterable[Token]) -> Iterable[str]:
    for token in tokens:
        if token.type == "inline":
            yield _without_callout(token.content, inline_text(token.children or ()))
        elif token.type in _VERBATIM:
            yield token.content
        elif token.type == "math_block":
            yield _FORMULA_MARKS.sub(" ", token.content)
        elif token.type == "html_block":
            yield html_words(token.content)


def _without_callout(source: str, words: str) -> str:
    """A callout's words without its marker: "[!note] On time" begins "On time: …"."""
    marker = _CALLOUT.match(source)
    if marker is None:
        return words
    rest = words.removeprefix(f"[!{marker['sort']}]").lstrip("+-").lstrip()
    title = marker["title"].strip()
    return (
        f"{title}: {rest[len(title) :].strip()}"
        if title and len(rest) > len(title) and rest.startswith(title)
        else rest
    )


def inline_text(tokens: Sequence[Token], pictures: bool = True) -> str:
    """Words of inline tokens, white space folded.

    `pictures` says whether alternative texts count as words.
    """
    parts = []
    for token in tokens:
        if token.type in ("softbreak", "hardbreak"):
            parts.append(" ")
        elif token.type == "image":
            if pictures:
                title = str(token.attrGet("title") or "")
                parts.append(
                    _picture_words(
                        str(token.attrGet("src")), inline_text(token.children or ()), title
                    )
                )
        elif token.type == "html_inline":
            parts.append(_tag_words(token.content) if pictures else "")
        elif token.type == "text":
            parts.append(_HIGHLIGHT.sub("", token.content))
        else:
            parts.append(token.content)
    return " ".join("".join(parts).split())


def html_words(source: str) -> str:
    """Words of HTML, without tags, comments, scripts and styles; pictures leave theirs."""
    words = TAG.sub(lambda tag: f" {_tag_words(tag.group())} ", source)
    return " ".join(html.unescape(words).split())


def without_tags(source: str) -> str:
    """Markdown without HTML's tags and comments, but in code and formulas.

    >>> without_tags("H<sub>2</sub>O<!-- wet --> `a<b>c` <https://e.org>")
    'H2O `a<b>c` <https://e.org>'
    """
    if "<" not in source:
        return source
    kept = [(0, 0), *(m.span() for m in _NO_TAG.finditer(source)), (len(source), len(source))]
    return "".join(
        _tags_out(source, after, start) + source[start:end]
        for (_, after), (start, end) in pairwise(kept)
    )


def _tags_out(source: str, start: int, end: int) -> str:
    """A part of Markdown without tags; HTML's own lines lose their indent, too."""
    parts = []
    for block in _HTML.finditer(source, start, end):
        words = TAG.sub(f"{ERASED} ", _INDENTS.sub("", block.group()))
        parts += [source[start : block.start()], _HTML_LEAD.sub("", words).replace(ERASED, "")]
        start = block.end()
    text = "".join([*parts, source[start:end]])
    return TAG.sub(lambda tag: " " if tag[0][:3].lower() == "<br" else "", text)


def picture_of(tag: str) -> tuple[str, str, str] | None:
    """Source, alternative text and title of an `<img>` tag, entities decoded.

    None for any other tag.
    """
    if _PICTURE_TAG.match(tag) is None:
        return None
    attributes = {
        match.group(1).lower(): html.unescape(
            next(value for value in match.groups()[1:] if value is not None)
        )
        for match in _ATTRIBUTE.finditer(tag)
    }
    return attributes.get("src", ""), attributes.get("alt", ""), attributes.get("title", "")


def _tag_words(tag: str) -> str:
    """What an HTML tag says in words: a picture's text, a blank for a line break, or nothing."""
    picture = picture_of(tag)
    if picture is None:
        return " " if tag[:3].lower() == "<br" else ""
    return _picture_words(*picture)


def _picture_words(source: str, alternative: str, title: str) -> str:
    """Words of a picture: the formula that a web service draws, else its text or title."""
    if _FORMULA_SERVICE.search(source) is None:
        return alternative or title
    if title or alternative:
        return title or alternative
    formula = unquote(source.partition("?")[2]).replace("&space;", " ").replace("&plus;", "+")
    return html.unescape(formula)
