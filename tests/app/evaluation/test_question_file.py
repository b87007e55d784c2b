"""Question files: faults named with file and line, gaps reported, edits never lost."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.question_file import (
    AskedQuestion,
    answers,
    question_lines,
    read_questions,
    save_questions,
    spoken,
    unheld,
)
from kg.errors import GradusError
from kg.store import Store
from kg.types import Passage


def passage(text: str, path: tuple[str, ...] = ("Bread", "Crust")) -> Passage:
    return Passage(0, "bread.md", None, 0, len(text), 1, 1 + text.count("\n"), path, text, "prose")


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_gold_and_quotes_are_read_with_their_lines(tmp_path: Path) -> None:
    """A text stands for a list of one, empty lines are counted, other keys are no fault."""
    path = written(
        tmp_path,
        '{"q": " what is a crust? ", "gold": ["Crust"], "kind": "definition", '
        '"from": "bread.md:3", "mark": 1}',
        "",
        '{"q": "salt?", "quote": "Salt goes into the dough"}',
        '{"q": "who?", "gold": []}',
    )
    assert read_questions(path) == (
        AskedQuestion("what is a crust?", ("Crust",), (), "definition", "bread.md:3", 1),
        AskedQuestion("salt?", (), ("Salt goes into the dough",), "", "", 3),
        AskedQuestion("who?", (), (), "", "", 4),
    )
    assert [q.answerable for q in read_questions(path)] == [True, True, False]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "what is a crust?",
            'expected a JSON object with "q" and "gold" or "quote", got: what is a crust?',
        ),
        ('["q"]', 'expected a JSON object with "q", the question as text'),
        ('{"gold": ["Crust"]}', 'expected a JSON object with "q", the question as text'),
        ('{"q": "  ", "gold": []}', 'expected a JSON object with "q", the question as text'),
        ('{"q": "a"}', 'expected "gold" (headings, [] when the notes do not say) or "quote"'),
        ('{"q": "a", "gold": [3]}', '"gold" must be a list of texts that are not empty, got: [3]'),
        ('{"q": "a", "gold": [""]}', '"gold" must be a list of texts that are not empty'),
        ('{"q": "a", "gold": {"x": 1}}', '"gold" must be a list of texts that are not empty'),
        ('{"q": "a", "quote": []}', 'an empty "quote" says nothing; write "gold": []'),
        ('{"q": "a", "quote": "**"}', '"quote" must hold a word'),
    ],
)
def test_a_bad_line_is_named_with_file_and_line(tmp_path: Path, line: str, said: str) -> None:
    """What was expected and what was found, after the place."""
    path = written(tmp_path, '{"q": "fine", "gold": []}', line)
    with pytest.raises(GradusError) as caught:
        read_questions(path)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert said in str(caught.value)


def test_a_file_without_questions_says_how_to_make_one(tmp_path: Path) -> None:
    """An empty file and one that is not there are known errors."""
    empty = written(tmp_path, "")
    with pytest.raises(
        GradusError, match=r"holds no questions; make a first file with: gradus eval --generate"
    ):
        read_questions(empty)
    with pytest.raises(GradusError, match="cannot read the questions in"):
        read_questions(tmp_path / "none.jsonl")


_CHARACTERS = st.characters(categories=("L", "N", "P", "Zs"))
_TEXTS = st.text(_CHARACTERS, max_size=30).map(str.strip).filter(lambda text: spoken(text).strip())


@given(
    st.lists(
        st.tuples(_TEXTS, st.lists(_TEXTS, max_size=2), st.lists(_TEXTS, max_size=2), _TEXTS),
        min_size=1,
    )
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, list[str], list[str], str]]
) -> None:
    """Questions survive their file, whatever their words are."""
    asked = tuple(
        AskedQuestion(q, tuple(g), tuple(t), k, "a.md:1", n)
        for n, (q, g, t, k) in enumerate(rows, 1)
    )
    path = tmp_path_factory.mktemp("questions") / "q.jsonl"
    path.write_text(question_lines(asked), encoding="utf-8")
    assert read_questions(path) == asked


def test_a_file_with_edits_is_not_written_over(tmp_path: Path) -> None:
    """Only with force, and the message says so."""
    path = written(tmp_path, '{"q": "mine", "gold": []}')
    new = (AskedQuestion("new"),)
    with pytest.raises(
        GradusError, match="exists and may hold your edits; name another file, or add --force"
    ):
        save_questions(path, new)
    assert [q.q for q in read_questions(path)] == ["mine"]
    save_questions(path, new, force=True)
    assert [q.q for q in read_questions(path)] == ["new"]
    with pytest.raises(GradusError, match="cannot write the questions to"):
        save_questions(tmp_path / "no" / "folder.jsonl", new)


@pytest.mark.parametrize(
    "quote",
    [
        "Steam keeps the crust soft",
        "steam  keeps\nthe **crust** soft",
        "the [crust](https://example.org/crust) soft, so that",
        "`crust` _soft_",
    ],
)
def test_a_quote_is_found_whatever_its_markup_and_line_ends(quote: str) -> None:
    """White space, case, emphasis, code marks and links' addresses do not count; words do."""
    held = passage("[**TIP**] Steam keeps the\n[crust](bread.md#crust) *soft*, so that it grows.")
    assert answers(AskedQuestion("q", (), (quote,)), held)
    assert not answers(AskedQuestion("q", (), (quote.replace("soft", "hard"),)), held)


def test_a_quote_ends_at_words() -> None:
    """Part of a word is not that word."""
    assert not answers(AskedQuestion("q", (), ("rust",)), passage("the crust"))


def test_gold_is_the_start_of_any_heading_on_the_path() -> None:
    """An outer heading counts; the middle of one does not."""
    held = passage("text", ("Bread", "Sourdough starter | Levain"))
    assert answers(AskedQuestion("q", ("Sourdough",)), held)
    assert answers(AskedQuestion("q", ("Bread",)), held)
    assert not answers(AskedQuestion("q", ("Levain",)), held)


def test_what_no_note_holds_is_told_with_the_closest_heading(store: Store) -> None:
    """A typing error in gold, a quote that stands nowhere; what the notes hold is not told."""
    questions = (
        AskedQuestion("a", ("Sourdough startr", "Crust"), line=1),
        AskedQuestion("b", (), ("Flour is ground grain", "flour is ground glass"), line=2),
        AskedQuestion("c", line=3),
        AskedQuestion("d", ("Zzzz",), line=4),
    )
    found = unheld(questions, store)
    assert [(u.question.line, u.what, u.text) for u in found] == [
        (1, "gold", "Sourdough startr"),
        (2, "quote", "flour is ground glass"),
        (4, "gold", "Zzzz"),
    ]
    assert found[0].closest == "Sourdough starter | Levain"
    assert found[2].closest == ""
    assert not any(u.spans_passages for u in found)


def test_a_quote_over_two_passages_is_told_apart(store: Store) -> None:
    """It stands in the note, but no hit can hold it; where it begins is said."""
    bread = [passage for passage in store.passages if passage.note == "bread.md"]
    first, second = next(
        (a, b)
        for a, b in pairwise(bread)
        if a.heading_path != b.heading_path and "Proofing" in b.heading_path
    )
    quote = f"{first.text.split()[-1]} {' '.join(second.text.split()[:8])}"
    (found,) = unheld((AskedQuestion("q", (), (quote,)),), store)
    assert found.spans_passages
    assert found.closest == first.heading_path[-1]
