"""A run's curves in a real browser: their values, zoomed by mouse and keys, kept as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from pages_server import Site, Visit, heavy_findings, open_settings
from PIL import Image
from playwright.sync_api import Download, Locator, Page, expect

from app.paths import runs_folder
from executors.runs.folder import RESULT, SPEC, write_json
from executors.runs.journal import Journal
from executors.runs.result import RunResult

pytestmark = pytest.mark.browser
LOSSES = [(10.0**power, 1.0 + 0.25 * power * power) for power in range(-5, 1)]
# What stands on the axis at the left and right ends, and along it.
TICKS = (
    "svg => [...svg.querySelectorAll('text.g-tick[text-anchor=middle]')].map(t => t.textContent)"
)

HOW_FAR = "() => document.querySelector('#run-state progress')?.value ?? 0"  # the bar's value


@pytest.fixture
def found(site: Site) -> Path:
    """A run that has ended, as recipes write theirs: a sweep with a band and a suggestion."""
    return written(site, "20260101T000000Z-lr-find-c0ffee", 1.0)


def written(site: Site, name: str, unit: float) -> Path:
    """Such a run, its losses in this unit."""
    folder = runs_folder(site.store) / name
    if folder.exists():
        return folder
    folder.mkdir(parents=True)
    journal = Journal(folder)
    for order in (0, 1):
        for lr, loss in LOSSES:
            shifted = unit * (loss + 0.1 * order)
            journal.emit("point", phase="frozen", lr=lr, loss=shifted, order=order)
    phases = {"frozen": {"recommended": 1e-3, "suggestions": {"valley": 1e-4}}}
    result = RunResult("ok", "lr-find", "tabular", "cpu", {"phases": phases}, folder=str(folder))
    params: dict[str, object] = {"task": "tabular"}
    started = "2026-01-01T00:00:00+00:00"
    write_json(
        folder / SPEC,
        {"recipe": "lr-find", "task": "tabular", "params": params, "started": started},
    )
    write_json(folder / RESULT, result.to_event())
    return folder


def open_run(page: Page, site: Site, folder: Path) -> Locator:
    """Open a run from the history; gives its first figure."""
    page.goto(site.address)
    page.get_by_role("tab", name="Runs").click()
    page.locator(f'#run-history a[href*="{folder.name}"]').click()
    figure = page.locator("#curves figure").first
    expect(figure.locator("polyline")).to_have_count(1)
    return figure


def text(download: Download) -> str:
    return download.path().read_text(encoding="utf-8")


def at(figure: Locator, across: float, up: float = 0.5) -> tuple[float, float]:
    """A place of the page within the frame: shares of its width and height."""
    box = figure.locator("svg").bounding_box()
    assert box is not None
    left, right, top, foot = box["x"] + 66, box["x"] + box["width"] - 18, box["y"] + 28, 46
    height = box["height"] - 28 - foot
    return left + across * (right - left), top + up * height


@pytest.mark.parametrize("visit", [(1440, 1000), (390, 844)], indirect=True, ids=["wide", "phone"])
def test_a_point_stands_where_its_numbers_say_and_tells_them(
    visit: Visit, site: Site, found: Path
) -> None:
    """Each decade has the same room; beside the pointer stand rate and loss of the point there."""
    page = visit.page
    figure = open_run(page, site, found)
    points = figure.locator("polyline").get_attribute("points") or ""
    xs = [float(pair.split(",")[0]) for pair in points.split()]
    steps = [after - before for before, after in pairwise(xs)]
    assert len(xs) == len(LOSSES) and max(steps) - min(steps) < 0.3
    assert figure.locator("svg").evaluate(TICKS)[:1] == ["10⁻⁵"]
    expect(figure.locator("polygon")).to_have_count(1)
    expect(figure.locator("text.g-strong")).to_have_text("recommended")
    page.mouse.move(*at(figure, 0.61))
    expect(figure.locator(".g-tip")).to_have_text("learning rate 0.01frozen: 2")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.errors == []


def test_a_part_is_chosen_by_dragging_and_a_double_click_leads_back(
    visit: Visit, site: Site, found: Path
) -> None:
    """The axis then shows what was dragged over; the button does the same as the double click."""
    page = visit.page
    figure = open_run(page, site, found)
    svg, whole = figure.locator("svg"), figure.get_by_role("button", name="Whole curve")
    before = svg.evaluate(TICKS)
    assert len(before) == 6
    ways: tuple[Callable[[], None], ...] = (
        lambda: page.mouse.dblclick(*at(figure, 0.5)),
        partial(whole.click),
    )
    for back in ways:
        page.mouse.move(*at(figure, 0.35))
        page.mouse.down()
        page.mouse.move(*at(figure, 0.5), steps=4)
        expect(figure.locator(".g-chosen")).to_have_count(1)
        page.mouse.move(*at(figure, 0.85), steps=4)
        page.mouse.up()
        expect(whole).to_be_enabled()
        assert svg.evaluate(TICKS) == ["10⁻³", "10⁻²", "10⁻¹"]
        back()
        expect(whole).to_be_hidden()
        assert svg.evaluate(TICKS) == before
    assert visit.errors == []


def test_the_wheel_zooms_with_ctrl_alone(visit: Visit, site: Site, found: Path) -> None:
    """So that it never keeps the page from being scrolled."""
    page = visit.page
    figure = open_run(page, site, found)
    whole = figure.get_by_role("button", name="Whole curve")
    page.mouse.move(*at(figure, 0.5))
    page.mouse.wheel(0, -100)
    expect(whole).to_be_hidden()
    page.keyboard.down("Control")
    for _ in range(4):
        page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    expect(whole).to_be_visible()
    assert len(figure.locator("svg").evaluate(TICKS)) < 6
    assert visit.errors == []


def test_all_of_it_works_without_a_mouse(visit: Visit, site: Site, found: Path) -> None:
    """Arrows go from value to value and say them; + zooms there, 0 shows the whole again."""
    page = visit.page
    figure = open_run(page, site, found)
    whole = figure.get_by_role("button", name="Whole curve")
    figure.get_by_role("button", name="CSV").focus()
    page.keyboard.press("Tab")
    expect(figure.get_by_role("group")).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(figure.locator("[aria-live]")).to_have_text("learning rate 1e-4, frozen: 5")
    page.keyboard.press("+")
    expect(whole).to_be_visible()
    expect(figure.locator(".g-tip")).to_be_visible()
    page.keyboard.press("0")
    expect(whole).to_be_hidden()
    assert visit.errors == []


def test_a_curve_is_kept_as_numbers_and_as_a_picture(visit: Visit, site: Site, found: Path) -> None:
    """CSV with every point, also when zoomed; a PNG as it is seen; nothing is fetched."""
    page = visit.page
    figure = open_run(page, site, found)
    page.mouse.move(*at(figure, 0.35))
    page.mouse.down()
    page.mouse.move(*at(figure, 0.85), steps=4)
    page.mouse.up()
    with page.expect_download() as kept:
        figure.get_by_role("button", name="CSV").click()
    assert kept.value.suggested_filename == "lr-find-c0ffee-frozen.csv"
    head, *rows = csv.reader(io.StringIO(text(kept.value)))
    assert head == ["learning rate", "frozen", "lowest", "highest"]
    numbers = [tuple(map(float, row)) for row in rows]
    assert [row[:2] for row in numbers] == LOSSES
    assert [row[3] for row in numbers] == pytest.approx([loss + 0.1 for _, loss in LOSSES])
    with page.expect_download() as kept:
        figure.get_by_role("button", name="PNG").click()
    box = figure.locator("svg").bounding_box()
    with Image.open(kept.value.path()) as picture:
        assert box is not None and abs(picture.width - 2 * box["width"]) <= 2
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 24) or []}
    assert (255, 255, 255) in colours and (37, 99, 235) in colours  # the paper and the curve
    assert all(url.startswith((site.address, "blob:", "data:")) for url in visit.requests)
    assert visit.errors == []


def test_axe_finds_nothing_serious_in_a_run(
    visit: Visit, site: Site, found: Path, axe: str
) -> None:
    """With its curves, zoomed and with the values beside them, its code and the machine."""
    page = visit.page
    figure = open_run(page, site, found)
    expect(page.get_by_role("region", name="This machine")).to_contain_text("free of")
    figure.get_by_role("group").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    expect(figure.locator(".g-tip")).to_be_visible()
    assert heavy_findings(page, axe) == []
    page.evaluate("document.body.classList.toggle('dark')")  # a click would take the values away
    expect(figure.locator(".g-tip")).to_be_visible()
    assert heavy_findings(page, axe) == []


def test_large_losses_are_told_within_the_picture(visit: Visit, site: Site) -> None:
    """As of prices, whose squares are learned: no number at the axis is cut off."""
    figure = open_run(visit.page, site, written(site, "20260102T000000Z-lr-find-c0ffee", 3e10))
    left = "it => it.getBoundingClientRect().left"
    numbers = figure.locator("svg text.g-tick[text-anchor=end]").all()
    told = [number.text_content() or "" for number in numbers]
    edge = figure.locator("svg").evaluate(left)
    assert len(told) >= 3 and all(number.evaluate(left) >= edge for number in numbers), told
    assert [float(words) for words in told] == sorted(map(float, told))
    assert visit.errors == []


def test_what_was_zoomed_stays_so_while_the_curve_grows(visit: Visit, site: Site) -> None:
    """Points that come later change neither the part that is shown nor where the page stands.

    Meanwhile the bar moves.
    """
    page = visit.page
    page.goto(site.address)
    page.get_by_role("tab", name="Runs").click()
    page.get_by_label("Find my learning rate").check()
    form = page.locator("#form-lr-find")
    form.get_by_label("Task", exact=True).click()
    page.get_by_role("option", name="Tabular").click()
    open_settings(form)
    page.get_by_label("Length of the sweep (num_it), batches").last.fill("1000")
    page.locator("#start-lr-find").click()
    figure = page.locator("#curves figure").first
    expect(figure.locator("polyline")).to_have_count(1, timeout=120_000)
    far = page.evaluate(HOW_FAR)
    page.mouse.move(*at(figure, 0.1))
    page.mouse.down()
    page.mouse.move(*at(figure, 0.9), steps=4)
    page.mouse.up()
    ticks = figure.locator("svg").evaluate(TICKS)
    count = "svg => svg.querySelector('polyline').getAttribute('points').split(' ').length"
    before = figure.locator("svg").evaluate(count)
    page.wait_for_function(
        f"before => ({count})(document.querySelector('#curves svg')) > before + 3", arg=before
    )
    expect(figure.get_by_role("button", name="Whole curve")).to_be_visible()
    assert figure.locator("svg").evaluate(TICKS) == ticks
    page.wait_for_function(f"far => ({HOW_FAR})() !== far", arg=far)
    page.locator("#stop").click()
    expect(page.locator("#run-state .g-badge")).to_have_text("Stopped", timeout=30_000)
    assert visit.errors == []
