"""Measures why a training on fixed batches may be stuck; `executors.training.stuck` says it.

Same inputs with other labels, what follows the last layer, units that tell no samples apart, and
the scale of the inputs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch

from executors.training.activations import Layer, layers, weighted
from executors.training.batches import split_batch
from executors.training.fixed import Fixed
from executors.training.overfit import ODD, Seen, least_loss
from executors.training.stuck import Inputs, Labels, Quiet, Tail

__all__ = ["alike", "label_facts", "quietest", "scale", "scaled", "tail_facts", "target_count"]

_NEARLY = 0.01  # of the median distance between samples: inputs that are nearly the same
_APART = 0.01  # of the deviation of targets: labels that differ
_MOST_ALIKE = 1024  # samples whose distances are looked at
_FAR = 1e4  # what the last layer is made to give, for what follows to show its range
_STEPS = 80  # in which what the last layer gives is fitted


def alike(shown: Seen) -> tuple[list[torch.Tensor], float]:
    """(the group of each sample, batch by batch, the largest distance within one).

    Samples of a group have the same inputs, or nearly: their distance is next to nothing of the
    median. It is 0 where inputs are the same, or of whole numbers.
    """
    known: dict[bytes, int] = {}
    groups, largest = [], 0.0
    for inputs in shown.inputs:
        rows = zip(
            *(part.flatten(1) if part.ndim > 1 else part[:, None] for part in inputs), strict=True
        )
        keys = [b"|".join(_bytes(part) for part in row) for row in rows]
        groups.append(torch.tensor([known.setdefault(key, len(known)) for key in keys]))
    flat = _numbers(shown)
    if flat is not None:
        largest = _join_near(flat, groups, len(known))
    return groups, largest


def _bytes(part: torch.Tensor) -> bytes:
    return part.cpu().contiguous().view(torch.uint8).numpy().tobytes()


def _numbers(shown: Seen) -> torch.Tensor | None:
    """All inputs as rows of numbers, each to its deviation; None where they are no such rows."""
    shapes = {tuple(part.shape[1:] for part in inputs) for inputs in shown.inputs}
    whole = any(not part.is_floating_point() and part.numel() for part in shown.inputs[0])
    count = sum(len(inputs[0]) for inputs in shown.inputs)
    if len(shapes) > 1 or whole or count > _MOST_ALIKE:
        return None
    rows = torch.cat([torch.cat([p.flatten(1) for p in inputs], dim=1) for inputs in shown.inputs])
    deviation = rows.float().std(dim=0)
    return rows.float()[:, deviation > 0] / deviation[deviation > 0]


def _join_near(rows: torch.Tensor, groups: list[torch.Tensor], count: int) -> float:
    """Give samples that are nearly the same one group; the largest distance of two that were."""
    if len(rows) < 3 or not rows.shape[1]:
        return 0.0
    apart = torch.cdist(rows, rows, compute_mode="donot_use_mm_for_euclid_dist")
    usual = float(apart[~torch.eye(len(rows), dtype=torch.bool, device=rows.device)].median())
    own, first, largest = torch.cat(groups), list(range(count)), 0.0
    for one, other in (apart <= _NEARLY * usual).nonzero().tolist():
        if own[one] < own[other]:
            low, high = sorted((first[int(own[one])], first[int(own[other])]))
            first = [low if place == high else place for place in first]
            largest = max(largest, float(apart[one, other]) / max(usual, 1e-12))
    for group in groups:
        group[:] = torch.tensor([first[place] for place in group.tolist()])
    return largest


def label_facts(learner: Any, shown: Seen, seconds: float = math.inf) -> Labels | None:
    """Samples with the same inputs and other labels; None where inputs are of an odd kind."""
    try:
        groups, nearest = alike(shown)
        rows = _target_rows(shown)
    except ODD:
        return None
    own = torch.cat(groups)
    contradicting = 0
    for group in own.unique().tolist():
        members = rows[own == group]
        if len(members) > 1 and bool((members != members[0]).any()):
            contradicting += len(members)
    floor = least_loss(learner, shown, groups, seconds) if contradicting else None
    if floor is None:
        return Labels(len(own), 0, False, 0.0)
    return Labels(len(own), contradicting, nearest > 0, floor, nearest)


def target_count(shown: Seen) -> int:
    """How many different labels there are; 2 where that cannot be said."""
    try:
        return len(_target_rows(shown).unique(dim=0))
    except ODD:
        return 2


def _target_rows(shown: Seen) -> torch.Tensor:
    """The targets, a row a sample; quantities in steps that are next to nothing of what they do."""
    rows = torch.cat(
        [torch.cat([p.reshape(len(p), -1).double() for p in t], 1) for t in shown.targets]
    )
    if shown.targets[0][0].is_floating_point() and len(rows) > 1:
        step = (_APART * rows.std(dim=0)).clamp_min(1e-12)
        rows = (rows / step).round()
    return rows


def tail_facts(learner: Any, fixed: Fixed, shown: Seen) -> Tail | None:
    """What follows the last layer with weights; None where nothing does, or it is odd."""
    try:
        return _tail(learner, fixed, shown)
    except ODD:
        return None


def _tail(learner: Any, fixed: Fixed, shown: Seen) -> Tail | None:
    model = learner.model
    inputs = [split_batch(learner, batch)[0] for batch in fixed]
    last, after, raw, pred = _last_layer(model, inputs[0])
    if last is None or (raw.shape == pred.shape and torch.equal(raw, pred)):
        return None
    chance = torch.Generator().manual_seed(0)
    shapes = [(len(one[0]), *raw.shape[1:]) for one in inputs]
    drawn = [torch.randn(shape, generator=chance).to(raw.device) for shape in shapes]
    values = torch.cat([t[0].flatten() for t in shown.targets]).float()
    quantities = shown.targets[0][0].is_floating_point()

    def given(tables: list[torch.Tensor]) -> list[torch.Tensor]:
        return [_given(model, last, one, xb) for one, xb in zip(tables, inputs, strict=True)]

    def total(tables: list[torch.Tensor]) -> Any:
        pairs = zip(given(tables), shown.targets, strict=True)
        return sum(learner.loss_func(out, *targets) for out, targets in pairs) / len(tables)

    rate = 0.5 * (max(1.0, float(values.std())) if quantities else 1.0)
    least = _least_behind(total, [one.abs() for one in drawn], rate)
    with torch.no_grad():
        ends = torch.cat([one.flatten() for one in given([_FAR * one.sign() for one in drawn])])
    target = (float(values.min()), float(values.max())) if quantities else None
    return Tail(after, least, float(ends.min()), float(ends.max()), target)


def _least_behind(total: Any, start: list[torch.Tensor], rate: float) -> float:
    """The least loss on the way down when the last layer's output is free."""
    tables = [one.requires_grad_() for one in start]
    descent, least = torch.optim.Adam(tables, lr=rate), float("inf")
    for step in range(_STEPS):
        descent.param_groups[0]["lr"] = rate * (1 - step / _STEPS)
        loss = total(tables)
        least = min(least, float(loss.detach()))
        for table, grad in zip(tables, torch.autograd.grad(loss, tables), strict=True):
            table.grad = grad
        descent.step()
    return least


def _last_layer(model: Any, inputs: tuple[Any, ...]) -> tuple[Any, tuple[str, ...], Any, Any]:
    """(last layer with weights, kinds of what follows it, its output, the network's)."""
    calls: list[tuple[Any, Any]] = []
    leaves = [m for m in model.modules() if not list(m.children())]
    hooks = [m.register_forward_hook(lambda m, _, out: calls.append((m, out))) for m in leaves]
    try:
        with torch.no_grad():
            pred = _output(model, inputs)
    finally:
        for hook in hooks:
            hook.remove()
    known = {module for _, module in weighted(model)}
    places = [place for place, (module, _) in enumerate(calls) if module in known]
    if not places:
        return None, (), None, pred
    module, out = calls[places[-1]]
    names = tuple(type(m).__name__ for m, _ in calls[places[-1] + 1 :])
    return module, names, _plain(out), pred


def _given(model: Any, layer: Any, table: torch.Tensor, inputs: tuple[Any, ...]) -> torch.Tensor:
    """The network's output where the layer gives the table."""
    hook = layer.register_forward_hook(lambda *_: table)
    try:
        return _output(model, inputs)
    finally:
        hook.remove()


def _output(model: Any, inputs: tuple[Any, ...]) -> torch.Tensor:
    if hasattr(model, "reset"):
        model.reset()  # a text model's state of the batch before
    out = model(*inputs)
    return _plain(out[0] if isinstance(out, tuple | list) else out)


def _plain(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_subclass(torch.Tensor)


def quietest(learner: Any, fixed: Fixed) -> Quiet | None:
    """The layer with most units that tell no samples apart, the first of several."""
    inputs = split_batch(learner, fixed[0])[0]
    learner.model.train()
    found = layers(learner.model, lambda: _output(learner.model, inputs))
    if not found:
        return None
    worst = max(found, key=_silent)
    return Quiet(worst.name, worst.kind, worst.dead, worst.still)


def _silent(layer: Layer) -> float:
    return max(layer.dead or 0.0, layer.still)


def scale(fixed: Fixed, learner: Any) -> Inputs | None:
    """The scale of the inputs that are numbers; None where there are none."""
    features = [_features(parts) for parts in _number_inputs(fixed, learner)]
    if not features:
        return None
    every = torch.cat([one.flatten() for one in features])
    apart = [float(value) for one in features for value in one.std(dim=1)]
    moving = [value for value in apart if value > 0] or [0.0]
    return Inputs(float(every.mean()), float(every.std()), min(moving), max(moving))


def scaled(fixed: Fixed, learner: Any) -> Fixed:
    """The batches with each feature of their inputs at mean 0 and deviation 1."""
    batches = [list(batch) for batch in fixed]
    count = len(split_batch(learner, fixed[0])[0])
    for place in range(count):
        parts = [batch[place] for batch in batches]
        if not _are_numbers(parts):
            continue
        features = _features(parts)
        shape = [1, -1] + [1] * (parts[0].ndim - 2) if parts[0].ndim > 1 else [-1]
        mean = features.mean(dim=1).reshape(shape)
        deviation = features.std(dim=1).clamp_min(1e-12).reshape(shape)
        for batch in batches:
            batch[place] = (batch[place] - mean) / deviation
    return Fixed([tuple(batch) for batch in batches], getattr(fixed, "n_inp", None))


def _number_inputs(fixed: Fixed, learner: Any) -> Iterator[list[torch.Tensor]]:
    """Each input that is of numbers, batch by batch."""
    for parts in zip(*(split_batch(learner, batch)[0] for batch in fixed), strict=True):
        if _are_numbers(parts):
            yield list(parts)


def _are_numbers(parts: Any) -> bool:
    one = parts[0]
    return isinstance(one, torch.Tensor) and one.is_floating_point() and one.numel() > 0


def _features(parts: list[torch.Tensor]) -> torch.Tensor:
    """Shape (features, values): columns of tables, channels of images."""
    rows = [_plain(part).float() for part in parts]
    rows = [part.transpose(0, 1).flatten(1) if part.ndim > 1 else part[None] for part in rows]
    return torch.cat(rows, dim=1)
