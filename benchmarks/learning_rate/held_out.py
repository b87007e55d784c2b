"""The learning-rate benchmark's tasks that no rule was chosen on: data and networks that its
development tasks lack.

Each was checked to build and to be learned at one plain rate; how a rule does on it was not looked
at before the run whose result is published. Once it has been, the task belongs to the development
set of the next rule. The data is generated or comes with scikit-learn and other installed packages.
"""

from __future__ import annotations

from functools import partial

from fastai.losses import BCEWithLogitsLossFlat
from torch import nn

from benchmarks.learning_rate.data import docstrings, names, table
from benchmarks.learning_rate.held_out_nets import (
    Last,
    Players,
    Tagger,
    Vectors,
    bottle,
    dilated,
    instances,
    normless,
    over_words,
    plain,
)
from benchmarks.learning_rate.learners import CE, MSE, Task, fresh, tuned
from benchmarks.learning_rate.made import (
    adding,
    clock,
    dice,
    ellipses,
    matches,
    parity,
    pitch,
    rectifier,
    reversed_digits,
    rings,
    roll,
    spirals,
)

__all__ = ["HELD_OUT"]

_ellipses = (partial(ellipses, tilts=False), partial(ellipses, tilts=True))
_ellipses_net = (lambda: instances((12, 24, 32)), lambda: nn.Linear(32, 4))
_text = (
    partial(docstrings, packages=("matplotlib", "PIL", "sympy"), n=1200),
    partial(docstrings, packages=("torch", "scipy", "fastai"), n=1200),
)
_text_net = (lambda: over_words(1000, 32), lambda: nn.Linear(32, 3))

HELD_OUT: tuple[Task, ...] = (
    Task(
        "rings counted, vision transformer",
        "vision",
        6,
        fresh(rings, lambda: Vectors(24, 6, 32, 4), CE),
    ),
    Task(
        "hand of a clock, deep and plain CNN",
        "vision",
        5,
        fresh(clock, lambda: normless(1, 12, 7, 2), MSE),
    ),
    Task("dice through a bottleneck", "vision", 8, fresh(dice, lambda: bottle(256, 96, 12), MSE)),
    Task(
        "tilt of ellipses after their length, frozen",
        "vision",
        5,
        tuned(*_ellipses, *_ellipses_net, frozen=True),
    ),
    Task(
        "tilt of ellipses after their length, unfrozen",
        "vision",
        5,
        tuned(*_ellipses, *_ellipses_net, frozen=False),
        sliced=True,
    ),
    Task(
        "pitch of a tone, dilated convolutions",
        "signals",
        5,
        fresh(pitch, lambda: dilated(16, 5, 1), MSE),
    ),
    Task(
        "sum of two marked numbers, LSTM",
        "signals",
        5,
        fresh(adding, lambda: Last(2, 32, 1), MSE, bs=64),
    ),
    Task(
        "digits turned round, transformer",
        "text",
        5,
        fresh(reversed_digits, lambda: Tagger(8, 32, 6), CE, bs=64),
    ),
    Task(
        "kinds of names, LSTM both ways",
        "text",
        4,
        fresh(partial(names, packages=("torch", "scipy")), lambda: Last(16, 32, 3, 27), CE),
    ),
    Task("docstrings after others, frozen", "text", 5, tuned(*_text, *_text_net, frozen=True)),
    Task(
        "docstrings after others, unfrozen",
        "text",
        5,
        tuned(*_text, *_text_net, frozen=False),
        sliced=True,
    ),
    Task(
        "three spirals, deep tanh",
        "tabular",
        6,
        fresh(spirals, lambda: plain((2, *(32,) * 6, 3), nn.Tanh), CE, bs=64),
    ),
    Task(
        "parity of three of twelve signs",
        "tabular",
        6,
        fresh(parity, lambda: plain((12, 128, 64, 2), nn.ReLU), CE, bs=64),
    ),
    Task(
        "iris",
        "tabular",
        12,
        fresh(partial(table, name="iris"), lambda: plain((4, 16, 16, 3), nn.ReLU), CE, bs=8),
    ),
    Task(
        "rolled sheet, not normalised",
        "tabular",
        8,
        fresh(roll, lambda: plain((3, 64, 64, 1), nn.ReLU), MSE, bs=64),
    ),
    Task(
        "phase of a circuit, mostly noise",
        "tabular",
        8,
        fresh(rectifier, lambda: plain((4, 64, 32, 1), nn.GELU), MSE, bs=64),
    ),
    Task(
        "who beats whom",
        "collab",
        3,
        fresh(partial(matches, players=60), lambda: Players(60, 8), BCEWithLogitsLossFlat(), bs=64),
    ),
)
