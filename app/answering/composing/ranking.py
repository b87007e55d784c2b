"""How likely each statement of the best passages is to answer a question, by learned weights.

Two linear models over the features of `app.answering.composing.features`: one ranks the statements
of all hits by how likely each is what a careful reader would quote first, the other tells how
likely each belongs to a good answer once it is known which one leads.
`benchmarks/answers/train_reader.py` fits them and measures them with whole vaults left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from app.answering.composing.features import FEATURES, RELATIONS, Seen, related, seen, softmax
from app.answering.question.understand import Question
from app.answering.reading.excerpts import Excerpt, cite
from app.answering.reading.statements import Statement
from kg.search import Findings
from kg.store import Store
from kg.types import Citation

__all__ = ["LISTS", "MODEL", "Ranked", "Weights", "rank", "stored"]

Array = npt.NDArray[np.float64]
MODEL = "ranking.json"
LISTS = frozenset({"list", "how"})  # kinds of question that several statements answer


@dataclass(frozen=True, slots=True)
class Weights:
    """The learned weights: of leading, and of belonging to an answer with its intercept."""

    lead: Array  # (FEATURES,)
    belongs: Array  # (RELATIONS + FEATURES,)
    intercept: float

    def rank(self, found: Seen, wants_list: bool) -> Ranked:
        """Chances of each of these statements."""
        worth = found.rows @ self.lead
        beside = np.column_stack([related(found, worth, wants_list), found.rows])
        belongs = 1 / (1 + np.exp(-(beside @ self.belongs + self.intercept)))
        return Ranked(found, worth, softmax(worth), belongs)


@dataclass(frozen=True, slots=True)
class Ranked:
    """The statements of the hits, one after another, with what each is worth for a question."""

    seen: Seen
    worth: Array  # (n,) logit of being what to quote first
    leads: Array  # (n,) chance of being what to quote first; they sum to 1
    belongs: Array  # (n,) chance of belonging to a good answer

    @property
    def statements(self) -> Sequence[Statement]:
        """All statements."""
        return self.seen.statements

    @property
    def hit(self) -> npt.NDArray[np.int64]:
        """Of each the position of its hit, shape (n,)."""
        return self.seen.hit

    def fainter(self, told: Sequence[Citation], share: float) -> Ranked:
        """The same with the chances to lead of what these citations hold at a share of theirs."""
        leads = self.leads.copy()
        for i, s in enumerate(self.statements):
            at = cite(Excerpt(s.passage, s.start, s.end), 1)
            here = [c for c in told if (c.note, c.cell) == (at.note, at.cell)]
            if any(c.line_start <= at.line_start <= c.line_end for c in here):
                leads[i] *= share
        return replace(self, leads=leads / leads.sum())

    def best_first(self) -> list[int]:
        """Positions of all statements, the likeliest to lead first."""
        return [int(i) for i in np.argsort(-self.leads, kind="stable")]


def rank(asked: Question, findings: Findings, store: Store) -> Ranked | None:
    """The statements of the hits by their worth; None when the hits say nothing."""
    found = seen(asked, findings, store)
    return weights().rank(found, asked.kind in LISTS) if found.statements else None


@cache
def weights() -> Weights:
    """The weights that come with Gradus."""
    lead, belongs = stored()["lead"], stored()["belongs"]
    return Weights(
        np.array([lead[name] for name in FEATURES]),
        np.array([belongs[name] for name in (*RELATIONS, *FEATURES)]),
        float(stored()["intercept"]),
    )


@cache
def stored() -> Mapping[str, Any]:
    """What was learned, as it is stored; how sure an answer is with it."""
    file = resources.files("app.answering.composing").joinpath(MODEL)
    learned: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return learned
