"""Front matter in YAML: what is broken in it costs the block, never the note."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.notes.front_matter import read_front_matter
from ingest.notes.markdown import parse_markdown
from kg.errors import UnreadableNote


@pytest.mark.parametrize(
    ("block", "line"),
    [
        ("title: Adam: a method", 2),
        ("aliases:\n\t- SGD", 3),
        ("\ttitle: SGD", 2),
        ("title: a\ntitle: b", 3),
        ("date: {{date}}", 2),
        ("{{front}}\ntitle: x: y", 3),
        ("created: <% tp.file.date() %>\ntags: [ml", 3),
        ("when: !!timestamp soon", 2),
        ("on: !!bool maybe", 2),
        ("n: !!int ''", 2),
        ("a: " + "[" * 2000, 2),
        ("a: " + "[" * 60 + "]" * 60, 2),
        ("title: a\n\nweight: [1", 4),
    ],
)
def test_a_broken_block_is_left_out_with_its_line(block: str, line: int) -> None:
    """And what follows it is the note, at its own lines."""
    text = f"---\n{block}\n---\n# Dropout\n\nZeroes.\n"
    parsed = parse_markdown(text)
    assert parsed.front_matter == {}
    (part,) = parsed.left_out
    assert part.line == line and part.why.startswith("front matter is not valid YAML: ")
    assert [h.text for h in parsed.headings] == ["Dropout"]
    assert [text[b.start : b.end] for b in parsed.blocks] == ["Zeroes."]


@pytest.mark.parametrize(
    "text",
    [
        "---\ntitle: Dropout\n\n# Dropout\n\nZeroes.\n",
        "---\ntitle: Dropout\n\n# Dropout\n\nZeroes.\n\n---\n\nMore.\n",
        "---\ntitle: Dropout\n\nIt sets to zero.\n\n# Dropout\n\nZeroes.\n\n---\n",
    ],
)
def test_a_block_without_its_end_swallows_nothing(text: str) -> None:
    """Neither to the note's end nor to the first rule in it."""
    parsed = parse_markdown(text)
    assert "Dropout" in [h.text for h in parsed.headings]
    assert "Zeroes." in [text[b.start : b.end] for b in parsed.blocks]
    assert [part.line for part in parsed.left_out] == [1]


def test_numbers_beyond_measure_stay_as_written() -> None:
    """Where Python would refuse to write them, or count without end."""
    long, sixties = "0x" + "f" * 5000, "1:" * 500 + "1.5"
    front = read_front_matter(f"---\na: {long}\nb: {sixties}\nc: 0x10\n---\n")
    assert front.values == {"a": long, "b": sixties, "c": 16} and front.left_out == ()


def test_values_that_repeat_others_are_read_up_to_a_bound() -> None:
    """Honest aliases count; those that expand beyond measure are refused before they are."""
    front = read_front_matter("---\na: &a [x, y]\nb: [*a, *a]\n---\n")
    assert front.values == {"a": ["x", "y"], "b": [["x", "y"], ["x", "y"]]}
    grows = "".join(f"k{i}: &k{i} [{f'*k{i - 1},' * 10 if i else 1}]\n" for i in range(1, 9))
    merged = "".join(
        f"m{i}: &m{i}\n  <<: [{','.join([f'*m{i - 1}'] * 10)}]\n  x: 1\n" for i in range(1, 9)
    )
    for block in (f"k0: &k0 [1]\n{grows}", f"m0: &m0\n  x: 1\n{merged}"):
        with pytest.raises(UnreadableNote, match="more than 10000 values that aliases") as raised:
            read_front_matter(f"---\n{block}---\n")
        assert raised.value.line > 2


@given(st.text(alphabet="-ab:[]{}&*!?|>'\"<% \n\t1x#,\\ud0", max_size=80))
def test_any_block_is_read_or_left_out(inside: str) -> None:
    """Whatever stands in it, what is read can be stored, and each line but the block's is text."""
    text = f"---\n{inside}\n---\nThe end\n"
    try:
        parsed = parse_markdown(text)
    except UnreadableNote as error:
        assert "holds itself" in str(error)
        return
    json.dumps(parsed.front_matter, ensure_ascii=False).encode()
    assert any("The end" in text[b.start : b.end] for b in parsed.blocks)
