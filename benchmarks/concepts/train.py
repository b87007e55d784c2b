"""Fit what tells names of concepts from other headings and marked terms, and measure it.

    python -m benchmarks.concepts.train SHARED

The words' part learns from `written.jsonl` (lines thought up by writers who saw no rules), the
trees from `judged/` (candidates of real notes, judged one by one). Measured with groups of vaults
left out of the trees; writes the coefficients and saves the figures.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

import ingest.concepts
from benchmarks.answers.train_reader import vaults
from benchmarks.record import save
from ingest.concepts.candidates import ENOUGH, NoteParts, titles_of
from ingest.concepts.places import KINDS, places_of
from ingest.concepts.termhood import COLUMNS, MODEL, Table, read_table
from ingest.concepts.words import (
    FORM,
    HASHED,
    LETTERS,
    Words,
    form_of,
    letters_of,
    meaning_of,
)
from ingest.names.labels import merge_key, namings
from ingest.notes.files import find_notes, read_note
from ingest.notes.kinds import parse_note
from ingest.passages.cut import cut
from kg.encoder import load_encoder
from kg.errors import UnreadableNote
from kg.linking import key

HERE = Path(__file__).parent
Array = npt.NDArray[np.float64]
SPREAD = 1e-4  # of a column that says nothing
PULL = 0.003  # inverse strength of the pull towards zero; neighbours do as well
TREES: dict[str, Any] = {
    "max_iter": 150, "learning_rate": 0.05, "max_leaf_nodes": 8, "min_samples_leaf": 30,
    "l2_regularization": 3.0, "early_stopping": False,
}  # fmt: skip
# Left out together: what is alike.
GROUPS = (
    ("seed", "starter", "fastbook", "de", "es"),
    ("cs231n", "dl_summary", "fr", "zh"),
    ("cs228", "tuning_playbook"),
    ("exercism_csharp", "exercism_elixir", "exercism_gleam", "exercism_javascript"),
    ("modernmath", "statproofbook", "metacademy", "agda_unimath_algebra"),
    ("cp_algorithms", "mdn_learn", "ethereum_docs"),
)
PIECES = (1, 2, 4, 1, 8)  # notes
THRESHOLDS = (0.4, 0.5, ENOUGH, 0.6, 0.7)


@dataclass(frozen=True, slots=True)
class Vault:
    """The judged texts of a vault among all that may name a concept in it."""

    name: str
    table: Table
    chosen: npt.NDArray[np.int64]  # rows of the table whose text is judged
    judged: tuple[dict[str, Any], ...]  # of each of these rows
    right: npt.NDArray[np.bool_]  # whether the row's label is one that the judge would give


def main() -> None:
    """Read, fit, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    given = parser.parse_args()
    words = fit_words(_lines(HERE / "written.jsonl"))
    shared = given.shared.resolve()
    folders = vaults_with_corpora(shared)
    read = [v for group in GROUPS for name in group for v in read_vault(name, folders[name])]
    rows = [v.table.rows(words, encoded)[v.chosen] for v in read]
    figures = measured(read, rows)
    trees = fit_trees(np.concatenate(rows), _targets(read))
    path = Path(ingest.concepts.__path__[0]) / MODEL
    stored = {
        "command": "python -m benchmarks.concepts.train SHARED",
        "lines": sum(1 for _ in _lines(HERE / "written.jsonl")),
        "judged": sum(len(_lines(path)) for path in (HERE / "judged").glob("*.jsonl")),
        "of_words": [float(f"{w:.4g}") for w in words.weights],
        "of_letters": [float(f"{w:.3g}") for w in words.letters],
        "bias": round(words.bias, 5),
        "trees": as_arrays(trees, COLUMNS),
    }
    path.write_text(json.dumps(stored, separators=(",", ":")) + "\n", encoding="utf-8")
    print("saved", path, save("termhood", {"rows": figures}))


def vaults_with_corpora(shared: Path) -> dict[str, Path]:
    """Where the notes of each vault are."""
    corpora = shared / "eval/train_prereq"
    return {n: corpora / n / "notes" for group in GROUPS for n in group} | vaults(shared)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def fit_words(written: Sequence[dict[str, Any]]) -> Words:
    """Fit the words' part."""
    given = [(x, names) for x in written for names in namings(x["text"])]
    form = np.array([form_of(x["text"], names, x["kind"]) for x, names in given])
    seen = meaning_of([names.label for _, names in given], form, encoded)
    # Some of an encoder's numbers are rounding alone, around 1e-33; scaled up, they would decide.
    seen[:, seen.std(axis=0) < SPREAD] = 0
    right = np.array([merge_key(names.label) == merge_key(x["name"]) for x, names in given])
    scale = StandardScaler().fit(seen)
    letters = [letters_of(names.label) for _, names in given]
    rows = np.repeat(np.arange(len(given)), [len(own) for own in letters])
    table = csr_matrix(
        (np.full(len(rows), LETTERS), (rows, np.concatenate(letters))), (len(given), HASHED)
    )
    fit = LogisticRegression(C=PULL, max_iter=1000).fit(
        hstack([csr_matrix(scale.transform(seen)), table]).tocsr(), right
    )
    n = seen.shape[1]
    weights = fit.coef_[0, :n] / scale.scale_
    bias = float(fit.intercept_[0] - weights @ scale.mean_)
    return Words(weights, fit.coef_[0, n:], bias)


def read_vault(name: str, folder: Path) -> list[Vault]:
    """A vault with its judged texts, whole, and in pieces of a few notes as people begin with."""
    judged = {" ".join(x["text"].split()): x for x in _lines(HERE / f"judged/{name}.jsonl")}
    notes = list(notes_in(folder))
    whole = _looked_at(name, notes, judged)
    print(name, len(judged), "judged,", len({x["text"] for x in whole.judged}), "found", flush=True)
    shuffled = [notes[i] for i in np.random.default_rng(len(notes)).permutation(len(notes))]
    pieces: list[Vault] = []
    at = 0
    while at < len(shuffled) and len(notes) > 1:
        size = PIECES[len(pieces) % len(PIECES)]
        pieces.append(_looked_at(name, shuffled[at : at + size], judged))
        at += size
    return [whole, *(piece for piece in pieces if len(piece.chosen))]


def notes_in(folder: Path) -> Iterator[NoteParts]:
    """The notes of a folder, taken apart."""
    first = 0
    for found in find_notes([folder]):
        try:
            parsed = parse_note(read_note(found.path), found.name)
        except UnreadableNote:
            continue
        passages = tuple(cut(parsed, found.name, first))
        first += len(passages)
        yield NoteParts(found.name, parsed, passages)


def _looked_at(name: str, notes: Sequence[NoteParts], judged: dict[str, dict[str, Any]]) -> Vault:
    places = [p for n in notes for p in places_of(n.parsed, n.passages, titles_of(n))]
    table = read_table(places, [p for n in notes for p in n.passages], len(notes))
    chosen = [i for i, (text, _) in enumerate(table.entries) if " ".join(text.split()) in judged]
    of = tuple(judged[" ".join(table.entries[i][0].split())] for i in chosen)
    right = [_is_right(table.entries[i][1].label, x) for i, x in zip(chosen, of, strict=True)]
    return Vault(name, table, np.array(chosen, dtype=np.int64), of, np.array(right, dtype=bool))


def _is_right(label: str, judged: dict[str, Any]) -> bool:
    """Whether a label is the judge's, or the judge's own words do not stand in the text."""
    text, name = (f" {' '.join(key(words))} " for words in (judged["text"], judged["name"]))
    if judged["ok"] and name not in text and merge_key(label) == merge_key(judged["text"]):
        return True
    return bool(judged["name"]) and merge_key(label) == merge_key(judged["name"])


_KNOWN: dict[str, npt.NDArray[np.float32]] = {}


def encoded(names: Sequence[str]) -> npt.NDArray[np.float32]:
    """Unit vectors of names, shape (n, d), each encoded once in a process."""
    new = [name for name in dict.fromkeys(names) if name not in _KNOWN]
    _KNOWN.update(zip(new, load_encoder().encode(new), strict=True))
    return np.stack([_KNOWN[name] for name in names])


def _targets(read: Sequence[Vault]) -> npt.NDArray[np.bool_]:
    return np.concatenate([v.right for v in read])


def fit_trees(rows: Array, right: npt.NDArray[np.bool_]) -> HistGradientBoostingClassifier:
    """Boosted trees on what is seen."""
    return HistGradientBoostingClassifier(**TREES, random_state=0).fit(rows, right)


def as_arrays(fit: HistGradientBoostingClassifier, columns: Sequence[str]) -> dict[str, Any]:
    """The nodes of all trees one after another, as `ingest.trees` reads them."""
    out: dict[str, Any] = {"columns": [*columns]} | {
        n: [] for n in ("roots", "feature", "threshold", "left", "right", "value")
    }
    for (tree,) in fit._predictors:
        first = len(out["feature"])
        out["roots"].append(first)
        for node in tree.nodes:
            leaf = bool(node["is_leaf"])
            out["feature"].append(-1 if leaf else int(node["feature_idx"]))
            out["threshold"].append(0.0 if leaf else round(float(node["num_threshold"]), 6))
            out["left"].append(0 if leaf else first + int(node["left"]))
            out["right"].append(0 if leaf else first + int(node["right"]))
            out["value"].append(round(float(node["value"]), 6) if leaf else 0.0)
    out["base"] = float(fit._baseline_prediction[0, 0])
    return out


def measured(read: Sequence[Vault], rows: Sequence[Array]) -> list[dict[str, Any]]:
    """Each vault by trees that saw none of its group: the likeliest name of each judged text."""
    every: list[dict[str, Any]] = []
    for group in GROUPS:
        others = [i for i, v in enumerate(read) if v.name not in group]
        fit = fit_trees(
            np.concatenate([rows[i] for i in others]), _targets([read[i] for i in others])
        )
        seen: set[str] = set()
        for vault, own in zip(read, rows, strict=True):
            if vault.name in group:
                chances = fit.predict_proba(own)[:, 1]
                every += _likeliest(vault, chances, whole=vault.name not in seen)
                seen.add(vault.name)
    figures = []
    for name in ("all", "pieces", *(n for group in GROUPS for n in group), *KINDS):
        counted = [
            x for x in every
            if (name == "pieces") != x["whole"] and name in ("all", "pieces", x["vault"], x["kind"])
        ]  # fmt: skip
        figures.append({"of": name, **_figures(counted)})
        print(figures[-1])
    return figures


def _likeliest(vault: Vault, chances: Array, whole: bool) -> list[dict[str, Any]]:
    """For each judged text its likeliest name."""
    by_text: defaultdict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(vault.chosen.tolist()):
        by_text[vault.table.entries[row][0]].append(i)
    out = []
    for text, own in by_text.items():
        best = max(own, key=lambda i: chances[i])
        form = vault.table.form[vault.chosen[best]]
        out.append(
            {
                "vault": vault.name,
                "whole": whole,
                "kind": next(k for k in KINDS if form[FORM.index(f"is_{k}")]),
                "text": text,
                "label": vault.table.entries[vault.chosen[best]][1].label,
                "chance": float(chances[best]),
                "right": bool(vault.right[best]),
                "core": vault.judged[best]["core"],
            }
        )
    return out


def _figures(own: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Share of accepted names that are right, and of core concepts that are found."""
    right = np.array([x["right"] for x in own])
    chance = np.array([x["chance"] for x in own])
    core = np.array([x["core"] for x in own])
    out: dict[str, Any] = {"texts": len(own), "core": int(core.sum())}
    if 0 < right.sum() < len(right):
        out["auc"] = round(float(roc_auc_score(right, chance)), 3)
    for least in THRESHOLDS:
        taken = chance >= least
        out[f"right_from_{least}"] = round(float(right[taken].mean()), 3) if taken.any() else None
        out[f"core_from_{least}"] = (
            round(float((taken & right & core).sum() / core.sum()), 3) if core.any() else None
        )
    return out


if __name__ == "__main__":
    main()
