"""What a question means after others: alone, after what it follows, or more of the last answer."""

from __future__ import annotations

import numpy as np
import pytest

from app.answering.question.follow_ups import Turn, groups, meant
from kg.classifier import Classifier
from kg.types import Answer


def conversation(*turns: str) -> list[Turn]:
    return [(q, Answer(q, "answered", "fact", 0.9, "", concepts=(q.split()[-1],))) for q in turns]


@pytest.mark.parametrize(
    ("before", "question"),
    [
        ("what is dropout", "and how large should it be chosen?"),
        ("what is dropout", "why does that help?"),
        ("which learning rate when frozen?", "and for the other layers?"),
        ("Was macht Dropout?", "und wie groß wählt man das?"),
        ("qu'est-ce que le dropout ?", "et pourquoi ça marche ?"),
        ("¿qué es el dropout?", "¿y cuándo se usa eso?"),
        ("什么是早停", "那怎么用?"),
    ],
)
def test_what_follows_is_read_after_what_it_follows(before: str, question: str) -> None:
    """In five languages; no word of it is replaced, and it counts twice when searched for."""
    found = meant(question, conversation(before))
    assert found.stand == "follows"
    assert found.text == f"{before} {question}"
    assert found.searched == f"{before} {question} {question}"
    assert found.own == question
    assert found.topics == (before.split()[-1],)


@pytest.mark.parametrize(
    "question",
    [
        "What is weight decay?",
        "how do I choose the batch size for a large model",
        "what is weight decay and why does it help?",
        "Was ist Kreuzentropie?",
        "qu'est-ce que la régularisation L2 ?",
        "什么是批归一化?",
        "",
        "?",
    ],
)
def test_what_stands_alone_is_left_alone(question: str) -> None:
    """Nothing said before is mixed into it."""
    found = meant(question, conversation("what is dropout", "how does adam work"))
    assert (found.text, found.searched, found.own) == (question,) * 3
    assert (found.topics, found.stand) == ((), "alone")


@pytest.mark.parametrize(
    "question", ["more", "tell me more", "Go on!", "what else?", "erzähl weiter"]
)
def test_who_asks_to_go_on_asks_the_last_question_again(question: str) -> None:
    """Its own words are no part of what is searched for."""
    found = meant(question, conversation("what is dropout"))
    assert (found.stand, found.text, found.own) == ("more", *["what is dropout"] * 2)


def test_a_form_of_answer_is_more_than_to_go_on() -> None:
    """ "What's next?" asks for what comes after."""
    assert meant("what's next?", conversation("what is dropout")).stand == "follows"


def test_without_a_conversation_nothing_is_added() -> None:
    """The first question means what it says, also when it reads like a follow-up."""
    assert meant("and after unfreezing?", []).text == "and after unfreezing?"


def told_by_a_mark() -> Classifier:
    """Calls "... &" a follow-up, "... +" one that asks to go on, and all else alone."""
    weights = np.array([[0.0, 9.0, 0.0], [0.0, 0.0, 9.0]])
    bias = np.array([2.0, 0.0, 0.0])
    return Classifier(("alone", "follows", "more"), {"&": 0, "+": 1}, weights, bias)


def test_a_conversation_begins_anew_with_what_stands_alone() -> None:
    """Of what was asked since, the first and the last are remembered, go-ons left out."""
    turns = conversation("one", "two &", "three", "four &", "five &", "six +")
    assert meant("seven &", turns, learned=told_by_a_mark()).text == "three five & seven &"
    assert meant("seven +", turns, learned=told_by_a_mark()).text == "three five &"


def test_what_is_talked_about_is_told_once_the_last_first() -> None:
    """By the answers, whatever the questions were called."""
    turns = conversation("what is dropout", "what is adam", "how large is dropout")
    assert meant("why &", turns, learned=told_by_a_mark()).topics == ("dropout", "adam")


def test_a_conversation_without_end_is_no_burden() -> None:
    """Of hundreds of turns only the last ones are read."""
    turns = conversation(*["one"] * 500, *["two &"] * 60)
    assert meant("three &", turns, learned=told_by_a_mark()).text == "two & three &"


def test_terms_tell_length_and_what_was_said_before() -> None:
    """The signs of a question count beside its words."""
    *_, signs = groups("how large is dropout", ["what is dropout"])
    assert signs == {"#words 4", "#threes 1", "#shared 2", "#new 2"}
