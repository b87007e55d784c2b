"""What a run says is worded for the page and for the command line alike."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import executors.recipes
import executors.tasks
from executors.networks.weights import find_weights
from executors.parameters import both, title
from executors.recipe import recipes

OPTION = re.compile(r"(?<![\w(-])--[a-z]")  # one that no title stands before


def said(path: Path) -> list[str]:
    """The texts of a file's code that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in alone
    ]
    return [node.value for node in constants if isinstance(node.value, str)]


def test_tasks_and_recipes_name_no_bare_option() -> None:
    """A reader of the page has no command line: an option stands beside the title of its field."""
    folders = [Path(package.__path__[0]) for package in (executors.tasks, executors.recipes)]
    texts = [
        text for folder in folders for path in sorted(folder.glob("*.py")) for text in said(path)
    ]
    assert len(texts) > 500
    assert [text for text in texts if OPTION.search(text)] == []
    assert OPTION.search("; --download fetches it") and not OPTION.search(both("download"))


def test_titles_tell_the_parameters_of_a_recipe_apart() -> None:
    """No two fields of a form have the same title, and each leads to the parameter's name."""
    for recipe in recipes():
        titles = [title(parameter.name) for parameter in recipe.parameters]
        assert len({*titles}) == len(titles)
        for parameter in recipe.parameters:
            words = title(parameter.name).lower()
            assert parameter.name in words or parameter.name.replace("_", " ") == words


def test_missing_weights_name_the_box_and_the_option(tmp_path: Path) -> None:
    """Where weights are not at hand, the note says what to tick and what to type."""
    import torch

    before = torch.hub.get_dir()
    try:
        torch.hub.set_dir(str(tmp_path))
        weights, notes = find_weights("resnet18", pretrained=True, download=False)
    finally:
        torch.hub.set_dir(before)
    assert weights is None
    assert notes[0].endswith("; Download (--download) fetches it")
