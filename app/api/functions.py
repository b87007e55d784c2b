"""What programs can ask of a store: plain typed functions that give JSON.

The same serve REST, gradio's clients, MCP and a Python import. An argument that its annotation
does not allow is refused with one line. The names of `READING` need the notes alone, those of
`RUNNING` start and follow recipes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from app.answering.answer import answer
from app.answering.offers.offers import offers
from app.answering.offers.wishes import Wish
from app.answering.question.follow_ups import Turn
from app.answering.study import concept_ids, followers, prerequisites_of, study_plan
from app.api.arguments import (
    Earlier,
    Full,
    Goals,
    Hits,
    Kind,
    Known,
    Label,
    Limit,
    Most,
    NoteName,
    Of,
    Params,
    Question,
    RecipeName,
    RunId,
)
from app.api.checked import UnknownName, checked
from app.api.replies import (
    CardJson,
    HitsJson,
    NotesJson,
    NoteTextJson,
    PlaceJson,
    PlanJson,
    RecipesJson,
    RelationsJson,
    RunJson,
)
from app.contract import (
    AnswerJson,
    answer_json,
    hit_json,
    relation_json,
    step_json,
)
from app.open_store import Shelf
from app.paths import runs_folder, store_folder
from app.visitors_runs import VisitorsRuns
from executors.recipe import recipes as known_recipes
from executors.runs.folder import EVENTS, plain
from executors.runs.history import history
from executors.runs.tail import Tail
from kg.linking import find_concept
from kg.marks import known_ids
from kg.search import search as look

__all__ = ["READING", "RUNNING", "Gradus", "open_gradus"]

READING = ("ask", "search", "concept", "path", "relations", "recipes", "notes", "note")
RUNNING = ("run", "run_status", "run_stop")
LAST_EVENTS = 20  # of a run, in its state


@dataclass(frozen=True, slots=True)
class Gradus:
    """An open store for one visitor, who sees the runs that he started and no others."""

    shelf: Shelf
    runs_dir: Path
    runs: VisitorsRuns
    visitor: str = "program"

    def of(self, visitor: str) -> Gradus:
        """The same for another visitor."""
        return replace(self, visitor=visitor)

    @checked
    def ask(self, question: Question, earlier: Earlier = [], k: Hits = 10) -> AnswerJson:  # noqa: B006 - never changed
        """Answer a question in the notes' own words, with the lines they stand in.

        Raises
        ------
        NoStore, StillReading
            When there is nothing to answer from yet; so do all functions but `recipes`.
        """
        store = self.shelf.current()
        encoder = self.shelf.encoder(store)
        turns: list[Turn] = []
        for before in earlier:
            turns.append((before, answer(before, store, encoder, turns)))
        roots = self.runs.readable()
        return answer_json(answer(question, store, encoder, turns, k, roots))

    @checked
    def search(self, question: Question, k: Hits = 10) -> HitsJson:
        """Give the passages that fit a question best, best first."""
        store = self.shelf.current()
        hits = look(question, store, self.shelf.encoder(store), k)
        return {"question": question, "hits": [hit_json(hit) for hit in hits]}

    @checked
    def concept(self, name: Label) -> CardJson:
        """Say what the notes have of a concept: what it is, what comes first, where it stands.

        Raises
        ------
        UnknownConcept
            With the closest labels.
        """
        store = self.shelf.current()
        concept = find_concept(store.concepts, name)
        places = store.places(concept)
        return {
            "label": concept.label,
            "aliases": concept.aliases,
            "notes": concept.notes,
            "summary": concept.summary,
            "prerequisites": prerequisites_of(store, [concept.id]),
            "next": followers(store, [concept.id]),
            "places": [
                PlaceJson(note=p.note, line_start=p.line_start, line_end=p.line_end, cell=p.cell)
                for p in places
            ],
            "recipes": [o.name for o in offers(Wish(), (concept.label, *concept.aliases))],
        }

    @checked
    def path(self, goals: Goals, known: Known = [], full: Full = False) -> PlanJson:  # noqa: B006
        """Say what to learn for concepts, foundations first, with the reasons.

        Raises
        ------
        UnknownConcept
            With the closest labels.
        """
        store = self.shelf.current()
        marked = known_ids(store) | concept_ids(store, known)
        plan = study_plan(store, concept_ids(store, goals), marked, full)
        steps = [step_json(step) for step in plan.steps]
        return {"steps": steps, "known": plan.known, "further": plan.further}

    @checked
    def relations(self, kind: Kind = "", concept: Of = "", most: Most = 200) -> RelationsJson:
        """List relations between concepts with their evidence, the surest first.

        Raises
        ------
        UnknownConcept
            With the closest labels.
        """
        store = self.shelf.current()
        only = find_concept(store.concepts, concept).id if concept else None
        found = [
            relation
            for relation in sorted(store.relations, key=lambda relation: -relation.score)
            if kind in ("", relation.kind) and only in (None, relation.source, relation.target)
        ]
        shown = [relation_json(relation, store.concepts) for relation in found[:most]]
        return {"total": len(found), "relations": shown}

    @checked
    def recipes(self) -> RecipesJson:
        """List what can be run, with all parameters."""
        return {
            "recipes": [
                {
                    "name": recipe.name,
                    "title": recipe.title,
                    "summary": recipe.summary,
                    "tasks": recipe.tasks,
                    "parameters": [
                        {
                            "name": p.name,
                            "type": p.type,
                            "default": plain(p.default),
                            "unit": p.unit,
                            "minimum": p.minimum,
                            "maximum": p.maximum,
                            "choices": p.choices,
                            "help": p.help,
                            "tasks": p.tasks,
                        }
                        for p in recipe.parameters
                    ],
                }
                for recipe in known_recipes()
            ]
        }

    @checked
    def notes(self) -> NotesJson:
        """List the notes, each with the concepts that it is the home of."""
        store = self.shelf.current()
        homes: dict[str, list[str]] = {name: [] for name in store.note_names}
        for concept in store.concepts:
            homes.setdefault(concept.notes[0], []).append(concept.label)
        return {"notes": [{"note": note, "concepts": labels} for note, labels in homes.items()]}

    @checked
    def note(self, name: NoteName) -> NoteTextJson:
        """Give a note's text as it was read; of a notebook, the text of each cell.

        Raises
        ------
        UnknownName
            When the store has no such note.
        """
        store = self.shelf.current()
        try:
            return {"note": name, "texts": store.note_texts(name)}
        except KeyError:
            raise UnknownName(f"there is no note '{name}'; `notes` lists them") from None

    @checked
    def run(self, recipe: RecipeName, params: Params = {}, limit_s: Limit = 3600) -> RunJson:  # noqa: B006
        """Start a recipe on this machine; it goes on by itself, and `run_status` follows it.

        Raises
        ------
        UnknownRecipe, BadParameter
            With the closest names, or what was expected.
        NotAllowed
            When it is given a file outside the allowed folders.
        StillGoing
            When a run of this visitor is still going on.
        """
        started = self.runs.start(self.visitor, recipe, params, self.runs_dir, limit_s)
        return self._state(started.id)

    @checked
    def run_status(self, run: RunId) -> RunJson:
        """Say how a run stands that this visitor started: status, last events, what it found.

        Raises
        ------
        UnknownName
            When there is none, or it is another's.
        """
        return self._state(self._own(run))

    @checked
    def run_stop(self, run: RunId) -> RunJson:
        """End a run that this visitor started, and all that it started; an ended one stays so.

        Raises
        ------
        UnknownName
            When there is none, or it is another's.
        """
        own = self._own(run)
        self.runs.stop(self.visitor, own)
        return self._state(own)

    def _own(self, run: str) -> str:
        if not self.runs.is_of(self.visitor, run):
            raise UnknownName(f"you have started no run '{run}' here")
        return run

    def _state(self, run: str) -> RunJson:
        record = next((r for r in history(self.runs_dir) if r.id == run), None)
        if record is None:
            raise UnknownName(f"the run '{run}' is no longer there")
        told = record.to_json()
        events = Tail(record.folder / EVENTS).read()[-LAST_EVENTS:]
        return cast(RunJson, {**told, "events": events})


def open_gradus(store: Path | None = None) -> Gradus:
    """Open a store for Python; the folder is the command line's when None.

    Files that runs are given may lie anywhere, as on the command line.
    """
    folder = store_folder(store)
    return Gradus(Shelf(folder), runs_folder(folder), VisitorsRuns())
