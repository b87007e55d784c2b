"""Trains single batches on request, in a process that may run out of memory: `python -m executors.trials`.

Requests come as JSON lines on standard input, answers leave on the descriptor given; see `executors.bench`, the other
side. What is trained is what `fit` trains: forward, backward, optimizer, with fastai's callbacks and precision, on real
samples repeated to the batch's size. After a failure the process says so and ends, for what ran out of memory once is
not to be trusted again.
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import torch
from fastai.callback.core import Callback, CancelTrainException
from fastai.callback.fp16 import MixedPrecision
from fastai.torch_core import set_seed, to_device

from .amounts import show_bytes
from .devices import choose_device
from .errors import RecipeError
from .folder import plain
from .lifeline import end_with_parent
from .memory import (
    available_bytes,
    bound_memory,
    free_cached,
    is_out_of_memory,
    peak_bytes,
    reset_peak,
    used_bytes,
)
from .tasks import find_task
from .tasks.source import Settings, Source

__all__ = ["main"]

_LOSS_SCALE = 256.0  # float16 starts with 65536 otherwise, and skips the optimizer's first steps
_MOST_STEPS = 400
_UNJUDGED = 3  # times the limit: room for a heap that keeps what is freed, still an end to it


class _Loader:
    """What a Learner needs of a loader: the same samples, repeated to one batch, a number of times."""

    def __init__(self, finish: Any, template: tuple[Any, ...], batch: int, steps: int, device: str) -> None:
        self._finish, self._steps, self.bs, self.device = finish, steps, batch, torch.device(device)
        index = torch.arange(batch) % len(template[0])
        self._batch = tuple(part[index] for part in template)  # (b, ...) each, on the CPU as a loader gives it

    def __len__(self) -> int:
        return self._steps

    def __iter__(self) -> Any:
        for _ in range(self._steps):
            yield self._finish(to_device(self._batch, self.device))


class _Loaders:
    """The two loaders of a trial; stands in for DataLoaders while it trains."""

    def __init__(self, train: _Loader, valid: _Loader | None, n_inp: int, device: str) -> None:
        self.train, self.valid, self.n_inp, self.device = train, valid, n_inp, torch.device(device)

    def __getitem__(self, index: int) -> _Loader | tuple[()]:
        return self.train if index == 0 else self.valid or ()


class _Meter(Callback):
    """Takes the time of each training step and the peak of its forward and backward pass."""

    order = 90

    def __init__(self, device: str, seconds: float, least: int) -> None:
        self.device_name, self.seconds, self.least = device, seconds, least
        self.step_s: list[float] = []
        self.train_bytes = 0
        self.start = 0.0

    def before_batch(self) -> None:
        if self.training:
            _synchronize(self.device_name)
            self.start = time.perf_counter()

    def after_backward(self) -> None:
        self.train_bytes = max(self.train_bytes, peak_bytes(self.device_name))

    def after_batch(self) -> None:
        if self.training:
            _synchronize(self.device_name)
            self.step_s.append(time.perf_counter() - self.start)
            if len(self.step_s) >= self.least and sum(self.step_s) >= self.seconds:
                raise CancelTrainException


class _Bench:
    """A learner of one task on one device, ready to try batches."""

    def __init__(self, first: dict[str, Any]) -> None:
        self.settings = Settings(**first["settings"])
        self.task = find_task(self.settings.task)
        self.device = choose_device(first["device"])
        set_seed(self.settings.seed)
        _start(self.device.name)
        self.source: Source = self.task.inspect(self.settings, verify=False)
        self.folder = Path(first["folder"])
        self.frozen, self.asked = bool(first["frozen"]), str(first["precision"])
        self.size: int | None = first["sizes"][0]
        built = self._build(self.size)
        self.pretrained, self.notes = built.pretrained, built.notes
        self.precision = self.asked if self.device.name.startswith("cuda") else "float32"
        self._prepare(built.learner)
        free_cached(self.device.name)
        available = available_bytes(self.device.name)
        fixed = first.get("fixed_limit")
        self.limit_bytes = fixed or _limit(available, self.device.name, first)
        self.base_bytes = used_bytes(self.device.name)

    def hello(self) -> dict[str, Any]:
        """What the other side has to know before the first trial."""
        return {
            "device": self.device.name,
            "card": self.device.card,
            "why": self.device.why,
            "limit_bytes": self.limit_bytes,
            "precision": self.precision,
            "pretrained": self.pretrained,
            "notes": list(self.notes),
        }

    def attempt(
        self, size: int | None, batch: int, steps: int, seconds: float, validate: bool, judge: bool
    ) -> dict[str, Any]:
        """Train `steps` batches, more until `seconds` have passed; bytes count from before the first trial."""
        if size != self.size:
            self.size = size
            self._prepare(self._build(size).learner)
        learner, device = self.learner, self.device.name
        bound_memory(device, self.limit_bytes if judge or device != "cpu" else _UNJUDGED * self.limit_bytes)
        reset_peak(device)
        meter = _Meter(device, seconds, steps)
        most = max(steps, _MOST_STEPS if seconds else 0)
        train = _Loader(self.finish, self.template, batch, most, device)
        valid = None
        if validate:
            held_out = max(1, min(batch, self.source.valid))
            valid = _Loader(self.finish, self.template, held_out, 1, device)
        learner.dls = _Loaders(train, valid, len(self.template) - 1, device)
        with learner.no_bar(), learner.no_logging():
            learner.fit(1, lr=1e-4, cbs=[meter])
        peak = max(peak_bytes(device), meter.train_bytes) - self.base_bytes
        learner.opt = None
        learner.model.zero_grad(set_to_none=True)
        del train, valid
        learner.dls = None
        free_cached(device)
        rate = batch / min(meter.step_s[1:] or meter.step_s)  # the first sets up; others' work only ever slows
        too_much = judge and peak > self.limit_bytes
        return {
            "ok": not too_much,
            "peak_bytes": peak,
            "train_bytes": meter.train_bytes - self.base_bytes,
            "samples_per_s": rate,
            "left_bytes": used_bytes(device) - self.base_bytes,
            "reason": f"took {show_bytes(peak)} of {show_bytes(self.limit_bytes)}" if too_much else "",
        }

    def _build(self, size: int | None) -> Any:
        return self.task.build(self.source, self.settings, size, 2, self.device.name, self.folder)

    def _prepare(self, learner: Any) -> None:
        """Freeze or unfreeze, set the precision, and take the samples that batches are made of."""
        learner.freeze() if self.frozen else learner.unfreeze()
        if self.precision != "float32":
            half = {"float16": "fp16", "bfloat16": "bf16"}[self.precision]
            scale = {"init_scale": _LOSS_SCALE} if half == "fp16" else {}
            learner.add_cb(MixedPrecision(amp_mode=half, **scale))
        loader = learner.dls.train
        self.template, self.finish = self.task.template(loader), partial(self.task.finish, loader)
        self.learner = learner


def main() -> int:
    """Answer requests until there are no more, or until a trial fails."""
    answers = int(sys.argv[1])
    end_with_parent(int(sys.argv[2]))
    bench: _Bench | None = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if bench is None:
                bench = _Bench(request)
                _answer(answers, bench.hello())
            else:
                _answer(answers, bench.attempt(**request))
        except RecipeError as error:
            _answer(answers, {"error": str(error)})
            return 1
        except (RuntimeError, MemoryError, SystemError, OSError) as error:
            if not is_out_of_memory(error):
                raise
            first = next(iter(str(error).strip().splitlines()), type(error).__name__)
            _answer(answers, {"ok": False, "reason": f"out of memory: {first[:200]}"})
            return 1
    return 0


def _answer(descriptor: int, value: dict[str, Any]) -> None:
    os.write(descriptor, (json.dumps(plain(value)) + "\n").encode())


def _limit(available: int, device: str, first: dict[str, Any]) -> int:
    """Bytes that training may take: what was asked for, else a share of free memory, less the margin."""
    asked = first["memory_limit"]
    allowed = available * (first["share"] if device == "cpu" else 1.0) if asked is None else min(asked, available)
    return int(allowed * (1 - first["margin"]))


def _start(device: str) -> None:
    """Let torch start its threads and libraries, so that they are not counted as training."""
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    layer = torch.nn.Conv2d(3, 8, 3).to(device)
    norm = torch.nn.BatchNorm1d(8).to(device)
    out = norm(layer(torch.randn(8, 3, 16, 16, device=device)).mean((2, 3)))
    (out @ out.T).sum().backward()
    _synchronize(device)


def _synchronize(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    elif device == "mps":
        torch.mps.synchronize()


if __name__ == "__main__":
    sys.exit(main())
