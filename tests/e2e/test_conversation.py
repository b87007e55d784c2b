"""A conversation in a real browser: kept over a reload, by nobody else, and without a server."""

from __future__ import annotations

import os
import signal

import psutil
import pytest
from pages_server import Site, Visit
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def open_pages(page: Page, site: Site) -> None:
    page.goto(site.address)
    expect(page.get_by_label("Your question")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def kept(page: Page) -> None:
    """Wait until the browser has the conversation."""
    page.wait_for_function("Object.values(localStorage).some((kept) => kept.length > 200)")


def test_a_conversation_survives_a_reload(visit: Visit, site: Site) -> None:
    """Questions and answers are there again, their links work, and a follow-up is understood."""
    page = visit.page
    open_pages(page, site)
    ask(page, "What is momentum?")
    expect(page.get_by_test_id("bot")).to_contain_text("running mean")
    kept(page)
    page.get_by_label("Your question").fill("half a quest")
    page.reload()
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


def test_a_cleared_conversation_stays_cleared(visit: Visit, site: Site) -> None:
    """What the reader has cleared does not come back."""
    page = visit.page
    open_pages(page, site)
    ask(page, "What is momentum?")
    expect(page.get_by_test_id("bot")).to_contain_text("running mean")
    kept(page)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_test_id("bot")).to_have_count(0)
    page.wait_for_function(
        "Object.keys(localStorage).every((key) => localStorage[key].length < 200)"
    )
    page.reload()
    expect(page.locator(".g-examples a").first).to_be_visible()
    expect(page.get_by_test_id("user")).to_have_count(0)
    assert visit.errors == []


def test_nobody_sees_the_conversation_of_another(
    visit: Visit, site: Site, browser: Browser
) -> None:
    """A second visitor begins with an empty one, also after the first has asked."""
    page = visit.page
    open_pages(page, site)
    ask(page, "What is momentum?")
    expect(page.get_by_test_id("bot")).to_contain_text("running mean")
    kept(page)
    context = browser.new_context()
    other = context.new_page()
    for _ in range(2):
        open_pages(other, site)
        expect(other.locator(".g-examples a").first).to_be_visible()
        expect(other.get_by_test_id("user")).to_have_count(0)
        assert "momentum" not in other.locator("#chat").inner_text().lower().split("?")[0]
    context.close()


def test_a_spoiled_storage_keeps_nobody_out(visit: Visit, site: Site) -> None:
    """What was kept and cannot be read is an empty conversation."""
    page = visit.page
    open_pages(page, site)
    ask(page, "What is momentum?")
    expect(page.get_by_test_id("bot")).to_contain_text("running mean")
    kept(page)
    page.evaluate("for (const key of Object.keys(localStorage)) localStorage[key] = 'spoiled'")
    page.reload()
    expect(page.locator(".g-examples a").first).to_be_visible()
    ask(page, "What is dropout?")
    expect(page.get_by_test_id("bot")).to_contain_text("sets randomly chosen activations")


def test_without_the_server_the_question_stays(visit: Visit, own_site: Site) -> None:
    """The line says that nobody answers; what was typed stays in the box, not in the chat."""
    page = visit.page
    open_pages(page, own_site)
    expect(page.locator(".g-examples a").first).to_be_visible()
    server = psutil.Process(own_site.pid)
    os.kill(own_site.pid, signal.SIGINT)
    psutil.wait_procs([server], timeout=30)
    expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    ask(page, "What is momentum?")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value("What is momentum?")
    expect(page.get_by_test_id("user")).to_have_count(0)
    page.locator(".g-examples a").first.click()
    expect(page.get_by_label("Your question")).to_have_value("What is momentum?")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_have_count(1)
