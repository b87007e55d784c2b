"""Answers to "where?": the link itself where the notes say what is behind it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.answering.answer import answer
from kg.encoder import Encoder
from kg.store import Store

NOTES = """# Generative models

Image to image translation learns from pairs. [CycleGAN](https://example.org/cyclegan) does it without pairs.

Further reading:

- [PixelRNN](https://example.org/pixelrnn)
- [Progressive growing](https://example.org/growing)

# Activations

An activation is what a layer gives to the next one.

## Reading them

To get at the output of a layer in the middle of a network without rewriting it, register a hook.
"""  # noqa: E501 - a note's line


@pytest.fixture(scope="module")
def store(store_of: Callable[..., Store]) -> Store:
    return store_of({"models.md": NOTES})


@pytest.mark.parametrize(
    ("asked", "line", "words"),
    [
        (
            "where do I find the paper on translating images without pairs?",
            3,
            "example.org/cyclegan",
        ),
        (
            "in which note do I read about getting at activations in the middle of a network?",
            16,
            "hook",
        ),
        ("where are activations explained?", 12, "**Activations**: Activations [1]"),
    ],
)
def test_where_leads_to_the_line_that_answers(
    store: Store, encoder: Encoder, asked: str, line: int, words: str
) -> None:
    """A question that says more than a name is answered by what is said, not by all of the name's
    places and links.
    """
    said = answer(asked, store, encoder)
    assert said.kind == "where"
    assert said.citations[0].line_start == line
    assert words in said.text
