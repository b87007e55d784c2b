"""The learning-rate benchmark's tasks that its rule was chosen on; those that it was not are in
`held_out`.

DEVELOPMENT is what the rule was chosen on, by looking at how it did. The eleven from "digits,
residual net" on were held out from a first rule, and looked at when it was changed; those of
`once_held_out` from the second. HELD_OUT was written after that, with data and networks that no
task of DEVELOPMENT has. The data comes with scikit-learn or from installed packages' docstrings, or
is made.
"""

from __future__ import annotations

from functools import partial

from fastai.callback.rnn import rnn_cbs
from torch import nn

from benchmarks.learning_rate.data import docstrings, friedman, moons, ratings, table, words
from benchmarks.learning_rate.held_out import HELD_OUT
from benchmarks.learning_rate.image_nets import Residual, UNet, cnn
from benchmarks.learning_rate.images import blurred, digits, placed, shapes
from benchmarks.learning_rate.learners import CE, MSE, Task, fresh, headed, tuned
from benchmarks.learning_rate.nets import (
    Bag,
    Recurrent,
    Stars,
    Transformer,
    awd_language_model,
    mlp,
)
from benchmarks.learning_rate.once_held_out import ONCE_HELD_OUT

__all__ = ["DEVELOPMENT", "HELD_OUT", "Task"]

_shapes = (partial(shapes, filled=False), partial(shapes, filled=True))
_shapes_net = (lambda: cnn(1, (16, 32, 32), norm=True), lambda: nn.Linear(32, 4))
_halves = (partial(digits, keep=range(5)), partial(digits, keep=range(5, 10)))
_halves_net = (lambda: Residual(1, (16, 32)), lambda: nn.Linear(32, 5))
_photo = (partial(placed, photo="china.jpg", across=True), partial(placed, photo="china.jpg"))
_photo_net = (lambda: cnn(3, (16, 32, 48), norm=True), lambda: nn.Linear(48, 4))
_stdlib = ("asyncio", "email", "unittest", "xml", "http", "logging")
_science = ("networkx", "sklearn", "numpy", "pandas")

DEVELOPMENT: tuple[Task, ...] = (
    Task(
        "shapes, plain CNN",
        "vision",
        6,
        fresh(_shapes[1], headed(lambda: cnn(1, (8, 16, 32)), 32, 4), CE),
    ),
    Task(
        "where in china.jpg, CNN with batch norm",
        "vision",
        6,
        fresh(
            partial(placed, photo="china.jpg"),
            headed(lambda: cnn(3, (16, 32, 32), norm=True), 32, 4),
            CE,
        ),
    ),
    Task("shapes, fine-tuned, frozen", "vision", 5, tuned(*_shapes, *_shapes_net, frozen=True)),
    Task(
        "shapes, fine-tuned, unfrozen",
        "vision",
        5,
        tuned(*_shapes, *_shapes_net, frozen=False),
        sliced=True,
    ),
    Task(
        "where in china.jpg, fine-tuned, frozen",
        "vision",
        5,
        tuned(*_photo, *_photo_net, frozen=True),
    ),
    Task(
        "where in china.jpg, fine-tuned, unfrozen",
        "vision",
        8,
        tuned(*_photo, *_photo_net, frozen=False),
        sliced=True,
    ),
    Task(
        "wine",
        "tabular",
        15,
        fresh(partial(table, name="wine"), lambda: mlp(13, (100, 50), 3), CE, bs=16),
    ),
    Task(
        "moons, deep and narrow",
        "tabular",
        6,
        fresh(moons, lambda: mlp(2, (32,) * 4, 2, norm=False), CE, bs=64),
    ),
    Task(
        "Friedman's function",
        "tabular",
        6,
        fresh(friedman, lambda: mlp(10, (200, 100), 1), MSE, bs=64),
    ),
    Task(
        "docstrings of Python, bag of words",
        "text",
        6,
        fresh(
            partial(docstrings, packages=_stdlib, n=1200), lambda: Bag(1000, 32, len(_stdlib)), CE
        ),
    ),
    Task(
        "letters of asyncio, GRU",
        "text",
        5,
        fresh(
            partial(words, package="asyncio", letters=True), lambda: Recurrent(300, 48), CE, bs=16
        ),
    ),
    Task(
        "ratings, network",
        "collab",
        4,
        fresh(
            partial(ratings, users=150, items=80, factors=4),
            lambda: Stars(150, 80, 16, deep=True),
            MSE,
            bs=64,
        ),
    ),
    Task(
        "digits, residual net",
        "vision",
        5,
        fresh(digits, headed(_halves_net[0], 32, 10), CE, bs=64),
    ),
    Task(
        "flower.jpg sharpened, U-Net",
        "vision",
        5,
        fresh(partial(blurred, photo="flower.jpg"), lambda: UNet(3, 12), MSE),
    ),
    Task(
        "digits 5 to 9 after 0 to 4, frozen",
        "vision",
        5,
        tuned(*_halves, *_halves_net, frozen=True),
    ),
    Task(
        "digits 5 to 9 after 0 to 4, unfrozen",
        "vision",
        4,
        tuned(*_halves, *_halves_net, frozen=False),
        sliced=True,
    ),
    Task(
        "breast cancer",
        "tabular",
        10,
        fresh(partial(table, name="breast_cancer"), lambda: mlp(30, (64,), 2, dropout=0.1), CE),
    ),
    Task(
        "diabetes",
        "tabular",
        12,
        fresh(partial(table, name="diabetes"), lambda: mlp(10, (128, 64), 1, dropout=0.1), MSE),
    ),
    Task(
        "digits as a table, deep",
        "tabular",
        5,
        fresh(
            lambda seed: (digits(seed)[0].flatten(1), digits(seed)[1]),
            lambda: mlp(64, (64,) * 3, 10),
            CE,
        ),
    ),
    Task(
        "docstrings of packages, GRU",
        "text",
        4,
        fresh(
            partial(docstrings, packages=_science), lambda: Recurrent(1000, 48, len(_science)), CE
        ),
    ),
    Task(
        "docstrings of packages, transformer",
        "text",
        5,
        fresh(
            partial(docstrings, packages=_science, n=1200, length=16),
            lambda: Transformer(1000, 32, 16, len(_science)),
            CE,
        ),
    ),
    Task(
        "words of networkx, AWD-LSTM",
        "text",
        5,
        fresh(
            partial(words, package="networkx", letters=False),
            lambda: awd_language_model(300),
            CE,
            bs=16,
            cbs=rnn_cbs,
        ),
    ),
    Task(
        "ratings, dot product",
        "collab",
        4,
        fresh(
            partial(ratings, users=250, items=120, factors=2),
            lambda: Stars(250, 120, 20, deep=False),
            MSE,
            bs=64,
        ),
    ),
    *ONCE_HELD_OUT,
)
