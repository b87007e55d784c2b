"""The commands `export` and `import`: the graph in other programs' formats, and back from JSON."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from app.commands.options import (
    JsonOption,
    StoreOption,
    check_choice,
    opened_store,
    print_json,
    tell,
)
from app.paths import store_folder
from kg.types import RelationKind

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
KINDS = (*get_args(RelationKind), "all")


def add_commands(app: typer.Typer) -> None:
    """Put the commands on the command line."""
    app.command(name="export")(export)
    app.command(name="import")(import_)


def export(
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help=f"One of {', '.join(FORMATS)}; default: by the ending of --out, else json.",
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
        bool, typer.Option("--all", help="Also write candidates that were scored but not kept.")
    ] = False,
    about: Annotated[
        str,
        typer.Option("--about", help="Only this concept, what it builds on and what builds on it."),
    ] = "",
    short: Annotated[
        bool, typer.Option("--short", help="Leave out prerequisites that others imply.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over what an earlier export wrote.")
    ] = False,
    store: StoreOption = None,
) -> None:
    """Write the graph as GraphML, JSON, Mermaid, DOT, an Obsidian canvas or a folder of cards."""
    form = _format(form, out)
    check_choice(kind, KINDS, "--kind")
    opened = opened_store(store)
    kind = kind or ("all" if form in WHOLE else "prerequisite")
    choice = _choice(opened, kind, everything, about, short)
    if form == "cards":
        _cards(opened, choice, cast(Path, out), force)
        return
    from app.exports.formats import WRITERS

    text = WRITERS[form](opened, choice)
    if out is None:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.flush()
    else:
        from app.exports.files import write_file

        write_file(out, text, force)
        tell(f"{form} in {out}")
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
        tell(f"dropped: {dropped}")
    kinds = Counter(r.kind for r in graph.relations if r.kept)
    if as_json:
        imported = {
            "file": str(file),
            "concepts": len(graph.concepts),
            "relations": kinds,
            "dropped": graph.dropped,
        }
        print_json(imported)
    else:
        related = ", ".join(f"{n} {kind}" for kind, n in kinds.items()) or "none"
        tell(f"{len(graph.concepts)} concepts from {file} in {folder}; relations: {related}")


def _format(form: str, out: Path | None) -> str:
    check_choice(form, FORMATS, "--format")
    if not form and out is not None:
        form = "cards" if out.is_dir() or not out.suffix else SUFFIXES.get(out.suffix.lower(), "")
        if not form:
            known = ", ".join(SUFFIXES)
            raise typer.BadParameter(
                f"'{out.name}' ends in none of {known}; choose a format with --format",
                param_hint="--out",
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


def _cards(store: Store, choice: Choice, folder: Path, force: bool) -> None:
    from app.exports.cards import cards
    from app.exports.files import write_cards

    written = cards(store, choice)
    left = write_cards(folder, written, force)
    tell(f"{len(written)} cards in {folder}")
    if left:
        names = ", ".join([*left[:5], *(["…"] if len(left) > 5 else [])])
        others = f"{len(left)} cards of concepts that are not in this export"
        tell(f"left as they are: {others}: {names}")


def _tell_limits(text: str) -> None:
    from app.exports.mermaid import EDGES_DRAWN, TEXT_DRAWN

    edges = text.count("\n    c_") - text.count('["')
    if edges > EDGES_DRAWN or len(text) > TEXT_DRAWN:
        tell(
            f"Mermaid draws up to {EDGES_DRAWN} arrows and {TEXT_DRAWN} characters where nobody "
            f"raised its limits; this has {edges} and {len(text)}: --short and --about make it "
            "smaller"
        )
