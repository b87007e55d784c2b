"""Activations of a network's layers on one batch, and two ways to start that keep their scale.

References
----------
Kaiming: He et al. 2015, "Delving Deep into Rectifiers", section 2.2.
LSUV: Mishkin and Matas 2016, "All you need is a good init", algorithm 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

__all__ = ["Layer", "kaiming", "layers", "lsuv", "weighted"]

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d)
_RECTIFIED = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.Hardswish, nn.ELU)
_TRIES, _CLOSE, _CONSTANT = 10, 0.02, 1e-8
_STILL = 1e-6  # of the largest output: the rounding of single precision


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer's output on a batch.

    `mean` and `deviation` are over all values; `signal` is the deviation from sample to sample, a
    unit at a time, on average: biases differ from unit to unit and can hide that it has gone.
    `dead` is the share of units that are zero for every sample, None without ReLU; `still` that of
    units whose output is the same for every sample.
    """

    name: str
    kind: str
    mean: float
    deviation: float
    signal: float
    dead: float | None
    still: float


def weighted(model: nn.Module) -> list[tuple[str, nn.Module]]:
    """Linear and convolutional layers by name, in the order in which they were defined."""
    return [
        (name, module) for name, module in model.named_modules() if isinstance(module, _WEIGHTED)
    ]


def layers(model: nn.Module, forward: Callable[[], Any]) -> list[Layer]:
    """Every linear, convolutional and rectifying layer, once, in the order of `forward`'s calls."""
    described: list[Layer] = []
    seen: set[str] = set()

    def looked_at(name: str) -> Callable[..., None]:
        def look(module: nn.Module, _: Any, output: Any) -> None:
            if name not in seen and isinstance(output, torch.Tensor) and output.is_floating_point():
                seen.add(name)
                described.append(_described(name, module, output.detach()))

        return look

    with _hooked(model, (*_WEIGHTED, *_RECTIFIED), looked_at), torch.no_grad():
        forward()
    return described


def kaiming(model: nn.Module) -> None:
    """Draw every weight for rectifiers, by its fan-in; biases become zero."""
    for _, module in weighted(model):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # type: ignore[arg-type]
        if module.bias is not None:
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]


def lsuv(model: nn.Module, forward: Callable[[], Any]) -> int:
    """Orthonormal weights, then layers scaled to a deviation of one on the batch; how many were.

    All layers are scaled in one pass, each in its turn and its output with it, as biases are zero;
    passes follow until none changes, for weights that several layers share. A layer that `forward`
    does not reach, or whose output is constant, is left as it was drawn.
    """
    for _, module in weighted(model):
        nn.init.orthogonal_(module.weight)  # type: ignore[arg-type]
        if module.bias is not None:
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    varied: set[str] = set()
    for _ in range(_TRIES):
        if not _scaled(model, forward, varied):
            break
    return len(varied)


def _scaled(model: nn.Module, forward: Callable[[], Any], varied: set[str]) -> bool:
    """Divide each layer's weights by its first output's deviation; whether any was not yet one.

    Names of layers whose output is not constant are added to `varied`.
    """
    seen: set[str] = set()
    changed = False

    def looked_at(name: str) -> Callable[..., Any]:
        def look(module: nn.Module, _: Any, output: Any) -> Any:
            nonlocal changed
            if name in seen or not isinstance(output, torch.Tensor):
                return None
            seen.add(name)
            deviation = float(output.float().std())
            if not deviation >= _CONSTANT:
                return None
            varied.add(name)
            if abs(deviation - 1) < _CLOSE:
                return None
            changed = True
            module.weight.div_(deviation)  # type: ignore[operator]
            return output / deviation

        return look

    with _hooked(model, _WEIGHTED, looked_at), torch.no_grad():
        forward()
    return changed


def _described(name: str, module: nn.Module, output: torch.Tensor) -> Layer:
    values = output.float()
    dead = None
    if isinstance(module, nn.ReLU | nn.ReLU6) and values.ndim > 1:
        units = (values == 0).transpose(0, 1).flatten(1).all(dim=1)  # (units,)
        dead = float(units.float().mean())
    deviation = float(values.std()) if values.numel() > 1 else 0.0
    signal = float(values.std(dim=0).mean()) if len(values) > 1 else 0.0
    kind, mean = type(module).__name__, float(values.mean())
    return Layer(name, kind, mean, deviation, signal, dead, _still(values))


def _still(values: torch.Tensor) -> float:
    """The share of units, along the second dimension, that do not differ from sample to sample."""
    if values.ndim < 2 or len(values) < 2:
        return 0.0
    moved = (values - values[:1]).abs().transpose(0, 1).flatten(1).amax(dim=1)  # (units,)
    return float((moved <= _STILL * values.abs().amax()).float().mean())


@contextmanager
def _hooked(
    model: nn.Module, kinds: tuple[type[nn.Module], ...], look: Callable[[str], Any]
) -> Iterator[None]:
    """Hooks on the model's modules of these kinds, taken off again."""
    hooks = [
        module.register_forward_hook(look(name))
        for name, module in model.named_modules()
        if isinstance(module, kinds)
    ]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
