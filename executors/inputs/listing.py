"""Reads a small CSV file about the files of a folder; what is wrong is named by line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from executors.errors import BadInput
from executors.inputs.csv_file import check_names
from executors.inputs.images import SUFFIXES, Split
from executors.inputs.table_file import read_text, written

__all__ = [
    "Row",
    "check_twice",
    "file_lines",
    "file_of",
    "own_split",
    "read_listing",
    "valid_lines",
]

Item = TypeVar("Item")

_PLACES = ("", "images", "train")  # beside a listing, where its files may be
_TRUE, _FALSE = {"true", "yes", "1", "valid"}, {"false", "no", "0", "train"}


@dataclass(frozen=True, slots=True)
class Row:
    """One line: its 1-based number in the file, and its cells by column, without space around."""

    line: int
    cells: dict[str, str]


def read_listing(path: Path, needed: Sequence[str]) -> list[Row]:
    """The rows of the file; empty lines are no rows.

    Raises
    ------
    BadInput
        When the file is missing, empty or no text, lacks a needed column, or a line has more or
        fewer cells than there are columns.
    """
    if not path.is_file():
        raise BadInput(
            f"{path} is missing; expected a CSV file with the columns {', '.join(needed)}"
        )
    text, how = read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=how.separator)
    names: list[str] = []
    rows: list[Row] = []
    start = 1
    for cells in reader:
        line, start = start, reader.line_num + 1
        if not any(cell.strip() for cell in cells):
            continue
        if not names:
            names = [cell.strip() for cell in cells]
            check_names(path, names, needed)
        elif len(cells) != len(names):
            raise BadInput(
                f"{path}, line {line}: {len(cells)} values where {len(names)} were expected"
            )
        else:
            rows.append(
                Row(line, {name: cell.strip() for name, cell in zip(names, cells, strict=True)})
            )
    if not rows:
        raise BadInput(
            f"{path} holds no rows; "
            f"expected the columns {', '.join(needed)} and a row for each file"
        )
    return rows


def file_of(listing: Path, row: Row) -> Path:
    """The file that the row is about: beside the listing, in images/ or in train/ there.

    Its name may lack the end of an image's.

    Raises
    ------
    BadInput
        When there is no such file.
    """
    name = row.cells["file"]
    for place in _PLACES if name else ():
        for end in ("", *sorted(SUFFIXES)):
            file = listing.parent / place / f"{name}{end}"
            if file.is_file():
                return file
    raise BadInput(f"{listing}, line {row.line}: file '{name}' is not in {listing.parent}")


def check_twice(listing: Path, rows: Sequence[Row], files: Sequence[Path]) -> None:
    """No file has two rows, which might contradict each other.

    Raises
    ------
    BadInput
        With both lines.
    """
    seen: dict[Path, int] = {}
    for row, file in zip(rows, files, strict=True):
        if file in seen:
            raise BadInput(
                f"{listing}, line {row.line}: '{row.cells['file']}' is in line {seen[file]} already"
            )
        seen[file] = row.line


def own_split(listing: Path, rows: Sequence[Row], items: Sequence[Item]) -> Split | None:
    """The items as the column "valid" tells them apart; None without such a column.

    Raises
    ------
    BadInput
        When a cell of it is neither true nor false.
    """
    if "valid" not in rows[0].cells:
        return None
    held = [_is_valid(listing, row) for row in rows]
    parts: tuple[list[Item], list[Item]] = ([], [])
    for item, out in zip(items, held, strict=True):
        parts[out].append(item)
    return Split(tuple(parts[0]), tuple(parts[1]), own=True)


def file_lines(listing: Path) -> list[str]:
    """Lines of a snippet that read the listing into `rows` and find a row's file."""
    return [
        f"rows = pd.read_csv(path / {listing.name!r}{written(listing).options}, dtype=str, "
        "keep_default_na=False).to_dict('records')",
        "",
        "def file(row):",
        f"    files = [path / place / (row['file'] + end) for place in {_PLACES!r}",
        f"             for end in {('', *sorted(SUFFIXES))!r}]",
        "    return next(file for file in files if file.is_file())",
        "",
    ]


def valid_lines(lines: list[str]) -> str:
    """Add the reader of a row's column "valid" to a snippet; gives its splitter."""
    lines += [
        "def valid(row):",
        f"    return row['valid'].strip().lower() in {sorted(_TRUE)!r}",
        "",
    ]
    return "FuncSplitter(valid)"


def _is_valid(listing: Path, row: Row) -> bool:
    word = row.cells["valid"].lower()
    if word not in _TRUE | _FALSE:
        raise BadInput(
            f"{listing}, line {row.line}: 'valid' is '{row.cells['valid']}'; expected true or false"
        )
    return word in _TRUE
