"""The Graph page as a reader walks through it: themes, filters, paths, links, by keyboard too."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from pages_server import Site, Visit, heavy_findings
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def open_graph(page: Page, site: Site, link: str = "") -> None:
    """Open the Graph page, by its tab or by a link to a view of it."""
    page.goto("about:blank")
    page.goto(f"{site.address}/{link}")
    if not link:
        page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")


def at(page: Page, label: str) -> dict[str, float]:
    """Where a concept stands on the screen."""
    place: dict[str, float] = page.locator("#graph canvas").evaluate(
        "(canvas, label) => canvas.positionOf(label)", label
    )
    return place


def drawn(page: Page) -> int:
    """How many concepts or themes the map shows."""
    canvas = page.locator("#graph canvas")
    expect(canvas).to_have_attribute("data-drawn", re.compile(r"[1-9]"))
    return int(canvas.get_attribute("data-drawn") or 0)


def test_themes_open_and_lead_on(visit: Visit, wide_site: Site) -> None:
    """A click opens one, the trail leads back, and the link brings it back."""
    page = visit.page
    open_graph(page, wide_site)
    message = page.locator(".gg-message")
    expect(message).to_contain_text("701 concepts in")
    themes: list[dict[str, Any]] = page.locator("#graph canvas").evaluate("c => c.themes()")
    assert 8 <= len(themes) <= 15
    page.mouse.click(themes[1]["x"], themes[1]["y"])
    trail = page.locator(".gg-trail")
    expect(trail).to_contain_text(f"2 {themes[1]['lead']}")
    inside = message.inner_text()
    link = page.evaluate("location.hash")
    trail.get_by_role("button", name="next").click()
    expect(trail).to_contain_text(f"3 {themes[2]['lead']}")
    trail.get_by_role("button", name="All themes").click()
    expect(message).to_contain_text("701 concepts in")
    open_graph(page, wide_site, link)
    expect(trail).to_contain_text(f"2 {themes[1]['lead']}")
    expect(message).to_have_text(inside)
    assert visit.errors == []


def test_a_walk_by_keyboard_alone(visit: Visit, wide_site: Site) -> None:
    """From the list of themes into one, to a concept's card, to the path between two."""
    page = visit.page
    open_graph(page, wide_site)
    page.get_by_role("button", name="List", exact=True).press("Enter")
    listed = page.locator(".gg-listed")
    expect(listed).to_be_focused()
    page.keyboard.press("Tab")
    lead = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator(".gg-trail b")).to_have_text(f"1 {lead}")
    expect(listed).to_be_focused()
    expect(listed.locator("h4").first).to_have_text("Foundations")
    page.keyboard.press("Tab")
    label = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text(label)
    page.locator(".gg-way summary").press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("lemma 001")
    page.keyboard.press("Tab")
    page.keyboard.type("Lemma 004")
    page.keyboard.press("Enter")
    expect(page.locator(".gg-message")).to_have_text(
        "What leads from Lemma 001 to Lemma 004: 3 steps"
    )
    expect(listed.get_by_role("button")).to_have_text([f"Lemma 00{n}" for n in range(1, 5)])
    assert visit.errors == []


def test_a_link_brings_back_the_view(visit: Visit, site: Site) -> None:
    """Surroundings, how far back, filters, the chosen concept and the list are in the address."""
    page = visit.page
    link = "#graph?about=Momentum&back=1&kinds=prerequisite%2Crelated&concept=Gradient&list=1"
    open_graph(page, site, link)
    expect(page.locator("#card h3")).to_have_text("Gradient")
    expect(page.locator(".gg-listed")).to_be_visible()
    expect(page.locator("#gg-back")).to_have_value("1")
    expect(page.locator(".gg-filter summary")).to_have_text("Filter (1)")
    assert page.evaluate("location.hash") == link
    page.get_by_role("tab", name="Ask").click()
    assert page.evaluate("location.hash") == ""
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator(".gg-listed")).to_be_visible()
    assert page.evaluate("location.hash") == link
    open_graph(page, site, "#graph?about=<img src=x onerror=alert(1)>&note=../../x&back=-1")
    expect(page.locator(".gg-message")).to_contain_text("concepts in study order")
    assert visit.errors == []


def test_filters_choose_what_is_shown(visit: Visit, site: Site) -> None:
    """By note, by relation and by how sure; the map says how many of how many."""
    page = visit.page
    open_graph(page, site)
    message = page.locator(".gg-message")
    everything = message.inner_text()
    whole = drawn(page)
    page.locator(".gg-filter summary").click()
    page.get_by_label("From the note").select_option("02-training.md")
    expect(message).to_contain_text(re.compile(rf"^\d of {whole} concepts"))
    expect(page.locator("#graph canvas")).not_to_have_attribute("data-drawn", str(whole))
    page.get_by_role("button", name="Show everything").click()
    expect(message).to_have_text(everything)
    page.get_by_label("is related to").check()
    expect(page.locator(".gg-filter summary")).to_have_text("Filter (1)")
    page.get_by_label("How sure").select_option("stated")
    expect(message).not_to_have_text(everything)
    page.keyboard.press("Escape")
    expect(page.locator(".gg-filter summary")).to_be_focused()
    expect(page.locator(".gg-filter summary")).to_have_text("Filter (2)")
    assert visit.errors == []


def test_a_concept_is_dragged_and_the_map_is_moved(visit: Visit, site: Site) -> None:
    """What is held moves alone; on empty ground all moves; neither chooses anything."""
    page = visit.page
    open_graph(page, site)
    before, other = at(page, "Momentum"), at(page, "Tensor")
    page.mouse.move(before["x"], before["y"])
    page.mouse.down()
    page.mouse.move(before["x"] + 40, before["y"] + 30, steps=4)
    page.mouse.up()
    now = at(page, "Momentum")
    assert (round(now["x"] - before["x"]), round(now["y"] - before["y"])) == (40, 30)
    assert at(page, "Tensor") == other
    box = page.locator(".gg-stage").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 6, box["y"] + 6)
    page.mouse.down()
    page.mouse.move(box["x"] + 26, box["y"] + 16, steps=4)
    page.mouse.up()
    moved = at(page, "Tensor")
    assert (round(moved["x"] - other["x"]), round(moved["y"] - other["y"])) == (20, 10)
    expect(page.locator("#card h3")).to_have_count(0)
    assert visit.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visit, wide_site: Site, axe: str, theme: str) -> None:
    """With themes, as a list, with the filter and the slider open."""
    page = visit.page
    page.add_init_script(
        f"try {{ localStorage.setItem('gradus-theme', {json.dumps(theme)}); }} catch (_) {{}}"
    )
    open_graph(page, wide_site)
    page.get_by_role("button", name="List", exact=True).click()
    page.locator(".gg-filter summary").click()
    assert heavy_findings(page, axe) == []
    open_graph(page, wide_site, "#graph?about=Lemma+020&concept=Lemma+020&back=3")
    expect(page.locator("#card h3")).to_have_text("Lemma 020")
    page.locator(".gg-way summary").click()
    assert heavy_findings(page, axe) == []
