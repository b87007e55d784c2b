"""Front matter in TOML, as Hugo writes it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from ingest.notes.front_matter import read_front_matter
from ingest.notes.kinds import parse_note
from ingest.notes.parsed import dump, load

NOTE = """\
+++
Title = "Nesterov momentum"
aliases = ["NAG"]
date = 2024-05-01
[extra]
"level" = 2
+++

Nesterov momentum looks ahead.
"""


def test_its_values_and_lines_are_read() -> None:
    """Keys in lower case, dates as text, so that all can be stored."""
    front = read_front_matter(NOTE)
    assert front.line_count == 7
    assert front.values == {
        "title": "Nesterov momentum",
        "aliases": ["NAG"],
        "date": "2024-05-01",
        "extra": {"level": 2},
    }
    assert front.lines == {"title": 2, "aliases": 3, "date": 4, "extra": 5}
    assert json.dumps(front.values)


def test_the_block_is_no_text_of_the_note() -> None:
    """What follows it is, at its own place; and it survives the store."""
    parsed = parse_note(NOTE, "a.md")
    (block,) = parsed.blocks
    assert NOTE[block.start : block.end].strip() == "Nesterov momentum looks ahead."
    assert load(dump(parsed)) == parsed


def test_an_error_is_named_with_its_line() -> None:
    """As in YAML."""
    front = read_front_matter('+++\ntitle = "a"\nb = = 2\n+++\n')
    assert front.line_count == 4 and front.values == {}
    (part,) = front.left_out
    assert part.line == 3 and "not valid TOML" in part.why


def test_without_an_end_it_is_text() -> None:
    """A first line of plus signs alone is none."""
    assert read_front_matter("+++\ntitle = 1\n").line_count == 0


@given(st.text(alphabet='+ab="[]\n1-:T', max_size=60))
def test_any_block_is_read_or_left_out(inside: str) -> None:
    """Whatever stands in it."""
    front = read_front_matter(f"+++\n{inside}\n+++\n")
    assert json.dumps(front.values) and front.values.keys() == front.lines.keys()
