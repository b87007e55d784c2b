"""Notes, runs and questions full of attacks, in a real browser: none acts, and nothing is fetched.

Each of the payloads of `tests/support/payloads.py` stands in every place of a note, and names a
concept, a file, and all that a run says; each test visits a place of the pages that shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from pages_server import Visit
from payloads import LEG, PAYLOADS, RAW, few, hostile_notes, hostile_runs
from playwright.sync_api import Browser, Dialog, Page, expect
from playwright.sync_api import Error as PlaywrightError
from served import served

from app.api.functions import Gradus
from app.open_store import Shelf
from app.pages.ask import replies
from app.visitors_runs import VisitorsRuns
from ingest import build
from ingest.origins import record_removed
from kg.encoder import Encoder

pytestmark = pytest.mark.browser
ASKED = 18  # payloads of one conversation
# What of the elements below one would act or fetch, now or at a click. Buttons have icons.
ACTING = """root => {
  const barred = 'script,style,iframe,object,embed,base,meta,link,video,audio,source,template,'
    + 'dialog[open],marquee,plaintext,xmp,[autofocus],[popover],[background]';
  const leads = /^(#|https?:|mailto:|vscode:)/, holds = /^(data:image|blob:)/;
  const isFile = (one) => one.matches('a[download][href^="data:"]');  // which a click keeps
  const acts = ({ name, value, ownerElement: one }) => name.startsWith('on')
    || (/^(xlink:href|action|formaction|data)$/.test(name) && !leads.test(value))
    || (name === 'href' && !leads.test(value) && !isFile(one))
    || (/^(src|srcset|poster)$/.test(name) && !holds.test(value))
    || (name === 'style' && /url\\(|fixed/.test(value));
  const inside = [...document.querySelectorAll(`${root} :not(button *, #question *)`)];
  return inside.filter((one) => one.matches(barred) || [...one.attributes].some(acts))
    .map((one) => one.outerHTML.slice(0, 200));
}"""
ACT = """payloads => {
  window.hits = new Set();
  Object.defineProperty(window, 'hit', { set: (n) => hits.add(n) });
  for (const payload of payloads) {
    const place = document.body.appendChild(document.createElement('div'));
    place.innerHTML = payload;
  }
}"""
UNFOLD = """root => {
  for (const one of document.querySelectorAll(`${root} details`)) one.open = true;
}"""
ASK_EACH = """async (all) => {
  for (const question of all) await window.gradus.ask({ question });
}"""
ALL_SHOWN = """n => {
  const answers = [...document.querySelectorAll('#chat [data-testid="bot"]')];
  const ends = '.g-source, .g-unknown, .g-error, .g-row';
  return answers.length === n && answers.every((one) => one.querySelector(ends));
}"""
# What is told of a chat that does not come.
CHAT = """() => [document.querySelector('.g-gone').textContent,
  document.querySelectorAll('#chat [data-testid="user"]').length,
  ...[...document.querySelectorAll('#chat [data-testid="bot"]')].map((one) => one.innerText)]"""
OPEN_EACH = """async (names) => {
  for (const name of names) {
    await window.gradus.openNote(`#note/${encodeURIComponent(name)}`, null);
    const page = document.querySelector('.g-page');
    page.scrollTo(0, page.scrollHeight);
    await new Promise((drawn) => requestAnimationFrame(drawn));
  }
  return document.querySelector('.g-beside-title').textContent;
}"""

CARD_OF_EACH = """async (names) => {
  for (const name of names) {
    await window.gradus.choose(name);
    const also = () => document.querySelector('#card .g-also')?.textContent.split(/[:,] /) || [];
    for (let frame = 0; !also().includes(name); frame++) {
      if (frame > 900) throw new Error(`no card of ${name}`);
      await new Promise((drawn) => requestAnimationFrame(drawn));
    }
    for (const one of document.querySelectorAll('#card details')) one.open = true;
  }
}"""


def all_shown(page: Page, n: int) -> None:
    """Wait until so many questions are answered."""
    try:
        page.wait_for_function(ALL_SHOWN, arg=n)
    except PlaywrightError as error:
        raise AssertionError(f"{n} answers did not come: {page.evaluate(CHAT)}") from error


@dataclass(frozen=True)
class Hostile:
    """The pages on hostile notes and runs, and the names of the notes."""

    address: str
    notes: Sequence[str]


@dataclass
class Guest:
    """A visit, and what came up beside its page: windows, dialogs, navigations."""

    visit: Visit
    address: str
    came_up: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.visit.page

    def check(self) -> None:
        """Nothing has acted, nothing was fetched from elsewhere, and nothing is ready to."""
        page, own = self.page, (self.address, "data:", "blob:")
        assert page.evaluate("window.hit") is None
        assert [url for url in self.visit.requests if not url.startswith(own)] == []
        assert (self.visit.errors, self.came_up, len(page.frames)) == ([], [], 1)
        assert page.evaluate(ACTING, "#places") == []
        assert page.url.startswith(f"{self.address}/")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Hostile]:
    """A real ingest of the notes; one of them was taken out again."""
    folder = tmp_path_factory.mktemp("hostile")
    names = hostile_notes(folder / "notes")
    hostile_runs(folder / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: encoder)
        build.ingest([folder / "notes"], folder / "store")
        record_removed(folder / "store", folder / "notes" / names[0])
        patch.setattr(replies, "PIECE_PAUSE_S", 1e-6)  # answers at once, not dealt out
        shelf = Shelf(folder / "store", encoder)
        with closing(shelf), served(Gradus(shelf, folder / "runs", VisitorsRuns())) as address:
            yield Hostile(address, names)


@pytest.fixture
def guest(visit: Visit, hostile: Hostile) -> Guest:
    """A visitor whose page is there, and to whom nothing has happened yet."""
    guest, page = Guest(visit, hostile.address), visit.page

    def came_up(dialog: Dialog) -> None:
        guest.came_up.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", came_up)
    page.context.on("page", lambda other: guest.came_up.append(other.url))
    page.goto(guest.address)
    page.wait_for_function("Boolean(window.gradus?.work && gradus.openNote)")
    return guest


def test_they_act_where_nothing_holds_them(browser: Browser) -> None:
    """On a page without our care many run or fetch, and what would is seen in most."""
    page = browser.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.evaluate(ACT, [payload for payload in RAW if "refresh" not in payload])
    page.wait_for_function("window.hits.size >= 20")
    assert len(asked) >= 8
    assert len(page.evaluate(ACTING, "body")) >= 60
    page.close()


def test_answers_conversations_and_what_stands_beside(guest: Guest, hostile: Hostile) -> None:
    """Each payload is in an answer, in a question, and in a conversation's name.

    Every note and the notebook are opened; they offer no link that presses a button of ours.
    """
    page = guest.page
    for numbers in few(range(len(PAYLOADS)), ASKED):
        names = [" and ".join(f"gauge {n}" for n in pair) for pair in few(numbers, 2)]
        page.evaluate(ASK_EACH, ["\n".join(PAYLOADS[n] for n in numbers)])
        all_shown(page, 1)
        page.evaluate(ASK_EACH, [f"What is {name}?" for name in names])
        all_shown(page, 1 + len(names))
        guest.check()
        page.get_by_role("button", name="New", exact=True).click()
        expect(page.locator('#chat [data-testid="bot"]')).to_have_count(0)
    page.locator(".gc summary").click()
    expect(page.locator(".gc-name").last).to_contain_text(PAYLOADS[0])
    with page.expect_download() as kept:
        page.get_by_role("button", name="as Markdown").last.click()
    assert kept.value.suggested_filename.removesuffix(".md").replace("-", "").isalnum()
    assert PAYLOADS[0] in kept.value.path().read_text("utf-8")
    guest.visit.reload()
    page.locator(".gc summary").click()
    page.locator(".gc-name").last.click()
    page.wait_for_function("document.querySelectorAll('#chat [data-testid=bot]').length > 1")
    guest.check()

    for some in few(hostile.notes, 40):
        assert page.evaluate(OPEN_EACH, some) == some[-1]
        expect(page.locator(".g-page [data-lines]").first).to_be_attached()
        guest.check()
    assert page.locator(".g-page .g-cell").count() >= len(PAYLOADS) // LEG
    ours = "a[href^='#']:not([href^='#note/'], [href^='#concept/'])"
    assert page.locator(f".g-page :is({ours}, [class*=g-run], [id=chat])").count() == 0


def test_map_cards_files_and_paths_of_the_graph(guest: Guest) -> None:
    """Every card, the list, the way between two, and each form in which the graph is kept.

    Every concept is a step of some path, with its questions and their answers, on paper too.
    """
    page = guest.page
    page.goto(f"{guest.address}/#graph")
    expect(page.locator("#graph canvas")).to_have_attribute("data-ready", "1")
    for numbers in few(range(len(PAYLOADS)), 40):
        page.evaluate(CARD_OF_EACH, [f"Gauge {n}" for n in numbers])
        expect(page.locator("#card .g-also")).to_contain_text(f"Gauge {numbers[-1]}")
        guest.check()
    page.locator(".gg-as-list").click()
    page.locator(".gg-as-list").click()
    page.locator(".gg-way summary").click()
    page.get_by_label("From", exact=True).fill("Gauge 0")
    page.get_by_label("To", exact=True).fill("Gauge 5")
    page.keyboard.press("Enter")
    expect(page.locator(".gg-message")).to_contain_text(PAYLOADS[5])
    page.locator(".gg-save summary").click()
    page.get_by_label("The whole graph").check()
    for form in page.locator(".gg-forms button").all():
        with page.expect_download():
            form.click()
    guest.check()

    page.goto(f"{guest.address}/#learn?{urlencode({'goal': 'Gauge 0'})}")
    expect(page.locator("#path h2")).to_have_text(PAYLOADS[0])
    for n in range(LEG - 1, len(PAYLOADS), LEG):
        page.evaluate("goal => gradus.learn(goal)", f"Gauge {n}?full")
        expect(page.locator("#path .gl-step").last).to_contain_text(f"Gauge {n}")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        guest.check()


def test_notes_left_out_and_runs_with_their_results(guest: Guest) -> None:
    """Names of files, why they were not read, and what was taken out.

    The history of the runs, and each run opened from it, with all that it unfolds to.
    """
    page = guest.page
    page.get_by_role("tab", name="Notes").click()
    expect(page.locator(".gn-origin")).to_be_visible()
    page.evaluate(UNFOLD, "#notes")
    expect(page.locator(".gn-failure").first).to_contain_text("broken")
    expect(page.locator(".gn-note").last).to_contain_text("you removed it")
    guest.check()

    page.get_by_role("tab", name="Runs").click()
    runs = page.locator(".g-history a.g-link")
    expect(runs).to_have_count(6)
    for n in range(6):
        title = runs.nth(n).inner_text()
        runs.nth(n).click()
        expect(page.locator("#run-state strong")).to_contain_text(title)
        if n == 0:
            page.locator("#run-log-box button").first.click()
        expect(page.locator("#run-view .g-log")).to_contain_text(PAYLOADS[-1])
        page.evaluate(UNFOLD, "#run-view")
        guest.check()
