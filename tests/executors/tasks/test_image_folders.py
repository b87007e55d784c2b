"""A folder of images becomes classes, or one sentence that names what is wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from PIL import Image

from executors.errors import BadInput, BadParameter
from executors.inputs.images import Split
from executors.task import Settings
from executors.tasks import find_task
from executors.tasks.image_classification import inspect


def paint(folder: Path, count: int, shade: int = 0) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.new("RGB", (40, 30), (shade, number, 0)).save(folder / f"{number}.png")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Ten cats and ten dogs, and things that are no classes."""
    paint(tmp_path / "pets" / "cats", 10)
    paint(tmp_path / "pets" / "dogs", 10, 200)
    (tmp_path / "pets" / ".cache").mkdir()
    (tmp_path / "pets" / "notes.txt").write_text("no image")
    return tmp_path / "pets"


def look(folder: Path, arch: str = "") -> Split:
    content = inspect(Settings("image-classification", str(folder), arch=arch)).content
    assert isinstance(content, Split)
    return content


def refused(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        look(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_subfolders_are_classes(pets: Path) -> None:
    """A fifth is held out, every image is in one part, every class is trained on."""
    images = look(pets)
    assert (len(images.train), len(images.valid)) == (16, 4)
    assert {name for _, name in images.train} == {"cats", "dogs"}
    assert len({item for item, _ in (*images.train, *images.valid)}) == 20


def test_train_and_valid_are_taken_as_they_are(pets: Path) -> None:
    """A folder's own split is kept."""
    paint(pets / "train" / "a", 5)
    paint(pets / "train" / "b", 5)
    paint(pets / "valid" / "a", 2)
    images = look(pets)
    assert (len(images.train), len(images.valid), images.own) == (10, 2, True)


@pytest.mark.parametrize(("train", "held"), [("train", "val"), ("Training", "Test")])
def test_parts_of_other_names_are_no_classes(tmp_path: Path, train: str, held: str) -> None:
    """They are recognised by a class that both have, said, and named in the snippet."""
    for part, count in ((train, 5), (held, 2), ("zoo", 3)):
        for name in ("a", "b"):
            paint(tmp_path / part / name, count)
    settings = Settings("image-classification", str(tmp_path))
    source = inspect(settings)
    assert (source.train, source.valid) == (10, 4)
    assert f"{train}/ is trained on, {held}/ validated on; left out: zoo/" in source.doubts
    code = find_task("image-classification").snippet(source, settings, 32, 4, False)
    assert f"train='{train}', valid='{held}'" in code


def test_classes_called_as_parts_are_classes(tmp_path: Path) -> None:
    """Images of trains and of valleys, with a single tram: nothing of it can be validated on."""
    paint(tmp_path / "train", 8)
    paint(tmp_path / "valley", 8)
    paint(tmp_path / "tram", 1)
    source = inspect(Settings("image-classification", str(tmp_path)))
    assert source.title.endswith("17 images in 3 classes")
    said = "classes of a single image, which is trained on and never validated: 'tram'"
    assert source.doubts == (said,)


def test_labels_in_a_table_are_another_task(tmp_path: Path) -> None:
    """That is where one is sent."""
    paint(tmp_path / "train", 10)
    (tmp_path / "labels.csv").write_text("id,breed\n0,pug\n")
    message = refused(tmp_path)
    assert "a single class ('train')" in message and "multi-label, which reads" in message


def test_a_class_that_is_only_validated_is_refused(pets: Path) -> None:
    """It could not be learned."""
    paint(pets / "train" / "a", 5)
    paint(pets / "train" / "b", 5)
    paint(pets / "valid" / "c", 2)
    assert "class 'c' is in valid/ but not in train/" in refused(pets)


def test_a_single_class_is_named(tmp_path: Path) -> None:
    """One subfolder is nothing to tell apart."""
    paint(tmp_path / "cats", 10)
    assert (
        refused(tmp_path)
        == f"{tmp_path} holds a single class ('cats'); classification needs at least two subfolders"
    )


def test_loose_images_are_counted(tmp_path: Path) -> None:
    """Images without subfolders have no class."""
    paint(tmp_path, 3)
    assert "holds 3 images but no subfolder with images" in refused(tmp_path)


def test_missing_folders_and_files_are_refused(tmp_path: Path) -> None:
    """What is there instead is said."""
    assert "does not exist; give a folder" in refused(tmp_path / "none")
    (tmp_path / "file").write_text("")
    assert "is a file; give a folder" in refused(tmp_path / "file")


def test_too_few_images_are_counted(tmp_path: Path) -> None:
    """How many there are, and how many are needed."""
    paint(tmp_path / "a", 2)
    paint(tmp_path / "b", 2)
    assert "holds 4 images; at least 8 are needed" in refused(tmp_path)


def test_an_unreadable_image_is_named(pets: Path) -> None:
    """A text with an image's name is found before training, by its path."""
    (pets / "dogs" / "fake.jpg").write_text("not at all")
    assert refused(pets) == (
        f"1 of 21 images in {pets} cannot be read: dogs/fake.jpg (it is not an image); "
        "replace or remove them"
    )


def test_a_cut_off_image_is_named_before_and_when_it_is_loaded(pets: Path) -> None:
    """It is found by decoding it; one that is cut off later, in training and still by its path."""
    from executors.tasks.image_classification import build

    pixels = random.Random(0).randbytes(300 * 300 * 3)
    whole = pets / "dogs" / "cut.jpg"
    Image.frombytes("RGB", (300, 300), pixels).save(whole)
    settings = Settings("image-classification", str(pets), arch="squeezenet1_1", pretrained=False)
    source = inspect(settings)
    whole.write_bytes(whole.read_bytes()[:2000])
    assert "dogs/cut.jpg (image file is truncated" in refused(pets)
    loaders = build(source, settings, 32, 4, "cpu", pets).learner.dls
    with pytest.raises(BadInput, match=r"cut\.jpg cannot be read as an image: .*truncated"):
        for samples in (loaders.train_ds, loaders.valid_ds):
            for number in range(len(samples)):
                samples[number]


def test_an_unknown_architecture_names_the_closest(pets: Path) -> None:
    """A slip of the pen is met with the name that was meant."""
    with pytest.raises(BadParameter, match="there is no architecture 'resnet81'; try resnet18"):
        look(pets, "resnet81")


def test_the_digits_are_split_the_same_each_time() -> None:
    """The seed decides the split, and nothing else does."""
    first = inspect(Settings("image-classification", seed=1)).content
    assert first == inspect(Settings("image-classification", seed=1)).content
    assert first != inspect(Settings("image-classification", seed=2)).content
    assert len(first.train) + len(first.valid) == 1797
