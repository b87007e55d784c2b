"""Reads a CSV file as a table to learn from: which column is what, and what is wrong with it, by line and column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadInput
from .csv_file import MOST_CATEGORIES, check_classes, check_rows, check_target, first_line, listed, read_csv

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Table", "read_table"]

MOST_CLASSES = 20  # a column of more different whole numbers is a quantity
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
    frame = read_csv(path)
    check_target(path, frame, target)
    check_rows(path, frame)
    values = frame[target]
    _check_mixed(path, values)
    classes = _is_class(values)
    if classes:
        check_classes(path, values)
    else:
        _check_finite(path, values)
    categorical, continuous, notes = _columns(path, frame, target)
    gaps = tuple(name for name in continuous if frame[name].isna().any())
    for name in gaps:
        frame[name] = frame[name].fillna(frame[name].median())
    if gaps:
        notes = (*notes, f"empty cells of {listed(gaps)} take the column's median")
    return Table(path.name, frame, target, categorical, continuous, classes, gaps, notes)


def _check_mixed(path: Path, values: pd.Series) -> None:
    """A target of numbers with a few words in it is a mistake in the file."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values) or values.nunique() <= MOST_CLASSES:
        return
    numbers = pd.to_numeric(values, errors="coerce")
    if numbers.notna().mean() >= NUMERIC_SHARE:
        wrong = numbers.isna()
        found = values[wrong].iloc[0]
        line = first_line(path, wrong)
        raise BadInput(f"{path}, line {line}: the target '{values.name}' is '{found}' where numbers are expected")


def _is_class(values: pd.Series) -> bool:
    import pandas as pd

    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        return True
    return bool(values.nunique() <= MOST_CLASSES and (values % 1 == 0).all())


def _check_finite(path: Path, values: pd.Series) -> None:
    import numpy as np

    infinite = np.isinf(values.astype(float))
    if infinite.any():
        raise BadInput(f"{path}, line {first_line(path, infinite)}: column '{values.name}' is infinite")


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
