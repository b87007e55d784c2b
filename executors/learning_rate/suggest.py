"""Reads learning-rate sweeps: fastai's suggestions, where the loss explodes, a rate and its reason.

Pure: curves in, numbers and a sentence out. The four suggestions are fastai's own functions on
fastai's own cut of the first curve (the first tenth and the last five points are left out).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from executors.amounts import show_rate
from executors.errors import RecipeError

__all__ = ["Advice", "Rate", "advise", "explodes_at", "head_of", "sliced_below", "suggestions"]

Rate = float | tuple[float, float]  # for all layers, or from the input's layers to the head's

FEWEST_POINTS = 4  # after the cut
_TAIL = 5  # fastai's cut at the end
_FLAT = 0.02  # a fall of the loss by less than this share of it is noise
_SLIDE_POINTS = 17  # the slide rule compares points sixteen apart
# the next three were chosen on the development tasks of benchmarks/learning_rate/quality.py
_BELOW_LOWEST = 10**0.25
# from the input's layers to the head: a tenth as in the notes held the body back in trials
_SPREAD = 10**0.5
_BELOW_BANG = 10**0.5  # where the loss is lowest is at least this far below the explosion,
_FAR_BELOW_BANG = 100.0  # and at most this: else it is a lucky batch


@dataclass(frozen=True, slots=True)
class Advice:
    """What curves say; `recommended` is a rate, or (low, high) for discriminative rates.

    `around` is where to begin when rates are to be tried; `flat`: the loss does not fall below its
    start.
    """

    suggestions: dict[str, float | None]
    explodes_at: float | None
    recommended: Rate
    reason: str
    around: float
    flat: bool = False


def advise(
    lrs: Any,
    losses: Any,
    raw: Any,
    *,
    sliced: bool,
    num_it: int | None = None,
    frozen_lr: float | None = None,
    ended: str = "",
    others: Sequence[Any] = (),
) -> Advice:
    """What to take from a sweep, or several of one learner.

    One rate is a little below where single batches lose least, by the running median over the mean
    of all sweeps: that lags less than the smoothed curve, and no lucky batch decides it. For a
    slice, layers near the input get a tenth of where the loss explodes or less; the head gets a
    fifth of the rate found while frozen, or the one rate when there was no such sweep.

    Parameters
    ----------
    lrs, losses, raw : sequence of float, (n,)
        Rates rising, smoothed losses, and the loss of each batch.
    sliced : bool
        Whether layers get different rates: an unfrozen network with pretrained weights.
    num_it : int, optional
        Batches that were asked for, when the sweep ended before; fastai cuts a tenth of these.
    frozen_lr : float, optional
        The rate found before unfreezing.
    ended : str
        How the sweep ended, see `Sweep`.
    others : sequence of sequences of float
        The losses of each batch in sweeps over the same rates, in other orders.

    Raises
    ------
    RecipeError
        When the curve is too short, explodes at once, or is flat to its end.
    """
    rates, curve = (np.asarray(values, dtype=float) for values in (lrs, losses))
    asked = num_it or len(rates)
    if len(rates) - asked // 10 - _TAIL < FEWEST_POINTS:
        raise RecipeError(_too_short(rates, ended))
    suggested = suggestions(rates, curve, asked)
    shared = min(len(rates), *map(len, others)) if others else len(rates)
    rates, curve = rates[:shared], curve[:shared]
    single = np.mean([np.asarray(one, dtype=float)[:shared] for one in (raw, *others)], axis=0)
    middle = _running_median(single)
    bang = explodes_at(rates, middle)
    if bang is None and ended == "nan":
        bang = float(rates[-1])
    if max(_fall(curve), _fall(middle)) < _FLAT:
        return _flat(rates, suggested, bang, sliced)
    least = float(rates[middle.argmin()])
    around = min(max(least, bang / _FAR_BELOW_BANG), bang / _BELOW_BANG) if bang else least
    one = _rounded(around / _BELOW_LOWEST)
    where = f"where single batches lose least ({show_rate(least)})"
    why = f"a little below {where}"
    if bang is not None and around != least:
        why = f"as far below where the loss explodes ({show_rate(bang)}) as usual"
    numbers = ", ".join(f"{name} {show_rate(lr)}" for name, lr in suggested.items() if lr)
    if not sliced:
        return Advice(suggested, bang, one, f"{show_rate(one)}, {why}; {numbers}", around)
    return _slice(suggested, bang, one, frozen_lr, around)


def head_of(rate: Rate) -> float:
    """The rate of the head's layers, or of all."""
    return rate[1] if isinstance(rate, tuple) else rate


def sliced_below(head: float) -> tuple[float, float]:
    """Rates to try from the input's layers to the head's."""
    return (_rounded(head / _SPREAD), _rounded(head))


def _too_short(rates: Any, ended: str) -> str:
    at = f"{show_rate(rates[-1])}" if len(rates) else "the lowest rate"
    what = {"nan": "stops being a number", "exploded": "explodes"}.get(
        ended, "explodes or stops being a number"
    )
    if ended == "nan":
        then = (
            "look for missing or infinite values in the data, "
            "and a loss that divides by zero or takes its logarithm"
        )
    else:
        then = (
            "lower start_lr; if that is low already, "
            "look for broken values in the data and inputs of another scale"
        )
    return f"the loss {what} at {at}, after {len(rates)} batches; {then}"


def suggestions(rates: Any, curve: Any, num_it: int) -> dict[str, float | None]:
    """fastai's `minimum` (a tenth of the rate there), `steep`, `valley`, `slide`, or None."""
    import torch
    from fastai.callback.schedule import minimum, slide, steep, valley

    lrs, losses = (
        torch.tensor(values[num_it // 10 : -_TAIL], dtype=torch.float64)
        for values in (rates, curve)
    )
    rules = {"minimum": minimum, "steep": steep, "valley": valley, "slide": slide}
    suggested: dict[str, float | None] = {}
    for name, rule in rules.items():
        if name == "slide" and len(lrs) < _SLIDE_POINTS:
            suggested[name] = None
            continue
        value = float(rule(lrs, losses, num_it)[0])
        suggested[name] = value if math.isfinite(value) else None
    return suggested


def explodes_at(rates: Any, curve: Any) -> float | None:
    """The rate from which on the loss stays above where it began; None when it never does."""
    first = curve[: max(3, len(curve) // 3)]  # nothing is learned yet at these rates
    level = float(np.median(first) + np.std(first - np.median(first)))
    below = np.nonzero(curve <= max(level, float(np.min(curve)) * 1.02))[0]
    last = int(below[-1]) if len(below) else 0
    return float(rates[last + 1]) if last + 1 < len(curve) else None


def _fall(curve: Any) -> float:
    """By which share of itself the loss falls before its minimum."""
    start = float(np.median(curve[: max(3, len(curve) // 10)]))
    return (start - float(curve.min())) / max(abs(start), 1e-12)


def _flat(
    rates: Any, suggested: dict[str, float | None], bang: float | None, sliced: bool
) -> Advice:
    """A curve that does not fall, as a well-trained network's: it tells where it explodes alone."""
    if bang is None:
        raise RecipeError(
            f"the curve is flat: no rate from {show_rate(rates[0])} to {show_rate(rates[-1])} "
            "changes the loss; raise end_lr or num_it, and check that the target can be learned "
            "from the data"
        )
    high = _rounded(bang / 10)
    safe = f"a tenth of where it explodes ({show_rate(bang)}) is safe"
    reason = f"at most {show_rate(high)}, because the loss does not fall, and {safe}"
    rate = (_rounded(high / 10), high) if sliced else high
    return Advice(suggested, bang, rate, reason, bang / 10, flat=True)


def _running_median(values: Any) -> Any:
    """The median of each value and four neighbours on either side: no lucky batch decides."""
    padded = np.pad(values, 4, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 9), axis=1)


def _slice(
    suggested: dict[str, float | None],
    bang: float | None,
    one: float,
    frozen_lr: float | None,
    around: float,
) -> Advice:
    high = min(frozen_lr / 5, bang / 5 if bang else math.inf) if frozen_lr else one
    low = min(bang / 10 if bang else high / 10, high / 10)
    head = "the rate of the curve"
    if frozen_lr:
        head = f"a fifth of {show_rate(frozen_lr)}, found frozen"
        if bang is not None and bang < frozen_lr:
            head = f"a fifth of where the loss explodes ({show_rate(bang)})"
    body = "a tenth of the head's"
    if bang and bang <= high:
        body = f"a tenth of where the loss explodes ({show_rate(bang)})"
    high, low = _rounded(high), _rounded(low)
    reason = (
        f"{show_rate((low, high))}, where the head gets {head}, the layers nearest the input {body}"
    )
    return Advice(suggested, bang, (low, high), reason, around)


def _rounded(rate: float) -> float:
    """Two significant digits; a curve tells no more."""
    return float(f"{rate:.1e}")
