"""Line charts as SVG text, with a linear or logarithmic axis; the style sheet has the colours.

Drawn on our side: the curve grows while a run goes on, with no chart library to load and nothing
fetched.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["NARROW_PX", "WIDE_PX", "Guide", "Line", "chart", "ticks"]

WIDE_PX, NARROW_PX, HEIGHT = 640, 440, 300  # a narrow one stands beside another
LEFT, RIGHT, TOP, BOTTOM = 68, 18, 26, 46
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
CHARACTER_PX = 6.4
ROW_PX, COLOURS = 18, 7  # of the legend


@dataclass(frozen=True, slots=True)
class Line:
    """A named curve; points that are not finite leave a gap."""

    name: str
    points: tuple[tuple[float, float], ...]
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Guide:
    """A vertical line at `x` with a word beside it; `strong` for the one that matters."""

    name: str
    x: float
    strong: bool = False


def chart(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    log_x: bool = False,
    x_base: int = 10,
    guides: Sequence[Guide] = (),
    x_range: tuple[float, float] | None = None,
    y_most: float | None = None,
    title: str = "",
    width: int = WIDE_PX,
    band: Sequence[tuple[float, float, float]] = (),
) -> str:
    """Draw a chart; without a single finite point, an empty frame that says so.

    Parameters
    ----------
    log_x : bool
        A logarithmic x axis, with ticks at powers of `x_base`; points at or below 0 are left out.
    x_range : (float, float) or None
        What the x axis shows at least, so that a growing curve grows within a frame that stands
        still.
    y_most : float or None
        Where the y axis ends at most; curves are cut there.
    width : int
        Of the drawing, in its own units; a narrow one keeps its words readable beside another.
    band : sequence of (float, float, float)
        A shaded area around the first line: x, lowest and highest y; it does not widen the axes.
    """
    kept = [Line(line.name, _finite(line.points, log_x), line.dots) for line in lines]
    points = [point for line in kept for point in line.points]
    label = html.escape(f"{y_label} against {x_label}: {', '.join(line.name for line in kept)}")
    if not points:
        middle = f'x="{width / 2}" y="{HEIGHT / 2}"'
        nothing = f'<text class="g-tick" {middle} text-anchor="middle">no points yet</text>'
        return _svg(label, width, nothing)
    beside = [*(guide.x for guide in guides), *(x_range or ())]
    xs = [x for x, _ in points] + [x for x in beside if x > 0 or not log_x]
    across = _Axis(min(xs), max(xs), LEFT, width - RIGHT, log_x)
    up = _upwards([y for _, y in points], y_most)
    whole = all(x == int(x) for x, _ in points)
    parts = [_frame(across, up, x_label, y_label, _x_ticks(across, x_base if log_x else 0, whole))]
    parts += [_guide_line(guide, across) for guide in guides]
    parts.append(_area(band, across, up))
    parts += [_curve(line, across, up, number) for number, line in enumerate(kept)]
    in_order = sorted(guides, key=lambda guide: guide.x)
    parts += [_guide_name(guide, across, row) for row, guide in enumerate(in_order)]
    if len(kept) == 1:
        return _svg(label, width, "".join([*parts, _title(title)]))
    legend, rows = _legend([line.name for line in kept], width)
    return _svg(label, width, "".join([*parts, legend]), ROW_PX * (rows - 1))


def ticks(low: float, high: float, n: int = 5) -> list[float]:
    """Round values within a range, about `n`.

    >>> ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not high > low:
        return [low]
    raw = (high - low) / n
    power = 10 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(i * step, 12) for i in range(first, math.floor(high / step + 1e-9) + 1)]


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    end: float
    log: bool

    def at(self, value: float) -> float:
        """Pixels of a value, kept within the axis."""
        low, high = (math.log(self.low), math.log(self.high)) if self.log else (self.low, self.high)
        value = math.log(value) if self.log else value
        share = 0.5 if high == low else (value - low) / (high - low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def _upwards(ys: Sequence[float], most: float | None) -> _Axis:
    """The y axis, with a margin; it starts at 0 where the values come near that."""
    low, top = min(ys), max(ys)
    high = top if most is None else min(top, most)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    far_from_zero = low < 0 or low > 0.3 * high
    start = low - margin if far_from_zero else 0.0
    return _Axis(start, high + margin, HEIGHT - BOTTOM, TOP, log=False)


def _finite(points: Sequence[tuple[float, float]], log_x: bool) -> tuple[tuple[float, float], ...]:
    finite = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    return tuple((x, y) for x, y in finite if x > 0 or not log_x)


def _svg(label: str, width: int, inside: str, above: int = 0) -> str:
    """The drawing; `above` is room for what stands over its frame, at negative heights."""
    return (
        f'<svg class="g-chart" viewBox="0 {-above} {width} {HEIGHT + above}" role="img" '
        f'style="max-width: {width * 1.3:.0f}px" aria-label="{label}">'
        f"<title>{label}</title>{inside}</svg>"
    )


def _x_ticks(across: _Axis, base: int, whole: bool) -> list[tuple[float, str]]:
    """Places and words of the x axis' ticks; `base` 0 stands for a linear axis."""
    if base:
        return _powers(across, base)
    values = ticks(across.low, across.high, 7)
    return [(value, f"{value:.4g}") for value in values if not whole or value == int(value)]


def _frame(
    across: _Axis, up: _Axis, x_label: str, y_label: str, x_ticks: Sequence[tuple[float, str]]
) -> str:
    parts = []
    for value in ticks(up.low, up.high):
        y = up.at(value)
        parts.append(_line("g-grid", LEFT, across.end, y, y))
        parts.append(_text("g-tick", LEFT - 8, y + 4, "end", f"{value:.4g}"))
    for value, word in x_ticks:
        x = across.at(value)
        parts.append(_line("g-grid", x, x, TOP, HEIGHT - BOTTOM))
        parts.append(_text("g-tick", x, HEIGHT - BOTTOM + 18, "middle", word))
    middle, height = (LEFT + across.end) / 2, (TOP + HEIGHT - BOTTOM) / 2
    upright = f' transform="rotate(-90 14 {height:.1f})"'
    parts.append(_text("g-axis", middle, HEIGHT - 8, "middle", x_label))
    parts.append(_text("g-axis", 14, height, "middle", y_label, upright))
    return "".join(parts)


def _line(css: str, x1: float, x2: float, y1: float, y2: float) -> str:
    return f'<line class="{css}" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}"/>'


def _text(css: str, x: float, y: float, anchor: str, words: str, more: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{css}" {place}{more}>{html.escape(words)}</text>'


def _powers(axis: _Axis, base: int) -> list[tuple[float, str]]:
    """Ticks of a logarithmic axis: its powers, thinned to at most nine."""
    first = math.ceil(math.log(axis.low, base) - 1e-9)
    last = math.floor(math.log(axis.high, base) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / 9))
    powers = range(first, last + 1, step)
    return [
        (float(base) ** p, f"10{str(p).translate(SUPERSCRIPT)}" if base == 10 else f"{base**p:g}")
        for p in powers
    ]


def _guide_line(guide: Guide, across: _Axis) -> str:
    x = across.at(guide.x)
    return _line(_guide_css(guide), x, x, TOP, HEIGHT - BOTTOM)


def _guide_name(guide: Guide, across: _Axis, row: int) -> str:
    """The word beside a guide, one below the other, for guides often stand close together."""
    x = across.at(guide.x)
    space = len(guide.name) * CHARACTER_PX + 6
    anchor, shift = ("end", -5) if x + space > across.end else ("start", 5)
    y = TOP + 12 + (row % 4) * 15
    return _text(_guide_css(guide), x + shift, y, anchor, guide.name)


def _guide_css(guide: Guide) -> str:
    return "g-mark g-strong" if guide.strong else "g-mark"


def _curve(line: Line, across: _Axis, up: _Axis, number: int) -> str:
    if not line.points:
        return ""
    path = " ".join(f"{across.at(x):.1f},{up.at(y):.1f}" for x, y in line.points)
    dots = ""
    if line.dots or len(line.points) == 1:
        placed = [(across.at(x), up.at(y)) for x, y in line.points]
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in placed)
    return f'<g class="g-line g-line-{number % COLOURS}"><polyline points="{path}"/>{dots}</g>'


def _area(band: Sequence[tuple[float, float, float]], across: _Axis, up: _Axis) -> str:
    finite = [(x, low, high) for x, low, high in band if math.isfinite(x + low + high)]
    kept = [(x, low, high) for x, low, high in finite if x > 0 or not across.log]
    if len(kept) < 2:
        return ""
    path = [f"{across.at(x):.1f},{up.at(high):.1f}" for x, _, high in kept]
    path += [f"{across.at(x):.1f},{up.at(low):.1f}" for x, low, _ in reversed(kept)]
    polygon = f'<polygon points="{" ".join(path)}" style="opacity: 0.18; stroke: none"/>'
    return f'<g class="g-line g-line-0">{polygon}</g>'


def _title(title: str) -> str:
    words = html.escape(title[:1].upper() + title[1:])
    return f'<text class="g-axis g-head" x="{LEFT}" y="15">{words}</text>' if title else ""


def _legend(names: Sequence[str], width: int) -> tuple[str, int]:
    """The lines' names with their colours, in rows of which the last stands on the frame."""
    placed, x, row = [], float(LEFT), 0
    for name in names:
        space = 30 + len(name) * CHARACTER_PX
        if x > LEFT and x + space > width:
            x, row = float(LEFT), row + 1
        placed.append((name, x, row))
        x += space
    parts = []
    for number, (name, x, its_row) in enumerate(placed):
        y = 12 - ROW_PX * (row - its_row)
        colour = f"g-line g-line-{number % COLOURS}"
        parts.append(f'<g class="{colour}"><circle cx="{x + 5:.1f}" cy="{y}" r="4.5"/></g>')
        parts.append(_text("g-tick", x + 14, y + 4, "start", name))
    return "".join(parts), row + 1
