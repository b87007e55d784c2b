"""The Graph page as a reader walks through it: themes, filters, paths, links, by keyboard too."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from pages_server import Site, Visit, in_both_themes, serve
from playwright.sync_api import Page, expect

from app.exports.importing import import_graph

pytestmark = pytest.mark.browser
# The colour of a theme's number on the map, and that of its step of study order.
COLOURS = """(canvas, theme) => {
  const dense = window.devicePixelRatio || 1, pen = canvas.getContext('2d');
  const [x, y] = theme.disc.map((at) => Math.round(at * dense));
  const step = getComputedStyle(canvas).getPropertyValue(`--g-step-${theme.step}`).trim();
  const hex = (n) => n.toString(16).padStart(2, '0');
  return ['#' + [...pen.getImageData(x, y, 1, 1).data].slice(0, 3).map(hex).join(''), step];
}"""
# How high each word was last written on a canvas.
WRITTEN = """(() => {
  window.written = {};
  const pen = CanvasRenderingContext2D.prototype, write = pen.fillText;
  pen.fillText = function (words, x, y) {
    window.written[words] = y;
    write.call(this, words, x, y);
  };
})()"""


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
    """They are coloured by study order; a click opens one, the trail and its link lead back.

    By keyboard alone: from the list of themes into one, to a concept's card, to a path.
    """
    page = visit.page
    open_graph(page, wide_site)
    message = page.locator(".gg-message")
    expect(message).to_contain_text("701 concepts in")
    themes: list[dict[str, Any]] = page.locator("#graph canvas").evaluate("c => c.themes()")
    assert 8 <= len(themes) <= 15
    steps = [theme["step"] for theme in themes]
    assert steps == sorted(steps) and len(set(steps)) > 4
    for theme in themes:
        drawn_in, meant = page.locator("#graph canvas").evaluate(COLOURS, theme)
        assert drawn_in == meant, theme
    page.mouse.click(themes[1]["x"], themes[1]["y"])
    trail = page.locator(".gg-trail")
    expect(trail).to_contain_text(f"2 {themes[1]['lead']}")
    inside = message.inner_text()
    link = page.evaluate("location.hash")
    trail.get_by_role("button", name="next").click()
    expect(trail).to_contain_text(f"3 {themes[2]['lead']}")
    trail.get_by_role("button", name="All themes").click()
    expect(message).to_contain_text("701 concepts in")
    walk_by_keyboard(page)
    open_graph(page, wide_site, link)
    expect(trail).to_contain_text(f"2 {themes[1]['lead']}")
    expect(message).to_have_text(inside)
    assert visit.errors == []


def walk_by_keyboard(page: Page) -> None:
    """From the list of themes into one, to a concept's card, to the path between two."""
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


def test_a_link_brings_back_the_view(visit: Visit, site: Site) -> None:
    """Surroundings, how far back, filters, the chosen concept and the list are in the address.

    One that names nothing of the notes shows everything. By note, by relation and by how sure it
    is chosen what is shown, and the map says how many of how many.
    """
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


def looked_at_alone(page: Page) -> None:
    """What comes before and after it, in steps; the slider leaves out what is farther back."""
    whole = drawn(page)
    page.get_by_label("Find a concept").fill("Learning rate")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show its path").click()
    message = page.locator(".gg-message")
    canvas = page.locator("#graph canvas")
    expect(canvas).not_to_have_attribute("data-drawn", str(whole))
    page.get_by_role("button", name="List", exact=True).click()
    listed = page.locator(".gg-listed").get_by_role("button")
    labels = listed.all_inner_texts()
    assert labels.index("Gradient") < labels.index("Learning rate") < labels.index("Momentum")
    assert "Parameter" in labels
    page.locator("#gg-back").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".gg-back output")).to_have_text("1 step")
    expect(listed.filter(has_text="Parameter")).to_have_count(0)
    expect(listed.filter(has_text="Gradient")).to_have_count(1)
    expect(message).to_contain_text("Learning rate")
    page.get_by_role("button", name="Show all").click()
    expect(listed).to_have_count(whole)


def test_the_map_is_zoomed_moved_and_dragged(visit: Visit, site: Site) -> None:
    """Larger is what more builds on, higher what needs more, at the bottom what has no order.

    It is zoomed by the wheel, around what is pointed at, and by its buttons, and fits again. What
    is held moves alone, on empty ground all moves, and neither chooses anything. Then a concept
    is looked at alone, with what comes before and after it, in steps.
    """
    page = visit.page
    open_graph(page, site)
    sized_and_placed_by_order(page)
    zoomed_and_fitted(page)
    dragged_and_moved(page)
    looked_at_alone(page)
    assert visit.errors == []


def test_a_line_stands_above_all_that_has_no_known_order(visit: Visit, tmp_path: Path) -> None:
    """Whichever of them the notes name first: their rows are dealt by another order."""
    loose = [f"Lemma {n:02}" for n in reversed(range(30))]
    nodes = [{"id": n, "label": label} for n, label in enumerate([*loose, "Ring", "Field"])]
    edges = [{"source": 30, "target": 31, "kind": "prerequisite"}]
    (tmp_path / "graph.json").write_text(json.dumps({"nodes": nodes, "edges": edges}), "utf-8")
    import_graph(tmp_path / "graph.json", tmp_path / "store")
    page = visit.page
    page.add_init_script(WRITTEN)
    with serve(tmp_path / "store", tmp_path) as site:
        open_graph(page, site)
        drawn(page)
        height: dict[str, float] = page.evaluate("window.written")
    line = height["Without a known order"]
    assert height["Field"] < height["Ring"] < line < min(height[label] for label in loose)


def zoomed_and_fitted(page: Page) -> None:
    """The point that the wheel zooms around stays; the button Fit brings back the first view."""
    before = at(page, "Gradient"), at(page, "Momentum")

    def apart() -> float:
        first, second = at(page, "Gradient"), at(page, "Momentum")
        return math.dist((first["x"], first["y"]), (second["x"], second["y"]))

    whole = apart()
    page.mouse.move(before[0]["x"], before[0]["y"])
    page.mouse.wheel(0, -200)
    page.wait_for_function(
        "y => document.querySelector('#graph canvas').positionOf('Momentum').y < y - 5",
        arg=before[1]["y"],
    )
    closer = apart()
    assert closer > 1.2 * whole
    held = at(page, "Gradient")
    assert math.dist(held.values(), before[0].values()) < 1
    page.get_by_role("button", name="Zoom in").click()
    assert apart() == pytest.approx(1.3 * closer, rel=0.01)
    for _ in range(2):
        page.get_by_role("button", name="Zoom out").click()
    assert apart() == pytest.approx(closer / 1.3, rel=0.01)
    page.get_by_role("button", name="Fit", exact=True).click()
    assert (at(page, "Gradient"), at(page, "Momentum")) == before


def sized_and_placed_by_order(page: Page) -> None:
    """Higher stands what needs more; at the bottom what has no known order."""
    size = "(canvas, label) => canvas.sizeOf(label)"
    sizes = [
        page.locator("#graph canvas").evaluate(size, label)
        for label in ("Gradient", "Learning rate", "Momentum")
    ]
    assert sizes[0] > sizes[1] > sizes[2] > 0
    heights = [
        at(page, label)["y"] for label in ("Dropout", "Gradient", "Learning rate", "Momentum")
    ]
    assert heights == sorted(heights, reverse=True)
    expect(page.locator(".gg-legend")).to_contain_text("larger dot: more concepts build on it")


def dragged_and_moved(page: Page) -> None:
    """What is held moves alone; on empty ground all moves; neither chooses anything."""
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


def test_axe_finds_nothing_serious(visit: Visit, wide_site: Site, axe: str) -> None:
    """In both themes: with the map's own, as a list, with the filter and the slider open."""
    page = visit.page
    open_graph(page, wide_site)
    page.get_by_role("button", name="List", exact=True).click()
    page.get_by_label("Find a concept").fill("Lemma 02")  # entries are alike, and each takes time
    expect(page.locator(".gg-list button[data-id]").first).to_have_text("Lemma 020")
    page.locator(".gg-filter summary").click()
    assert in_both_themes(page, axe) == []
    assert page.locator(".gg-filter").get_attribute("open") is not None
    open_graph(page, wide_site, "#graph?about=Lemma+020&concept=Lemma+020&back=3")
    expect(page.locator("#card h3")).to_have_text("Lemma 020")
    page.get_by_label("Find a concept").fill("Lemma 02")
    page.locator(".gg-way summary").click()
    assert in_both_themes(page, axe) == []
    assert page.locator(".gg-way").get_attribute("open") is not None
