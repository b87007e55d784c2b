"""Reads a learning-rate sweep: fastai's four suggestions, where the loss explodes, one recommendation with its reason.

Pure: a curve in, numbers and a sentence out. The four suggestions are fastai's own functions on fastai's own cut of
the curve (the first tenth and the last five points are left out).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from .errors import RecipeError

__all__ = ["Advice", "advise", "explodes_at", "suggestions"]

FEWEST_POINTS = 4  # after the cut
_TAIL = 5  # fastai's cut at the end
_FLAT = 0.02  # a fall of the loss by less than this share of it is noise
_SLIDE_POINTS = 17  # the slide rule compares points sixteen apart


@dataclass(frozen=True, slots=True)
class Advice:
    """What a curve says; `recommended` is a rate, or (low, high) for discriminative rates."""

    suggestions: dict[str, float | None]
    explodes_at: float | None
    recommended: float | tuple[float, float]
    reason: str


def advise(
    lrs: Any, losses: Any, raw: Any, *, sliced: bool, num_it: int | None = None, frozen_lr: float | None = None
) -> Advice:
    """What to take from a sweep.

    One rate is the middle one of three: `minimum`, `slide`, and a tenth of where single batches lose least, which lags
    less than the smoothed curve; trained with on six small tables it kept .93 to 1.0 of the best grid rate's fall of
    the validation loss. It is kept between `valley` and a fifth of where the loss explodes. For a slice,
    layers near the input get a tenth of where the loss explodes or less; the head gets a fifth of the rate found while
    frozen, or the one rate when there was no such sweep.

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

    Raises
    ------
    RecipeError
        When the curve is too short, explodes at once, or is flat to its end.
    """
    rates, curve, single = (np.asarray(values, dtype=float) for values in (lrs, losses, raw))
    asked = num_it or len(rates)
    if len(rates) - asked // 10 - _TAIL < FEWEST_POINTS:
        at = f"{rates[-1]:.1e}" if len(rates) else "the lowest rate"
        raise RecipeError(
            f"the loss explodes or stops being a number at {at}, after {len(rates)} batches; "
            "lower start_lr, or look for broken values in the data"
        )
    bang, found = explodes_at(rates, curve), suggestions(rates, curve, asked)
    if _fall(curve) < _FLAT:
        return _flat(rates, found, bang, sliced)
    one, how = _one_rate(found, bang, float(rates[curve.argmin()]), float(rates[_running_median(single).argmin()]))
    if not sliced:
        return Advice(found, bang, one, how)
    return _slice(found, bang, one, frozen_lr)


def suggestions(rates: Any, curve: Any, num_it: int) -> dict[str, float | None]:
    """fastai's `minimum` (a tenth of the rate at the minimum), `steep`, `valley` and `slide`; None where undefined."""
    import torch
    from fastai.callback.schedule import minimum, slide, steep, valley

    lrs, losses = (torch.tensor(values[num_it // 10 : -_TAIL], dtype=torch.float64) for values in (rates, curve))
    rules = {"minimum": minimum, "steep": steep, "valley": valley, "slide": slide}
    found: dict[str, float | None] = {}
    for name, rule in rules.items():
        if name == "slide" and len(lrs) < _SLIDE_POINTS:
            found[name] = None
            continue
        value = float(rule(lrs, losses, num_it)[0])
        found[name] = value if math.isfinite(value) else None
    return found


def explodes_at(rates: Any, curve: Any) -> float | None:
    """The first rate past the minimum at which the loss is back above where it began; None when it never is."""
    lowest, start = int(np.argmin(curve)), float(np.median(curve[: max(3, len(curve) // 10)]))
    level = max(start, float(curve[lowest]) * 1.02) if curve[lowest] > 0 else start
    above = np.nonzero(curve[lowest:] > level)[0]
    return float(rates[lowest + above[0]]) if len(above) else None


def _fall(curve: Any) -> float:
    """By which share of itself the loss falls before its minimum."""
    start = float(np.median(curve[: max(3, len(curve) // 10)]))
    return (start - float(curve.min())) / max(abs(start), 1e-12)


def _flat(rates: Any, found: dict[str, float | None], bang: float | None, sliced: bool) -> Advice:
    """A curve that does not fall, as a well-trained network's: far below where it explodes is all it tells."""
    if bang is None:
        raise RecipeError(
            f"the curve is flat: no rate from {rates[0]:.1e} to {rates[-1]:.1e} changes the loss; "
            "raise end_lr or num_it, and check that the target can be learned from the data"
        )
    high = _rounded(bang / 10)
    reason = f"at most {high:.1e}, for the loss does not fall, and a tenth of where it explodes ({bang:.1e}) is safe"
    return Advice(found, bang, (_rounded(high / 10), high) if sliced else high, reason)


def _one_rate(
    found: dict[str, float | None], bang: float | None, lowest_at: float, least_at: float
) -> tuple[float, str]:
    """The rate and why; the smoothed loss is lowest at `lowest_at`, that of single batches at `least_at`."""
    valley, minimum = found["valley"] or 0.0, found["minimum"] or lowest_at / 10
    slide = found["slide"] or minimum
    if slide < valley / 10:  # its threshold is absolute, and misleads it on losses of another scale
        slide = minimum
    top = min(lowest_at, bang / 5) if bang else lowest_at
    rate, why = sorted((minimum, slide, least_at / 10))[1], "the middle one of minimum, slide and "
    why += f"a tenth of where single batches lose least ({least_at:.1e})"
    if rate < valley <= top:
        rate, why = valley, f"the valley, for {why} lies below it"
    if rate > top:
        rate, why = top, f"where the loss is lowest or soon explodes, for {why} lies above that"
    numbers = ", ".join(f"{name} {lr:.1e}" for name, lr in found.items() if lr)
    return _rounded(rate), f"{_rounded(rate):.1e}, {why}; {numbers}"


def _running_median(values: Any) -> Any:
    """The median of each value and its two neighbours on either side, so that one lucky batch decides nothing."""
    padded = np.pad(values, 2, mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(padded, 5), axis=1)


def _slice(found: dict[str, float | None], bang: float | None, one: float, frozen_lr: float | None) -> Advice:
    high = min(frozen_lr / 5, bang / 5 if bang else math.inf) if frozen_lr else one
    low = min(bang / 10 if bang else high / 10, high / 10)
    head = "the rate of the curve"
    if frozen_lr:
        safe = bang is not None and bang < frozen_lr
        head = (
            f"a fifth of where the loss explodes ({bang:.1e})" if safe else f"a fifth of {frozen_lr:.1e}, found frozen"
        )
    body = f"a tenth of where the loss explodes ({bang:.1e})" if bang and bang <= high else "a tenth of the head's"
    high, low = _rounded(high), _rounded(low)
    reason = f"slice({low:.1e}, {high:.1e}), where the head gets {head}, the layers nearest the input {body}"
    return Advice(found, bang, (low, high), reason)


def _rounded(rate: float) -> float:
    """Two significant digits; a curve tells no more."""
    return float(f"{rate:.1e}")
