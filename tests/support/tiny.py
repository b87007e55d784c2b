"""The smallest files that each task takes, in its documented layout, for short runs."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

from PIL import Image

__all__ = ["TINY"]

SIDE, COUNT = 32, 20
NET = "squeezenet1_1"  # trains in a fifth of resnet18's time
UNET = "regnet_x_400mf"  # its U-Net takes half the time of resnet18's
COLOURS = ((220, 40, 40), (40, 60, 220))


def _picture(number: int) -> Image.Image:
    """A noisy square whose left or right half is bright, in one of two colours."""
    noise = random.Random(number)
    image = Image.new("RGB", (SIDE, SIDE), COLOURS[number % 2])
    bright = Image.new("RGB", (SIDE // 2, SIDE), (noise.randrange(200, 256),) * 3)
    image.paste(bright, (SIDE // 2 * (number // 2 % 2), 0))
    return image


def _listing(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def _classes(folder: Path) -> dict[str, object]:
    for number in range(COUNT):
        place = folder / ("red", "blue")[number % 2]
        place.mkdir(exist_ok=True)
        _picture(number).save(place / f"{number}.png")
    return {"data": str(folder), "size": SIDE, "arch": NET}


def _labels(folder: Path) -> dict[str, object]:
    rows: list[tuple[object, ...]] = []
    for number in range(COUNT):
        _picture(number).save(folder / f"{number}.png")
        side = ("left", "right")[number // 2 % 2]
        rows.append((f"{number}.png", f"{('red', 'blue')[number % 2]} {side}"))
    _listing(folder / "labels.csv", ("file", "labels"), rows)
    return {"data": str(folder), "size": SIDE, "arch": NET}


def _masks(folder: Path) -> dict[str, object]:
    for name in ("images", "masks"):
        (folder / name).mkdir()
    for number in range(COUNT):
        _picture(number).save(folder / "images" / f"{number}.png")
        mask = Image.new("L", (SIDE, SIDE), 0)
        mask.paste(
            1, (SIDE // 2 * (number // 2 % 2), 0, SIDE // 2 * (number // 2 % 2) + SIDE // 2, SIDE)
        )
        mask.save(folder / "masks" / f"{number}.png")
    return {"data": str(folder), "size": SIDE, "arch": UNET}


def _points(folder: Path) -> dict[str, object]:
    rows: list[tuple[object, ...]] = []
    for number in range(COUNT):
        _picture(number).save(folder / f"{number}.png")
        rows.append((f"{number}.png", 8 + 16 * (number // 2 % 2), 16))
    _listing(folder / "points.csv", ("file", "x1", "y1"), rows)
    return {"data": str(folder), "size": SIDE, "arch": NET}


def _pictures(folder: Path) -> dict[str, object]:
    for number in range(COUNT):
        _picture(number).save(folder / f"{number}.png")
    return {"data": str(folder), "size": SIDE}


def _damaged(folder: Path) -> dict[str, object]:
    return {**_pictures(folder), "arch": UNET}


def _sentences(count: int) -> list[tuple[str, str]]:
    words = {
        "sea": ["ship", "wave", "harbour", "sail", "tide", "anchor"],
        "food": ["bread", "cheese", "apple", "salt", "soup", "onion"],
    }
    chance, rows = random.Random(0), []
    for number in range(count):
        label = ("sea", "food")[number % 2]
        rows.append((" ".join(chance.choices(words[label], k=8 + number % 5)), label))
    return rows


def _text(folder: Path) -> dict[str, object]:
    _listing(
        folder / "texts.csv", ("text",), [(" . ".join(text for text, _ in _sentences(90)),)] * 24
    )
    return {"data": str(folder / "texts.csv"), "arch": "16,16,1"}


def _reviews(folder: Path) -> dict[str, object]:
    _listing(folder / "reviews.csv", ("text", "label"), list(_sentences(40)))
    return {"data": str(folder / "reviews.csv"), "target": "label", "arch": "16,16,1"}


def _table(folder: Path) -> dict[str, object]:
    chance = random.Random(0)
    rows: list[tuple[object, ...]] = []
    for _ in range(60):
        area = chance.random()
        rows.append((area, chance.choice("ab"), "high" if area > 0.5 else "low"))
    _listing(folder / "houses.csv", ("area", "kind", "price"), rows)
    return {"data": str(folder / "houses.csv"), "target": "price", "arch": "20,10"}


def _ratings(folder: Path) -> dict[str, object]:
    chance = random.Random(0)
    rows: list[tuple[object, ...]] = [
        (u, i, 1 + (u + i) % 5) for u in range(12) for i in range(8) if chance.random() < 0.8
    ]
    _listing(folder / "ratings.csv", ("user", "item", "rating"), rows)
    return {"data": str(folder / "ratings.csv")}


LEARNER = """
import torch
from fastai.basics import DataLoader, DataLoaders, Learner, accuracy
from fastai.losses import CrossEntropyLossFlat


def make():
    torch.manual_seed(0)
    samples = [(torch.randn(4) + label, torch.tensor(label)) for _ in range(24) for label in (0, 1)]
    dls = DataLoaders(DataLoader(samples[:36], bs=8, shuffle=True), DataLoader(samples[36:], bs=8))
    model = torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 2))
    return Learner(dls, model, loss_func=CrossEntropyLossFlat(), metrics=accuracy)
"""


def _learner(folder: Path) -> dict[str, object]:
    (folder / "mine.py").write_text(LEARNER, encoding="utf-8")
    return {"learner": f"{folder / 'mine.py'}:make"}


TINY: dict[str, Callable[[Path], dict[str, object]]] = {
    "image-classification": _classes,
    "multi-label": _labels,
    "segmentation": _masks,
    "image-regression": _points,
    "restoration": _damaged,
    "gan": _pictures,
    "language-model": _text,
    "text-classification": _reviews,
    "tabular": _table,
    "collaborative-filtering": _ratings,
    "learner": _learner,
}
