"""Generated questions: answered where they say, varied, and the same on every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from app.evaluation.far_fields import FAR_QUESTIONS
from app.evaluation.generate import generated_questions
from app.evaluation.question_file import AskedQuestion, answers, spoken, unheld
from app.paths import starter_notes
from kg.store import Store

NOTES = ("01-foundations.md", "03-losses.md", "05-training.md")


@pytest.fixture(scope="module")
def starter(store_of: Callable[..., Store]) -> Store:
    """Three of the starter notes: the fewest that give every kind of question."""
    return store_of([starter_notes() / name for name in NOTES])


@pytest.fixture(scope="module")
def made(starter: Store) -> tuple[AskedQuestion, ...]:
    return generated_questions(starter)


def test_every_kind_is_made(made: tuple[AskedQuestion, ...]) -> None:
    """Definitions, paraphrases, comparisons, how-tos, facts, keywords, and unanswerable ones."""
    kinds = Counter(q.kind for q in made)
    assert set(kinds) == {
        "definition",
        "paraphrase",
        "comparison",
        "how",
        "fact",
        "keywords",
        "unanswerable",
    }
    assert len(made) > 150


def test_the_notes_hold_every_gold(made: tuple[AskedQuestion, ...], starter: Store) -> None:
    """Every answerable question has a passage that answers it; no gold or quote is missing."""
    assert unheld(made, starter) == ()
    for question in made:
        held = any(answers(question, p) for p in starter.passages)
        assert held == question.answerable, question


def test_far_questions_ask_for_words_the_notes_lack(
    made: tuple[AskedQuestion, ...], starter: Store
) -> None:
    """No passage holds a far question's words; those of touched fields are left out."""
    about = dict(FAR_QUESTIONS)
    far = [q for q in made if not q.answerable and not q.source]
    assert len(far) > 60
    for question in far:
        assert not any(starter.passage_frequency(w) for w in about[question.q])
    left_out = [words for asked, words in FAR_QUESTIONS if asked not in {q.q for q in far}]
    assert all(any(starter.passage_frequency(w) for w in words) for words in left_out)


ABBREVIATIONS = """# Serving

## Export

The finished model is saved as one ONNX file and loaded again on the server.

## Random Forest | RF

A random forest averages many trees, each grown on its own sample.

## Formats

GGUF is a format for small machines. The weights may also be kept in HDF5 (a tree of arrays) on \
disk.
Some WQRS tracing follows. Wait for the NFSD service. STOP before the disk is full.

```python
save(model, format="TFX")
```

Our scripts write TFX bundles too.
"""


def test_an_abbreviation_is_asked_for_only_where_nothing_explains_it(
    store_of: Callable[..., Store],
) -> None:
    """ONNX and WQRS are only mentioned; the others are told of, known, or in code too."""
    notes = store_of({"serving.md": ABBREVIATIONS})
    near = [q for q in generated_questions(notes) if not q.answerable and q.source]
    names = {w for q in near for w in q.q.rstrip("?").split() if w.isupper()}
    assert names == {"ONNX", "WQRS"}
    assert {q.source for q in near if "ONNX" in q.q} == {"serving.md:5"}


def test_an_abbreviation_of_a_concept_is_explained(store_of: Callable[..., Store]) -> None:
    """WGAN stands nowhere else, but the notes explain the Wasserstein GAN."""
    text = (
        "# GANs\n\n## Wasserstein GAN\n\nA Wasserstein GAN has another loss.\n\n"
        "## Uses\n\nTry WGAN first.\n"
    )
    questions = generated_questions(store_of({"gan.md": text}))
    assert not any("WGAN" in q.q for q in questions if not q.answerable)


def test_questions_are_the_same_on_every_run(
    made: tuple[AskedQuestion, ...], starter: Store
) -> None:
    """Nothing is left to chance."""
    assert generated_questions(starter) == made


def test_no_question_is_asked_twice(made: tuple[AskedQuestion, ...]) -> None:
    """Case and punctuation aside."""
    assert len({spoken(q.q) for q in made}) == len(made)


def test_a_question_is_not_its_answer(made: tuple[AskedQuestion, ...]) -> None:
    """None repeats the sentence that it was made from."""
    for question in made:
        assert not any(spoken(quote) in spoken(question.q) for quote in question.quotes)


@pytest.mark.parametrize("most", [1, 7, 60])
def test_a_smaller_set_is_spread(
    made: tuple[AskedQuestion, ...], starter: Store, most: int
) -> None:
    """So many, all of the whole set, in its order, from several kinds and notes."""
    chosen = generated_questions(starter, most)
    assert len(chosen) == most
    at = [made.index(q) for q in chosen]
    assert at == sorted(at)
    if most == 60:
        assert {q.kind for q in chosen} == {q.kind for q in made}
        assert len({q.source.split(":")[0] for q in chosen if q.source}) == len(NOTES)


def test_unanswerable_questions_do_not_fill_a_set(store: Store, starter: Store) -> None:
    """Every answerable question, with at most one unanswerable for three of them."""
    for notes in (starter, store):
        everything = generated_questions(notes)
        chosen = generated_questions(notes, 10**6)
        answerable = [q for q in everything if q.answerable]
        assert [q for q in chosen if q.answerable] == answerable
        assert 1 <= len(chosen) - len(answerable) <= max(1, len(answerable) // 3)


def test_sources_lead_to_the_lines(made: tuple[AskedQuestion, ...]) -> None:
    """A statement's first words stand at or just after the line that its question names."""
    folder = starter_notes()
    checked = 0
    for question in made:
        if question.quotes and question.source:
            note, _, line = question.source.rpartition(":")
            lines = (folder / Path(note).name).read_text(encoding="utf-8").splitlines()
            there = spoken(" ".join(lines[int(line) - 1 : int(line) + 2]))
            assert spoken(" ".join(question.quotes[0].split()[:3])).strip() in there, question
            checked += 1
    assert checked > 20


def test_other_notes_give_questions_too(store: Store) -> None:
    """Four small notes on baking and training: questions on both, a notebook's with its cell."""
    asked = generated_questions(store)
    sources = {q.source.split(":")[0] for q in asked if q.source}
    assert {"bread.md", "training.md"} <= sources
    assert any("(cell " in q.source for q in asked)
    assert unheld(asked, store) == ()
    assert {q.kind for q in asked} >= {"definition", "unanswerable"}
