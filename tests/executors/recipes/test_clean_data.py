"""Wrong labels are found, copies named, nothing is deleted, and decisions are followed."""

from __future__ import annotations

import csv
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from executors.errors import BadInput
from executors.recipe import check_params, typed_params
from executors.recipes import clean_data
from executors.runs.journal import Journal, Outcome
from executors.task import Settings
from executors.tasks import image_classification

COLOURS = {"red": (200, 30, 30), "green": (30, 200, 30), "blue": (30, 30, 200)}


def decisions(folder: Path) -> list[dict[str, str]]:
    with (folder / "decisions.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def run(folder: Path, **given: Any) -> Outcome:
    params = {"device": "cpu", "batch_size": 16, **given}
    checked = check_params(clean_data.RECIPE, params)
    return clean_data.run(typed_params(clean_data, checked), Journal(folder))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noisy squares in three colours; two lie in a wrong folder, and one is there twice."""
    folder, noise = tmp_path_factory.mktemp("photos"), random.Random(0)
    for name, colour in COLOURS.items():
        (folder / name).mkdir()
        for number in range(24):
            pixels = [
                tuple(max(0, min(255, c + noise.randrange(-25, 26))) for c in colour)
                for _ in range(64)
            ]
            image = Image.new("RGB", (8, 8))
            image.putdata(pixels)
            image.save(folder / name / f"{number:02d}.png")
    for number in (3, 11):
        shutil.move(folder / "red" / f"{number:02d}.png", folder / "blue" / f"red{number}.png")
    shutil.copy(folder / "green" / "05.png", folder / "green" / "again.png")
    return folder


@pytest.fixture(scope="module")
def cleaned(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Path]:
    folder = tmp_path_factory.mktemp("run")
    return run(
        folder, task="image-classification", data=str(photos), size=32, epochs=5, worst=12
    ), folder


def test_wrong_labels_are_the_hardest(cleaned: tuple[Outcome, Path]) -> None:
    """Both planted ones come first, with the class that they look like, and there are pictures."""
    rows = decisions(cleaned[1])
    assert {row["file"] for row in rows[:2]} == {"blue/red3.png", "blue/red11.png"}
    assert all(row["label"] == "blue" and row["predicted"] == "red" for row in rows[:2])
    assert (cleaned[1] / "hardest.png").stat().st_size > 1000
    assert cleaned[0].values["doubts"][0]["file"] == rows[0]["file"]


def test_copies_are_named(cleaned: tuple[Outcome, Path]) -> None:
    """The same bytes under two names are told, and the second is proposed to go."""
    assert cleaned[0].values["copies"] == [["green/05.png", "green/again.png"]]
    last = decisions(cleaned[1])[-1]
    assert (last["file"], last["proposal"]) == ("green/again.png", "delete") or any(
        row["file"] == "green/again.png" for row in decisions(cleaned[1])
    )
    assert "green/05.png and green/again.png" in cleaned[0].message


def test_it_decides_and_deletes_nothing(cleaned: tuple[Outcome, Path], photos: Path) -> None:
    """Every decision is "keep", every file is there; the list as it is changes no training."""
    assert {row["decision"] for row in decisions(cleaned[1])} == {"keep"}
    assert len(list(photos.rglob("*.png"))) == 73
    before = image_classification.inspect(Settings("image-classification", data=str(photos)))
    shutil.copy(cleaned[1] / "decisions.csv", photos)
    after = image_classification.inspect(Settings("image-classification", data=str(photos)))
    assert before.content == after.content and "0 images left out" in after.notes[0]


def test_decisions_are_followed(cleaned: tuple[Outcome, Path], photos: Path) -> None:
    """What the user writes into the list is what is trained on."""
    rows = decisions(cleaned[1])
    rows[0]["decision"], rows[1]["decision"] = "red", "delete"
    with (photos / "decisions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    source = image_classification.inspect(Settings("image-classification", data=str(photos)))
    found = {
        path.relative_to(photos).as_posix(): name
        for path, name in (*source.content.train, *source.content.valid)
    }
    assert found[rows[0]["file"]] == "red" and rows[1]["file"] not in found and len(found) == 72
    (photos / "decisions.csv").unlink()


def test_flipped_rows_of_a_table_are_found(tmp_path: Path) -> None:
    """Of 12 rows with the wrong class, most are among the 18 most doubtful."""
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).frame
    flipped = random.Random(1).sample(range(len(frame)), 12)
    frame.loc[flipped, "target"] = 1 - frame.loc[flipped, "target"]
    frame.to_csv(tmp_path / "cancer.csv", index=False)
    run(
        tmp_path,
        task="tabular",
        data=str(tmp_path / "cancer.csv"),
        target="target",
        worst=18,
        lr=0.01,
    )
    found = {int(row["file"].removeprefix("row ")) for row in decisions(tmp_path)}
    assert len(found & set(flipped)) >= 9


def test_texts_keep_their_places(tmp_path: Path) -> None:
    """Loaders of texts sort by length; what is judged is in the order of the rows all the same."""
    from executors.tasks import text_classification
    from executors.training.hard_samples import Watch

    rng, rows = random.Random(0), []
    for _ in range(60):
        label = rng.choice(("food", "sea"))
        rows.append(
            (" ".join(rng.choices(("ship", "tide", "salt", "soup"), k=rng.randrange(3, 12))), label)
        )
    with (tmp_path / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    settings = Settings(
        "text-classification", data=str(tmp_path / "texts.csv"), target="label", arch="16,16,1"
    )
    source = text_classification.inspect(settings)
    learner = text_classification.build(source, settings, None, 8, "cpu", tmp_path).learner
    watch = Watch()
    with learner.no_bar(), learner.no_logging():
        learner.fit(1, 1e-3, cbs=[watch])
    for part, loader in (("train", learner.dls.train), ("valid", learner.dls.valid)):
        wanted = [rows[row][1] for row in loader.dataset.items.index]
        assert [("food", "sea")[label] for label in watch.judged(part).labels] == wanted
        plain = loader.new(shuffle=False, drop_last=False, bs=1)
        with torch.no_grad():
            learner.model.eval()
            learner.model.reset()
            words, _ = plain.one_batch()  # the longest text alone
            alone = torch.softmax(learner.model(words)[0], dim=-1)[0].numpy()
        longest = next(iter(plain.get_idxs()))
        assert watch.judged(part).chances[longest] == pytest.approx(alone, abs=1e-3)


def test_a_quantity_has_no_labels(tmp_path: Path) -> None:
    """There is nothing to doubt in a number."""
    rng = random.Random(0)
    rows = [(rng.random(), rng.random() * 100) for _ in range(60)]
    with (tmp_path / "prices.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("area", "price"), *rows])
    with pytest.raises(BadInput, match="its target is a quantity; there are no labels to doubt"):
        run(tmp_path, task="tabular", data=str(tmp_path / "prices.csv"), target="price")
