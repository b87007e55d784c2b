"""What others find for one model of the benchmark, and the truth: `… MODEL [lightning]`.

All in one process, under the simulated memory; JSON on standard output. The truth is bisected to
the sample with three steps and a validation batch. Lightning trains in its own loop, whose truth is
the largest batch that its own bisection saw pass.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import logging
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

STARTED = time.monotonic()

import numpy as np  # noqa: E402
import torch  # noqa: E402

from benchmarks.batch_size.child import LIMIT, simulate  # noqa: E402
from benchmarks.batch_size.models import MODELS, TRAIN, VALID, Model, Samples  # noqa: E402
from benchmarks.batch_size.simulated_memory import SimulatedMemory  # noqa: E402
from executors.batch_size import trials  # noqa: E402

LOST = 20_000  # bytes of recorded losses that a learner keeps; less than a sample's
PROBES = (4, 8, 16)  # of the naive line
SMALLER = (1, 2, 3)
LONG = (
    8 * TRAIN
)  # samples for Lightning 2.6, which never ends where a batch of the whole data set fails
FASTAI_S = time.monotonic() - STARTED
Found = TypeVar("Found")


@dataclass
class Log:
    """Every batch that was tried, and whether it passed."""

    tried: list[tuple[int, bool]] = field(default_factory=list)

    def report(self, found: int, truth: int, seconds: float, start_s: float) -> dict[str, Any]:
        """What a table says of one method."""
        failed = sum(not ok for _, ok in self.tried)
        return {
            "found": found,
            "truth": truth,
            "trials": len(self.tried),
            "failures": failed,
            "seconds": round(seconds, 2),
            "start_s": round(start_s, 2),
        }


class Loop:
    """fastai's loop under a budget: the same trials as ours, in this process."""

    def __init__(self, name: str, folder: str, budget: int, memory: SimulatedMemory) -> None:
        how = {"device": "cpu", "size": None, "precision": "float32", "frozen": False}
        bound = {"memory_limit": None, "share": 1.0, "margin": 0.0}
        os.environ[LIMIT] = str(budget)
        self._bench = trials._Bench({"settings": {"task": name}, "folder": folder, **how, **bound})
        self._bench._real = lambda batch: 0.0  # type: ignore[method-assign]
        self.log, self._memory = Log(), memory

    def train(self, batch: int, validate: bool = True, steps: int = 3) -> int:
        """Peak bytes of these steps and of a validation batch; raises torch.OutOfMemoryError."""
        request = {
            "size": None,
            "precision": "float32",
            "frozen": False,
            "batch": batch,
            "steps": steps,
        }
        self.forget()
        self.log.tried.append((batch, False))
        told = self._bench.attempt(
            {**request, "seconds": 0.0, "validate": validate, "judge": True, "exact": True}
        )
        self.log.tried[-1] = (batch, True)
        return int(told["peak_bytes"])

    def fits(self, batch: int) -> bool:
        """Whether this batch trains; leaves no tensor behind when it does not."""
        try:
            self.train(batch)
        except torch.OutOfMemoryError:
            return False
        return True

    def forget(self) -> None:
        """Let go of what a failed trial left, so that the next is bounded as the first was."""
        learner = self._bench.learner
        learner.opt, learner.dls, learner.xb, learner.yb, learner.pred, learner.loss = (
            None,
            None,
            (),
            (),
            None,
            None,
        )
        learner.loss_grad = None
        learner.remove_cbs(
            [callback for callback in learner.cbs if type(callback).__name__ == "Meter"]
        )
        learner.model.zero_grad(set_to_none=True)
        if hasattr(learner.model, "reset"):  # a text model keeps its state, as wide as the batch
            for module in learner.model.modules():
                if hasattr(module, "bs"):
                    module.bs = 1
            learner.model.reset()
        gc.collect()
        left = self._memory.live - self._bench.base_bytes
        if left > LOST:
            raise RuntimeError(f"a trial left {left} bytes of tensors behind")


def bisected(loop: Loop, low: int) -> int:
    """The largest batch that fits; `low` does."""
    high = min(2 * low, TRAIN) + 1
    while high <= TRAIN and loop.fits(high - 1):
        low, high = high - 1, min(2 * high, TRAIN) + 1
        if low == TRAIN:
            return TRAIN
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if loop.fits(middle) else (low, middle)
    return low


def accelerate(loop: Loop) -> int:
    """find_executable_batch_size, started at the data set's size."""
    from accelerate.utils import find_executable_batch_size

    @find_executable_batch_size(starting_batch_size=TRAIN)
    def train(batch_size: int) -> int:
        loop.train(batch_size)
        return batch_size

    return int(train())


def naive(loop: Loop, budget: int) -> int:
    """Where the line through three small batches meets the budget; through smaller ones where these
    do not fit.
    """
    peaks: dict[int, int] = {}
    for batch in (*PROBES, *SMALLER):
        with contextlib.suppress(torch.OutOfMemoryError):
            peaks[batch] = loop.train(batch, validate=False, steps=2)
        if len(peaks) == len(PROBES):
            break
    slope, fixed = np.polyfit(list(peaks), list(peaks.values()), 1)
    return min(TRAIN, max(1, int((budget - fixed) / slope))) if slope > 0 else TRAIN


def lightning(
    model: Model, budget: int, mode: str, memory: SimulatedMemory, folder: str
) -> tuple[int, Log]:
    """Tuner.scale_batch_size with its own settings, its trials logged."""
    import lightning.pytorch as pl
    from lightning.pytorch.tuner import Tuner
    from lightning.pytorch.tuner import batch_size_scaling as scaling

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.batch_size, self.network = 2, model.network()

        def training_step(self, batch: Any, _: int) -> Any:
            return model.loss(self.network(batch[0]), batch[1])

        def validation_step(self, batch: Any, _: int) -> Any:
            return model.loss(self.network(batch[0]), batch[1])

        def configure_optimizers(self) -> Any:
            return torch.optim.AdamW(self.parameters(), lr=1e-4)

        def train_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(
                training, self.batch_size, shuffle=True, drop_last=True
            )

        def val_dataloader(self) -> Any:
            return torch.utils.data.DataLoader(held_out, min(self.batch_size, VALID))

    training, held_out = Samples(model, LONG), Samples(model, VALID)
    log, plain = Log(), scaling._try_loop_run

    def logged(trainer: Any, params: Any) -> None:
        log.tried.append((trainer.lightning_module.batch_size, False))
        plain(trainer, params)
        log.tried[-1] = (trainer.lightning_module.batch_size, True)

    module = Module()
    trainer = pl.Trainer(
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        max_epochs=1,
        enable_checkpointing=False,
        default_root_dir=folder,
    )
    gc.collect()
    memory.limit = memory.live + budget
    scaling._try_loop_run = logged
    try:
        found = Tuner(trainer).scale_batch_size(module, mode=mode)
    finally:
        scaling._try_loop_run, memory.limit = plain, None
    return int(found or 0), log


def timed(what: Callable[[], Found]) -> tuple[Found, float]:
    """What it returns, and the seconds it took."""
    start = time.monotonic()
    return what(), time.monotonic() - start


def measure(name: str, memory: SimulatedMemory, folder: str) -> list[dict[str, Any]]:
    """For each budget what each method found."""
    model, rows = MODELS[name], []
    for budget in model.budgets:
        row: dict[str, Any] = {}
        loop, build_s = timed(partial(Loop, name, folder, budget, memory))
        line, line_s = timed(partial(naive, loop, budget))
        line_log, loop.log = loop.log, Log()
        guess, guess_s = timed(partial(accelerate, loop))
        guess_log, loop.log = loop.log, Log()
        truth = bisected(loop, guess)
        row["accelerate"] = guess_log.report(guess, truth, guess_s, FASTAI_S + build_s)
        row["naive line"] = line_log.report(line, truth, line_s, FASTAI_S + build_s)
        memory.limit = None
        del loop
        gc.collect()
        rows.append({"budget": budget, "truth": truth, **row})
    if "lightning" not in sys.argv[2:]:
        return rows
    _, import_s = timed(lambda: __import__("lightning.pytorch"))
    for row, budget in zip(rows, model.budgets, strict=True):
        for mode in ("binsearch", "power"):
            (found, log), seconds = timed(partial(lightning, model, budget, mode, memory, folder))
            own = max((batch for batch, ok in log.tried if ok), default=0)
            truth = own if mode == "binsearch" else row["Lightning binsearch"]["truth"]
            row[f"Lightning {mode}"] = log.report(found, truth, seconds, FASTAI_S + import_s)
    return rows


def main() -> int:
    """Measure one model."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    memory = SimulatedMemory()
    simulate(memory)
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said), memory:
        rows = measure(sys.argv[1], memory, folder)
    print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
