"""What programs can ask gives JSON of the declared types, and refuses the rest in one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.answering.answer import answer
from app.api.checked import KNOWN, BadRequest, UnknownName, one_line, status_of
from app.api.functions import READING, Gradus, open_gradus
from app.api.signatures import signature_of
from app.contract import answer_json
from app.visitors_runs import NotAllowed, StillGoing, VisitorsRuns
from executors.errors import UnknownRecipe
from kg.encoder import Encoder
from kg.errors import NoStore, UnknownConcept
from kg.store import Store

ASKED: dict[str, dict[str, Any]] = {
    "ask": {"question": "What do I need before proofing?"},
    "search": {"question": "how warm is the oven?", "k": 3},
    "concept": {"name": "levain"},
    "path": {"goals": ["Proofing"]},
    "relations": {},
    "recipes": {},
    "notes": {},
    "note": {"name": "log.ipynb"},
}
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.parametrize("name", READING)
def test_what_is_given_is_json_of_the_declared_type(gradus: Gradus, name: str) -> None:
    """Each reply is of its type, without keys that the type does not name, and JSON can hold it."""
    reply = getattr(gradus, name)(**ASKED[name])
    sent = json.loads(json.dumps(reply, allow_nan=False))
    read = TypeAdapter(signature_of(name).returns).validate_python(sent)
    assert read == sent


def test_an_answer_is_the_command_lines(gradus: Gradus, store: Store, encoder: Encoder) -> None:
    """A question means the same here, and a follow-up what it means in the conversation."""
    first = answer("What is flour?", store, encoder)
    assert gradus.ask("What is flour?") == answer_json(first)
    after = answer("and levain?", store, encoder, [("What is flour?", first)])
    assert gradus.ask("and levain?", ["What is flour?"]) == answer_json(after)
    assert gradus.ask("and levain?", ["What is flour?"])["concepts"][0] == "Sourdough starter"


def test_a_concept_is_found_by_its_other_name(gradus: Gradus, store: Store) -> None:
    """With what comes before and after, and the lines that define it."""
    card = gradus.concept("LEVAIN")
    assert (card["label"], card["prerequisites"], card["next"]) == (
        "Sourdough starter",
        ("Flour",),
        ("Proofing",),
    )
    place = card["places"][0]
    lines = store.note_text(place["note"]).split("\n")[place["line_start"] - 1 : place["line_end"]]
    assert any("wild yeast" in line for line in lines)


def test_a_path_leaves_out_what_is_known(gradus: Gradus) -> None:
    """What is named as known is no step, and is said."""
    whole = [step["label"] for step in gradus.path(["Proofing"])["steps"]]
    assert whole == ["Flour", "Sourdough starter", "Proofing"]
    plan = gradus.path(["Proofing"], ["Flour"])
    assert [step["label"] for step in plan["steps"]] == whole[1:]
    assert plan["known"] == ("Flour",)


def test_relations_are_chosen_by_kind_concept_and_number(gradus: Gradus) -> None:
    """`total` counts what was chosen, also where fewer are given."""
    every = gradus.relations(most=10_000)
    assert every["total"] == len(every["relations"])
    stated = gradus.relations("prerequisite", "Levain", 1)
    assert stated["total"] == 2
    (relation,) = stated["relations"]
    assert "Sourdough starter" in (relation["concept"], relation["prerequisite"])
    scores = [relation["score"] for relation in every["relations"]]
    assert scores == sorted(scores, reverse=True)


def test_a_notebook_is_given_cell_by_cell(gradus: Gradus) -> None:
    """A note has one text, a notebook one for each cell."""
    assert len(gradus.note("bread.md")["texts"]) == 1
    assert gradus.note("log.ipynb")["texts"][1].startswith("The oven temperature")
    listed = {note["note"]: note["concepts"] for note in gradus.notes()["notes"]}
    assert {*listed} == {"bread.md", "training.md", "opinions.md", "log.ipynb"}
    assert "Proofing" in listed["bread.md"]


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("ask", {}, "question"),
        ("ask", {"question": "  "}, "question: string should have at least 1"),
        ("ask", {"question": "a" * 10_001}, "question: string should have at most 10000"),
        ("ask", {"question": "q", "k": 0}, "k: input should be greater than or equal to 1"),
        ("ask", {"question": "q", "k": "many"}, "k: input should be a valid integer"),
        ("ask", {"question": "q", "earlier": ["q"] * 9}, "earlier: list should have at most 8"),
        ("ask", {"question": "q", "history": []}, "history"),
        ("path", {"goals": []}, "goals: list should have at least 1"),
        ("relations", {"kind": "cousin"}, "kind: input should be '', 'prerequisite'"),
        ("note", {"name": 7}, "name: input should be a valid string"),
        ("run", {"recipe": "lr-find", "params": [1]}, "params: input should be a valid dictionary"),
        ("run", {"recipe": "lr-find", "limit_s": 0}, "limit_s: input should be greater"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    gradus: Gradus, name: str, asked: dict[str, Any], said: str
) -> None:
    """A missing, unknown, mistyped, too long or too large argument is one line that names it."""
    with pytest.raises(BadRequest, match=said) as found:
        getattr(gradus, name)(**asked)
    assert "\n" not in one_line(found.value)
    assert status_of(found.value) == 422


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(("concept", "path", "relations", "note", "run_status")), st.data())
def test_whatever_is_asked_is_answered_or_refused_in_one_line(
    gradus: Gradus, name: str, data: st.DataObject
) -> None:
    """Values of any type give JSON or a known error of one line, never anything else."""
    asked = {a.name: data.draw(ODD) for a in signature_of(name).arguments}
    try:
        json.dumps(getattr(gradus, name)(**asked), allow_nan=False)
    except KNOWN as error:
        assert "\n" not in one_line(error)
        assert one_line(error)


def test_unknown_names_carry_the_closest(gradus: Gradus) -> None:
    """A concept, a recipe, a note and a run that are not there are four errors of status 404."""
    for kind, call in (
        (UnknownConcept, lambda: gradus.concept("Sourdogh starter")),
        (UnknownRecipe, lambda: gradus.run("lr-fnd")),
        (UnknownName, lambda: gradus.note("../bread.md")),
        (UnknownName, lambda: gradus.run_status("..")),
    ):
        with pytest.raises(kind) as found:
            call()
        assert status_of(found.value) == 404
    with pytest.raises(UnknownConcept, match="Sourdough starter"):
        gradus.concept("Sourdogh starter")


def test_without_a_store_it_says_what_to_run(tmp_path: Path) -> None:
    """Opened from Python before the first ingest; what can be run is there all the same."""
    empty = open_gradus(tmp_path / "none")
    with pytest.raises(NoStore, match="gradus ingest") as found:
        empty.ask("What is flour?")
    assert status_of(found.value) == 503
    assert empty.recipes()["recipes"]


def test_a_run_is_its_visitors_alone(gradus: Gradus, tmp_path: Path) -> None:
    """Who started a run follows and stops it; to another it is not there, and he may start one."""
    mine, other = gradus.of("one"), gradus.of("another")
    try:
        started = mine.run("free-memory", {"task": "tabular", "device": "cpu"})
        assert started["status"] in ("queued", "running")
        for look in (other.run_status, other.run_stop):
            with pytest.raises(UnknownName):
                look(started["id"])
        with pytest.raises(StillGoing, match="still going on") as found:
            mine.run("free-memory", {"task": "tabular"})
        assert status_of(found.value) == 409
        assert mine.run_stop(started["id"])["status"] == "cancelled"
        again = mine.run_status(started["id"])
        assert (again["id"], again["status"]) == (started["id"], "cancelled")
        assert json.dumps(again)
    finally:
        gradus.runs.stop_all()


def test_a_run_ends_with_what_it_found(gradus: Gradus) -> None:
    """The state of an ended run has the values, files and code of its result."""
    started = gradus.run("free-memory", {"task": "tabular", "device": "cpu"})
    try:
        run = gradus.runs._runs[gradus.visitor]
        result = run.wait()
        ended = gradus.run_status(started["id"])
        assert (ended["status"], result.status) == ("ok", "ok")
        assert ended["values"] == json.loads(json.dumps(result.values))
        assert ended["events"]
        returns = signature_of("run_status").returns
        assert TypeAdapter(returns).validate_python(ended) == ended
    finally:
        gradus.runs.stop_all()


def test_only_files_of_the_allowed_folders_are_given_to_runs(
    gradus: Gradus, tmp_path: Path
) -> None:
    """Not one above them, not by a link out of them, and whether it exists is not told."""
    root, outside = tmp_path / "allowed", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "table.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (root / "link").symlink_to(outside)
    guarded = replace(gradus, runs=VisitorsRuns(roots=lambda: [root]))
    wanted = [
        {"data": str(outside / "table.csv")},
        {"data": str(outside / "none.csv")},
        {"data": str(root / "link" / "table.csv")},
        {"data": f"{root}/../outside/table.csv"},
        {"learner": f"{outside}/mine.py:make"},
        {"encoder": str(outside)},
    ]
    said = set()
    for params in wanted:
        with pytest.raises(NotAllowed, match="--data") as found:
            guarded.run("lr-find", {"task": "text-classification", **params})
        assert status_of(found.value) == 403
        said.add(one_line(found.value).partition("is outside")[2])
    assert len(said) == 1
    try:
        allowed = guarded.run("lr-find", {"data": str(root), "task": "image-classification"})
        assert allowed["params"]["data"] == str(root)
    finally:
        guarded.runs.stop_all()
