"""Files and folders of this machine to choose from, within the folders that runs may read.

A folder is read when it is opened. Links are followed first: what lies elsewhere is neither listed
nor told from what is not there. What gradio has for it, gr.FileExplorer, follows links anywhere.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import gradio as gr

from app.pages.component import component
from app.paths import lies_in

__all__ = ["chooser", "listing"]

MOST = 300  # entries that are shown
_LONGEST = 4096  # characters of what is asked
_LARGEST_CODE = 1_000_000  # bytes of a file that is looked through for functions


def chooser(roots: Callable[[], Collection[Path]]) -> gr.HTML:
    """Lay the chooser out, which `window.gradus.choose` opens for a field."""

    def list_places(asked: object = None) -> dict[str, Any]:
        wish = asked if isinstance(asked, Mapping) else {}
        path, words = (str(wish.get(name) or "")[:_LONGEST] for name in ("path", "words"))
        return listing(roots(), path, words, code=wish.get("code") is True)

    return component("chooser", [list_places])


def listing(
    roots: Collection[Path], path: str, words: str = "", *, code: bool = False
) -> dict[str, Any]:
    """What may be chosen at a path; at "", and where there is nothing to see, the roots.

    Parameters
    ----------
    path : str
        Of a folder, or of a file, whose folder is then listed; with `code` the functions in it.
    words : str
        What the entries' names hold.
    code : bool
        Whether a function in a Python file is chosen.

    Returns
    -------
    dict
        `path`, `above` (the folder around it, "" for the roots, None at the roots), `entries`
        (name, path, kind "folder", "file" or "function"), `more` that are left out, `fault`.
    """
    real_roots = sorted({root.resolve() for root in roots})
    real, fault = _real(path, real_roots)
    try:
        if real is None:
            found: list[dict[str, str]] = [_entry(root, "folder", str(root)) for root in real_roots]
        elif real.is_file() and code and real.suffix == ".py":
            found = _functions(real)
        else:
            real = real if real.is_dir() else real.parent
            found = sorted(_inside(real, real_roots, code), key=_by_kind_and_name)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return {"path": str(real), "above": _above(real, real_roots), "entries": [], "more": 0} | {
            "fault": "This cannot be read."
        }
    wanted = words.casefold().split()
    kept = [one for one in found if all(word in one["name"].casefold() for word in wanted)]
    return {
        "path": str(real or ""),
        "above": _above(real, real_roots),
        "entries": kept[:MOST],
        "more": len(kept[MOST:]),
        "fault": fault,
    }


def _real(path: str, roots: Collection[Path]) -> tuple[Path | None, str]:
    """The place itself where it is there and may be seen; else None, and what to say."""
    if not path.strip():
        return None, ""
    try:
        real = Path(path.strip()).expanduser().absolute().resolve(strict=True)
        if lies_in(real, roots):
            return real, ""
    except (OSError, ValueError, RuntimeError):
        pass  # not there, a circle of links, no path at all
    return None, "There is nothing to choose at this path; these folders may be read:"


def _above(real: Path | None, roots: Collection[Path]) -> str | None:
    if real is None:
        return None
    return str(real.parent) if lies_in(real.parent, roots) else ""


def _inside(folder: Path, roots: Collection[Path], code: bool) -> Iterator[dict[str, str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.name.startswith(".") or (entry.is_symlink() and not lies_in(path, roots)):
                continue
            if entry.is_dir():
                yield _entry(path, "folder")
            elif entry.is_file() and (not code or path.suffix == ".py"):
                yield _entry(path, "file")


def _functions(file: Path) -> list[dict[str, str]]:
    """The functions of a Python file that can be called without arguments; nothing is run."""
    if file.stat().st_size > _LARGEST_CODE:
        return []
    defined = ast.parse(file.read_bytes()).body
    return [
        {"name": one.name, "path": f"{file}:{one.name}", "kind": "function"}
        for one in defined
        if isinstance(one, ast.FunctionDef) and _needs_nothing(one.args)
    ]


def _needs_nothing(arguments: ast.arguments) -> bool:
    optional = len(arguments.defaults) == len(arguments.posonlyargs + arguments.args)
    return optional and all(arguments.kw_defaults)


def _entry(path: Path, kind: str, name: str = "") -> dict[str, str]:
    return {"name": name or path.name, "path": str(path), "kind": kind}


def _by_kind_and_name(entry: Mapping[str, str]) -> tuple[bool, str, str]:
    return entry["kind"] != "folder", entry["name"].casefold(), entry["name"]
