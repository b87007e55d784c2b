"""Which recipe a question or answer brings, and with which parameters."""

from __future__ import annotations

import pytest

from app.answering.matching import offers
from executors.recipe import check_params, find_recipe


@pytest.mark.parametrize(
    ("question", "name", "params"),
    [
        ("which learning rate after unfreezing?", "lr-find", {"phase": "unfrozen"}),
        ("learning rate while the model is frozen", "lr-find", {"phase": "frozen"}),
        ("find the learning rate before unfreezing", "lr-find", {"phase": "frozen"}),
        ("how do I read the learning rate finder?", "lr-find", {}),
        ("which batch size fits my card?", "batch-size", {}),
        ("largest batch size for a tabular model", "batch-size", {"task": "tabular"}),
        ("batch size at 256 px", "batch-size", {"sizes": "256"}),
        ("CUDA out of memory", "batch-size", {}),
    ],
)
def test_a_question_offers_its_recipe_with_presets(question: str, name: str, params: dict[str, object]) -> None:
    """The recipe whose concept the question names comes first, with what the words decide filled in."""
    offer = offers(question, [])[0]
    assert (offer.name, offer.params) == (name, params)
    check_params(find_recipe(offer.name), offer.params)


@pytest.mark.parametrize("question", ["what is dropout?", "who won the world cup", "difference between GAN and WGAN"])
def test_other_questions_offer_nothing(question: str) -> None:
    """A question about neither memory nor learning rates brings no button."""
    assert offers(question, ["Dropout"]) == ()


def test_the_answers_concept_offers_when_the_question_does_not() -> None:
    """An answer about batch sizes offers the recipe, and says that this is why."""
    (offer,) = offers("what fits?", ["Batch size"])
    assert offer.name == "batch-size"
    assert offer.why == "the answer is about batch size"
