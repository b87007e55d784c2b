"""The Graph page in a browser: drawn, click to card, panning, at three sizes of graph.

python -m benchmarks.graph.pages

Graphs are made from a seed and imported; each is served by a process of its own, and asked with
an empty window of Chromium. Times are the browser's: from the click on the tab to the first
drawing, and from the click on a concept to the frame in which its card stands. The load is saved
with them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from app.exports.importing import import_graph
from benchmarks.record import save
from benchmarks.serving.pages import serve
from kg.store import open_store

SIZES = (90, 600, 5000)
TOPIC = 30  # concepts that link mostly among themselves
CLICKS, OPENINGS, FRAMES = 15, 5, 120
PATIENCE_MS = 180_000  # with a page, where other work keeps the machine busy
ARGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync"),
)
LOADED_S = 20  # the encoder loads meanwhile, which would be measured too
# The time of the first frame in which what is awaited is there, from the click on.
CLICK = """([x, y, label]) => new Promise((done) => {
  const canvas = document.querySelector('#graph canvas'), begun = performance.now();
  const at = { bubbles: true, clientX: x, clientY: y, pointerId: 1, pointerType: 'mouse' };
  const look = () => {
    if (document.querySelector('#card h3')?.textContent === label) done(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  canvas.setPointerCapture = () => {};
  canvas.dispatchEvent(new PointerEvent('pointerdown', at));
  canvas.dispatchEvent(new PointerEvent('pointerup', at));
  look();
})"""
DRAWN = """() => new Promise((done) => {
  const begun = performance.now(), tabs = [...document.querySelectorAll('#places [role="tab"]')];
  tabs.find((tab) => tab.textContent.trim() === 'Graph').click();
  const look = () => {
    const drawn = document.querySelector('#graph canvas')?.dataset.drawn;
    if (Number(drawn)) done(performance.now() - begun);
    else requestAnimationFrame(look);
  };
  look();
})"""
PAN = """(n) => new Promise((done) => {
  const canvas = document.querySelector('#graph canvas'), box = canvas.getBoundingClientRect();
  const finger = { bubbles: true, pointerId: 1, pointerType: 'touch', clientY: box.top + 4 };
  const at = (i) => ({ ...finger, clientX: box.left + 4 + (i % 60) * 2 });
  canvas.setPointerCapture = () => {};
  canvas.dispatchEvent(new PointerEvent('pointerdown', at(0)));
  const times = [];
  let before = performance.now(), i = 0;
  const step = (now) => {
    times.push(now - before);
    before = now;
    canvas.dispatchEvent(new PointerEvent('pointermove', at(i)));
    if (i++ < n) requestAnimationFrame(step);
    else { canvas.dispatchEvent(new PointerEvent('pointerup', at(i))); done(times.slice(5)); }
  };
  requestAnimationFrame(step);
})"""


def made(n: int, seed: int = 0) -> dict[str, Any]:
    """A graph of n concepts in topics, each with a few prerequisites, most of its own topic."""
    dice = random.Random(seed)
    nodes = [
        {
            "id": i,
            "label": f"Concept {i:04}",
            "summary": f"Concept {i:04} is made of {dice.randrange(9)} parts, $x_{{{i}}}$.",
        }
        for i in range(n)
    ]
    edges: dict[tuple[int, int, str], dict[str, Any]] = {}
    for i in range(1, n):
        topic = range(i // TOPIC * TOPIC, i)
        for kind in [*["prerequisite"] * dice.choice((0, 1, 2, 2, 3)), "related"]:
            near = dice.random() < 0.85 and len(topic) > 0
            before = dice.choice(topic) if near else dice.randrange(i)
            edge = {"source": before, "target": i, "kind": kind, "score": dice.uniform(0.5, 1)}
            edges[before, i, kind] = edge
    return {"nodes": nodes, "edges": list(edges.values())}


def main() -> None:
    """Measure each size, print, and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    sizes = parser.parse_args().sizes
    found: dict[str, Any] = {"load_before": os.getloadavg(), "sizes": {}}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGS)
        for n in sizes:
            found["sizes"][n] = figures = measured(browser, n)
            print(n, figures)
        browser.close()
    found["load_after"] = os.getloadavg()
    print("saved", save("graph_pages", found))


def measured(browser: Browser, n: int) -> dict[str, Any]:
    """The figures of one size; times in milliseconds."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        (folder / "graph.json").write_text(json.dumps(made(n)), encoding="utf-8")
        import_graph(folder / "graph.json", folder / "store")
        store = open_store(folder / "store")
        labels = [concept.label for concept in store.concepts]
        edges = store.prerequisites.number_of_edges()
        store.close()
        with serve(folder / "store") as pages:
            time.sleep(LOADED_S)
            drawn = [opened(browser, pages.address) for _ in range(OPENINGS + 1)][1:]
            page = fresh_page(browser)
            show(page, pages.address)
            enter(page)
            clicks = clicked(page, labels)
            frames: list[float] = page.evaluate(PAN, FRAMES)
            page.context.close()
    return {
        "prerequisites": edges,
        "drawn_ms": spread(drawn),
        "click_to_card_ms": spread(clicks),
        "frames_a_second": round(1000 / statistics.median(frames), 1),
    }


def fresh_page(browser: Browser) -> Page:
    """A page of a visitor who was never here."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    return context.new_page()


def opened(browser: Browser, address: str) -> float:
    """From the click on the tab to the first drawing, in a fresh window."""
    page = fresh_page(browser)
    page.goto(address)
    page.wait_for_selector(".g-welcome h2")
    taken: float = page.evaluate(DRAWN)
    page.context.close()
    return taken


def show(page: Page, address: str) -> None:
    """The Graph page, drawn."""
    page.goto(address)
    page.get_by_role("tab", name="Graph").click()
    page.wait_for_selector('#graph canvas[data-ready="1"]')


def enter(page: Page) -> None:
    """Open themes until concepts are drawn."""
    for _ in range(6):
        themes = page.locator("#graph canvas").evaluate("canvas => canvas.themes()")
        if not themes:
            return
        page.mouse.click(themes[1]["x"], themes[1]["y"])
        page.wait_for_timeout(800)


def clicked(page: Page, labels: list[str]) -> list[float]:
    """From a click on each of several concepts of the map to its card, the first not counted."""
    where = "(canvas, labels) => labels.map((label) => [label, canvas.positionOf(label)])"
    places = page.locator("#graph canvas").evaluate(where, labels)
    shown = [(label, at) for label, at in places if at]
    taken = []
    for label, _ in (shown * CLICKS)[: CLICKS + 1]:
        at = page.locator("#graph canvas").evaluate("(c, label) => c.positionOf(label)", label)
        taken.append(page.evaluate(CLICK, [at["x"], at["y"], label]))
        page.wait_for_timeout(250)
    return taken[1:]


def spread(taken: list[float]) -> dict[str, float]:
    """Median, smallest and largest."""
    figures = {"median": statistics.median(taken), "least": min(taken), "most": max(taken)}
    return {name: round(value, 1) for name, value in figures.items()}


if __name__ == "__main__":
    main()
