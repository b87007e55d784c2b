"""What the pages show of others' notes fetches nothing, runs nothing and says the same."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.pages.text import PLAIN_TAGS, clean_markdown, escaped, lines_html, link

MARKDOWN_TAGS = {
    "p",
    "a",
    "em",
    "strong",
    "code",
    "pre",
    "ul",
    "ol",
    "li",
    "blockquote",
    "hr",
    "br",
    "table",
    "thead",
}
MARKDOWN_TAGS |= {"tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6"}
PIECES = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "![a](http://evil.example/p.png)",
    "![a][r]",
    "[r]: http://evil.example/p.png",
    "<svg/onload=alert(1)>",
    "<!--",
    "-->",
    "<b>",
    "</b >",
    "<sub>",
    "<x>~~~",
    "<a href='javascript:alert(1)' class='g-link'>",
    "[x](javascript:alert(1))",
    "[[Dropout|it]]",
    "[1]",
    "```",
    "~~~",
    "`",
    "``",
    "$",
    "$$",
    "a<b",
    "\\",
    "    ",
    "\n",
    "\n\n",
    "> ",
    "- ",
    " ",
    "<",
    ">",
    "word",
    "<![CDATA[",
    "<?php",
    "\ue0000\ue001",
]


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags_of(markdown: str) -> list[tuple[str, dict[str, str | None]]]:
    tags = Tags()
    tags.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
    return tags.found


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("<x>~~~\n~~~\n<img src=x>\n~~~\n")
@example("![a\n](http://evil.example/p.png)")
def test_no_tag_of_the_notes_survives(text: str) -> None:
    """However hostile pieces are combined, only Markdown's own and plain tags are left."""
    for tag, attributes in tags_of(clean_markdown(text, {1})):
        assert tag in MARKDOWN_TAGS | PLAIN_TAGS, (tag, attributes)
        assert not any(
            name.startswith("on") or name in ("style", "src", "id") for name in attributes
        )
        if "class" in attributes and tag == "a":
            assert (attributes["href"] or "").startswith(("#cite/", "#concept/"))
        assert not (attributes.get("href") or "").lower().startswith(("javascript:", "data:"))


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abc <>&$`*_[]()!\n#|\\1", max_size=60))
def test_cleaning_any_text_never_fails_and_is_safe(text: str) -> None:
    """Arbitrary text is cleaned without an error, and twice cleaned is as safe as once."""
    once = clean_markdown(text)
    assert {tag for tag, _ in tags_of(clean_markdown(once))} <= MARKDOWN_TAGS | PLAIN_TAGS


def test_code_keeps_its_angle_brackets() -> None:
    """Code, fenced or inline, is shown as the note has it."""
    note = "Use `x<y>` so:\n\n```html\n<img src=x> [1] ![a](b)\n```\n"
    assert clean_markdown(note, {1}) == note


def test_an_image_becomes_a_link_to_it() -> None:
    """A picture elsewhere is named, not fetched."""
    assert clean_markdown("![a cat](https://x.org/c.png)") == "[image: a cat](https://x.org/c.png)"
    assert (
        clean_markdown('<img src="https://x.org/c.png" alt="a">')
        == "[image: a](https://x.org/c.png)"
    )


def test_a_picture_beside_the_note_is_named() -> None:
    """A relative address leads nowhere from the page, so only the words stay."""
    assert clean_markdown("see ![the curve](plots/c.png)") == "see image: the curve"


def test_citation_numbers_become_links_only_where_there_is_a_citation() -> None:
    """[1] is a link when citation 1 exists; [2], which the note itself may have written, stays."""
    cleaned = clean_markdown("Yes [1], no [2], [3](https://x.org).", {1})
    assert link("cite", "1", "1", css="g-ref") in cleaned
    assert "[2]" in cleaned
    assert "[3](https://x.org)" in cleaned


def test_a_wikilink_becomes_a_link_to_the_concept() -> None:
    """[[Concept|shown]] shows its words and leads to the concept."""
    assert clean_markdown("[[U-Net#Why|a net]]") == link("concept", "U-Net", "a net")


def test_a_formula_keeps_its_meaning() -> None:
    """In a formula a less-than sign before a letter is written as KaTeX's own command."""
    assert clean_markdown("$a<b$ and $x_1$") == r"$a\lt b$ and $x_1$"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("Set $$x_i$$ to $$ 1 $$.", "Set $x_i$ to $1$."),
        ("- For each $$x_i$$", "- For each $x_i$"),
        ("Then\n$$x_i = 1$$\nfollows.", "Then\n$$x_i = 1$$\nfollows."),
        ("1. $$x_i = 1$$ [2]", "1. $$x_i = 1$$ [2]"),
        ("So $$\n x \n$$ holds.", "So $$\n x \n$$ holds."),
    ],
)
def test_double_dollars_within_a_line_are_a_part_of_it(written: str, shown: str) -> None:
    """As kramdown has it; alone on a line, or over several, they set a formula apart."""
    assert clean_markdown(written) == shown


def test_prices_are_not_formulas() -> None:
    """Two dollar amounts do not swallow the text between them."""
    assert "<b>" in clean_markdown("it costs $5 and <b>$6</b>")


def test_a_dollar_that_opens_no_formula_is_a_dollar() -> None:
    """The page's formula setter would pair it with the next; a wrapped formula stays one."""
    assert (
        clean_markdown("${x}\n\nand ${y} and $a\n+ b$") == "&#36;{x}\n\nand &#36;{y} and $a\n+ b$"
    )


def test_an_address_keeps_its_parentheses() -> None:
    """As in encyclopaedia addresses; and an address that is dropped leaves nothing behind."""
    address = "[Norm](https://example.org/Norm_(mathematics))"
    assert clean_markdown(f"{address} [x](javascript:alert(1)) y") == f"{address} x y"


def test_quoted_lines_are_marked_and_numbered() -> None:
    """Of the lines shown, exactly the cited ones are marked, under their own numbers."""
    shown = lines_html("one\ntwo\n<b>three</b>\nfour\r\nfive", 3, 4, context=1)
    assert shown.count("<mark") == 2
    assert '<mark class="g-hit"><span class="g-no">3</span>&lt;b&gt;three&lt;/b&gt;</mark>' in shown
    assert '<span class="g-no">2</span>two' in shown
    assert "one" not in shown
    assert "\r" not in shown


def test_a_form_feed_ends_no_line() -> None:
    """Lines are counted as an ingest counts them: by line feeds alone."""
    assert '<span class="g-no">2</span>c' in lines_html("a\x0cb\nc", 2, 2)


@pytest.mark.parametrize(
    "formula",
    [
        r"\rule{9999em}{9999em}",
        r"\rule[ 500 em]{1em}{1em}",
        r"a \kern-99999pt b",
        r"a \\[800em] b",
        r"\hspace{1000.5cm}",
        r"\def\x{99}\rule{\x99em}{1em}",
    ],
)
def test_a_formula_larger_than_a_page_is_shown_as_written(formula: str) -> None:
    """Nothing of it is drawn; the words around it are."""
    shown = clean_markdown(f"a ${formula}$ b")
    assert shown.startswith("a <code>") and shown.endswith("</code> b") and "$" not in shown


@pytest.mark.parametrize(
    "formula", [r"\rule{2em}{1pt}", r"d = 9999\text{1000 km}", r"x_{1000}", r"\left[1000\right]"]
)
def test_honest_formulas_are_drawn(formula: str) -> None:
    """Small lengths, and large numbers that are none."""
    assert clean_markdown(f"a ${formula}$ b") == f"a ${formula}$ b"


@pytest.mark.parametrize("fence", ["```", "~~~~", "> ```", "- ```"])
def test_a_block_of_mermaid_is_text(fence: str) -> None:
    """It would be drawn with elements that the note chooses."""
    text = f"{fence}mermaid\ngraph TD; A-->B\n"
    assert clean_markdown(text) == text.replace("mermaid", "text")


@pytest.mark.parametrize("address", ["http://a.invalid/x", "WWW.a.invalid", "a@b.c"])
def test_no_link_comes_of_a_name(address: str) -> None:
    """Gradio makes one of a bare address with the quotation mark behind it; it reads the same."""
    shown = escaped(f"'{address}'")
    assert unescape(shown) == f"'{address}'"
    assert not re.search(r"://|www\.|@", shown, re.IGNORECASE)
