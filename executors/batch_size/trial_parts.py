"""The parts of a trial: the batch it repeats, the meter of its steps, and 16 bits on the CPU."""

from __future__ import annotations

import time
from typing import Any

import torch
from fastai.callback.core import Callback, CancelTrainException, CancelValidException
from fastai.callback.fp16 import MixedPrecision
from fastai.torch_core import to_device, to_float

from executors.memory import peak_bytes, reset_peak

__all__ = [
    "CpuAutocast",
    "Few",
    "Loaders",
    "Meter",
    "Repeated",
    "mixed_precision",
    "precisions",
    "synchronize",
]

_LOSS_SCALE = 256.0  # float16 starts with 65536 otherwise, and skips the optimizer's first steps


class Repeated:
    """What a Learner needs of a loader: the same samples, repeated to one batch."""

    def __init__(
        self, finish: Any, template: tuple[Any, ...], batch: int, steps: int, device: str
    ) -> None:
        self._finish, self._steps, self.bs, self.device = finish, steps, batch, torch.device(device)
        self._template = template

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Any:
        index = torch.arange(self.bs) % len(self._template[0])
        batch = tuple(
            part[index] for part in self._template
        )  # (b, ...) each, on the CPU as a loader gives it
        for _ in range(self._steps):
            yield self._finish(to_device(batch, self.device))


class Loaders:
    """The two loaders of a trial; stands in for DataLoaders while it trains."""

    def __init__(self, train: Any, valid: Any, n_inp: int, device: str) -> None:
        self.train, self.valid, self.n_inp, self.device = train, valid, n_inp, torch.device(device)

    def __getitem__(self, index: int) -> Any:
        return self.train if index == 0 else self.valid or ()


class Meter(Callback):
    """Times each training step, keeps its peak of memory and sees losses that are no numbers."""

    order = 90

    def __init__(self, device: str, seconds: float, least: int) -> None:
        self.device_name, self.seconds, self.least = device, seconds, least
        self.step_s: list[float] = []
        self.train_bytes = self.peak_bytes = 0
        self.start = 0.0
        self.finite = True

    def before_batch(self) -> None:
        """Start the clock of a training step."""
        if self.training:
            synchronize(self.device_name)
            self.mark()
            reset_peak(self.device_name)
            self.start = time.perf_counter()

    def mark(self) -> None:
        """Keep the peak since the last step began."""
        self.peak_bytes = max(self.peak_bytes, peak_bytes(self.device_name))

    def after_backward(self) -> None:
        """Read the peak before the optimizer adds its own."""
        self.train_bytes = max(self.train_bytes, peak_bytes(self.device_name))

    def after_batch(self) -> None:
        """Stop the clock; end training when there were enough steps."""
        if self.training:
            synchronize(self.device_name)
            self.step_s.append(time.perf_counter() - self.start)
            self.finite = self.finite and bool(torch.isfinite(self.learn.loss.detach()).all())
            if len(self.step_s) >= self.least and sum(self.step_s) >= self.seconds:
                raise CancelTrainException


class Few(Callback):
    """Ends training and validation after some batches or seconds; times the wait for batches."""

    order = 91

    def __init__(self, device: str, batches: int, least: int, seconds: float) -> None:
        self.device_name, self.batches, self.least, self.seconds = device, batches, least, seconds
        self.waits_s: list[float] = []
        self.seen, self.begun, self.last = 0, 0.0, 0.0

    def before_train(self) -> None:
        """Start the clock."""
        self._begin()

    def before_validate(self) -> None:
        """Start the clock again."""
        self._begin()

    def before_batch(self) -> None:
        """Note how long the batch was waited for."""
        if self.training:
            self.waits_s.append(time.perf_counter() - self.last)

    def after_batch(self) -> None:
        """End training or validation when there was enough of it."""
        synchronize(self.device_name)
        self.last = time.perf_counter()
        self.seen += 1
        late = self.seen >= self.least and self.last - self.begun >= self.seconds
        if late or self.seen >= self.batches:
            raise CancelTrainException if self.training else CancelValidException

    def _begin(self) -> None:
        self.begun = self.last = time.perf_counter()
        self.seen = 0


class CpuAutocast(Callback):
    """bfloat16 on the CPU, as fastai's `MixedPrecision` does it on a card."""

    order = MixedPrecision.order

    def before_batch(self) -> None:
        """Compute in bfloat16 from here,"""
        self.autocast = torch.autocast("cpu", dtype=torch.bfloat16)
        self.autocast.__enter__()

    def after_pred(self) -> None:
        """take the loss in float32,"""
        self.learn.pred = to_float(self.pred)

    def after_loss(self) -> None:
        """and go back to float32."""
        self.autocast.__exit__(None, None, None)


def precisions(device: str) -> tuple[str, ...]:
    """The precisions that the device trains in."""
    if device.startswith("cuda"):
        return ("float32", "float16", *(("bfloat16",) if torch.cuda.is_bf16_supported() else ()))
    return ("float32", "bfloat16") if device == "cpu" else ("float32",)


def mixed_precision(precision: str, device: str) -> Callback | None:
    """The callback that trains in this precision; None for float32."""
    if precision == "float32":
        return None
    if device == "cpu":
        return CpuAutocast()
    if precision == "float16":
        return MixedPrecision(amp_mode="fp16", init_scale=_LOSS_SCALE)
    return MixedPrecision(amp_mode="bf16")


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device == "mps":
        torch.mps.synchronize()
