"""Runs a function of the user's; what goes wrong there is one sentence with the line.

The file's folder comes first on the path, so that modules beside it are found before any other.
What it covers: errors of any kind, and the end of the process by `sys.exit`. What it does not: the
file may read, write and start what it wants, so only a run's processes come here.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from executors.errors import BadInput, name_hint, one_line
from executors.memory import is_out_of_memory

__all__ = ["called", "find_place"]


def find_place(text: str) -> tuple[Path, str]:
    """The file and the name of the function, from "path/to/file.py:function".

    Raises
    ------
    BadInput
        When it is no such text, or there is no such file.
    """
    before, colon, function = text.rpartition(":")
    if not colon or not before or not function.isidentifier():
        raise BadInput(f"a learner is given as path/to/file.py:function, not '{text}'")
    file = Path(before).expanduser().absolute()
    if not file.is_file():
        what = "is a folder" if file.is_dir() else "does not exist"
        raise BadInput(f"{file} {what}; a learner is given as path/to/file.py:function")
    if file.suffix != ".py":
        raise BadInput(
            f"{file} is not a Python file; a learner is given as path/to/file.py:function"
        )
    return file, function


def called(file: Path, name: str, seed: int) -> tuple[Any, str]:
    """(the learner that the function returns, file and line of the function for a message).

    Raises
    ------
    BadInput
        When the file or the function fails, with the line; when there is no such function, with the
        closest; when it returns something else than a Learner with two loaders.
    """
    from fastai.callback import progress, schedule  # noqa: F401 - give every Learner what recipes call
    from fastai.learner import Learner
    from fastai.torch_core import set_seed

    set_seed(seed)
    module = _edge(file, lambda: _loaded(file))
    function = _function(file, module, name)
    code = getattr(function, "__code__", None)
    line = f", line {code.co_firstlineno}" if code and code.co_filename == str(file) else ""
    where = f"{file}{line}: {name}()"
    learner = _edge(file, function)
    if not isinstance(learner, Learner):
        shown = (
            "None" if learner is None else f"a {type(learner).__module__}.{type(learner).__name__}"
        )
        raise BadInput(
            f"{where} returned {shown.replace('builtins.', '')} where a fastai Learner is expected"
        )
    loaders = getattr(getattr(learner, "dls", None), "loaders", None)
    if not loaders or len(loaders) < 2:
        loaders_there = "no loaders" if not loaders else "a training loader only"
        raise BadInput(
            f"{where} returned a Learner with {loaders_there}; "
            "its dls needs one to train and one to validate on"
        )
    return learner, where


def _loaded(file: Path) -> ModuleType:
    """The file as a module, run once in a process."""
    folder = str(file.parent)
    if sys.path[:1] != [folder]:
        sys.path.insert(0, folder)
    name = file.stem
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) != str(file):
        name = f"{name}_of_{abs(hash(folder))}"  # a file named as a module that is imported already
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None
    module = sys.modules[name] = module_from_spec(
        spec
    )  # found by what looks its classes up, as pickle does
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _function(file: Path, module: ModuleType, name: str) -> Callable[[], Any]:
    """The function of this name, if it can be called without arguments."""
    if not hasattr(module, name):
        functions = [
            other
            for other, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", "") == module.__name__
        ]
        raise BadInput(f"{file} has no function '{name}'; {name_hint(name, functions)}")
    function = getattr(module, name)
    if not callable(function):
        raise BadInput(f"{file}: '{name}' is a {type(function).__name__}, not a function")
    try:
        inspect.signature(function).bind()
    except TypeError as error:
        raise BadInput(
            f"{file}: {name}() is called without arguments, and there is a {error}"
        ) from None
    except ValueError:
        pass  # a signature that cannot be read
    without_arguments: Callable[[], Any] = function
    return without_arguments


def _edge(file: Path, call: Callable[[], Any]) -> Any:
    """What the call returns; what the user's code raises becomes one sentence with the line.

    Raises
    ------
    BadInput
    """
    try:
        return call()
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        if isinstance(error, BadInput) or is_out_of_memory(error):
            raise
        line, trace = None, error.__traceback__
        while trace is not None:
            line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == str(file) else line
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename == str(file):
            line = error.lineno
        place = f", line {line}" if line else ""
        raise BadInput(f"{file}{place}: {one_line(error)}") from error
