"""The frame of the pages in a real browser: in the middle of any window, in the chosen theme."""

from __future__ import annotations

import pytest
from pages_server import Site, Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
# The grounds that were to be seen, frame by frame: of the innermost element that has one.
GROUNDS = """
window.grounds = [];
const ground = (e) => e && getComputedStyle(e).backgroundColor;
const seen = () => {
  const parts = ['.gradio-container', 'gradio-app', 'body', 'html'];
  const colours = parts.map((part) => ground(document.querySelector(part)));
  const shown = colours.find((c) => c && c !== 'rgba(0, 0, 0, 0)');
  if (document.body && window.grounds.at(-1) !== shown) window.grounds.push(shown ?? 'none');
  requestAnimationFrame(seen);
};
requestAnimationFrame(seen);
"""


@pytest.mark.parametrize("visit", [(1440, 900), (2560, 1200), (3840, 1600)], indirect=True)
def test_the_pages_stand_in_the_middle(visit: Visit, site: Site) -> None:
    """As much room to the left of them as to the right, however wide the window is."""
    visit.page.goto(site.address)
    main = visit.page.locator("main.contain")
    expect(main).to_be_visible()
    left, right = main.evaluate(
        "e => [e.getBoundingClientRect().left, innerWidth - e.getBoundingClientRect().right]"
    )
    assert abs(left - right) <= 2
    assert visit.errors == []


@pytest.mark.parametrize(("kept", "system"), [("dark", "light"), ("light", "dark")])
def test_the_kept_theme_is_there_from_the_first_frame(
    visit: Visit, site: Site, kept: str, system: str
) -> None:
    """No frame has the other theme's ground, whatever the system would choose."""
    page = visit.page
    page.emulate_media(color_scheme="dark" if system == "dark" else "light")
    page.add_init_script(f"localStorage.setItem('gradus-theme', '{kept}')")
    page.add_init_script(GROUNDS)
    page.goto(site.address)
    expect(page.locator(".g-examples a").first).to_be_visible()
    grounds = page.evaluate("window.grounds")
    assert grounds
    for colour in grounds:
        levels = [int(level) for level in colour.removeprefix("rgb(").rstrip(")").split(",")]
        assert (max(levels) < 96) is (kept == "dark"), grounds
    assert visit.errors == []


def test_the_theme_button_is_remembered(visit: Visit, site: Site) -> None:
    """One click changes the theme, and the next visit begins with it."""
    page = visit.page
    page.emulate_media(color_scheme="light")
    page.goto(site.address)
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("body")).to_have_class("dark")
    page.reload()
    expect(page.get_by_role("button", name="Light or dark")).to_be_visible()
    expect(page.locator("body")).to_have_class("dark")
    page.get_by_role("button", name="Light or dark").click()
    expect(page.locator("body")).not_to_have_class("dark")
