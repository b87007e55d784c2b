"""Each kind of question is served its own way, with every statement cited where it stands."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from cited import assert_cited

from app.answering.answer import answer
from app.answering.composing.selection import WHOLE_CHARS
from kg.encoder import Encoder
from kg.store import Store
from kg.types import Answer

SQL = """\
# Queries

## Choosing

Use WHERE for rows and HAVING for groups.

## Window function

A window function computes over neighbouring rows. Unlike QUALIFY, which drops rows by its result,
it drops none.
"""
WHERE = """\
---
prerequisites: []
---
# WHERE

WHERE keeps the rows for which a condition holds, before they are grouped.
"""
HAVING = """\
---
prerequisites: []
---
# HAVING

HAVING keeps the groups for which a condition holds. It comes after GROUP BY.
"""


NETS = """\
# Nets

## Activation function | Nonlinearity | ReLU

An activation function is a curve applied to each number on its own.
It keeps two layers from being one.

| name | formula |
| --- | --- |
| ReLU | $\\max(0, x)$ |
| GELU | $x\\,\\Phi(x)$ |

## Batch normalisation | Batch norm | BN

Batch normalisation is scaling each channel by the statistics of a batch.

## Layer normalisation

Layer normalisation is scaling each item by its own statistics. It suits transformers.
"""


@pytest.fixture(scope="module")
def made(store_of: Callable[..., Store]) -> Store:
    return store_of({"nets.md": NETS})


def sentences_of(said: Answer) -> list[str]:
    """Sentences of an answer, long ones only, marks and headings aside."""
    plain = re.sub(r"\[\d+\]|\*\*[^*\n]+\*\*|```.*?```|^\|.*$", " ", said.text, flags=re.S | re.M)
    return [
        s for s in (" ".join(x.split()) for x in re.split(r"(?<=[.!?])\s", plain)) if len(s) > 30
    ]


@pytest.fixture(scope="module")
def sql(store_of: Callable[..., Store]) -> Store:
    return store_of({"queries.md": SQL, "where.md": WHERE, "having.md": HAVING})


def test_an_answer_leads_with_the_sentence_that_answers(starter: Store, encoder: Encoder) -> None:
    """Of a long paragraph only the sentences that answer come first, with what they lean on."""
    said = answer("which rate does the head get after unfreezing?", starter, encoder)
    first = said.text.split("[1]")[0]
    assert "the head gets a fifth to a\ntenth of its frozen rate" in first
    assert len(first) < 700
    assert_cited(starter, said)


def test_a_yes_or_no_question_leads_with_what_decides_it(starter: Store, encoder: Encoder) -> None:
    """ "Is …?" and "does …?" get the statement that says whether."""
    said = answer("is dropout active at prediction time?", starter, encoder)
    assert said.kind == "yesno"
    assert "at prediction time, when dropout is off" in said.text.split("[1]")[0]
    said = answer(
        "does gradient accumulation help when batch norm suffers from small batches?",
        starter,
        encoder,
    )
    assert "Accumulating gradients does *not* help" in said.text.split("[1]")[0]


def test_a_list_that_the_notes_hold_is_shown_whole(starter: Store, encoder: Encoder) -> None:
    """ "What are the signs …?" gets the notes' own list with its announcement, "which … are there?"
    their table.
    """
    signs = answer("what are the signs of underfitting?", starter, encoder)
    assert signs.kind == "list"
    assert signs.text.startswith("Signs:\n\n- the validation error rate still falls")
    assert "inputs do not hold the\n  answer." in signs.text.split("[1]")[0]


def test_every_statement_on_a_subject_is_listed_once_below_its_heading(
    starter: Store, encoder: Encoder
) -> None:
    """ "All rules of thumb about …" gathers them from all notes."""
    said = answer("list all rules of thumb about the learning rate", starter, encoder)
    bullets = [line for line in said.text.split("\n") if line.startswith("- ")]
    assert len(bullets) >= 6
    assert all(re.match(r"- Rules? of thumb", bullet) for bullet in bullets)
    assert said.text.count("**Discriminative learning rates**") == 1
    assert len(set(bullets)) == len(bullets)
    assert_cited(starter, said)


def test_everything_so_marked_is_listed_without_a_subject(starter: Store, encoder: Encoder) -> None:
    """ "List all rules of thumb" gathers them over all notes."""
    said = answer("list all rules of thumb", starter, encoder)
    assert (said.status, said.kind) == ("answered", "list")
    bullets = [line for line in said.text.split("\n") if line.startswith("- ")]
    assert len(bullets) >= 8
    assert all("ule of thumb" in bullet or "ules of thumb" in bullet for bullet in bullets)
    assert len({c.note for c in said.citations}) >= 2


def test_what_comes_after_a_concept_is_told_with_reasons(starter: Store, encoder: Encoder) -> None:
    """What needs it, each with what it is and the line that says so."""
    said = answer("What comes after freezing?", starter, encoder)
    assert (said.kind, said.status) == ("next", "answered")
    assert said.text.startswith("After **Freezing** the notes go on with:")
    assert "**Unfreezing**: Unfreezing is making the frozen layers trainable again" in said.text
    assert "*“Needs: Freezing, Learning rate, GPU memory.”*" in said.text
    assert_cited(starter, said)


def test_nothing_after_a_concept_is_said_so(store: Store, encoder: Encoder) -> None:
    """A last step has no next one."""
    said = answer("what can I learn next after the crust?", store, encoder)
    assert said.text.startswith("Nothing in the notes builds on **Crust**. [1]")
    assert_cited(store, said)


def test_names_of_stop_words_are_compared(sql: Store, encoder: Encoder) -> None:
    """ "WHERE vs HAVING": what each is, and what is said of both."""
    said = answer("WHERE vs HAVING", sql, encoder)
    assert (said.kind, said.status) == ("comparison", "answered")
    assert said.text.startswith(
        "Use WHERE for rows and HAVING for groups. [1]\n\n| WHERE | HAVING |"
    )
    assert "WHERE keeps the rows" in said.text
    assert "HAVING keeps the groups" in said.text
    assert_cited(sql, said)


def test_who_asks_which_to_take_is_shown_both(starter: Store, encoder: Encoder) -> None:
    """Also when one is named in short."""
    said = answer("should I use layer norm instead of batch norm?", starter, encoder)
    assert said.kind == "comparison"
    assert "| Layer normalisation | Batch normalisation |" in said.text
    assert_cited(starter, said)


def test_a_side_that_is_only_mentioned_is_quoted_too(sql: Store, encoder: Encoder) -> None:
    """A word without a note of its own is told by the sentence that names it."""
    said = answer("difference between a window function and QUALIFY", sql, encoder)
    assert said.kind == "comparison"
    assert "| Window function | QUALIFY |" in said.text
    assert "Unlike QUALIFY, which drops rows by its result" in said.text
    assert_cited(sql, said)


def test_a_side_that_the_notes_do_not_know_is_named(sql: Store, encoder: Encoder) -> None:
    """Half a comparison says which half is missing."""
    said = answer("difference between a window function and a lateral join", sql, encoder)
    assert (
        "The notes do not say what lateral join is." in said.text or said.status == "not_in_notes"
    )


def test_a_quotation_stands_in_a_cell_without_its_marks(
    store_of: Callable[..., Store], encoder: Encoder
) -> None:
    """What a note quotes is told in the table, not its ">"."""
    told = store_of(
        {
            "a.md": "# Layers\n\n## Dropout\n\n> Dropout leaves out activations at random.\n\n"
            "## Weight decay\n\n> Weight decay shrinks all\n> weights a little.\n"
        }
    )
    said = answer("difference between dropout and weight decay", told, encoder)
    assert "| Dropout leaves out activations at random. [" in said.text
    assert "| Weight decay shrinks all weights a little. [" in said.text


def test_a_side_goes_by_the_name_that_was_asked_for(made: Store, encoder: Encoder) -> None:
    """Another name of a concept heads its column and is what is told of; of a table, its row alone
    is quoted.
    """
    said = answer("relu vs gelu", made, encoder)
    assert said.text.startswith(
        "| ReLU (Activation function) | gelu |\n| --- | --- |\n"
        "| name: ReLU; formula: $\\max(0, x)$ [1] | name: GELU; formula: $x\\,\\Phi(x)$ [2] |"
    )
    assert said.citations[0].quote == "| ReLU | $\\max(0, x)$ |"
    assert_cited(made, said)


@pytest.mark.parametrize(
    ("question", "heads"),
    [
        (
            "difference between batchnorm and layer norm",
            "| Batch normalisation | Layer normalisation |",
        ),
        (
            "diference betwen bn and layer normalisaton",
            "| Batch normalisation | Layer normalisation |",
        ),
    ],
)
def test_a_side_that_is_shortened_or_mistyped_goes_by_its_full_name(
    made: Store, encoder: Encoder, question: str, heads: str
) -> None:
    """Initials, beginnings, names in one word and slips of the keyboard are no names of their
    own.
    """
    assert answer(question, made, encoder).text.startswith(heads)


def test_of_several_concepts_it_is_said_which_one_is_spoken_of(
    made: Store, encoder: Encoder
) -> None:
    """ "It …" under a heading, where the question names two."""
    said = answer("what does layer normalisation do before an activation function?", made, encoder)
    assert said.text.startswith(("**Layer normalisation**", "**Activation function"))


def test_there_is_no_path_to_what_is_no_concept(made: Store, encoder: Encoder) -> None:
    """A word that the notes only mention has no study order, and no passage stands in for one."""
    said = answer("what do I need to know before transformers?", made, encoder)
    assert (said.status, said.kind, said.confidence) == ("not_in_notes", "path", 0.0)
    assert said.hits


@pytest.mark.parametrize(
    "question",
    [
        "when should I stop training?",
        "give me three tips for training faster",
    ],
)
def test_an_answer_is_about_what_it_quotes_first(
    starter: Store, encoder: Encoder, question: str
) -> None:
    """Where a question names no concept, those around the answer, and its recipes, are not a
    passage's left unused.
    """
    said = answer(question, starter, encoder)
    first = said.citations[0]
    (home,) = (
        p
        for p in starter.passages
        if p.note == first.note and p.line_start <= first.line_start <= p.line_end
    )
    assert said.concepts[0] == starter.concepts[starter.defined_in[home.id][0]].label


def test_a_wish_for_a_run_is_answered_from_the_notes_too(starter: Store, encoder: Encoder) -> None:
    """What the notes say, and beside it what can be run, with what the question's words preset."""
    said = answer("find the learning rate for my data when unfrozen", starter, encoder)
    assert said.status == "answered" and said.citations
    assert said.recipes[0].name == "lr-find"
    assert said.recipes[0].params == {"phase": "unfrozen"}


def test_code_is_shown_to_who_asks_for_it(starter: Store, encoder: Encoder) -> None:
    """Whole, and first; a question of fact gets none."""
    said = answer("show me the code for mixup", starter, encoder)
    assert said.text.startswith("```python")
    assert said.text.count("```") == 2
    assert "```" not in answer("when does mixup pay?", starter, encoder).text


@pytest.mark.parametrize(
    "question",
    [
        "What is dropout?",
        "which learning rate after unfreezing?",
        "how do I choose the batch size?",
        "why does batch normalisation help?",
        "dropout or weight decay?",
        "CUDA out of memory, what should I do?",
        "what is weight decay and why does it help?",
        "when does mixup pay?",
    ],
)
def test_answers_are_short_cited_and_say_nothing_twice(
    starter: Store, encoder: Encoder, question: str
) -> None:
    """Up to about 1,200 characters of the notes' own words, code aside; no sentence twice."""
    said = answer(question, starter, encoder)
    assert said.status == "answered"
    assert_cited(starter, said)
    told = sentences_of(said)
    assert len(set(told)) == len(told)
    words = re.sub(
        r"```.*?```|\[\d+\]|\*\*[^*\n]+\*\*|^\|[ -|]*$", "", said.text, flags=re.S | re.M
    )
    assert len(words) <= WHOLE_CHARS * 1.15
    assert said.text.count("$$") % 2 == 0
    assert said.text.count("```") % 2 == 0


def test_two_concepts_that_are_not_set_against_each_other_are_no_choice(
    store: Store, encoder: Encoder
) -> None:
    """ "Should I …" between two names asks of one under the condition of the other."""
    said = answer("which learning rate should I pick after unfreezing?", store, encoder)
    assert said.kind == "fact" and "fifth of the frozen rate" in said.text
