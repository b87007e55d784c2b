"""What every recipe that trains does first: check files, choose a device, build the learner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from executors.devices import choose_device
from executors.errors import BadInput
from executors.parameters import both
from executors.runs.journal import Journal
from executors.task import Built, Settings, Source, Task
from executors.tasks import find_task

__all__ = ["Asked", "Prepared", "Trained", "build", "prepare"]

USUAL_BATCH = 64  # fastai's own
_FEWEST = 4  # samples to train on


class Asked(Protocol):
    """What a recipe's parameters say of the training; each recipe that trains has it."""

    @property
    def settings(self) -> Settings:
        """What is trained on what."""

    @property
    def size(self) -> int | None:
        """Image size in px; None: the task's own."""

    @property
    def batch_size(self) -> int | None:
        """Samples of a step; None: as many as the learner has that comes, else the usual."""

    @property
    def device(self) -> str:
        """As asked for: "auto", "cpu", "cuda:1"."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What was trained, as every result says it."""

    arch: str
    size: int | None  # px
    batch_size: int
    pretrained: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """A task on checked files and a device, and the learner that stands for it."""

    task: Task
    settings: Settings
    source: Source
    device: str
    size: int | None  # px
    batch_size: int
    built: Built
    notes: tuple[str, ...]

    @property
    def learner(self) -> Any:
        """The fastai learner."""
        return self.built.learner

    @property
    def trained(self) -> Trained:
        """What a result says of what was trained."""
        arch, seed = self.settings.arch or self.task.DEFAULT_ARCH, self.settings.seed
        return Trained(arch, self.size, self.batch_size, self.built.pretrained, seed)

    def snippet(self, size: int | None = None) -> str:
        """Code that makes `dls` and `learn`; at another image size where one is given."""
        size = size or self.size
        return self.task.snippet(
            self.source, self.settings, size, self.batch_size, self.built.pretrained
        )


def prepare(
    asked: Asked, journal: Journal, *, shrink: bool = True, verify: bool = True
) -> Prepared:
    """Check, choose and build, and tell the journal.

    Parameters
    ----------
    shrink : bool
        Whether a batch larger than a quarter of the training set is made smaller, which is noted:
        an epoch of a step or two teaches nothing. Else one larger than the set is refused.
    verify : bool
        Whether each file is looked into; else they are believed to be as they were.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    """
    settings = asked.settings
    task = find_task(settings.task)
    source = task.inspect(settings, verify)
    batch_size = asked.batch_size or source.batch_size or USUAL_BATCH
    if not shrink:
        _check_batch(source, batch_size)
    chosen = choose_device(asked.device)
    journal.device(chosen)
    journal.source(source.title, source.doubts)
    used, shrunk = _smaller(source, batch_size) if shrink else (batch_size, ())
    size = asked.size or task.default_size(settings)
    built = build(task, source, settings, size, used, chosen.name, journal)
    notes = (*source.notes, *built.notes, *shrunk)
    for note in notes:
        journal.log(note)
    remarks = (*source.doubts, *notes)
    return Prepared(task, settings, source, chosen.name, size, used, built, remarks)


def build(
    task: Task,
    source: Source,
    settings: Settings,
    size: int | None,
    batch_size: int,
    device: str,
    journal: Journal,
) -> Built:
    """The learner, made from the seed."""
    import torch
    from fastai.torch_core import set_seed

    if device.startswith("cuda"):
        torch.cuda.set_device(device)
    set_seed(settings.seed)
    return task.build(source, settings, size, batch_size, device, journal.folder)


def _check_batch(source: Source, batch_size: int) -> None:
    if source.train < batch_size:
        raise BadInput(
            f"{source.title}: {source.train} samples to train on are fewer than one batch of "
            f"{batch_size}, and fastai would train nothing; "
            f"set {both('batch_size')} to {max(2, source.train // 4)} or so"
        )


def _smaller(source: Source, asked: int) -> tuple[int, tuple[str, ...]]:
    """The batch to take, and what is to be said of it."""
    if source.train < _FEWEST:
        raise BadInput(
            f"{source.title}: {source.train} samples to train on; at least {_FEWEST} are needed"
        )
    most = max(2, source.train // 4)
    if asked <= most:
        return asked, ()
    full = _full_batches(source.train, asked)
    why = f"of {source.train} training samples {asked} at a time make {full} an epoch"
    return most, (
        f"the batch is {most}, not {asked}: {why}, and {most} at a time "
        f"{_full_batches(source.train, most)}",
    )


def _full_batches(samples: int, batch: int) -> str:
    count = samples // batch
    return f"{count or 'no'} full batch{'' if count == 1 else 'es'}"
