"""What a chart shows, as values; `assets/curves.js` draws it, `curves_tools.js` zooms and keeps it.

Of our own, since none that comes with gradio does: gr.LinePlot has no logarithmic axis and forgets
its zoom with every point, plotly in gr.Plot loads 4.6 MB, knows no keys and not our themes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Chart", "Guide", "Line", "charts_json"]


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve; points that are not finite are left out."""

    name: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Guide:
    """A vertical line at `x` with a word beside it; `strong` for the one that matters."""

    name: str
    x: float
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves over one x axis.

    Parameters
    ----------
    base : int
        Of a logarithmic x axis, whose ticks are powers of it; points at or below 0 are left out.
        0 for a linear one.
    x_range : (float, float) or None
        What the x axis shows at least, so that a growing curve grows within a frame that stands
        still.
    y_most : float or None
        Where the y axis ends at most, until a part is chosen; curves are cut there.
    title : str
        "" for that of the y axis.
    band : tuple of (float, float, float)
        A shaded area around the first line: x, lowest and highest y; it does not widen the axes.
    """

    lines: tuple[Line, ...]
    x_label: str
    y_label: str
    base: int = 0
    guides: tuple[Guide, ...] = ()
    x_range: tuple[float, float] | None = None
    y_most: float | None = None
    title: str = ""
    band: tuple[tuple[float, float, float], ...] = ()


def charts_json(charts: Sequence[Chart], run_id: str, fault: str = "") -> dict[str, Any]:
    """The charts of a run as `assets/curves.js` takes them: finite numbers alone."""
    return {"run": run_id, "charts": [_chart_json(chart) for chart in charts], "fault": fault}


def _chart_json(chart: Chart) -> dict[str, Any]:
    lines = [asdict(line) | {"points": _kept(line.points, chart.base)} for line in chart.lines]
    return asdict(chart) | {"lines": lines, "band": _kept(chart.band, chart.base)}


def _kept(points: Sequence[tuple[float, ...]], base: int) -> list[tuple[float, ...]]:
    finite = [point for point in points if all(map(math.isfinite, point))]
    return [point for point in finite if point[0] > 0 or not base]
