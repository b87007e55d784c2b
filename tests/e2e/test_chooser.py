"""A file, a folder and a function of this machine chosen for a run, by mouse and by keys."""

from __future__ import annotations

import pytest
from pages_server import Site, Visit, heavy_findings
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def open_chooser(page: Page, site: Site, field: str, recipe: str = "lr-find") -> None:
    page.goto(site.address)
    page.get_by_role("tab", name="Runs").click()
    page.get_by_label("Find my learning rate").check()
    if field == "learner":
        page.locator(f"#form-{recipe}").get_by_label("Task", exact=True).click()
        page.get_by_role("option", name="learner").click()
    block = page.locator(f"#field-{recipe}-{field}")
    block.get_by_role("button", name="Choose").click()
    expect(page.get_by_role("dialog")).to_be_visible()


@pytest.mark.parametrize("visit", [(1440, 900), (390, 844)], indirect=True, ids=["wide", "phone"])
def test_a_file_is_chosen_from_the_folder_of_the_notes(visit: Visit, site: Site, axe: str) -> None:
    """Folder by folder; the field then has its path, which the sentence above Start tells."""
    (site.notes / "tables").mkdir(exist_ok=True)
    (site.notes / "tables" / "flats.csv").write_text("area,price\n1,low\n")
    page = visit.page
    open_chooser(page, site, "data")
    dialog = page.get_by_role("dialog", name="Choose: Data")
    expect(dialog.get_by_role("button", name="Use this folder")).to_be_disabled()
    dialog.get_by_role("button", name=str(site.notes)).click()
    dialog.get_by_role("button", name="tables").click()
    expect(dialog.get_by_role("button", name="Use this folder")).to_be_enabled()
    assert heavy_findings(page, axe) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dialog.get_by_role("button", name="flats.csv").click()
    expect(dialog).to_be_hidden()
    chosen = page.locator("#field-lr-find-data input")
    expect(chosen).to_have_value(str(site.notes.resolve() / "tables" / "flats.csv"))
    expect(chosen).to_be_focused()
    expect(page.locator("#form-lr-find .g-plan")).to_contain_text("flats.csv")
    assert visit.errors == []


def test_a_folder_is_chosen_without_a_mouse(visit: Visit, site: Site) -> None:
    """Arrows lead through the list, Enter opens, Backspace goes up, Escape leaves all as it was."""
    (site.notes / "cats").mkdir(exist_ok=True)
    page = visit.page
    open_chooser(page, site, "data")
    dialog = page.get_by_role("dialog")
    roots = dialog.locator(".gp-list button")
    expect(roots.first).to_be_focused()
    place = roots.all_inner_texts().index(str(site.notes))
    for _ in range(place):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog.locator(".gp-path")).to_have_text(str(site.notes.resolve()))
    page.keyboard.press("Enter")  # the first folder
    expect(dialog.locator(".gp-path")).to_have_text(str(site.notes.resolve() / "cats"))
    page.keyboard.press("Backspace")
    expect(dialog.locator(".gp-path")).to_have_text(str(site.notes.resolve()))
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#field-lr-find-data input")).to_have_value("")
    expect(page.locator("#field-lr-find-data input")).to_be_focused()
    assert visit.errors == []


def test_a_learner_is_chosen_as_a_function(visit: Visit, site: Site) -> None:
    """A Python file opens to its functions, and the field has both."""
    (site.notes / "mine.py").write_text("def learner():\n    return None\n")
    page = visit.page
    open_chooser(page, site, "learner")
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=str(site.notes)).click()
    dialog.get_by_role("button", name="mine.py").click()
    dialog.get_by_role("button", name="learner", exact=True).click()
    chosen = f"{site.notes.resolve() / 'mine.py'}:learner"
    expect(page.locator("#field-lr-find-learner input")).to_have_value(chosen)
    assert visit.errors == []
