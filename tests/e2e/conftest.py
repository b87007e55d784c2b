"""A real browser on the real pages: stores of the real ingest, each served."""

from __future__ import annotations

import functools
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pages_server import Site, Visit, serve
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from app.exports.importing import import_graph
from ingest import build
from kg.encoder import Encoder

# The pages are there before the encoder; the first answer waits for it.
expect.set_options(timeout=30_000)
ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_OF_A_VISITOR = "local_storage,indexeddb,cache_storage,service_workers"
ROOT = Path(__file__).parents[2]
PAST = 700  # concepts of the wide graph, of which the list shows 300 at a time
AXE = [base / "node_modules/axe-core/axe.min.js" for base in (Path(sys.prefix), ROOT)]
NOTES = {
    "01-basics.md": """# Basics

## Tensor

A tensor is a rectangular block of numbers, all of one type.

## Parameter | Weight

A parameter is a number inside a model that training may change. Parameters are kept in a tensor.

## Gradient

The gradient says how much the loss changes when a parameter changes.
It is a tensor: $g_i = \\partial L / \\partial w_i$.

<img src="http://pictures.invalid/gradient.png"> ![slope](http://pictures.invalid/slope.png)
""",
    "02-training.md": """# Training

## Learning rate

The learning rate is the size of the step along the gradient.

- Too small, and training takes for ever.
- Too large, and the loss explodes.

Before unfreezing, take a learning rate a little below the place where the loss falls fastest.

```python
learn.fit_one_cycle(1, lr)
```

## Momentum

Momentum adds a running mean of earlier gradients to each step, so a smaller learning rate is \
enough.

## Dropout

Dropout sets randomly chosen activations to zero while the model trains, so that no parameter is \
relied on alone.

$$
h = \\frac{m \\odot x}{1 - p}
$$
""",
}


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Site]:
    """The pages on a small store."""
    with serve(*_ingested(tmp_path_factory, encoder)) as site:
        yield site


@pytest.fixture
def own_site(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Site]:
    """The pages on a store that the test may change."""
    with serve(*_ingested(tmp_path_factory, encoder)) as site:
        yield site


@pytest.fixture
def ending(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder
) -> Iterator[tuple[Site, Callable[[], None]]]:
    """The same, with what ends the server."""
    with ExitStack() as stack:
        site = stack.enter_context(serve(*_ingested(tmp_path_factory, encoder)))
        yield site, stack.close


def _ingested(folders: pytest.TempPathFactory, encoder: Encoder) -> tuple[Path, Path]:
    """A new store of the notes, read with the encoder that is loaded already, and the notes."""
    notes, store = folders.mktemp("notes"), folders.mktemp("store")
    for name, text in NOTES.items():
        (notes / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "load_encoder", lambda name: encoder)
        build.ingest([notes], store)
    return store, notes


@pytest.fixture(scope="session")
def wide_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages on an imported graph of many concepts."""
    folder = tmp_path_factory.mktemp("wide")
    nodes = [{"id": n, "label": f"Lemma {n:03}"} for n in range(PAST)]
    nodes += [{"id": "u", "label": "U-Net", "aliases": ["segmentation network"]}]
    edges = [{"source": n, "target": n + 1, "kind": "prerequisite"} for n in range(40)]
    (folder / "graph.json").write_text(json.dumps({"nodes": nodes, "edges": edges}), "utf-8")
    import_graph(folder / "graph.json", folder / "store")
    with serve(folder / "store", folder) as site:
        yield site


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages where nothing was ingested yet."""
    notes = tmp_path_factory.mktemp("later")
    with serve(tmp_path_factory.mktemp("nothing") / "store", notes) as site:
        yield site


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without its own windows where it comes so; without one the tests are skipped.

    In CI they fail.
    """
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None:
        reason = "the browser tests need Debian's chromium on the PATH"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Callable[[int, int], BrowserContext]:
    """Windows by their size, which keep the pages' own files from visitor to visitor."""

    @functools.cache
    def window(width: int, height: int) -> BrowserContext:
        opened = browser.new_context(viewport={"width": width, "height": height})
        opened.set_default_timeout(30_000)
        return opened

    return window


@pytest.fixture(params=[(1440, 900)])
def visit(
    windows: Callable[[int, int], BrowserContext], request: pytest.FixtureRequest
) -> Iterator[Visit]:
    """A fresh visitor with an empty window."""
    window = windows(*request.param)
    visit = Visit(window.new_page())
    visit.page.on("console", lambda m: visit.errors.append(m.text) if m.type == "error" else None)
    visit.page.on("pageerror", lambda error: visit.errors.append(str(error)))
    visit.page.on("request", lambda r: visit.requests.append(r.url))
    yield visit
    _leave(window)


def _leave(window: BrowserContext) -> None:
    """Close its pages and forget the visitor, once none of them can keep anything any more."""
    blank = window.new_page()
    forget = window.new_cdp_session(blank)
    for page in window.pages:
        parts = urlsplit(page.url)
        page.close()
        where = {"origin": f"{parts.scheme}://{parts.netloc}", "storageTypes": _OF_A_VISITOR}
        if parts.netloc:
            forget.send("Storage.clearDataForOrigin", where)
    window.clear_cookies()
    window.clear_permissions()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, which comes by npm; without it the tests are skipped.

    In CI they fail, where there is an npm that could have brought it.
    """
    found = next((path for path in AXE if path.is_file()), None)
    if found is not None:
        return found.read_text(encoding="utf-8")
    reason = "axe-core is not installed: npm install --no-save axe-core"
    if os.environ.get("CI") == "true" and shutil.which("npm"):
        pytest.fail(reason)
    pytest.skip(reason)
