"""The Notes page in a browser: notes are dropped, arrive, are asked about, and removed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from made import write_notes
from pages_server import Visit, heavy_findings
from playwright.sync_api import Page, expect
from served import served

from app.api.functions import Gradus
from app.open_store import Shelf
from app.pages.access import Access
from app.visitors_runs import VisitorsRuns
from ingest import build
from kg.encoder import Encoder

pytestmark = pytest.mark.browser
MIXUP = "# Mixup\n\nMixup blends two pictures and their labels in a random ratio.\n"
CUTOUT = "# Cutout\n\nCutout hides a square of a picture.\n"
ODD = '<img src=x onerror="document.title=1">.md'
DROP = """([name, text]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], name, { type: 'text/markdown' }));
  const zone = document.querySelector('.gn-drop');
  const how = { dataTransfer: carried, bubbles: true, cancelable: true };
  for (const kind of ['dragover', 'drop']) zone.dispatchEvent(new DragEvent(kind, how));
}"""
ARRIVED_MS = 120_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of this machine that visitors may have read."""
    return write_notes(
        tmp_path / "allowed" / "vault", {"cutout.md": CUTOUT, ODD: "# Odd\n\nOdd.\n"}
    )


@pytest.fixture
def address(tmp_path: Path, folder: Path, encoder: Encoder) -> Iterator[str]:
    """Pages without a store, whose notes are read with the encoder that is loaded already."""
    shelf = Shelf(tmp_path / "store", encoder)
    gradus = Gradus(shelf, tmp_path / "runs", VisitorsRuns())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: encoder)
        with served(gradus, Access(data=(folder.parent,)), watching=True) as address:
            yield address
    shelf.close()


def begin(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_role("heading", name="Add notes")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.get_by_role("tab", name="Ask").click()
    page.get_by_label("Your question").fill(question)
    page.get_by_role("button", name="Send").click()


def test_a_dropped_note_is_asked_about_and_removed(visit: Visit, address: str) -> None:
    """From the first page, on which there is nothing yet, to an answer, and to none again."""
    page = visit.page
    begin(page, address)
    expect(page.get_by_role("button", name="Try the starter notes")).to_be_visible()
    page.evaluate(DROP, ["slides.pdf", "x"])
    expect(
        page.get_by_role("alert").filter(has_text="None of these files is a note")
    ).to_be_visible()
    page.evaluate(DROP, ["mixup.md", MIXUP])
    origin = page.get_by_role("article")
    expect(origin).to_contain_text("Single notes", timeout=ARRIVED_MS)
    expect(page.locator(".gn-said")).to_contain_text("1 note with 1 concept")
    expect(page.locator(".gn-steps")).to_contain_text("Encoding")
    page.get_by_role("link", name="Ask about them").click()
    expect(page.locator(".g-welcome")).to_contain_text("1 concept from 1 note")
    ask(page, "What is mixup?")
    answer = page.get_by_test_id("bot").last
    expect(answer).to_contain_text("blends two pictures", timeout=ARRIVED_MS)
    expect(answer.locator("a.g-source")).to_contain_text("mixup.md")

    page.get_by_role("tab", name="Notes").click()
    origin.get_by_text("1 note", exact=True).click()
    origin.get_by_role("button", name="mixup.md", exact=True).click()
    expect(page.locator(".g-page")).to_contain_text("in a random ratio")
    page.get_by_role("tab", name="Notes").click()
    remove = origin.get_by_role("button", name="Remove mixup.md")
    remove.click()
    origin.get_by_role("button", name="Really remove mixup.md").click()
    expect(page.locator(".gn-said")).to_contain_text("1 removed", timeout=ARRIVED_MS)
    ask(page, "What is mixup?")
    expect(page.get_by_test_id("bot")).to_have_count(2)
    expect(page.get_by_test_id("bot").last).to_contain_text("notes")
    expect(page.get_by_test_id("bot").last.locator("a.g-source")).to_have_count(0)
    assert visit.errors == []
    assert all(url.startswith((address, "data:", "blob:")) for url in visit.requests)


def test_a_chosen_folder_tells_what_failed_and_goes_whole(
    visit: Visit, address: str, tmp_path: Path
) -> None:
    """One note is read; of the others it says which was not, where and why; then all is removed."""
    chosen = write_notes(
        tmp_path / "lectures",
        {"week/mixup.md": MIXUP, "week/broken.ipynb": '{"cells": [', "old.rst": "Old\n===\n"},
    )
    page = visit.page
    begin(page, address)
    page.locator(".gn-pick-folder").set_input_files(chosen)
    origin = page.get_by_role("article")
    expect(origin.get_by_role("heading")).to_have_text("lectures", timeout=ARRIVED_MS)
    expect(page.locator(".gn-left")).to_contain_text("Not copied: 1 .rst")
    origin.get_by_text("1 note not read").click()
    failed = origin.locator(".gn-failure")
    expect(failed.locator(".gn-name")).to_have_text("week/broken.ipynb, line 1")
    expect(failed.locator(".gn-why")).not_to_be_empty()
    expect(origin.get_by_text("1 note", exact=True)).to_be_visible()
    expect(origin.locator(".gn-facts")).to_have_text("Read just now")
    assert origin.locator(".gn-facts").get_attribute("title")
    origin.get_by_role("button", name="Remove lectures").click()
    origin.get_by_role("button", name="Really remove lectures").click()
    expect(origin).to_have_count(0, timeout=ARRIVED_MS)
    assert visit.errors == []


def test_a_folder_is_read_by_keyboard_and_watched(
    visit: Visit, address: str, folder: Path, axe: str
) -> None:
    """Without a mouse; an edit shows by itself; names of files are words, whatever they are."""
    page = visit.page
    begin(page, address)
    page.get_by_label("Or read a folder").focus()
    page.keyboard.type("/nowhere")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="--data")).to_be_visible()
    page.get_by_label("Or read a folder").fill(str(folder))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    origin = page.get_by_role("article")
    expect(origin).to_contain_text("vault", timeout=ARRIVED_MS)
    expect(origin.locator(".gn-facts")).to_have_text("Read just now")
    origin.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(origin.locator(".gn-name").filter(has_text=ODD)).to_be_visible()
    assert page.title() == "Gradus"
    expect(origin.get_by_label("Watch vault")).to_be_checked()
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#gg-list")).to_contain_text("Cutout")
    (folder / "mixup.md").write_text(MIXUP, encoding="utf-8")
    expect(page.locator("#gg-list")).to_contain_text("Mixup", timeout=ARRIVED_MS)
    page.get_by_role("tab", name="Notes").click()
    expect(origin.locator("summary").first).to_have_text("3 notes", timeout=ARRIVED_MS)
    expect(origin.locator(".gn-name").filter(has_text="mixup.md")).to_be_visible()
    origin.get_by_label("Watch vault").focus()
    page.keyboard.press("Space")
    expect(origin.get_by_label("Watch vault")).not_to_be_checked()
    (folder / "cutout.md").write_text(f"{CUTOUT}\nIt is square.\n", encoding="utf-8")
    visit.reload()
    page.get_by_role("tab", name="Notes").click()
    expect(origin.locator(".gn-since")).to_contain_text("1 changed (cutout.md)")
    origin.get_by_role("button", name="Read again").focus()
    page.keyboard.press("Enter")
    expect(origin.locator(".gn-since")).to_have_count(0, timeout=ARRIVED_MS)
    for summary in origin.locator("summary").all():
        summary.click()
    for theme in ("light", "dark"):
        if page.evaluate("document.body.classList.contains('dark')") != (theme == "dark"):
            page.get_by_role("button", name="Light or dark").click()
        assert heavy_findings(page, axe) == []
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert [e for e in visit.errors if "403" not in e] == []
