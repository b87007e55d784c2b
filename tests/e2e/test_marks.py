"""What a reader marks and decides, in a real browser, down to the store and the file."""

from __future__ import annotations

import re
import tomllib

import pytest
from pages_server import Site, Visit
from playwright.sync_api import Page, expect

from kg.linking import find_concept
from kg.marks import read_marks
from kg.store import open_store

pytestmark = pytest.mark.browser


def open_card(page: Page, label: str) -> None:
    """Choose a concept from the list."""
    page.get_by_label("Find a concept").fill(label)
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text(label)


def open_graph(page: Page, site: Site) -> None:
    """Open the Graph page, with its map drawn."""
    page.goto(site.address)
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")


def marked(site: Site) -> list[str]:
    """The marks in the store now."""
    store = open_store(site.store)
    try:
        return [mark.label for mark in read_marks(store)]
    finally:
        store.close()


def test_a_mark_on_a_card_stays_and_shortens_paths(visit: Visit, own_site: Site) -> None:
    """ "I know this" is kept, ticked on the map, filtered by, left out of paths, until undone.

    A mark set on a card counts for the next question in the chat, too.
    """
    page, site = visit.page, own_site
    open_graph(page, site)
    card = page.locator("#card")
    expect(page.get_by_role("button", name="Learn next")).to_be_hidden()
    open_card(page, "Momentum")
    steps = card.locator("ol li a").all_inner_texts()
    assert "Gradient" in steps
    open_card(page, "Gradient")
    card.get_by_role("link", name="I know this").click()
    expect(card.locator("a.g-known")).to_have_text("✓ I know this")
    assert marked(site) == ["Gradient"]
    store = open_store(site.store)
    gradient = find_concept(store.concepts, "Gradient").id
    store.close()
    map_ = page.locator("#graph [data-known], #graph[data-known]").first
    expect(map_).to_have_attribute("data-known", str(gradient))
    expect(page.locator(".gg-legend")).to_contain_text("you know")
    drawn, which = page.locator("#graph canvas"), page.get_by_label("What I know")
    every = int(drawn.get_attribute("data-drawn") or 0)
    page.locator(".gg-filter summary").click()
    for choice, count in (("is hidden", every - 1), ("is shown alone", 1), ("is shown", every)):
        which.select_option(choice)
        expect(drawn).to_have_attribute("data-drawn", str(count))
    page.goto("about:blank")  # else the address would open the card again
    page.goto(site.address)
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#card h3")).to_have_text(re.compile("learn next|Nothing new"))
    expect(card).to_contain_text("You know")
    open_card(page, "Momentum")
    expect(card).to_contain_text("You know: Gradient")
    assert "Gradient" not in card.locator("ol li a").all_inner_texts()
    page.get_by_role("button", name="Learn next").click()
    expect(page.locator("#card h3")).to_have_text(re.compile("learn next|Nothing new"))
    open_card(page, "Gradient")
    card.locator("a.g-known").click()
    expect(card.locator("a.g-known")).to_have_count(0)
    expect(map_).to_have_attribute("data-known", "")
    assert marked(site) == []

    open_card(page, "Tensor")
    card.get_by_role("link", name="I know this").click()
    expect(card.locator("a.g-known")).to_be_visible()
    page.get_by_role("tab", name="Ask").click()
    page.get_by_label("Your question").fill("What can I learn next?")
    page.keyboard.press("Enter")
    answer = page.get_by_test_id("bot").last
    expect(answer).to_contain_text(re.compile(r"what you know \(Tensor\)"))
    assert visit.errors == []


def test_a_prerequisite_is_rejected_where_its_evidence_stands(visit: Visit, own_site: Site) -> None:
    """ "wrong" is written beside the notes; the edge goes from card and store, until undone.

    Rejected again, it stands folded on the card, past a reload; undone there, it is gone from the
    file too. "right" writes the file, and the edge is then a stated one.
    """
    page, site = visit.page, own_site
    file = site.notes / "gradus.toml"
    before = {note.name: note.read_bytes() for note in site.notes.iterdir()}
    open_graph(page, site)
    open_card(page, "Momentum")
    card = page.locator("#card")
    why, said = card.locator("details.g-why"), card.locator(".g-said")
    why.locator("summary").click()
    first = why.locator("li b").first.inner_text()
    edge = why.locator("li b", has_text=re.compile(f"^{re.escape(first)}$"))
    why.locator("li").first.get_by_role("link", name="wrong").click()
    expect(said).to_contain_text("gradus.toml", timeout=60_000)
    expect(said).to_be_in_viewport()
    expect(edge).to_have_count(0)
    assert tomllib.loads(file.read_text(encoding="utf-8"))["remove"] == [[first, "Momentum"]]
    store = open_store(site.store)
    ends = (find_concept(store.concepts, first).id, find_concept(store.concepts, "Momentum").id)
    assert ends not in store.prerequisites.edges
    store.close()
    said.get_by_role("link", name="undo").click()
    expect(said).to_contain_text("nothing more", timeout=60_000)
    why.locator("summary").click()
    expect(edge).to_be_visible()
    assert {name: (site.notes / name).read_bytes() for name in before} == before

    edge.locator("xpath=ancestor::li").get_by_role("link", name="wrong").click()
    expect(said).not_to_contain_text("nothing more", timeout=60_000)
    expect(said).to_contain_text("gradus.toml", timeout=60_000)
    open_graph(page, site)
    open_card(page, "Momentum")
    rejected = card.locator("details.g-rejected")
    expect(rejected.get_by_role("link", name="undo")).to_be_hidden()
    rejected.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(rejected.locator("li")).to_contain_text(
        [re.compile(rf"{re.escape(first)} gradus\.toml, line \d+ undo")]
    )
    rejected.get_by_role("link", name="undo").click()
    expect(said).to_contain_text("nothing more", timeout=60_000)
    expect(rejected).to_have_count(0)
    assert "remove" not in tomllib.loads(file.read_text(encoding="utf-8"))
    why.locator("summary").click()
    expect(edge).to_be_visible()

    edge.locator("xpath=ancestor::li").get_by_role("link", name="right").click()
    expect(said).not_to_contain_text("nothing more", timeout=60_000)
    expect(said).to_contain_text("gradus.toml", timeout=60_000)
    assert tomllib.loads(file.read_text(encoding="utf-8"))["add"] == [[first, "Momentum"]]
    why.locator("summary").click()
    expect(why.locator("li", has_text=first).first).to_contain_text("gradus.toml")
    assert visit.errors == []
