"""The frame of the pages in a real browser: in the middle of any window, in the chosen theme."""

from __future__ import annotations

import pytest
from pages_server import SHIFTS, Site, Visit, shifted
from playwright.sync_api import Page, expect

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
PLACES = ("Ask", "Graph", "Learn", "Runs", "Notes")
WINDOWS = ((390, 844), (1440, 900), (2560, 1440))
STILL = 0.1  # what is good by the web's vitals
# What sticks out of the window or has its words cut off unmarked, with what it is.
CUT = """() => {
  const found = [], hides = (e, side) => getComputedStyle(e)[side] !== 'visible';
  const held = (e) => {
    for (let up = e.parentElement; up && up !== document.body; up = up.parentElement) {
      if (hides(up, 'overflowX') && !up.matches('.gradio-container')) return true;
    }
    return false;
  };
  for (const e of document.querySelectorAll('main.contain *')) {
    if (!e.checkVisibility({ visibilityProperty: true }) || e.closest('svg, .g-unseen')) continue;
    const box = e.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) continue;
    const out = box.left < -1 || box.right > innerWidth + 1;
    if (out && !held(e)) found.push(['out', e.outerHTML.slice(0, 140)]);
    const words = e.matches('button, summary, label, th, h2, h3') && e.textContent.trim();
    const cut = words && e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0;
    const look = getComputedStyle(e);
    if (cut && look.overflowX !== 'visible' && look.textOverflow !== 'ellipsis') {
      found.push(['cut', e.outerHTML.slice(0, 140)]);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth) found.push(['wide', '']);
  return found;
}"""


RIGHT = "e => e.getBoundingClientRect().right"


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


def go(page: Page, place: str, script: str = "") -> None:
    """Open a place, by a click or a script, and wait for what it shows first."""
    tab = page.get_by_role("tab", name=place)
    if script:
        tab.evaluate(script)
    else:
        tab.click()
    first = {
        "Ask": "#question textarea",
        "Graph": "#graph canvas[data-ready='1']",
        "Learn": "#gl-goal",
        "Runs": "#machine .g-memory",
        "Notes": ".gn-drawn .gn-add",
    }
    expect(page.locator(first[place]).first).to_be_visible()


def test_every_place_fits_every_window(visit: Visit, site: Site) -> None:
    """Nothing sticks out or is cut, in use, on a phone, a laptop and a wide screen."""
    page = visit.page
    page.goto(site.address)
    page.get_by_label("Your question").fill("What is the learning rate?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="on the graph")).to_be_visible()
    for width, height in WINDOWS:
        page.set_viewport_size({"width": width, "height": height})
        for place in PLACES:
            go(page, place)
            assert page.evaluate(CUT) == [], (place, width)
            if place == "Ask":
                last = page.get_by_role("button", name="Something is missing")
                assert last.evaluate(RIGHT) <= page.locator("#chat").evaluate(RIGHT)
    assert visit.errors == []


def test_nothing_jumps(visit: Visit, site: Site) -> None:
    """While the page loads, while an answer is written, and after going to each place."""
    page = visit.page
    page.add_init_script(SHIFTS)
    page.goto(site.address)
    expect(page.locator(".g-examples a").first).to_be_visible()
    page.get_by_label("Your question").fill("What is momentum?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="copy").first).to_be_visible()
    for place in PLACES[1:]:
        go(page, place, "tab => tab.click()")  # no input of a user, which would explain what moves
    moved, what = shifted(page)
    assert moved < STILL, what
    assert visit.errors == []
