"""Recognises columns of numbers however people write them: 1,234.50, 1.234,5, 51.2%, $3k, € 1 200.

A column is one of numbers when all its cells read as numbers under one pair of marks, for
thousands and for decimals. Cells without any letter or digit stand for missing values then.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from executors.errors import BadTarget
from executors.inputs.shapes import source_of
from executors.inputs.table_file import first_line, read_again, written

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "NumberColumn",
    "as_written",
    "number_column",
    "number_lines",
    "plain_number",
    "read_number_columns",
]

_Marks = tuple[str, str]  # between thousands ("": none), before decimals

# in the order in which a pair is preferred when several fit; where commas stand before decimals,
# values are parted by semicolons, and those pairs come first
_PAIRS: tuple[_Marks, ...] = (
    ("", "."),
    (",", "."),
    (".", ","),
    ("", ","),
    (" ", "."),
    (" ", ","),
    ("'", "."),
    ("'", ","),
)
_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}
_SIGNS = {0x2212: "-", 0x2019: "'", 0xA0: " ", 0x2009: " ", 0x202F: " "}
_CELL = re.compile(
    r"(?P<open>\()?[-+]?(?P<before>[^\d\s.,'()+-]{0,4}) ?-?"
    r"(?P<core>\d[\d.,' ]*?|[.,]\d+)(?:[eE][-+]?\d+)? ?(?P<after>[^\d\s.,'()+-]{0,4})(?P<close>\))?"
)
_MOSTLY = 0.8  # a column with so many numbers is one of numbers with mistakes
_FEW = 20  # different values, which may be classes with numbers among them


@dataclass(frozen=True, slots=True)
class _Cell:
    """What stands before, in and after the number of a cell."""

    text: str
    before: str
    core: str
    after: str


@dataclass(frozen=True, slots=True)
class NumberColumn:
    """A column of numbers written for people; `wrong` are the cells that are none."""

    name: str
    thousands: str
    decimal: str
    unit: str  # what stands before and after every number
    scales: dict[str, float]  # by what stands after a number
    several: tuple[str, float, float] | None  # a cell that other marks read as another number: as
    # it is written, as it is read, and as it could be; None: no other marks fit
    share: float  # of the different cells that are numbers
    wrong: tuple[str, ...]
    marks: str = ""  # those of its cells, where they cannot be mistaken
    beside: str = ""  # what stands before decimals in other columns, by which this one is read

    @property
    def is_doubtful(self) -> bool:
        """Whether its cells alone do not tell how it is read."""
        return self.several is not None or bool(self.beside)

    @property
    def note(self) -> str:
        """How it is read."""
        how = f", '{self.thousands}' between thousands" if self.thousands else ""
        told = self.decimal != "." or (self.several and not self.thousands)
        how += f", '{self.decimal}' before decimals" if told else ""
        how += ", as shares of 1" if self.unit == "%" else f", in {self.unit}" if self.unit else ""
        if self.several:
            cell, here, other = self.several
            how += f": '{cell}' as {here:.15g}, though it could also be {other:.15g}"
        how += f", as other columns have '{self.beside}' before decimals" if self.beside else ""
        return f"'{self.name}' is read as numbers{how}"


def plain_number(cell: object, thousands: str, decimal: str, scales: dict[str, float]) -> float:
    """The number of a cell such as "1,234.50", "$3k", "(5)" or "51.2%"; NaN where there is none."""
    signs = {0x2212: "-", 0x2019: "'", 0xA0: " ", 0x2009: " ", 0x202F: " "}
    text = str(cell).strip().translate(signs)
    found = re.search(r"(\d[\d.,' ]*|[.,]\d+)([eE][-+]?\d+)?", text)
    if found is None:
        return math.nan
    digits = found[1].strip()
    digits = digits.replace(thousands, "") if thousands else digits
    try:
        value = float(digits.replace(decimal, ".") + (found[2] or ""))
    except ValueError:
        return math.nan
    after = text[found.end() :].strip(" )").lower()
    value *= scales.get(after, 1.0)
    return -value if text.startswith("(") or "-" in text[: found.start()] else value


def read_number_columns(
    path: Path, frame: pd.DataFrame, target: str
) -> tuple[tuple[NumberColumn, ...], tuple[str, ...], tuple[str, ...]]:
    """Turn the columns of text that hold numbers into numbers; give (them, doubts, notes).

    Raises
    ------
    BadTarget
        When most cells of the target are numbers and one is not: the line and what is there.
    """
    import pandas as pd

    how = written(path)
    texts = [
        name
        for name in frame.columns
        if pd.api.types.is_object_dtype(frame[name]) or pd.api.types.is_string_dtype(frame[name])
    ]
    found = _settled({name: frame[name] for name in texts}, how.separator == ";")
    columns: list[NumberColumn] = []
    doubts: list[str] = []
    for name, column in found.items():
        values = frame[name]
        if not column.wrong:
            columns.append(column)
            frame[name] = _numbers(values, column)
        elif values.nunique() > _FEW:
            marked = values.astype(str) == column.wrong[0]
            line = first_line(path, marked)
            if name == target:
                raise BadTarget(
                    f"{path}, line {line}: the target '{name}' is '{column.wrong[0]}' "
                    "where numbers are expected"
                )
            doubts.append(
                f"'{name}' is read as text, because line {line} holds '{column.wrong[0]}'"
            )
    if _sure(columns) == {","}:
        columns += _thousands(path, frame, [column.name for column in columns])
    doubts += [column.note for column in columns if column.is_doubtful] + _doubtful(frame, columns)
    notes = tuple(column.note for column in columns if not column.is_doubtful)
    return tuple(columns), (*how.note, *doubts), notes


def _settled(texts: dict[str, pd.Series], comma: bool) -> dict[str, NumberColumn]:
    """Columns of numbers; marks that could stand for others are taken as the file's others are."""
    found = {
        name: column
        for name, values in texts.items()
        if (column := number_column(values, comma)) is not None
        and (not column.wrong or column.share >= _MOSTLY)
    }
    sure = _sure(column for column in found.values() if not column.wrong)
    for name, column in found.items() if len(sure) == 1 else ():
        again = number_column(texts[name], "," in sure) if column.several else None
        if again is not None:
            found[name] = replace(again, several=None, beside=min(sure))
    return found


def _sure(columns: Iterable[NumberColumn]) -> set[str]:
    """What stands before decimals in columns where that cannot be mistaken."""
    return {column.decimal for column in columns if column.decimal in column.marks}


def _thousands(path: Path, frame: pd.DataFrame, known: Sequence[str]) -> list[NumberColumn]:
    """Turn cells such as 1.234 into thousands, if every point in the file can stand between such.

    Points as in 3.5 cannot.
    """
    import pandas as pd

    floats = [name for name in frame.columns if pd.api.types.is_float_dtype(frame[name])]
    texts = read_again(path, [name for name in floats if name not in known])
    found = [
        number_column(texts[name], comma=True)
        for name in texts
        if texts[name].str.contains(".", regex=False).any()
    ]
    turned = [
        replace(column, several=None, beside=",")
        for column in found
        if column is not None and column.thousands == "." and not column.wrong
    ]
    if len(turned) < len(found):
        return []
    for column in turned:
        frame[column.name] = _numbers(texts[column.name], column)
    return turned


def _doubtful(frame: pd.DataFrame, columns: Sequence[NumberColumn]) -> list[str]:
    """Numbers such as 1.234 beside columns with a comma before decimals: a thousand, or one?"""
    import pandas as pd

    if not any(column.decimal == "," for column in columns):
        return []
    known = {column.name for column in columns}
    notes = []
    for name in frame.columns:
        values = frame[name].dropna()
        if str(name) in known or not pd.api.types.is_float_dtype(values):
            continue
        thousandths = values * 1000
        if (values % 1 != 0).any() and (abs(thousandths - thousandths.round()) < 1e-6).all():
            notes.append(
                f"'{name}' is read with '.' before decimals, though other columns have ','"
            )
    return notes


def number_column(values: pd.Series, comma: bool = False) -> NumberColumn | None:
    """How the column's cells are numbers, all or some; None where none is.

    The unit is the one that most have, and the marks those under which most are numbers.

    Parameters
    ----------
    comma : bool
        Whether a comma rather stands before decimals, where both would do.
    """
    cells = [cell for cell in map(str, values.dropna().unique()) if not _is_blank(cell)]
    taken = {cell: found for cell in cells if (found := _taken_apart(cell)) is not None}
    if not taken:
        return None
    scales = _scales([*taken.values()])
    units = Counter(_unit(cell, scales) for cell in taken.values())
    unit = max(units, key=lambda one: units[one])
    of_unit = [cell for cell in taken.values() if _unit(cell, scales) == unit]
    pairs = sorted(_PAIRS, key=lambda pair: pair[1] != ",") if comma else list(_PAIRS)
    good = {pair: [cell for cell in of_unit if _fits(cell.core, pair)] for pair in pairs}
    best = max(pairs, key=lambda pair: len(good[pair]))
    if not good[best]:
        return None
    as_well = [pair for pair in pairs if len(good[pair]) == len(good[best])]
    several = next(
        (
            (cell.text.strip(), here, other)
            for pair in as_well
            for cell in good[best]
            if (here := plain_number(cell.text, *best, scales))
            != (other := plain_number(cell.text, *pair, scales))
        ),
        None,
    )
    fine = {cell.text for cell in good[best]}
    wrong = tuple(cell for cell in cells if cell not in fine)
    share = len(good[best]) / len(cells)
    cores = "".join(cell.core for cell in good[best])
    thousands, decimal = best[0] if best[0] in cores else "", best[1] if best[1] in cores else "."
    marks = "" if several else "".join(mark for mark in best if mark in cores)
    return NumberColumn(
        str(values.name), thousands, decimal, unit, scales, several, share, wrong, marks
    )


def as_written(columns: Sequence[NumberColumn]) -> list[str]:
    """Names of the columns that have to be read as text, for pandas takes other numbers of them."""
    return [column.name for column in columns if column.beside]


def number_lines(columns: Sequence[NumberColumn]) -> list[str]:
    """Lines of a snippet that turn these columns of a frame `df` into numbers."""
    if not columns:
        return []
    lines = ["import math", "import re", *source_of(plain_number), "", ""]
    return lines + [
        f"df[{one.name!r}] = [plain_number(cell, {one.thousands!r}, {one.decimal!r}, "
        f"{one.scales!r}) for cell in df[{one.name!r}]]"
        for one in columns
    ]


def _numbers(values: pd.Series, column: NumberColumn) -> pd.Series:
    """The column's numbers; NaN where a cell is missing."""
    import pandas as pd

    marks = column.thousands, column.decimal, column.scales
    read = [plain_number(cell, *marks) for cell in values]
    return pd.Series(read, index=values.index, name=values.name, dtype=float)


def _is_blank(cell: str) -> bool:
    """Whether a cell has no letter and no digit, as "-" and "?"."""
    return not any(c.isalnum() for c in cell)


def _taken_apart(cell: str) -> _Cell | None:
    text = cell.strip().translate(_SIGNS)
    match = _CELL.fullmatch(text)
    if match is None or bool(match["open"]) != bool(match["close"]):
        return None
    before = match["before"]
    if before and not _is_currency(before) and not re.match(r"[A-Z]{3} ", text):
        return None
    return _Cell(cell, before, match["core"].strip(), match["after"])


def _is_currency(text: str) -> bool:
    return any(unicodedata.category(c) == "Sc" for c in text)


def _scales(cells: Sequence[_Cell]) -> dict[str, float]:
    """What endings multiply by: k and M beside others or of money; alone they are a unit."""
    if any(cell.after == "%" for cell in cells):
        return {"%": 0.01}
    money = any(_is_currency(cell.before) for cell in cells)
    return _SCALES if money or len({cell.after.lower() for cell in cells}) > 1 else {}


def _unit(cell: _Cell, scales: dict[str, float]) -> str:
    return cell.before + ("" if cell.after != "%" and cell.after.lower() in scales else cell.after)


def _fits(core: str, marks: _Marks) -> bool:
    """Whether the digits are a number under these marks."""
    thousands, decimal = (re.escape(mark) for mark in marks)
    groups = rf"[1-9]\d{{0,2}}(?:{thousands}\d{{2,3}})*{thousands}\d{{3}}|" if thousands else ""
    return bool(re.fullmatch(rf"(?:{groups}\d+)?(?:{decimal}\d+)?", core))
