"""The recipe "free-memory": what holds the memory after a step, and what comes back if let go."""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from executors.amounts import show_bytes
from executors.devices import cards
from executors.memory import available_bytes, free_cached, peak_bytes, reset_peak, used_bytes
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import BATCH_SIZE, DEVICE, SEED, SIZE, inputs
from executors.runs.journal import Journal, Outcome
from executors.runs.stored_findings import Finding
from executors.task import Settings
from executors.tasks import TASK_NAMES

__all__ = ["RECIPE", "Params", "findings", "run"]

_TASKS = TASK_NAMES

RECIPE = Recipe(
    name="free-memory",
    title="Free my memory",
    summary=(
        "Trains a few steps and shows what holds the memory then: weights, gradients, optimizer "
        "state, the rest of a step; frees one after the other and shows what comes back, and "
        "what other programs hold."
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
            help="batches trained before memory is measured",
        ),
        DEVICE,
        SEED,
    ),
)
_NAMED = 3  # kinds of memory in the finding


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    size: int | None  # px
    batch_size: int | None
    steps: int
    device: str


@dataclass(frozen=True, slots=True)
class _Row:
    """The memory after one step of the story."""

    step: str
    used_bytes: int
    change_bytes: int  # since the step before
    reserved_bytes: int  # that torch keeps for itself
    free_bytes: int


class _Steps:
    """Notes the memory after each step of the story."""

    def __init__(self, device: str, journal: Journal) -> None:
        self.device, self.journal = device, journal
        self.rows: list[_Row] = []

    def note(self, step: str) -> None:
        """One row.

        A card's allocator says what is in use; a CPU's heap only once it has given back what nobody
        uses.
        """
        if self.device == "cpu":
            free_cached(self.device)
        used, reserved = used_bytes(self.device), _reserved(self.device)
        before = self.rows[-1].used_bytes if self.rows else used
        row = _Row(step, used, used - before, reserved, available_bytes(self.device))
        self.rows.append(row)
        self.journal.emit("row", table="memory", **asdict(row))

    @property
    def trained(self) -> int:
        """Bytes in use after training."""
        return self.rows[1].used_bytes

    @property
    def came_back(self) -> int:
        """Bytes that letting go brought back."""
        return max(0, self.trained - self.rows[-1].used_bytes)


def run(params: Params, journal: Journal) -> Outcome:
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
    holdings, peak = _trained(ready, params.steps, steps)
    trained, notes = ready.trained, list(ready.notes)
    learner = ready.learner
    del ready
    _let_go(learner, steps)
    del learner
    gc.collect()
    steps.note("network and loaders freed")
    free_cached(device)
    steps.note("cache given back")
    rows = [asdict(row) for row in steps.rows]
    title = "memory after each step"
    journal.table("memory.csv", title, list(rows[0]), (row.values() for row in rows))
    for name, amount in holdings.items():
        journal.metric(name, amount, "bytes")
    values: dict[str, Any] = {
        "holdings": holdings,
        "peak_bytes": peak,
        "steps": rows,
        "cards": [
            {"card": card.name, "free_bytes": card.free_bytes, "total_bytes": card.total_bytes}
            for card in cards()
        ],
        **asdict(trained),
        "notes": notes,
    }
    message, said = _message(holdings, peak, steps), findings(holdings, steps.came_back)
    return Outcome(values, snippet + _CODE, message, task, said)


def findings(holdings: Mapping[str, int], came_back: int) -> tuple[Finding, ...]:
    """What the network holds after training, the largest kinds by name; bytes."""
    held = {kind: amount for kind, amount in holdings.items() if amount}
    most = sorted(held, key=lambda kind: -held[kind])[:_NAMED]
    named = ", ".join(f"{kind} {show_bytes(held[kind])}" for kind in most)
    words = f"after training the network holds {show_bytes(sum(held.values()))}"
    figures = {f"Held as {kind}": show_bytes(amount) for kind, amount in held.items()}
    figures["Came back"] = show_bytes(came_back)
    words += f" ({named})" if named else ""
    return (Finding(words, figures, {"holdings": dict(holdings)}),)


def _trained(ready: Prepared, count: int, steps: _Steps) -> tuple[dict[str, int], int]:
    """(bytes held by kind after training, peak bytes of it)."""
    from executors.learning_rate.sweep import train_some

    learner = ready.learner
    learner.unfreeze()
    train_some(learner, 1e-4, count)
    peak = peak_bytes(ready.device)
    steps.note(f"{count} batches trained")
    model, optimizer = learner.model, learner.opt
    states = optimizer.state.values() if optimizer else ()
    kinds: dict[str, list[Any]] = {
        "weights": list(model.parameters()),
        "buffers": list(model.buffers()),
        "gradients": [parameter.grad for parameter in model.parameters()],
        "optimizer state": [value for state in states for value in state.values()],
    }
    return {name: sum(map(_size, tensors)) for name, tensors in kinds.items()}, peak


def _let_go(learner: Any, steps: _Steps) -> None:
    """Gradients, then the optimizer's state, each noted."""
    letting: tuple[tuple[str, Callable[[], object]], ...] = (
        ("gradients freed", lambda: learner.model.zero_grad(set_to_none=True)),
        ("optimizer freed", lambda: setattr(learner, "opt", None)),
    )
    for step, let_go in letting:
        let_go()
        gc.collect()
        steps.note(step)


def _size(tensor: Any) -> int:
    """Bytes of a tensor; 0 of what is none."""
    return int(tensor.numel() * tensor.element_size()) if hasattr(tensor, "element_size") else 0


def _reserved(device: str) -> int:
    """Bytes that torch's allocator keeps, in use or not; those in use where there is none."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.memory_reserved(device))
    return used_bytes(device)


def _message(holdings: Mapping[str, int], peak: int, steps: _Steps) -> str:
    most = max(holdings, key=lambda name: holdings[name])
    held = ", ".join(f"{name} {show_bytes(amount)}" for name, amount in holdings.items() if amount)
    where = "resident memory" if steps.device == "cpu" else "the device"
    step = show_bytes(max(0, peak - steps.rows[0].used_bytes))
    return (
        f"After training the network holds {show_bytes(sum(holdings.values()))} ({held}), "
        f"the largest part {most}; a step took up to {step} more than the network as built. "
        f"Freeing it gave back {show_bytes(steps.came_back)} of {show_bytes(steps.trained)} in "
        f"{where}; {show_bytes(steps.rows[-1].free_bytes)} are free now."
    )


_CODE = """
import gc

learn.fit(1, 1e-4)
learn.model.zero_grad(set_to_none=True)  # the gradients
learn.opt = None                         # the optimizer's state
del learn, dls    # the network; in a notebook also `_` and what an exception still holds
gc.collect()
if torch.cuda.is_available():
    torch.cuda.empty_cache()             # what torch kept to use again
    free, total = torch.cuda.mem_get_info()
    print(f'{free / 1e9:.1f} of {total / 1e9:.1f} GB are free')
"""
