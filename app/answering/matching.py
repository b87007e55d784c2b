"""Which recipes fit an answer, with parameters preset from the question's words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from executors.recipe import Recipe, recipes
from kg.linking import key
from kg.types import RecipeOffer

__all__ = ["offers"]

_UNFROZEN = re.compile(r"\bunf(?:reez\w*|rozen)\b|\bdiscriminative\b|\bafter unf|\bwhole (?:model|network)\b", re.I)
_FROZEN = re.compile(r"\b(?:freez\w*|frozen)\b|\bbefore unf|\bnew (?:head|layers)\b|\blast layers?\b", re.I)
_TABULAR = re.compile(r"\btabular\b|\bcsv\b|\btable data\b|\bspreadsheet\b", re.I)
_SIZES = re.compile(r"\b(\d{2,4})\s?(?:px|pixels?|x\s?\d{2,4})", re.I)


def offers(question: str, concepts: Sequence[str]) -> tuple[RecipeOffer, ...]:
    """Recipes whose concepts the question names, or that the answer's concepts are; the question's own first.

    Parameters
    ----------
    concepts : sequence of str
        Labels and aliases of the concepts the answer is mainly about.
    """
    found = []
    for recipe in recipes():
        asked = _named(recipe, [question])
        about = asked or _named(recipe, concepts)
        if about:
            why = f"the question is about {about}" if asked else f"the answer is about {about}"
            found.append((not asked, RecipeOffer(recipe.name, _preset(recipe, question), why)))
    found.sort(key=lambda f: f[0])
    # What the question names outweighs what the answer touches on.
    sure = [offer for weak, offer in found if not weak]
    return tuple(sure or [offer for _, offer in found])


def _named(recipe: Recipe, texts: Sequence[str]) -> str:
    """The first of the recipe's concepts that a text names, "" for none."""
    for text in texts:
        spoken = key(text)
        for name in recipe.concepts:
            wanted = key(name)
            if any(spoken[i : i + len(wanted)] == wanted for i in range(len(spoken) - len(wanted) + 1)):
                return name
    return ""


def _preset(recipe: Recipe, question: str) -> dict[str, str | int | float | bool]:
    """Parameters that the question's words decide; only ones that the recipe has."""
    known = {p.name: p for p in recipe.parameters}
    params: dict[str, str | int | float | bool] = {}
    phase = known.get("phase")
    if phase is not None:
        # "after unfreezing" speaks of freezing too; the whole word decides.
        if _UNFROZEN.search(question) and "before unf" not in question.lower():
            params["phase"] = "unfrozen"
        elif _FROZEN.search(question):
            params["phase"] = "frozen"
    if "task" in known and _TABULAR.search(question):
        params["task"] = "tabular"
    sizes = [int(s) for s in _SIZES.findall(question) if 32 <= int(s) <= 2048]
    if sizes and "sizes" in known:
        params["sizes"] = ",".join(str(s) for s in sizes)
    elif sizes and "size" in known:
        params["size"] = sizes[0]
    return params
