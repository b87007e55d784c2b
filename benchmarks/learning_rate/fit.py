"""Fits how far trials and valley usually lie from the best rate: `python -m
benchmarks.learning_rate.fit`.

Reads the development runs that `quality` saved: what the trials of each favour, its valley, and
what each rate of the grid keeps (linear in the logarithm between them). The five figures of
`executors.learning_rate.votes.Usual` are those for which the mean square of what is lost is least,
pulled a little to where they began. Prints what is kept with each task left out of the fit, and the
figures fitted on all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import minimize

from benchmarks.learning_rate.quality import GRID
from benchmarks.record import RESULTS
from executors.learning_rate.race import Race, Trial
from executors.learning_rate.suggest import Rate
from executors.learning_rate.votes import Usual, favoured, weighed

BEGIN = Usual(trials=-0.15, sliced=0.3, valley=0.7, firm=0.3, weak=0.5)
PULL = 0.002  # of the square of a figure's distance from where it began


@dataclass(frozen=True, slots=True)
class Run:
    """What a development run says of its rates."""

    task: str
    favoured: float
    valley: float
    fall: float
    sliced: bool
    grid: tuple[float, ...]  # kept at each of GRID
    valley_kept: float

    def kept(self, usual: Usual) -> float:
        """The share kept by the rate weighed so."""
        rate = weighed(self.favoured, self.valley, self.fall, self.sliced, usual)
        return float(np.interp(math.log(rate), np.log(GRID), self.grid))


def main() -> int:
    """Fit with each task left out, print; fit on all, print."""
    saved = json.loads((RESULTS / "learning_rate_development.json").read_text())
    runs = [read(row) for row in saved["runs"]]
    tasks = sorted({run.task for run in runs})
    kept, short = list[float](), list[float]()
    for task in tasks:
        usual = fitted([run for run in runs if run.task != task])
        for run in (run for run in runs if run.task == task):
            kept.append(run.kept(usual))
            short.append(run.valley_kept - run.kept(usual))
    print(
        f"{len(tasks)} tasks left out in turn, {len(runs)} runs: median {median(kept):.3f}, worst "
        f"{min(kept):.3f}, mean {np.mean(kept):.3f}, below .8 {sum(one < 0.8 for one in kept)}, "
        f"below .9 {sum(one < 0.9 for one in kept)}; more than .05 below the valley "
        f"{sum(one > 0.05 for one in short)}, at most {max(short):.3f}"
    )
    print(fitted(runs))
    return 0


def read(row: dict[str, Any]) -> Run:
    """A saved run."""
    trials = [
        Trial(_rate(rate), batches, math.inf if loss is None else loss, 0, "done")
        for rate, batches, loss in row["race"]
    ]
    ran = Race(tuple(trials), row["loss_before"], 0, 0.0)
    return Run(
        row["task"],
        favoured(ran),
        row["rates"]["valley"],
        ran.fall,
        isinstance(trials[0].rate, tuple),
        tuple(max(0.0, one or 0.0) for one in row["grid_kept"]),
        row["kept"]["valley"],
    )


def _rate(saved: Any) -> Rate:
    return tuple(saved) if isinstance(saved, list) else saved


def fitted(runs: Sequence[Run]) -> Usual:
    """The figures that lose least on the runs."""
    begin = _free(BEGIN)

    def lost(free: Any) -> float:
        losses = [(1 - run.kept(_usual(free))) ** 2 for run in runs]
        return float(np.mean(losses) + PULL * np.sum((free - begin) ** 2))

    found = minimize(lost, begin, method="Nelder-Mead", options={"maxiter": 500})
    return Usual(*(round(one, 2) for one in astuple(_usual(found.x))))


def _free(usual: Usual) -> Any:
    """Figures without bounds: the two variances by their logarithm."""
    *places, firm, weak = astuple(usual)
    return np.array([*places, math.log(firm), math.log(weak)])


def _usual(free: Any) -> Usual:
    return Usual(*map(float, free[:3]), *map(float, np.exp(free[3:])))


if __name__ == "__main__":
    raise SystemExit(main())
