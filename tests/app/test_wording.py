"""Words that several rooms form alike: places in notes, and code that stays code."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from app.place import address, place
from app.wording import code_block
from kg.types import Evidence, Place


@pytest.mark.parametrize(
    ("lines", "in_words", "in_a_terminal"),
    [
        (Place("a.md", None, 3, 3), "a.md, line 3", "a.md:3"),
        (Place("a.md", None, 3, 5), "a.md, lines 3–5", "a.md:3-5"),
        (Place("a.ipynb", 4, 1, 2), "a.ipynb, cell 4, lines 1–2", "a.ipynb:1-2 (cell 4)"),
        (Evidence("a.ipynb", 0, 7, "", "link"), "a.ipynb, cell 0, line 7", "a.ipynb:7 (cell 0)"),
    ],
)
def test_a_place_names_note_cell_and_lines(
    lines: Place | Evidence, in_words: str, in_a_terminal: str
) -> None:
    """The first cell counts as one, and a single line is no range."""
    assert place(lines) == in_words
    assert address(lines) == in_a_terminal


def test_a_fence_is_longer_than_any_inside() -> None:
    """Code that holds a fence does not end its own."""
    rendered = MarkdownIt("commonmark").render(code_block("a\n```\nb", "py"))
    assert rendered == '<pre><code class="language-py">a\n```\nb\n</code></pre>\n'
