"""A note as a page: every block says its lines, and nothing of the note's own markup acts."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.pages.note.markdown_page import Surroundings, markdown_html
from app.pages.note.safe_html import BLOCK, INLINE, clean_html

AROUND = Surroundings(
    lambda address, words, anywhere: '<img class="g-picture" alt="">' if address == "x.png" else "",
    lambda address: "other.md" if address.startswith("other") else "",
)
OURS = INLINE | BLOCK | {"a", "br", "wbr", "hr", "img", "div", "span", "pre", "code", "i"}
OURS |= {"h3", "h4", "h5", "h6"}
SAID = {"class", "data-lines", "data-line", "tabindex", "href", "target", "rel", "alt", "style"}
PIECES = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<style>*{}</style>",
    "![a](http://evil.example/p.png)", "![a](x.png)", "<svg/onload=alert(1)>", "<!--", "-->",
    "<b>", "</b >", "</div>", "</section>", "</aside>", "<a href='javascript:alert(1)'>", "</a>",
    '<a href="https://a.b" onclick=x>', "[x](javascript:alert(1))", "[x](data:text/html,1)",
    "<iframe src=https://e.f>", "[[Dropout|it]]", "[[other]]", "```", "~~~", "``", "$", "$$",
    "a<b", "\\", "    ", "\n", "\n\n", "> ", "- ", "1. ", "| a | b |\n|--|--|\n", "# ", "x", '"',
    "<details><summary>", "<td>", "<table>", "</table>", "&lt;script&gt;", "<form action=//e>",
    "<input autofocus onfocus=alert(1)>", "<base href=//evil>", "<math><mtext></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=1>'>", "<?php", "<![CDATA[", "\0", "\r\n",
]  # fmt: skip


class Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.said += data


def seen(html: str) -> Seen:
    reader = Seen()
    reader.feed(html)
    reader.close()
    return reader


def lines_of(html: str, words: str) -> str:
    """The lines of the innermost element before some words."""
    return html[: html.index(words)].rpartition('data-lines="')[2].partition('"')[0]


NOTE = """---
title: A
---
# Head

First line
second line
third line

- one
  - two
- three

| a | b |
|---|---|
| four | 5 |

```python
def six():
    return 7
```

$$
eight
$$

> nine
"""


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("Head", "4-4"), ("First", "6-8"), ("one", "10-10"), ("two", "11-11"), ("three", "12-12"),
        ("four", "16-16"), ("six", "19-19"), (">return<", "20-20"), ("eight", "23-25"),
        ("nine", "27-27"),
    ],
)  # fmt: skip
def test_each_block_says_its_lines(words: str, lines: str) -> None:
    """An item, a row and a line of code have their own, the note's front matter counted."""
    assert lines_of(markdown_html(NOTE, AROUND), words) == lines


def test_a_task_is_a_box_and_no_other_bracket_is() -> None:
    """As in the answers; in a paragraph, and in an item's middle, brackets stay what they are."""
    note = "- [x] baseline: 24.3\n- [ ] write **related** work\n- see [x] below\n\n[ ] none"
    page = markdown_html(note, AROUND)
    assert "☑ baseline: 24.3" in page and "☐ write <strong>related</strong> work" in page
    assert "see [x] below" in page and "[ ] none" in page
    assert page.count("☑") == page.count("☐") == 1


def test_where_a_line_of_a_paragraph_begins_is_marked() -> None:
    """So that the cited ones glow alone, also after code that runs over a line's end."""
    shown = markdown_html("one `a\nb` two\nthree", AROUND)
    assert '<i data-line="3"></i>three' in shown
    assert 'data-line="2"' not in shown


def test_code_is_coloured_and_says_the_same() -> None:
    """Every character stays, and what looks like a tag is text."""
    code = 'x = "<b>"  # </pre><script>\n\n\tif x:\n\t\tpass'
    shown = seen(markdown_html(f"```python\n{code}\n```", AROUND))
    assert shown.said.strip().replace("\u200b", "") == code.replace("\n", "")
    assert {"g-s", "g-c", "g-k"} <= {str(said.get("class")) for _, said in shown.tags}


def test_addresses_lead_to_the_web_to_notes_and_to_concepts() -> None:
    """And nowhere else: what is neither stays words."""
    shown = seen(
        markdown_html(
            "[w](https://a.b/c) [n](other.md#x) [[Concept|c]] [f](../secret.txt) "
            '<a href="https://d.e" onclick="x">h</a> <a href="file:///etc/passwd">p</a>',
            AROUND,
        )
    )
    addresses = [said.get("href") for tag, said in shown.tags if tag == "a"]
    assert [a for a in addresses if a] == [
        "https://a.b/c", "#note/other.md", "#concept/Concept", "https://d.e"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("address", "when"),
    [
        ("https://y.z/embed/a?start=83", "1:23"),
        ("https://y.z/watch?v=a&t=1h2m3s", "1:02:03"),
        ("https://y.z/a.mp4#t=60", "1:00"),
        ("https://y.z/a", ""),
        ("https://y.z/a?t=now", ""),
    ],
)
def test_a_film_is_a_link_at_its_time(address: str, when: str) -> None:
    """A frame is not loaded; its link says when it begins."""
    shown = seen(markdown_html(f'<iframe src="{address}"></iframe>', AROUND))
    assert [said["href"] for tag, said in shown.tags if tag == "a"] == [address]
    assert shown.said.strip() == (f"y.z at {when}" if when else "y.z")
    linked = seen(markdown_html(f"[*how* it falls]({address}), and more", AROUND)).said.strip()
    assert linked == (f"how it falls at {when}, and more" if when else "how it falls, and more")
    said = seen(markdown_html(f"[seen at {when}]({address})", AROUND)).said.strip()
    assert not when or said == f"seen at {when}"


def test_a_film_beside_the_note_is_named() -> None:
    """It is not played here, and not left out unsaid; what is no film stays away."""
    shown = markdown_html('<video src="films/fall%20on.mp4" onerror="x"></video>', AROUND)
    assert '<span class="g-missing">film or sound: fall on.mp4</span>' in shown
    assert "g-missing" not in markdown_html("<iframe src='javascript:x.mp4'></iframe>", AROUND)


def test_a_picture_elsewhere_is_a_link() -> None:
    """Nothing is fetched from outside; one that is missing is named."""
    shown = markdown_html("![slope](http://p.q/s.png) ![here](x.png) ![](gone/away.png)", AROUND)
    assert "<img" not in shown.replace('<img class="g-picture" alt="">', "")
    assert ">picture: slope</a>" in shown
    assert "picture: away.png" in shown


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("<details><summary>a</summary>\n\n</div></aside><b>\n\n</details>")
@example("a <b> b\n\n<i>c</b></i>")
def test_nothing_of_a_note_acts(text: str) -> None:
    """Whatever its markup, only elements and attributes that we write are there."""
    for tag, said in seen(markdown_html(text, AROUND)).tags:
        assert tag in OURS, tag
        assert set(said) <= SAID, said
        assert str(said.get("href") or "#").startswith(("#", "https:", "http:"))
        assert str(said.get("style") or "").removeprefix("text-align:") in {
            "",
            "left",
            "center",
            "right",
        }


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_raw_html_is_balanced(text: str) -> None:
    """Every element that is opened is closed, in order, so that none reaches what follows."""
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"br", "wbr", "hr", "img"}:
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    reader = Balance()
    reader.feed(clean_html(text, lambda address, words: ""))
    reader.close()
    assert open_tags == []
