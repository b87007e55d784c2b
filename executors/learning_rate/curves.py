"""What one phase of "lr-find" measured, as values for machines, as tables and as a picture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from executors.learning_rate.band import Band, band
from executors.learning_rate.find import Found
from executors.learning_rate.plot import Drawn, plot_curves
from executors.learning_rate.race import Race
from executors.learning_rate.sweep import Sweep
from executors.runs.journal import Journal

__all__ = ["Curve", "write_curves"]


@dataclass(frozen=True, slots=True)
class Curve:
    """One phase's sweeps, and what was found by them or why nothing was."""

    phase: str
    sweeps: tuple[Sweep, ...]
    found: Found | None
    trouble: str = ""

    def to_json(self) -> dict[str, Any]:
        """The values of a phase that found a rate."""
        assert self.found is not None
        found, first = self.found, self.sweeps[0]
        return {
            "recommended": found.recommended,
            "suggestions": found.advice.suggestions,
            "explodes_at": found.advice.explodes_at,
            "from_curve": found.advice.recommended,
            "reason": found.reason,
            "points": len(first.lrs),
            "ended": first.ended,
            "sweeps": {
                "orders": len(self.sweeps),
                "batches": sum(len(one.lrs) for one in self.sweeps),
                "lowest_at": sorted(_lowest(one) for one in self.sweeps if one.lrs),
            },
            "race": _race_values(found.race) if found.race else None,
        }


def _lowest(sweep: Sweep) -> float:
    return sweep.lrs[sweep.losses.index(min(sweep.losses))]


def _race_values(ran: Race) -> dict[str, Any]:
    trials = [
        {"rate": one.rate, "batches": one.batches, "loss": _finite(one.loss), "ended": one.ended}
        for one in ran.trials
    ]
    return {
        "before": _finite(ran.before),
        "trials": trials,
        "batches": ran.cost,
        "seconds": round(ran.seconds, 2),
    }


def _finite(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None


def write_curves(journal: Journal, curves: Sequence[Curve]) -> None:
    """The curves and their bands as tables, and all in one picture."""
    head = ("phase", "order", "lr", "smoothed_loss", "loss")
    journal.table("lr-find.csv", "the curves of all sweeps", head, _rows(curves))
    drawn = [_drawn(curve) for curve in curves if curve.sweeps and curve.sweeps[0].lrs]
    if drawn:
        picture = journal.folder / "lr-find.png"
        plot_curves(picture, drawn)
        journal.artifact(picture, "loss against learning rate")
    bands = [(curve.phase, band(curve.sweeps)) for curve in curves if len(curve.sweeps) > 1]
    if bands:
        title = "lowest, median and highest smoothed loss of the sweeps"
        head = ("phase", "lr", "lowest", "median", "highest")
        journal.table("lr-find-band.csv", title, head, _band_rows(bands))


def _rows(curves: Sequence[Curve]) -> Iterator[tuple[object, ...]]:
    for curve in curves:
        for order, one in enumerate(curve.sweeps):
            for point in zip(one.lrs, one.losses, one.raw, strict=True):
                yield curve.phase, order, *point


def _band_rows(bands: Iterable[tuple[str, Band]]) -> Iterator[tuple[object, ...]]:
    for phase, one in bands:
        for row in zip(one.lrs, one.low, one.middle, one.high, strict=True):
            yield phase, *row


def _drawn(curve: Curve) -> Drawn:
    around = band(curve.sweeps) if len(curve.sweeps) > 1 else None
    if around is not None and not around.lrs:
        around = None
    found = curve.found
    if found is None:
        return Drawn(curve.phase, curve.sweeps[0], around)
    return Drawn(
        curve.phase,
        curve.sweeps[0],
        around,
        found.advice.suggestions,
        found.recommended,
        found.advice.explodes_at,
    )
