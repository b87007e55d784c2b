"""Which statement answers best: by its words, by what is asked for, and by the kind of question."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from app.answering.answer import answer
from app.answering.composing.features import FEATURES, RELATIONS, seen
from app.answering.composing.ranking import Ranked, rank, stored
from app.answering.question.understand import understand
from app.answering.reading.words import stem
from kg.encoder import Encoder
from kg.search import find
from kg.store import Store
from kg.types import Citation

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


@pytest.fixture(scope="module")
def dough(store_of: Callable[..., Store]) -> Store:
    return store_of({"dough.md": DOUGH})


def ranked(question: str, store: Store, encoder: Encoder) -> Ranked:
    asked = understand(question, store, encoder)
    found = rank(asked, find(asked.reading, store), store)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("question", "lead"),
    [
        ("What is dough?", "Dough is flour and water, kneaded."),
        ("why put salt into dough?", "Salt makes it tighter, because it binds water."),
        ("how many grams of salt for a loaf?", "Take 18 grams of salt for one loaf."),
        ("when does dough rise faster?", "When the dough is warm, it rises faster."),
        ("how do I fix sticky dough?", "Flour on the board helps against sticky dough."),
        ("in which year did the bakers of Lyon write?", "Bakers in Lyon wrote of it in 1850."),
    ],
)
def test_the_sentence_that_answers_leads(
    dough: Store, encoder: Encoder, question: str, lead: str
) -> None:
    """Of one paragraph the sentence on what was asked is among the two likeliest."""
    found = ranked(question, dough, encoder)
    assert lead in [found.statements[i].text for i in found.best_first()[:2]]


def test_chances_are_shares_and_every_statement_is_ranked(starter: Store, encoder: Encoder) -> None:
    """Chances of leading sum to 1, those of belonging lie in [0, 1], best first has each once."""
    found = ranked("which weight decay?", starter, encoder)
    assert found.leads.sum() == pytest.approx(1)
    assert ((found.belongs >= 0) & (found.belongs <= 1)).all()
    best = found.best_first()
    assert sorted(best) == list(range(len(found.statements)))
    assert [found.leads[i] for i in best] == sorted(found.leads, reverse=True)


def test_every_feature_has_its_weight(starter: Store, encoder: Encoder) -> None:
    """The rows are as long as the list of names, and all numbers are finite."""
    for question in ("which weight decay?", "?", "学习率", "x" * 900):
        asked = understand(question, starter, encoder)
        rows = seen(asked, find(asked.reading, starter), starter).rows
        assert rows.shape[1] == len(FEATURES)
        assert np.isfinite(rows).all()


def test_the_weights_are_those_that_were_learned() -> None:
    """One for each feature, in the file that the benchmark writes."""
    learned = stored()
    assert list(learned["lead"]) == list(FEATURES)
    assert list(learned["belongs"]) == [*RELATIONS, *FEATURES]


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
    """Of the questions that benchmarks/answers/leads.py asks, those on these three notes: three
    in four within 350 characters.
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
    assert len(misses) <= len(asked) // 4, misses


def test_a_term_below_others_words_leads_with_its_own_line(
    store_of: Callable[..., Store], encoder: Encoder
) -> None:
    """ "What is a posterior?" gets its item of a list on something else."""
    store = store_of(
        {
            "bayes.md": "## Bayes\n\nBayes' theorem turns one probability into another:\n\n"
            "- **Prior**: what you believed before\n- **Posterior**: what you believe after\n"
        }
    )
    found = ranked("What is a posterior?", store, encoder)
    assert found.statements[found.best_first()[0]].text == "- **Posterior**: what you believe after"


def test_what_was_quoted_before_is_half_as_likely_to_lead(dough: Store, encoder: Encoder) -> None:
    """Against all that was not; the order of the others stays."""
    before = ranked("what does salt do?", dough, encoder)
    line = DOUGH.split("\n").index("Bakers in Lyon wrote of it in 1850.") + 1
    told = Citation(1, "dough.md", line, line, None, "")
    after = before.fainter([told], 0.5)
    quoted = np.array([s.text.startswith("Bakers") for s in before.statements])
    ratio = after.leads / before.leads
    assert np.allclose(ratio[~quoted], ratio[~quoted][0])
    assert np.allclose(ratio[quoted] * 2, ratio[~quoted][0])
    assert after.leads.sum() == pytest.approx(1.0)
