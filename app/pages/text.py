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

__all__ = ["LATEX", "chip", "clean_markdown", "code_block", "lines_html", "link", "plain", "row"]

LATEX: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "$", "right": "$", "display": False},
]
PLAIN_TAGS = frozenset({"br", "b", "i", "em", "strong", "sub", "sup", "u", "s", "kbd", "small"})
OPEN, CLOSE = (
    "\ue000",
    "\ue001",
)  # private-use characters; they hold the place of our links until the text is checked

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
            parts += [_clean_prose("".join(prose), cited, hold), line]
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

    `kind` is ask, concept, graph, cite, run, past, stop, know, forget, right, wrong or undo.
    """
    unseen = (
        f'<span class="g-unseen"> {plain(spoken)}</span>' if spoken else ""
    )  # the page's sanitiser takes labels out
    return f'<a class="g-link {css}" href="#{kind}/{quote(target, safe="")}">{plain(words)}{unseen}</a>'


def chip(kind: str, target: str, words: str) -> str:
    """Write a link of ours that looks like a small button."""
    return link(kind, target, words, css="g-chip")


def row(label: str, items: Collection[str]) -> str:
    """Put chips in a line behind their label; nothing when there are none."""
    if not items:
        return ""
    return f'<div class="g-row"><span class="g-label">{html.escape(label)}</span> {" ".join(items)}</div>'


def lines_html(text: str, first: int, last: int, *, context: int = 3) -> str:
    """Show lines `first` to `last` (1-based, inclusive) of a note, marked, within a few more."""
    lines = text.split("\n")  # as the ingest counts; \x0c and the like end no line
    low, high = max(1, first - context), min(len(lines), last + context)
    shown = []
    for number in range(low, high + 1):
        words = lines[number - 1].removesuffix("\r")
        line = f'<span class="g-no">{number}</span>{plain(words)}'
        shown.append(
            f'<mark class="g-hit">{line}</mark>'
            if first <= number <= last
            else f"<span>{line}</span>"
        )
    return f'<pre class="g-lines">{"".join(shown)}</pre>'


def code_block(code: str, language: str = "python") -> str:
    """Fence code as Markdown, with a fence longer than any run of backticks inside."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{re.sub(r'[^A-Za-z0-9+#-]', '', language)}\n{code.rstrip()}\n{fence}"


def plain(text: str) -> str:
    """Escape text for use within Markdown: no tag, formula, emphasis, link or image comes of it."""
    one_line = html.escape(text.replace(OPEN, "").replace(CLOSE, "").replace("\n", " "))
    return re.sub(r"[\\`*_\[\]~|$]", lambda match: f"&#{ord(match[0])};", one_line)


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
        kind = next(name for name in _KINDS if match[name] is not None)
        if kind in ("code", "escape", "auto"):
            return piece
        if kind == "math":  # KaTeX reads \lt and \gt; a bare < could open a tag
            return re.sub(r"<(?=[A-Za-z/!?])", r"\\lt ", piece)
        if kind == "ref":
            return (
                hold(link("cite", match["n"], match["n"], css="g-ref"))
                if int(match["n"]) in cited
                else piece
            )
        if kind == "wiki":
            return hold(
                link(
                    "concept", match["target"].strip(), (match["shown"] or match["target"]).strip()
                )
            )
        if kind in ("link", "linked", "image"):
            words, to = {
                "link": ("words", "to"),
                "linked": ("linked_alt", "linked_to"),
                "image": ("alt", "source"),
            }[kind]
            return _outside_link(match[words], match[to] or "", is_image=kind != "link")
        if kind == "tag":
            return _clean_tag(match["name"].lower(), piece, match["attributes"])
        return {"comment": "", "angle": "&lt;", "dollar": "&#36;"}[
            kind
        ]  # a lone $ would open a formula

    return _PIECE.sub(rewrite, text)


_KINDS = (
    "code",
    "math",
    "escape",
    "linked",
    "image",
    "wiki",
    "link",
    "ref",
    "auto",
    "comment",
    "tag",
    "angle",
    "dollar",
)


def _outside_link(words: str, to: str, *, is_image: bool) -> str:
    words = words.replace("<", "&lt;")
    if is_image:
        words = f"image: {words}" if words.strip() else "image"
    if not re.match(r"(https?://|mailto:)", to, re.IGNORECASE):
        return words  # a path beside the note, which the page cannot open
    return f"[{words}]({to.replace('<', '%3C').replace('>', '%3E')})"


def _clean_tag(name: str, tag: str, attributes: str) -> str:
    if name == "img":
        found = {
            key: re.search(rf"""{key}\s*=\s*["']?([^"'\s>]+)""", attributes)
            for key in ("src", "alt")
        }
        source, alt = (match[1] if match else "" for match in found.values())
        return _outside_link(alt, source, is_image=True)
    if name in PLAIN_TAGS:
        return f"</{name}>" if tag.startswith("</") else f"<{name}>"
    return ""


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
