"""The YAML or TOML block at the top of a note: what it says, with each key's line.

A block that cannot be read costs itself, never the note: its lines are left out, and why is said.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import yaml

from ingest.notes.lines import line_spans
from ingest.notes.parsed import LeftOut, storable
from kg.errors import UnreadableNote

__all__ = ["FrontMatter", "read_front_matter"]

# That the aliases of a block repeat; those of an honest one repeat some dozens.
MAX_VALUES = 10_000
MAX_DEPTH = 50
MAX_CHARS = 100_000
MAX_DIGITS = 100  # a longer number stays as written: it would count nothing

_KEY = re.compile(
    r"\s*(?:[^\s#\-\[{*>|`\"'][^:]{0,60}:(?:\s|$)|[\"'][^\"']{1,60}[\"']\s*:(?:\s|$))"
)
_TOML_KEY = re.compile(r"\s*(?:\[|[\w\"'][^=]{0,60}=)")
_TOML_NAME = re.compile(r"[\s\[]*(?:([\"'])(?P<quoted>.+?)\1|(?P<bare>[\w-]+))")
_PLACEHOLDER = re.compile(r"\s*(?:\{\{|\{%|<%)")  # of a template that was never filled in
_AT_LINE = re.compile(r"at line (\d+)")

_Read = tuple[dict[str, Any], dict[str, int]]  # values and lines, by key


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
    left_out: tuple[LeftOut, ...] = ()


class _Broken(Exception):
    """What is wrong with a block, and the note's line."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(reason)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Safe YAML in which dates and endless numbers stay as written, to go into JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [
            (tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"
        ]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _if_short(
    number: Callable[[_Loader, yaml.ScalarNode], float],
) -> Callable[[_Loader, yaml.ScalarNode], float | str]:
    return lambda loader, node: (
        number(loader, node) if len(node.value) <= MAX_DIGITS else str(node.value)
    )


_Loader.add_constructor("tag:yaml.org,2002:int", _if_short(_Loader.construct_yaml_int))
_Loader.add_constructor("tag:yaml.org,2002:float", _if_short(_Loader.construct_yaml_float))


def read_front_matter(text: str) -> FrontMatter:
    """Read the block between a first line `---` and the next `---` or `...`, in YAML, or between
    two lines `+++`, in TOML.

    A note that merely begins with a rule has none: the first line inside must look like `key:
    value`. Of a block that is not valid, or has a key twice, only the lines are known, and why;
    one that nothing closes before the note's own text is part of that.

    Raises
    ------
    UnreadableNote
        The block holds itself, or what its aliases stand for has no sane size; carries the line.
    """
    lines = [text[start:end] for start, end in line_spans(text)]
    fence = lines[0].rstrip() if lines else ""
    if fence not in _KINDS:
        return FrontMatter()
    key, closings, read = _KINDS[fence]
    closing = next((at for at in range(1, len(lines)) if lines[at].rstrip() in closings), None)
    inside = lines[1:closing]
    first = next((x for x in inside if x.strip() and x[0] != "#" and not _PLACEHOLDER.match(x)), "")
    if closing is not None and not any(line.strip() for line in inside):
        return FrontMatter(line_count=closing + 1)
    if key.match(first) is None:
        return FrontMatter()
    if closing is not None:
        try:
            if sum(map(len, inside)) > MAX_CHARS:
                raise _Broken(f"here: it has more than {MAX_CHARS} characters", 1)
            return FrontMatter(closing + 1, *read(inside))
        except _Broken as error:
            if _all_of_it(inside, key):
                why = f"front matter is not valid {error}; it is left out"
                return FrontMatter(closing + 1, left_out=(LeftOut(error.line, storable(why)),))
    why = f"front matter begins here but no line '{fence}' closes it; it is read as text"
    return FrontMatter(left_out=(LeftOut(1, why),))


def _all_of_it(inside: Sequence[str], key: re.Pattern[str]) -> bool:
    """Whether lines are front matter to their end, and no text of the note that lies before a rule.

    After a blank line text begins anew, and so do keys.
    """
    return all(
        before.strip() or not line.strip() or line[0] in " \t" or key.match(line)
        for before, line in pairwise(inside)
        if not _PLACEHOLDER.match(line)
    )


def _toml(inside: Sequence[str]) -> _Read:
    try:
        read = tomllib.loads("\n".join(inside))
    except (ValueError, RecursionError) as error:
        place = _AT_LINE.search(str(error))
        line = int(place[1]) + 1 if place else 2
        raise _Broken(f"TOML: {_reason(error)}", line) from error
    values: dict[str, Any] = {}
    key_lines: dict[str, int] = {}
    begins: dict[str, int] = {}
    for at, words in enumerate(inside, 2):
        if name := _TOML_NAME.match(words):
            begins.setdefault(name["quoted"] or name["bare"], at)
    for key, value in read.items():
        values.setdefault(storable(key.lower()), _as_written(value))
        key_lines.setdefault(storable(key.lower()), begins.get(key, 2))
    return values, key_lines


def _yaml(inside: Sequence[str]) -> _Read:
    """YAML's first line is the note's second."""
    source = "\n".join(inside)
    loader = None
    try:
        loader = _Loader(source)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise _Broken(
                "YAML: it is not a list of keys and values; expected lines like 'title: Dropout'", 2
            )
        _check_size(node)
        key_lines = _key_lines(node)
        values = loader.construct_document(node)
    except yaml.reader.ReaderError as error:
        line = source.count("\n", 0, error.position) + 2
        raise _Broken(
            f"YAML: it holds the character {chr(error.character)!r}, which YAML forbids", line
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = (error.problem or error.context or "")[:200]
        raise _Broken(f"YAML: {problem}", mark.line + 2 if mark else 2) from error
    except (UnreadableNote, _Broken):
        raise
    except Exception as error:  # PyYAML's constructors raise whatever they meet
        raise _Broken(f"YAML: {_reason(error)}", 2) from error
    finally:
        if loader is not None:
            loader.dispose()
    lower: dict[str, Any] = {}
    for key, value in values.items():
        lower.setdefault(storable(str(key).lower()), _as_written(value))
    return lower, key_lines


_KINDS: dict[str, tuple[re.Pattern[str], tuple[str, ...], Callable[[Sequence[str]], _Read]]] = {
    "---": (_KEY, ("---", "..."), _yaml),
    "+++": (_TOML_KEY, ("+++",), _toml),
}


def _key_lines(node: yaml.MappingNode) -> dict[str, int]:
    key_lines: dict[str, int] = {}
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        line = key.start_mark.line + 2
        if key.value in seen:
            raise _Broken(f"YAML: the key '{key.value[:60]}' is there twice", line)
        seen.add(key.value)
        key_lines.setdefault(storable(key.value.lower()), line)
    return key_lines


def _check_size(node: yaml.MappingNode) -> None:
    """Refuse what would expand without end, or beyond measure, before it is expanded."""
    sizes: dict[int, int] = {}
    opened: set[int] = set()

    def size(node: yaml.Node) -> int:
        line = node.start_mark.line + 2
        if id(node) in opened:
            raise UnreadableNote("the front matter has a value that contains itself", line)
        if id(node) not in sizes:
            if len(opened) > MAX_DEPTH:
                raise _Broken("YAML: it is nested too deeply", line)
            opened.add(id(node))
            sizes[id(node)] = 1 + sum(size(part) for part in _parts(node))
            opened.remove(id(node))
        if sizes[id(node)] > MAX_VALUES + len(sizes):
            raise UnreadableNote(
                f"the front matter stands for more than {MAX_VALUES} values that aliases repeat",
                line,
            )
        return sizes[id(node)]

    size(node)


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _as_written(value: object) -> object:
    """A value that can go into JSON: what that does not know as text."""
    if isinstance(value, dict):
        return {storable(str(key)): _as_written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_written(inner) for inner in value]
    if isinstance(value, int) and value.bit_length() > MAX_DIGITS * 4:
        return hex(value)  # in decimals Python would refuse to write it
    return value if isinstance(value, int | float | None) else storable(str(value))


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return f"{error}"[:200] or type(error).__name__
