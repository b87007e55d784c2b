"""Reads a table as people have it: CSV of any separator and encoding, Excel, Parquet.

How a file is written is read from the file; the code that reads it again in the same way comes with
it. What its columns hold is left to others.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput, listed, reason

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "TABLES",
    "Written",
    "cell_of",
    "column_names",
    "first_line",
    "is_plain",
    "read_code",
    "read_frame",
    "read_text",
    "written",
]

_SEPARATORS = ",;\t|"  # in the order in which one is preferred
_LOOKED_AT = 2**16  # bytes or characters
_LINES = 50
_ALIKE = 0.5  # share of the lines
_PACKED = frozenset({".gz", ".bz2", ".zip", ".xz", ".zst"})  # pandas opens them by their ends
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
# reader of pandas by the file's end, and the package that it needs
_READERS = {
    ".xlsx": ("read_excel", "openpyxl"),
    ".xlsm": ("read_excel", "openpyxl"),
    ".xls": ("read_excel", "xlrd"),
    ".ods": ("read_excel", "odfpy"),
    ".parquet": ("read_parquet", "pyarrow"),
}
TABLES = (".csv", ".tsv", *_READERS)  # what a table's name usually ends in


@dataclass(frozen=True, slots=True)
class Written:
    """How a file is written: one of text, or a workbook."""

    encoding: str = "utf-8"
    separator: str = ","
    trailing: bool = False  # whether a separator ends every line but that of the names
    titles: int = 0  # lines above that of the names
    padded: bool = False  # whether there is space around a name, or one is a number
    twice: tuple[str, ...] = ()  # names of several columns
    sheet: str = ""  # the workbook's first that holds a table, where it is not its first

    @property
    def options(self) -> str:
        """What pandas has to be told of it, as code: ", sep=';'"."""
        words = "" if self.separator == "," else f", sep={self.separator!r}"
        plain = self.encoding in ("utf-8", "utf-8-sig")
        words += "" if plain else f", encoding={self.encoding!r}"
        words += ", index_col=False" if self.trailing else ""
        return words + (f", skiprows={self.titles}" if self.titles else "")

    @property
    def note(self) -> tuple[str, ...]:
        """What is to be said of it, if anything."""
        sheet = f"sheet '{self.sheet}' is read, the first that holds a table" if self.sheet else ""
        below = f"line {self.titles + 1} holds the names, below a title" if self.titles else ""
        twice = (
            f"the first of the columns called {listed(self.twice)} keeps the name, the others "
            "have a number after it"
            if self.twice
            else ""
        )
        return tuple(words for words in (sheet, below, twice) if words)


def read_frame(path: Path) -> pd.DataFrame:
    """The file's rows, numbered from 0, with names of text.

    Raises
    ------
    BadInput
        When the file is missing, empty, without rows or names, no table, or needs a package that
        is not installed.
    """
    if path.is_dir():
        raise BadInput(f"{path} is a folder; a CSV file was expected")
    if not path.exists():
        raise BadInput(f"{path} does not exist; give a CSV file")
    known = _READERS.get(path.suffix.lower())
    frame = _parsed(path) if known is None else _opened(path, *known)
    frame.columns = [str(name) for name in frame.columns]
    stripped = [name.strip() for name in frame.columns]
    if len({*stripped}) == len(stripped):
        frame.columns = stripped
    if frame.empty:
        raise BadInput(f"{path} has a line of column names and no rows")
    _check_named(path, frame)
    return frame


def column_names(path: Path) -> tuple[str, ...]:
    """The names of a table of plain text, by its first lines; none where these do not tell them.

    >>> column_names(Path("there is none.csv"))
    ()
    """
    try:
        if not is_plain(path) or not path.is_file():
            return ()
        with path.open("rb") as file:
            content = file.read(_LOOKED_AT)
    except OSError:
        return ()
    if len(content) == _LOOKED_AT:  # a letter may be cut
        content = content.rpartition(b"\n")[0]
    text = content.decode(_encoding(content), errors="ignore").removeprefix("\ufeff")
    rows = _first_rows(text, _separator(text))[0]
    names = [name.strip() for name in rows[_titles(rows)] if name.strip()] if rows else []
    return tuple(names) if len(names) > 1 and all(name.isprintable() for name in names) else ()


def read_again(path: Path, names: Collection[str]) -> pd.DataFrame:
    """The columns of these names as text, as their cells are written."""
    frame = _parsed(path, dict.fromkeys(names, str))
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame[list(names)]


def read_code(path: Path, texts: Collection[str] = ()) -> str:
    """The expression that reads the file again; the columns `texts` stay as they are written."""
    how = written(path)
    stripped = ".rename(columns=lambda name: str(name).strip())" if how.padded else ""
    known = _READERS.get(path.suffix.lower())
    if known is None:
        types = f", dtype={dict.fromkeys(texts, '@')!r}".replace("'@'", "str") if texts else ""
        return f"pd.read_csv({str(path)!r}{how.options}{types}){stripped}"
    words = f", sheet_name={how.sheet!r}" if how.sheet else ""
    words += f", header={how.titles}" if how.titles else ""
    return f"pd.{known[0]}({str(path)!r}{words}){stripped}{_types_code(path)}"


def read_text(path: Path) -> tuple[str, Written]:
    """The whole text, without the mark of its order of bytes, and how it is written.

    Raises
    ------
    BadInput
        When it cannot be opened, or is no text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}") from None
    encoding = _encoding(content)
    try:
        text = content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not text in {encoding} ({error.reason})") from None
    head = text[:_LOOKED_AT]
    odd = next((c for c in head if unicodedata.category(c) == "Cc" and not c.isspace()), "")
    if odd:
        line = text.count("\n", 0, text.index(odd)) + 1
        raise BadInput(f"{path}, line {line}: this is not text, it holds the character {ord(odd)}")
    separator = _separator(head)
    rows, lines = _first_rows(head, separator)
    start = _titles(rows)
    names = rows[start] if rows else []
    return text, Written(
        encoding,
        separator,
        _is_trailing(rows[start:]),
        lines[start] - 1 if start else 0,
        any(name != name.strip() for name in names),
        tuple(name for name, count in Counter(names).items() if count > 1 and name.strip()),
    )


def written(path: Path) -> Written:
    """How the file is written, where it is one of plain text or a workbook; see `read_text`."""
    if is_plain(path):
        return read_text(path)[1]
    reader = _READERS.get(path.suffix.lower(), ("", ""))[0]
    return _workbook(path) if reader == "read_excel" else Written()


def first_line(path: Path, rows: Any) -> int:
    """1-based line of the file on which the first marked row starts."""
    return _first_row(path, rows)[0]


def cell_of(path: Path, rows: Any, column: int) -> str:
    """What is written in a column of the first marked row; "" where that cannot be told."""
    cells = _first_row(path, rows)[1]
    return cells[column] if column < len(cells) else ""


def _first_row(path: Path, rows: Any) -> tuple[int, list[str]]:
    """(line, cells) of the first marked row."""
    wanted = int(rows.to_numpy().argmax()) + 1  # the names come first
    if not is_plain(path):
        return wanted + 1 + written(path).titles, []
    text, how = read_text(path)
    reader, start, count = csv.reader(io.StringIO(text, newline=""), delimiter=how.separator), 1, 0
    for cells in reader:
        if cells and start > how.titles:
            if count == wanted:
                return start, cells
            count += 1
        start = reader.line_num + 1
    return wanted + 1, []


def is_plain(path: Path) -> bool:
    """Whether the file is read as text as it is, by its name."""
    return path.suffix.lower() not in {*_PACKED, *_READERS}


def _encoding(content: bytes) -> str:
    """What the bytes are written in: as marked, else UTF-8, else by where bytes of nought stand."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    head = content[:_LOOKED_AT]
    halves = head[::2].count(0), head[1::2].count(0)
    if max(halves) > len(head) // 8:
        return "utf-16-be" if halves[0] > halves[1] else "utf-16-le"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        # of the encodings of a byte a letter, the West's; five of its places stand for nothing
        return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", content) else "cp1252"
    return "utf-8"


def _separator(text: str) -> str:
    """What parts a line's values: as many in each as in the first, and the more the better.

    Where hardly a line is like the first, that may be a title.
    """
    taken = {mark: _first_rows(text, mark)[0] for mark in _SEPARATORS}
    best, (alike, _) = _most_alike(taken)
    if alike < _ALIKE:
        below = {mark: rows[_titles(rows) :] for mark, rows in taken.items()}
        other, (more, _) = _most_alike(below)
        best = other if more > alike else best
    return best


def _most_alike(taken: dict[str, list[list[str]]]) -> tuple[str, tuple[float, int]]:
    """The mark, the share of its rows that are as wide as its first, and that width."""
    best, most = ",", (0.0, 1)
    for mark, rows in taken.items():
        widths = [len(cells) for cells in rows]
        if widths and widths[0] > 1:
            alike = sum(width == widths[0] for width in widths) / len(widths)
            if (alike, widths[0]) > most:
                best, most = mark, (alike, widths[0])
    return best, most


def _titles(rows: Sequence[Sequence[str]]) -> int:
    """How many rows stand above the names: not half filled.

    The names fill a row of usual width, are not all numbers, and do not come again below.
    """
    if not rows:
        return 0
    usual = Counter(map(len, rows)).most_common(1)[0][0]
    for number, cells in enumerate(rows):
        filled = [cell for cell in cells if cell.strip()]
        if number and len(cells) in (usual, usual - 1) and len(filled) >= max(2, len(cells) - 1):
            below = [{*column} for column in zip(*rows[number + 1 :], strict=False)]
            again = any(cell in column for cell, column in zip(cells, below, strict=False))
            return 0 if again or all(map(_is_number, filled)) else number
        if filled and (not cells[0].strip() or len(filled) > usual / 2):
            return 0
    return 0


def _is_number(cell: str) -> bool:
    return bool(re.fullmatch(r"[-+\d.,' ]*\d[\d.,' ]*", cell.strip()))


def _is_trailing(lines: Sequence[Sequence[str]]) -> bool:
    """Whether every line but that of the names ends with a separator."""
    names, *rows = lines or [[]]
    return bool(rows) and all(len(row) == len(names) + 1 and not row[-1] for row in rows)


def _first_rows(text: str, separator: str) -> tuple[list[list[str]], list[int]]:
    """The first whole lines taken apart, without empty ones, and on which line each ends.

    None where that cannot be done.
    """
    whole = text if len(text) < _LOOKED_AT else text.rpartition("\n")[0]
    reader = csv.reader(io.StringIO(whole, newline=""), delimiter=separator)
    try:
        found = [
            (cells, reader.line_num)
            for cells, _ in zip(reader, range(_LINES), strict=False)
            if cells
        ]
    except csv.Error:
        return [], []
    return [cells for cells, _ in found], [line for _, line in found]


def _parsed(path: Path, types: dict[str, type] | None = None) -> pd.DataFrame:
    import pandas as pd

    how = written(path)
    try:
        # where lines have one value more than there are names, pandas takes the first for the
        # row's name
        frame = pd.read_csv(
            path,
            sep=how.separator,
            encoding=how.encoding,
            index_col=False if how.trailing else None,
            skiprows=how.titles,
            dtype=types,
        )
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
    except (OSError, UnicodeDecodeError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} cannot be read: {reason(error)}") from None
    return frame.reset_index(drop=True)


def _opened(path: Path, reader: str, package: str) -> pd.DataFrame:
    """What pandas reads with the help of a package."""
    import pandas as pd

    try:
        if reader == "read_excel":
            how = _workbook(path)
            frame: pd.DataFrame = pd.read_excel(path, sheet_name=how.sheet or 0, header=how.titles)
        else:
            frame = pd.read_parquet(path)
            frame = frame.astype(_types(frame))
    except ImportError:
        raise BadInput(
            f"{path}: to read {path.suffix} files the package {package} is needed "
            f"(pip install {package}); or save it as CSV"
        ) from None
    except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} cannot be read as {path.suffix}: {reason(error)}") from None
    return frame.reset_index(drop=True)


def _workbook(path: Path) -> Written:
    """Which sheet is the first that holds a table, and on which of its rows the names stand."""
    import pandas as pd

    heads = pd.read_excel(path, sheet_name=None, header=None, nrows=_LINES)
    first = next(iter(heads), "")
    for name, head in heads.items():
        rows = [["" if pd.isna(cell) else str(cell) for cell in row] for row in head.to_numpy()]
        start = _titles(rows)
        if len(rows) > start + 1:
            padded = any(str(cell).strip() != cell for cell in head.iloc[start].dropna())
            sheet = "" if name == first else str(name)
            return Written(titles=start, padded=padded, sheet=sheet)
    return Written()


def _types(frame: pd.DataFrame) -> dict[str, str]:
    """The types under which numbers and truth values that may be missing can be learned from."""
    import pandas as pd

    return {
        str(name): "object" if pd.api.types.is_bool_dtype(kind) else "float64"
        for name, kind in frame.dtypes.items()
        if pd.api.types.is_extension_array_dtype(kind)
        and (pd.api.types.is_bool_dtype(kind) or pd.api.types.is_numeric_dtype(kind))
    }


def _types_code(path: Path) -> str:
    """The code that gives a file that brings its types those to learn from."""
    import pandas as pd

    if path.suffix.lower() != ".parquet":
        return ""
    types = _types(pd.read_parquet(path))
    return f".astype({types!r})" if types else ""


def _check_named(path: Path, frame: pd.DataFrame) -> None:
    """A first line of nothing but numbers names no columns."""
    names = [str(name) for name in frame.columns]
    try:
        for name in names:  # pandas tells a second 3.5 from the first as 3.5.1
            float(re.sub(r"(?<=\d)\.\d+$", "", name) if name.count(".") > 1 else name)
    except ValueError:
        return
    raise BadInput(
        f"{path} has no line of column names: its first line holds {listed(names)}; "
        "add a line of names above it"
    )
