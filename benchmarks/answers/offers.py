"""Offers of recipes on a written set of questions: precision, recall, and whether the parameters
are the wanted ones.

`questions/recipes.jsonl` holds 238 questions with the wanted recipe and 238 that want none, with
many near misses, in seven parts. The classifier of `app.answering.offers.wishes` is learned from
the first five among others (`train_offers.py`), so that their figures are of questions that have
been seen. "last" was written by somebody who knew no rule, before anything was learned, and nothing
is learned from it; of "params", 40 wishes with up to four parameters that somebody else wrote after
that, the same holds. An offer counts as right when its recipe is the wanted one; parameters are
compared as the recipe would take them, with defaults filled in.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from app.answering.offers.offers import offers
from app.answering.offers.wishes import read_wish
from benchmarks.record import save
from executors.recipe import check_params, find_recipe, recipes
from kg.types import RecipeOffer

__all__ = ["Wanted", "figures", "is_right", "offered", "same_params", "wanted_rows"]

QUESTIONS = Path(__file__).parents[1] / "questions" / "recipes.jsonl"
PARTS = ("dev", "held", "fresh", "blind", "unseen", "last", "params")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question, and the recipe it wishes for with the parameters that its words decide; "" for
    none.
    """

    q: str
    part: str  # one of PARTS
    recipe: str
    params: dict[str, Any] = field(hash=False)
    concepts: tuple[str, ...]  # what the answer is about
    quiet: bool = False  # a definition, which is offered its concept's recipe quietly


def wanted_rows(part: str = "") -> list[Wanted]:
    """The written questions, all or of one part."""
    rows = [json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()]
    found = [
        Wanted(
            r["q"],
            r["part"],
            r["recipe"] or "",
            r["params"],
            tuple(r.get("concepts", ())),
            r.get("quiet", False),
        )
        for r in rows
    ]
    return [row for row in found if part in ("", row.part)]


def is_right(offer: RecipeOffer, row: Wanted) -> bool:
    """Whether an offer is of the wanted recipe."""
    return offer.name == row.recipe


def same_params(offer: RecipeOffer, row: Wanted) -> bool:
    """Whether an offer's parameters are the wanted ones, among those that the recipe has."""
    recipe = find_recipe(offer.name)
    known = {parameter.name for parameter in recipe.parameters}
    wanted = {name: value for name, value in row.params.items() if name in known}
    return check_params(recipe, wanted) == check_params(recipe, offer.params)


@cache
def offered(row: Wanted) -> tuple[RecipeOffer, ...]:
    """What is offered for a question."""
    return offers(read_wish(row.q), row.concepts)


def figures(rows: Sequence[Wanted]) -> dict[str, Any]:
    """Precision of offers, recall over questions with a wanted recipe, share of right offers with
    right parameters.
    """
    there = {recipe.name for recipe in recipes()}
    judged = [row for row in rows if not row.recipe or row.recipe in there]
    given = [(row, offer) for row in judged for offer in offered(row)]
    right = [(row, offer) for row, offer in given if is_right(offer, row)]
    exact = [(row, offer) for row, offer in right if same_params(offer, row)]
    wanting = [row for row in judged if row.recipe]
    silent = [row for row in judged if not row.recipe and not offered(row)]
    return {
        "questions": len(judged),
        "left_out": len(rows) - len(judged),  # their recipe is not there
        "offers": len(given),
        "precision": round(len(right) / max(1, len(given)), 3),
        "precision_with_params": round(len(exact) / max(1, len(given)), 3),
        "recall": round(len({row.q for row, _ in right}) / max(1, len(wanting)), 3),
        "params_right": round(len(exact) / max(1, len(right)), 3),
        "silent_where_none_is_wanted": round(len(silent) / max(1, len(judged) - len(wanting)), 3),
    }


def _show(rows: Sequence[Wanted]) -> None:
    for row in rows:
        given = offered(row)
        wrong = [o for o in given if not is_right(o, row)]
        off = [o for o in given if is_right(o, row) and not same_params(o, row)]
        if wrong or off or (row.recipe and not given):
            said = "; ".join(f"{o.name} {o.params} {o.confidence}" for o in given) or "none"
            print(
                f"  {row.part} {row.q}\n      wanted {row.recipe or 'none'} {row.params}\n      "
                f"given  {said}"
            )


def main() -> None:
    """Print the figures of all parts and save them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--show", choices=PARTS, help="print the questions of a part that go wrong")
    parser.add_argument("--part", choices=PARTS, help="one part only, and save nothing")
    given = parser.parse_args()
    if given.show:
        _show(wanted_rows(given.show))
    parts = [given.part] if given.part else [*PARTS, "all"]
    found = {part: figures(wanted_rows("" if part == "all" else part)) for part in parts}
    for name in next(iter(found.values())):
        print(f"{name:<30}" + "".join(f"{part:>7} {found[part][name]!s:<8}" for part in parts))
    if not given.part:
        present = sorted({r.name for r in recipes()})
        print("saved", save("matching", {"recipes": present, **found}))


if __name__ == "__main__":
    main()
