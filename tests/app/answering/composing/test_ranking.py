"""Which statement answers best: by its words, by what is asked for, and by the kind of question."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made import passage_of

from app.answering.answer import answer
from app.answering.composing.ranking import rank
from app.answering.question.understand import understand
from app.answering.reading.words import stem
from kg.encoder import Encoder
from kg.search import find
from kg.store import Store
from kg.types import AnswerKind, Concept, Hit

LEADS = Path(__file__).resolve().parents[4] / "benchmarks" / "answers" / "leads.jsonl"

DOUGH = """\
## Dough

Dough is flour and water, kneaded. Salt makes it tighter, because it binds water.
Bakers in Lyon wrote of it in 1850.
Take 18 grams of salt for one loaf. Never add it to dry yeast.
When the dough is warm, it rises faster.
Sticky dough is a nuisance. Flour on the board helps against sticky dough.
Rule of thumb: sea salt for dough that rests.
"""


def best(question: str, store: Store, encoder: Encoder, kind: AnswerKind = "fact") -> str:
    passage = passage_of(DOUGH, "Dough")
    words = {
        w: 1.0
        for w in question.lower().strip("?").split()
        if w in ("dough", "salt", "yeast", "bakers")
    }
    asked = understand(question, store, encoder)
    ranked, statements = rank(asked, kind, [Hit(passage, 1.0, ())], words, encoder)
    return statements[ranked[0].hit][ranked[0].at].text


@pytest.mark.parametrize(
    ("question", "kind", "lead"),
    [
        ("What is dough?", "definition", "Dough is flour and water, kneaded."),
        ("why put salt into dough?", "fact", "Salt makes it tighter, because it binds water."),
        ("how much salt for dough?", "fact", "Take 18 grams of salt for one loaf."),
        ("should I mix salt and yeast?", "yesno", "Never add it to dry yeast."),
        ("when does dough rise faster?", "fact", "When the dough is warm, it rises faster."),
        ("how do I fix sticky dough?", "fact", "Flour on the board helps against sticky dough."),
        (
            "which salt should I use for dough?",
            "fact",
            "Rule of thumb: sea salt for dough that rests.",
        ),
        ("since which year do bakers make dough?", "fact", "Bakers in Lyon wrote of it in 1850."),
    ],
)
def test_the_sort_of_question_decides_between_sentences(
    starter: Store, encoder: Encoder, question: str, kind: AnswerKind, lead: str
) -> None:
    """A reason for "why", a number for "how much", a condition for "when", and so on."""
    assert best(question, starter, encoder, kind) == lead


def test_scores_fall_and_every_statement_is_ranked(starter: Store, encoder: Encoder) -> None:
    """Best first; each statement of the passages that were looked into stands there once."""
    asked = understand("which weight decay?", starter, encoder)
    findings = find(asked.reading, starter)
    ranked, statements = rank(asked, "fact", findings.hits, findings.words, encoder)
    assert [s.score for s in ranked] == sorted((s.score for s in ranked), reverse=True)
    assert sorted((s.hit, s.at) for s in ranked) == [
        (h, i) for h, ss in enumerate(statements) for i in range(len(ss))
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("normalise", "Normalisation"),
        ("shuffled", "shuffling"),
        ("overfits", "overfitting"),
        ("decays", "decayed"),
    ],
)
def test_forms_of_a_word_meet(one: str, other: str) -> None:
    """Endings aside they are the same; other words stay apart."""
    assert stem(one) == stem(other)
    assert stem(one) != stem("training")


def test_most_answers_lead_with_what_a_reader_would(starter: Store, encoder: Encoder) -> None:
    """Of the questions that benchmarks/answers/leads.py asks, those on these three notes: nine in
    ten within 350 characters.
    """
    notes = " ".join(" ".join(starter.note_text(name).split()) for name in starter.note_names)
    asked = [json.loads(line) for line in LEADS.read_text(encoding="utf-8").splitlines()]
    asked = [a for a in asked if all(lead in notes for lead in a["lead"])]
    assert len(asked) >= 12
    misses = []
    for a in asked:
        start = " ".join(answer(a["q"], starter, encoder).text.split())[:350]
        if not any(lead in start for lead in a["lead"]):
            misses.append((a["q"], start))
    assert len(misses) <= len(asked) // 8, misses


def test_a_term_below_others_words_leads_with_its_own_line(
    starter: Store, encoder: Encoder
) -> None:
    """ "What is a posterior?" gets its item of a list on something else."""
    text = (
        "## Bayes\n\nBayes' theorem turns one probability into another:\n\n"
        "- **Prior**: what you believed before\n- **Posterior**: what you believe after\n"
    )
    passage = passage_of(text, "Bayes")
    posterior = Concept(0, "Posterior", (), ("n.md",), "Posterior: what you believe after", (0,))
    hits = [Hit(passage, 1.0, ())]
    asked = understand("What is a posterior?", starter, encoder)
    ranked, statements = rank(asked, "definition", hits, {"posterior": 1.0}, encoder, posterior)
    best = statements[ranked[0].hit][ranked[0].at]
    assert best.text == "- **Posterior**: what you believe after"
