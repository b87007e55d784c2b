"""Kinds of questions, and follow-ups resolved through written dialogues."""

from __future__ import annotations

import pytest

from app.questions import kind_of, resolve, spelled_out
from kg.linking import Lexicon
from kg.types import Answer, Concept

CONCEPTS = tuple(
    Concept(i, label, aliases, ("n.md",), "", (0,))
    for i, (label, aliases) in enumerate(
        [
            ("Dropout", ()),
            ("Weight decay", ("L2 regularisation",)),
            ("Learning rate finder", ("learning rate",)),
            ("Unfreezing", ("unfrozen",)),
            ("Freezing", ("frozen",)),
            ("U-Net", ()),
            ("Batch size", ()),
        ]
    )
)
LEXICON = Lexicon.of(CONCEPTS)


def answered(question: str, *concepts: str) -> Answer:
    return Answer(question, "answered", "fact", 0.9, "", concepts=concepts)


@pytest.mark.parametrize(
    ("question", "linked", "kind"),
    [
        ("What is dropout?", 1, "definition"),
        ("dropout", 1, "definition"),
        ("explain weight decay", 1, "definition"),
        ("how do I free memory before training at a larger size?", 0, "how"),
        ("choose batch size from free memory", 1, "how"),
        ("what do I need before U-Net?", 1, "path"),
        ("What should I learn first for U-Net?", 1, "path"),
        ("prerequisites of U-Net", 1, "path"),
        ("what do I need before cooking?", 0, "fact"),
        ("difference between dropout and weight decay", 2, "comparison"),
        ("dropout vs weight decay", 2, "comparison"),
        ("what is different about dropout", 1, "definition"),
        ("where is mixup explained", 1, "where"),
        ("WHERE vs HAVING", 2, "comparison"),
        ("where clause", 1, "definition"),
        ("video about hooks", 1, "where"),
        ("papers about weight initialization", 1, "where"),
        ("list all tricks about weight decay", 1, "list"),
        ("run the learning rate finder on my data", 1, "recipe"),
        ("should I predict on CPU or GPU", 0, "fact"),
        ("???", 0, "empty"),
        ("", 0, "empty"),
    ],
)
def test_each_kind_is_recognised(question: str, linked: int, kind: str) -> None:
    """A question's words and the number of concepts it names decide its kind."""
    assert kind_of(question, linked) == kind


@pytest.mark.parametrize(
    ("before", "concepts", "follow_up", "meant"),
    [
        ("which learning rate when frozen?", ["Learning rate finder"], "and after unfreezing?",
         "which learning rate after unfreezing"),
        ("What is dropout?", ["Dropout"], "and weight decay?", "What is weight decay?"),
        ("What is dropout?", ["Dropout"], "what about L2 regularisation?", "What is L2 regularisation?"),
        ("What is dropout?", ["Dropout"], "why does it help?", "why does Dropout help?"),
        ("What is dropout?", ["Dropout"], "what is its formula?", "what is Dropout's formula?"),
        ("What is dropout?", ["Dropout"], "why?", "why Dropout"),
        ("How large should the batch size be?", ["Batch size"], "and on a small card?",
         "How large should the batch size be on a small card"),
    ],
)  # fmt: skip
def test_a_follow_up_is_understood_from_the_conversation(
    before: str, concepts: list[str], follow_up: str, meant: str
) -> None:
    """Pronouns, ellipsis and new conditions are resolved against the previous turn."""
    history = [(before, answered(before, *concepts))]
    assert resolve(follow_up, history, CONCEPTS, LEXICON) == meant


def test_a_chain_of_follow_ups_keeps_the_first_question() -> None:
    """The second follow-up is resolved against the first as it was understood, not as it was typed."""
    history = [
        ("What is dropout?", answered("What is dropout?", "Dropout")),
        ("and weight decay?", answered("and weight decay?", "Weight decay")),
    ]
    assert resolve("and U-Net?", history, CONCEPTS, LEXICON) == "What is U-Net?"


@pytest.mark.parametrize(
    "question", ["What is weight decay?", "how do I choose the batch size for a large model", "and"]
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    """No history is mixed into a question that needs none."""
    history = [("What is dropout?", answered("What is dropout?", "Dropout"))]
    assert resolve(question, history, CONCEPTS, LEXICON) == question
    assert resolve("and after unfreezing?", [], CONCEPTS, LEXICON) == "and after unfreezing?"


@pytest.mark.parametrize(
    ("asked", "means"),
    [
        ("difference between sourdough and rye bread", "difference between sourdough bread and rye bread"),
        ("sourdough vs. rye bread?", "sourdough bread vs. rye bread?"),
        ("salt and rye bread", "salt and rye bread"),
        ("rye bread and sourdough bread", "rye bread and sourdough bread"),
    ],
)
def test_a_shared_last_word_is_said_twice(asked: str, means: str) -> None:
    """Only where both then name concepts; anything else stays as it was typed."""
    labels = ("Sourdough bread", "Rye bread", "Salt")
    lexicon = Lexicon.of(tuple(Concept(i, label, (), ("n.md",), "", (0,)) for i, label in enumerate(labels)))
    assert spelled_out(asked, lexicon) == means
