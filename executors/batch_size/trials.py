"""Trains single batches on request, in a process that may run out of memory.

Requests come as JSON lines on a socket, where answers leave too; see `executors.batch_size.bench`,
the other side. What is trained is what `fit` trains: forward, backward, optimizer, with fastai's
callbacks and precision, on real samples repeated to the batch's size; a trial that verifies goes on
with shuffled batches of the task's own loaders. After a failure the process says so and ends, for
what ran out of memory once is not to be trusted again.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import torch
from fastai.torch_core import set_seed

from executors.amounts import show_bytes
from executors.batch_size.trial_parts import (
    Few,
    Loaders,
    Meter,
    Repeated,
    mixed_precision,
    precisions,
    synchronize,
)
from executors.devices import choose_device
from executors.errors import RecipeError, one_line, reason
from executors.leaving import leave
from executors.memory import (
    available_bytes,
    bound_memory,
    exact_heap,
    free_cached,
    is_out_of_memory,
    reset_peak,
    used_bytes,
)
from executors.runs.folder import plain
from executors.task import Settings, Source
from executors.tasks import find_task

__all__ = ["main"]

_MOST_STEPS = 400
_UNJUDGED = 3  # times the limit: room for a heap that keeps what is freed, still an end to it
_LOADING = 1.25  # times the limit on the CPU, where a loader's samples lie beside the network's
# of the task's own loaders, in training and in validation each
_REAL_BATCHES, _REAL_LEAST, _REAL_S = 6, 2, 5.0


class _Bench:
    """A learner of one task on one device, ready to try batches."""

    learner: Any
    loaders: Any
    template: Any  # a tuple of tensors (b, ...), on the CPU
    finish: Any

    def __init__(self, first: dict[str, Any]) -> None:
        self.settings = Settings(**first["settings"])
        self.task = find_task(self.settings.task)
        self.device = choose_device(first["device"])
        set_seed(self.settings.seed)
        _start(self.device.name)
        self.source: Source = self.task.inspect(self.settings, verify=False)
        self.folder = Path(first["folder"])
        self.stage = ""
        self.case = (first["size"], str(first["precision"]), bool(first["frozen"]))
        self._build()
        self.available_bytes = available_bytes(self.device.name)
        fixed = first.get("fixed_limit")
        self.limit_bytes = fixed or _limit(self.available_bytes, self.device.name, first)

    def hello(self) -> dict[str, Any]:
        """What the other side has to know before the first trial."""
        return {
            "device": self.device.name,
            "card": self.device.card,
            "why": self.device.why,
            "available_bytes": self.available_bytes,
            "limit_bytes": self.limit_bytes,
            "precisions": list(precisions(self.device.name)),
            "pretrained": self.pretrained,
            "notes": list(self.notes),
        }

    def attempt(self, request: dict[str, Any]) -> dict[str, Any]:
        """Train `steps` batches, more until `seconds` have passed, and count the bytes."""
        case = (request["size"], request["precision"], request["frozen"])
        if case != self.case:
            self.case = case
            self._build()
        learner, device = self.learner, self.device.name
        batch, judge = request["batch"], request["judge"]
        exact_heap(request["exact"])
        room = 1 if judge or device != "cpu" else _UNJUDGED
        bound_memory(device, room * self.limit_bytes)
        reset_peak(device)
        meter = Meter(device, request["seconds"], request["steps"])
        most = max(request["steps"], _MOST_STEPS if request["seconds"] else 0)
        train = Repeated(self.finish, self.template, batch, most, device)
        valid = None
        if request["validate"]:
            valid = Repeated(self.finish, self.template, self._held_out(batch), 1, device)
        self._fit(Loaders(train, valid, self.n_inp, device), meter)
        meter.mark()
        peak = meter.peak_bytes - self.base_bytes
        del train, valid
        too_much = judge and peak > self.limit_bytes
        waited = self._real(batch) if request["validate"] and not too_much else 0.0
        learner.opt = None
        learner.model.zero_grad(set_to_none=True)
        learner.dls = None
        free_cached(device)
        limit = show_bytes(self.limit_bytes)
        return {
            "ok": not too_much,
            "peak_bytes": peak,
            "train_bytes": meter.train_bytes - self.base_bytes,
            # the first step sets up; others' work only ever slows
            "samples_per_s": batch / min(meter.step_s[1:] or meter.step_s),
            "loader_samples_per_s": batch / waited if waited else 0.0,
            "finite": meter.finite,
            "left_bytes": used_bytes(device) - self.base_bytes,
            "reason": f"took {show_bytes(peak)} of {limit}" if too_much else "",
        }

    def _fit(self, loaders: Any, watch: Any) -> None:
        self.learner.dls = loaders
        with self.learner.no_bar(), self.learner.no_logging():
            self.learner.fit(1, lr=1e-4, cbs=[watch])

    def _real(self, batch: int) -> float:
        """Train on shuffled batches of the task's own loaders and validate, as the epochs will.

        Returns the seconds that a batch is waited for, 0 where the loaders cannot be had in another
        size.
        """
        train, valid = self.loaders.train, self.loaders.valid
        if not hasattr(train, "new") or not hasattr(valid, "new"):
            return 0.0
        if self.device.name == "cpu":
            bound_memory("cpu", int(_LOADING * self.limit_bytes))
        self.stage = "on shuffled samples, after three steps on the costliest had passed: "
        held_out = valid.new(bs=self._held_out(batch)) if self.source.valid else None
        loaders = Loaders(train.new(bs=batch), held_out, self.n_inp, self.device.name)
        few = Few(self.device.name, _REAL_BATCHES, _REAL_LEAST, _REAL_S)
        self._fit(loaders, few)
        self.stage = ""
        return statistics.median(few.waits_s) if few.waits_s else 0.0

    def _held_out(self, batch: int) -> int:
        return max(1, min(batch, self.source.valid))

    def _build(self) -> None:
        """A learner for the case, and the samples that batches are made of."""
        size, precision, frozen = self.case
        self.learner = self.loaders = self.template = self.finish = None
        free_cached(self.device.name)
        built = self.task.build(self.source, self.settings, size, 2, self.device.name, self.folder)
        self.pretrained, self.notes = built.pretrained, built.notes
        learner = built.learner
        learner.freeze() if frozen else learner.unfreeze()
        callback = mixed_precision(precision, self.device.name)
        if callback is not None:
            learner.add_cb(callback)
        loader = learner.dls.train
        self.template, self.finish = self.task.template(loader), partial(self.task.finish, loader)
        self.learner, self.loaders = learner, learner.dls
        # torch's own loaders do not say it
        self.n_inp = getattr(self.loaders, "n_inp", len(self.template) - 1)
        free_cached(self.device.name)
        self.base_bytes = used_bytes(self.device.name)


def main(channel: int) -> int:
    """Answer what is asked on the socket until there is no more, or until a trial fails."""
    exact_heap(True)
    bench: _Bench | None = None
    with os.fdopen(channel, encoding="utf-8", closefd=False) as requests:
        for line in requests:
            request = json.loads(line)
            try:
                if bench is None:
                    bench = _Bench(request)
                    answer = bench.hello()
                else:
                    answer = bench.attempt(request)
            except Exception as error:  # noqa: BLE001 - the outermost edge; anybody's network runs here
                _answer(channel, _failure(error, bench, bool(request.get("less_worked"))))
                return 1
            _answer(channel, answer)
    return 0


def _failure(error: Exception, bench: _Bench | None, less_worked: bool) -> dict[str, Any]:
    """The answer of a trial that failed: for lack of memory, or for another reason."""
    if isinstance(error, RecipeError):
        return {"error": str(error)}
    if is_out_of_memory(error, less_worked):
        stage = bench.stage if bench else ""
        return {"ok": False, "reason": f"{stage}out of memory: {reason(error)[:200]}"}
    traceback.print_exception(error)
    return {"error": one_line(error, 200), "unexpected": True}


def _answer(channel: int, value: dict[str, Any]) -> None:
    os.write(channel, (json.dumps(plain(value)) + "\n").encode())


def _limit(available: int, device: str, first: dict[str, Any]) -> int:
    """Bytes that training may take: those asked for, or a share of the free ones, less a margin."""
    asked, share = first["memory_limit"], first["share"] if device == "cpu" else 1.0
    allowed = share * available if asked is None else min(asked, available)
    return int(allowed * (1 - first["margin"]))


def _start(device: str) -> None:
    """Let torch start its threads and libraries, so that they are not counted as training."""
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    layer = torch.nn.Conv2d(3, 8, 3).to(device)
    norm = torch.nn.BatchNorm1d(8).to(device)
    out = norm(layer(torch.randn(8, 3, 16, 16, device=device)).mean((2, 3)))
    (out @ out.T).sum().backward()
    synchronize(device)


if __name__ == "__main__":
    leave(main(int(sys.argv[1])))
