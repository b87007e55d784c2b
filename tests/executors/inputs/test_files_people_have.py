"""Files as people have them end in a right result or in one clear line."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from executors.errors import BadInput
from executors.inputs.images import open_image
from executors.inputs.numbers import number_column, plain_number
from executors.recipe import check_params, typed_params
from executors.recipes import training_flow
from executors.runs.journal import Journal
from executors.task import Settings, Source
from executors.tasks import find_task

ROWS = 60
CHANCE = random.Random(0)
AMOUNTS = [round(CHANCE.uniform(900, 9_000), 2) for _ in range(ROWS)]


def table(path: Path, target: Callable[[int], str], sep: str = ",", encoding: str = "utf-8") -> str:
    """A file of a number "size", a word "kind" and the target "y"."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=sep, lineterminator="\n")
    writer.writerow(["size", "kind", "y"])
    writer.writerows([n / 7, "né" if n % 3 else "da", target(n)] for n in range(ROWS))
    path.write_bytes(text.getvalue().encode(encoding))
    return str(path)


def english(n: int) -> str:
    return f"{AMOUNTS[n]:,.2f}"


def german(n: int) -> str:
    return english(n).translate(str.maketrans(",.", ".,"))


def looked_at(data: str, target: str = "y", task: str = "tabular") -> Source:
    return find_task(task).inspect(Settings(task, data=data, target=target, log_target="no"))


# how the target is written, its values' first, and what is said of them
NUMBERS: dict[str, tuple[Callable[[int], str], float, str]] = {
    "english": (english, AMOUNTS[0], "',' between thousands"),
    "german": (german, AMOUNTS[0], "'.' between thousands, ',' before decimals"),
    "swiss": (lambda n: english(n).replace(",", "’"), AMOUNTS[0], "between thousands"),
    "french": (
        lambda n: english(n).replace(",", "\u202f").replace(".", ",") + " €",
        AMOUNTS[0],
        "in €",
    ),
    "dollars": (lambda n: f"${english(n)}", AMOUNTS[0], "in $"),
    "thousands of dollars": (lambda n: f"${n + 1.5}k", 1_500.0, "in $"),
    "euros before": (lambda n: f"€ {1000 + n:,}".replace(",", " "), 1_000.0, "in €"),
    "code of a currency": (lambda n: f"{german(n)} EUR", AMOUNTS[0], "in EUR"),
    "percent": (lambda n: f"{51.2 + n}%", 0.512, "as shares of 1"),
    "a unit": (lambda n: f"{n + 0.5} kg", 0.5, "in kg"),
    "brackets for less than nothing": (lambda n: f"({english(n)})", -AMOUNTS[0], "thousands"),
    "a minus of typographers": (lambda n: f"−{n + 0.5}", -0.5, "numbers"),
    "lakhs": (lambda n: f"1,23,{400 + n}.5", 123_400.5, "',' between thousands"),
}


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(("sep", "encoding"), [(",", "utf-8"), ("\t", "utf-16"), (";", "cp1252")])
def test_numbers_are_read_as_people_write_them(
    tmp_path: Path, name: str, sep: str, encoding: str
) -> None:
    """In any locale, parted by anything, in any encoding; what was done is said."""
    if encoding == "cp1252" and name in ("french", "a minus of typographers"):
        encoding = "utf-8-sig"  # which has no letter for their marks
    written, first, said = NUMBERS[name]
    source = looked_at(table(tmp_path / "t.csv", written, sep, encoding))
    found = source.content.table
    assert not found.classes and found.frame["y"][0] == pytest.approx(first)
    assert found.categorical == ("kind",) and set(found.frame["kind"]) == {"né", "da"}
    assert any("'y' is read as numbers" in note and said in note for note in source.notes)


@pytest.mark.parametrize("name", ["english", "german", "percent", "thousands of dollars"])
def test_the_snippet_reads_them_alike(tmp_path: Path, name: str) -> None:
    """Its frame is the one that was trained on."""
    settings = Settings("tabular", table(tmp_path / "t.csv", NUMBERS[name][0], ";", "utf-16"), "y")
    source = find_task("tabular").inspect(settings)
    assert list(_snippet_frame(settings)["y"]) == list(source.content.table.frame["y"])


def _snippet_frame(settings: Settings) -> Any:
    """The frame that the snippet reads."""
    task = find_task("tabular")
    code = task.snippet(task.inspect(settings), settings, None, 16, False)
    names: dict[str, Any] = {"pd": pd}
    exec(code[code.index("df = ") : code.index("splits = ")], names)  # our own code
    return names["df"]


def _gaps(mark: str) -> Callable[[Path], str]:
    return lambda path: table(path / "t.csv", lambda n: mark if n == 4 else english(n))


def _raw(content: bytes, name: str = "t.csv") -> Callable[[Path], str]:
    def write(path: Path) -> str:
        (path / name).write_bytes(content)
        return str(path / name)

    return write


def _lines(head: str, line: Callable[[int], str], name: str = "t.csv") -> Callable[[Path], str]:
    text = "\n".join([head, *(line(n) for n in range(ROWS))])
    return _raw(text.encode(), name)


# what is written, and the line that says what is wrong with it
REFUSED: dict[str, tuple[Callable[[Path], str], str]] = {
    "a gap": (_gaps(""), "the target 'y' is empty in line 6"),
    "a dash": (_gaps("-"), "'y' is '-', which stands for a missing value, in line 6"),
    "a question mark": (_gaps("?"), "'y' is '?', which stands for a missing value, in line 6"),
    "n/a": (_gaps("n/a"), "'y' is 'n/a', which stands for a missing value, in line 6"),
    "a class called None": (
        _lines("x,y", lambda n: f"{n},{('None', 'Some')[n % 2]}"),
        "'y' is 'None', which stands for a missing value, in 30 rows, the first at line 2",
    ),
    "a gap below a title": (
        _lines("My houses\n\nx,y", lambda n: f"{n},{'' if n == 4 else n % 2}"),
        "'y' is empty in line 8",
    ),
    "a word": (_gaps("ask"), "line 6: the target 'y' is 'ask' where numbers are expected"),
    "another unit": (_gaps("5 km"), "line 6: the target 'y' is '5 km' where numbers are expected"),
    "two locales": (_gaps("1.234,5"), "line 6: the target 'y' is '1.234,5' where numbers"),
    "words": (
        lambda path: table(path / "t.csv", lambda n: f"house number {n}b"),
        "60 different values in 60 rows, too many for classes, and some are not numbers, such as "
        "'house number 0b' in line 2",
    ),
    "dates": (
        lambda path: table(path / "t.csv", lambda n: f"2024-{1 + n % 12:02}-{1 + n % 28:02}"),
        "the target 'y' holds dates, such as '2024-01-01'",
    ),
    "a constant": (lambda path: table(path / "t.csv", lambda n: "7"), "the single value '7'"),
    "a class of one": (
        lambda path: table(path / "t.csv", lambda n: "c" if n == 9 else "ab"[n % 2]),
        "line 11: class 'c' of 'y' has this row only",
    ),
    "one column": (_lines("y", lambda n: str(n % 2)), "has no column to learn 'y' from"),
    "no names": (_lines("5.1,3.5,0", lambda n: f"{n},{n + 1},{n % 2}"), "no line of column names"),
    "names of values": (
        _lines("5.1,3.5,setosa", lambda n: f"{n},{n + 1},{'ab'[n % 2]}"),
        "has no column 'y'; there are '5.1', '3.5', 'setosa'; is its first line one of names?",
    ),
    "nothing": (_raw(b""), "is empty; a line of column names"),
    "a mark of its encoding alone": (_raw(b"\xef\xbb\xbf"), "is empty; a line of column names"),
    "names alone": (_raw(b"x,y\n"), "a line of column names and no rows"),
    "a picture": (_raw(b"\x89PNG\r\n\x1a\n\x00\x01\x02" * 9), "not text"),
    "few rows": (_raw(b"x,y\n1,2\n3,4\n"), "has 2 rows; at least 20 are needed"),
    "a broken workbook": (_raw(b"PK not really", "t.xlsx"), "t.xlsx"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path, name: str) -> None:
    """It names the file, and the line where there is one."""
    write, words = REFUSED[name]
    with pytest.raises(BadInput) as caught:
        looked_at(write(tmp_path))
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_marks_of_missing_values_are_gaps(tmp_path: Path) -> None:
    """In columns of numbers and of dates; among words they are a word like others."""
    rows = [
        f"{'-' if n == 3 else f'{n}%'},{'?' if n == 5 else f'{1 + n % 28:02}.03.2024'},"
        f"{'-' if n % 2 else '+'},{n % 2}"
        for n in range(ROWS)
    ]
    source = looked_at(_lines("share,day,sign,y", rows.__getitem__)(tmp_path))
    found = source.content.table
    assert found.gaps[0] == "share" and not found.frame["share"].isna().any()
    assert [date.name for date in found.dates] == ["day"] and found.dates[0].gaps
    assert "sign" in found.categorical


def test_a_column_that_is_not_quite_numbers_is_text_and_said(tmp_path: Path) -> None:
    """The line of what is no number is named."""
    head, rows = "x,z,y", [f"{n},{'ask' if n == 7 else n * 1.5},{n % 2}" for n in range(ROWS)]
    source = looked_at(_lines(head, rows.__getitem__)(tmp_path))
    assert "'z' is read as text, because line 9 holds 'ask'" in source.remarks


def test_a_point_beside_commas_is_of_thousands(tmp_path: Path) -> None:
    """1.234 is a thousand where other columns have a comma before decimals, in the snippet too."""
    rows = [f"{n},5;{'850' if n == 3 else f'1.{100 + n}'};{'ab'[n % 2]}" for n in range(ROWS)]
    settings = Settings("tabular", _lines("x;z;y", rows.__getitem__)(tmp_path), "y")
    source = find_task("tabular").inspect(settings)
    assert [*source.content.table.frame["z"][:4]] == [1100, 1101, 1102, 850]
    note = "'.' between thousands, as other columns have ',' before decimals"
    assert f"'z' is read as numbers, {note}" in source.remarks
    assert [*_snippet_frame(settings)["z"]] == [*source.content.table.frame["z"]]


@pytest.mark.parametrize("sep", [";", "\t"])
def test_marks_that_could_stand_for_others_are_as_in_the_file(tmp_path: Path, sep: str) -> None:
    """Whatever parts the values: 1.234 € is a thousand beside 0,5, and 1,234 $ beside 0.5."""
    for marks, unit in ((".,", "€"), (",.", "$")):
        rows = [
            sep.join((f"{n}{marks[1]}5 kg", f"{n + 1}{marks[0]}{100 + n} {unit}", "ab"[n % 2]))
            for n in range(ROWS)
        ]
        source = looked_at(_lines(sep.join("xzy"), rows.__getitem__)(tmp_path))
        assert source.content.table.frame["z"][0] == 1100
        said = f"in {unit}, as other columns have '{marks[1]}' before decimals"
        assert any(note.startswith("'z'") and note.endswith(said) for note in source.remarks)


@pytest.mark.parametrize(
    ("sep", "said"),
    [
        (";", "',' before decimals: '352,100' as 352.1, though it could also be 352100"),
        ("\t", "',' between thousands: '352,100' as 352100, though it could also be 352.1"),
    ],
)
def test_marks_that_nothing_settles_are_said_by_a_cell(tmp_path: Path, sep: str, said: str) -> None:
    """A thousand times too much or too little is seen by what one cell is read as."""
    rows = [sep.join((f"{352 + n},{100 + n}", "ab"[n % 2])) for n in range(ROWS)]
    source = looked_at(_lines(sep.join("xy"), rows.__getitem__)(tmp_path))
    assert f"'x' is read as numbers, {said}" in source.remarks


def test_a_name_of_two_columns_is_said(tmp_path: Path) -> None:
    """It could be either's."""
    source = looked_at(_lines("x,x,y", lambda n: f"{n % 7},{n % 5},{n % 2}")(tmp_path))
    assert source.content.table.continuous == ("x", "x.1")
    assert source.doubts[-1].startswith("the first of the columns called 'x' keeps the name")


def test_a_point_that_is_none_of_thousands_keeps_all_as_they_are(tmp_path: Path) -> None:
    """With 3.5 in the file, 1.234 is doubted only."""
    rows = [f"{n},5;1.{100 + n};{n}.5;{'ab'[n % 2]}" for n in range(ROWS)]
    source = looked_at(_lines("x;z;half;y", rows.__getitem__)(tmp_path))
    assert source.content.table.frame["z"][0] == 1.1
    assert "'z' is read with '.' before decimals, though other columns have ','" in source.remarks


@pytest.mark.parametrize("title", ["My houses", "Häuser, 2023;;", "Houses, 2023\n"])
def test_names_below_a_title_or_with_space_around(tmp_path: Path, title: str) -> None:
    """They are found, said, and found by the snippet."""
    data = _lines(f"{title}\nx ; z;y", lambda n: f"{n};{n / 4};{'ab'[n % 2]}")(tmp_path)
    settings = Settings("tabular", data, "y")
    source = find_task("tabular").inspect(settings)
    assert f"line {title.count(chr(10)) + 2} holds the names, below a title" in source.remarks
    assert source.content.table.continuous == ("x", "z")
    assert [*_snippet_frame(settings)["z"]] == [n / 4 for n in range(ROWS)]


def test_more_columns_than_rows(tmp_path: Path) -> None:
    """All of them are learned from."""
    names = [f"x{i}" for i in range(90)]
    source = looked_at(
        _lines(
            ",".join([*names, "y"]),
            lambda n: ",".join([*(str(n * i) for i in range(90)), "ab"[n % 2]]),
        )(tmp_path)
    )
    assert len(source.content.table.continuous) == 89  # nought times anything is a single value


@pytest.mark.parametrize("trailing", [True, False])
def test_lines_of_one_value_more_than_names(tmp_path: Path, trailing: bool) -> None:
    """A separator at the end adds nothing; a name before the values is left out."""
    line = (lambda n: f"{n},{n % 2},") if trailing else (lambda n: f"row{n},{n},{n % 2}")
    found = looked_at(_lines("x,y", line)(tmp_path)).content.table
    assert list(found.frame["x"]) == list(range(ROWS)) and set(found.frame["y"]) == {0, 1}


@pytest.mark.parametrize(
    ("name", "reader", "package"),
    [("t.xlsx", "read_excel", "openpyxl"), ("t.parquet", "read_parquet", "pyarrow")],
)
def test_workbooks_and_parquet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reader: str, package: str
) -> None:
    """Read as any table where the package is there; else it is named, with what to type."""
    path = tmp_path / name
    path.write_bytes(b"not looked at")
    frame = pd.DataFrame({"x": range(ROWS), "y": [english(n) for n in range(ROWS)]})
    cells = pd.DataFrame([[*frame.columns], *frame.to_numpy().tolist()])

    def read(path: Path, sheet_name: object = 0, header: object = 0, nrows: int = 0) -> object:
        return {"Sheet1": cells} if sheet_name is None else frame.copy()

    monkeypatch.setattr(pd, reader, read)
    source = looked_at(str(path))
    assert source.content.table.frame["y"][0] == AMOUNTS[0]

    def missing(path: Path, **options: object) -> pd.DataFrame:
        raise ImportError("Missing optional dependency")

    monkeypatch.setattr(pd, reader, missing)
    with pytest.raises(
        BadInput, match=rf"the package {package} is needed \(pip install {package}\)"
    ):
        looked_at(str(path))


def test_the_sheet_with_a_table_below_its_title(tmp_path: Path) -> None:
    """A sheet of remarks is passed over, a merged title too, and the snippet does the same."""
    books = pytest.importorskip("openpyxl")
    book = books.Workbook()
    book.active["A1"] = "Internal use"
    sheet = book.create_sheet("Sales")
    sheet["A1"] = "Sales 2023"
    sheet.merge_cells("A1:C1")
    for row in ([], [2019, " z ", "y"], *([n, n / 4, "ab"[n % 2]] for n in range(ROWS))):
        sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    settings = Settings("tabular", str(tmp_path / "t.xlsx"), "y")
    source = find_task("tabular").inspect(settings)
    assert "sheet 'Sales' is read, the first that holds a table" in source.remarks
    assert "line 3 holds the names, below a title" in source.remarks
    assert source.content.table.continuous == ("2019", "z")
    assert [*_snippet_frame(settings)["2019"]] == [*range(ROWS)]


def test_numbers_and_truths_of_parquet_that_may_be_missing(tmp_path: Path) -> None:
    """They become those that a network learns from, in the snippet too."""
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame(
        {
            "x": pd.array([None if n == 2 else n for n in range(ROWS)], dtype="Int64"),
            "flag": pd.array([None if n == 3 else n % 3 == 0 for n in range(ROWS)], "boolean"),
            "y": pd.Categorical(["ab"[n % 2] for n in range(ROWS)]),
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    settings = Settings("tabular", str(tmp_path / "t.parquet"), "y")
    task = find_task("tabular")
    for read in (task.inspect(settings).content.table.frame, _snippet_frame(settings)):
        assert read["x"].dtype == "float64" and read["flag"].dtype == "object"
    built = task.build(task.inspect(settings), settings, None, 16, "cpu", tmp_path)
    assert built.learner.dls.train.one_batch()[1].dtype.is_floating_point


@given(
    st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=30),
    st.integers(1, 2),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", "."), ("", "."), ("", ",")]),
    st.sampled_from(["", "$", "€ "]),
    st.sampled_from(["", " EUR", "%"]),
)
def test_what_is_written_in_a_locale_is_read_back(
    whole: list[int], places: int, marks: tuple[str, str], before: str, after: str
) -> None:
    """For every pair of marks, with one or two decimals so that they cannot be mistaken."""
    numbers = [number / 10**places for number in whole]
    written = {ord(mark): other for mark, other in zip(",.", marks, strict=True)}
    cells = [before + f"{n:,.{places}f}".translate(written) + after for n in numbers]
    column = number_column(pd.Series(cells, name="x"))
    assert column is not None and not column.wrong and column.decimal == marks[1]
    read = [plain_number(cell, column.thousands, column.decimal, column.scales) for cell in cells]
    assert read == pytest.approx([n / 100 if after == "%" else n for n in numbers])


@given(
    st.lists(
        st.from_regex(
            r"[A-Z][a-z]?[0-9]{1,3}|[0-9]{4}-[0-9]{2}|[0-9]+:[0-9]+|[a-z]+", fullmatch=True
        )
    )
)
def test_names_and_times_are_no_numbers(cells: list[str]) -> None:
    """A letter before digits without a space, a hyphen or a colon within: these are names."""
    assert number_column(pd.Series(cells, dtype=object)) is None


def _pictures(folder: Path) -> Path:
    for number in range(10):
        place = folder / "photos" / "ab"[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        noise = random.Random(number).randbytes(40 * 30 * 3)
        Image.frombytes("RGB", (40, 30), noise).save(place / f"{number}.png")
    return folder / "photos"


def _animated(path: Path) -> None:
    frames = [Image.new("P", (40, 30), n) for n in range(3)]
    frames[0].save(path / "film.gif", save_all=True, append_images=frames[1:])


def _clear(path: Path) -> None:
    image = Image.new("P", (40, 30), 1)
    image.info["transparency"] = bytes(range(200))
    image.save(path / "clear.png")


def _wrong_end(path: Path) -> None:
    Image.new("RGB", (40, 30), "white").save(path / "really.jpg", format="PNG")


ODD: dict[str, Callable[[Path], object]] = {
    "animated": _animated,
    "a palette with transparency": _clear,
    "another kind than its name": _wrong_end,
    "four inks": lambda path: Image.new("CMYK", (40, 30)).save(path / "inks.jpg"),
    "16 bits": lambda path: Image.new("I;16", (40, 30), 30_000).save(path / "deep.png"),
    "32 bits": lambda path: Image.new("I", (40, 30), 30_000).save(path / "deep.tif"),
    "fractions": lambda path: Image.new("F", (40, 30), 0.5).save(path / "half.tiff"),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.filterwarnings("error")
def test_odd_images_are_read(tmp_path: Path, name: str) -> None:
    """In three channels of 8 bits, neither clipped nor with a warning."""
    photos = _pictures(tmp_path)
    before = {*photos.rglob("*.*")}
    ODD[name](photos / "a")
    (odd,) = {*photos.rglob("*.*")} - before
    source = looked_at(str(photos), "", "image-classification")
    assert source.train + source.valid == 11
    image = open_image(odd)
    assert (image.mode, image.size) == ("RGB", (40, 30))
    if name in ("16 bits", "32 bits", "fractions"):
        assert 100 < image.getpixel((5, 5))[0] < 140  # type: ignore[index]


def test_files_of_other_kinds_are_left_out_and_said(tmp_path: Path) -> None:
    """Such as a phone's photographs, which Pillow cannot read."""
    photos = _pictures(tmp_path)
    (photos / "a" / "phone.heic").write_bytes(b"not read")
    (photos / "list.txt").write_text("beside the classes")
    source = looked_at(str(photos), "", "image-classification")
    words = "left out: 1 files whose names are not those of images, such as a/phone.heic"
    assert source.doubts == (words,)


def test_all_broken_images_are_named_at_once(tmp_path: Path) -> None:
    """Cut off in its pixels, a text, nothing at all, and a header without a body."""
    photos = _pictures(tmp_path)
    for name in ("1.png", "2.png", "3.png", "4.png"):
        (file,) = photos.rglob(name)
        content = file.read_bytes()
        broken = {"1.png": content[: len(content) // 2], "2.png": b"a text", "3.png": b""}
        file.write_bytes(broken.get(name, content[:20]))
    with pytest.raises(BadInput) as caught:
        looked_at(str(photos), "", "image-classification")
    text = str(caught.value)
    assert text.startswith("4 of 10 images in") and "\n" not in text
    assert all(name in text for name in ("b/1.png", "a/2.png (it is not an image)", "a/4.png"))
    assert "b/3.png (it is empty)" in text


@pytest.mark.parametrize("name", ["german", "percent"])
def test_a_whole_run_on_numbers_of_people(tmp_path: Path, name: str) -> None:
    """It trains on the numbers and stands beside their mean."""
    data = table(tmp_path / "t.csv", NUMBERS[name][0], ";", "utf-16")
    given = {"data": data, "target": "y", "task": "tabular", "device": "cpu", "lr": 0.01}
    params = check_params(training_flow.RECIPE, {**given, "epochs": 1, "arch": "8"})
    outcome = training_flow.run(typed_params(training_flow, params), Journal(tmp_path))
    assert "12 held-out samples" in outcome.message and "nothing can" not in outcome.message
    assert outcome.values["verdict"]["word"] == "cannot be said"
    assert outcome.values["held_out"]["constant"] > 0
