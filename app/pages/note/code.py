"""Code as lines of coloured HTML, each with its place in the note."""

from __future__ import annotations

import html

from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Keyword, Name, Number, Operator, String, _TokenType
from pygments.util import ClassNotFound

__all__ = ["code_html", "text_html"]

MOST = 20_000  # characters; a longer block is data, not code, and stays plain
# The few colours that a reader tells apart, by pygments' kinds; the first that holds one counts.
_COLOURS = (
    (Comment, "c"),
    (Keyword, "k"),
    (Operator.Word, "k"),
    (String, "s"),
    (Number, "n"),
    (Name.Function, "f"),
    (Name.Class, "f"),
    (Name.Decorator, "f"),
    (Name.Builtin, "b"),
)


def code_html(code: str, language: str, first: int) -> str:
    """A block of code, a line of HTML for each of its lines; `first` is its first line's number."""
    return _block(_coloured(code, language), "g-code", first)


def text_html(text: str, first: int) -> str:
    """Text as it stands, such as what a cell printed."""
    return _block([html.escape(line) for line in text.split("\n")], "g-output", first)


def _block(lines: list[str], css: str, first: int) -> str:
    shown = "".join(
        f'<span class="g-row-of" data-lines="{number}-{number}">{line or "&#8203;"}</span>'
        for number, line in enumerate(lines, first)
    )
    return f'<pre class="{css}" tabindex="0"><code>{shown}</code></pre>'


def _coloured(code: str, language: str) -> list[str]:
    """HTML of each line; a token that spans lines is cut at their ends."""
    plain = [html.escape(line) for line in code.split("\n")]
    if not language or len(code) > MOST:
        return plain
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return plain
    lines = [""]
    for kind, value in lexer.get_tokens(code):
        first, *rest = (_span(kind, part) for part in value.split("\n"))
        lines[-1] += first
        lines += rest
    return lines if len(lines) == len(plain) else plain


def _span(kind: _TokenType, text: str) -> str:
    css = next((name for group, name in _COLOURS if kind in group), "")
    words = html.escape(text)
    return f'<span class="g-{css}">{words}</span>' if css and text else words
