"""Errors of recipes and runs, named for their meaning; what ordinary runs meet is a status, not an
exception.
"""

from __future__ import annotations

__all__ = ["BadInput", "BadParameter", "OutOfMemory", "RecipeError", "UnknownRecipe"]


class RecipeError(Exception):
    """Base of every known error of a recipe or its run; its message is one line for the user."""


class UnknownRecipe(RecipeError):
    """No recipe has this name; the message carries the closest names."""


class BadParameter(RecipeError):
    """A parameter that the recipe does not have, or a value it cannot take."""


class BadInput(RecipeError):
    """The user's own files do not fit the task; the message names file, row or column."""


class OutOfMemory(RecipeError):
    """Not even the smallest piece of the work fits the memory that it may take."""
