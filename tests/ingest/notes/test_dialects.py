"""Dialects of Markdown: what their programs show is read, the rest is not, and spans stay exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notes.dialect_lines import blanked, read_lines, readable
from ingest.notes.markdown import parse_markdown
from ingest.notes.parsed import ParsedNote
from ingest.notes.plain_text import plain, without_tags
from ingest.passages.cut import cut

LOGSEQ = """title:: Learning rate
alias:: [[step size]], LR
tags:: [[hyperparameter]], training

- The rate scales each [[gradient]] step. #training #[[deep learning]]
  id:: 6f2c4f0e-0000-1111-2222-333344445555
- ## Warm-up
  collapsed:: true
\t- Warm-up raises the rate at first.
\t  :LOGBOOK:
\t  CLOCK: [2024-01-02 Tue 10:00:00]
\t  :END:
\t- SCHEDULED: <2024-01-02 Tue>
\t- {{query (and [[todo]])}}
\t- ### Linear
\t\t- It rises along a **line**. ((6f2c4f0e-0000-1111-2222-333344445555))
- ## Decay
\t- Decay lowers it again.
"""


def statements_of(text: str) -> list[str]:
    passages = cut(parse_markdown(text), "n.md")
    return [p.text[s.start : s.end] for p in passages for s in p.statements]


def headings_of(parsed: ParsedNote) -> list[tuple[int, str]]:
    return [(h.level, h.text) for h in parsed.headings]


def test_an_outline_has_sections_names_and_no_properties() -> None:
    """Headings in bullets are the note's own; its properties are what front matter would be."""
    parsed = parse_markdown(LOGSEQ)
    assert parsed.front_matter == {
        "title": "Learning rate",
        "alias": "step size, LR",
        "tags": "hyperparameter, training",
    }
    assert parsed.front_matter_lines == {"title": 1, "alias": 2, "tags": 3}
    assert [h.path for h in parsed.headings] == [
        ("Warm-up",),
        ("Warm-up", "Linear"),
        ("Decay",),
    ]
    assert [h.line for h in parsed.headings] == [7, 15, 17]
    # Of links only that of the text is left: those of properties, tags and queries are none.
    assert [m.target for m in parsed.marked if m.kind == "wikilink"] == ["gradient"]
    (line,) = [m for m in parsed.marked if m.kind == "bold"]
    assert LOGSEQ[line.start : line.end] == "**line**"


def test_passages_of_an_outline_say_what_a_reader_sees() -> None:
    """Blocks below a heading belong to it, and no mark of the program is among their words."""
    passages = cut(parse_markdown(LOGSEQ), "n.md")
    assert [(p.heading_path, plain(p.text)) for p in passages] == [
        ((), "The rate scales each gradient step."),
        (("Warm-up",), "Warm-up Warm-up raises the rate at first."),
        (("Warm-up", "Linear"), "Linear It rises along a line."),
        (("Decay",), "Decay Decay lowers it again."),
    ]
    assert all(LOGSEQ[p.start : p.end] == p.text for p in passages)
    kinds = [s.kind for p in passages for s in p.statements]
    assert kinds == ["item"] * 4


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (
            '!!! note "In short"\n    It falls.\n\n    Then it rises.\n\nAfter.',
            "In short: It falls. Then it rises. After.",
        ),
        ("??? tip\n    It falls.", "It falls."),
        (
            '=== "Torch"\n\n    It falls.\n\n=== "Keras"\n\n    It rises.',
            "Torch: It falls. Keras: It rises.",
        ),
        (":::note In short\nIt falls.\n:::", "In short: It falls."),
        (":::tip[In short]\n\nIt falls.\n\n:::\n\nAfter.", "In short: It falls. After."),
        ('::: {.callout-note title="In short"}\nIt falls.\n:::', "In short: It falls."),
        ("::: {.callout-tip}\n## In short\n\nIt falls.\n:::", "In short: It falls."),
        ("::: {#thm-one}\n## Falling\n\nIt falls.\n:::", "Falling: It falls."),
        (":::{admonition} In short\n:class: tip\nIt falls.\n:::", "In short: It falls."),
        ("```{note} In short\n:class: dropdown\nIt falls.\n```", "In short: It falls."),
        ("````{tab-set}\n```{tab-item} Torch\nIt falls.\n```\n````", "Torch: It falls."),
        (":::{figure} curve.png\n:name: curve\nIt falls.\n:::", "It falls."),
        ("/// details | In short\nIt falls.\n///", "In short: It falls."),
        ("::::{grid} 2\n:::{card} Loss\nIt falls.\n:::\n::::", "Loss: It falls."),
    ],
)  # fmt: skip
def test_a_box_is_its_content_under_a_title_that_runs_in(source: str, shown: str) -> None:
    """Fences, indents, options and names of boxes go; no heading or marked term comes of them."""
    assert plain(source) == shown
    note = f"# Loss\n\nThe loss is a number.\n\n{source}\n\n## Next\n\nMore."
    parsed = parse_markdown(note)
    assert headings_of(parsed) == [(1, "Loss"), (2, "Next")]
    assert parsed.marked == ()
    statements = statements_of(note)
    assert "It falls." in statements and statements[-1] == "More."
    assert not any(mark in s for s in statements for mark in (":::", "!!!", "???", "===", "///"))


def test_code_in_a_box_stays_code_and_what_follows_is_outside() -> None:
    """A fence within an indented box is code with its language; the box ends with its indent."""
    text = '!!! tip "Try"\n    ```python\n    x = 1\n\n    # no heading\n    ```\n\nOutside.'
    parsed = parse_markdown(text)
    assert [(b.kind, b.language) for b in parsed.blocks] == [
        ("html", ""),
        ("code", "python"),
        ("paragraph", ""),
    ]
    assert parsed.headings == ()
    assert readable(text) == ("**Try:**\n```python\nx = 1\n\n# no heading\n```\n\nOutside.")


@pytest.mark.parametrize(
    "source",
    [
        "!!! great news, no box follows",
        "```python\n!!! note\n    x\n:::\nid:: 3\n```",
        "std::vector holds {x} and a[^-1] at a@b.org, in 50 %% of `{{x}}`",
        "Definition:: A norm is a length.",
        "1. first\n2. second\n\n    indented in the item",
        "The set $\\{x\\}$ and $$a %% b$$ with \\[ x_{a=b} \\] %",
        "- one\n- two # three\n\n    code",
        "C# and F# are languages, see issue #12",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_dialect_stays_as_it_is(source: str) -> None:
    """Prose, code, formulas and plain lists are read as CommonMark has them."""
    assert readable(source) == source == blanked(source)
    assert [line.text for line in read_lines(source.split("\n"))] == source.split("\n")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("It falls.[^1]\n\n[^1]: Not always.", "It falls. Not always."),
        ("It %%may\n\nnot%% fall. ^a1b2c3", "It fall."),
        ("As {ref}`the proof <sec-proof>` says {cite:p}`x2020`.", "As the proof says."),
        ("{term}`Loss` in :math:`x^2`", "Loss in x^2"),
        ("Shown [@x2020, p. 3] in @fig-loss.", "Shown in fig-loss."),
        ("A [word]{.mark} and `x`{.python} {#id .cls}", "A word and x"),
        ("{{< video a.mp4 >}}\n\nIt falls. {% raw %}", "It falls."),
        ("See {{jsxref(\"Array\")}} now", "See Array now"),
        ("A {{c1::loss::hint}} falls", "A loss falls"),
        ("It is [size:: large] here", "It is large here"),
        ("Use #adam/w here #todo #[[x y]]", "Use adam/w here"),
        ("import X from './x'\nexport const y = 1\n\nIt falls. {/* not said */}", "It falls."),
        ('--8<-- "part.md"\n\nIt falls.\n{: .lead }\n\n*[LR]: rate', "It falls."),
        ("(sec-one)=\n% a comment\n+++ {}\nIt falls.", "It falls."),
        ("<!-- not\n\nsaid --> It falls.", "It falls."),
        ("![[Other note#Part]]\n\nIt falls.", "It falls."),
    ],
)  # fmt: skip
def test_marks_are_read_and_not_shown(source: str, words: str) -> None:
    """Comments, references, roles, attributes, macros, tags, modules: what they show stays."""
    assert plain(source) == words


def test_statements_never_hold_a_piece_of_a_comment() -> None:
    """A comment of several sentences is no statement, nor a part of one."""
    text = "It falls. %%Does it. Not sure.%% It rises. <!-- Why. Ask. --> It stops."
    assert statements_of(text) == ["It falls.", "It rises.", "It stops."]


def test_a_fence_that_nothing_closes_ends_before_the_next_section() -> None:
    """Headings behind an unclosed fence are found; comments in its code are not."""
    text = "# A\n\n```python\n# set up\nx = 1\n\n# B\n\nB is a thing.\n\n```python\ny = 2\n```\n"
    parsed = parse_markdown(text)
    assert headings_of(parsed) == [(1, "A"), (1, "B")]
    code = [text[b.start : b.end] for b in parsed.blocks if b.kind == "code"]
    assert [c.strip() for c in code] == ["```python\n# set up\nx = 1", "```python\ny = 2\n```"]


@pytest.mark.parametrize(
    "source",
    [
        "```python\nx = 1\n\n# comment\n\ny = 2\n```\n\nAfter.",
        "```python\nx = 1\n# comment\ny = 2",
        "````md\n```python\n\n# A\n\n```\n````",
    ],
)
def test_a_heading_in_code_is_none_where_the_fence_is_closed_or_no_section_follows(
    source: str,
) -> None:
    """What looks like a heading in code ends no fence that is whole."""
    assert parse_markdown(source).headings == ()


def test_an_unclosed_fence_is_closed_where_it_is_shown() -> None:
    """What stands behind shown code is never swallowed by it."""
    assert readable("Try:\n\n```python\nx = 1") == "Try:\n\n```python\nx = 1\n```"
    assert readable("~~~\nx\n~~~") == "~~~\nx\n~~~"


def test_tags_of_html_are_not_shown_but_in_code() -> None:
    """Words of HTML stay apart, code, formulas, comparisons and addresses as they are."""
    source = "<p>a</p>\n\nH<sub>2</sub>O, x < y > z, `<b>`, $a<b$ <https://e.org>"
    assert without_tags(source).split("\n")[-1] == "H2O, x < y > z, `<b>`, $a<b$ <https://e.org>"
    assert without_tags("<tr><td>a</td><td>b</td></tr>").split() == ["a", "b"]


LINES = [
    *LOGSEQ.split("\n"),
    '!!! note "Title"',
    "    body **bold**",
    '=== "Tab"',
    ":::{note} Title",
    ":::note",
    ":::",
    "```{tip}",
    "```python",
    "```",
    "%%",
    "<!--",
    "-->",
    "",
    "# Heading",
    "words `code` #tag",
    "text {#id} $x$ [@a]",
]


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=20))
def test_what_is_read_of_a_line_is_an_end_of_it_or_what_stands_for_it(lines: list[str]) -> None:
    """Each line is read in its place: no letter of text moves, and lengths are kept."""
    for source, line in zip(lines, read_lines(lines), strict=True):
        if line.role == "text":
            end = source[len(source) - len(line.text) :]
            assert len(end) == len(line.text)
            lead = line.text.lstrip(" -")
            assert lead == "" or line.text.endswith(lead)
            assert all(a in (b, " ", "$", "-") for a, b in zip(line.text, end, strict=True))
    text = "\n".join(lines)
    assert len(blanked(text)) == len(text)
    assert [a == "\n" for a in blanked(text)] == [a == "\n" for a in text]


@given(st.lists(st.sampled_from(LINES), max_size=20))
def test_marked_terms_and_statements_of_dialects_lie_where_they_say(lines: list[str]) -> None:
    """Spans into the original text hold in boxes and outlines too."""
    text = "\n".join(lines)
    parsed = parse_markdown(text)
    for term in parsed.marked:
        if term.kind == "bold":
            assert text[term.start : term.end] == f"**{term.text}**"
    for passage in cut(parsed, "n.md"):
        assert text[passage.start : passage.end] == passage.text
        end = 0
        for statement in passage.statements:
            assert end <= statement.start < statement.end <= len(passage.text)
            assert blanked(passage.text)[statement.start : statement.end].strip()
            end = statement.end
