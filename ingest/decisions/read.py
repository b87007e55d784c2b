"""The overrides file `gradus.toml` beside the notes: what people decide, read with its lines.

Writing it is left to `ingest.decide`.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ingest.decisions.settle import Decided
from ingest.decisions.toml_lists import KeyPlace, error_line, key_places
from ingest.names.table import NameTable
from ingest.notes.lines import line_spans
from ingest.report import Failure
from kg.types import Evidence

__all__ = [
    "FILE",
    "SIGNAL",
    "Decision",
    "decided_edges",
    "decisions_in",
    "overrides_of",
    "read_overrides",
    "unknown",
]

FILE = "gradus.toml"
SIGNAL = "gradus.toml"  # of evidence
Kind = Literal["add", "remove", "merge", "rename", "ignore"]
_KINDS: tuple[str, ...] = get_args(Kind)
_EXPECTED = {
    "add": "pairs of names, first what comes first, as in "
    'add = [["Chain Rule", "Backpropagation"]]',
    "remove": 'pairs of names, first what came first, as in remove = [["Dropout", "Convexity"]]',
    "merge": "lists of two or more names, the label first, as in "
    'merge = [["Gradient Descent", "Steepest Descent"]]',
    "rename": 'pairs of names, the old one first, as in rename = [["Backprop", "Backpropagation"]]',
    "ignore": 'names, as in ignore = ["Where"]',
}


@dataclass(frozen=True, slots=True)
class Decision:
    """One entry of an overrides file, and the line on which it stands."""

    kind: Kind
    names: tuple[str, ...]
    place: Evidence


def overrides_of(notes: Iterable[tuple[str, str]], before: str) -> str:
    """The overrides files that count for notes, as JSON text: equal texts mean equal decisions.

    A file counts in a folder that was ingested; in a folder below one it is only told of. While an
    ingested folder is away (a drive that is not mounted), what its file said last goes on to hold.

    Parameters
    ----------
    notes : iterable of (root, path)
        The folder each note was ingested from, and the note's file.
    before : str
        What this function gave the last time; "" at first.
    """
    known = json.loads(before or "{}")
    homes = {(root, os.path.dirname(path)) for root, path in notes}  # noqa: PTH120 - of many notes, a Path takes seconds
    roots = {root for root, _ in homes}
    folders = {
        f
        for root, home in homes
        for f in (Path(home), *Path(home).parents)
        if Path(root) in f.parents
    }
    files: dict[str, dict[str, object]] = {}
    for root in sorted(roots):
        path = str(Path(root) / FILE)
        if Path(root).is_dir():
            files |= {path: entry} if (entry := _entry(Path(path))) else {}
        elif path in known:
            files[path] = known[path]
    for folder in sorted(folders):
        if str(folder) not in roots and (folder / FILE).is_file():
            root = next(str(f) for f in folder.parents if str(f) in roots)
            message = (
                "it counts only in the folder that was ingested; "
                f"move what it says to {Path(root) / FILE}"
            )
            files[str(folder / FILE)] = {"error": message, "line": 1}
    return json.dumps(files, ensure_ascii=False) if files else ""


def _entry(path: Path) -> dict[str, object] | None:
    """A file's text, or why it cannot be read; None when there is no file."""
    try:
        # Notepad puts a byte order mark before the text, which TOML does not know.
        return {"text": path.read_bytes().decode("utf-8-sig")}
    except FileNotFoundError:
        return None
    except OSError as error:
        return {
            "error": f"the file cannot be read ({error.strerror}), so nothing in it counts",
            "line": 1,
        }
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        return {
            "error": "the file is not UTF-8, so nothing in it counts; save it as UTF-8",
            "line": line,
        }


def decisions_in(overrides: str) -> tuple[tuple[Decision, ...], tuple[Failure, ...]]:
    """All decisions of the files that `overrides_of` found, and what in them is wrong."""
    files = json.loads(overrides or "{}")
    decisions: list[Decision] = []
    failures: list[Failure] = []
    for path, name in _short_names(sorted(files)).items():
        if "error" in files[path]:
            failures.append(Failure(name, files[path]["line"], files[path]["error"]))
            continue
        good, wrong = read_overrides(files[path]["text"], name)
        decisions += good
        failures += wrong
    return tuple(decisions), tuple(failures)


def _short_names(paths: Sequence[str]) -> dict[str, str]:
    """Each file's name, with as many of its folders in front as tell them apart."""
    depth = 1
    while len({Path(p).parts[-depth:] for p in paths}) < len(paths):
        depth += 1
    return {p: "/".join(Path(p).parts[-depth:]) for p in paths}


def read_overrides(text: str, name: str) -> tuple[list[Decision], list[Failure]]:
    """The decisions in one file's text, by line, and what is wrong in it.

    A text that is not TOML gives no decision; an entry of a wrong type leaves the others in force.

    Parameters
    ----------
    name : str
        How evidence and failures name the file.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return [], [
            Failure(
                name, error_line(error, text), f"not valid TOML, so nothing in it counts: {error}"
            )
        ]
    except (ValueError, RecursionError) as error:
        return [], [Failure(name, 1, f"not valid TOML, so nothing in it counts: {error}")]
    found_at = key_places(text)
    lines = [text[start:end].strip() for start, end in line_spans(text)]
    decisions: list[Decision] = []
    failures: list[Failure] = []
    for key, value in values.items():
        for found in _read_key(key, value, found_at[key], name):
            if isinstance(found, Failure):
                failures.append(found)
            else:
                kind, names, line = found
                decisions.append(
                    Decision(kind, names, Evidence(name, None, line, lines[line - 1], SIGNAL))
                )
    return sorted(decisions, key=lambda d: d.place.line), failures


def _read_key(
    key: str, value: object, place: KeyPlace, file: str
) -> Iterator[tuple[Kind, tuple[str, ...], int] | Failure]:
    kind = next((k for k in get_args(Kind) if k == key), None)
    if kind is None:
        yield Failure(file, place.line, f"unknown key '{key}'; expected one of {', '.join(_KINDS)}")
    elif not isinstance(value, list) or place.start < 0:
        yield Failure(file, place.line, f"'{kind}' is not a list; expected {_EXPECTED[kind]}")
    else:
        for entry, at in zip(value, place.entries, strict=True):
            names = _names(kind, entry)
            if names is None:
                shown = json.dumps(entry, ensure_ascii=False, default=str)
                yield Failure(
                    file, at.line, f"'{kind}' holds {shown[:80]}; expected {_EXPECTED[kind]}"
                )
            else:
                yield kind, names, at.line


def _names(kind: str, entry: object) -> tuple[str, ...] | None:
    """An entry's names; None when it is not what its key wants."""
    listed = [entry] if kind == "ignore" else entry
    if not isinstance(listed, list) or not all(isinstance(n, str) and n.strip() for n in listed):
        return None
    fits = len(listed) >= 2 if kind == "merge" else len(listed) == (1 if kind == "ignore" else 2)
    return tuple(n.strip() for n in listed) if fits else None


def decided_edges(
    decisions: Sequence[Decision], table: NameTable
) -> tuple[Decided, tuple[Failure, ...]]:
    """The edges added and removed, by position, and entries that name nothing there."""
    edges: dict[str, dict[tuple[int, int], Evidence]] = {"add": {}, "remove": {}}
    failures: list[Failure] = []
    for decision in decisions:
        if decision.kind not in ("add", "remove"):
            continue
        ends = [table.find(name) for name in decision.names]
        missing = [name for name, end in zip(decision.names, ends, strict=True) if end is None]
        failures += [unknown(name, decision, decisions, table) for name in missing]
        first, then = ends
        if first is None or then is None:
            continue
        if first == then:
            message = (
                f"both names are the concept '{table.labels[first]}', "
                "which cannot come before itself; take the entry out"
            )
            failures.append(Failure(decision.place.note, decision.place.line, message))
        else:
            edges[decision.kind].setdefault((first, then), decision.place)
    return Decided(edges["add"], edges["remove"]), tuple(failures)


def unknown(
    name: str, decision: Decision, decisions: Sequence[Decision], table: NameTable
) -> Failure:
    """A warning that a decision names no concept, with the reason or the closest names."""
    place = decision.place
    own = NameTable.of([(name, ())])
    for other in decisions:
        if (
            other.kind == "ignore"
            and decision.kind != "ignore"
            and own.find(other.names[0]) is not None
        ):
            elsewhere = f"{other.place.note} " if other.place.note != place.note else ""
            where = f"{elsewhere}line {other.place.line}"
            message = (
                f"'{name}' is ignored by {where}, so this does nothing; "
                "take one of the two entries out"
            )
            return Failure(place.note, place.line, message)
    closest = table.closest(name)
    hint = f"; the closest are {', '.join(repr(c) for c in closest)}" if closest else ""
    message = (
        f"the notes have no concept '{name}'{hint}; write it as 'gradus concepts' does, "
        "or take the entry out"
    )
    return Failure(place.note, place.line, message)
