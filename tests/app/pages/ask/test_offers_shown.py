"""How an offer of a recipe and old code look in the chat and in the terminal."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from rich.console import Console

from app.commands import show
from app.fastai_v1.recognise import updates
from app.pages.ask.answer import answer_markdown, example_questions
from kg.store import Store
from kg.types import Answer, RecipeOffer

OLD = "Free it:\n\n```python\nlearn.destroy()\n```"
OLD_ANSWER = Answer("q", "answered", "how", 0.9, OLD, fastai_v1=updates(OLD))


def test_a_sure_offer_is_a_button_and_an_unsure_one_a_chip(store: Store) -> None:
    """Who only asked what something is gets the recipe quietly; both lead to the same form."""
    for confidence, css in ((0.9, "g-run"), (0.6, "g-chip")):
        offer = RecipeOffer("lr-find", {"phase": "frozen"}, "why", confidence)
        shown = answer_markdown(
            store, Answer("q", "answered", "fact", 0.9, "It is.", recipes=(offer,))
        )
        (tag,) = [part for part in shown.split("<a ") if "#run/lr-find" in part]
        assert css in tag
        assert "▶ Find my learning rate (frozen)" in tag


def test_old_code_has_its_line_in_the_chat(store: Store) -> None:
    """The v2 equivalent stands below the notes' own lines, which stay as they are."""
    shown = answer_markdown(store, OLD_ANSWER)
    assert shown.index("learn.destroy()\n```") < shown.index("fastai v1: in v2")


def test_old_code_has_its_line_in_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """`gradus ask` says it too."""
    console = Console(width=200)
    monkeypatch.setattr(show, "out", console)
    with console.capture() as seen:
        show.show_answer(OLD_ANSWER)
    assert "fastai v1: in v2 learn.destroy() → del learn" in " ".join(seen.get().split())


def test_the_example_that_promises_a_run_brings_one(store: Store) -> None:
    """The example question on choosing a value is of a recipe that finds that value."""
    assert "How do I choose the learning rate?" in example_questions(store)


def test_an_offer_stands_also_where_the_notes_have_no_answer(store: Store) -> None:
    """What the notes do not say a run may find."""
    offer = RecipeOffer("lr-find", {}, "why", 0.9)
    shown = answer_markdown(
        store, Answer("q", "not_in_notes", "fact", 0.1, "The notes do not say.", recipes=(offer,))
    )
    assert shown.index("Not in the notes; a run can find out:") < shown.index("#run/lr-find")
    assert "g-unknown" not in shown, "what was asked for is at hand"


def test_a_file_is_shown_by_its_name_and_what_is_to_be_chosen_in_the_fields_words(
    store: Store,
) -> None:
    """The link has the whole path; a page speaks of no option of the command line."""
    named = RecipeOffer("lr-find", {"task": "tabular", "data": "/d/a b.csv"}, "why", 0.9)
    unsure = RecipeOffer("lr-find", {}, "why", 0.9, "say which <x> in Data (--data)")
    answer = Answer("q", "answered", "fact", 0.9, "It is.", recipes=(named, unsure))
    shown = answer_markdown(store, answer)
    assert "(tabular, a b.csv)" in shown and quote(urlencode({"data": "/d/a b.csv"})) in shown
    assert "say which &lt;x&gt; in Data<" in shown and "--data" not in shown
