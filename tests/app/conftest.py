"""Notes on cooking and on training, and stores of them made with the real encoder."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from made import write_notes
from remembered import remembered

from app.paths import starter_notes
from ingest import build
from kg.encoder import Encoder
from kg.store import Store, open_store

ReadIn = Callable[[Sequence[Path], Path], None]

BREAD = """\
# Bread

## Flour

Flour is ground grain. Wheat flour holds the gluten that makes a loaf rise.

## Sourdough starter | Levain

A sourdough starter is flour and water that wild yeast lives in. Feed it every day.

Needs: [[Flour]]

- [Feeding a starter, a film](https://example.org/levain)

## Proofing

Proofing is the rest in which dough rises. It needs a lively [[Sourdough starter]] and warm air. No
sourdough starter, no rise.

1. Cover the bowl.
2. Wait until the dough has doubled.
3. Press it gently: it should spring back slowly.

| room | hours |
| --- | --- |
| 20 °C | 8 |
| 26 °C | 4 |

## Crust

A crust is the dry, brown outside of a loaf.

[**TIP**] Steam in the first ten minutes keeps the crust soft, so that the loaf can grow.

[**TIP**] For a thick crust, leave the loaf in the oven with the door ajar.
"""

TRAINING = """\
# Training

## Learning rate

The learning rate is the length of a training step. Too long, and the loss grows; too short, and \
nothing happens.

## Learning rate before unfreezing

While the model is frozen, take the steepest point of the finder's curve, often near 1e-2.

## Learning rate after unfreezing

After unfreezing, take a slice: from a tenth of where the loss shoots up to a fifth of the frozen \
rate.

$$
\\theta \\leftarrow \\theta - \\eta \\nabla L
$$

## Batch size

The batch size is the number of samples in one training step.

```python
free = torch.cuda.mem_get_info()[0]
size = 64 if free > 8e9 else 16
```
"""

OTHER = """\
# Opinions

## Salt

Salt goes into the dough at the start.

## When to salt

Salt goes into the dough only after the first rest, never at the start.
"""


@pytest.fixture(autouse=True, scope="module")
def read_once() -> Iterator[None]:
    """Tests ingest and ask the same few texts again and again, which are read once."""
    with remembered():
        yield


@pytest.fixture(scope="session")
def read_in(encoder: Encoder) -> ReadIn:
    """Ingest paths into a folder with the encoder that is loaded already."""

    def read(paths: Sequence[Path], folder: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(build, "load_encoder", lambda name: encoder)
            build.ingest(paths, folder)

    return read


@pytest.fixture(scope="session")
def store_of(
    read_in: ReadIn, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Store]]:
    """A function that makes a store of notes: texts by their names, or paths."""
    opened: list[Store] = []

    def made(notes: Mapping[str, str] | Sequence[Path]) -> Store:
        folder = tmp_path_factory.mktemp("made")
        paths = [write_notes(folder / "notes", notes)] if isinstance(notes, Mapping) else notes
        read_in(paths, folder / "store")
        opened.append(open_store(folder / "store"))
        return opened[-1]

    yield made
    for store in opened:
        store.close()


@pytest.fixture(scope="session")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("notes")
    (folder / "bread.md").write_text(BREAD, encoding="utf-8")
    (folder / "training.md").write_bytes(TRAINING.replace("\n", "\r\n").encode())
    (folder / "opinions.md").write_text(OTHER, encoding="utf-8")
    cells = [
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": ["# Baking log\n", "\n", "## Oven temperature\n"],
        },
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": ["The oven temperature is 240 degrees for a free loaf."],
        },
        {
            "cell_type": "code",
            "metadata": {},
            "execution_count": 1,
            "source": ["degrees = 240\n", "print(degrees)"],
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["240\n"]}],
        },
    ]
    notebook = {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}
    (folder / "log.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def store_folder(notes: Path, read_in: ReadIn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    read_in([notes], folder)
    return folder


@pytest.fixture(scope="session")
def store(store_folder: Path) -> Iterator[Store]:
    """The store of these notes, open; named as one above that would be shared with all."""
    opened = open_store(store_folder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def starter(store_of: Callable[..., Store]) -> Store:
    """Three of the starter notes: on training, regularising and initialising."""
    return store_of([next(starter_notes().glob(f"{number}-*.md")) for number in ("05", "06", "07")])
