"""The recipe "clean-data": the samples a network finds hardest, as a list of decisions to make."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from executors.errors import BadInput
from executors.prepare import Prepared, prepare
from executors.recipe import Parameter, Recipe
from executors.recipes._shared import (
    BATCH_SIZE,
    DEVICE,
    SEED,
    SIZE,
    epochs_parameter,
    inputs,
    rate_parameter,
)
from executors.runs.journal import Journal, Outcome
from executors.runs.stored_findings import Finding, one_line
from executors.task import Settings
from executors.tasks import CLASSIFYING
from executors.training.held_out import HeldOut, beside

if TYPE_CHECKING:
    from executors.training.hard_samples import Judged

__all__ = ["DECISIONS", "RECIPE", "Doubt", "Params", "findings", "run"]

RECIPE = Recipe(
    name="clean-data",
    title="Clean my data",
    summary=(
        "Trains a little and lists the samples whose label the network doubts most, with pictures, "
        "and copies of the same file; proposes what to do, deletes nothing, and writes a list of "
        "decisions for you to edit."
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
        epochs_parameter(4, "of training, to judge by"),
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
            help="samples in the list",
        ),
        rate_parameter("highest rate of the training", 1e-3),
        DEVICE,
        SEED,
    ),
)
DECISIONS = "decisions.csv"
_SURE = 0.7  # of another class, on average over epochs, to propose it
_DOUBTED = 0.15  # of its own label
_PICTURES = 24
_NAMED = 3  # samples in the finding


@dataclass(frozen=True, slots=True)
class Params:
    """What RECIPE's parameters become."""

    settings: Settings
    size: int | None  # px
    batch_size: int | None
    epochs: int
    worst: int  # samples to list
    lr: float
    device: str


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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a sample lies: the number of its row in a part of the loaders."""

    part: str  # "train" or "valid"
    index: int


def run(params: Params, journal: Journal) -> Outcome:
    """Train, judge, list.

    Raises
    ------
    BadParameter, BadInput
        When the parameters or the user's files do not hold up.
    """
    from executors.training.fit import fit, score_of
    from executors.training.hard_samples import Watch
    from executors.training.judging import judged

    ready = prepare(params, journal)
    classes = _classes(ready)
    watch = Watch()
    epochs = fit(ready.learner, journal, "judging", params.epochs, params.lr, callbacks=[watch])
    parts = {part: watch.judged(part) for part in ("train", "valid")}
    places = _hardest(parts, _length(params.worst, ready))
    doubts = [_doubt(ready, parts[place.part], place, classes) for place in places]
    score = score_of(ready.learner, ready.built.higher_is_better)
    reached, held = score.of(epochs[-1]), judged(ready.learner, score)
    copies = _copies(ready)
    _write(ready, journal, doubts, copies, places)
    values: dict[str, Any] = {
        "doubts": [asdict(doubt) for doubt in doubts],
        "proposed": len(_moved(doubts)),
        "copies": [[str(path) for path in group] for group in copies],
        "accuracy": next(iter(epochs[-1].metrics.values()), None),
        "held_out": asdict(held),
        **asdict(ready.trained),
        "notes": list(ready.notes),
    }
    samples = ready.source.train + ready.source.valid
    message = _message(doubts, copies, samples) + _worth(score.name, reached, held)
    said = findings(doubts, len(copies))
    return Outcome(values, _code(ready), message, ready.settings.task, said)


def findings(doubts: Sequence[Doubt], copies: int) -> tuple[Finding, ...]:
    """How many samples look mislabelled, and the first of them by name."""
    moved = _moved(doubts)
    named = moved[:_NAMED]
    figures = {
        "To look at": len(doubts),
        "Another class proposed": len(moved),
        "Files with copies": copies,
    }
    if not moved:
        verb = "is" if len(doubts) == 1 else "are"
        words = f"no sample looks mislabelled; {len(doubts)} to look at {verb} listed"
        return (Finding(words, figures, {"proposed": 0}),)
    words = f"{len(moved)} {'sample looks' if len(moved) == 1 else 'samples look'} mislabelled"
    words += ", such as " if len(moved) > len(named) else ": "
    words += ", ".join(
        f"{one_line(doubt.file)} (labelled {one_line(doubt.label)}, "
        f"looks like {one_line(doubt.proposal)})"
        for doubt in named
    )
    samples = [{"file": d.file, "label": d.label, "proposal": d.proposal} for d in named]
    return (Finding(words, figures, {"proposed": len(moved), "samples": samples}),)


def _moved(doubts: Sequence[Doubt]) -> list[Doubt]:
    """Those that another class is proposed for."""
    return [doubt for doubt in doubts if doubt.proposal != "keep"]


def _classes(ready: Prepared) -> list[str]:
    vocab = getattr(ready.learner.dls, "vocab", None)
    if vocab is None:
        raise BadInput(
            f"{ready.source.title}: its target is a quantity; there are no labels to doubt"
        )
    plain = isinstance(vocab[0], str | int | float) or not hasattr(vocab[0], "__len__")
    if ready.settings.task == "text-classification" or not plain:
        vocab = vocab[-1]  # the first is that of the words
    return [str(name) for name in vocab]


def _hardest(judged: dict[str, Judged], count: int) -> list[_Place]:
    """The samples of highest loss, highest first."""
    rows = [
        (-loss, part, index)
        for part, samples in judged.items()
        for index, loss in enumerate(samples.losses.tolist())
    ]
    return [_Place(part, index) for _, part, index in sorted(rows)[:count]]


def _length(worst: int, ready: Prepared) -> int:
    """How many samples to list: as asked, but no more than a fifth of them, or five."""
    return min(worst, max(5, (ready.source.train + ready.source.valid) // 5))


def _doubt(ready: Prepared, judged: Judged, place: _Place, classes: Sequence[str]) -> Doubt:
    index = place.index
    label, guess = int(judged.labels[index]), int(judged.chances[index].argmax())
    chance, sure = float(judged.chances[index, label]), float(judged.chances[index, guess])
    moved = guess != label and sure > _SURE and chance < _DOUBTED
    shares = f"{sure:.0%} {classes[guess]}, {chance:.0%} {classes[label]}"
    return Doubt(
        file=_name(ready, place),
        decision="keep",
        proposal=classes[guess] if moved else "keep",
        label=classes[label],
        predicted=classes[guess],
        chance=round(chance, 4),
        loss=round(float(judged.losses[index]), 4),
        part=place.part,
        why=f"{shares} on average over the epochs",
    )


def _samples(ready: Prepared, part: str) -> Any:
    """The part's data set."""
    return getattr(ready.learner.dls, part).dataset


def _name(ready: Prepared, place: _Place) -> str:
    """The sample's file, relative to the data; of a table or a list of texts, its row's number."""
    items = _samples(ready, place.part).items
    if hasattr(items, "iloc"):
        return f"row {items.index[place.index]}"
    item = items[place.index]
    path = item[0] if isinstance(item, tuple) else item
    if isinstance(path, Path) and ready.settings.data:
        return path.relative_to(ready.settings.data).as_posix()
    return f"sample {path}"


def _copies(ready: Prepared) -> list[list[Path]]:
    """Groups of files with the very same bytes, in order of their first."""
    if ready.settings.task != "image-classification" or not ready.settings.data:
        return []
    by_size: dict[int, list[Path]] = defaultdict(list)
    for part in ("train", "valid"):
        for path, _ in _samples(ready, part).items:
            by_size[path.stat().st_size].append(path)
    by_content: dict[str, list[Path]] = defaultdict(list)
    for paths in by_size.values():
        for path in paths if len(paths) > 1 else ():
            by_content[hashlib.sha256(path.read_bytes()).hexdigest()].append(path)
    root = Path(ready.settings.data)
    alike = [paths for paths in by_content.values() if len(paths) > 1]
    return sorted(sorted(path.relative_to(root) for path in paths) for paths in alike)


def _write(
    ready: Prepared,
    journal: Journal,
    doubts: list[Doubt],
    copies: list[list[Path]],
    places: list[_Place],
) -> None:
    """The list of decisions, and pictures of the hardest images."""
    from executors.training.plots import plot_samples

    title = "decisions: change keep to delete or to another class, then put it beside the classes"
    rows = [list(asdict(doubt).values()) for doubt in doubts]
    journal.table(DECISIONS, title, Doubt.__slots__, [*rows, *_copy_rows(copies, doubts)])
    if ready.settings.task != "image-classification":
        return
    shown = [_samples(ready, place.part)[place.index][0] for place in places[:_PICTURES]]
    titles = [
        f"{doubt.label}?\n{doubt.predicted}: {doubt.why.split()[0]}" for doubt in doubts[:_PICTURES]
    ]
    picture = journal.folder / "hardest.png"
    plot_samples(picture, shown, titles)
    journal.artifact(picture, "the hardest: their label, and what the network takes them for")


def _copy_rows(copies: list[list[Path]], doubts: list[Doubt]) -> Iterator[list[str]]:
    """Rows for the copies that are not in doubt already."""
    names = {doubt.file for doubt in doubts}
    for first, *others in copies:
        for other in others:
            name, why = other.as_posix(), f"the same file as {first.as_posix()}"
            if name not in names:
                yield [name, "keep", "delete", other.parent.name, "", "", "", "", why]


def _message(doubts: Sequence[Doubt], copies: list[list[Path]], samples: int) -> str:
    worst = doubts[0]
    text = f"{len(doubts)} of {samples} samples to look at; the most doubtful is {worst.file} "
    text += f"(labelled {worst.label}, {worst.why}). "
    text += f"Another class is proposed for {len(_moved(doubts))}; nothing was changed."
    if copies:
        one, other = (path.as_posix() for path in copies[0][:2])
        have = "file has" if len(copies) == 1 else "files have"
        text += f" {len(copies)} {have} copies, such as {one} and {other}."
    return text


def _worth(score: str, reached: float, held: HeldOut) -> str:
    """How well the network knows what it doubts."""
    text = f" On {held.samples} held-out samples, this network reached "
    text += f"{beside(score, reached, held)}"
    if held.beaten(reached):
        return text + "."
    return text + "; that is no better by more than chance, so its doubts say little."


def _code(ready: Prepared) -> str:
    """How to train without what was decided against."""
    return ready.snippet() + (_IMAGES if ready.settings.task == "image-classification" else _ROWS)


_IMAGES = """
# decisions.csv beside the classes' folders is respected by every recipe; by hand:
interp = Interpretation.from_learner(learn)
interp.plot_top_losses(9)
"""
_ROWS = """
# once you have edited decisions.csv: the frame without the rows decided against
decisions = pd.read_csv('decisions.csv')
rows = decisions.file[decisions.decision == 'delete'].str.removeprefix('row ').astype(int)
df = df.drop(index=rows)
"""
