"""Which recipes a wish or an answer's concept brings, how surely, and with which parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.answering.offers import offers as matching
from app.answering.offers import wishes
from app.answering.offers.files import NamedFile
from app.answering.offers.offers import ABOUT, LEARNED_FROM, offers
from app.answering.offers.wishes import Wish, read_wish
from executors.recipe import Parameter, Recipe, check_params, find_recipe, recipes


@pytest.mark.parametrize(
    ("question", "name", "params"),
    [
        ("which learning rate after unfreezing?", "lr-find", {"phase": "unfrozen"}),
        ("which lr with bs=32 on cuda:1", "lr-find", {"batch_size": 32, "device": "cuda:1"}),
        ("largest batch size for a tabular model", "batch-size", {"task": "tabular"}),
        ("Which lr for my csv, target SalePrice?", "lr-find", {"task": "tabular"}),
    ],
)
def test_a_wish_is_offered_its_recipe_with_presets(
    question: str, name: str, params: dict[str, object]
) -> None:
    """The recipe that the question wishes for, with what its words decide filled in."""
    (offer,) = offers(read_wish(question), ())
    assert offer.name == name
    assert params.items() <= offer.params.items()
    assert LEARNED_FROM <= offer.confidence <= 1
    check_params(find_recipe(offer.name), offer.params)


def test_only_what_is_sure_is_offered_surest_first() -> None:
    """A chance below the threshold brings nothing; several above it stand in their order."""
    wish = Wish({"lr-find": 0.7, "batch-size": 0.9, "regularise": LEARNED_FROM - 0.01})
    assert [(o.name, o.confidence) for o in offers(wish, ())] == [
        ("batch-size", 0.9),
        ("lr-find", 0.7),
    ]


def test_a_recipe_that_does_not_do_the_task_is_not_offered() -> None:
    """Its button would only fail."""
    assert offers(Wish({"lr-find": 0.9}, {"lr-find": None}), ()) == ()


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_every_concept_brings_its_recipe_quietly(recipe: Recipe) -> None:
    """Who asks only what it is may want to try it, less surely than who wishes for it."""
    for concept in recipe.concepts:
        quiet = offers(Wish(), (concept,))
        assert recipe.name in [offer.name for offer in quiet]
        assert {offer.confidence for offer in quiet} == {ABOUT}
        assert quiet[0].why == f"the answer is about {concept.lower()}"
    assert ABOUT < LEARNED_FROM


def test_no_concept_belongs_to_two_recipes() -> None:
    """So that a definition brings one button."""
    named = [concept.lower() for recipe in recipes() for concept in recipe.concepts]
    assert len(named) == len(set(named))


@pytest.mark.parametrize(
    "question", ["What is a learning rate?", "Define the learning rate", "explain learning rates"]
)
def test_a_definition_is_offered_quietly(question: str) -> None:
    """It says nothing but the concept."""
    wish = read_wish(question)
    (offer,) = offers(Wish({}, wish.params, wish.words), ("Learning rate", "lr"))
    assert (offer.name, offer.confidence) == ("lr-find", ABOUT)


@pytest.mark.parametrize(
    "question",
    [
        "how many epochs?",
        "which optimiser should I take?",
        "why does a learning rate decay?",
        "where is the learning rate explained?",
        "who invented the learning rate finder?",
    ],
)
def test_a_question_with_more_in_it_takes_nothing_from_its_answer(question: str) -> None:
    """An answer that touches on learning rates brings no button to who asked for something else."""
    wish = read_wish(question)
    assert (
        offers(Wish({}, wish.params, wish.words), ("Learning rate", "learning rate finder")) == ()
    )


def test_a_recipe_from_elsewhere_is_known_by_its_concepts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Questions wish for it in the words in which they wish for ours, and its own parameters are
    read.
    """
    share = Parameter("water_share", "float", 0.6, minimum=0, maximum=1, said=("hydration",))
    flour = Parameter("flour", "choice", "wheat", choices=("wheat", "rye"))
    theirs = Recipe("knead", "Knead", "s", (), ("kneading time",), (share, flour))
    for module in (matching, wishes):
        monkeypatch.setattr(module, "recipes", lambda: (theirs,))
    (offer,) = offers(read_wish("which kneading time for rye with a hydration of 70 %?"), ())
    assert (offer.name, offer.params) == ("knead", {"water_share": 0.7, "flour": "rye"})
    assert offers(read_wish("who invented the kneading time?"), ()) == ()
    assert offers(read_wish("which batch size fits my card?"), ()) == ()
    wish = read_wish("what is kneading time?")
    assert [o.name for o in offers(wish, ("Kneading time",))] == ["knead"]


@pytest.mark.parametrize(
    ("places", "words"),
    [((), "was not found"), (("a/x.csv", "b/x.csv"), "may be any of 'a/x.csv', 'b/x.csv'")],
)
def test_a_file_that_is_not_settled_is_spoken_of_and_not_filled_in(
    places: tuple[str, ...], words: str
) -> None:
    """What stands nowhere or in several places is left to the reader, who is told so."""
    named = NamedFile("x.csv", tuple(map(Path, places)))
    (offer,) = offers(read_wish("which batch size fits for x.csv?", files=(named,)), ())
    assert "data" not in offer.params
    assert words in offer.notice and "Data (--data)" in offer.notice


def test_several_files_are_not_chosen_from() -> None:
    """Two are named, and one field is there."""
    named = [NamedFile(name, (Path("/d") / name,)) for name in ("x.csv", "y.csv")]
    (offer,) = offers(read_wish("which batch size for x.csv and y.csv?", files=named), ())
    assert "data" not in offer.params and "'/d/x.csv', '/d/y.csv'" in offer.notice
