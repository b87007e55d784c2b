"""The recipe "clean-data": the samples a network finds hardest, with pictures, as a list of
decisions to be made.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    EPOCHS_SAID,
    LR_SAID,
    SEED,
    SIZE,
    inputs,
)
from executors.runs.journal import Journal, Outcome
from executors.tasks import CLASSIFYING

if TYPE_CHECKING:
    from executors.training.hard_samples import Judged

__all__ = ["DECISIONS", "RECIPE", "run"]

RECIPE = Recipe(
    name="clean-data",
    title="Clean my data",
    summary=(
        "Trains a little and lists the samples whose label the network doubts most, with pictures, and copies of the "
        "same file; proposes what to do, deletes nothing, and writes a list of decisions for you to edit."
    ),
    tasks=CLASSIFYING,
    concepts=(
        "data cleaning",
        "cleaning data",
        "label cleaning",
        "top losses",
        "plot_top_losses",
        "ImageCleaner",
        "ImageClassifierCleaner",
        "mislabelled data",
        "noisy labels",
        "label noise",
        "label errors",
    ),
    parameters=(
        *inputs(CLASSIFYING),
        SIZE,
        BATCH_SIZE,
        Parameter(
            "epochs",
            "int",
            4,
            unit="epochs",
            minimum=1,
            maximum=1000,
            said=EPOCHS_SAID,
            help="of training, to judge by",
        ),
        Parameter(
            "worst",
            "int",
            60,
            unit="samples",
            minimum=1,
            maximum=10_000,
            said=(
                *(
                    f"top # {what}"
                    for what in (
                        "losses",
                        "images",
                        "pictures",
                        "photos",
                        "samples",
                        "rows",
                        "texts",
                    )
                ),
                "# most suspicious",
                "# suspicious",
                "# suspect",
                "# doubtful",
                "# highest loss",
                "# highest losses",
                "# top losses",
            ),
            help="length of the list",
        ),
        Parameter(
            "lr",
            "float",
            1e-3,
            minimum=1e-9,
            maximum=10,
            said=LR_SAID,
            help="highest rate of the training",
        ),
        DEVICE,
        SEED,
    ),
)
DECISIONS = "decisions.csv"
_SURE = 0.7  # of another class, on average over epochs, to propose it
_DOUBTED = 0.15  # of its own label
_PICTURES = 24


@dataclass(frozen=True, slots=True)
class Doubt:
    """One sample whose label is doubted; `file` is relative to the data, or the number of a row."""

    file: str
    decision: str  # "keep": yours to change to "delete" or another class
    proposal: str
    label: str
    predicted: str
    chance: float  # of the label
    loss: float
    part: str  # "train" or "valid"
    why: str


def run(params: dict[str, Any], journal: Journal) -> Outcome:
    """Train, judge, list.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    """
    from executors.training.fit import fit
    from executors.training.hard_samples import Watch

    ready = prepare(params, journal)
    learner = ready.learner
    classes = _classes(ready)
    watch = Watch()
    epochs = fit(learner, journal, "judging", params["epochs"], params["lr"], callbacks=[watch])
    doubts: list[Doubt] = []
    indices: list[tuple[str, int]] = []
    for part, index in _hardest(
        {part: watch.judged(part) for part in ("train", "valid")}, _length(params["worst"], ready)
    ):
        doubts.append(_doubt(ready, watch.judged(part), part, index, classes))
        indices.append((part, index))
    copies = _copies(ready)
    _write(ready, journal, doubts, copies, indices)
    proposed = sum(doubt.proposal != "keep" for doubt in doubts)
    values = {
        "findings": {
            "To look at": len(doubts),
            "Another class proposed": proposed,
            "Files with copies": len(copies),
        },
        "doubts": [asdict(doubt) for doubt in doubts],
        "proposed": proposed,
        "copies": [[str(path) for path in group] for group in copies],
        "accuracy": next(iter(epochs[-1].metrics.values()), None),
        **ready.asked(),
        "notes": list(ready.notes),
    }
    return Outcome(
        values, _code(ready), _said(doubts, proposed, copies, ready), ready.settings.task
    )


def _classes(ready: Prepared) -> list[str]:
    vocab = getattr(ready.learner.dls, "vocab", None)
    if vocab is None:
        raise BadInput(
            f"{ready.source.title}: its target is a quantity; there are no labels to doubt"
        )
    if ready.settings.task == "text-classification":
        vocab = vocab[-1]  # the first is that of the words
    elif not isinstance(vocab[0], str | int | float) and hasattr(vocab[0], "__len__"):
        vocab = vocab[-1]
    return [str(name) for name in vocab]


def _hardest(judged: dict[str, Judged], count: int) -> list[tuple[str, int]]:
    """(part, index) of the samples of highest loss, highest first."""
    rows = [
        (-loss, part, index)
        for part, found in judged.items()
        for index, loss in enumerate(found.losses.tolist())
    ]
    return [(part, index) for _, part, index in sorted(rows)[:count]]


def _length(worst: int, ready: Prepared) -> int:
    """How many samples to list: as asked, but no more than a fifth of them, or five."""
    return min(worst, max(5, (ready.source.train + ready.source.valid) // 5))


def _doubt(ready: Prepared, judged: Judged, part: str, index: int, classes: Sequence[str]) -> Doubt:
    label, guess = int(judged.labels[index]), int(judged.chances[index].argmax())
    chance, sure = float(judged.chances[index, label]), float(judged.chances[index, guess])
    moved = guess != label and sure > _SURE and chance < _DOUBTED
    why = f"{sure:.0%} {classes[guess]}, {chance:.0%} {classes[label]} on average over the epochs"
    return Doubt(
        _name(ready, part, index),
        "keep",
        classes[guess] if moved else "keep",
        classes[label],
        classes[guess],
        round(chance, 4),
        round(float(judged.losses[index]), 4),
        part,
        why,
    )


def _name(ready: Prepared, part: str, index: int) -> str:
    """The sample's file, relative to the data; the number of its row in a table or a list of
    texts.
    """
    items = (ready.learner.dls.train if part == "train" else ready.learner.dls.valid).dataset.items
    if hasattr(items, "iloc"):
        return f"row {items.index[index]}"
    item = items[index]
    path = item[0] if isinstance(item, tuple) else item
    if isinstance(path, Path) and ready.settings.data:
        return path.relative_to(ready.settings.data).as_posix()
    return f"sample {path}"


def _copies(ready: Prepared) -> list[list[Path]]:
    """Groups of files with the very same bytes, in order of their first."""
    if ready.settings.task != "image-classification" or not ready.settings.data:
        return []
    by_size: dict[int, list[Path]] = defaultdict(list)
    for part in (ready.learner.dls.train, ready.learner.dls.valid):
        for path, _ in part.dataset.items:
            by_size[path.stat().st_size].append(path)
    by_content: dict[str, list[Path]] = defaultdict(list)
    for paths in by_size.values():
        for path in paths if len(paths) > 1 else ():
            by_content[hashlib.sha256(path.read_bytes()).hexdigest()].append(path)
    root = Path(ready.settings.data)
    return sorted(
        [
            sorted(p.relative_to(root) for p in paths)
            for paths in by_content.values()
            if len(paths) > 1
        ]
    )


def _write(
    ready: Prepared,
    journal: Journal,
    doubts: list[Doubt],
    copies: list[list[Path]],
    indices: list[tuple[str, int]],
) -> None:
    """The list of decisions, and pictures of the hardest images."""
    from executors.training.plots import plot_samples

    title = "decisions: change keep to delete or to another class, then put it beside the classes"
    journal.table(
        DECISIONS,
        title,
        Doubt.__slots__,
        [*(asdict(one).values() for one in doubts), *_of(copies, doubts)],
    )
    if ready.settings.task != "image-classification":
        return
    dls = ready.learner.dls
    shown = [
        (dls.train if part == "train" else dls.valid).dataset[index][0]
        for part, index in indices[:_PICTURES]
    ]
    titles = [
        f"{doubt.label}?\n{doubt.predicted}: {doubt.why.split()[0]}" for doubt in doubts[:_PICTURES]
    ]
    picture = journal.folder / "hardest.png"
    plot_samples(picture, shown, titles)
    journal.artifact(picture, "the hardest: their label, and what the network takes them for")


def _of(copies: list[list[Path]], doubts: list[Doubt]) -> list[list[str]]:
    """Rows for the copies that are not in doubt already."""
    names = {doubt.file for doubt in doubts}
    return [
        [
            other.as_posix(),
            "keep",
            "delete",
            other.parent.name,
            "",
            "",
            "",
            "",
            f"the same file as {first.as_posix()}",
        ]
        for first, *others in copies
        for other in others
        if other.as_posix() not in names
    ]


def _said(doubts: list[Doubt], proposed: int, copies: list[list[Path]], ready: Prepared) -> str:
    worst = doubts[0]
    text = f"{len(doubts)} of {ready.source.train + ready.source.valid} samples to look at; the most doubtful is "
    text += f"{worst.file} (labelled {worst.label}, {worst.why}). "
    text += f"For {proposed} another class is proposed; nothing was changed."
    if copies:
        text += f" {len(copies)} files have copies, such as {copies[0][0].as_posix()} and {copies[0][1].as_posix()}."
    return text


def _code(ready: Prepared) -> str:
    """How to train without what was decided against."""
    if ready.settings.task == "image-classification":
        return (
            ready.snippet()
            + "\n# decisions.csv beside the classes' folders is respected by every recipe; by hand:\n"
            + "interp = Interpretation.from_learner(learn)\ninterp.plot_top_losses(9)\n"
        )
    return (
        ready.snippet()
        + "\n# once you have edited decisions.csv: the frame without the rows decided against\n"
        + "decisions = pd.read_csv('decisions.csv')\n"
        + "rows = decisions.file[decisions.decision == 'delete'].str.removeprefix('row ').astype(int)\n"
        + "df = df.drop(index=rows)\n"
    )
