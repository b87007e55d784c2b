"""HTML that notes bring along, written anew from the few elements that can do no harm.

Nothing of the text itself is passed on: it is parsed, and what is allowed is written by us, each
element closed where it ends.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import parse_qs, unquote, urlsplit

__all__ = ["Picture", "at_time", "clean_html", "clean_inline", "web_address", "web_link"]

Picture = Callable[[str, str], str]  # an address and its words to HTML

INLINE = frozenset(
    {"b", "i", "em", "strong", "sub", "sup", "u", "s", "del", "ins", "kbd", "mark", "small", "code"}
)
BLOCK = frozenset(
    {
        "p", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "pre", "hr",
        "table", "thead", "tbody", "tr", "th", "td", "caption",
    }
)  # fmt: skip
VOID = frozenset({"br", "hr", "wbr"})
SILENT = frozenset({"script", "style", "template", "noscript", "svg", "math", "head", "title"})
FRAMES = frozenset({"iframe", "video", "audio", "source", "embed"})
# A heading of raw HTML keeps its words; the page's own outline is that of its Markdown.
_AS = {"h1": "p", "h2": "p", "h3": "p", "h4": "p", "h5": "p", "h6": "p", "summary": "p"}
OUTSIDE = 'target="_blank" rel="noopener noreferrer nofollow"'
_WEB = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_TIMES = ("t", "start", "time_continue")
_FILM = re.compile(r"^[^:]+\.(?:mp4|m4v|webm|mov|ogv|ogg|mp3|m4a|wav)$", re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


def clean_html(text: str, picture: Picture) -> str:
    """Raw HTML as the few elements that are shown, balanced, without attributes.

    Parameters
    ----------
    text : str
        HTML as it stands in a note.
    picture : callable
        What is shown of an image, by its address and words.
    """
    writer = _Writer(picture, INLINE | BLOCK)
    writer.take(text)
    writer.close()
    return "".join([*writer.out[0], *(f"</{name}>" for name, _, _ in reversed(writer.open))])


def clean_inline(tags: Iterable[str], picture: Picture) -> list[str]:
    """The tags that stand among the words of one paragraph, each written anew or left out.

    Together they are balanced: none that is not closed is written.
    """
    writer = _Writer(picture, INLINE)
    for tag in tags:
        writer.take(tag)
    for _, at, place in writer.open:
        writer.out[at][place] = ""
    return ["".join(parts) for parts in writer.out]


def web_address(address: str) -> str:
    """An address of the web or of mail, without blanks around it; "" for anything else."""
    address = address.strip()
    return address if _WEB.match(address) else ""


def web_link(address: str, words: str) -> str:
    """A link that leads out, its words plain text; to a film at its time, it says when."""
    shown = html.escape(words + at_time(address, words))
    return f'<a href="{html.escape(address)}" {OUTSIDE}>{shown}</a>'


def at_time(address: str, words: str) -> str:
    """When the film of an address begins, as " at 1:23"; "" where its words say so already."""
    when = _time_in(address)
    return f" at {when}" if when and when not in words else ""


def _time_in(address: str) -> str:
    """The time of a film that its address names, as "1:02:03"; "" where it names none."""
    try:
        parts = urlsplit(address)
        said = {**parse_qs(parts.fragment), **parse_qs(parts.query)}
    except ValueError:
        return ""
    value = next((said[name][0] for name in _TIMES if name in said), "")[:12]
    clock = _CLOCK.fullmatch(value)
    if not value or clock is None:
        return ""
    hours, minutes, seconds = (int(part or 0) for part in clock.groups())
    total = 3600 * hours + 60 * minutes + seconds
    hours, minutes, seconds = total // 3600, total // 60 % 60, total % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class _Writer(HTMLParser):
    """Writes what is allowed of what it is fed."""

    def __init__(self, picture: Picture, allowed: frozenset[str]) -> None:
        super().__init__(convert_charrefs=True)
        self.picture = picture
        self.allowed = allowed
        self.out: list[list[str]] = []  # for each text that was taken
        self.open: list[tuple[str, int, int]] = []  # with the place in `out` where it was opened
        self.silent: list[str] = []

    def take(self, text: str) -> None:
        self.out.append([])
        self.feed(text)

    def write(self, text: str) -> None:
        self.out[-1].append(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        tag = _AS.get(tag, tag)
        if self.silent or tag in SILENT:
            self.silent += [tag] if tag in SILENT else []
        elif tag == "img":
            self.write(self.picture(said.get("src", ""), said.get("alt", "")))
        elif tag in FRAMES:
            self._frame(said)
        elif tag in VOID:
            self.write(f"<{tag}>")
        elif tag == "a" and web_address(said.get("href", "")):
            address = html.escape(web_address(said["href"]))
            self._opened(tag, f'<a href="{address}" {OUTSIDE}>')
        elif tag in self.allowed:
            self._opened(tag, f"<{tag}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        tag = _AS.get(tag, tag)
        if self.silent:
            if tag == self.silent[-1]:
                self.silent.pop()
            return
        if any(name == tag for name, _, _ in self.open):
            while True:
                name, _, _ = self.open.pop()
                self.write(f"</{name}>")
                if name == tag:
                    return

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.write(html.escape(data))

    def _opened(self, tag: str, written: str) -> None:
        self.open.append((tag, len(self.out) - 1, len(self.out[-1])))
        self.write(written)

    def _frame(self, said: dict[str, str]) -> None:
        """A film or a page elsewhere is a link; one that lies beside the note is named."""
        source = said.get("src", "").strip()
        address, name = web_address(source), said.get("title", "")
        if address:
            self.write(web_link(address, name or urlsplit(address).netloc))
        elif _FILM.search(source):
            name = name or PurePosixPath(unquote(source)).name
            self.write(f'<span class="g-missing">film or sound: {html.escape(name)}</span>')
