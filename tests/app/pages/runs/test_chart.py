"""What is drawn of a run are numbers that a browser can read."""

from __future__ import annotations

import json
import math

from app.pages.runs.chart import Chart, Guide, Line, charts_json


def test_points_that_are_no_numbers_are_left_out() -> None:
    """NaN, infinity, and on a logarithmic axis zero, are not drawn; the rest stays in order."""
    points = ((0.0, 1.0), (1.0, math.nan), (2.0, math.inf), (3.0, 4.0), (5.0, 6.0))
    band = ((0.0, 1.0, 2.0), (3.0, 1.0, 2.0), (4.0, math.nan, 2.0))
    for base, kept, shaded in (
        (10, points[3:], band[1:2]),
        (0, points[::3] + points[4:], band[:2]),
    ):
        chart = Chart((Line("a", points),), "x", "y", base=base, band=band)
        (drawn,) = charts_json([chart], "run")["charts"]
        assert drawn["lines"][0]["points"] == list(kept)
        assert drawn["band"] == list(shaded)


def test_a_chart_is_json() -> None:
    """With all that is drawn, and the run that it is of."""
    chart = Chart((Line("a", ((1.0, 2.0),), True),), "x", "y", 10, (Guide("here", 0.1, True),))
    read = json.loads(json.dumps(charts_json([chart], "a-run"), allow_nan=False))
    assert read["run"] == "a-run" and read["charts"][0]["guides"][0]["strong"] is True
    assert read["charts"][0]["lines"] == [{"name": "a", "points": [[1.0, 2.0]], "dots": True}]
