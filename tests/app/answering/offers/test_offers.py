"""Which recipe a question or answer brings, how surely, and with which parameters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answering.offers import offers as matching
from app.answering.offers.offers import OFFERED_FROM, offers
from executors.recipe import Parameter, Recipe, check_params, find_recipe, recipes

WRITTEN = Path(__file__).parents[4] / "benchmarks" / "questions" / "recipes.jsonl"
# Those by which no rule was made are measured (benchmarks/answers/offers.py), not held to.
NOT_THE_RULES = ("unseen", "last", "params")
LINES = WRITTEN.read_text(encoding="utf-8").splitlines()
ROWS = [row for row in map(json.loads, LINES) if row["part"] not in NOT_THE_RULES]


@pytest.mark.parametrize(
    ("question", "name", "params"),
    [
        ("which learning rate after unfreezing?", "lr-find", {"phase": "unfrozen"}),
        ("learning rate while the model is frozen", "lr-find", {"phase": "frozen"}),
        ("find the learning rate before unfreezing", "lr-find", {"phase": "frozen"}),
        ("best learning rate, first frozen and then unfrozen", "lr-find", {"phase": "both"}),
        ("how do I read the learning rate finder?", "lr-find", {}),
        ("which lr with bs=32 on cuda:1", "lr-find", {"batch_size": 32, "device": "cuda:1"}),
        ("good learning rate for a recommender", "lr-find", {"task": "collaborative-filtering"}),
        ("which batch size fits my card?", "batch-size", {}),
        ("largest batch size for a tabular model", "batch-size", {"task": "tabular"}),
        ("batch size at 256 px", "batch-size", {"sizes": "256"}),
        (
            "batch size for 128 then 224 px in fp16",
            "batch-size",
            {"sizes": "128,224", "precision": "float16"},
        ),
        (
            "what batch size for densenet 169, 299 px?",
            "batch-size",
            {"arch": "densenet169", "sizes": "299"},
        ),
        (
            "which batch size fits in 8 gb on the cpu",
            "batch-size",
            {"memory_limit": "8GB", "device": "cpu"},
        ),
        ("CUDA out of memory", "batch-size", {}),
    ],
)
def test_a_question_offers_its_recipe_with_presets(
    question: str, name: str, params: dict[str, object]
) -> None:
    """The recipe that the question wishes for comes first, with what the words decide filled in."""
    offer = offers(question, [])[0]
    assert (offer.name, offer.params) == (name, params)
    check_params(find_recipe(offer.name), offer.params)


def _wants(row: dict[str, Any]) -> Any:
    return pytest.param(row, id=row["q"][:60])


@pytest.mark.parametrize("row", [_wants(r) for r in ROWS if not r["recipe"]])
def test_who_wants_no_run_is_offered_none(row: dict[str, Any]) -> None:
    """History, reasons, code, comparison, and words that only sound like a recipe's, bring no
    button.
    """
    assert offers(row["q"], row.get("concepts", [])) == ()


# What is not found, and why: nothing names the recipe but the order of its steps.
UNFOUND = {"teach a wide resnet50 2 my photos: freeze, fit, unfreeze, fit"}


@pytest.mark.parametrize("row", [_wants(r) for r in ROWS if r["recipe"] and r["q"] not in UNFOUND])
def test_who_wants_a_run_is_offered_it(row: dict[str, Any]) -> None:
    """The wanted recipe, it alone, with the parameters that the question's words decide."""
    there = {recipe.name: recipe for recipe in recipes()}
    if row["recipe"] not in there:
        pytest.skip(f"the recipe {row['recipe']} is not there yet")
    recipe = there[row["recipe"]]
    task = row["params"].get("task", recipe.tasks[0])
    if task not in recipe.tasks:
        pytest.skip(f"{recipe.name} does not do {task}")
    (offer,) = offers(row["q"], row.get("concepts", []))
    known = {parameter.name for parameter in recipe.parameters}
    wanted = {name: value for name, value in row["params"].items() if name in known}
    assert offer.name == recipe.name
    assert check_params(recipe, offer.params) == check_params(recipe, wanted)
    assert OFFERED_FROM <= offer.confidence <= 1


def test_the_answers_concept_offers_when_the_question_does_not() -> None:
    """A question that names nothing takes the subject of its answer, less surely, and says that
    this is why.
    """
    (offer,) = offers("what fits?", ["Batch size"])
    assert offer.name == "batch-size"
    assert offer.why == "the answer is about batch size"
    assert offer.confidence < offers("which batch size fits?", [])[0].confidence


def test_the_answers_concept_is_not_asked_of_a_question_with_a_subject_of_its_own() -> None:
    """An answer that touches on learning rates brings no button to who asked for epochs or a
    loss.
    """
    for question in (
        "how many epochs?",
        "which optimiser should I take?",
        "my learning rate is 0.1, what now?",
    ):
        assert offers(question, ["Learning rate"]) == ()


def test_a_definition_is_offered_less_surely_than_a_wish() -> None:
    """Who asks what something is may want to try it; who asks for its value does."""
    (quiet,) = offers("what is a learning rate?", [])
    (sure,) = offers("which learning rate should I take?", [])
    assert OFFERED_FROM <= quiet.confidence < sure.confidence


def test_two_recipes_only_when_both_are_asked_for() -> None:
    """ "A and B?" brings both, surest first; where B is a circumstance of A it brings A."""
    both = [offer.name for offer in offers("which learning rate and batch size should I use?", [])]
    assert sorted(both) == ["batch-size", "lr-find"]
    assert [o.name for o in offers("which learning rate for a batch size of 16?", [])] == [
        "lr-find"
    ]


def test_names_keep_their_capitals() -> None:
    """A column is called as it is called."""
    (offer,) = offers(
        "Which learning rate for my csv, target column SalePrice?", [], {"lr-find": 0.9}
    )
    assert offer.params == {"task": "tabular", "target": "SalePrice"}


def test_without_may_be_cut_short() -> None:
    """ "w/o" takes away what stands behind it."""
    (offer,) = offers("which lr for resnet34 w/o pretrained weights?", [], {"lr-find": 0.9})
    assert offer.params == {"arch": "resnet34", "pretrained": False}


def test_slips_of_the_keyboard_are_read() -> None:
    """One wrong, missing or exchanged letter in a recipe's own words changes nothing."""
    for question in (
        "which learnig rate?",
        "which laerning rate?",
        "lagrest batch size for segmentaton",
    ):
        assert len(offers(question, [])) == 1
    assert offers("which leaning rate?", []) == ()


def test_a_task_that_a_recipe_does_not_do_brings_no_button(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the question names a task that the recipe refuses, a button would only fail."""
    task = Parameter("task", "choice", "tabular", choices=("tabular",))
    only = Recipe("lr-find", "t", "s", ("tabular",), ("learning rate",), (task,))
    monkeypatch.setattr(matching, "recipes", lambda: (only,))
    assert offers("which learning rate for my csv?", [])[0].params == {"task": "tabular"}
    assert offers("which learning rate for my GAN?", []) == ()


def test_a_recipe_from_elsewhere_is_known_by_its_concepts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its names, as the recipe gives them, are what questions may wish for."""
    theirs = Recipe("knead", "Knead", "s", (), ("kneading time",), ())
    monkeypatch.setattr(matching, "recipes", lambda: (theirs,))
    assert [o.name for o in offers("how do I find the kneading time?", [])] == ["knead"]
    assert offers("who invented the kneading time?", []) == ()
    assert offers("which batch size?", []) == ()


def test_values_out_of_bounds_are_left_out() -> None:
    """A size that the recipe would refuse is no preset."""
    assert offers("which batch size at 9000x9000?", [])[0].params == {}


@settings(max_examples=60, deadline=None)
@given(
    st.text(max_size=60),
    st.sampled_from(["", "batch size ", "which learning rate ", "fine-tune my "]),
)
def test_every_offer_can_be_run(text: str, start: str) -> None:
    """Whatever is typed, what is offered has only parameters that its recipe takes."""
    for offer in offers(start + text, []):
        check_params(find_recipe(offer.name), offer.params)
