"""Orders of study as answers: short, cited, without what is known, to several goals, and what is
unlocked.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import networkx as nx
import pytest
from cited import assert_cited

from app.answering.answer import answer
from app.answering.composing.study_order import path
from app.answering.reading.words import spoken
from app.answering.study import concept_ids, learn_next, study_plan
from kg.encoder import Encoder
from kg.marks import add_marks
from kg.paths import HELPS, likely_first
from kg.store import Store, open_store


@pytest.fixture
def own(starter: Store, tmp_path: Path) -> Iterator[Store]:
    """A copy of the store of three starter notes, to set marks in."""
    shutil.copytree(starter.folder, tmp_path / "store")
    opened = open_store(tmp_path / "store")
    yield opened
    opened.close()


def listed(text: str) -> list[str]:
    """The labels of a numbered or bulleted list."""
    return re.findall(r"^(?:\d+\.|-) \*\*(.+?)\*\*", text, flags=re.M)


def test_a_plan_is_in_order_and_its_reasons_are_the_reduction(starter: Store) -> None:
    """For every goal of real notes: no edge is violated, and each step but the goal says for which
    later step; only what may help the goal itself, as no step needs it, says nothing.
    """
    graph = starter.prerequisites
    for concept in starter.concepts:
        steps = study_plan(starter, [concept.id]).steps
        ids = [next(iter(concept_ids(starter, [step.label]))) for step in steps]
        likely = (starter.likely([concept.id]) or {})[concept.id]
        assert all(ids.index(u) < ids.index(v) for u, v in graph.subgraph(ids).edges)
        reduced = nx.transitive_reduction(graph.subgraph(ids))
        for c, step in zip(ids, steps, strict=True):
            assert (
                [w for w, _ in step.why]
                and {w for w, _ in step.why}
                == {starter.concepts[v].label for v in reduced.successors(c)}
            ) or (c == concept.id or (not reduced[c] and likely[c] >= HELPS))
            assert all(e is not None and e.quote for _, e in step.why)


def test_each_step_cites_the_lines_that_say_what_it_is(starter: Store) -> None:
    """Not the first lines of the passage, where these say something else."""
    for concept in starter.concepts:
        home = study_plan(starter, [concept.id]).steps[-1].citation
        if concept.summary and home is not None:
            lines = starter.note_text(home.note, home.cell).split("\n")
            cited = spoken("\n".join(lines[home.line_start - 1 : home.line_end]))
            opening = " ".join(spoken(concept.summary).split()[:4])
            assert opening in cited, (concept.label, home)


def test_what_a_short_plan_leaves_out_is_in_the_full_one(starter: Store) -> None:
    """Steps and what is further back make up all ancestors, in one order.

    Of a goal that no edge leads to, those by way of what may help it.
    """
    for concept in starter.concepts:
        short, full = (
            study_plan(starter, [concept.id]),
            study_plan(starter, [concept.id], full=True),
        )
        whole = [step.label for step in full.steps]
        likely = starter.likely([concept.id])
        graph = likely_first(starter.prerequisites, [concept.id], likely)
        assert full.further == ()
        left = {step.label for step in short.steps} | set(short.further)
        assert (
            left
            == set(whole)
            == {starter.concepts[c].label for c in nx.ancestors(graph, concept.id) | {concept.id}}
        )
        assert [label for label in whole if label in short.further] == list(short.further)


def test_a_path_answer_cites_what_each_step_is_and_why(starter: Store, encoder: Encoder) -> None:
    """A numbered list, foundations first, each with its definition and the line by which it is
    needed.
    """
    said = answer("What do I need to know before discriminative learning rates?", starter, encoder)
    assert (said.kind, said.status) == ("path", "answered")
    steps = listed(said.text)
    assert (
        steps == [step.label for step in said.path] and steps[-1] == "Discriminative learning rates"
    )
    for line in said.text.split("\n"):
        if line.startswith(tuple("123456789")) and "Discriminative learning rates**" not in line:
            label = listed(line)[0]
            home = (
                r" \[\d+\]"
                if starter.concepts[next(iter(concept_ids(starter, [label])))].passages
                else ""
            )
            assert re.search(home + r" \*Needed for [^*]+\* \[\d+\]$", line), line
    assert_cited(starter, said)


def test_a_path_answer_merges_several_goals(starter: Store, encoder: Encoder) -> None:
    """ "Before X and Y": one order to both, which the answer is about."""
    said = answer("What do I need before weight decay and dropout?", starter, encoder)
    goals = concept_ids(starter, ["weight decay", "dropout"])
    assert listed(said.text) == [step.label for step in study_plan(starter, goals).steps]
    assert set(said.concepts) == {starter.concepts[c].label for c in goals}
    assert_cited(starter, said)


def test_what_is_known_is_left_out_and_said(own: Store, encoder: Encoder) -> None:
    """A mark set while the store is open counts for the next answer."""
    before = answer("what do I need before unfreezing?", own, encoder)
    first = before.path[0].label
    add_marks(own, [first])
    after = answer("what do I need before unfreezing?", own, encoder)
    assert first not in listed(after.text)
    assert f"*You know: {first}.*" in after.text
    assert {step.label for step in after.path} < {step.label for step in before.path}
    assert_cited(own, after)


@pytest.mark.parametrize(
    "question",
    ["What can I learn next?", "what should I learn next", "So which topics could I study next?"],
)
def test_what_can_be_learned_next_without_marks_are_foundations(
    starter: Store, encoder: Encoder, question: str
) -> None:
    """What needs nothing and opens the most, and how to mark what one knows."""
    said = answer(question, starter, encoder)
    assert (said.kind, said.status) == ("next", "answered")
    assert said.text.startswith("You have marked nothing as known yet.")
    assert "“I know this”" in said.text and "gradus known add" in said.text
    assert listed(said.text) == [step.label for step in learn_next(starter, ())]
    assert 0 < len(listed(said.text)) <= 10
    assert_cited(starter, said)


def test_what_can_be_learned_next_follows_the_marks(own: Store, encoder: Encoder) -> None:
    """All its prerequisites are known; with the line that says what it builds on; also in the
    middle of a talk.
    """
    graph = own.prerequisites
    known = {c for c in graph if not graph.in_degree(c) and graph.out_degree(c)}
    add_marks(own, [own.concepts[c].label for c in known])
    ready = {
        v
        for v in graph
        if v not in known and graph.in_degree(v) and set(graph.predecessors(v)) <= known
    }
    assert ready
    first = answer("What is dropout?", own, encoder)
    for history in ((), (("What is dropout?", first),)):
        said = answer("What can I learn next?", own, encoder, history)
        assert said.text.startswith("With what you know (")
        assert set(listed(said.text)) <= {own.concepts[c].label for c in ready}
        assert len(listed(said.text)) == min(10, len(ready))
        assert "*Builds on " in said.text
        assert_cited(own, said)


@pytest.mark.parametrize("before", ["What is freezing?", "difference between SGD and momentum?"])
def test_what_can_be_learned_next_means_the_same_in_a_talk(
    starter: Store, encoder: Encoder, before: str
) -> None:
    """What was asked before does not leak into a question that is whole; "what's next?" goes on."""
    history = ((before, answer(before, starter, encoder)),)
    alone = answer("What can I learn next?", starter, encoder)
    assert answer("What can I learn next?", starter, encoder, history) == alone
    assert answer("What's next?", starter, encoder, history) != alone


def test_where_nothing_is_unlocked_foundations_are_named(own: Store, encoder: Encoder) -> None:
    """A mark on a goal alone opens nothing; what needs nothing else is named instead, and it says
    so.
    """
    graph = own.prerequisites
    goal = next(c for c in graph if graph.in_degree(c) and not graph.out_degree(c))
    add_marks(own, [own.concepts[goal].label])
    said = answer("What can I learn next?", own, encoder)
    assert said.text.startswith("Nothing new builds only on what you know")
    assert all(not step.builds_on for step in learn_next(own, {goal}))


def test_what_may_help_is_not_said_to_be_needed(starter: Store) -> None:
    """Before a goal that no edge leads to stands what most likely helps, under that name."""
    bare = [c for c in starter.concepts if not starter.prerequisites.in_degree(c.id)]
    plans = {c: study_plan(starter, [c.id]).steps for c in bare}
    helped = [c for c, steps in plans.items() if len(steps) > 1]
    assert helped
    for concept in helped[:3]:
        text = path([concept], starter).text
        lines = [line for line in text.splitlines() if re.match(r"\d+\. ", line)]
        for line, step in zip(lines, plans[concept], strict=True):
            assert ("*May help*" in line) == (not step.why and step.label != concept.label)
            assert step.may_help == ("*May help*" in line)
