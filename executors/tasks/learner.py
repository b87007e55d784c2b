"""A learner of the user's own: what a function in a file of theirs returns.

The file is run where this is called, so only a run's processes call it. Its folder comes first on
the path, so that modules beside it are found before any other; of ours only `executors` is imported
there. torch and fastai are imported with it. The function is called anew for each learner, first to
count the samples: what it loads is not kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.errors import BadInput
from executors.inputs.user_code import called, find_place
from executors.task import Built, Settings, Source

__all__ = [
    "DEFAULT_ARCH",
    "EXPECTS",
    "LADDER",
    "NAME",
    "SAID",
    "TITLE",
    "build",
    "default_size",
    "finish",
    "inspect",
    "snippet",
    "template",
]

NAME = "learner"
TITLE = "A learner of your own"
EXPECTS = (
    "path/to/file.py:function, where the function takes no arguments and returns a fastai Learner "
    "with a training and a validation loader; there is no sample."
)
SAID = (("own learner", "my learner"),)
DEFAULT_ARCH = "your own"
LADDER = ()
_LOOKED_AT = 64  # training samples, of which the costliest stand for the worst case
_TEMPLATE = 8
_LOWER = (
    "error",
    "loss",
    "rmse",
    "mse",
    "mae",
    "msle",
    "rmspe",
    "perplexity",
    "hamming",
    "distance",
)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a learner comes from."""

    file: Path
    function: str
    plain: bool  # whether its loaders are torch's own rather than fastai's


def default_size(settings: Settings) -> int | None:
    """None: the file decides on sizes."""
    return None


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Run the file, call the function, and count the samples of what it returns.

    Raises
    ------
    BadInput
        Names file, line and what is wrong: no such file or function, an error in it, something else
        than a Learner, or a learner without samples to train or to validate on.
    """
    file, function = find_place(settings.learner)
    learner, where = called(file, function, settings.seed)
    (train, batch_size), (valid, _) = (
        _counts(where, learner.dls[number], number) for number in (0, 1)
    )
    place = _Place(file, function, not hasattr(learner.dls.train, "after_batch"))
    title = f"{file.name}:{function}: {type(learner.model).__name__} on {train} samples"
    return Source(title, train, valid, (), place, batch_size=batch_size)


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """What the function returns, with this batch size, on the device, writing into `folder`."""
    from fastai.data.core import DataLoaders

    place: _Place = source.content
    learner, _ = called(place.file, place.function, settings.seed)
    loaders = [_batched(loader, batch_size) for loader in (learner.dls.train, learner.dls.valid)]
    learner.dls = DataLoaders(*loaders, path=folder, device=device)
    learner.path = folder
    learner.model.to(device)
    frozen = any(not weight.requires_grad for weight in learner.model.parameters())
    metric = learner.metrics[0].name if learner.metrics else ""
    higher = bool(metric) and not any(word in metric.lower() for word in _LOWER)
    said = (
        f"'{metric}' is taken to be better when {'higher' if higher else 'lower'}"
        if metric
        else "it has no metric"
    )
    notes = (
        "some layers are frozen, so they are taken to be pretrained"
        if frozen
        else "no layer is frozen",
        said,
    )
    return Built(learner, pretrained=frozen, notes=notes, higher_is_better=higher)


def template(loader: Any) -> tuple[Any, ...]:
    """The costliest of the first samples as the loader collates them: longest text, largest tensor.

    Raises
    ------
    BadInput
        When its batches are no tuples of tensors with a row a sample.
    """
    import torch

    batch = _costliest(loader)
    parts = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
    rows = {len(part) if isinstance(part, torch.Tensor) and part.ndim else None for part in parts}
    if len(rows) != 1 or None in rows:
        kinds = ", ".join(type(part).__name__ for part in parts)
        raise BadInput(
            f"the learner's batches are made of {kinds}; tensors with one row a sample are expected"
        )
    return tuple(part.cpu() for part in parts)


def finish(loader: Any, batch: tuple[Any, ...]) -> tuple[Any, ...]:
    """What the loader still does to a batch on the device."""
    if not hasattr(loader, "after_batch") or _is_table(loader):
        return batch
    return tuple(loader.after_batch(batch))


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Lines that import the file, call the function, and have `dls` of this batch size."""
    place: _Place = source.content
    lines = [
        "import sys",
        "from importlib.util import module_from_spec, spec_from_file_location",
        "",
        "from fastai.data.core import DataLoaders",
        *(["from torch.utils.data import DataLoader"] if place.plain else []),
        "",
        f"sys.path.insert(0, {str(place.file.parent)!r})",
        f"spec = spec_from_file_location({place.file.stem!r}, {str(place.file)!r})",
        "module = module_from_spec(spec)",
        f"sys.modules[{place.file.stem!r}] = module",
        "spec.loader.exec_module(module)",
        "",
        f"learn = module.{place.function}()",
        "train, valid = learn.dls.train, learn.dls.valid",
    ]
    if place.plain:
        parts = [
            f"DataLoader({part}.dataset, {batch_size}, sampler={part}.sampler, "
            f"collate_fn={part}.collate_fn)"
            for part in ("train", "valid")
        ]
        lines.append(f"dls = DataLoaders({', '.join(parts)})")
    else:
        lines.append(
            f"dls = DataLoaders(train.new(bs={batch_size}), valid.new(bs={batch_size}), "
            "path=learn.dls.path, device=learn.dls.device)"
        )
    return "\n".join([*lines, "learn.dls = dls"]) + "\n"


def _counts(where: str, loader: Any, number: int) -> tuple[int, int]:
    """Samples of a loader, and of each of its batches."""
    part = "validation" if number else "training"
    size = getattr(loader, "bs", None) or getattr(loader, "batch_size", None)
    if size is None:
        raise BadInput(f"{where} returned a {part} loader without a batch size; recipes set it")
    count = getattr(loader, "n", None)
    if count is None:
        try:
            count = len(loader.dataset)
        except (TypeError, AttributeError):
            raise BadInput(
                f"{where} returned a {part} loader without a length; recipes count samples"
            ) from None
    if not count:
        raise BadInput(f"{where} returned a {part} loader without samples")
    return int(count), int(size)


def _batched(loader: Any, batch_size: int) -> Any:
    """The loader with another batch size."""
    if hasattr(loader, "after_batch"):
        return loader.new(bs=batch_size)
    from torch.utils.data import DataLoader

    return DataLoader(
        loader.dataset,
        batch_size,
        sampler=loader.sampler,
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
        drop_last=loader.drop_last,
    )


def _is_table(loader: Any) -> bool:
    """Whether it is fastai's for tables, whose samples are numbers of rows."""
    from fastai.tabular.core import TabDataLoader

    return isinstance(loader, TabDataLoader)


def _costliest(loader: Any) -> Any:
    """A batch of the largest of the first samples, all of one size."""
    if not hasattr(loader, "after_batch"):
        items = [loader.dataset[index] for index in range(min(_LOOKED_AT, len(loader.dataset)))]
        return loader.collate_fn(_largest(items))
    if _is_table(loader):
        return loader.new(
            bs=min(_LOOKED_AT, loader.n), shuffle=False, drop_last=False, device="cpu"
        ).one_batch()
    loader.before_iter()  # tells the transforms that they train
    if not loader.indexed:
        loader.it = iter(loader.dataset)
    items = [
        loader.do_item(index if loader.indexed else None)
        for index in range(min(_LOOKED_AT, loader.n))
    ]
    return loader.do_batch(_largest(items))


def _largest(items: list[Any]) -> list[Any]:
    sizes = [_size(item) for item in items]
    return [item for item, size in zip(items, sizes, strict=True) if size == max(sizes)][:_TEMPLATE]


def _size(item: Any) -> int:
    """How much there is in a sample: numbers, characters, pixels."""
    if hasattr(item, "numel"):
        return int(item.numel())
    if isinstance(item, str | bytes):
        return len(item)
    if isinstance(item, Mapping):
        return sum(map(_size, item.values()))
    if isinstance(item, list | tuple):
        return sum(map(_size, item))
    size = getattr(item, "size", 1)
    if isinstance(size, tuple):  # a picture's width and height
        return int(size[0] * size[1])
    return size if isinstance(size, int) else 1
