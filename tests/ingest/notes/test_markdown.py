"""Markdown: nothing is lost, spans give the source back, odd notation means its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notes.lines import line_of, line_spans
from ingest.notes.markdown import open_headings, parse_markdown, plain
from ingest.notes.parsed import Block, ParsedNote
from ingest.passages.cut import cut

DATA = Path(__file__).parent / "data"

FRAGMENTS = [
    "# One",
    "## [Two]((https://e.org))",
    "Setext\n===",
    "#### Four #",
    "plain words here",
    "words: with `code` and **bold**",
    "- item",
    "  - nested",
    "1. first",
    "\t- tabbed",
    "```python",
    "```",
    "# in a fence?",
    "~~~",
    "$$",
    "$$ x = 1 $$",
    "- b",
    "\\[",
    "\\]",
    "\\begin{align}",
    "\\end{align}",
    "    indented code",
    "> quote",
    "> - item in a quote",
    "| a | b |",
    "|---|---|",
    "| **x** | `y` |",
    '<img src="a.png" title="a > b">',
    "<div>",
    "</div>",
    "<!-- a comment",
    "-->",
    "[ref]: https://e.org",
    "[[Concept|shown]] and [a](b.md)",
    '!!! note "In *short*"',
    "    within a **box**",
    ":::{note} Title",
    ":::",
    "```{tip} Title",
    "- ## outlined",
    "- `said` %%not said%% ^name",
    "%% a note to self",
    "closed %%",
    "**kept**[^1] {: .lead}",
    "[^1]: **below** it all",
    "import A from 'a'",
    "{term}`x <y>` of **it** {{embed x}}",
    "---",
    "***",
    "",
    "",
    "   ",
    "\t",
    "\x0c",
    "a\u2028b\x0bc",
    "zero\0byte",
]
newlines = st.sampled_from(["\n", "\r\n", "\r"])


@st.composite
def notes(draw: st.DrawFn) -> str:
    """Notes of awkward lines or of marks alone, with any line endings and byte order mark."""
    lines = draw(st.lists(st.sampled_from(FRAGMENTS), max_size=25))
    text = "".join(line + draw(newlines) for line in lines)
    text += draw(st.text("#-*+`~$[](){}<>|!\\:=&;_\"' \t\n\r1.ab\u00e9", max_size=40))
    if text.startswith("---"):
        text = "words\n" + text  # else the rule might open front matter
    return draw(st.sampled_from(["", "\ufeff", "---\nkey: value\n---\n"])) + text


def covered_lines(parsed: ParsedNote) -> list[int]:
    """Lines of all blocks and headings, one entry for each time a line is covered."""
    text = parsed.texts[0]
    spans = line_spans(text)
    lines = [
        line for block in parsed.blocks for line in range(block.line_start, block.line_end + 1)
    ]
    for heading in parsed.headings:
        lines += range(heading.line, line_of(spans, max(heading.start, heading.end - 1)) + 1)
    return lines


def words_of(block: Block, text: str) -> str:
    return text[block.start : block.end]


@given(notes())
def test_every_line_with_words_belongs_to_exactly_one_block_or_heading(text: str) -> None:
    """No line of the body is lost or covered twice, whatever the Markdown looks like."""
    parsed = parse_markdown(text)
    lines = covered_lines(parsed)
    assert len(lines) == len(set(lines))
    front = 3 if parsed.front_matter else 0
    for number, (start, end) in enumerate(line_spans(text), 1):
        if number > front and text[start:end].strip(" \t"):
            assert number in lines


@given(notes())
def test_blocks_are_in_order_disjoint_and_tight(text: str) -> None:
    """Spans of blocks ascend, begin and end with what they hold, and agree with their lines."""
    parsed = parse_markdown(text)
    spans = line_spans(text)
    end = 0
    for block in parsed.blocks:
        assert end <= block.start < block.end
        end = block.end
        source = words_of(block, text)
        assert source[-1] not in " \t\r\n"
        assert block.kind == "code" or source[0] not in " \t\r\n"
        assert line_of(spans, block.start) == block.line_start
        assert line_of(spans, block.end - 1) == block.line_end


@given(notes())
def test_marked_terms_lie_where_their_span_says(text: str) -> None:
    """The span of a term is its source, marks included, and begins on its line."""
    parsed = parse_markdown(text)
    spans = line_spans(text)
    openings = {
        "bold": ("**", "__"),
        "italic": ("*", "_"),
        "code": ("`",),
        "wikilink": ("[[", "![["),
    }
    for term in parsed.marked:
        source = text[term.start : term.end]
        assert line_of(spans, term.start) == term.line
        if term.kind in openings:
            assert source.startswith(openings[term.kind])
        if "\n" not in source and "\r" not in source and "\\" not in source and "&" not in source:
            assert all(word in source for word in term.text.split() if word.isalpha())


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=25))
def test_line_endings_and_byte_order_mark_change_nothing_but_offsets(lines: list[str]) -> None:
    """Kinds, lines and words are the same with LF, CRLF and CR, with a mark or without."""
    # So that no rule opens front matter.
    lines = ["words", *(part for line in lines for part in line.split("\n"))]

    def shape(text: str) -> tuple[object, ...]:
        parsed = parse_markdown(text)
        blocks = [
            (block.kind, block.line_start, block.line_end, block.heading_path)
            for block in parsed.blocks
        ]
        return (
            blocks,
            [(h.level, h.text, h.line) for h in parsed.headings],
            [(m.kind, m.text) for m in parsed.marked],
        )

    expected = shape("\n".join(lines))
    assert shape("\r\n".join(lines)) == expected
    assert shape("\r".join(lines)) == expected
    assert shape("\ufeff" + "\n".join(lines)) == expected


@given(st.text(max_size=200))
def test_any_text_at_all_can_be_parsed(text: str) -> None:
    """No text makes the parser fail."""
    parse_markdown(text)
    plain(text)


def as_golden(text: str) -> str:
    """A note's parse and passages in a form that a person can review beside the note."""
    parsed = parse_markdown(text)
    rows: dict[str, list[Any]] = {
        "front_matter": [parsed.front_matter, parsed.front_matter_lines],
        "headings": [[h.line, h.level, " / ".join(h.path)] for h in parsed.headings],
        "blocks": [
            [b.line_start, b.line_end, b.kind, b.language, b.group, words_of(b, text)[:32]]
            for b in parsed.blocks
        ],
        "marked": [
            [m.line, m.kind, m.text, m.target, text[m.start : m.end]] for m in parsed.marked
        ],
        "passages": [
            [p.line_start, p.line_end, p.kind, " / ".join(p.heading_path)]
            for p in cut(parsed, "awkward.md")
        ],
    }
    parts = []
    for name, entries in rows.items():
        lines = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
        parts.append(f'"{name}": [\n  {lines}\n]')
    return "{" + ",\n".join(parts) + "}\n"


def test_awkward_note_parses_as_reviewed() -> None:
    """The whole parse of one awkward note is what a person has read and approved."""
    text = (DATA / "awkward.md").read_bytes().decode()
    assert as_golden(text) == (DATA / "awkward.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("## [Annealing](https://e.org)", "Annealing"),
        ("## [Batch Norm | BN]((https://e.org))", "Batch Norm | BN"),
        ("## **Bold** and `code`", "Bold and code"),
        ("## Weights &amp; biases {#wb .x}", "Weights & biases"),
        ("## ![logo](l.png) Dropout ##", "Dropout"),
        ("## ![Only a logo](l.png)", "Only a logo"),
        ("## [[U-Net|the U]] <b>net</b>", "the U net"),
        ("## The $R^2$ score", "The R^2 score"),
        ("Two\nlines\n---", "Two lines"),
        ("##", ""),
    ],
)
def test_headings_are_plain_text(source: str, words: str) -> None:
    """A heading's text has no Markdown left in it."""
    (heading,) = parse_markdown(source).headings
    assert heading.text == words
    assert source[heading.start : heading.end] == source


def test_heading_paths_skip_levels_and_close_deeper_ones() -> None:
    """A path holds the headings that enclose it, whatever levels are left out."""
    parsed = parse_markdown("# A\n### B\n## C\nwords\n# D\n#\nmore")
    assert [heading.path for heading in parsed.headings] == [
        ("A",),
        ("A", "B"),
        ("A", "C"),
        ("D",),
        (),
    ]
    assert [block.heading_path for block in parsed.blocks] == [("A", "C"), ()]


def test_headings_above_a_cell_hold_until_one_of_their_level() -> None:
    """Headings of earlier cells enclose what follows, and a heading of the same level ends them."""
    first = parse_markdown("# A\n## B", cell=0)
    held = open_headings(first.headings)
    second = parse_markdown("words\n\n## C\nmore", cell=1, above=held)
    assert [block.heading_path for block in second.blocks] == [("A", "B"), ("A", "C")]
    assert [heading.text for heading in open_headings(second.headings, held)] == ["A", "C"]


def test_items_of_a_list_share_a_group_and_lists_differ() -> None:
    """Each top-level item is a block with its nested list; other lists have other numbers."""
    parsed = parse_markdown("- a\n  - nested\n- b\n\nwords\n\n* c", first_group=7)
    assert [(words_of(b, parsed.texts[0]), b.group) for b in parsed.blocks if b.kind == "item"] == [
        ("- a\n  - nested", 7),
        ("- b", 7),
        ("* c", 8),
    ]


def test_formula_interrupts_a_paragraph_and_stays_whole() -> None:
    """Lines of a display formula are neither lists nor headings, also with empty lines inside."""
    text = "so\n$$\na\n- b\n\n= c\n$$\nend"
    parsed = parse_markdown(text)
    assert [(b.kind, words_of(b, text)) for b in parsed.blocks] == [
        ("paragraph", "so"),
        ("math", "$$\na\n- b\n\n= c\n$$"),
        ("paragraph", "end"),
    ]
    assert parsed.headings == ()


def test_opened_formula_without_an_end_is_words() -> None:
    """A pair of dollar signs that nothing closes hides no heading."""
    assert [heading.text for heading in parse_markdown("$$ is money\n\n# Next").headings] == [
        "Next"
    ]


def test_deep_nesting_does_not_swallow_the_rest() -> None:
    """A heading after a list of twenty levels is still found."""
    nested = "\n".join("  " * depth + "- deeper" for depth in range(20))
    assert [heading.text for heading in parse_markdown(f"{nested}\n\n# After").headings] == [
        "After"
    ]


@pytest.mark.parametrize(
    ("source", "kind", "words", "target"),
    [
        ("a **b `c`** d", "bold", "b c", ""),
        ("a [b]((https://e.org/x_(y))) c", "link", "b", "https://e.org/x_(y)"),
        ("see https://e.org/a_b_c.", "link", "https://e.org/a_b_c", "https://e.org/a_b_c"),
        ("see (https://e.org/a)", "link", "https://e.org/a", "https://e.org/a"),
        ("<https://e.org>", "link", "https://e.org", "https://e.org"),
        ("![alt](i/a(1).png)", "image", "alt", "i/a(1).png"),
        ("![](a.png 'T')", "image", "T", "a.png"),
        ('x <img src="a.png" title="a > b"/> y', "image", "a > b", "a.png"),
        ("<p>\n<img alt='z' src=a.png>\n</p>", "image", "z", "a.png"),
        ("![[a.png|300]]", "image", "", "a.png"),
        ("[[Dropout]]", "wikilink", "Dropout", "Dropout"),
        ("[[Dropout|it]]", "wikilink", "it", "Dropout"),
        ("[[Dropout#In detail]]", "wikilink", "Dropout", "Dropout"),
        ("[[#Here]]", "wikilink", "Here", "Here"),
    ],
)
def test_marked_terms(source: str, kind: str, words: str, target: str) -> None:
    """Each notation gives its words and its target, on its span."""
    terms = [term for term in parse_markdown(source).marked if term.kind == kind]
    assert [(term.text, term.target) for term in terms] == [(words, target)]
    span = source[terms[0].start : terms[0].end]
    assert not span.startswith(" ")
    assert source.replace(span, "") + span != source or span == source


@pytest.mark.parametrize(
    "source", ["a[[0]]", "x[['b']]", "[[1, 2], [3, 4]]", "`[[a]]`", "df[[name]]", "[[a]](b.md)"]
)
def test_double_brackets_that_are_no_wikilinks(source: str) -> None:
    """Indexing, arrays and code are left alone."""
    assert [term for term in parse_markdown(source).marked if term.kind == "wikilink"] == []


def test_same_words_in_two_cells_of_a_row_have_their_own_spans() -> None:
    """The second of two equal table cells is found behind the first."""
    text = "| a | b |\n|---|---|\n| **x** | **x** |\n"
    spans = [(term.start, term.end) for term in parse_markdown(text).marked]
    assert [text[start:end] for start, end in spans] == ["**x**", "**x**"]
    assert spans[0][1] < spans[1][0]


def test_front_matter_gives_values_and_lines() -> None:
    """Keys know their line; dates stay as written; what follows keeps its line numbers."""
    parsed = parse_markdown(
        "\ufeff---\r\n# comment\r\naliases: [RNN]\r\n\r\ndate: 2024-02-30\r\n---\r\n# A\r\n"
    )
    assert parsed.front_matter == {"aliases": ["RNN"], "date": "2024-02-30"}
    assert parsed.front_matter_lines == {"aliases": 3, "date": 5}
    assert [heading.line for heading in parsed.headings] == [7]
    assert parsed.blocks == ()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("---\ntitle: a\nbad: [1, 2\n---\nwords", 3, "expected ',' or ']'"),
        ("---\na: b: c\n---\n", 2, "mapping values are not allowed here"),
        ("---\na: 1\nb: \x01\n---\n", 3, "the character '\\x01', which YAML forbids"),
        ("---\na: *missing\n---\n", 2, "undefined alias"),
    ],
)
def test_broken_front_matter_is_left_out_and_its_line_told(text: str, line: int, says: str) -> None:
    """YAML that cannot be read costs itself: the note's line and what is wrong are said."""
    parsed = parse_markdown(text)
    assert parsed.front_matter == {}
    (part,) = parsed.left_out
    assert part.line == line
    assert says in part.why


def test_a_rule_at_the_top_is_no_front_matter() -> None:
    """A note that begins with a rule and words keeps them as its body."""
    parsed = parse_markdown("---\nJust some words.\n\n---\nmore")
    assert parsed.front_matter == {}
    assert "more" in words_of(parsed.blocks[-1], parsed.texts[0])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("## [A](b) **c**\n\nwords\n  more", "A c words more"),
        ("- one\n- two", "one two"),
        ("```python\nx = 1  # y\n```", "x = 1 # y"),
        ("    x = 1", "x = 1"),
        ("a<br>b <sub>c</sub> &lt;d&gt;", "a b c <d>"),
        ("<div>\n<p>a &amp; b</p><!-- no --></div>", "a & b"),
        ('<img src="https://latex.codecogs.com/gif.latex?x" title="\\hat{y} > 0">', "\\hat{y} > 0"),
        ("![](https://latex.codecogs.com/gif.latex?a&plus;b&space;c)", "a+b c"),
        ("![alt](a.png 'title')", "alt"),
        ("| a | b |\n|---|---|\n| 1 | **2** |", "a b 1 2"),
        ("$$\nx^2\n$$ and $y_1$", "x^2 and $y_1$"),
        ("it is $y_1$ and \\* here", "it is y_1 and * here"),
        ("[[Dropout|it]] ~~gone~~", "it gone"),
        ("> quoted\n> words", "quoted words"),
        ("2 < 3 and  a_b_c", "2 < 3 and a_b_c"),
        ("[ref]: https://e.org", ""),
        ("\ufeff# A", "A"),
    ],
)
def test_plain_words(source: str, words: str) -> None:
    """Marks go, words, code and formulas stay."""
    assert plain(source) == words


@given(st.text("abc .,\n\t", max_size=60))
def test_plain_leaves_text_without_marks_alone(text: str) -> None:
    """Only white space changes where there is no Markdown, on the short way and on the long one."""
    words = " ".join(line.strip() for line in text.split("\n"))
    assert plain(" ".join(words.split())) == " ".join(words.split())
