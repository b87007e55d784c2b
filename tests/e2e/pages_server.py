"""The pages' server for the browser tests: in this process, or in one of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from served import served

from app.api.functions import Gradus
from app.open_store import Shelf
from app.paths import runs_folder
from app.visitors_runs import VisitorsRuns, roots_of
from app.writer.choice import choose_writer

__all__ = [
    "SHIFTS",
    "Site",
    "Visit",
    "heavy_findings",
    "in_both_themes",
    "open_settings",
    "serve",
    "shifted",
]

# Keeps, in a page, what moves without a click or a key just before it.
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) {
    window.shifts.push([one.value, one.sources.map((s) => s.node?.outerHTML?.slice(0, 90))]);
  }
}).observe({ type: 'layout-shift', buffered: true });
"""
# Waits until colours that fade into each other have done so.
STILL = """() => Promise.allSettled(document.getAnimations()
  .filter((one) => isFinite(one.effect.getComputedTiming().endTime)).map((one) => one.finished))"""
# Waits for frames to be drawn: in one of them Gradio sets an accordion's fields for a second time.
FRAMES = """() => new Promise((done) => {
  const next = (left) => left ? requestAnimationFrame(() => next(left - 1)) : done();
  next(10);
})"""
HEAVY = {"serious", "critical"}  # findings of axe
# What passed is left in the browser: on a page with many elements to hand it over takes longest.
FIND = "axe.run({ resultTypes: ['violations'] }).then((found) => found.violations)"


@dataclass
class Site:
    """The pages of one server, its folders, and how to talk to it."""

    address: str
    store: Path
    notes: Path
    pid: int


@dataclass
class Visit:
    """An open page, with what the browser complained about and where it sent requests."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def reload(self) -> None:
        """Load the page anew; what the one that is left says of requests it was cut off from is
        no complaint.
        """
        before = len(self.errors)
        self.page.reload()
        del self.errors[before:]


@contextmanager
def serve(store: Path, notes: Path, writer: str = "none") -> Iterator[Site]:
    """The pages, served by this process with the encoder that it has loaded already."""
    runs = VisitorsRuns(roots=roots_of(store))
    with closing(Shelf(store)) as shelf:
        gradus, worded_by = Gradus(shelf, runs_folder(store), runs), choose_writer(writer)
        with served(gradus, watching=True, writer=worded_by) as address:
            yield Site(address, store, notes, os.getpid())


def shifted(page: Page) -> tuple[float, list[Any]]:
    """How far what is shown moved by itself so far, as the web's vitals count it; and what."""
    shifts: list[Any] = page.evaluate("window.shifts")
    return sum(value for value, _ in shifts), shifts


def heavy_findings(page: Page, axe: str) -> list[str]:
    """What axe finds serious or critical, with the element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe)
    page.evaluate(STILL)
    violations: list[dict[str, Any]] = page.evaluate(FIND)
    return [
        f"{rule['id']}: {node['target']} {node['html'][:160]} {node['failureSummary'][:240]}"
        for rule in violations
        if rule["impact"] in HEAVY
        for node in rule["nodes"]
    ]


def open_settings(form: Locator) -> None:
    """Open a form's "More settings", and wait until what is filled in there stays."""
    form.get_by_role("button", name="More settings").click()
    expect(form.get_by_label("Time limit, minutes")).to_be_visible()
    form.page.evaluate(FRAMES)


def in_both_themes(page: Page, axe: str) -> list[str]:
    """What axe finds in the light and in the dark theme of the same page, changed as by a reader.

    It ends in the dark one.
    """
    found = []
    for dark in (False, True):
        if page.evaluate("document.body.classList.contains('dark')") is not dark:
            page.get_by_role("button", name="Light or dark").click()
        found += heavy_findings(page, axe)
    return found
