"""Answers over a small store with the real encoder: what leads, what is cited, what is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cited import assert_cited

from app.answering.answer import answer
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer

SHARED = Path(__file__).resolve().parents[3].parent / "shared"


def assert_cites(store: Store, said: Answer) -> None:
    assert said.citations, said.question
    assert_cited(store, said)


@pytest.mark.parametrize(
    ("question", "note", "holds"),
    [
        ("What is a sourdough starter?", "bread.md", "wild yeast"),
        ("what is levain", "bread.md", "wild yeast"),
        ("how do I know that the dough has doubled?", "bread.md", "spring back"),
        ("how long does proofing take at 26 degrees?", "bread.md", "| 26 °C | 4 |"),
        ("which learning rate after unfreezing?", "training.md", "fifth of the frozen rate"),
        ("choose the batch size from free memory", "training.md", "mem_get_info"),
        ("oven temperature for a free loaf", "log.ipynb", "240 degrees"),
    ],
)
def test_the_answer_leads_with_the_right_lines(
    store: Store, encoder: Encoder, question: str, note: str, holds: str
) -> None:
    """The first citation is of the right note, and each quote is found at its lines."""
    said = answer(question, store, encoder)
    assert said.status == "answered"
    assert said.citations[0].note == note
    assert holds in said.text
    assert_cites(store, said)


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("which learning rate after unfreezing?", "fifth of the frozen rate"),
        ("what is levain", "wild yeast"),
    ],
)
def test_the_words_to_look_at_first_hold_the_answer(
    store: Store, encoder: Encoder, question: str, holds: str
) -> None:
    """They stand once in the text, and are less than all of it."""
    said = answer(question, store, encoder)
    assert any(holds in words for words in said.likeliest)
    assert all(said.text.count(words) == 1 for words in said.likeliest)
    assert sum(map(len, said.likeliest)) < len(said.text) - len(" [1]")


def test_an_answer_that_is_one_sentence_points_at_nothing(store: Store, encoder: Encoder) -> None:
    """There is nothing else to look at."""
    said = answer("oven temperature for a free loaf", store, encoder)
    assert said.text.startswith("The oven temperature is 240 degrees") and said.likeliest == ()


def test_code_formulas_and_tables_stay_whole(store: Store, encoder: Encoder) -> None:
    """A block that is begun is ended."""
    code = answer("choose the batch size from free memory", store, encoder).text
    assert code.count("```") == 2
    formula = answer("which learning rate after unfreezing?", store, encoder).text
    assert formula.count("$$") == 2
    table = answer("how long does proofing take at 26 degrees?", store, encoder).text
    assert "| room | hours |\n| --- | --- |\n| 20 °C | 8 |\n| 26 °C | 4 |" in table


@pytest.mark.parametrize(
    "question",
    [
        "who won the 2018 world cup",
        "how do I write a Dockerfile?",
        "wie repariere ich mein Fahrrad?",
        "どうやって自転車を直しますか",
        "x" * 10_000,
        "quantum " * 1200,
    ],
)
def test_what_the_notes_do_not_hold_is_said_so(
    store: Store, encoder: Encoder, question: str
) -> None:
    """Off-topic, foreign and oversized questions end as "not in the notes", with no citation made
    up.
    """
    said = answer(question, store, encoder)
    assert said.status == "not_in_notes"
    assert said.citations == ()
    assert said.text.startswith("The notes do not say.")
    assert said.confidence < 0.5


@pytest.mark.parametrize("question", ["", "   ", "?!", "\x00\x01"])
def test_an_empty_question_gets_a_sane_answer(
    store: Store, encoder: Encoder, question: str
) -> None:
    """No words, no search."""
    said = answer(question, store, encoder)
    assert (said.status, said.kind, said.hits) == ("not_in_notes", "empty", ())
    assert said.text == "Ask about something in your notes."


def test_a_refusal_offers_the_nearest_concepts(store: Store, encoder: Encoder) -> None:
    """What is close in spelling or meaning is named."""
    said = answer("compile the Sourdough Linux kernel with clang", store, encoder)
    assert said.status == "not_in_notes"
    assert "Sourdough starter" in said.nearest


def test_what_do_i_need_before_gives_the_path_with_reasons(store: Store, encoder: Encoder) -> None:
    """Foundations first, the goal last; each step says what needs it, with the line as evidence."""
    said = answer("what do I need before proofing?", store, encoder)
    assert said.kind == "path"
    assert [s.label for s in said.path] == ["Flour", "Sourdough starter", "Proofing"]
    starter_needed = dict(said.path[0].why)["Sourdough starter"]
    assert starter_needed is not None
    assert starter_needed.quote == "Needs: [[Flour]]"
    lines = store.note_text(starter_needed.note, starter_needed.cell).split("\n")
    assert lines[starter_needed.line - 1] == "Needs: [[Flour]]"
    assert_cites(store, said)


def test_a_comparison_shows_both_sides(store: Store, encoder: Encoder) -> None:
    """Both concepts stand in one table, and each side is cited."""
    said = answer("difference between flour and sourdough starter", store, encoder)
    assert said.kind == "comparison"
    assert said.text.startswith("| Flour | Sourdough starter |")
    assert "ground grain" in said.text
    assert "wild yeast" in said.text
    assert_cites(store, said)


def test_links_are_given_with_their_titles(store: Store, encoder: Encoder) -> None:
    """ "A film about …" answers with the link the notes hold."""
    said = answer("video about the sourdough starter", store, encoder)
    assert "[Feeding a starter, a film](https://example.org/levain)" in said.text
    assert_cites(store, said)


def test_where_something_is_explained_is_told_without_links(store: Store, encoder: Encoder) -> None:
    """A concept without links of its own: the place in the notes."""
    given = answer("where is proofing explained?", store, encoder)
    assert (given.status, given.kind) == ("answered", "where")
    assert "**Proofing**: Bread › Proofing [1]" in given.text
    assert given.citations[0].quote.startswith("Proofing is the rest")


def test_a_list_gives_every_statement_once(store: Store, encoder: Encoder) -> None:
    """Both tips on crusts are listed, each cited."""
    said = answer("all tips about the crust", store, encoder)
    assert said.kind == "list"
    assert said.text.count("Steam in the first ten minutes") == 1
    assert said.text.count("door ajar") == 1
    assert_cites(store, said)


def test_notes_that_contradict_each_other_are_both_shown(store: Store, encoder: Encoder) -> None:
    """Neither of two opposite statements hides the other."""
    said = answer("when does salt go into the dough?", store, encoder)
    assert "at the start." in said.text
    assert "only after the first rest" in said.text


def test_a_follow_up_is_answered_from_the_conversation(store: Store, encoder: Encoder) -> None:
    """ "and after unfreezing?" finds the section on it, and its recipe is preset."""
    first = answer("which learning rate when frozen?", store, encoder)
    assert "steepest point" in first.text
    said = answer("and after unfreezing?", store, encoder, [(first.question, first)])
    assert (
        said.text.index("a tenth of where the loss shoots up")
        < said.text.find("steepest point") % 10_000
    )
    assert said.recipes[0].name == "lr-find"
    assert said.recipes[0].params == {"phase": "unfrozen"}


def test_prerequisites_and_next_come_from_the_graph(store: Store, encoder: Encoder) -> None:
    """The answer on the starter names flour before it and proofing after it."""
    said = answer("What is a sourdough starter?", store, encoder)
    assert said.prerequisites == ("Flour",)
    assert "Proofing" in said.next


def test_the_same_question_gives_the_same_answer(store: Store, encoder: Encoder) -> None:
    """Nothing in an answer depends on chance."""
    assert answer("what is proofing", store, encoder) == answer("what is proofing", store, encoder)


@pytest.mark.skipif(
    not (SHARED / "notes").is_dir(), reason="the evaluation notes are not beside this checkout"
)
def test_real_notes_are_cited_line_by_line(
    encoder: Encoder, store_of: Callable[..., Store]
) -> None:
    """On a person's own 930 lines, every quote is found at its lines of the file itself."""
    store = store_of([SHARED / "notes"])
    questions = (SHARED / "eval" / "questions.jsonl").read_text(encoding="utf-8").splitlines()[:12]
    for line in questions:
        said = answer(line.split('"')[3], store, encoder)
        for c in said.citations:
            on_disk = (SHARED / "notes" / c.note).read_bytes().decode().split("\n")
            assert c.quote in "\n".join(on_disk[c.line_start - 1 : c.line_end]), (line, c)


def test_offline() -> None:
    """The tests themselves never reach for a model hub."""
    assert os.environ.get("HF_HUB_OFFLINE") == "1"


def test_what_the_notes_do_not_say_a_run_may_find(store: Store, encoder: Encoder) -> None:
    """A clear wish for a recipe brings it where the notes have no answer; other unanswered
    questions bring none.
    """
    said = answer("how much weight decay for my csv?", store, encoder)
    assert (said.status, said.text[:21]) == ("not_in_notes", "The notes do not say.")
    assert said.text.endswith(" A run can find out.")
    assert set(said.nearest) <= {"Weight decay"}, "only what the question names"
    assert [(offer.name, offer.params) for offer in said.recipes] == [
        ("regularise", {"task": "tabular"})
    ]
    assert answer("who won the world cup?", store, encoder).recipes == ()
