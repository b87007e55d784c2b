"""Follow-ups, resolved through written dialogues without a store: what is asked when it is asked
alone.
"""

from __future__ import annotations

import pytest

from app.answering.question.follow_ups import resolve, wants_more
from app.answering.question.kinds import kind_of
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


def concepts_of(question: str) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(CONCEPTS[f.concept].label for f in LEXICON.find(question, strict_case=False))
    )


def understood(*turns: str) -> list[str]:
    """What each turn of a dialogue asks, when every question is answered about what it names."""
    history: list[tuple[str, Answer]] = []
    out = []
    for turn in turns:
        alone = resolve(turn, history, CONCEPTS, LEXICON)
        named = concepts_of(alone)
        kind = kind_of(alone, len(named))
        history.append((turn, Answer(turn, "answered", kind, 0.9, "", concepts=named)))
        out.append(alone)
    return out


@pytest.mark.parametrize(
    ("turns", "meant"),
    [
        (
            ["which learning rate when frozen?", "and after unfreezing?"],
            "which learning rate after unfreezing",
        ),
        (
            ["which learning rate when frozen?", "what about when unfrozen?"],
            "which learning rate when unfrozen",
        ),
        (
            ["which learning rate when frozen?", "and after unfreezing?", "why?"],
            "why learning rate after unfreezing",
        ),
        (["which learning rate for U-Net?", "and for a GAN?"], "which learning rate for a GAN"),
        (["What is dropout?", "and weight decay?"], "What is weight decay"),
        (["What is dropout?", "what about L2 regularisation?"], "What is L2 regularisation"),
        (["What is dropout?", "what about warmup?"], "What is warmup"),
        (["What is dropout?", "why does it help?"], "why does Dropout help?"),
        (["What is dropout?", "what are its defaults?"], "what are Dropout's defaults?"),
        (["What is dropout?", "why?"], "why Dropout"),
        (["What is dropout?", "an example?"], "example of Dropout"),
        (["What is dropout?", "show me the code"], "show the code for Dropout"),
        (["What is dropout?", "the formula?"], "formula of Dropout"),
        (["What is dropout?", "in which lecture?"], "lecture, video or notebook about Dropout"),
        (["What is dropout?", "is there a video?"], "lecture, video or notebook about Dropout"),
        (["What is dropout?", "what's next?"], "What comes after Dropout"),
        (["What is dropout?", "what do I need before that?"], "What do I need before Dropout"),
        (["What is dropout?", "more"], "What is dropout"),
        (["What is dropout?", "and weight decay?", "and U-Net?"], "What is U-Net"),
        (
            ["What is dropout?", "and weight decay?", "how does it work?"],
            "how does Weight decay work?",
        ),
        (
            ["What is dropout?", "and weight decay?", "difference between them?"],
            "difference between Dropout and Weight decay?",
        ),
        (["dropout vs weight decay", "and the other one?"], "What is Weight decay"),
        (["dropout vs weight decay", "what is the first one?"], "what is Dropout?"),
        (
            ["dropout vs weight decay", "what is the second one?", "and the other?"],
            "what is Dropout",
        ),
        (
            ["dropout vs weight decay", "which is better for text?"],
            "which is better for text, Dropout or Weight decay",
        ),
        (
            ["How large should the batch size be?", "and on a small card?"],
            "How large should the batch size be on a small card",
        ),
        (
            ["How large should the batch size be?", "when unfrozen?"],
            "How large should the batch size be when unfrozen",
        ),
        (["How large should the batch size be?", "how so?"], "why large should the batch size be"),
        (
            ["Tell me about dropout", "thanks, and does it slow training?"],
            "thanks, and does Dropout slow training?",
        ),
        (["Tell me about dropout", "does it work with U-Net?"], "does Dropout work with U-Net?"),
        (["What is dropout?", "how much should I use?"], "how much should I use Dropout"),
        (
            ["What is dropout?", "why do people scale images before feeding them to a network?"],
            "why do people scale images before feeding them to a network?",
        ),
        (
            ["What is dropout?", "can you explain that in plain words?"],
            "can you explain Dropout in plain words?",
        ),
        (
            ["What is dropout?", "what do I need to understand this?"],
            "what do I need to understand Dropout?",
        ),
    ],
)
def test_a_follow_up_is_understood_from_the_conversation(turns: list[str], meant: str) -> None:
    """Pronouns, ellipsis, new conditions, asides and the other side of a comparison."""
    assert understood(*turns)[-1] == meant


@pytest.mark.parametrize(
    "question",
    [
        "What is weight decay?",
        "how do I choose the batch size for a large model",
        "when should I stop training?",
        "what is weight decay and why does it help?",
        "How can I tell that my model overfits?",
        "is it normal that the loss rises?",
        "should I freeze the body when it is large?",
        "show me the code for U-Net",
        "in which lecture is U-Net explained?",
        "which batch size for U-Net?",
        "U-Net",
        "and",
    ],
)
def test_a_question_that_stands_alone_is_left_alone(question: str) -> None:
    """No history is mixed into a question that needs none."""
    assert understood("What is dropout?", question)[-1] == question


def test_without_a_conversation_nothing_is_added() -> None:
    """The first question means what it says, also when it reads like a follow-up."""
    assert understood("and after unfreezing?") == ["and after unfreezing?"]


def test_a_chain_of_follow_ups_keeps_its_question() -> None:
    """Each is understood from the one before as it was understood, not as it was typed."""
    turns = ["What is dropout?"] + ["and weight decay?", "and dropout?"] * 10
    assert understood(*turns)[-1] == "What is dropout"


def test_a_conversation_without_end_is_no_burden() -> None:
    """Of hundreds of turns, comparisons among them, only the last ones are read."""
    history = [("dropout vs weight decay", Answer("", "answered", "comparison", 0.9, ""))] * 500
    assert resolve("and the other one?", history, CONCEPTS, LEXICON) == "What is weight decay"


@pytest.mark.parametrize(
    ("question", "more"),
    [
        ("more", True),
        ("tell me more", True),
        ("Go on!", True),
        ("what else?", True),
        ("more data?", False),
    ],
)
def test_who_asks_to_go_on(question: str, more: bool) -> None:
    """Only a question that says nothing else."""
    assert wants_more(question) is more
