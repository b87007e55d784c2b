"""The recipe "free-memory": what holds the memory after a training step, and what comes back when
it is let go.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

from executors.amounts import show_bytes
from executors.devices import cards
from executors.memory import available_bytes, free_cached, peak_bytes, reset_peak, used_bytes
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import BATCH_SIZE, DEVICE, SEED, SIZE, inputs
from executors.runs.journal import Journal, Outcome
from executors.tasks import TASK_NAMES

__all__ = ["RECIPE", "run"]

_TASKS = TASK_NAMES

RECIPE = Recipe(
    name="free-memory",
    title="Free my memory",
    summary=(
        "Trains a few steps and shows what holds the memory then: weights, gradients, optimizer state, the rest of a "
        "step; lets go of one after the other and shows what came back, and what other programs hold."
    ),
    tasks=_TASKS,
    concepts=(
        "free memory",
        "freeing memory",
        "release memory",
        "memory leak",
        "empty cache",
        "empty_cache",
        "learn.destroy",
    ),
    parameters=(
        *inputs(_TASKS),
        SIZE,
        BATCH_SIZE,
        Parameter(
            "steps",
            "int",
            3,
            unit="batches",
            minimum=1,
            maximum=1000,
            said=("step", "# batches", "after # steps", "after # batches"),
            help="trained before looking",
        ),
        DEVICE,
        SEED,
    ),
)


class _Steps:
    """Notes the memory after each step of the story."""

    def __init__(self, device: str, journal: Journal) -> None:
        self.device, self.journal = device, journal
        self.rows: list[dict[str, Any]] = []

    def note(self, step: str) -> None:
        """One row: bytes in use now, those that torch keeps for itself, and those that are free.

        A card's allocator says what is in use; a CPU's heap only once it has given back what nobody
        uses.
        """
        if self.device == "cpu":
            free_cached(self.device)
        used, reserved = used_bytes(self.device), _reserved(self.device)
        before = self.rows[-1]["used_bytes"] if self.rows else used
        row = {
            "step": step,
            "used_bytes": used,
            "change_bytes": used - before,
            "reserved_bytes": reserved,
            "free_bytes": available_bytes(self.device),
        }
        self.rows.append(row)
        self.journal.emit("row", table="memory", **row)


def run(params: dict[str, Any], journal: Journal) -> Outcome:
    """Train a few steps, then let go of one thing after the other.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    """
    ready = prepare(params, journal)
    device, task, snippet = ready.device, ready.settings.task, ready.snippet()
    steps = _Steps(device, journal)
    reset_peak(device)
    steps.note("network built")
    holdings, peak = _trained(ready, params["steps"], steps)
    asked, notes = ready.asked(), list(ready.notes)
    learner = ready.learner
    del ready
    _let_go(learner, steps)
    del learner
    gc.collect()
    steps.note("network and loaders let go")
    free_cached(device)
    steps.note("cache given back")
    journal.table(
        "memory.csv",
        "memory after each step",
        list(steps.rows[0]),
        (row.values() for row in steps.rows),
    )
    others = [
        {"card": card.name, "free_bytes": card.free_bytes, "total_bytes": card.total_bytes}
        for card in cards()
    ]
    findings = {
        f"Held as {name}": show_bytes(amount) for name, amount in holdings.items() if amount
    }
    findings["Came back"] = show_bytes(
        max(0, steps.rows[1]["used_bytes"] - steps.rows[-1]["used_bytes"])
    )
    values = {
        "findings": findings,
        "holdings": holdings,
        "peak_bytes": peak,
        "steps": steps.rows,
        "cards": others,
        **asked,
        "notes": notes,
    }
    for name, amount in holdings.items():
        journal.metric(name, amount, "bytes")
    return Outcome(values, snippet + _CODE, _said(holdings, peak, steps.rows, device), task)


def _trained(ready: Prepared, count: int, steps: _Steps) -> tuple[dict[str, int], int]:
    """(bytes held by kind after training, peak bytes of it)."""
    from executors.learning_rate.sweep import train_some

    learner = ready.learner
    learner.unfreeze()
    train_some(learner, 1e-4, count)
    peak = peak_bytes(ready.device)
    steps.note(f"{count} batches trained")
    model, optimizer = learner.model, learner.opt
    state = (
        [value for values in optimizer.state.values() for value in values.values()]
        if optimizer
        else []
    )
    kinds = {
        "weights": list(model.parameters()),
        "buffers": list(model.buffers()),
        "gradients": [parameter.grad for parameter in model.parameters()],
        "optimizer state": state,
    }
    return {name: sum(_size(tensor) for tensor in tensors) for name, tensors in kinds.items()}, peak


def _let_go(learner: Any, steps: _Steps) -> None:
    """Gradients, then the optimizer's state, each noted."""
    letting: tuple[tuple[str, Callable[[], object]], ...] = (
        ("gradients let go", lambda: learner.model.zero_grad(set_to_none=True)),
        ("optimizer let go", lambda: setattr(learner, "opt", None)),
    )
    for step, let_go in letting:
        let_go()
        gc.collect()
        steps.note(step)


def _size(tensor: Any) -> int:
    """Bytes of a tensor; 0 of what is none."""
    return int(tensor.numel() * tensor.element_size()) if hasattr(tensor, "element_size") else 0


def _reserved(device: str) -> int:
    """Bytes that torch's allocator keeps, in use or not; where there is no such thing, those in
    use.
    """
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.memory_reserved(device))
    return used_bytes(device)


def _said(holdings: dict[str, int], peak: int, rows: list[dict[str, Any]], device: str) -> str:
    most = max(holdings, key=lambda name: holdings[name])
    trained, last = rows[1]["used_bytes"], rows[-1]["used_bytes"]
    held = ", ".join(f"{name} {show_bytes(amount)}" for name, amount in holdings.items() if amount)
    where = "resident memory" if device == "cpu" else "the device"
    step = show_bytes(max(0, peak - rows[0]["used_bytes"]))
    return (
        f"After training the network holds {show_bytes(sum(holdings.values()))} ({held}), most of it {most}; a step "
        f"took up to {step} more than the network as built. Letting go brought back "
        f"{show_bytes(max(0, trained - last))} of {show_bytes(trained)} in {where}; "
        f"{show_bytes(rows[-1]['free_bytes'])} are free now."
    )


_CODE = """
import gc

learn.fit(1, 1e-4)
learn.model.zero_grad(set_to_none=True)  # the gradients
learn.opt = None                         # the optimizer's state
del learn, dls                           # the network; in a notebook also `_` and what an exception still holds
gc.collect()
if torch.cuda.is_available():
    torch.cuda.empty_cache()             # what torch kept to use again
    free, total = torch.cuda.mem_get_info()
    print(f'{free / 1e9:.1f} of {total / 1e9:.1f} GB are free')
"""
