"""Prerequisites of whole notes: other notes and the order of ingest change nothing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from made import write_notes
from one_by_one import OneByOne

from ingest import build
from ingest.build import ingest
from ingest.relations import prerequisites as choosing
from ingest.relations.features import FEATURES, Pairs, read_pairs
from ingest.relations.gists import Gists
from ingest.relations.pairs import Nearest
from ingest.relations.signals import Signals
from kg.encoder import Encoder
from kg.store import Store, open_store
from kg.types import Relation

NOTES = {
    "tensor.md": "# Tensor\n\nA tensor is a rectangular block of numbers with a shape.\n",
    "gradient.md": "# Gradient\n\nThe gradient says how the loss changes when a parameter grows. "
    "It is a tensor of the "
    "same shape as the parameters.\n",
    "descent.md": "# Gradient Descent\n\nGradient descent moves every parameter a small step "
    "against the gradient.\n",
    "momentum.md": "# Momentum\n\nMomentum makes gradient descent faster. It keeps a running mean "
    "of gradients and "
    "steps along it.\n",
    "adam.md": "# Adam\n\nAdam is momentum with a step of its own for each parameter. Gradient "
    "descent with Adam needs "
    "little tuning.\n",
    "dropout.md": "# Dropout\n\nDropout sets random activations to zero while a network "
    "trains.\n\nNeeds: Tensor.\n",
}
UNRELATED = {
    "sourdough.md": "# Sourdough\n\nFlour and water ferment overnight in a warm kitchen, until "
    "bubbles rise.\n",
    "tides.md": "# Tides\n\nThe moon pulls the sea, which rises and falls twice a day along the "
    "coast.\n",
    "sonnet.md": "# Sonnet\n\nFourteen lines of verse, often about love, closed by a couplet.\n",
    "castling.md": "# Castling\n\nKing and rook move in one turn, if neither has moved before.\n",
    "law.md": "# Habeas Corpus\n\nWhoever is detained can be brought before a judge, who decides "
    "if it was lawful.\n",
}
# Places go among all names that a text meets, also those of another field; the scores of pairs that
# hardly belong together move with them, and with the levels, which are fitted to all directions at
# once.
PLACES = {"told before others", "tells before others"}
UNMOVED = 0.1
Edges = dict[tuple[str, str], Relation]
Ingested = Callable[..., Edges]


@pytest.fixture(scope="module")
def remembering(encoder: Encoder) -> OneByOne:
    return OneByOne(encoder)


@pytest.fixture
def edges(remembering: OneByOne, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ingested:
    """A function that ingests notes in steps and gives scored prerequisites by label."""
    monkeypatch.setattr(build, "load_encoder", lambda name: remembering)
    monkeypatch.setattr(build, "check_weights", lambda name: "")

    def ingested(texts: dict[str, str], *steps: list[str], store: str = "store") -> Edges:
        notes = write_notes(tmp_path / f"notes of {store}", texts)
        for step in steps or [[*texts]]:
            ingest([notes / name for name in step], tmp_path / store)
        with closing(open_store(tmp_path / store)) as opened:
            label = [c.label for c in opened.concepts]
            found = [r for r in opened.relations if r.kind == "prerequisite"]
        return {(label[r.source], label[r.target]): r for r in found}

    return ingested


def kept_in(edges: Edges) -> set[tuple[str, str]]:
    return {pair for pair, r in edges.items() if r.kept}


@pytest.mark.parametrize(
    "names", [*([name] for name in UNRELATED), [*UNRELATED]], ids=[*UNRELATED, "all"]
)
def test_unrelated_notes_change_nothing_among_the_others(edges: Ingested, names: list[str]) -> None:
    """Neither an edge, its tier nor its evidence, and scores only by places among others."""
    before = edges(NOTES, store="without")
    after = edges(NOTES | {name: UNRELATED[name] for name in names}, store="with")
    assert len(kept_in(before)) >= 4
    own = {label for pair in before for label in pair}
    assert {pair for pair in kept_in(after) if own & {*pair}} == kept_in(before)
    for pair, r in before.items():
        there = after[pair]
        assert there.score == pytest.approx(r.score, abs=UNMOVED), pair
        assert (there.tier, there.shortcut, there.evidence) == (r.tier, r.shortcut, r.evidence)


def test_unrelated_notes_move_no_feature_but_places(
    edges: Ingested, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All others are read off the pair and what is near it."""
    read: list[dict[tuple[str, str], list[float]]] = []

    def reading(
        signals: Signals,
        gists: Gists,
        extra: set[tuple[int, int]],
        near: Nearest | None,
        promising: object,
    ) -> Pairs:
        pairs = read_pairs(signals, gists, extra, near)
        names = [" ".join(words) for words in signals.keys]
        read.append({
            (names[p], names[c]): row.tolist()
            for first, later,
            rows in ((pairs.a, pairs.b, pairs.ahead), (pairs.b, pairs.a, pairs.back))
            for p, c, row in zip(first.tolist(), later.tolist(), rows, strict=True)
        })  # fmt: skip
        return pairs

    monkeypatch.setattr(choosing, "read_pairs", reading)
    edges(NOTES, store="without")
    edges(NOTES | UNRELATED, store="with")
    before, after = read
    assert len(before) >= 20 and {*before} < {*after}
    for pair, row in before.items():
        moved = np.abs(np.array(row) - after[pair]) > 1e-5
        assert {name for name, m in zip(FEATURES, moved, strict=True) if m} <= PLACES, pair


ORDERS = {
    "one by one": [[name] for name in NOTES],
    "reversed": [[name] for name in [*NOTES][::-1]],
    "in two halves": [[*NOTES][3:], [*NOTES][:3]],
}


@pytest.mark.parametrize("steps", ORDERS.values(), ids=ORDERS.keys())
def test_the_order_of_ingest_changes_nothing(edges: Ingested, steps: list[list[str]]) -> None:
    """The same relations as all notes at once, by value."""
    at_once, stepwise = edges(NOTES, store="at once"), edges(NOTES, *steps, store="stepwise")
    assert list(stepwise) == list(at_once)
    assert [(r.score, r.kept, r.tier, r.shortcut, r.evidence) for r in stepwise.values()] == [
        (r.score, r.kept, r.tier, r.shortcut, r.evidence) for r in at_once.values()
    ]


def test_a_note_that_comes_and_goes_leaves_no_trace(edges: Ingested, tmp_path: Path) -> None:
    """Not in a score, nor in an edge."""
    before = edges(NOTES, store="s")
    extra = {
        "nesterov.md": "# Nesterov Momentum\n\nNesterov momentum looks ahead. It is momentum at "
        "the next step.\n"
    }
    between = edges(NOTES | extra, store="s")
    assert {"Nesterov Momentum"} < {label for pair in between for label in pair}
    (tmp_path / "notes of s" / "nesterov.md").unlink()
    assert edges(NOTES, ["."], store="s") == before


def test_every_kept_edge_of_real_notes_has_evidence(store: Store) -> None:
    """One place at least, quoted."""
    kept = [r for r in store.relations if r.kind == "prerequisite" and r.kept]
    assert len(kept) > 5
    for r in kept:
        assert r.evidence and all(e.quote for e in r.evidence)
        assert any(e.signal != "position" for e in r.evidence)
        assert r.tier in ("stated", "sure", "likely")


def test_shortcuts_of_real_notes_are_implied_by_others(store: Store) -> None:
    """Reachability without them is the same."""
    kept = {(r.source, r.target): r for r in store.relations if r.kind == "prerequisite" and r.kept}
    assert {p for p, r in kept.items() if not r.shortcut} == {
        *nx.transitive_reduction(nx.DiGraph([*kept])).edges
    }
