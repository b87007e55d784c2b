"""The commands `path`, `known` and `next`: what to learn, and what that unlocks."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import JsonOption, StoreOption, told
from app.paths import store_folder

if TYPE_CHECKING:
    from kg.marks import Mark
    from kg.store import Store

__all__ = ["add_commands"]

KnownOption = Annotated[
    str,
    typer.Option("--known", help="Concepts you know besides those marked, separated by commas."),
]
NoKnownOption = Annotated[
    bool, typer.Option("--no-known", help="Leave out of account what is marked as known.")
]
LabelsArgument = Annotated[list[str], typer.Argument(help="Concepts, by label or alias.")]

marking = typer.Typer(
    help="List what is marked as known; add marks, or remove them.", rich_markup_mode=None
)


def add_commands(app: typer.Typer) -> None:
    """Put the commands on the command line."""
    app.command()(path)
    app.command(name="next")(learn)
    app.add_typer(marking, name="known")


def path(
    concepts: Annotated[
        list[str], typer.Argument(metavar="CONCEPT...", help="The concepts to reach.")
    ],
    known: KnownOption = "",
    no_known: NoKnownOption = False,
    full: Annotated[
        bool, typer.Option("--full", help="Everything the goal rests on, not the strongest only.")
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what to learn for concepts, foundations first, with the reasons."""
    from app.answering.study import concept_ids, study_plan
    from app.commands.show import show_plan
    from app.contract import step_json

    opened = _store(store)
    goals = concept_ids(opened, concepts)
    plan = study_plan(opened, goals, _known(opened, known, no_known), full)
    if as_json:
        print(json.dumps([step_json(s) for s in plan.steps], ensure_ascii=False), flush=True)
    else:
        show_plan(plan)


def learn(
    known: KnownOption = "",
    no_known: NoKnownOption = False,
    most: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of concepts.")] = 10,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what can be learned next with what is known, most unlocking first."""
    from app.answering.study import learn_next
    from app.commands.show import show_next
    from app.contract import next_json

    opened = _store(store)
    done = _known(opened, known, no_known)
    steps = learn_next(opened, done, most)
    if as_json:
        print(json.dumps([next_json(s) for s in steps], ensure_ascii=False), flush=True)
    else:
        show_next(steps)
    if not done:
        told.print(
            'mark what you know with: gradus known add "CONCEPT"', markup=False, soft_wrap=True
        )


@marking.callback(invoke_without_command=True)
def listed(context: typer.Context, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List what is marked as known; add marks, or remove them."""
    from kg.marks import read_marks

    if context.invoked_subcommand is None:
        opened = _store(store)
        _show_marks(opened, read_marks(opened), as_json)


@marking.command()
def add(labels: LabelsArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Mark concepts as known: paths leave them out, with what only they need."""
    from kg.marks import add_marks

    opened = _store(store)
    _show_marks(opened, add_marks(opened, labels), as_json)


@marking.command()
def remove(labels: LabelsArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Take marks back."""
    from kg.marks import remove_marks

    opened = _store(store)
    _show_marks(opened, remove_marks(opened, labels), as_json)


def _store(given: Path | None) -> Store:
    from kg.store import open_store

    return open_store(store_folder(given))


def _known(opened: Store, labels: str, without_marks: bool) -> frozenset[int]:
    from app.answering.study import concept_ids
    from kg.marks import known_ids

    marked = frozenset() if without_marks else known_ids(opened)
    return marked | concept_ids(
        opened, (label.strip() for label in labels.split(",") if label.strip())
    )


def _show_marks(opened: Store, marks: Sequence[Mark], as_json: bool) -> None:
    from app.commands.show import show_table

    rows = [
        (m.label, None if m.concept is None else opened.concepts[m.concept].label) for m in marks
    ]
    if as_json:
        for label, concept in rows:
            print(json.dumps({"label": label, "concept": concept}, ensure_ascii=False), flush=True)
    elif rows:
        show_table(
            ("known", "concept"),
            ((label, concept or "not in the notes now") for label, concept in rows),
        )
    else:
        told.print(
            'nothing is marked as known; mark it with: gradus known add "CONCEPT"',
            markup=False,
            soft_wrap=True,
        )
