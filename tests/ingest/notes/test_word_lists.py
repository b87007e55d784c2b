"""Words that structure notes: one table, from which every reader of notes has them."""

from __future__ import annotations

import pytest

from ingest.notes.word_lists import links_only
from ingest.passages.statements import says_something

FIRST = (
    "Needs", "Requires", "Prerequisites", "Pre-requisites", "Prereqs", "Depends on", "Builds on",
    "Know first",
)  # fmt: skip
ELSEWHERE = ("See also", "Related", "Related notes", "Read more", "Further reading")


@pytest.mark.parametrize("word", [*FIRST, *ELSEWHERE])
def test_a_line_that_points_elsewhere_says_nothing(word: str) -> None:
    """Marked or not, in any case; without its colon it is a sentence like others."""
    for line in (
        f"{word}: the chain rule",
        f"- **{word}:** the chain rule",
        f"> {word.upper()}: x",
    ):
        assert not says_something(line), line
    assert says_something(f"{word} what? The chain rule.")


@pytest.mark.parametrize("word", [*ELSEWHERE, "Index", "Contents", "Links", "References", "To-do"])
def test_links_are_alone_behind_the_word_that_announces_them(word: str) -> None:
    """With other words they are part of what is said."""
    assert links_only(f"{word}: [[Loss]], [Adam](https://example.org)")
    assert not links_only(f"{word}: [[Loss]] falls")


@pytest.mark.parametrize("between", [" — ", " → ", " ⚠️ ", ") (", " / ", " & "])
def test_signs_between_links_say_nothing(between: str) -> None:
    """An index joins links in many ways; one that equates or adds them states something."""
    assert not says_something(f"- ([[Loss]]{between}[Adam](https://example.org))")
    assert says_something("- [[Profit]] = [[Sales]] - [[Cost]]")


@pytest.mark.parametrize(
    "badge",
    [
        "[![Open In Colab](https://e.org/badge.svg)](https://e.org/n.ipynb)",
        '<a href="https://e.org/n.ipynb"><img src="badge.svg" alt="Open In Colab"/></a>',
        '<table>\n<td><a href="https://e.org"><img src="b.svg"/>Run it</a></td>\n</table>',
    ],
)
def test_pictures_that_link_are_links(badge: str) -> None:
    """In Markdown and in HTML, whatever stands around them; beside words they are part of these."""
    assert links_only(badge) and not says_something(badge)
    assert not links_only(f"{badge} runs the loss")


def test_what_may_be_defined_says_something() -> None:
    """An index and a reference are also things that notes explain."""
    assert says_something("- Index: the position of an element")
    assert says_something("Reference: a name for a value")
