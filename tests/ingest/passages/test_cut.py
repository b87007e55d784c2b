"""Passages: exact slices that cover every block once, cut where a reader would pause."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notes.lines import line_of, line_spans
from ingest.notes.markdown import parse_markdown
from ingest.notes.notebook import parse_notebook
from ingest.notes.parsed import ParsedNote
from ingest.passages.cut import SPLIT_OVER, TARGET, cut
from ingest.passages.split import pieces
from kg.types import Passage

SENTENCE = "The loss falls while the rate is small, as one would expect. "
BLOCKS = [
    "# Heading",
    "## [Linked]((https://e.org))",
    "### Deeper",
    SENTENCE * 3,
    SENTENCE * 19,
    "As in this code:",
    "![](a.png)",
    "```python\n" + "x = f(x)\n" * 20 + "```",
    "```python\ndef f(x):\n\n" + "    return x\n" * 130 + "\n\ny = f(1)\n```",
    "- item\n- item\n  - nested\n\n    ```\n    # code\n    ```",
    "".join(f"- {SENTENCE}\n" for _ in range(30)),
    "- long item\n" + "".join(f"  - {SENTENCE * 2}\n" for _ in range(25)),
    "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 5,
    "| a | b |\n|---|---|\n" + f"| {SENTENCE} | 2 |\n" * 40,
    "$$\nx = 1\n\n+ 2\n$$",
    "$$\n" + "x^2 + y^2\n" * 150 + "$$",
    '<img src="a.png" title="a > b. And then some">',
    SENTENCE * 30 + "`code. with a stop` and [a link. here](b.md) " + SENTENCE * 20,
    "line without any stop\n" * 150,
    "wordswithoutend" * 250,
    "\ttabbed code",
    "```\nunclosed\n# fence",
]


@st.composite
def notes(draw: st.DrawFn) -> str:
    """Notes of blocks short and long, with either line ending, some with a mark."""
    blocks = draw(st.lists(st.sampled_from(BLOCKS), max_size=9))
    between = draw(st.sampled_from(["\n\n", "\n\n\n", "\n"]))
    text = between.join(blocks)
    return draw(st.sampled_from(["", "\ufeff", "---\na: 1\n---\n"])) + (
        text.replace("\n", "\r\n") if draw(st.booleans()) else text
    )


def check_slices(parsed: ParsedNote, passages: Sequence[Passage]) -> None:
    """Every passage is the slice it says, on the lines it says, and none overlap."""
    before = (-1, 0)
    for passage in passages:
        text = parsed.text_of(passage.cell)
        spans = line_spans(text)
        assert passage.text == text[passage.start : passage.end] != ""
        assert passage.text[-1] not in " \t\r\n"
        assert line_of(spans, passage.start) == passage.line_start
        assert line_of(spans, passage.end - 1) == passage.line_end
        assert before <= (passage.cell or 0, passage.start)
        before = (passage.cell or 0, passage.end)


@given(notes())
def test_passages_are_slices_and_cover_every_block_once(text: str) -> None:
    """No character of a block is in two passages, and none that is not blank is in no passage."""
    parsed = parse_markdown(text)
    passages = cut(parsed, "n.md", first_id=5)
    check_slices(parsed, passages)
    assert [passage.id for passage in passages] == list(range(5, 5 + len(passages)))
    inside = {at for passage in passages for at in range(passage.start, passage.end)}
    for block in parsed.blocks:
        owners = [p for p in passages if p.start < block.end and block.start < p.end]
        assert all(owner.heading_path == block.heading_path for owner in owners)
        if block.end - block.start <= SPLIT_OVER:
            (owner,) = owners
            assert owner.start <= block.start and block.end <= owner.end
        assert all(at in inside or text[at].isspace() for at in range(block.start, block.end))


@given(notes())
def test_a_passage_is_longer_than_the_target_only_for_one_block(text: str) -> None:
    """Over the target there is a single block, or piece of one, or a short lead-in with it."""
    parsed = parse_markdown(text)
    for passage in cut(parsed, "n.md"):
        if len(passage.text) > TARGET:
            within = [b for b in parsed.blocks if b.start < passage.end and passage.start < b.end]
            largest = max(min(b.end, passage.end) - max(b.start, passage.start) for b in within)
            headings = sum(
                h.end - h.start + 6
                for h in parsed.headings
                if passage.start <= h.start < passage.end
            )
            assert largest + headings + TARGET // 4 + 6 >= len(passage.text)


@given(notes())
def test_pieces_of_a_block_never_cut_a_formula_and_lose_nothing(text: str) -> None:
    """Pieces ascend, together hold all that is not blank, and each formula lies in one of them."""
    parsed = parse_markdown(text)
    for block in parsed.blocks:
        found = pieces(block, text)
        assert found[0][0] == block.start and found[-1][1] == block.end
        for (_, end, _), (start, _, cost) in pairwise(found):
            assert text[end:start].strip() == ""
            assert cost > 0
        if block.kind == "math":
            assert len(found) == 1


def passages_of(text: str) -> list[str]:
    return [passage.text for passage in cut(parse_markdown(text), "n.md")]


def test_first_passage_of_a_section_begins_at_its_heading() -> None:
    """The heading's line is part of the passage, links and all."""
    text = "# A\n\nwords\n\n## [B](https://e.org)\n\n- one\n- two\n"
    assert passages_of(text) == ["# A\n\nwords", "## [B](https://e.org)\n\n- one\n- two"]


def test_a_heading_is_a_passage_only_where_nothing_is_below_it() -> None:
    """A heading with deeper headings gives none of its own; an empty one stands by itself."""
    assert passages_of("# A\n## B\n### C\n## D\nwords\n# E") == ["### C", "## D\nwords", "# E"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("# A\n```\nx\n```", "code"),
        ("# A\n- x\n- y", "list"),
        ("# A\n| a |\n|---|\n| b |", "table"),
        ("# A\nwords", "prose"),
        ("$$\nx\n$$", "prose"),
        ("words:\n\n```\nx\n```", "prose"),
        ("# A", "prose"),
    ],
)
def test_kind_is_that_of_the_blocks_alone(text: str, kind: str) -> None:
    """A heading does not change the kind; a mixture is prose."""
    assert [passage.kind for passage in cut(parse_markdown(text), "n.md")] == [kind]


def test_code_stays_with_the_words_that_announce_it() -> None:
    """The announcing paragraph goes to the code, though it would fit before."""
    code = "```\n" + "x = f(x)\n" * 60 + "```"
    text = f"{SENTENCE * 9}\n\nThis is how:\n\n{code}\n\n{SENTENCE * 4}"
    assert len(text) > TARGET
    assert any(passage.startswith("This is how:\n\n```") for passage in passages_of(text))


def test_code_a_little_too_long_keeps_its_short_lead_in() -> None:
    """A heading and one sentence are not left alone before code that is too long."""
    code = "```\n" + "x = f(x)\n" * 140 + "```"
    assert TARGET < len(code) < SPLIT_OVER
    assert passages_of(f"# A\n\nLike this:\n\n{code}") == [f"# A\n\nLike this:\n\n{code}"]


def test_whole_blocks_are_not_split_up_to_twice_the_target() -> None:
    """Code, tables and items of up to twice the target stay in one piece."""
    code = "```\n" + "x = f(x)\n\n" * 230 + "```"
    table = "| a |\n|---|\n" + f"| {SENTENCE}|\n" * 35
    item = "- " + SENTENCE * 38
    for block in (code, table.rstrip(), item.rstrip()):
        assert TARGET < len(block) <= SPLIT_OVER
        assert sum(block in passage for passage in passages_of(f"words\n\n{block}\n\nwords")) == 1


def test_long_code_is_split_at_blank_lines() -> None:
    """Definitions of a long code block stay whole."""
    functions = [f"def f{at}(x):\n" + "    x = x + 1\n" * 20 + "    return x\n" for at in range(12)]
    text = "```python\n" + "\n\n".join(functions) + "```"
    found = passages_of(text)
    assert len(found) > 1
    for function in functions:
        assert sum(function.rstrip() in passage for passage in found) == 1


def test_long_prose_is_split_at_sentence_ends_and_evenly() -> None:
    """No sentence, link or inline code is torn, and no small remainder is left."""
    text = (
        "# A\n\n"
        + SENTENCE * 25
        + "See [the. Long paper](https://e.org/a) and `f. X()` first. "
        + SENTENCE * 20
    )
    found = passages_of(text)
    assert all(passage.endswith(".") for passage in found)
    assert (
        sum(
            "[the. Long paper](https://e.org/a) and `f. X()` first." in passage for passage in found
        )
        == 1
    )
    assert min(map(len, found)) > TARGET // 3


def test_abbreviations_end_no_sentence() -> None:
    """A long paragraph is not cut after "e.g." or an initial."""
    text = (
        "Regularisers, e.g. Dropout by G. Hinton, keep the net from learning by heart. " * 40
    ).rstrip()
    assert all(passage.startswith("Regularisers") for passage in passages_of(text))


def test_a_long_formula_is_never_split() -> None:
    """A formula stays whole at any length, by itself and inside a paragraph."""
    formula = "$$\n" + "x^2 + y^2 = z^2 + w^2. Z\n\n" * 95 + "$$"
    assert len(formula) > SPLIT_OVER
    assert sum(formula in passage for passage in passages_of(f"words\n\n{formula}\n\nwords")) == 1
    inline = (
        "- " + SENTENCE * 30 + "\n\n  " + formula.replace("\n\n", "\n  ") + "\n\n  " + SENTENCE * 30
    )
    assert sum("$$" in passage for passage in passages_of(inline)) == 1


def test_small_remainders_are_shared_out() -> None:
    """Two sentences too many make two halves, not one full passage and a scrap."""
    paragraphs = [SENTENCE * 2] * 11
    found = passages_of("\n\n".join(paragraphs))
    assert len(found) == 2
    assert min(map(len, found)) > TARGET // 3


def notebook(*cells: tuple[str, str, str]) -> str:
    """A notebook's JSON from (kind, source, stream output)."""
    made = [
        {
            "cell_type": kind,
            "metadata": {},
            "source": source,
            **(
                {
                    "execution_count": 1,
                    "outputs": [{"output_type": "stream", "name": "stdout", "text": output}],
                }
                if kind == "code"
                else {}
            ),
        }
        for kind, source, output in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def test_passages_do_not_cross_cells() -> None:
    """Each cell has its own passages, under the headings of earlier cells.

    A bare heading's cell has none.
    """
    parsed = parse_notebook(
        notebook(
            ("markdown", "# A", ""),
            ("markdown", "words", ""),
            ("raw", "x", ""),
            ("code", "f(1)", "2\n"),
        )
    )
    passages = cut(parsed, "n.ipynb")
    check_slices(parsed, passages)
    assert [(p.cell, p.text, p.kind, p.heading_path) for p in passages] == [
        (1, "words", "prose", ("A",)),
        (3, "f(1)\n\n2", "code", ("A",)),
    ]


def test_a_last_heading_alone_in_its_cell_is_a_passage() -> None:
    """Nothing below it: not in its own cell, not in a later one."""
    parsed = parse_notebook(notebook(("markdown", "words", ""), ("markdown", "# End", "")))
    assert [(p.cell, p.text) for p in cut(parsed, "n.ipynb")] == [(0, "words"), (1, "# End")]


def test_long_output_is_a_passage_of_its_own() -> None:
    """Code and output that do not fit together are parted, each with its kind."""
    parsed = parse_notebook(notebook(("code", "x = f(x)\n" * 60, "epoch 1 loss 0.3\n" * 60)))
    passages = cut(parsed, "n.ipynb")
    check_slices(parsed, passages)
    assert [passage.kind for passage in passages] == ["code", "output"]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["markdown", "code", "raw"]),
            st.sampled_from(BLOCKS),
            st.sampled_from(BLOCKS),
        ),
        max_size=6,
    )
)
def test_passages_of_any_notebook_are_slices_of_their_cells(
    cells: list[tuple[str, str, str]],
) -> None:
    """Spans count within the cell's text, source and outputs together."""
    parsed = parse_notebook(notebook(*cells))
    assert len(parsed.texts) == len(cells)
    passages = cut(parsed, "n.ipynb")
    check_slices(parsed, passages)
    for block in parsed.blocks:
        assert any(
            p.cell == block.cell and p.start < block.end and block.start < p.end for p in passages
        )
        assert cells[block.cell or 0][0] != "raw"
