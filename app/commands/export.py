"""The commands `export` and `import`: the graph in other programs' formats, and back from JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from app.commands.options import JsonOption, StoreOption, told
from app.paths import store_folder

if TYPE_CHECKING:
    from app.exports.selection import Choice
    from kg.store import Store

__all__ = ["add_commands"]

SUFFIXES = {
    ".graphml": "graphml",
    ".json": "json",
    ".mmd": "mermaid",
    ".mermaid": "mermaid",
    ".dot": "dot",
    ".gv": "dot",
    ".canvas": "canvas",
}
FORMATS = tuple(dict.fromkeys((*SUFFIXES.values(), "cards")))
WHOLE = ("graphml", "json")  # formats that take every kind of relation unless told otherwise
KINDS = ("prerequisite", "broader", "related", "all")


def add_commands(app: typer.Typer) -> None:
    """Put the commands on the command line."""
    app.command(name="export")(export)
    app.command(name="import")(import_)


def export(
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"One of {', '.join(FORMATS)}; default: by the end of --out, else json.",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("--out", help="File to write, or the folder for cards; default: stdout."),
    ] = None,
    kind: Annotated[
        str,
        typer.Option(
            "--kind",
            help=f"{', '.join(KINDS)}; default: all in {', '.join(WHOLE)}, else prerequisite.",
        ),
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also scored candidates that were not kept.")
    ] = False,
    about: Annotated[
        str,
        typer.Option("--about", help="Only this concept, what it builds on and what builds on it."),
    ] = "",
    short: Annotated[
        bool, typer.Option("--short", help="Without prerequisites that others imply.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over what an earlier export wrote.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write the graph as GraphML, JSON, Mermaid, DOT, an Obsidian canvas or a folder of cards."""
    form = _format(form, out)
    if kind and kind not in KINDS:
        raise typer.BadParameter(
            f"expected one of {', '.join(KINDS)}, got '{kind}'", param_hint="--kind"
        )
    from kg.store import open_store

    opened = open_store(store_folder(store))
    choice = _choice(
        opened, kind or ("all" if form in WHOLE else "prerequisite"), everything, about, short
    )
    if form == "cards":
        _cards(opened, choice, cast(Path, out), force)
        return
    text = _writer(form)(opened, choice)
    if out is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
    else:
        from app.exports.files import write_file

        write_file(out, text, force)
        told.print(f"{form} in {out}", markup=False, soft_wrap=True)
    if form == "mermaid":
        _tell_limits(text)


def import_(
    file: Annotated[Path, typer.Argument(help="A graph as gradus export --format json writes it.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a store of an exported graph, without its notes: gradus import graph.json."""
    from app.exports.importing import import_graph

    folder = store_folder(store)
    graph = import_graph(file, folder)
    for dropped in graph.dropped:
        told.print(f"dropped: {dropped}", markup=False, soft_wrap=True)
    kinds = Counter(r.kind for r in graph.relations if r.kept)
    if as_json:
        said = {
            "file": str(file),
            "concepts": len(graph.concepts),
            "relations": kinds,
            "dropped": graph.dropped,
        }
        print(json.dumps(said, ensure_ascii=False))
    else:
        related = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        told.print(
            f"{len(graph.concepts)} concepts from {file} in {folder}; relations: {related or 'none'}",
            markup=False,
            soft_wrap=True,
        )


def _format(form: str, out: Path | None) -> str:
    if form and form not in FORMATS:
        raise typer.BadParameter(
            f"expected one of {', '.join(FORMATS)}, got '{form}'", param_hint="--format"
        )
    if not form and out is not None:
        form = "cards" if out.is_dir() or not out.suffix else SUFFIXES.get(out.suffix.lower(), "")
        if not form:
            known = ", ".join(SUFFIXES)
            raise typer.BadParameter(
                f"'{out.name}' ends in none of {known}; say --format", param_hint="--out"
            )
    if form == "cards" and out is None:
        raise typer.BadParameter(
            "cards are files of their own; name their folder", param_hint="--out"
        )
    return form or "json"


def _choice(store: Store, kind: str, candidates: bool, about: str, short: bool) -> Choice:
    from app.exports.selection import Choice
    from kg.linking import find_concept

    goal = find_concept(store.concepts, about).id if about else None
    return Choice(kind, candidates, goal, short)  # type: ignore[arg-type]  # one of KINDS


def _writer(form: str) -> Callable[[Store, Choice], str]:
    from app.exports.formats import WRITERS

    return WRITERS[form]


def _cards(store: Store, choice: Choice, folder: Path, force: bool) -> None:
    from app.exports.cards import cards
    from app.exports.files import write_cards

    written = cards(store, choice)
    left = write_cards(folder, written, force)
    told.print(f"{len(written)} cards in {folder}", markup=False, soft_wrap=True)
    if left:
        told.print(
            f"left as they are: {len(left)} cards of concepts that are not in this export: {', '.join(left[:5])}"
            + (", …" if len(left) > 5 else ""),
            markup=False,
            soft_wrap=True,
        )


def _tell_limits(text: str) -> None:
    from app.exports.mermaid import EDGES_DRAWN, TEXT_DRAWN

    edges = text.count("\n    c_") - text.count('["')
    if edges > EDGES_DRAWN or len(text) > TEXT_DRAWN:
        told.print(
            f"Mermaid draws up to {EDGES_DRAWN} arrows and {TEXT_DRAWN} characters where nobody raised its limits; "
            f"this has {edges} and {len(text)}: --short and --about make it smaller",
            markup=False,
            soft_wrap=True,
        )
