"""Fit the scorer of prerequisites on a vault with a graph that people drew, and score concepts held
out of the fit.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from benchmarks.concepts.train import encoded
from ingest.build import ingest
from ingest.concepts.candidates import NoteParts
from ingest.concepts.find import concepts_as_decided
from ingest.concepts.links import mentions_of
from ingest.decisions.read import decisions_in
from ingest.derive import Sources, read_sources
from ingest.passages.encode import name_vectors
from ingest.relations.features import FEATURES, Pairs, read_pairs
from ingest.relations.gists import Gists, NameVectors, read_gists
from ingest.relations.prerequisites import orders
from ingest.relations.scorer import Linear, Round, Scorer, around, joined_columns
from ingest.relations.signals import Signals, read_signals
from kg.encoder import load_encoder
from kg.types import Concept
from kg.writing import writing

__all__ = [
    "SETTINGS",
    "Gold",
    "Settings",
    "Vault",
    "fit",
    "folds",
    "held_out",
    "ingested",
    "read_gold",
    "read_vault",
    "vault_of",
]

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Vault:
    """A vault's concepts and candidate pairs, read as an ingest reads them."""

    concepts: tuple[Concept, ...]
    signals: Signals
    gists: Gists
    pairs: Pairs
    earlier: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gold:
    """For each candidate pair whether people drew an edge from a to b, or from b to a; shape (m,)
    each.
    """

    ahead: Mask
    back: Mask
    edges: frozenset[tuple[int, int]]  # all of them by ids of concepts, first what comes first

    @property
    def joined(self) -> Mask:
        """Pairs with an edge either way."""
        return self.ahead | self.back


@dataclass(frozen=True, slots=True)
class Settings:
    """What is chosen by comparison on held-out concepts."""

    joined_c: float = 0.3  # inverse strength of the ridge penalty, features scaled to deviation 1
    first_c: float = 0.1
    apart: float = 0.15
    without: frozenset[str] = frozenset()  # features left out, for ablations
    rounds: int = 2


SETTINGS = Settings()


def read_vault(notes: Path) -> Vault:
    """Ingest a folder of notes into a store that is thrown away, and read its candidate pairs."""
    with ingested(notes) as (sources, vectors):
        return vault_of(sources, vectors, range(len(sources.notes)))


@contextmanager
def ingested(notes: Path) -> Iterator[tuple[Sources, NameVectors]]:
    """A folder of notes ingested into a store that is thrown away, and the vectors of names."""
    with tempfile.TemporaryDirectory() as folder:
        ingest([notes], Path(folder))
        with writing(Path(folder)) as writer:
            yield (
                read_sources(writer),
                partial(name_vectors, writer=writer, encoder=cache(load_encoder), say=_nothing),
            )


def _nothing(*_: object) -> None:
    """No progress is shown."""


def vault_of(sources: Sources, vectors: NameVectors, chosen: Sequence[int]) -> Vault:
    """Read the candidate pairs of some of the notes as if there were no others."""
    notes: list[NoteParts] = []
    ids: list[int] = []
    for note in (sources.notes[i] for i in chosen):
        own = [replace(p, id=len(ids) + i) for i, p in enumerate(note.passages)]
        ids += [p.id for p in note.passages]
        notes.append(replace(note, passages=tuple(own)))
    concepts, _ = concepts_as_decided(notes, decisions_in("")[0], encoded)
    gists = read_gists(
        concepts,
        [p for note in notes for p in note.passages],
        sources.vectors[ids],
        lambda p: sources.words(ids[p]),
        vectors,
    )
    signals = read_signals(concepts, mentions_of(concepts, notes), notes)
    pairs = read_pairs(signals, gists, set())
    wordless = replace(gists, words=lambda _: np.zeros((0, 1), np.float32))
    return Vault(tuple(concepts), signals, wordless, pairs, orders(signals, pairs))


def read_gold(edges: Path, vault: Vault) -> Gold:
    """The edges that people drew, from a file of JSON lines that names notes."""
    ids = {Path(note).stem: c.id for c in vault.concepts for note in c.notes[:1]}
    drawn = set()
    for line in edges.read_text(encoding="utf-8").splitlines():
        read = json.loads(line)
        pair = ids.get(read["prerequisite_file"]), ids.get(read["concept_file"])
        if pair[0] is not None and pair[1] is not None:
            drawn.add((pair[0], pair[1]))
    a, b = vault.pairs.a.tolist(), vault.pairs.b.tolist()
    ahead = np.array([pair in drawn for pair in zip(a, b, strict=True)], dtype=bool)
    back = np.array([pair in drawn for pair in zip(b, a, strict=True)], dtype=bool)
    return Gold(ahead, back, frozenset(drawn))


def folds(n: int, k: int, seed: int) -> npt.NDArray[np.int64]:
    """A fold for each of n concepts, at random."""
    out = np.zeros(n, dtype=np.int64)
    out[np.random.default_rng(seed).permutation(n)] = np.arange(n) % k
    return out


def fit(vault: Vault, gold: Gold, chosen: Mask, settings: Settings = SETTINGS) -> Scorer:
    """Fit both rounds on the chosen candidate pairs; thresholds and calibration are left as they
    are.
    """
    pairs, n = vault.pairs, len(vault.concepts)
    kept = np.array([name not in settings.without for name in FEATURES])
    ahead, back = pairs.ahead * kept, pairs.back * kept
    one = _fit_round(ahead, back, gold, chosen, settings)
    joined, first = one.joined(joined_columns(ahead, back)), one.first(ahead - back)
    if settings.rounds == 1:
        return Scorer((one, one), 0.0, settings.apart, 1.0, 0.0, 0.0, 1.0)
    beyond = around(pairs, joined, first, n)
    two = _fit_round(
        np.hstack([ahead, beyond[0]]), np.hstack([back, beyond[1]]), gold, chosen, settings
    )
    return Scorer((one, two), 0.0, settings.apart, 1.0, 0.0, 0.0, 1.0)


def _fit_round(ahead: Floats, back: Floats, gold: Gold, chosen: Mask, settings: Settings) -> Round:
    columns = joined_columns(ahead, back)
    joined = _regression(columns[chosen], gold.joined[chosen], settings.joined_c, bias=True)
    drawn = chosen & gold.joined & ~(gold.ahead & gold.back)
    differences = (ahead - back)[drawn]
    # Each edge stands once as it is and once turned round, which leaves the bias at 0.
    both = np.concatenate([differences, -differences])
    labels = np.concatenate([gold.ahead[drawn], gold.back[drawn]])
    first = _regression(both, labels, settings.first_c, bias=False)
    return Round(joined, first)


def _regression(columns: npt.NDArray[np.floating], labels: Mask, c: float, *, bias: bool) -> Linear:
    """Logistic regression with a ridge penalty over columns of deviation 1; its weights are for
    columns as given.
    """
    scale = np.where(columns.std(axis=0) > 1e-9, columns.std(axis=0), np.inf)
    model = LogisticRegression(C=c, fit_intercept=bias, max_iter=2000)
    model.fit(columns / scale, labels)
    return Linear(model.coef_[0] / scale, float(model.intercept_[0]) if bias else 0.0)


def held_out(
    vault: Vault,
    fold: npt.NDArray[np.int64],
    fitted: Callable[[Mask], tuple[Floats, Floats]],
) -> tuple[Floats, Floats]:
    """Scores of "a before b" and "b before a", each from a fit without any pair that touches the
    later one's fold.

    Parameters
    ----------
    fitted : function
        From the mask of pairs to fit on to all pairs' scores.
    """
    a, b = fold[vault.pairs.a], fold[vault.pairs.b]
    ahead, back = np.zeros(len(a)), np.zeros(len(a))
    for k in np.unique(fold):
        scores = fitted((a != k) & (b != k))
        ahead[b == k], back[a == k] = scores[0][b == k], scores[1][a == k]
    return ahead, back
