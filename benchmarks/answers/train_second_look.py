"""Fit what reads a question and the likeliest statements as one text, and measure refusal with it.

    python -m benchmarks.answers.train_second_look SHARED [--stores DIR]

Learned first from the evaluation's questions with the statement that answers (SQuAD 2.0, XQuAD and
SelQA), then from all our questions by line; each question is also asked with the statements that
answer it cut out, which no longer answer. Measured with a third of the groups of vaults left out of
every step that sees notes; the ranking, with each vault left out. Writes the matrices and the
coefficients, and saves the figures.
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors.numpy import save_file
from sklearn.metrics import roc_auc_score

import app.answering as answering
from app.answering.composing.ranking import Ranked
from app.answering.refusal import (
    ANSWERED_FROM,
    LOOK,
    LOOK_FROM,
    SIGNS,
    SURE_FROM,
    UNKNOWN,
    signs_of,
)
from app.answering.second_look import (
    COEFFICIENTS,
    MODEL,
    digest,
)
from benchmarks.answers.prose import of_prose
from benchmarks.answers.together import Example, Together, logits_of, train
from benchmarks.answers.train_reader import (
    LANGUAGES,
    Asked,
    all_questions,
    fitted,
    weights_of_signs,
)
from benchmarks.concepts.train import GROUPS
from benchmarks.record import save

LOSS = 0.03  # of the answerable, by which thresholds are set
# Groups of vaults that are left out together.
THIRDS = ((0, 3), (1, 2), (4, 5))
# Ways to decide, and below which chance each leaves a doubt: the first as it was alone.
WAYS = {"signs": 0.4, "look": SURE_FROM, "look in doubt": SURE_FROM}
FIGURES = (
    "auc", "refused_though_told", "refused", "doubted_though_told", "doubted",
    "refused_at_loss_though_told", "refused_at_loss", "looked",
)  # fmt: skip
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Case:
    """A question of a set over a vault, with the statements ranked by weights of other vaults."""

    set: str
    vault: str
    asked: Asked
    ranked: Ranked
    signs: Array  # (SIGNS,)

    @property
    def third(self) -> int:
        """Which of the thirds its vault is in."""
        group = next(i for i, names in enumerate(GROUPS) if self.vault in names)
        return next(i for i, groups in enumerate(THIRDS) if group in groups)


def text_of(
    ranked: Ranked, right: npt.NDArray[np.bool_], without: frozenset[int] = frozenset()
) -> Example:
    """The statements as they are read, without some; what is right is marked. No question yet."""
    text, answers = "", []
    for i, line in digest(ranked, without):
        if right[i]:
            answers.append((len(text), len(text) + len(line)))
        text += line + "\n"
    return Example("", text.rstrip("\n"), tuple(answers))


def of_notes(case: Case, rng: random.Random) -> list[Example]:
    """What is learned from one question over notes: as it is read, and with lines cut out."""
    question, right = case.asked.understood.reading.text, case.asked.good
    every = range(len(right))

    def asked(without: Sequence[int], weight: float) -> Example:
        example = text_of(case.ranked, right, frozenset(without))
        return Example(question, example.text, example.answers, weight)

    if not case.asked.answerable:
        out = [asked((), 1.2)]
        if rng.random() < 0.6:
            out.append(asked([i for i in every if rng.random() < 0.2], 0.8))
        return out
    good = np.flatnonzero(right).tolist()
    if not good:
        return []
    out = [asked((), 1.0)]
    if not out[0].answers:
        # What answers is not read: less sure is that nothing else does. It is put among the first.
        above = [i for i in case.ranked.best_first() if not right[i]]
        above = above[: case.ranked.best_first().index(max(good, key=_worth(case.ranked)))]
        out = [asked((), 0.4), asked(rng.sample(above, max(0, len(above) - 2)), 1.0)]
    elif rng.random() < 0.3:
        out.append(asked([i for i in every if not right[i] and rng.random() < 0.3], 0.6))
    out.append(asked(good, 0.7))
    return [e for e in out if e.text]


def _worth(ranked: Ranked) -> Any:
    return lambda i: ranked.worth[i]


def cases_of(sets: Mapping[str, Mapping[str, Sequence[Asked]]]) -> list[Case]:
    """The questions that have hits, ranked by weights that were not learned from their vault."""
    out = []
    for vault in dict.fromkeys(v for of in sets.values() for v in of):
        weights = fitted([a for v, asked in sets["own"].items() if v != vault for a in asked])
        for name, of in sets.items():
            for a in of.get(vault, ()):
                if a.seen.statements:
                    ranked = weights.rank(a.seen, a.lists)
                    signs = signs_of(a.understood, a.findings, ranked)
                    out.append(Case(name, vault, a, ranked, signs))
    return out


def looks_of(cases: Sequence[Case], begun: Together) -> Array:
    """Logit of each question by a network that saw no vault of its third, shape (n,)."""
    looks = np.zeros(len(cases))
    for third in range(len(THIRDS)):
        net = copy.deepcopy(begun)
        train(net, learned_from([c for c in cases if c.third != third]), third)
        own = [i for i, c in enumerate(cases) if c.third == third]
        looks[own] = logits_of(net, [_read(cases[i]) for i in own])
        print("read", len(own), flush=True)
    return looks


def learned_from(cases: Sequence[Case]) -> list[Example]:
    """What is learned from these questions over notes."""
    rng = random.Random(0)
    return [e for c in cases for e in of_notes(c, rng)]


def _read(case: Case) -> Example:
    text = text_of(case.ranked, case.asked.good).text
    return Example(case.asked.understood.reading.text, text, ())


def begun(shared: Path) -> Together:
    """A network that has learned from single passages."""
    torch.manual_seed(0)
    net = Together()
    train(net, of_prose(shared, random.Random(0)), 0)
    return net


def chances(cases: Sequence[Case], looks: Array) -> Array:
    """By the signs alone, with a second look wherever, and as it is done; shape (n, 3).

    The first by a fit on our own questions on other vaults, the second by one on all questions on
    vaults of other thirds.
    """
    yes = np.array([c.asked.answerable for c in cases])
    signs = np.array([c.signs for c in cases])
    both = np.column_stack([signs, looks])
    out = np.zeros((len(cases), 3))
    for vault in dict.fromkeys(c.vault for c in cases):
        here = [i for i, c in enumerate(cases) if c.vault == vault]
        third = cases[here[0]].third
        own = [i for i, c in enumerate(cases) if c.set == "own" and c.vault != vault]
        far = [i for i, c in enumerate(cases) if c.third != third]
        for column, (rows, seen) in enumerate(((own, signs), (far, both))):
            weights, intercept = weights_of_signs([(seen[rows], yes[rows])])
            out[here, column] = 1 / (1 + np.exp(-(seen[here] @ weights + intercept)))
    out[[c.asked.findings.signs.unknown > UNKNOWN for c in cases]] = 0
    looked = (out[:, 0] > LOOK_FROM) & (out[:, 0] < SURE_FROM)
    out[:, 2] = np.where(looked, out[:, 1], out[:, 0])
    return out


def measured(cases: Sequence[Case], chance: Array) -> list[dict[str, Any]]:
    """A row for each set, vault and way of deciding, and their means."""
    rows: list[dict[str, Any]] = []
    yes = np.array([c.asked.answerable for c in cases])
    english = np.array([c.vault not in LANGUAGES for c in cases])
    thirds = np.array([c.third for c in cases])
    for name in dict.fromkeys(c.set for c in cases):
        for vault in dict.fromkeys(c.vault for c in cases if c.set == name):
            here = np.array([c.set == name and c.vault == vault for c in cases])
            others = yes & english & (thirds != thirds[here][0])
            for column, (way, doubted) in enumerate(WAYS.items()):
                own = chance[:, column]
                lost = float(np.quantile(own[others], LOSS))
                row = _row(own[here], yes[here], doubted, lost)
                looked = (chance[here, 0] > LOOK_FROM) & (chance[here, 0] < SURE_FROM)
                row["looked"] = round(float(looked[yes[here]].mean()), 3)
                rows.append({"questions": name, "vault": vault, "by": way, **row})
    means = []
    for name in dict.fromkeys(r["questions"] for r in rows):
        for foreign in (False, True):
            for way in WAYS:
                of = [
                    r for r in rows
                    if (r["questions"], r["by"]) == (name, way)
                    and (r["vault"] in LANGUAGES) == foreign
                ]  # fmt: skip
                if of:
                    mean = {f: round(statistics.mean(r[f] for r in of), 3) for f in FIGURES}
                    vault = f"mean of {len(of)}"
                    means.append({"questions": name, "vault": vault, "by": way, **mean})
                    print(means[-1], flush=True)
    return rows + means


def _row(
    chance: Array, yes: npt.NDArray[np.bool_], doubted: float, lost: float
) -> dict[str, float]:
    """Shares below each threshold, of those that the notes answer and of those they do not."""
    row = {"auc": float(roc_auc_score(yes, chance))}
    for name, threshold in (
        ("refused", ANSWERED_FROM),
        ("doubted", doubted),
        ("refused_at_loss", lost),
    ):
        row[f"{name}_though_told"] = float((chance[yes] < threshold).mean())
        row[name] = float((chance[~yes] < threshold).mean())
    return {k: round(v, 3) for k, v in row.items()}


def main() -> None:
    """Learn, measure with vaults left out, write what was learned from all, save the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("--stores", type=Path, default=Path(".gradus/reader"), help="kept stores")
    given = parser.parse_args()
    shared = given.shared.resolve()
    cases = cases_of(all_questions(shared, given.stores))
    start = begun(shared)
    looks = looks_of(cases, start)
    rows = measured(cases, chances(cases, looks))
    train(start, learned_from(cases), 0)
    write(start, cases, looks)
    print("saved", save("second_look", {"rows": rows}))


def write(net: Together, cases: Sequence[Case], looks: Array) -> None:
    """What was learned, beside the code that reads it."""
    folder = Path(answering.__file__).parent
    save_file(net.learned(), folder / MODEL)
    signs = np.column_stack([[c.signs for c in cases], looks])
    yes = np.array([c.asked.answerable for c in cases])
    weights, intercept = weights_of_signs([(signs, yes)])
    stored = {
        "made_by": "python -m benchmarks.answers.train_second_look",
        "questions": len(cases),
        "weights": {
            name: float(f"{w:.4g}") for name, w in zip((*SIGNS, LOOK), weights, strict=True)
        },
        "intercept": round(intercept, 4),
    }
    text = json.dumps(stored, indent=1) + "\n"
    (folder / COEFFICIENTS).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
