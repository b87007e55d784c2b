"""The pages put together and served: each place in one app, with nothing fetched."""

from __future__ import annotations

import importlib.util
import inspect
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

# Read when gradio is imported. Its queue would draw up a table of all events after each, for a page
# that is not served here.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = str(sys.maxsize)

from app.pages.without_stubs import without_stubs

with without_stubs():
    import gradio as gr
from starlette.middleware import Middleware
from starlette.routing import Mount

from app.api.functions import Gradus
from app.api.rest import rest_app
from app.intake import READING, Intake, Job
from app.open_store import Shelf
from app.pages.access import Access, check_access
from app.pages.ask.page import ASKING, AskPage, ask_page
from app.pages.assets import read_asset
from app.pages.beginning import get_ready, greeter, load_writer
from app.pages.component import component
from app.pages.first_script import FirstScript
from app.pages.graph.page import graph_page
from app.pages.guard import Guard, is_local
from app.pages.learn.page import learn_page
from app.pages.notes.page import notes_page, work_line
from app.pages.notes.routes import notes_app
from app.pages.notes.uploads import MOST_UPLOADED
from app.pages.programs import offer_to_programs
from app.pages.quiet import AT_ONCE, QUIET
from app.pages.runs.history_view import history_html
from app.pages.runs.page import TO_THE_FORM, TO_THE_RUN, RunsPage, read_offer, runs_page
from app.pages.sign_in import SignIn
from app.pages.starting import StartingPage, address_of, taken
from app.paths import runs_folder
from app.visitors_runs import VisitorsRuns, roots_of
from app.writer.written import Writer
from executors.runs.warm import Warm
from kg.encoder import Encoder

__all__ = ["build", "serve"]

TITLE = "Gradus"
WAITING = 512  # events of all visitors; who comes later is told that it is full
AT_WORK = 256  # events: questions that are being answered, runs that are watched
# Seconds for which a thread keeps the interpreter from others: with answers being worked out beside
# them, what is sent and received waits so long at each step.
TURN_S = 0.001
HEADER = """
<header class="g-header"><span class="g-name">Gradus</span>
<span class="g-motto">your notes, step by step</span>
<button type="button" class="g-keys" aria-label="Keys" title="Keys">?</button>
<button type="button" class="g-theme" aria-label="Light or dark">◐</button></header>
<p class="g-gone g-error" role="alert"></p>
"""
BEGUN = "() => { window.gradus.begun(); }"


def build(
    store_dir: Path, runs_dir: Path, encoder: Encoder | None = None, writer: Writer | None = None
) -> gr.Blocks:
    """Put the pages together; nothing is served yet.

    Parameters
    ----------
    store_dir : Path
        The store's folder; when there is none yet, the pages say what to run.
    runs_dir : Path
        Where runs are written and read.
    encoder : Encoder or None
        Loaded by the store's own encoder name, at the first question, when None.
    writer : Writer or None
        Words the answers; None leaves them in the notes' own words.
    """
    gradus = Gradus(Shelf(store_dir, encoder), runs_dir, VisitorsRuns())
    return _build(gradus, writer)


def serve(
    store_dir: Path,
    host: str = "127.0.0.1",
    port: int = 7860,
    runs_dir: Path | None = None,
    open_browser: bool = False,
    writer: Writer | None = None,
    access: Access = Access(),  # noqa: B008 - frozen
    read_notes: Job | None = None,
    editor: str = "auto",
    watch: bool = True,
    on: str = "",
    starting: StartingPage | None = None,
) -> None:
    """Serve the pages until Ctrl-C; says where they are once they can be opened.

    They can be opened before anything heavy is loaded, and then say what they are waiting for.

    Parameters
    ----------
    read_notes : callable or None
        Brings the store up to date while the pages are there; it is given what to tell progress,
        and gives the ingest's report.
    access : Access
        Who may come in, and what those may have run.
    editor : str
        What a visitor of this machine opens a cited note in: one of `editors.EDITORS`.
    watch : bool
        Whether edits of the notes are taken up by themselves: who changes a note beside an open
        page expects its answers to know.
    on : str
        Address of the Ray cluster that runs go to, unless a visitor chooses this machine.
    starting : StartingPage or None
        Has listened there so far, and makes way for the pages.

    Raises
    ------
    GradusError
        When others could reach the pages and nobody signs in, when the port is taken, the notes
        cannot be read, or the encoder cannot be loaded.
    """
    check_access(host, access)
    starting = starting or StartingPage(host, port)
    shelf = Shelf(store_dir)
    runs = VisitorsRuns(
        own_code=access.learner_files or is_local(host),
        roots=roots_of(store_dir, access.data),
        on=on,
        code_there=access.learner_files,
    )
    intake = Intake(shelf, watch)
    gradus = Gradus(shelf, runs_dir or runs_folder(store_dir), runs)
    stopped = threading.Event()
    failures: list[Exception] = []

    def prepare() -> None:
        get_ready(shelf, first)
        intake.follow()
        if writer is not None:
            load_writer(writer)
        runs.keep_ready(Warm())

    first = _reading_first(intake, read_notes)
    pages = _build(gradus, writer, editor)
    sys.setswitchinterval(TURN_S)
    work = partial(_or_stop, prepare, stopped, failures)
    preparing = threading.Thread(target=work, daemon=True, name="prepare")
    _stop_on_signals(stopped)
    try:
        starting.close()
        _launch(pages, gradus, intake, host, port, access)
        _say_where(host, port, open_browser)
        preparing.start()
        stopped.wait()
    except OSError as error:
        raise taken(host, port, error) from error
    finally:
        intake.close()
        runs.stop_all()
        pages.close(verbose=False)
        shelf.close()
    for failure in failures:
        raise failure
    if preparing.is_alive() or intake.is_busy():
        # An interpreter that ends would wait for what is being imported.
        sys.stdout.flush()
        os._exit(0)


def _or_stop(
    prepare: Callable[[], None], stopped: threading.Event, failures: list[Exception]
) -> None:
    """Prepare; what goes wrong ends the serving, which then raises it."""
    try:
        prepare()
    except Exception as error:  # noqa: BLE001 - raised again where the serving ends
        # Once all is stopped, what was under way ends too, which is no failure.
        failures.extend([error] * (not stopped.is_set()))
        stopped.set()


def _say_where(host: str, port: int, open_browser: bool) -> None:
    address = address_of(host, port)
    sys.stdout.write(f"Gradus is at {address}\n")
    sys.stdout.flush()
    if open_browser:
        webbrowser.open(address)


def _reading_first(intake: Intake, read_notes: Job | None) -> Callable[[], object] | None:
    """A function that has notes read, and waits; readers are told from now on that they come."""
    if read_notes is None:
        return None
    intake.shelf.tell(READING)
    return lambda: intake.do(READING, read_notes).result()


def _build(gradus: Gradus, writer: Writer | None, editor: str = "auto") -> gr.Blocks:
    shelf, runs_dir = gradus.shelf, gradus.runs_dir
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as pages:
        offer_to_programs(gradus)
        gr.HTML(HEADER, elem_id="header", apply_default_css=False)
        component("keys")
        work = work_line()
        bridge = gr.HTML(
            "", js_on_load=read_asset("bridge.js"), elem_id="bridge", apply_default_css=False
        )
        with gr.Tabs(elem_id="places") as tabs:
            with gr.Tab("Ask", id="ask"):
                asking = ask_page(shelf, writer, editor, gradus.runs.readable)
            with gr.Tab("Graph", id="graph"):
                graph_page(shelf, runs_dir)
            with gr.Tab("Learn", id="learn"):
                learn_page(shelf)
            with gr.Tab("Runs", id="runs"):
                running = runs_page(runs_dir, gradus.runs)
            with gr.Tab("Notes", id="notes", elem_id="notes-place"):
                notes = notes_page()
        _connect(bridge, tabs, asking, running)
        notes.ask_place(_go_to("ask"), None, tabs, **AT_ONCE)
        for comes_or_changes in (pages.load, work.store_changed):
            comes_or_changes(greeter(shelf), None, asking.chat, **AT_ONCE)
        pages.load(asking.begin, asking.kept, asking.outputs, **AT_ONCE)
        pages.load(None, None, None, js=BEGUN, api_visibility="private")
        pages.load(lambda: history_html(runs_dir), None, running.view.past, **AT_ONCE)
        plans = [form.plan for form in running.forms]
        pages.load(running.plans, None, plans, **AT_ONCE)
    pages.queue(max_size=WAITING, default_concurrency_limit=8)
    _keep_signatures(pages)
    return pages


def _keep_signatures(pages: gr.Blocks) -> None:
    """Gradio reads each component's signature for each visitor anew, 20 ms in which all wait."""
    for kind in {base for block in pages.blocks.values() for base in type(block).__mro__}:
        init = vars(kind).get("__init__")
        if inspect.isfunction(init):
            init.__signature__ = inspect.signature(init)  # type: ignore[attr-defined]


def _connect(bridge: gr.HTML, tabs: gr.Tabs, asking: AskPage, running: RunsPage) -> None:
    """Let our links, wherever they stand, ask, show on the graph, run, and open earlier runs."""

    known = [asking.conversation, asking.kept]
    bridge.ask_link(_go_to("ask"), None, tabs, **AT_ONCE)
    asked = bridge.ask_link(asking.ask, known, [asking.chat, asking.conversation], **ASKING)
    asked.then(asking.listed, known, asking.listing, **AT_ONCE)
    bridge.hear_link(lambda: None, None, None, **QUIET)  # in the queue: its connection is opened
    bridge.stop_link(asking.stop, None, None, **AT_ONCE)
    bridge.graph_link(_go_to("graph"), None, tabs, **AT_ONCE)
    bridge.learn_link(_go_to("learn"), None, tabs, **AT_ONCE)

    def fill(event: gr.EventData) -> list[Any]:
        filled = running.fill(*read_offer(getattr(event, "recipe", None)))
        return [gr.Tabs(selected="runs"), *filled]

    def fill_past(event: gr.EventData) -> list[Any]:
        filled = running.fill_past(str(getattr(event, "id", "")))
        return [gr.Tabs(selected="runs"), *filled]

    view = running.view.outputs()
    to_fill = [tabs, *running.preset_outputs()]
    offered = bridge.run_link(fill, None, to_fill, **AT_ONCE)
    offered.then(None, None, None, js=TO_THE_FORM, api_visibility="private")
    bridge.past_link(fill_past, None, to_fill, **AT_ONCE)
    bridge.past_link(None, None, None, js=TO_THE_RUN, api_visibility="private")
    # A run that is watched must not keep another from being opened.
    unlimited: dict[str, Any] = {"concurrency_limit": None, "trigger_mode": "multiple"}
    bridge.past_link(running.desk.open_past, None, view, **unlimited, **QUIET)


def _go_to(tab: str) -> Any:
    def go() -> gr.Tabs:
        return gr.Tabs(selected=tab)

    return go


def _launch(
    pages: gr.Blocks,
    gradus: Gradus,
    intake: Intake,
    host: str,
    port: int,
    access: Access = Access(),  # noqa: B008
) -> None:
    beside = {
        "middleware": _middleware(gradus, host, access),
        "routes": [
            Mount("/api", rest_app(gradus)),
            Mount("/notes", notes_app(intake, roots_of(gradus.shelf.folder, access.data))),
        ],
        "openapi_url": None,
    }
    pages.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        inbrowser=False,
        show_error=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        max_threads=AT_WORK,
        pwa=False,
        mcp_server=False,
        ssr_mode=False,
        max_file_size="1mb",
        app_kwargs=beside,
        theme=_theme(),
        css=read_asset("page.css"),
    )


def _middleware(gradus: Gradus, host: str, access: Access) -> list[Middleware]:
    """In the order in which a request meets them; the MCP server only where its package is."""
    layers = [Middleware(Guard, hosts=(host,), longer={"/notes/file": MOST_UPLOADED})]
    if access.accounts is not None:
        layers.append(Middleware(SignIn, accounts=access.accounts))
    if importlib.util.find_spec("mcp"):
        from app.api.mcp_server import McpBeside

        layers.append(Middleware(McpBeside, gradus=gradus, allow_runs=access.assistants_run))
    return [*layers, Middleware(FirstScript, script=read_asset("theme.js"))]


def _theme() -> gr.themes.Base:
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.slate,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"],
        radius_size=gr.themes.sizes.radius_md,
    )


def _stop_on_signals(stopped: threading.Event) -> None:
    """Let Ctrl-C and SIGTERM end the server in order, with its runs."""
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
