"""Reads a CSV file as a table to learn from: which column is what, and what is wrong with it, by line and column."""

from __future__ import annotations

import csv
import difflib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "read_table"]

FEWEST_ROWS = 20  # a fifth is held out, and batches need a few
MOST_CLASSES = 20  # a column of more different whole numbers is a quantity
MOST_CATEGORIES = 1_000
NUMERIC_SHARE = 0.8  # a text column with so many numbers is a number column with mistakes


@dataclass(frozen=True, slots=True)
class Table:
    """A frame with its columns told apart; `gaps` are the continuous columns whose missing values were filled."""

    title: str
    frame: Any  # pandas.DataFrame
    target: str
    categorical: tuple[str, ...]
    continuous: tuple[str, ...]
    classes: bool  # whether the target is one of several classes rather than a quantity
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_table(path: Path, target: str) -> Table:
    """The table in the file.

    Numbers are continuous, text is categorical; the target is a class when it is text, a truth value or one of up to
    20 whole numbers. Empty cells of continuous columns get the column's median.

    Raises
    ------
    BadInput
        When the file is missing, empty or no CSV; when it has no column of the target's name, with the closest; when
        the target has empty cells, a single value, or a class with a single row; when there are too few rows.
    """
    frame = _read(path)
    _check_target(path, frame, target)
    if len(frame) < FEWEST_ROWS:
        raise BadInput(f"{path} has {len(frame)} rows; at least {FEWEST_ROWS} are needed")
    values = frame[target]
    _check_mixed(path, values)
    classes = _is_class(values)
    if classes:
        _check_classes(path, values)
    else:
        _check_finite(path, values)
    categorical, continuous, notes = _columns(path, frame, target)
    gaps = tuple(name for name in continuous if frame[name].isna().any())
    for name in gaps:
        frame[name] = frame[name].fillna(frame[name].median())
    if gaps:
        notes = (*notes, f"empty cells of {_listed(gaps)} take the column's median")
    return Table(path.name, frame, target, categorical, continuous, classes, gaps, notes)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if path.is_dir():
        raise BadInput(f"{path} is a folder; a CSV file was expected")
    try:
        frame = pd.read_csv(path)
    except FileNotFoundError:
        raise BadInput(f"{path} does not exist; give a CSV file") from None
    except pd.errors.EmptyDataError:
        raise BadInput(f"{path} is empty; a line of column names and rows below it were expected") from None
    except pd.errors.ParserError as error:
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        if found:
            raise BadInput(f"{path}, line {found[2]}: {found[3]} values where {found[1]} were expected") from None
        raise BadInput(f"{path} cannot be read as CSV: {str(error).splitlines()[0]}") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, _bad_byte(path)) + 1
        raise BadInput(f"{path}, line {line}: the text is not UTF-8 ({error.reason}); save it as UTF-8") from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from None
    if frame.empty:
        raise BadInput(f"{path} has a line of column names and no rows")
    return frame


def _bad_byte(path: Path) -> int:
    """Where in the file decoding fails, in bytes."""
    try:
        path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start
    return 0


def _check_target(path: Path, frame: pd.DataFrame, target: str) -> None:
    names = [str(name) for name in frame.columns]
    if not target:
        raise BadInput(f"{path}: which column is to be learned? Name it with --target; there are {_listed(names)}")
    if len(names) == 1 and (separator := next((mark for mark in ";\t|" if mark in names[0]), "")):
        raise BadInput(f"{path}: its values are separated by {separator!r}; save it with commas")
    if target not in names:
        plain = {name.lower(): name for name in names}
        close = [plain[name] for name in difflib.get_close_matches(target.lower(), plain, n=3, cutoff=0.5)]
        hint = f"the closest are {_listed(close)}" if close else f"there are {_listed(names)}"
        raise BadInput(f"{path} has no column '{target}'; {hint}")
    empty = frame[target].isna()
    if empty.any():
        count, line = int(empty.sum()), _first_line(path, empty)
        where = f"line {line}" if count == 1 else f"{count} rows, the first at line {line}"
        raise BadInput(f"{path}: the target '{target}' is empty in {where}; fill these in or leave them out")
    if frame[target].nunique() < 2:
        raise BadInput(
            f"{path}: the target '{target}' has the single value {frame[target].iloc[0]!r}; nothing to learn"
        )


def _check_mixed(path: Path, values: pd.Series) -> None:
    """A target of numbers with a few words in it is a mistake in the file."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values) or values.nunique() <= MOST_CLASSES:
        return
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().mean() >= NUMERIC_SHARE:
        wrong = numbers.isna()
        found = values[wrong].iloc[0]
        line = _first_line(path, wrong)
        raise BadInput(f"{path}, line {line}: the target '{values.name}' is '{found}' where numbers are expected")


def _is_class(values: pd.Series) -> bool:
    import pandas as pd

    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return True
    return bool(values.nunique() <= MOST_CLASSES and (values % 1 == 0).all())


def _check_classes(path: Path, values: pd.Series) -> None:
    counts = values.value_counts()
    if len(counts) > MOST_CATEGORIES or len(counts) > len(values) // 2:
        raise BadInput(f"{path}: the target '{values.name}' has {len(counts)} different values in {len(values)} rows")
    single = counts[counts == 1]
    if len(single):
        name = single.index[0]
        line = _first_line(path, values == name)
        raise BadInput(
            f"{path}, line {line}: class {name!r} of '{values.name}' has this row only; a class needs two at least"
        )


def _check_finite(path: Path, values: pd.Series) -> None:
    import numpy as np

    infinite = np.isinf(values.astype(float))
    if infinite.any():
        raise BadInput(f"{path}, line {_first_line(path, infinite)}: column '{values.name}' is infinite")


def _columns(path: Path, frame: pd.DataFrame, target: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """(categorical, continuous, notes) of the columns to learn from."""
    import pandas as pd

    categorical, continuous, left_out = [], [], []
    for name in (name for name in frame.columns if name != target):
        values, kinds = frame[name], frame[name].nunique()
        if kinds < 2:
            left_out.append(f"'{name}' (a single value)" if kinds else f"'{name}' (empty)")
        elif pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            _check_finite(path, values)
            continuous.append(str(name))
        elif kinds > max(2, len(values) // 2) or kinds > MOST_CATEGORIES:
            left_out.append(f"'{name}' ({kinds} different texts)")
        else:
            categorical.append(str(name))
    if not categorical and not continuous:
        raise BadInput(f"{path} has no column to learn '{target}' from; left out: {', '.join(left_out) or 'none'}")
    notes = (f"left out: {', '.join(left_out)}",) if left_out else ()
    return tuple(categorical), tuple(continuous), notes


def _first_line(path: Path, rows: Any) -> int:
    """1-based line of the file on which the first marked row starts; cells may span lines, empty lines are no rows."""
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


def _listed(names: Any) -> str:
    shown = [f"'{name}'" for name in list(names)[:8]]
    return ", ".join(shown) + (", ..." if len(names) > 8 else "")
