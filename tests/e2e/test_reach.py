"""Everything can be reached and read: by keyboard, by name, by a screen reader, in both themes."""

from __future__ import annotations

import re

import pytest
from pages_server import Site, Visit, heavy_findings, in_both_themes, open_settings
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
PAST = 700  # concepts, of which the list shows 300 at a time
LONGEST = 240  # characters that stand together
ODD_WORDS = re.compile(
    r"\b(None|NaN|nan|undefined|null|Traceback|Exception|True|False)\b|[{}]|\[object"
    r"|(?<![(\w./])[a-z]+_[a-z]\w*"  # a parameter's own name stands in brackets, after its title
)
# What is written on a place, piece by piece, without code.
SAID = """() => {
  const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const words = walk.currentNode.textContent.trim(), at = walk.currentNode.parentElement;
    if (!words || at.closest('script, style, pre, code, dialog, .katex')) continue;
    if (at.checkVisibility({ visibilityProperty: true })) found.push(words);
  }
  return found;
}"""
STOPS = 60  # of Tab in a place, at most
# What has the focus, "" at the end of the page, and whether a ring of two pixels is around it.
RINGED = """() => {
  const on = document.activeElement;
  if (!on || on === document.body) return ['', true];
  const ringed = (e) => {
    const look = getComputedStyle(e);
    return look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2;
  };
  const boxes = [on, on.closest('.form'), on.closest('.wrap')].filter(Boolean);
  return [on.outerHTML.slice(0, 200), boxes.some(ringed)];
}"""


def open_place(page: Page, site: Site, name: str = "Ask") -> None:
    page.goto(site.address)
    expect(page.locator(".g-welcome h2")).to_be_visible()
    if name != "Ask":
        page.get_by_role("tab", name=name).click()
    if name == "Graph":
        expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Send").click()


def test_axe_finds_nothing_serious(visit: Visit, site: Site, axe: str) -> None:
    """Names, contrast and structure of each place, empty and in use."""
    page = visit.page
    open_place(page, site)
    assert in_both_themes(page, axe) == []
    page.get_by_role("button", name="Keys", exact=True).click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    assert heavy_findings(page, axe) == []
    page.keyboard.press("Escape")

    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")
    assert in_both_themes(page, axe) == []
    page.get_by_label("Find a concept").fill("Momentum")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text("Momentum")
    page.locator("#card details.g-cite summary").first.click()
    assert in_both_themes(page, axe) == []

    page.get_by_role("tab", name="Runs").click()
    assert in_both_themes(page, axe) == []
    page.get_by_label("Find my learning rate").check()
    form = page.locator("#form-lr-find")
    open_settings(form)
    size = form.get_by_label("Batch size")
    size.fill("0")
    size.blur()
    expect(size).to_have_value("0")
    page.locator("#start-lr-find").click()
    expect(form.get_by_role("alert")).to_be_visible()
    assert in_both_themes(page, axe) == []

    page.get_by_role("tab", name="Ask").click()
    ask(page, "Which learning rate should I take before unfreezing?")
    expect(page.get_by_role("button", name="copy").first).to_be_visible()
    page.locator("a.g-source").first.click()
    expect(page.locator(".g-page .g-glow").first).to_be_visible()
    assert in_both_themes(page, axe) == []


def test_after_a_chip_the_focus_is_at_the_new_question(visit: Visit, site: Site) -> None:
    """So that Tab goes on into its answer; on a card, into the new card.

    What is typed is sent by a button that has a name and is reached by keyboard.
    """
    page = visit.page
    open_place(page, site)
    page.locator(".g-examples a").first.press("Enter")
    expect(page.get_by_role("button", name="copy").first).to_be_visible()
    expect(page.get_by_test_id("user").last).to_be_focused()
    page.keyboard.press("Tab")
    inside = "document.activeElement.closest('[data-testid=bot], .bot-row') !== null"
    assert page.evaluate(inside)
    page.get_by_label("Your question").fill("What is momentum?")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Send")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("bot")).to_have_count(2)
    expect(page.get_by_test_id("bot").last).to_contain_text("running mean")

    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")
    page.get_by_label("Find a concept").fill("Momentum")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text("Momentum")
    page.locator("#card").get_by_role("link", name="Gradient", exact=True).first.press("Enter")
    expect(page.locator("#card h3")).to_have_text("Gradient")
    expect(page.locator("#card")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#card') !== null")
    assert visit.errors == []


def test_each_place_is_seen_and_plain(visit: Visit, site: Site) -> None:
    """Tab goes through it, and at every stop it or the box it stands in has a ring.

    It says no word of a program, no bare name of a parameter, nothing too long to be read at once.
    """
    page = visit.page
    open_place(page, site)
    for place in ("Ask", "Graph", "Learn", "Runs", "Notes"):
        page.get_by_role("tab", name=place).click()
        if place == "Graph":
            expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")
        tab_through(page, place)
        if place == "Graph":
            page.get_by_label("Find a concept").fill("Momentum")
            page.keyboard.press("Enter")
            expect(page.locator("#card h3")).to_have_text("Momentum")
        elif place == "Runs":
            page.get_by_label("Find my learning rate").check()
            open_settings(page.locator("#form-lr-find"))
            expect(page.get_by_role("region", name="This machine")).to_contain_text("free of")
        elif place == "Notes":
            expect(page.locator(".gn-drawn")).to_be_visible()
        said = page.evaluate(SAID)
        assert len(said) > 2
        assert [words for words in said if ODD_WORDS.search(words)] == []
        assert [words for words in said if len(words) > LONGEST] == []
    assert visit.errors == []


def tab_through(page: Page, place: str) -> None:
    """From the place's tab to the end of the page, and see each stop."""
    page.get_by_role("tab", name=place).focus()
    stops = set()
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        name, seen = page.evaluate(RINGED)
        assert seen, (place, name)
        stops.add(name)
        if not name:
            break
    assert len(stops) > 4, place


def test_each_concept_of_many_is_reached(visit: Visit, wide_site: Site) -> None:
    """In the list, which says how many it leaves out, and gives them, by keyboard too.

    And by its name, as a question or a path would find it; a slip is told as one, and close names
    are offered.
    """
    page = visit.page
    open_place(page, wide_site, "Graph")
    listed = page.locator(".gg-list button[data-id]")
    expect(listed).to_have_count(300)
    further = page.locator(".gg-further")
    expect(further).to_have_text("Show 300 more of 401")
    further.press("Enter")
    expect(listed).to_have_count(600)
    expect(listed.nth(300)).to_be_focused()
    expect(further).to_have_text("Show 101 more of 101")
    further.press("Enter")
    expect(listed).to_have_count(PAST + 1)
    expect(further).to_have_count(0)
    expect(listed.last).to_have_text("U-Net")
    listed.last.press("Enter")
    expect(page.locator("#card h3")).to_have_text("U-Net")

    for typed in ("unet", "u net", "U-NET", "unets", "segmentation"):
        page.get_by_label("Find a concept").fill("Lemma 007")
        page.keyboard.press("Enter")
        expect(page.locator("#card h3")).to_have_text("Lemma 007")
        page.get_by_label("Find a concept").fill(typed)
        page.keyboard.press("Enter")
        expect(page.locator("#card h3")).to_have_text("U-Net")
        expect(page.locator(".gg-list button")).to_have_count(1)
    page.get_by_label("Find a concept").fill("U-Nett")
    expect(page.locator(".gg-list li").first).to_have_text("No concept of that name; close to it:")
    expect(page.locator(".gg-list button").first).to_have_text("U-Net")
    page.get_by_label("Find a concept").fill("%%%")
    expect(page.locator(".gg-list li")).to_have_count(1)
    expect(page.locator(".gg-list li")).to_have_text("No concept of that name")
    assert visit.errors == []
