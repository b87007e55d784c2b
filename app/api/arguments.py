"""What the functions take: types with the bounds to check and the words that explain them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

__all__ = [
    "Earlier",
    "Full",
    "Goals",
    "Hits",
    "Kind",
    "Known",
    "Label",
    "Limit",
    "Most",
    "NoteName",
    "Of",
    "Params",
    "Question",
    "RecipeName",
    "RunId",
]

DAY_S = 86_400
Text = StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)
Name = StringConstraints(strip_whitespace=True, min_length=1, max_length=500)

Question = Annotated[str, Text, Field(description="What to ask, in your own words.")]
Earlier = Annotated[
    list[Annotated[str, Text]],
    Field(max_length=8, description="Questions asked before, oldest first, for a follow-up."),
]
Hits = Annotated[int, Field(ge=1, le=100, description="How many passages to give.")]
Label = Annotated[str, Name, Field(description="A concept, by label or alias.")]
Goals = Annotated[
    list[Annotated[str, Name]],
    Field(min_length=1, max_length=50, description="The concepts to reach, by label or alias."),
]
Known = Annotated[
    list[Annotated[str, Name]],
    Field(max_length=1000, description="Concepts known besides those marked in the store."),
]
Full = Annotated[bool, Field(description="Everything the goals build on, not only the strongest.")]
Kind = Annotated[
    Literal["", "prerequisite", "broader", "related"],
    Field(description="Only relations of this kind; empty for all."),
]
Of = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=500),
    Field(description="Only relations of this concept; empty for all."),
]
Most = Annotated[int, Field(ge=1, le=10_000, description="How many to give, the surest first.")]
NoteName = Annotated[str, Name, Field(description="A note's name, as `notes` lists it.")]
RecipeName = Annotated[str, Name, Field(description="A recipe's name, as `recipes` lists it.")]
Params = Annotated[
    dict[Annotated[str, Name], str | int | float | bool | list[int] | None],
    Field(max_length=100, description="Its parameters by name; what is missing has its default."),
]
Limit = Annotated[
    float, Field(ge=1, le=30 * DAY_S, description="Seconds after which the run is ended.")
]
RunId = Annotated[str, Name, Field(description="A run's id, as `run` gave it.")]
