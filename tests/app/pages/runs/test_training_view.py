"""What the Runs page shows of training follows from its events alone."""

from __future__ import annotations

import re
from typing import Any

from app.pages.runs.chart import Chart, charts_json
from app.pages.runs.training_view import training_charts, training_tables


def epoch(number: int, stage: str = "all layers", **fields: Any) -> dict[str, Any]:
    blank = {
        "event": "epoch",
        "stage": stage,
        "epoch": number,
        "train_loss": 1.0 / number,
        "valid_loss": 2.0 / number,
    }
    return (
        blank
        | {"metrics": {"accuracy": 0.5 + number / 20}, "seconds": 1.25, "t": float(number)}
        | fields
    )


def curves(drawn: list[Chart]) -> list[dict[str, Any]]:
    """The curves of all charts as they are drawn."""
    return [line for chart in charts_json(drawn, "")["charts"] for line in chart["lines"]]


def lines(drawn: list[Chart]) -> list[int]:
    """How many points each curve has."""
    return [len(line["points"]) for line in curves(drawn)]


def rows(table: str) -> list[list[str]]:
    return [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table)][1:]


def test_until_the_first_epoch_ends_the_batches_are_the_curve() -> None:
    """The loss of a batch is drawn as it comes; the first epoch takes its place."""
    batches = [{"event": "batch", "step": step, "loss": 3.0 / step, "t": 0.1} for step in (1, 2, 3)]
    assert lines(training_charts(batches)) == [3]
    assert [line["name"] for line in curves(training_charts(batches))] == ["loss of a batch"]
    names = [line["name"] for line in curves(training_charts([*batches, epoch(1)]))]
    assert names == ["training", "validation", "accuracy"]
    assert training_charts([]) == [] and training_tables([]) == ""


def test_stages_of_one_training_are_one_curve_each_for_training_and_validation() -> None:
    """The head's epoch and those of all layers follow one another; the score stands apart."""
    drawn = training_charts([epoch(1, "head"), epoch(2), epoch(3)])
    assert lines(drawn) == [3, 3, 3]
    assert [line["name"] for line in curves(drawn)] == ["training", "validation", "accuracy"]
    assert [(chart.x_label, chart.y_label) for chart in drawn] == [
        ("epoch", "loss"),
        ("epoch", "accuracy"),
    ]


def test_trainings_that_are_compared_have_a_line_each() -> None:
    """A line for each way, its epochs counted from 1, on the same axes: losses, then scores."""
    ways = [epoch(n, way=way) for way in ("none", "mixup", "dropout") for n in (1, 2)]
    drawn = training_charts(ways)
    assert lines(drawn) == [2] * 6
    assert [line["name"] for line in curves(drawn)] == ["none", "mixup", "dropout"] * 2


def test_stages_of_a_way_are_one_line_and_its_epochs_count_from_one() -> None:
    """Growing images pass through several sizes, and are one training beside another."""
    grown = [epoch(n, stage, way="32 px then 64 px") for n, stage in ((1, "32 px"), (2, "64 px"))]
    whole = [epoch(n, f"64 px throughout, {n - 2} of 2", way="64 px throughout") for n in (3, 4)]
    assert lines(training_charts([*grown, *whole])) == [2] * 4
    assert [row[:2] for row in rows(training_tables([*grown, *whole]))][1:3] == (
        [["64 px", "2"], ["64 px throughout, 1 of 2", "1"]]
    )
    single = [epoch(n, way, way=way) for n, way in enumerate(("float32", "bfloat16"), start=1)]
    assert lines(training_charts(single)) == [1] * 4
    assert [row[1] for row in rows(training_tables(single))] == ["1", "1"]


def test_repeats_of_a_way_are_one_line_of_their_mean() -> None:
    """Two trainings of two epochs each are two points, at the mean of each epoch."""
    started = {"event": "started", "params": {"repeats": 2, "epochs": 2}}
    losses = {"none": (4.0, 2.0, 2.0, 0.0), "mixup": (3.0, 1.0, 3.0, 1.0)}
    told = [
        epoch(n, way=way, valid_loss=loss)
        for way, four in losses.items()
        for n, loss in enumerate(four, start=1)
    ]
    drawn = training_charts([started, *told])
    assert lines(drawn) == [2] * 4
    assert [row[1] for row in rows(training_tables([started, *told]))] == ["1", "2"] * 4
    none, mixup = curves(drawn)[:2]
    assert none["points"] == mixup["points"] == [(1.0, 3.0), (2.0, 1.0)]


def test_a_loss_that_is_no_number_leaves_a_gap() -> None:
    """Epochs without a number are not drawn, and the table says what they had."""
    events = [epoch(1), epoch(2, valid_loss=float("nan")), epoch(3)]
    assert lines(training_charts(events))[:2] == [3, 2]
    assert rows(training_tables(events))[1][3] == "not a number"


def test_epochs_are_a_table_with_their_metrics() -> None:
    """Stage, epoch, both losses, each metric and the seconds, in few digits."""
    table = training_tables([epoch(3, train_loss=0.123456)])
    heads = re.findall(r'<th scope="col">(.*?)</th>', table)
    assert heads == ["Stage", "Epoch", "Training loss", "Validation loss", "Accuracy", "Seconds"]
    assert rows(table) == [["all layers", "3", "0.123", "0.667", "0.65", "1.25"]]


def test_rows_of_one_table_stay_together() -> None:
    """Each name has its own table, in the order of the rows; bytes have a unit that fits."""
    events = [
        {
            "event": "row",
            "table": "memory",
            "step": "trained",
            "used_bytes": 2_000_000,
            "change_bytes": -12_600_000,
        },
        {"event": "row", "table": "precision", "precision": "float32", "samples_per_s": 81.25},
        {"event": "row", "table": "memory", "step": "let go", "used_bytes": 950, "change_bytes": 0},
    ]
    shown = training_tables(events)
    assert re.findall(r"<caption>(.*?)</caption>", shown) == ["Memory", "Precision"]
    assert rows(shown.split("</table>")[0]) == [
        ["trained", "2 MB", "-12.6 MB"],
        ["let go", "950 B", "0 B"],
    ]
    assert "Samples per second" in shown and ">81.2<" in shown


def test_layers_are_a_line_for_each_way_to_start() -> None:
    """Deviation and mean, layer by layer, counted from 1."""
    layers = [
        {"event": "layer", "way": way, "name": f"0.{i}", "deviation": 0.5 + i, "mean": 0.1 * i}
        for way in ("as built", "LSUV")
        for i in range(2)
    ]
    drawn = training_charts(layers)
    assert lines(drawn) == [2] * 4
    assert curves(drawn)[0]["points"] == [(1.0, 0.5), (2.0, 1.5)]


def test_words_of_a_run_are_text() -> None:
    """Stages, tables and columns of a learner of the user's own become no markup."""
    events = [
        epoch(1, "<b>x", metrics={"<i>": 1.0}),
        epoch(1, "<b>y"),
        epoch(2, "<b>x", way="<b>x"),
        epoch(2, "<b>y", way="<b>y"),
        {"event": "row", "table": "<u>", "<s>": "<em>"},
    ]
    shown = training_tables(events)
    assert not re.search("<(b|i|u|s|em)>", shown.lower())
    assert "&lt;b&gt;x" in shown and "&lt;em&gt;" in shown
