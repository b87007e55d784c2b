"""Files that say what images show: what is wrong with them is named by its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from executors.errors import BadInput
from executors.task import Settings, Source
from executors.tasks import find_task


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Ten images of 40 by 30 px; the last is in images/."""
    folder = tmp_path / "photos"
    (folder / "images").mkdir(parents=True)
    for number in range(10):
        place = folder / "images" if number == 9 else folder
        Image.new("RGB", (40, 30), (number, 0, 0)).save(place / f"{number}.png")
    return folder


def look(task: str, folder: Path) -> Source:
    return find_task(task).inspect(Settings(task, str(folder)))


def refused(task: str, folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        look(task, folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def labels(folder: Path, lines: list[str], head: str = "file,labels") -> Path:
    (folder / "labels.csv").write_text("\n".join([head, *lines]) + "\n")
    return folder


def points(folder: Path, lines: list[str], head: str = "file,x1,y1") -> Path:
    (folder / "points.csv").write_text("\n".join([head, *lines]) + "\n")
    return folder


def test_labels_are_separated_by_spaces(photos: Path) -> None:
    """Each file has its labels, an empty cell is none, and that is said."""
    labels(photos, [f"{number}.png,{'sea sky' if number < 9 else ''}" for number in range(10)])
    source = look("multi-label", photos)
    found = {
        path.name: names
        for path, names in (*source.content.parts.train, *source.content.parts.valid)
    }
    assert found["0.png"] == ["sea", "sky"] and found["9.png"] == []
    assert (source.train, source.valid) == (8, 2)
    assert source.content.labels == ("sea", "sky")
    assert source.notes == ("1 images have no label",)


def test_labels_with_spaces_are_separated_by_semicolons(photos: Path) -> None:
    """One semicolon in the file settles it."""
    labels(photos, [f"{number}.png,open sea; sky" for number in range(10)])
    assert look("multi-label", photos).content.labels == ("open sea", "sky")


@pytest.mark.parametrize("mark", [", ", "|"])
def test_a_mark_other_than_a_space_separates_labels(photos: Path, mark: str) -> None:
    """It is no part of a label."""
    labels(photos, [f'{number}.png,"open sea{mark}sky"' for number in range(10)])
    assert look("multi-label", photos).content.labels == ("open sea", "sky")


def test_names_without_the_end_of_an_image_are_found(photos: Path) -> None:
    """In the folder, in images/ and in train/; by the snippet too."""
    (photos / "train").mkdir()
    (photos / "3.png").rename(photos / "train" / "3.png")
    labels(photos, [f"{number},sea{number % 2} sky" for number in range(10)])
    task, settings = find_task("multi-label"), Settings("multi-label", str(photos))
    source = look("multi-label", photos)
    found = {path for path, _ in (*source.content.parts.train, *source.content.parts.valid)}
    assert {photos / "train" / "3.png", photos / "images" / "9.png", photos / "0.png"} <= found
    code = task.snippet(source, settings, 32, 4, False)
    names: dict[str, Any] = {"pd": pd, "path": photos}
    exec(code[code.index("rows = ") : code.index("def labels")], names)  # our own code
    assert {names["file"](row) for row in names["rows"]} == found


def test_a_column_valid_is_the_split(photos: Path) -> None:
    """Rows that it holds back are not trained on."""
    rows = [
        f"{number}.png,{'sky' if number % 2 else 'sea'},{'yes' if number > 6 else 'no'}"
        for number in range(10)
    ]
    source = look("multi-label", labels(photos, rows, "file,labels,valid"))
    assert sorted(path.name for path, _ in source.content.parts.valid) == [
        "7.png",
        "8.png",
        "9.png",
    ]
    rows[3] = "3.png,sky,perhaps"
    labels(photos, rows, "file,labels,valid")
    assert "labels.csv, line 5: 'valid' is 'perhaps'; expected true or false" in refused(
        "multi-label", photos
    )


def test_a_label_that_is_only_held_out_is_refused(photos: Path) -> None:
    """It could not be learned."""
    rows = [f"{number}.png,{'owl' if number == 9 else 'sky'},{number > 6}" for number in range(10)]
    message = refused("multi-label", labels(photos, rows, "file,labels,valid"))
    assert "the label 'owl' is only on images that are held out" in message


@pytest.mark.parametrize(
    ("head", "line", "message"),
    [
        ("file,labels", "gone.png,sky", "labels.csv, line 12: file 'gone.png' is not in"),
        ("file,labels", "3.png,sky", "labels.csv, line 12: '3.png' is in line 5 already"),
        ("file,labels", "3.png,sky,sea", "labels.csv, line 12: 3 values where 2 were expected"),
        ("file,label", "", "labels.csv has no column 'labels'; did you mean 'label'?"),
        ("file;labels", "", "labels.csv, line 2: 1 values where 2 were expected"),
    ],
)
def test_a_wrong_line_of_labels_is_named(photos: Path, head: str, line: str, message: str) -> None:
    """By its number in the file, with what is wrong."""
    labels(photos, [*(f"{number}.png,sky" for number in range(10)), line], head)
    assert message in refused("multi-label", photos)


def test_no_labels_at_all_are_refused(photos: Path) -> None:
    """Neither without the file nor without a label in it is there anything to learn."""
    assert "labels.csv is missing; expected a CSV file with the columns file, labels" in refused(
        "multi-label", photos
    )
    labels(photos, [f"{number}.png," for number in range(10)])
    assert "no file has a label" in refused("multi-label", photos)
    (photos / "labels.csv").write_bytes(b"file,labels\n\x01.png,a\n")
    assert "labels.csv, line 2: this is not text" in refused("multi-label", photos)


def test_an_unreadable_image_of_a_listing_is_named(photos: Path) -> None:
    """Before training."""
    labels(photos, [f"{number}.png,sky" for number in range(10)])
    (photos / "4.png").write_text("no image")
    assert (
        "4.png (it" in (message := refused("multi-label", photos))
        and "it is not an image" in message
    )


def test_points_are_read_in_pairs(photos: Path) -> None:
    """Any number of them, in pixels."""
    points(photos, [f"{number}.png,1,2.5,40,30" for number in range(10)], "file,x1,y1,x2,y2")
    source = look("image-regression", photos)
    assert source.content.columns == ("x1", "y1", "x2", "y2")
    assert source.content.parts.train[0][1] == [(1.0, 2.5), (40.0, 30.0)]
    assert source.title == "photos: 10 images with 2 points each"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "9.png,41,2",
            "line 11: point 1 of '9.png' is at (41, 2), outside its image of 40 by 30 px",
        ),
        (
            "9.png,3,-1",
            "line 11: point 1 of '9.png' is at (3, -1), outside its image of 40 by 30 px",
        ),
        ("9.png,,3", "line 11: x1 is ''; expected a number of pixels"),
        ("9.png,3,nan", "line 11: y1 is 'nan'; expected a number of pixels"),
        ("9.png,3", "line 11: 2 values where 3 were expected"),
    ],
)
def test_a_wrong_point_is_named(photos: Path, line: str, message: str) -> None:
    """By its line, its place and the image's size."""
    points(photos, [*(f"{number}.png,1,2" for number in range(9)), line])
    assert message in refused("image-regression", photos)


def test_a_column_without_its_pair_is_named(photos: Path) -> None:
    """x2 needs y2."""
    points(photos, [f"{number}.png,1,2,3" for number in range(10)], "file,x1,y1,x2")
    assert "the column 'x2' does not belong to a pair" in refused("image-regression", photos)


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Ten cats and ten dogs."""
    for name in ("cats", "dogs"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (9, 9), (number, 0, 0)).save(
                tmp_path / "pets" / name / f"{number}.png"
            )
    return tmp_path / "pets"


def decide(folder: Path, lines: list[str]) -> Path:
    (folder / "decisions.csv").write_text("\n".join(["file,decision", *lines]) + "\n")
    return folder


def test_decisions_are_respected_and_said(pets: Path) -> None:
    """Deleted images are left out, moved ones change class; files that are gone do not count."""
    lines = [
        "cats/1.png,delete",
        "cats/2.png,dogs",
        "cats/3.png,keep",
        "dogs/4.png,",
        "dogs/gone.png,delete",
    ]
    source = look("image-classification", decide(pets, lines))
    found = dict((*source.content.train, *source.content.valid))
    assert len(found) == 19 and pets / "cats" / "1.png" not in found
    assert found[pets / "cats" / "2.png"] == "dogs" and found[pets / "dogs" / "4.png"] == "dogs"
    assert source.notes == (
        "decisions.csv: 1 images left out, 1 in another class than their folder's; "
        "1 of its files are not here any more",
    )


def test_a_decision_for_no_class_is_named(pets: Path) -> None:
    """A slip of the pen makes no class of its own."""
    decide(pets, ["cats/1.png,delete", "cats/2.png,dgos"])
    assert (
        "decisions.csv, line 3: the decision 'dgos' is neither keep, delete nor a class (cats, "
        "dogs)" in refused("image-classification", pets)
    )


def test_deleting_a_whole_class_is_noticed(pets: Path) -> None:
    """What is left is a single class."""
    decide(pets, [f"cats/{number}.png,delete" for number in range(10)])
    assert "holds a single class ('dogs')" in refused("image-classification", pets)
