"""Statements of a passage: sentences and blocks with exact places; what only points is none."""

from __future__ import annotations

from pathlib import Path

import pytest

import ingest
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from ingest.passages.statements import says_something, statements_in
from kg.store import Store

NOTES = sorted((Path(ingest.__file__).parent / "starter").glob("*.md"))
AWKWARD = Path(__file__).parents[1] / "notes" / "data" / "awkward.md"

TOUR = """\
## Rates

The rate is the length of a step. It should be small, e.g. 0.01.

Two ways lead there:

1. Look at the curve.
2. Divide by ten.

| a | b |
| --- | --- |
| 1 | 2 |

$$
w - \\eta g
$$

- Try less.
- Try more.

See also: [[Loss]].

[a link](https://example.org)
"""


def said(text: str) -> list[str]:
    return [text[s.start : s.end] for s in statements_in(text, None, "prose")]


def test_a_passage_is_taken_apart_in_its_order() -> None:
    """Sentences, items, table, formula; a link alone says nothing, nor does a pointer."""
    spans = statements_in(TOUR, None, "prose")
    assert [(TOUR[s.start : s.end].split("\n")[0], s.kind, s.block, s.group) for s in spans] == [
        ("The rate is the length of a step.", "sentence", 0, -1),
        ("It should be small, e.g. 0.01.", "sentence", 0, -1),
        ("Two ways lead there:", "sentence", 1, -1),
        ("1. Look at the curve.", "item", 2, 0),
        ("2. Divide by ten.", "item", 3, 0),
        ("| a | b |", "table", 4, -1),
        ("$$", "math", 5, -1),
        ("- Try less.", "item", 6, 1),
        ("- Try more.", "item", 7, 1),
    ]


def test_a_quotation_stays_in_one_piece() -> None:
    """Its marks stand at each line's beginning, so half of it would not read."""
    text = "> First said. Then\n> said again. Done.\n"
    assert said(text) == [text.rstrip()]


def test_a_cell_of_code_is_one_statement() -> None:
    """Also where its comments look like headings and lists."""
    code = "# Title\n\n- a\n\n- b"
    spans = statements_in(code, 3, "code")
    assert [(s.start, s.end, s.kind) for s in spans] == [(0, len(code), "code")]


def test_a_rule_at_the_top_opens_no_front_matter() -> None:
    """A passage is no note: what looks like front matter in it says something, and never fails."""
    assert said("---\n\nA step: [small.\n") == ["A step: [small."]
    assert said("---\nrate: [small\n\nSteps are small.\n\n---\n") == [
        "rate: [small",
        "Steps are small.",
    ]


@pytest.mark.parametrize("file", [*NOTES, AWKWARD], ids=lambda file: file.name)
def test_a_note_is_cut_with_the_statements_of_its_passages(file: Path) -> None:
    """Each passage carries what taking apart its own text gives."""
    passages = cut(parse_note(file.read_bytes().decode(), file.name), file.name)
    assert any(p.statements for p in passages)
    for p in passages:
        assert p.statements == statements_in(p.text, p.cell, p.kind)


def test_a_store_keeps_statements_as_they_are_found(store: Store) -> None:
    """Notebooks among them: what the store reads back is what taking apart the text gives."""
    assert any(p.cell is not None and p.statements for p in store.passages)
    for p in store.passages:
        assert p.statements == statements_in(p.text, p.cell, p.kind)


def test_a_line_of_wikilinks_alone_says_nothing() -> None:
    """It leads elsewhere; with words of its own it says something."""
    assert not says_something("- [[Loss]], [[Gradient|gradients]]")
    assert says_something("- [[Loss]] falls along the [[Gradient]]")
