"""The learning-rate benchmark's tasks that were held out from its second rule, and looked at when
the third was chosen. The data is generated or comes with scikit-learn, matplotlib and other
installed packages.
"""

from __future__ import annotations

from functools import partial

from fastai.losses import BCEWithLogitsLossFlat, CrossEntropyLossFlat
from torch import nn

from benchmarks.learning_rate.data import clicks, code, hastie, impedance, wide, words
from benchmarks.learning_rate.image_nets import Segmenter, along, grouped, mixer, separable
from benchmarks.learning_rate.images import blobs, gratings, letters, turned, waves
from benchmarks.learning_rate.learners import CE, MSE, Task, fresh, headed, tuned
from benchmarks.learning_rate.nets import Causal, Clicks, Letters, layered, mlp, residual_mlp

__all__ = ["ONCE_HELD_OUT"]

_waves = (partial(waves, steady=True), partial(waves, steady=False))
_waves_net = (lambda: along((16, 24, 32, 48)), lambda: nn.Linear(48, 4))
_letters = (
    partial(letters, these="ABDEGHKMRS", fonts=("DejaVuSans", "DejaVuSansMono-Bold")),
    partial(letters, these="ABDEGHKMRS", fonts=("DejaVuSerif-Italic", "STIXGeneralBol")),
)
_letters_net = (lambda: mixer(1, 48, 3), lambda: nn.Linear(48, 10))
_packages = ("sympy", "matplotlib", "torch", "PIL")

ONCE_HELD_OUT: tuple[Task, ...] = (
    Task(
        "direction of stripes, depthwise-separable net",
        "vision",
        5,
        fresh(gratings, headed(lambda: separable(1, (16, 32, 48)), 48, 6), CE),
    ),
    Task(
        "turns of a photograph, CNN with group norm",
        "vision",
        5,
        fresh(turned, lambda: grouped(3, 24, (16, 32, 48), 4), CE),
    ),
    Task(
        "even and hollow blobs, segmentation",
        "vision",
        6,
        fresh(blobs, lambda: Segmenter(1, 8, 3), CrossEntropyLossFlat(axis=1), bs=16),
    ),
    Task(
        "changing waves after steady ones, frozen",
        "signals",
        5,
        tuned(*_waves, *_waves_net, frozen=True),
    ),
    Task(
        "changing waves after steady ones, unfrozen",
        "signals",
        5,
        tuned(*_waves, *_waves_net, frozen=False),
        sliced=True,
    ),
    Task(
        "serif letters after plain ones, frozen",
        "vision",
        6,
        tuned(*_letters, *_letters_net, frozen=True),
    ),
    Task(
        "serif letters after plain ones, unfrozen",
        "vision",
        6,
        tuned(*_letters, *_letters_net, frozen=False),
        sliced=True,
    ),
    Task(
        "sum of ten squares, residual",
        "tabular",
        8,
        fresh(hastie, lambda: residual_mlp(10, 64, 3, 2), CE, bs=64),
    ),
    Task(
        "impedance of a circuit, layer norm",
        "tabular",
        8,
        fresh(impedance, lambda: layered(4, (64, 64), 1), MSE, bs=64),
    ),
    Task(
        "wide table with noise, dropout",
        "tabular",
        6,
        fresh(wide, lambda: mlp(150, (128, 64), 4, norm=False, dropout=0.3), CE),
    ),
    Task(
        "packages' code by characters, CNN",
        "text",
        5,
        fresh(partial(code, packages=_packages), lambda: Letters(96, 64, len(_packages)), CE),
    ),
    Task(
        "words of scipy, causal transformer",
        "text",
        3,
        fresh(
            partial(words, package="scipy", letters=False, n=800, vocabulary=400),
            lambda: Causal(400, 48, 24),
            CE,
            bs=16,
        ),
    ),
    Task(
        "clicks, product and network",
        "collab",
        4,
        fresh(
            partial(clicks, users=120, items=80),
            lambda: Clicks(120, 80, 16),
            BCEWithLogitsLossFlat(),
            bs=64,
        ),
    ),
)
