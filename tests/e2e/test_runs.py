"""The Runs page in a real browser: a training to its verdict, forms, runs side by side."""

from __future__ import annotations

import csv
import json
import random
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from pages_server import Site, Visit, open_settings
from playwright.sync_api import Locator, Page, expect

from app.pages.runs.forms import LIMIT_MINUTES
from app.paths import runs_folder
from executors.runs.folder import SPEC, write_json

pytestmark = pytest.mark.browser
PHONE = (390, 844)
# Whether the memory's bar, which is drawn anew at every look, has two parts and some room left.
SHARES = """() => {
  const bar = document.querySelector(".g-memory");
  const whole = bar.getBoundingClientRect().width;
  const used = bar.querySelector(".g-part-used").getBoundingClientRect().width;
  const run = bar.querySelector(".g-part-run").getBoundingClientRect().width;
  return bar.children.length === 2 && used > 0 && run > 0 && used + run < whole;
}"""
# A learner whose batches are trained at once at first and then one a second, so that a run with it
# soon tells how long it still takes, and does not end before it is stopped.
SLOW = """
import itertools
import time
import torch
from fastai.basics import Callback, DataLoader, DataLoaders, Learner
from fastai.losses import MSELossFlat

BATCHES = itertools.count()


class Slow(Callback):
    def after_batch(self):
        if next(BATCHES) > 100:
            time.sleep(1)


def make():
    samples = [(torch.full((1,), n / 99), torch.full((1,), n / 50)) for n in range(99)]
    dls = DataLoaders(DataLoader(samples, bs=64, shuffle=True), DataLoader(samples, bs=64))
    return Learner(dls, torch.nn.Linear(1, 1), loss_func=MSELossFlat(), cbs=Slow())
"""


def open_runs(page: Page, site: Site) -> None:
    page.goto(site.address)
    page.get_by_role("tab", name="Runs").click()
    expect(page.locator("#run-form")).to_be_visible()


def field(form: Locator, label: str) -> Locator:
    """The input with this label, whatever help stands beside it."""
    box = form.locator("label").filter(
        has=form.page.locator(f'[data-testid="block-info"]:text-is("{label}")')
    )
    return box.locator("input, textarea")


def choose_task(page: Page, form: Locator, title: str) -> None:
    form.get_by_label("Task", exact=True).click()
    page.get_by_role("option", name=title).click()


@pytest.fixture(scope="session")
def table(site: Site) -> Path:
    """Sixty rows whose class follows from one column, beside the notes."""
    chance, path = random.Random(0), site.notes / "houses.csv"
    areas = [chance.random() for _ in range(60)]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("area", "price"), *((area, "high" if area > 0.5 else "low") for area in areas)]
        )
    return path


def train(page: Page, table: Path) -> None:
    """Start a short training on the table and wait for its end."""
    page.get_by_label("Train my model").check()
    form = page.locator("#form-training-flow")
    choose_task(page, form, "Tabular")
    field(form, "Data").fill(str(table))
    field(form, "Target").fill("price")
    field(form, "Epochs").fill("2")
    open_settings(form)
    field(form, "Learning rate (lr)").fill("0.01")
    field(form, "Batch size, samples").fill("16")
    page.locator("#start-training-flow").click()
    expect(page.locator("#run-state")).to_contain_text("Running", timeout=60_000)
    expect(page.locator("#run-state")).to_be_in_viewport()
    expect(page.locator("#run-state .g-badge")).to_have_text("Done", timeout=240_000)


def put_once_more(folder: Path, rate: float) -> None:
    """The ended run a second time, begun a second later and asked for at another rate."""
    spec = json.loads((folder / SPEC).read_text("utf-8"))
    started = datetime.fromisoformat(spec["started"]) + timedelta(seconds=1)
    again = folder.with_name(f"{started:%Y%m%dT%H%M%SZ}-{spec['recipe']}-0a9a10")
    shutil.copytree(folder, again)
    params = spec["params"] | {"lr": rate}
    write_json(again / SPEC, spec | {"started": started.isoformat(), "params": params})


def kept_code(page: Page) -> dict[str, str]:
    """The run's code as the browser keeps it, by the file's kind; of a notebook its cells."""
    kept = {}
    for words in ("Script", "Notebook"):
        with page.expect_download() as download:
            page.locator("#run-code-files").get_by_role("link", name=words).click()
        text = download.value.path().read_text(encoding="utf-8")
        name = download.value.suggested_filename
        assert name.startswith("training-flow-")
        if name.endswith(".ipynb"):
            cells = nbformat.reads(text, as_version=4).cells
            text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
        kept[words] = text
    return kept


def test_a_training_ends_in_a_verdict_and_two_can_be_compared(
    visit: Visit, site: Site, table: Path
) -> None:
    """From the form to verdict, curves, code and files; then another beside it, and it again."""
    page = visit.page
    open_runs(page, site)
    train(page, table)
    result = page.locator("#run-result")
    expect(result.locator(".g-label").first).to_have_text("Verdict")
    expect(result.locator(".g-reason")).to_contain_text("accuracy")
    expect(page.locator("#curves svg")).to_have_count(2)
    expect(page.locator("#curves polyline")).to_have_count(3)  # two losses and the score
    expect(page.locator("#run-code")).to_contain_text("fit_one_cycle")
    code = page.locator("#run-code code").inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=site.address)
    page.locator("#run-code").get_by_role("button", name="copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == code.strip()
    kept = kept_code(page)
    page.locator("#run-files summary").click()
    expect(page.locator("#run-files code").filter(has_text="model.safetensors")).to_be_visible()

    put_once_more(next(runs_folder(site.store).glob("*-training-flow-*")), 0.02)
    page.goto("about:blank")  # else the address would open the run again
    open_runs(page, site)
    page.get_by_role("button", name="Compare runs").click()
    for place in range(2):  # newest first
        page.locator("#compare-runs input").click()
        page.get_by_role("option").filter(has_text="Train my model").nth(place).click()
    row = page.locator("#comparison tr", has_text="lr asked")
    expect(row).to_have_class("g-differs")
    expect(row.locator("td")).to_have_text(["0.02", "0.01"])

    page.locator("#run-history tbody a").nth(1).click()
    expect(page.locator("#run-code")).to_contain_text("0.01")
    expect(page.locator("#run-code code")).to_have_text(code, use_inner_text=True)
    assert kept_code(page) == kept
    form = page.locator("#form-training-flow")  # filled with its values, to be run again
    open_settings(form)
    for label, value in (("Data", str(table)), ("Target", "price"), ("Epochs", "2")):
        expect(field(form, label)).to_have_value(value)
    expect(field(form, "Learning rate (lr)")).to_have_value("0.01")
    expect(form.get_by_label("Task", exact=True)).to_have_value("Tabular")
    expect(page.locator("#run-state")).to_contain_text("Its values are in the form")
    for content in kept.values():
        assert code.strip() in content
    assert visit.errors == []


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_the_form_follows_the_task(visit: Visit, site: Site) -> None:
    """A table asks for a column and no image size; nothing is wider than a phone.

    Each field has its unit, its default, help of its own and its bounds before anything is wrong.
    """
    page = visit.page
    open_runs(page, site)
    page.get_by_label("Find my learning rate").check()
    form = page.locator("#form-lr-find")
    expect(field(form, "Size, px")).to_be_visible()
    expect(field(form, "Target")).to_be_hidden()
    expect(form.locator("label", has_text="Size, px")).to_contain_text("; 32 to 2048")
    open_settings(form)
    sweeps = form.locator("label", has_text="Seeds, sweeps")
    expect(sweeps).to_contain_text("each in another order of the batches")
    expect(sweeps).to_contain_text("1 to 20")
    expect(field(form, "Seeds, sweeps")).to_have_value("3")
    choose_task(page, form, "Tabular")
    expect(form.locator(".g-expects").first).to_contain_text("CSV")
    expect(field(form, "Target")).to_be_visible()
    expect(field(form, "Size, px")).to_be_hidden()
    choose_task(page, form, "Collaborative filtering")
    expect(form).to_contain_text("user, item and rating")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert visit.errors == []


def test_what_ended_a_run_is_said(visit: Visit, site: Site) -> None:
    """A missing file is named before anything starts; then, on the same page, the time limit.

    That run takes longer than the minutes asked for, which the history says too.
    """
    page = visit.page
    open_runs(page, site)
    page.get_by_label("Find my learning rate").check()
    form = page.locator("#form-lr-find")
    choose_task(page, form, "Tabular")
    field(form, "Data").fill(str(site.notes / "gone.csv"))
    expect(form.locator(".g-ahead").first).to_contain_text("gone.csv does not exist")
    page.locator("#start-lr-find").click()
    expect(form.locator(".g-faults [role=alert]")).to_contain_text("gone.csv does not exist")
    expect(page.locator("#run-state .g-badge")).to_have_count(0)
    field(form, "Data").fill("")
    expect(form.locator(".g-ahead p")).to_have_count(0)
    open_settings(form)
    limit = field(form, "Time limit, minutes")
    expect(limit).to_have_value(f"{LIMIT_MINUTES:g}")
    limit.fill("0.01")
    limit.blur()
    expect(limit).to_have_value("0.01")
    page.locator("#start-lr-find").click()
    expect(page.locator("#run-state .g-badge")).to_have_text(
        "Ended at its time limit", timeout=60_000
    )
    expect(page.locator("#run-result")).to_contain_text("its limit of 0.6 s")
    expect(page.locator("#run-history tbody tr").first).to_contain_text("give it more time")
    page.set_viewport_size({"width": 1280, "height": 900})
    box = page.locator("#run-history .g-scroll")
    assert box.evaluate("e => e.scrollWidth <= e.clientWidth")
    assert [error for error in visit.errors if "422" not in error] == []  # gradio's word for it


def test_files_elsewhere_are_not_read(visit: Visit, site: Site, tmp_path: Path) -> None:
    """A file outside the folders that are allowed starts nothing, which its field says."""
    page = visit.page
    open_runs(page, site)
    page.get_by_label("Find my learning rate").check()
    form = page.locator("#form-lr-find")
    choose_task(page, form, "Tabular")
    field(form, "Data").fill(str(tmp_path / "table.csv"))
    page.locator("#start-lr-find").click()
    expect(form.locator(".g-ahead").first).to_contain_text("outside the folders")
    expect(form.locator(".g-faults [role=alert]")).to_contain_text("outside the folders")
    assert [error for error in visit.errors if "422" not in error] == []  # gradio's word for it


def test_a_file_that_a_question_names_is_in_the_form(visit: Visit, site: Site, table: Path) -> None:
    """With what it lacks said at once below the field, and no longer when that is mended."""
    page = visit.page
    page.goto(site.address)
    page.get_by_label("Your question").fill(f"which learning rate for {table.name}?")
    page.keyboard.press("Enter")
    page.locator("#chat a.g-run", has_text=table.name).click()
    form = page.locator("#form-lr-find")
    expect(field(form, "Data")).to_have_value(str(table.resolve()))
    expect(form.locator(".g-ahead").last).to_contain_text("Name it in Target; there are 'area'")
    field(form, "Target").fill("price")
    expect(form.locator(".g-ahead p")).to_have_count(0)
    assert visit.errors == []


def test_device_memory_queue_and_time_left_are_in_sight(visit: Visit, site: Site) -> None:
    """A run has the device, another waits: both pages say so, with what memory it takes.

    Left by closing its page, it is found as running, opened from the history, and stopped.
    """
    page = visit.page
    open_runs(page, site)
    machine = page.get_by_role("region", name="This machine")
    expect(machine).to_contain_text("no run")
    expect(machine).to_contain_text("free of")
    page.get_by_label("Find my learning rate").check()
    form = page.locator("#form-lr-find")
    choose_task(page, form, "learner")
    (site.notes / "slow.py").write_text(SLOW, encoding="utf-8")
    page.locator("#field-lr-find-learner input").fill(f"{site.notes / 'slow.py'}:make")
    page.locator("#start-lr-find").click()
    expect(machine).to_contain_text("taken by Find my learning rate", timeout=60_000)
    expect(machine).to_contain_text("by this run", timeout=60_000)
    expect(page.locator("#run-state")).to_contain_text("left", timeout=120_000)
    page.wait_for_function(SHARES)

    other = page.context.new_page()
    open_runs(other, site)
    other.locator("#start-batch-size").click()
    expect(other.locator("#run-state .g-badge")).to_have_text("Waiting")
    for where in (page, other):
        line = where.get_by_role("region", name="This machine").locator(".g-place-run")
        expect(line).to_have_text("taken by Find my learning rate; then Find my batch size")
    other.locator("#stop").click()
    expect(other.locator("#run-state .g-badge")).to_have_text("Stopped")
    page.locator("#run-history").evaluate("history => history.scrollIntoView()")
    expect(machine).to_be_in_viewport()
    page.close()

    open_runs(other, site)
    row = other.locator("#run-history tbody tr").filter(has_text="Find my learning rate").first
    expect(row).to_contain_text("Running")
    row.locator("a").click()
    expect(other.locator("#run-state .g-badge")).to_have_text("Running")
    other.locator("#stop").click()
    expect(other.locator("#run-state .g-badge")).to_have_text("Stopped", timeout=30_000)
    expect(row).to_contain_text("Stopped")
    machine = other.get_by_role("region", name="This machine")
    expect(machine).to_contain_text("no run", timeout=30_000)
    assert visit.errors == []
