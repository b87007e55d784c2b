"""Relations of whole small notes: direction, evidence at its line, no cycle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from undecided import find_concepts

from ingest.build import ingest
from ingest.concepts.candidates import NoteParts
from ingest.concepts.find import find_mentions
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from ingest.passages.embedded_text import vector_texts
from ingest.relations.gists import read_gists
from ingest.relations.relate import Related, relate
from ingest.relations.signals import NUMBERED, read_signals
from kg.encoder import Encoder
from kg.store import Store, open_store
from kg.types import Concept, Relation
from kg.vectors import WORD_BITS, in_bits


@dataclass(frozen=True)
class Read:
    """Notes with their concepts and relations, by label."""

    notes: list[NoteParts]
    concepts: tuple[Concept, ...]
    related: Related

    def pairs(self, kind: str, kept: bool = True) -> dict[tuple[str, str], Relation]:
        """Relations of a kind, by the labels of their ends."""
        label = [c.label for c in self.concepts]
        found = [r for r in self.related.relations if r.kind == kind and r.kept == kept]
        return {(label[r.source], label[r.target]): r for r in found}

    def orders(self) -> dict[str, tuple[int, int]]:
        """Study positions where order means something."""
        passages = [p for n in self.notes for p in n.passages]
        signals = read_signals(
            self.concepts, list(find_mentions(self.concepts, passages)), self.notes
        )
        return {self.concepts[c].label: at for c, at in signals.order.items()}


Reader = Callable[..., Read]


@pytest.fixture(scope="session")
def read(encoder: Encoder) -> Reader:
    """A function that relates the concepts of notes given as texts by name without ".md"."""

    def read_notes(**texts: str) -> Read:
        notes: list[NoteParts] = []
        first = 0
        for stem, text in texts.items():
            parsed = parse_note(text, f"{stem}.md")
            notes.append(NoteParts(f"{stem}.md", parsed, cut(parsed, f"{stem}.md", first)))
            first += len(notes[-1].passages)
        passages = [p for n in notes for p in n.passages]
        concepts = find_concepts(notes)
        mentions = list(find_mentions(concepts, passages))
        texts_of = [vector_texts(p)[0] for p in passages]
        vectors, words = encoder.encode_words(texts_of)
        labels, of_labels = encoder.encode_words([c.label for c in concepts])
        named = {
            concept.label: (vector, read.vectors)
            for concept, vector, read in zip(concepts, labels, of_labels, strict=True)
        }
        gists = read_gists(
            concepts,
            passages,
            vectors,
            lambda p: in_bits(words[p].vectors, WORD_BITS),
            lambda _: named,
        )
        return Read(notes, concepts, relate(concepts, mentions, notes, gists))

    return read_notes


CONVEXITY = (
    "# Convexity\n\nA set is convex when it has no dents, "
    "and a function when the set above it is.\n"
)
LASSO = (
    "# Lasso\n\nThe lasso is a regression whose penalty keeps convexity. Convexity gives the lasso "
    "one minimum.\nBy convexity its path is continuous.\n"
)


def test_who_is_named_comes_first(read: Reader) -> None:
    """The lasso's note names convexity, so convexity likelier comes first, in any file order.

    Two notes say too little for it to be kept.
    """
    for texts in ({"a": CONVEXITY, "b": LASSO}, {"a": LASSO, "b": CONVEXITY}):
        found = read(**texts)
        both = found.pairs("prerequisite") | found.pairs("prerequisite", kept=False)
        first, other = both["Convexity", "Lasso"], both["Lasso", "Convexity"]
        assert 1 >= first.score > 0.5 > other.score >= 0
        assert first.evidence[0].signal == "mention"
        assert first.evidence[0].quote.startswith(
            "The lasso is a regression whose penalty keeps convexity."
        )


def test_what_a_note_states_stands_above_what_is_inferred(read: Reader) -> None:
    """Even against the mentions, and with the score of a statement."""
    found = read(a=CONVEXITY + "\nNeeds: Lasso.\n", b=LASSO)
    stated = found.pairs("prerequisite")["Lasso", "Convexity"]
    assert (stated.score, stated.tier, stated.evidence[0].signal) == (0.98, "stated", "stated")
    assert ("Convexity", "Lasso") not in found.pairs("prerequisite")


def test_concepts_that_name_each_other_are_kept_in_one_direction_at_most(store: Store) -> None:
    """No pair is its own prerequisite and consequence."""
    kept = {(r.source, r.target) for r in store.relations if r.kind == "prerequisite" and r.kept}
    assert kept and not kept & {(c, p) for p, c in kept}


def test_a_stated_cycle_is_broken_and_said(read: Reader) -> None:
    """A needs B, B needs C, C needs A: two edges stay, one is reported."""
    found = read(
        a="# Lasso\n\nOne.\n\nNeeds: Ridge.\n",
        b="# Ridge\n\nTwo.\n\nNeeds: Pruning.\n",
        c="# Pruning\n\nThree.\n\nNeeds: Lasso.\n",
    )
    assert set(found.pairs("prerequisite")) == {("Ridge", "Lasso"), ("Pruning", "Ridge")}
    left_out = found.pairs("prerequisite", kept=False)["Lasso", "Pruning"]
    assert (left_out.evidence[0].note, left_out.evidence[0].line, left_out.tier) == ("c.md", 5, "")
    (warning,) = found.related.warnings
    assert (warning.note, warning.line) == ("c.md", 5)
    assert warning.error.startswith(
        "'Lasso' before 'Pruning' closes a cycle with b.md line 5, a.md line 5, so it"
    )


def test_the_report_says_which_statement_closed_a_cycle(
    one_encoder: Encoder, tmp_path: Path
) -> None:
    """With its file and line."""
    notes = tmp_path / "notes"
    notes.mkdir()
    for name, needs in (("Lasso", "Ridge"), ("Ridge", "Pruning"), ("Pruning", "Lasso")):
        (notes / f"{name}.md").write_text(f"# {name}\n\nA thing.\n\nNeeds: {needs}.\n")
    (warning,) = ingest([notes], tmp_path / "store").warnings
    assert (warning.note, warning.line) == (
        "Ridge.md",
        5,
    ) and "'Pruning' before 'Ridge' closes" in warning.error
    store = open_store(tmp_path / "store")
    assert (
        nx.is_directed_acyclic_graph(store.prerequisites)
        and store.prerequisites.number_of_edges() == 2
    )
    store.close()


def test_statements_against_each_other_are_no_error(read: Reader) -> None:
    """Both are left to the scorer, which keeps at most one."""
    found = read(a="# Lasso\n\nOne.\n\nNeeds: Ridge.\n", b="# Ridge\n\nTwo.\n\nNeeds: Lasso.\n")
    assert len(found.pairs("prerequisite")) <= 1
    assert all(
        r.score < 0.98 and not r.tier for r in found.related.relations if r.kind == "prerequisite"
    )
    (warning,) = found.related.warnings
    assert (warning.note, warning.line) == ("a.md", 5)
    assert (
        "'Ridge' before 'Lasso', stated here, is stated the other way round in b.md line 5"
        in warning.error
    )


def test_kept_prerequisites_of_a_real_store_have_no_cycle(store: Store) -> None:
    """Whatever its notes say."""
    assert store.prerequisites.number_of_edges() > 5
    assert nx.is_directed_acyclic_graph(store.prerequisites)


def test_statements_of_real_notes_are_edges(store: Store) -> None:
    """Front matter, "Needs:" in Markdown and in a notebook, "after lesson 2" by number."""
    label = [c.label for c in store.concepts]
    stated = {
        (label[r.source], label[r.target]): r.evidence[0].signal
        for r in store.relations
        if r.kind == "prerequisite" and r.kept and r.score == 0.98
    }
    assert stated == {
        ("Dropout", "U-Net"): "front matter",
        ("Cross Entropy", "U-Net"): "front matter",
        ("Cross Entropy", "Label Smoothing"): "stated",
        ("Tensor", "Data Augmentation"): "stated",
        ("Training", "Recurrent Neural Network"): "link",
    }


def test_every_evidence_quotes_its_line(store: Store) -> None:
    """For every relation, kept or not, the quote is the line of that note or cell."""
    checked = set()
    for r in store.relations:
        for e in r.evidence:
            lines = store.note_text(e.note, e.cell).removeprefix("\ufeff").splitlines()
            assert lines[e.line - 1].strip() == e.quote
            assert e.quote
            checked.add((r.kind, e.signal, e.cell is not None))
    assert {(kind, cell) for kind, _, cell in checked} == {
        (kind, cell) for kind in ("prerequisite", "broader", "related") for cell in (True, False)
    }
    assert {signal for _, signal, _ in checked} >= {
        "mention",
        "numbering",
        "front matter",
        "stated",
        "link",
        "heading",
    }


def test_every_kept_relation_has_evidence(store: Store) -> None:
    """Nothing is claimed without a place that supports it."""
    assert [r for r in store.relations if r.kept and not r.evidence] == []


def test_numbered_notes_give_an_order_over_all(read: Reader) -> None:
    """By number, not by alphabet: 2 before 10; a note without a number has only its own order."""
    texts = {
        "2-lasso": "# Lasso\n\nOne.\n\n## Ridge\n\nTwo.\n",
        "10-pruning": "# Pruning\n\nThree.\n",
        "loose": "# Adam\n\nFour.\n\n## Momentum\n\nFive.\n",
    }
    order = read(**texts).orders()
    assert {order[n][0] for n in ("Lasso", "Ridge", "Pruning")} == {-1}
    assert order["Lasso"] < order["Ridge"] < order["Pruning"]
    assert order["Adam"][0] == order["Momentum"][0] != -1 and order["Adam"] < order["Momentum"]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("01_intro.ipynb", "01"),
        ("3. Optimisers.md", "3"),
        ("Lesson 4 - RNN.md", "4"),
        ("week12.md", "12"),
        ("#7 pooling.md", "7"),
        ("resnet50.md", None),
        ("word2vec.md", None),
        ("2nd-order-methods.md", None),
        ("gpt-2.md", None),
    ],
)
def test_a_number_in_a_name_is_a_place_only_where_it_leads(name: str, number: str | None) -> None:
    """A model's number is none."""
    found = NUMBERED.match(name)
    assert (found[1] if found else None) == number


def test_notes_without_numbers_give_an_order_within_each(read: Reader) -> None:
    """What stands in two such notes has none between them."""
    order = read(
        lasso="# Lasso\n\nOne.\n\n## Ridge regression\n\nTwo.\n", pruning="# Pruning\n\nThree.\n"
    ).orders()
    assert order["Lasso"][0] == order["Ridge regression"][0] != order["Pruning"][0]


def test_headings_in_alphabetical_order_give_no_order(read: Reader) -> None:
    """A glossary's order is the alphabet's; the same headings in another order are a course."""
    terms = ["Activation", "Bias", "Convolution", "Dropout", "Embedding", "Filter", "Gradient"]
    glossary = "# Terms\n\nAll.\n\n" + "\n".join(f"## {t}\n\nIt is {t.lower()}.\n" for t in terms)
    course = "# Terms\n\nAll.\n\n" + "\n".join(
        f"## {t}\n\nIt is {t.lower()}.\n" for t in terms[::-1]
    )
    assert read(a=glossary).orders() == {}
    assert {*terms} <= set(read(a=course).orders())


def test_headings_below_headings_are_narrower(read: Reader) -> None:
    """Through headings that name nothing; terms explained below a heading too; never both ways."""
    found = read(
        a="# Training\n\nWords.\n\n## Goals\n\n### Momentum\n\nRolls.\n\n#### Nesterov "
        "Momentum\n\nLooks ahead.\n\n"
        "**Damping** is the loss of it.\n"
    ).pairs("broader")
    assert set(found) == {
        ("Training", "Momentum"), ("Momentum", "Nesterov Momentum"),
        ("Nesterov Momentum", "Damping"),
    }  # fmt: skip
    assert all(r.score == 1.0 and r.kept for r in found.values())
    twice = read(
        a="# Lasso\n\nA.\n\n## Ridge\n\nB.\n", b="# Ridge\n\nC.\n\n## Lasso\n\nD.\n"
    ).pairs("broader")
    assert list(twice) == [("Lasso", "Ridge")]


def test_related_is_stored_once_and_only_where_nothing_surer_joins(store: Store) -> None:
    """Smaller id first, no pair twice, none that a kept prerequisite or structure joins already."""
    related = [(r.source, r.target) for r in store.relations if r.kind == "related"]
    assert related and all(a < b for a, b in related) and len(set(related)) == len(related)
    surer = {
        frozenset((r.source, r.target)) for r in store.relations if r.kept and r.kind != "related"
    }
    assert not surer & {frozenset(pair) for pair in related}


def test_related_scores_are_the_cosines_of_the_concepts(store: Store) -> None:
    """Against NumPy over the stored vectors: mean of each passage's, then of the concept's."""

    def unit(
        v: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return v / np.linalg.norm(v)

    def centre(c: Concept) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return unit(
            np.mean(
                [unit(store.vectors.of_passages([p])[0].mean(axis=0)) for p in c.passages], axis=0
            )
        )

    for r in store.relations:
        if r.kind == "related":
            cosine = centre(store.concepts[r.source]) @ centre(store.concepts[r.target])
            assert r.score == pytest.approx(float(cosine), abs=2e-4) and r.score >= 0.5


def test_no_notes_and_single_concepts_give_no_relations(read: Reader) -> None:
    """One concept alone, and one without passages."""
    related = read(a="# Lasso\n\nOne.\n").related
    assert (related.relations, related.dropped, related.unlikely.pairs.size) == ((), (), 0)
    assert read(a="# Lasso\n\nSee [[Nothing Yet]].\n").pairs("prerequisite") == {}
