"""The command `chat`: a conversation in the terminal, understood as the one on the Ask page."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from app.commands.options import StoreOption, WriterOption, tell
from app.paths import runs_folder, store_folder
from app.wording import count_of, run_command

if TYPE_CHECKING:
    from app.open_store import Shelf
    from app.writer.written import Writer
    from kg.types import Answer, RecipeOffer

__all__ = ["add_commands"]

PROMPT = "› "
QUESTION_LIMIT = 10_000  # characters, as on the page
HISTORY_LIMIT = 500  # lines that are typed again with the arrow keys


def add_commands(app: typer.Typer) -> None:
    """Put the command on the command line."""
    app.command()(chat)


def chat(store: StoreOption = None, writer: WriterOption = None) -> None:
    """Ask the notes in a conversation, with follow-ups; /help lists what else you can type."""
    from app.open_store import Shelf
    from app.writer.choice import choose_writer

    chosen = choose_writer(writer)
    shelf = Shelf(store_folder(store))
    with contextlib.closing(shelf):
        opened = shelf.current()
        live = sys.stdin.isatty()
        if live:
            concepts = count_of(len(opened.concepts), "concept")
            tell(f"{concepts} from {count_of(len(opened.note_names), 'note')}; /help, /quit")
        shelf.encoder(opened)
        talk = _Talk(shelf, chosen)
        for line in _typed() if live else _piped():
            if not _replied(talk, line, live):
                return


@dataclass(slots=True)
class _Talk:
    """A conversation so far."""

    shelf: Shelf
    writer: Writer | None
    turns: list[tuple[str, Answer]] = field(default_factory=list)

    def last(self) -> Answer | None:
        return self.turns[-1][1] if self.turns else None


def _replied(talk: _Talk, line: str, live: bool) -> bool:
    """Reply to one line; False when it ends the conversation."""
    from executors.errors import RecipeError
    from kg.errors import GradusError

    name, _, rest = line.partition(" ")
    if name in ("/quit", "/exit"):
        return False
    try:
        if line.startswith("/"):
            _COMMANDS.get(name, _COMMANDS["/help"])[1](talk, rest.strip())
        else:
            _answer(talk, line[:QUESTION_LIMIT])
    except (GradusError, RecipeError) as error:
        tell(str(error), style="red")
    except KeyboardInterrupt:
        if not live:
            raise
        tell("stopped")
    return True


def _answer(talk: _Talk, question: str) -> None:
    from app.answering.answer import answer
    from app.commands.show import follow_writing, out, show_answer
    from app.visitors_runs import anywhere

    store = talk.shelf.current()
    encoder = talk.shelf.encoder(store)
    roots = anywhere(talk.shelf.folder)
    extract = shown = answer(question, store, encoder, talk.turns, roots=roots)
    if talk.writer is not None:
        from app.writer.written import written

        earlier = [asked for asked, _ in talk.turns]
        steps = written(extract, store, encoder, talk.writer, earlier)
        shown = follow_writing(steps, talk.writer.name, live=True)
    show_answer(shown)
    out.print()
    talk.turns.append((question, extract))  # follow-ups are understood from what the notes say


def _sources(talk: _Talk, _: str) -> None:
    """Show the lines that the last answer cites, with their files."""
    from rich.text import Text

    from app.commands.show import out
    from app.place import address

    paths = talk.shelf.current().note_paths
    last = talk.last()
    for citation in last.citations if last else ():
        where = str(paths.get(citation.note, citation.note)).removesuffix(citation.note)
        out.print(Text(f"[{citation.n}] {where}{address(citation)}", style="cyan"), soft_wrap=True)
        out.print(Text(citation.quote.strip()))
    if last is None or not last.citations:
        tell("the last answer cites nothing" if last else "nothing has been asked yet")


def _path(talk: _Talk, names: str) -> None:
    """Show what to learn for concepts, else for what was spoken of last."""
    from app.answering.study import concept_ids, study_plan
    from app.commands.show import show_plan
    from kg.marks import known_ids

    store, last = talk.shelf.current(), talk.last()
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    goals = wanted or list(last.concepts[:1] if last else ())
    if not goals:
        tell("name a concept: /path CONCEPT")
        return
    show_plan(study_plan(store, concept_ids(store, goals), known_ids(store)))


def _run(talk: _Talk, number: str) -> None:
    """Run what the last answer offers; of several, that of this number."""
    last = talk.last()
    offers = last.recipes if last else ()
    at = int(number) if number.isdecimal() else 0
    if not offers:
        tell("the last answer offers nothing to run; `gradus recipes` lists what there is")
    elif (number and not 0 < at <= len(offers)) or (not number and len(offers) > 1):
        for n, offer in enumerate(offers, 1):
            tell(f"/run {n}: {run_command(offer.name, offer.params)}")
    else:
        _run_offer(talk, offers[at - 1])


def _run_offer(talk: _Talk, offer: RecipeOffer) -> None:
    from app.commands.show_run import show_event, show_result
    from executors.runs.run import start

    tell(run_command(offer.name, offer.params))
    run = start(offer.name, offer.params, runs_folder(talk.shelf.folder), queue=True)
    try:
        for event in run.events():
            show_event(event)
    except KeyboardInterrupt:
        run.cancel()
    show_result(run.wait())


def _help(_: _Talk, __: str) -> None:
    for name, (told, _command) in _COMMANDS.items():
        tell(f"{name}{told}")
    tell("/quit, or Ctrl-D: leave; anything else is a question")


_COMMANDS: dict[str, tuple[str, Callable[[_Talk, str], None]]] = {
    "/sources": (": the lines that the last answer cites, with their files", _sources),
    "/path": (" [CONCEPT, ...]: what to learn for these, else for the last topic", _path),
    "/run": (" [NUMBER]: run what the last answer offers; Ctrl-C ends the run", _run),
    "/help": (": this list", _help),
}


def _piped() -> Iterator[str]:
    """The lines of a pipe or file that hold something."""
    if hasattr(sys.stdin, "reconfigure"):
        sys.stdin.reconfigure(errors="replace")
    for line in sys.stdin:
        if line.strip():
            yield line.strip()


def _typed() -> Iterator[str]:
    """The lines typed at a prompt, until Ctrl-D; Ctrl-C drops the line."""
    with _remembered():
        while True:
            try:
                line = input(PROMPT).strip()
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                print()
                continue
            if line:
                yield line


@contextlib.contextmanager
def _remembered() -> Iterator[None]:
    """Lines typed earlier come back with the arrow keys, also those of the time before."""
    try:
        import readline
    except ImportError:  # a Python without it: lines can be typed all the same
        yield
        return
    from platformdirs import user_state_path

    file = user_state_path("gradus", appauthor=False) / "chat_history"
    readline.set_auto_history(True)
    with contextlib.suppress(OSError):
        readline.read_history_file(file)
    try:
        yield
    finally:
        _keep(file)


def _keep(file: Path) -> None:
    import readline

    readline.set_history_length(HISTORY_LIMIT)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        readline.write_history_file(file)
