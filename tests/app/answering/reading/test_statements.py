"""What a statement needs to be understood, and that statements stand where they say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made import passage_of

from app.answering.reading.statements import excerpt, statements_of, whole
from kg.types import Passage

RATES = """\
## Rates

The rate is the length of a step. It should be small, e.g. 0.01.

Two ways lead there:

1. Look at the curve.
2. Divide by ten.

The step is

$$
w - \\eta g
$$

where $g$ is the slope. Therefore it matters.

| a | b |
| --- | --- |
| 1 | 2 |

- Try less.
- Try more.

[a link](https://example.org)
"""


def passage(text: str) -> Passage:
    return passage_of(text, "Rates")


def needed(start: str) -> str:
    """The excerpt that the statement with this beginning needs."""
    statements = statements_of(passage(RATES))
    at = next(i for i, s in enumerate(statements) if s.text.startswith(start))
    return excerpt(statements, *whole(statements, at)).text


@pytest.mark.parametrize(
    ("start", "whole_text"),
    [
        ("The rate is", "The rate is the length of a step."),
        ("It should be", "The rate is the length of a step. It should be small, e.g. 0.01."),
        ("Two ways", "Two ways lead there:\n\n1. Look at the curve.\n2. Divide by ten."),
        ("2. Divide", "2. Divide by ten."),
        ("The step is", "The step is\n\n$$\nw - \\eta g\n$$\n\nwhere $g$ is the slope."),
        ("where $g$", "The step is\n\n$$\nw - \\eta g\n$$\n\nwhere $g$ is the slope."),
        (
            "Therefore",
            "The step is\n\n$$\nw - \\eta g\n$$\n\nwhere $g$ is the slope. Therefore it matters.",
        ),
        ("- Try less", "- Try less."),
        ("| a | b", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
    ],
)
def test_a_statement_brings_what_it_cannot_do_without(start: str, whole_text: str) -> None:
    """A pronoun its sentence, a colon what it announces, a formula its sentence."""
    assert needed(start) == whole_text


@given(st.text(alphabet="aBc .:\n-1*|$#`", max_size=120))
def test_statements_stand_where_they_say(text: str) -> None:
    """Each is a slice of its passage, in order; what it needs surrounds it."""
    statements = statements_of(passage(text))
    for i, s in enumerate(statements):
        assert text[s.start : s.end] == s.text
        first, last = whole(statements, i)
        assert 0 <= first <= i <= last < len(statements)


def test_a_question_brings_its_answer() -> None:
    """What the notes ask themselves says nothing without what follows."""
    text = "## Factors\n\nHow many? Enough to describe taste. The rest is noise.\n"
    statements = statements_of(passage(text))
    assert excerpt(statements, *whole(statements, 0)).text == "How many? Enough to describe taste."


def test_a_conclusion_brings_the_table_that_it_draws_on() -> None:
    """What begins with "So" after a table says nothing without it; another sentence does."""
    table = "Each takes:\n\n| what | bytes |\n| --- | --- |\n| weight | 4 |\n\n"
    statements = statements_of(passage(f"{table}So a million weights take 4 MB."))
    assert (
        excerpt(statements, *whole(statements, 2)).text == f"{table}So a million weights take 4 MB."
    )
    statements = statements_of(passage(f"{table}Memory is dear."))
    assert excerpt(statements, *whole(statements, 2)).text == "Memory is dear."
