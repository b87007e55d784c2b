"""Notes of many marks that nothing closes, or that close each other: reading them ends.

Each is so long that work which grew with the square of it would take many minutes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ingest.names.labels import heading_names, namings, term_name
from ingest.notes.dialect import MAX_BRACKETS, MAX_TEXT
from ingest.notes.files import read_note
from ingest.notes.kinds import parse_note
from ingest.notes.lines import line_spans
from ingest.notes.plain_text import html_words, inline_text, picture_of, plain
from ingest.notes.sentences import sentence_spans
from ingest.notes.word_lists import links_only
from ingest.passages import cut as cutting
from ingest.passages.cut import cut
from ingest.passages.encode import ToEncode
from kg.errors import UnreadableNote

SIZE = 400_000  # characters
SHAPES = (
    "[", "[[", "![", "[a](", "[a](<b", "![a](b)\n\n", '[a]: b "\n', "](", "<a ", "<!--", "a <!-- ",
    "<script>", "<img a", "</", "*a ", "a** ", "**a_ ", "_", "`", "~~a", "$", "$a", "$$ ", "\\(",
    "|", "a|b\n", ">", "> a\n", "- ", "* a\n", "http://a", "http://a)", ".", ".)", "a. ", " #a",
    "%%", "==a ", "&", "\\", "\x1c", "\r", "a", " ", "\n", "模型。", "\u0301", "😀",
)  # fmt: skip
pytestmark = pytest.mark.timeout(120)


def repeated(shape: str, size: int = SIZE) -> str:
    return (shape * (size // len(shape) + 1))[:size]


@pytest.mark.parametrize("shape", SHAPES)
def test_words_and_sentences_of_any_marks_are_found(shape: str) -> None:
    """In one paragraph without an end."""
    text = repeated(shape)
    sentence_spans(text)
    links_only(text)
    html_words(text)
    picture_of(f"<img {text}>")
    plain(text[: SIZE // 8])
    heading_names(text)
    namings(text)
    term_name(text)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_note_of_any_marks_is_taken_apart(shape: str) -> None:
    """From its text to what is encoded of it, every passage a slice of the note."""
    text = repeated(shape, SIZE // 20)
    for passage in cut(parse_note(text, "a.md"), "a.md"):
        assert text[passage.start : passage.end] == passage.text
        ToEncode.of(passage)


@pytest.mark.parametrize("shape", ["a", "<a", "<a>", "[<a>  ", "\x1b[", "\x1b]", "a\r", "word "])
def test_outputs_of_any_marks_are_read(shape: str) -> None:
    """A log on one line, brackets of an object that never ends."""
    outputs = [
        {"output_type": "stream", "text": repeated(shape)},
        {"output_type": "execute_result", "data": {"text/plain": repeated(shape)}},
    ]
    cell = {"cell_type": "code", "source": "x", "outputs": outputs}
    (text,) = parse_note(json.dumps({"nbformat": 4, "cells": [cell]}), "a.ipynb").texts
    assert len(text) < 3000


def test_the_lines_of_a_note_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sections it has."""
    parsed = parse_note("".join(f"# h{i}\n" for i in range(500)), "a.md")
    asked = []

    def counted(text: str) -> list[tuple[int, int]]:
        asked.append(text)
        return line_spans(text)

    monkeypatch.setattr(cutting, "line_spans", counted)
    assert len(cut(parsed, "a.md")) == 500 and len(asked) == 1


@pytest.mark.parametrize("text", ["[[a]] " * MAX_BRACKETS, "*a* " * (MAX_TEXT // 2)])
def test_a_paragraph_beyond_measure_is_words(text: str) -> None:
    """Nothing in it is marked, nothing is lost."""
    parsed = parse_note(f"# A\n\n{text}\n\n**b**\n", "a.md")
    assert [m.text for m in parsed.marked] == ["b"]
    assert [len(parsed.texts[0][b.start : b.end]) for b in parsed.blocks] == [len(text) - 1, 5]


def test_of_marks_in_marks_the_outer_ones_are_terms() -> None:
    """Each holds the words of all inside it."""
    depth = 1500
    marked = parse_note("*a " * depth + " a*" * depth, "a.md").marked
    assert 10 < len(marked) < 100
    assert max(len(m.text) for m in marked) > depth


def test_a_file_beyond_measure_is_named(tmp_path: Path) -> None:
    """Not read to its end first."""
    (tmp_path / "a.md").write_bytes(b"word " * 1_000_001)
    with pytest.raises(UnreadableNote, match="larger than 5 MB"):
        read_note(tmp_path / "a.md")
    text = "---\n" + "".join(f"k{i}: 1\n" for i in range(20_000)) + "---\n# A\n"
    (part,) = parse_note(text, "a.md").left_out
    assert "more than 100000 characters" in part.why


def test_line_ends_lose_their_tags_alone() -> None:
    """The run of tags and names of blocks that ends a line; within it a tag is its word."""
    assert plain("We #stop #here now #tag/sub #b-c ^name ") == "We stop here now"
    assert inline_text(()) == ""
    assert plain("A #1 is no tag #") == "A #1 is no tag #"
