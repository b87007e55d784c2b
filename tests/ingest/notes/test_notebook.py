"""Notebooks: cells keep their place, headings hold on, outputs become words."""

from __future__ import annotations

import json
import logging
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notes.kinds import parse_note
from ingest.notes.lines import line_of, line_spans
from ingest.notes.notebook import OUTPUT_LIMIT, parse_notebook
from kg.errors import UnreadableNote


def markdown(source: str | list[str]) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": list(outputs),
        "execution_count": None,
    }


def stream(text: str | list[str]) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(**data: object) -> dict[str, Any]:
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {key.replace("_", "/"): data[key] for key in data},
    }


def notebook(*cells: dict[str, Any], **metadata: Any) -> str:
    return json.dumps(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1
    )


def output_of(*outputs: dict[str, Any]) -> str:
    """Text of a cell's output block; "" when it has none."""
    parsed = parse_notebook(notebook(code("f()", *outputs)))
    return "".join(parsed.texts[0][b.start : b.end] for b in parsed.blocks if b.kind == "output")


def test_cells_keep_their_index_and_headings_hold_for_later_cells() -> None:
    """Texts line up with cells, and a code cell stands under the headings before it."""
    text = notebook(
        markdown(["# A\n", "words"]),
        {"cell_type": "raw", "metadata": {}, "source": "# raw"},
        code("x = 1\n\ny = 2\n"),
        markdown("### B"),
        markdown("## C\n\n- item"),
        code("z"),
    )
    parsed = parse_notebook(text)
    assert parsed.texts == (
        "# A\nwords",
        "# raw",
        "x = 1\n\ny = 2\n",
        "### B",
        "## C\n\n- item",
        "z",
    )
    assert [(heading.cell, heading.path) for heading in parsed.headings] == [
        (0, ("A",)),
        (3, ("A", "B")),
        (4, ("A", "C")),
    ]
    assert [(block.cell, block.kind, block.heading_path) for block in parsed.blocks] == [
        (0, "paragraph", ("A",)),
        (2, "code", ("A",)),
        (4, "item", ("A", "C")),
        (5, "code", ("A", "C")),
    ]


def test_output_follows_the_source_after_an_empty_line() -> None:
    """The cell's text is source, empty line, outputs.

    Both blocks have their spans and lines in it.
    """
    parsed = parse_notebook(
        notebook(code("\nx = 1\nx", stream(["one\n", "two\n"]), shown(text_plain="3")))
    )
    (text,) = parsed.texts
    assert text == "\nx = 1\nx\n\none\ntwo\n3"
    assert [(b.kind, text[b.start : b.end], b.line_start, b.line_end) for b in parsed.blocks] == [
        ("code", "x = 1\nx", 2, 3),
        ("output", "one\ntwo\n3", 5, 7),
    ]


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (stream("\x1b[31mred\x1b[0m text\n"), "red text"),
        (stream(" 10%|#   |\r 50%|##  |\r100%|####|\n"), "100%|####|"),
        (stream("a\r\nb\r\n"), "a\nb"),
        (stream("  indented\n"), "  indented"),
        (shown(text_plain="<Figure size 432x288 with 1 Axes>", image_png="iVBOR"), ""),
        (shown(text_plain="[<matplotlib.lines.Line2D at 0x7f00>]"), ""),
        (shown(text_plain="<IPython.core.display.HTML object>", text_html="<table></table>"), ""),
        (
            shown(text_plain=["   a  b\n", "0  1  2"], text_html="<table></table>"),
            "   a  b\n0  1  2",
        ),
        (shown(text_plain="tensor([1., 2.])"), "tensor([1., 2.])"),
        (shown(image_png="iVBOR"), ""),
        (
            {
                "output_type": "error",
                "ename": "ValueError",
                "evalue": "bad \x1b[1mx\x1b[0m",
                "traceback": ["long"],
            },
            "ValueError: bad x",
        ),
    ],
)
def test_outputs_become_words(output: dict[str, Any], words: str) -> None:
    """Text stays without terminal codes and overwritten progress.

    Pictures and object names give nothing.
    """
    assert output_of(output) == words


@given(
    st.lists(st.text("ab \n\t\r\x1b[0m<>", max_size=30), max_size=4),
    st.text("ab \n\r", max_size=20),
)
def test_blocks_of_any_code_cell_slice_its_text(outputs: list[str], source: str) -> None:
    """Whatever the outputs hold, spans and lines agree with the cell's text."""
    parsed = parse_notebook(notebook(code(source, *map(stream, outputs))))
    (text,) = parsed.texts
    spans = line_spans(text)
    assert text.startswith(source)
    for block in parsed.blocks:
        words = text[block.start : block.end]
        assert words.strip() and words == words.rstrip()
        assert (line_of(spans, block.start), line_of(spans, block.end - 1)) == (
            block.line_start,
            block.line_end,
        )


def test_long_outputs_are_capped_and_say_so() -> None:
    """No more than the limit is kept, and the last line shows that there was more."""
    words = output_of(stream("epoch 1 loss 0.25\n" * 1000))
    assert OUTPUT_LIMIT - 40 < len(words) <= OUTPUT_LIMIT
    assert words.endswith("loss 0.25\n…") or words.splitlines()[-1] == "…"


def test_lists_of_different_cells_have_different_groups() -> None:
    """Items of two cells never look like one list."""
    parsed = parse_notebook(
        notebook(markdown("- a\n- b"), markdown("- c\n\n1. d"), markdown("- e"))
    )
    assert [block.group for block in parsed.blocks] == [0, 0, 1, 2, 3]


@pytest.mark.parametrize(
    ("metadata", "source", "language"),
    [
        ({}, "x", "python"),
        ({"language_info": {"name": "R"}}, "x", "r"),
        ({"kernelspec": {"name": "ir", "language": "Julia"}}, "x", "julia"),
        ({"language_info": None, "kernelspec": 3}, "x", "python"),
        ({}, "%%bash\nls", "bash"),
        ({}, "%%time\nx", "python"),
    ],
)
def test_language_comes_from_metadata_or_cell_magic(
    metadata: dict[str, Any], source: str, language: str
) -> None:
    """Code blocks carry the notebook's language, or the one a cell is switched to."""
    parsed = parse_notebook(notebook(code(source), **metadata))
    assert [block.language for block in parsed.blocks] == [language]


def test_marked_terms_carry_their_cell() -> None:
    """Offsets of marked terms count within the cell they stand in."""
    parsed = parse_notebook(notebook(code("x"), markdown("a **b**")))
    (term,) = parsed.marked
    assert (term.cell, parsed.texts[1][term.start : term.end]) == (1, "**b**")


def test_version_3_notebooks_are_read_quietly(caplog: pytest.LogCaptureFixture) -> None:
    """An old notebook's headings, inputs and outputs come through without a warning."""
    cells = [
        {"cell_type": "heading", "level": 2, "metadata": {}, "source": ["Old"]},
        {
            "cell_type": "code",
            "input": ["1 +\n", "1"],
            "language": "python",
            "metadata": {},
            "outputs": [
                {"output_type": "pyout", "prompt_number": 1, "metadata": {}, "text": ["2"]}
            ],
            "odd": True,
        },
    ]
    text = json.dumps(
        {"metadata": {}, "nbformat": 3, "nbformat_minor": 0, "worksheets": [{"cells": cells}]}
    )
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        parsed = parse_notebook(text)
    assert parsed.texts == ("## Old", "1 +\n1\n\n2")
    assert caplog.records == []


def test_odd_but_usable_notebooks_are_read() -> None:
    """Missing ids, metadata, outputs or sources, and a byte order mark, do no harm."""
    cells = [
        {"cell_type": "code"},
        {"cell_type": "markdown", "source": ["# A"]},
        {"cell_type": "odd", "source": 3},
    ]
    parsed = parse_notebook("\ufeff" + json.dumps({"cells": cells, "nbformat": 4}))
    assert parsed.texts == ("", "# A", "")
    assert parse_notebook(notebook()).texts == ()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ('{\n "cells": [\n  {"a": 1,}\n]}', 3, "not valid JSON"),
        ("", 1, "not valid JSON: Expecting value"),
        ("[1]", 1, "JSON without a format version"),
        ('{"cells": []}', 1, "JSON without a format version, expected 'nbformat' 1 to 4"),
        ('{"nbformat": 9, "cells": []}', 1, "format version 9"),
        ('{"nbformat": [4], "cells": []}', 1, "format version [4]"),
        ('{"nbformat": 4}', 1, "not a readable Jupyter notebook: 'cells'"),
        ('{"nbformat": 4, "cells": {}}', 1, "expected a list of cells"),
        ('{"nbformat": 4, "cells": [1]}', 1, "expected a list of cells"),
        ('{"nbformat": 3, "worksheets": [{}]}', 1, "not a readable Jupyter notebook"),
    ],
)
def test_broken_notebooks_say_where_and_why(text: str, line: int, says: str) -> None:
    """JSON that cannot be read names its line; JSON that is no notebook says what was expected."""
    with pytest.raises(UnreadableNote) as raised:
        parse_notebook(text)
    assert raised.value.line == line
    assert says in str(raised.value)


def test_the_name_decides_how_a_note_is_parsed() -> None:
    """A notebook is one by its suffix, in any case; all else is Markdown."""
    text = notebook(markdown("# A"))
    assert [heading.cell for heading in parse_note(text, "x/a.IPYNB").headings] == [0]
    assert parse_note("# A", "x/a.md").headings[0].cell is None
