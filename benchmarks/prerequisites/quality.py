"""The scorer of prerequisites on concepts held out of its training, beside plain methods and with
parts left out.

    python -m benchmarks.prerequisites.quality ../shared [--quick]

Each score comes from a fit without any pair that touches the fold of the later concept; what is
kept is then chosen as an ingest chooses it, and `eval/score_prerequisites.py` gives the figures.
Folds are random, or, for transfer, fields. Calibration and the thresholds of kept and sure edges
are those that ship; they were read off held-out scores of seed 0.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

import ingest.relations.prerequisites
from app.paths import starter_notes
from benchmarks.prerequisites.fitting import (
    SETTINGS,
    Gold,
    Settings,
    Vault,
    fit,
    folds,
    held_out,
    read_gold,
    read_vault,
)
from benchmarks.prerequisites.plain_methods import plain_methods, strongest
from benchmarks.prerequisites.train import closure
from benchmarks.record import save
from benchmarks.search.quality import prerequisites as plain_ingest
from benchmarks.search.quality import score
from ingest.build import ingest as ingest_notes
from ingest.concepts.find import concepts_as_decided
from ingest.concepts.links import mentions_of
from ingest.decisions.read import decisions_in
from ingest.derive import read_sources
from ingest.relations.prerequisites import NOTHING_STANDING, Least, choose
from ingest.relations.scorer import Scored, joined_columns, probabilities, scorer
from ingest.relations.signals import read_signals
from kg.encoder import load_encoder
from kg.store import open_store
from kg.types import Relation
from kg.writing import writing

Floats = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

FOLDS, SEEDS, FIELDS = 10, (0, 1, 2), 4
GROUPS: Mapping[str, tuple[str, ...]] = {
    "mentions": ("named", "first", "early", "cued", "contrasted", "share"),
    "names' words": ("in label", "label words", "label said", "words said", "words"),
    "late interaction": (
        "told",
        "told least",
        "told together",
        "label in stretch",
        "text told",
        "told before others",
        "tells before others",
    ),
    "cosines": ("label in text", "texts", "labels"),
    "neighbours": (
        "nearest name",
        "names nearest",
        "nearest name nearest",
        "named by named",
        "named where named",
        "names the same",
    ),
    "how many": (
        "named by many",
        "names many",
        "told by many",
        "tells many",
        "near many",
        "label near many",
    ),
}
HAND_SET = {
    "auc": 0.794, "direction": 0.690, "map": 0.497, "kept_f1": 0.377, "kept_ancestor_ok": 0.802,
    "about": "rules with weights set by hand, before the scorer; stated from results/quality.json "
             "of that commit",
}  # fmt: skip
SHOWN = (
    "auc",
    "direction",
    "map",
    "kept",
    "kept_precision",
    "kept_f1",
    "kept_ancestor_ok",
    "cycles",
)
SURE = ("sure", "sure_pairs_ok", "sure_edges", "sure_ancestor_ok")


@dataclass(frozen=True, slots=True)
class Reading:
    """A vault with what people drew over it, and where the figures are made."""

    shared: Path
    vault: Vault
    gold: Gold
    reach: Mask  # (n, n): which concept comes before which by way of drawn edges
    work: Path

    @property
    def drawn(self) -> Path:
        """The folder with drawn edges and balanced pairs."""
        return self.shared / "eval/metacademy"

    def stem(self, concept: int) -> str:
        """The name of a concept's note, as drawn edges have it."""
        return Path(self.vault.concepts[concept].notes[0]).stem


def main() -> None:
    """Measure, print a table, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument(
        "--quick", action="store_true", help="one seed, nothing left out; prints without saving"
    )
    given = parser.parse_args()
    shared = given.shared.resolve()
    with tempfile.TemporaryDirectory() as work:
        vault = read_vault(shared / "eval/metacademy/notes")
        gold = read_gold(shared / "eval/metacademy/edges.jsonl", vault)
        reading = Reading(shared, vault, gold, closure(gold.edges, len(vault.concepts)), Path(work))
        found = measured(reading, SEEDS[:1] if given.quick else SEEDS, quick=given.quick)
    if not given.quick:
        print("\nsaved", save("prerequisites", found))


def measured(reading: Reading, seeds: Sequence[int], *, quick: bool) -> dict[str, Any]:
    """All rows and curves."""
    print(f"{'':<28}", "  ".join(f"{c.removeprefix('kept_'):>11}" for c in (*SHOWN, *SURE)))
    n = len(reading.vault.concepts)
    first = folds(n, FOLDS, seeds[0])
    by_seed, whole = [], None
    for seed in seeds:
        shares = held_out(reading.vault, folds(n, FOLDS, seed), partial(fitted, reading))
        relations = chosen(reading, shares)
        by_seed.append(shown(f"whole, seed {seed}", figures(reading, relations)))
        whole = whole or (shares, relations)
    assert whole is not None
    rows: dict[str, Any] = {"whole": over_seeds(by_seed)}
    kept = by_seed[0]["kept"]
    per_fold = [figures(reading, whole[1], first == k) for k in range(FOLDS)]
    for name, scores in plain_methods(reading.vault).items():
        rows[name] = shown(name, figures(reading, strongest(reading.vault, scores, kept)))
    rows["rules set by hand"] = shown("rules set by hand (stated)", HAND_SET)
    if not quick:
        rows |= {name: shown(name, row) for name, row in left_out(reading, first)}
    transfer = over_fields(reading)
    return {
        "about": about(reading),
        "rows": rows,
        "folds of seed 0": {
            k: spread([row[k] for row in per_fold]) for k in ("auc", "auc_reversed", "direction")
        },
        "transfer to fields held out": transfer,
        "plain ingest, in sample": shown("plain ingest, in sample", ingested(reading)),
        "calibration": calibration_curve(reading, whole[0]),
        "order without its weight": order_without_weight(
            [reading.shared / "eval/fastbook/notes", starter_notes()]
        ),
    }


def about(reading: Reading) -> dict[str, Any]:
    """What the rows stand for."""
    learned = scorer()
    return {
        "concepts": len(reading.vault.concepts),
        "edges": len(reading.gold.edges),
        "candidates": len(reading.vault.pairs.a),
        "rows": f"{FOLDS} folds of concepts held out; 'whole' over seeds {[*SEEDS]}, all other "
        f"rows seed {SEEDS[0]}",
        "read off seed 0's held-out scores": {
            k: getattr(learned, k) for k in ("slope", "offset", "keep", "sure")
        },
        "plain methods": "the same candidates; as many kept as the whole scorer keeps, less what "
        "cycles cost",
        "in sample": "the coefficients that ship were fitted on these very notes; the held-out "
        "rows are the measure",
    }


def fitted(reading: Reading, mask: Mask, settings: Settings = SETTINGS) -> tuple[Floats, Floats]:
    """Shares of both directions of all pairs, from a fit on the pairs of the mask."""
    vault = reading.vault
    learned = fit(vault, reading.gold, mask, settings)
    if settings.rounds == 1:
        one, pairs = learned.rounds[0], vault.pairs
        joined = one.joined(joined_columns(pairs.ahead, pairs.back))
        return probabilities(joined, one.first(pairs.ahead - pairs.back), settings.apart)
    scored = learned.score(vault.pairs, vault.earlier, len(vault.concepts))
    return scored.ahead, scored.back


def chosen(reading: Reading, shares: tuple[Floats, Floats]) -> tuple[Relation, ...]:
    """Relations as an ingest chooses them, with the calibration and thresholds that ship."""
    learned, vault = scorer(), reading.vault
    scored = Scored(learned.calibrated(shares[0]), learned.calibrated(shares[1]))
    least = Least(learned.keep, learned.sure)
    found = choose(vault.pairs, scored, least, vault.signals, NOTHING_STANDING)
    low = zip(*found.unlikely.pairs.tolist(), found.unlikely.scores.tolist(), strict=True)
    return (*found.relations, *(Relation("prerequisite", p, c, s, False, ()) for p, c, s in low))


def figures(
    reading: Reading, relations: Sequence[Relation], only: Mask | None = None
) -> dict[str, Any]:
    """What the evaluation's own scorer prints, and how good sure edges are.

    Parameters
    ----------
    only : array of shape (n,)
        Count only edges and pairs of which the later concept is one of these.
    """
    stems = [reading.stem(i) for i in range(len(reading.vault.concepts))]
    wanted = None if only is None else {stems[i] for i in np.flatnonzero(only)}
    drawn = reading.work / "drawn"
    drawn.mkdir(exist_ok=True)
    for name, later in (("edges.jsonl", "concept_file"), ("pairs.jsonl", "a")):
        lines = (reading.drawn / name).read_text(encoding="utf-8").splitlines()
        part = [line for line in lines if wanted is None or json.loads(line)[later] in wanted]
        (drawn / name).write_text("\n".join(part) + "\n", encoding="utf-8")
    out = reading.work / "relations.jsonl"
    with out.open("w", encoding="utf-8") as file:
        for r in relations:
            kept = r.kept and (only is None or bool(only[r.target]))
            names = {
                "concept_note": f"{stems[r.target]}.md",
                "prerequisite_note": f"{stems[r.source]}.md",
            }
            file.write(json.dumps({**names, "score": r.score, "kept": kept}) + "\n")
    found = score(reading.shared / "eval/score_prerequisites.py", drawn, out)
    sure = [
        r
        for r in relations
        if r.kept and r.tier == "sure" and (only is None or bool(only[r.target]))
    ]
    return found | sure_figures(reading, sure)


def sure_figures(reading: Reading, sure: Sequence[Relation]) -> dict[str, Any]:
    """Of sure edges, those right among the balanced pairs, and those that are drawn or follow from
    drawn ones.
    """
    if not sure:
        return {}
    lines = (reading.drawn / "pairs.jsonl").read_text(encoding="utf-8").splitlines()
    labels = {(p["b"], p["a"]): p["label"] for p in map(json.loads, lines)}
    judged = [
        labels[pair]
        for r in sure
        if (pair := (reading.stem(r.source), reading.stem(r.target))) in labels
    ]
    return {
        "sure": len(sure),
        "sure_pairs": len(judged),
        "sure_pairs_ok": round(sum(judged) / max(1, len(judged)), 4),
        "sure_edges": round(
            sum((r.source, r.target) in reading.gold.edges for r in sure) / len(sure), 4
        ),
        "sure_ancestor_ok": round(
            sum(bool(reading.reach[r.source, r.target]) for r in sure) / len(sure), 4
        ),
    }


def left_out(reading: Reading, fold: Ids) -> Iterable[tuple[str, dict[str, Any]]]:
    """Figures with one round only, and without each group of features."""
    tried = {"first round only": replace(SETTINGS, rounds=1)}
    tried |= {
        f"without {name}": replace(SETTINGS, without=frozenset(own)) for name, own in GROUPS.items()
    }
    for name, settings in tried.items():
        shares = held_out(reading.vault, fold, partial(fitted, reading, settings=settings))
        yield name, figures(reading, chosen(reading, shares))


def over_fields(reading: Reading) -> dict[str, Any]:
    """Figures with each field of knowledge held out in turn; fields are clusters of the notes'
    texts.
    """
    centres = reading.vault.gists.centres
    model = KMeans(FIELDS, n_init=10, random_state=0).fit(centres)
    field = model.labels_.astype(np.int64)
    relations = chosen(reading, held_out(reading.vault, field, partial(fitted, reading)))
    fields = []
    for k in range(FIELDS):
        typical = np.argsort(((centres - model.cluster_centers_[k]) ** 2).sum(axis=1))[:4]
        own = figures(reading, relations, field == k)
        labels = [reading.vault.concepts[i].label for i in typical.tolist()]
        fields.append({"concepts": int((field == k).sum()), "typical": labels, **own})
        shown(f"field: {labels[0]}"[:28], own)
    return {"all": shown("fields held out", figures(reading, relations)), "fields": fields}


def ingested(reading: Reading) -> dict[str, Any]:
    """Figures of what the command line lists after it has ingested the notes."""
    found = plain_ingest(reading.shared, reading.work)["figures"]["gradus"]
    ids = {reading.stem(c.id): c.id for c in reading.vault.concepts}
    listed = map(
        json.loads, (reading.work / "relations.jsonl").read_text(encoding="utf-8").splitlines()
    )
    rows = [r for r in listed if r["tier"] == "sure"]
    pairs = [
        (ids[Path(r["prerequisite_note"]).stem], ids[Path(r["concept_note"]).stem]) for r in rows
    ]
    sure = [Relation("prerequisite", p, c, 1.0, True, ()) for p, c in pairs]
    return dict(found | sure_figures(reading, sure))


def calibration_curve(reading: Reading, shares: tuple[Floats, Floats]) -> list[dict[str, Any]]:
    """For each tenth of the held-out probability how many ordered pairs, and how many of them
    people drew.
    """
    pairs, gold = reading.vault.pairs, reading.gold
    scores = np.concatenate([scorer().calibrated(s) for s in shares])
    drawn = np.concatenate([gold.ahead, gold.back])
    follows = np.concatenate([reading.reach[pairs.a, pairs.b], reading.reach[pairs.b, pairs.a]])
    bins = np.minimum((scores * 10).astype(int), 9)
    print(f"\n{'probability':>12} {'pairs':>8} {'mean':>7} {'ancestors':>10} {'edges':>7}")
    curve = []
    for k in (k for k in range(10) if (bins == k).any()):
        here = bins == k
        row = {"from": k / 10, "to": (k + 1) / 10, "pairs": int(here.sum())}
        means = [round(float(x[here].mean()), 4) for x in (scores, follows, drawn)]
        curve.append(row | dict(zip(("mean", "ancestors", "edges"), means, strict=True)))
        print(
            f"{k / 10:>5}-{(k + 1) / 10:<6} {row['pairs']:>8} {means[0]:>7} {means[1]:>10} "
            f"{means[2]:>7}"
        )
    return curve


def order_without_weight(folders: Sequence[Path]) -> dict[str, Any]:
    """Of kept inferred edges between what stands in an order, how many run along it, if the scorer
    does not see it.
    """
    out: dict[str, Any] = {}
    blind = replace(scorer(), earlier=0.0)
    for notes in folders:
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.object(ingest.relations.prerequisites, "scorer", lambda: blind):
                ingest_notes([notes], Path(folder))
            relations = open_store(Path(folder)).relations
            earlier = order_of(Path(folder))
        steps = [
            earlier(r.source, r.target)
            for r in relations
            if r.kept and r.tier in ("sure", "likely")
        ]
        along, against = steps.count(1), steps.count(-1)
        found = {"along": along, "against": against, "no order": steps.count(0)}
        name = "fastbook" if "fastbook" in notes.parts else "starter notes"
        out[name] = found | {"share along": round(along / max(1, along + against), 4)}
        print(f"order without its weight, {name}:", out[name])
    return out


def order_of(store: Path) -> Callable[[int, int], int]:
    """Which of two concepts of a store stands first where order means something."""
    with writing(store) as writer:
        sources = read_sources(writer)
    concepts, _ = concepts_as_decided(sources.notes, decisions_in("")[0], load_encoder().encode)
    return read_signals(concepts, mentions_of(concepts, sources.notes), sources.notes).earlier


def over_seeds(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean and spread of each figure, and the seeds' own."""
    return {k: spread([row[k] for row in rows]) for k in rows[0]} | {"seeds": [*rows]}


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean, deviation and extremes."""
    return {
        "mean": round(float(np.mean(values)), 4),
        "deviation": round(float(np.std(values)), 4),
        "least": min(values),
        "most": max(values),
    }


def shown(name: str, row: dict[str, Any]) -> dict[str, Any]:
    """Print one row of the table."""
    print(f"{name:<28}", "  ".join(f"{row.get(c, '-'):>11}" for c in (*SHOWN, *SURE)), flush=True)
    return row


if __name__ == "__main__":
    main()
