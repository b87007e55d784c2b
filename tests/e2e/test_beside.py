"""The note beside the answer, in a real browser: by mouse and keyboard, wide and narrow."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from made import png, write_notes
from pages_server import Site, Visit, serve
from playwright.sync_api import Locator, Page, expect

from ingest import build
from kg.encoder import Encoder
from kg.store import open_store

pytestmark = pytest.mark.browser
PAYLOADS = [
    "<img src=x onerror=window.hit=1>",
    "<svg onload=window.hit=1>",
    "<script>window.hit=1</script>",
    "<iframe src='javascript:parent.hit=1'></iframe>",
    "[x](javascript:window.hit=1)",
    "<a href='javascript:window.hit=1'>y</a>",
    "<details open ontoggle=window.hit=1>z</details>",
    "<video src=http://films.invalid/a.mp4 onerror=window.hit=1></video>",
    "<style>@import url(http://looks.invalid/a.css);</style>",
    "$\\href{javascript:window.hit=1}{q}$ $\\htmlData{a=b}{q}$ $\\includegraphics{http://p.invalid/a.png}$",
    "![far](http://pictures.invalid/far.png)",
    "</div></aside><form action=http://forms.invalid><input autofocus onfocus=window.hit=1>",
]
LONG = "".join(f"## Step {n}\n\nStep {n} kneads the dough {n} times.\n\n" for n in range(40))
NOTES = {
    "bread/kneading.md": f"""# Kneading

{LONG}
## Gluten

Gluten is the net of proteins that holds a loaf together.
It is **strong** after kneading: $g = \\frac{{1}}{{2}}$.

![net](net.png)

| flour | water |
| --- | --- |
| 500 g | 350 g |

```python
def fold(dough):
    return dough * 2
```

<iframe src="https://films.example/embed/x?start=83" title="the film"></iframe>
<video src="films/folding.mp4"></video>

[How to fold](https://films.example/watch?v=x&t=1h2m3s)

{(chr(10) * 2).join(PAYLOADS)}
"""
}

CURVE = {"image/png": base64.b64encode(png(160, 90)).decode(), "text/plain": "how it rises"}
CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": "# Yeast\n\n" + "Read on.\n\n" * 40},
    {
        "cell_type": "markdown",
        "metadata": {},
        "source": "## Sourdough\n\nSourdough is a culture of wild yeasts that makes dough rise.",
    },
    {
        "cell_type": "code",
        "metadata": {},
        "execution_count": 1,
        "source": "print(2 + 2)",
        "outputs": [
            {"output_type": "stream", "name": "stdout", "text": "4 hours\n"},
            {"output_type": "display_data", "metadata": {}, "data": CURVE},
        ],
    },
]


@pytest.fixture(scope="module")
def baked(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Site]:
    """The pages on a long note with a picture beside it, and with what must not act."""
    notes, store = tmp_path_factory.mktemp("notes"), tmp_path_factory.mktemp("store")
    write_notes(notes, NOTES)
    (notes / "bread" / "net.png").write_bytes(png(300, 200))
    book = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": CELLS}
    (notes / "rise.ipynb").write_text(json.dumps(book), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: encoder)
        build.ingest([notes], store)
    with serve(store, notes) as site:
        yield site


def ask(page: Page, site: Site, question: str = "What is gluten?") -> Locator:
    """The first number of the answer to a question."""
    page.goto(site.address)
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="on the graph")).to_be_visible()  # its last line
    return page.locator("#chat a.g-ref").first


def top(place: Locator) -> float:
    return float(place.evaluate("element => element.getBoundingClientRect().top"))


def test_the_note_stands_rendered_at_the_cited_lines(visit: Visit, baked: Site) -> None:
    """Formulas and pictures are drawn, the cited lines in sight, and the number did not move.

    Code has its colours, a table its cells, a film is a link at its time or named.
    """
    page = visit.page
    number = ask(page, baked)
    before = top(number)
    number.click()
    cited = page.locator(".g-page :is(.g-glow, .g-holds)").first
    expect(cited).to_contain_text("Gluten is the net of proteins")
    expect(cited).to_be_in_viewport()
    expect(page.locator(".g-page .katex").first).to_be_visible()
    picture = page.get_by_role("img", name="net")
    page.wait_for_function("document.querySelector('.g-page img').naturalWidth === 300")
    assert picture.get_attribute("src").startswith("data:image/png")  # type: ignore[union-attr]
    assert abs(top(number) - before) <= 1
    note = page.locator(".g-page")
    keyword, name = (note.locator(f".g-code .g-{kind}").first for kind in "kf")
    expect(keyword).to_have_text("def")
    expect(name).to_have_text("fold")
    colour = "e => getComputedStyle(e).color"
    assert keyword.evaluate(colour) != note.locator(".g-code code").first.evaluate(colour)
    expect(note.get_by_role("cell")).to_have_text(["500 g", "350 g"])
    film = note.get_by_role("link", name="the film at 1:23")
    assert film.get_attribute("href") == "https://films.example/embed/x?start=83"
    expect(note.get_by_role("link", name="How to fold at 1:02:03")).to_be_visible()
    expect(note).to_contain_text("film or sound: folding.mp4")
    place = page.get_by_role("link", name="Open in VS Code").get_attribute("href")
    assert place is not None
    assert place.startswith(f"vscode://file{baked.notes / 'bread/kneading.md'}:")
    assert visit.errors == []


def test_a_notebook_opens_at_its_cell(visit: Visit, baked: Site) -> None:
    """The cited line glows in its cell, and below it is what the next cell printed and drew."""
    page = visit.page
    ask(page, baked, "What is sourdough?").click()
    expect(page.locator(".g-beside-title")).to_have_text("rise.ipynb")
    expect(page.locator(".g-beside-place")).to_contain_text("cell 1")
    glowing = page.locator("#g-cell-1 :is(.g-glow, .g-holds)").first
    expect(glowing).to_contain_text("wild yeasts")
    expect(glowing).to_be_in_viewport()
    after = page.locator("#g-cell-2")
    expect(after.locator(".g-output")).to_contain_text("4 hours")
    picture = after.get_by_role("img", name="how it rises")
    expect(picture).to_be_in_viewport()
    assert picture.evaluate("image => image.naturalWidth") == 160
    assert visit.errors == []


def test_nothing_in_a_note_acts_or_is_fetched(visit: Visit, baked: Site) -> None:
    """Payloads in a real browser: no script runs, no request leaves the machine."""
    page = visit.page
    ask(page, baked).click()
    expect(page.locator(".g-page .katex").first).to_be_visible()
    page.locator(".g-page").evaluate("page => page.scrollTo(0, page.scrollHeight)")
    expect(page.locator(".g-page").get_by_role("link", name="picture: far")).to_be_visible()
    assert page.evaluate("window.hit") is None
    foreign = [url for url in visit.requests if not url.startswith((baked.address, "data:"))]
    assert foreign == []
    assert page.locator(".g-page :is(script, style, iframe, form, input, svg[onload])").count() == 0
    assert page.locator("a[href^='javascript:']").count() == 0


def test_by_keyboard_alone(visit: Visit, baked: Site) -> None:
    """Enter opens, Escape closes, and the focus is back at the number."""
    page = visit.page
    number = ask(page, baked)
    number.focus()
    expect(page.get_by_role("tooltip")).to_contain_text("net of proteins")
    page.keyboard.press("Enter")
    expect(page.locator(".g-beside-title")).to_be_focused()
    expect(page.get_by_role("tooltip")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator(".g-beside")).to_be_hidden()
    expect(number).to_be_focused()
    number.press("Enter")
    page.get_by_role("button", name="Close the note").press("Enter")
    expect(number).to_be_focused()
    assert visit.errors == []


@pytest.mark.parametrize("visit", [(390, 844)], indirect=True)
def test_on_a_narrow_window_it_is_a_sheet_below(visit: Visit, baked: Site) -> None:
    """The number stays in sight above it, and nothing is wider than the window."""
    page = visit.page
    number = ask(page, baked)
    number.click()
    sheet = page.locator(".g-beside")
    expect(page.locator(".g-page :is(.g-glow, .g-holds)").first).to_be_in_viewport()
    assert top(number) + 10 < top(sheet)
    assert top(number) > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.errors == []


def test_a_citation_follows_its_words(visit: Visit, baked: Site) -> None:
    """The note is written on while its answer stands there: it is read, and its lines glow."""
    page = visit.page
    number = ask(page, baked)
    file = Path(baked.notes / "bread/kneading.md")
    before = file.read_bytes()
    with closing(open_store(baked.store)) as store:
        file.write_bytes(b"# Flour\n\nFlour is ground grain.\n\n" + before)
        for _ in range(120):
            if not store.is_current():
                break
            page.wait_for_timeout(500)
    try:
        number.click()
        glowing = page.locator(".g-page :is(.g-glow, .g-holds)").first
        expect(glowing).to_contain_text("the net of proteins")
        expect(page.locator(".g-beside-told")).to_be_empty()
    finally:
        file.write_bytes(before)
    assert visit.errors == []
