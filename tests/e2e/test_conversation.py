"""Conversations in a real browser: kept over a reload, for nobody else, and without a server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pages_server import Site, Visit, heavy_findings
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def open_pages(page: Page, site: Site) -> None:
    page.goto(site.address)
    expect(page.get_by_label("Your question")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def kept(page: Page, count: int = 1) -> None:
    """Wait until the server has so many conversations of this browser."""
    expect(page.locator(".gc-count")).to_have_text(str(count))


def test_a_conversation_survives_a_reload(visit: Visit, site: Site, browser: Browser) -> None:
    """Questions and answers are there again, their links work, and a follow-up is understood.

    Nobody else sees them: a second visitor begins with an empty conversation.
    """
    page = visit.page
    open_pages(page, site)
    ask(page, "What is momentum?")
    expect(page.get_by_test_id("bot")).to_contain_text("running mean")
    kept(page)
    page.get_by_label("Your question").fill("half a quest")
    visit.reload()
    expect(page.get_by_test_id("user")).to_have_text("What is momentum?")
    answer = page.get_by_test_id("bot")
    expect(answer).to_contain_text("running mean")
    expect(page.get_by_label("Your question")).to_have_value("half a quest")
    answer.locator("a.g-ref").first.click()
    expect(page.locator(".g-page .g-glow").first).to_be_visible()
    ask(page, "What do I need before it?")
    expect(page.get_by_test_id("bot")).to_have_count(2)
    expect(page.get_by_test_id("bot").last).to_contain_text("Learning rate")
    assert visit.errors == []

    context = browser.new_context()
    other = context.new_page()
    for _ in range(2):
        open_pages(other, site)
        expect(other.locator(".g-examples a").first).to_be_visible()
        expect(other.get_by_test_id("user")).to_have_count(0)
        assert "momentum" not in other.locator("#chat").inner_text().lower().split("?")[0]
    context.close()


@pytest.mark.parametrize("visit", [(1440, 900), (390, 844)], indirect=True)
def test_conversations_are_listed_and_opened_again(visit: Visit, site: Site, axe: str) -> None:
    """By keyboard: begun, found, renamed, saved, opened, gone on with, and deleted."""
    page = visit.page
    open_pages(page, site)
    ask(page, "What is momentum?")
    kept(page)
    page.get_by_role("button", name="New", exact=True).press("Enter")
    expect(page.get_by_test_id("user")).to_have_count(0)
    ask(page, "What is dropout?")
    kept(page, 2)
    page.locator(".gc > summary").press("Enter")
    page.get_by_label("Search the conversations").fill("running mean")
    names = page.locator(".gc-name")
    expect(names).to_have_text(["What is momentum?"])
    assert heavy_findings(page, axe) == []
    page.get_by_role("button", name="Rename What is momentum?").press("Enter")
    page.get_by_label("New name of What is momentum?").fill("<b>Steps</b>")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["<b>Steps</b>"])
    with page.expect_download() as saving:
        page.get_by_role("button", name="Export <b>Steps</b> as Markdown").press("Enter")
    assert "02-training.md, line" in saving.value.path().read_text("utf-8")
    page.get_by_role("button", name="Open <b>Steps</b>").press("Enter")
    expect(page.get_by_test_id("user")).to_have_text(["What is momentum?"])
    ask(page, "What do I need before it?")
    expect(page.get_by_test_id("bot").last).to_contain_text("Learning rate")
    page.locator(".gc > summary").press("Enter")
    expect(names).to_have_text(["<b>Steps</b>", "What is dropout?"])
    page.get_by_role("button", name="Delete What is dropout?").press("Enter")
    page.get_by_role("button", name="Really delete What is dropout?").press("Enter")
    expect(names).to_have_text(["<b>Steps</b>"])
    page.keyboard.press("Escape")
    expect(page.locator(".gc > summary")).to_be_focused()
    assert visit.errors == []


def test_a_conversation_is_edited_and_cleared(visit: Visit, site: Site) -> None:
    """What is sent takes the last question's place; what a reader thinks of the answer is stored.

    What was cleared does not come back, and what was kept and cannot be read is an empty
    conversation.
    """
    page = visit.page
    open_pages(page, site)
    ask(page, "What is momentum?")
    kept(page)
    page.get_by_role("button", name="Edit last").click()
    expect(page.get_by_label("Your question")).to_have_value("What is momentum?")
    ask(page, "What is dropout?")
    expect(page.get_by_test_id("user")).to_have_text(["What is dropout?"])
    expect(page.get_by_test_id("bot")).to_contain_text("sets randomly chosen activations")
    expect(page.locator(".gc-name")).to_have_text(["What is dropout?"])
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_test_id("user")).to_have_text(["What is dropout?"])
    page.get_by_role("button", name="Helpful").click()
    file = site.store / "feedback.jsonl"
    for _ in range(100):
        if file.exists():
            break
        page.wait_for_timeout(100)
    assert '"kind": "helpful"' in file.read_text("utf-8")

    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_test_id("bot")).to_have_count(0)
    expect(page.locator(".gc-count")).to_have_text("")
    visit.reload()
    expect(page.locator(".g-examples a").first).to_be_visible()
    expect(page.get_by_test_id("user")).to_have_count(0)
    assert visit.errors == []

    ask(page, "What is momentum?")
    expect(page.get_by_test_id("bot")).to_contain_text("running mean")
    kept(page)
    page.evaluate("for (const key of Object.keys(localStorage)) localStorage[key] = 'spoiled'")
    visit.reload()
    expect(page.locator(".g-examples a").first).to_be_visible()
    ask(page, "What is dropout?")
    expect(page.get_by_test_id("bot")).to_contain_text("sets randomly chosen activations")


def test_a_question_whose_connection_was_closed_is_answered(visit: Visit, site: Site) -> None:
    """As when one comes just as the answer before it ends: gradio then listens no more."""
    page = visit.page
    open_pages(page, site)
    expect(page.locator(".g-examples a").first).to_be_visible()
    closed = 'data: {"msg": "close_stream"}\n\n'
    page.route(
        "**/queue/data*",
        lambda route: route.fulfill(content_type="text/event-stream", body=closed),
        times=1,
    )
    ask(page, "What is momentum?")
    expect(page.get_by_test_id("bot")).to_contain_text("running mean")
    expect(page.get_by_test_id("user")).to_have_count(1)


def test_without_the_server_the_question_stays(
    visit: Visit, ending: tuple[Site, Callable[[], None]]
) -> None:
    """The line says that nobody answers; what was typed stays in the box, not in the chat."""
    page, (site, end) = visit.page, ending
    open_pages(page, site)
    expect(page.locator(".g-examples a").first).to_be_visible()
    end()
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    ask(page, "What is momentum?")
    expect(page.get_by_label("Your question")).to_have_value("What is momentum?")
    expect(page.get_by_test_id("user")).to_have_count(0)
    page.locator(".g-examples a").first.click()
    expect(page.get_by_label("Your question")).to_have_value("What is momentum?")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_have_count(1)
