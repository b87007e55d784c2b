"""The Learn page: a goal, its steps, questions that open to their answer, and what is printed."""

from __future__ import annotations

import re

import pytest
from pages_server import Site, Visit, in_both_themes
from playwright.sync_api import Page, Route, expect

from kg.marks import read_marks
from kg.store import open_store

pytestmark = pytest.mark.browser


def learn(page: Page, site: Site, goal: str) -> None:
    """Open the page by its tab and name a goal, by keyboard."""
    page.goto(site.address)
    page.get_by_role("tab", name="Learn").click()
    expect(page.locator("#path")).to_contain_text("Say what you want to learn")
    page.get_by_label("What do you want to learn?").fill(goal)
    page.keyboard.press("Enter")
    expect(page.locator("#path h2")).to_have_text("Momentum")


def test_steps_are_done_one_by_one(visit: Visit, own_site: Site) -> None:
    """Each mark moves progress and the next step, stays in the store, and can be taken back.

    When the notes change, the open path is drawn anew, at the same goal, with what is new in them.
    """
    page = visit.page
    learn(page, own_site, "momentum")
    steps = page.locator("#path .gl-step")
    n = steps.count()
    progress, following = page.locator(".gl-progress"), page.locator(".gl-next")
    expect(progress).to_contain_text(re.compile(rf"0 of {n} steps done; about \d+ min"))
    first = steps.first.locator("h3").inner_text().removeprefix("1. ")
    expect(following).to_have_text(f"Next: {first}, step 1")
    steps.first.get_by_role("link", name="I know this").press("Enter")
    expect(progress).to_contain_text(f"1 of {n} steps done")
    expect(page.locator("#path")).to_be_focused()
    expect(following).to_contain_text("step 2")
    store = open_store(own_site.store)
    assert [mark.label for mark in read_marks(store)] == [first]
    store.close()
    steps.first.locator("a.g-known").click()
    expect(progress).to_contain_text(f"0 of {n} steps done")

    summary = steps.last
    expect(summary).to_contain_text("Momentum adds a running mean")
    training = own_site.notes / "02-training.md"
    training.write_text(training.read_text("utf-8").replace("a running mean", "a fading sum"))
    expect(summary).to_contain_text("Momentum adds a fading sum", timeout=120_000)
    expect(page.locator("#path h2")).to_have_text("Momentum")
    expect(page.get_by_label("What do you want to learn?")).to_have_value("Momentum")
    assert visit.errors == []


def test_questions_open_to_their_answers(visit: Visit, site: Site, axe: str) -> None:
    """On paper all stand open and nothing else is printed; on the screen all is as before.

    There one is opened by keyboard and cites its lines; before, its answer cannot be seen. With
    it open axe finds nothing serious in either theme.
    """
    page = visit.page
    learn(page, site, "Momentum")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    for away in ("#header", "#learn", "#places > .tab-wrapper", "#path .g-actions"):
        expect(page.locator(away).first).to_be_hidden()
    answers = page.locator("#path .gl-ask")
    assert answers.count() == page.locator("#path .gl-ask[open]").count() > 0
    expect(page.locator("#path h2")).to_be_visible()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("#path .gl-ask[open]").count() == 0
    page.emulate_media(media="screen")

    question = answers.first
    answer = question.locator(":scope > :not(summary)").first
    expect(answer).to_be_hidden()
    question.locator("summary").press("Enter")
    expect(answer).to_be_visible()
    expect(question).to_contain_text(re.compile(r"\.md, lines? \d+"))
    assert in_both_themes(page, axe) == []
    assert question.get_attribute("open") is not None
    assert visit.errors == []


def test_a_link_brings_back_the_path_and_leads_on(visit: Visit, site: Site) -> None:
    """The goal is in the address; a step leads to the graph, a card back to its path.

    Of choices made quickly the last one stands there, on either page.
    """
    page = visit.page
    page.goto(f"{site.address}/#learn?goal=Momentum")
    expect(page.locator("#path h2")).to_have_text("Momentum")
    page.locator("#path .gl-step").last.get_by_role("link", name="On the graph").click()
    expect(page.locator("#card h3")).to_have_text("Momentum")
    page.get_by_label("Find a concept").fill("Learning rate")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text("Learning rate")
    choose_quickly(page, "choose", "#card h3")
    page.get_by_label("Find a concept").fill("Learning rate")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text("Learning rate")
    page.locator("#card").get_by_role("link", name="Learn it step by step").click()
    expect(page.locator("#path h2")).to_have_text("Learning rate")
    expect(page.get_by_label("What do you want to learn?")).to_have_value("Learning rate")
    assert page.evaluate("location.hash") == "#learn?goal=Learning+rate"
    page.get_by_label("What do you want to learn?").fill("<b>nothing</b>")
    page.keyboard.press("Enter")
    expect(page.locator(".gl-told")).to_have_text("The notes have no concept '<b>nothing</b>'")
    choose_quickly(page, "learn", "#path h2")
    assert visit.errors == []


def choose_quickly(page: Page, choose: str, head: str) -> None:
    """A second choice that comes while the server is at the first is not lost."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/run/predict", hold)
    for label in ("Tensor", "Gradient"):
        with page.expect_request("**/run/predict"):
            page.evaluate(f"label => {{ gradus.{choose}(label); }}", label)
    for route in held:
        with page.expect_response("**/run/predict"):
            route.continue_()
    expect(page.locator(head)).to_have_text("Gradient")
    page.unroute("**/run/predict")
