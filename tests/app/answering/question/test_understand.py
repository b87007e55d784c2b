"""A question is understood once: its fields say all that an answer needs of its words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.answering.answer import answer
from app.answering.offers.files import NamedFile
from app.answering.question.understand import Question, understand
from kg.encoder import Encoder
from kg.store import Store


class Listening:
    """An encoder's model that remembers which texts it was given."""

    def __init__(self, model: Any) -> None:
        self.model, self.texts = model, list[str]()

    def encode(self, texts: list[str], **settings: Any) -> Any:
        self.texts += texts
        return self.model.encode(texts, **settings)

    def __deepcopy__(self, _: Any) -> Listening:
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def __getitem__(self, part: int) -> Any:
        return self.model[part]


@pytest.mark.parametrize(
    "question",
    [
        "which weight decay should I use?",
        "difference between SGD and momentum?",
        "what is dropout?",
        "list all tricks for training",
        "how do I find a batch size that fits my card?",
        "which river flows through Ulan Bator?",
    ],
)
def test_a_question_is_encoded_once(starter: Store, encoder: Encoder, question: str) -> None:
    """Search, the wish for a recipe and the worth of statements share one vector."""
    listening = Listening(encoder.model)
    answer(question, starter, replace(encoder, model=listening))
    vectors = encoder.encode(listening.texts)
    alike = vectors @ encoder.encode([question])[0]
    assert int(np.sum(alike > 0.95)) == 1, listening.texts


def field(question: str, name: str, store: Store, encoder: Encoder) -> Any:
    asked: Question = understand(question, store, encoder)
    return getattr(asked, name)


@pytest.mark.parametrize(
    ("question", "name", "value"),
    [
        ("  what is dropout? ", "asked", "what is dropout?"),
        ("what is dropuot?", "text", "what is dropout?"),
        ("list all tricks on training", "lists_all", True),
        ("which losses are there?", "lists_all", False),
        ("all the tricks and rules of thumb", "marks", ("trick", "rule of thumb")),
        ("video about dropout", "link", "video"),
        ("notebook on dropout", "link", "notebook"),
        ("a video or notebook about dropout", "link", ""),
        ("show me the code for dropout", "code", True),
        ("why does dropout help?", "code", False),
        ("what is dropout", "bare", True),
        ("what is dropout good for in winter?", "bare", False),
        ("where is dropout explained?", "bare", True),
        ("What can I learn next?", "names", ()),
    ],
)
def test_each_field_says_what_the_words_say(
    starter: Store, encoder: Encoder, question: str, name: str, value: object
) -> None:
    """One example for each field that something after it reads."""
    assert field(question, name, starter, encoder) == value


def test_words_that_only_ask_for_a_list_are_not_its_subject(
    starter: Store, encoder: Encoder
) -> None:
    """Of "list all tricks on training" the subject is training."""
    assert set(field("list all tricks on training", "subject", starter, encoder)) == {"training"}


def test_a_file_is_named_as_it_is_typed(starter: Store, encoder: Encoder, tmp_path: Path) -> None:
    """A path has no slips."""
    table = tmp_path.resolve() / "learnin.csv"
    table.touch()
    asked = understand("which lr for learnin.csv?", starter, encoder, roots=(tmp_path,))
    assert asked.wish.files == (NamedFile("learnin.csv", (table,)),)
    assert asked.wish.params["lr-find"] == {"task": "tabular", "data": str(table)}
    assert "learnin.csv" in asked.text


@pytest.mark.parametrize(
    "question", ["why does it need label smoothing?", "does it use mixup too?"]
)
def test_a_follow_up_asks_what_it_asks(question: str, starter: Store, encoder: Encoder) -> None:
    """Not the question before it, though a concept's name is its only rare word."""
    before = "what is dropout?"
    turns = [(before, answer(before, starter, encoder))]
    assert understand(question, starter, encoder, turns).text.endswith(question)
