"""Cards, the map and answers on a store made from real notes by the real ingest."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, urlencode

import networkx as nx
import pytest

from app.answering.study import study_plan
from app.open_store import Shelf
from app.pages.ask.answer import answer_markdown, example_questions, follow_ups, pieces, run_label
from app.pages.graph.card import card_markdown, resting_markdown
from app.pages.graph.view import STEPS, graph_view, names_view, path_view
from app.pages.graph.wanted import Wanted
from app.wording import DOUBT
from ingest.build import ingest
from kg.errors import NoStore
from kg.linking import find_concept
from kg.store import Store, open_store
from kg.types import Answer, Citation, RecipeOffer, Resource

BASICS = """# Basics

## Tensor

A tensor is a block of numbers with a shape. ![remote](http://pictures.example/t.png) \
<script>alert(1)</script>

## Parameter | Weight

A parameter is a number inside a model that training may change; many form a tensor. See [the course](https://x.org).

## Gradient

The gradient says how the loss changes with each parameter. Every gradient is a tensor: $g_i = \
dL/dw_i$.
"""
TRAINING = """# Training

## Learning rate

The learning rate says how far a step along the gradient goes.

```python
learn.fit_one_cycle(1, lr)
```

## Momentum

Momentum keeps a running mean of the gradient, and needs a smaller learning rate. A parameter \
then rolls on.

$$v = \\beta v + g$$
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    notes = tmp_path_factory.mktemp("notes")
    (notes / "01-basics.md").write_text(BASICS, encoding="utf-8")
    (notes / "02-training.md").write_text(TRAINING, encoding="utf-8")
    store = tmp_path_factory.mktemp("store")
    ingest([notes], store)
    return store


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[Store]:
    opened = open_store(folder)
    yield opened
    opened.close()


def test_the_map_holds_what_the_graph_holds(store: Store) -> None:
    """Nodes are all concepts; the arrows drawn imply every prerequisite, and no other."""
    view = graph_view(store)
    assert {node["id"] for node in view["nodes"]} == {c.id for c in store.concepts}
    drawn: nx.DiGraph[int] = nx.DiGraph([tuple(edge[:2]) for edge in view["edges"]])
    for before, after in store.prerequisites.edges:
        assert nx.has_path(drawn, before, after)
    assert set(drawn.edges) <= set(store.prerequisites.edges)
    assert [label for _, label, _ in names_view(store)["concepts"]] == sorted(
        (c.label for c in store.concepts), key=str.casefold
    )


def test_colour_means_position(store: Store) -> None:
    """What needs something has a later step's colour, where there are no more levels than steps."""
    view = graph_view(store)
    step = {node["id"]: node["step"] for node in view["nodes"]}
    for before, after, _ in view["edges"]:
        assert step[before] < step[after]
    assert min(s for s in step.values() if s >= 0) == 0 and max(step.values()) == STEPS - 1
    loose = {c for c, degree in store.prerequisites.degree() if not degree}
    assert {node for node, s in step.items() if s < 0} == loose


def test_a_path_is_the_study_order(store: Store) -> None:
    """The path ends with the goal, as in answers, and no step stands before what it needs."""
    goal = find_concept(store.concepts, "Momentum").id
    view = path_view(store, goal)
    path = view["path"]
    assert path[-1] == goal
    steps = study_plan(store, [goal]).steps
    assert [store.concepts[c].label for c in path] == [step.label for step in steps]
    for step in path:
        assert not nx.descendants(store.prerequisites, step) & set(path[: path.index(step)])
    assert {(a, b) for a, b, _ in view["edges"]} <= set(store.prerequisites.edges)
    reasons = {step.label for step in steps if step.why}
    assert {store.concepts[edge[0]].label for edge in view["edges"]} == reasons
    around = {node["id"] for node in graph_view(store, Wanted(goal, back=99))["nodes"]}
    assert set(path) <= around


def test_what_may_help_stands_below_its_goal_on_the_map(starter: Store) -> None:
    """Card, path and map tell the same order of a goal that no prerequisite leads to."""
    graph = starter.prerequisites
    bare = [c for c in starter.concepts if not graph.in_degree(c.id)]
    goal = next(c for c in bare if len(path_view(starter, c.id)["path"]) > 1)
    path = path_view(starter, goal.id)
    helping = [a for a, b, kind in path["edges"] if kind == "helps" and b == goal.id]
    assert helping and not set(helping) & set(graph.predecessors(goal.id))
    view = graph_view(starter, Wanted(goal.id))
    level = {node["id"]: node["level"] for node in view["nodes"]}
    assert all(0 <= level[a] < level[goal.id] for a in helping)
    assert all([a, goal.id, "helps"] in view["edges"] for a in helping)
    card = card_markdown(starter, goal)
    steps = study_plan(starter, [goal.id]).steps
    assert card.count("may help</span>") == sum(step.may_help for step in steps) > 0


def test_a_card_says_what_the_notes_say_and_fetches_nothing(store: Store) -> None:
    """Summary, sources with lines, and links; pictures and scripts of the note are words."""
    card = card_markdown(store, find_concept(store.concepts, "Tensor"))
    assert card.startswith("### Tensor")
    assert "A tensor is a block of numbers with a shape." in card
    assert "01-basics.md, line" in card
    assert '<mark class="g-hit"><span class="g-no">5</span>A tensor is a block' in card
    assert "![" not in card
    assert "<script" not in card


def test_a_card_has_its_formula_and_its_runs(store: Store, tmp_path: Path) -> None:
    """The formula that stands alone in its section; runs of its recipes, and of no other."""
    momentum = find_concept(store.concepts, "Momentum")
    assert "$$v = \\beta v + g$$" in card_markdown(store, momentum)
    rate = find_concept(store.concepts, "Learning rate")
    assert "Runs so far" not in card_markdown(store, rate, runs_dir=tmp_path)
    for name in ("lr-find", "batch-size"):
        folder = tmp_path / f"20260101T000000Z-{name}-abcdef"
        folder.mkdir()
        spec = {"recipe": name, "task": "tabular", "started": "2026-01-01T00:00:00"}
        written = json.dumps({**spec, "params": {}})
        (folder / "spec.json").write_text(written, encoding="utf-8")
    card = card_markdown(store, rate, runs_dir=tmp_path)
    assert re.findall(r'href="#past/([^"]+)"', card) == ["20260101T000000Z-lr-find-abcdef"]


@pytest.mark.parametrize("language", ["mermaid", "Mermaid"])
def test_a_card_draws_no_diagram_of_a_note(store: Store, language: str) -> None:
    """Its text would choose elements, pictures among them; it stands there as code."""
    code = Resource("code", 'graph LR; A["<img src=x>"]', language, "01-basics.md", None, 1)
    card = card_markdown(store, replace(find_concept(store.concepts, "Tensor"), resources=(code,)))
    assert card.endswith('```text\ngraph LR; A["<img src=x>"]\n```')


def test_a_card_leads_on(store: Store) -> None:
    """Prerequisites and what needs a concept are links; a concept of a recipe has its button."""
    rate = find_concept(store.concepts, "Learning rate")
    card = card_markdown(store, rate)
    for before in store.prerequisites.predecessors(rate.id):
        assert f">{store.concepts[before].label}</a>" in card
    assert 'href="#run/lr-find"' in card
    assert "Ask about it" in card
    assert "```python\nlearn.fit_one_cycle(1, lr)\n```" in card
    assert card.count("```") == 2


def test_a_card_says_why_with_tier_evidence_and_a_place_to_decide(store: Store) -> None:
    """Each kept prerequisite has its line, a link to confirm and one to reject it."""
    momentum = find_concept(store.concepts, "Momentum")
    card = card_markdown(store, momentum)
    needed = [
        r
        for r in store.relations
        if r.kind == "prerequisite" and r.kept and r.target == momentum.id
    ]
    assert needed
    for relation in needed:
        first = store.concepts[relation.source].label
        (item,) = re.findall(rf"<li><b>{first}</b>.*?</li>", card)
        assert f"{relation.evidence[0].note}, line {relation.evidence[0].line}" in item
        assert relation.tier in item
        pair = quote(urlencode({"first": first, "then": "Momentum"}), safe="")
        assert f'href="#right/{pair}"' in item and f'href="#wrong/{pair}"' in item


def test_a_card_knows_what_is_known(store: Store) -> None:
    """Its mark can be taken back; known prerequisites have a tick, and the path omits them."""
    rate, gradient = (find_concept(store.concepts, name) for name in ("Learning rate", "Gradient"))
    assert 'href="#know/Learning%20rate"' in card_markdown(store, rate)
    assert 'href="#forget/Learning%20rate"' in card_markdown(store, rate, {rate.id})
    card = card_markdown(store, rate, {gradient.id})
    assert "✓ Gradient</a>" in card
    assert "You know: Gradient</p>" in card


def test_while_no_concept_is_chosen_what_is_unlocked_stands_there(store: Store) -> None:
    """With marks, each next concept and what it builds on; without, how to choose."""
    assert resting_markdown(store, frozenset()).startswith("Choose a concept")
    tensor = find_concept(store.concepts, "Tensor").id
    known = {tensor} | {c for c in store.prerequisites if not store.prerequisites.in_degree(c)}
    shown = resting_markdown(store, known)
    ready = [c for c in store.concepts if set(store.prerequisites.predecessors(c.id)) & known]
    ready = [
        c
        for c in ready
        if set(store.prerequisites.predecessors(c.id)) <= known and c.id not in known
    ]
    listed = re.findall(r'<li><a class="g-link " href="[^"]+">(.*?)</a>', shown)
    assert ready and set(listed) == {c.label for c in ready}
    assert "builds on " in shown and ".md, line" in shown
    assert resting_markdown(store, {c.id for c in store.concepts}).startswith("You know everything")


def test_every_card_can_be_written(store: Store) -> None:
    """No concept's card fails, and each names the concept."""
    for concept in store.concepts:
        assert card_markdown(store, concept).startswith("### ")


def answered(store: Store, **fields: object) -> Answer:
    passage = next(p for p in store.passages if "running mean" in p.text)
    citation = Citation(
        1, passage.note, passage.line_start, passage.line_end, passage.cell, passage.text
    )
    blank = {
        "question": "What is momentum?",
        "status": "answered",
        "kind": "definition",
        "confidence": 0.9,
        "text": f"{passage.text} [1]",
        "citations": (citation,),
        "concepts": ("Momentum",),
        "prerequisites": ("Gradient",),
        "next": ("Learning rate",),
    }
    return Answer(**(blank | fields))  # type: ignore[arg-type]


def test_a_citation_leads_to_the_lines_of_the_note(store: Store) -> None:
    """Its number leads to its source, which names the note, the lines and their words."""
    answer = answered(store)
    shown = answer_markdown(store, answer)
    cited = answer.citations[0]
    said = cited.quote.partition("\n")[0][:60]
    lines = urlencode({"first": cited.line_start, "last": cited.line_end, "said": said})
    address = f"#note/{quote(cited.note, safe='')}?{lines}".replace("&", "&amp;")
    assert f'<a class="g-link g-source" href="{address}"><span class="g-n">1</span>' in shown
    quoted = re.findall(r'<span class="g-quote">(.*?)</span>', shown)
    assert ["running mean" in html.unescape(words) for words in quoted] == [True]
    assert 'href="#cite/1"' in shown


def test_an_answer_leads_on(store: Store) -> None:
    """What comes before and after, follow-ups, the map and a recipe's button are there."""
    offer = RecipeOffer("lr-find", {"phase": "frozen"}, "the question is about learning rate")
    shown = answer_markdown(store, answered(store, recipes=(offer,)))
    assert "▶ Find my learning rate (frozen)" in shown
    assert 'href="#run/lr-find%3Fphase%3Dfrozen"' in shown
    assert 'href="#concept/Gradient"' in shown
    assert 'href="#graph/Momentum"' in shown
    assert "What do I need before Momentum?" in shown
    assert run_label(RecipeOffer("batch-size", {}, "")) == "Find my batch size"


def test_not_in_the_notes_is_said_with_what_is_near(store: Store) -> None:
    """An unanswered question shows no source and no follow-up, only the nearest concepts."""
    shown = answer_markdown(
        store,
        Answer(
            "Who won?", "not_in_notes", "empty", 0.1, "The notes do not say.", nearest=("Tensor",)
        ),
    )
    assert "Not in the notes" in shown
    assert 'href="#concept/Tensor"' in shown
    assert "<details" not in shown


def test_a_doubtful_answer_begins_with_the_doubt(store: Store) -> None:
    """One line above what comes nearest; a sure answer has none."""
    doubted, sure = (
        answer_markdown(store, answered(store, doubtful=doubtful)) for doubtful in (True, False)
    )
    assert doubted.removeprefix(f'<p class="g-doubt">{DOUBT}</p>\n\n') == sure != doubted


def test_what_to_look_at_first_is_marked(store: Store) -> None:
    """The words are marked as they are shown; what the text does not hold once is left alone."""
    text = "A tensor is a block. See `a<b` and [a page](https://x.org). It has a shape. [1]"
    likeliest = ("See `a<b` and [a page](https://x.org).", "Nothing of it.", "a")
    marked = answer_markdown(store, answered(store, text=text, likeliest=likeliest))
    plain = answer_markdown(store, answered(store, text=text))
    before, _, rest = marked.partition("<mark>")
    words, _, after = rest.partition("</mark>")
    assert before + words + after == plain
    assert before.endswith("A tensor is a block. ")
    assert words.startswith("See `a<b` and ") and words.endswith(".") and "x.org" in words


def test_follow_ups_do_not_repeat_the_question(store: Store) -> None:
    """What was just asked is not suggested again."""
    answer = answered(store, question="what do I need before momentum", kind="fact")
    assert "What do I need before Momentum?" not in follow_ups(answer)
    assert len(follow_ups(answer)) == len(set(follow_ups(answer))) >= 1


def test_only_what_is_of_a_sort_is_compared(store: Store) -> None:
    """A loss and a part of a network are both cited, and nobody asks for their difference."""
    apart = answered(store, concepts=("CTC loss", "Encoder", "Dialect Adaptation"), kind="fact")
    alike = answered(store, concepts=("Layer norm", "Encoder", "Batch norm"), kind="fact")
    assert not any("difference" in question for question in follow_ups(apart))
    assert "What is the difference between Layer norm and Batch norm?" in follow_ups(alike)


def test_example_questions_come_from_the_store(store: Store) -> None:
    """Examples name concepts of this store; one of them is about something that can be run."""
    questions = example_questions(store)
    labels = [concept.label.lower() for concept in store.concepts]
    assert 3 <= len(questions) <= 4
    for question in questions:
        assert any(label in question.lower() for label in labels)
    assert any("learning rate" in question for question in questions)


def test_streamed_pieces_grow_into_the_answer(store: Store) -> None:
    """Each piece begins the next, the last is the whole, and no piece ends inside a tag."""
    whole = answer_markdown(store, answered(store))
    streamed = pieces(whole)
    assert streamed[-1] == whole
    assert len(streamed) > 3
    for piece, after in pairwise(streamed):
        assert after.startswith(piece)
        assert piece.rfind("<") <= piece.rfind(">")


def test_a_new_generation_is_picked_up(tmp_path: Path) -> None:
    """After another ingest there is a new store; before the first, what to run is said."""
    notes, folder = tmp_path / "notes", tmp_path / "store"
    notes.mkdir()
    shelf = Shelf(folder)
    with pytest.raises(NoStore, match="gradus ingest"):
        shelf.current()
    (notes / "a.md").write_text(
        "# Dropout\n\nDropout sets activations to zero.\n", encoding="utf-8"
    )
    ingest([notes], folder)
    first = shelf.current()
    assert shelf.current() is first
    (notes / "b.md").write_text("# Mixup\n\nMixup blends two pictures.\n", encoding="utf-8")
    ingest([notes], folder)
    assert shelf.current().note_names == ("a.md", "b.md")
    assert first.note_text("a.md").startswith(
        "# Dropout"
    )  # who was reading the one before still can
    shelf.close()
