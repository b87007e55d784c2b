"""Pieces of passages as an answer shows them: the marks of note-taking programs."""

from __future__ import annotations

import pytest
from made import passage_of

from app.answering.reading.excerpts import Excerpt, shown, words_shown


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A ==marked word== here.", "A **marked word** here. [1]"),
        ("Said. %%not for others%% Told.", "Said. Told. [1]"),
        ("A rule of thumb. ^rule-1", "A rule of thumb. [1]"),
        ("> [!warning] Mind\n> the gap", "> **Mind**\n>\n> the gap [1]"),
        ("> [!NOTE]\n> hear", "> **Note**\n>\n> hear [1]"),
        ("See ![[curve.png|300]] and [[Loss#Sums|sums]].", "See  and sums. [1]"),
        ("`a ==b and c== d` %%x%%", "`a ==b and c== d` [1]"),
        ("```\nx ==1 or y== 2 %%a%%\n```", "```\nx ==1 or y== 2 %%a%%\n```\n\n[1]"),
    ],
)
def test_marks_of_note_taking_programs_are_shown_as_what_they_mean(written: str, read: str) -> None:
    """Highlights, comments, block names, callouts and embedded pictures; code stays as it is."""
    assert shown(Excerpt(passage_of(written, "Bayes"), 0, len(written)), 1) == read


def test_a_fence_under_an_item_is_closed_where_it_is_shown_alone() -> None:
    """Its lines lose the indent of the item: four spaces before the last fence leave it open."""
    note = "- Sizes\n  - Then:\n    ```\n    a = 1\n      b = 2\n    ```\n\nAfter."
    first, last = note.index("```"), note.rindex("```") + 3
    read = shown(Excerpt(passage_of(note, "Sizes"), first, last), 2)
    assert read == "```\na = 1\n  b = 2\n```\n\n[2]"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("Momentum is a *mean* of $g$.", "Momentum is a *mean* of $g$."),
        ("- see [[Loss#Sums|sums]] first", "see sums first"),
        ("2) ==Shuffle== with `seed`", "**Shuffle** with `seed`"),
        ("*It began here.", ""),
        ("so `a or b. And c", ""),
        ("the price is $5", ""),
        ("(see [this", ""),
    ],
)
def test_words_stand_as_in_an_answer_or_are_none_where_a_part_ends_beyond(
    written: str, words: str
) -> None:
    """Without a bullet; an open emphasis, code span, formula or link cannot be marked."""
    excerpt = Excerpt(passage_of(written, "Notes"), 0, len(written))
    assert words_shown(excerpt) == words
    assert words in shown(excerpt, 1)
