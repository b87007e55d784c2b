"""Reads a CSV file and says what is wrong with it by line and column."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput, listed, name_hint, reason
from executors.parameters import both

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "FEWEST_ROWS",
    "MOST_CATEGORIES",
    "OWN_SPLIT",
    "check_classes",
    "check_column",
    "check_names",
    "check_rows",
    "check_target",
    "first_line",
    "own_split",
    "read_csv",
]

FEWEST_ROWS = 20  # a fifth is held out, and batches need a few
MOST_CATEGORIES = 1_000
OWN_SPLIT = "is_valid"  # the column that says which rows are held out, as fastai names it


def read_csv(path: Path) -> pd.DataFrame:
    """The file's rows.

    Raises
    ------
    BadInput
        When the file is missing, empty, without rows, no CSV or not UTF-8, with the line.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; a CSV file was expected")
    frame = _parsed(path)
    if frame.empty:
        raise BadInput(f"{path} has a line of column names and no rows")
    return frame


def _parsed(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(path)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; give a CSV file") from None
    except pd.errors.EmptyDataError:
        raise BadInput(
            f"{path} is empty; a line of column names and rows below it were expected"
        ) from None
    except pd.errors.ParserError as error:
        counts = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if counts:
            raise BadInput(
                f"{path}, line {counts[2]}: {counts[3]} values where {counts[1]} were expected"
            ) from None
        raise BadInput(f"{path} cannot be read as CSV: {reason(error)}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, _bad_byte(path)) + 1
        raise BadInput(
            f"{path}, line {line}: the text is not UTF-8 ({error.reason}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from None


def _bad_byte(path: Path) -> int:
    """Where in the file decoding fails, in bytes."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def check_column(path: Path, frame: pd.DataFrame, wanted: str) -> None:
    """Make sure that there is a column of this name.

    Raises
    ------
    BadInput
        With the closest names, or all.
    """
    check_names(path, [str(name) for name in frame.columns], (wanted,))


def check_names(path: Path, names: Sequence[str], needed: Sequence[str]) -> None:
    """Make sure that the needed names are among a CSV file's columns.

    Raises
    ------
    BadInput
        With the closest names, or all; when the file's values are not separated by commas.
    """
    if len(names) == 1 and (separator := next((mark for mark in ";\t|" if mark in names[0]), "")):
        raise BadInput(f"{path}: its values are separated by {separator!r}; save it with commas")
    for name in needed:
        if name not in names:
            raise BadInput(f"{path} has no column '{name}'; {name_hint(name, names)}")


def check_target(path: Path, frame: pd.DataFrame, target: str) -> None:
    """Make sure that there is a column to learn, without empty cells, of several values.

    Raises
    ------
    BadInput
    """
    if not target:
        names = [str(name) for name in frame.columns]
        raise BadInput(
            f"{path}: which column is to be learned? Name it in {both('target')}; "
            f"there are {listed(names)}"
        )
    check_column(path, frame, target)
    empty = frame[target].isna()
    if empty.any():
        count, line = int(empty.sum()), first_line(path, empty)
        where = f"line {line}" if count == 1 else f"{count} rows, the first at line {line}"
        raise BadInput(
            f"{path}: the target '{target}' is empty in {where}; fill these in or leave them out"
        )
    if frame[target].nunique() < 2:
        raise BadInput(
            f"{path}: the target '{target}' has the single value {frame[target].iloc[0]!r}; "
            "nothing to learn"
        )


def check_rows(path: Path, frame: pd.DataFrame) -> None:
    """Make sure that there are rows enough to learn from and to validate on."""
    if len(frame) < FEWEST_ROWS:
        raise BadInput(f"{path} has {len(frame)} rows; at least {FEWEST_ROWS} are needed")


def own_split(path: Path, frame: pd.DataFrame) -> tuple[int, ...] | None:
    """Numbers of the rows that the column "is_valid" holds out; None without one.

    Raises
    ------
    BadInput
        When the column holds something else, with the line, or leaves no row to train or to
        validate on.
    """
    if OWN_SPLIT not in frame.columns:
        return None
    words = frame[OWN_SPLIT].astype(str).str.lower()
    wrong = ~words.isin(["true", "false", "1", "0"])
    if wrong.any():
        cell = frame[OWN_SPLIT][wrong].iloc[0]
        line = first_line(path, wrong)
        raise BadInput(
            f"{path}, line {line}: column '{OWN_SPLIT}' is {cell!r} where true or false is expected"
        )
    held = words.isin(["true", "1"]).to_numpy().nonzero()[0]
    if len(held) in (0, len(frame)):
        raise BadInput(
            f"{path}: column '{OWN_SPLIT}' leaves no row to "
            f"{'validate' if not len(held) else 'train'} on"
        )
    return tuple(int(row) for row in held)


def check_classes(path: Path, values: pd.Series) -> None:
    """Make sure that the column's values are classes of two rows or more.

    Raises
    ------
    BadInput
    """
    counts = values.value_counts()
    if len(counts) > MOST_CATEGORIES or len(counts) > len(values) // 2:
        raise BadInput(
            f"{path}: the target '{values.name}' has "
            f"{len(counts)} different values in {len(values)} rows"
        )
    single = counts[counts == 1]
    if len(single):
        name = single.index[0]
        line = first_line(path, values == name)
        raise BadInput(
            f"{path}, line {line}: class {name!r} of '{values.name}' has this row only; "
            "a class needs two at least"
        )


def first_line(path: Path, rows: Any) -> int:
    """1-based line of the file on which the first marked row starts."""
    wanted = int(rows.to_numpy().argmax()) + 1  # the names come first
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader, start, count = csv.reader(file), 1, 0
        for cells in reader:
            if cells:
                if count == wanted:
                    return start
                count += 1
            start = reader.line_num + 1
    return wanted + 1
