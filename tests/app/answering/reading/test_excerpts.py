"""Pieces of passages as an answer shows them: the marks of note-taking programs."""

from __future__ import annotations

import pytest

from app.answering.reading.excerpts import Excerpt, says_something, shown
from kg.types import Passage


def passage(text: str, heading: str = "Bayes") -> Passage:
    return Passage(
        0, "n.md", None, 0, len(text), 1, text.count("\n") + 1, (heading,), text, "prose"
    )


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
    assert shown(Excerpt(passage(written), 0, len(written)), 1) == read


def test_a_line_of_wikilinks_alone_says_nothing() -> None:
    """It leads elsewhere; with words of its own it says something."""
    assert not says_something("- [[Loss]], [[Gradient|gradients]]")
    assert says_something("- [[Loss]] falls along the [[Gradient]]")
