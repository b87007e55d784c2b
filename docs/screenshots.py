"""Take the README's pictures of the pages on the starter notes, in chromium: `make screenshots`.

With a folder, take every place at three widths in both themes into it instead, to be looked at:
`python docs/screenshots.py FOLDER`.
"""

from __future__ import annotations

import io
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

HERE = Path(__file__).parent
MAIN = "from app.commands.ingest_and_ask import main; main()"
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
SIZE: ViewportSize = {"width": 1440, "height": 900}
COLOURS = 128  # of a picture's palette: text stays sharp, and a picture below MOST_BYTES
MOST_BYTES = 150_000
WIDTHS = {390: 844, 1440: 900, 2560: 1440}  # with the height of each window
PATIENCE_MS = 600_000  # an ingest and a training on a slow machine


@contextmanager
def served() -> Iterator[str]:
    """The address of the pages on the starter notes, with a store that is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        words = ["app", "--starter", "--store", f"{folder}/store", "--port", str(port)]
        command = [sys.executable, "-c", MAIN, *words]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent)
        assert server.stdout is not None
        try:
            address = f"http://127.0.0.1:{port}"
            if not any(address in line for line in server.stdout):
                sys.exit("the pages could not be served")
            yield address
        finally:
            server.terminate()
            server.wait()


def keep(page: Page, name: str) -> None:
    """Write what the window shows as `docs/NAME.png`, with few colours."""
    page.mouse.move(5, 5)
    page.wait_for_timeout(400)  # what glides and fades has come to rest
    held = io.BytesIO(page.screenshot())
    few = Image.open(held).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    file = HERE / f"{name}.png"
    few.save(file, optimize=True)
    assert file.stat().st_size <= MOST_BYTES, f"{file} has {file.stat().st_size} bytes"


def ask(page: Page) -> None:
    """An answer, and the note beside it at the cited lines."""
    answer(page)
    page.locator("#chat a.g-ref").first.click()
    expect(page.locator(".g-page :is(.g-glow, .g-holds)").first).to_be_in_viewport()
    page.evaluate("document.activeElement.blur()")
    keep(page, "ask")


def answer(page: Page) -> None:
    """A question and the whole of its answer."""
    page.get_by_label("Your question").fill("Which learning rate should I take after unfreezing?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="on the graph")).to_be_visible()


def graph(page: Page) -> None:
    """The study path of a concept, with its card."""
    card(page)
    keep(page, "graph")


def themes(page: Page) -> None:
    """The whole graph."""
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")


def card(page: Page) -> None:
    """The map with a chosen concept."""
    themes(page)
    page.get_by_label("Find a concept").fill("Batch normalisation")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text("Batch normalisation")


def learn(page: Page) -> None:
    """A path with two of its steps done."""
    path(page)
    for done in (1, 2):
        page.locator("#path a.g-link[href^='#know/']").first.click()
        expect(page.locator(".gl-progress")).to_contain_text(f"{done} of")
    keep(page, "learn")


def path(page: Page) -> None:
    """A path as it begins."""
    page.get_by_role("tab", name="Learn").click()
    page.get_by_label("What do you want to learn?").fill("Batch normalisation")
    page.keyboard.press("Enter")
    expect(page.locator("#path h2")).to_have_text("Batch normalisation")


def run(page: Page) -> None:
    """A run that has ended, from its form to its curves."""
    ended(page)
    page.evaluate("window.scrollTo(0, 0)")
    keep(page, "runs")


def ended(page: Page) -> None:
    """Fill a form, start, and wait for the end; of one that was started before, open it."""
    page.get_by_role("tab", name="Runs").click()
    page.get_by_label("Find my learning rate").check()
    earlier = page.locator("#run-history tbody a")
    if earlier.count():
        earlier.first.click()
        expect(page.locator("#run-state .g-badge")).to_have_text("Done")
        return
    page.get_by_label("Task", exact=True).locator("visible=true").click()
    page.get_by_role("option", name="Tabular").click()
    page.locator("#start-lr-find").click()
    expect(page.locator("#run-state .g-badge")).to_have_text("Done", timeout=PATIENCE_MS)
    expect(page.get_by_role("region", name="This machine")).to_contain_text("no run")


def notes(page: Page) -> None:
    """Where the notes come from, with one of its lists open."""
    page.get_by_role("tab", name="Notes").click()
    page.locator(".gn-origin summary").first.click()
    expect(page.locator(".gn-note").first).to_be_visible()


def beside(page: Page) -> None:
    """The answer once more, with its note."""
    page.get_by_role("tab", name="Ask").click()
    page.locator("#chat a.g-ref").first.click()
    expect(page.locator(".g-page :is(.g-glow, .g-holds)").first).to_be_in_viewport()


def take(browser: Browser, address: str) -> None:
    """The README's pictures, in one visit."""
    page = browser.new_page(viewport=SIZE, color_scheme="light")
    page.goto(address)
    expect(page.locator(".g-examples")).to_be_visible()
    for picture in (ask, graph, learn, run):
        picture(page)


def look(browser: Browser, address: str, folder: Path) -> None:
    """Every place at every width in both themes, as `FOLDER/PLACE-WIDTH-THEME.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        page = browser.new_page(color_scheme="dark" if theme == "dark" else "light")
        page.goto(address)
        expect(page.locator(".g-examples")).to_be_visible()
        for place in (welcome, answer, themes, card, path, ended, notes, beside):
            page.set_viewport_size(SIZE)
            place(page)
            for width, height in WIDTHS.items():
                page.set_viewport_size({"width": width, "height": height})
                page.wait_for_timeout(400)
                page.screenshot(path=folder / f"{place.__name__}-{width}-{theme}.png")
        page.close()


def welcome(page: Page) -> None:
    """The page as it is found."""
    page.mouse.move(5, 5)


def main() -> None:
    """Serve, and take the pictures."""
    chromium = shutil.which("chromium") or sys.exit("the pictures need chromium on the PATH")
    expect.set_options(timeout=PATIENCE_MS)
    with served() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        if sys.argv[1:]:
            look(browser, address, Path(sys.argv[1]))
        else:
            take(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
