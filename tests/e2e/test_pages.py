"""The pages in a real browser, as a reader uses them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import psutil
import pytest
from pages_server import SHIFTS, Site, Visit, open_settings, shifted
from playwright.sync_api import Page, expect

from ingest.build import ingest

pytestmark = pytest.mark.browser
PLACES = ("Ask", "Graph", "Learn", "Runs", "Notes")
PHONE, NARROW = (390, 844), (360, 740)
STOP_S = 5  # a second is promised; other tests run beside this one
# How long the log was, each time that it was drawn anew while the run went on.
GROWING = """() => {
  window.grown = [];
  new MutationObserver(() => {
    const long = document.querySelector('#run-log pre')?.textContent.length ?? 0;
    const goes = document.querySelector('#run-state .g-badge')?.textContent === 'Running';
    if (goes && long && window.grown.at(-1) !== long) window.grown.push(long);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
# When Stop was clicked, and when the page says that the run was stopped, in milliseconds.
STAMPS = """() => {
  const stopped = () => document.querySelector('#run-state .g-badge')?.textContent === 'Stopped';
  document.querySelector('#stop').addEventListener('click', () => {
    window.clicked = performance.now();
  }, { capture: true });
  new MutationObserver(() => {
    if (stopped()) window.stopped ??= performance.now();
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def ask(page: Page, question: str) -> None:
    """Type a question and send it."""
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def open_place(page: Page, site: Site, name: str = "Ask") -> None:
    """Open the pages, at one of the three places."""
    page.goto(site.address)
    expect(page.locator(".g-examples a, .g-welcome p").first).to_be_visible()
    if name != "Ask":
        page.get_by_role("tab", name=name).click()
    if name == "Graph":
        expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")


def last_answer(page: Page):  # type: ignore[no-untyped-def]
    """The newest answer."""
    return page.get_by_test_id("bot").last


def check_clean(visit: Visit, site: Site) -> None:
    """Nothing went wrong in the browser, and nothing was asked of another origin."""
    assert visit.errors == []
    origins = {
        urlsplit(url).netloc for url in visit.requests if not url.startswith(("data:", "blob:"))
    }
    assert origins == {urlsplit(site.address).netloc}


def test_an_answer_opens_the_lines_it_quotes(visit: Visit, site: Site) -> None:
    """A question is answered; [1] opens the note beside it, the cited line glowing in sight.

    From there the concept is shown on the graph, with its card.
    """
    page = visit.page
    open_place(page, site)
    ask(page, "What is momentum?")
    answer = last_answer(page)
    expect(answer).to_contain_text("running mean of earlier gradients")
    source = answer.locator("a.g-source").first
    expect(source).to_contain_text("02-training.md, line")
    expect(page.locator(".g-beside")).to_be_hidden()
    answer.locator("a.g-ref").first.click()
    expect(page.locator(".g-beside-title")).to_have_text("02-training.md")
    glowing = page.locator(".g-page .g-glow")
    expect(glowing).to_have_count(1)
    expect(glowing).to_contain_text("Momentum adds a running mean of earlier gradients")
    expect(glowing).to_be_in_viewport()
    answer.get_by_role("link", name=re.compile("on the graph")).click()
    expect(page.locator("#card h3")).to_have_text("Momentum")
    check_clean(visit, site)


def test_a_follow_up_is_understood_from_the_conversation(visit: Visit, site: Site) -> None:
    """After a question about momentum, "what do I need before it?" is about momentum."""
    page = visit.page
    open_place(page, site)
    ask(page, "What is momentum?")
    expect(last_answer(page)).to_contain_text("running mean")
    ask(page, "What do I need before it?")
    expect(page.get_by_test_id("bot")).to_have_count(2)
    expect(last_answer(page)).to_contain_text("Learning rate")
    check_clean(visit, site)


def test_what_is_typed_while_an_answer_comes_is_kept(visit: Visit, site: Site) -> None:
    """A question begun while an answer is written stays in the box, and has its turn."""
    page = visit.page
    open_place(page, site)
    ask(page, "What is momentum?")
    box = page.get_by_label("Your question")
    expect(box).to_have_value("")
    box.press_sequentially("What is dropout?", delay=15)
    expect(last_answer(page)).to_contain_text("running mean")
    expect(box).to_have_value("What is dropout?")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("bot")).to_have_count(2)
    expect(last_answer(page)).to_contain_text("sets randomly chosen activations to zero")
    expect(box).to_have_value("")
    check_clean(visit, site)


def test_an_example_and_a_chip_ask(visit: Visit, site: Site) -> None:
    """The empty page offers questions, an answer's three rows of chips go on, by keyboard too."""
    page = visit.page
    open_place(page, site)
    page.locator(".g-examples a").first.click()
    expect(page.get_by_test_id("bot")).to_have_count(1)
    # The copy button comes with the answer's last piece; until then each piece draws the chips
    # anew, without the focus.
    copies = page.get_by_role("button", name="copy", exact=False)
    expect(copies.first).to_be_visible()
    ask(page, "What is the learning rate?")
    expect(page.get_by_test_id("bot")).to_have_count(2)
    answer = page.get_by_test_id("bot").nth(1)
    expect(answer.get_by_role("link", name="on the graph")).to_be_visible()
    for n, row in enumerate(("Know first", "Next", "Ask next")):
        chips = answer.locator(".g-row").filter(
            has=page.get_by_text(row, exact=True).and_(page.locator(".g-label"))
        )
        chip = chips.locator("a.g-chip").first
        words = chip.inner_text()
        chip.press("Enter")
        asked = words if row == "Ask next" else f"What is {words}?"
        expect(page.get_by_test_id("user").last).to_have_text(asked)
        expect(page.get_by_test_id("bot")).to_have_count(n + 3)
        expect(last_answer(page).locator("a.g-source").first).to_be_visible()
        expect(last_answer(page).get_by_role("link", name="on the graph")).to_be_visible()
    check_clean(visit, site)


def test_what_the_notes_do_not_say_is_said(visit: Visit, site: Site) -> None:
    """A question on something else gets "Not in the notes", near concepts and no source."""
    page = visit.page
    open_place(page, site)
    ask(page, "Who won the football world cup in 1998?")
    answer = last_answer(page)
    expect(answer.locator(".g-unknown")).to_have_text("Not in the notes")
    expect(answer.locator("a.g-source")).to_have_count(0)
    ask(page, "Where was the inventor of dropout born?")
    expect(page.get_by_test_id("bot")).to_have_count(2)
    answer = last_answer(page)
    expect(answer.locator(".g-unknown")).to_have_text("Not in the notes")
    near = answer.locator(".g-row").filter(has_text="Nearest concepts")
    near.get_by_role("link", name="Dropout").click()
    expect(page.get_by_test_id("bot")).to_have_count(3)
    expect(last_answer(page)).to_contain_text("sets randomly chosen activations to zero")
    check_clean(visit, site)


def test_formulas_are_set_and_pictures_of_others_are_not_fetched(visit: Visit, site: Site) -> None:
    """A formula is set by KaTeX; a remote picture in a note is a link, and no request goes out."""
    page = visit.page
    open_place(page, site)
    ask(page, "What is the gradient?")
    answer = last_answer(page)
    expect(answer.locator(".katex").first).to_be_visible()
    assert answer.locator("img").count() == 0
    check_clean(visit, site)


def test_hostile_questions_are_text(visit: Visit, site: Site) -> None:
    """Markup and formulas in a question are shown as typed."""
    page = visit.page
    open_place(page, site)
    typed = "<img src=x onerror=alert(1)> $x$ **b** `c`"
    ask(page, typed)
    expect(page.get_by_test_id("user").last).to_have_text(typed)
    expect(page.get_by_test_id("bot")).to_have_count(1)
    check_clean(visit, site)


def test_a_click_on_a_concept_shows_its_card(visit: Visit, site: Site) -> None:
    """A click on the map opens the card, whose links and button lead on.

    It has the code of the notes, what the concept unlocks, its run, and names of a concept.
    """
    page = visit.page
    open_place(page, site, "Graph")
    at = page.locator("#graph canvas").evaluate("canvas => canvas.positionOf('Learning rate')")
    page.mouse.click(at["x"], at["y"])
    card = page.locator("#card")
    expect(card.locator("h3")).to_have_text("Learning rate")
    expect(card).to_contain_text("size of the step along the gradient")
    expect(card.get_by_text("Know first")).to_be_visible()
    expect(card.locator("pre code")).to_contain_text("learn.fit_one_cycle(1, lr)")
    expect(card.get_by_role("link", name="▶ Find my learning rate")).to_be_visible()
    unlocks = card.locator(".g-row").filter(has_text="Unlocks")
    expect(unlocks.get_by_role("link", name="Momentum")).to_be_visible()
    card.locator("details.g-cite summary").first.click()
    expect(card.locator("mark").first).to_be_visible()
    card.get_by_role("link", name="Gradient", exact=True).first.click()
    expect(card.locator("h3")).to_have_text("Gradient")
    card.get_by_role("link", name="Ask about it").click()
    expect(last_answer(page)).to_contain_text("how much the loss changes")
    check_clean(visit, site)


def test_search_lights_the_path(visit: Visit, site: Site) -> None:
    """Typing and Enter choose a concept; its study path is lit and listed, foundations first.

    The formula that stands alone in its section is set on its card.
    """
    page = visit.page
    open_place(page, site, "Graph")
    page.get_by_label("Find a concept").fill("moment")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text("Momentum")
    expect(page.locator("#graph [data-path], #graph[data-path]").first).to_have_attribute(
        "data-path", re.compile(r"\d,")
    )
    steps = page.locator("#card ol li a").all_inner_texts()
    assert steps[-1] == "Momentum"
    assert steps.index("Gradient") < steps.index("Learning rate") < steps.index("Momentum")
    page.get_by_label("Find a concept").fill("dropout")
    page.keyboard.press("Enter")
    expect(page.locator("#card .katex-display")).to_contain_text("⊙")
    check_clean(visit, site)


def test_the_list_is_reached_by_keyboard(visit: Visit, site: Site) -> None:
    """From the search box the arrow key goes into the list, and Enter chooses."""
    page = visit.page
    open_place(page, site, "Graph")
    page.get_by_label("Find a concept").focus()
    page.keyboard.press("ArrowDown")
    chosen = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("Enter")
    expect(page.locator("#card h3")).to_have_text(chosen)
    check_clean(visit, site)


def test_each_concept_of_an_answer_has_its_card(visit: Visit, site: Site) -> None:
    """Of a comparison both: the further ones by their names, in the row of the graph."""
    page = visit.page
    open_place(page, site)
    ask(page, "What is the difference between learning rate and momentum?")
    shown = last_answer(page).locator("a.g-chip[href^='#graph/']")
    expect(shown.nth(1)).to_have_text(re.compile("^Momentum"))
    expect(page.get_by_role("button", name="copy").first).to_be_visible()
    shown.nth(1).click()
    expect(page.locator("#card h3")).to_have_text("Momentum")
    check_clean(visit, site)


def test_the_finder_runs_from_the_answers_button(visit: Visit, site: Site) -> None:
    """An answer's Run button leads to the filled form, which says what Start does and waits for it.

    Start leads to rate, code and history; meanwhile the log grows.
    """
    page = visit.page
    open_place(page, site)
    ask(page, "Which learning rate should I take for tabular data before unfreezing?")
    last_answer(page).locator("a.g-run").first.click()
    start = page.locator("#start-lr-find")
    expect(start).to_be_focused()
    plan = page.locator("#form-lr-find .g-plan")
    expect(plan).to_contain_text("Find my learning rate, Tabular, on the built-in sample")
    expect(page.locator("#run-state .g-badge")).to_have_count(0)
    start.press("Enter")
    expect(page.locator("#run-state .g-badge")).to_have_text("Running", timeout=60_000)
    page.evaluate(GROWING)
    page.locator("#run-log-box").get_by_role("button", name="Log").click()
    expect(page.locator("#curves polyline").first).to_be_attached(timeout=120_000)
    expect(page.locator("#run-state .g-badge")).to_have_text("Done", timeout=240_000)
    grown = page.evaluate("window.grown")
    assert len(grown) > 2 and grown == sorted(set(grown)), grown
    assert re.search(r"\de-\d|0\.\d", page.locator("#run-result .g-value").first.inner_text())
    expect(page.locator("#run-code")).to_contain_text("fit_one_cycle")
    expect(page.locator("#run-history")).to_contain_text("Find my learning rate")
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(plan).to_contain_text(re.compile(r"The last run like this took \d+ (s|min)"))
    page.get_by_label("Find my batch size").check()
    page.locator("#run-history a").first.click()
    expect(page.locator("#run-state")).to_contain_text("Find my learning rate")
    expect(page.get_by_label("Find my learning rate")).to_be_checked()
    expect(page.locator("#form-lr-find").get_by_label("Task", exact=True)).to_have_value("Tabular")
    check_clean(visit, site)


def test_stop_ends_the_run(visit: Visit, site: Site) -> None:
    """Stop ends the run's process and the page says so, at once."""
    page = visit.page
    page.add_init_script(SHIFTS)
    open_place(page, site, "Runs")
    page.get_by_label("Find my learning rate").check()
    page.locator("#start-lr-find").click()
    expect(page.locator("#run-state .g-badge")).to_have_text("Running")
    children = [
        p
        for p in psutil.Process(site.pid).children(recursive=True)
        if "executors.runs.child" in " ".join(p.cmdline())
    ]
    assert children
    page.evaluate(STAMPS)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#run-state .g-badge")).to_have_text("Stopped")
    took_s = page.evaluate("(window.stopped - window.clicked) / 1000")
    assert 0 < took_s < STOP_S, took_s
    moved, what = shifted(page)
    assert moved < 0.1, what
    assert not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in children)
    check_clean(visit, site)


def test_a_bad_value_is_told_beside_its_field(visit: Visit, site: Site) -> None:
    """What the field needs stands beside it and above Start, in words; nothing runs.

    Also where "More settings" was closed meanwhile; a right value takes the words away.
    """
    page = visit.page
    open_place(page, site, "Runs")
    page.get_by_label("Find my learning rate").check()
    form = page.locator("#form-lr-find")
    more = form.get_by_role("button", name="More settings")
    open_settings(form)
    form.get_by_label("Batch size").fill("0")
    expect(form.get_by_label("Batch size")).to_have_value("0")
    form.get_by_label("Time limit").fill("-1")
    more.click()
    page.locator("#start-lr-find").click()
    told = form.get_by_role("alert")
    expect(told).to_contain_text("Batch size, samples: This needs a whole number from 2")
    expect(told).to_contain_text("Time limit: This needs a number above 0")
    expect(told).to_be_in_viewport()
    field = form.locator("label", has_text="Batch size")
    expect(field).to_contain_text("This needs a whole number from 2")
    expect(page.locator("#run-state .g-badge")).to_have_count(0)
    assert [error for error in visit.errors if "422" not in error] == []  # gradio's word for it


@pytest.mark.parametrize("visit", [PHONE], indirect=True)
def test_a_phone_scrolls_only_down(visit: Visit, site: Site) -> None:
    """On a phone nothing is wider than the screen, in any of the places; all five are in sight."""
    page = visit.page
    open_place(page, site)
    ask(page, "What is the learning rate?")
    expect(last_answer(page)).to_contain_text("size of the step")
    for place in PLACES:
        page.get_by_role("tab", name=place).click()
        if place == "Graph":
            expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")
        for width, height in (PHONE, NARROW):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, place
            for name in PLACES:
                box = page.get_by_role("tab", name=name).bounding_box()
                assert box is not None and 0 <= box["x"] <= box["x"] + box["width"] <= width, name
    check_clean(visit, site)


def test_keys_lead_to_the_places_and_their_fields(visit: Visit, site: Site) -> None:
    """Alt with a digit to a place, / to the field one begins with; ? and a button list them.

    Control and K lead to the box of the question from another place, ready to type.
    """
    page = visit.page
    open_place(page, site, "Graph")
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Your question")).to_be_focused()
    page.keyboard.type("what is momentum?")
    expect(page.get_by_label("Your question")).to_have_value("what is momentum?")
    fields = (
        ("Ask", page.get_by_label("Your question")),
        ("Graph", page.get_by_label("Find a concept")),
        ("Learn", page.get_by_label("What do you want to learn?")),
        ("Runs", page.locator("#recipe input:checked")),
        ("Notes", page.get_by_label("Or read a folder")),
    )
    for number, (place, field) in enumerate(fields, 1):
        page.keyboard.press(f"Alt+{number}")
        tab = page.get_by_role("tab", name=place)
        expect(tab).to_have_attribute("aria-selected", "true")
        expect(tab).to_be_focused()
        expect(field).to_be_visible()
        page.keyboard.press("/")
        expect(field).to_be_focused()
    page.keyboard.type("/?")  # in a field they are what one types
    expect(page.get_by_label("Or read a folder")).to_have_value("/?")
    listed = page.get_by_role("dialog", name="Keys")
    expect(listed).to_be_hidden()
    page.keyboard.press("Alt+5")
    page.keyboard.press("?")
    expect(listed).to_contain_text("your question, from anywhere")
    page.keyboard.press("Escape")
    expect(listed).to_be_hidden()
    page.get_by_role("button", name="Keys", exact=True).click()
    listed.get_by_role("button", name="Close").click()
    expect(listed).to_be_hidden()
    check_clean(visit, site)


def test_without_a_store_the_pages_say_what_to_do(visit: Visit, empty_site: Site) -> None:
    """Before the first notes each place says where to add some; after it, no restart is needed."""
    page, under_notes = visit.page, re.compile("add some under Notes", re.IGNORECASE)
    page.goto(empty_site.address)
    expect(page.get_by_role("heading", name="Add notes")).to_be_visible()
    page.get_by_role("tab", name="Ask").click()
    expect(page.locator(".g-welcome")).to_contain_text(under_notes)
    ask(page, "What is mixup?")
    expect(last_answer(page)).to_contain_text(under_notes)
    page.get_by_role("tab", name="Graph").click()
    expect(page.locator("#graph .gg-message")).to_contain_text(under_notes)
    (empty_site.notes / "mixup.md").write_text(
        "# Mixup\n\nMixup blends two pictures and their labels.\n", encoding="utf-8"
    )
    ingest([empty_site.notes], empty_site.store)
    page.get_by_role("tab", name="Ask").click()
    ask(page, "What is mixup?")
    expect(last_answer(page)).to_contain_text(
        "blends two pictures", timeout=90_000
    )  # the encoder is loaded now
    check_clean(visit, empty_site)
