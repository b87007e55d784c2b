"""Chosen prerequisites: no cycle, people win, shortcuts are told, and each edge has its reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
import pytest
import scipy.sparse as sparse
from hypothesis import given
from hypothesis import strategies as st
from vault import place, random_vault, relabelled

from ingest.decisions.settle import Decided, settle
from ingest.relations.features import FEATURES, Pairs, read_pairs
from ingest.relations.gists import Gists
from ingest.relations.prerequisites import (
    NOTHING_STANDING,
    Chosen,
    Least,
    Standing,
    choose,
    orders,
    prerequisites,
)
from ingest.relations.scorer import Scored, Scorer, scorer
from ingest.relations.signals import Naming, Signals
from kg.cycles import EXACT
from kg.types import Concept, Evidence, Relation

N = 6
Pair = tuple[int, int]
CONCEPTS = tuple(Concept(i, f"C{i}", (), (f"{i}.md",), "", ()) for i in range(N))
ids = st.integers(0, N - 1)
ordered = st.tuples(ids, ids).filter(lambda p: p[0] != p[1])
unordered = st.frozensets(ids, min_size=2, max_size=2)
some = st.lists(ordered, max_size=3, unique=True)


@dataclass(frozen=True, slots=True)
class Case:
    """All that a choice is made of; `scores` by what comes first and what needs it."""

    scores: dict[Pair, float]
    named: frozenset[Pair]  # (c, p): c's passages name p
    standing: Standing

    def chosen(self) -> Chosen:
        """The choice, with wording for every edge that no mention supports."""
        both = [p for p in self.scores if p[0] < p[1]]
        a, b = np.array(both, dtype=np.int64).reshape(-1, 2).T
        none = np.zeros((len(a), len(FEATURES)), dtype=np.float32)
        pairs = Pairs(a, b, none, none, sparse.csr_array((N, N), dtype=np.float32))
        scored = Scored(
            np.array([self.scores[p] for p in both]), np.array([self.scores[p[::-1]] for p in both])
        )
        return choose(pairs, scored, LEAST, self.signals(), self.standing, wording)

    def signals(self) -> Signals:
        naming = {(c, p): Naming(1, False, False, False, 0.5, place(c)) for c, p in self.named}
        order = {c: (0, c) for c in range(N)}
        return Signals(naming, order, ((),) * N, tuple(place(c, "position") for c in range(N)))

    def may_be_kept(self, p: int, c: int) -> bool:
        """What is said of inferred edges, one after the other."""
        standing, score = self.standing, self.inferred(p, c)
        if (
            (p, c) in standing.settled.removed
            or (c, p) in standing.settled.kept
            or c in standing.settled.listing
        ):
            return False
        if (
            p in standing.umbrellas
            or c in standing.umbrellas
            or frozenset((p, c)) in standing.nested
        ):
            return False
        silent = p in standing.mute or c in standing.mute or frozenset((p, c)) in standing.together
        if silent and (c, p) not in self.named:
            return False
        back = 0.0 if (c, p) in standing.settled.removed else self.inferred(c, p)
        return score >= learned().keep and (score > back or (score == back and p < c))

    def inferred(self, p: int, c: int) -> float:
        return min(self.scores.get((p, c), 0.0), 0.97)


def learned() -> Scorer:
    return scorer()


LEAST = Least(scorer().keep, scorer().sure)


def wording(p: int, c: int) -> tuple[Evidence, ...]:
    return (place(c, "similarity"),)


def said(pairs: list[Pair], note: str) -> dict[Pair, Evidence]:
    return {pair: Evidence(note, None, line, "", "stated") for line, pair in enumerate(pairs, 1)}


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Scores on both sides of the thresholds and equal ones.

    Statements and decisions that may contradict.
    """
    level = st.one_of(st.sampled_from([0.0, 0.3, 0.6, 0.9, 1.0]), st.floats(0, 1))
    candidates = draw(st.lists(ordered, unique_by=frozenset, max_size=15))
    scores = {way: draw(level) for pair in candidates for way in (pair, pair[::-1])}
    settled = settle(
        said(draw(some), "n.md"),
        Decided(said(draw(some), "gradus.toml"), said(draw(some), "gradus.toml")),
        CONCEPTS,
    )
    few = st.sets(ids, max_size=1)
    groups = st.sets(unordered, max_size=2)
    standing = Standing(settled, draw(few), draw(groups), draw(few), draw(groups))
    return Case(scores, frozenset(draw(st.sets(ordered, max_size=10))), standing)


def kept_of(chosen: Chosen) -> dict[Pair, Relation]:
    return {(r.source, r.target): r for r in chosen.relations if r.kept}


@given(cases())
def test_what_is_kept_can_be_studied_in_order(case: Case) -> None:
    """No cycle and so one direction a pair; each relation stands once."""
    chosen = case.chosen()
    kept = kept_of(chosen)
    assert nx.is_directed_acyclic_graph(nx.DiGraph([*kept]))
    assert not {p[::-1] for p in kept} & {*kept}
    assert len({(r.source, r.target) for r in chosen.relations}) == len(chosen.relations)


@given(cases())
def test_people_win(case: Case) -> None:
    """What is settled is kept whatever it scores, and what is removed is not."""
    settled = case.standing.settled
    relations = {(r.source, r.target): r for r in case.chosen().relations}
    assert all(relations[pair].kept for pair in settled.kept)
    assert not any(relations[pair].kept for pair in settled.removed)
    for pair, r in relations.items():
        if pair in settled.kept:
            assert r.score == (1.0 if pair in settled.decided else 0.98)
        elif pair in settled.removed:
            assert r.score == 0
        else:
            assert r.score <= 0.97


@given(cases())
def test_inferred_edges_are_exactly_those_that_score_enough_and_that_nobody_speaks_against(
    case: Case,
) -> None:
    """All others are scored and not kept.

    Of these only those that close a cycle are missing, and they are told.
    """
    chosen = case.chosen()
    kept, dropped = kept_of(chosen), {(r.source, r.target) for r in chosen.dropped}
    wanted = {pair for pair in case.scores if case.may_be_kept(*pair)}
    assert {*kept} - case.standing.settled.kept == wanted - dropped - case.standing.settled.kept
    assert dropped <= wanted and not dropped & {*kept}
    graph = nx.DiGraph([*kept])
    for p, c in dropped:
        assert p in graph and c in graph and nx.has_path(graph, c, p), (p, c)
    listed = {(r.source, r.target) for r in chosen.relations}
    unlikely = dict(
        zip(zip(*chosen.unlikely.pairs.tolist(), strict=True), chosen.unlikely.scores, strict=True)
    )
    assert listed.isdisjoint(unlikely) and {*case.scores} <= listed | {*unlikely}
    assert [*unlikely] == sorted(unlikely)
    for pair, score in unlikely.items():
        assert score == case.scores[pair] < 0.05


@given(cases())
def test_tiers_say_where_an_edge_comes_from(case: Case) -> None:
    """Stated, sure or likely; none where it is not kept."""
    for r in case.chosen().relations:
        pair = (r.source, r.target)
        if not r.kept:
            assert r.tier == ""
        elif pair in case.standing.settled.kept:
            assert r.tier == "stated"
        else:
            assert r.tier == ("sure" if case.inferred(*pair) >= learned().sure else "likely")


@given(cases())
def test_shortcuts_are_what_the_transitive_reduction_leaves_out(case: Case) -> None:
    """Of the kept edges, and of no others."""
    chosen = case.chosen()
    kept = kept_of(chosen)
    shortest = nx.transitive_reduction(nx.DiGraph([*kept])).edges if kept else ()
    assert {p for p, r in kept.items() if r.shortcut} == {*kept} - {*shortest}
    assert not any(r.shortcut for r in chosen.relations if not r.kept)


@given(cases())
def test_each_kept_edge_has_a_place_that_says_more_than_an_order(case: Case) -> None:
    """What people say first, then mentions; the nearest wording only where there is neither."""
    signals = case.signals()
    for r in case.chosen().relations:
        own = case.standing.settled.lines.get((r.source, r.target), ())
        told = (*own, *signals.evidence(r.source, r.target))
        speaks = any(e.signal != "position" for e in told)
        assert r.evidence == (
            told if speaks or not r.kept else (*wording(r.source, r.target), *told)
        )


def test_a_cycle_loses_its_weakest_edge() -> None:
    """Three that each come before the next.

    The least sure is dropped and still listed, without a tier.
    """
    scores = {(0, 1): 0.9, (1, 2): 0.8, (2, 0): 0.6}
    case = Case(scores | {p[::-1]: 0.01 for p in scores}, frozenset(), NOTHING_STANDING)
    chosen = case.chosen()
    assert {*kept_of(chosen)} == {(0, 1), (1, 2)}
    (lost,) = chosen.dropped
    assert (lost.source, lost.target, lost.score, lost.kept, lost.tier) == (2, 0, 0.6, False, "")
    assert lost in chosen.relations


def test_a_stated_edge_is_not_what_a_cycle_costs() -> None:
    """However sure and many the inferred ones are."""
    stated = settle(said([(2, 0)], "n.md"), Decided(), CONCEPTS)
    ways = [(0, middle) for middle in (1, 3, 4)] + [(middle, 2) for middle in (1, 3, 4)]
    scores = dict.fromkeys(ways, 0.95)
    case = Case(
        scores | {p[::-1]: 0.01 for p in scores},
        frozenset(),
        Standing(stated, frozenset(), frozenset()),
    )
    kept = kept_of(case.chosen())
    assert (2, 0) in kept and len(kept) == 1 + 3


def test_notes_can_be_read_in_an_order_too() -> None:
    """What leads back to the note that most leads on from is dropped, unless a person says it."""
    scores = {(0, 1): 0.9, (2, 3): 0.75, (0, 4): 0.8}
    homes = {0: 0, 3: 0, 4: 0, 1: 1, 2: 1}
    both = scores | {p[::-1]: 0.01 for p in scores}
    chosen = Case(both, frozenset(), replace(NOTHING_STANDING, homes=homes)).chosen()
    assert {*kept_of(chosen)} == {(0, 1), (0, 4)}
    assert [(r.source, r.target) for r in chosen.dropped] == [(2, 3)]
    stated = settle(said([(2, 3)], "n.md"), Decided(), CONCEPTS)
    told = replace(NOTHING_STANDING, settled=stated, homes=homes)
    assert {*kept_of(Case(both, frozenset(), told).chosen())} == {(2, 3), (0, 4)}


def test_equal_scores_keep_the_direction_of_the_smaller_id() -> None:
    """One of them, always the same."""
    case = Case({(1, 3): 0.7, (3, 1): 0.7}, frozenset(), NOTHING_STANDING)
    assert {*kept_of(case.chosen())} == {(1, 3)}


def test_orders_are_those_of_the_notes() -> None:
    """1 where the first stands before, -1 after, 0 where there is no order between them."""
    vault = random_vault(3, 7, mute=[2])
    pairs = read_pairs(vault.signals, vault.gists, {(2, 5)})
    groups = {c: at[0] for c, at in vault.signals.order.items()}
    for a, b, sign in zip(
        pairs.a.tolist(), pairs.b.tolist(), orders(vault.signals, pairs).tolist(), strict=True
    ):
        assert sign == (1 if a in groups and b in groups and groups[a] == groups[b] else 0)
    other = relabelled(vault, [6, 5, 4, 3, 2, 1, 0])
    found = read_pairs(other.signals, other.gists, set())
    assert set(orders(other.signals, found).tolist()) == {0, -1}


def all_of(signals: Signals, gists: Gists) -> dict[Pair, Relation]:
    concepts = [Concept(i, f"C{i}", (), (), "", ()) for i in range(len(gists.texts))]
    chosen = prerequisites(concepts, signals, gists, NOTHING_STANDING, wording)
    return {(r.source, r.target): r for r in chosen.relations}


@pytest.mark.parametrize("seed", range(12))
def test_other_ids_give_the_same_edges(seed: int) -> None:
    """From vectors and mentions to kept edges, as long as cycles are broken at least cost."""
    vault = random_vault(seed, EXACT, density=0.1)
    new = np.random.default_rng(seed).permutation(EXACT).tolist()
    again = relabelled(vault, new)
    one, other = all_of(vault.signals, vault.gists), all_of(again.signals, again.gists)
    assert {(new[p], new[c]) for p, c in one} == {*other}
    for (p, c), r in one.items():
        there = other[new[p], new[c]]
        assert (there.kept, there.tier, there.shortcut) == (r.kept, r.tier, r.shortcut)
        assert there.score == pytest.approx(r.score, abs=2e-4)
