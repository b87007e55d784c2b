"""A run's page shows the runs before and after it, and a button for the next."""

from __future__ import annotations

import html
from pathlib import Path
from urllib.parse import unquote

from app.pages.runs.chain import chain_html, offer_target, split_offer
from app.pages.runs.page import read_offer
from executors.recipe import check_params, find_recipe
from executors.runs.history import RunRecord
from executors.runs.next_run import NextRun
from executors.runs.result import RunResult

NEXT = NextRun("progressive-resizing", "smaller <first>", {"sizes": [32, 64], "pretrained": False})


def record(run_id: str, after: str = "", *offers: NextRun) -> RunRecord:
    result = RunResult("ok", "training-flow", "tabular", "cpu", next=offers)
    return RunRecord(
        run_id, Path(run_id), "training-flow", "tabular", result=result, after=after, status="ok"
    )


def test_a_link_carries_values_and_the_run_before() -> None:
    """They come back as the recipe takes them; the run is no parameter."""
    recipe, values = read_offer(offer_target(NEXT, "a-run"))
    own, after = split_offer(values)
    checked = check_params(find_recipe(recipe), own)
    assert (recipe, after) == ("progressive-resizing", "a-run")
    assert (checked["sizes"], checked["pretrained"]) == ((32, 64), False)


def test_the_chain_names_runs_before_and_after() -> None:
    """In their order, with the run itself unlinked; what others wrote is text."""
    records = [record("c", "b"), record("b", "a", NEXT), record("a")]
    shown = chain_html(records, "b")
    assert shown.index("#past/a") < shown.index("<strong>") < shown.index("#past/c")
    assert "#past/b" not in shown and "smaller &lt;first&gt;" in shown
    assert "after-run=b" in unquote(html.unescape(shown))


def test_a_ring_and_lost_runs_end_the_chain() -> None:
    """A damaged folder may name itself, or a run that is gone."""
    assert chain_html([record("a", "b"), record("b", "a")], "a").count("#past/b") == 2
    assert chain_html([record("a", "gone")], "a") == ""
    assert chain_html([], "a") == ""
