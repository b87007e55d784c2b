"""Kinds of questions, and the two sides of those that compare."""

from __future__ import annotations

import pytest

from app.answering.question.kinds import kind_of, spelled_out
from app.answering.question.sides import sides_of
from kg.linking import Lexicon
from kg.types import Concept


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
        ("what do I need to understand U-Net?", 1, "path"),
        ("what should I know to understand U-Net", 1, "path"),
        ("What comes after dropout?", 1, "next"),
        ("what can I learn next after U-Net?", 1, "next"),
        ("What should I study once I know dropout?", 1, "next"),
        ("what builds on dropout?", 1, "next"),
        ("what comes after the dropout in a residual block?", 1, "fact"),
        ("which learning rate after unfreezing?", 1, "fact"),
        ("what happens after unfreezing?", 1, "fact"),
        ("difference between dropout and weight decay", 2, "comparison"),
        ("dropout vs weight decay", 2, "comparison"),
        ("what is different about dropout", 1, "definition"),
        ("where is mixup explained", 1, "where"),
        ("where clause", 1, "definition"),
        ("video about hooks", 1, "where"),
        ("papers about weight initialization", 1, "where"),
        ("list all tricks about weight decay", 1, "list"),
        ("run the learning rate finder on my data", 1, "how"),
        ("how does weight decay differ from L2?", 1, "comparison"),
        ("should I normalise the inputs?", 1, "yesno"),
        ("can I use mixup with text?", 1, "yesno"),
        ("is it normal that the loss rises?", 0, "yesno"),
        ("CUDA out of memory, what should I do?", 0, "how"),
        ("can you explain dropout?", 1, "definition"),
        ("could you please list all tricks on dropout", 1, "list"),
        ("how many epochs does fine-tuning take?", 1, "fact"),
        ("how can I tell that my model overfits?", 1, "how"),
        ("how do I know when to stop?", 0, "how"),
        ("how does dropout work?", 1, "how"),
        ("how can I train faster?", 0, "how"),
        ("show me the code for dropout", 1, "how"),
        ("which losses are there?", 0, "list"),
        ("what are the signs of overfitting?", 1, "list"),
        ("every trick about unfreezing", 1, "list"),
        ("in which lecture is U-Net explained?", 1, "where"),
        ("find the learning rate for my data", 1, "how"),
        ("which batch size fits on my card?", 1, "fact"),
        ("Was ist Dropout?", 1, "definition"),
        ("Warum fällt der Verlust nicht?", 1, "fact"),
        ("¿Qué tengo que aprender antes de U-Net?", 1, "path"),
        ("quelle est la différence entre dropout et weight decay ?", 2, "comparison"),
        ("什么是学习率", 1, "definition"),
        ("学习U-Net之前需要先学什么？", 1, "path"),
        ("???", 0, "empty"),
        ("", 0, "empty"),
    ],
)
def test_each_kind_is_recognised(question: str, linked: int, kind: str) -> None:
    """A question's words and the number of concepts it names decide its kind."""
    assert kind_of(question, linked) == kind


@pytest.mark.parametrize(
    ("question", "sides"),
    [
        ("difference between dropout and weight decay", ("dropout", "weight decay")),
        (
            "What is the difference between a GAN and the Wasserstein GAN?",
            ("GAN", "Wasserstein GAN"),
        ),
        ("compare Adam with SGD", ("Adam", "SGD")),
        ("WHERE vs HAVING", ("WHERE", "HAVING")),
        ("Adam versus SGD for vision", ("Adam", "SGD")),
        ("should I use mixup instead of dropout?", ("mixup", "dropout")),
        ("layer norm or batch norm for text?", ("layer norm", "batch norm")),
        ("which is better, max pooling or average pooling?", ("max pooling", "average pooling")),
        ("how does RMSProp differ from Adam?", ("RMSProp", "Adam")),
        ("which is better for text, mixup or dropout?", ("mixup", "dropout")),
        ("what comes first, freezing or unfreezing?", ("freezing", "unfreezing")),
        ("which comes first batch norm or dropout", ("batch norm", "dropout")),
        ("SVM vs softmax: what is the difference?", ("SVM", "softmax")),
        ("What is dropout?", None),
    ],
)
def test_a_comparison_names_its_sides(question: str, sides: tuple[str, str] | None) -> None:
    """Articles and conditions are no part of a side's name."""
    assert sides_of(question) == sides


@pytest.mark.parametrize(
    ("asked", "means"),
    [
        (
            "difference between sourdough and rye bread",
            "difference between sourdough bread and rye bread",
        ),
        ("sourdough vs. rye bread?", "sourdough bread vs. rye bread?"),
        ("salt and rye bread", "salt and rye bread"),
        ("rye bread and sourdough bread", "rye bread and sourdough bread"),
    ],
)
def test_a_shared_last_word_is_said_twice(asked: str, means: str) -> None:
    """Only where both then name concepts; anything else stays as it was typed."""
    labels = ("Sourdough bread", "Rye bread", "Salt")
    lexicon = Lexicon.of(
        tuple(Concept(i, label, (), ("n.md",), "", (0,)) for i, label in enumerate(labels))
    )
    assert spelled_out(asked, lexicon) == means
