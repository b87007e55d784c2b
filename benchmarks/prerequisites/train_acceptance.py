"""Fit the probability that a teacher accepts an edge, and measure it with vaults left out.

    python -m benchmarks.prerequisites.train_acceptance SHARED

Learned from `judged/`: edges that were kept at first, and further pairs, judged one by one by
readers who did not know the scores; seen in whole vaults and in pieces of them, as people begin
with a few notes. Writes the trees and saves the figures.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

import ingest.relations
from benchmarks.concepts.train import as_arrays, vaults_with_corpora
from benchmarks.prerequisites.fitting import Vault, ingested, vault_of
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
PIECES = (2, 4, 8, 16)  # notes
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
    read = [read_judged(name, folders[name]) for group in GROUPS for name in group]
    figures = measured(read)
    trees = as_arrays(_fit(read), SEEN)
    path = Path(ingest.relations.__path__[0]) / MODEL
    stored = {
        "command": "python -m benchmarks.prerequisites.train_acceptance SHARED",
        "judged": sum(len(whole.accept) for whole, *_ in read),
        "trees": trees,
    }
    path.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")
    print("saved", path, save("acceptance", {"rows": figures}))


def read_judged(name: str, folder: Path) -> list[Judged]:
    """The judged pairs among a vault's candidates: in the whole, then in pieces of a few notes."""
    lines = [json.loads(line) for line in (HERE / f"judged/{name}.jsonl").open(encoding="utf-8")]
    with ingested(folder) as (sources, vectors):
        whole = vault_of(sources, vectors, range(len(sources.notes)))
        pieces = [
            _judged_in(name, vault_of(sources, vectors, chosen), lines)
            for chosen in _pieces(_homes(whole, [n.name for n in sources.notes], lines))
        ]
    out = [_judged_in(name, whole, lines), *(p for p in pieces if len(p.accept))]
    print(name, len(lines), "judged,", len(out[0].accept), "found,", len(out), "times", flush=True)
    return out


def _homes(vault: Vault, notes: Sequence[str], lines: Sequence[dict[str, Any]]) -> list[Set[int]]:
    """The notes, one or two, in which the two concepts of each judged pair are explained first."""
    at = {note: i for i, note in enumerate(notes)}
    home = {merge_key(c.label): at[c.notes[0]] for c in vault.concepts if c.notes}
    ends = ((merge_key(x["prerequisite"]), merge_key(x["concept"])) for x in lines)
    return [{home[name] for name in pair} for pair in ends if home.keys() >= {*pair}]


def _pieces(homes: Sequence[Set[int]]) -> Iterator[list[int]]:
    """Few notes at a time, in which all judged pairs are together as often as there are sizes."""
    distinct = sorted({tuple(sorted(pair)) for pair in homes})
    for times, size in enumerate(PIECES):
        order = np.random.default_rng(times).permutation(len(distinct))
        left = [{*distinct[i]} for i in order]
        while left:
            piece = left.pop(0)
            for pair in sorted(left, key=lambda pair: not pair & piece):
                piece |= pair if len(piece | pair) <= size else set()
            left = [pair for pair in left if not pair <= piece]
            yield sorted(piece)


def _judged_in(name: str, vault: Vault, lines: Sequence[dict[str, Any]]) -> Judged:
    pairs = vault.pairs
    scored = scorer().score(pairs, vault.earlier, len(vault.concepts))
    places: dict[tuple[str, str], tuple[int, bool]] = {}
    names = [merge_key(c.label) for c in vault.concepts]
    for i, (a, b) in enumerate(zip(pairs.a.tolist(), pairs.b.tolist(), strict=True)):
        for forward, chance in ((True, scored.ahead[i]), (False, scored.back[i])):
            if chance >= LEAST:
                places[(names[a], names[b]) if forward else (names[b], names[a])] = i, forward
    found = [
        (places[k], x)
        for x in lines
        if (k := (merge_key(x["prerequisite"]), merge_key(x["concept"]))) in places
    ]
    rows = [
        seen(pairs, scored, vault.earlier, vault.signals, np.array([i]), forward)[0]
        for (i, forward), _ in found
    ]
    return Judged(
        name,
        np.array(rows).reshape(-1, len(SEEN)),
        np.array([x["accept"] for _, x in found], dtype=bool),
        np.array([x["kept"] for _, x in found], dtype=bool),
    )


def _fit(read: Sequence[Sequence[Judged]]) -> HistGradientBoostingClassifier:
    """A vault's pieces count together as much as the whole."""
    every = [v for own in read for v in own]
    weights = [
        np.full(len(v.accept), len(own[0].accept) / sum(len(x.accept) for x in parts))
        for own in read
        for parts in (own[:1], own[1:])
        for v in parts
    ]
    return HistGradientBoostingClassifier(**TREES, random_state=0).fit(
        np.concatenate([v.rows for v in every]),
        np.concatenate([v.accept for v in every]),
        sample_weight=np.concatenate(weights),
    )


def measured(read: Sequence[Sequence[Judged]]) -> list[dict[str, Any]]:
    """Each vault, and the pieces of all, by trees that saw none of its group."""
    chances: dict[str, list[npt.NDArray[np.float64]]] = {}
    for group in GROUPS:
        fit = _fit([own for own in read if own[0].name not in group])
        for own in (own for own in read if own[0].name in group):
            chances[own[0].name] = [mean_of(fit.predict_proba(v.rows)[:, 1], v.rows) for v in own]
    seen_by = [(v, chances[own[0].name][i], i == 0) for own in read for i, v in enumerate(own)]
    figures = [{"of": v.name, **_figures([(v, c)])} for v, c, whole in seen_by if whole]
    figures += [
        {"of": name, **_figures([(v, c) for v, c, is_whole in seen_by if is_whole == whole])}
        for name, whole in (("all", True), ("pieces", False))
    ]
    for row in figures:
        print(row)
    return figures


def _figures(read: Sequence[tuple[Judged, npt.NDArray[np.float64]]]) -> dict[str, Any]:
    """Shares accepted of the edges that the score alone kept, and of all from each chance on."""
    chance = np.concatenate([c for _, c in read])
    accept, kept = (np.concatenate([getattr(v, x) for v, _ in read]) for x in ("accept", "kept"))
    out: dict[str, Any] = {
        "judged": len(accept),
        "auc": round(float(roc_auc_score(accept, chance)), 3),
        "kept_before": int(kept.sum()),
        "accepted_before": round(float(accept[kept].mean()), 3),
        "calibration_error": _error(chance, accept),
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
