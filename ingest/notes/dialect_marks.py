"""Marks within lines that note-taking and publishing programs read and do not show.

Written on CommonMark's own: comments, names of blocks, tags, macros, roles, citations, attributes.
"""

from __future__ import annotations

import re
from bisect import bisect_right

__all__ = ["ERASED", "erased"]

# Stands for each character taken out, so that offsets stay. No readable note holds it.
ERASED = "\0"

_ROLE = (
    r"(?<![ \t])[ \t]*(?:\{(?P<role>[a-z][\w:+-]*)\}|(?<![\w:]):(?P<rest>[a-z][\w:+-]*):)"
    r"(?P<quote>`+)(?!`)(?P<body>[^`\n]+)(?P=quote)(?!`)"
)
_CODE = r"(?<!`)(?P<ticks>`+)(?!`)(?:(?!(?P=ticks)|\n[ \t]*\n).){1,2000}(?P=ticks)(?!`)"
# A role; or code, a formula or an address, in which nothing is a mark.
_ROLE_OR_VERBATIM = re.compile(
    rf"{_ROLE}|"
    r"\$\$(?:[^$]|\$(?!\$))+\$\$|\$[^$\n]+\$|\\\[(?:(?!\\\[|\n[ \t]*\n).)*?\\\]"
    r"|\\begin\{(?P<environment>[A-Za-z]+\*?)\}(?:(?!\\begin\{(?P=environment)\}).)*?"
    r"\\end\{(?P=environment)\}"
    rf"|{_CODE}"
    r"|\]\([^()\s]*\)|https?://\S+|\\[@{#%^\[]",
    re.DOTALL,
)
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_ATTRIBUTE = r"(?:[#.][A-Za-z][\w:-]*|[\w-]+=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s{}\"']+))"
_ATTRIBUTES = rf"\{{:?[ \t]*{_ATTRIBUTE}(?:[ \t]+{_ATTRIBUTE})*[ \t]*\}}"
_TAG = r"#(?:[A-Za-z][\w/-]*|\[\[[^\[\]\n]+\]\])"
_BLOCK = r"\^(?:[A-Za-z][\w-]+|[0-9a-f]{6})"
_GAP = r"(?:(?<![ \t])[ \t]+)"  # all blanks before a mark
# Marks, each with a sign without which there is none. What a group "kept…" holds stays; all else
# of a match goes.
_MARKS = tuple(
    (sign, re.compile(pattern, re.MULTILINE))
    for sign, pattern in (
        (":", rf"(?:^|{_GAP}):[a-z][\w+-]*:(?!\S)"),
        ("++", r"(?<![\w+])\+\+(?P<kept>[\w+-]+?)\+\+(?![\w+])"),
        ("{", rf"{_GAP}?\{{%[^\n{{]*%\}}|{_GAP}?\{{/\*[^\n{{]*\*/\}}"),
        # Clozes, then macros: one that is called with a text in quotes stands for the last.
        (
            "{{",
            r"\{\{c\d+::(?P<kept>[^{}\n]+?)(?:::[^{}\n]*)?\}\}|\{\{cloze (?P<kept2>[^{}\n]+)\}\}",
        ),
        (
            "{{",
            r"(?<=\S)(?P<kept>[ \t])\{\{\w+\([^{}\n]*?[\"'](?P<kept2>[^{}\"'\n]+)[\"']\s*\)\}\}",
        ),
        ("{{", rf"{_GAP}?\{{\{{(?!\{{)[^{{}}\n]*\}}\}}"),
        ("((", rf"\[(?P<kept>[^\[\]\n]*)\]\(\(\({_UUID}\)\)\)|{_GAP}?\(\({_UUID}\)\)"),
        ("::", r"\[[A-Za-z][\w -]*::[ \t]+(?P<kept>[^\[\]\n]+)\]"),
        ("::", r"\([A-Za-z][\w -]*::[ \t]+(?P<kept>[^()\n]+)\)"),
        ("[^", rf"(?:(?<=\S)|{_GAP})\[\^\w[^\[\]\s]*\](?!:)"),
        ("@", rf"{_GAP}?\[(?:[^\[\]\n@]*[\s;])?-?@\w[^\[\]\n]*\](?![(\[])"),
        ("@", r"(?<![\w@/.`])@(?P<kept>[A-Za-z]\w*(?:[:-]|(?<=\w)(?=\d))[\w:.-]*\w)"),
        ("]{", rf"\[(?P<kept>[^\[\]\n]+)\]{_ATTRIBUTES}"),
        ("{", rf"(?<=[\])`]){_ATTRIBUTES}|{_GAP}?(?=\{{:?[ \t]*[#.]){_ATTRIBUTES}[ \t]*$"),
        ("", rf"(?:^|{_GAP})(?:{_TAG}|{_BLOCK})(?:[ \t]+(?:{_TAG}|{_BLOCK})){{0,20}}[ \t]*$"),
        ("#", r"(?<![^\s(])#(?P<kept>[A-Za-z][\w/-]*|\[\[[^\[\]\n]+\]\])"),
    )
)
_IN_CODE = re.compile(_CODE, re.DOTALL)
_COMMENTS = (("<!--", "-->"), ("%%", "%%"))
_CALLED = re.compile(r"(?P<text>.*[^\s<])\s*<[^<>]*>$")
_FORMULA_ROLE, _CITING_ROLE = "math", "cite"


def erased(text: str) -> str:
    r"""The text with the marks taken out of it, each character of theirs now `ERASED`.

    Code, formulas and addresses stay as they are.

    >>> erased("Adam %%not SGD%% is used[^1] {{embed x}} ^a1").replace(ERASED, "")
    'Adam is used'
    >>> erased("{term}`A loss <loss>` of {math}`x` [@kingma; @liu] `{{a}}`").replace(ERASED, "")
    'A loss of $x$ `{{a}}`'
    """
    for opening, closing in _COMMENTS:
        text = _without_comments(text, opening, closing)
    verbatim = _Spans([m.span() for m in _ROLE_OR_VERBATIM.finditer(text)])
    text = _ROLE_OR_VERBATIM.sub(lambda m: _role(m) if m["body"] else m[0], text)
    for sign, pattern in _MARKS:
        if sign in text:
            text = pattern.sub(lambda m: m[0] if m.start() in verbatim else _kept(m), text)
    return text


def _without_comments(text: str, opening: str, closing: str) -> str:
    """The text without comments between two marks, in time that grows with its length."""
    if opening not in text:
        return text
    code = _Spans([m.span() for m in _IN_CODE.finditer(text)])
    parts: list[str] = []
    done = at = 0
    while (start := text.find(opening, at)) >= 0:
        at = start + len(opening)
        if start in code:
            continue
        end = text.find(closing, at)
        if end < 0:
            break
        at = end + len(closing)
        before = text[done:start].rstrip(" \t")
        gone = text[done + len(before) : at]
        parts += [before, "".join("\n" if letter == "\n" else ERASED for letter in gone)]
        done = at
    return "".join([*parts, text[done:]])


def _kept(match: re.Match[str]) -> str:
    """A match with all taken out that no group keeps."""
    spans = [match.span(name) for name in match.groupdict() if name.startswith("kept")]
    return _only(match, [span for span in spans if span[0] >= 0])


def _role(match: re.Match[str]) -> str:
    """A role as what it shows: words, a formula, nothing for a citation.

    A role that names a target shows its last part where it has no words of its own.
    """
    role = match["role"] or match["rest"]
    start, end = match.span("body")
    lead = (match.start(), match.start() + len(match[0]) - len(match[0].lstrip(" \t")))
    if role.startswith(_CITING_ROLE):
        return _only(match, [])
    if role == _FORMULA_ROLE:
        return _only(match, [lead, (start - 1, end + 1)]).replace("`", "$")
    called = _CALLED.match(match["body"])
    if called is not None:
        return _only(match, [lead, (start, start + called.end("text"))])
    start += match["body"].rfind("/") + 1
    return _only(match, [lead, (start, end)])


def _only(match: re.Match[str], spans: list[tuple[int, int]]) -> str:
    """A match with all but these spans taken out; it keeps its length and its lines."""
    return "".join(
        letter if letter == "\n" or any(a <= at < b for a, b in spans) else ERASED
        for at, letter in enumerate(match[0], match.start())
    )


class _Spans:
    """Whether an offset lies in one of many half-open spans, in order and disjoint."""

    def __init__(self, spans: list[tuple[int, int]]) -> None:
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]

    def __contains__(self, offset: int) -> bool:
        at = bisect_right(self._starts, offset) - 1
        return at >= 0 and offset < self._ends[at]
