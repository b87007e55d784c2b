"""The commands `path`, `known` and `next`: what to learn, and what that unlocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.options import JsonOption, StoreOption, opened_store, print_json, tell

if TYPE_CHECKING:
    from kg.marks import Mark
    from kg.store import Store

__all__ = ["add_commands"]

KnownOption = Annotated[
    str,
    typer.Option("--known", help="Concepts you know besides those marked, separated by commas."),
]
NoKnownOption = Annotated[bool, typer.Option("--no-known", help="Ignore what is marked as known.")]
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
        bool,
        typer.Option("--full", help="Show everything the goal builds on, not only the strongest."),
    ] = False,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what to learn for concepts, foundations first, with the reasons."""
    from app.answering.study import concept_ids, study_plan
    from app.commands.show import show_plan
    from app.contract import step_json

    opened = opened_store(store)
    goals = concept_ids(opened, concepts)
    plan = study_plan(opened, goals, _known(opened, known, no_known), full)
    if as_json:
        print_json([step_json(step) for step in plan.steps])
    else:
        show_plan(plan)


def learn(
    known: KnownOption = "",
    no_known: NoKnownOption = False,
    most: Annotated[int, typer.Option("-k", min=1, max=1000, help="Number of concepts.")] = 10,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what you can learn next with what you know; what unlocks the most comes first."""
    from app.answering.study import learn_next
    from app.commands.show import show_next
    from app.contract import next_json

    opened = opened_store(store)
    marked = _known(opened, known, no_known)
    steps = learn_next(opened, marked, most)
    if as_json:
        print_json([next_json(step) for step in steps])
    else:
        show_next(steps)
    if not marked:
        tell('mark what you know with: gradus known add "CONCEPT"')


@marking.callback(invoke_without_command=True)
def listed(context: typer.Context, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """List what is marked as known; add marks, or remove them."""
    from kg.marks import read_marks

    if context.invoked_subcommand is None:
        opened = opened_store(store)
        _show_marks(opened, read_marks(opened), as_json)


@marking.command()
def add(labels: LabelsArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Mark concepts as known: paths leave them out, and what only they need."""
    from kg.marks import add_marks

    opened = opened_store(store)
    _show_marks(opened, add_marks(opened, labels), as_json)


@marking.command()
def remove(labels: LabelsArgument, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Take marks back."""
    from kg.marks import remove_marks

    opened = opened_store(store)
    _show_marks(opened, remove_marks(opened, labels), as_json)


def _known(opened: Store, labels: str, without_marks: bool) -> frozenset[int]:
    from app.answering.study import concept_ids
    from kg.marks import known_ids

    marked = frozenset() if without_marks else known_ids(opened)
    named = [label.strip() for label in labels.split(",")]
    return marked | concept_ids(opened, filter(None, named))


def _show_marks(opened: Store, marks: Sequence[Mark], as_json: bool) -> None:
    from app.commands.show import show_table

    rows = [
        (mark.label, None if mark.concept is None else opened.concepts[mark.concept].label)
        for mark in marks
    ]
    if as_json:
        for label, concept in rows:
            print_json({"label": label, "concept": concept})
    elif rows:
        shown = [(label, concept or "not in the notes now") for label, concept in rows]
        show_table(("known", "concept"), shown)
    else:
        tell('nothing is marked as known; mark it with: gradus known add "CONCEPT"')
