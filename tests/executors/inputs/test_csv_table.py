"""A CSV file becomes a table, or one sentence that names file, line and column."""

from __future__ import annotations

from pathlib import Path

import pytest

from executors.errors import BadInput
from executors.inputs.csv_table import read_table


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def houses(tmp_path: Path) -> Path:
    """Forty houses: a number, a text, a constant, an identifier, a price and a kind."""
    rows = [
        f"{n * 3 % 50},{'north' if n % 3 else 'south'},1,id{n},{n * 1.5},{n % 2}" for n in range(40)
    ]
    return write(tmp_path / "houses.csv", "area,side,country,name,price,kind", rows)


def refused(path: Path, target: str) -> str:
    with pytest.raises(BadInput) as caught:
        read_table(path, target)
    message = str(caught.value)
    assert "\n" not in message and str(path) in message
    return message


def test_columns_are_told_apart(houses: Path) -> None:
    """Numbers are continuous, texts categorical; what cannot help is left out and named."""
    table = read_table(houses, "kind")
    assert (table.categorical, table.continuous, table.classes) == (
        ("side",),
        ("area", "price"),
        True,
    )
    assert table.doubts == ("left out: 'country' (a single value), 'name' (40 different texts)",)


def test_a_fraction_is_regression(houses: Path) -> None:
    """A target of many numbers is a quantity."""
    assert read_table(houses, "price").classes is False


def test_text_and_truth_values_are_classes(tmp_path: Path) -> None:
    """Both are told by name, not by size."""
    path = write(
        tmp_path / "t.csv",
        "x,word,truth",
        [f"{n},{'yes' if n % 2 else 'no'},{n % 3 > 0}" for n in range(30)],
    )
    assert read_table(path, "word").classes and read_table(path, "truth").classes


def test_empty_cells_take_the_median(tmp_path: Path) -> None:
    """A gap in a column of numbers costs no row."""
    path = write(tmp_path / "t.csv", "x,y", [f"{'' if n == 4 else n},{n % 2}" for n in range(21)])
    table = read_table(path, "y")
    assert table.gaps == ("x",) and table.frame["x"][4] == 10.5
    assert "empty cells of 'x' take the column's median" in table.notes


def test_a_wrong_column_names_the_closest(houses: Path) -> None:
    """A slip of the pen is met with the name that was meant."""
    assert refused(houses, "prize").endswith("has no column 'prize'; did you mean 'price'?")
    assert "did you mean 'price'?" in refused(houses, "PRICE")
    assert "there are 'area', 'side', 'country', 'name', 'price', 'kind'" in refused(
        houses, "zzzzzz"
    )


def test_no_target_lists_the_columns(houses: Path) -> None:
    """The question names the option and the columns."""
    assert "Name it in Target (--target); there are 'area', 'side'" in refused(houses, "")


def test_a_missing_target_names_its_line(tmp_path: Path) -> None:
    """Lines count as an editor shows them, past empty lines and cells of several lines."""
    rows = [f'"a\nb",{n % 2}' if n == 3 else f"c{n % 2},{n % 2}" for n in range(30)]
    rows[10] = "c,"
    rows.insert(5, "")
    path = write(tmp_path / "t.csv", "x,y", rows)
    message = refused(path, "y")
    line = int(message.split("in line ")[1].split(";")[0])
    assert path.read_text().splitlines()[line - 1] == "c,"


def test_several_missing_targets_are_counted(tmp_path: Path) -> None:
    """The first is named, the others are counted."""
    path = write(
        tmp_path / "t.csv", "x,y", [f"{n},{'' if n in (7, 9) else n % 2}" for n in range(30)]
    )
    assert "the target 'y' is empty in 2 rows, the first at line 9; fill these in" in refused(
        path, "y"
    )


def test_a_word_among_numbers_is_named(tmp_path: Path) -> None:
    """A price of "ask" is a mistake, not a class."""
    path = write(
        tmp_path / "t.csv", "x,price", [f"{n},{'ask' if n == 12 else n * 1.5}" for n in range(40)]
    )
    assert "line 14: the target 'price' is 'ask' where numbers are expected" in refused(
        path, "price"
    )


def test_a_class_of_one_row_is_named(tmp_path: Path) -> None:
    """It could not be both learned and checked."""
    path = write(
        tmp_path / "t.csv",
        "x,y",
        [f"{n},{'rare' if n == 8 else 'common' if n % 2 else 'usual'}" for n in range(30)],
    )
    assert "line 10: class 'rare' of 'y' has this row only" in refused(path, "y")


def test_a_single_value_leaves_nothing_to_learn(tmp_path: Path) -> None:
    """A constant target is refused."""
    path = write(tmp_path / "t.csv", "x,y", [f"{n},7" for n in range(30)])
    assert "the target 'y' has the single value" in refused(path, "y")


def test_too_few_rows_are_counted(tmp_path: Path) -> None:
    """How many there are, and how many are needed."""
    assert "has 5 rows; at least 20 are needed" in refused(
        write(tmp_path / "t.csv", "x,y", [f"{n},{n}" for n in range(5)]), "y"
    )


def test_infinite_values_are_named(tmp_path: Path) -> None:
    """Line and column of the first."""
    path = write(
        tmp_path / "t.csv", "x,y", [f"{'inf' if n == 5 else n},{n % 2}" for n in range(30)]
    )
    assert "line 7: column 'x' is infinite" in refused(path, "y")


def test_lines_of_another_length_are_named(tmp_path: Path) -> None:
    """The parser's complaint, in words and with the line."""
    path = write(tmp_path / "t.csv", "x,y", [*(f"{n},{n}" for n in range(10)), "1,2,3"])
    assert "line 12: 3 values where 2 were expected" in refused(path, "y")


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    """Empty, missing, a folder, no text, no rows."""
    empty = tmp_path / "empty.csv"
    empty.touch()
    assert "is empty" in refused(empty, "y")
    assert "does not exist" in refused(tmp_path / "none.csv", "y")
    assert "is a folder" in refused(tmp_path, "y")
    assert "no rows" in refused(write(tmp_path / "head.csv", "x,y", []), "y")
    other = tmp_path / "other.csv"
    other.write_bytes(b"x,y\n1,2\n\x02,3\n")
    assert "line 3: this is not text, it holds the character 2" in refused(other, "y")


def test_nothing_to_learn_from_is_named(tmp_path: Path) -> None:
    """A table of a target and identifiers is no table to learn from."""
    path = write(tmp_path / "t.csv", "name,y", [f"n{n},{n % 2}" for n in range(30)])
    assert "no column to learn 'y' from; left out: 'name' (30 different texts)" in refused(
        path, "y"
    )


def test_a_nameless_index_is_left_out(tmp_path: Path) -> None:
    """It tells the order of the rows, which may be the target's; of a named one that is said."""
    rows = [f"{n},{n + 7},{n * n % 9},{n // 15}" for n in range(30)]
    table = read_table(write(tmp_path / "t.csv", ",id,x,y", rows), "y")
    assert table.continuous == ("id", "x")
    assert "left out: 'Unnamed: 0' (has no name and counts the rows)" in table.doubts
    assert [note for note in table.doubts if "'id' counts the rows; take it out" in note]


def test_a_value_far_from_all_others_is_said(tmp_path: Path) -> None:
    """9999 often stands for a missing value; a single odd one, or one not so far, does not."""
    rows = [f"{9999 if n % 9 == 4 else n},{n if n else 9999},{min(n, 20)},{n}" for n in range(30)]
    notes = read_table(write(tmp_path / "t.csv", "far,once,capped,y", rows), "y").doubts
    said = [note for note in notes if "stands for a missing value" in note]
    assert len(said) == 1 and said[0].startswith(
        "'far' is 9999 in 3 rows, and from 0 to 29 in the others;"
    )


def test_a_row_of_sums_is_named(tmp_path: Path) -> None:
    """It would be learned as a row of a thousand times the rest; a large last row is none."""
    rows = [f"a,{n},{n / 2}" for n in range(30)]
    path = write(tmp_path / "t.csv", "x,count,y", [*rows, "total,435,217.5"])
    assert "line 32: the last row holds the sums of the others ('count', 'y')" in refused(path, "y")
    path = write(tmp_path / "u.csv", "x,count,y", [*rows, "b,435,200"])
    assert read_table(path, "y").frame["y"].max() == 200
