"""Prerequisites by methods that learn nothing: who mentions whom, reference distance, likeness of
texts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from benchmarks.prerequisites.fitting import Vault
from ingest.relations.features import FEATURES, sampled
from kg.graph import acyclic
from kg.types import Relation

__all__ = ["plain_methods", "strongest"]

Floats = npt.NDArray[np.float64]


def plain_methods(vault: Vault) -> dict[str, tuple[Floats, Floats]]:
    """Scores of "a before b" and of "b before a" for a vault's candidate pairs, shape (m,) each, by
    method's name.

    Mention asymmetry is how often b's passages name a, less how often a's name b.
    """
    a, b = vault.pairs.a, vault.pairs.b
    names = _mentions(vault)
    asymmetry = (sampled(names, b, a) - sampled(names, a, b)).astype(np.float64)
    distance = _reference_distance(vault, names)
    cosine = vault.pairs.ahead[:, list(FEATURES).index("texts")].astype(np.float64)
    return {
        "mention asymmetry": (asymmetry, -asymmetry),
        "reference distance": (distance, -distance),
        "embedding cosine": (cosine, cosine),
    }


def strongest(vault: Vault, scores: tuple[Floats, Floats], most: int) -> tuple[Relation, ...]:
    """Relations by a plain method: its highest scores kept, one direction a pair, without cycles.

    The evaluation's scorer reads nothing below 0, so scores are moved to begin there.
    """
    a, b = vault.pairs.a.tolist(), vault.pairs.b.tolist()
    both = [
        *zip(a, b, scores[0].tolist(), strict=True),
        *zip(b, a, scores[1].tolist(), strict=True),
    ]
    forward = (scores[0] >= scores[1]).tolist()
    best = [
        x if first else y
        for x, y, first in zip(both[: len(a)], both[len(a) :], forward, strict=True)
    ]
    ranked = sorted((e for e in best if e[2] > 0), key=lambda e: (-e[2], e[0], e[1]))[:most]
    top = max(e[2] for e in ranked)
    kept = {e[:2] for e in acyclic([(p, c, s / top) for p, c, s in ranked])[0]}
    least = min(e[2] for e in both)
    return tuple(Relation("prerequisite", p, c, s - least, (p, c) in kept, ()) for p, c, s in both)


def _mentions(vault: Vault) -> sparse.csr_array:
    """Entry (c, p): how often c's passages name p."""
    n = len(vault.concepts)
    places = np.array(sorted(vault.signals.naming)).reshape(-1, 2)
    counts = np.array(
        [vault.signals.naming[c, p].count for c, p in places.tolist()], dtype=np.float64
    )
    return sparse.csr_array((counts, (places[:, 0], places[:, 1])), shape=(n, n))


def _reference_distance(vault: Vault, names: sparse.csr_array) -> Floats:
    """How much of what b names names a, less how much of what a names names b, weighted by tf-idf;
    shape (m,).

    A concept counts among what it names itself, as much as what it names most, at least with weight
    1.

    References
    ----------
    Liang, Wu, Huang, Giles (2015), Measuring prerequisite relations among concepts.
    """
    n = names.shape[0]
    named = names.copy()
    named.data[:] = 1
    rarity = np.log(n / np.maximum(1, np.asarray(named.sum(axis=0)).ravel()))
    own = np.maximum(rarity, 1) * np.maximum(1, names.max(axis=1).toarray().ravel())
    weights = names @ sparse.diags_array(rarity) + sparse.diags_array(own)
    referred = sparse.diags_array(1 / np.asarray(weights.sum(axis=1)).ravel()) @ weights @ named
    a, b = vault.pairs.a, vault.pairs.b
    return (sampled(referred, b, a) - sampled(referred, a, b)).astype(np.float64)
