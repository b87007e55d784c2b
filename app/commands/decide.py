"""The command `decide`: say whether one concept comes before another."""

from __future__ import annotations

import contextlib
from dataclasses import asdict
from typing import Annotated

import typer

from app.commands.options import JsonOption, StoreOption, opened_store, print_json, tell
from app.paths import store_folder

__all__ = ["add_commands"]


def add_commands(app: typer.Typer) -> None:
    """Put the command on the command line."""
    app.command()(decide)


def decide(
    first: Annotated[str, typer.Argument(help="The concept that comes first.")],
    then: Annotated[str, typer.Argument(help="The concept that needs it.")],
    yes: Annotated[bool, typer.Option("--yes", help="It is a prerequisite.")] = False,
    no: Annotated[bool, typer.Option("--no", help="It is not a prerequisite.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Take back what was decided.")] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Decide whether one concept comes before another; it is written to gradus.toml."""
    if yes + no + forget != 1:
        hint = "--yes / --no / --forget"
        raise typer.BadParameter("expected one of --yes, --no and --forget", param_hint=hint)
    from ingest.decide import decide_relation, overrides_file
    from kg.linking import find_concept

    folder = store_folder(store)
    report = decide_relation(folder, first, then, True if yes else False if no else None)
    with contextlib.closing(opened_store(store)) as opened:
        before, after = (find_concept(opened.concepts, name) for name in (first, then))
        kept = opened.prerequisites.has_edge(before.id, after.id)
    file = overrides_file(folder, then)
    for warning in report.warnings:
        tell(f"{warning.note}:{warning.line}: {warning.error}")
    if as_json:
        row = {
            "prerequisite": before.label,
            "concept": after.label,
            "decision": "yes" if yes else "no" if no else None,
            "kept": kept,
            "file": str(file),
            "warnings": [asdict(warning) for warning in report.warnings],
        }
        print_json(row)
    else:
        stands = "comes before" if kept else "is not a prerequisite of"
        tell(f"'{before.label}' {stands} '{after.label}' ({file})")
