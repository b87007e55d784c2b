"""What one phase of "lr-find" measured, as values for machines, as tables and as a picture."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executors.learning_rate.band import Band, band
from executors.learning_rate.find import Found
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
            "race": _race(found.race) if found.race else None,
        }


def _lowest(sweep: Sweep) -> float:
    return sweep.lrs[sweep.losses.index(min(sweep.losses))]


def _race(ran: Race) -> dict[str, Any]:
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
    from executors.learning_rate.plot import plot_curves

    rows = (
        (curve.phase, order, *point)
        for curve in curves
        for order, one in enumerate(curve.sweeps)
        for point in zip(one.lrs, one.losses, one.raw, strict=True)
    )
    table = journal.folder / "lr-find.csv"
    _write(table, ("phase", "order", "lr", "smoothed_loss", "loss"), rows)
    journal.artifact(table, "the curves of all sweeps")
    drawn = [_drawn(curve) for curve in curves if curve.sweeps and curve.sweeps[0].lrs]
    if drawn:
        picture = journal.folder / "lr-find.png"
        plot_curves(picture, drawn)
        journal.artifact(picture, "loss against learning rate")
    bands = [(curve.phase, band(curve.sweeps)) for curve in curves if len(curve.sweeps) > 1]
    if bands:
        table = journal.folder / "lr-find-band.csv"
        _write(table, ("phase", "lr", "lowest", "median", "highest"), _band_rows(bands))
        journal.artifact(table, "lowest, median and highest smoothed loss of the sweeps")


def _band_rows(bands: Iterable[tuple[str, Band]]) -> Iterable[Sequence[Any]]:
    for phase, one in bands:
        for row in zip(one.lrs, one.low, one.middle, one.high, strict=True):
            yield phase, *row


def _write(path: Path, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows(rows)


def _drawn(curve: Curve) -> dict[str, Any]:
    first, found = curve.sweeps[0], curve.found
    around = band(curve.sweeps) if len(curve.sweeps) > 1 else None
    return {
        "phase": curve.phase,
        "lrs": first.lrs,
        "losses": first.losses,
        "raw": first.raw,
        "suggestions": found.advice.suggestions if found else {},
        "recommended": found.recommended if found else None,
        "explodes_at": found.advice.explodes_at if found else None,
        "band": (around.lrs, around.low, around.high) if around and around.lrs else None,
    }
