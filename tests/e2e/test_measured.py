"""What a run measured, in the chat: its link opens the run on its own page."""

from __future__ import annotations

from datetime import UTC, datetime

from ended import put_run
from pages_server import Site, Visit
from playwright.sync_api import expect

from executors.recipes import lr_find
from executors.runs.journal import Outcome


def test_the_link_beside_an_answer_opens_the_run(own_site: Site, visit: Visit) -> None:
    """From the chat, and from its concept's card, to the Runs page with that run's result."""
    said = lr_find.findings({"unfrozen": 0.0021}, 3)
    outcome = Outcome({"arch": "200,100"}, "", "Take 2.1e-3.", said=said)
    started = datetime(2026, 11, 23, 22, tzinfo=UTC)
    put_run(
        own_site.store / "runs",
        "lr-find",
        outcome,
        started,
        task="tabular",
        data="/d/houses.csv",
    )
    page = visit.page
    page.goto(own_site.address)
    page.locator("#question textarea").fill("which learning rate should I take?")
    page.keyboard.press("Enter")
    fact = page.locator("#chat .g-measured li")
    expect(fact).to_contain_text(
        "On your data (houses.csv, arch 200-100, unfrozen): learning rate 0.0021, measured"
    )
    opened = page.locator("#run-result")
    for _ in range(2):  # also once the visitor has gone back by hand
        page.get_by_role("tab", name="Ask").click()
        fact.get_by_role("link", name="Open the run").click()
        expect(page.get_by_role("tab", name="Runs")).to_have_attribute("aria-selected", "true")
        expect(opened).to_contain_text("Take 2.1e-3.")

    visit.reload()
    page.get_by_role("tab", name="Graph").click()
    page.get_by_label("Find a concept").fill("Learning rate")
    page.keyboard.press("Enter")
    listed = page.locator("#card ul.g-runs")
    expect(listed).to_contain_text("0.0021")
    listed.get_by_role("link", name="lr-find").click()
    expect(opened).to_contain_text("Take 2.1e-3.")
    assert visit.errors == []
