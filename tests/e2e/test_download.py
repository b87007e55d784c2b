"""The graph as a file, from a real browser: by mouse or keyboard, also on a phone."""

from __future__ import annotations

import io
import json
import zipfile

import networkx as nx
import pytest
from pages_server import Site, Visit
from playwright.sync_api import Download, Page, expect

pytestmark = pytest.mark.browser
BOTH = pytest.mark.parametrize(
    "visit", [(1440, 900), (390, 844)], indirect=True, ids=["wide", "phone"]
)


def open_panel(page: Page, site: Site) -> None:
    """Open the Graph page, and what stands behind "Download"."""
    page.goto(site.address)
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")
    page.locator(".gg-save summary").click()
    expect(page.get_by_role("group", name="Download the graph")).to_be_visible()


def content(download: Download) -> bytes:
    """What the browser has kept."""
    return download.path().read_bytes()


@BOTH
def test_what_the_map_shows_can_be_kept(visit: Visit, site: Site) -> None:
    """JSON that networkx reads, with the concepts on the map; nothing is fetched."""
    page = visit.page
    open_panel(page, site)
    drawn = int(page.locator("#graph canvas").get_attribute("data-drawn") or 0)
    expect(page.get_by_label(f"What the map shows: {drawn}")).to_be_checked()
    with page.expect_download() as kept:
        page.get_by_role("button", name="JSON").click()
    assert kept.value.suggested_filename == "gradus-map.json"
    graph = nx.node_link_graph(json.loads(content(kept.value)), edges="edges")
    assert len(graph) == drawn
    expect(page.get_by_role("status").filter(has_text="gradus-map.json")).to_be_visible()
    assert (
        all(url.startswith((site.address, "blob:", "data:")) for url in visit.requests)
        and visit.errors == []
    )


@BOTH
def test_the_panel_fits_the_screen(visit: Visit, site: Site) -> None:
    """All of it can be seen and nothing of it is cut; the page does not scroll sideways."""
    page = visit.page
    open_panel(page, site)
    for part in page.locator(".gg-save .gg-panel, .gg-save button, .gg-save label").all():
        box, width = part.bounding_box(), page.viewport_size
        assert box is not None and width is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= width["width"]
        assert part.evaluate("e => e.scrollWidth <= e.clientWidth + 1")
    page.get_by_role("button", name="Cards").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Cards")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert visit.errors == []


def test_every_format_is_given(visit: Visit, site: Site) -> None:
    """The whole graph in each; cards come in one archive."""
    page = visit.page
    open_panel(page, site)
    page.get_by_label("The whole graph").check()
    starts = {
        "GraphML": b"<?xml",
        "Mermaid": b"flowchart",
        "DOT": b"digraph",
        "Canvas": b"{",
        "JSON": b"{",
    }
    for name, start in starts.items():
        with page.expect_download() as kept:
            page.get_by_role("button", name=name).click()
        assert content(kept.value).startswith(start) and kept.value.suggested_filename.startswith(
            "gradus-graph."
        )
    with page.expect_download() as kept:
        page.get_by_role("button", name="Cards").click()
    with zipfile.ZipFile(io.BytesIO(content(kept.value))) as archive:
        assert "gradus-cards/Momentum.md" in archive.namelist()
        assert "gradus-cards/Training.md" in archive.namelist(), "also what is on no map"
    assert visit.errors == []


def test_a_file_is_kept_without_a_mouse(visit: Visit, site: Site) -> None:
    """Tab and Enter reach it, arrows choose the part, Escape leads back to where it began."""
    page = visit.page
    page.goto(site.address)
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")
    page.get_by_role("button", name="Copy link").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".gg-save summary")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("What the map shows")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("The whole graph")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="GraphML")).to_be_focused()
    with page.expect_download() as kept:
        page.keyboard.press("Enter")
    assert kept.value.suggested_filename == "gradus-graph.graphml"
    page.keyboard.press("Escape")
    expect(page.get_by_role("group", name="Download the graph")).to_be_hidden()
    expect(page.locator(".gg-save summary")).to_be_focused()
    assert visit.errors == []


def test_a_click_beside_the_panel_closes_it(visit: Visit, site: Site) -> None:
    """So that it stands in no one's way."""
    open_panel(visit.page, site)
    visit.page.locator(".gg-message").click()
    expect(visit.page.get_by_role("group", name="Download the graph")).to_be_hidden()
    assert visit.errors == []
