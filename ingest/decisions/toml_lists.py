"""Lists at the top of a TOML text: finding, adding and taking out single entries.

`tomllib` tells no lines. `tomlkit` does not either, and its lists come out broken where a comma
leads a line.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "Entry",
    "KeyPlace",
    "error_line",
    "key_places",
    "with_entry",
    "without_entry",
    "without_list",
]

# Inside quotes that are three long, up to two more may stand before the closing ones.
_TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|#[^\n]*)"
    r'|(?P<string>"""(?:\\.|[^\\])*?"{3,5}(?!")'
    r"|'''.*?'{3,5}(?!')"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*')"
    r"|(?P<newline>\n)"
    r"|(?P<open>[\[{])"
    r"|(?P<close>[\]}])"
    r"|(?P<comma>,)"
    r"|(?P<equals>=)"
    r"|(?P<bare>[^\s\"'#\[\]{},=]+|.)",
    re.DOTALL,
)
_AT = re.compile(r"at line (\d+)")
_REST_OF_LINE = re.compile(r"[ \t]*(?P<comment>#[^\r\n]*)?(?=\r?\n|\Z)")
_LINE_START = re.compile(r"[ \t]*\Z")
_INDENT = "    "


@dataclass(slots=True)
class Entry:
    """An entry of a list: its 1-based line, its span, the offset of its comma or -1."""

    line: int
    start: int
    end: int
    comma: int = -1


@dataclass(slots=True)
class KeyPlace:
    """Where a key stands: its 1-based line, its value's span, and a list's entries.

    A table has its name's line, and no value: both offsets are -1.
    """

    line: int
    start: int
    end: int
    entries: list[Entry]


def key_places(text: str) -> dict[str, KeyPlace]:
    """Where the top-level keys of a valid TOML text stand, names of tables among them.

    The first place of each counts.

    >>> place = key_places('# mine\\nadd = ["a",\\n"b"]\\n')["add"]
    >>> place.line, [entry.line for entry in place.entries]
    (2, [2, 3])
    """
    by_key: dict[str, KeyPlace] = {}
    below_table = False
    for (line, first), *rest in _statements(text):
        if first.lastgroup == "open":  # the name of a table
            below_table = True
            line, name = next((n, token) for n, token in rest if token.lastgroup != "open")
            by_key.setdefault(_name(name.group()), KeyPlace(line, -1, -1, []))
        elif not below_table:
            equals = next(i for i, (_, token) in enumerate(rest) if token.lastgroup == "equals")
            by_key.setdefault(_name(first.group()), _value_place(line, rest[equals + 1 :]))
    return by_key


def _statements(text: str) -> Iterator[list[tuple[int, re.Match[str]]]]:
    """The tokens of each key with its value, and of each table's name, with their 1-based lines."""
    statement: list[tuple[int, re.Match[str]]] = []
    line, depth = 1, 0
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup
        if kind not in ("space", "newline"):
            statement.append((line, token))
            depth += (kind == "open") - (kind == "close")
        elif kind == "newline" and depth == 0 and statement:
            yield statement
            statement = []
        line += token.group().count("\n")
    if statement:
        yield statement


def _value_place(line: int, tokens: Sequence[tuple[int, re.Match[str]]]) -> KeyPlace:
    """Where a value stands, and the entries within its outermost brackets."""
    place = KeyPlace(line, tokens[0][1].start(), tokens[-1][1].end(), [])
    depth = 0
    entry_follows = False
    for at_line, token in tokens:
        kind = token.lastgroup
        if entry_follows and kind != "close":
            place.entries.append(Entry(at_line, token.start(), token.end()))
        depth += (kind == "open") - (kind == "close")
        separates = kind == "comma" and depth == 1
        entry_follows = separates or (kind == "open" and depth == 1 and not place.entries)
        if separates:
            place.entries[-1].comma = token.start()
        elif place.entries and depth > 0:
            place.entries[-1].end = token.end()
    return place


def _name(key: str) -> str:
    """A key's first part as it is meant."""
    if key[0] in "\"'":
        return str(next(iter(tomllib.loads(f"{key} = 0"))))
    return key.split(".")[0]


def error_line(error: tomllib.TOMLDecodeError, text: str) -> int:
    """The 1-based line that an error of `tomllib` tells of; the last when it is the text's end."""
    match = _AT.search(str(error))
    return int(match[1]) if match else max(1, text.count("\n") + (not text.endswith("\n")))


def without_entry(text: str, key: str, i: int) -> tuple[str, str]:
    """The text without the i-th entry of a list, and the comment that goes with it.

    >>> without_entry('add = [\\n    ["a", "b"],  # why\\n]\\n', "add", 0)
    ('add = [\\n]\\n', '# why')
    """
    entries = key_places(text)[key].entries
    entry = entries[i]
    after = max(entry.end, entry.comma + 1)
    before = text.rfind("\n", 0, entry.start) + 1
    rest = _REST_OF_LINE.match(text, after)
    between = text[entry.end : max(entry.end, entry.comma)]
    if (
        rest
        and not between.strip(" \t")
        and _LINE_START.match(text[before : entry.start])
        and rest.end() < len(text)
    ):
        return text[:before] + text[text.index("\n", rest.end()) + 1 :], rest["comment"] or ""
    if entry.comma >= 0:
        tail = text[entry.comma + 1 :]
        if not between.strip(" \t"):
            tail = tail.lstrip(" \t")
        return text[: entry.start] + between.lstrip(" \t") + tail, ""
    joint = entries[i - 1].comma if i else -1
    start = joint if joint >= 0 and not text[joint + 1 : entry.start].strip() else entry.start
    return text[:start] + text[entry.end :], ""


def without_list(text: str, key: str) -> str:
    """The text without a key and its list, be that empty or not.

    Comments in the list and behind it stay.

    >>> without_list('add = [\\n    # soon\\n]\\nremove = []\\n', "add")
    '# soon\\nremove = []\\n'
    """
    place = key_places(text)[key]
    rest = _REST_OF_LINE.match(text, place.end)
    end = rest.end() if rest else place.end
    inside = (
        token.group() for token in _TOKEN.finditer(text, place.start, place.end) if token["space"]
    )
    comments = [c.strip() for c in (*inside, text[place.end : end]) if c.strip()]
    newline = re.compile(r"\r?\n").match(text, end)
    after = text[newline.end() if newline else end :]
    return text[: _offset(text, place.line)] + "".join(f"{c}\n" for c in comments) + after


def with_entry(text: str, key: str, names: Sequence[str], comment: str = "") -> str:
    """The text with a list of names at the end of a key's list; the key is made when there is none.

    >>> with_entry('add = [["a", "b"]]\\n', "add", ["c", "d"])
    'add = [["a", "b"], ["c", "d"]]\\n'
    """
    entry = "[" + ", ".join(_quoted(name) for name in names) + "]"
    known = key_places(text)
    if key not in known:
        return _with_key(text, known, f"{key} = [\n{_INDENT}{_ended(entry, comment)}\n]\n")
    place = known[key]
    if not place.entries:
        return _with_first_entry(text, place, _ended(entry, comment))
    last = place.entries[-1]
    before = text.rfind("\n", 0, last.start) + 1
    own_line = _LINE_START.match(text[before : last.start])
    indent = text[before : last.start] if own_line and before > place.start else _INDENT
    if last.comma < 0:
        text = f"{text[: last.end]},{text[last.end :]}"
    after = max(last.end, last.comma) + 1
    rest = _REST_OF_LINE.match(text, after)
    if rest:
        return f"{text[: rest.end()]}\n{indent}{_ended(entry, comment)}{text[rest.end() :]}"
    if comment:
        return f"{text[:after]}\n{indent}{_ended(entry, comment)}\n{text[after:].lstrip(' ')}"
    return f"{text[:after]} {entry}{',' if last.comma >= 0 else ''}{text[after:]}"


def _with_key(text: str, known: dict[str, KeyPlace], statement: str) -> str:
    """The text with a statement below its other keys and above its tables."""
    ends = [place.end for place in known.values() if place.end >= 0]
    if ends:
        rest = _REST_OF_LINE.match(text, max(ends))
        at = rest.end() if rest else max(ends)
        at += (text[at : at + 1] == "\r") + (text[at : at + 1] in ("\r", "\n"))
    elif known:
        at = min(_offset(text, place.line) for place in known.values())
    else:
        at = len(text)
    gap = "" if not text[:at] or text[:at].endswith("\n") else "\n"
    return f"{text[:at]}{gap}{statement}{text[at:]}"


def _with_first_entry(text: str, place: KeyPlace, entry: str) -> str:
    inside = text[place.start + 1 : place.end - 1]
    if "\n" not in inside:
        return f"{text[: place.start]}[\n{_INDENT}{entry}\n{text[place.end - 1 :]}"
    at = place.start + 1 + inside.rfind("\n") + 1
    return f"{text[:at]}{_INDENT}{entry}\n{text[at:]}"


def _ended(entry: str, comment: str) -> str:
    return f"{entry},  {comment}" if comment else f"{entry},"


def _offset(text: str, line: int) -> int:
    """Offset of the first character of a 1-based line."""
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at


def _quoted(name: str) -> str:
    """A name as a basic string of TOML: as in JSON, but that DEL is escaped too."""
    return json.dumps(name, ensure_ascii=False).replace("\x7f", "\\u007f")
