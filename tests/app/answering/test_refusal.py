"""The confidence of answers: what the notes hold is above the line, what they do not is below."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from app.answering.answer import answer
from app.answering.composing.ranking import rank
from app.answering.question.understand import understand
from app.answering.refusal import ANSWERED_FROM, SIGNS, SURE_FROM, confidence, signs_of
from kg.encoder import Encoder
from kg.search import find
from kg.store import Store


def sure(question: str, store: Store, encoder: Encoder) -> float:
    asked = understand(question, store, encoder)
    findings = find(asked.reading, store)
    return confidence(asked, findings, rank(asked, findings, store))


@pytest.mark.parametrize(
    "question",
    ["What is proofing?", "which learning rate after unfreezing?", "what does wheat flour hold"],
)
def test_what_the_notes_hold_is_answered(store: Store, encoder: Encoder, question: str) -> None:
    """Plain questions on small notes are well above the line."""
    assert sure(question, store, encoder) > 0.6 > ANSWERED_FROM


@pytest.mark.parametrize(
    "question",
    [
        "How do I prune an apple tree?",
        "who signed the treaty of Westphalia",
        "Kubernetes ingress timeout",
    ],
)
def test_what_the_notes_do_not_hold_is_refused(
    store: Store, encoder: Encoder, question: str
) -> None:
    """Questions from elsewhere are below it, even where a word is shared."""
    assert sure(question, store, encoder) < ANSWERED_FROM


@pytest.mark.parametrize(
    ("question", "doubtful"),
    [
        ("What is proofing?", False),
        ("which learning rate after unfreezing?", False),
        ("who invented the learning rate finder?", True),
        ("what colour has the crust of a bagel?", True),
        ("how much does a bag of flour cost?", True),
    ],
)
def test_what_is_told_in_doubt_says_so(
    store: Store, encoder: Encoder, question: str, doubtful: bool
) -> None:
    """What names the notes' words without being told there is answered with a doubt, if at all."""
    said = answer(question, store, encoder)
    assert (said.status == "not_in_notes" or said.doubtful) == doubtful
    assert said.doubtful == (ANSWERED_FROM <= said.confidence < SURE_FROM)


@pytest.mark.parametrize(
    "question", ["Was ist Ridge?", "Was bedeutet Ridge?", "Ridge", "¿Qué es Ridge?", "define ridge"]
)
def test_what_the_notes_define_is_not_refused(
    store_of: Callable[..., Store], encoder: Encoder, question: str
) -> None:
    """A question that merely names it, in any language that kinds were learned in."""
    text = "# Ridge\n\nSchrumpft alle Gewichte, aber keines wird exakt null.\n"
    told = store_of({"a.md": text, "b.md": "# Stil\n\nWir backen auf Stein.\n"})
    said = answer(question, told, encoder)
    assert (said.status, said.doubtful) == ("answered", False)
    assert said.citations[0].quote.startswith("Schrumpft")


def test_a_heading_alone_is_no_answer(store_of: Callable[..., Store], encoder: Encoder) -> None:
    """However well it fits, it says nothing."""
    told = store_of(
        {"a.md": "# Sourdough schedules\n", "b.md": "# Style\n\nWe bake on a hot stone.\n"}
    )
    assert answer("what is a sourdough schedule?", told, encoder).status == "not_in_notes"


def test_notes_without_blanks_between_words_answer_and_refuse(
    store_of: Callable[..., Store], encoder: Encoder
) -> None:
    """Chinese is searched by pairs of characters; what no passage holds is not answered."""
    told = store_of(
        {
            "a.md": "# 优化\n\n## 牛顿法\n\n牛顿法利用二阶导数近似损失函数，收敛很快。\n",
            "b.md": "# 风格迁移\n\n我们对白噪声图像执行梯度下降，以找到匹配的图像。\n",
        }
    )
    said = answer("什么是牛顿法？", told, encoder)
    assert said.citations[0].quote == "牛顿法利用二阶导数近似损失函数，收敛很快。"
    assert answer("什么是扩散模型？", told, encoder).status == "not_in_notes"


@pytest.mark.parametrize("question", ["What is proofing?", "how much yeast", "proofing"])
def test_without_hits_nothing_is_sure(store: Store, encoder: Encoder, question: str) -> None:
    """The notes do not hold what no statement says."""
    asked = understand(question, store, encoder)
    assert confidence(asked, find(asked.reading, store), None) == 0.0


def test_signs_of_odd_questions_are_numbers(store: Store, encoder: Encoder) -> None:
    """Without words, with one, and with a thousand: as many signs as have weights, all finite."""
    for question in ["?", "the of", "🎉", "x" * 3000, "dropout " * 500, "学习率"]:
        asked = understand(question, store, encoder)
        findings = find(asked.reading, store)
        ranked = rank(asked, findings, store)
        if ranked is not None:
            signs = signs_of(asked, findings, ranked)
            assert signs.shape == (len(SIGNS),)
            assert np.isfinite(signs).all(), question
        assert 0 <= answer(question, store, encoder).confidence <= 1
