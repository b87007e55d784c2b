"""Fit a classifier of wordings (`kg.classifier`) and store it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from kg.classifier import Classifier, columns

__all__ = ["Groups", "fitted", "read_rows", "store"]

FAINT = 0.3  # a term whose weights are all below it is left out; no figure changes by .01
Groups = Sequence[Collection[str]]


def read_rows(file: Path) -> list[dict[str, Any]]:
    """The rows of a file of questions."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def fitted(
    read: Sequence[Groups],
    classes: Sequence[str],
    often: Sequence[int],
    strength: float,
    counts: Sequence[float] | None = None,
) -> Classifier:
    """The classifier learned from texts.

    Parameters
    ----------
    read : sequence of groups
        Of each text its terms, in groups.
    often : sequence of int
        How many texts must have a term of each group for it to count.
    strength : float
        The inverse of how strongly weights are pulled to zero.
    counts : sequence of float, optional
        What each text counts; all alike by default.
    """
    seen = [Counter(t for groups in read for t in groups[i]) for i in range(len(often))]
    known = sorted(t for n, c in zip(often, seen, strict=True) for t, k in c.items() if k >= n)
    rows = {term: i for i, term in enumerate(known)}
    of_each = [columns(groups, rows) for groups in read]
    matrix = csr_matrix(
        (
            np.concatenate([values for _, values in of_each]),
            np.concatenate([own for own, _ in of_each]).astype(np.int64),
            np.cumsum([0, *(len(own) for own, _ in of_each)]),
        ),
        shape=(len(read), len(rows)),
    )
    model = LogisticRegression(C=strength, max_iter=1000)
    with threadpool_limits(1):  # sums in one order
        model.fit(matrix, classes, sample_weight=counts)
    weights = model.coef_.T
    kept = np.abs(weights).max(axis=1) >= FAINT
    names = [term for term, keep in zip(known, kept, strict=True) if keep]
    return Classifier(
        tuple(model.classes_),
        {term: i for i, term in enumerate(names)},
        np.round(weights[kept], 2),
        model.intercept_,
    )


def store(model: Classifier, package: str, name: str, made_by: str, texts: int) -> None:
    """Write the coefficients into the package of the code that reads them."""
    stored = {
        "made_by": made_by,
        "texts": texts,
        "classes": model.classes,
        "bias": [round(float(b), 4) for b in model.bias],
        "terms": {
            term: [round(100 * w) for w in row]
            for term, row in zip(model.terms, model.weights.tolist(), strict=True)
        },
    }
    file = Path(str(resources.files(package))) / name
    file.write_text(json.dumps(stored, ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")
    print(len(model.terms), "terms,", file.stat().st_size, "bytes")
