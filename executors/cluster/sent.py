"""Files that a run is given: sent along when small, else looked for on the cluster."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from executors.amounts import show_bytes
from executors.recipe import Recipe

__all__ = ["SENT_BYTES", "as_here", "packed", "unpacked"]

SENT_BYTES = 64_000_000


def packed(recipe: Recipe, params: Mapping[str, object]) -> tuple[dict[str, bytes], list[str]]:
    """Archives of the files and folders that parameters name, by parameter; what is to be said.

    With a learner's file go the modules and packages beside it, which it may import. What is
    larger than `SENT_BYTES`, or is not here, is left out: its path is one of the cluster.

    Raises
    ------
    OSError
        When a file cannot be read.
    """
    archives, said, left = dict[str, bytes](), list[str](), SENT_BYTES
    for parameter in recipe.parameters:
        value = str(params.get(parameter.name) or "")
        if parameter.type != "path" or not value:
            continue
        path, _ = _split(value)
        files = dict(_files(path, value != str(path)))
        size = sum(file.stat().st_size for file in files.values())
        if not files or size > left:
            why = f"{show_bytes(size)} are too much to send" if files else "it is not here"
            said.append(f"{parameter.name}: {path} is looked for on the cluster, because {why}")
            continue
        left -= size
        archives[parameter.name] = _archive(files)
        said.append(f"{parameter.name}: {path} is sent along, {show_bytes(size)}")
    return archives, said


def unpacked(
    archives: Mapping[str, bytes], params: Mapping[str, object], place: Path
) -> tuple[dict[str, object], dict[str, str]]:
    """Parameters that name the files in `place`, and what these places are called where they came
    from.
    """
    there, names = dict(params), dict[str, str]()
    for parameter, archive in archives.items():
        path, function = _split(str(params[parameter]))
        folder = place / parameter
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(folder, filter="data")
        there[parameter] = f"{folder / path.name}{function}"
        names[str(folder / path.name)] = str(path)
        names[str(folder)] = str(path.parent)
    return there, names


def as_here(text: bytes, names: Mapping[str, str], *, in_json: bool) -> bytes:
    """A text with the places of the machine it comes from, longest first, called by their names."""
    for there in sorted(names, key=len, reverse=True):
        here = json.dumps(names[there], ensure_ascii=False)[1:-1] if in_json else names[there]
        text = text.replace(there.encode(), here.encode())
    return text


def _split(value: str) -> tuple[Path, str]:
    """A path, and the ":function" that follows that of a Python file."""
    path, colon, function = value.rpartition(":")
    if colon and path.endswith(".py"):
        return Path(path), colon + function
    return Path(value), ""


def _files(path: Path, is_code: bool) -> Iterator[tuple[str, Path]]:
    """The files at a path by their names in an archive; links to folders are not followed."""
    if is_code:
        yield from ((file.relative_to(path.parent).as_posix(), file) for file in _modules(path))
    elif path.is_file():
        yield path.name, path
    else:
        for folder, _, names in os.walk(path):
            for file in (Path(folder, name) for name in names):
                if file.is_file():
                    yield file.relative_to(path.parent).as_posix(), file


def _modules(path: Path) -> list[Path]:
    """A Python file with all that it may import from beside itself."""
    if not path.is_file():
        return []
    packages = [one.parent.rglob("*.py") for one in path.parent.glob("*/__init__.py")]
    return [*path.parent.glob("*.py"), *(file for package in packages for file in package)]


def _archive(files: Mapping[str, Path]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", dereference=True) as tar:
        for name in sorted(files):
            tar.add(files[name], name, recursive=False)
    return buffer.getvalue()
