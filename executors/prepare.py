"""What every recipe that trains does first: check the user's files, choose the device, build the
learner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from executors.devices import choose_device
from executors.errors import BadInput
from executors.runs.journal import Journal
from executors.task import Built, Settings, Source, Task, settings_from
from executors.tasks import find_task

__all__ = ["Prepared", "build", "prepare"]


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

    def asked(self) -> dict[str, Any]:
        """What a result says of what was trained."""
        return {
            "arch": self.settings.arch or self.task.DEFAULT_ARCH,
            "size": self.size,
            "batch_size": self.batch_size,
            "pretrained": self.built.pretrained,
            "seed": self.settings.seed,
        }

    def snippet(self) -> str:
        """Code that makes `dls` and `learn`."""
        return self.task.snippet(
            self.source, self.settings, self.size, self.batch_size, self.built.pretrained
        )


def prepare(params: dict[str, Any], journal: Journal) -> Prepared:
    """Check, choose and build, and tell the journal.

    A batch larger than a quarter of the training set is made smaller, and that is noted: an epoch
    of a step or two teaches nothing.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    """
    settings = settings_from(params)
    task = find_task(settings.task)
    source = task.inspect(settings)
    device = choose_device(params["device"])
    journal.device(device)
    journal.log(source.title)
    size = params.get("size") or task.default_size(settings)
    batch_size, said = _batch(source, int(params.get("batch_size") or 64))
    built = build(task, source, settings, size, batch_size, device.name, journal)
    notes = (*source.notes, *built.notes, *said)
    for note in notes:
        journal.log(note)
    return Prepared(task, settings, source, device.name, size, batch_size, built, notes)


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


def _batch(source: Source, asked: int) -> tuple[int, tuple[str, ...]]:
    if source.train < 4:
        raise BadInput(f"{source.title}: {source.train} samples to train on; at least 4 are needed")
    most = max(2, source.train // 4)
    if asked <= most:
        return asked, ()
    return most, (
        f"the batch is {most}, not {asked}: with {source.train} samples an epoch would have no steps",
    )
