"""The YAML or TOML block at the top of a note: what it says, with each key's line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from typing import Any

import yaml

from ingest.notes.lines import line_spans
from kg.errors import UnreadableNote

__all__ = ["FrontMatter", "read_front_matter"]

_KEY = re.compile(r"[^\s#\-\[{*>|`\"'][^:]{0,60}:(?:\s|$)|[\"'][^\"']{1,60}[\"']\s*:(?:\s|$)")
_AT_LINE = re.compile(r"at line (\d+)")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What the block says.

    `line_count` lines from the top belong to it, fences included, 0 when there is none.

    Keys are in lower case: editors show them with capitals as they like. Of two that differ in
    case, the first counts.
    """

    line_count: int = 0
    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)  # key -> its 1-based line


class _Loader(yaml.SafeLoader):
    """Safe YAML in which dates stay as written, so that every value can go into JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [
            (tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def read_front_matter(text: str) -> FrontMatter:
    """Read the block between a first line `---` and the next `---` or `...`, in YAML, or between
    two lines `+++`, in TOML.

    A note that merely begins with a rule has none: the first line inside must look like `key:
    value`.

    Raises
    ------
    UnreadableNote
        The block is not valid YAML or TOML; carries the line in the note.
    """
    lines = [text[start:end] for start, end in line_spans(text)]
    if lines and lines[0].rstrip() == "+++":
        return _toml(lines)
    if not lines or lines[0].rstrip() != "---":
        return FrontMatter()
    closing = next(
        (at for at in range(1, len(lines)) if lines[at].rstrip() in ("---", "...")), None
    )
    if closing is None:
        return FrontMatter()
    inside = lines[1:closing]
    if not any(line.strip() for line in inside):
        return FrontMatter(line_count=closing + 1)
    first = next((line for line in inside if line.strip() and not line.startswith("#")), "")
    if _KEY.match(first) is None:
        return FrontMatter()
    values, key_lines = _load("\n".join(inside))
    return FrontMatter(closing + 1, values, key_lines)


def _toml(lines: list[str]) -> FrontMatter:
    closing = next((at for at in range(1, len(lines)) if lines[at].rstrip() == "+++"), None)
    if closing is None:
        return FrontMatter()
    inside = lines[1:closing]
    try:
        read = tomllib.loads("\n".join(inside))
    except tomllib.TOMLDecodeError as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) + 1 if place else 2
        raise UnreadableNote(f"front matter is not valid TOML: {error}", line) from error
    values: dict[str, Any] = {}
    key_lines: dict[str, int] = {}
    for key, value in read.items():
        values.setdefault(key.lower(), _as_written(value))
        begins = (at for at, line in enumerate(inside, 2) if line.lstrip("[ \"'").startswith(key))
        key_lines.setdefault(key.lower(), next(begins, 2))
    return FrontMatter(closing + 1, values, key_lines)


def _as_written(value: object) -> object:
    """A value that can go into JSON: TOML's dates and times as text."""
    if isinstance(value, dict):
        return {key: _as_written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_written(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool) else str(value)


def _load(source: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping and the note's line of each key; YAML's first line is the note's second."""
    loader = None
    try:
        loader = _Loader(source)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise UnreadableNote(
                "front matter is no mapping; expected lines like 'title: Dropout'", 2
            )
        key_lines: dict[str, int] = {}
        for key, _ in node.value:
            key_lines.setdefault(str(key.value).lower(), key.start_mark.line + 2)
        values = loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        line = source.count("\n", 0, error.position) + 2
        raise UnreadableNote(
            f"front matter holds the character {chr(error.character)!r}, which YAML forbids", line
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 2
        raise UnreadableNote(
            f"front matter is not valid YAML: {error.problem or error.context}", line
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise UnreadableNote(f"front matter is not valid YAML: {error}", 2) from error
    finally:
        if loader is not None:
            loader.dispose()
    lower: dict[str, Any] = {}
    for key, value in values.items():
        lower.setdefault(str(key).lower(), value)
    return lower, key_lines
