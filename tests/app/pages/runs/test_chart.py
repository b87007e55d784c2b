"""Charts put points where their numbers say, on linear and logarithmic axes."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pages.runs.chart import Guide, Line, chart, ticks

positive = st.floats(1e-9, 1e4, allow_nan=False)


def points_of(svg: str) -> list[tuple[float, float]]:
    found = re.search(r'<polyline points="([^"]*)"', svg)
    assert found
    return [tuple(map(float, pair.split(","))) for pair in found[1].split()]  # type: ignore[misc]


def test_a_logarithmic_axis_gives_each_decade_the_same_room() -> None:
    """1e-5, 1e-4 and 1e-3 stand at equal distances."""
    svg = chart(
        [Line("a", ((1e-5, 1), (1e-4, 2), (1e-3, 3)))], x_label="rate", y_label="loss", log_x=True
    )
    (x0, _), (x1, _), (x2, _) = points_of(svg)
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert "10⁻⁴" in svg


@given(st.lists(st.tuples(positive, positive), min_size=2, max_size=30), st.booleans())
def test_order_is_kept_and_all_stays_inside(points: list[tuple[float, float]], log_x: bool) -> None:
    """A larger x is never further left, a larger y never lower, and nothing leaves the frame."""
    svg = chart([Line("a", tuple(points))], x_label="x", y_label="y", log_x=log_x)
    root = ET.fromstring(svg)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    drawn = points_of(svg)
    assert len(drawn) == len(points)
    for (x, y), (px, py) in zip(points, drawn, strict=True):
        assert 0 <= px <= width
        assert 0 <= py <= height
        for (other_x, other_y), (other_px, other_py) in zip(points, drawn, strict=True):
            assert other_px >= px if other_x > x else True
            assert other_py <= py if other_y > y else True


def test_points_that_are_no_numbers_are_left_out() -> None:
    """NaN, infinity, and on a logarithmic axis zero, are not drawn."""
    points = ((0.0, 1.0), (1.0, math.nan), (2.0, math.inf), (3.0, 4.0), (5.0, 6.0))
    assert len(points_of(chart([Line("a", points)], x_label="x", y_label="y", log_x=True))) == 2


def test_no_points_say_so() -> None:
    """A chart that has nothing to show is still a picture with a reason."""
    assert "no points yet" in chart([Line("a", ())], x_label="x", y_label="y")


def test_a_mark_stands_at_its_rate_and_words_are_escaped() -> None:
    """A mark's line crosses the axis where a point of the same x is drawn; its name is text."""
    svg = chart(
        [Line("<a>", ((1e-4, 1), (1e-2, 2)))],
        x_label="x",
        y_label="y",
        log_x=True,
        guides=[Guide("<here>", 1e-2, True)],
    )
    at = re.search(r'<line class="g-mark g-strong" x1="([\d.]+)"', svg)
    assert at
    assert float(at[1]) == points_of(svg)[1][0]
    assert "&lt;here&gt;" in svg
    ET.fromstring(svg)


def test_a_growing_curve_grows_within_a_still_frame() -> None:
    """With a given range, a point stays where it was drawn when later ones come."""
    points = ((1e-6, 3.0), (1e-5, 2.9), (1e-3, 2.0))
    drawn = [
        points_of(
            chart(
                [Line("a", points[:n])], x_label="x", y_label="y", log_x=True, x_range=(1e-7, 10.0)
            )
        )
        for n in (2, 3)
    ]
    assert [x for x, _ in drawn[0]] == [x for x, _ in drawn[1]][:2]


def test_a_cut_axis_holds_the_curve_at_its_edge() -> None:
    """Where the curve explodes, it runs along the top instead of flattening the rest."""
    svg = chart([Line("a", ((1, 1.0), (2, 0.5), (3, 1e6)))], x_label="x", y_label="y", y_most=2.0)
    ys = [y for _, y in points_of(svg)]
    assert ys[1] - ys[0] > 20
    assert ys[2] < ys[0]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_and_within(low: float, span: float) -> None:
    """Ticks lie within the range, evenly, about five of them."""
    high = low + span
    found = ticks(low, high)
    if high > low and span > abs(low) * 1e-9:
        assert 2 <= len(found) <= 11
        assert all(low - span * 1e-3 <= tick <= high + span * 1e-3 for tick in found)
