"""What tests of several packages share: the encoder, a small folder of notes, and its store."""

from __future__ import annotations

import os
import sqlite3

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before anything imports huggingface_hub
# before torch; threads that wait for each other's make all slow
os.environ.setdefault("OMP_NUM_THREADS", "1")
# of the terminal of whoever runs the tests: a console keeps the width it begins with
os.environ.pop("COLUMNS", None)
os.environ.pop("LINES", None)

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ingest import build
from kg.encoder import Encoder, load_encoder
from kg.store import Store, open_store

# A property holds on a busy machine too: no example fails for being slow.
settings.register_profile("gradus", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gradus")


def pytest_collection_finish() -> None:
    """What has been imported and collected is no garbage: not to look there saves a twelfth."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


FOUNDATIONS = """# Foundations

Goals: know what a model is made of.

## Tensor

A tensor is a rectangular block of numbers with a shape, such as a grey picture of 28 rows and 28 \
columns.

## Parameter | Weight

A parameter is a number inside a model that training may change. All parameters of a layer form a \
tensor.

## Gradient

The gradient says for every parameter how the loss changes when the parameter grows a little.
It points uphill, so a step goes against it: $w \\leftarrow w - \\eta \\nabla L$.

```python
loss.backward()
print(layer.weight.grad.shape)
```
"""
TRAINING = """# Training

## Stochastic Gradient Descent | SGD

Stochastic gradient descent moves each parameter a small step against the gradient, computed on \
one mini-batch.

## Learning Rate

The learning rate is the length of a step along the gradient.

- Too small a rate, and the loss hardly falls.
- Too large a rate, and the loss explodes.

Pick it with the learning rate finder, [described here](https://example.org/unet-and-dropout).

## Momentum

Momentum keeps a running mean of earlier gradients and steps along that mean.
Use it with stochastic gradient descent when the loss zigzags.

## Mini-batch

A mini-batch is the handful of examples that a step looks at. Its size is bounded by the memory \
of the GPU.
"""
REGULARISATION = """# Regularisation

## Goals

Keep the model from learning its examples by heart.

## Dropout

Dropout sets randomly chosen activations to zero while the model trains, so that no single one is \
relied upon.
At prediction time nothing is dropped.

| p | effect |
| --- | --- |
| 0.1 | mild |
| 0.5 | strong |

## Weight Decay

Weight decay subtracts a small share of every parameter at each step, which keeps parameters small.

## Label Smoothing

Needs: [[Cross Entropy]].

Label smoothing replaces the ones and zeros of the labels by 0.9 and 0.1. **Overconfidence** is \
what it cures.
"""
LOSSES = """# Losses

## Goals

Know which number to make small.

## Cross Entropy

Cross entropy is the negative logarithm of the probability that the model gives to the right class.

## Mean Squared Error (MSE)

The mean squared error averages the squared distance between prediction and target.
"""
SEGMENTATION = """---
title: U-Net
aliases: [Segmentation network]
prerequisites:
  - Dropout
  - Cross Entropy
---
# U-Net

The U-Net labels every pixel of a picture: a path down, a path up, and skip connections between \
the two.

## Goals

Know how a mask comes out.

## Skip Connection

A *skip connection* hands the activations of an early layer to a late one unchanged.

![The two paths](pictures/unet.png)
"""
RECURRENT = """# Recurrent Neural Network | RNN

After lesson 2. A recurrent neural network reads a text word by word and keeps a state.

## Truncated Back-propagation

**Truncation** means that the gradient stops after a fixed number of words.
The term `detach` refers to cutting a tensor from its history.
"""
AUGMENTATION = {
    "cells": [
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": [
                "# Data Augmentation\n",
                "\n",
                "Augmentation shows the model turned and cropped copies of each picture.\n",
                "\n",
                "Needs: [[Tensor]]\n",
            ],
        },
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {},
            "source": "tfms = aug_transforms(max_rotate=15)\nprint(len(tfms))",
            "outputs": [{"output_type": "stream", "name": "stdout", "text": ["4\n"]}],
        },
        {
            "cell_type": "markdown",
            "metadata": {},
            "source": "## Mixup\n\nMixup blends two pictures and their labels in a random ratio. "
            "It works like label smoothing and replaces dropout.",
        },
    ],
    "metadata": {
        "kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}
WINDOWS = (
    "\ufeff# Production\r\n\r\nServe the model behind a web page.\r\n\r\n## Export\r\n\r\n"
    "Export saves the learner: its parameters, its transforms and its classes.\r\n\r\n"
    "- one file\r\n- no data\r\n"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long, in the order they have.

    None of the browser's is one: its loop runs on, in which `asyncio.run` fails.
    """
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The default encoder, loaded once; on few short texts, more threads would only cost."""
    import torch

    torch.set_num_threads(1)
    return load_encoder()


@pytest.fixture(scope="session")
def notes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight small notes: a subfolder, front matter, a notebook, and one with CRLF and a BOM."""
    folder = tmp_path_factory.mktemp("notes")
    (folder / "more").mkdir()
    texts = {
        "01-foundations.md": FOUNDATIONS,
        "02-training.md": TRAINING,
        "03-regularisation.md": REGULARISATION,
        "04-losses.md": LOSSES,
        "05-recurrent.md": RECURRENT,
        "more/segmentation.md": SEGMENTATION,
        "more/augmentation.ipynb": json.dumps(AUGMENTATION, indent=1),
        "more/production.md": WINDOWS,
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())
    return folder


@pytest.fixture
def one_encoder(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """Ingest takes the encoder that is loaded already, instead of loading it again."""
    monkeypatch.setattr(build, "load_encoder", lambda name: encoder)
    return encoder


@pytest.fixture(scope="session")
def store_folder(
    notes_folder: Path, encoder: Encoder, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A store of the notes folder; not to be written to."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: encoder)
        build.ingest([notes_folder], folder)
    return folder


@pytest.fixture(scope="session")
def store(store_folder: Path) -> Iterator[Store]:
    """The store of the notes folder, open."""
    opened = open_store(store_folder)
    yield opened
    opened.close()


def _full_text(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    """Every term of the full-text index with its passage, column and place there."""
    connection.execute(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.terms "
        "USING fts5vocab(main, passages_fts, instance)"
    )
    found = connection.execute('SELECT doc, col, "offset", term FROM temp.terms')
    return sorted(found.fetchall())


@pytest.fixture(scope="session")
def everything() -> Callable[[Path], dict[str, object]]:
    """A function that reads all that a store says, to compare two stores by value."""

    def read(folder: Path) -> dict[str, object]:
        opened = open_store(folder)
        try:
            tables = (
                "notes",
                "passages",
                "statements",
                "vectors",
                "words",
                "concepts",
                "aliases",
                "mentions",
                "relations",
                "candidates",
            )
            count = opened._connection.execute
            return {
                "notes": {n: opened.note_text(n, None) for n in opened.note_names},
                "paths": opened.note_paths,
                "encoder": opened.encoder_name,
                "passages": tuple(opened.passages),
                "concepts": opened.concepts,
                "mentions": opened.mentions,
                "relations": (*opened.relations, *opened.candidates()),
                "vectors": [
                    v.tolist() for v in opened.vectors.of_passages(range(len(opened.passages)))
                ],
                "words": opened.vectors.words(range(len(opened.passages))),
                "statements": [
                    (v.whole.tolist(), v.statement_of.tolist())
                    for v in opened.vectors.statements(range(len(opened.passages)))
                ],
                "full text": _full_text(opened._connection),
                "rows": {t: count(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables},
            }
        finally:
            opened.close()

    return read
