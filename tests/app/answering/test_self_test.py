"""Questions to test oneself with: the notes' own statements, a name left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app.answering.self_test import BLANK, minutes_to_read, recalls
from app.pages.learn.plan import learn_markdown, start_markdown
from ingest.build import ingest
from kg.linking import find_concept
from kg.store import Store, open_store

NOTES = """# Training

## Gradient

The gradient says how the loss changes with each parameter of the model.

## Learning rate

Needs: Gradient

The learning rate says how far a step along the gradient goes. If it is too large, the \
**gradient** of a later step points somewhere else entirely. Set $lr$ by the gradient of `loss`, \
see the gradient.

## Momentum

Needs: Learning rate

Momentum keeps a running mean of the gradient <img src=x onerror=alert(1)> at each step of training.
With it a smaller learning rate is usually enough to reach the same loss in the same time.
"""


@pytest.fixture(scope="module")
def store(store_of: Callable[..., Store]) -> Store:
    return store_of({"training.md": NOTES})


def test_a_statement_is_asked_back_with_a_name_left_out(store: Store) -> None:
    """Filled in, it is the statement at the lines that are cited; the name is not in the rest."""
    found = 0
    for concept in store.concepts:
        for recall in recalls(store, concept):
            if BLANK not in recall.asked:
                continue
            found += 1
            assert recall.citation is not None
            lines = store.note_text(recall.citation.note).split("\n")
            told = " ".join(lines[recall.citation.line_start - 1 : recall.citation.line_end])
            assert recall.asked.replace(BLANK, recall.answer) in " ".join(told.split()).replace(
                "**", ""
            )
            assert not re.search(rf"\b{re.escape(recall.answer)}\b", recall.asked)
            assert recall.asked not in concept.summary
    assert found >= 2


def test_formulas_code_and_markup_are_not_cut(store: Store) -> None:
    """Such statements are not asked back."""
    for concept in store.concepts:
        for recall in recalls(store, concept):
            assert BLANK not in recall.asked or not re.search(r"[$`<\[*]", recall.asked)


def test_no_question_is_answered_by_the_summary_above_it(tmp_path: Path) -> None:
    """Where no name can be left out, the next statement is asked for; one alone asks nothing."""
    text = (
        "# Transducer\n\n1. **Encoder** (aka transcription network): it reads the audio frames\n\n"
        "# Encoder\n\nAn encoder turns the frames of audio into vectors. It is trained by the "
        "gradient of the loss.\n"
    )
    (tmp_path / "a.md").write_text(text, encoding="utf-8")
    ingest([tmp_path], tmp_path / "store")
    with closing(open_store(tmp_path / "store")) as store:
        encoder = find_concept(store.concepts, "Encoder")
        (recall,) = recalls(store, encoder)
        assert recall.asked == "What else do the notes say of Encoder?"
        assert recall.answer == "It is trained by the gradient of the loss."
        assert recalls(store, find_concept(store.concepts, "Transducer")) == ()
        assert minutes_to_read(store, encoder) == 1


def test_a_path_tells_progress_and_what_is_next(store: Store) -> None:
    """Known steps stay, ticked; all that is not done counts in the minutes."""
    goal = find_concept(store.concepts, "Momentum").id
    gradient = find_concept(store.concepts, "Gradient").id
    page = learn_markdown(store, goal, ())
    assert page.startswith("## Momentum")
    heads = re.findall(r"^### (.*)$", page, re.M)
    assert [head.split(". ")[1] for head in heads][-2:] == ["Learning rate", "Momentum"]
    assert f"0 of {len(heads)} steps done; about {len(heads)} min" in page
    after = learn_markdown(store, goal, {gradient})
    assert f"1 of {len(heads)} steps done" in after and "### ✓ 1. Gradient" in after
    assert "Next: <b>Learning rate</b>, step 2" in after
    everything = learn_markdown(store, goal, {c.id for c in store.concepts})
    assert "You have done every step" in everything and "min of reading left" not in everything


def test_nothing_of_a_note_is_markup_on_the_path(store: Store, tmp_path: Path) -> None:
    """An element in a note is shown as nothing or as text."""
    for concept in store.concepts:
        page = learn_markdown(store, concept.id, ())
        assert "<img" not in page and "onerror=alert" not in re.sub(r"&\w+;", "", page)
    assert 'href="#learn/Momentum"' in start_markdown(store, ())
