"""The Ask page with a writer, in a browser: draft, sources, Stop, checked answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pages_server import Site, Visit, serve
from playwright.sync_api import Page, expect
from writer_servers import OddServer, odd_server

pytestmark = pytest.mark.browser
FIRST = "Momentum adds a running mean of earlier gradients to each step [1]."
REST = "It was found by Swiss bakers [1]. A smaller learning rate is enough [1]."


@pytest.fixture(scope="module")
def odd() -> Iterator[OddServer]:
    with odd_server() as server:
        yield server


@pytest.fixture(scope="module")
def worded(site: Site, odd: OddServer) -> Iterator[Site]:
    """Pages whose writer holds back the second half until it is told."""
    odd.tell(f"{FIRST} |{REST}")
    with serve(site.store, site.notes, odd.spec("hold")) as with_writer:
        yield with_writer


def ask(page: Page, site: Site, question: str = "What is momentum?") -> None:
    page.goto(site.address)
    expect(page.locator(".g-examples a").first).to_be_visible()
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def test_a_draft_appears_while_it_is_written_and_the_checked_answer_replaces_it(
    visit: Visit, worded: Site, odd: OddServer
) -> None:
    """Words and sources are there before the end; then the unsupported are gone.

    What the reader types meanwhile stays.
    """
    page = visit.page
    ask(page, worded)
    bot = page.get_by_test_id("bot").last
    expect(bot).to_contain_text("Momentum adds a running mean of earlier gradients to each step.")
    expect(bot.locator(".g-writing")).to_contain_text("is writing …")
    expect(bot.locator("a.g-source").first).to_contain_text("02-training.md")
    assert odd.get("held") is True
    box = page.get_by_label("Your question")
    expect(box).to_have_value("")
    box.fill("And then?")
    odd.get("go")
    expect(bot.locator(".g-writer")).to_contain_text(
        "Written by hold from the cited lines. 1 of 3 sentences left out"
    )
    expect(bot.locator(".g-writing")).to_have_count(0)
    expect(bot).to_contain_text("A smaller learning rate is enough")
    expect(bot).not_to_contain_text("bakers")
    bot.locator("a.g-ref").first.click()
    expect(page.locator(".g-page .g-glow").first).to_contain_text(
        "running mean of earlier gradients"
    )
    expect(box).to_have_value("And then?")
    assert visit.errors == []


def test_stop_shows_the_notes_own_words(visit: Visit, worded: Site, odd: OddServer) -> None:
    """Stop ends the writing at once, and the extract is there with one line why."""
    page = visit.page
    ask(page, worded)
    bot = page.get_by_test_id("bot").last
    bot.locator(".g-writing a").click()
    expect(bot.locator(".g-writer")).to_contain_text(
        "it was stopped; these are the notes' own words."
    )
    expect(bot).to_contain_text("so a smaller learning rate is enough")
    odd.get("go")
    assert visit.errors == []


def test_a_closed_page_ends_the_writing(visit: Visit, worded: Site, odd: OddServer) -> None:
    """When the page is closed, the writer's server has no reader any more."""
    page = visit.page
    ask(page, worded)
    expect(page.get_by_test_id("bot").last.locator(".g-writing")).to_be_visible()
    page.close()
    assert odd.get("left") is True


def test_pages_start_without_their_writer(visit: Visit, site: Site, tmp_path: Path) -> None:
    """A writer that is down, or no model at all, keeps nobody from an answer."""
    with serve(site.store, site.notes, f"local:{tmp_path}") as lonely:
        ask(visit.page, lonely)
        bot = visit.page.get_by_test_id("bot").last
        expect(bot).to_contain_text("running mean of earlier gradients")
        expect(bot.locator(".g-writer")).to_contain_text("it cannot be loaded")
        assert visit.errors == []
