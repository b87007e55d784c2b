"""Image classification on a folder of a subfolder for each class, or on handwritten digits.

Checking needs Pillow only; torch and fastai are imported where a learner is built.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from executors.errors import BadInput, listed
from executors.inputs.images import (
    FEWEST_IMAGES,
    SUFFIXES,
    UPRIGHT,
    VALID_SHARE,
    Split,
    check_images,
    check_parts,
    existing_folder,
    find_images,
    finish,
    image_block,
    loaders,
    other_files,
    part_folders,
    part_notes,
    split,
    template,
)
from executors.inputs.listing import read_listing
from executors.inputs.table_file import written
from executors.networks.networks import DEFAULT_ARCH, LADDER, check_arch, network_lines, vision
from executors.parameters import both
from executors.task import Built, Settings, Source

__all__ = [
    "DECISIONS",
    "DEFAULT_ARCH",
    "EXPECTS",
    "LADDER",
    "NAME",
    "SAID",
    "TITLE",
    "build",
    "default_size",
    "finish",
    "inspect",
    "snippet",
    "template",
]

NAME = "image-classification"
TITLE = "Image classification"
EXPECTS = (
    "A folder with one subfolder of images per class, with or without train/ and valid/ above "
    "them; a decisions.csv in it (columns file and decision: keep, delete or a class) is "
    "respected; the sample is scikit-learn's handwritten digits."
)
SAID = (
    (
        "image classification",
        "image classifier",
        "picture classification",
        "picture classifier",
        "photo classification",
        "photo classifier",
        "classify images",
        "classify photos",
        "classify pictures",
    ),
    (),
    ("breed", "species", "class folder"),
    ("photo", "photograph", "picture", "pic", "image", "x-ray", "xray", "scan", "tile"),
)
DECISIONS = "decisions.csv"
_WANTED = "with one subfolder of images per class"

Item = tuple[Path | int, str]  # a path, or a number into the digits; and its class


def default_size(settings: Settings) -> int | None:
    """32 px for the digits; 224 px, what pretrained networks saw, for photographs."""
    return 224 if settings.data else 32


def inspect(settings: Settings, verify: bool = True) -> Source:
    """Find the images and their classes.

    Raises
    ------
    BadParameter
        For an architecture that is unknown, with the closest, or that fastai cannot use.
    BadInput
        When the folder is missing, holds fewer than two classes or too few images, an image that
        cannot be read, or decisions that cannot be followed.
    """
    check_arch(settings.arch)
    return (
        _folder(existing_folder(settings.data, _WANTED), settings.seed, verify)
        if settings.data
        else _digits(settings)
    )


def build(
    source: Source, settings: Settings, size: int | None, batch_size: int, device: str, folder: Path
) -> Built:
    """A `vision_learner` on images of `size` px; frozen when its weights are pretrained."""
    from fastai.data.block import CategoryBlock
    from fastai.metrics import accuracy
    from fastai.vision.augment import Resize
    from sklearn.datasets import load_digits

    parts: Split = source.content
    digits = (load_digits().images * 15.9).astype("uint8")  # (n, 8, 8), 0 to 254
    classes = CategoryBlock(vocab=sorted({name for _, name in parts.train}))
    side = size or 32
    dls = loaders(
        parts,
        (image_block(partial(_digit, digits)), classes),
        [Resize(side)],
        batch_size,
        device,
        folder,
    )
    return Built(*vision(dls, settings, side, folder, metrics=accuracy))


def snippet(
    source: Source, settings: Settings, size: int | None, batch_size: int, pretrained: bool
) -> str:
    """Imports, `dls` and `learn` on the same images."""
    parts: Split = source.content
    imports, network = network_lines(settings)
    lines = ["from fastai.vision.all import *", *imports]
    lines += ["", f"path = Path({settings.data!r})"] if settings.data else ["", *_DIGITS_LINES]
    decided = bool(settings.data) and (Path(settings.data) / DECISIONS).is_file()
    tfms = f"Resize({size})"
    if parts.turned:
        lines += [*UPRIGHT.splitlines(), ""]
        tfms = f"[upright, Resize({size})]"
    how = f"bs={batch_size}, item_tfms={tfms}, num_workers=0"
    chance = f"valid_pct={VALID_SHARE}, seed={settings.seed}"
    own = part_folders(Path(settings.data)) if settings.data and parts.own else None
    if not decided:
        chance = f"train={own[0]!r}, valid={own[1]!r}" if own else chance
        lines.append(f"dls = ImageDataLoaders.from_folder(path, {chance}, {how})")
    else:
        splitter = (
            f"GrandparentSplitter({own[0]!r}, {own[1]!r})"
            if own
            else f"RandomSplitter({VALID_SHARE}, seed={settings.seed})"
        )
        options = written(Path(settings.data) / DECISIONS).options
        lines += [
            f"rows = pd.read_csv(path / 'decisions.csv'{options}, dtype=str, "
            "keep_default_na=False)",
            *_DECIDED_LINES,
        ]
        lines += [
            "block = DataBlock((ImageBlock, CategoryBlock), get_items=images, get_y=label,",
            f"                  splitter={splitter})",
            f"dls = block.new(item_tfms={tfms}).dataloaders(path, bs={batch_size}, num_workers=0)",
        ]
    lines.append(
        f"learn = vision_learner(dls, {network}, pretrained={pretrained}, metrics=accuracy)"
    )
    return "\n".join(lines) + "\n"


_DIGITS_LINES = [
    "from sklearn.datasets import load_digits",
    "",
    "path, digits = Path('digits'), load_digits()",
    "for i, (pixels, digit) in enumerate(zip(digits.images, digits.target)):",
    "    (path / str(digit)).mkdir(parents=True, exist_ok=True)",
    "    PILImage.create((pixels * 15.9).astype('uint8')).save(path / str(digit) / f'{i}.png')",
    "",
]
_DECIDED_LINES = [
    "decisions = {path / file: decision for file, decision in zip(rows['file'], rows['decision'])}",
    "",
    "def images(path):",
    "    folders = [folder for folder in path.iterdir() if folder.is_dir()]",
    "    files = [file for folder in folders for file in get_image_files(folder)]",
    "    return [file for file in files if decisions.get(file) != 'delete']",
    "",
    "def label(file):",
    "    decision = decisions.get(file, 'keep')",
    "    return file.parent.name if decision in ('keep', '') else decision",
    "",
]


def _digit(digits: Any, number: int) -> Any:
    """(8, 8, 3) bytes."""
    return digits[number][..., None].repeat(3, axis=-1)


def _digits(settings: Settings) -> Source:
    from sklearn.datasets import load_digits

    classes = [str(digit) for digit in load_digits().target]
    parts = split(list(enumerate(classes)), settings.seed, _class_of)
    title = f"scikit-learn's digits: {len(classes)} images in 10 classes"
    return Source(title, len(parts.train), len(parts.valid), (), parts)


def _class_of(item: Item) -> str:
    return item[1]


def _folder(folder: Path, seed: int, verify: bool) -> Source:
    """The folder's images; a train/ and a valid/ in it are taken as they are."""
    own = part_folders(folder)
    places = tuple(folder / name for name in own) if own else (folder,)
    labelled = [_labelled(place) for place in places]
    labelled, notes = _decided(folder, labelled)
    _check_classes(places[0], labelled[0])
    if own:
        known = {name for _, name in labelled[0]}
        for path, name in labelled[1]:
            if name not in known:
                raise BadInput(
                    f"{path}: class '{name}' is in {own[1]}/ but not in {own[0]}/ of {folder}"
                )
        parts = Split(tuple(labelled[0]), tuple(labelled[1]), own=True)
    else:
        parts = split(labelled[0], seed, _class_of)
    check_parts(folder, parts)
    if verify:
        paths = [path for path, _ in (*parts.train, *parts.valid)]
        parts = replace(parts, turned=check_images(folder, paths))
    count, classes = len(parts.train) + len(parts.valid), len({name for _, name in parts.train})
    title = f"{folder.name}: {count} images in {classes} classes"
    left_out = tuple(note for place in places for note in other_files(place))
    doubts = (*left_out, *(part_notes(folder, own) if own else _alone(labelled[0])))
    return Source(title, len(parts.train), len(parts.valid), notes, parts, doubts)


def _labelled(folder: Path) -> list[tuple[Path, str]]:
    """Every image below a class's subfolder, in order of its path; hidden ones are left out."""
    return [
        (path, name)
        for path in find_images(folder)
        if (name := path.relative_to(folder).parts[0]) and path.parent != folder
    ]


def _check_classes(folder: Path, images: list[tuple[Path, str]]) -> None:
    classes = sorted({name for _, name in images})
    if not classes:
        loose = sum(path.suffix.lower() in SUFFIXES for path in folder.iterdir())
        where = (
            f"{loose} images but no subfolder with images" if loose else "no subfolder with images"
        )
        raise BadInput(
            f"{folder} holds {where}; put each class's images into a subfolder of its own"
        )
    if len(classes) == 1:
        raise BadInput(
            f"{folder} holds a single class ('{classes[0]}'); "
            "classification needs at least two subfolders" + _listed_labels(folder)
        )
    if len(images) < FEWEST_IMAGES:
        raise BadInput(f"{folder} holds {len(images)} images; at least {FEWEST_IMAGES} are needed")


def _listed_labels(folder: Path) -> str:
    """Where to go with labels in a table beside the images."""
    table = next(iter(sorted(folder.glob("*.csv"))), None)
    if table is None:
        return ""
    return (
        f"; for labels in a table such as {table.name} there is {both('task')} multi-label, "
        "which reads columns file and labels of a labels.csv"
    )


def _alone(images: list[tuple[Path, str]]) -> tuple[str, ...]:
    """What is to be said of classes that nothing is left of to validate on."""
    alone = sorted(name for name, count in Counter(map(_class_of, images)).items() if count == 1)
    said = "of a single image, which is trained on and never validated"
    return (f"classes {said}: {listed(alone)}",) if alone else ()


def _decided(
    folder: Path, labelled: list[list[tuple[Path, str]]]
) -> tuple[list[list[tuple[Path, str]]], tuple[str, ...]]:
    """The images without the deleted ones, others in the class they were moved to."""
    listing = folder / DECISIONS
    if not listing.is_file():
        return labelled, ()
    classes = sorted({name for part in labelled for _, name in part})
    decisions: dict[Path, str] = {}
    for row in read_listing(listing, ("file", "decision")):
        decision = row.cells["decision"] or "keep"
        if decision not in ("keep", "delete", *classes):
            raise BadInput(
                f"{listing}, line {row.line}: the decision '{decision}' is neither keep, "
                "delete nor a class "
                f"({', '.join(classes[:8])})"
            )
        decisions[folder / row.cells["file"]] = decision
    count: Counter[str] = Counter()
    decided: list[list[tuple[Path, str]]] = []
    for part in labelled:
        decided.append([])
        for path, name in part:
            decision = decisions.pop(path, "keep")
            count["deleted" if decision == "delete" else "moved"] += decision not in ("keep", name)
            if decision != "delete":
                decided[-1].append((path, name if decision == "keep" else decision))
    gone = f"; {len(decisions)} of its files are not here any more" if decisions else ""
    note = (
        f"{DECISIONS}: {count['deleted']} images left out, "
        f"{count['moved']} in another class than their folder's{gone}"
    )
    return decided, (note,)
