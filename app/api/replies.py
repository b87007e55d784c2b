"""What the functions give, besides what the command line prints too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typing_extensions import TypedDict

from app.contract import HitJson, RelationJson, StepJson

__all__ = [
    "CardJson",
    "HitsJson",
    "NoteJson",
    "NoteTextJson",
    "NotesJson",
    "ParameterJson",
    "PlaceJson",
    "PlanJson",
    "RecipeJson",
    "RecipesJson",
    "RelationsJson",
    "RunJson",
]


class HitsJson(TypedDict):
    """The passages that fit a question, best first."""

    question: str
    hits: Sequence[HitJson]


class PlaceJson(TypedDict):
    """Lines that define a concept."""

    note: str
    line_start: int
    line_end: int
    cell: int | None


class CardJson(TypedDict):
    """A concept with what comes before and after it, and where it stands."""

    label: str
    aliases: Sequence[str]
    notes: Sequence[str]
    summary: str
    prerequisites: Sequence[str]
    next: Sequence[str]
    places: Sequence[PlaceJson]
    recipes: Sequence[str]


class PlanJson(TypedDict):
    """What to learn, foundations first; what is known, and what a short plan leaves out."""

    steps: Sequence[StepJson]
    known: Sequence[str]
    further: Sequence[str]


class RelationsJson(TypedDict):
    """Relations, the surest first, and how many there are in all."""

    total: int
    relations: Sequence[RelationJson]


class ParameterJson(TypedDict):
    """A value that a recipe takes."""

    name: str
    type: str
    default: Any
    unit: str
    minimum: float | None
    maximum: float | None
    choices: Sequence[str]
    help: str
    tasks: Sequence[str]


class RecipeJson(TypedDict):
    """A recipe and its parameters."""

    name: str
    title: str
    summary: str
    tasks: Sequence[str]
    parameters: Sequence[ParameterJson]


class RecipesJson(TypedDict):
    """What can be run."""

    recipes: Sequence[RecipeJson]


class NoteJson(TypedDict):
    """A note with the concepts whose home it is."""

    note: str
    concepts: Sequence[str]


class NotesJson(TypedDict):
    """The notes of the store, in their order."""

    notes: Sequence[NoteJson]


class NoteTextJson(TypedDict):
    """A note's text as it was read, alone; of a notebook, the text of each cell."""

    note: str
    texts: Sequence[str]


class RunJson(TypedDict):
    """A run as it stands, with its last events, the newest last."""

    id: str
    recipe: str
    task: str
    params: dict[str, Any]
    started: str
    status: str
    device: str
    seconds: float
    message: str
    values: dict[str, Any]
    artifacts: Sequence[str]
    code: str
    notes: Sequence[str]
    folder: str
    after: str
    next: Sequence[dict[str, Any]]
    events: Sequence[dict[str, Any]]
