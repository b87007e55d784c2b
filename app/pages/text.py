"""Make the notes' Markdown safe to show, and write the few links of ours that the pages act on.

Notes are written by others: no raw HTML of theirs reaches the page, no image is fetched, no link
but http(s) and mailto survives. The chat's own sanitiser and the content-security policy stand
behind this. What a link of ours does is decided in `assets/bridge.js`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Collection
from urllib.parse import quote

from markdown_it import MarkdownIt

__all__ = ["LATEX", "chip", "clean_markdown", "escaped", "lines_html", "link", "row"]

LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]
# What Markdown reads as a mark, and what makes a link of a bare address.
_MARKS = re.compile(r"[\\`*_\[\]~|$@]|:(?=//)|(?<=www)\.", re.IGNORECASE)
PLAIN_TAGS = frozenset({"br", "b", "i", "em", "strong", "sub", "sup", "u", "s", "kbd", "small"})
# Private-use characters; they hold the place of our links until the text is checked.
OPEN, CLOSE = "\ue000", "\ue001"

_PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
_PIECE = re.compile(
    r"""
    (?P<code>(?P<ticks>(?<!`)`+(?!`))(?:(?!\n[ \t]*\n)[\s\S])+?(?<!`)(?P=ticks)(?!`))
  | (?P<math>\$\$[\s\S]+?\$\$|(?<![\\$\w])\$(?=[^\s$])(?:[^$\n]|\n(?!\s*\n))*?(?<=[^\s\\])\$(?!\d))
  | (?P<escape>\\[\s\S])
  | (?P<linked>\[!\[(?P<linked_alt>[^\]]*)\]\([^)]*\)\]\((?P<linked_to>[^)\s]*)[^)]*\))
  | (?P<image>!\[(?P<alt>[^\]]*)\](?:\((?P<source>[^)\s]*)[^)]*\)|\[[^\]]*\])?)
  | (?P<wiki>!?\[\[(?P<target>[^\[\]|\#\n]+)(?:\#[^\[\]|\n]*)?(?:\|(?P<shown>[^\[\]\n]+))?\]\])
  | (?P<link>\[(?P<words>[^\[\]]*)\]\(\s*<?(?P<to>(?:[^()\s>]|\([^()\s]*\))*)[^)]*\))
  | (?P<ref>\[(?P<n>\d{1,3})\](?![(:]))
  | (?P<auto><(?:https?://|mailto:)[^<>\s]+>)
  | (?P<comment><!--[\s\S]*?-->)
  | (?P<tag></?(?P<name>[A-Za-z][A-Za-z0-9-]*)(?P<attributes>[^<>]*)>)
  | (?P<angle><(?=[A-Za-z/!?]))
  | (?P<dollar>\$)
    """,
    re.VERBOSE,
)

_LINE_MARKS = re.compile(r"^[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)*")
_REFERENCE = re.compile(r"\[\d{1,3}\]")
# The chat draws such a block with elements that its text chooses; as text it stays what it is.
_DRAWN = re.compile(r"^((?:[ \t>]|[-*+][ \t]|\d+[.)][ \t])*(?:`{3,}|~{3,})[ \t]*)mermaid\b", re.I)
# A formula with a length larger than a page, or with names of its own, which might stand for one:
# Gradio sets no bound on what KaTeX draws. It is shown as it is written.
_OUTSIZED = re.compile(
    r"(?:(?<!\\text)[{\[]|\\m?kern|\\[hm]skip)\s*[-+]?\s*"
    r"(?:\d{4,}[\d.]*\s*[a-z]{2}|\d{3,}[\d.]*\s*(?:em|ex|in|cm|mm|pc|cc|mu))"
    r"|\\(?:[gex]?def|let|futurelet|global|(?:re|provide)?newcommand)(?![A-Za-z])"
)


def clean_markdown(text: str, cited: Collection[int] = ()) -> str:
    """Rewrite Markdown from the notes so that showing it fetches nothing and runs nothing.

    Code stays as it is; images become links; raw HTML goes, but for bare tags such as `<sub>`;
    `[[wikilinks]]` become links to the concept; `[n]` becomes a link to citation `n` where `n` is
    in `cited`.

    Parameters
    ----------
    text : str
        Markdown, as it stands in the notes or in an answer.
    cited : collection of int
        The numbers of the citations that `[n]` may refer to.
    """
    text = text.replace(OPEN, "").replace(CLOSE, "")
    links: list[str] = []

    def hold(anchor: str) -> str:
        links.append(anchor)
        return f"{OPEN}{len(links) - 1}{CLOSE}"

    verbatim = _code_lines(text)
    parts: list[str] = []
    prose: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True)):
        if number in verbatim:
            parts += [_clean_prose("".join(prose), cited, hold), _DRAWN.sub(r"\1text", line)]
            prose = []
        else:
            prose.append(line)
    parts.append(_clean_prose("".join(prose), cited, hold))
    clean = "".join(parts)
    if not _is_safe(clean):
        clean, links = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text).replace("![", r"!\["), []
    return re.sub(f"{OPEN}(\\d+){CLOSE}", lambda match: links[int(match[1])], clean)


def link(kind: str, target: str, words: str, *, css: str = "", spoken: str = "") -> str:
    """Write a link of ours; `target`, `words` and what a screen reader adds are plain text.

    `kind` is ask, concept, graph, learn, cite, note, run, past, stop, know, forget, right, wrong or
    undo.
    """
    # Not an aria-label: the page's sanitiser takes labels out.
    unseen = f'<span class="g-unseen"> {escaped(spoken)}</span>' if spoken else ""
    address = f"#{kind}/{quote(target, safe='')}"
    return f'<a class="g-link {css}" href="{address}">{escaped(words)}{unseen}</a>'


def chip(kind: str, target: str, words: str) -> str:
    """Write a link of ours that looks like a small button."""
    return link(kind, target, words, css="g-chip")


def row(label: str, items: Collection[str]) -> str:
    """Put chips in a line behind their label; nothing when there are none."""
    if not items:
        return ""
    name = f'<span class="g-label">{html.escape(label)}</span>'
    return f'<div class="g-row">{name} {" ".join(items)}</div>'


def lines_html(text: str, first: int, last: int, *, context: int = 3) -> str:
    """Show lines `first` to `last` (1-based, inclusive) of a note, marked, within a few more."""
    lines = text.split("\n")  # as the ingest counts; \x0c and the like end no line
    low, high = max(1, first - context), min(len(lines), last + context)
    shown = []
    for number in range(low, high + 1):
        words = lines[number - 1].removesuffix("\r")
        line = f'<span class="g-no">{number}</span>{escaped(words)}'
        marked = first <= number <= last
        shown.append(f'<mark class="g-hit">{line}</mark>' if marked else f"<span>{line}</span>")
    return f'<pre class="g-lines">{"".join(shown)}</pre>'


def escaped(text: str) -> str:
    """Escape text for use within Markdown: no tag, formula, emphasis, link or image comes of it."""
    one_line = html.escape(text.replace(OPEN, "").replace(CLOSE, "").replace("\n", " "))
    return _MARKS.sub(lambda match: f"&#{ord(match[0])};", one_line)


def _code_lines(text: str) -> frozenset[int]:
    """0-based numbers of the lines inside fenced or indented code."""
    inside: set[int] = set()
    for token in _PARSER.parse(text):
        if token.type in ("fence", "code_block") and token.map:
            inside.update(range(*token.map))
    return frozenset(inside)


def _clean_prose(text: str, cited: Collection[int], hold: Callable[[str], str]) -> str:
    """Rewrite a stretch without code blocks; `hold` keeps a link and gives its placeholder."""

    def rewrite(match: re.Match[str]) -> str:
        piece = match[0]
        kind = match.lastgroup or ""
        if kind in ("code", "escape", "auto"):
            return piece
        if kind == "math":
            return _clean_formula(_within_its_line(match), hold)
        if kind == "ref":
            known = int(match["n"]) in cited
            return hold(link("cite", match["n"], match["n"], css="g-ref")) if known else piece
        if kind == "wiki":
            target = match["target"].strip()
            return hold(link("concept", target, (match["shown"] or target).strip()))
        if kind in _OUTSIDE:
            words, to = _OUTSIDE[kind]
            return _outside_link(match[words], match[to] or "", is_image=kind != "link")
        if kind == "tag":
            return _clean_tag(match["name"].lower(), piece, match["attributes"])
        return _REPLACED[kind]

    return _PIECE.sub(rewrite, text)


def _within_its_line(math: re.Match[str]) -> str:
    """A formula as it stands; one in double dollars among the words of a line is part of it.

    So kramdown reads it, and the notes of many courses are written for that.
    """
    formula, text = math[0], math.string
    words = formula[2:-2].strip()
    if not formula.startswith("$$") or "\n" in formula or not words or "\\begin" in words:
        return formula
    before = text[text.rfind("\n", 0, math.start()) + 1 : math.start()]
    after = text[math.end() :].partition("\n")[0]
    around = _LINE_MARKS.sub("", before) + _REFERENCE.sub("", after)
    return f"${words}$" if re.search(r"[^\W_]", around) else formula


def _clean_formula(formula: str, hold: Callable[[str], str]) -> str:
    if _OUTSIZED.search(formula):
        return hold(f"<code>{escaped(formula)}</code>")
    # KaTeX reads \lt and \gt; a bare < could open a tag
    return re.sub(r"<(?=[A-Za-z/!?])", r"\\lt ", formula)


# The groups that hold the words and the address of what leads out of the notes.
_OUTSIDE = {
    "link": ("words", "to"),
    "linked": ("linked_alt", "linked_to"),
    "image": ("alt", "source"),
}
_REPLACED = {"comment": "", "angle": "&lt;", "dollar": "&#36;"}  # a lone $ would open a formula


def _outside_link(words: str, to: str, *, is_image: bool) -> str:
    words = words.replace("<", "&lt;")
    if is_image:
        words = f"image: {words}" if words.strip() else "image"
    if not re.match(r"(https?://|mailto:)", to, re.IGNORECASE):
        return words  # a path beside the note, which the page cannot open
    return f"[{words}]({to.replace('<', '%3C').replace('>', '%3E')})"


def _clean_tag(name: str, tag: str, attributes: str) -> str:
    if name == "img":
        source, alt = (_attribute(key, attributes) for key in ("src", "alt"))
        return _outside_link(alt, source, is_image=True)
    if name in PLAIN_TAGS:
        return f"</{name}>" if tag.startswith("</") else f"<{name}>"
    return ""


def _attribute(key: str, attributes: str) -> str:
    match = re.search(rf"""{key}\s*=\s*["']?([^"'\s>]+)""", attributes)
    return match[1] if match else ""


def _is_safe(text: str) -> bool:
    """Whether a CommonMark parser finds no image and only plain tags in what would be shown."""
    for token in _PARSER.parse(text):
        for part in [token, *(token.children or [])]:
            if part.type == "image":
                return False
            if part.type in ("html_block", "html_inline"):
                rest = re.sub(rf"</?({'|'.join(PLAIN_TAGS)})>", "", part.content)
                if re.search(r"<[A-Za-z/!?]", rest):
                    return False
    return True
