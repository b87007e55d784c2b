"""Which recipes fit an answer, how surely, and with parameters preset from the question's words."""

from __future__ import annotations

from collections.abc import Sequence

from app.answering.offers.files import NamedFile
from app.answering.offers.wishes import Wish
from executors.errors import listed
from executors.parameters import both
from executors.recipe import Recipe, recipes
from kg.linking import key
from kg.types import RecipeOffer

__all__ = ["ABOUT", "LEARNED_FROM", "names_only", "offers"]

LEARNED_FROM = 0.6  # with writers left out, see `benchmarks/answers/train_offers.py`
ABOUT = 0.55  # how surely who asks only what something is wishes to try it


def offers(wish: Wish, concepts: Sequence[str]) -> tuple[RecipeOffer, ...]:
    """Recipes that a question wishes for, surest first; none when it is not sure enough that it
    does.

    A question that only names what a recipe finds or does is offered it quietly.

    Parameters
    ----------
    concepts : sequence of str
        Labels and aliases of the concept the answer is mainly about.
    """
    sure = {name: chance for name, chance in wish.chances.items() if chance >= LEARNED_FROM}
    wished = [
        _offer(wish, name, "the question seems to ask for it", sure[name])
        for name in sorted(sure, key=lambda name: -sure[name])
    ]
    if not sure and concepts:
        why = f"the answer is about {concepts[0].lower()}"
        wished = [
            _offer(wish, recipe.name, why, ABOUT)
            for recipe in recipes()
            if _speaks_of(recipe, concepts) and names_only(wish, recipe, concepts)
        ]
    return tuple(offer for offer in wished if offer is not None)


def names_only(wish: Wish, recipe: Recipe, concepts: Sequence[str] = ()) -> bool:
    """Whether a question says nothing but one of these names, or one that the recipe is about."""
    return any(wish.words <= {*key(name)} for name in (*recipe.concepts, *concepts))


def _speaks_of(recipe: Recipe, concepts: Sequence[str]) -> bool:
    about = {key(name) for name in recipe.concepts}
    return any(key(name) in about for name in concepts)


def _offer(wish: Wish, name: str, why: str, sure: float) -> RecipeOffer | None:
    """The offer of a recipe; None where it does not do the task."""
    params = wish.params.get(name, {})
    if params is None:
        return None
    takes = any(p.name == "data" for one in recipes() if one.name == name for p in one.parameters)
    notice = _unsettled(wish.files) if takes and "data" not in params else ""
    return RecipeOffer(name, dict(params), why, round(sure, 2), notice)


def _unsettled(files: Sequence[NamedFile]) -> str:
    """Why no file is filled in although the question names one; "" where it names none."""
    if not files:
        return ""
    there = [one for one in files if one.places]
    places = [str(place) for one in there for place in one.places]
    if len(there) > 1:
        what = f"the question names several: {listed(places)}"
    elif there:
        what = f"'{there[0].said}' may be any of {listed(places)}"
    else:
        what = f"{listed([one.said for one in files])} was not found in the folders that runs read"
    return f"{what}; say which in {both('data')}"
