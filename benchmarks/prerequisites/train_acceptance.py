"""Fit the probability that a teacher accepts an edge, and measure it with vaults left out.

    python -m benchmarks.prerequisites.train_acceptance SHARED

Learned from `judged/`: edges that were kept at first, and further pairs, judged one by one by
readers who did not know the scores. Writes the trees and saves the figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import ingest.relations
from benchmarks.concepts.train import as_arrays, vaults_with_corpora
from benchmarks.prerequisites.fitting import read_vault
from benchmarks.record import save
from ingest.names.labels import merge_key
from ingest.relations.acceptance import KEEP, MODEL, SEEN, SURE, mean_of, seen
from ingest.relations.scorer import scorer
from kg.rows import LEAST

HERE = Path(__file__).parent
TREES: dict[str, Any] = {
    "max_iter": 120, "learning_rate": 0.05, "max_leaf_nodes": 6, "min_samples_leaf": 20,
    "l2_regularization": 5.0, "early_stopping": False,
}  # fmt: skip
# Left out together: what is alike.
GROUPS = (
    ("seed", "starter"), ("tuning_playbook",), ("cs231n", "dl_summary"), ("cs228",),
    ("exercism_csharp", "exercism_elixir"), ("modernmath", "statproofbook"), ("cp_algorithms",),
    ("ethereum_docs",),
)  # fmt: skip
STEPS = (0.5, 0.6, KEEP, 0.75, 0.8, SURE)


@dataclass(frozen=True, slots=True)
class Judged:
    """The judged pairs of a vault that are candidates in it."""

    name: str
    rows: npt.NDArray[np.float64]  # (n, SEEN)
    accept: npt.NDArray[np.bool_]
    kept: npt.NDArray[np.bool_]  # of the edges that were kept by the score alone


def main() -> None:
    """Read, measure, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    folders = vaults_with_corpora(parser.parse_args().shared.resolve())
    read = [judged_of(name, folders[name]) for group in GROUPS for name in group]
    figures = measured(read)
    trees = as_arrays(_fit(read), SEEN)
    path = Path(ingest.relations.__path__[0]) / MODEL
    stored = {
        "command": "python -m benchmarks.prerequisites.train_acceptance SHARED",
        "judged": sum(len(v.accept) for v in read),
        "trees": trees,
    }
    path.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")
    print("saved", path, save("acceptance", {"rows": figures}))


def judged_of(name: str, folder: Path) -> Judged:
    """Ingest a vault, and find the judged pairs among its candidates."""
    vault = read_vault(folder)
    pairs = vault.pairs
    scored = scorer().score(pairs, vault.earlier, len(vault.concepts))
    places: dict[tuple[str, str], tuple[int, bool]] = {}
    names = [merge_key(c.label) for c in vault.concepts]
    for i, (a, b) in enumerate(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)):
        for forward, chance in ((True, scored.ahead[i]), (False, scored.back[i])):
            if chance >= LEAST:
                places[(names[a], names[b]) if forward else (names[b], names[a])] = i, forward
    lines = [json.loads(line) for line in (HERE / f"judged/{name}.jsonl").open(encoding="utf-8")]
    found = [
        (places[k], x)
        for x in lines
        if (k := (merge_key(x["prerequisite"]), merge_key(x["concept"]))) in places
    ]
    rows = [
        seen(pairs, scored, vault.earlier, vault.signals, np.array([i]), forward)[0]
        for (i, forward), _ in found
    ]
    print(name, len(lines), "judged,", len(found), "found", flush=True)
    return Judged(
        name,
        np.array(rows),
        np.array([x["accept"] for _, x in found]),
        np.array([x["kept"] for _, x in found]),
    )


def _fit(read: Sequence[Judged]) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(**TREES, random_state=0).fit(
        np.concatenate([v.rows for v in read]), np.concatenate([v.accept for v in read])
    )


def measured(read: Sequence[Judged]) -> list[dict[str, Any]]:
    """Each vault by trees that saw none of its group."""
    chances = {}
    for group in GROUPS:
        fit = _fit([v for v in read if v.name not in group])
        for v in (v for v in read if v.name in group):
            chances[v.name] = mean_of(fit.predict_proba(v.rows)[:, 1], v.rows)
    figures = [{"of": v.name, **_figures(chances[v.name], v.accept, v.kept)} for v in read]
    every = [np.concatenate(parts) for parts in (
        [chances[v.name] for v in read], [v.accept for v in read], [v.kept for v in read]
    )]  # fmt: skip
    figures.append({"of": "all", **_figures(*every), "calibration_error": _error(*every[:2])})
    for row in figures:
        print(row)
    return figures


def _figures(
    chance: npt.NDArray[np.float64], accept: npt.NDArray[np.bool_], kept: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    """Shares accepted of the edges that the score alone kept, and of all from each chance on."""
    out: dict[str, Any] = {
        "judged": len(accept),
        "auc": round(float(roc_auc_score(accept, chance)), 3),
        "kept_before": int(kept.sum()),
        "accepted_before": round(float(accept[kept].mean()), 3),
    }
    for step in STEPS:
        sure = chance >= step
        out[f"from_{step}"] = int(sure.sum())
        out[f"accepted_{step}"] = round(float(accept[sure].mean()), 3) if sure.any() else None
    return out


def _error(chance: npt.NDArray[np.float64], accept: npt.NDArray[np.bool_]) -> float:
    """Expected calibration error over ten equal steps."""
    step = np.minimum((chance * 10).astype(int), 9)
    parts = [(step == k) for k in range(10)]
    return round(
        float(sum(abs(accept[s].mean() - chance[s].mean()) * s.mean() for s in parts if s.any())),
        3,
    )


if __name__ == "__main__":
    main()
