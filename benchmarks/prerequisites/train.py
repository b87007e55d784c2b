"""Train the scorer of prerequisites on the graph that people drew over metacademy's notes; writes
`ingest/relations/scorer.json`.

    python -m benchmarks.prerequisites.train ../shared

The coefficients are fitted on all of it. What only a comparison can choose (calibration, which
score is kept, which is sure) is read off scores of concepts held out of the fit. The weight of the
notes' own order is read off notes without any labels: how often the order agrees with directions
that the texts alone make sure.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from app.paths import starter_notes
from benchmarks.prerequisites.fitting import (
    Gold,
    Vault,
    fit,
    folds,
    held_out,
    read_gold,
    read_vault,
)
from benchmarks.record import circumstances
from ingest.relations.features import FEATURES
from ingest.relations.scorer import AROUND, Linear, Round, Scored, Scorer, joined_columns, scorer

FILE = Path(__file__).parents[2] / "ingest" / "relations" / "scorer.json"
FOLDS = 10
DIGITS = 4
ANCESTORS, SURE_ANCESTORS = (
    0.72,
    0.9,
)  # shares of kept and of sure edges that follow from drawn ones
FEWEST = 40  # sure edges, for their share to mean something
SURE_STEP = 2.5  # log-odds of a direction that count as sure when the notes' order is weighed
SURE_JOINED = 0.3

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def main() -> None:
    """Train, choose, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    shared = parser.parse_args().shared.resolve()
    _make_readable()
    vault = read_vault(shared / "eval/metacademy/notes")
    gold = read_gold(shared / "eval/metacademy/edges.jsonl", vault)
    fold = folds(len(vault.concepts), FOLDS, seed=0)
    shares = held_out(vault, fold, lambda mask: _scores(fit(vault, gold, mask), vault))
    reach = closure(gold.edges, len(vault.concepts))
    a, b = vault.pairs.a, vault.pairs.b
    slope, offset = calibration(shares, (reach[a, b], reach[b, a]))
    learned = replace(
        fit(vault, gold, np.ones(len(vault.pairs.a), dtype=bool)), slope=slope, offset=offset
    )
    calibrated = Scored(learned.calibrated(shares[0]), learned.calibrated(shares[1]))
    keep, sure = thresholds(vault, gold, calibrated, reach)
    learned = replace(learned, keep=keep, sure=sure)
    weight, agreeing = order_weight(learned, [shared / "eval/fastbook/notes", starter_notes()])
    learned = replace(learned, earlier=weight)
    about = {
        "trained with": "python -m benchmarks.prerequisites.train",
        "data": "metacademy (metacademy.org, CC BY-SA 3.0): notes and the prerequisite graph drawn "
        "over them",
        "concepts": len(vault.concepts),
        "edges": len(gold.edges),
        "candidate pairs": len(vault.pairs.a),
        "order": f"{agreeing:.3f} of the sure directions agree with the order of the notes "
        "(fastbook, starter notes)",
        "figures": "benchmarks/results/prerequisites.json",
        "date": circumstances()["date"],
    }
    FILE.write_text(json.dumps(written(learned, about), indent=1) + "\n", encoding="utf-8")
    print(
        json.dumps(
            {
                **about,
                "keep": keep,
                "sure": sure,
                "earlier": weight,
                "slope": slope,
                "offset": offset,
            }
        )
    )


def _make_readable() -> None:
    """Put a scorer that knows nothing in place of one for other features, as every ingest needs
    one.
    """
    try:
        scorer()
    except (OSError, ValueError):
        sizes = len(FEATURES), len(FEATURES) + len(AROUND)
        blank = [Round(Linear(np.zeros(2 * n), 0.0), Linear(np.zeros(n), 0.0)) for n in sizes]
        empty = Scorer((blank[0], blank[1]), 0.0, 1.0, 1.0, 0.0, 1.0, 1.0)
        FILE.write_text(json.dumps(written(empty, {})), encoding="utf-8")


def _scores(learned: Scorer, vault: Vault) -> tuple[Floats, Floats]:
    scored = learned.score(vault.pairs, vault.earlier, len(vault.concepts))
    return scored.ahead, scored.back


def calibration(shares: tuple[Floats, Floats], follows: tuple[Mask, Mask]) -> tuple[float, float]:
    """Slope and offset that turn held-out scores into probabilities that the one comes before the
    other.

    That is what people drew as an edge, or what follows from edges they drew.

    References
    ----------
    Platt (1999), Probabilistic outputs for support vector machines.
    """
    both = np.clip(np.concatenate(shares), 1e-9, 1 - 1e-9)
    model = LogisticRegression(C=1e6, max_iter=1000)
    model.fit(np.log(both / (1 - both))[:, None], np.concatenate(follows))
    return round(float(model.coef_[0, 0]), DIGITS), round(float(model.intercept_[0]), DIGITS)


def thresholds(
    vault: Vault, gold: Gold, scored: Scored, follows: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """The score from which edges are kept, and from which they are sure.

    Kept: the best F1 against drawn edges with which ANCESTORS of the kept ones still follow from
    drawn ones. Sure: the lowest with which SURE_ANCESTORS of the kept ones above it do.
    """
    a, b = vault.pairs.a.tolist(), vault.pairs.b.tolist()
    forward = scored.ahead >= scored.back
    edges = [
        (s, pair)
        for s, pair in zip(
            np.maximum(scored.ahead, scored.back).tolist(),
            [(p, c) if f else (c, p) for p, c, f in zip(a, b, forward, strict=True)],
            strict=True,
        )
    ]
    ranked = sorted(edges, reverse=True)[: 2 * len(gold.edges)]
    n = np.arange(1, len(ranked) + 1)
    following = np.cumsum([follows[pair] for _, pair in ranked]) / n
    f1 = 2 * np.cumsum([pair in gold.edges for _, pair in ranked]) / (n + len(gold.edges))
    keep = int(np.argmax(np.where(following >= ANCESTORS, f1, 0)))
    sure = int(np.flatnonzero(following[FEWEST:] >= SURE_ANCESTORS)[-1]) + FEWEST
    return round(ranked[keep][0], 2), round(ranked[sure][0], 2)


def closure(
    edges: Sequence[tuple[int, int]] | frozenset[tuple[int, int]], n: int
) -> npt.NDArray[np.bool_]:
    """Which concept comes before which by way of drawn edges, shape (n, n)."""
    reach = np.zeros((n, n), dtype=bool)
    for p, c in edges:
        reach[p, c] = True
    while True:
        further = reach | ((reach.astype(np.float32) @ reach.astype(np.float32)) > 0)
        if (further == reach).all():
            return reach
        reach = further


def order_weight(learned: Scorer, folders: Sequence[Path]) -> tuple[float, float]:
    """What standing earlier adds to the log-odds of a direction, and how often the order agrees
    with sure ones.
    """
    agree = total = 0
    for folder in folders:
        vault = read_vault(folder)
        pairs = vault.pairs
        first = learned.rounds[0].first(pairs.ahead - pairs.back)
        joined = 1 / (
            1 + np.exp(-learned.rounds[0].joined(joined_columns(pairs.ahead, pairs.back)))
        )
        sure = (np.abs(first) >= SURE_STEP) & (joined >= SURE_JOINED) & (vault.earlier != 0)
        agree += int((np.sign(first[sure]) == vault.earlier[sure]).sum())
        total += int(sure.sum())
        print(folder.name, int(sure.sum()), "pairs")
    share = (agree + 1) / (total + 2)
    return round(float(np.log(share / (1 - share))), 2), share


def written(learned: Scorer, about: dict[str, Any]) -> dict[str, Any]:
    """The scorer as its file has it."""
    names = [*FEATURES], [*FEATURES, *AROUND]
    rounds = [
        {
            "joined": _named(part.joined, [*own, *(f"greater {n}" for n in own)])
            | {"bias": round(part.joined.bias, DIGITS)},
            "first": _named(part.first, own),
        }
        for part, own in zip(learned.rounds, names, strict=True)
    ]
    numbers = {
        k: getattr(learned, k) for k in ("earlier", "apart", "slope", "offset", "keep", "sure")
    }
    return {"about": about, **numbers, "rounds": rounds}


def _named(linear: Linear, names: Sequence[str]) -> dict[str, float]:
    return {name: round(float(w), DIGITS) for name, w in zip(names, linear.weights, strict=True)}


if __name__ == "__main__":
    main()
