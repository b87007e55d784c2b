"""What a recipe is, and where recipes come from; nothing heavy is imported here.

A recipe is a module with `RECIPE`, a `Recipe`, and `run(params, journal)`, which only a run's child
process calls: with the module's own dataclass `Params`, see `typed_params`. Ours lie in the folder
`executors/recipes`; others register theirs under the entry point group "gradus.recipes".
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import lru_cache
from importlib import metadata
from types import ModuleType
from typing import Any, get_type_hints

from executors.errors import BadParameter, UnknownRecipe, name_hint
from executors.parameters import Parameter, ParameterType, check_value, expected

__all__ = [
    "ENTRY_POINTS",
    "Parameter",
    "ParameterType",
    "Recipe",
    "check_params",
    "find_recipe",
    "recipe_module",
    "recipes",
    "typed_params",
]

ENTRY_POINTS = "gradus.recipes"


@dataclass(frozen=True, slots=True)
class Recipe:
    """A piece of training code that runs with parameters; `concepts` are the words that link it to
    notes.
    """

    name: str
    title: str
    summary: str
    tasks: tuple[str, ...]
    concepts: tuple[str, ...]
    parameters: tuple[Parameter, ...]


def recipes() -> tuple[Recipe, ...]:
    """Every recipe that can run, ours first, each group by name."""
    return tuple(module.RECIPE for module in _modules())


def find_recipe(name: str) -> Recipe:
    """The recipe of this name.

    Raises
    ------
    UnknownRecipe
        With the closest names.
    """
    recipe: Recipe = recipe_module(name).RECIPE
    return recipe


def recipe_module(name: str) -> ModuleType:
    """The module of the recipe of this name.

    Raises
    ------
    UnknownRecipe
        With the closest names.
    """
    modules = {module.RECIPE.name: module for module in _modules()}
    if name not in modules:
        hint = name_hint(name, list(modules), most=40)
        raise UnknownRecipe(f"there is no recipe '{name}'; {hint}")
    return modules[name]


def check_params(recipe: Recipe, raw: Mapping[str, object]) -> dict[str, object]:
    """Every parameter of the recipe with a checked value; missing and empty ones take their
    default.

    Names may be written with dashes; text is turned into the parameter's type, paths become
    absolute.

    Raises
    ------
    BadParameter
        For an unknown name, with the closest, for a value that the parameter cannot take, and for a
        value other than its default of a parameter that is for other tasks.
    """
    known = {parameter.name: parameter for parameter in recipe.parameters}
    given = {str(name).replace("-", "_"): value for name, value in raw.items()}
    for name in given:
        if name not in known:
            hint = name_hint(name, list(known), most=40)
            raise BadParameter(f"{recipe.name}: there is no parameter '{name}'; {hint}")
    checked = {
        name: _checked(recipe, parameter, given.get(name)) for name, parameter in known.items()
    }
    task = "learner" if checked.get("learner") else str(checked.get("task") or "")
    for name, parameter in known.items():
        if (
            parameter.tasks
            and task
            and task not in parameter.tasks
            and checked[name] != parameter.default
        ):
            meant = ", ".join(parameter.tasks)
            raise BadParameter(
                f"{recipe.name}: parameter '{name}' is for {meant}, not for {task}; leave it out"
            )
    return checked


def typed_params(module: ModuleType, checked: Mapping[str, object]) -> Any:
    """Checked parameters as the recipe's own `Params`; as they are where it has no such dataclass.

    A field of `Params` that is a dataclass itself, such as `executors.task.Settings`, takes its own
    fields from the same parameters; fields that no parameter is named for keep their default.
    """
    kind = getattr(module, "Params", None)
    return _filled(kind, checked) if is_dataclass(kind) else checked


def _filled(kind: Any, checked: Mapping[str, object]) -> Any:
    types = get_type_hints(kind)
    values = {name: checked[name] for name in types if name in checked}
    parts = {name: _filled(part, checked) for name, part in types.items() if is_dataclass(part)}
    return kind(**values | parts)


def _checked(recipe: Recipe, parameter: Parameter, raw: object) -> object:
    try:
        return check_value(parameter, raw)
    except (ValueError, OverflowError):
        got = f"'{raw}'" if isinstance(raw, str) else repr(raw)
        got = got if len(got) <= 80 else got[:77] + "..."
        wanted = expected(parameter)
        raise BadParameter(
            f"{recipe.name}: parameter '{parameter.name}' must be {wanted}, got {got}"
        ) from None


def _modules() -> list[ModuleType]:
    """Modules of all recipes; a broken one from elsewhere is left out with a warning, and never
    hides ours.
    """
    package = importlib.import_module("executors.recipes")
    names = sorted(
        info.name
        for info in pkgutil.iter_modules(package.__path__)
        if not info.name.startswith("_")
    )
    found = [importlib.import_module(f"executors.recipes.{name}") for name in names]
    taken = {module.RECIPE.name for module in found}
    for entry in _entries(tuple(sys.path)):
        module = _load(entry)
        if module is not None and module.RECIPE.name not in taken:
            taken.add(module.RECIPE.name)
            found.append(module)
    return found


@lru_cache(maxsize=1)
def _entries(_: tuple[str, ...]) -> list[metadata.EntryPoint]:
    """What packages register, looked for once as long as the places to look in are the same.

    Every installed package is read for it, which takes longer than all else on a concept's card.
    """
    return sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)


def _load(entry: metadata.EntryPoint) -> ModuleType | None:
    try:
        module = entry.load()
        if isinstance(module.RECIPE, Recipe) and callable(module.run):
            return module if isinstance(module, ModuleType) else None
        reason = "its RECIPE is not a Recipe, or its run cannot be called"
    except Exception as error:  # noqa: BLE001 - the edge to other people's code, which may raise anything
        reason = f"{type(error).__name__}: {error}"
    warnings.warn(f"recipe '{entry.name}' ({entry.value}) is left out: {reason}", stacklevel=2)
    return None
